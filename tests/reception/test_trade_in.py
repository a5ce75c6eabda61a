from odoo.tests import tagged

from ..common_kit import KitCommon
from ..common_migration import load_migration
from ..common_trade_in import TradeInCommon


@tagged('post_install', '-at_install')
class TestTradeIn(TradeInCommon):
    """Orders that take goods in: lines with a negative quantity are left to Odoo."""

    def assert_taken_in(self, order, quantity=1):
        """Assert that goods came as planned by Odoo, and were not treated as a return."""
        line = order.order_line.filtered(lambda line: line.product_uom_qty < 0)
        receipt = line.move_ids.picking_id
        self.assertEqual(receipt.state, 'done')
        self.assertEqual(receipt.picking_type_id, self.warehouse.in_type_id)
        self.assertEqual(line.qty_delivered, -quantity)
        self.assert_on_hand(line.product_id, 1000 + quantity)
        self.assert_on_hand(line.product_id, 0, self.quarantine)
        self.assertFalse(self._get_returns(order))
        self.assertEqual(order.return_status, 'no')

    def _trade(self, *lines):
        order = self._order(*lines)
        self._validate(order.picking_ids)
        return order

    def _bill(self, order):
        """Bill what was sold, and credit what was taken in."""
        order._create_invoices(final=True).action_post()

    def test_one_sold_and_one_taken_in(self):
        order = self._trade({'quantity': 1}, {'product': self.used, 'quantity': -1, 'price': 30.0})
        self.assert_taken_in(order)
        self.assertEqual(order.order_line[0].qty_delivered, 1)
        self._bill(order)
        self.assert_books_right()

    def test_upgrade_takes_no_trade_in_for_a_return(self):
        order = self._trade({'quantity': 1}, {'product': self.used, 'quantity': -1, 'price': 30.0})
        self.env.cr.execute(
            "UPDATE sale_order SET return_status = 'partial' WHERE id = %s", [order.id]
        )
        self.env.invalidate_all()
        load_migration('post-states').migrate(self.env.cr, '19.0.1.0.0')
        self.env.invalidate_all()
        self.assertEqual(order.return_status, 'no')

    def test_one_sold_and_one_taken_in_with_the_switches_back(self):
        self._switch_back()
        order = self._trade({'quantity': 1}, {'product': self.used, 'quantity': -1, 'price': 30.0})
        self.assert_taken_in(order)
        self._bill(order)
        self.assert_books_right()

    def test_one_taken_in_alone(self):
        order = self._trade({'product': self.used, 'quantity': -1, 'price': 30.0})
        self.assert_taken_in(order)
        self._bill(order)
        self.assert_books_right()

    def test_one_taken_in_alone_with_the_switches_back(self):
        self._switch_back()
        self.assert_taken_in(self._trade({'product': self.used, 'quantity': -1, 'price': 30.0}))

    def test_same_product_sold_and_taken_in(self):
        order = self._trade({'quantity': 1}, {'quantity': -1})
        self.assert_on_hand(self.product, 1000)
        self.assertEqual(order.order_line.mapped('qty_delivered'), [1, -1])
        self.assertFalse(self._get_returns(order))

    def test_more_comes_than_the_order_takes_in(self):
        order = self._order({'product': self.used, 'quantity': -1, 'price': 30.0})
        order.picking_ids.move_ids.quantity = 3
        self._validate(order.picking_ids)
        self.assert_taken_in(order, 3)

    def test_used_goods_with_a_serial_number_nobody_knows(self):
        used = self._create_product("Used Phone", tracking='serial')
        order = self._order({'product': used, 'quantity': -1, 'price': 30.0})
        receipt = order.picking_ids
        receipt.move_ids.move_line_ids.unlink()
        receipt.move_ids.move_line_ids = [
            (0, 0, {'product_id': used.id, 'lot_name': 'USED-1', 'quantity': 1})
        ]
        self._validate(receipt)
        lot = receipt.move_ids.move_line_ids.lot_id
        self.assertEqual(lot.name, 'USED-1')
        self.assert_on_hand(used, 1, lot=lot)

    def test_trade_in_arrives_in_several_steps(self):
        self.warehouse.sudo().delivery_steps = 'pick_ship'
        order = self._order({'product': self.used, 'quantity': -1, 'price': 30.0})
        for _step in range(3):
            if todo := order.picking_ids.filtered(lambda p: p.state not in ('done', 'cancel')):
                self._validate(todo)
        self.assertEqual(order.order_line.qty_delivered, -1)
        self.assertFalse(self._get_returns(order))

    def test_return_of_what_was_sold_beside(self):
        order = self._trade({'quantity': 2}, {'product': self.used, 'quantity': -1, 'price': 30.0})
        self._invoice(order)
        sale_return = self._return_goods(order.order_line[0], 2)
        self.assertEqual(sale_return.state, 'closed')
        self.assertEqual(sale_return.credit_state, 'full')


