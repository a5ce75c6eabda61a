from odoo import api, fields, models

from .res_company import SETTINGS_GROUP


class ResCompany(models.Model):
    _inherit = 'res.company'

    sale_return_send_notes = fields.Boolean(
        string="Send Credit Notes Automatically",
        help="A posted credit note of a return goes to the customer the way his invoices do (mail, "
        "e-invoice network, ...), if its invoice was sent. Odoo's scheduled job does it.",
        groups='base.group_user',
    )

    @api.model
    def _get_sale_return_writers(self):
        """Extend by the setting that sends notes."""
        return super()._get_sale_return_writers() | dict.fromkeys(
            ('sale_return_send_notes',),
            SETTINGS_GROUP,
        )
