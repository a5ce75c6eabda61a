from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_amount

from ...const import WITHHELD_KINDS


class SaleReturn(models.Model):
    """What the page of a return shows: goods, money, files.

    Called in superuser mode by whoever has checked that the customer may see the return; nothing of
    it holds costs, notes of ours, or names.
    """

    _inherit = 'sale.return'

    # === GOODS === #

    def _get_portal_lines(self):
        """Return the lines with their quantities, only those that say something.

        :return: `[{'line', 'quantities': [(label, quantity)], 'decision'}]`; quantities are in the
            unit of the line, `decision` is why less was approved, in words for the customer.
        :rtype: list
        """
        self.ensure_one()
        return [
            {
                'line': line,
                'quantities': self._get_portal_quantities(line),
                'decision': line.decision in ('reduced', 'refused') and line.decision_reason,
            }
            for line in self.line_ids
        ]

    @api.model
    def _get_portal_quantities(self, line):
        """Return `[(label, quantity)]` of a line: what was asked for, and what has become of it."""
        decided = line.state not in ('draft', 'submitted', 'cancelled')
        quantities = [
            (self.env._("Requested"), line.qty_requested, True),
            (self.env._("Approved"), line.qty_authorized, decided),
            (self.env._("Received"), line.qty_received, False),
            (self.env._("Accepted"), line.qty_accepted, False),
            (self.env._("Rejected"), line.qty_rejected, False),
            (self.env._("Sent back to you"), line.qty_sent_back, False),
            (self.env._("Replaced"), line.qty_replaced, False),
            (self.env._("Credited"), line.qty_credited_posted, False),
        ]
        return [
            (label, quantity)
            for label, quantity, shown in quantities
            if shown or not line.product_uom_id.is_zero(quantity)
        ]

    # === MONEY === #

    def _get_portal_money(self):
        """Return what the customer gets: expected, credited, paid back.

        :return: `{'expected': [(currency, amount)], 'deductions': [(label, amount text)], 'notes':
            [see _get_portal_notes], 'unpromised': names of products of which it is not known yet}`;
            amounts have taxes in them, deductions are negative.
        :rtype: dict
        """
        self.ensure_one()
        expected, deductions = self._get_portal_estimate()
        return {
            'expected': expected,
            'deductions': deductions + self._get_portal_deductions(),
            'notes': self._get_portal_notes(),
            'unpromised': self._get_unpromised_products(),
        }

    def _get_unpromised_products(self):
        """Return the names of the products whose credit a person has to decide on, unseen.

        :rtype: str
        """
        self.ensure_one()
        if self.state not in ('draft', 'submitted'):
            return ''
        lines = self.line_ids.filtered(
            lambda line: (
                line.resolution == 'refund'
                and line.decision != 'refused'
                and line._is_without_goods()
            )
        )
        return ", ".join(lines.product_id.mapped('display_name'))

    def _get_portal_estimate(self):
        """Return what is still to be credited if all is accepted, and what is kept back of it."""
        if self.state not in ('submitted', 'approved'):
            return [], []
        try:
            previews = self.env['sale.return.credit']._preview(self, kinds=('promised',))
        except UserError:
            return [], []  # what cannot be credited yet is for us to put right
        notes = previews[self.id]['promised']
        currencies = {
            currency.name: currency
            for currency in self.env['res.currency'].search(
                [('name', 'in', [note['currency'] for note in notes])]
            )
        }
        totals, deductions = {}, []
        kinds = self.env['account.move.line']._fields['sale_return_kind']
        labels = dict(kinds._description_selection(self.env))
        for note in notes:
            currency = currencies[note['currency']]
            totals[currency] = totals.get(currency, 0.0) + note['total']
            for line in note['lines']:
                if line['kind'] in WITHHELD_KINDS:
                    amount = line['untaxed'] + sum(line['taxes'].values())
                    text = format_amount(self.env, amount, currency)
                    deductions.append((labels[line['kind']], text))
        return [(currency, total) for currency, total in totals.items() if total], deductions

    def _get_portal_credit_lines(self):
        """Return the lines of posted credit notes that credit this return."""
        return self.line_ids.credit_line_ids.filtered(lambda line: line.parent_state == 'posted')

    def _get_portal_deductions(self):
        """Return what was kept back on posted notes, with the words of the note."""
        return [
            (line.name, format_amount(self.env, line.price_total, line.currency_id))
            for line in self._get_portal_credit_lines()
            if line.sale_return_kind in WITHHELD_KINDS
        ]

    def _get_portal_notes(self):
        """Return the posted credit notes, and how each is settled.

        :return: `[{'note', 'amount' (of this return), 'settled': [{'date', 'amount', 'text'}]}]`,
            the oldest note first.
        :rtype: list
        """
        lines = self._get_portal_credit_lines()
        return [
            {
                'note': note,
                'amount': sum(note_lines.mapped('price_total')),
                'settled': self._get_portal_settlements(note),
            }
            for note, note_lines in sorted(
                lines.grouped('move_id').items(), key=lambda item: (item[0].date, item[0].id)
            )
        ]

    @api.model
    def _get_portal_settlements(self, note):
        """Return what became of a note: paid back, or set off against invoices, and when."""
        receivable = note.line_ids.filtered(
            lambda line: line.account_id.account_type == 'asset_receivable'
        )
        settled = []
        for partial in receivable.matched_debit_ids.sorted('max_date'):
            other = partial.debit_move_id.move_id
            if other.move_type == 'out_invoice':
                text = self.env._("Set off against %(invoice)s", invoice=other.name)
            elif other.reversed_entry_id or other.sale_return_write_back_ids:
                continue
            else:
                text = self.env._("Paid back")
            settled.append(
                {'date': partial.max_date, 'amount': partial.credit_amount_currency, 'text': text}
            )
        # What is on its way already, but not in the books yet.
        for refund in note.sale_return_refund_ids.filtered(
            lambda refund: refund.state in ('prepared', 'pending', 'unknown')
        ):
            text = self.env._("Being paid back")
            settled.append({'date': False, 'amount': refund.note_amount, 'text': text})
        return settled

    # === FILES === #

    def _get_portal_files(self):
        """Return the files that the customer sees.

        What customers have brought, and what was found where an inspection takes something off: a
        condition that is credited with less, or goods that are rejected.

        :rtype: sale.return.file
        """
        self.ensure_one()
        return self.file_ids.filtered(
            lambda file: file.attachment_id and not file.erased_on and self._is_portal_file(file)
        )

    @api.model
    def _is_portal_file(self, file):
        """Tell whether the customer sees a file. Override to show more."""
        row = file.inspection_id
        if not row:
            return file.user_id.share
        takes_off = row.grade_id.credit_ratio < 1 if row.grade_id else False
        return row.qty_valid > 0 and (takes_off or not row.disposition_id.accepts)

    # === DAYS === #

    def _format_portal_day(self, moment):
        """Return the day of a moment in the time zone of the company.

        :param moment: naive, in UTC; a date stays as it is.
        :rtype: datetime.date | bool
        """
        self.ensure_one()
        if not moment or not hasattr(moment, 'hour'):
            return moment
        local = self.with_context(tz=self._get_company_timezone())
        return fields.Datetime.context_timestamp(local, moment).date()
