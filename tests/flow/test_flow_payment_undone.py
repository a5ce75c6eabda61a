from odoo import Command
from odoo.tests import tagged

from ..common_refund import RefundCommon


@tagged('post_install', '-at_install')
class TestFlowPaymentUndone(RefundCommon):
    """Payments of refunds that are reset or cancelled afterwards, with an early payment discount.

    An invoice of 1210.00 with 2/10 was paid by 1185.80; as much goes back, 24.20 are written back.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.loss = cls.env['account.account'].search(
            [('account_type', '=', 'expense'), ('company_ids', 'in', cls.company.ids)], limit=1
        )
        cls.company.sudo().account_journal_early_pay_discount_loss_account_id = cls.loss
        cls.term = cls.env['account.payment.term'].create(
            {
                'name': "2/10",
                'company_id': cls.company.id,
                'early_discount': True,
                'discount_percentage': 2,
                'discount_days': 10,
                'early_pay_discount_computation': 'included',
                'line_ids': [
                    Command.create({'value': 'percent', 'value_amount': 100, 'nb_days': 30})
                ],
            }
        )

    def setUp(self):
        super().setUp()
        self.before = self._get_account_balance(self.loss)
        order = self._create_paid_sale(payment_term_id=self.term.id)
        self.sale_return = self._return_goods(order)
        self.refund = self.sale_return.action_refund()
        self.note = self.sale_return.credit_note_ids
        self._post_refunds(self.refund)

    def _assert_settled(self, refund):
        self.assertEqual(
            (refund.state, refund.amount, refund.amount_written_back), ('done', 1185.8, 24.2)
        )
        self.assert_at_zero(self.sale_return.invoice_ids, self.note, refund.payment_id.move_id)
        self.assertEqual(self._get_account_balance(self.loss), self.before)
        self.assertEqual(self.sale_return.amount_refunded, 1185.8)
        self.assert_ledger_balanced()

    def test_payment_that_is_reset_opens_the_note(self):
        self.refund.payment_id.action_draft()
        self.assertEqual((self.refund.state, self.note.amount_residual), ('prepared', 1210.0))
        self.assertEqual(self._get_account_balance(self.loss) - self.before, 20.0)

    def test_payment_that_is_reset_can_be_posted_again(self):
        payment = self.refund.payment_id
        payment.action_draft()
        payment.action_post()
        self._assert_settled(self.refund)

    def test_as_much_is_paid_back_after_a_payment_was_cancelled(self):
        payment = self.refund.payment_id
        payment.action_draft()
        payment.action_cancel()
        again = self.sale_return.action_refund()
        self._post_refunds(again)
        self._assert_settled(again)

    def test_as_much_is_paid_back_after_a_payment_was_deleted(self):
        payment = self.refund.payment_id
        payment.action_draft()
        payment.unlink()
        again = self.sale_return.action_refund()
        self._post_refunds(again)
        self._assert_settled(again)
