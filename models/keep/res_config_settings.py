from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    group_sale_return_keep = fields.Boolean(
        string="Returnless Rules",
        group='sale_return.group_user',
        implied_group='sale_return.group_keep',
        help=(
            "Rules determine which goods customers keep, and offer them a part of the price for it."
        ),
    )
