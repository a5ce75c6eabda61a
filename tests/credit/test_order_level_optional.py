from unittest import SkipTest

from odoo import Command
from odoo.tests import tagged

from ..common import SaleReturnCommon


@tagged('post_install', '-at_install')
class TestOrderLevelOptional(SaleReturnCommon):
    """Shipping charges and rewards, where their modules are installed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if 'is_delivery' not in cls.env['sale.order.line']._fields:
            raise SkipTest("delivery is not installed")
        if 'loyalty.program' not in cls.env:
            raise SkipTest("sale_loyalty is not installed")
        cls.shipping_product = cls._create_product(
            "Shipping", type='service', is_storable=False, invoice_policy='order'
        )

    # === SHIPPING === #

    def _sell_with_shipping(self, quantity=10, price=20.0):
        order = self._create_sale(
            {'quantity': quantity},
            {
                'product': self.shipping_product,
                'quantity': 1,
                'price': price,
                'is_delivery': True,
            },
        )
        return order, order.invoice_ids

    def test_shipping_is_kept_by_default(self):
        order, invoice = self._sell_with_shipping()
        self._return_goods(order.order_line[0], 10)
        self.assertEqual(self._get_notes(invoice).amount_untaxed, 1000.0)

    def test_shipping_is_refunded_with_the_last_goods(self):
        self.policy.refund_shipping = 'full_return'
        order, invoice = self._sell_with_shipping()
        self._return_goods(order.order_line[0], 4)
        self.assertEqual(self._get_notes(invoice).amount_untaxed, 400.0)
        self._return_goods(order.order_line[0], 6)
        self.assert_fully_credited(invoice)
        self.assert_nothing_to_invoice(order)

    def test_shipping_is_refunded_in_proportion(self):
        self.policy.refund_shipping = 'always'
        order, invoice = self._sell_with_shipping(3, 10.0)
        for _step in range(3):
            self._return_goods(order.order_line[0], 1)
        notes = self._get_notes(invoice).sorted('id')
        self.assertEqual(notes.mapped('amount_untaxed'), [103.33, 103.34, 103.33])
        self.assert_fully_credited(invoice)

    def test_shipping_of_goods_still_to_be_delivered_is_kept(self):
        self.policy.refund_shipping = 'full_return'
        order = self._create_order(
            {}, {'product': self.shipping_product, 'quantity': 1, 'is_delivery': True, 'price': 20}
        )
        self._deliver(order, 4)
        invoice = self._invoice(order)
        self._return_goods(order.order_line[0], 4)
        self.assertEqual(self._get_notes(invoice).amount_untaxed, 400.0)

    def test_only_standard_delivery_is_refunded_where_the_law_says_so(self):
        self.policy.write(
            {
                'refund_shipping': 'full_return',
                'regime': 'eu_withdrawal',
                'shipping_standard_price': 5.0,
            }
        )
        order, invoice = self._sell_with_shipping()
        self._return_goods(order.order_line[0], 10)
        self.assertEqual(self._get_notes(invoice).amount_untaxed, 1005.0)

    def test_refunded_shipping_cannot_be_credited_again_by_hand(self):
        self.policy.refund_shipping = 'full_return'
        order, invoice = self._sell_with_shipping()
        self._return_goods(order.order_line[0], 10)
        note = self._reverse(invoice, post=False)
        note.invoice_line_ids.filtered(lambda line: line.price_unit == 100).unlink()
        with self.assert_refused("more would be credited"):
            note.action_post()

    # === REWARDS === #

    def _create_program(self, **reward):
        return self.env['loyalty.program'].create(
            {
                'name': "Test",
                'program_type': 'promotion',
                'trigger': 'auto',
                'applies_on': 'current',
                'company_id': self.company.id,
                'rule_ids': [Command.create({'product_ids': [Command.set(self.product.ids)]})],
                'reward_ids': [Command.create(reward)],
            }
        )

    def _sell_with_reward(self, *lines):
        order = self._create_order(*lines, confirm=False)
        order._update_programs_and_rewards()
        (coupon, rewards), *_others = order._get_claimable_rewards().items()
        order._apply_program_reward(rewards[:1], coupon)
        order.action_confirm()
        self._deliver(order)
        return order, self._invoice(order)

    def test_reward_on_the_order_is_taken_off_in_proportion(self):
        self._create_program(reward_type='discount', discount=10, discount_mode='percent')
        order, invoice = self._sell_with_reward({})
        self.assertEqual(invoice.amount_untaxed, 900.0)
        self._return_goods(order.order_line[0], 3)
        self.assertEqual(self._get_notes(invoice).amount_untaxed, 270.0)
        self._return_goods(order.order_line[0], 7)
        self.assert_fully_credited(invoice)

    def _sell_with_free_shipping(self):
        """Sell 2 × 50 with a delivery of 9.90 that a reward has made free: 100 in all."""
        program = self._create_program(reward_type='shipping')
        order = self._create_order(
            {'quantity': 2, 'price': 50.0, 'taxes': self.env['account.tax']},
            {
                'product': self.shipping_product,
                'quantity': 1,
                'price': 9.9,
                'taxes': self.env['account.tax'],
                'is_delivery': True,
            },
            confirm=False,
        )
        order._update_programs_and_rewards()
        (coupon, rewards), *_others = order._get_claimable_rewards().items()
        self.assertEqual(rewards, program.reward_ids)
        order._apply_program_reward(rewards, coupon)
        order.action_confirm()
        self._deliver(order)
        invoice = self._invoice(order)
        self.assertEqual(invoice.amount_total, 100.0)
        return order, invoice

    def test_reward_that_made_shipping_free_is_not_taken_from_the_goods(self):
        order, invoice = self._sell_with_free_shipping()
        self._return_goods(order.order_line[0], 1)
        self._return_goods(order.order_line[0], 1)
        self.assertEqual(self._get_notes(invoice).mapped('amount_total'), [50.0, 50.0])

    def test_reward_that_made_shipping_free_goes_with_the_shipping(self):
        self.policy.refund_shipping = 'full_return'
        order, invoice = self._sell_with_free_shipping()
        self._return_goods(order.order_line[0], 2)
        self.assertEqual(self._get_notes(invoice).amount_total, 100.0)
        self.assert_fully_credited(invoice)

    def _sell_two_and_one_free(self):
        self._create_program(
            reward_type='product', reward_product_id=self.product.id, reward_product_qty=1
        )
        self.product.list_price = 90.0
        order, invoice = self._sell_with_reward({'quantity': 2, 'price': 90.0})
        self.assertEqual(invoice.amount_untaxed, 180.0)
        paid = order.order_line.filtered(lambda line: not line.is_reward_line)
        return paid, order.order_line - paid, invoice

    def test_free_product_lowers_the_credit_of_what_was_paid_for(self):
        paid, free, invoice = self._sell_two_and_one_free()
        self.assertEqual(free.qty_delivered, 1.0)
        self._return_goods(paid, 1)
        self.assertEqual(self._get_notes(invoice).amount_untaxed, 60.0)
        self._return_goods(free, 1)
        self._return_goods(paid, 1)
        self.assert_fully_credited(invoice)

    def test_free_product_that_comes_back_first_is_worth_its_share(self):
        paid, free, invoice = self._sell_two_and_one_free()
        self._return_goods(free, 1)
        self.assertEqual(self._get_notes(invoice).amount_untaxed, 60.0)
        self._return_goods(paid, 2)
        self.assert_fully_credited(invoice)

    def test_goodwill_is_not_taken_back_with_what_was_paid_for_a_free_product(self):
        """30 of 180 are granted: the other 150 belong to three, 50 to each."""
        paid, free, invoice = self._sell_two_and_one_free()
        total = invoice.amount_total / 6  # a sixth, with the taxes
        self.env.ref('sale_return.reason_other').copy(
            {'name': "Goodwill", 'code': 'free_goodwill', 'return_class': 'goodwill'}
        )
        invoice.grant_goodwill(total, 'free_goodwill', "Late.")
        for line in (paid, free, paid):
            self._return_goods(line, 1)
        notes = self._get_notes(invoice).sorted('id')
        self.assertEqual(notes.mapped('amount_untaxed'), [30.0, 50.0, 50.0, 50.0])
        self.assertEqual(invoice.amount_residual, 0.0)

    def test_goodwill_after_a_return_leaves_the_rest_to_the_others(self):
        paid, free, invoice = self._sell_two_and_one_free()
        self._return_goods(paid, 1)
        self._reverse_price(invoice, paid, 15.0)
        self._return_goods(free, 1)
        self._return_goods(paid, 1)
        notes = self._get_notes(invoice).sorted('id')
        self.assertEqual(notes.mapped('amount_untaxed'), [60.0, 30.0, 45.0, 45.0])
        self.assertEqual(invoice.amount_residual, 0.0)

    def _reverse_price(self, invoice, sale_line, price):
        """Correct the price of an order line by hand."""
        note = self._reverse(invoice, post=False)
        kept = note.invoice_line_ids.filtered(lambda line: line.sale_line_ids == sale_line)
        (note.invoice_line_ids - kept).unlink()
        kept.price_unit = price
        note.action_post()
