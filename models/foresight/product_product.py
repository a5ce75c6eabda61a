from odoo import models


class ProductProduct(models.Model):
    _inherit = 'product.product'

    def action_open_sale_returns(self):
        """Open the open returns of all variants of the product, for approvers.

        :rtype: dict
        """
        self.env['sale.return.reader']._ensure_one(self)
        return self.product_tmpl_id.action_open_sale_returns()
