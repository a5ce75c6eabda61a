from odoo import fields, models


class SaleReturnForecastWeek(models.Model):
    """One week of a company: what was expected back, and of past weeks what came."""

    _name = 'sale.return.forecast.week'
    _description = "Week of a Forecast"
    _log_access = False
    _order = 'date, id'
    _rec_name = 'date'

    run_id = fields.Many2one(
        'sale.return.forecast.run', required=True, readonly=True, index=True, ondelete='cascade'
    )
    date = fields.Date("Week from", required=True, readonly=True)
    is_past = fields.Boolean("Past", readonly=True)
    expected = fields.Float("Expected Back", readonly=True, help="In units, of all products.")
    from_shipped = fields.Float("Of What Was Sold", readonly=True)
    from_planned = fields.Float("Of What Will Be Sold", readonly=True)
    low = fields.Float("At Least", readonly=True, aggregator=None)
    high = fields.Float("At Most", readonly=True, aggregator=None)
    actual = fields.Float(
        "Came Back", readonly=True, help="Of past weeks, which were foreseen eight weeks ago."
    )
