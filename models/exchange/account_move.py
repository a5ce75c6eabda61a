from odoo import models


class AccountMove(models.Model):
    """Credit notes that pay for exchanges."""

    _inherit = 'account.move'

    def _compute_payment_state(self):
        """Override of `account` to show invoices of exchanges as paid, not reversed.

        They are settled with the credit note of another invoice, which does not reverse them.
        """
        result = super()._compute_payment_state()
        for move in self.filtered(
            lambda move: move.payment_state == 'reversed' and move.move_type == 'out_invoice'
        ):
            # sudo: the result is the same for all users.
            invoice = move.sudo()
            if invoice.line_ids.sale_line_ids.order_id.exchange_return_id and not (
                invoice.reversal_move_ids.filtered(lambda note: note.state == 'posted')
            ):
                move.payment_state = 'paid'
        return result

    def _settle_sale_return_exchanges(self):
        """Hook of `_after_sale_return_posting`."""
        result = super()._settle_sale_return_exchanges()
        notes = self.filtered(lambda move: move.move_type == 'out_refund')
        if notes:
            # sudo: users who post a note need not be users of Returns.
            returns = notes.sudo().line_ids.sale_return_line_id.return_id
            self.env['sale.return.exchange.order']._follow(returns)
        return result

    def _pay_back_after_exchange(self):
        """Start the refunds due under the policies, after the exchange has used its part."""
        for note in self._filter_sale_return_payable():
            if note._is_sale_return_refund_automatic() and not note.sale_return_refund_ids:
                # One by one, as when notes are posted.
                note._start_sale_return_refund()
