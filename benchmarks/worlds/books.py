"""Invariants of goods and money, checked in the database by SQL.

No code of the add-on is imported or called. Of its own tables only data recorded by people is read:
authorizations and inspection results (`sale_return_line`, `sale_return_inspection`), and which
return a move or a note belongs to. Everything else is added up from moves and journal items.
"""

import hashlib

from psycopg2.extensions import AsIs

from .lines import FIGURES_TO_COMPARE, LINE_RULES, LINES

SMALL = 0.00001
LOWERED = AsIs('$1')


class Books:
    """The books and the stock of a company.

    :param cr: a cursor; the caller flushes pending writes.
    :param int company_id: id of the company.
    """

    def __init__(self, cr, company_id):
        self.cr = cr
        self.company_id = company_id
        # Order lines of which less was ordered later on: more may be ordered from there.
        self.lowered = []

    def ask(self, query, **values):
        self.cr.execute(f"EXECUTE {self._prepare(query, values)} (%s)", [self.lowered])
        names = [column.name for column in self.cr.description]
        return [dict(zip(names, row, strict=True)) for row in self.cr.fetchall()]

    def _prepare(self, query, values):
        """Return the name of a query in the database, which takes longer to plan than to answer."""
        values = {'company': self.company_id, 'small': SMALL, 'lowered': LOWERED, **values}
        text = self.cr.mogrify(query, values).decode()
        name = f"worlds_{hashlib.sha256(text.encode()).hexdigest()[:16]}"
        self.cr.execute("SELECT 1 FROM pg_prepared_statements WHERE name = %s", [name])
        if not self.cr.fetchone():
            self.cr.execute("SET plan_cache_mode = force_generic_plan")
            self.cr.execute(f"PREPARE {name} (int[]) AS {text}")
        return name

    def check(self):
        """Return violations of the invariants, as sentences."""
        wrong = []
        for name in sorted(dir(self)):
            if name.startswith('find_'):
                wrong += [f"{name[5:]}: {text}" for text in getattr(self, name)()]
        return wrong + self.check_lines()

    @staticmethod
    def tell(rows, text):
        return [text.format(**row) for row in rows]

    # === ENTRIES === #

    def find_unbalanced(self):
        return self.tell(
            self.ask(
                """SELECT move.name, SUM(item.balance) AS rest
                     FROM account_move_line item JOIN account_move move ON move.id = item.move_id
                    WHERE move.company_id = %(company)s AND move.state <> 'cancel'
                    GROUP BY move.id HAVING ROUND(SUM(item.balance), 6) <> 0"""
            ),
            "{name} is out of balance by {rest}",
        )

    def find_head_and_lines(self):
        """Documents whose totals differ from the sum of their lines."""
        return self.tell(
            self.ask(
                """SELECT move.name, move.amount_untaxed, move.amount_tax, move.amount_total,
                          SUM(ABS(item.amount_currency))
                              FILTER (WHERE item.display_type = 'payment_term') AS due,
                          ABS(SUM(item.amount_currency)
                              FILTER (WHERE item.display_type = 'product')) AS lines,
                          ABS(SUM(item.amount_currency)
                              FILTER (WHERE item.display_type = 'tax')) AS taxes
                     FROM account_move move JOIN account_move_line item ON item.move_id = move.id
                    WHERE move.company_id = %(company)s AND move.state = 'posted'
                      AND move.move_type IN ('out_invoice', 'out_refund')
                    GROUP BY move.id
                   HAVING ABS(COALESCE(SUM(ABS(item.amount_currency))
                              FILTER (WHERE item.display_type = 'payment_term'), 0)
                              - move.amount_total) > %(small)s
                       OR ABS(COALESCE(SUM(item.amount_currency)
                              FILTER (WHERE item.display_type IN ('product', 'rounding')), 0)
                              + CASE move.move_type WHEN 'out_invoice' THEN move.amount_untaxed
                                     ELSE -move.amount_untaxed END) > %(small)s
                       OR move.amount_total < 0"""
            ),
            "{name} says {amount_untaxed} + {amount_tax} = {amount_total}, its lines {lines} + "
            "{taxes}, due {due}",
        )

    def find_receivable(self):
        """Customers whose account is not invoices − notes − payments."""
        return self.tell(
            self.ask(
                """SELECT partner.name, item.currency_id, SUM(item.amount_currency) AS account,
                          SUM(CASE WHEN move.move_type = 'out_invoice' THEN item.amount_currency
                              ELSE 0 END) AS invoices, MIN(documents.total) AS documents,
                          MIN(documents.paid) AS paid
                     FROM account_move_line item
                     JOIN account_account account ON account.id = item.account_id
                     JOIN account_move move ON move.id = item.move_id
                     JOIN res_partner partner ON partner.id = item.partner_id
               CROSS JOIN LATERAL (
                     SELECT (SELECT COALESCE(SUM(CASE other.move_type WHEN 'out_refund'
                                     THEN -other.amount_total ELSE other.amount_total END), 0)
                               FROM account_move other
                              WHERE other.commercial_partner_id = partner.id
                                AND other.company_id = %(company)s AND other.state = 'posted'
                                AND other.currency_id = item.currency_id
                                AND other.move_type IN ('out_invoice', 'out_refund')) AS total,
                            (SELECT COALESCE(SUM(CASE payment.payment_type WHEN 'inbound'
                                     THEN payment.amount ELSE -payment.amount END), 0)
                               FROM account_payment payment
                              WHERE payment.partner_id = partner.id
                                AND payment.company_id = %(company)s
                                AND payment.state IN ('in_process', 'paid')
                                AND payment.currency_id = item.currency_id) AS paid) documents
                    WHERE item.company_id = %(company)s AND item.parent_state = 'posted'
                      AND account.account_type = 'asset_receivable'
                    GROUP BY partner.id, item.currency_id
                   HAVING ABS(SUM(item.amount_currency) - MIN(documents.total)
                              + MIN(documents.paid)) > %(small)s"""
            ),
            "{name} owes {account} in currency {currency_id}; documents {documents}, paid {paid}",
        )

    def find_residuals(self):
        """Journal items whose residual disagrees with their matchings."""
        return self.tell(
            self.ask(
                """SELECT move.name, item.balance, item.amount_residual, matched.total
                     FROM account_move_line item
                     JOIN account_move move ON move.id = item.move_id
                     JOIN account_account account ON account.id = item.account_id
               CROSS JOIN LATERAL (SELECT
                          COALESCE((SELECT SUM(amount) FROM account_partial_reconcile
                                     WHERE debit_move_id = item.id), 0)
                          - COALESCE((SELECT SUM(amount) FROM account_partial_reconcile
                                     WHERE credit_move_id = item.id), 0) AS total) matched
                    WHERE item.company_id = %(company)s AND item.parent_state = 'posted'
                      AND account.account_type = 'asset_receivable'
                      AND ABS(item.balance - matched.total - item.amount_residual) > %(small)s"""
            ),
            "{name} of {balance} has {amount_residual} left, matched {total}",
        )

    # === STOCK === #

    def find_quants(self):
        """Locations whose quantities disagree with the moves."""
        return self.tell(
            self.ask(
                """WITH moved AS (
                       SELECT product_id, place, lot_id, SUM(quantity) AS quantity FROM (
                           SELECT product_id, location_dest_id AS place, lot_id,
                                  quantity_product_uom AS quantity
                             FROM stock_move_line
                            WHERE state = 'done' AND company_id = %(company)s
                            UNION ALL
                           SELECT product_id, location_id, lot_id, -quantity_product_uom
                             FROM stock_move_line
                            WHERE state = 'done' AND company_id = %(company)s) parts
                        GROUP BY 1, 2, 3),
                   there AS (
                       SELECT product_id, location_id AS place, lot_id, SUM(quantity) AS quantity
                         FROM stock_quant WHERE company_id = %(company)s GROUP BY 1, 2, 3)
                   SELECT place.complete_name, template.name->>'en_US' AS product,
                          COALESCE(moved.quantity, 0) AS moved,
                          COALESCE(there.quantity, 0) AS there
                     FROM moved FULL JOIN there ON there.product_id = moved.product_id
                      AND there.place = moved.place
                      AND there.lot_id IS NOT DISTINCT FROM moved.lot_id
                     JOIN stock_location place ON place.id = COALESCE(moved.place, there.place)
                     JOIN product_product product
                       ON product.id = COALESCE(moved.product_id, there.product_id)
                     JOIN product_template template ON template.id = product.product_tmpl_id
                    WHERE place.usage = 'internal' AND place.company_id = %(company)s
                      AND template.is_storable
                      AND ABS(COALESCE(moved.quantity, 0) - COALESCE(there.quantity, 0))
                          > %(small)s"""
            ),
            "{there} {product} in {complete_name}, moves brought {moved}",
        )

    def find_quarantine(self):
        """Goods in quarantine without a return, or missing ones with a return."""
        return self.tell(
            self.ask(
                """WITH places AS (
                       SELECT sale_return_loc_id AS id FROM stock_warehouse
                        WHERE company_id = %(company)s),
                   there AS (
                       SELECT product_id, SUM(quantity) AS quantity FROM stock_quant
                        WHERE location_id IN (SELECT id FROM places) GROUP BY 1),
                   came AS (
                       SELECT move.product_id, SUM(part.quantity_product_uom) AS quantity
                         FROM stock_move move JOIN stock_move_line part ON part.move_id = move.id
                        WHERE move.state = 'done' AND move.company_id = %(company)s
                          AND part.location_dest_id IN (SELECT id FROM places)
                        GROUP BY 1),
                   went AS (
                       SELECT move.product_id, SUM(part.quantity_product_uom) AS quantity
                         FROM stock_move move JOIN stock_move_line part ON part.move_id = move.id
                        WHERE move.state = 'done' AND move.company_id = %(company)s
                          AND part.location_id IN (SELECT id FROM places)
                        GROUP BY 1)
                   SELECT template.name->>'en_US' AS product, there.quantity AS there,
                          came.quantity AS came, went.quantity AS went
                     FROM there LEFT JOIN came USING (product_id) LEFT JOIN went USING (product_id)
                     JOIN product_product product ON product.id = there.product_id
                     JOIN product_template template ON template.id = product.product_tmpl_id
                    WHERE there.quantity < -%(small)s"""
            ),
            "{there} {product} in quarantine; came {came}, went {went}",
        )

    # === ORDER LINES === #

    def check_lines(self):
        """Return violations of `LINE_RULES`. The figures are added up once for all of them."""
        columns = ", ".join(f"({rule}) AS broke_{name}" for name, (rule, _) in LINE_RULES.items())
        rows = self.ask(LINES + FIGURES_TO_COMPARE + f"SELECT *, {columns} FROM compared")
        return [
            f"{name}: {text.format(**row)}"
            for name, (_rule, text) in LINE_RULES.items()
            for row in rows
            if row[f'broke_{name}']
        ]

    # === NOTES === #

    def find_note_above_invoice(self):
        """Invoices with a return whose notes, less reversals, exceed them."""
        return self.tell(
            self.ask(
                """SELECT invoice.name, invoice.amount_total AS billed,
                          SUM(note.amount_total - COALESCE(again.total, 0)) AS credited
                     FROM account_move invoice
                     JOIN res_currency currency ON currency.id = invoice.currency_id
                     JOIN account_move note ON note.reversed_entry_id = invoice.id
                      AND note.state = 'posted' AND note.move_type = 'out_refund'
                LEFT JOIN (SELECT reversed_entry_id AS id, SUM(amount_total) AS total
                             FROM account_move WHERE state = 'posted' AND move_type = 'out_invoice'
                            GROUP BY 1) again ON again.id = note.id
                    WHERE invoice.company_id = %(company)s AND invoice.move_type = 'out_invoice'
                      -- Goods paid in advance are credited in full, the rest stays the customer's.
                      AND NOT EXISTS (SELECT FROM account_move_line
                          WHERE move_id = invoice.id AND is_downpayment)
                    GROUP BY invoice.id
                   HAVING SUM(note.amount_total - COALESCE(again.total, 0))
                          > invoice.amount_total + %(small)s
                          -- Lines that somebody credits in parts are rounded by themselves.
                          + CASE WHEN BOOL_OR(NOT EXISTS (SELECT FROM account_move_line item
                                     WHERE item.move_id = note.id
                                       AND item.sale_return_line_id IS NOT NULL))
                                 THEN MIN(currency.rounding) * (COUNT(*) + (SELECT COUNT(*)
                                      FROM account_move_line WHERE move_id = invoice.id
                                       AND display_type = 'product')) ELSE 0 END
                      AND BOOL_OR(EXISTS (SELECT FROM account_move_line item
                              WHERE item.move_id = note.id
                                AND item.sale_return_line_id IS NOT NULL))"""
            ),
            "{name} of {billed} is credited by {credited}",
        )

    def find_line_above_invoice(self):
        """Invoice lines for which returns credit more quantity or more money than was billed."""
        return self.tell(
            self.ask(
                """SELECT invoice.name || ' ' || COALESCE(billed.name, '') AS name,
                          billed.quantity * unit.factor * sign AS billed,
                          SUM(credit.quantity * own.factor)
                              FILTER (WHERE credit.sale_return_kind = 'goods') AS credited,
                          ABS(billed.amount_currency) AS worth,
                          SUM(ABS(credit.amount_currency)) AS money
                     FROM account_move_line billed
                     JOIN account_move invoice ON invoice.id = billed.move_id
                     JOIN uom_uom unit ON unit.id = billed.product_uom_id
                     JOIN account_move_line credit ON credit.credited_line_id = billed.id
                      AND credit.sale_return_kind = 'goods'
                     JOIN uom_uom own ON own.id = credit.product_uom_id
                     JOIN account_move note ON note.id = credit.move_id
               CROSS JOIN LATERAL (SELECT CASE invoice.move_type WHEN 'out_refund' THEN -1
                                          ELSE 1 END AS sign) AS kind
                    WHERE invoice.company_id = %(company)s AND note.state = 'posted'
                      AND NOT EXISTS (SELECT FROM account_move again
                          WHERE again.reversed_entry_id = note.id AND again.state = 'posted')
                    GROUP BY billed.id, invoice.id, unit.id, sign
                   HAVING SUM(credit.quantity * own.factor) > billed.quantity * unit.factor * sign
                          + 0.0051 * unit.factor
                       OR SUM(ABS(credit.amount_currency))
                          > ABS(billed.amount_currency) + %(small)s"""
            ),
            "{name}: {billed} billed for {worth}, {credited} credited for {money}",
        )

    def find_inexact(self):
        """Invoice lines that returns credited in full, but not to the last cent.

        In parts each step may be off by half a unit of the currency, and they make up for it.
        """
        return self.tell(
            self.ask(
                """SELECT invoice.name || ' ' || COALESCE(billed.name, '') AS name,
                          billed.quantity * unit.factor * sign AS billed,
                          SUM(credit.quantity * own.factor) AS credited,
                          ABS(billed.amount_currency) AS worth,
                          SUM(ABS(credit.amount_currency)) AS money,
                          billed.price_total AS total, SUM(credit.price_total) AS total_money
                     FROM account_move_line billed
                     JOIN account_move invoice ON invoice.id = billed.move_id
                     JOIN res_currency currency ON currency.id = invoice.currency_id
                     JOIN uom_uom unit ON unit.id = billed.product_uom_id
                     JOIN account_move_line credit ON credit.credited_line_id = billed.id
                      AND credit.sale_return_kind = 'goods'
                     JOIN uom_uom own ON own.id = credit.product_uom_id
                     JOIN account_move note ON note.id = credit.move_id
               CROSS JOIN LATERAL (SELECT CASE invoice.move_type WHEN 'out_refund' THEN -1
                                          ELSE 1 END AS sign) AS kind
                    WHERE invoice.company_id = %(company)s AND note.state = 'posted'
                      -- Those that others have credited in part are told from these by nobody.
                      AND NOT EXISTS (SELECT FROM account_move other
                          WHERE other.reversed_entry_id = invoice.id AND other.state = 'posted'
                            AND EXISTS (SELECT FROM account_move_line item
                                WHERE item.move_id = other.id AND item.display_type = 'product'
                                  AND item.sale_return_kind IS NULL))
                      AND NOT EXISTS (SELECT FROM account_move again
                          WHERE again.reversed_entry_id = note.id AND again.state = 'posted')
                    GROUP BY billed.id, invoice.id, unit.id, currency.id, sign
                   HAVING ABS(SUM(ABS(credit.amount_currency)) - ABS(billed.amount_currency)
                              * SUM(credit.quantity * own.factor)
                              / (billed.quantity * unit.factor * sign))
                          > CASE WHEN ABS(SUM(credit.quantity * own.factor)
                                     - billed.quantity * unit.factor * sign) < %(small)s
                                 THEN %(small)s
                                 ELSE COUNT(*) * currency.rounding + ABS(billed.amount_currency)
                                      * 0.0051 / ABS(billed.quantity) END"""
            ),
            "{name}: {billed} billed for {worth} ({total}), {credited} credited for {money} "
            "({total_money})",
        )

    def find_unlike_invoice(self):
        """Notes of returns with another customer, currency, rate or account than their invoice."""
        return self.tell(
            self.ask(
                """SELECT DISTINCT note.name, invoice.name AS invoice
                     FROM account_move note
                     JOIN account_move invoice ON invoice.id = note.reversed_entry_id
                     JOIN account_move_line credit ON credit.move_id = note.id
                     JOIN account_move_line billed ON billed.id = credit.credited_line_id
                    WHERE note.company_id = %(company)s AND credit.sale_return_kind = 'goods'
                      AND (note.partner_id <> invoice.partner_id
                           OR note.currency_id <> invoice.currency_id
                           OR billed.move_id <> invoice.id
                           OR note.invoice_currency_rate <> invoice.invoice_currency_rate
                           OR credit.account_id <> billed.account_id)"""
            ),
            "{name} is not like {invoice}",
        )

    def find_more_than_accepted(self):
        """Return lines with more credited than received, or than authorized in advance."""
        return self.tell(
            self.ask(
                """WITH credited AS (
                       SELECT credit.sale_return_line_id AS id,
                              SUM(credit.quantity * own.factor) AS quantity
                         FROM account_move_line credit
                         JOIN account_move note ON note.id = credit.move_id
                         JOIN uom_uom own ON own.id = credit.product_uom_id
                        WHERE credit.sale_return_kind = 'goods' AND note.state <> 'cancel'
                          AND NOT EXISTS (SELECT FROM account_move again
                              WHERE again.reversed_entry_id = note.id
                                AND again.state = 'posted')
                        GROUP BY 1),
                   judged AS (
                       SELECT line_id AS id, SUM(quantity) FILTER (WHERE way.accepts) AS accepted,
                              SUM(quantity) FILTER (WHERE NOT way.accepts) AS rejected
                         FROM sale_return_inspection found
                         JOIN sale_return_disposition way ON way.id = found.disposition_id
                        GROUP BY 1)
                   SELECT doc.name, credited.quantity AS credited, line.qty_authorized,
                          COALESCE(judged.accepted, 0) AS accepted, policy.release_event AS event
                     FROM credited JOIN sale_return_line line ON line.id = credited.id
                     JOIN sale_return doc ON doc.id = line.return_id
                     JOIN uom_uom unit ON unit.id = line.product_uom_id
                     JOIN sale_return_policy policy ON policy.id = line.policy_id
                LEFT JOIN judged ON judged.id = line.id
                    WHERE line.company_id = %(company)s
                      AND credited.quantity / unit.factor > 0.0051 +
                          CASE WHEN policy.release_event = 'inspection' AND line.return_expected
                               THEN COALESCE(judged.accepted, 0)
                               ELSE line.qty_authorized END"""
            ),
            "{name} ({event}): {credited} credited, {qty_authorized} authorized, "
            "{accepted} accepted",
        )

    # === MONEY === #

    def find_paid_out(self):
        """Customers who got more money back than they ever paid."""
        return self.tell(
            self.ask(
                """SELECT partner.name, payment.currency_id,
                          COALESCE(SUM(amount) FILTER (WHERE payment_type = 'inbound'), 0) AS paid,
                          COALESCE(SUM(amount) FILTER (WHERE payment_type = 'outbound'), 0) AS back
                     FROM account_payment payment
                     JOIN res_partner partner ON partner.id = payment.partner_id
                    WHERE payment.company_id = %(company)s
                      AND payment.state IN ('in_process', 'paid')
                    GROUP BY partner.id, payment.currency_id
                   HAVING COALESCE(SUM(amount) FILTER (WHERE payment_type = 'outbound'), 0)
                          > COALESCE(SUM(amount) FILTER (WHERE payment_type = 'inbound'), 0)
                            + %(small)s"""
            ),
            "{name} paid {paid} and got {back} back",
        )

    # === AT THE END === #

    def get_value_gaps(self):
        """Return the values of products in stock and on the stock account, where both are complete.

        Only products valued in real time, whose customers have paid for their goods. Supplies were
        never billed here and are left out.

        :return: `{product: (method, value of moves, stock account, what rounding may make)}`.
        """
        return {
            row['product_id']: (row['method'], row['value'], row['booked'], row['tolerance'])
            for row in self.ask(
                LINES
                + """, complete AS (
                        SELECT product_id FROM figures GROUP BY 1
                        HAVING BOOL_AND(state = 'sale' AND NOT is_kit
                               AND ABS(shipped - back - billed + credited) < 0.0051 * ratio)),
                      valued AS (
                        SELECT move.product_id, COUNT(*) AS number,
                               SUM(CASE WHEN move.is_in THEN move.value ELSE 0 END
                                   - CASE WHEN move.is_out THEN move.value ELSE 0 END) AS value
                          FROM stock_move move
                          JOIN stock_location source ON source.id = move.location_id
                          JOIN stock_location place ON place.id = move.location_dest_id
                         WHERE move.state = 'done' AND move.company_id = %(company)s
                           AND 'supplier' NOT IN (source.usage, place.usage)
                         GROUP BY 1),
                      booked AS (
                        SELECT item.product_id, COUNT(*) AS number, SUM(item.balance) AS value
                          FROM account_move_line item
                          JOIN account_account account ON account.id = item.account_id
                         WHERE item.company_id = %(company)s AND item.parent_state = 'posted'
                           AND account.account_type = 'asset_current'
                         GROUP BY 1)
                     SELECT complete.product_id, COALESCE(valued.value, 0)::float AS value,
                            COALESCE(booked.value, 0)::float AS booked,
                            category.property_cost_method->>%(key)s AS method,
                            ((COALESCE(valued.number, 0) + COALESCE(booked.number, 0))
                             * currency.rounding)::float AS tolerance
                       FROM complete
                  LEFT JOIN valued ON valued.product_id = complete.product_id
                  LEFT JOIN booked ON booked.product_id = complete.product_id
                       JOIN product_product product ON product.id = complete.product_id
                       JOIN product_template template ON template.id = product.product_tmpl_id
                       JOIN product_category category ON category.id = template.categ_id
                       JOIN res_company company ON company.id = %(company)s
                       JOIN res_currency currency ON currency.id = company.currency_id
                      WHERE template.is_storable
                        AND category.property_valuation->>%(key)s IS DISTINCT FROM 'periodic'""",
                key=str(self.company_id),
            )
        }

    def get_return_lines(self):
        """Return received, inspected and credited quantities of return lines.

        :return: `{return line: {'received', 'accepted', 'rejected', 'credited'}}` in its unit.
        """
        return {
            row['id']: row
            for row in self.ask(
                """SELECT line.id, line.return_expected AS expected, line.resolution,
                          line.qty_authorized AS authorized,
                          COALESCE((SELECT SUM(CASE WHEN source.usage = 'customer' THEN 1 ELSE -1
                                   END * part.quantity_product_uom * own.factor / unit.factor)
                              FROM stock_move move
                              JOIN stock_move_line part ON part.move_id = move.id
                              JOIN stock_location source ON source.id = move.location_id
                              JOIN stock_location place ON place.id = move.location_dest_id
                         LEFT JOIN stock_move origin ON origin.id = move.origin_returned_move_id
                             WHERE move.state = 'done'
                               AND (move.sale_return_line_id = line.id
                                    AND source.usage = 'customer'
                                    OR origin.sale_return_line_id = line.id
                                    AND move.sale_return_line_id IS NULL
                                    AND place.usage = 'customer')), 0)::float AS received,
                          COALESCE((SELECT SUM(found.quantity) FROM sale_return_inspection found
                              JOIN sale_return_disposition way ON way.id = found.disposition_id
                             WHERE found.line_id = line.id AND way.accepts), 0)::float AS accepted,
                          COALESCE((SELECT SUM(found.quantity) FROM sale_return_inspection found
                              JOIN sale_return_disposition way ON way.id = found.disposition_id
                             WHERE found.line_id = line.id AND NOT way.accepts), 0)::float
                             AS rejected,
                          COALESCE((SELECT SUM(credit.quantity * small.factor / unit.factor)
                              FROM account_move_line credit
                              JOIN account_move note ON note.id = credit.move_id
                              JOIN uom_uom small ON small.id = credit.product_uom_id
                             WHERE credit.sale_return_line_id = line.id
                               AND credit.sale_return_kind = 'goods' AND note.state = 'posted'
                               AND NOT EXISTS (SELECT FROM account_move again
                                   WHERE again.reversed_entry_id = note.id
                                     AND again.state = 'posted')), 0)::float AS credited
                     FROM sale_return_line line
                     JOIN uom_uom unit ON unit.id = line.product_uom_id
                     JOIN product_product product ON product.id = line.product_id
                     JOIN product_template template ON template.id = product.product_tmpl_id
                     JOIN uom_uom own ON own.id = template.uom_id
                    WHERE line.company_id = %(company)s"""
            )
        }

    def get_cost_facts(self):
        """Return the cost of goods of returns, and the cost that their notes reversed.

        :return: `{(return, product): {'moved', 'reversed', 'tolerance', 'is_kit', 'came',
            'is_other_unit', 'is_uninvoiced', 'bills'}}`; the tolerance is what rounding may make.
        """
        return {
            (row['return_id'], row['product_id']): row
            for row in self.ask(
                """WITH moved AS (
                       SELECT line.id AS line_id, COUNT(*) AS number,
                              SUM(move.value * CASE WHEN move.is_in THEN 1 ELSE -1 END) AS value,
                              BOOL_OR(move.product_id <> line.product_id) AS is_kit,
                              BOOL_OR(move.is_in) AS came
                         FROM stock_move move
                    LEFT JOIN stock_move origin ON origin.id = move.origin_returned_move_id
                         JOIN sale_return_line line ON line.id = COALESCE(
                              move.sale_return_line_id, origin.sale_return_line_id)
                         JOIN stock_location source ON source.id = move.location_id
                         JOIN stock_location place ON place.id = move.location_dest_id
                        WHERE move.state = 'done' AND (move.is_in OR move.is_out)
                          AND line.company_id = %(company)s
                          AND (move.account_move_id IS NULL
                               OR 'inventory' NOT IN (source.usage, place.usage))
                        GROUP BY 1),
                   reversed AS (
                       SELECT credit.sale_return_line_id AS line_id, COUNT(*) AS number,
                              SUM(cogs.balance) AS value
                         FROM account_move_line credit
                         JOIN account_move_line cogs ON cogs.cogs_origin_id = credit.id
                         JOIN account_account account ON account.id = cogs.account_id
                        WHERE cogs.parent_state = 'posted' AND cogs.company_id = %(company)s
                          AND account.account_type = 'asset_current'
                        GROUP BY 1)
                   SELECT line.return_id, line.product_id,
                          COALESCE(SUM(moved.value), 0)::float AS moved,
                          COALESCE(SUM(reversed.value), 0)::float AS reversed,
                          ((COALESCE(SUM(moved.number), 0) + COALESCE(SUM(reversed.number), 0))
                           * MIN(currency.rounding))::float AS tolerance,
                          COALESCE(BOOL_OR(moved.is_kit), FALSE) AS is_kit,
                          COALESCE(BOOL_OR(moved.came), FALSE) AS came,
                          BOOL_OR(sold.product_uom_id <> template.uom_id) AS is_other_unit,
                          BOOL_OR(line.qty_uninvoiced > 0) AS is_uninvoiced,
                          MAX((SELECT COUNT(*) FROM sale_order_line_invoice_rel rel
                                 JOIN account_move_line item ON item.id = rel.invoice_line_id
                                 JOIN account_move bill ON bill.id = item.move_id
                                WHERE rel.order_line_id = sold.id AND bill.state = 'posted'
                                  AND bill.move_type = 'out_invoice')) AS bills
                     FROM sale_return_line line
                     JOIN sale_order_line sold ON sold.id = line.sale_line_id
                     JOIN product_product product ON product.id = line.product_id
                     JOIN product_template template ON template.id = product.product_tmpl_id
                LEFT JOIN moved ON moved.line_id = line.id
                LEFT JOIN reversed ON reversed.line_id = line.id
                     JOIN res_company company ON company.id = line.company_id
                     JOIN res_currency currency ON currency.id = company.currency_id
                    WHERE line.company_id = %(company)s
                    GROUP BY 1, 2"""
            )
        }

    def get_open_notes(self):
        """Return the notes of returns with an open amount."""
        return {
            row['id']
            for row in self.ask(
                """SELECT id FROM account_move note
                    WHERE company_id = %(company)s AND state = 'posted'
                      AND move_type = 'out_refund' AND amount_residual > 0"""
            )
        }

    def find_cards(self):
        """Cards with a negative balance, or with more than was ever put on them."""
        if not self.ask("SELECT 1 FROM information_schema.tables WHERE table_name='loyalty_card'"):
            return []
        return self.tell(
            self.ask(
                """SELECT card.code, card.points FROM loyalty_card card
                     JOIN loyalty_program program ON program.id = card.program_id
                    WHERE program.company_id = %(company)s AND program.program_type
                          IN ('gift_card', 'ewallet')
                      AND (card.points < -%(small)s OR card.points > 1000 + %(small)s)"""
            ),
            "card {code} holds {points}",
        )

    def get_picture(self):
        """Return data that a second run must not change: counts and sums of all documents."""
        return self.ask(
            """SELECT (SELECT (COUNT(*), SUM(amount_total)) FROM account_move
                        WHERE company_id = %(company)s)::text AS moves,
                      (SELECT (COUNT(*), SUM(debit), SUM(amount_residual)) FROM account_move_line
                        WHERE company_id = %(company)s)::text AS items,
                      (SELECT (COUNT(*), SUM(quantity)) FROM stock_move
                        WHERE company_id = %(company)s)::text AS goods,
                      (SELECT COUNT(*) FROM account_payment
                        WHERE company_id = %(company)s)::text AS payments,
                      (SELECT ARRAY_AGG((id, state, credit_state, refund_state) ORDER BY id)
                         FROM sale_return WHERE company_id = %(company)s)::text AS returns,
                      (SELECT COUNT(*) FROM sale_return_event
                        WHERE return_id IN (SELECT id FROM sale_return
                                             WHERE company_id = %(company)s))::text AS events"""
        )[0]
