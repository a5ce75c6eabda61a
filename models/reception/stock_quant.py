from odoo import models


class StockQuant(models.Model):
    _inherit = 'stock.quant'

    def _compute_value(self):
        """Override of `stock_account` to share the value of a product among all its valued stock.

        Odoo divides the value by the quantity in warehouses. The quarantine is outside of them but
        valued, so goods in warehouses would get its value, too.
        """
        result = super()._compute_value()
        valued = self.filtered(
            lambda quant: (
                quant.product_id and quant._is_valued() and not quant.product_id.lot_valuated
            )
        )
        for company, quants in valued.grouped('company_id').items():
            averages = quants.product_id.with_company(company)._get_average_values()
            for quant in quants:
                quant.value = quant.quantity * averages[quant.product_id.id]
        return result

    def _is_valued(self):
        """Tell whether the stock is ours and in a place whose stock is valued."""
        self.ensure_one()
        return bool(
            self.location_id._should_be_valued() and not self._should_exclude_for_valuation()
        )
