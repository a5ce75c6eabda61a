from odoo import fields, models


class SaleReturnAlertPoint(models.Model):
    """One week of what an alert is about: the evidence, and the points of its chart."""

    _name = 'sale.return.alert.point'
    _description = "Evidence of an Alert"
    _log_access = False
    _order = 'date, id'
    _rec_name = 'date'

    alert_id = fields.Many2one(
        'sale.return.alert', required=True, readonly=True, index=True, ondelete='cascade'
    )
    date = fields.Date("Week from", readonly=True)
    count = fields.Float("Came Back", readonly=True, help="In order lines; half of one is 0.5.")
    total = fields.Float("Order Lines", readonly=True)
    value = fields.Float(readonly=True, help="A rate in percent, or an amount.")
    low = fields.Float("Lower Limit", readonly=True, aggregator='avg')
    centre = fields.Float("Usual", readonly=True, aggregator='avg')
    high = fields.Float("Upper Limit", readonly=True, aggregator='avg')
