from odoo.tests import tagged

from ..common_kit import KitCommon


@tagged('post_install', '-at_install')
class TestAwkwardKits(KitCommon):
    """Kits in other units, within kits, changed since the sale, with serials."""

    # === AWKWARD KITS === #

    def test_kits_sold_in_dozens(self):
        order = self._sell_kits(2, product_uom_id=self.dozen.id, price=3600.0)
        sale_return = self._create_return(order, 0.5)
        self.assertEqual(self._get_expected(sale_return), {self.part_a: 12, self.part_b: 6})
        self._receive(sale_return)
        self._inspect(sale_return, (0.5, 'restock'))
        self.assert_credited(sale_return, 1800)
        self.assert_sold(order.order_line, delivered=1.5, invoiced=1.5)
        rest = self._return_goods(order, 1.5)
        self.assert_credited(rest, 5400)

    def test_component_listed_in_another_unit(self):
        self.kit = self._create_kit((self.part_a, 1, self.dozen), (self.part_b, 1), name="Box")
        order = self._sell_kits(1)
        sale_return = self._create_return(order, 1)
        self.assertEqual(self._get_expected(sale_return), {self.part_a: 12, self.part_b: 1})
        self._receive_parts(sale_return, (self.part_a, 6))
        self._inspect(sale_return, {'product': 'PA', 'quantity': 6, 'disposition': 'restock'})
        # 12 × 60 of 750
        self.assert_quantities(sale_return.line_ids, received=0.48, credited=0.48)

    def test_kits_within_kits(self):
        inner = self.kit
        self.kit = self._create_kit((inner, 2), (self.product, 1), name="Set")
        order = self._sell_kits(2)
        sale_return = self._create_return(order, 1)
        self.assertEqual(
            self._get_expected(sale_return), {self.part_a: 4, self.part_b: 2, self.product: 1}
        )
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assert_credited(sale_return, 300)
        self.assert_sold(order.order_line, delivered=1, invoiced=1)
        self.assert_nothing_to_invoice(order)

    def test_kit_whose_bill_of_materials_changed_after_the_sale(self):
        order = self._sell_kits()
        bom = (
            self.env['mrp.bom']
            .sudo()
            .search([('product_tmpl_id', '=', self.kit.product_tmpl_id.id)])
        )
        bom.bom_line_ids.filtered(lambda l: l.product_id == self.part_a).product_qty = 5
        sale_return = self._create_return(order, 1)
        self.assertEqual(self._get_expected(sale_return), {self.part_a: 2, self.part_b: 1})
        self._receive(sale_return)
        bom.bom_line_ids.filtered(lambda l: l.product_id == self.part_b).product_qty = 7
        sale_return.action_inspect_all('restock')
        self.assert_credited(sale_return, 300)
        self.assert_sold(order.order_line, delivered=2, invoiced=2)

    def test_component_that_became_a_kit_comes_back_as_it_was_delivered(self):
        order = self._sell_kits()
        self._create_bom(self.part_b, (self.product, 4))
        sale_return = self._create_return(order, 1)
        self.assertEqual(self._get_expected(sale_return), {self.part_a: 2, self.part_b: 1})
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assert_on_hand(self.part_b, 1000 - 2)
        self.assert_credited(sale_return, 300)

    def test_serials_of_a_component(self):
        serialized, serials = self._create_tracked_product('serial', 'K1', 'K2')
        self.kit = self._create_kit((serialized, 1), (self.part_b, 2), name="Tracked kit")
        order = self._create_order({'product': self.kit, 'quantity': 2, 'price': 300.0})
        self._deliver(order, lots=serials)
        self._invoice(order)
        sale_return = self._create_return(order, 1)
        self._receive_parts_with_lot(sale_return, serials[1])
        line = sale_return.line_ids
        with self.assert_refused("came back as its components"):
            line.register_inspection([{'quantity': 0.5, 'disposition': 'restock'}])
        with self.assert_refused("is tracked"):
            line.register_inspection(
                [{'product': serialized.id, 'quantity': 1, 'disposition': 'restock'}]
            )
        row = line.register_inspection(
            [{'product': serialized.id, 'lot': 'K2', 'quantity': 1, 'disposition': 'restock'}]
        )
        self.assertEqual(row.lot_id, serials[1])
        line.return_id.action_inspect_all('scrap')
        self.assert_on_hand(serialized, 1, lot=serials[1])
        self.assert_credited(sale_return, 300)

    def _receive_parts_with_lot(self, sale_return, lot):
        picking = sale_return.picking_ids
        for move in picking.move_ids:
            if move.product_id == lot.product_id:
                move.move_line_ids.lot_id = lot
            move.picked = True
        picking.button_validate()
        self.assertEqual(picking.state, 'done')

    def test_small_parts_are_inspected_although_their_share_is_nothing(self):
        screw = self._create_product("Screw", standard_price=0.01)
        self.kit = self._create_kit((self.part_a, 1), (screw, 1), name="Screwed kit")
        order = self._sell_kits(1)
        sale_return = self._create_return(order, 1)
        self._receive_parts(sale_return, (screw, 1))
        self.assert_quantities(sale_return.line_ids, received=0, to_inspect=0.01)
        sale_return.action_inspect_all('restock')
        self.assert_quantities(sale_return.line_ids, to_inspect=0, credited=0)
        self.assert_on_hand(screw, 1000)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assert_credited(sale_return, 300)
        self.assertEqual(sale_return.state, 'closed')

    # === ORDERS THAT ARE NOT DELIVERED WHOLLY, OR LOWERED === #

    def test_kits_of_which_the_rest_is_never_delivered(self):
        order = self._create_order({'product': self.kit, 'quantity': 10, 'price': 300.0})
        delivery = order.picking_ids
        for move in delivery.move_ids:
            move.quantity = move.product_uom_qty / 2
            move.picked = True
        delivery.with_context(
            skip_backorder=True, picking_ids_not_to_backorder=delivery.ids
        ).button_validate()
        self.assert_sold(order.order_line, delivered=5, invoiced=0, to_invoice=5)
        sale_return = self._create_return(order, 2)
        self.assertEqual(self._get_expected(sale_return), {self.part_a: 4, self.part_b: 2})
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assert_sold(order.order_line, delivered=3, invoiced=0, to_invoice=3)
        self.assertEqual(self._invoice(order).amount_untaxed, 900.0)
        self.assert_nothing_to_invoice(order)

    def test_order_lowered_to_nothing_after_all_kits_came_back(self):
        for policy in ('delivery', 'order'):
            with self.subTest(policy=policy):
                self.kit.invoice_policy = policy
                order = self._sell_kits(3)
                self._return_goods(order)
                order.order_line.product_uom_qty = 0
                waiting = order.order_line.move_ids.filtered(
                    lambda move: move.state not in ('done', 'cancel')
                )
                self.assertFalse(waiting)
                self.assert_sold(order.order_line, delivered=0, invoiced=0)
                self.assert_nothing_to_invoice(order)

    def test_pieces_of_kits_sold_in_dozens(self):
        order = self._sell_kits(1, product_uom_id=self.dozen.id, price=3600.01)
        for _part in range(3):
            sale_return = self._create_return(order, 1 / 3)
            self.assertEqual(self._get_expected(sale_return), {self.part_a: 8, self.part_b: 4})
            self._receive(sale_return)
            sale_return.action_inspect_all('restock')
            self.assertEqual(sale_return.state, 'closed')
        self.assert_fully_credited(order.invoice_ids.filtered(lambda m: not m.reversed_entry_id))
        self.assertEqual(order.order_line.qty_returnable, 0.0)
        self.assert_sold(order.order_line, delivered=0, invoiced=0)
