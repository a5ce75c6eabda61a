from odoo import Command
from odoo.tests import tagged

from ..common_exchange import ExchangeCommon


@tagged('post_install', '-at_install')
class TestExchangeMoney(ExchangeCommon):
    """Amounts worked out by hand: credit, new goods, and who pays the difference."""

    def _sell(self, quantity=1, **values):
        return self._create_paid_sale(
            {'product': self.medium, 'quantity': quantity, **values}
        ).order_line[:1]

    def assert_settled(self, sale_return, credited, billed, back=0.0, due=0.0, left_on=()):
        """Assert what was posted, that all of it fits, and that a second run adds nothing."""
        self.assertEqual(self._get_money(sale_return), (credited, billed, back, due))
        documents = self._count_documents()
        sale_return.action_create_credit_notes()
        sale_return._after_step()
        self.assertEqual(self._count_documents(), documents)
        orders = sale_return.exchange_order_ids
        for order in orders.filtered(lambda order: order.state == 'sale'):
            self._deliver(order)
            for line in order.order_line:
                self.assert_sold(line, line.product_uom_qty, line.product_uom_qty)
            self.assert_nothing_to_invoice(order)
        self.assert_ledger_balanced()
        self.assertEqual(self._get_held(sale_return), {})
        self.assertEqual(self._refresh().mapped('kind'), list(left_on))

    def assert_previewed(self, sale_return, goods, difference):
        preview = sale_return.preview_credit()[sale_return.id]
        self.assertEqual(preview['exchange'][0]['total'], goods)
        self.assertEqual(preview['difference'], difference)

    def _create_other(self, name, price, taxes=None):
        taxes = self.tax_21 if taxes is None else taxes
        return self._create_product(
            name, list_price=price, taxes_id=[Command.set(taxes.ids)], standard_price=60.0
        )

    def test_even(self):
        """2 × 100 + 21 % = 242.00 for the same in another size: nobody pays."""
        sale_return = self._create_exchange(self._sell(2), self.large, 2)
        self.assert_previewed(sale_return, 242.0, 0.0)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assertEqual(sale_return.exchange_order_ids.invoice_ids.payment_state, 'paid')
        self.assertEqual(sale_return.credit_note_ids.payment_state, 'paid')
        self.assertEqual(sale_return.refund_state, 'no')
        self.assertEqual(sale_return.state, 'closed')
        self.assert_settled(sale_return, 242.0, 242.0)

    def test_up(self):
        """121.00 for a coat of 150 + 21 % = 181.50: the customer owes 60.50."""
        coat = self._create_other("Coat", 150.0)
        sale_return = self._create_exchange(self._sell(), coat)
        self.assert_previewed(sale_return, 181.5, 60.5)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assert_settled(sale_return, 121.0, 181.5, due=60.5)

    def test_down(self):
        """121.00 for a cap of 60 + 21 % = 72.60: 48.40 go back the way they came."""
        cap = self._create_other("Cap", 60.0)
        sale_return = self._create_exchange(self._sell(), cap)
        self.assert_previewed(sale_return, 72.6, -48.4)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assertEqual(self._get_money(sale_return), (121.0, 72.6, 48.4, 0.0))
        self.assertEqual(sale_return.refund_state, 'pending')
        self.assertEqual(sale_return.state, 'approved')
        refund = sale_return.action_refund()
        self.assertEqual(refund.mapped('amount'), [48.4])
        refund.payment_id.action_post()
        self.assertEqual(sale_return.amount_refunded, 48.4)
        self.assertEqual(sale_return.state, 'closed')
        self.assert_settled(sale_return, 121.0, 72.6)

    def test_discount_of_the_line(self):
        """2 × 100 less 10 % + 21 % = 217.80, the discount goes along."""
        sale_return = self._exchange_goods(self._sell(2, discount=10.0), self.large, 2)
        self.assertEqual(sale_return.exchange_order_ids.order_line.discount, 10.0)
        self.assert_settled(sale_return, 217.8, 217.8)

    def test_discount_of_the_order(self):
        """2 × 100 less 20 for the whole order: one of them was 90 + 21 % = 108.90."""
        discount = self.env['product.product'].create(
            {'name': "Discount", 'type': 'service', 'invoice_policy': 'order'}
        )
        self.company.sudo().sale_discount_product_id = discount
        order = self._create_paid_sale(
            {'product': self.medium, 'quantity': 2},
            {'product': discount, 'quantity': 1, 'price': -20.0},
        )
        sale_return = self._create_exchange(order.order_line[0], self.large)
        self.assert_previewed(sale_return, 108.9, 0.0)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assert_settled(sale_return, 108.9, 108.9)

    def test_tax_of_today(self):
        """Sold with 21 %, 5 % by today's fiscal position: 121.00 against 105.00."""
        line = self._sell()
        position = self.env['account.fiscal.position'].create({'name': "Today"})
        self.tax_5.write(
            {
                'fiscal_position_ids': [Command.set(position.ids)],
                'original_tax_ids': [Command.set(self.tax_21.ids)],
            }
        )
        self.customer.property_account_position_id = position
        sale_return = self._create_exchange(line, self.large)
        self.assert_previewed(sale_return, 105.0, -16.0)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assertEqual(sale_return.exchange_order_ids.order_line.tax_ids, self.tax_5)
        self.assert_settled(sale_return, 121.0, 105.0, back=16.0, left_on=['credited_not_refunded'])

    def test_currency(self):
        """121 EUR at 2, even at 4: 60.50 booked back, 30.25 sold, exchange difference 30.25."""
        pricelist = self._setup_currency('EUR')
        order = self._create_paid_sale(
            {'product': self.medium, 'quantity': 1}, pricelist_id=pricelist.id
        )
        self._set_rate(pricelist.currency_id, self._get_today(), 4.0)
        sale_return = self._create_exchange(order.order_line, self.large)
        self.assert_previewed(sale_return, 121.0, 0.0)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        invoice = sale_return.exchange_order_ids.invoice_ids
        self.assertEqual(invoice.currency_id, pricelist.currency_id)
        self.assertEqual(sale_return.credit_note_ids.amount_total_signed, -60.5)
        self.assertEqual(invoice.amount_total_signed, 30.25)
        difference = invoice.line_ids.matched_credit_ids.exchange_move_id
        difference |= invoice.line_ids.matched_debit_ids.exchange_move_id
        self.assertEqual(difference.amount_total_signed, 30.25)
        self.assert_settled(sale_return, 121.0, 121.0)

    def test_partial_receipt(self):
        """3 asked for, 2 come: 242.00 against 242.00; the third is neither sent nor billed."""
        sale_return = self._create_exchange(self._sell(3), self.large, 3)
        self._receive(sale_return, 2)
        sale_return.action_inspect_all('restock')
        order = sale_return.exchange_order_ids
        self.assertEqual(order.order_line.product_uom_qty, 2)
        self.assertEqual(self._get_held(sale_return), {self.large: 1.0})
        self.assertEqual(self._get_money(sale_return), (242.0, 242.0, 0.0, 0.0))
        sale_return.action_close("It does not come.")
        self.assertEqual(self._get_held(sale_return), {})
        self.assert_settled(sale_return, 242.0, 242.0)

    def test_parts_of_an_even_exchange_are_even(self):
        """3 × 10.01 + 21 % = 36.34, in three steps 12.11, 12.11 and 12.12, on both sides."""
        sale_return = self._create_exchange(self._sell(3, price=10.01), self.large, 3)
        for _step in range(3):
            self._receive(sale_return, 1)
            sale_return.action_inspect_all('restock')
        invoices = sale_return.exchange_order_ids.invoice_ids
        self.assertEqual(sorted(invoices.mapped('amount_total')), [12.11, 12.11, 12.12])
        self.assert_settled(sale_return, 36.34, 36.34)

    def test_rejected_goods_leave_an_order_to_be_paid(self):
        """Nothing is credited; the customer still wants it and owes 121.00."""
        sale_return = self._create_exchange(self._sell(), self.large)
        self._receive(sale_return)
        sale_return.action_inspect_all('send_back')
        order = sale_return.exchange_order_ids
        self.assertEqual(order.state, 'draft')
        self.assertTrue(sale_return.has_exchange_to_decide)
        self.assertEqual(sale_return.state, 'approved')
        self.assertEqual(self._get_held(sale_return), {self.large: 1.0})
        sale_return.action_keep_exchange()
        self.assertEqual(order.state, 'sale')
        self.assertEqual(self._get_held(sale_return), {})
        self.assertEqual(order.invoice_ids.amount_residual, 121.0)
        self._deliver(order)
        self._process(sale_return.transfer_ids.filtered(lambda p: p.state == 'assigned'))
        self.assert_settled(sale_return, 0.0, 121.0, due=121.0)

    def test_rejected_goods_and_the_exchange_is_ended(self):
        sale_return = self._create_exchange(self._sell(), self.large)
        self._receive(sale_return)
        sale_return.action_inspect_all('send_back')
        sale_return.action_end_exchange()
        self.assertEqual(sale_return.exchange_order_ids.state, 'cancel')
        self._process(sale_return.transfer_ids.filtered(lambda p: p.state == 'assigned'))
        self.assertEqual(sale_return.state, 'closed')
        self.assert_settled(sale_return, 0.0, 0.0)

    def test_two_lines(self):
        """121.00 even and 60.50 for a cap of 72.60: the customer owes 12.10 in all."""
        cap = self._create_other("Cap", 60.0)
        order = self._create_paid_sale(
            {'product': self.medium, 'quantity': 1},
            {'product': self.product, 'quantity': 1, 'price': 50.0},
        )
        first, second = order.order_line
        sale_return = self._create_exchange(first, self.large, submit=False)
        sale_return.line_ids = [
            Command.create(
                {
                    'sale_line_id': second.id,
                    'qty_requested': 1,
                    'reason_id': self.reason_changed_mind.id,
                    'resolution': 'exchange',
                    'exchange_product_id': cap.id,
                }
            )
        ]
        sale_return.action_submit()
        self.assertEqual(len(sale_return.exchange_order_ids), 1)
        self.assert_previewed(sale_return, 193.6, 12.1)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assert_settled(sale_return, 181.5, 193.6, due=12.1)

    def test_exchange_beside_a_refund(self):
        """121.00 + 60.50 credited, a coat of 181.50: one settles the other, nobody pays."""
        coat = self._create_other("Coat", 150.0)
        order = self._create_paid_sale(
            {'product': self.medium, 'quantity': 1},
            {'product': self.product, 'quantity': 1, 'price': 50.0},
        )
        first, second = order.order_line
        sale_return = self._create_exchange(first, coat, submit=False)
        sale_return.line_ids = [
            Command.create(
                {
                    'sale_line_id': second.id,
                    'qty_requested': 1,
                    'reason_id': self.reason_changed_mind.id,
                }
            )
        ]
        sale_return.action_submit()
        self.assert_previewed(sale_return, 181.5, 0.0)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assert_settled(sale_return, 181.5, 181.5)

    def test_cancelled_return(self):
        """Before anything comes: the quotation goes, the goods are free, nothing is posted."""
        sale_return = self._create_exchange(self._sell(), self.large)
        sale_return.action_cancel()
        self.assertEqual(sale_return.exchange_order_ids.state, 'cancel')
        self.assert_settled(sale_return, 0.0, 0.0)

    def test_unpaid_invoice(self):
        """The credit lowers the old invoice, the new one is owed on its terms: 121.00."""
        order = self._create_sale({'product': self.medium, 'quantity': 1})
        sale_return = self._exchange_goods(order.order_line, self.large)
        self.assertEqual(
            order.invoice_ids.filtered(lambda m: m.move_type == 'out_invoice').amount_residual, 0.0
        )
        self.assertEqual(sale_return.exchange_order_ids.exchange_due, 0.0)
        self.assert_settled(sale_return, 121.0, 121.0, due=121.0)

    def test_fee(self):
        """A fee of 10 % of 100: 121.00 less 12.10, so the customer owes 12.10."""
        self.policy.restocking_fee_percent = 10.0
        sale_return = self._create_exchange(self._sell(), self.large)
        self.assert_previewed(sale_return, 121.0, 12.1)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assert_settled(sale_return, 108.9, 121.0, due=12.1)

    def test_never_invoiced(self):
        """Delivered but not invoiced: nothing is credited, the exchange is billed as usual."""
        order = self._create_order({'product': self.medium, 'quantity': 1})
        self._deliver(order)
        sale_return = self._exchange_goods(order.order_line, self.large)
        exchange = sale_return.exchange_order_ids
        self.assertEqual(exchange.state, 'sale')
        self._deliver(exchange)
        self._invoice(exchange)
        self.assert_settled(sale_return, 0.0, 121.0, due=121.0)

    def test_note_is_reversed_afterwards(self):
        """Reversing the note cancels the credit: 121.00 are owed again, once."""
        sale_return = self._exchange_goods(self._sell(), self.large)
        note = sale_return.credit_note_ids
        reversal = self._reverse(note)
        self.assertEqual(reversal.amount_total, 121.0)
        self.assertEqual(reversal.amount_residual, 121.0)
        self.assertEqual(self._get_money(sale_return), (121.0, 121.0, 0.0, 0.0))
        # The goods are still here: they are credited again, and that settles the reversal.
        sale_return._after_step()
        self.assertEqual(self._get_money(sale_return), (242.0, 121.0, 0.0, 0.0))
        self.assertEqual(reversal.amount_residual, 0.0)
