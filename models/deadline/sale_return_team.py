from datetime import UTC, timedelta

from odoo import api, fields, models, tools
from odoo.fields import Command

from ...const import CUSTOMER_STEPS
from ...tools import deadline as clock
from ...tools.deadline import find_circle
from ...tools.languages import name_in_each_language

# Fields that decide which returns a team takes.
MATCH_FIELDS = ('active', 'sequence', 'company_id', 'warehouse_id', 'sales_team_id')

# Role in Returns that a user needs to take a step; for the other steps any role will do.
STEP_GROUPS = {
    'decide': 'group_approver',
    'receive': 'group_inspector',
    'inspect': 'group_inspector',
}

# The default team comes after all others of its company.
DEFAULT_SEQUENCE = 1000

# Number of days around a step for which working times are read at once.
HORIZON = 90


class SaleReturnTeam(models.Model):
    """Who works on which returns, who owns each step, and how long it may take.

    `sale_return_team_plan.py` plans due times and owners, `sale_return_team_health.py` checks what
    is incomplete.
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
        help=(
            "The team handles returns received here. Empty: those of every warehouse without its "
            "own team."
        ),
    )
    sales_team_id = fields.Many2one(
        'crm.team',
        check_company=True,
        index='btree_not_null',
        ondelete='restrict',
        help="Only returns of orders of this sales team. Empty: of all sales teams.",
    )
    leader_id = fields.Many2one(
        'res.users',
        domain="[('share', '=', False)]",
        index='btree_not_null',
        ondelete='set null',
        help="Is notified of overdue steps, and takes those that no member may take.",
    )
    member_ids = fields.Many2many('res.users', string="Members", domain="[('share', '=', False)]")
    everybody = fields.Boolean(
        help=(
            "Steps have no fixed owner: any user with the role can take them, and the overview "
            "shows late ones. Rows with an owner go to their owner."
        ),
    )
    assignment = fields.Selection(
        [('balanced', "Who has the least to do"), ('turn', "In turn")],
        required=True,
        default='balanced',
        help=(
            "Which member gets the next step. Only members whose role allows the step are "
            "considered, in the order in which their users were created."
        ),
    )
    resource_calendar_id = fields.Many2one(
        'resource.calendar',
        string="Working Times",
        check_company=True,
        index='btree_not_null',
        ondelete='restrict',
        help="Deadlines count these working hours and days. Empty: those of the company.",
    )
    step_ids = fields.One2many('sale.return.team.step', 'team_id', string="Steps", copy=True)
    open_count = fields.Integer(string="Open Steps", compute='_compute_counts')
    late_count = fields.Integer(string="Late Steps", compute='_compute_counts')

    # Sentences about what is incomplete in a team; meanwhile returns use safe defaults.
    health = fields.Text(
        string="To Complete", compute='_compute_health', help="What is missing in this team."
    )

    # === COMPUTE METHODS === #

    def _compute_counts(self):
        Deadline = self.env['sale.return.deadline']
        domain = [('team_id', 'in', self.ids), ('state', 'in', ('open', 'paused'))]
        opened = dict(Deadline._read_group(domain, ['team_id'], ['__count']))
        late = dict(Deadline._read_group([*domain, ('late', '=', True)], ['team_id'], ['__count']))
        for team in self:
            team.open_count = opened.get(team, 0)
            team.late_count = late.get(team, 0)

    @api.depends(
        'active',
        'everybody',
        'leader_id',
        'member_ids',
        'company_id',
        'resource_calendar_id',
        'step_ids.step',
        'step_ids.user_id',
    )
    def _compute_health(self):
        for team in self:
            # sudo: managers of Returns need not read users of other departments.
            team.health = "\n".join(team.sudo()._get_defects()) or False

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
        """Override of `sale.return.cached`: some fields decide which returns find which team."""
        return name in MATCH_FIELDS

    @api.model
    def _create_default(self, companies):
        """Give companies the team that takes every return that no other team takes.

        It has due times but no members: late steps are shown, but nobody is notified.

        :param companies: `res.company`
        :return: the new teams.
        :rtype: sale.return.team
        """
        steps = [
            {**vals, **dict.fromkeys(('remind_before', 'remind_after', 'escalate_after'), 0)}
            for vals in self.env['sale.return.team.step']._get_defaults()
        ]
        teams = self.create(
            [
                {
                    'name': self.env._("Everybody"),
                    'company_id': company.id,
                    'everybody': True,
                    'sequence': DEFAULT_SEQUENCE,
                    'step_ids': [Command.create(vals) for vals in steps],
                }
                for company in companies
            ]
        )
        name_in_each_language(teams, lambda teams: [teams.env._("Everybody")] * len(teams))
        return teams

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
        """Return which team takes what, the most specific first.

        Kept in the cache of the registry: without teams a return costs no query.

        :return: `(company, warehouse or None, sales team or None, team)`, all as ids; None if there
            never was a team.
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
        """Return which team takes which return: the first that matches, specific ones first.

        Override to match by more conditions.

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

    # === PLAN === #

    # When a step of a team is due, and who takes it.

    def _get_step(self, step):
        """Return what the team has set up for a step.

        :param str step: a code of `const.STEPS`.
        :rtype: sale.return.team.step
        """
        self.ensure_one()
        return self.step_ids.filtered(lambda row: row.step == step)

    # === WHEN === #

    def _get_calendar(self):
        """Return the working times of the team; none where they have no hours.

        :rtype: resource.calendar
        """
        self.ensure_one()
        calendar = self.resource_calendar_id or self.company_id.resource_calendar_id
        return calendar if calendar.attendance_ids else calendar.browse()

    def _get_zone(self):
        """Return the name of the time zone in which the team's days begin and end."""
        self.ensure_one()
        return self._get_calendar().tz or self.company_id._get_sale_return_timezone()

    def _get_intervals(self, start):
        """Return the working times around a moment, without the days off of the calendar.

        Read once for all steps that begin together: `resource.calendar.plan_hours` asks for them at
        each call, which for three times of each of 500 returns takes 3,000 queries and 3.8 seconds
        instead of 9 queries and 0.05 seconds. The results are the same; a test compares them.

        :param datetime start: naive, in UTC.
        :return: `[(start, stop)]` in order, naive in UTC; empty without working hours.
        :rtype: list
        """
        self.ensure_one()
        calendar = self._get_calendar()
        if not calendar:
            return []
        around = timedelta(days=HORIZON)
        begin = start.replace(tzinfo=UTC)
        intervals = calendar._work_intervals_batch(begin - around, begin + around)[False]
        return [
            (
                begin.astimezone(UTC).replace(tzinfo=None),
                stop.astimezone(UTC).replace(tzinfo=None),
            )
            for begin, stop, _meta in intervals
        ]

    def _plan_due(self, step, start, intervals):
        """Return when a step that begins is due.

        Without working times, and beyond the days read, all hours and days count.

        :param step: `sale.return.team.step`
        :param datetime start: naive, in UTC.
        :param list intervals: see `_get_intervals`.
        :rtype: datetime
        """
        self.ensure_one()
        zone = self._get_zone()
        if step.unit == 'hours':
            moment = clock.advance(intervals, start, step.duration)
            return moment or start + timedelta(hours=step.duration)
        days = max(round(step.duration), 1)
        day = clock.local_day(start, zone) + timedelta(days=days)
        return clock.close_of_day(intervals, start, days, zone) or clock.last_moment(day, zone)

    def _plan_reminders(self, step, limit, intervals):
        """Return when somebody is reminded of a step, based on the working times of the team.

        :param datetime limit: when the step is due, naive in UTC.
        :return: `{'date_before', 'date_after', 'date_escalate'}`, False for what is switched off.
        :rtype: dict
        """
        self.ensure_one()

        def shift(method, sign, hours):
            if not hours:
                return False
            return method(intervals, limit, hours) or limit + sign * timedelta(hours=hours)

        return {
            'date_before': shift(clock.retreat, -1, step.remind_before),
            'date_after': shift(clock.advance, 1, step.remind_after),
            'date_escalate': shift(clock.advance, 1, step.escalate_after),
        }

    # === WHO === #

    def _is_able(self, user, step):
        """Tell whether a user can take a step: active, of the company, with the role for it.

        :param user: `res.users`
        :param str step: a code of `const.STEPS`.
        :rtype: bool
        """
        self.ensure_one()
        user = user.sudo()  # it is no secret here who belongs to which company
        return bool(
            user
            and user.active
            and not user.share
            and self.company_id in user.company_ids
            and user.has_group(f'sale_return.{STEP_GROUPS.get(step, "group_user")}')
        )

    def _get_candidates(self, step):
        """Return who may take a step: its owner, else the members who can, else the leader.

        :param str step: a code of `const.STEPS`.
        :rtype: res.users
        """
        self.ensure_one()
        owner = self._get_step(step).user_id
        people = () if self.everybody else (self.member_ids, self.leader_id)
        for users in (owner, *people):
            if able := users.filtered(lambda user: self._is_able(user, step)):
                return able.sorted('id')
        return self.env['res.users']

    @api.model
    def _assign(self, todo):
        """Return who takes which step: by least load or in turn, ties by id (deterministic).

        :param list todo: `(return, code of a step)`; the returns have teams.
        :return: `{(return, step): user}`, an empty user where nobody can.
        :rtype: dict
        """
        candidates = {}
        for sale_return, step in todo:
            team = sale_return.team_id
            if (team, step) not in candidates:
                candidates[team, step] = team._get_candidates(step)
        users = self.env['res.users'].union(*candidates.values())
        loads = self._get_loads(users) if users else {}
        turns = self._get_turns(key for key in candidates if key[0].assignment == 'turn')
        result = {}
        for sale_return, step in todo:
            team = sale_return.team_id
            user = self._pick(sale_return, step, candidates[team, step], loads, turns)
            result[sale_return, step] = user
            if user and step not in CUSTOMER_STEPS:
                loads[user.id] = loads.get(user.id, 0) + 1
            turns[team.id, step] = user.id or turns.get((team.id, step))
        return result

    @api.model
    def _pick(self, sale_return, step, candidates, loads, turns):
        """Return who of the candidates takes a step of a return. Override to choose differently."""
        if step == 'decide':
            candidates = sale_return._get_possible_deciders(candidates)
        team = sale_return.team_id
        if step == 'follow_up' and not team._get_step(step).user_id:
            # The salesperson follows up with the customer.
            seller = sale_return.follow_up_user_id
            candidates = seller if team._is_able(seller, step) else candidates
        if not candidates:
            return candidates
        if team.assignment == 'turn':
            return candidates.browse(clock.pick_next(candidates.ids, turns.get((team.id, step))))
        return candidates.browse(clock.pick_least_loaded(candidates.ids, loads))

    @api.model
    def _get_loads(self, users):
        """Return how many open steps each user has, `{user id: count}`."""
        return {
            user.id: count
            for user, count in self.env['sale.return.deadline']
            .sudo()
            ._read_group(
                [
                    ('user_id', 'in', users.ids),
                    ('state', '=', 'open'),
                    ('step', 'not in', CUSTOMER_STEPS),
                ],
                ['user_id'],
                ['__count'],
            )
        }

    @api.model
    def _get_turns(self, keys):
        """Return who had the last turn.

        :param keys: `(team, code of a step)`
        :return: `{(team id, step): user id}`
        :rtype: dict
        """
        deadlines = self.env['sale.return.deadline'].sudo()
        # One by one, for few keys: the last row of each is found by the index, no matter how many
        # rows there are.
        return {
            (team.id, step): deadlines.search(
                [('team_id', '=', team.id), ('step', '=', step), ('user_id', '!=', False)],
                order='id desc',
                limit=1,
            ).user_id.id
            or None
            for team, step in keys
        }

    def _get_superior(self, user):
        """Return to whom a late step of a user is passed on.

        The leader; where that is the user (or has left), the leader of the team they are a member
        of, and so on. A chain that is circular or ends leads to a manager of Returns.

        :param user: `res.users`, may be empty.
        :return: never the user; empty where there is no manager either.
        :rtype: res.users
        """
        self.ensure_one()
        teams = self.search([('company_id', '=', self.company_id.id)])
        asked, leader = user, self.leader_id
        while leader:
            if leader not in asked and self._is_able(leader, None):
                return leader
            asked |= leader
            above = teams.filtered(lambda team, leader=leader: leader in team.member_ids)
            leader = (above.leader_id - asked).sorted('id')[:1]
        managers = self.env.ref('sale_return.group_manager').all_user_ids.filtered(
            lambda manager: self._is_able(manager, None)
        )
        managers -= user | self.env.ref('base.user_root')
        return managers.sorted('id')[:1]

    # === HEALTH === #

    def _get_defects(self):
        """Return a sentence for each thing that is incomplete. Override to check more.

        :return: list of sentences; empty when all is well.
        :rtype: list
        """
        self.ensure_one()
        if not self.active:
            return []
        return [
            *self._get_people_defects(),
            *self._get_step_defects(),
            *self._get_circle_defects(),
            *self._get_calendar_defects(),
        ]

    def _get_people_defects(self):
        """Name what is wrong with members and leader."""
        if self.everybody:
            return []
        defects = []
        members = self.with_context(active_test=False).member_ids
        if not members and not self.leader_id:
            return [
                self.env._(
                    "Team %(team)s has neither members nor a leader: its steps have no owner, and "
                    "late ones are passed on to a manager of Returns.",
                    team=self.name,
                )
            ]
        if not members.filtered('active'):
            defects.append(
                self.env._(
                    "Team %(team)s has no members: its steps go to the leader.", team=self.name
                )
            )
        if not self.leader_id:
            defects.append(
                self.env._(
                    "Team %(team)s has no leader: late steps are passed on to a manager of "
                    "Returns.",
                    team=self.name,
                )
            )
        elif not self._is_able(self.leader_id, None):
            defects.append(
                self.env._(
                    "%(user)s, the leader of team %(team)s, is archived or has no role in "
                    "Returns: late steps are passed on to the next level.",
                    user=self.leader_id.name,
                    team=self.name,
                )
            )
        defects += [
            self.env._(
                "%(user)s of team %(team)s is archived or has no role in Returns: nothing is "
                "assigned to them.",
                user=user.name,
                team=self.name,
            )
            for user in members.filtered(lambda user: not self._is_able(user, None))
        ]
        return defects

    def _get_step_defects(self):
        """Name steps that nobody can take, or whose owner cannot."""
        labels = dict(
            self.env['sale.return.team.step']._fields['step']._description_selection(self.env)
        )
        defects = []
        # A team without anybody was reported above.
        has_people = not self.everybody and (
            self.with_context(active_test=False).member_ids or self.leader_id
        )
        if not self.step_ids:
            defects.append(
                self.env._("Team %(team)s has no steps: nothing is monitored.", team=self.name)
            )
        for row in self.step_ids:
            facts = {'team': self.name, 'step': labels[row.step]}
            if row.user_id and not self._is_able(row.user_id, row.step):
                defects.append(
                    self.env._(
                        "%(user)s, who owns “%(step)s” in team %(team)s, is archived or has no "
                        "role for it: members take over.",
                        user=row.user_id.name,
                        **facts,
                    )
                )
            if has_people and row.step not in CUSTOMER_STEPS and not self._get_candidates(row.step):
                defects.append(
                    self.env._(
                        "Nobody in team %(team)s has the role for “%(step)s”: it has no owner.",
                        **facts,
                    )
                )
        return defects

    def _get_circle_defects(self):
        """Name a circular chain of leaders."""
        teams = self.search([('company_id', '=', self.company_id.id)])
        above = {}
        for team in teams:
            leader = team.leader_id
            for other in teams.sorted('id', reverse=True):
                if leader and other != team and leader in other.member_ids:
                    above[team.id] = other.id
        circle = find_circle(self.id, above)
        if self.id not in circle:
            return []
        return [
            self.env._(
                "The leaders of %(teams)s report to each other in a circle: their late steps "
                "are passed on to a manager of Returns.",
                teams=", ".join(self.browse(circle).mapped('name')),
            )
        ]

    def _get_calendar_defects(self):
        """Name working times without hours."""
        if self._get_calendar():
            return []
        calendar = self.resource_calendar_id or self.company_id.resource_calendar_id
        if not calendar:
            return [
                self.env._(
                    "Team %(team)s has no working times: deadlines count all hours and days.",
                    team=self.name,
                )
            ]
        return [
            self.env._(
                "The working times “%(calendar)s” of team %(team)s have no hours: deadlines count "
                "all hours and days.",
                calendar=calendar.name,
                team=self.name,
            )
        ]
