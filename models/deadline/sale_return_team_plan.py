from datetime import UTC, timedelta

from odoo import api, models

from ...const import CUSTOMER_STEPS
from ...tools import deadline as clock

# What a user must be in Returns to take a step; for the others any role will do.
STEP_GROUPS = {
    'decide': 'group_approver',
    'receive': 'group_inspector',
    'inspect': 'group_inspector',
}

# Working times are read once for so many days around a step.
HORIZON = 90


class SaleReturnTeam(models.Model):
    """By when a step of a team is due, and who takes it."""

    _inherit = 'sale.return.team'

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
        return self._get_calendar().tz or self.company_id.partner_id.tz or 'UTC'

    def _get_intervals(self, start):
        """Return the working times around a moment, without the days off of the calendar.

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

        Where nobody ever works, and beyond the horizon, all hours and days count.

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
        """Return when somebody is reminded of a step, by the working times of the team.

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
        user = user.sudo()  # who is of which company is nobody's secret here
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
        for users in (owner, self.member_ids, self.leader_id):
            if able := users.filtered(lambda user: self._is_able(user, step)):
                return able.sorted('id')
        return self.env['res.users']

    @api.model
    def _assign(self, todo):
        """Say who takes which step: by least load or in turn, ties by id, so always the same way.

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
        """Return who of the candidates takes a step of a return. Override to choose otherwise."""
        if step == 'decide':
            candidates = sale_return._get_possible_deciders(candidates)
        team = sale_return.team_id
        if step == 'follow_up' and not team._get_step(step).user_id:
            # Who sold the goods asks the customer.
            seller = sale_return.follow_up_user_id
            candidates = seller if team._is_able(seller, step) else candidates
        if not candidates:
            return candidates
        if team.assignment == 'turn':
            return candidates.browse(clock.pick_next(candidates.ids, turns.get((team.id, step))))
        return candidates.browse(clock.pick_least_loaded(candidates.ids, loads))

    @api.model
    def _get_loads(self, users):
        """Return how many steps of ours each user has to take, `{user id: count}`."""
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
        # One by one, for few keys: the last row of each is read off the index, however many
        # there are.
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

        The leader; where that is the user himself (or gone) the leader of the team he is a member
        of, and so on. A chain that runs in a circle, or ends, ends at a manager of Returns.

        :param user: `res.users`, may be empty.
        :return: never the user himself; empty where there is no manager either.
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
