from odoo import api, fields, models


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

    sale_return_message_problems = fields.Text(
        string="Messages that are not sent",
        compute='_compute_sale_return_message_problems',
        compute_sudo=True,  # whoever manages settings need not be a user of Returns
    )

    sale_return_send_notes = fields.Boolean(
        related='company_id.sale_return_send_notes', readonly=False
    )

    sale_return_portal = fields.Boolean(related='company_id.sale_return_portal', readonly=False)
    sale_return_link_days = fields.Integer(
        related='company_id.sale_return_link_days', readonly=False
    )
    sale_return_request_limit = fields.Integer(
        related='company_id.sale_return_request_limit', readonly=False
    )

    # Settings of the list of differences.
    sale_return_reconciliation_user_id = fields.Many2one(
        related='company_id.sale_return_reconciliation_user_id', readonly=False
    )
    sale_return_reconciliation_start = fields.Date(
        related='company_id.sale_return_reconciliation_start', readonly=False
    )

    # What the settings say about teams.
    sale_return_team_health = fields.Text(
        string="Teams to Complete",
        compute='_compute_sale_return_team_health',
        compute_sudo=True,  # whoever manages settings need not be a user of Returns
    )

    # === COMPUTE METHODS === #

    def _compute_sale_return_message_problems(self):
        companies = [False, *self.env.companies.ids]
        kinds = self.env['sale.return.message.kind'].search([('company_id', 'in', companies)])
        lines = [f"{kind.name}: {kind.problem}" for kind in kinds if kind.problem]
        for settings in self:
            settings.sale_return_message_problems = "\n".join(lines)

    @api.depends('company_id')
    def _compute_sale_return_team_health(self):
        for settings in self:
            teams = self.env['sale.return.team'].search(
                [('company_id', '=', settings.company_id.id)]
            )
            settings.sale_return_team_health = "\n".join(filter(None, teams.mapped('health')))
