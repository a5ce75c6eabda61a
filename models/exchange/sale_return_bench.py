from odoo import api, models


class SaleReturnBench(models.AbstractModel):
    _inherit = 'sale.return.bench'

    @api.model
    def _describe_next(self, sale_return):
        """Extend to name the deliveries of exchanges."""
        return super()._describe_next(sale_return) + sale_return._describe_exchange_delivery()
