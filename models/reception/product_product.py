from odoo import models


class ProductProduct(models.Model):
    _inherit = 'product.product'

    def _with_valuation_context(self):
        """Override of `stock_account` to exclude goods owned by others, under FIFO as well.

        Odoo does so for the other methods. Under FIFO it would treat the customers' property in
        quarantine as stock without a receipt, and value it at the last cost.
        """
        # sudo: the cost is updated by whoever posts a note or moves goods in Returns, and for it
        # Odoo leaves the superuser mode of our service to count the stock. With Manufacturing that
        # reads bills of materials, which needs a role there, in Inventory or in Sales. The
        # locations counted stay those that the user may see.
        products = super()._with_valuation_context().sudo()
        return products.with_context(owners=[False, self.env.company.partner_id.id])

    def _get_average_values(self):
        """Return the value of one unit of the company's valued stock, not rounded.

        :return: `{id: value}`, in the currency of the company, per unit of the product.
        :rtype: dict
        """
        # The same for all products, and looked up once.
        env = self[:1]._with_valuation_context().env
        return {
            product.id: 0.0
            if product.uom_id.is_zero(valued.qty_available)
            else product.total_value / valued.qty_available
            for product, valued in zip(self, self.with_env(env), strict=True)
        }
