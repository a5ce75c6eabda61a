from odoo import api, fields, models, tools
from odoo.fields import Command

# Fields that say to which returns a team belongs.
MATCH_FIELDS = ('active', 'sequence', 'company_id', 'warehouse_id', 'sales_team_id')


class SaleReturnTeam(models.Model):
    """Who works on which returns, who owns each step, and how long it may take.

    `sale_return_team_plan.py` says by when and by whom, `sale_return_team_health.py` what is
    incomplete.
    """

    _name = 'sale.return.team'
    _inherit = ['sale.return.cached', 'sale.return.shared']
    _description = "Return Team"
    _order = 'sequence, id'
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    color = fields.Integer()
    company_id = fields.Many2one(
        'res.company', required=True, index=True, default=lambda self: self.env.company
    )
    warehouse_id = fields.Many2one(
        'stock.warehouse',
        check_company=True,
        index='btree_not_null',
        ondelete='restrict',
        help="Returns received here are the team's. Empty: those of every warehouse that has no "
        "team of its own.",
    )
    sales_team_id = fields.Many2one(
        'crm.team',
        check_company=True,
        index='btree_not_null',
        ondelete='restrict',
        help="Only returns of orders of this sales team. Empty: of all.",
    )
    leader_id = fields.Many2one(
        'res.users',
        domain="[('share', '=', False)]",
        index='btree_not_null',
        ondelete='set null',
        help="Is told of steps that stay undone, and takes those that no member may.",
    )
    member_ids = fields.Many2many('res.users', string="Members", domain="[('share', '=', False)]")
    assignment = fields.Selection(
        [('balanced', "Who has the least to do"), ('turn', "In turn")],
        required=True,
        default='balanced',
        help="Who of the members gets the next step. Only members whose role allows the step are "
        "asked, in the order in which their users were created.",
    )
    resource_calendar_id = fields.Many2one(
        'resource.calendar',
        string="Working Times",
        check_company=True,
        index='btree_not_null',
        ondelete='restrict',
        help="Deadlines count these hours and days. Empty: those of the company.",
    )
    step_ids = fields.One2many('sale.return.team.step', 'team_id', string="Steps", copy=True)
    open_count = fields.Integer(string="Open Steps", compute='_compute_counts')
    late_count = fields.Integer(string="Late Steps", compute='_compute_counts')

    # === COMPUTE METHODS === #

    def _compute_counts(self):
        Deadline = self.env['sale.return.deadline']
        domain = [('team_id', 'in', self.ids), ('state', 'in', ('open', 'paused'))]
        opened = dict(Deadline._read_group(domain, ['team_id'], ['__count']))
        late = dict(Deadline._read_group([*domain, ('late', '=', True)], ['team_id'], ['__count']))
        for team in self:
            team.open_count = opened.get(team, 0)
            team.late_count = late.get(team, 0)

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `base` to give new teams the usual steps."""
        defaults = [
            Command.create(vals) for vals in self.env['sale.return.team.step']._get_defaults()
        ]
        return super().create(
            [{**vals, 'step_ids': vals.get('step_ids', defaults)} for vals in vals_list]
        )

    def _is_cached(self, name):
        """Override of `sale.return.cached`: returns find their teams by some fields."""
        return name in MATCH_FIELDS

    # === ACTION METHODS === #

    def action_view_deadlines(self):
        """Show the open steps of a team."""
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id(
            'sale_return.sale_return_deadline_action'
        )
        return {**action, 'context': {'search_default_team_id': self.id}}

    # === WHICH === #

    @api.model
    @tools.ormcache()
    def _get_match_table(self):
        """Return which team takes what, the most particular first.

        Kept in the cache of the registry: without teams a return costs no query.

        :return: `(company, warehouse or None, sales team or None, team)`, all as ids; None where
            there never was a team.
        :rtype: tuple | None
        """
        teams = self.sudo().with_context(active_test=False).search([])
        if not teams:
            return None
        teams = teams.filtered('active').sorted(
            lambda team: (not team.warehouse_id, not team.sales_team_id, team.sequence, team.id)
        )
        return tuple(
            (
                team.company_id.id,
                team.warehouse_id.id or None,
                team.sales_team_id.id or None,
                team.id,
            )
            for team in teams
        )

    @api.model
    def _is_used(self):
        """Tell whether there are teams, archived ones included: their steps may be open."""
        return self._get_match_table() is not None

    @api.model
    def _find_for(self, returns):
        """Say which team takes which return: the first that matches, particular ones first.

        Override to match by more.

        :param returns: `sale.return`
        :return: `{return: team}`, empty teams where none matches.
        :rtype: dict
        """
        table = self._get_match_table() or ()
        by_sales_team = any(sales_team for _company, _warehouse, sales_team, _team in table)
        found = {}
        for sale_return in returns:
            sales_team = by_sales_team and sale_return.line_ids.order_id.team_id[:1].id
            found[sale_return] = self.browse(
                next(
                    (
                        team
                        for company, warehouse, wanted, team in table
                        if company == sale_return.company_id.id
                        and warehouse in (None, sale_return.warehouse_id.id)
                        and wanted in (None, sales_team)
                    ),
                    [],
                )
            )
        return found
