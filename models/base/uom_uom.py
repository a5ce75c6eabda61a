from odoo import models

from ...tools.measure import Measure

SINGULAR = {'Units': "Unit", 'Dozens': "Dozen", 'Days': "Day", 'Hours': "Hour"}


class UomUom(models.Model):
    _inherit = 'uom.uom'

    def _get_measure(self, stock_unit, counted=True, sold=0.0):
        """Return how quantities in this unit convert to quantities in the unit of a product.

        :param stock_unit: `uom.uom` of the product; empty where there is no product.
        :param bool counted: False for products that never move through a warehouse, e.g. hours:
            they are counted in steps of the finer unit.
        :param float sold: quantity sold, in this unit. If that is not a whole number of pieces,
            quantities are not rounded to pieces.
        :rtype: Measure
        """
        digits = self.env['decimal.precision'].precision_get('Product Unit')
        ratio = 1.0
        if self and stock_unit and self != stock_unit:
            ratio = self.factor / stock_unit.factor
            if abs(ratio - round(ratio)) < 1e-9 * ratio:
                ratio = float(round(ratio))
        steps = float(10**digits)
        if not counted and ratio < 1:
            steps /= ratio
        in_pieces = abs(sold * ratio - round(sold * ratio)) < 1e-6
        return Measure(ratio, steps, digits, in_pieces)

    def _say(self, quantity):
        """Return a quantity in this unit as people say it: "1 Unit", "2.5 kg"."""
        return f"{quantity:g} {self._get_name_after(quantity)}"

    def _get_name_after(self, quantity):
        """Return the name of the unit as it is said after a quantity: 1 Unit, but 2 Units.

        Odoo's own units have one name, in the plural, which only English changes. What somebody
        has named stays as it is.
        """
        name = self.name or ""
        return SINGULAR.get(name, name) if abs(quantity) == 1 else name
