from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    sale_return_adopt_native = fields.Boolean(
        related='company_id.sale_return_adopt_native', readonly=False
    )
    sale_return_auto_credit = fields.Boolean(
        related='company_id.sale_return_auto_credit', readonly=False
    )
    sale_return_mail_approved = fields.Boolean(
        related='company_id.sale_return_mail_approved', readonly=False
    )
    sale_return_file_months = fields.Integer(
        related='company_id.sale_return_file_months', readonly=False
    )
    sale_return_rate = fields.Selection(related='company_id.sale_return_rate', readonly=False)
    sale_return_scrap_account_id = fields.Many2one(
        related='company_id.sale_return_scrap_account_id', readonly=False
    )
    sale_return_fee_account_id = fields.Many2one(
        related='company_id.sale_return_fee_account_id', readonly=False
    )
