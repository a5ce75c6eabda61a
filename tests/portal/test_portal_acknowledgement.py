# pylint: disable=translation-required
from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..common_portal import PortalCommon


@tagged('post_install', '-at_install')
class TestPortalAcknowledgement(PortalCommon):
    """The acknowledgement required by law is sent even if the mail server was down."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_policy(name="EU", regime='eu_withdrawal', window_days=14, settlement='refund')
        cls.order.user_id = cls.staff

    def _withdraw(self):
        service = self.env['sale.return.portal.request'].with_user(self.jane).sudo()
        quantities = {self.order.order_line.id: 1.0}
        order = self.order.with_user(self.jane).sudo()
        withdrawal = service._withdraw(order, quantities, "Jane", 'jane@example.com', 'key')
        return withdrawal.with_user(self.staff)

    def _send_mails(self, error=None):
        """Let the mail server accept pending mails, or refuse them."""
        mails = self.env['mail.mail'].sudo().search([('state', '=', 'outgoing')])

        if error:
            with patch.object(type(mails), '_send', self._fail(error)):
                mails.send()
        else:
            mails.write({'state': 'sent'})

    def _fail(self, error):
        def fail(mails, *_args, **_kwargs):
            mails.write({'state': 'exception', 'failure_reason': error})

        return fail

    def _run_job(self):
        with self.enter_registry_test_mode():
            self.env.ref(
                'sale_return.ir_cron_retry_acknowledgements'
            ).sudo().method_direct_trigger()
        self.env.invalidate_all()

    def test_failed_mail_is_tried_again_and_a_person_is_told_once(self):
        withdrawal = self._withdraw()
        begin = fields.Datetime.now()
        self._send_mails("Connection refused <b>now</b>")
        self.env.invalidate_all()
        self.assertEqual(withdrawal.mail_state, 'exception')
        self._run_job()
        self.assertEqual((withdrawal.mail_state, withdrawal.mail_failures), ('outgoing', 1))
        (activity,) = self.order.sudo().activity_ids.filtered(
            lambda a: "Acknowledge the withdrawal" in (a.summary or '')
        )
        self.assertEqual(activity.user_id, self.staff)
        self.assertIn("&lt;b&gt;now", activity.note)
        pauses = [5]
        for minutes in (1, 5, 15, 40, 2000):
            self._send_mails("Connection refused")
            with freeze_time(begin + timedelta(minutes=minutes, seconds=30)):
                self._run_job()
            if withdrawal.mail_state == 'outgoing':
                wait = withdrawal.date_mail_next - begin - timedelta(minutes=minutes)
                pauses.append(round(wait.total_seconds() / 60))
        self.assertEqual(pauses, [5, 10, 20, 40, 80])
        summaries = self.order.sudo().activity_ids.mapped('summary')
        self.assertEqual(summaries.count(activity.summary), 1)
        self._send_mails()
        self.env.invalidate_all()
        self.assertEqual(withdrawal.mail_state, 'sent')
        self._run_job()
        self.assertEqual(withdrawal.mail_failures, 5)

    def test_address_of_today_is_written_to(self):
        withdrawal = self._withdraw()
        self._send_mails("No such address")
        self.customer.email = 'jane.new@example.com'
        self._run_job()
        self.assertIn('jane.new@example.com', withdrawal._get_mail().email_to)

    def test_what_is_not_acknowledged_is_listed(self):
        withdrawal = self._withdraw()
        withdrawals = withdrawal.browse()
        self.assertFalse(withdrawals.search([('mail_state', '=', 'exception')]))
        self.assertIn(withdrawal, withdrawals.search([('mail_state', '!=', 'exception')]))
        self._send_mails("No")
        self.env.invalidate_all()
        self.assertIn(withdrawal, withdrawals.search([('mail_state', 'in', ('exception', False))]))
        withdrawal._get_mail().unlink()
        self.env.invalidate_all()
        self.assertIn(withdrawal, withdrawals.search([('mail_state', '=', False)]))

    def test_user_mails_it_again_and_evidence_stays(self):
        withdrawal = self._withdraw()
        self._send_mails("No")
        with self.assertRaises(AccessError):
            self._call(self.jane, withdrawal, 'action_acknowledge_again')
        self._call(self.staff, withdrawal, 'action_acknowledge_again')
        self.env.invalidate_all()
        self.assertEqual(withdrawal.mail_state, 'outgoing')
        with self.assertRaises(UserError):
            self._call(self.staff, withdrawal, 'write', {'mail_failures': 0})
        with self.assertRaises(UserError):
            withdrawal.sudo().write({'mail_failures': 0, 'email': 'me@example.com'})
