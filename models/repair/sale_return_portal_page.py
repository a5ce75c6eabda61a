from odoo import api, models


class SaleReturnPortalPage(models.AbstractModel):
    _inherit = 'sale.return.portal.page'

    @api.model
    def _tell_repair_planned(self, sale_return, events):
        return {
            'title': self.env._("We repair your goods"),
            'text': self._join_products(events),
            'icon': 'fa-wrench',
        }

    @api.model
    def _tell_repair_impossible(self, sale_return, events):
        return {
            'title': self.env._("Your goods cannot be repaired"),
            'text': self._join_products(events),
            'icon': 'fa-wrench',
        }
