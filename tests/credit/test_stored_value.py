from odoo import Command
from odoo.tests import tagged

from ..common_stored_value import StoredValueCommon

LEAN = "no gift cards and wallets"


@tagged('post_install', '-at_install')
class TestStoredValue(StoredValueCommon):
    """Card payments go back to the card, money goes back as money."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.untaxed = cls.env['account.tax']

    def test_gift_card_and_money_get_their_parts_back(self):
        card = self._create_card('gift_card', 30.0)
        order, invoice = self._sell_with([card], {'quantity': 1, 'taxes': self.untaxed})
        self.assertEqual((card.points, invoice.amount_total), (0.0, 70.0))
        sale_return = self._return_goods(self._goods(order))
        note = self._get_notes(invoice)
        goods, share = note.invoice_line_ids.sorted('price_subtotal', reverse=True)
        self.assertEqual((goods.price_subtotal, share.price_subtotal), (100.0, -30.0))
        self.assertEqual(share.sale_return_kind, 'stored_value')
        self.assertEqual(card.points, 30.0)
        row = card.history_ids.filtered(lambda row: row.order_model == 'sale.return')
        self.assertEqual((row.order_id, row.issued, row.used), (sale_return.id, 30.0, 0.0))
        self.assertEqual(sale_return.amount_to_cards, 30.0)
        self.assertEqual(sale_return.state, 'closed')
        self.assert_fully_credited(invoice)
        self.assert_nothing_to_invoice(order)

    def test_preview_keeps_money_and_cards_apart(self):
        card = self._create_card('gift_card', 30.0)
        order, _invoice = self._sell_with([card], {'quantity': 2, 'taxes': self.untaxed})
        sale_return = self._create_return(self._goods(order), 1)
        (note,) = sale_return.preview_credit()[sale_return.id]['estimate']
        self.assertEqual(note['total'], 85.0)
        (row,) = note['stored_value']
        self.assertEqual((row['card_id'], row['amount']), (card.id, 15.0))
        self.assertEqual(card.points, 0.0)

    def test_order_paid_by_a_wallet_alone_goes_back_to_it(self):
        wallet = self._create_card('ewallet', 500.0)
        order, invoice = self._sell_with([wallet], {'quantity': 2})
        self.assertEqual((wallet.points, invoice.amount_total), (258.0, 0.0))
        sale_return = self._return_goods(self._goods(order))
        self.assertEqual(self._get_totals(invoice), [0.0])
        self.assertEqual(wallet.points, 500.0)
        self.assertEqual(sale_return.state, 'closed')
        self.assert_fully_credited(invoice)
        self.assert_ledger_balanced()
        self.assertFalse(sale_return.action_create_credit_notes())
        self.env['sale.return.loyalty']._sync(sale_return)
        self.assertEqual(wallet.points, 500.0)
        self._assert_list_empty()

    def _assert_list_empty(self):
        differences = self.env['sale.return.reconciliation']
        differences.action_refresh()
        self.assertFalse(differences.search([('company_id', '=', self.company.id)]))

    def test_thirds_add_up_to_what_the_card_has_paid(self):
        card = self._create_card('gift_card', 10.0)
        order, invoice = self._sell_with([card], {'quantity': 3, 'price': 33.33})
        points = []
        for _step in range(3):
            self._return_goods(self._goods(order), 1)
            points.append(card.points)
        self.assertEqual(points, [3.33, 6.67, 10.0])
        self.assert_fully_credited(invoice)

    def test_half_of_a_taxed_card_line_is_half_of_what_it_has_paid(self):
        """5.01 and 1.05 of tax: half of each, rounded, are 3.04 of 6.06."""
        card = self._create_card('gift_card', 6.06)
        # sudo: the product of a program, which a sales manager sets up.
        product = card.program_id.reward_ids.discount_line_product_id.sudo()
        product.taxes_id = self.tax_21
        order, invoice = self._sell_with([card], {'quantity': 2, 'taxes': self.untaxed})
        line = invoice.invoice_line_ids.filtered(lambda line: line.product_id == product)
        self.assertEqual((line.price_subtotal, line.price_total), (-5.01, -6.06))
        for points in (3.03, 6.06):
            self._return_goods(self._goods(order), 1)
            self.assertEqual(card.points, points)
        self.assert_fully_credited(invoice)

    def test_two_cards_get_back_what_each_has_paid(self):
        first = self._create_card('gift_card', 30.0)
        second = self._create_card('ewallet', 40.0)
        order, invoice = self._sell_with([first, second], {'quantity': 2, 'taxes': self.untaxed})
        self._return_goods(self._goods(order), 1)
        self.assertEqual((first.points, second.points), (15.0, 20.0))
        self._return_goods(self._goods(order), 1)
        self.assertEqual((first.points, second.points), (30.0, 40.0))
        self.assert_fully_credited(invoice)

    def test_card_follows_drafts_cancellations_and_reversals(self):
        self.policy.credit_posting = 'draft'
        card = self._create_card('gift_card', 30.0)
        order, _invoice = self._sell_with([card], {'quantity': 1})
        sale_return = self._return_goods(self._goods(order))
        note = sale_return.credit_note_ids
        self.assertEqual(card.points, 0.0)
        note.action_post()
        self.assertEqual(card.points, 30.0)
        note.button_draft()
        self.assertEqual(card.points, 0.0)
        note.action_post()
        self._reverse(note)
        self.assertEqual(card.points, 0.0)

    def test_note_can_be_undone_after_the_card_was_spent_again(self):
        card = self._create_card('gift_card', 30.0)
        order, _invoice = self._sell_with([card], {'quantity': 1})
        sale_return = self._return_goods(self._goods(order))
        note = sale_return.credit_note_ids
        card.points = 10.0
        note.button_draft()
        self.assertEqual(card.points, 0.0)
        self.assertIn("already spent", sale_return.event_ids.sorted('id')[-1].details)
        note.action_post()
        self.assertEqual(card.points, 10.0)

    def test_fee_is_taken_from_the_card_where_no_money_covers_it(self):
        self.policy.restocking_fee_percent = 10
        wallet = self._create_card('ewallet', 242.0)
        order, invoice = self._sell_with([wallet], {'quantity': 2})
        self._return_goods(self._goods(order), reason=self.reason_changed_mind)
        self.assertEqual(self._get_totals(invoice), [0.0])
        self.assertEqual(wallet.points, 217.8)
        self.assert_ledger_balanced()

    def test_fee_is_taken_from_the_money_first(self):
        self.policy.restocking_fee_percent = 10
        card = self._create_card('gift_card', 30.0)
        order, invoice = self._sell_with([card], {'quantity': 1, 'taxes': self.untaxed})
        self._return_goods(self._goods(order), reason=self.reason_changed_mind)
        self.assertEqual(self._get_totals(invoice), [60.0])
        self.assertEqual(card.points, 30.0)

    def test_shipping_that_is_kept_is_not_taken_from_the_part_of_the_goods(self):
        wallet = self._create_card('ewallet', 300.0)
        shipping = self._create_product(
            "Shipping", type='service', is_storable=False, invoice_policy='order'
        )
        order, invoice = self._sell_with(
            [wallet],
            {'quantity': 2, 'taxes': self.untaxed},
            {'product': shipping, 'quantity': 1, 'price': 10.0, 'is_delivery': True},
        )
        self._return_goods(self._goods(order))
        self.assertEqual(self._get_totals(invoice), [0.0])
        self.assertEqual(wallet.points, 300.0 - 12.1)

    def test_goodwill_leaves_the_part_of_the_card_alone(self):
        card = self._create_card('gift_card', 30.0)
        order, invoice = self._sell_with([card], {'quantity': 1, 'taxes': self.untaxed})
        self.env.ref('sale_return.reason_other').copy(
            {'name': "Goodwill", 'code': 'card_goodwill', 'return_class': 'goodwill'}
        )
        with self.assert_refused("70.00"):
            invoice.grant_goodwill(71.0, 'card_goodwill', "Late.")
        invoice.grant_goodwill(20.0, 'card_goodwill', "Late.")
        self._return_goods(self._goods(order))
        self.assertEqual(self._get_totals(invoice), [20.0, 50.0])
        self.assertEqual(card.points, 30.0)

    # === NOT BILLED === #

    def test_wallet_is_refilled_where_nothing_was_billed(self):
        wallet = self._create_card('ewallet', 500.0)
        order = self._order_with([wallet], {'quantity': 2})
        self._deliver(order)
        order.locked = True
        sale_return = self._return_goods(self._goods(order))
        self.assertEqual(sale_return.state, 'closed')
        self.assertFalse(sale_return.credit_note_ids)
        self.assertEqual(wallet.points, 500.0)
        self.assert_nothing_to_invoice(order)
        self.assertTrue(order.locked)
        self.env['sale.return.loyalty']._release_unbilled(sale_return)
        self.assertEqual(wallet.points, 500.0)

    def test_wallet_pays_only_what_is_left_to_be_billed(self):
        wallet = self._create_card('ewallet', 500.0)
        order = self._order_with([wallet], {'quantity': 2})
        self._deliver(order)
        self._return_goods(self._goods(order), 1)
        self.assertEqual(wallet.points, 379.0)
        invoice = self._invoice(order)
        self.assertEqual(invoice.amount_total, 0.0)
        self._return_goods(self._goods(order), 1)
        self.assertEqual(wallet.points, 500.0)
        self.assert_fully_credited(invoice)

    # === POINTS === #

    def test_points_spent_on_a_discount_go_back(self):
        card = self._create_card('loyalty', 50.0)
        order, invoice = self._sell_with([card], {'quantity': 2})
        self.assertEqual((card.points, invoice.amount_total), (0.0, 192.0))
        self._return_goods(self._goods(order), 1)
        self.assertEqual(card.points, 25.0)
        self._return_goods(self._goods(order), 1)
        self.assertEqual(card.points, 50.0)
        self.assert_fully_credited(invoice)

    def test_points_spent_on_a_product_go_back_with_it(self):
        gift = self._create_product("Mug", list_price=20.0)
        card = self._create_card(
            'loyalty',
            50.0,
            reward_type='product',
            reward_product_id=gift.id,
            required_points=50,
        )
        order, invoice = self._sell_with([card], {'quantity': 1})
        mug = order.order_line.filtered(lambda line: line.product_id == gift)
        self.assertEqual((card.points, mug.qty_delivered), (0.0, 1.0))
        self._return_goods(order.order_line - mug)
        self.assertEqual((card.points, self._get_totals(invoice)), (0.0, [121.0]))
        self._return_goods(mug)
        self.assertEqual(card.points, 50.0)
        self.assertEqual(sum(self._get_totals(invoice)), 121.0)

    # === WHAT AN ORDER GAVE === #

    def _sell_cards(self, program_type, quantity=2):
        product = self._create_product(
            "Card", type='service', is_storable=False, invoice_policy='order', list_price=50.0
        )
        self._create_program(
            program_type,
            rules=[
                {
                    'reward_point_amount': 1,
                    'reward_point_mode': 'money',
                    'reward_point_split': program_type == 'gift_card',
                    'product_ids': [Command.set(product.ids)],
                    'minimum_qty': 0,
                }
            ],
        ).trigger_product_ids = product
        order = self._create_order(
            {'product': product, 'quantity': quantity, 'price': 50.0, 'taxes': self.untaxed},
            confirm=False,
        )
        order._update_programs_and_rewards()
        order.action_confirm()
        cards = order.sudo().coupon_point_ids.coupon_id
        self.assertEqual(sum(cards.mapped('points')), 50.0 * quantity)
        return order, self._invoice(order), cards

    def _return_cards(self, order, quantity):
        sale_return = self._create_return(order, quantity)
        if sale_return.state == 'submitted':
            sale_return.action_approve()
        return sale_return

    def test_gift_card_is_withdrawn_with_the_credit_of_its_line(self):
        order, invoice, cards = self._sell_cards('gift_card')
        sale_return = self._return_cards(order, 1)
        self.assertEqual(self._get_totals(invoice), [50.0])
        self.assertEqual(sorted(cards.mapped('points')), [0.0, 50.0])
        sale_return.credit_note_ids.button_draft()
        self.assertEqual(cards.mapped('points'), [50.0, 50.0])

    def test_unused_gift_card_is_withdrawn_first(self):
        order, invoice, cards = self._sell_cards('gift_card')
        cards[0].points = 20.0
        self._return_cards(order, 1)
        self.assertEqual(self._get_totals(invoice), [50.0])
        self.assertEqual(cards.mapped('points'), [20.0, 0.0])

    def test_used_gift_card_is_not_credited(self):
        order, invoice, cards = self._sell_cards('gift_card', 1)
        cards.points = 20.0
        with self.assert_refused("used since"):
            self._return_cards(order, 1)
        self.assertEqual((self._get_totals(invoice), cards.points), ([], 20.0))

    def test_gift_card_used_after_the_request_is_not_credited(self):
        order, invoice, cards = self._sell_cards('gift_card', 1)
        sale_return = self._create_return(order, 1)
        self.assertEqual(sale_return.state, 'submitted')
        cards.points = 20.0
        sale_return.action_approve()
        self.assertEqual((self._get_totals(invoice), cards.points), ([], 20.0))
        self.assertIn("used since", sale_return.credit_error)
        with self.assert_refused("used since"):
            sale_return.action_create_credit_notes()

    def test_money_put_on_a_wallet_is_withdrawn_with_its_credit(self):
        order, invoice, wallet = self._sell_cards('ewallet', 1)
        wallet.points += 10.0
        self._return_cards(order, 1)
        self.assertEqual((self._get_totals(invoice), wallet.points), ([50.0], 10.0))

    def test_coupon_for_the_next_order_goes_back_with_the_last_of_the_goods(self):
        self._create_program(
            'next_order_coupons',
            rules=[{'reward_point_mode': 'order', 'reward_point_amount': 1, 'minimum_qty': 1}],
            discount_mode='percent',
            discount=10,
        )
        order = self._create_order({'quantity': 2}, confirm=False)
        order._update_programs_and_rewards()
        order.action_confirm()
        coupon = order.sudo().coupon_point_ids.coupon_id
        self.assertEqual(coupon.points, 1.0)
        self._deliver(order)
        self._invoice(order)
        self._return_goods(self._goods(order), 1)
        self.assertEqual(coupon.points, 1.0)
        self._return_goods(self._goods(order), 1)
        self.assertEqual(coupon.points, 0.0)
