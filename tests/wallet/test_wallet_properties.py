import os
import random

from odoo import Command
from odoo.tests import tagged

from ..common_exchange import ExchangeCommon
from ..common_wallet import WalletCommon

# SALE_RETURN_EXAMPLES=200 tries 200.
WORLDS = int(os.environ.get('SALE_RETURN_EXAMPLES', '2'))
WISHES = ('refund', 'store_credit', 'exchange')


@tagged('post_install', '-at_install')
class TestWalletProperties(ExchangeCommon, WalletCommon):
    """Whatever pays an order, and whatever comes back of it: money and cards are never mixed up.

    At each step the money that the customer has paid is what invoices say, those of exchanges
    included, less notes, plus what stands on cards instead; and the account of the wallets is what
    stands on the cards.
    """

    def test_random_orders_and_returns(self):
        gift = self._create_program('gift_card')
        self._post_to(gift, self.liability)
        for seed in range(WORLDS):
            with self.subTest(seed=seed), self.env.cr.savepoint() as savepoint:
                self._play(random.Random(seed), gift)
                savepoint.rollback()
            self.env.invalidate_all()

    def _play(self, chance, gift):
        wallet = self._fill_wallet(float(chance.choice([0, 10, 35, 500])))
        card = self._fill_wallet(float(chance.choice([0, 7, 20])), gift)
        cards = (wallet | card).filtered('points')
        lines = [
            {
                'quantity': chance.randint(1, 4),
                'price': chance.choice([9.99, 33.33, 100.0]),
                'taxes': chance.choice([self.tax_21, self.env['account.tax']]),
            }
            for _line in range(chance.randint(1, 2))
        ]
        before = sum(cards.mapped('points'))
        order, invoice = self._sell_by(cards, *lines)
        by_card = before - sum(cards.mapped('points'))
        paid = invoice.amount_total
        if paid:
            self._pay(invoice)
        self._assert_true(order, invoice, paid, by_card, before)
        new = self._create_product("New", list_price=chance.choice([5.0, 33.33, 250.0]))
        new.taxes_id = [Command.set(self.tax_21.ids)]
        self._put_in_stock(new, 100)
        for line in self._goods(order):
            left = int(line.product_uom_qty)
            while left:
                quantity = chance.randint(1, left)
                left -= quantity
                wish = chance.choice(WISHES)
                product = chance.choice([new, line.product_id])
                values = {'exchange_product_id': product.id} if wish == 'exchange' else {}
                sale_return = self._wish(line, quantity, resolution=wish, **values)
                bills = sale_return.exchange_order_ids.invoice_ids
                if owed := sum(bills.mapped('amount_residual')):
                    self._pay(bills)
                    paid += owed
                if wish != 'store_credit' and sale_return.has_to_refund:
                    sale_return.action_refund().payment_id.action_post()
                self._assert_true(order, invoice, paid, by_card, before)
                if wish != 'exchange' and chance.random() < 0.3:
                    self._undo_and_redo(sale_return, order, invoice, paid, by_card, before)

    def _undo_and_redo(self, sale_return, order, invoice, paid, by_card, before):
        for note in sale_return.credit_note_ids.filtered('sale_return_ids'):
            if sale_return.store_credit_ids and note.state == 'posted':
                note.button_draft()
                self._assert_true(order, invoice, paid, by_card, before)
                note.action_post()
        self._assert_true(order, invoice, paid, by_card, before)

    def _assert_true(self, order, invoice, paid, by_card, before):
        """Assert, per means, what was paid, credited and given back."""
        notes = self._get_notes(invoice).filtered(lambda note: note.state == 'posted')
        rows = self.env['sale.return.store.credit'].search([('note_id', 'in', notes.ids)])
        on_wallet, bonus = sum(rows.mapped('amount')), sum(rows.mapped('bonus'))
        money_back = sum(note._get_amount_paid_back() for note in notes)
        is_open = sum(notes.mapped('amount_residual'))
        credited = sum(notes.mapped('amount_total'))
        bills = order.return_ids.exchange_order_ids.invoice_ids
        billed = invoice.amount_total + sum(bills.mapped('amount_total'))
        self.assertAlmostEqual(is_open, 0.0, 2)
        self.assertFalse(sum((invoice | bills).mapped('amount_residual')))
        # Paid by the customer = invoices − notes, and what they have on cards instead.
        self.assertAlmostEqual(paid - money_back, billed - credited + on_wallet, 2)
        to_cards = -sum(
            line.price_total
            for line in notes.invoice_line_ids
            if line.sale_return_kind == 'stored_value'
        )
        cards = self.env['loyalty.card'].sudo().with_context(active_test=False)
        points = sum(
            cards.search([('program_id.company_id', '=', self.company.id)]).mapped('points')
        )
        self.assertAlmostEqual(points, before - by_card + to_cards + on_wallet + bonus, 2)
        self.assertAlmostEqual(self._get_liability(), points, 2)
        self.assertFalse(
            self._refresh()
            .filtered(lambda row: row.kind != 'credited_not_received')
            .mapped('explanation')
        )
