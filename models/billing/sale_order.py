from odoo import models

from ...tools.own_value import OwnValue

# What else the value of an exchange depends on, beside its lines.
PRICED = frozenset({'currency_id', 'fiscal_position_id', 'order_line', 'pricelist_id'})


class SaleOrder(models.Model):
    """Terms of exchanges that a manager of Returns changes."""

    _inherit = 'sale.order'

    def write(self, vals):
        """Extend to count what an exchange costs less by its terms, all changes together.

        :raise UserError: see `sale.return.unbacked`.
        """
        if self.env.su or PRICED.isdisjoint(vals):
            return super().write(vals)
        with self.env['sale.return.billing']._count_prices(self):
            return super(SaleOrder, self._with_prices_counted()).write(vals)

    def _recompute_prices(self):
        """Override of `sale` to count what new prices give away once: Odoo writes in steps."""
        if self.env.su:
            return super()._recompute_prices()
        with self.env['sale.return.billing']._count_prices(self):
            return super(SaleOrder, self._with_prices_counted())._recompute_prices()

    def _with_prices_counted(self):
        """Return these orders for changes that are counted as a whole."""
        # The value is one that no client can send.
        return self.with_context(sale_return_prices_counted=OwnValue(True))
