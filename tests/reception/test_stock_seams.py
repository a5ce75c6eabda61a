"""Interaction of returns with Odoo's own planning and moves."""

from odoo import Command

from ..common_trade_in import TradeInCommon


class TestStockSeams(TradeInCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.suppliers = cls.env.ref('stock.stock_location_suppliers')

    def _send(self, destination):
        """Send three lamps somewhere, without an order."""
        picking = self.env['stock.picking'].create(
            {
                'picking_type_id': self.warehouse.out_type_id.id,
                'partner_id': self.customer.id,
                'location_id': self.stock.id,
                'location_dest_id': destination.id,
                'move_ids': [
                    Command.create(
                        {
                            'product_id': self.product.id,
                            'product_uom_qty': 3,
                            'location_id': self.stock.id,
                            'location_dest_id': destination.id,
                        }
                    )
                ],
            }
        )
        picking.action_confirm()
        return self._process(picking)

    # === WHAT BELONGS TO NO RETURN === #

    def test_goods_of_nobodys_return_come_into_stock(self):
        transit = self.env['stock.location'].search(
            [('usage', '=', 'transit'), ('company_id', '=', self.company.id)], limit=1
        ) or self.env['stock.location'].create(
            {'name': "Between", 'usage': 'transit', 'company_id': self.company.id}
        )
        for destination in (self.suppliers, transit, self.customers):
            with self.subTest(destination=destination.name):
                out = self._send(destination)
                self.assert_on_hand(self.product, 997)
                back = self._return_in_inventory(out, 3)
                self.assertEqual(back.picking_type_id, self.warehouse.in_type_id)
                self._process(back)
                self.assert_on_hand(self.product, 1000)
                self.assert_on_hand(self.product, 0, self.quarantine)
                self.assertFalse(back.sale_return_ids)

    def test_goods_of_an_order_come_into_quarantine(self):
        order = self._create_sale()
        back = self._return_in_inventory(order.picking_ids, 3)
        self.assertEqual(back.picking_type_id, self.warehouse.sale_return_type_id)
        self._process(back)
        self.assert_on_hand(self.product, 3, self.quarantine)

    def test_delivery_that_was_not_done_is_returned_without_a_return(self):
        order = self._create_order({'quantity': 5})
        back = self._return_in_inventory(order.picking_ids, 5)
        self.assertFalse(back.sale_return_ids)
        self._return_in_inventory(back, 5)
        order._action_cancel()
        self.assertEqual(set(order.picking_ids.mapped('state')), {'cancel'})

    # === ORDERS THAT CHANGE === #

    def test_raising_an_order_after_a_return_of_the_return_delivers_the_rest(self):
        for native in (True, False):
            with self.subTest(adopted=native):
                self._configure(sale_return_adopt_native=native)
                order = self._create_order({'quantity': 5})
                self._deliver(order)
                back = self._return_in_inventory(order.picking_ids, 5)
                self._process(back)
                self._process(self._return_in_inventory(back, 5))
                self.assertEqual(order.order_line.qty_delivered, 5)
                known = order.order_line.move_ids
                order.order_line.product_uom_qty = 8
                new = order.order_line.move_ids - known
                self.assertEqual(new.location_dest_id, self.customers)
                self.assertEqual(new.product_uom_qty, 3)

    def test_goods_of_an_order_that_was_cancelled_after_its_delivery_come_back(self):
        order = self._create_sale()
        delivery = order.picking_ids
        order._action_cancel()
        sale_return = self._create_return(order, 3)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assertEqual((sale_return.state, sale_return.amount_credited), ('closed', 363.0))
        self.assertTrue(order.order_line._is_returnable())
        back = self._return_in_inventory(delivery, 2)
        self._process(back)
        self.assertEqual(back.sale_return_ids.state, 'approved')
        back.sale_return_ids.action_inspect_all('restock')
        self.assertEqual(back.sale_return_ids.amount_credited, 242.0)
        self.assert_books_right()

    def test_order_cancelled_before_its_delivery_has_nothing_to_return(self):
        order = self._create_order()
        order._action_cancel()
        with self.assert_refused("cancelled before its delivery"):
            self._create_return(order, 1)

    # === CREDITED WITHOUT GOODS === #

    def test_goods_credited_as_missing_are_not_returnable_and_come_as_a_surplus(self):
        order = self._create_sale()
        delivery = order.picking_ids
        missing = self._create_approved_return(order, 2, reason=self.reason_missing)
        self.assertEqual((missing.state, missing.amount_credited), ('closed', 242.0))
        self.assertEqual(order.order_line.qty_returnable, 8)
        with self.assert_refused("Lower the quantity"):
            self._create_return(order, 9)
        back = self._return_in_inventory(delivery, 8)
        self._process(back, 10)
        late = order.return_ids - missing
        self.assertEqual(late.line_ids.qty_received, 8)
        self.assertEqual(late.discrepancy_ids.qty_here, 2)
        late.action_inspect_all('restock')
        self.assertEqual(late.amount_credited, 968.0)
        self.assertEqual(late.state, 'approved')
        self.assert_on_hand(self.product, 998)
        # Two were credited as lost; those that came wait for a person and have no owner yet.
        self.assert_ledger_balanced()

    def test_all_credited_as_missing_and_one_that_comes_waits_for_a_person(self):
        order = self._create_sale()
        missing = self._create_approved_return(order, 10, reason=self.reason_missing)
        self._bring(order.order_line, 1)
        self.assertEqual(order.return_ids, missing)
        found = missing.discrepancy_ids
        self.assertEqual((found.state, found.qty_here), ('open', 1))
        self.assertTrue(found.activity_ids)
        self.assertEqual(missing.amount_credited, 1210.0)
        self.assert_ledger_balanced()

    # === ODOO'S EXCHANGE === #

    def test_product_added_to_an_exchange_is_no_reason_to_plan_it_twice(self):
        for native in (True, False):
            with self.subTest(adopted=native):
                self._configure(sale_return_adopt_native=native)
                order = self._create_order({'quantity': 5})
                self._deliver(order)
                delivery = order.picking_ids
                wizard = (
                    self.env['stock.return.picking']
                    .with_context(
                        active_model='stock.picking',
                        active_id=delivery.id,
                        active_ids=delivery.ids,
                    )
                    .create({})
                )
                wizard.product_return_moves.quantity = 2
                wizard.product_return_moves = [
                    Command.create({'product_id': self.used.id, 'quantity': 1})
                ]
                wizard.action_create_exchanges()
                self._process(delivery.return_ids)
                planned = order.order_line.move_ids.filtered(
                    lambda move: (
                        move.state not in ('done', 'cancel')
                        and move.location_dest_id == self.customers
                    )
                )
                self.assertEqual(sum(planned.mapped('product_uom_qty')), 2)

    # === DROP-SHIPPED BY A COMPANY OF OURS === #

    def test_goods_drop_shipped_by_a_company_of_ours_come_back(self):
        between = self.env.ref('stock.stock_location_inter_company').sudo()
        between.active = True
        order = self._create_order({'quantity': 5})
        delivery = order.picking_ids
        delivery.move_ids.location_id = delivery.location_id = between.id
        self._process(delivery)
        self.assertEqual(order.order_line.qty_returnable, 5)
        back = self._return_in_inventory(delivery, 2)
        self._process(back)
        back.sale_return_ids.action_inspect_all('restock')
        self.assertEqual(order.order_line.qty_returned, 2)
        sale_return = self._create_return(order, 3)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assertEqual(sale_return.state, 'closed')

    # === THE SWITCHES BACK TO ODOO'S WAY === #

    def test_with_the_switches_back_more_may_come_than_was_delivered(self):
        self._switch_back()
        order = self._create_sale({'quantity': 5})
        delivery = order.picking_ids
        self._return_goods(order, 2)
        self._process(self._return_in_inventory(delivery, 4))
        self.assertEqual(order.order_line.qty_delivered, -1)

    # === WHAT WAS ARCHIVED === #

    def test_archived_defaults_are_nobodys_choice(self):
        own = self.restock.sudo().copy({'code': 'own', 'company_id': self.company.id})
        self._create_policy(inspection_required=False, default_disposition_id=own.id)
        order = self._create_sale()
        order.sudo().user_id = self.seller
        sale_return = self._create_return(order, 2)
        own.active = False
        self.seller.sudo().active = False
        self._receive(sale_return)
        self.assertFalse(sale_return.inspection_ids)
        self.assertEqual(sale_return.line_ids.qty_to_inspect, 2)
        back = self._return_in_inventory(order.picking_ids[:1], 1)
        self._process(back)
        self.assertEqual(back.sale_return_ids.user_id, self.staff)

    def test_return_is_not_received_in_an_archived_warehouse(self):
        self.policy.approval = 'always'
        north = self._create_warehouse()
        order = self._create_sale()
        sale_return = self._create_return(order, 2, warehouse_id=north.id, submit=False)
        north.sudo().active = False
        sale_return.action_submit()
        with self.assert_refused("the warehouse in which"):
            sale_return.action_approve()
