from odoo import Command
from odoo.tests import tagged

from ..common_exchange import ExchangeCommon


@tagged('post_install', '-at_install')
class TestExchangeBilled(ExchangeCommon):
    """What an exchange bills is what was agreed, as long as its credit settles it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        roles = ('base.group_user', 'account.group_account_invoice')
        cls.biller = cls._create_user('exchange_biller', *roles)
        cls.granter = cls._create_user('exchange_granter', *roles, 'sale_return.group_approver')
        cls.order = cls._create_paid_sale({'product': cls.medium, 'quantity': 4})
        cls.sale_return = cls._exchange_goods(cls.order.order_line, cls.large, 2)
        cls.note = cls.sale_return.credit_note_ids
        cls.exchange = cls.sale_return.exchange_order_ids
        cls.invoice = cls.exchange.invoice_ids

    def _reset(self, vals=None, user=None):
        """Reset the invoice of the exchange, and change its line."""
        user = user or self.biller
        self._call(user, self.invoice, 'button_draft')
        if vals:
            line = [Command.update(self.invoice.invoice_line_ids.id, vals)]
            self._call(user, self.invoice, 'write', {'invoice_line_ids': line})

    def _reverse(self, user):
        """Post a credit note of the whole invoice of the exchange by Odoo's dialog."""
        env = self._env_of(user)
        wizard = env['account.move.reversal'].with_context(
            active_model='account.move', active_ids=self.invoice.ids
        )
        action = self._call(
            user, wizard.create({'journal_id': self.invoice.journal_id.id}), 'refund_moves'
        )
        note = self.env['account.move'].browse(action['res_id'])
        self._call(user, note, 'action_post')
        return note

    def _get_unbacked(self):
        return self.env['sale.return.unbacked'].search(
            [('return_id', '=', self.sale_return.id), ('kind', 'in', ('exchange', 'goodwill'))]
        )

    def _assert_nothing_is_paid(self):
        """Neither by Returns nor by Odoo's own dialog of payments."""
        with self.assert_refused("not billed as agreed"):
            self._call(
                self.biller,
                self.env['account.payment.register']
                .with_user(self.biller)
                .with_context(active_model='account.move', active_ids=self.note.ids)
                .create({'journal_id': self.bank.id}),
                'action_create_payments',
            )
        self.assertFalse(self.env['sale.return.payback']._get_open_amount(self.note))
        self.assertFalse(self.sale_return.refund_ids)

    def test_nobody_bills_less_than_was_agreed(self):
        stranger = self._create_customer("Stranger")
        line = self.invoice.invoice_line_ids
        gift = {'name': "Gift", 'price_unit': -100.0, 'quantity': 1, 'tax_ids': [Command.clear()]}
        for vals in (
            {'invoice_line_ids': [Command.update(line.id, {'price_unit': 1.0})]},
            {'invoice_line_ids': [Command.update(line.id, {'discount': 90.0})]},
            {'invoice_line_ids': [Command.update(line.id, {'tax_ids': [Command.clear()]})]},
            {'invoice_line_ids': [Command.create(gift)]},
            {'partner_id': stranger.id},
        ):
            with self.subTest(vals), self.assert_refused("242.00 were agreed"):
                with self.env.cr.savepoint():
                    self._reset()
                    self._call(self.biller, self.invoice, 'write', vals)
                    self._call(self.biller, self.invoice, 'action_post')
            self.env.invalidate_all()
        self.assertEqual(self._get_money(self.sale_return), (242.0, 242.0, 0.0, 0.0))

    def test_quantity_that_is_taken_off_is_billed_at_once(self):
        self._reset({'quantity': 1.0})
        self._call(self.biller, self.invoice, 'action_post')
        self.assertEqual(self.exchange.invoice_ids.mapped('amount_total'), [121.0, 121.0])
        self.assertEqual(self._get_money(self.sale_return), (242.0, 242.0, 0.0, 0.0))
        self.assertFalse(self._refresh())

    def test_line_is_not_removed_from_its_invoice(self):
        self._reset()
        line = self.invoice.invoice_line_ids
        for vals in (
            {'invoice_line_ids': [Command.delete(line.id)]},
            {'invoice_line_ids': [Command.update(line.id, {'sale_line_ids': [Command.clear()]})]},
        ):
            with self.subTest(vals), self.assert_refused("a new one is created"):
                self._call(self.biller, self.invoice, 'write', vals)
        for method in ('button_cancel', 'unlink'):
            savepoint = self.env.cr.savepoint()
            with self.subTest(method):
                if method == 'unlink':
                    self.invoice.name = False
                self._call(self.biller, self.invoice, method)
                again = self.exchange.invoice_ids.filtered(lambda move: move.state == 'posted')
                self.assertEqual((again.amount_total, again.amount_residual), (242.0, 0.0))
                self.assertEqual(self.note.amount_residual, 0.0)
                self.assertFalse(self._refresh())
            savepoint.close(rollback=True)
            self.env.invalidate_all()

    def test_nothing_is_paid_while_the_invoice_is_a_draft(self):
        self._reset({'price_unit': 1.0})
        self.assertEqual(self.note.amount_residual, 242.0)
        self._assert_nothing_is_paid()
        row = self.assert_row(
            self._refresh(), 'exchange_difference', amount_difference=242.0, amount_accepted=242.0
        )
        self.assertIn("242.00 were agreed for the exchange of return", row.explanation)
        line = [Command.update(self.invoice.invoice_line_ids.id, {'price_unit': 100.0})]
        self._call(self.biller, self.invoice, 'write', {'invoice_line_ids': line})
        self._call(self.biller, self.invoice, 'action_post')
        self.assertEqual(self._get_money(self.sale_return), (242.0, 242.0, 0.0, 0.0))
        self.assertFalse(self._refresh())

    def test_price_that_is_lowered_past_every_check_is_a_row(self):
        """By a job that posts in superuser mode, or before the check existed."""
        self._reset({'price_unit': 1.0})
        self.invoice.sudo().action_post()
        self._assert_nothing_is_paid()
        self.assert_row(self._refresh(), 'exchange_difference', amount_difference=239.58)

    def test_order_that_is_cancelled_after_delivery_is_still_due(self):
        self._deliver(self.exchange)
        self.exchange._action_cancel()
        self._reset({'price_unit': 1.0})
        self._assert_nothing_is_paid()
        # As the refusal says: cancelled, it is created again.
        self._call(self.biller, self.invoice, 'button_cancel')
        new = self.exchange.invoice_ids - self.invoice
        self.assertEqual((new.state, new.amount_total), ('posted', 242.0))
        self.assertFalse(new.amount_residual + self.note.amount_residual)

    def test_draft_ends_with_its_order(self):
        self._reset({'price_unit': 1.0})
        self.exchange._action_cancel()
        self.assertEqual(self.exchange.invoice_ids.mapped('state'), ['cancel'])
        self.assertFalse(self.note._is_exchange_pending())

    def test_credit_note_by_hand_is_refused(self):
        with self.assert_refused("242.00 were agreed"):
            self._reverse(self.biller)
        self.assertFalse(self._get_unbacked())

    def test_payout_that_was_prepared_before_is_refused(self):
        self.policy.settlement = 'refund'
        cheap = self._create_product("Cap", list_price=10.0, taxes_id=[(6, 0, self.tax_21.ids)])
        sale_return = self._exchange_goods(self.order.order_line, cheap)
        self.assertEqual(self._get_money(sale_return), (121.0, 12.1, 108.9, 0.0))
        self._call(self.manager, sale_return, 'action_refund')
        payment = sale_return.refund_ids.payment_id
        invoice = sale_return.exchange_order_ids.invoice_ids
        self._call(self.biller, invoice, 'button_draft')
        with self.assert_refused("not billed as agreed"):
            self._call(self.biller, payment, 'action_post')
        self._call(self.biller, invoice, 'action_post')
        self._call(self.biller, payment, 'action_post')
        self.assertEqual(self._get_money(sale_return), (121.0, 12.1, 0.0, 0.0))

    def test_payout_is_no_match_that_has_to_be_undone(self):
        """What was rightly paid out stays; only the invoice has to be put right."""
        self.policy.settlement = 'refund'
        cheap = self._create_product("Cap", list_price=10.0, taxes_id=[(6, 0, self.tax_21.ids)])
        sale_return = self._exchange_goods(self.order.order_line, cheap)
        self._call(self.manager, sale_return, 'action_refund')
        payment = sale_return.refund_ids.payment_id
        self._call(self.biller, payment, 'action_post')
        self.invoice = sale_return.exchange_order_ids.invoice_ids
        self._reset({'price_unit': 1.0})
        self.invoice.sudo().action_post()
        row = self.assert_row(self._refresh(), 'exchange_difference', return_id=sale_return)
        self.assertIn("Post the invoice of the exchange as agreed", row.explanation)
        self.assertNotIn("Undo that match", row.explanation)
        self.assertNotIn(payment.move_id.name, row.explanation)

    def test_approver_bills_less_within_their_budget(self):
        self._configure(sale_return_unbacked_agent_limit=100.0)
        self._reset({'price_unit': 1.0}, user=self.granter)
        with self.assert_refused("without goods is above"):
            self._call(self.granter, self.invoice, 'action_post')
        self._configure(sale_return_unbacked_agent_limit=500.0)
        for _time in range(2):
            self._call(self.granter, self.invoice, 'action_post')
            # 198.00 and 21 % of it, once.
            row = self._get_unbacked()
            self.assertEqual((row.amount, row.user_id), (239.58, self.granter))
            self._call(self.granter, self.invoice, 'button_draft')
        self._call(self.granter, self.invoice, 'action_post')
        self.assertFalse(self.note._is_exchange_pending())
        self.assertNotIn('exchange_difference', self._refresh().mapped('kind'))

    def test_approver_credits_by_hand_within_their_budget(self):
        note = self._reverse(self.granter)
        self.assertEqual((note.amount_total, self._get_unbacked().amount), (242.0, 242.0))
        # It is not billed again by the next step of its return.
        self.env['sale.return.exchange.order']._follow(self.sale_return)
        self.assertEqual(self.exchange.invoice_ids, self.invoice | note)

    def test_price_that_a_manager_lowers_counts_as_goodwill(self):
        sale_return = self._create_exchange(self.order.order_line, self.large)
        boss = self._create_user(
            'exchange_boss', 'sale_return.group_manager', 'sales_team.group_sale_manager'
        )
        line = sale_return.exchange_order_ids.order_line
        self._call(boss, line, 'write', {'price_unit': 1.0})
        self.sale_return = sale_return
        row = self._get_unbacked()
        self.assertEqual((row.kind, row.amount, row.user_id), ('goodwill', 119.79, boss))
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assertEqual(self._get_money(sale_return), (121.0, 1.21, 119.79, 0.0))
        self.assertFalse(sale_return.credit_note_ids._is_exchange_pending())

    def test_exchanged_goods_that_come_back_are_not_billed_again(self):
        self._deliver(self.exchange)
        back = self._return_goods(self.exchange, 2)
        self.assertEqual(back.credit_note_ids.amount_total, 242.0)
        self.env['sale.return.exchange.order']._follow(self.sale_return)
        billed = self.exchange.invoice_ids.filtered(lambda move: move.move_type == 'out_invoice')
        self.assertEqual(billed, self.invoice)
        self.assertFalse(self.note._is_exchange_pending())
        self.assertNotIn('exchange_difference', self._refresh().mapped('kind'))

    def test_goodwill_on_an_exchange_has_its_own_budget(self):
        reason = self.env['sale.return.reason'].search([('return_class', '=', 'goodwill')], limit=1)
        self._configure(sale_return_goodwill_agent_limit=100.0)
        self._call(self.granter, self.invoice, 'grant_goodwill', 50.0, reason.id, "Late")
        rows = self.env['sale.return.unbacked'].search([('user_id', '=', self.granter.id)])
        self.assertEqual((rows.kind, rows.amount), ('goodwill', 50.0))
        self.assertFalse(self.note._is_exchange_pending())
