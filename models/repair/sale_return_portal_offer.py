from odoo import api, models


class SaleReturnPortalOffer(models.AbstractModel):
    _inherit = 'sale.return.portal.offer'

    @api.model
    def _get_resolutions(self, sale_line):
        """Extend to offer repairs of goods that can be repaired."""
        resolutions = super()._get_resolutions(sale_line)
        service = self.env['sale.return.repair']
        if service._is_on() and service._is_repairable(sale_line):
            resolutions = [*resolutions, ('repair', self.env._("Repair"))]
        return resolutions
