from odoo import api, models


class SaleReturnDecision(models.AbstractModel):
    """The decision has been made, or somebody has to be asked to make it."""

    _inherit = 'sale.return.decision'

    @api.model
    def _decide(self, returns):
        """Override to notify those who decide, once a decision is needed."""
        result = super()._decide(returns)
        returns._sync_deadlines()
        return result
