from odoo.tests import tagged

from ..common_discrepancy import DiscrepancyCommon

RECEPTION_STEPS = ('one_step', 'two_steps', 'three_steps')
DELIVERY_STEPS = ('ship_only', 'pick_ship', 'pick_pack_ship')


@tagged('post_install', '-at_install')
class TestWarehouses(DiscrepancyCommon):
    """All kinds of warehouses: steps, several of them, changed later."""

    def _deliver_all(self, order):
        """Deliver an order in the steps of its warehouse."""
        for _step in range(4):
            pickings = order.picking_ids.filtered(lambda p: p.state == 'assigned')
            if pickings:
                self._process(pickings)
        self.assertEqual(order.order_line.qty_delivered, order.order_line.product_uom_qty)

    def _create_sale_from(self, warehouse, quantity=10):
        self._put_in_stock(self.product, 50, location=warehouse.lot_stock_id)
        order = self._create_order({'quantity': quantity}, warehouse_id=warehouse.id)
        self._deliver_all(order)
        self._invoice(order)
        return order

    def _assert_way_of_goods(self, order, warehouse):
        """Go through all steps with a surplus and check the stock at every step."""
        stock, quarantine = warehouse.lot_stock_id, warehouse.sale_return_loc_id
        before = self._get_quantity(stock)
        sale_return = self._create_return(order, 4, warehouse_id=warehouse.id)
        receipt = sale_return.picking_ids
        self.assertEqual(receipt.picking_type_id, warehouse.sale_return_type_id)
        self._count(receipt, 5)
        self._validate(receipt)
        self.assert_quantities(sale_return.line_ids, received=4)
        self.assert_on_hand(self.product, 5, quarantine)
        self.assertFalse(receipt.move_ids.move_dest_ids)
        self.assertEqual(self._get_quantity(stock), before)
        self.assertEqual(order.order_line.qty_delivered, 6)
        self._inspect(sale_return, (3, 'restock'), (1, 'send_back'))
        self.assertEqual(self._get_quantity(stock), before + 3)
        self._resolve(sale_return.discrepancy_ids, 'send_back')
        deliveries = sale_return.transfer_ids | sale_return.discrepancy_ids.move_ids.picking_id
        deliveries = deliveries.filtered(lambda p: p.state == 'assigned')
        deliveries.move_ids.picked = True
        self._validate(deliveries)
        self.assert_on_hand(self.product, 0, quarantine)
        self.assertEqual(order.order_line.qty_delivered, 7)
        self.assertEqual(sale_return.state, 'closed')
        self.assertEqual(sale_return.credit_note_ids.amount_untaxed, 300.0)
        self.assert_nothing_to_deliver(order)
        self.assert_nothing_to_invoice(order)

    def _get_quantity(self, location):
        quants = self.env['stock.quant'].sudo()._gather(self.product, location)
        return sum(quants.mapped('quantity'))

    def test_any_number_of_steps(self):
        for reception, delivery in zip(RECEPTION_STEPS, DELIVERY_STEPS, strict=True):
            with self.subTest(reception=reception, delivery=delivery):
                warehouse = self._create_warehouse(
                    name=reception,
                    code=reception[:5].upper(),
                    reception_steps=reception,
                    delivery_steps=delivery,
                )
                self._assert_way_of_goods(self._create_sale_from(warehouse), warehouse)

    def test_return_to_another_warehouse_than_shipped(self):
        north = self._create_warehouse(reception_steps='three_steps')
        self._assert_way_of_goods(self._create_sale(), north)

    def test_steps_changed_while_goods_are_on_their_way(self):
        sale_return = self._create_return(self._create_sale(), 2)
        self.warehouse.sudo().write(
            {'reception_steps': 'three_steps', 'delivery_steps': 'pick_pack_ship'}
        )
        self._receive(sale_return)
        self.assert_on_hand(self.product, 2, self.quarantine)
        self.assertFalse(sale_return.picking_ids.move_ids.move_dest_ids)
        sale_return.action_inspect_all('restock')
        self.assertEqual(sale_return.state, 'closed')

    def test_push_rule_from_the_quarantine_is_not_followed(self):
        """Not even by a custom rule: goods only leave quarantine by inspection."""
        route = self.warehouse.reception_route_id
        self.env['stock.rule'].sudo().create(
            {
                'name': "Out of quarantine",
                'action': 'push',
                'route_id': route.id,
                'picking_type_id': self.warehouse.int_type_id.id,
                'location_src_id': self.quarantine.id,
                'location_dest_id': self.stock.id,
                'company_id': self.company.id,
            }
        )
        self.product.route_ids = route
        self._receive(self.sale_return)
        self.assertFalse(self.receipt.move_ids.move_dest_ids)
        self.assert_on_hand(self.product, 3, self.quarantine)

    def test_returns_of_two_warehouses_in_one_call(self):
        north = self._create_warehouse()
        other = self._create_return(self._create_sale_from(north), 2)
        self.assertEqual(other.warehouse_id, north)
        receipts = self.receipt | other.picking_ids
        for receipt in receipts:
            self._count(receipt, 3)
        self._validate(receipts)
        self.assert_on_hand(self.product, 3, self.quarantine)
        self.assert_on_hand(self.product, 3, north.sale_return_loc_id)
        self.assertEqual(other.discrepancy_ids.location_id, north.sale_return_loc_id)
        (self.sale_return | other).action_inspect_all('restock')
        self.assertEqual((self.sale_return | other).mapped('state'), ['closed', 'approved'])
