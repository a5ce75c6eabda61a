from odoo.exceptions import AccessError
from odoo.tests import Form, tagged

from ..common_migration import load_migration
from ..common_refund import RefundCommon

LEAN = {
    "what the desk shows of money, and the one click that pays it back": (
        'test_what_was_paid_is_to_be_paid_back_and_the_return_stays_open',
        'test_banner_follows_the_money_from_the_request_to_the_bank',
        'test_manager_without_accounting_pays_back_by_one_click',
    ),
}


@tagged('post_install', '-at_install')
class TestPayBackDesk(RefundCommon):
    """The return shows who owes what, and one click pays it back, with only the role."""

    ready_sales = 1

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.policy.settlement = 'as_paid'

    def _as(self, user, record):
        self.env.invalidate_all()
        return record.with_env(self._env_of(user))

    def _open_dialog(self, sale_return):
        action = sale_return.action_open_refund()
        return Form(sale_return.env[action['res_model']].with_context(**action['context']))

    # === WHAT IS OWED === #

    def test_what_was_paid_is_to_be_paid_back_and_the_return_stays_open(self):
        sale_return = self._return_goods(self._create_paid_sale())
        self.assertEqual((sale_return.state, sale_return.refund_state), ('approved', 'pending'))
        self.assertEqual(sale_return.amount_open, 1210.0)
        found = self.env['sale.return'].search([('refund_state', 'in', ('pending', 'partial'))])
        self.assertIn(sale_return, found)
        self.assertEqual(sale_return.next_step, 'refund')
        refunds = sale_return.action_refund()
        self._post_refunds(refunds)
        self.assertEqual((sale_return.state, sale_return.refund_state), ('closed', 'full'))
        self.assertEqual(sale_return.amount_open, 0.0)

    def test_what_was_not_paid_is_settled_with_the_invoice(self):
        order = self._create_sale()
        invoice = order.invoice_ids
        sale_return = self._return_goods(order)
        self.assertEqual((sale_return.state, sale_return.refund_state), ('closed', 'no'))
        self.assertEqual((sale_return.amount_open, invoice.amount_residual), (0.0, 0.0))

    def test_of_an_invoice_paid_in_part_only_the_paid_part_is_owed(self):
        order = self._create_sale()
        self._pay(order.invoice_ids, 300.0)
        sale_return = self._return_goods(order)
        self.assertEqual(sale_return.amount_open, 300.0)
        self.assertEqual(sale_return.refund_state, 'pending')
        self._post_refunds(sale_return.action_refund())
        self.assertEqual((sale_return.amount_refunded, sale_return.refund_state), (300.0, 'full'))

    def test_payment_that_bounces_makes_the_credit_settle_the_invoice(self):
        order = self._create_sale()
        payment = self._pay(order.invoice_ids)
        sale_return = self._return_goods(order)
        self.assertEqual(sale_return.refund_state, 'pending')
        # Odoo keeps a payment matched that is only reset to draft.
        payment.move_id.line_ids.remove_move_reconcile()
        self.assertEqual(sale_return.refund_state, 'no')

    def test_credit_left_on_account_is_found_though_nothing_is_to_be_paid(self):
        self.policy.settlement = 'on_account'
        sale_return = self._return_goods(self._create_paid_sale())
        self.assertEqual((sale_return.state, sale_return.refund_state), ('closed', 'no'))
        clerk_view = self._as(self.clerk, sale_return)
        self.assertIn(clerk_view, clerk_view.search([('amount_open', '>', 0)]))
        self.assertIn("has a credit of", clerk_view.money_note)
        self.assertIn("1,210.00", clerk_view.money_note)

    def test_upgrade_finds_open_credit_and_leaves_the_rest(self):
        self.policy.settlement = 'on_account'
        left = self._return_goods(self._create_paid_sale())
        none = self._return_goods(self._create_sale())
        self.env.flush_all()
        self.env.cr.execute("UPDATE sale_return SET amount_open = 0")
        self.env.invalidate_all()
        for _time in range(2):
            load_migration('pre-open-credit').migrate(self.env.cr, '19.0.1.1.0')
            load_migration('post-open-credit').migrate(self.env.cr, '19.0.1.1.0')
            self.env.invalidate_all()
            self.assertEqual((left.amount_open, none.amount_open), (1210.0, 0.0))
        self.assertEqual((left.state, left.line_ids.policy_id.settlement), ('closed', 'on_account'))

    # === WHAT THE FORM SAYS === #

    def test_banner_follows_the_money_from_the_request_to_the_bank(self):
        order = self._create_paid_sale(journal=self.wechat)
        sale_return = self._create_return(order, 10, submit=False)

        def told():
            return self._as(self.clerk, sale_return).money_note

        for step, words in (
            (None, ("1,210.00", "once the goods are inspected", "WeChat Pay")),
            (sale_return.action_submit, ("1,210.00", "once the goods are inspected")),
            (lambda: self._receive_and_restock(sale_return), ("is to be paid back", "WeChat Pay")),
            (sale_return.action_refund, ("is waiting for its payment to be posted",)),
            (sale_return.action_post_refunds, ("1,210.00 was paid back to Jane",)),
        ):
            if step:
                step()
            for word in words:
                with self.subTest(word=word):
                    self.assertIn(word, told().replace('\xa0', ' '))

    def test_banner_says_until_when_the_law_wants_it(self):
        self.policy.write({'regime': 'eu_withdrawal', 'settlement': 'refund'})
        sale_return = self._create_return(
            self._create_paid_sale(), 10, reason=self.reason_changed_mind
        )
        self._receive_and_restock(sale_return)
        note = self._as(self.clerk, sale_return).money_note
        self.assertIn("It has to be paid back by", note)

    def _receive_and_restock(self, sale_return):
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')

    def test_banner_says_that_an_unpaid_invoice_is_lowered(self):
        order = self._create_sale()
        sale_return = self._create_return(order, 2)
        note = self._as(self.clerk, sale_return).money_note
        self.assertIn(f"It lowers {order.invoice_ids.name}", note)

    # === ONE CLICK === #

    def test_manager_without_accounting_pays_back_by_one_click(self):
        sale_return = self._as(self.manager, self._return_goods(self._create_paid_sale()))
        with self._open_dialog(sale_return) as form:
            self.assertTrue(form.post_now)
        told = form.record.action_confirm()
        self.assertIn("1,210.00 was paid back", told['params']['message'].replace('\xa0', ' '))
        self.assertEqual(told['params']['next']['type'], 'ir.actions.act_window_close')
        self.assertEqual((sale_return.state, sale_return.amount_refunded), ('closed', 1210.0))
        self.assert_ledger_balanced()
        self.assertFalse(sale_return.action_refund())

    def test_accountant_chooses_another_account(self):
        accountant = self._create_user(
            'pay_back_accountant', 'sale_return.group_user', 'account.group_account_invoice'
        )
        order = self._create_paid_sale(journal=self.wechat)
        sale_return = self._as(accountant, self._return_goods(order))
        with self._open_dialog(sale_return) as form:
            form.way = 'journal'
            form.journal_id = self.bank.with_env(sale_return.env)
        form.record.action_confirm()
        refund = sale_return.sudo().refund_ids
        self.assertEqual((refund.journal_id, refund.payment_id.journal_id), (self.bank, self.bank))
        self.assertEqual(refund.source_line_id.journal_id, self.wechat)
        self.assert_at_zero(order.invoice_ids, sale_return.sudo().credit_note_ids)

    def test_journal_of_others_pays_nothing(self):
        sale_return = self._return_goods(self._create_paid_sale())
        sales = self.env['account.journal'].search(
            [('type', '=', 'sale'), ('company_id', '=', self.company.id)], limit=1
        )
        with self.assert_refused("Choose a bank or cash journal"):
            sale_return.action_refund(journal_id=sales.id)
        self.assertFalse(sale_return.refund_ids)

    def test_what_waits_for_its_posting_has_the_button_for_it(self):
        sale_return = self._as(self.manager, self._return_goods(self._create_paid_sale()))
        with self._open_dialog(sale_return) as form:
            form.post_now = False
        action = form.record.action_confirm()
        self.assertEqual(action['res_model'], 'sale.return.refund')
        self.assertTrue(sale_return.has_refund_to_post)
        sale_return.action_post_refunds()
        self.env.invalidate_all()
        self.assertEqual(sale_return.refund_state, 'full')
        self.assertFalse(sale_return.has_refund_to_post)

    def test_clerk_sees_the_money_and_pays_nothing(self):
        sale_return = self._as(self.clerk, self._return_goods(self._create_paid_sale()))
        self.assertIn("is to be paid back", sale_return.money_note)
        with self.assertRaises(AccessError):
            sale_return.action_refund()
        with self.assertRaises(AccessError):
            sale_return.action_post_refunds()
