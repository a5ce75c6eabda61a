from odoo import api, fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    sale_return_store_credit = fields.Boolean(
        related='company_id.sale_return_store_credit', readonly=False
    )
    sale_return_store_credit_account_id = fields.Many2one(
        related='company_id.sale_return_store_credit_account_id', readonly=False
    )
    sale_return_store_credit_bonus = fields.Float(
        related='company_id.sale_return_store_credit_bonus', readonly=False
    )
    sale_return_store_credit_bonus_account_id = fields.Many2one(
        related='company_id.sale_return_store_credit_bonus_account_id', readonly=False
    )
    sale_return_store_credit_problem = fields.Char(
        string="Missing for Store Credit", compute='_compute_sale_return_store_credit_problem'
    )

    @api.depends(
        'sale_return_store_credit',
        'sale_return_store_credit_account_id',
        'sale_return_store_credit_bonus',
        'sale_return_store_credit_bonus_account_id',
    )
    def _compute_sale_return_store_credit_problem(self):
        service = self.env['sale.return.wallet']
        for settings in self:
            settings.sale_return_store_credit_problem = (
                settings.sale_return_store_credit
                and service._find_problem(settings.company_id, settings.company_id.currency_id)
            )
