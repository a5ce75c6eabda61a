from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..common_refund import RefundCommon

LEAN = {
    "a story of the room": (
        'test_money_goes_back_through_the_journal_the_customer_paid_through',
        'test_repeating_it_pays_nothing_more',
        'test_who_may_pay_back_and_who_may_not',
        'test_preview_is_what_is_paid_and_writes_nothing',
    ),
}


@tagged('post_install', '-at_install')
class TestRefund(RefundCommon):
    """Paying back: the customer gets what they paid, where they paid, and not a cent more."""

    ready_sales = 1

    def test_money_goes_back_through_the_journal_the_customer_paid_through(self):
        for journal in (self.wechat, self.cash):
            with self.subTest(journal=journal.name):
                order = self._create_paid_sale(journal=journal)
                sale_return = self._return_goods(order)
                refunds = sale_return.action_refund()
                self.assert_payouts(refunds, (journal, 1210.0))
                self.assertEqual((refunds.state, refunds.payment_id.state), ('prepared', 'draft'))
                self.assertEqual(refunds.payment_id.payment_type, 'outbound')
                self.assertEqual(sale_return.amount_refunded, 0.0)
                self._post_refunds(refunds)
                self.assertEqual(refunds.state, 'done')
                self.assertEqual(sale_return.amount_refunded, 1210.0)
                self.assert_at_zero(
                    order.invoice_ids, sale_return.credit_note_ids, refunds.payment_id.move_id
                )
                self.assert_ledger_balanced()

    def test_repeating_it_pays_nothing_more(self):
        sale_return = self._return_goods(self._create_paid_sale())
        refunds = sale_return.action_refund()
        self.assertFalse(sale_return.action_refund())
        self._post_refunds(refunds)
        self.assertFalse(sale_return.action_refund())
        self.assertEqual(len(sale_return.refund_ids), 1)

    def test_newest_payment_goes_back_first_and_no_more_than_it_brought(self):
        order = self._create_sale()
        self._pay(order.invoice_ids, 700.0, journal=self.bank, date='2026-01-05')
        self._pay(order.invoice_ids, 510.0, journal=self.wechat, date='2026-01-09')
        sale_return = self._return_goods(order, 6)  # 726.00
        refunds = sale_return.action_refund()
        self.assert_payouts(refunds, (self.wechat, 510.0), (self.bank, 216.0))
        self._post_refunds(refunds)
        self.assert_at_zero(sale_return.credit_note_ids, refunds.payment_id.move_id)
        rest = self._return_goods(order, 4)
        refunds = rest.action_refund()
        self.assert_payouts(refunds, (self.bank, 484.0))

    def test_invoice_that_was_paid_in_part_gives_back_only_that(self):
        order = self._create_sale()
        self._pay(order.invoice_ids, 300.0)
        sale_return = self._return_goods(order)
        self.assertEqual(sale_return.credit_note_ids.amount_residual, 300.0)
        refunds = sale_return.action_refund()
        self.assert_payouts(refunds, (self.bank, 300.0))
        self._post_refunds(refunds)
        self.assert_at_zero(order.invoice_ids, sale_return.credit_note_ids)

    def test_nothing_goes_back_of_an_invoice_nobody_paid(self):
        sale_return = self._return_goods(self._create_sale())
        self.assertFalse(sale_return.action_refund())
        self.assertFalse(sale_return.has_to_refund)

    def test_one_payment_for_two_invoices_gives_each_its_part(self):
        orders = [self._create_sale(), self._create_sale({'price': 50.0})]
        invoices = orders[0].invoice_ids | orders[1].invoice_ids
        payment = self._pay(invoices, group_payment=True)
        self.assertEqual((len(payment), payment.amount), (1, 1815.0))
        returns = self._return_goods(orders[0]) | self._return_goods(orders[1])
        refunds = returns.action_refund()
        self.assert_payouts(refunds, (self.bank, 1210.0), (self.bank, 605.0))
        self._post_refunds(refunds)
        self.assert_at_zero(invoices, returns.credit_note_ids, refunds.payment_id.move_id)

    def test_credit_that_was_used_for_another_invoice_is_not_paid_back_again(self):
        sale_return = self._return_goods(self._create_paid_sale())
        note = sale_return.credit_note_ids
        other = self._create_sale({'price': 50.0}).invoice_ids
        lines = (note | other).line_ids.filtered(
            lambda line: line.account_id.account_type == 'asset_receivable'
        )
        lines.reconcile()
        self.assertEqual(note.amount_residual, 605.0)
        refunds = sale_return.action_refund()
        self.assert_payouts(refunds, (self.bank, 605.0))

    def test_credit_used_after_the_payment_was_prepared_stops_the_payment(self):
        sale_return = self._return_goods(self._create_paid_sale())
        refunds = sale_return.action_refund()
        other = self._create_sale({'price': 50.0}).invoice_ids
        lines = (sale_return.credit_note_ids | other).line_ids.filtered(
            lambda line: line.account_id.account_type == 'asset_receivable'
        )
        lines.reconcile()
        with self.assert_refused("has only"):
            self._post_refunds(refunds)

    def test_prepared_payment_cannot_be_raised_and_may_be_lowered(self):
        sale_return = self._return_goods(self._create_paid_sale())
        refunds = sale_return.action_refund()
        refunds.payment_id.amount = 1300.0
        with self.assert_refused("more than can be paid back"):
            self._post_refunds(refunds)
        refunds.payment_id.amount = 1000.0
        self._post_refunds(refunds)
        self.assertEqual((refunds.amount, refunds.note_amount), (1000.0, 1000.0))
        self.assert_payouts(sale_return.action_refund(), (self.bank, 210.0))

    def test_deleted_or_cancelled_payment_can_be_prepared_again(self):
        sale_return = self._return_goods(self._create_paid_sale())
        for drop in ('unlink', 'action_cancel'):
            refunds = sale_return.action_refund()
            self.assertEqual(refunds.amount, 1210.0)
            getattr(refunds.payment_id, drop)()
            self.assertEqual(refunds.state, 'cancelled')
        refunds = sale_return.action_refund()
        refunds.action_cancel()
        self.assertEqual(refunds.payment_id.state, 'canceled')
        self.assertTrue(sale_return.action_refund())

    def test_money_paid_back_by_hand_is_not_paid_back_again(self):
        order = self._create_paid_sale()
        first = self._return_goods(order, 5)
        self._pay_back(first.credit_note_ids)
        self.assertFalse(first.action_refund())
        second = self._return_goods(order, 5)
        self.assert_payouts(second.action_refund(), (self.bank, 605.0))

    def test_receipt_on_a_bank_statement_without_payment(self):
        order = self._create_sale()
        invoice = order.invoice_ids
        statement_line = self.env['account.bank.statement.line'].create(
            {
                'journal_id': self.bank.id,
                'payment_ref': invoice.name,
                'partner_id': self.customer.id,
                'amount': 1210.0,
            }
        )
        _liquidity, suspense, _other = statement_line._seek_for_lines()
        receivable = invoice.line_ids.filtered(
            lambda line: line.account_id.account_type == 'asset_receivable'
        )
        suspense.account_id = receivable.account_id
        (suspense | receivable).reconcile()
        sale_return = self._return_goods(order)
        refunds = sale_return.action_refund()
        self.assert_payouts(refunds, (self.bank, 1210.0))
        self.assertFalse(refunds.source_payment_id)
        self._post_refunds(refunds)
        self.assert_at_zero(invoice, sale_return.credit_note_ids)

    def test_entry_that_brought_no_money_is_not_paid_back(self):
        order = self._create_sale()
        invoice = order.invoice_ids
        receivable = invoice.line_ids.filtered(
            lambda line: line.account_id.account_type == 'asset_receivable'
        )
        expense = self.company.sale_return_scrap_account_id
        entry = self.env['account.move'].create(
            {
                'move_type': 'entry',
                'line_ids': [
                    Command.create(
                        {
                            'account_id': account.id,
                            'balance': balance,
                            'partner_id': self.customer.id,
                        }
                    )
                    for account, balance in (
                        (receivable.account_id, -1210.0),
                        (expense, 1210.0),
                    )
                ],
            }
        )
        entry.action_post()
        (entry.line_ids | receivable).filtered(
            lambda line: line.account_id == receivable.account_id
        ).reconcile()
        sale_return = self._return_goods(order)
        self.assertEqual(sale_return.credit_note_ids.amount_residual, 1210.0)
        with self.assert_refused(entry.name):
            sale_return.action_refund()

    def test_down_payment_goes_back_with_the_invoice_it_was_deducted_on(self):
        order = self._create_order()
        wizard = (
            self.env['sale.advance.payment.inv']
            .with_context(active_model='sale.order', active_ids=order.ids)
            .create({'advance_payment_method': 'percentage', 'amount': 30})
        )
        wizard.create_invoices()
        order.invoice_ids.action_post()
        self._pay(order.invoice_ids, journal=self.wechat, date='2026-01-02')
        self._deliver(order)
        final = order._create_invoices(final=True)
        final.action_post()
        self._pay(final, journal=self.bank)
        sale_return = self._return_goods(order.order_line.filtered('product_uom_qty'))
        notes = sale_return.credit_note_ids.filtered(lambda note: note.state == 'posted')
        refunds = sale_return.action_refund()
        self.assertEqual(sum(refunds.mapped('amount')), sum(notes.mapped('amount_total')))
        self.assertLessEqual(sum(refunds.mapped('amount')), 1210.0)

    # === WHO === #

    def test_who_may_pay_back_and_who_may_not(self):
        sale_return = self._return_goods(self._create_paid_sale())
        for method in ('action_refund', 'preview_refund', 'action_open_refund'):
            with self.assert_refused("not allowed to pay money back", AccessError):
                self._call(self.clerk, sale_return, method)
        self._call(self.manager, sale_return, 'preview_refund')
        self._call(self.manager, sale_return, 'action_refund')
        refund = sale_return.refund_ids
        self.assertEqual(refund.create_uid, self.manager)
        for method in ('action_cancel', 'action_retry', 'action_confirm_paid'):
            with self.assert_refused("not allowed to pay money back", AccessError):
                self._call(self.clerk, refund, method)
        with self.assert_refused(exception=AccessError):
            self._call(self.manager, refund, 'write', {'amount': 1.0})

    def test_accountant_posts_the_payment_without_a_role_in_returns(self):
        accountant = self._create_user('refund_acc', 'account.group_account_user')
        sale_return = self._return_goods(self._create_paid_sale())
        refunds = sale_return.action_refund()
        self._call(accountant, refunds.payment_id, 'action_post')
        self.assertEqual(sale_return.amount_refunded, 1210.0)

    # === PREVIEW AND DIALOG === #

    def test_preview_is_what_is_paid_and_writes_nothing(self):
        order = self._create_sale()
        self._pay(order.invoice_ids, 700.0, journal=self.bank, date='2026-01-05')
        self._pay(order.invoice_ids, 510.0, journal=self.wechat, date='2026-01-09')
        sale_return = self._return_goods(order)
        before = self._count_documents()
        [note] = sale_return.preview_refund()[sale_return.id]
        self.assertEqual(self._count_documents(), before)
        self.assertFalse(sale_return.refund_ids)
        refunds = sale_return.action_refund()
        self.assertEqual(
            [(payout['journal_id'], payout['amount']) for payout in note['payouts']],
            [(refund.journal_id.id, refund.amount) for refund in refunds.sorted('id')],
        )

    def test_dialog_shows_the_split_and_what_was_never_received(self):
        order = self._create_sale()
        self._pay(order.invoice_ids, 1210.0)
        returns = self._return_goods(order)
        wizard = (
            self.env['sale.return.pay']
            .with_context(active_model='sale.return', active_ids=returns.ids)
            .create({})
        )
        self.assertEqual(wizard.line_ids.mapped('way'), ['payment'])
        wizard.post_now = False
        action = wizard.action_confirm()
        self.assertEqual(action['res_model'], 'sale.return.refund')
        self.assertEqual(returns.refund_ids.state, 'prepared')

    # === POLICY === #

    def test_return_that_is_to_be_paid_back_closes_when_it_is(self):
        self.policy.settlement = 'refund'
        sale_return = self._return_goods(self._create_paid_sale())
        self.assertEqual((sale_return.state, sale_return.refund_state), ('approved', 'pending'))
        refunds = sale_return.action_refund()
        self.assertEqual((sale_return.state, sale_return.refund_state), ('approved', 'pending'))
        self._post_refunds(refunds)
        self.assertEqual((sale_return.state, sale_return.refund_state), ('closed', 'full'))

    def test_policy_prepares_the_refund_by_itself(self):
        self.policy.write({'settlement': 'refund', 'refund_automatic': True})
        sale_return = self._return_goods(self._create_paid_sale())
        self.assert_payouts(sale_return.refund_ids, (self.bank, 1210.0))

    def test_automatic_refund_that_fails_leaves_the_note_and_says_why(self):
        self.policy.write({'settlement': 'refund', 'refund_automatic': True})
        order = self._create_paid_sale()
        self.bank.outbound_payment_method_line_ids.sudo().unlink()
        sale_return = self._return_goods(order)
        self.assertEqual(sale_return.credit_note_ids.state, 'posted')
        event = sale_return.event_ids.filtered(lambda event: event.kind == 'refund_failed')
        self.assertIn("no outgoing payment method", event.reason)
        self.assertFalse(sale_return.refund_ids)


