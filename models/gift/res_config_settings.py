from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    sale_return_gift = fields.Boolean(related='company_id.sale_return_gift', readonly=False)
