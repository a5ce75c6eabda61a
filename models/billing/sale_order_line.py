from odoo import models

from ...tools.context import get_own

# What the price of an exchange depends on; others than managers cannot change it at all. Odoo
# finds a price anew for another quantity.
PRICED = frozenset({'discount', 'price_unit', 'product_uom_qty', 'tax_ids'})


class SaleOrderLine(models.Model):
    """Prices of exchanges that a manager of Returns changes."""

    _inherit = 'sale.order.line'

    def write(self, vals):
        """Extend to count lower prices of exchanges in the budget of credits without goods.

        :raise UserError: see `sale.return.unbacked`.
        """
        counted = get_own(self.env, 'sale_return_prices_counted')
        if self.env.su or counted or PRICED.isdisjoint(vals):
            return super().write(vals)
        with self.env['sale.return.billing']._count_prices(self.order_id):
            return super().write(vals)
