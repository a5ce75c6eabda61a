from odoo import api, models


class SaleReturnMessageMoney(models.AbstractModel):
    _inherit = 'sale.return.message.money'

    @api.model
    def _tell_way(self, sale_return):
        """Extend to state that it goes to the wallet."""
        if not sale_return._is_all_for_wallet():
            return super()._tell_way(sale_return)
        bonus = sale_return.company_id.sale_return_store_credit_bonus
        if not bonus:
            return [self.env._("It goes to your wallet as store credit.")]
        return [
            self.env._(
                "It goes to your wallet as store credit, and you get %(bonus)s %% on top.",
                bonus=f"{bonus:g}",
            )
        ]

    @api.model
    def _tell_settled(self, sale_return):
        """Extend by what is on the wallet."""
        return super()._tell_settled(sale_return) + self._tell_store_credit(sale_return)

    @api.model
    def _tell_gift(self, sale_return):
        """Extend by what is on the wallet of the recipient."""
        return super()._tell_gift(sale_return) + self._tell_store_credit(sale_return)

    @api.model
    def _tell_store_credit(self, sale_return):
        if sale_return.amount_store_credit <= 0:
            return []
        return [
            self.env._(
                "You have got %(amount)s of store credit on card %(card)s.",
                amount=sale_return._format_own_money(sale_return.amount_store_credit),
                card=", ".join(dict.fromkeys(sale_return.store_credit_ids.mapped('card_code'))),
            )
        ]
