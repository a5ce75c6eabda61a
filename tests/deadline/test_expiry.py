from freezegun import freeze_time

from odoo.tests import tagged

from ..common import SaleReturnCommon


class ExpiryCommon(SaleReturnCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.sudo().partner_id.tz = 'UTC'
        cls.customer.email = 'jane@example.com'
        cls.order = cls._create_sale()
        cls.policy.write({'expiry_days': 14, 'reminder_days': 5, 'window_days': 0})

    def _run(self, moment):
        with freeze_time(moment), self.enter_registry_test_mode():
            self.env.ref('sale_return.ir_cron_follow_up').sudo().method_direct_trigger()
            self.env.ref('sale_return.ir_cron_send_messages').sudo().method_direct_trigger()
        self.env.invalidate_all()

    def _approved(self, quantity=2, moment='2026-03-01 12:00:00', **values):
        with freeze_time(moment):
            sale_return = self._create_return(self.order, quantity, submit=False, **values)
            sale_return.action_submit()
            self._backdate(sale_return, moment)
        return sale_return

    def _get_mails(self, sale_return, text):
        return sale_return.message_ids.filtered(lambda m: text in (m.subject or ''))


@tagged('post_install', '-at_install')
class TestExpiry(ExpiryCommon):
    """Approved and not sent: the customer is reminded, then the return is closed, exactly once."""

    def test_reminder_once_and_only_in_the_last_days(self):
        sale_return = self._approved()
        self.assertEqual(str(sale_return.date_send_until), '2026-03-15')
        self._run('2026-03-09 12:00:00')
        self.assertFalse(self._get_mails(sale_return, "Please send"))
        self._run('2026-03-10 12:00:00')
        self._run('2026-03-10 18:00:00')
        self._run('2026-03-12 12:00:00')
        mail = self._get_mails(sale_return, "Please send")
        self.assertEqual(len(mail), 1)
        self.assertIn(self.customer, mail.notified_partner_ids | mail.partner_ids)
        self.assertEqual(len(sale_return.activity_ids), 1)
        self.assertEqual(len(sale_return.event_ids.filtered(lambda e: e.kind == 'reminded')), 1)

    def test_the_job_speaks_to_the_responsible_in_their_language(self):
        self.env['res.lang'].sudo()._activate_lang('zh_CN')
        sale_return = self._approved()
        sale_return.user_id.sudo().lang = 'zh_CN'
        self._run('2026-03-10 12:00:00')
        self.assertEqual(sale_return.activity_ids.summary, "询问货物去向")

    def test_closed_as_not_sent_after_the_last_day(self):
        sale_return = self._approved()
        self._run('2026-03-15 23:00:00')
        self.assertEqual(sale_return.state, 'approved')
        self._run('2026-03-16 01:00:00')
        self._run('2026-03-17 01:00:00')
        self.assertEqual(sale_return.state, 'closed')
        self.assert_quantities(sale_return.line_ids, written_off=2, held=0, credited=0)
        self.assertEqual(self.order.order_line.qty_returnable, 10)
        self.assertEqual(sale_return.picking_ids.state, 'cancel')
        self.assertEqual(len(self._get_mails(sale_return, "is closed")), 1)
        event = sale_return.event_ids.filtered(lambda e: e.state_to == 'closed')
        self.assertEqual(event.reason, "Not sent.")

    def test_last_day_ends_where_the_company_is(self):
        self.company.sudo().partner_id.tz = 'Asia/Shanghai'
        sale_return = self._approved(moment='2026-03-01 10:00:00')
        self._run('2026-03-15 15:30:00')
        self.assertEqual(sale_return.state, 'approved')
        self._run('2026-03-15 16:30:00')
        self.assertEqual(sale_return.state, 'closed')

    def test_dispatched_or_received_returns_stay_open(self):
        sent, received = self._approved(1), self._approved(2)
        sent.action_register_dispatch('1Z')
        self._receive(received, 1)
        self._run('2026-04-20 12:00:00')
        self.assertEqual((sent + received).mapped('state'), ['approved', 'approved'])
        self.assertFalse(self._get_mails(sent + received, "Please send"))

    def test_credited_but_not_sent_is_for_a_person_and_stops_nobody(self):
        early = self._create_policy(release_event='approval')
        credited = self._approved(1)
        early.active = False
        plain = self._approved(1)
        self._run('2026-03-20 12:00:00')
        self._run('2026-03-21 12:00:00')
        self.assertEqual((credited.state, plain.state), ('approved', 'closed'))
        self.assertIn("credited but not sent", credited.expiry_error)
        self.assertEqual(len(credited.activity_ids), 1)

    def test_no_reminder_where_the_policy_wants_none_and_none_without_address(self):
        self.policy.reminder_days = 0
        sale_return = self._approved()
        self._run('2026-03-14 12:00:00')
        self.assertFalse(sale_return.activity_ids)
        self.customer.email = False
        self._run('2026-03-16 12:00:00')
        self.assertEqual(sale_return.state, 'closed')
        self.assertFalse(self._get_mails(sale_return, "is closed"))

    def test_many_at_once(self):
        returns = self._approved(1) + self._approved(1) + self._approved(1)
        self._run('2026-03-16 12:00:00')
        self.assertEqual(set(returns.mapped('state')), {'closed'})


@tagged('post_install', '-at_install')
class TestLapse(ExpiryCommon):
    """Undecided requests of customers lapse and release their quantity."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.policy.write({'approval': 'always', 'decision_days': 3})

    def _requested(self, by_customer=True):
        with freeze_time('2026-03-01 12:00:00'):
            sale_return = self._create_return(self.order, 2)
        if by_customer:
            portal = self._create_user('portal_jane', 'base.group_portal')
            sale_return._write_facts({'requested_by_id': portal.id})
        self._backdate(sale_return, '2026-03-01 12:00:00')
        return sale_return

    def test_request_lapses_after_the_days_of_the_policy(self):
        sale_return = self._requested()
        self._run('2026-03-04 23:00:00')
        self.assertEqual(sale_return.state, 'submitted')
        self._run('2026-03-05 01:00:00')
        self._run('2026-03-06 01:00:00')
        self.assertEqual(sale_return.state, 'cancelled')
        self.assertEqual(self.order.order_line.qty_returnable, 10)
        self.assertEqual(len(self._get_mails(sale_return, "in time")), 1)

    def test_request_of_our_own_people_does_not_lapse(self):
        sale_return = self._requested(by_customer=False)
        self._run('2026-04-05 01:00:00')
        self.assertEqual(sale_return.state, 'submitted')

    def test_zero_days_are_for_ever(self):
        self.policy.decision_days = 0
        sale_return = self._requested()
        self._run('2026-04-05 01:00:00')
        self.assertEqual(sale_return.state, 'submitted')
