from odoo import api, fields, models

from ...tools.reader import iso_day, needed, reads

BASES = [
    ('product', "Its own returns"),
    ('category', "Its category"),
    ('company', "All products"),
]


class SaleReturnForecast(models.Model):
    """Units of one product that are expected back at one warehouse in one of the coming weeks."""

    _name = 'sale.return.forecast'
    _description = "Forecast of Returns"
    _log_access = False
    _order = 'date, expected desc, id'
    _rec_name = 'product_id'

    run_id = fields.Many2one(
        'sale.return.forecast.run', required=True, readonly=True, index=True, ondelete='cascade'
    )
    company_id = fields.Many2one(
        'res.company', required=True, readonly=True, index=True, ondelete='cascade'
    )
    product_id = fields.Many2one(
        'product.product', required=True, readonly=True, index=True, ondelete='cascade'
    )
    categ_id = fields.Many2one(related='product_id.categ_id')
    warehouse_id = fields.Many2one('stock.warehouse', readonly=True, ondelete='cascade')
    date = fields.Date("Week from", required=True, readonly=True)
    week = fields.Integer(
        "Weeks Ahead", readonly=True, aggregator=None, help="The first one begins today."
    )
    expected = fields.Float("Expected Back", readonly=True, help="In the unit of the product.")
    from_shipped = fields.Float(
        "Of What Was Sold", readonly=True, help="Of goods that were sold by now."
    )
    from_planned = fields.Float(
        "Of What Will Be Sold",
        readonly=True,
        help="Of goods that are sold until then, if as many are sold as in the last eight weeks.",
    )
    low = fields.Float(
        "At Least", readonly=True, aggregator=None, help="In nine of ten cases more come back."
    )
    high = fields.Float(
        "At Most", readonly=True, aggregator=None, help="In nine of ten cases fewer come back."
    )
    saleable = fields.Float(
        "Fit for Sale",
        readonly=True,
        help="Of goods that were sold by now, what is expected to be put back into stock, as much "
        "of it as in the past.",
    )
    basis = fields.Selection(
        BASES,
        "Known from",
        readonly=True,
        help="When the goods come back: a product of which fewer than 30 order lines came back "
        "follows its category, and a category all products.",
    )
    returned_lines = fields.Float(
        readonly=True,
        aggregator=None,
        help="Order lines of the product that came back in two years: with few of them it is "
        "expected to come back as often as its group.",
    )

    @api.model
    @reads(date_from=needed(iso_day, 'day'), date_to=needed(iso_day, 'day'))
    def get_expected_receipts(self, date_from, date_to):
        """Return what is expected at each warehouse, for the plan of the dock.

        Override to add what is announced otherwise, e.g. parcels on their way.

        :param date_from: first day (or text).
        :param date_to: last day; weeks that begin between the two are returned.
        :return: list of `{'date', 'warehouse_id', 'expected'}` in units, of the companies of the
            user; `warehouse_id` is False where it is not known.
        :rtype: list
        :raise AccessError: if the user has no role in Returns.
        """
        self.check_access('read')
        groups = self._read_group(
            [('date', '>=', date_from), ('date', '<=', date_to)],
            ['date:day', 'warehouse_id'],
            ['expected:sum'],
            order='date:day, warehouse_id',
        )
        return [
            {
                'date': fields.Date.to_string(date),
                'warehouse_id': warehouse.id,
                'expected': expected,
            }
            for date, warehouse, expected in groups
        ]
