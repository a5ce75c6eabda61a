from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    group_sale_return_channels = fields.Boolean(
        string="Sales Channels",
        group='sale_return.group_manager,account.group_account_readonly,account.group_account_invoice',
        implied_group='sale_return.group_channels',
        help="Files of marketplaces, payment providers and shops are compared with credit notes, "
        "to the cent.",
    )
