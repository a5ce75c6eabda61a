from odoo import api, fields, models

from .res_company import SETTINGS_GROUP


class ResCompany(models.Model):
    """What customers may do by themselves."""

    _inherit = 'res.company'

    sale_return_portal = fields.Boolean(
        string="Requests by Customers",
        default=True,
        help="Customers ask for returns themselves: from their orders and by links in mails.",
    )
    sale_return_link_days = fields.Integer(
        string="Links Work for",
        default=60,
        help="Days after which links in mails to customers open nothing any more. They can have a "
        "new one sent to them.",
    )
    sale_return_request_limit = fields.Integer(
        string="Open Requests per Customer",
        default=10,
        help="A customer with as many returns under way that he asked for himself has to wait "
        "before he asks for another one. 0: no limit.",
    )

    _sale_return_portal_positive = models.Constraint(
        'CHECK (COALESCE(sale_return_link_days, 1) > 0'
        ' AND COALESCE(sale_return_request_limit, 0) >= 0)',
        "Links to returns work for at least one day, and the limit of requests is not negative.",
    )

    @api.model
    def _get_sale_return_writers(self):
        """Extend by the settings of the portal."""
        return super()._get_sale_return_writers() | dict.fromkeys(
            (
                'sale_return_portal',
                'sale_return_link_days',
                'sale_return_request_limit',
            ),
            SETTINGS_GROUP,
        )
