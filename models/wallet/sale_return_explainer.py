from odoo import api, models


class SaleReturnExplainer(models.AbstractModel):
    _inherit = 'sale.return.explainer'

    @api.model
    def _explain_wallet_difference(self, row):
        values = self._get_values(row)
        if row.cause == 'wallet_account':
            return self.env._(
                "The account of the wallets shows %(accepted)s, orders not billed yet included,"
                " but the cards show %(credited)s: they differ by %(difference)s. Look for "
                "cards that were changed by hand, and for entries on the account without a "
                "card.",
                **values,
            )
        if row.cause == 'wallet_booked':
            return self.env._(
                "%(note)s has put %(accepted)s on a wallet, but its entries show %(credited)s. "
                "Post the entry of the store credit again, or take the store credit back.",
                **values,
            )
        return self.env._(
            "%(note)s has put %(accepted)s on a wallet, but the history of the card shows "
            "%(credited)s. Correct the card by the difference, %(difference)s.",
            **values,
        )
