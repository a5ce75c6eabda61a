from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    sale_return_goodwill_agent_limit = fields.Monetary(
        related='company_id.sale_return_goodwill_agent_limit',
        readonly=False,
        currency_field='currency_id',
    )
    sale_return_goodwill_customer_limit = fields.Monetary(
        related='company_id.sale_return_goodwill_customer_limit',
        readonly=False,
        currency_field='currency_id',
    )
