from collections import defaultdict

from odoo import api, models
from odoo.tools import SQL


class SaleReturnDocumentCheck(models.AbstractModel):
    """Service: find documents of returns that contradict each other, whatever their amounts say.

    A note of a return that nobody approved, a receipt that names another order, a tax that is
    reported as that of an invoice: each document alone may be right. All is read by one query
    per company, from stored values, without anything computed.

    A contradiction is named by a code, see `sale.return.explainer`. Those of goods:
    `sale_return_document_check_goods.py`.
    """

    _name = 'sale.return.document.check'
    _description = "Return Document Check"

    @api.model
    def _find_differences(self, company):
        """Find contradictions; see `sale.return.reconciler`.

        :param company: one `res.company`, which is the current one.
        :return: `{key: values of the row}`, one row per note and code, or return line and code.
        :rtype: dict
        """
        found = {}
        for cause, note_id, line_id in self._get_contradictions(company):
            note = self.env['account.move'].browse(note_id or [])
            line = self.env['sale.return.line'].browse(line_id or [])
            name = f'note:{note_id}' if note else f'line:{line_id}'
            found[f'document_difference:{cause}:{name}'] = self._prepare_row(cause, note, line)
        return found | self._find_quarantine_differences(company, found)

    @api.model
    def _find_quarantine_differences(self, company, known):
        """Find products whose stock in quarantine is not what its moves brought.

        A wrong move has a row of its own, which is not repeated here.

        :param dict known: the rows of contradictions.
        :return: as `_find_differences`, one row per product and place.
        :rtype: dict
        """
        self.env.cr.execute(
            SQL(
                """WITH places AS (
                       SELECT sale_return_loc_id AS id FROM stock_warehouse
                        WHERE company_id = %s AND sale_return_loc_id IS NOT NULL),
                   sides AS (
                       SELECT quant.product_id, quant.location_id, quant.quantity
                         FROM stock_quant quant WHERE quant.location_id IN (SELECT id FROM places)
                    UNION ALL
                       SELECT part.product_id, part.location_dest_id, -part.quantity_product_uom
                         FROM stock_move_line part
                        WHERE part.state = 'done'
                          AND part.location_dest_id IN (SELECT id FROM places)
                    UNION ALL
                       SELECT part.product_id, part.location_id, part.quantity_product_uom
                         FROM stock_move_line part
                        WHERE part.state = 'done'
                          AND part.location_id IN (SELECT id FROM places))
                   SELECT sides.product_id, sides.location_id, SUM(sides.quantity)
                     FROM sides
                     JOIN product_product product ON product.id = sides.product_id
                     JOIN product_template template ON template.id = product.product_tmpl_id
                    WHERE template.is_storable
                 GROUP BY sides.product_id, sides.location_id
                   HAVING ABS(SUM(sides.quantity)) > 0.0051
                 ORDER BY 1, 2""",
                company.id,
            )
        )
        rows = self.env.cr.fetchall()
        if not rows:
            return {}
        told = self._get_told_quantities(company, known)
        rows = [
            row for row in rows if not told.get(row[0], set()) & {0.0, round(abs(float(row[2])), 2)}
        ]
        products = self.env['product.product'].browse(row[0] for row in rows)
        return {
            f'document_difference:quarantine:{product.id}:{place_id}': {
                'kind': 'document_difference',
                'cause': 'quarantine',
                'product_id': product.id,
                'product_uom_id': product.uom_id.id,
                'qty_difference': float(quantity),
                'currency_id': company.currency_id.id,
            }
            for product, (_id, place_id, quantity) in zip(products, rows, strict=True)
        }

    @api.model
    def _get_told_quantities(self, company, known):
        """Return by how much other rows say that goods differ: `{product id: quantities}`.

        Zero stands for contradictions, which can be about any quantity of what a line moved.
        """
        told = defaultdict(set)
        for row in known.values():
            line = self.env['sale.return.line'].browse(row.get('return_line_id') or [])
            moves = line.move_ids
            for product in line.product_id | moves.product_id | moves.move_line_ids.product_id:
                told[product.id].add(0.0)
        for row in self.env['sale.return.reconciliation'].search(
            [
                ('company_id', '=', company.id),
                ('kind', 'in', ('received_not_credited', 'credited_not_received')),
                ('state', '!=', 'settled'),
            ]
        ):
            told[row.product_id.id].add(round(row.qty_difference, 2))
        return told

    @api.model
    def _prepare_row(self, cause, note, line):
        """Prepare the row of a contradiction, of a note or of a return line.

        :return: values for `sale.return.reconciliation`.
        :rtype: dict
        """
        service = self.env['sale.return.reconciler']
        vals = {'kind': 'document_difference', 'cause': cause}
        if note:
            return {**service._prepare_note_vals(note, 0.0), **vals}
        return {
            **service._prepare_return_vals(line.return_id),
            'return_line_id': line.id,
            'product_id': line.product_id.id,
            'product_uom_id': line.product_uom_id.id,
            'note_id': line.credit_line_ids.move_id[-1:].id,
            'qty_received': line.qty_received,
            'qty_accepted': line.qty_accepted,
            'qty_credited': line.qty_credited_posted,
            'currency_id': (line.sale_line_id.currency_id or line.company_id.currency_id).id,
            **vals,
        }

    @api.model
    def _get_contradictions(self, company):
        """Return `(code, note id or None, return line id or None)` of all contradictions."""
        self.env.cr.execute(
            SQL(
                """WITH chosen AS MATERIALIZED (
                       SELECT id, return_id, sale_line_id, product_id, product_uom_id, state,
                              resolution, qty_authorized, qty_credited_posted,
                              exchange_order_id, exchange_sale_line_id
                         FROM sale_return_line WHERE company_id = %(company)s),
                   items AS MATERIALIZED (
                       SELECT item.id, item.move_id, item.product_id, item.credited_line_id,
                              item.sale_return_kind, item.sale_return_line_id,
                              item.analytic_distribution, item.create_date, item.move_name
                         FROM account_move_line item
                         JOIN chosen ON chosen.id = item.sale_return_line_id),
                   notes AS MATERIALIZED (
                       SELECT note.id, note.name, note.move_type, note.journal_id,
                              note.reversed_entry_id, note.commercial_partner_id,
                              note.create_date
                         FROM account_move note
                        WHERE note.id IN (SELECT move_id FROM items)
                          AND note.state = 'posted'),
                   taxed AS MATERIALIZED (%(taxed)s),
                   boxes AS MATERIALIZED (%(boxes)s),
                   found AS (%(found)s)
                   SELECT DISTINCT cause, note_id, line_id FROM found
                 ORDER BY cause, note_id, line_id""",
                company=company.id,
                taxed=self._get_taxed_query(),
                boxes=self._get_boxes_query(),
                found=SQL(" UNION ALL ").join(self._get_queries()),
            )
        )
        return self.env.cr.fetchall()

    @api.model
    def _get_queries(self):
        """Return the queries of contradictions: `(cause, note_id, line_id)`. Override to add some.

        They read `chosen` (return lines of the company), `items` (lines of notes that returns have
        made), `notes` (the posted ones of these), `taxed` (their taxes) and `boxes` (of the tax
        report, to which their items belong).

        :rtype: list
        """
        return [
            *self._get_note_queries(),
            self._get_invoice_query(),
            *self._get_head_queries(),
            *self._get_sum_queries(),
            *self._get_match_queries(),
            *self._get_tax_queries(),
            *self._get_return_queries(),
            *self._get_line_queries(),
            *self._get_receipt_queries(),
            *self._get_lot_queries(),
            *self._get_move_queries(),
            *self._get_quarantine_queries(),
            *self._get_inspection_queries(),
        ]

    # === NOTES === #

    @api.model
    def _get_note_queries(self):
        return [
            SQL(
                """SELECT 'type' AS cause, id AS note_id, NULL::int AS line_id
                     FROM notes WHERE move_type <> 'out_refund'"""
            ),
            SQL(
                """SELECT 'journal', notes.id, NULL
                     FROM notes JOIN account_move invoice ON invoice.id = notes.reversed_entry_id
                    WHERE invoice.journal_id <> notes.journal_id"""
            ),
            SQL(
                """SELECT 'product', items.move_id, NULL
                     FROM items JOIN notes ON notes.id = items.move_id
                     JOIN account_move_line billed ON billed.id = items.credited_line_id
                    WHERE items.sale_return_kind = 'goods'
                      AND items.product_id IS DISTINCT FROM billed.product_id"""
            ),
            # Users who assign the invoice to another project later know of its notes.
            SQL(
                """SELECT 'analytic', items.move_id, NULL
                     FROM items JOIN notes ON notes.id = items.move_id
                     JOIN account_move_line billed ON billed.id = items.credited_line_id
                    WHERE items.sale_return_kind = 'goods'
                      AND billed.write_date <= items.create_date
                      AND items.analytic_distribution IS DISTINCT FROM billed.analytic_distribution
                """
            ),
            SQL(
                """SELECT 'cost_account', notes.id, NULL
                     FROM notes
                     JOIN account_move_line cost ON cost.move_id = notes.id
                    WHERE cost.display_type = 'cogs'
                      AND EXISTS (SELECT FROM account_move_line billed
                           WHERE billed.move_id = notes.reversed_entry_id
                             AND billed.display_type = 'cogs'
                             AND billed.product_id = cost.product_id)
                      AND NOT EXISTS (SELECT FROM account_move_line billed
                             JOIN account_account account ON account.id = billed.account_id
                           WHERE billed.move_id = notes.reversed_entry_id
                             AND billed.display_type = 'cogs'
                             AND billed.product_id = cost.product_id
                             AND billed.account_id = cost.account_id
                             -- Odoo may bill a cost below zero: that is a cost difference.
                             AND (billed.balance * cost.balance <= 0 OR billed.balance > 0
                                  IS DISTINCT FROM account.account_type LIKE 'expense%%'))"""
            ),
        ]

    @api.model
    def _get_head_queries(self):
        """Return the queries of what stands in the head of a note beside its amount to pay."""
        return [
            SQL(
                """SELECT 'number', notes.id, NULL
                     FROM notes JOIN items ON items.move_id = notes.id
                    WHERE items.move_name <> notes.name"""
            ),
            # A third party may get the goods, but then it is the one of the invoice.
            SQL(
                """SELECT 'address', notes.id, NULL
                     FROM notes
                     JOIN account_move head ON head.id = notes.id
                     JOIN account_move invoice ON invoice.id = notes.reversed_entry_id
                LEFT JOIN res_partner place ON place.id = head.partner_shipping_id
                    WHERE (place.commercial_partner_id <> notes.commercial_partner_id
                           AND head.partner_shipping_id
                               IS DISTINCT FROM invoice.partner_shipping_id)
                       OR head.fiscal_position_id IS DISTINCT FROM invoice.fiscal_position_id"""
            ),
            SQL(
                """SELECT 'bank_account', notes.id, NULL
                     FROM notes
                     JOIN account_move head ON head.id = notes.id
                     JOIN res_company ON res_company.id = head.company_id
                     JOIN res_partner own ON own.id = res_company.partner_id
                     JOIN res_partner_bank bank ON bank.id = head.partner_bank_id
                     JOIN res_partner holder ON holder.id = bank.partner_id
                    WHERE holder.commercial_partner_id NOT IN
                          (notes.commercial_partner_id, own.commercial_partner_id)"""
            ),
            SQL(
                """SELECT 'supply_date', notes.id, NULL
                     FROM notes
                     JOIN account_move head ON head.id = notes.id
                     JOIN account_move invoice ON invoice.id = notes.reversed_entry_id
                     JOIN items ON items.move_id = notes.id
                     JOIN chosen ON chosen.id = items.sale_return_line_id
                     JOIN sale_order_line sold ON sold.id = chosen.sale_line_id
                     JOIN sale_order ON sale_order.id = sold.order_id
                    WHERE LEAST(head.taxable_supply_date, head.delivery_date)
                        < LEAST(sale_order.date_order::date, invoice.invoice_date, invoice.date,
                                invoice.taxable_supply_date, invoice.delivery_date) - 1"""
            ),
        ]

    @api.model
    def _get_sum_queries(self):
        """Return the queries of heads that say other amounts than the items of the note."""
        return [
            SQL(
                """SELECT 'head', notes.id, NULL
                     FROM notes
                     JOIN account_move head ON head.id = notes.id
                     JOIN (SELECT item.move_id,
                                  SUM(item.balance) FILTER (WHERE item.is_tax) AS tax,
                                  SUM(item.balance) FILTER (WHERE NOT item.is_tax) AS untaxed
                             FROM (SELECT part.move_id, part.balance, part.display_type = 'tax'
                                              OR part.tax_repartition_line_id IS NOT NULL
                                              AS is_tax
                                     FROM account_move_line part
                                    WHERE part.move_id IN (SELECT id FROM notes)
                                      AND part.display_type IN ('product', 'rounding', 'tax')
                                  ) item
                         GROUP BY item.move_id) sums ON sums.move_id = notes.id
                    WHERE notes.move_type = 'out_refund'
                      AND (ABS(head.amount_untaxed_signed + COALESCE(sums.untaxed, 0)) > 0.000001
                       OR ABS(head.amount_tax_signed + COALESCE(sums.tax, 0)) > 0.000001
                       OR ABS(head.amount_total_in_currency_signed + head.amount_total) > 0.000001
                       OR ABS(head.amount_untaxed_in_currency_signed + head.amount_untaxed)
                          > 0.000001)"""
            ),
        ]

    @api.model
    def _get_invoice_query(self):
        """Return the query of notes whose invoice does not agree with itself.

        A note credits what its invoice has booked. If the lines or the total that the customer
        sees say something else, one of the two was changed past Odoo. Where taxes are rounded for
        the whole document, Odoo itself puts the difference on lines; in another currency it rounds
        the tax of each line.
        """
        return SQL(
            """SELECT 'invoice', notes.id, NULL
                 FROM notes
                 JOIN account_move invoice ON invoice.id = notes.reversed_entry_id
                 JOIN res_company company ON company.id = invoice.company_id
                 JOIN res_currency own ON own.id = company.currency_id
                 JOIN res_currency currency ON currency.id = invoice.currency_id
                CROSS JOIN LATERAL (
                      -- Goods may be billed on a note, where a down payment or card is larger.
                      SELECT GREATEST(COUNT(*), 1) AS lines,
                             CASE invoice.move_type WHEN 'out_refund' THEN -1 ELSE 1 END AS sign
                        FROM account_move_line item
                       WHERE item.move_id = invoice.id AND item.display_type = 'product') size
                CROSS JOIN LATERAL (
                      SELECT BOOL_OR(item.parent_state <> invoice.state
                                  OR ABS(item.debit - item.credit - item.balance)
                                     > own.rounding / 2) AS item,
                             BOOL_OR(item.display_type = 'product'
                                 AND ABS(item.price_subtotal + size.sign * item.amount_currency)
                                     > currency.rounding * CASE
                                       company.tax_calculation_rounding_method
                                       WHEN 'round_globally' THEN size.lines + 0.5 ELSE 0.5 END)
                                    AS line,
                             BOOL_OR(item.display_type IN ('product', 'tax')
                                 AND ABS(item.balance - item.amount_currency
                                         / NULLIF(invoice.invoice_currency_rate, 0))
                                     > own.rounding / 2 + CASE WHEN own.id = currency.id THEN 0
                                       ELSE size.lines * (own.rounding + currency.rounding
                                            / NULLIF(invoice.invoice_currency_rate, 0)) END)
                                    AS rate,
                             COALESCE(SUM(item.amount_currency) FILTER (
                                 WHERE item.display_type = 'tax'
                                    OR (item.display_type = 'rounding'
                                        AND item.tax_repartition_line_id IS NOT NULL)), 0) AS tax,
                             COALESCE(SUM(item.amount_currency) FILTER (
                                 WHERE item.display_type IN ('product', 'tax', 'rounding')), 0)
                                 AS total
                        FROM account_move_line item WHERE item.move_id = invoice.id) said
                WHERE said.item OR said.line OR said.rate
                   OR ABS(invoice.amount_tax + size.sign * said.tax) > currency.rounding / 2
                   OR ABS(invoice.amount_total + size.sign * said.total) > currency.rounding / 2
                   OR ABS(invoice.amount_total - invoice.amount_untaxed - invoice.amount_tax)
                      > currency.rounding / 2"""
        )

    @api.model
    def _get_match_queries(self):
        """Return the queries of notes that are not matched with what they say, or with whom."""
        return [
            self._get_residual_query(),
            SQL(
                """SELECT 'settles_others', notes.id, NULL
                     FROM notes
                     JOIN account_move_line due ON due.move_id = notes.id
                     JOIN account_partial_reconcile part ON part.credit_move_id = due.id
                     JOIN account_move_line against ON against.id = part.debit_move_id
                     JOIN account_move bill ON bill.id = against.move_id
                    WHERE bill.move_type IN ('out_invoice', 'out_receipt')
                      AND bill.commercial_partner_id <> notes.commercial_partner_id"""
            ),
        ]

    @api.model
    def _get_residual_query(self):
        """Return the query of notes and invoices whose rest is not what is matched.

        What is left of an invoice is what its customer still owes.
        """
        return SQL(
            """SELECT 'residual', bills.note_id, NULL
                 FROM (SELECT id AS note_id, id AS move_id FROM notes
                    UNION ALL
                       SELECT MIN(id), reversed_entry_id FROM notes
                        WHERE reversed_entry_id IS NOT NULL
                     GROUP BY reversed_entry_id) bills
                 JOIN account_move head ON head.id = bills.move_id AND head.state = 'posted'
                 JOIN (SELECT due.move_id,
                              SUM(due.amount_residual_currency) AS said,
                              SUM(due.amount_currency + COALESCE(paid.amount_currency, 0)
                                  - COALESCE(billed.amount_currency, 0)) AS rest,
                              SUM(due.amount_residual) AS said_company,
                              SUM(due.balance + COALESCE(paid.amount, 0)
                                  - COALESCE(billed.amount, 0)) AS rest_company,
                              BOOL_OR(due.matching_number ~ '^[0-9]+$' AND due.matching_number
                                  IS DISTINCT FROM due.full_reconcile_id::text) AS unmatched
                         FROM account_move_line due
                    LEFT JOIN LATERAL (
                              SELECT SUM(credit_amount_currency) AS amount_currency,
                                     SUM(amount) AS amount
                                FROM account_partial_reconcile
                               WHERE credit_move_id = due.id) paid ON TRUE
                    LEFT JOIN LATERAL (
                              SELECT SUM(debit_amount_currency) AS amount_currency,
                                     SUM(amount) AS amount
                                FROM account_partial_reconcile
                               WHERE debit_move_id = due.id) billed ON TRUE
                        WHERE due.move_id IN (SELECT id FROM notes
                            UNION ALL SELECT reversed_entry_id FROM notes)
                          AND due.display_type = 'payment_term'
                     GROUP BY due.move_id) dues ON dues.move_id = bills.move_id
                WHERE ABS(dues.said - dues.rest) > 0.000001
                   OR ABS(dues.said_company - dues.rest_company) > 0.000001
                   OR ABS(ABS(head.amount_residual) - ABS(dues.said)) > 0.000001
                   OR ABS(head.amount_residual_signed - dues.said_company) > 0.000001
                   OR dues.unmatched
                   OR (head.payment_state IN ('paid', 'in_payment', 'reversed')
                       AND head.amount_residual <> 0
                       -- A payment without an entry leaves it open until the bank's comes.
                       AND NOT EXISTS (SELECT FROM account_move__account_payment rel
                            JOIN account_payment payment ON payment.id = rel.payment_id
                           WHERE rel.invoice_id = head.id AND payment.move_id IS NULL
                             AND payment.state IN ('in_process', 'paid')))
                   OR (head.payment_state = 'not_paid' AND head.amount_residual = 0
                       AND head.amount_total <> 0)"""
        )

    @api.model
    def _get_tax_queries(self):
        """Return the queries of taxes that the report of the tax office would get wrong."""
        return [
            SQL(
                """SELECT 'repartition', notes.id, NULL
                     FROM notes
                     JOIN account_move_line item ON item.move_id = notes.id
                     JOIN account_tax_repartition_line part
                       ON part.id = item.tax_repartition_line_id
                    WHERE notes.move_type = 'out_refund' AND part.document_type <> 'refund'"""
            ),
            SQL(
                """SELECT 'tags', tagged.move_id, NULL
                     FROM (%(wrong)s) tagged
                     JOIN notes ON notes.id = tagged.move_id
                    WHERE NOT EXISTS (%(changed)s)""",
                wrong=self._get_wrong_tags_query(),
                # Where taxes were changed since, what a note was made with counts.
                changed=SQL(
                    """SELECT FROM account_tax tax
                         JOIN account_tax_repartition_line part ON part.tax_id = tax.id
                        WHERE tax.id IN (SELECT tax_id FROM taxed WHERE move_id = tagged.move_id)
                          AND GREATEST(tax.write_date, part.write_date) > notes.create_date"""
                ),
            ),
            # Of each tax, on what it was computed.
            SQL(
                """SELECT 'tax_base', said.move_id, NULL
                     FROM (SELECT item.move_id, item.tax_line_id, item.tax_repartition_line_id,
                                  SUM(item.tax_base_amount) AS base
                             FROM account_move_line item
                            WHERE item.move_id IN (SELECT id FROM notes)
                              AND item.display_type = 'tax'
                         GROUP BY 1, 2, 3) said
                     JOIN account_move head ON head.id = said.move_id
                     JOIN res_company company ON company.id = head.company_id
                     JOIN res_currency own ON own.id = company.currency_id
                     JOIN (SELECT taxed.move_id, taxed.tax_id, SUM(item.balance) AS base,
                                  COUNT(*) AS count
                             FROM taxed JOIN account_move_line item ON item.id = taxed.item_id
                         GROUP BY 1, 2) bases
                       ON bases.move_id = said.move_id AND bases.tax_id = said.tax_line_id
                    WHERE ABS(ABS(said.base) - ABS(bases.base)) > 2 * own.rounding * bases.count"""
            ),
        ]

    @api.model
    def _get_taxed_query(self):
        """Return the taxes of notes, those in groups one by one: `(move_id, item_id, tax_id)`."""
        return SQL(
            """SELECT item.move_id, item.id AS item_id,
                      COALESCE(child.child_tax, rel.account_tax_id) AS tax_id
                 FROM account_move_line item
                 JOIN account_move_line_account_tax_rel rel ON rel.account_move_line_id = item.id
            LEFT JOIN account_tax_filiation_rel child ON child.parent_tax = rel.account_tax_id
                WHERE item.move_id IN (SELECT id FROM notes)"""
        )

    @api.model
    def _get_boxes_query(self):
        """Return where the items of notes belong: `(move_id, item_id, tag_id, on_payment)`."""
        return SQL(
            """SELECT parts.move_id, parts.item_id, known.account_account_tag_id AS tag_id,
                      tax.tax_exigibility = 'on_payment' AS on_payment
                 FROM (SELECT taxed.move_id, taxed.item_id, base.id AS part_id
                         FROM taxed
                         JOIN account_tax_repartition_line base ON base.tax_id = taxed.tax_id
                          AND base.document_type = 'refund' AND base.repartition_type = 'base'
                    UNION
                       SELECT item.move_id, item.id, item.tax_repartition_line_id
                         FROM account_move_line item
                        WHERE item.move_id IN (SELECT id FROM notes)
                          AND item.tax_repartition_line_id > 0) parts
                 JOIN account_tax_repartition_line part ON part.id = parts.part_id
                 JOIN account_tax tax ON tax.id = part.tax_id
                 JOIN account_account_tag_account_tax_repartition_line_rel known
                   ON known.account_tax_repartition_line_id = parts.part_id"""
        )

    @api.model
    def _get_wrong_tags_query(self):
        """Return items in other boxes of the tax report than their taxes say: `(move_id)`.

        Boxes of the product may come in addition. A tax due on payment has none before it is paid.
        """
        return SQL(
            """SELECT wanted.move_id
                 FROM boxes wanted
                WHERE NOT wanted.on_payment AND NOT EXISTS (
                      SELECT FROM account_account_tag_account_move_line_rel given
                       WHERE given.account_move_line_id = wanted.item_id
                         AND given.account_account_tag_id = wanted.tag_id)
            UNION
               SELECT item.move_id
                 FROM account_move_line item
                 JOIN account_account_tag_account_move_line_rel given
                   ON given.account_move_line_id = item.id
                WHERE item.move_id IN (SELECT id FROM notes)
                  AND item.display_type IN ('product', 'tax')
                  AND NOT EXISTS (SELECT FROM boxes
                       WHERE boxes.item_id = item.id
                         AND boxes.tag_id = given.account_account_tag_id)
                  AND NOT EXISTS (SELECT FROM account_account_tag_product_template_rel article
                       WHERE article.account_account_tag_id = given.account_account_tag_id)"""
        )

    # === RETURNS === #

    @api.model
    def _get_others_condition(self):
        """Return in SQL whether a return, `back`, is of somebody else than the buyer. Override."""
        return SQL("FALSE")

    @api.model
    def _get_return_queries(self):
        return [
            SQL(
                """SELECT 'not_approved', NULL, chosen.id
                     FROM chosen JOIN sale_return back ON back.id = chosen.return_id
                    WHERE chosen.qty_credited_posted > 0.000001
                      AND (back.state IN ('draft', 'refused', 'cancelled')
                           OR chosen.state IN ('draft', 'refused', 'cancelled'))"""
            ),
            SQL(
                """SELECT 'not_authorized', NULL, id
                     FROM chosen
                    WHERE qty_credited_posted > qty_authorized + 0.000001
                      AND state IN ('approved', 'closed')"""
            ),
            SQL(
                """SELECT 'customer', NULL, chosen.id
                     FROM chosen
                     JOIN sale_return back ON back.id = chosen.return_id
                     JOIN res_partner holder ON holder.id = back.partner_id
                     JOIN sale_order_line sold ON sold.id = chosen.sale_line_id
                     JOIN sale_order ON sale_order.id = sold.order_id
                    WHERE sold.order_partner_id <> sale_order.partner_id
                       OR NOT (%(others)s) AND NOT EXISTS (
                          SELECT FROM res_partner known
                           WHERE known.id IN (sale_order.partner_id, sale_order.partner_invoice_id,
                                 sale_order.partner_shipping_id)
                             AND known.commercial_partner_id = holder.commercial_partner_id)""",
                others=self._get_others_condition(),
            ),
            SQL(
                """SELECT 'other_order', NULL, chosen.id
                     FROM chosen
                     JOIN items ON items.sale_return_line_id = chosen.id
                    WHERE chosen.sale_line_id IS NOT NULL AND items.sale_return_kind = 'goods'
                      AND EXISTS (SELECT FROM sale_order_line_invoice_rel rel
                           WHERE rel.invoice_line_id = items.id)
                      AND NOT EXISTS (SELECT FROM sale_order_line_invoice_rel rel
                           WHERE rel.invoice_line_id = items.id
                             AND rel.order_line_id = chosen.sale_line_id)"""
            ),
        ]

    @api.model
    def _get_line_queries(self):
        """Return the queries of return lines that contradict what they lead to."""
        return [
            SQL(
                """SELECT 'other_order', NULL, chosen.id
                     FROM chosen
                     JOIN sale_order_line given ON given.id = chosen.exchange_sale_line_id
                    WHERE given.order_id <> chosen.exchange_order_id"""
            ),
            SQL(
                """SELECT 'other_product', NULL, chosen.id
                     FROM chosen JOIN sale_order_line sold ON sold.id = chosen.sale_line_id
                    WHERE sold.product_id <> chosen.product_id"""
            ),
            SQL(
                """SELECT 'refund_lost', NULL, MIN(chosen.id)
                     FROM chosen
                     JOIN sale_return_event event ON event.return_id = chosen.return_id
                      AND event.kind = 'refunded'
                LEFT JOIN items ON items.sale_return_line_id = chosen.id
                LEFT JOIN sale_return_refund refund ON refund.note_id = items.move_id
                 GROUP BY chosen.return_id HAVING COUNT(refund.id) = 0"""
            ),
            SQL(
                """SELECT 'resolution', NULL, id
                     FROM chosen
                    WHERE resolution = 'replace' AND qty_credited_posted > 0.000001"""
            ),
        ]
