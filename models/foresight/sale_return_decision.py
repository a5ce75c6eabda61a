from odoo import api, models


class SaleReturnDecision(models.AbstractModel):
    _inherit = 'sale.return.decision'

    @api.model
    def _decide(self, returns):
        """Override to score the risk of returns before the rules are evaluated."""
        if self.env['sale.return.watch']._is_on():
            self.env['sale.return.risk.scorer']._score(returns)
        return super()._decide(returns)
