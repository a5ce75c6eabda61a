import random
from datetime import UTC, datetime, timedelta

from freezegun import freeze_time

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from ...tools.deadline import advance, retreat
from ..common_team import MONDAY, TeamCommon


@tagged('post_install', '-at_install')
class TestTeams(TeamCommon):
    """Who takes which step of which return."""

    # === WHICH TEAM === #

    def test_team_of_the_warehouse_comes_before_the_one_of_the_company(self):
        north = self._create_warehouse()
        team_north = self._create_team(name="North", warehouse_id=north.id, sequence=99)
        here, there = (
            self._create_return(self.order, 1, submit=False, warehouse_id=warehouse.id)
            for warehouse in (self.warehouse, north)
        )
        (here | there).action_submit()
        self.assertEqual((here | there).mapped('team_id'), self.team | team_north)
        self.assertEqual(there.team_id, team_north)

    def test_team_of_the_sales_team_comes_before_the_general_one(self):
        sales_team = self.env['crm.team'].create({'name': "Web", 'company_id': self.company.id})
        team = self._create_team(name="Web", sales_team_id=sales_team.id)
        order = self._create_sale(team_id=sales_team.id)
        self.assertEqual(self._create_return(order, 1).team_id, team)
        self.assertEqual(self._create_return(self.order, 1).team_id, self.team)

    def test_team_of_another_company_takes_nothing(self):
        self.team.active = False
        company = self.env['res.company'].sudo().create({'name': "Elsewhere"})
        self.env['sale.return.team'].sudo().create({'name': "Other", 'company_id': company.id})
        sale_return = self._create_return(self.order, 1)
        self.assertFalse(sale_return.team_id)
        self.assertFalse(sale_return.deadline_ids)

    def test_without_a_team_nothing_is_created(self):
        self.team.unlink()
        sale_return = self._create_return(self.order, 1)
        self.assertFalse(sale_return.deadline_ids)
        self.assertFalse(self._get_activities(sale_return))
        self.assertFalse(sale_return.event_ids.filtered(lambda e: e.kind == 'assigned'))
        step = sale_return._get_next_step()[sale_return]
        self.assertEqual(
            (step['step'], step['actor'], step['owner'].ids), ('decide', 'company', [])
        )

    def test_another_team_goes_on_where_a_return_is_given_to_it(self):
        sale_return = self._submit()
        other = self._create_team(name="Other", member_ids=[Command.set(self.leader.ids)])
        sale_return.team_id = other
        row = self._get_row(sale_return, 'decide')
        self.assertEqual((row.state, row.team_id, row.user_id), ('open', other, self.leader))
        self.assertEqual(self._get_activities(sale_return).user_id, self.leader)

    # === WHO === #

    def _get_owners(self, count, **values):
        self.team.write(values)
        order = self._create_sale({'quantity': count})
        returns = self.env['sale.return'].union(
            *(self._create_return(order, 1, submit=False) for _i in range(count))
        )
        returns.action_submit()
        return [self._get_row(sale_return, 'decide').user_id for sale_return in returns]

    def test_who_has_the_least_to_do_gets_the_next_one(self):
        busy, free = self.decider, self._create_user('free', 'sale_return.group_approver')
        self.team.member_ids += free
        self._submit()
        self.assertEqual(self._get_owners(3), [free, busy, free])

    def test_in_turn_everybody_gets_the_next_one(self):
        other = self._create_user('other_decider', 'sale_return.group_approver')
        self.team.member_ids += other
        owners = self._get_owners(3, assignment='turn')
        self.assertEqual(owners, [self.decider, other, self.decider])
        self.assertEqual(self._get_owners(2), [other, self.decider])

    def test_only_members_with_the_role_are_asked(self):
        sale_return = self._submit()
        self.assertEqual(self._get_row(sale_return, 'decide').user_id, self.decider)
        self._approve(sale_return)
        sale_return.action_register_dispatch('1Z')
        owner = self._get_row(sale_return, 'receive').user_id
        self.assertIn(owner, self.inspector + self.second)

    def test_the_owner_of_a_step_always_takes_it(self):
        self._set_step('decide', user_id=self.leader.id)
        self.assertEqual(self._get_row(self._submit(), 'decide').user_id, self.leader)

    def test_whoever_asked_does_not_decide(self):
        self.team.member_ids += self.leader
        self.decider.group_ids += self.env.ref('sales_team.group_sale_manager')
        order = self.order.with_env(self._env_of(self.decider))
        sale_return = (
            self.env['sale.return']
            .with_env(order.env)
            .create(
                {
                    'partner_id': self.customer.id,
                    'line_ids': self._prepare_return_lines(self.order.order_line, 1),
                }
            )
        )
        sale_return.action_submit()
        self.assertEqual(self._get_row(sale_return, 'decide').user_id, self.leader)

    def test_assignment_is_logged(self):
        sale_return = self._submit()
        event = sale_return.event_ids.filtered(lambda e: e.kind == 'assigned')
        self.assertEqual(event.details, f"Decide: {self.decider.name}")

    # === NEXT DESK === #

    def test_each_step_calls_the_next_desk_and_closes_the_activity_of_the_last(self):
        self._configure(sale_return_auto_credit=False)
        sale_return = self._submit()
        activity = self._get_activities(sale_return)
        self.assertEqual((activity.user_id, activity.summary), (self.decider, "Decide"))
        self._approve(sale_return)
        self.assertFalse(self._get_activities(sale_return), "it is the customer's turn")
        sale_return.action_register_dispatch('1Z')
        self.assertEqual(self._get_activities(sale_return).summary, "Receive")
        self._receive(sale_return)
        self.assertEqual(self._get_activities(sale_return).summary, "Inspect")
        sale_return.action_inspect_all('restock')
        self.assertEqual(self._get_activities(sale_return).summary, "Credit")
        sale_return.action_create_credit_notes()
        self.assertFalse(self._get_activities(sale_return))
        self.assertEqual(set(sale_return.deadline_ids.mapped('state')), {'done'})

    def test_a_refused_return_calls_nobody(self):
        sale_return = self._submit()
        sale_return.action_refuse("Used")
        self.assertFalse(self._get_activities(sale_return))
        self.assertEqual(self._get_row(sale_return, 'decide').state, 'done')

    def test_a_cancelled_return_drops_its_steps(self):
        sale_return = self._submit()
        sale_return.action_cancel()
        self.assertFalse(self._get_activities(sale_return))
        self.assertEqual(self._get_row(sale_return, 'decide').state, 'void')

    def test_nobody_is_called_for_what_was_decided_by_itself(self):
        self.policy.approval = 'none'
        sale_return = self._submit()
        self.assertEqual(sale_return.deadline_ids.mapped('step'), ['dispatch'])
        self.assertFalse(self._get_activities(sale_return))

    def test_levels_of_approval_call_their_approvers_themselves(self):
        self.policy.write(
            {
                'approval': 'levels',
                'level_ids': [
                    Command.create(
                        {'name': "Boss", 'approver_type': 'user', 'user_id': self.leader.id}
                    )
                ],
            }
        )
        sale_return = self._submit()
        self.assertEqual(len(self._get_activities(sale_return)), 1)
        self.assertEqual(self._get_row(sale_return, 'decide').user_id, self.leader)

    def test_the_follow_up_is_watched_without_a_second_activity(self):
        self.policy.write({'follow_up_days': 1, 'settlement': 'on_account'})
        self._pay_back(self.order.invoice_ids)
        sale_return = self._submit()
        self._approve(sale_return)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assertEqual(sale_return.state, 'closed')
        sale_return._write_facts({'follow_up_on': MONDAY[:10]})
        sale_return.sudo()._ask_follow_up()
        row = self._get_row(sale_return, 'follow_up')
        self.assertEqual((row.state, row.user_id), ('open', sale_return.follow_up_user_id))
        self.assertEqual(len(self._get_activities(sale_return)), 1)
        sale_return.action_follow_up('kept')
        self.assertEqual(row.state, 'done')

    def test_an_activity_closed_by_hand_does_not_come_back(self):
        sale_return = self._submit()
        self._get_activities(sale_return).action_feedback()
        sale_return._sync_deadlines()
        self.assertFalse(self._get_activities(sale_return))

    def test_a_step_can_be_passed_on(self):
        sale_return = self._submit()
        row = self._get_row(sale_return, 'decide')
        self._call(self.leader, row, 'write', {'user_id': self.leader.id})
        self.assertEqual(self._get_activities(sale_return).user_id, self.leader)
        with self.assert_refused("cannot take"):
            row.user_id = self.clerk

    # === BAD INPUT === #

    def test_a_team_without_members_leaves_the_steps_to_its_leader(self):
        self.team.member_ids = False
        self.assertIn("has no members", self.team.health)
        self.assertEqual(self._get_row(self._submit(), 'decide').user_id, self.leader)

    def test_a_team_without_anybody_leaves_steps_without_owner(self):
        self.team.write({'member_ids': [Command.clear()], 'leader_id': False})
        # One sentence, not one more for each step.
        self.assertEqual(len(self.team.health.splitlines()), 1, self.team.health)
        self.assertIn("neither members nor a leader", self.team.health)
        sale_return = self._submit()
        self.assertEqual(self._get_row(sale_return, 'decide').state, 'open')
        self.assertFalse(self._get_row(sale_return, 'decide').user_id)
        self.assertFalse(self._get_activities(sale_return))

    def test_an_archived_owner_leaves_the_step_to_the_members(self):
        self._set_step('decide', user_id=self.leader.id)
        self.leader.sudo().active = False
        self.team.invalidate_recordset()
        self.assertIn("who owns “Decide”", self.team.health)
        self.assertIn("the leader of team Desk, is archived", self.team.health)
        self.assertEqual(self._get_row(self._submit(), 'decide').user_id, self.decider)

    def test_a_member_without_a_role_is_named(self):
        stranger = self._create_user('stranger', 'base.group_user')
        self.team.member_ids += stranger
        self.assertIn("stranger", self.team.health)

    def test_a_calendar_without_hours_counts_all_days(self):
        self.calendar.attendance_ids.unlink()
        self.team.invalidate_recordset()
        self.assertIn("have no hours", self.team.health)
        # From Friday on, one day: Saturday.
        row = self._get_row(self._submit(moment='2026-03-06 15:00:00'), 'decide')
        self.assertEqual(str(row.date_due), '2026-03-07 23:59:59')

    def test_hours_are_planned_as_odoo_plans_them(self):
        """Also over nights, weekends, days off and the change of the clocks."""
        calendar = self.team._get_calendar()
        self.env['resource.calendar.leaves'].sudo().create(
            {
                'name': "Closed",
                'calendar_id': calendar.id,
                'date_from': '2026-03-24 00:00:00',
                'date_to': '2026-03-25 23:59:59',
            }
        )
        chance = random.Random(20)
        for _i in range(20):
            start = datetime(2026, 3, 20) + timedelta(minutes=chance.randrange(14 * 24 * 60))
            hours = chance.randrange(1, 200) / 4
            intervals = self.team._get_intervals(start)
            for method, sign in ((advance, 1), (retreat, -1)):
                with self.subTest(start=start, hours=sign * hours):
                    planned = calendar.plan_hours(
                        sign * hours, start.replace(tzinfo=UTC), compute_leaves=True
                    )
                    self.assertEqual(
                        method(intervals, start, hours),
                        planned.astimezone(UTC).replace(tzinfo=None),
                    )

    def test_a_circle_of_leaders_ends_at_a_manager(self):
        boss = self._create_user('boss', 'sale_return.group_user')
        self.leader.group_ids = [Command.set(self.env.ref('sale_return.group_user').ids)]
        manager = self._create_user('the_manager', 'sale_return.group_manager')
        self.team.member_ids = boss
        self._create_team(name="B", leader_id=boss.id, member_ids=[Command.set(self.leader.ids)])
        self.assertIn("in a circle", self.team.health)
        self.assertEqual(self.team._get_superior(self.decider), self.leader)
        self.assertEqual(self.team._get_superior(self.leader), boss)
        superior = self.team._get_superior(self.leader + boss)
        self.assertTrue(superior.has_group('sale_return.group_manager'))
        self.assertIn(superior, manager + self.staff)

    def test_complete_teams_have_nothing_to_complete(self):
        self.assertFalse(self.team.health)
        settings = self.env['res.config.settings'].sudo().create({'company_id': self.company.id})
        self.assertFalse(settings.sale_return_team_health)

    def test_the_settings_name_what_is_incomplete(self):
        self.team.leader_id = False
        settings = self.env['res.config.settings'].sudo().create({'company_id': self.company.id})
        self.assertIn("Team Desk has no leader", settings.sale_return_team_health)

    # === WHO MAY === #

    def test_only_managers_change_teams(self):
        for user, allowed in ((self.leader, True), (self.decider, False), (self.clerk, False)):
            with self.subTest(user.login):
                if allowed:
                    self._call(user, self.team, 'write', {'name': "New"})
                    continue
                with self.assertRaises(AccessError):
                    self._call(user, self.team, 'write', {'name': "New"})
                with self.assertRaises(AccessError):
                    self._call(user, self.team.step_ids, 'write', {'duration': 9})

    def test_nobody_sets_what_follows_from_the_steps(self):
        row = self._get_row(self._submit(), 'decide')
        for vals in ({'date_done': MONDAY}, {'state': 'done'}, {'date_limit': '2030-01-01'}):
            with self.assert_refused("Only the owner"):
                self._call(self.leader, row, 'write', vals)
        with self.assertRaises(AccessError):
            self._call(self.clerk, row, 'write', {'user_id': self.clerk.id})
        with self.assertRaises(AccessError):
            self._call(self.leader, row, 'unlink')

    def test_a_foreign_company_sees_neither_teams_nor_deadlines(self):
        self._submit()
        company = self.env['res.company'].sudo().create({'name': "Elsewhere"})
        user = new_test_user(
            self.env(su=True),
            login='elsewhere',
            groups='sale_return.group_manager',
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )
        env = self._env_of(user)
        for model in ('sale.return.team', 'sale.return.team.step', 'sale.return.deadline'):
            self.assertFalse(env[model].search([('company_id', '=', self.company.id)]))

    def test_the_same_returns_are_always_given_to_the_same_people(self):
        first = self._get_owners(4)
        with freeze_time(MONDAY):
            self.assertEqual(len(set(first)), 1, "there is one approver")
