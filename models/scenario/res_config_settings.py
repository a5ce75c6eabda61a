from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    group_sale_return_scenario = fields.Boolean(
        string="What If",
        group='sale_return.group_manager',
        implied_group='sale_return.group_scenario',
        help="What stock, money, space and costs would have been with another return rate, other "
        "times, fees or conditions.",
    )
