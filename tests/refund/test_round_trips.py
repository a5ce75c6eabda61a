"""Money that is refunded, paid again, and refunded again."""

from odoo.exceptions import AccessError

from ..common_refund import RefundCommon


class TestRoundTrips(RefundCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.policy.settlement = 'refund'
        cls.accountant = cls._create_user(
            'round_accountant',
            'base.group_user',
            'account.group_account_user',
            'account.group_account_invoice',
        )

    def _refund(self, sale_return):
        ids = self._call(self.manager, sale_return, 'action_refund')
        return self.env['sale.return.refund'].sudo().browse(ids)

    def _create_paid_back(self, quantity=2):
        """Sell five for 500, and pay some of them back."""
        order = self._create_paid_sale({'quantity': 5, 'taxes': self.tax_21.browse()})
        sale_return = self._return_goods(order, quantity)
        refund = self._refund(sale_return)
        self._call(self.accountant, refund.payment_id, 'action_post')
        self.env.invalidate_all()
        self.assertEqual((refund.state, sale_return.amount_refunded), ('done', 100 * quantity))
        return sale_return, refund

    # === NOTES THAT ARE REVERSED === #

    def test_a_note_that_was_reversed_after_its_payout_is_not_paid_twice(self):
        sale_return, _refund = self._create_paid_back()
        note = sale_return.credit_note_ids
        reversal = note._reverse_moves([{'date': note.date}])
        self._call(self.accountant, reversal, 'action_post')
        self.assertEqual((reversal.amount_residual, sale_return.state), (200, 'approved'))
        self._call(self.manager, sale_return, 'action_create_credit_notes')
        self.env.invalidate_all()
        again = sale_return.credit_note_ids - note
        self.assertEqual(again.amount_total, 200)
        self.assertEqual((again.amount_residual, reversal.amount_residual), (0, 0))
        self.assertFalse(self._refund(sale_return))
        self.assertEqual((sale_return.state, sale_return.refund_state), ('closed', 'full'))
        self.assertEqual(sale_return.amount_refunded, 200)

    def test_a_note_posted_before_the_other_is_reversed_settles_it_too(self):
        first, _refund = self._create_paid_back()
        note = first.credit_note_ids
        second = self._return_goods(first.sale_order_ids, 2)
        reversal = note._reverse_moves([{'date': note.date}])
        self._call(self.accountant, reversal, 'action_post')
        self.env.invalidate_all()
        self.assertEqual((second.credit_note_ids.amount_residual, reversal.amount_residual), (0, 0))

    def test_a_note_that_was_paid_back_and_reset_is_matched_again_when_posted(self):
        sale_return, refund = self._create_paid_back()
        note = sale_return.credit_note_ids
        self._call(self.accountant, note, 'button_draft')
        self.env.invalidate_all()
        self.assertEqual(sale_return.state, 'approved')
        self._call(self.accountant, note, 'action_post')
        self.env.invalidate_all()
        self.assertEqual((note.amount_residual, refund.state), (0, 'done'))
        self.assertEqual((sale_return.state, sale_return.amount_refunded), ('closed', 200))

    def test_the_note_after_one_that_was_paid_back_and_cancelled_takes_over_its_payment(self):
        sale_return, refund = self._create_paid_back()
        note = sale_return.credit_note_ids
        self._call(self.accountant, note, 'button_draft')
        self._call(self.accountant, note, 'button_cancel')
        self.assert_taken_over(sale_return, refund)

    def test_the_note_after_one_that_was_paid_back_and_reversed_takes_over_its_payment(self):
        """Odoo's button reverses and matches the two documents, so the payment is open again."""
        sale_return, refund = self._create_paid_back()
        sale_return.credit_note_ids._reverse_moves([{}], cancel=True)
        self.assertEqual(refund.state, 'pending')
        self.assert_taken_over(sale_return, refund)

    def assert_taken_over(self, sale_return, refund):
        """Assert that the next note settles a payment: nothing is open, nothing is paid twice."""
        note = sale_return.credit_note_ids
        self._call(self.manager, sale_return, 'action_create_credit_notes')
        self.env.invalidate_all()
        again = sale_return.credit_note_ids - note
        self.assertEqual((again.amount_total, again.amount_residual), (200, 0))
        self.assertEqual((refund.note_id, refund.state), (again, 'done'))
        self.assertEqual((sale_return.state, sale_return.amount_refunded), ('closed', 200))
        self.assertFalse(self._refund(sale_return))
        rows = self.env['sale.return.reconciliation']
        rows.action_refresh()
        self.assertFalse(
            rows.search([('company_id', '=', self.company.id), ('state', '=', 'open')])
        )

    # === PAYOUTS THAT ARE UNDONE === #

    def test_a_payout_that_an_entry_reverses_can_be_paid_again(self):
        sale_return, refund = self._create_paid_back()
        entry = refund.payment_id.move_id
        wizard = (
            self.env['account.move.reversal']
            .with_user(self.accountant)
            .with_context(active_model='account.move', active_ids=entry.ids)
            .create({'journal_id': entry.journal_id.id})
        )
        wizard.reverse_moves()
        self.env.invalidate_all()
        self.assertEqual((refund.state, sale_return.amount_refunded), ('cancelled', 0))
        self.assertEqual((sale_return.state, sale_return.refund_state), ('approved', 'pending'))
        again = self._refund(sale_return)
        self.assertEqual(again.mapped('amount'), [200])
        self._call(self.accountant, again.sudo().payment_id, 'action_post')
        self.env.invalidate_all()
        self.assertEqual((sale_return.state, sale_return.amount_refunded), ('closed', 200))

    # === RECEIPTS THAT BOUNCE === #

    def test_a_receipt_whose_money_was_paid_back_can_be_cancelled(self):
        # The last one of its year: Odoo lets no other one be deleted.
        order = self._create_sale({'quantity': 5, 'taxes': self.tax_21.browse()})
        receipt = self._pay(order.invoice_ids, date='2025-06-01')
        sale_return = self._return_goods(order, 2)
        refund = self._refund(sale_return)
        self._call(self.accountant, refund.payment_id, 'action_post')
        self._call(self.accountant, receipt, 'action_draft')
        self._call(self.accountant, receipt, 'action_cancel')
        self.env.invalidate_all()
        self.assertEqual((receipt.state, refund.state), ('canceled', 'done'))
        self.assertEqual(sale_return.amount_refunded, 200)

    def test_a_receipt_that_is_about_to_be_paid_back_waits_for_the_refund(self):
        order = self._create_sale({'quantity': 5, 'taxes': self.tax_21.browse()})
        receipt = self._pay(order.invoice_ids, date='2025-06-01')
        sale_return = self._return_goods(order, 2)
        refund = self._refund(sale_return)
        self._call(self.accountant, receipt, 'action_draft')
        with self.assert_refused("Cancel these refunds"):
            self._call(self.accountant, receipt, 'action_cancel')
        self.env.invalidate_all()
        self._call(self.manager, refund, 'action_cancel')
        self._call(self.accountant, receipt, 'action_cancel')
        self.assertEqual(receipt.state, 'canceled')
        self.assertEqual(refund.sudo().state, 'cancelled')

    # === INVOICES THAT WERE SETTLED WITHOUT MONEY === #

    def _create_settled_by_credit(self):
        """Sell five for 500, settled by the credit of another invoice that was paid."""
        other = self._create_paid_sale({'quantity': 5, 'taxes': self.tax_21.browse()})
        order = self._create_sale({'quantity': 5, 'taxes': self.tax_21.browse()})
        credit = self._reverse(other.invoice_ids)
        (credit | order.invoice_ids).line_ids.filtered(
            lambda line: line.account_id.account_type == 'asset_receivable'
        ).reconcile()
        self.assertEqual(order.invoice_ids.amount_residual, 0)
        return order, credit

    def test_refund_says_that_the_invoice_was_settled_by_a_credit(self):
        order, credit = self._create_settled_by_credit()
        sale_return = self._return_goods(order, 5)
        self.assertEqual((sale_return.state, sale_return.refund_state), ('approved', 'pending'))
        with self.assert_refused(credit.name):
            self._refund(sale_return)
        with self.assert_refused("not allowed to pay money back", AccessError):
            self._call(self.clerk, sale_return, 'action_leave_on_account')
        self._call(self.manager, sale_return, 'action_leave_on_account')
        self.env.invalidate_all()
        self.assertEqual((sale_return.state, sale_return.refund_state), ('closed', 'no'))
        self.assertEqual(sale_return.credit_note_ids.amount_residual, 500)
        self.assertFalse(sale_return.has_to_refund)

    def test_what_no_receipt_is_left_for_can_be_paid_by_hand(self):
        order, _credit = self._create_settled_by_credit()
        sale_return = self._return_goods(order, 5)
        self._pay_back(sale_return.credit_note_ids)
        self.env.invalidate_all()
        self.assertEqual((sale_return.state, sale_return.refund_state), ('closed', 'full'))