@tagged('post_install', '-at_install')
class TestRefundCurrency(RefundCommon):
    """Money in other currencies than that of the company or of the invoice."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pricelist = cls._setup_currency('EUR')
        cls.euro = cls.pricelist.currency_id

    def test_invoice_and_payment_in_the_same_foreign_currency(self):
        order = self._create_sale(pricelist_id=self.pricelist.id)
        self._pay(order.invoice_ids)
        self._set_rate(self.euro, self._get_today(), 1.0)  # the rate moves in between
        sale_return = self._return_goods(order)
        refunds = sale_return.action_refund()
        self.assertEqual((refunds.currency_id, refunds.amount), (self.euro, 1210.0))
        self._post_refunds(refunds)
        self.assert_at_zero(
            order.invoice_ids, sale_return.credit_note_ids, refunds.payment_id.move_id
        )

    def test_payment_in_another_currency_than_the_invoice(self):
        order = self._create_sale()
        self._pay(order.invoice_ids, currency_id=self.euro.id, amount=2420.0)
        self.assertEqual(order.invoice_ids.amount_residual, 0.0)
        self._set_rate(self.euro, self._get_today(), 1.0)
        sale_return = self._return_goods(order, 5)
        refunds = sale_return.action_refund()
        # Half of the euros that came, whatever they are worth today.
        self.assertEqual((refunds.currency_id, refunds.amount), (self.euro, 1210.0))
        self.assertEqual(refunds.note_amount, 605.0)
        self._post_refunds(refunds)
        self.assert_at_zero(sale_return.credit_note_ids, refunds.payment_id.move_id)


@tagged('post_install', '-at_install')
class TestEarlyPaymentDiscount(RefundCommon):
    """2/10: a customer who paid 980 of 1000 gets 980 back, and the discount of 20 is reversed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.loss = cls.company.sale_return_scrap_account_id.copy({'name': "Cash Discount Loss"})
        cls.company.sudo().account_journal_early_pay_discount_loss_account_id = cls.loss
        cls.tax_21.invoice_repartition_line_ids.filtered(
            lambda line: line.repartition_type == 'tax'
        ).account_id = cls.loss.copy({'name': "Tax", 'account_type': 'liability_current'})
        cls.tax_21.refund_repartition_line_ids.filtered(
            lambda line: line.repartition_type == 'tax'
        ).account_id = cls.tax_21.invoice_repartition_line_ids.account_id
        cls.tax_account = cls.tax_21.invoice_repartition_line_ids.account_id

    def _create_term(self, computation):
        return self.env['account.payment.term'].create(
            {
                'name': f"2/10 {computation}",
                'company_id': self.company.id,
                'early_discount': True,
                'discount_percentage': 2,
                'discount_days': 10,
                'early_pay_discount_computation': computation,
                'line_ids': [
                    Command.create({'value': 'percent', 'value_amount': 100, 'nb_days': 30})
                ],
            }
        )

    def _sell(self, computation, **line):
        return self._create_paid_sale(
            {'quantity': 10, 'price': 100.0, **line},
            payment_term_id=self._create_term(computation).id,
        )

    def _get_balances(self):
        return {
            'loss': self._get_account_balance(self.loss),
            'tax': self._get_account_balance(self.tax_account),
        }

    def test_what_was_received_goes_back_and_all_accounts_end_at_zero(self):
        for computation in ('included', 'excluded', 'mixed'):
            with self.subTest(computation=computation):
                before = self._get_balances()
                order = self._sell(computation)
                invoice = order.invoice_ids
                payment = invoice._get_reconciled_payments()
                self.assertLess(payment.amount, invoice.amount_total)
                self.assertNotEqual(self._get_balances(), before)
                sale_return = self._return_goods(order)
                self.assertEqual(sale_return.credit_note_ids.amount_total, invoice.amount_total)
                self.assertEqual(sale_return.amount_credited, invoice.amount_total)
                refunds = sale_return.action_refund()
                self.assert_payouts(refunds, (self.bank, payment.amount))
                self._post_refunds(refunds)
                self.assert_at_zero(
                    invoice,
                    sale_return.credit_note_ids,
                    refunds.payment_id.move_id,
                    refunds.write_back_move_id,
                )
                self.assertEqual(self._get_balances(), before)
                self.assertEqual(sale_return.amount_refunded, payment.amount)
                self.assertEqual(sale_return.refund_state, 'full')
                self.assertFalse(sale_return.action_refund())

    def test_discount_is_matched_again_with_a_note_that_was_reset(self):
        """Posted again, or cancelled and credited again: money and discount settle the note."""
        for cancel in (False, True):
            with self.subTest(cancel=cancel):
                sale_return = self._return_goods(self._sell('included'))
                refunds = sale_return.action_refund()
                self._post_refunds(refunds)
                note = sale_return.credit_note_ids
                note.button_draft()
                if cancel:
                    note.button_cancel()
                    sale_return.action_create_credit_notes()
                else:
                    note.action_post()
                note = sale_return.credit_note_ids.filtered(lambda move: move.state == 'posted')
                self.assert_at_zero(note, refunds.payment_id.move_id, refunds.write_back_move_id)
                self.assertEqual((refunds.state, sale_return.state), ('done', 'closed'))

    def test_without_tax_980_of_1000(self):
        order = self._sell('included', taxes=self.env['account.tax'])
        sale_return = self._return_goods(order)
        refunds = sale_return.action_refund()
        self.assertEqual((refunds.amount, refunds.amount_written_back), (980.0, 20.0))

    def test_partial_returns_take_their_share_and_the_last_one_the_rest(self):
        before = self._get_balances()
        order = self._sell('included', quantity=3, price=33.33)
        invoice = order.invoice_ids
        payment = invoice._get_reconciled_payments()
        paid = written_back = 0.0
        for _step in range(3):
            sale_return = self._return_goods(order, 1)
            refunds = sale_return.action_refund()
            self._post_refunds(refunds)
            self.assert_at_zero(sale_return.credit_note_ids)
            paid += refunds.amount
            written_back += refunds.amount_written_back
        self.assertEqual(round(paid, 2), payment.amount)
        self.assertEqual(round(paid + written_back, 2), invoice.amount_total)
        self.assertEqual(self._get_balances(), before)

    def test_discount_that_was_not_taken_is_not_written_back(self):
        order = self._create_sale(payment_term_id=self._create_term('included').id)
        self._pay(order.invoice_ids, 1210.0, date='2099-01-01')
        sale_return = self._return_goods(order)
        refunds = sale_return.action_refund()
        self.assertEqual((refunds.amount, refunds.amount_written_back), (1210.0, 0.0))
