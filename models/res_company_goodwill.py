from odoo import fields, models


class ResCompany(models.Model):
    _inherit = 'res.company'

    sale_return_goodwill_agent_limit = fields.Monetary(
        string="Goodwill per Agent and Month",
        help="What each user of Returns may grant in a calendar month, tax included. 0: every "
        "goodwill takes a manager.",
        groups='base.group_user',
    )
    sale_return_goodwill_customer_limit = fields.Monetary(
        string="Goodwill per Customer and Year",
        help="What each customer may be granted within twelve months, tax included, without a "
        "manager. 0: no limit.",
        groups='base.group_user',
    )
