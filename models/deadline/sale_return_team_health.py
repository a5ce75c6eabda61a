from odoo import api, fields, models

from ...const import CUSTOMER_STEPS
from ...tools.deadline import find_circle


class SaleReturnTeam(models.Model):
    """What is incomplete in a team, said in sentences; returns go on meanwhile by safe defaults."""

    _inherit = 'sale.return.team'

    health = fields.Text(
        string="To Complete", compute='_compute_health', help="What is missing in this team."
    )

    @api.depends(
        'active',
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

    def _get_defects(self):
        """Return a sentence for each thing that is incomplete. Override to look at more.

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
                    "Team %(team)s has no members: its steps fall to the leader.", team=self.name
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
                "assigned to him.",
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
        # Where there is nobody at all, that was said once.
        has_people = self.with_context(active_test=False).member_ids or self.leader_id
        if not self.step_ids:
            defects.append(
                self.env._("Team %(team)s has no steps: nothing is watched.", team=self.name)
            )
        for row in self.step_ids:
            facts = {'team': self.name, 'step': labels[row.step]}
            if row.user_id and not self._is_able(row.user_id, row.step):
                defects.append(
                    self.env._(
                        "%(user)s, who owns “%(step)s” in team %(team)s, is archived or has no "
                        "role for it: members take it.",
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
        """Name a chain of leaders that comes back to where it began."""
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
                "The leaders of %(teams)s report to each other in a circle: what goes round is "
                "passed on to a manager of Returns.",
                teams=", ".join(self.browse(circle).mapped('name')),
            )
        ]

    def _get_calendar_defects(self):
        """Name working times without hours."""
        if self._get_calendar():
            return []
        calendar = self.resource_calendar_id or self.company_id.resource_calendar_id
        return [
            self.env._(
                "The working times “%(calendar)s” of team %(team)s have no hours: deadlines count "
                "all hours and days.",
                calendar=calendar.name or self.env._("none"),
                team=self.name,
            )
        ]
