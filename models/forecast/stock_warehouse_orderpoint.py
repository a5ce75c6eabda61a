from odoo import api, fields, models
from odoo.tools import float_round


class StockWarehouseOrderpoint(models.Model):
    _name = 'stock.warehouse.orderpoint'
    _inherit = ['stock.warehouse.orderpoint', 'sale.return.owned']

    sale_return_forecast = fields.Boolean(
        "Count Expected Returns",
        help="Order less by what is expected to come back from customers, fit for sale, until the "
        "goods ordered now would arrive.",
    )
    sale_return_expected = fields.Float(
        "Expected Returns",
        compute='_compute_sale_return_expected',
        digits='Product Unit',
        help="What is expected to come back from customers, fit for sale, until the goods ordered "
        "now would arrive. It is only counted where the rule says so.",
    )

    @api.model
    def _get_sale_return_writers(self):
        """Override of `sale.return.owned`: who sets up the rules says what they count."""
        return {'sale_return_forecast': 'stock.group_stock_manager'}

    @api.depends('product_id', 'location_id')
    def _compute_sale_return_expected(self):
        expected = self._get_expected_returns()
        for orderpoint in self:
            orderpoint.sale_return_expected = expected.get(orderpoint.id, 0.0)

    @api.depends('sale_return_forecast')
    def _compute_qty_to_order_computed(self):
        return super()._compute_qty_to_order_computed()

    def _quantity_in_progress(self):
        """Override of `stock` to count what is expected back as if it were on its way."""
        result = super()._quantity_in_progress()
        counted = self.filtered('sale_return_forecast')
        for orderpoint_id, quantity in counted._get_expected_returns().items():
            result[orderpoint_id] += quantity
        return result

    def _get_expected_returns(self):
        """Return what is expected back until the lead time is over, never less than nothing.

        In whole units, rounded down: half a unit expected back must not be missing in stock. Goods
        come back to the stock of their warehouse, so that rules of other locations get nothing.

        :rtype: dict
        """
        if not self or not self.env['sale.return.watch']._is_on():
            return {}
        rules = self.filtered(
            lambda rule: (
                rule.product_id
                and rule.location_id == rule.warehouse_id.lot_stock_id
                and rule.lead_horizon_date
            )
        )
        if not rules:
            return {}
        # sudo: who orders goods need not have a role in Returns; they learn one number.
        groups = (
            self.env['sale.return.forecast']
            .sudo()
            ._read_group(
                [
                    ('product_id', 'in', rules.product_id.ids),
                    ('warehouse_id', 'in', rules.warehouse_id.ids),
                    ('company_id', 'in', rules.company_id.ids),
                    # The first day that any of the companies has.
                    ('date', '>=', min(c._get_sale_return_day() for c in rules.company_id)),
                ],
                ['product_id', 'warehouse_id', 'date:day'],
                ['saleable:sum'],
            )
        )
        weeks = {}
        for product, warehouse, date, saleable in groups:
            weeks.setdefault((product, warehouse), []).append((date, saleable))
        result = {}
        for rule in rules:
            # A week that is not over by then counts for the days of it.
            quantity = sum(
                saleable * min(max((rule.lead_horizon_date - date).days / 7, 0.0), 1.0)
                for date, saleable in weeks.get((rule.product_id, rule.warehouse_id), ())
            )
            result[rule.id] = max(
                float_round(
                    quantity,
                    precision_rounding=max(rule.product_uom.rounding, 1.0),
                    rounding_method='DOWN',
                ),
                0.0,
            )
        return result
