from freezegun import freeze_time
from lxml import html

from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..common import SaleReturnCommon


class AppealCommon(SaleReturnCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.sudo().partner_id.tz = 'UTC'
        cls.always = cls._create_policy(approval='always', appeal_days=14)
        cls.order = cls._create_sale()
        sales = 'sales_team.group_sale_salesman_all_leads'
        cls.clerk = cls._create_user('appeals_clerk', 'sale_return.group_user', sales)
        cls.refuser, cls.second = (
            cls._create_user(f'appeals_{name}', 'sale_return.group_approver', sales)
            for name in ('refuser', 'second')
        )

    def _refused(self, quantity=2, order=None, **values):
        sale_return = self._create_return(order or self.order, quantity, **values)
        self._call(self.refuser, sale_return, 'action_refuse', "Used too long.")
        self.assertEqual(sale_return.state, 'refused')
        return sale_return

    def _appealed(self, **values):
        sale_return = self._refused(**values)
        self._call(self.clerk, sale_return, 'action_appeal', "It was never used.")
        return sale_return.appeal_ids


@tagged('post_install', '-at_install')
class TestAppeals(AppealCommon):
    """One appeal per refusal, within the time limit, decided by somebody else."""

    def test_appeal_is_kept_and_given_to_somebody_else(self):
        appeal = self._appealed()
        self.assertEqual(
            (appeal.state, appeal.refused_by_id, appeal.user_id, appeal.refusal_reason),
            ('open', self.refuser, self.second, "Used too long."),
        )
        self.assertEqual(appeal.comment, "It was never used.")
        activity = appeal.return_id.activity_ids
        self.assertEqual(activity.user_id, self.second)
        event = appeal.return_id.event_ids.filtered(lambda e: e.kind == 'appealed')
        self.assertEqual((event.user_id, event.reason), (self.clerk, "It was never used."))

    def test_who_decides_is_called_in_their_own_language(self):
        self.env['res.lang'].sudo()._activate_lang('zh_CN')
        self.second.sudo().lang = 'zh_CN'
        self.assertEqual(self._appealed().return_id.activity_ids.summary, "对申诉做出决定")

    def test_customers_appeal_themselves(self):
        sale_return = self._refused()
        portal = self._create_user('appeals_portal', 'base.group_portal')
        as_customer = sale_return.with_user(portal).sudo()
        self.assertTrue(as_customer.can_appeal)
        appeal = as_customer._appeal(" Never used. ", self.customer)
        self.assertEqual((appeal.partner_id, appeal.comment), (self.customer, "Never used."))
        self.assertEqual(sale_return.event_ids[:1].user_id, portal)
        self.assertFalse(as_customer.can_appeal)

    def test_words_of_customers_are_text_in_the_activity(self):
        sale_return = self._refused()
        portal = self._create_user('appeals_portal', 'base.group_portal')
        words = 'See <a href="https://a.example">this</a> <img src="https://a.example/p.png">'
        sale_return.with_user(portal).sudo()._appeal(words, self.customer)
        activity = sale_return.activity_ids
        self.assertEqual(activity.user_id, self.second)
        tree = html.fragment_fromstring(activity.note, create_parent='div')
        self.assertFalse(tree.xpath('.//a | .//img'))
        self.assertEqual(tree.text_content(), words)

    def test_there_is_one_appeal_only_and_it_says_why(self):
        appeal = self._appealed()
        with self.assert_refused("only one appeal"):
            self._call(self.clerk, appeal.return_id, 'action_appeal', "Again.")
        other = self._refused(1)
        for nothing in (None, "  "):
            with self.assert_refused("Enter why"):
                self._call(self.clerk, other, 'action_appeal', nothing)

    def test_appeal_is_possible_up_to_the_last_day(self):
        with freeze_time('2026-03-01 12:00:00'):
            early, late = self._refused(1), self._refused(2)
        self.assertEqual(str(late.date_appeal_until), '2026-03-15')
        with freeze_time('2026-03-15 23:30:00'):
            early.invalidate_recordset()
            self.assertTrue(early.can_appeal)
            self._call(self.clerk, early, 'action_appeal', "In time.")
        with freeze_time('2026-03-16 00:30:00'):
            late.invalidate_recordset()
            self.assertFalse(late.can_appeal)
            with self.assert_refused("until 2026-03-15"):
                self._call(self.clerk, late, 'action_appeal', "Too late.")

    def test_no_appeal_without_days_or_refusal(self):
        self.always.appeal_days = 0
        final = self._refused()
        self.assertFalse(final.date_appeal_until or final.can_appeal)
        with self.assert_refused("is final"):
            self._call(self.clerk, final, 'action_appeal', "Please.")
        waiting = self._create_return(self.order, 1)
        with self.assert_refused("is not refused"):
            self._call(self.clerk, waiting, 'action_appeal', "Please.")

    def test_refuser_and_requester_do_not_decide(self):
        requester = self._create_user(
            'appeals_requester',
            'sale_return.group_approver',
            'sales_team.group_sale_salesman_all_leads',
        )
        vals = {
            'partner_id': self.customer.id,
            'line_ids': self._prepare_return_lines(self.order.order_line, 2),
        }
        return_id = self._call(requester, self.env['sale.return'], 'create', vals)
        sale_return = self.env['sale.return'].browse(return_id)
        self._call(requester, sale_return, 'action_submit')
        self._call(self.refuser, sale_return, 'action_refuse', "No.")
        self._call(self.clerk, sale_return, 'action_appeal', "Yes.")
        appeal = sale_return.appeal_ids
        for user, words in ((self.refuser, "refused return"), (requester, "asked for return")):
            for method in ('action_uphold', 'action_overturn'):
                with self.assert_refused(words):
                    self._call(user, appeal, method, "So be it.")
        with self.assert_refused(exception=AccessError):
            self._call(self.clerk, appeal, 'action_overturn', "So be it.")
        self._call(self.second, appeal, 'action_uphold', "So be it.")
        self.assertEqual((appeal.state, sale_return.state), ('upheld', 'refused'))

    def test_manager_who_refused_does_not_decide(self):
        sale_return = self._create_return(self.order, 2)
        sale_return.action_refuse("No.")  # the manager
        appeal = sale_return.action_appeal("Yes.")
        with self.assert_refused("for return"):
            appeal.action_overturn("Yes.")

    def test_overturned_refusal_is_an_approval_by_the_decider(self):
        appeal = self._appealed()
        sale_return = appeal.return_id
        with self.assert_refused("Give a reason"):
            self._call(self.second, appeal, 'action_overturn', " ")
        self._call(self.second, appeal, 'action_overturn', "The customer is right.")
        self.assertEqual((appeal.state, sale_return.state), ('overturned', 'approved'))
        self.assertEqual(
            (appeal.decided_by_id, appeal.decision_reason), (self.second, "The customer is right.")
        )
        self.assertEqual(sale_return.approval_ids[:1].user_id, self.second)
        self.assertEqual(len(sale_return.picking_ids), 1)
        self.assert_quantities(sale_return.line_ids, authorized=2, held=2)
        self.assertFalse(sale_return.activity_ids)
        with self.assert_refused("already decided"):
            self._call(self.second, appeal, 'action_uphold', "No.")

    def test_the_role_of_approver_alone_is_enough_to_overturn(self):
        approver = self._create_user('appeals_only', 'sale_return.group_approver')
        appeal = self._appealed()
        sale_return = appeal.return_id
        self.env.invalidate_all()  # nothing was read for somebody with more rights
        self._call(approver, appeal, 'action_overturn', "They are right.")
        self.env.invalidate_all()
        self.assertEqual((appeal.state, sale_return.state), ('overturned', 'approved'))
        self.assertEqual(len(sale_return.picking_ids), 1)

    def test_the_role_of_approver_alone_is_enough_for_every_step_of_theirs(self):
        approver = self._create_user('appeals_only', 'sale_return.group_approver')

        def call(user, records, method, *args):
            self.env.invalidate_all()  # nothing was read for somebody with more rights
            self._call(user, records, method, *args)

        call(approver, self._create_return(self.order, 1), 'action_refuse', "Too old.")
        call(approver, self._appealed(quantity=1), 'action_uphold', "It stays so.")
        sale_return = self._create_return(self.order, 1, submit=False)
        call(approver, sale_return, 'action_submit')
        call(approver, sale_return, 'action_draft')
        call(approver, sale_return, 'action_submit')
        call(self.second, sale_return, 'action_approve')
        call(approver, sale_return, 'action_cancel')
        self.env.invalidate_all()
        self.assertEqual(sale_return.state, 'cancelled')

    def test_overturned_refusal_still_needs_all_levels(self):
        policy = self._create_policy(
            sequence=-300,
            approval='levels',
            level_ids=[
                (0, 0, {'name': name, 'approver_type': 'user', 'user_id': user.id})
                for name, user in (("First", self.refuser), ("Second", self.second))
            ],
        )
        sale_return = self._create_return(self.order, 2)
        self.assertEqual(sale_return.line_ids.policy_id, policy)
        self._call(self.refuser, sale_return, 'action_refuse', "No.")
        appeal = sale_return.action_appeal("Yes.")
        decider = self._create_user(
            'appeals_decider',
            'sale_return.group_approver',
            'sales_team.group_sale_salesman_all_leads',
        )
        self._call(decider, appeal, 'action_overturn', "The customer is right.")
        self.assertEqual((appeal.state, sale_return.state), ('overturned', 'submitted'))
        # The user who refused it may not decide, so a manager does.
        with self.assert_refused("refused return"):
            self._call(self.refuser, sale_return, 'action_approve')

    def test_rules_that_nobody_overrules_stay(self):
        self.always.rule_ids = [
            (0, 0, {'kind': 'window', 'outcome': 'refuse'}),
        ]
        self.always.window_days = 1
        with freeze_time('2032-01-01 12:00:00'):
            sale_return = self._create_return(self.order, 2)
            self.assertEqual(sale_return.state, 'refused')
            self.assertTrue(sale_return.approval_ids.automatic)
            appeal = sale_return.action_appeal("Please.")
            self.assertFalse(appeal.refused_by_id)
            with self.assert_refused("nobody may overrule"):
                self._call(self.second, appeal, 'action_overturn', "The customer is right.")
        self.assertEqual((appeal.state, sale_return.state), ('open', 'refused'))

    def test_quantity_given_away_meanwhile_is_not_returned_twice(self):
        appeal = self._appealed(quantity=8)
        self._create_return(self.order, 5)
        with self.assert_refused():
            self._call(self.second, appeal, 'action_overturn', "The customer is right.")
        self.assertEqual((appeal.state, appeal.return_id.state), ('open', 'refused'))

    def test_return_with_open_appeal_is_not_set_back(self):
        appeal = self._appealed()
        with self.assert_refused("Decide on the appeal"):
            self._call(self.clerk, appeal.return_id, 'action_draft')
        self._call(self.second, appeal, 'action_uphold', "No.")
        self._call(self.clerk, appeal.return_id, 'action_draft')

    def test_appeals_go_to_the_least_loaded(self):
        third = self._create_user('appeals_third', 'sale_return.group_approver')
        # The staff requested the returns, so two are left.
        appeals = [self._appealed(quantity=1) for _number in range(3)]
        users = [appeal.user_id for appeal in appeals]
        self.assertEqual(users, [self.second, third, self.second])

    def test_nobody_left_to_decide_is_named(self):
        self.second.sudo().active = False
        appeal = self._appealed()
        self.assertFalse(appeal.user_id)
        self.assertIn("Give somebody else", appeal.problem)
        self.second.sudo().active = True
        appeal.invalidate_recordset()
        self.assertFalse(appeal.problem)
        appeal.action_assign(self.second.id)
        self.assertEqual(appeal.return_id.activity_ids.user_id, self.second)
        with self.assert_refused("refused return"):
            appeal.action_assign(self.refuser.id)

    def test_share_of_overturned_appeals(self):
        for number, method in enumerate(('action_overturn', 'action_uphold', 'action_uphold')):
            self._call(self.second, self._appealed(quantity=number + 1), method, "Because.")
        self._appealed(quantity=1)
        groups = self.env['sale.return.appeal'].formatted_read_group(
            [('company_id', '=', self.company.id), ('state', '!=', 'open')],
            ['refused_by_id'],
            ['rate_overturned:avg', '__count'],
        )
        self.assertEqual(len(groups), 1)
        self.assertAlmostEqual(groups[0]['rate_overturned:avg'], 1 / 3)

    def test_nobody_writes_appeals(self):
        appeal = self._appealed()
        manager = self._create_user('appeals_manager', 'sale_return.group_manager')
        for user in (self.clerk, self.second, manager):
            with self.assert_refused(exception=AccessError):
                self._call(user, appeal, 'write', {'state': 'overturned'})
            with self.assert_refused(exception=AccessError):
                self._call(user, appeal, 'unlink')
        vals = {'return_id': self._refused(1).id, 'partner_id': self.customer.id, 'comment': "x"}
        with self.assert_refused(exception=AccessError):
            self._call(manager, appeal, 'create', vals)
        with self.assert_refused("cannot be set by hand"):
            self._call(self.clerk, appeal.return_id, 'write', {'date_appeal_until': '2040-01-01'})

    def test_other_company_sees_and_decides_nothing(self):
        appeal = self._appealed()
        other = self._create_trading_company("Other Returns Company")
        stranger = self._create_user('appeals_stranger', 'sale_return.group_manager', company=other)
        with self.assert_refused(exception=AccessError):
            self._call(stranger, appeal, 'action_overturn', "Yes.")
        self.assertFalse(self._env_of(stranger)['sale.return.appeal'].search([]) & appeal)
        self.assertNotIn(stranger, appeal._get_candidates())

    def test_dialogs_appeal_and_decide(self):
        sale_return = self._refused()
        for user, action, words in (
            (self.clerk, sale_return.action_open_appeal(), "Never used."),
            (self.second, None, "The customer is right."),
        ):
            action = action or sale_return.appeal_ids.with_user(user).action_open_overturn()
            dialog = (
                self._env_of(user)['sale.return.explain']
                .with_context(**action['context'])
                .create({'reason': words})
            )
            dialog.action_confirm()
        self.assertEqual(sale_return.state, 'approved')
