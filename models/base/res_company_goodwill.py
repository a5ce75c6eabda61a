from odoo import api, fields, models

from .res_company import SETTINGS_GROUP


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

    @api.model
    def _get_sale_return_writers(self):
        """Extend by the limits of goodwill in the settings."""
        return super()._get_sale_return_writers() | dict.fromkeys(
            (
                'sale_return_goodwill_agent_limit',
                'sale_return_goodwill_customer_limit',
            ),
            SETTINGS_GROUP,
        )
