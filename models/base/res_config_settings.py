from odoo import api, fields, models
from odoo.exceptions import UserError

# Roles that see the statistics and the records of returns.
READERS = 'sale_return.group_user,account.group_account_readonly,account.group_account_invoice'

# Records that must not exist when a part is switched off, as they would continue to work unseen.
SWITCHED = {
    'group_sale_return_levels': ('sale.return.approval.level', []),
    'group_sale_return_teams': ('sale.return.team', [('everybody', '=', False)]),
    'group_sale_return_checklists': ('sale.return.checklist', []),
}


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    # Switches: off hides the part from everybody. None of them switches off a guard, the log,
    # discrepancies, the approval of credits without goods, or the clock of the default team. The
    # form describes each part beside its switch.
    group_sale_return_bench = fields.Boolean(
        string="Returns Bench",
        group='sale_return.group_user',
        implied_group='sale_return.group_bench',
    )
    group_sale_return_desk = fields.Boolean(
        string="Work at the Bench",
        group='sale_return.group_inspector',
        implied_group='sale_return.group_desk',
        help="Follows the switch of the bench: a switch shows one part to one set of roles.",
    )
    group_sale_return_levels = fields.Boolean(
        string="Levels of Approval",
        group='sale_return.group_approver',
        implied_group='sale_return.group_levels',
    )
    group_sale_return_teams = fields.Boolean(
        string="Own Teams",
        group='sale_return.group_user',
        implied_group='sale_return.group_teams',
    )
    group_sale_return_checklists = fields.Boolean(
        string="Checklists",
        group='sale_return.group_user',
        implied_group='sale_return.group_checklists',
    )
    group_sale_return_statistics = fields.Boolean(
        string="Supplier Quality and Statistics",
        group=READERS,
        implied_group='sale_return.group_statistics',
    )
    group_sale_return_records = fields.Boolean(
        string="Records and Audit",
        group=READERS,
        implied_group='sale_return.group_records',
    )

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

    sale_return_second_person_above = fields.Monetary(
        related='company_id.sale_return_second_person_above',
        readonly=False,
        currency_field='currency_id',
    )
    sale_return_period_days = fields.Integer(
        related='company_id.sale_return_period_days', readonly=False
    )
    sale_return_unbacked_agent_limit = fields.Monetary(
        related='company_id.sale_return_unbacked_agent_limit',
        readonly=False,
        currency_field='currency_id',
    )
    sale_return_unbacked_customer_limit = fields.Monetary(
        related='company_id.sale_return_unbacked_customer_limit',
        readonly=False,
        currency_field='currency_id',
    )
    sale_return_unbacked_order_limit = fields.Monetary(
        related='company_id.sale_return_unbacked_order_limit',
        readonly=False,
        currency_field='currency_id',
    )

    sale_return_message_problems = fields.Text(
        string="Messages that are not sent",
        compute='_compute_sale_return_message_problems',
        compute_sudo=True,  # users who manage settings need not be users of Returns
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

    # Settings of teams.
    sale_return_team_health = fields.Text(
        string="Teams to Complete",
        compute='_compute_sale_return_team_health',
        compute_sudo=True,  # users who manage settings need not be users of Returns
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

    # === BUSINESS METHODS === #

    def set_values(self):
        """Override of `base` to keep a part visible while its records are still in use.

        :raise UserError: when such a part is switched off.
        """
        before = self.default_get(list(SWITCHED))
        for name, (model, domain) in SWITCHED.items():
            if self[name] or not before.get(name):
                continue
            # sudo: all companies share the switch, including those the user does not see. Settings
            # are saved in a context that includes archived records.
            records = self.env[model].sudo().with_context(active_test=True)
            count = records.search_count(domain)
            if count:
                raise UserError(
                    self.env._(
                        "“%(part)s” cannot be switched off: %(count)s of its records are in use"
                        " and would continue to work unseen. Archive them first.",
                        part=self._fields[name]._description_string(self.env),
                        count=count,
                    )
                )
        self.group_sale_return_desk = self.group_sale_return_bench
        return super().set_values()
