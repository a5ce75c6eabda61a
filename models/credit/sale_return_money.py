from odoo import api, fields, models

from ...const import PROGRESS, progress


class SaleReturn(models.Model):
    """What a return is worth: to be credited, credited, and paid back."""

    _inherit = 'sale.return'

    amount_to_credit = fields.Monetary(
        string="To Credit",
        compute='_compute_amount_to_credit',
        compute_sudo=True,
        help="Tax included. What a credit note made now would come to.",
    )
    amount_credited = fields.Monetary(
        string="Credited",
        compute='_compute_refund',
        store=True,
        help="Tax included. Posted credit notes of this return.",
    )
    amount_refunded = fields.Monetary(
        string="Paid Back",
        compute='_compute_refund',
        store=True,
        help="Tax included. Paid back on the credit notes of this return.",
    )
    company_currency_id = fields.Many2one(
        related='company_id.currency_id', string="Company Currency"
    )
    freight_charge = fields.Monetary(
        currency_field='company_currency_id',
        compute='_compute_freight_charge',
        store=True,
        readonly=False,
        help="Return freight that the customer owes, tax excluded: kept back from the first credit "
        "note. Proposed by the policy, fixed when the return is submitted.",
    )
    credit_queued = fields.Boolean(
        readonly=True, copy=False, help="Waits for the scheduled job that creates credit notes."
    )
    credit_error = fields.Text(
        readonly=True, copy=False, help="Why the last credit note could not be made."
    )
    refund_state = fields.Selection(PROGRESS, compute='_compute_refund', store=True)

    # === COMPUTE METHODS === #

    @api.depends('line_ids.policy_id', 'line_ids.reason_id', 'line_ids.return_expected')
    def _compute_freight_charge(self):
        for sale_return in self:
            if sale_return.state not in (False, 'draft') and sale_return._origin:
                sale_return.freight_charge = sale_return.freight_charge  # fixed with submission
                continue
            owed = sale_return.line_ids.filtered(
                lambda line: (
                    line.return_expected
                    and line.reason_id.restocking_fee
                    and line.policy_id
                    and line.policy_id._is_deduction_allowed('freight')
                )
            )
            sale_return.freight_charge = max(owed.policy_id.mapped('return_freight'), default=0.0)

    @api.depends('line_ids.qty_to_credit', 'line_ids.qty_credited')
    def _compute_amount_to_credit(self):
        due = self.filtered(lambda r: any(line.qty_to_credit > 0 for line in r.line_ids))
        # sudo: the amount follows from invoices that users of Returns need not read.
        previews = self.env['sale.return.credit'].sudo()._preview(due.sudo(), kinds=('due',))
        for sale_return in self:
            sale_return.amount_to_credit = sum(
                sale_return._convert_from_note(note, note['total'])
                for note in previews.get(sale_return.id, {}).get('due', [])
            )

    def _update_state(self, state, reason=None):
        """Override to fix what a draft proposes while it still is one."""
        self.mapped('freight_charge')
        return super()._update_state(state, reason=reason)

    def _convert_from_note(self, note, amount):
        """Convert an amount of a note of `preview_credit` to the currency of the return."""
        currency = self.env['res.currency'].search([('name', '=', note['currency'])])
        return currency._convert(
            amount, self.currency_id, self.company_id, fields.Date.context_today(self)
        )

    @api.depends(
        'line_ids.policy_id',
        'line_ids.qty_credited_posted',
        'line_ids.credit_line_ids.parent_state',
        'line_ids.credit_line_ids.price_total',
        'line_ids.credit_line_ids.move_id.amount_residual',
        'line_ids.credit_line_ids.move_id.payment_state',
    )
    def _compute_refund(self):
        for sale_return in self:
            lines = sale_return.line_ids.credit_line_ids.filtered(
                lambda line: line.parent_state == 'posted'
            )
            credited = refunded = residual = 0.0
            for note, note_lines in lines.grouped('move_id').items():
                convert = sale_return._get_converter(note)
                credited += convert(sum(line._get_amount_credited() for line in note_lines))
                refunded += convert(note._get_amount_paid_back())
                residual += convert(note.amount_residual)
            sale_return.amount_credited = credited
            sale_return.amount_refunded = refunded
            # Only a policy that pays back expects money; what was paid anyway is shown.
            pays_back = 'refund' in sale_return.line_ids.policy_id.mapped('settlement')
            expected = refunded + residual if pays_back else refunded
            sale_return.refund_state = progress(
                refunded, expected, sale_return.currency_id.compare_amounts
            )

    def _get_converter(self, note):
        """Return a function that converts amounts of a note to the currency of the return."""
        self.ensure_one()
        date = note.invoice_date or fields.Date.context_today(self)
        return lambda amount: note.currency_id._convert(
            amount, self.currency_id, note.company_id, date
        )
