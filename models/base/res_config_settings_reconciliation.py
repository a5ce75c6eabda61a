from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    """Settings of the list of differences."""

    _inherit = 'res.config.settings'

    sale_return_reconciliation_user_id = fields.Many2one(
        related='company_id.sale_return_reconciliation_user_id', readonly=False
    )
    sale_return_reconciliation_start = fields.Date(
        related='company_id.sale_return_reconciliation_start', readonly=False
    )
