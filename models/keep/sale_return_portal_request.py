from odoo import api, models


class SaleReturnPortalRequest(models.AbstractModel):
    _inherit = 'sale.return.portal.request'

    @api.model
    def _get_estimates(self, draft):
        """Extend to include what customers get for keeping goods."""
        result = super()._get_estimates(draft)
        for currency, amount in self.env['sale.return.portal.page']._get_offered(draft).items():
            estimate = next((row for row in result if row['currency'] == currency), None)
            if not estimate:
                estimate = {'currency': currency, 'rows': [], 'total': 0.0}
                result.append(estimate)
            estimate['rows'].append((self.env._("For keeping it"), amount))
            estimate['total'] += amount
        return result
