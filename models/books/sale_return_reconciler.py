from collections import defaultdict

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL, clean_context

from .const import CHUNK

# Values stored on a line that are derived from its documents.
STORED_QUANTITIES = (
    'qty_received',
    'qty_inspected',
    'qty_to_inspect',
    'qty_credited',
    'qty_to_credit',
    'qty_to_credit_expected',
    'qty_held',
)
# The same on lines of orders with returns, and on returns.
STORED_DELIVERIES = ('qty_returned', 'qty_delivered')
STORED_BILLS = ('qty_invoiced', 'qty_to_invoice', 'invoice_status', 'untaxed_amount_to_invoice')
STORED_AMOUNTS = ('amount_credited',)
QUANTITY_KINDS = ['received_not_credited', 'credited_not_received', 'credited_too_much']


class SaleReturnReconciler(models.AbstractModel):
    """Service: find differences between returned goods, credits and payments.

    Each finder checks some kinds completely, and returns the rows that should exist. It selects the
    few documents that differ in the database, and reads only these. How stored figures are computed
    anew, and logged: `sale_return_reconciler_figures.py`.
    """

    _name = 'sale.return.reconciler'
    _description = "Return Reconciler"

    @api.model
    def _get_finders(self):
        """Return the finders of differences. Override to add a kind.

        :return: list of `(kinds, method)`; the method gets a company and returns `{key: values of
            the row}` of all differences of these kinds.
        :rtype: list
        """
        return [
            (QUANTITY_KINDS, self._find_quantity_differences),
            (['credited_not_refunded'], self._find_missing_refunds),
            (['refunded_too_much'], self._find_excess_refunds),
            (['unlinked_note'], self._find_unlinked_notes),
            (['cost_difference'], self.env['sale.return.tie.out']._find_differences),
            (['note_difference'], self.env['sale.return.note.check']._find_differences),
            (['payout_difference'], self.env['sale.return.payout.check']._find_differences),
            (['customer_difference'], self.env['sale.return.customer.check']._find_differences),
            (['document_difference'], self.env['sale.return.document.check']._find_differences),
        ]

    @api.model
    def _reconcile(self, company):
        """Bring the rows of a company up to date; does nothing if another transaction is doing so.

        :param company: one `res.company`.
        """
        service = self._get_service(company)
        service.env.flush_all()
        self.env.cr.execute(
            SQL("SELECT pg_try_advisory_xact_lock(%s, %s)", self._get_lock_number(), company.id)
        )
        if not self.env.cr.fetchone()[0]:
            return
        company = company.with_env(service.env)
        for kinds, find in service._get_finders():
            service.env['sale.return.reconciliation']._apply(company, kinds, find(company))
        company.sale_return_reconciled_on = self.env.cr.now()

    @api.model
    def _get_service(self, company):
        """Return the service in the context of one company."""
        # sudo: the list is complete for everybody who may read it, even without access to the
        # documents; callers have checked the rights.
        return (
            self.sudo()
            .with_company(company)
            .with_context(clean_context(self.env.context), allowed_company_ids=company.ids)
        )

    @api.model
    def _get_lock_number(self):
        # Any lock key not used elsewhere: the table of the rows.
        self.env.cr.execute("SELECT 'sale_return_reconciliation'::regclass::oid::int")
        return self.env.cr.fetchone()[0]

    # === QUANTITIES === #

    @api.model
    def _find_quantity_differences(self, company):
        """Find lines whose goods and credits do not match; see `_get_finders`."""
        found = {}
        self._refresh_stale_lines(company)
        self._refresh_stale_orders(company)
        self._refresh_stale_returns(company)
        lines = self._get_candidate_lines(company)
        for start in range(0, len(lines), CHUNK):
            chunk = lines[start : start + CHUNK]
            found.update(self._get_quantity_rows(chunk))
            # Free the documents of a finished batch, which would pile up in memory.
            self.env.flush_all()
            self.env.invalidate_all()
        return found

    @api.model
    def _refresh_stale_lines(self, company):
        """Recompute quantities of lines that disagree with their documents.

        They are stored and updated automatically, but not when documents are changed past the ORM;
        then no difference would be found.
        """
        accruals = self.env['sale.return.accruals']
        end, date = '9999-12-31', '9999-12-31'
        self.env.cr.execute(
            SQL(
                """WITH chosen AS MATERIALIZED (
                       SELECT * FROM sale_return_line
                        WHERE company_id = %(company)s
                          AND state IN ('submitted', 'approved', 'closed')),
                   moved AS (%(moved)s), judged AS (%(judged)s), credited AS (%(credited)s)
                   SELECT chosen.id
                     FROM chosen
                LEFT JOIN moved ON moved.line_id = chosen.id
                LEFT JOIN judged ON judged.line_id = chosen.id
                LEFT JOIN credited ON credited.line_id = chosen.id
                LEFT JOIN (SELECT found.line_id, SUM(found.quantity) AS quantity,
                                  COALESCE(SUM(found.quantity) FILTER (WHERE way.accepts), 0)
                                      AS accepted
                             FROM sale_return_inspection found
                             JOIN sale_return_disposition way ON way.id = found.disposition_id
                         GROUP BY found.line_id) results ON results.line_id = chosen.id
                    WHERE ABS(COALESCE(results.quantity, 0) - chosen.qty_inspected) > 0.0051
                       OR ABS(COALESCE(results.quantity - results.accepted, 0)
                              - chosen.qty_rejected) > 0.0051
                       OR ABS(CASE WHEN chosen.return_expected THEN COALESCE(results.accepted, 0)
                                   ELSE chosen.qty_authorized END - chosen.qty_accepted) > 0.0051
                       OR (chosen.qty_to_credit > 0 AND chosen.qty_to_credit + chosen.qty_credited
                               > GREATEST(chosen.qty_authorized, chosen.qty_received) + 0.0051)
                       OR chosen.qty_credited_otherwise > 0
                       OR (chosen.qty_credited <> chosen.qty_credited_posted
                           AND NOT EXISTS (SELECT FROM account_move_line draft
                                WHERE draft.sale_return_line_id = chosen.id
                                  AND draft.parent_state = 'draft'))
                       OR ABS(COALESCE(moved.quantity, 0) - chosen.qty_received) > 0.000001
                       OR ABS(COALESCE(judged.quantity, 0) - chosen.qty_kept
                              + chosen.qty_rejected) > 0.000001
                       OR ABS(COALESCE(credited.quantity, 0)
                              - chosen.qty_credited_posted) > 0.000001
                 ORDER BY chosen.id""",
                company=company.id,
                moved=accruals._get_moved_query(end),
                judged=accruals._get_judged_query(end),
                credited=accruals._get_credited_query(date),
            )
        )
        ids = [row[0] for row in self.env.cr.fetchall()]
        self._recompute(self.env['sale.return.line'].browse(ids), STORED_QUANTITIES)

    @api.model
    def _refresh_stale_orders(self, company):
        """Recompute quantities of order lines with returns that disagree with their documents.

        What Odoo keeps of deliveries and invoices, as in `_refresh_stale_lines`. The query may
        suspect some lines each time (what a return keeps from being billed); it never misses one.
        Kits are left out: their components say nothing about them.
        """
        self.env.cr.execute(
            SQL(
                """WITH sold AS MATERIALIZED (%(sold)s),
                        moved AS (%(moved)s), billed AS (%(billed)s)
                   SELECT sold.id, counted AND (ABS(COALESCE(moved.delivered, 0) - qty_delivered)
                              > 0.0051 OR ABS(COALESCE(moved.returned, 0) - qty_returned) > 0.0051)
                     FROM sold
                LEFT JOIN moved ON moved.line_id = sold.id
                LEFT JOIN billed ON billed.line_id = sold.id
                    WHERE NOT COALESCE(moved.is_kit, FALSE)
                      AND ((counted AND (ABS(COALESCE(moved.delivered, 0) - qty_delivered) > 0.0051
                            OR ABS(COALESCE(moved.returned, 0) - qty_returned) > 0.0051))
                       OR ABS(COALESCE(billed.quantity, 0) - qty_invoiced) > 0.0051
                       OR (qty_to_invoice <> 0 AND ABS(due - qty_to_invoice) > 0.0051)
                       OR (invoice_status = 'to invoice' AND qty_to_invoice = 0))
                 ORDER BY sold.id""",
                sold=self._get_sold_query(company),
                moved=self._get_delivered_query(),
                billed=SQL(
                    """SELECT sold.id AS line_id,
                              SUM(item.quantity * unit.factor / sold.factor
                                  * CASE WHEN move.move_type = 'out_refund' THEN -1 ELSE 1 END)
                                  AS quantity
                         FROM sold
                         JOIN sale_order_line_invoice_rel rel ON rel.order_line_id = sold.id
                         JOIN account_move_line item ON item.id = rel.invoice_line_id
                         JOIN account_move move ON move.id = item.move_id
                         JOIN uom_uom unit ON unit.id = item.product_uom_id
                        WHERE move.state <> 'cancel'
                          AND move.move_type IN ('out_invoice', 'out_refund')
                     GROUP BY sold.id"""
                ),
            )
        )
        rows = self.env.cr.fetchall()
        lines = self.env['sale.order.line']
        self._recompute(lines.browse(row[0] for row in rows if row[1]), STORED_DELIVERIES)
        self._recompute(lines.browse(row[0] for row in rows), STORED_BILLS)

    @api.model
    def _get_sold_query(self, company):
        """Return the order lines of returns, with what is stored on them."""
        return SQL(
            """SELECT line.id, line.product_id, unit.factor, line.qty_delivered,
                          COALESCE(line.qty_returned, 0) AS qty_returned, line.qty_invoiced,
                          line.qty_to_invoice, line.invoice_status,
                          line.qty_delivered_method = 'stock_move' AS counted,
                          CASE WHEN template.invoice_policy = 'order' THEN line.product_uom_qty
                               ELSE line.qty_delivered END - line.qty_invoiced AS due
                     FROM sale_order_line line
                     JOIN product_product product ON product.id = line.product_id
                     JOIN product_template template ON template.id = product.product_tmpl_id
                     JOIN uom_uom unit ON unit.id = line.product_uom_id
                    WHERE line.state = 'sale' AND line.id IN (
                          SELECT UNNEST(ARRAY[sale_line_id, exchange_sale_line_id])
                            FROM sale_return_line WHERE company_id = %s
                             AND state IN ('submitted', 'approved', 'closed'))""",
            company.id,
        )

    @api.model
    def _get_delivered_query(self):
        """Return what order lines shipped and got back: `(line_id, delivered, returned, is_kit)`.

        Of the order lines `sold`, in their unit.
        """
        return SQL(
            """SELECT sold.id AS line_id,
                      SUM(CASE WHEN place.outside AND NOT source.outside
                                AND (move.origin_returned_move_id IS NULL OR move.to_refund) THEN 1
                               WHEN source.outside AND NOT place.outside
                                AND move.to_refund THEN -1 ELSE 0 END
                          * move.quantity * unit.factor / sold.factor) AS delivered,
                      SUM(CASE WHEN source.outside AND NOT place.outside
                               THEN move.quantity * unit.factor / sold.factor ELSE 0 END)
                          AS returned,
                      BOOL_OR(move.product_id <> sold.product_id) AS is_kit
                 FROM sold
                 JOIN stock_move move ON move.sale_line_id = sold.id AND move.state = 'done'
                 JOIN (%(outside)s) source ON source.id = move.location_id
                 JOIN (%(outside)s) place ON place.id = move.location_dest_id
                 JOIN uom_uom unit ON unit.id = move.product_uom
             GROUP BY sold.id""",
            outside=SQL(
                """SELECT id, usage = 'customer' OR (usage = 'transit' AND company_id IS NULL)
                          AS outside FROM stock_location"""
            ),
        )

    @api.model
    def _refresh_stale_returns(self, company):
        """Recompute amounts of returns that disagree with their notes, as above."""
        self.env.cr.execute(
            SQL(
                """SELECT back.id
                     FROM sale_return back
                     JOIN (SELECT line.return_id, SUM(credit.price_total) AS credited
                             FROM sale_return_line line
                             JOIN account_move_line credit ON credit.sale_return_line_id = line.id
                            WHERE line.company_id = %(company)s AND credit.parent_state = 'posted'
                              AND NOT EXISTS (SELECT FROM account_move bill
                                   WHERE bill.reversed_entry_id = credit.move_id
                                     AND bill.state = 'posted')
                         GROUP BY line.return_id) notes ON notes.return_id = back.id
                LEFT JOIN (SELECT line.return_id, SUM(paid.note_amount) AS refunded
                             FROM (SELECT DISTINCT line.return_id, credit.move_id
                                     FROM sale_return_line line
                                     JOIN account_move_line credit
                                       ON credit.sale_return_line_id = line.id
                                    WHERE line.company_id = %(company)s) line
                             JOIN sale_return_refund paid ON paid.note_id = line.move_id
                            WHERE paid.state = 'done'
                         GROUP BY line.return_id) paid ON paid.return_id = back.id
                    WHERE ABS(notes.credited - back.amount_credited) > 0.000001
                       OR ABS(paid.refunded - back.amount_refunded) > 0.000001
                 ORDER BY back.id""",
                company=company.id,
            )
        )
        returns = self.env['sale.return'].browse(row[0] for row in self.env.cr.fetchall())
        self._recompute(returns, STORED_AMOUNTS)

    @api.model
    def _get_candidate_lines(self, company):
        """Return the few lines that may differ, using the index for it."""
        self.env.cr.execute(
            SQL(
                """SELECT id FROM sale_return_line
                    WHERE company_id = %(company)s AND state IN ('submitted', 'approved', 'closed')
                      AND (resolution NOT IN ('replace', 'none')
                           OR qty_credited_posted <> 0)
                      AND qty_credited_posted <> CASE WHEN return_expected
                          THEN qty_received + qty_kept - qty_rejected - qty_uninvoiced
                          ELSE qty_accepted - qty_uninvoiced END
                 ORDER BY 1""",
                company=company.id,
            )
        )
        return self.env['sale.return.line'].browse(row[0] for row in self.env.cr.fetchall())

    @api.model
    def _get_quantity_rows(self, lines):
        """Return the rows of lines whose goods and credits do not match.

        :param lines: `sale.return.line` records.
        :return: `{key: values}`.
        :rtype: dict
        """
        differences = self._get_line_differences(lines)
        worth = self._get_worth(
            [
                (line, quantity)
                for line, kinds in differences.items()
                for kind, (quantity, _cause) in kinds.items()
                if kind == 'received_not_credited'
            ]
        )
        costs = self.env['sale.return.tie.out']._get_line_costs(self._union(differences))
        rows = {}
        for line, kinds in differences.items():
            for kind, (quantity, cause) in kinds.items():
                vals = self._prepare_line_vals(line, kind, quantity, worth.get(line, 0.0))
                moved, reverse = costs.get(line.id, (0.0, 0.0))
                vals.update(cause=cause, cost_moved=moved, cost_reversed=reverse)
                rows[f'{kind}:{line.id}'] = vals
        return rows

    @api.model
    def _union(self, lines):
        return self.env['sale.return.line'].union(*lines)

    @api.model
    def _get_line_differences(self, lines):
        """Return by how much the goods and the credits of lines differ.

        Worked example: 4 authorized, credited on proof of dispatch, 1 came: 3 are credited and not
        received. 4 credited on receipt and then rejected: 4 more are credited than accepted.

        :param lines: `sale.return.line` records; other lines of the same order lines are counted,
            too.
        :return: `{line: {kind: (quantity in the unit of the line, cause)}}`, differences only.
        :rtype: dict
        """
        siblings = lines.sale_line_id.return_line_ids.filtered(
            lambda line: line.state in ('submitted', 'approved', 'closed')
        )
        result = {}
        for sale_line, group in siblings.grouped('sale_line_id').items():
            creditable = self._get_posted_creditable(sale_line)
            facts = {line: self._get_line_facts(line) for line in group}
            # Late goods settle a credit that was already given and written off.
            late = {line: line._get_qty_credited_in_advance() for line in group}
            # So do goods that nobody asked for, where as much was credited as missing.
            without_goods = sum(line._get_qty_credited_without_goods() for line in group)
            for line in group.sorted('id'):
                missing, early, excess, cause = facts[line]
                for older in group.sorted('id'):
                    settled = min(missing, late[older])
                    missing -= settled
                    late[older] -= settled
                    facts[older] = (facts[older][0], facts[older][1] - settled, *facts[older][2:])
                early = facts[line][1]
                if without_goods and missing:
                    found = min(missing, without_goods, line._get_qty_surplus())
                    without_goods -= found
                    missing -= found
                # Credits made by hand count, too.
                missing = min(missing, creditable)
                creditable -= missing
                facts[line] = (missing, early, excess, cause)
            for line in group & lines:
                missing, early, excess, cause = facts[line]
                found = {
                    'received_not_credited': (missing, cause),
                    'credited_not_received': (early, 'written_off' if late[line] else 'on_its_way'),
                    'credited_too_much': (excess, 'rejected'),
                }
                found = {
                    kind: (line._get_measure().round(quantity), why)
                    for kind, (quantity, why) in found.items()
                    if line._get_measure().compare(quantity, 0.0) > 0
                }
                if found:
                    result[line] = found
        return result

    @api.model
    def _get_line_facts(self, line):
        """Return the differences of one line considered alone.

        :param line: `sale.return.line` record.
        :return: `(goods without credit, credit without goods that may still come or never came,
            credit without goods that could be accepted, cause of the first)`, in its unit.
        :rtype: tuple
        """
        credited = line.qty_credited_posted
        if line.return_expected:
            backed = line._get_qty_come() - line.qty_rejected
            coming = max(line.qty_authorized - line._get_qty_come(), 0.0)
        else:
            backed, coming = line.qty_accepted, 0.0
        excess = max(credited - backed, 0.0)
        early = min(excess, coming)
        missing = max(backed - line.qty_uninvoiced - credited, 0.0)
        if not line._is_credited():
            missing = 0.0
        return missing, early, excess - early, self._get_missing_cause(line)

    @api.model
    def _get_missing_cause(self, line):
        """Return the code of why goods are not credited, see `sale.return.explainer`."""
        compare = line._get_measure().compare
        if line.state == 'submitted':
            return 'to_approve'
        if any(credit._get_qty_reversed() for credit in line.credit_line_ids):
            return 'billed_again'
        if compare(line.qty_credited, line.qty_credited_posted) > 0:
            return 'draft'
        if line.return_id.credit_error:
            return 'failed'
        if compare(line.qty_to_credit, 0.0) > 0:
            return 'due'
        if line.return_expected and compare(line.qty_to_inspect, 0.0) > 0:
            return 'to_inspect'
        return 'unknown'

    @api.model
    def _get_posted_creditable(self, sale_line):
        """Return what is still creditable of an order line by posted documents."""
        invoiced, by_returns, otherwise = self.env['sale.return.ledger']._get_invoiced(
            sale_line, posted_only=True
        )
        return max(invoiced - by_returns - otherwise, 0.0)

    @api.model
    def _get_worth(self, quantities):
        """Return the amount that would be credited for quantities of lines, tax included.

        :param list quantities: `(return line, quantity in its unit)`.
        :return: `{line: amount in the currency of its order}`.
        :rtype: dict
        """
        drafts = self.env['sale.return.line'].union(*[line for line, _q in quantities])
        drafts = drafts.credit_line_ids.filtered(lambda line: line.parent_state == 'draft')
        worth = defaultdict(float)
        credit = self.env['sale.return.credit']
        # Including shares of order-level lines and deductions.
        for allocation in credit._complete(
            credit._allocate(quantities, ignored_moves=drafts.move_id)
        ):
            worth[allocation['return_line']] += sum(
                amount
                for (tax, name), amount in allocation['amounts'].items()
                if name == ('tax_amount_currency' if tax else 'total_excluded_currency')
            )
        return worth

    @api.model
    def _prepare_line_vals(self, line, kind, quantity, worth):
        """Prepare the row of a line. Override to add values.

        :param str kind: one of `QUANTITY_KINDS`.
        :param float quantity: the difference, in the unit of the line.
        :param float worth: the amount that an uncredited quantity would be credited.
        :return: values for `sale.return.reconciliation`.
        :rtype: dict
        """
        posted = line.credit_line_ids.filtered(lambda credit: credit.parent_state == 'posted')
        posted = posted.filtered(lambda credit: not credit.move_id._is_reversed_credit())
        credited = sum(posted.mapped('price_total'))
        currency = line.sale_line_id.currency_id
        if kind == 'received_not_credited':
            difference, accepted = worth, credited + worth
        else:
            part = min(quantity / line.qty_credited_posted, 1.0) if credited else 0.0
            difference = currency.round(credited * part)
            accepted = credited - difference
        return {
            **self._prepare_return_vals(line.return_id),
            'kind': kind,
            'return_line_id': line.id,
            'product_id': line.product_id.id,
            'product_uom_id': line.product_uom_id.id,
            'note_id': posted.move_id[-1:].id,
            'qty_received': line.qty_received,
            'qty_accepted': line.qty_accepted,
            'qty_credited': line.qty_credited_posted,
            'qty_difference': quantity,
            'currency_id': currency.id,
            'amount_accepted': accepted,
            'amount_credited': credited,
            'amount_refunded': sum(note._get_amount_paid_back() for note in posted.move_id),
            'amount_difference': difference,
            'amount_company': self._to_company(currency, difference, line.company_id),
        }

    @api.model
    def _prepare_return_vals(self, sale_return):
        return {
            'return_id': sale_return.id,
            'partner_id': sale_return.partner_id.id,
            'user_id': sale_return.user_id.id,
        }

    @api.model
    def _to_company(self, currency, amount, company):
        return currency._convert(
            amount, company.currency_id, company, company._get_sale_return_day()
        )

    # === REFUNDS === #

    @api.model
    def _find_missing_refunds(self, company):
        """Find notes that a policy wants paid back and that are not; see `_get_finders`.

        Where the policy leaves the credit on the customer's account nothing is missing: Odoo's
        receivables show it.
        """
        returns = self.env['sale.return'].search(
            [('company_id', '=', company.id), ('refund_state', 'in', ('pending', 'partial'))]
        )
        found = {}
        for note in returns.credit_note_ids.filtered(lambda move: move.state == 'posted'):
            if note.currency_id.compare_amounts(note.amount_residual, 0.0) > 0:
                found[f'credited_not_refunded:{note.id}'] = {
                    **self._prepare_note_vals(note, note.amount_residual),
                    'kind': 'credited_not_refunded',
                }
        return found

    @api.model
    def _find_excess_refunds(self, company):
        """Find payments to customers that exceed the notes they pay back; see `_get_finders`."""
        self.env.cr.execute(
            SQL(
                """SELECT note.id, paid.id
                     FROM account_move_line paid
                     JOIN account_partial_reconcile part ON part.debit_move_id = paid.id
                     JOIN account_move_line due ON due.id = part.credit_move_id
                     JOIN account_move note ON note.id = due.move_id
                     JOIN account_move payment ON payment.id = paid.move_id
                    WHERE paid.company_id = %(company)s AND NOT paid.reconciled
                      AND paid.amount_residual > 0 AND payment.move_type = 'entry'
                      AND note.move_type = 'out_refund' AND EXISTS (
                          SELECT FROM account_move_line credit
                           WHERE credit.move_id = note.id
                             AND credit.sale_return_line_id IS NOT NULL)
                 ORDER BY note.id, paid.id""",
                company=company.id,
            )
        )
        found, seen = {}, set()
        for note_id, paid_id in self.env.cr.fetchall():
            if paid_id in seen:
                continue  # an excess payment of several notes is reported once
            seen.add(paid_id)
            note = self.env['account.move'].browse(note_id)
            paid = self.env['account.move.line'].browse(paid_id)
            excess = paid.currency_id._convert(
                paid.amount_residual_currency, note.currency_id, company, paid.date
            )
            key = f'refunded_too_much:{note.id}'
            vals = found.setdefault(
                key, {**self._prepare_note_vals(note, 0.0), 'kind': 'refunded_too_much'}
            )
            vals['amount_difference'] += excess
            vals['amount_refunded'] += excess
            vals['amount_company'] += paid.amount_residual
        return found

    @api.model
    def _prepare_note_vals(self, note, difference):
        """Prepare the row of a credit note. Override to add values.

        :return: values for `sale.return.reconciliation`.
        :rtype: dict
        """
        returns = note.invoice_line_ids.sale_return_line_id.return_id.sorted('id')
        return {
            **self._prepare_return_vals(returns[:1]),
            'partner_id': note.partner_id.id,
            'note_id': note.id,
            'currency_id': note.currency_id.id,
            'amount_accepted': note.amount_total,
            'amount_credited': note.amount_total,
            'amount_refunded': note._get_amount_paid_back(),
            'amount_difference': difference,
            'amount_company': self._to_company(note.currency_id, difference, note.company_id),
        }

    # === NOTES WITHOUT LINK === #

    @api.model
    def _find_unlinked_notes(self, company):
        """Find credit notes made by hand without a matching invoice line.

        They do not count towards what may be credited, so somebody has to check them. Notes older
        than the first comparison are ignored; see `_get_finders`.
        """
        if not self.env['sale.return'].search_count([('company_id', '=', company.id)], limit=1):
            return {}
        notes = self.env['account.move'].search(self._get_unlinked_note_domain(company))
        found = {}
        for note in notes.filtered(lambda move: not move._is_reversed_credit()):
            lines = self._get_unlinked_lines(note)
            total = sum(lines.mapped('price_total'))
            if lines:
                found[f'unlinked_note:{note.id}'] = {
                    **self._prepare_note_vals(note, total),
                    'kind': 'unlinked_note',
                    'product_id': lines.product_id.id if len(lines.product_id) == 1 else False,
                }
        return found

    @api.model
    def _get_unlinked_note_domain(self, company):
        """Return which notes are checked. Override to leave out notes of other applications.

        :rtype: Domain
        """
        domain = Domain(
            [
                ('company_id', '=', company.id),
                ('move_type', '=', 'out_refund'),
                ('state', '=', 'posted'),
                (
                    'invoice_line_ids',
                    'any',
                    [
                        ('display_type', '=', 'product'),
                        ('credited_line_id', '=', False),
                        ('sale_line_ids', '=', False),
                    ],
                ),
            ]
        )
        if start := company.sale_return_reconciliation_start:
            domain &= Domain('date', '>=', start)
        if 'pos_order_ids' in self.env['account.move']:
            domain &= Domain('pos_order_ids', '=', False)  # point of sale has its own returns
        return domain

    @api.model
    def _get_unlinked_lines(self, note):
        """Return the lines of a note that belong to no invoice line.

        A line of a reversal belongs to the invoice if the invoice has its product.
        """
        known = note.reversed_entry_id.invoice_line_ids.product_id
        return note.invoice_line_ids.filtered(
            lambda line: (
                line.display_type == 'product'
                and not line.credited_line_id
                and not line.sale_line_ids
                and not line.is_downpayment
                and not (
                    note.reversed_entry_id and (not line.product_id or line.product_id in known)
                )
            )
        )
