from freezegun import freeze_time

from odoo.tests import tagged

from ..common_decision import DecisionCommon


@tagged('post_install', '-at_install')
class TestWindow(DecisionCommon):
    """The window counts from the day after the customer got the goods, to the end of its last day
    where the customer is."""

    def _is_open(self, moment, order=None):
        with freeze_time(moment):
            return self._create_return(order or self.order, 1).state == 'approved'

    def test_window_of_the_policy_counts_without_a_rule(self):
        self._got_on(self.order, '2026-03-01 09:00:00')
        self.assertTrue(self._is_open('2026-03-31 23:59:00'))
        self.assertFalse(self._is_open('2026-04-01 00:01:00'))

    def test_late_request_waits_for_a_person_and_says_why(self):
        self._got_on(self.order, '2026-03-01 09:00:00')
        with freeze_time('2026-05-01 12:00:00'):
            line = self._create_return(self.order, 1).line_ids
        self.assertEqual((line.state, line.verdict_outcome), ('submitted', 'review'))
        self.assertIn("2026-03-31", line.verdict_text)
        facts = next(v['facts'] for v in line.verdicts if v['code'] == 'window_over')
        self.assertEqual(
            (facts['got_on'], facts['last_day'], facts['asked_on'], facts['got_on_source']),
            ('2026-03-01', '2026-03-31', '2026-05-01', 'customer_received'),
        )

    def test_client_dates_no_request_back(self):
        """A draft of the first days, sent after the window, with a context of the client's own."""
        clerk = self._create_user('window_clerk', 'base.group_user', 'sale_return.group_user')
        self._got_on(self.order, '2026-03-01 09:00:00')
        draft = self._create_return(self.order, 1, submit=False)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sale_return SET create_date = '2026-03-02' WHERE id = %s", [draft.id]
        )
        self.env.invalidate_all()
        with freeze_time('2026-05-01 12:00:00'):
            self._call(clerk, draft, 'action_submit', context={'sale_return_past': True})
        self.assertEqual(draft.state, 'submitted')
        self.assertIn('window_over', [verdict['code'] for verdict in draft.line_ids.verdicts])

    def test_day_ends_where_the_customer_is(self):
        """Received on 1 March 23:30 UTC, which is the 2nd in Shanghai."""
        self.customer.tz = 'Asia/Shanghai'
        self._got_on(self.order, '2026-03-01 23:30:00')
        self.assertTrue(self._is_open('2026-04-01 15:59:00'))
        self.assertFalse(self._is_open('2026-04-01 16:00:00'))

    def test_day_ends_where_the_company_is_if_the_rule_says_so(self):
        self.customer.tz = 'Asia/Shanghai'
        self.company.sudo().partner_id.tz = 'America/New_York'
        self._add_rule('window', timezone='company', days=14)
        self._got_on(self.order, '2026-03-02 03:00:00')  # 1 March in New York
        self.assertTrue(self._is_open('2026-03-16 03:59:00'))
        self.assertFalse(self._is_open('2026-03-16 04:01:00'))

    def test_unknown_day_is_the_day_of_the_delivery_and_the_transit(self):
        self._create_policy(window_days=10, transit_days=3)
        with freeze_time('2026-03-01 12:00:00'):
            order = self._create_sale()
        order.picking_ids.move_ids.date = '2026-03-01 12:00:00'
        self.assertTrue(self._is_open('2026-03-14 23:59:00', order))
        self.assertFalse(self._is_open('2026-03-15 00:01:00', order))

    def test_window_counts_from_the_last_delivery_of_the_order_if_the_rule_says_so(self):
        order = self._create_order({}, {'product': self.product_on_order})
        first = order.picking_ids
        self._process(first, 5)
        self._deliver(order)
        (order.picking_ids - first).date_customer_received = '2026-03-20 12:00:00'
        first.date_customer_received = '2026-03-01 12:00:00'
        # Both lines were in both parcels: take the second one out of the second line's view.
        rule = self._add_rule('window', days=5, window_basis='order')
        self.assertTrue(self._is_open('2026-03-25 12:00:00', order))
        rule.window_basis = 'line'
        service_line = order.order_line[0]
        second = (order.picking_ids - first).move_ids.filtered(
            lambda m: m.sale_line_id == service_line
        )
        second.sudo().sale_line_id = False
        self.assertFalse(self._is_open('2026-03-25 12:00:00', service_line))

    def test_working_days_of_the_company(self):
        self._add_rule('window', days=5, day_type='working')
        self._got_on(self.order, '2026-03-05 12:00:00')  # a Thursday
        self.assertTrue(self._is_open('2026-03-12 12:00:00'))
        self.assertFalse(self._is_open('2026-03-13 12:00:00'))

    def test_public_holidays_are_no_working_days(self):
        calendar = self.company.sudo().resource_calendar_id
        self.env['resource.calendar.leaves'].sudo().create(
            {
                'name': "Holiday",
                'calendar_id': calendar.id,
                'company_id': self.company.id,
                'date_from': '2026-03-09 00:00:00',
                'date_to': '2026-03-09 23:59:59',
            }
        )
        self._add_rule('window', days=5, day_type='working')
        self._got_on(self.order, '2026-03-05 12:00:00')
        self.assertTrue(self._is_open('2026-03-13 12:00:00'))

    def test_zero_days_are_no_limit(self):
        self._create_policy(window_days=0)
        self._got_on(self.order, '2020-03-01 12:00:00')
        self.assertTrue(self._is_open('2026-03-13 12:00:00'))

    def test_rule_without_days_takes_those_of_the_policy(self):
        self._create_policy(window_days=3)
        self._add_rule('window', policy=self._create_policy(window_days=3, sequence=-300))
        self._got_on(self.order, '2026-03-01 12:00:00')
        self.assertTrue(self._is_open('2026-03-04 12:00:00'))
        self.assertFalse(self._is_open('2026-03-05 12:00:00'))
