from odoo.tests import tagged

from ..common import SaleReturnCommon

LEAN = {
    "no delivery lines and no rewards": (
        'test_part_of_a_discounted_order_is_credited_less_its_share',
        'test_discount_is_no_line_to_return',
        'test_preview_shows_the_share_of_the_discount',
        'test_down_payment_is_credited_with_the_goods',
        'test_restocking_fee_is_a_line_with_the_tax_of_the_goods',
        'test_fixed_charges_are_made_once_per_return',
    ),
}


@tagged('post_install', '-at_install')
class TestOrderLevelMoney(SaleReturnCommon):
    """Discounts, rewards, shipping and down payments: the customer gets back what they paid."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.discount_product = cls._create_product(
            "Discount", type='service', is_storable=False, invoice_policy='order'
        )
        cls.company.sudo().sale_discount_product_id = cls.discount_product

    def _discount(self, order, percent):
        wizard = self.env['sale.order.discount'].create(
            {
                'sale_order_id': order.id,
                'discount_type': 'so_discount',
                'discount_percentage': percent,
            }
        )
        wizard.action_apply_discount()

    def _sell_with_discount(self, *lines, percent=0.1, **values):
        order = self._create_order(*lines, confirm=False, **values)
        self._discount(order, percent)
        order.action_confirm()
        self._deliver(order)
        return order, self._invoice(order)

    def _goods(self, order):
        return order.order_line.filtered(lambda line: line.product_id.is_storable)

    # === DISCOUNTS === #

    def test_part_of_a_discounted_order_is_credited_less_its_share(self):
        order, invoice = self._sell_with_discount()
        self.assertEqual(invoice.amount_total, 1089.0)
        self._return_goods(self._goods(order), 4)
        note = self._get_notes(invoice)
        self.assertEqual(note.state, 'posted')
        self.assertEqual((note.amount_untaxed, note.amount_tax), (360.0, 75.6))
        goods, share = note.invoice_line_ids.sorted('price_subtotal', reverse=True)
        self.assertEqual((goods.price_unit, goods.quantity), (100.0, 4.0))
        self.assertEqual((share.price_subtotal, share.sale_return_kind), (-40.0, 'discount'))

    def test_discount_is_no_line_to_return(self):
        order, invoice = self._sell_with_discount()
        discount = order.order_line - self._goods(order)
        self.assertEqual(discount.qty_returnable, 0.0)
        wizard = self.env['sale.return.create'].create({'sale_line_ids': order.order_line.ids})
        self.assertEqual(wizard.line_ids.sale_line_id, self._goods(order))
        with self.assert_refused("Lower the quantity"):
            self._create_return(order, 1)
        self._return_goods(self._goods(order), 10)
        self.assertEqual(self._get_notes(invoice).amount_untaxed, 900.0)
        self.assertEqual(order.return_status, 'full')

    def test_parts_of_a_discounted_order_add_up_to_its_invoice(self):
        order, invoice = self._sell_with_discount(
            {'quantity': 3, 'price': 10.01},
            {'product': self.product_on_order, 'quantity': 7, 'price': 3.33, 'taxes': self.tax_5},
            percent=0.07,
        )
        for _step in range(3):
            self._return_goods(self._goods(order), 1)
        self._return_goods(order.order_line[1], 4)
        self.assert_fully_credited(invoice)
        self.assert_nothing_to_invoice(order)

    def test_discount_with_tax_included_and_global_rounding(self):
        self._configure(tax_calculation_rounding_method='round_globally')
        order, invoice = self._sell_with_discount(
            {'quantity': 3, 'price': 9.99, 'taxes': self.tax_20_included}, percent=0.15
        )
        for _step in range(3):
            self._return_goods(self._goods(order), 1)
        self.assert_fully_credited(invoice)

    def test_discount_without_tax(self):
        order, invoice = self._sell_with_discount(
            {'quantity': 3, 'price': 9.99, 'taxes': self.env['account.tax']}, percent=0.15
        )
        for _step in range(3):
            self._return_goods(self._goods(order), 1)
        self.assert_fully_credited(invoice)

    def test_discount_entered_as_a_negative_quantity(self):
        order = self._create_order(
            {}, {'product': self.discount_product, 'quantity': -1, 'price': 100.0}
        )
        self._deliver(order)
        invoice = order._create_invoices(final=True)
        invoice.action_post()
        self.assertEqual(invoice.amount_untaxed, 900.0)
        self._return_goods(self._goods(order), 4)
        self.assertEqual(self._get_notes(invoice).amount_untaxed, 360.0)
        self._return_goods(self._goods(order), 6)
        self.assert_fully_credited(invoice)

    def test_untaxed_discount_above_the_untaxed_goods_is_spread_over_them(self):
        """Goods of 100 plus 21 %, less 111 without taxes: 10 are left, 5 for each half."""
        order = self._create_sale(
            {'quantity': 2, 'price': 50.0},
            {
                'product': self.discount_product,
                'quantity': 1,
                'price': -111.0,
                'taxes': self.env['account.tax'],
            },
        )
        invoice = order.invoice_ids
        self._return_goods(self._goods(order), 1)
        self._return_goods(self._goods(order), 1)
        self.assertEqual(self._get_notes(invoice).mapped('amount_total'), [5.0, 5.0])
        self.assert_fully_credited(invoice)

    # === TRADE-INS === #

    def _sell_with_trade_in(self):
        """Sell a lamp of 100 and take an old one for 30: 70 in all."""
        none = self.env['account.tax']
        old = self._create_product("Old Lamp")
        order = self._create_order(
            {'quantity': 1, 'taxes': none},
            {'product': old, 'quantity': -1, 'price': 30.0, 'taxes': none},
        )
        self._deliver(order)
        receipt = order.picking_ids.filtered(lambda p: p.picking_type_code == 'incoming')
        self._process(receipt.filtered(lambda p: p.state not in ('done', 'cancel')))
        invoice = order._create_invoices(final=True)
        invoice.action_post()
        return order, invoice

    def test_trade_in_does_not_lower_the_credit_of_the_new_article(self):
        none = self.env['account.tax']
        old = self._create_product("Old Lamp", invoice_policy='order')
        order = self._create_sale(
            {'quantity': 1, 'taxes': none},
            {'product': old, 'quantity': 1, 'price': -30.0, 'taxes': none},
        )
        invoice = order.invoice_ids
        self.assertEqual(invoice.amount_total, 70.0)
        sale_return = self._return_goods(order.order_line[0])
        self.assertEqual(self._get_notes(invoice).amount_total, 100.0)
        self.assertEqual(sale_return.state, 'closed')
        event = sale_return.event_ids.filtered(lambda event: event.kind == 'trade_in')
        self.assertIn("Old Lamp", event.details)

    def test_trade_in_as_a_negative_quantity_does_not_either(self):
        order, invoice = self._sell_with_trade_in()
        self.assertEqual(invoice.amount_total, 70.0)
        self._return_goods(order.order_line[0])
        self.assertEqual(self._get_notes(invoice).amount_total, 100.0)

    def test_preview_shows_the_share_of_the_discount(self):
        order, _invoice = self._sell_with_discount()
        sale_return = self._create_return(self._goods(order), 4)
        (note,) = sale_return.preview_credit()[sale_return.id]['estimate']
        self.assertEqual([line['kind'] for line in note['lines']], ['goods', 'discount'])
        self.assertEqual((note['untaxed'], note['total']), (360.0, 435.6))

    def test_two_returns_credited_together_take_a_share_each(self):
        order, invoice = self._sell_with_discount()
        first, second = (
            self._create_return(self._goods(order), 3),
            self._create_return(self._goods(order), 7),
        )
        self._receive(first | second)
        first.action_inspect_all('restock')
        second.action_inspect_all('restock')
        self.assertEqual((first.amount_credited, second.amount_credited), (326.7, 762.3))
        self.assert_fully_credited(invoice)

    def test_note_by_hand_without_the_discount_never_makes_ours_negative(self):
        order, invoice = self._sell_with_discount(percent=0.5)
        note = self._reverse(invoice, post=False)
        note.invoice_line_ids.filtered(lambda line: line.price_subtotal < 0).unlink()
        note.invoice_line_ids.quantity = 5
        note.action_post()
        self._return_goods(self._goods(order), 5)
        self.assertGreaterEqual(min(self._get_notes(invoice).mapped('amount_total')), 0.0)
        self.assertEqual(sum(self._get_notes(invoice).mapped('amount_total')), 605.0)

    # === DOWN PAYMENTS === #

    def test_down_payment_is_credited_with_the_goods(self):
        order = self._create_order()
        payment = self.env['sale.advance.payment.inv'].create(
            {
                'sale_order_ids': order.ids,
                'advance_payment_method': 'percentage',
                'amount': 30,
            }
        )
        payment.create_invoices()
        order.invoice_ids.action_post()
        self._deliver(order)
        final = order._create_invoices(final=True)
        final.action_post()
        self.assertEqual(final.amount_untaxed, 700.0)
        self._return_goods(self._goods(order), 10)
        self.assertEqual(self._get_notes(final).amount_total, 1210.0)
        self.assert_nothing_to_invoice(order)

    # === DEDUCTIONS === #

    def _deduct(self, reason=None, quantity=10, **policy):
        self.policy.write(policy)
        order = self._create_sale()
        invoice = order.invoice_ids
        sale_return = self._create_return(
            order, quantity, reason=reason or self.reason_changed_mind
        )
        return invoice, sale_return

    def test_restocking_fee_is_a_line_with_the_tax_of_the_goods(self):
        invoice, sale_return = self._deduct(restocking_fee_percent=15)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        note = self._get_notes(invoice)
        self.assertEqual((note.amount_untaxed, note.amount_tax), (850.0, 178.5))
        fee = note.invoice_line_ids.filtered(lambda l: l.sale_return_kind == 'restocking_fee')
        self.assertEqual((fee.price_subtotal, fee.tax_ids), (-150.0, self.tax_21))
        self.assertFalse(fee.sale_line_ids)

    def test_no_fee_for_reasons_that_are_not_the_customers(self):
        invoice, sale_return = self._deduct(self.reason_defective, restocking_fee_percent=15)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assertEqual(self._get_notes(invoice).amount_untaxed, 1000.0)

    def test_fee_of_one_return_is_not_credited_by_the_next(self):
        self.policy.restocking_fee_percent = 10
        order = self._create_sale()
        invoice = order.invoice_ids
        for _step in range(2):
            self._return_goods(self._goods(order), 5, reason=self.reason_changed_mind)
        notes = self._get_notes(invoice)
        self.assertEqual(notes.mapped('amount_untaxed'), [450.0, 450.0])

    def test_fee_may_be_given_back_by_hand(self):
        self.policy.restocking_fee_percent = 10
        order = self._create_sale()
        invoice = order.invoice_ids
        self._return_goods(self._goods(order), 10, reason=self.reason_changed_mind)
        note = self._reverse(invoice, quantity=10, price=10)
        self.assertEqual((note.state, note.amount_untaxed), ('posted', 100.0))
        with self.assert_refused("more would be credited"):
            self._reverse(invoice, quantity=1, price=1)

    def test_fee_given_back_by_hand_leaves_what_is_still_out_its_price(self):
        self.policy.restocking_fee_percent = 10
        order = self._create_sale()
        invoice = order.invoice_ids
        self._return_goods(self._goods(order), 4, reason=self.reason_changed_mind)
        self._reverse(invoice, quantity=4, price=10)
        self.assertEqual(sum(self._get_notes(invoice).mapped('amount_untaxed')), 400.0)
        self._return_goods(self._goods(order), 6, reason=self.reason_changed_mind)
        self.assertEqual(sum(self._get_notes(invoice).mapped('amount_untaxed')), 940.0)

    def test_fixed_charges_are_made_once_per_return(self):
        invoice, sale_return = self._deduct(restocking_fee_fixed=20, return_freight=7.5)
        self.assertEqual(sale_return.freight_charge, 7.5)
        self._receive(sale_return)
        for _step in range(2):
            self._inspect(sale_return, {'quantity': 5, 'disposition': 'restock'})
        notes = self._get_notes(invoice).sorted('id')
        self.assertEqual(notes.mapped('amount_untaxed'), [472.5, 500.0])

    def test_charges_are_capped_at_the_value_of_the_goods(self):
        invoice, sale_return = self._deduct(quantity=1, restocking_fee_fixed=80, return_freight=50)
        (note,) = sale_return.preview_credit()[sale_return.id]['estimate']
        self.assertEqual(sum(line['uncharged'] for line in note['lines']), 30.0)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assertEqual(self._get_notes(invoice).amount_total, 0.0)
        event = sale_return.event_ids.filtered(lambda event: event.kind == 'not_charged')
        self.assertIn("30.00", event.details)
        self.assertEqual(sale_return.state, 'closed')

    def test_condition_lowers_the_credit(self):
        grade = self.env['sale.return.grade'].create(
            {'name': "Worn", 'code': 'W', 'credit_ratio': 0.6, 'company_id': self.company.id}
        )
        invoice, sale_return = self._deduct(quantity=4)
        self._receive(sale_return)
        self._inspect(
            sale_return,
            {'quantity': 3, 'disposition': 'restock'},
            {'quantity': 1, 'disposition': 'restock', 'grade': grade.id},
        )
        notes = self._get_notes(invoice)
        self.assertEqual(sum(notes.mapped('amount_untaxed')), 360.0)
        reduced = notes.invoice_line_ids.filtered(lambda l: l.sale_return_kind == 'grade')
        self.assertEqual(reduced.price_subtotal, -40.0)

    def test_regime_forbids_fees(self):
        self.policy.sudo().regime = 'conformity'
        invoice, sale_return = self._deduct(restocking_fee_percent=15, return_freight=9)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assertEqual(self._get_notes(invoice).amount_untaxed, 1000.0)

    def test_fees_go_to_their_account(self):
        account = self.company.sale_return_scrap_account_id.copy({'account_type': 'income_other'})
        self._configure(sale_return_fee_account_id=account.id)
        invoice, sale_return = self._deduct(restocking_fee_percent=10)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        lines = self._get_notes(invoice).line_ids.filtered(
            lambda l: l.account_id == account and l.display_type == 'product'
        )
        self.assertEqual(sum(lines.mapped('balance')), -100.0)

    def test_charges_in_another_currency(self):
        pricelist = self._setup_currency('EUR')
        self.policy.write({'restocking_fee_fixed': 20.0})
        order = self._create_sale(pricelist_id=pricelist.id)
        invoice = order.invoice_ids
        self._return_goods(self._goods(order), 10, reason=self.reason_changed_mind)
        note = self._get_notes(invoice)
        self.assertEqual(note.currency_id.name, 'EUR')
        self.assertEqual(note.amount_untaxed, 960.0)  # 20 of the company's currency are EUR 40