@tagged('post_install', '-at_install')
class TestUndelivered(TradeInCommon):
    """Receipts by hand that name an order line of which nothing (more) was delivered."""

    def test_nothing_was_delivered(self):
        order = self._order({'quantity': 5})
        picking = self._bring(order.order_line, 2)
        sale_return = self.assert_waiting(order, picking, 2)
        self.assertEqual(sale_return.line_ids.qty_requested, 2)
        self.assertEqual(order.order_line.qty_delivered, 0)
        self.assertEqual(order.order_line.qty_returned, 0)
        self.assert_books_right()
        # A person finds out that the goods are not ours.
        sale_return.discrepancy_ids.action_resolve('send_back', "Not ours.")
        back = sale_return.discrepancy_ids.move_ids.picking_id.filtered(
            lambda p: p.state not in ('done', 'cancel')
        )
        self._process(back)
        sale_return.action_refuse("These goods are not ours.")
        self.assertEqual(sale_return.state, 'refused')
        self.assert_books_right()

    def test_into_quarantine(self):
        order = self._order({'quantity': 5})
        picking = self._bring(order.order_line, 2, picking_type=self.warehouse.sale_return_type_id)
        self.assert_waiting(order, picking, 2)
        self.assert_on_hand(self.product, 2, self.quarantine)
        self.assert_books_right()

    def test_delivered_meanwhile_and_accepted(self):
        order = self._order({'quantity': 5})
        picking = self._bring(order.order_line, 2)
        sale_return = self.assert_waiting(order, picking, 2)
        self._deliver(order)
        self._invoice(order)
        record = sale_return.discrepancy_ids
        self.assertEqual(record.sale_line_id, order.order_line)
        record.action_resolve('accept')
        self.assertEqual(order.order_line.qty_returned, 2)
        own = order.return_ids
        own.action_inspect_all('restock')
        self.assertEqual(sum(own.credit_note_ids.mapped('amount_untaxed')), 200)

    def test_two_lines_and_two_parcels_are_two_documents(self):
        order = self._order({'quantity': 5}, {'product': self.used, 'quantity': 5})
        for line in order.order_line:
            self._bring(line, 1)
        returns = self._get_returns(order)
        self.assertEqual(len(returns), 2)
        self.assertEqual(set(returns.mapped('state')), {'submitted'})

    def test_partly_delivered_and_more_comes(self):
        order = self._order({'quantity': 5})
        self._deliver(order, 3)
        picking = self._bring(order.order_line, 4)
        sale_return = order.return_ids
        self.assert_quantities(sale_return.line_ids, requested=3, received=3)
        self.assertEqual(sale_return.discrepancy_ids.mapped('kind'), ['over'])
        self.assertEqual(sale_return.discrepancy_ids.quantity, 1)
        self.assertEqual(sum(picking.move_ids.mapped('quantity')), 4)
        self.assertEqual(order.order_line.qty_delivered, 0)
        self.assert_ledger_balanced()

    def test_all_returned_and_more_comes(self):
        order = self._create_sale({'quantity': 2})
        sale_return = self._return_goods(order)
        self._bring(order.order_line, 1)
        self.assertEqual(order.return_ids, sale_return)
        self.assertEqual(sale_return.discrepancy_ids.qty_here, 1)
        self.assertEqual(order.order_line.qty_returned, 2)

    def test_rules_that_refuse_do_not_lose_the_goods(self):
        self.policy.approval = 'none'
        self.env['sale.return.rule'].create(
            {'policy_id': self.policy.id, 'kind': 'window', 'outcome': 'refuse'}
        )
        order = self._order({'quantity': 5})
        self.assert_waiting(order, self._bring(order.order_line, 1), 1)

    def test_with_the_switches_back_all_is_as_in_odoo(self):
        self._switch_back()
        order = self._order({'quantity': 5})
        self._bring(order.order_line, 2)
        self.assertEqual(order.order_line.qty_delivered, -2)
        self.assert_on_hand(self.product, 1002)
        self.assertFalse(self._get_returns(order))

    def test_more_back_than_delivered_with_the_switches_back(self):
        self._switch_back()
        order = self._create_sale({'quantity': 2})
        self._bring(order.order_line, 3)
        self.assertEqual(order.order_line.qty_delivered, -1)
        self.assertEqual(order.order_line.qty_returnable, 0)
        self.assertFalse(self._get_returns(order))

    def test_goods_of_a_return_that_came_natively_before(self):
        self._switch_back()
        order = self._create_sale({'quantity': 2})
        sale_return = self._create_return(order)
        self._bring(order.order_line, 2)
        # According to the books nothing is left with the customer, but goods arrive.
        self._receive(sale_return)
        self.assertEqual(sale_return.discrepancy_ids.mapped('kind'), ['over'])
        self.assertEqual(sale_return.discrepancy_ids.qty_here, 2)
        self.assert_quantities(sale_return.line_ids, received=0, credited=0)


@tagged('post_install', '-at_install')
class TestTradeInKits(TradeInCommon, KitCommon):
    """The same with kits."""

    def test_kit_taken_in(self):
        for back in (False, True):
            with self.subTest(switched_back=back):
                if back:
                    self._switch_back()
                order = self._order({'product': self.kit, 'quantity': -1, 'price': 30.0})
                self._validate(order.picking_ids)
                self.assertFalse(self._get_returns(order))
                self.assertEqual(set(order.picking_ids.mapped('state')), {'done'})
        self.assert_on_hand(self.part_a, 1004)
        self.assert_on_hand(self.part_b, 1002)

    def test_part_of_a_kit_that_was_not_delivered(self):
        order = self._order({'product': self.kit, 'quantity': 2, 'price': 300.0})
        picking = self._bring(order.order_line, 1, product=self.part_a)
        self.assert_waiting(order, picking, 1)
