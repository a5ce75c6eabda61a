# pylint: disable=translation-required
from freezegun import freeze_time

from odoo.tests import tagged

from ..common_team import MONDAY, TeamCommon

LEAN = {
    "a story of the room": (
        'test_next_step_names_owner_and_due_time',
        'test_each_reminder_comes_exactly_once',
        'test_without_teams_nothing_is_asked',
    ),
}


@tagged('post_install', '-at_install')
class TestDeadlines(TeamCommon):
    """When each step is due, who is reminded, and who is notified when it is overdue."""

    def _moments(self, row):
        names = ('date_before', 'date_limit', 'date_after', 'date_escalate')
        return [str(row[name]) for name in names]

    # === DUE === #

    def test_days_end_when_work_ends(self):
        row = self._get_row(self._submit(), 'decide')
        self.assertEqual(
            self._moments(row),
            [
                '2026-03-03 15:00:00',  # two hours before
                '2026-03-03 17:00:00',  # Tuesday evening
                '2026-03-04 12:00:00',  # four hours after
                '2026-03-04 17:00:00',  # eight hours after
            ],
        )

    def test_weekends_and_days_off_do_not_count(self):
        self.env['resource.calendar.leaves'].sudo().create(
            {
                'name': "Closed",
                'calendar_id': self.calendar.id,
                'company_id': self.company.id,
                'date_from': '2026-03-09 00:00:00',
                'date_to': '2026-03-09 23:59:59',
            }
        )
        row = self._get_row(self._submit(moment='2026-03-06 16:00:00'), 'decide')
        self.assertEqual(str(row.date_due), '2026-03-10 17:00:00')

    def test_hours_run_over_the_night(self):
        self._set_step('decide', duration=4, unit='hours')
        row = self._get_row(self._submit(moment='2026-03-02 15:00:00'), 'decide')
        self.assertEqual(str(row.date_due), '2026-03-03 10:00:00')

    def test_days_are_those_of_the_team(self):
        self.calendar.tz = 'Asia/Shanghai'
        # Already Tuesday there: due at the end of work on Wednesday, 17:00 there.
        row = self._get_row(self._submit(moment='2026-03-02 20:00:00'), 'decide')
        self.assertEqual(str(row.date_due), '2026-03-04 09:00:00')

    def test_the_customer_has_until_the_last_day_to_send(self):
        sale_return = self._submit()
        self._approve(sale_return)
        row = self._get_row(sale_return, 'dispatch')
        self.assertEqual(str(row.date_limit), f"{sale_return.date_send_until} 23:59:59")

    def test_next_step_names_owner_and_due_time(self):
        sale_return = self._submit()
        self.assertEqual(
            sale_return._get_next_step()[sale_return],
            {
                'step': 'decide',
                'actor': 'company',
                'owner': self.decider,
                'due': self._get_row(sale_return, 'decide').date_limit,
            },
        )
        self.assertEqual(sale_return.next_owner_id, self.decider)

    def test_steps_that_a_team_does_not_list_are_not_watched(self):
        self.team._get_step('decide').unlink()
        self.assertFalse(self._submit().deadline_ids)

    # === THE LAW === #

    def test_the_clock_of_the_law_runs_beside_ours(self):
        self.policy.write({'regime': 'eu_withdrawal', 'settlement': 'refund'})
        self._set_step('receive', duration=60)
        sale_return = self._submit()
        self._approve(sale_return)
        self._backdate(sale_return, '2026-03-02 09:00:00')
        with freeze_time('2026-03-05 09:00:00'):
            sale_return.action_register_dispatch('1Z')
        row = self._get_row(sale_return, 'receive')
        self.assertEqual(str(row.date_legal), '2026-03-16 23:59:59')
        self.assertGreater(row.date_due, row.date_legal)
        self.assertEqual(row.date_limit, row.date_legal)

    def test_the_law_does_not_press_while_the_money_may_be_kept(self):
        self.policy.regime = 'eu_withdrawal'
        sale_return = self._submit()
        self.assertFalse(self._get_row(sale_return, 'decide').date_legal)

    # === IN STEP === #

    def test_doing_nothing_changes_nothing(self):
        sale_return = self._submit()
        before = sale_return.deadline_ids.read(), len(sale_return.event_ids)
        sale_return._sync_deadlines()
        sale_return._sync_deadlines()
        self.env.flush_all()
        self.assertEqual((sale_return.deadline_ids.read(), len(sale_return.event_ids)), before)

    def test_time_is_kept_per_step_and_person(self):
        sale_return = self._submit()
        with freeze_time('2026-03-02 12:00:00'):
            sale_return.with_env(self._env_of(self.leader)).action_approve()
        row = self._get_row(sale_return, 'decide')
        self.assertEqual(
            (row.state, row.done_by_id, row.hours_taken, row.was_late),
            ('done', self.leader, 3.0, False),
        )

    def test_goods_in_two_parcels_are_inspected_in_two_rounds(self):
        sale_return = self._submit(quantity=4)
        self._approve(sale_return)
        with freeze_time('2026-03-03 09:00:00'):
            self._receive(sale_return, 1)
        with freeze_time('2026-03-03 11:00:00'):
            sale_return.action_inspect_all('restock')
        row = self._get_row(sale_return, 'inspect')
        self.assertEqual((row.state, row.hours_taken), ('done', 2.0))
        with freeze_time('2026-03-05 09:00:00'):
            self._receive(sale_return)
        self.assertEqual((row.state, row.rounds), ('open', 2))
        self.assertEqual(str(row.date_due), '2026-03-09 17:00:00')
        with freeze_time('2026-03-05 10:00:00'):
            sale_return.action_inspect_all('restock')
        self.assertEqual((row.state, row.hours_taken), ('done', 3.0))

    # === REMINDERS === #

    def test_each_reminder_comes_exactly_once(self):
        sale_return = self._submit()
        row = self._get_row(sale_return, 'decide')
        expected = []
        for moment, subject in (
            ('2026-03-03 14:00:00', None),
            ('2026-03-03 15:05:00', "“Decide” is due soon"),
            ('2026-03-03 17:05:00', "“Decide” is due now"),
            ('2026-03-04 12:05:00', "“Decide” is late"),
        ):
            self._run_alarms(moment)
            self._run_alarms(moment)
            expected += [f"{sale_return.name}: {subject}"] if subject else []
            self.assertEqual(self._get_told(sale_return, self.decider), expected)
        self.assertFalse(self._get_told(sale_return, self.leader))
        self._run_alarms('2026-03-04 17:05:00')
        self._run_alarms('2026-03-20 17:05:00')
        self.assertEqual(len(self._get_told(sale_return, self.leader)), 1)
        self.assertEqual(self._get_told(sale_return, self.decider), expected)
        self.assertEqual((row.escalated_to_id, row.date_alarm), (self.leader, False))
        kinds = sale_return.event_ids.mapped('kind')
        self.assertEqual(
            [kinds.count(kind) for kind in ('due_soon', 'late', 'escalated')], [1, 2, 1]
        )
        self.assertEqual(self._get_activities(sale_return).user_id, self.decider + self.leader)

    def test_a_job_that_did_not_run_sends_one_reminder_instead_of_three(self):
        sale_return = self._submit()
        self._run_alarms('2026-03-20 09:00:00')
        told = self._get_told(sale_return, self.decider)
        self.assertEqual(told, [f"{sale_return.name}: “Decide” is late"])
        self.assertEqual(len(self._get_told(sale_return, self.leader)), 1)
        self._run_alarms('2026-03-21 09:00:00')
        self.assertEqual(len(self._get_told(sale_return, self.decider)), 1)

    def test_what_is_done_reminds_nobody(self):
        sale_return = self._submit()
        with freeze_time('2026-03-03 09:00:00'):
            sale_return.action_refuse("Used")
        self._run_alarms('2026-03-20 09:00:00')
        self.assertFalse(self._get_told(sale_return, self.decider))
        self.assertFalse(self._get_told(sale_return, self.leader))

    def test_escalation_ends_with_the_step(self):
        sale_return = self._submit()
        self._run_alarms('2026-03-20 09:00:00')
        self.assertEqual(len(self._get_activities(sale_return)), 2)
        sale_return.action_refuse("Used")
        self.assertFalse(self._get_activities(sale_return))

    def test_a_late_leader_is_not_reminded_of_themselves(self):
        self._set_step('decide', user_id=self.leader.id)
        sale_return = self._submit()
        self._run_alarms('2026-03-20 09:00:00')
        superior = self._get_row(sale_return, 'decide').escalated_to_id
        self.assertNotEqual(superior, self.leader)
        self.assertTrue(superior.has_group('sale_return.group_manager'))

    def test_a_step_of_somebody_who_left_goes_to_somebody_else(self):
        other = self._create_user('other_decider', 'sale_return.group_approver')
        self.team.member_ids += other
        sale_return = self._submit()
        self.decider.sudo().active = False
        self._run_alarms('2026-03-02 10:00:00')
        self.assertEqual(self._get_row(sale_return, 'decide').user_id, other)

    # === WAITING FOR THE CUSTOMER === #

    def _wait(self, moment='2026-03-03 16:00:00'):
        sale_return = self._submit()
        with freeze_time(moment):
            sale_return.action_wait_for_customer("A photo, please")
        return sale_return, self._get_row(sale_return, 'decide')

    def test_waiting_stops_the_clock(self):
        sale_return, row = self._wait()
        self._run_alarms('2026-03-20 09:00:00')
        self.assertFalse(self._get_told(sale_return, self.decider))
        step = sale_return._get_next_step()[sale_return]
        self.assertEqual((step['actor'], step['due']), ('customer', False))
        self.assertEqual((row.state, sale_return.deadline_state), ('paused', 'paused'))
        event = sale_return.event_ids.filtered(lambda e: e.kind == 'waiting')
        self.assertEqual(event.reason, "A photo, please")

    def test_resuming_gives_back_the_hours_of_work_that_were_left(self):
        # One hour of work was left on Tuesday at four.
        sale_return, row = self._wait()
        with freeze_time('2026-03-09 09:00:00'):
            sale_return.action_resume()
        self.assertEqual((row.state, str(row.date_limit)), ('open', '2026-03-09 10:00:00'))
        self.assertEqual(row.hours_paused, 5 * 24 + 17)
        with freeze_time('2026-03-09 09:30:00'):
            sale_return.action_refuse("Used")
        # Monday 9 to Tuesday 16, and half an hour.
        self.assertEqual((row.hours_taken, row.was_late), (31.5, False))

    def test_what_was_late_before_stays_late(self):
        sale_return, row = self._wait('2026-03-04 09:00:00')
        with freeze_time('2026-03-09 09:00:00'):
            sale_return.action_resume()
            self.assertTrue(row.late)

    def test_an_answer_of_the_customer_resumes(self):
        sale_return, row = self._wait()
        sale_return.message_post(body="We wait.", message_type='comment')
        self.assertEqual(row.state, 'paused', "our own note is no answer")
        sale_return.sudo().message_post(
            body="Here it is.", message_type='email', author_id=self.customer.id
        )
        self.assertEqual(row.state, 'open')
        self.assertFalse(sale_return.waiting_since)

    def test_the_dispatch_resumes(self):
        sale_return, row = self._wait()
        with freeze_time('2026-03-06 09:00:00'):
            sale_return.action_register_dispatch('1Z')
        self.assertEqual((row.state, sale_return.waiting_since), ('open', False))

    def test_waiting_needs_a_reason_and_a_return_under_way(self):
        sale_return = self._submit()
        with self.assert_refused("what the customer was asked"):
            sale_return.action_wait_for_customer("  ")
        sale_return.action_cancel()
        with self.assert_refused("cannot wait for the customer"):
            sale_return.action_wait_for_customer("A photo")

    # === LATE === #

    def test_late_ones_are_found(self):
        sale_return = self._submit()
        other = self._submit(moment='2026-03-20 09:00:00')
        with freeze_time('2026-03-20 10:00:00'):
            returns = self.env['sale.return'].search(
                [('is_late', '=', True), ('id', 'in', (sale_return + other).ids)]
            )
            rows = self.env['sale.return.deadline'].search([('late', '=', True)])
            self.assertEqual((returns, rows), (sale_return, sale_return.deadline_ids))
            self.env.invalidate_all()
            self.assertEqual((sale_return + other).mapped('deadline_state'), ['late', 'planned'])
            self.assertEqual(sale_return.deadline_color, 1)
            self.assertEqual((self.team.open_count, self.team.late_count), (2, 1))

    def test_states_are_found_as_they_are_shown(self):
        paused, _row = self._wait()
        planned = self._submit(moment='2026-03-20 09:00:00')
        both = paused + planned
        with freeze_time('2026-03-20 10:00:00'):
            for state in ('late', 'soon', 'planned', 'paused', False):
                found = self.env['sale.return'].search(
                    [('deadline_state', '=', state), ('id', 'in', both.ids)]
                )
                self.assertEqual(found, both.filtered(lambda r: r.deadline_state == state))  # noqa: B023


@tagged('post_install', '-at_install')
class TestDeadlineQueries(TeamCommon):
    """Query counts of deadlines."""

    def _count(self, returns, method, *args):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.cr.sql_log_count
        getattr(returns, method)(*args)
        self.env.flush_all()
        return self.cr.sql_log_count - before

    def _create_batch(self, count):
        orders = [self._create_sale() for _i in range(count)]
        return self.env['sale.return'].union(
            *(self._create_return(order, 1, submit=False) for order in orders)
        )

    def test_without_teams_nothing_is_asked(self):
        self.team.unlink()
        sale_return = self._submit()
        self.env['sale.return.team']._is_used()
        with self.assertQueryCount(0):
            sale_return._sync_deadlines()

    def test_a_batch_costs_little_more_per_return(self):
        count = 10
        with_team = self._count(self._create_batch(count), 'action_submit')
        self.team.active = False
        without = self._count(self._create_batch(count), 'action_submit')
        self.assertLessEqual(with_team - without, 4 * count)

    def test_a_second_look_costs_one_query(self):
        sale_return = self._submit(moment=MONDAY)
        sale_return._sync_deadlines()
        with self.assertQueryCount(0):
            sale_return._sync_deadlines()
