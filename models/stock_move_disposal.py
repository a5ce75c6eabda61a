from odoo import models


class StockMove(models.Model):
    """Moves that take goods of returns out of quarantine, or replace them."""

    _inherit = 'stock.move'

    def _action_cancel(self):
        """Override of `stock` to keep inspected goods from being stranded in quarantine.

        :raise UserError: when goods of an inspection would have nowhere to go.
        """
        leaving = self.filtered(
            lambda move: move.sale_return_inspection_id and move.state not in ('done', 'cancel')
        )
        result = super()._action_cancel()
        # sudo: whoever cancels a transfer need not be a user of Returns.
        leaving.sudo().sale_return_inspection_id._ensure_still_leaving()
        return result
