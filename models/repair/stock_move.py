from odoo import models


class StockMove(models.Model):
    """Goods that are repaired stay the customer's, and go back when they are repaired."""

    _inherit = 'stock.move'

    def _action_done_of_returns(self, cancel_backorder=False):
        """Extend to take goods in custody before they come, and to give back repaired goods."""
        service = self.env['sale.return.repair']
        # sudo: users who validate transfers, or repair, need not be users of Returns.
        service.sudo()._take_custody(self.sudo())
        done = super()._action_done_of_returns(cancel_backorder=cancel_backorder)
        if 'repair_id' in self._fields:
            repaired = done.sudo().filtered(
                lambda move: move.repair_id and move.repair_id.move_id == move
            )
            service.sudo()._after_repair(repaired.repair_id)
        return done
