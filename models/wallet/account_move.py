from odoo import models


class AccountMove(models.Model):
    """Credit notes that are put on wallets."""

    _inherit = 'account.move'

    def _compute_payment_state(self):
        """Override of `account` to call notes that are on a wallet paid, not reversed."""
        result = super()._compute_payment_state()
        notes = self.filtered(
            lambda move: move.move_type == 'out_refund' and move.payment_state == 'reversed'
        )
        if notes:
            # sudo: the state is the same for all users.
            rows = self.env['sale.return.wallet'].sudo()._get_rows(notes)
            for note, group in rows.grouped('note_id').items():
                if sum(group.mapped('amount')) > 0 and not note._is_reversed_credit():
                    note.payment_state = 'paid'
        return result

    def _settle_sale_return_exchanges(self):
        """Extend to put on wallets what exchanges leave of a credit."""
        result = super()._settle_sale_return_exchanges()
        self._put_on_wallets()
        return result

    def _pay_back_after_exchange(self):
        """Extend to put on wallets what is wanted there before money is paid back."""
        self._put_on_wallets()
        return super()._pay_back_after_exchange()

    def _put_on_wallets(self):
        service = self.env['sale.return.wallet']
        notes = self.filtered(lambda move: move.move_type == 'out_refund')
        if notes and service._is_on(notes.company_id):
            service._follow(notes)

    def _sync_sale_return_points(self):
        """Extend to take off wallets what is not credited any more."""
        result = super()._sync_sale_return_points()
        notes = self.filtered(lambda move: move.move_type == 'out_refund')
        if notes:
            self.env['sale.return.wallet']._take_back(notes)
        return result

    def _is_sale_return_refund_automatic(self):
        """Extend not to pay back money automatically that is wanted on a wallet."""
        if not super()._is_sale_return_refund_automatic():
            return False
        # sudo: what is wanted does not depend on who posts.
        return not self.env['sale.return.wallet'].sudo()._get_due(self.sudo())

    def _get_amount_paid_back(self):
        """Extend not to count store credit: no money has left."""
        amount = super()._get_amount_paid_back()
        if amount and 'loyalty.card' in self.env:
            # sudo: how much was paid back does not depend on who asks.
            rows = self.env['sale.return.store.credit'].sudo().search([('note_id', '=', self.id)])
            partials = self.line_ids.matched_debit_ids.filtered(
                lambda partial: partial.debit_move_id.move_id in rows.entry_id
            )
            amount -= sum(partials.mapped('credit_amount_currency'))
            amount = self.currency_id.round(amount)
        return amount
