from odoo import models


class SaleOrderLine(models.Model):
    """Room: inspection. Orders that are lowered while a replacement waits to be delivered."""

    _inherit = 'sale.order.line'

    def _action_launch_stock_rule(self, *, previous_product_uom_qty=False):
        """Override of `sale_stock` to cancel replacements that are no longer wanted."""
        result = super()._action_launch_stock_rule(
            previous_product_uom_qty=previous_product_uom_qty
        )
        previous = previous_product_uom_qty or {}
        for line in self.filtered(lambda line: line.id in previous and line._get_return_lines()):
            if line._get_return_measure().compare(line.product_uom_qty, previous[line.id]) < 0:
                line._get_return_lines()._give_up_replacements(line._get_qty_beyond_order())
        return result

    def _get_qty_beyond_order(self):
        """Return what the customer will have in the end beyond the order.

        :return: a quantity in the unit of the line, replacements under way included.
        :rtype: float
        """
        self.ensure_one()
        returns = self._get_return_lines()
        planned = self._get_qty_planned() + sum(
            line._get_qty_replacement_planned() for line in returns
        )
        back = self._get_qty_back() + sum(returns.mapped('qty_held'))
        return self._get_return_measure().round(max(planned - back - self.product_uom_qty, 0.0))
