from odoo import api, models


class SaleReturnReception(models.AbstractModel):
    _inherit = 'sale.return.reception'

    @api.model
    def _inspect_automatically(self, lines):
        """Extend not to send goods that are waiting for repair."""
        return super()._inspect_automatically(
            lines.filtered(lambda line: line.resolution != 'repair')
        )
