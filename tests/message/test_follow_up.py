from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..common import SaleReturnCommon


@tagged('post_install', '-at_install')
class TestFollowUp(SaleReturnCommon):
    """Some days after closing, somebody follows up with the customer once and records it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.sudo().partner_id.tz = 'UTC'
        cls.policy.write({'follow_up_days': 5, 'window_days': 0})
        cls.seller = cls._create_user(
            'follow_seller', 'sale_return.group_user', 'sales_team.group_sale_salesman_all_leads'
        )
        cls.order = cls._create_sale(user_id=cls.seller.id)

    def _run(self, moment):
        with freeze_time(moment), self.enter_registry_test_mode():
            self.env.ref('sale_return.ir_cron_ask_follow_up').sudo().method_direct_trigger()
        self.env.invalidate_all()

    def _closed(self, quantity=1, moment='2032-03-01 12:00:00', order=None):
        with freeze_time(moment):
            sale_return = self._return_goods(order or self.order, quantity)
        self.assertEqual(sale_return.state, 'closed')
        return sale_return

    def _get_calls(self, sale_return):
        return sale_return.activity_ids.filtered(
            lambda a: a.activity_type_id == self.env.ref('sale_return.mail_activity_type_follow_up')
        )

    def test_seller_is_asked_once_when_it_is_time(self):
        returns = self._closed(1) + self._closed(2)
        self.assertEqual(set(map(str, returns.mapped('follow_up_on'))), {'2032-03-06'})
        self._run('2032-03-05 23:00:00')
        self.assertFalse(self._get_calls(returns))
        self._run('2032-03-06 01:00:00')
        self._run('2032-03-07 01:00:00')
        calls = self._get_calls(returns)
        self.assertEqual((len(calls), calls.user_id), (2, self.seller))
        self.assertIn("121.00", calls[:1].note)
        self.assertIn("Nothing ordered since", calls[:1].note)

    def test_day_begins_where_the_company_is(self):
        self.company.sudo().partner_id.tz = 'Pacific/Auckland'
        sale_return = self._closed(1)  # there it is 2 March already
        self._run('2032-03-06 10:59:00')
        self.assertFalse(self._get_calls(sale_return))
        self._run('2032-03-06 11:01:00')
        self.assertTrue(self._get_calls(sale_return))

    def test_seller_sees_what_was_ordered_since_and_says_the_result(self):
        sale_return = self._closed(1)
        with freeze_time('2032-03-03 12:00:00'):
            later = self._create_order(date_order='2032-03-03 12:00:00')
            later.date_order = '2032-03-03 12:00:00'
        self._run('2032-03-06 12:00:00')
        self.assertIn(later.name, self._get_calls(sale_return).note)
        self.assertTrue(sale_return._is_follow_up_open())
        self._call(self.seller, sale_return, 'action_follow_up', 'sold_again', "Likes the new one.")
        self.assertEqual(
            (sale_return.follow_up_result, sale_return.followed_up_by_id),
            ('sold_again', self.seller),
        )
        self.assertFalse(self._get_calls(sale_return) or sale_return._is_follow_up_open())
        event = sale_return.event_ids.filtered(lambda e: e.kind == 'followed_up')
        self.assertEqual((event.user_id, event.reason), (self.seller, "Likes the new one."))
        self._run('2032-03-08 12:00:00')
        self.assertFalse(self._get_calls(sale_return))

    def test_result_is_checked(self):
        sale_return = self._closed(1)
        with self.assert_refused("not a result"):
            self._call(self.seller, sale_return, 'action_follow_up', 'happy')
        with self.assert_refused("cannot be followed up"):
            self._call(self.seller, self._create_return(self.order, 1), 'action_follow_up', 'kept')
        with self.assert_refused("cannot be set by hand"):
            self._call(self.seller, sale_return, 'write', {'follow_up_result': 'kept'})
        with self.assert_refused(exception=AccessError):
            self._call(
                self._create_user('follow_stranger', 'base.group_user'),
                sale_return,
                'action_follow_up',
                'kept',
            )

    def test_return_that_is_opened_again_is_not_followed_up(self):
        sale_return = self._closed(1)
        self._run('2032-03-06 12:00:00')
        with freeze_time('2032-03-07 12:00:00'):
            sale_return.credit_note_ids.button_draft()
            self.assertEqual(sale_return.state, 'approved')
            self.assertFalse(self._get_calls(sale_return) or sale_return.follow_up_on)
            sale_return.credit_note_ids.action_post()
        self.assertEqual(str(sale_return.follow_up_on), '2032-03-12')
        self._run('2032-03-12 12:00:00')
        self.assertEqual(len(self._get_calls(sale_return)), 1)

    def test_nobody_is_asked_without_days_or_when_nothing_came(self):
        self.policy.follow_up_days = 0
        self.assertFalse(self._closed(1).follow_up_on)
        self.policy.follow_up_days = 5
        unsent = self._create_return(self.order, 1)
        unsent.action_close("The customer keeps it.")
        self.assertEqual(unsent.state, 'closed')
        self.assertFalse(unsent.follow_up_on)

    def test_who_has_left_is_not_asked(self):
        sale_return = self._closed(1)
        self.seller.sudo().active = False
        self._run('2032-03-06 12:00:00')
        self.assertEqual(self._get_calls(sale_return).user_id, sale_return.user_id)
        self.assertNotEqual(sale_return.user_id, self.seller)
        alone = self._closed(2)
        alone.user_id = False
        self._run('2032-03-07 12:00:00')
        self.assertFalse(self._get_calls(alone))
        found = self.env['sale.return'].search(
            [('follow_up_on', '<=', '2032-03-07'), ('follow_up_result', '=', False)]
        )
        self.assertIn(alone, found)
