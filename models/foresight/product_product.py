from odoo import models


class ProductProduct(models.Model):
    _inherit = 'product.product'

    def action_open_sale_returns(self):
        """Open the open returns of all variants of the product, for approvers.

        :rtype: dict
        """
        self.ensure_one()
        return self.product_tmpl_id.action_open_sale_returns()
