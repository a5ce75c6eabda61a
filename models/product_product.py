from odoo import models


class ProductProduct(models.Model):
    _inherit = 'product.product'

    def _with_valuation_context(self):
        """Override of `stock_account` to leave goods of others out, under FIFO as well.

        Odoo does so for the other methods. Under FIFO it takes the customers' property that lies
        in quarantine for stock without a receipt, and values it at the last cost.
        """
        products = super()._with_valuation_context()
        return products.with_context(owners=[False, self.env.company.partner_id.id])

    def _get_average_value(self):
        """Return the value of one unit of the company's valued stock, not rounded.

        :return: in the currency of the company, per unit of the product.
        :rtype: float
        """
        self.ensure_one()
        quantity = self._with_valuation_context().qty_available
        return 0.0 if self.uom_id.is_zero(quantity) else self.total_value / quantity
