from odoo import fields, models


class SaleReturn(models.Model):
    """Paying the money back: what is under way, and how it is started."""

    _inherit = 'sale.return'

    refund_ids = fields.Many2many(
        'sale.return.refund',
        string="Refunds",
        compute='_compute_refund_ids',
        compute_sudo=True,
    )
    refund_count = fields.Integer(compute='_compute_refund_ids', compute_sudo=True)
    refund_error = fields.Text(
        string="Refund Problem",
        compute='_compute_refund_ids',
        compute_sudo=True,
        help="Why money could not be paid back, or that it is not known whether it was.",
    )
    has_to_refund = fields.Boolean(
        compute='_compute_has_to_refund',
        compute_sudo=True,
        help="Posted credit notes have something open that no refund under way pays.",
    )

    def _compute_refund_ids(self):
        for sale_return in self:
            refunds = sale_return.credit_note_ids.sale_return_refund_ids.sorted('id', reverse=True)
            problems = refunds.filtered(
                lambda refund: refund.state in ('failed', 'unknown') and not refund.retry_id
            )
            sale_return.refund_ids = refunds
            sale_return.refund_count = len(refunds)
            sale_return.refund_error = "\n".join(filter(None, problems.mapped('error'))) or False

    def _compute_has_to_refund(self):
        payback = self.env['sale.return.payback']
        for sale_return in self:
            notes = sale_return.credit_note_ids._filter_sale_return_payable()
            sale_return.has_to_refund = any(payback._get_open_amount(note) > 0 for note in notes)

    def action_refund(self):
        """Pay the credit notes of returns back to where the customer's money came from.

        Splits what is open over the payments of the credited invoice, newest first, never more
        than was received and not refunded yet. Payments by a provider that supports it are sent
        back by the scheduled job; for the others a payment is prepared, which an accountant
        posts. Repeating it pays nothing more.

        :return: the new payouts.
        :rtype: sale.return.refund
        :raise AccessError: for who may not pay money back.
        :raise UserError: when a payment cannot be prepared.
        """
        self.env['sale.return.refund']._ensure_allowed()
        self.check_access('read')
        # sudo: the role was checked; who pays back need not have rights on the documents.
        return self.env['sale.return.payback']._pay_back(self.sudo().credit_note_ids)

    def preview_refund(self):
        """Say how the money would be paid back, on the same path that pays. Writes nothing.

        :return: `{return id: [note]}`; a note is `{'note_id', 'currency' (code), 'open',
            'payouts'}`, a payout `{'method' (`online` or `payment`), 'invoice_id',
            'source_line_id', 'payment_id', 'transaction_id', 'journal_id', 'currency' (code of
            the receipt), 'amount' (in that), 'note_amount', 'written_back'}` (in the currency of
            the note, tax included).
        :rtype: dict
        :raise AccessError: for who may not pay money back.
        """
        self.env['sale.return.refund']._ensure_allowed()
        self.check_access('read')
        # sudo: the role was checked, and nothing is written.
        returns = self.sudo()
        plan = self.env['sale.return.payback'].sudo()._preview(returns.credit_note_ids)
        return {
            sale_return.id: [
                plan[note.id] for note in sale_return.credit_note_ids if note.id in plan
            ]
            for sale_return in returns
        }

    def action_open_refund(self):
        """Open the dialog that shows how the money is split before it is paid back."""
        self.env['sale.return.refund']._ensure_allowed()
        return self._get_wizard_action('sale.return.pay', self.env._("Refund"))

    def action_view_refunds(self):
        """Show the refunds of the returns."""
        return self.refund_ids._get_records_action(name=self.env._("Refunds"))
