from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..common_bench import finish_parcel
from ..common_wallet import WalletCommon

LEAN = "no gift cards and wallets"


@tagged('post_install', '-at_install')
class TestStoreCredit(WalletCommon):
    """Store credit instead of money: 121.00 are 133.10 on the wallet, 12.10 of them a bonus."""

    def _sell_paid(self, quantity=1, **values):
        order = self._create_paid_sale({'quantity': quantity, 'taxes': self.tax_21, **values})
        return order.order_line[:1], order.invoice_ids

    # === GIVE === #

    def test_it_goes_on_the_wallet_with_its_bonus(self):
        line, invoice = self._sell_paid()
        sale_return = self._wish(line)
        note = self._get_notes(invoice)
        self.assertEqual((note.amount_total, note.amount_residual), (121.0, 0.0))
        self.assertEqual(note.payment_state, 'paid')
        row = sale_return.store_credit_ids
        self.assertEqual((row.amount, row.bonus, row.amount_company), (121.0, 12.1, 133.1))
        entry = {line.account_id: line.balance for line in row.entry_id.line_ids}
        receivable = note.line_ids.account_id.filtered(
            lambda account: account.account_type == 'asset_receivable'
        )
        self.assertEqual(
            entry, {receivable: 121.0, self.bonus_account: 12.1, self.liability: -133.1}
        )
        history = self._get_wallet().history_ids
        self.assertIn(sale_return.name, history.description)
        self.assertEqual(history._get_order_description(), sale_return.name)
        self.assertEqual(sale_return.state, 'closed')
        self.assertEqual((sale_return.amount_refunded, sale_return.amount_open), (0.0, 0.0))
        self.assertEqual(sale_return.amount_store_credit, 133.1)
        self.assertIn("133.10", sale_return.money_note)
        self.assert_wallet(133.1)
        # A second run adds nothing.
        self.env['sale.return.wallet']._follow(note)
        sale_return._after_step()
        self.assert_wallet(133.1)

    def test_the_wallet_that_is_there_is_used(self):
        card = self._fill_wallet(20.0)
        line, _invoice = self._sell_paid()
        self._wish(line)
        self.assertEqual(self._get_wallet(), card)
        self.assert_wallet(153.1)

    def test_no_bonus(self):
        self.company.sudo().sale_return_store_credit_bonus = 0.0
        line, _invoice = self._sell_paid()
        row = self._wish(line).store_credit_ids
        self.assertEqual(len(row.entry_id.line_ids), 2)
        self.assert_wallet(121.0)

    def test_what_was_not_paid_lowers_the_invoice(self):
        order = self._create_sale({'quantity': 2, 'taxes': self.tax_21})
        invoice = order.invoice_ids
        self._pay(invoice, amount=200.0)
        sale_return = self._wish(order.order_line)
        # 242 credited, 42 of them were still owed.
        self.assertEqual(sale_return.store_credit_ids.amount, 200.0)
        self.assertEqual(invoice.amount_residual, 0.0)
        self.assert_wallet(220.0)

    def test_money_and_wallet_on_one_note(self):
        order = self._create_paid_sale(
            {'quantity': 1, 'price': 100.0}, {'quantity': 1, 'price': 60.0}
        )
        one, other = order.order_line
        sale_return = self._ask(one, submit=False)
        sale_return.line_ids = [(0, 0, vals) for vals in self._prepare_return_lines(other)]
        sale_return.action_submit()
        said = sale_return.money_note
        self.assertIn("It goes back the way it was paid", said)
        self.assertIn(f"Only for {one.product_id.display_name} it goes to their wallet", said)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        note = sale_return.credit_note_ids
        self.assertEqual((note.amount_total, note.amount_residual), (193.6, 72.6))
        self.assertEqual(sale_return.store_credit_ids.amount, 121.0)
        refund = sale_return.action_refund()
        self.assertEqual(refund.amount, 72.6)
        refund.payment_id.action_post()
        self.env['sale.return.wallet']._follow(note)
        self.assertEqual((sale_return.amount_refunded, note.amount_residual), (72.6, 0.0))
        self.assert_wallet(133.1)

    def test_policy_puts_refunds_on_the_wallet(self):
        self.policy.settlement = 'store_credit'
        line, invoice = self._sell_paid()
        sale_return = self._return_goods(line)
        self.assertEqual(self._get_notes(invoice).amount_residual, 0.0)
        self.assertEqual(sale_return.state, 'closed')
        self.assert_wallet(133.1)

    # === THE LAW === #

    def test_law_wants_money_unless_the_customer_has_agreed(self):
        self.policy.write({'regime': 'eu_withdrawal', 'settlement': 'store_credit'})
        line, invoice = self._sell_paid(2)
        sale_return = self._return_goods(line, 1)
        self.assertEqual(self._get_notes(invoice).amount_residual, 121.0)
        self.assertFalse(sale_return.store_credit_ids)
        with self.assertRaisesRegex(UserError, "expressly agreed"):
            self._ask(line, 1)
        agreed = self._ask(line, 1, store_credit_consent="By telephone")
        event = agreed.event_ids.filtered(lambda event: event.kind == 'store_credit_agreed')
        self.assertEqual(event.reason, "By telephone")
        self._receive(agreed)
        agreed.action_inspect_all('restock')
        self.assertEqual(agreed.store_credit_ids.amount, 121.0)

    def test_customers_agree_by_choosing_it(self):
        self.policy.regime = 'eu_withdrawal'
        line, _invoice = self._sell_paid()
        order = line.order_id.sudo()
        (row,) = self.env['sale.return.portal.offer'].sudo()._get_offer(order)
        wish = ('store_credit', "Store credit instead of money, 10 % more")
        self.assertIn(wish, row['resolutions'])
        choice = {
            'line_id': line.id,
            'quantity': 1.0,
            'reason_id': self.reason_changed_mind.id,
            'resolution': 'store_credit',
            'note': '',
            'photos': [],
        }
        service = self.env['sale.return.portal.request'].sudo()
        draft = service._prepare_draft(order, [choice], 'wallet')
        self.assertIn(wish[1], draft.line_ids.store_credit_consent)
        draft.action_submit()
        self.assertIn('store_credit_agreed', draft.event_ids.mapped('kind'))

    def test_whoever_finishes_a_parcel_reads_that_no_money_goes_back(self):
        inspector = self._create_user('wallet_desk', 'sale_return.group_inspector')
        line, _invoice = self._sell_paid()
        sale_return = self._create_return(line.order_id, 1, submit=False)
        sale_return.line_ids.resolution = 'store_credit'
        sale_return.action_submit()
        answer = finish_parcel(self._env_of(inspector), sale_return)
        said = f"{self.customer.name} gets store credit for {self.product.display_name}, not money."
        self.assertEqual(answer['result']['returns'][0]['next'], [said])
        self.assertIn(said, answer['message'])

    # === TAKE BACK === #

    def test_cancelled_note_takes_it_back(self):
        line, invoice = self._sell_paid()
        sale_return = self._wish(line)
        note = self._get_notes(invoice)
        note.button_draft()
        self.assert_wallet(0.0, ['received_not_credited'])
        self.assertEqual(sale_return.amount_store_credit, 0.0)
        entries = sale_return.store_credit_ids.entry_id
        self.assertTrue(
            all(
                item.reconciled
                for item in entries.line_ids
                if item.account_id.account_type == 'asset_receivable'
            )
        )
        note.action_post()
        self.assertEqual(note.amount_residual, 0.0)
        self.assert_wallet(133.1)
        note.button_draft()
        note.button_cancel()
        self.assertEqual(self._get_liability(), 0.0)
        self.assertEqual(sum(self._get_wallet().mapped('points')), 0.0)

    def test_reversed_note_takes_it_back(self):
        line, invoice = self._sell_paid()
        self._wish(line)
        bill = self._reverse(self._get_notes(invoice))
        self.assertEqual((bill.amount_total, bill.amount_residual), (121.0, 0.0))
        self.assertEqual(self._get_liability(), 0.0)
        self.assertEqual(sum(self._get_wallet().mapped('points')), 0.0)

    def test_half_of_a_note_reversed_takes_half_back(self):
        line, invoice = self._sell_paid(2)
        self._wish(line)
        bill = self._reverse(self._get_notes(invoice), quantity=1)
        self.assertEqual((bill.amount_total, bill.amount_residual), (121.0, 0.0))
        self.assertEqual(self._get_liability(), 133.1)
        self.assertEqual(sum(self._get_wallet().mapped('points')), 133.1)

    def test_spent_store_credit_cannot_be_taken_back(self):
        line, invoice = self._sell_paid()
        sale_return = self._wish(line)
        wallet, note = self._get_wallet(), self._get_notes(invoice)
        self._sell_with([wallet], {'quantity': 1, 'price': 50.0, 'taxes': self.env['account.tax']})
        self.assertEqual(round(wallet.points, 2), 83.1)
        for undo in (note.button_draft, lambda: self._reverse(note)):
            with self.assertRaisesRegex(UserError, "has spent"), self.env.cr.savepoint():
                undo()
        self.assertEqual((note.state, note.amount_residual), ('posted', 0.0))
        self.assertEqual(len(sale_return.store_credit_ids), 1)
        self.assert_wallet(83.1)

    # === WHAT IS NOT POSSIBLE === #

    def test_what_is_missing_is_said_at_the_click_and_on_the_health_page(self):
        line, _invoice = self._sell_paid()
        company = self.company.sudo()
        income = self.env['account.account'].search([('account_type', '=', 'income')], limit=1)
        cases = [
            ({'sale_return_store_credit_account_id': False}, "has no account"),
            ({'sale_return_store_credit_account_id': income.id}, "not a liability account"),
            ({'sale_return_store_credit_bonus_account_id': False}, "bonus"),
            (None, "no eWallet program"),
        ]
        for values, words in cases:
            with self.subTest(words), self.env.cr.savepoint() as savepoint:
                if values is None:
                    self.program.active = False
                else:
                    company.write(values)
                with self.assertRaisesRegex(UserError, words):
                    self._ask(line)
                findings = self.env['sale.return.health'].sudo()._get_findings(company)
                self.assertTrue([f for f in findings if words in f['sentence']])
                savepoint.rollback()
        company.sale_return_store_credit = False
        options = dict(
            self.env['sale.return.line'].fields_get(['resolution'])['resolution']['selection']
        )
        self.assertNotIn('store_credit', options)
        with self.assertRaisesRegex(UserError, "switched off"):
            self._ask(line)

    def test_failure_stops_no_credit_and_is_done_later(self):
        line, invoice = self._sell_paid()
        sale_return = self._ask(line)
        self.program.active = False
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        note = self._get_notes(invoice)
        self.assertEqual(note.amount_residual, 121.0)
        self.assertIn('store_credit_failed', sale_return.event_ids.mapped('kind'))
        self.assertTrue(sale_return.has_store_credit_due)
        self.program.active = True
        with self.assertRaises(AccessError):
            sale_return.with_user(self.clerk).action_store_credit()
        sale_return.with_user(self.manager).action_store_credit()
        self.assertEqual((note.amount_residual, sale_return.state), (0.0, 'closed'))
        self.assert_wallet(133.1)

    # === CONTROL === #

    def test_second_person_counts_the_bonus(self):
        self.company.sudo().sale_return_second_person_above = 130.0
        self._create_user('second', 'base.group_user', 'account.group_account_invoice')
        line, invoice = self._sell_paid()
        sale_return = self._wish(line)
        note = self._get_notes(invoice)
        # 121.00 is within the limit, 133.10 is not.
        self.assertEqual(note.amount_residual, 121.0)
        self.assertIn('store_credit_waits', sale_return.event_ids.mapped('kind'))
        with self.assertRaisesRegex(UserError, "Somebody else"):
            sale_return.action_store_credit()
        customer = sale_return.partner_id.commercial_partner_id.sudo()
        counter = customer.sale_return_goodwill_guard
        sale_return.with_user(self.manager).action_store_credit()
        self.assertEqual(note.amount_residual, 0.0)
        self.assert_wallet(133.1)
        # Two notes at once are put there one after the other.
        self.assertGreater(customer.sale_return_goodwill_guard, counter)

    def test_bonus_is_a_credit_without_goods(self):
        line, _invoice = self._sell_paid()
        sale_return = self._ask(line)
        rows = self.env['sale.return.unbacked'].search([('return_id', '=', sale_return.id)])
        self.assertEqual([(row.kind, row.amount) for row in rows], [('bonus', 12.1)])

    # === DIFFERENCES === #

    def test_card_changed_by_hand_is_a_difference(self):
        line, invoice = self._sell_paid()
        self._wish(line)
        self.assert_wallet(133.1)
        wallet = self._get_wallet()
        wallet.points += 5.0
        row = self.assert_row(self._refresh(), 'wallet_difference', amount_difference=5.0)
        self.assertIn("changed by hand", row.explanation)
        wallet.points -= 5.0
        self.assertFalse(self._refresh())
        entry = self.env['sale.return.store.credit'].search([]).entry_id
        entry.sudo().button_draft()
        rows = self._refresh().filtered(lambda row: row.kind == 'wallet_difference')
        self.assertIn(self._get_notes(invoice), rows.note_id)

    # === CARDS THAT CANNOT BE USED === #

    def test_expired_card_gets_a_successor(self):
        card = self._fill_wallet(30.0)
        order, invoice = self._sell_with(
            [card], {'quantity': 2, 'price': 50.0, 'taxes': self.env['account.tax']}
        )
        card.expiration_date = '2020-01-01'
        self._return_goods(self._goods(order), 1)
        self._return_goods(self._goods(order), 1)
        successor = self._get_wallet() - card
        self.assertEqual((card.points, successor.points), (0.0, 30.0))
        note = self._get_notes(invoice)[-1:]
        note.button_draft()
        self.assertEqual((card.points, successor.points), (0.0, 15.0))

    def test_archived_card_gets_a_successor(self):
        card = self._fill_wallet(30.0)
        order, _invoice = self._sell_with([card], {'quantity': 1, 'taxes': self.env['account.tax']})
        card.active = False
        sale_return = self._return_goods(self._goods(order))
        successor = self._get_wallet() - card
        self.assertEqual((card.points, successor.points), (0.0, 30.0))
        self.env['sale.return.loyalty']._sync(sale_return)
        self.assertEqual(successor.points, 30.0)

    # === CUSTOMERS WHO ARE MERGED === #

    def test_what_named_a_merged_card_names_the_one_that_is_kept(self):
        """Goods and store credit of the double go to and from the card of who is kept."""
        kept = self._fill_wallet(20.0)
        double = self._create_customer("Jane Double")
        with patch.object(type(self), 'customer', double):
            old = self._fill_wallet(30.0)
            goods = {'quantity': 1, 'taxes': self.env['account.tax']}
            order, _invoice = self._sell_with([old], goods)
            line, invoice = self._sell_paid()
            self._wish(line)
        self.assertEqual((kept.points, old.points), (20.0, 133.1))
        self.env['base.partner.merge.automatic.wizard'].sudo()._merge(
            (self.customer | double).ids, self.customer.sudo()
        )
        self.env.invalidate_all()
        self.assertEqual((kept.points, old.points, old.active), (153.1, 0.0, False))
        sale_return = self._return_goods(self._goods(order))
        self.assertEqual(kept.points, 183.1)
        self._get_notes(invoice).button_draft()
        self.assertEqual(kept.points, 50.0)
        for _run in range(2):
            self.env['sale.return.loyalty']._sync(sale_return)
        cards = kept.with_context(active_test=False).search([('partner_id', '=', self.customer.id)])
        self.assertEqual(cards.sorted('id').mapped('points'), [50.0, 0.0])
        # Only the note that was reset is open.
        self.assertEqual(self._refresh().mapped('kind'), ['received_not_credited'])
