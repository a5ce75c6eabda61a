from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    sale_return_portal = fields.Boolean(related='company_id.sale_return_portal', readonly=False)
    sale_return_link_days = fields.Integer(
        related='company_id.sale_return_link_days', readonly=False
    )
    sale_return_request_limit = fields.Integer(
        related='company_id.sale_return_request_limit', readonly=False
    )
