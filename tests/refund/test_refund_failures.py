from contextlib import ExitStack
from datetime import timedelta
from unittest.mock import patch

import requests
from psycopg2.errors import LockNotAvailable

from odoo import SUPERUSER_ID, api
from odoo.tests import TransactionCase, tagged
from odoo.tools import mute_logger

from ..common_refund import RefundCommon

SEND_LOGGER = 'odoo.addons.sale_return.models.refund.sale_return_refund_send'


class OnlineCommon(RefundCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.provider = cls._create_provider()

    def _create_online_return(self, quantity=None, **values):
        order = self._create_sale(**values)
        self._pay_online(order.invoice_ids)
        return self._return_goods(order, quantity)


@tagged('post_install', '-at_install')
class TestRefundOnline(OnlineCommon):
    """Refunds by the original transaction, whatever its provider answers."""

    def test_refund_goes_back_by_the_original_transaction(self):
        with self._provider_answers('done') as sent:
            sale_return = self._create_online_return()
            refunds = sale_return.action_refund()
            self.assertEqual((refunds.method, refunds.state), ('online', 'prepared'))
            self.assertFalse(sent)  # not before it is committed
            self._run_refund_job()
        self.assertEqual([amount for _reference, amount in sent], [1210.0])
        self.assertEqual(refunds.state, 'done')
        self.assertEqual(refunds.transaction_id.invoice_ids, sale_return.credit_note_ids)
        self.assertEqual(sale_return.amount_refunded, 1210.0)
        self.assert_at_zero(
            sale_return.invoice_ids, sale_return.credit_note_ids, refunds.payment_id.move_id
        )
        self.assert_ledger_balanced()

    def test_second_run_sends_nothing(self):
        with self._provider_answers('done') as sent:
            sale_return = self._create_online_return()
            sale_return.action_refund()
            sale_return.action_refund()
            self._run_refund_job()
            self._run_refund_job()
            sale_return.action_refund()
            self._run_refund_job()
        self.assertEqual(len(sent), 1)

    def test_refused_refund_is_shown_and_can_be_tried_again(self):
        with self._provider_answers(self._refuse("Insufficient balance.")):
            sale_return = self._create_online_return()
            failed = sale_return.action_refund()
            self._run_refund_job()
        self.assertEqual((failed.state, failed.error), ('failed', "Insufficient balance."))
        self.assertEqual(sale_return.refund_error, "Insufficient balance.")
        self.assertEqual(sale_return.credit_note_ids.amount_residual, 1210.0)
        with self._provider_answers('done') as sent:
            again = failed.action_retry()
            self._run_refund_job()
            self.assertFalse(failed.action_retry())
            self._run_refund_job()
        self.assertEqual(len(sent), 1)
        self.assertEqual((again.state, failed.retry_id), ('done', again))
        self.assertNotEqual(again.idempotency_key, failed.idempotency_key)
        self.assertFalse(sale_return.refund_error)
        self.assert_at_zero(sale_return.credit_note_ids)

    def test_refund_that_the_provider_sets_to_error_has_failed(self):
        with self._provider_answers('error'):
            failed = self._create_online_return().action_refund()
            self._run_refund_job()
        self.assertEqual((failed.state, failed.error), ('failed', "Insufficient balance."))

    def test_refused_refund_can_be_paid_otherwise(self):
        with self._provider_answers(self._refuse()):
            sale_return = self._create_online_return()
            failed = sale_return.action_refund()
            self._run_refund_job()
            again = failed.action_pay_otherwise()
        self.assertEqual((again.method, again.journal_id), ('payment', self.wechat))
        self._post_refunds(again)
        self.assert_at_zero(sale_return.credit_note_ids)

    def test_pending_refund_is_settled_when_the_provider_answers(self):
        with self._provider_answers('pending') as sent:
            sale_return = self._create_online_return()
            refunds = sale_return.action_refund()
            self._run_refund_job()
            self.assertEqual(refunds.state, 'pending')
            self.assertFalse(sale_return.action_refund())
            with self.assert_refused("cannot be"):
                refunds.action_retry()
            with self.assert_refused("cannot be"):
                refunds.action_cancel()
            self._run_refund_job()
        self.assertEqual(len(sent), 1)
        transaction = refunds.transaction_id.sudo()
        transaction._set_done()
        transaction._post_process()
        self.assertEqual(refunds.state, 'done')
        self.assert_at_zero(sale_return.credit_note_ids)

    def _lose_answer(self):
        """Return a return whose provider did not answer, and its refund."""

        with self._provider_answers(self._lose(requests.exceptions.ReadTimeout())) as sent:
            sale_return = self._create_online_return()
            lost = sale_return.action_refund()
            self._run_refund_job()
            self.assertEqual(lost.state, 'unknown')
            self._run_refund_job()
            self.assertFalse(sale_return.action_refund())
            with self.assert_refused("not known whether"):
                lost.action_retry()
        self.assertEqual(len(sent), 1)
        self.assertTrue(sale_return.refund_error)
        return sale_return, lost

    def test_lost_answer_is_not_sent_again_before_a_person_has_looked(self):
        _sale_return, lost = self._lose_answer()
        self.assertEqual(lost.state, 'unknown')

    def test_lost_answer_that_turns_out_as_paid(self):
        sale_return, lost = self._lose_answer()
        lost.action_confirm_paid()
        self.assertEqual(lost.state, 'done')
        self.assert_at_zero(sale_return.credit_note_ids)
        self.assertFalse(sale_return.action_refund())

    def test_lost_answer_that_turns_out_as_not_paid(self):
        sale_return, lost = self._lose_answer()
        lost.action_confirm_not_paid()
        self.assertEqual(lost.state, 'failed')
        with self._provider_answers('done'):
            again = lost.action_retry()
            self._run_refund_job()
        self.assertEqual(again.state, 'done')
        self.assert_at_zero(sale_return.credit_note_ids)

    def test_server_error_of_the_provider_is_no_refusal(self):
        response = requests.Response()
        response.status_code = 502
        error = requests.exceptions.HTTPError(response=response)
        with self._provider_answers(self._lose(error)):
            refunds = self._create_online_return().action_refund()
            self._run_refund_job()
        self.assertEqual(refunds.state, 'unknown')

    def test_server_that_stops_while_sending_leaves_no_second_payment(self):
        with self._provider_answers('done') as sent:
            sale_return = self._create_online_return()
            refunds = sale_return.action_refund()
            refunds.sudo()._mark_sent()  # committed; then the server was stopped
            self._run_refund_job()
            self.assertEqual((refunds.state, sent), ('pending', []))
            refunds.sudo().date_sent -= timedelta(hours=1)
            self._run_refund_job()
        self.assertEqual((refunds.state, sent), ('unknown', []))

    def test_unexpected_error_of_the_provider_stops_no_other_refund(self):
        def answer(transaction):
            if transaction == bad.transaction_id:
                raise KeyError('status')
            transaction._set_done()

        with self._provider_answers(answer):
            returns = self._create_online_return() | self._create_online_return()
            bad, good = returns.action_refund().sudo()
            # A rollback would take the whole test with it.
            with (
                mute_logger(SEND_LOGGER),
                patch.object(type(self.env.cr), 'rollback', lambda _cursor: None),
            ):
                self._run_refund_job()
        self.assertEqual((bad.state, good.state), ('unknown', 'done'))

    def test_cancelled_before_it_was_sent(self):
        with self._provider_answers('done') as sent:
            sale_return = self._create_online_return()
            refunds = sale_return.action_refund()
            refunds.action_cancel()
            self._run_refund_job()
            self.assertEqual((refunds.state, sent), ('cancelled', []))
            self.assertTrue(sale_return.action_refund())

    def test_disabled_provider_gets_a_prepared_payment(self):
        sale_return = self._create_online_return()
        self.provider.state = 'disabled'
        with self._provider_answers('done') as sent:
            refunds = sale_return.action_refund()
        self.assertEqual((refunds.method, refunds.journal_id, sent), ('payment', self.wechat, []))

    def test_provider_disabled_before_the_job_refuses(self):
        with self._provider_answers('done') as sent:
            refunds = self._create_online_return().action_refund()
            self.provider.state = 'disabled'
            self._run_refund_job()
        self.assertEqual((refunds.state, sent), ('failed', []))

    def test_provider_that_refunds_in_full_only(self):
        with self._provider_answers('done', support='full_only') as sent:
            part = self._create_online_return(4).action_refund()
            self.assertEqual((part.method, part.amount), ('payment', 484.0))
            whole = self._create_online_return().action_refund()
            self.assertEqual((whole.method, whole.amount), ('online', 1210.0))
            self._run_refund_job()
        self.assertEqual(len(sent), 1)

    def test_provider_without_refunds_gets_a_prepared_payment(self):
        with self._provider_answers('done', support='none'):
            refunds = self._create_online_return().action_refund()
        self.assertEqual(refunds.method, 'payment')

    def test_refund_made_in_odoo_without_us_counts(self):
        with self._provider_answers('done') as sent:
            order = self._create_sale()
            transaction = self._pay_online(order.invoice_ids)
            transaction._refund(1000.0)._post_process()
            refunds = self._return_goods(order).action_refund()
            self._run_refund_job()
        self.assertEqual([amount for _reference, amount in sent], [1000.0, 210.0])
        self.assertEqual(refunds.amount, 210.0)

    def test_split_over_an_online_payment_and_the_till(self):
        with self._provider_answers('done'):
            order = self._create_sale()
            self._pay(order.invoice_ids, 210.0, journal=self.cash, date='2026-01-05')
            self._pay_online(order.invoice_ids, 1000.0)
            sale_return = self._return_goods(order)
            refunds = sale_return.action_refund().sorted('id')
            self.assertEqual(refunds.mapped('method'), ['online', 'payment'])
            self.assert_payouts(refunds, (self.wechat, 1000.0), (self.cash, 210.0))
            self._run_refund_job()
            self._post_refunds(refunds.filtered(lambda refund: refund.method == 'payment'))
        self.assertEqual(set(refunds.mapped('state')), {'done'})
        self.assert_at_zero(sale_return.credit_note_ids)

    def test_note_gone_before_the_job_pays_no_more_than_is_open(self):
        with self._provider_answers('done') as sent:
            sale_return = self._create_online_return()
            refunds = sale_return.action_refund()
            self._pay_back(sale_return.credit_note_ids)
            self._run_refund_job()
        self.assertEqual((refunds.state, sent), ('failed', []))

    def test_problems_are_in_the_list(self):
        view = self.env.ref('sale_return.sale_return_refund_view_search').sudo().arch
        self.assertIn('name="failed"', view)
        with self._provider_answers(self._refuse()):
            failed = self._create_online_return().action_refund()
            self._run_refund_job()
        found = self.env['sale.return.refund'].search(
            [
                ('state', 'in', ('failed', 'unknown')),
                ('retry_id', '=', False),
                ('note_id.amount_residual', '!=', 0),
            ]
        )
        self.assertIn(failed, found)


@tagged('post_install', '-at_install')
class TestRefundDemoProvider(OnlineCommon):
    """The same with Odoo's own demo provider, as far as it goes."""

    @classmethod
    def _create_provider(cls):
        module = cls.env['ir.module.module'].sudo().search([('name', '=', 'payment_demo')])
        if module.state != 'installed':
            return cls.env['payment.provider']
        provider = cls.env.ref('payment.payment_provider_demo').sudo()
        provider = provider.copy({'company_id': cls.company.id, 'state': 'test'})
        provider.journal_id = cls.wechat
        provider.payment_method_ids = cls.env.ref('payment_demo.payment_method_demo').sudo()
        return provider

    def test_demo_provider_pays_back_and_the_note_is_settled(self):
        if not self.provider:
            self.skipTest("payment_demo is not installed")
        sale_return = self._create_online_return(4)
        refunds = sale_return.action_refund()
        self.assertEqual(refunds.method, 'online')
        self._run_refund_job()
        self.assertEqual((refunds.state, refunds.amount), ('done', 484.0))
        self.assertEqual(refunds.payment_id.payment_type, 'outbound')
        self.assert_at_zero(sale_return.credit_note_ids, refunds.payment_id.move_id)


@tagged('post_install', '-at_install')
class TestRefundConcurrency(TransactionCase):
    """Two workers pay back at the same time: the second waits, and then sees the first."""

    def _open_environment(self, stack):
        cr = stack.enter_context(self.registry.cursor())
        stack.callback(cr.rollback)
        return api.Environment(cr, SUPERUSER_ID, {})

    def test_second_refund_of_a_note_waits_for_the_first(self):
        note = self.env['account.move'].search(
            [('move_type', '=', 'out_refund'), ('reversed_entry_id', '!=', False)], limit=1
        )
        if not note:
            self.skipTest("There is no credit note in this database")
        with ExitStack() as stack:
            first, second = (self._open_environment(stack) for _session in range(2))
            payable = "odoo.addons.sale_return.models.refund.account_move.AccountMove"
            with patch(f'{payable}._filter_sale_return_payable', lambda notes: notes):
                first['sale.return.payback']._pay_back(first['account.move'].browse(note.id))
                second.cr.execute("SET LOCAL lock_timeout = '100ms'")
                with mute_logger('odoo.sql_db'), self.assertRaises(LockNotAvailable):
                    second['sale.return.payback']._pay_back(second['account.move'].browse(note.id))
