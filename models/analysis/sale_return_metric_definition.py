from odoo import fields, models


class SaleReturnMetricDefinition(models.Model):
    """One definition per metric: what is counted, relative to what, by which date and age."""

    _name = 'sale.return.metric.definition'
    _description = "Return Metric"
    _order = 'page, sequence, id'

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True, help="Name of the field or method that provides it.")
    sequence = fields.Integer(default=10)
    page = fields.Selection(
        [
            ('1_overview', "Overview"),
            ('2_why', "Why"),
            ('3_what', "What"),
            ('4_who', "Who"),
            ('5_supply', "Supply"),
            ('6_flow', "Flow"),
            ('7_money', "Money"),
            ('8_quarantine', "Quarantine"),
        ],
        required=True,
        help="Where it is shown first.",
    )
    definition = fields.Text(required=True, translate=True, help="Numerator and denominator.")
    date_basis = fields.Char(translate=True, help="Date by which it is assigned to a period.")
    maturity = fields.Char(translate=True, help="Age from which the figure is meaningful.")
    unit = fields.Char(required=True, translate=True)
    exclusions = fields.Char(translate=True, help="What it leaves out.")

    _code_unique = models.UniqueIndex('(code)', "This metric is already defined.")
