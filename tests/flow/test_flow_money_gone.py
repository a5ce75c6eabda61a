from odoo.tests import tagged

from ..refund.test_refund_failures import OnlineCommon


@tagged('post_install', '-at_install')
class TestFlowMoneyGone(OnlineCommon):
    """The money was refunded elsewhere before the refund is made: it is not paid a second time."""

    def _refund_in_odoo(self, transaction, amount):
        """Refund a transaction the way Odoo's own dialog does."""
        child = transaction._create_child_transaction(amount, is_refund=True)
        child._set_done()
        child._post_process()

    def _prepare_online(self):
        order = self._create_sale()
        transaction = self._pay_online(order.invoice_ids)
        sale_return = self._return_goods(order)
        return transaction, sale_return, sale_return.action_refund()

    def test_refund_made_in_odoo_before_the_job_is_not_sent_again(self):
        with self._provider_answers('done') as sent:
            transaction, sale_return, refund = self._prepare_online()
            self._refund_in_odoo(transaction, 1210.0)
            self._run_refund_job()
            self.assertFalse(sent)
            self.assertEqual(refund.state, 'failed')
            self.assertIn("refunded elsewhere", sale_return.refund_error)
            self.assertFalse(refund.action_retry())

    def test_what_a_refund_made_in_odoo_has_left_is_paid_by_a_retry(self):
        with self._provider_answers('done') as sent:
            transaction, sale_return, refund = self._prepare_online()
            self._refund_in_odoo(transaction, 210.0)
            self._run_refund_job()
            again = refund.action_retry()
            self._run_refund_job()
        self.assertEqual([amount for _reference, amount in sent], [1000.0])
        self.assertEqual((refund.state, again.state), ('failed', 'done'))
        self.assertEqual(sale_return.credit_note_ids.amount_residual, 210.0)

    def _prepare_payment(self):
        order = self._create_paid_sale()
        return order.invoice_ids, self._return_goods(order).action_refund()

    def test_payment_that_bounced_is_not_paid_back(self):
        invoice, refund = self._prepare_payment()
        receipt = refund.source_payment_id.move_id
        receipt.line_ids.remove_move_reconcile()
        receipt._reverse_moves([{'date': self._today()}], cancel=True)
        with self.assert_refused("reversed"):
            refund.payment_id.action_post()
        refund.action_cancel()
        with self.assert_refused("nothing is left"):
            refund.return_ids.action_refund()
        self.assertEqual(invoice.amount_residual, 1210.0)

    def test_payment_that_was_used_for_another_invoice_is_not_paid_back(self):
        _invoice, refund = self._prepare_payment()
        other = self._create_sale().invoice_ids
        receipt = refund.source_payment_id.move_id
        receipt.line_ids.remove_move_reconcile()
        (receipt | other).line_ids.filtered(
            lambda line: line.account_id.account_type == 'asset_receivable'
        ).reconcile()
        with self.assert_refused("can still be paid back"):
            refund.payment_id.action_post()

    def test_two_refunds_of_one_receipt_are_both_paid(self):
        order = self._create_paid_sale()
        returns = self._return_goods(order, 4) | self._return_goods(order, 6)
        refunds = returns.action_refund()
        self._post_refunds(refunds)
        self.assertEqual(refunds.mapped('state'), ['done', 'done'])
        self.assert_at_zero(returns.credit_note_ids)
