from odoo import api, models
from odoo.fields import Command
from odoo.tools import SQL

from ...tools.window import end_of_day

# Number of lines processed in one batch.
CHUNK = 200


def _by_date(credit):
    return credit.date, credit.id


class SaleReturnAccruals(models.AbstractModel):
    """Service: goods received but not credited, and credited but not received, as of a day.

    These are accrued at the end of a period: goods that are back by then reduce the turnover of the
    period although their credit note belongs to the next one, and vice versa. Transfers count by
    the day they were done, in the time zone of the company, credit notes by their accounting date.
    """

    _name = 'sale.return.accruals'
    _description = "Return Accruals"

    @api.model
    def _get_rows(self, company, date):
        """Return the open quantities and amounts of a company at the end of a day.

        :param company: one `res.company`.
        :param date date: the day, included.
        :return: values for `sale.return.cutoff.line`, amounts in the currency of the company; one
            row for each return line and account.
        :rtype: list
        """
        # sudo: the figures are complete for everybody who may read them; callers check the rights.
        service = self.sudo().with_company(company).with_context(allowed_company_ids=company.ids)
        company = company.with_env(service.env)
        service.env.flush_all()
        figures = service._get_figures(company, date)
        lines = service.env['sale.return.line'].browse(figures)
        rows = []
        for start in range(0, len(lines), CHUNK):
            chunk = lines[start : start + CHUNK]
            missing, early = service._get_open_quantities(chunk, figures, date)
            rows += service._get_missing_rows(missing, date)
            rows += service._get_early_rows(early, date)
        return rows + service._get_condition_rows(company, date)

    # === QUANTITIES === #

    @api.model
    def _get_end_of_day(self, company, date):
        """Return the first moment after a day of the company, in UTC without time zone."""
        return end_of_day(date, company._get_sale_return_timezone())

    @api.model
    def _get_figures(self, company, date):
        """Sum what was received, refused, kept and credited by the end of a day.

        :return: `{line id: (back, credited)}` of the lines where the two differ. `back` is what was
            received and not refused, kept goods included; where nothing comes back, what was
            approved; in the unit of the line.
        :rtype: dict
        """
        self.env.cr.execute(
            SQL(
                """WITH chosen AS MATERIALIZED (
                       SELECT id, product_id, product_uom_id, sale_line_id, return_expected,
                              return_id, qty_authorized
                         FROM sale_return_line
                        WHERE company_id = %(company)s
                          AND state IN ('submitted', 'approved', 'closed')),
                   moved AS (%(moved)s), judged AS (%(judged)s), credited AS (%(credited)s),
                   sides AS (
                       SELECT chosen.id, CASE WHEN chosen.return_expected
                                  THEN COALESCE(moved.quantity, 0) + COALESCE(judged.quantity, 0)
                                  WHEN EXISTS (SELECT FROM sale_return_event event
                                       WHERE event.return_id = chosen.return_id
                                         AND event.state_to = 'approved'
                                         AND event.date < %(end)s)
                                  THEN chosen.qty_authorized ELSE 0 END AS back,
                              COALESCE(credited.quantity, 0) AS credited
                         FROM chosen
                    LEFT JOIN moved ON moved.line_id = chosen.id
                    LEFT JOIN judged ON judged.line_id = chosen.id
                    LEFT JOIN credited ON credited.line_id = chosen.id)
                   SELECT id, back, credited FROM sides
                    WHERE ABS(back - credited) > 0.000001
                 ORDER BY id""",
                end=self._get_end_of_day(company, date),
                company=company.id,
                moved=self._get_moved_query(self._get_end_of_day(company, date)),
                judged=self._get_judged_query(self._get_end_of_day(company, date)),
                credited=self._get_credited_query(date),
            )
        )
        return {
            line_id: (float(back), float(credited))
            for line_id, back, credited in self.env.cr.fetchall()
        }

    @api.model
    def _get_moved_query(self, end):
        """Return what was received and not undone before a time: `(line_id, quantity)`.

        Components of a kit count as their part of it.
        """
        return SQL(
            """SELECT parts.line_id, SUM(parts.quantity) AS quantity
                 FROM (SELECT chosen.id AS line_id,
                              CASE WHEN move.product_id <> chosen.product_id
                                   THEN COALESCE(move.sale_return_kit_qty, 0)
                                   ELSE move.quantity * unit.factor / line_unit.factor
                                    END AS quantity
                         FROM chosen
                         JOIN stock_move move ON move.sale_return_line_id = chosen.id
                         JOIN stock_location source ON source.id = move.location_id
                         JOIN uom_uom unit ON unit.id = move.product_uom
                         JOIN uom_uom line_unit ON line_unit.id = chosen.product_uom_id
                        WHERE move.state = 'done' AND move.date < %(end)s
                          AND move.sale_return_inspection_id IS NULL AND %(at_customer)s
                    UNION ALL
                       SELECT chosen.id,
                              CASE WHEN undone.product_id <> chosen.product_id
                                   THEN -COALESCE(undone.sale_return_kit_qty, 0)
                                   ELSE -undone.quantity * unit.factor / line_unit.factor END
                         FROM chosen
                         JOIN stock_move receipt ON receipt.sale_return_line_id = chosen.id
                         JOIN stock_location source ON source.id = receipt.location_id
                         JOIN stock_move undone ON undone.origin_returned_move_id = receipt.id
                         JOIN uom_uom unit ON unit.id = undone.product_uom
                         JOIN uom_uom line_unit ON line_unit.id = chosen.product_uom_id
                        WHERE undone.state = 'done' AND undone.date < %(end)s
                          AND receipt.sale_return_inspection_id IS NULL
                          AND undone.sale_return_inspection_id IS NULL AND %(at_customer)s) parts
             GROUP BY parts.line_id""",
            end=end,
            at_customer=SQL(
                "(source.usage = 'customer'"
                " OR (source.usage = 'transit' AND source.company_id IS NULL))"
            ),
        )

    @api.model
    def _get_judged_query(self, end):
        """Return what was kept less what was refused before a time: `(line_id, quantity)`."""
        return SQL(
            """SELECT chosen.id AS line_id,
                      SUM(CASE WHEN NOT way.accepts THEN -found.quantity
                               WHEN way.action = 'keep' THEN found.quantity
                               ELSE 0 END) AS quantity
                 FROM chosen
                 JOIN sale_return_inspection found ON found.line_id = chosen.id
                 JOIN sale_return_disposition way ON way.id = found.disposition_id
                WHERE found.date < %s
             GROUP BY chosen.id""",
            end,
        )

    @api.model
    def _get_credited_query(self, date):
        """Return what notes have credited up to a day: `(line_id, quantity)`.

        A reversed note credits nothing, a partly reversed one less.
        """
        return SQL(
            """SELECT chosen.id AS line_id,
                      SUM((credit.quantity - COALESCE(again.quantity, 0))
                          * unit.factor / line_unit.factor) AS quantity
                 FROM chosen
                 JOIN account_move_line credit ON credit.sale_return_line_id = chosen.id
                 JOIN account_move note ON note.id = credit.move_id
                 JOIN uom_uom unit ON unit.id = credit.product_uom_id
                 JOIN uom_uom line_unit ON line_unit.id = chosen.product_uom_id
            LEFT JOIN LATERAL (
                      SELECT LEAST(credit.quantity, COALESCE(SUM(item.quantity
                                 * item_unit.factor / unit.factor), 0)
                                 * credit.quantity / NULLIF((
                             SELECT SUM(other.quantity) FROM account_move_line other
                               JOIN sale_order_line_invoice_rel sold
                                 ON sold.invoice_line_id = other.id
                              WHERE other.move_id = note.id
                                AND sold.order_line_id = chosen.sale_line_id), 0)) AS quantity
                        FROM account_move bill
                        JOIN account_move_line item ON item.move_id = bill.id
                        JOIN sale_order_line_invoice_rel sold ON sold.invoice_line_id = item.id
                        JOIN uom_uom item_unit ON item_unit.id = item.product_uom_id
                       WHERE bill.reversed_entry_id = note.id AND bill.state = 'posted'
                         AND bill.move_type = 'out_invoice' AND bill.date <= %(date)s
                         AND sold.order_line_id = chosen.sale_line_id AND item.quantity > 0
                         AND item.price_unit * (1 - COALESCE(item.discount, 0) / 100)
                             * unit.factor / item_unit.factor - credit.price_unit
                             * (1 - COALESCE(credit.discount, 0) / 100) > -0.000001) again ON TRUE
                WHERE note.state = 'posted' AND note.date <= %(date)s
                  AND EXISTS (SELECT FROM sale_order_line_invoice_rel sold
                               WHERE sold.invoice_line_id = credit.id)
                  AND NOT EXISTS (SELECT FROM account_move bill
                       WHERE bill.reversed_entry_id = note.id AND bill.state = 'posted'
                         AND bill.amount_total = note.amount_total AND bill.date <= %(date)s)
             GROUP BY chosen.id""",
            date=date,
        )

    @api.model
    def _get_open_quantities(self, lines, figures, date):
        """Split the differences into goods without credit and credits without goods.

        Goods of an invoice that was not posted by then are not turnover of the period yet, so there
        is nothing to accrue. Credits made by hand count as credits.

        :return: two lists of `(line, quantity in its unit)`.
        :rtype: tuple
        """
        missing, early = [], []
        for sale_line, group in lines.grouped('sale_line_id').items():
            creditable, by_hand = self._get_creditable(sale_line, date), 0.0
            wanted = sum(
                max(figures[line.id][0] - figures[line.id][1] - line.qty_uninvoiced, 0.0)
                for line in group
                if line._is_credited()
            )
            if creditable and wanted:
                by_hand = self._get_qty_by_hand(sale_line, wanted, creditable)
            for line in group.sorted('id'):
                back, credited = figures[line.id]
                compare = line._get_measure().compare
                if compare(credited, back) > 0:
                    if line.return_expected:
                        early.append((line, credited - max(back, 0.0)))
                    continue
                open_quantity = back - credited - line.qty_uninvoiced
                covered = max(min(open_quantity, by_hand), 0.0)
                by_hand -= covered
                open_quantity = min(open_quantity - covered, creditable)
                if line._is_credited() and compare(open_quantity, 0.0) > 0:
                    creditable -= open_quantity
                    missing.append((line, open_quantity))
        return missing, early

    @api.model
    def _get_qty_by_hand(self, sale_line, wanted, creditable):
        """Return what notes made by hand have credited of what the returns wait for."""
        invoiced, _by_returns, otherwise = self.env['sale.return.ledger']._get_invoiced(sale_line)
        again = sale_line._get_qty_billed_again(invoiced, otherwise)
        service = self.env['sale.return.credit']
        return service._get_qty_by_hand(wanted, creditable, otherwise, again)

    @api.model
    def _get_creditable(self, sale_line, date):
        """Return the uncredited invoiced quantity of an order line up to a day, in its unit."""
        left = 0.0
        for line in sale_line.invoice_lines:
            move = line.move_id
            if (
                line.parent_state == 'posted'
                and line.display_type == 'product'
                and move.date <= date
                and not move._is_credit_reversal()
                and not move._is_reversed_credit(until=date)
            ):
                quantity = line._get_quantity_in(sale_line._get_return_measure())
                left += -abs(quantity) if move.move_type == 'out_refund' else quantity
        return max(left, 0.0)

    # === AMOUNTS === #

    @api.model
    def _get_missing_rows(self, quantities, date):
        """Return the rows of goods without credit.

        Amounts credited by a later note are taken from it, to the cent; the rest is computed like a
        note made now.
        """
        rows, rest = [], []
        for line, quantity in quantities:
            left = quantity
            later = line.credit_line_ids.filtered(
                lambda credit: (
                    credit.parent_state == 'posted'
                    and credit.sale_line_ids
                    and credit.date > date
                    and not credit.move_id._is_reversed_credit()
                )
            )
            for credit in later.sorted(_by_date):
                part = min(left, self._get_net_credited(credit, line))
                if part > 0:
                    left -= part
                    rows.append(self._prepare_credit_row(line, credit, part, date))
                    rows += self._get_lump_rows(line, credit, part, rows[-1]['kind'])
            if line._get_measure().compare(left, 0.0) > 0:
                rest.append((line, left))
        return rows + self._get_uncredited_rows(rest, date)

    @api.model
    def _get_uncredited_rows(self, quantities, date):
        """Return the rows of goods that are not credited to this day."""
        drafts = self.env['sale.return.line'].union(*[line for line, _quantity in quantities])
        drafts = drafts.credit_line_ids.filtered(lambda line: line.parent_state == 'draft')
        credit = self.env['sale.return.credit']
        allocations = credit._complete(credit._allocate(quantities, ignored_moves=drafts.move_id))
        return [self._prepare_allocation_row(allocation, date) for allocation in allocations]

    @api.model
    def _prepare_allocation_row(self, allocation, date):
        """Prepare the row for what a note made now would credit, including discounts and fees."""
        line, billed = allocation['return_line'], allocation['invoice_line']
        amounts, kind = allocation['amounts'], allocation.get('kind')
        quantity = 0.0
        if not kind:
            quantity = billed.product_uom_id._compute_quantity(
                allocation['quantity'], line.product_uom_id, round=False
            )
        tax = sum(
            amount for (tax_id, name), amount in amounts.items() if tax_id and name == 'tax_amount'
        )
        row = self._prepare_row(
            line,
            billed,
            kind=self._get_missing_kind(line),
            quantity=quantity,
            net=amounts.get((False, 'total_excluded'), 0.0),
            tax=tax,
            cost=0.0 if kind else self._get_goods_cost(line, quantity, date),
        )
        if kind:
            row['account_id'] = self.env['sale.return.credit']._get_lump_account(allocation).id
        return row

    @api.model
    def _get_missing_kind(self, line):
        return 'received_not_credited' if line.return_expected else 'owed_without_goods'

    @api.model
    def _get_early_rows(self, quantities, date):
        """Return the rows of credits without goods: parts of the latest notes up to the day."""
        rows = []
        for line, quantity in quantities:
            left = quantity
            for credit in self._get_credits(line, date).sorted(_by_date, reverse=True):
                part = min(left, self._get_net_credited(credit, line, date))
                if part > 0:
                    left -= part
                    rows.append(self._prepare_credit_row(line, credit, part))
                    rows += self._get_lump_rows(line, credit, part, rows[-1]['kind'])
        return rows

    @api.model
    def _get_credits(self, line, date):
        """Return the note lines that credit goods of a return line, as of the end of a day."""
        return line.credit_line_ids.filtered(
            lambda credit: (
                credit.parent_state == 'posted'
                and credit.sale_line_ids
                and credit.date <= date
                and not credit.move_id._is_reversed_credit(until=date)
            )
        )

    @api.model
    def _get_condition_rows(self, company, date):
        """Return the rows of goods credited in full before a worse condition was found.

        The list of differences shows the same until the note is reversed.
        """
        end = self._get_end_of_day(company, date)
        found = self.env['sale.return.inspection'].search(
            [
                ('line_id.company_id', '=', company.id),
                ('line_id.policy_id.release_event', '!=', 'inspection'),
                ('grade_id.credit_ratio', '<', 1),
                ('date', '<', end),
            ]
        )
        rows = []
        for line in found.line_id.sorted('id'):
            if not line.policy_id._is_deduction_allowed('grade'):
                continue
            credits = self._get_credits(line, date)
            credited = sum(self._get_net_credited(credit, line, date) for credit in credits)
            left = self.env['sale.return.deduction']._get_withheld_quantity(line, credited, end)
            left -= sum(
                item.sale_return_withheld_qty * item._get_share_credited(until=date)
                for item in credits.move_id.invoice_line_ids & line.credit_line_ids
            )
            for credit in credits.sorted(_by_date, reverse=True):
                part = min(left, self._get_net_credited(credit, line, date))
                if line._get_measure().compare(part, 0.0) > 0:
                    left -= part
                    rows += self._prepare_condition_rows(line, credit, part)
        return rows

    @api.model
    def _prepare_condition_rows(self, line, credit, quantity):
        """Prepare the rows of what a note credits above the condition of the goods.

        :param float quantity: how many units the condition takes off.
        """
        kind = 'credited_above_condition'
        rows = [{**self._prepare_credit_row(line, credit, quantity), 'kind': kind, 'cost': 0.0}]
        rows += self._get_lump_rows(line, credit, quantity, kind, ('discount', 'free_product'))
        fee = credit.move_id.invoice_line_ids.filtered(
            lambda item: (
                item.sale_return_kind == 'restocking_fee'
                and item.sale_return_line_id.return_id == line.return_id
                and (item.credited_line_id.account_id, item.tax_ids)
                == (credit.account_id, credit.tax_ids)
            )
        )[:1]
        percent = line.policy_id.restocking_fee_percent
        if fee and percent and self.env['sale.return.deduction']._get_feeable(line):
            # No fee is charged on what the condition takes off.
            round_ = line.company_id.currency_id.round
            net, tax = (
                round_(-sum(row[name] for row in rows) * percent / 100) for name in ('net', 'tax')
            )
            rows.append(
                self._prepare_row(line, fee, kind=kind, quantity=0.0, net=net, tax=tax, cost=0.0)
            )
        return rows

    @api.model
    def _get_credited(self, credit, line):
        return credit._get_quantity_in(line._get_measure())

    @api.model
    def _get_net_credited(self, credit, line, date=None):
        """Return what a note line credits, less what was reversed (up to a day)."""
        return self._get_credited(credit, line) - credit.product_uom_id._compute_quantity(
            credit._get_qty_reversed(until=date), line.product_uom_id, round=False
        )

    @api.model
    def _prepare_credit_row(self, line, credit, quantity, date=None):
        """Prepare the row for a part of a note line.

        :param date date: given where the note has a later date: then the goods are here.
        """
        currency = line.company_id.currency_id
        share = quantity / self._get_credited(credit, line)
        rate = credit.move_id.invoice_currency_rate or 1.0
        if date:
            cost = self._get_goods_cost(line, quantity, date)
        else:
            posted = credit.move_id.line_ids.filtered(
                lambda item: item.cogs_origin_id == credit and item.price_unit >= 0
            )
            cost = sum(posted.mapped('balance')) * share
        return self._prepare_row(
            line,
            credit,
            kind=self._get_missing_kind(line) if date else 'credited_not_received',
            quantity=quantity,
            net=currency.round(credit.balance * share),
            tax=currency.round((credit.price_total - credit.price_subtotal) / rate * share),
            cost=currency.round(cost),
        )

    @api.model
    def _get_lump_rows(self, line, credit, quantity, kind, only=()):
        """Return the rows for lines credited along with goods: discounts, fees withheld.

        Such lines of a note are amounts without a quantity of the order line.

        :param tuple only: kinds of note lines; all without any.
        """
        mine = credit.move_id.invoice_line_ids.filtered(
            lambda item: item.sale_return_line_id == line and item.display_type == 'product'
        )
        goods = sum(self._get_credited(item, line) for item in mine if item.sale_line_ids)
        currency = line.company_id.currency_id
        rate = credit.move_id.invoice_currency_rate or 1.0
        share = quantity / goods
        return [
            self._prepare_row(
                line,
                item,
                kind=kind,
                quantity=0.0,
                net=currency.round(item.balance * share),
                tax=currency.round((item.price_total - item.price_subtotal) / rate * share),
                cost=0.0,
            )
            for item in mine
            if not item.sale_line_ids and (not only or item.sale_return_kind in only)
        ]

    @api.model
    def _get_goods_cost(self, line, quantity, date):
        """Return the value of received goods, if they are valued in real time."""
        if line.product_id.valuation != 'real_time':
            return 0.0
        end = self._get_end_of_day(line.company_id, date)
        receipts = line.move_ids.filtered(
            lambda move: move.state == 'done' and move.is_in and move.date < end
        )
        received = line._get_done_quantity(receipts)
        if not received:
            return 0.0
        return line.company_id.currency_id.round(
            sum(receipts.mapped('value')) * quantity / received
        )

    @api.model
    def _prepare_row(self, line, document, **values):
        """Prepare a row. Override to add values.

        :param line: `sale.return.line` record.
        :param document: the line of the invoice or note that the amounts come from.
        :param values: kind, quantity (unit of the line), net, tax and cost (company currency).
        :return: values for `sale.return.cutoff.line`.
        :rtype: dict
        """
        accounts = line.product_id.product_tmpl_id.get_product_accounts(
            fiscal_pos=document.move_id.fiscal_position_id
        )
        receipts = line.move_ids.filtered(
            lambda move: move.state == 'done' and move._is_sale_return_receipt()
        )
        return {
            'company_id': line.company_id.id,
            'receipt_names': ", ".join(receipts.picking_id.sorted('id').mapped('name')),
            'receipt_date': max(receipts.mapped('date'), default=False),
            'tax_ids': [Command.set(document.tax_ids.ids)],
            'return_line_id': line.id,
            'partner_id': line.partner_id.id,
            'product_id': line.product_id.id,
            'product_uom_id': line.product_uom_id.id,
            'move_id': document.move_id.id,
            'account_id': document.account_id.id,
            'cost_account_id': accounts['expense'].id,
            'stock_account_id': accounts['stock_valuation'].id,
            **values,
            'quantity': line._get_measure().round(values['quantity']),
        }
