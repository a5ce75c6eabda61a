from odoo.exceptions import AccessError
from odoo.tests import Form, tagged

from ..common import SaleReturnCommon
from ..common_kit import KitCommon


@tagged('post_install', '-at_install')
class TestKits(KitCommon):
    """Kits come back whole or in part."""

    # === WHOLE KITS === #

    def test_whole_kit_comes_back_as_its_components_and_is_credited_whole(self):
        order = self._sell_kits()
        sale_return = self._create_return(order, 1)
        self.assertEqual(self._get_expected(sale_return), {self.part_a: 2, self.part_b: 1})
        origins = sale_return.line_ids.move_ids.origin_returned_move_id
        self.assertEqual(origins, order.order_line.move_ids - sale_return.line_ids.move_ids)
        self._receive(sale_return)
        self.assert_quantities(sale_return.line_ids, received=1, to_inspect=1, inspected=0)
        self.assert_on_hand(self.part_a, 2, self.quarantine)
        self._inspect(sale_return, (1, 'restock'))
        self.assertEqual(sale_return.state, 'closed')
        self.assert_on_hand(self.part_a, 1000 - 4)
        self.assert_on_hand(self.part_b, 1000 - 2)
        self.assert_on_hand(self.part_a, 0, self.quarantine)
        self.assert_credited(sale_return, 300)
        self.assert_sold(order.order_line, delivered=2, invoiced=2)
        self.assertEqual(order.order_line.qty_returned, 1)
        self.assert_nothing_to_invoice(order)
        self.assert_nothing_to_deliver(order)

    def test_customer_is_told_what_was_found_of_which_component(self):
        sale_return = self._create_return(self._sell_kits(), 1)
        self._receive(sale_return)
        self._inspect(
            sale_return,
            {'product': self.part_a.id, 'quantity': 1, 'disposition': 'restock'},
            {'product': self.part_a.id, 'quantity': 1, 'disposition': 'send_back'},
            {'product': self.part_b.id, 'quantity': 1, 'disposition': 'restock'},
        )
        told = {
            (result['product'], result['quantity'], result['accepted'])
            for result in sale_return._get_inspection_results()
        }
        self.assertEqual(
            told,
            {
                ("[PA] Part A", "1 Unit", True),
                ("[PA] Part A", "1 Unit", False),
                ("Part B", "1 Unit", True),
            },
        )

    def test_all_kits_back_leave_an_order_fully_returned(self):
        order = self._sell_kits()
        sale_return = self._return_goods(order)
        self.assertEqual(sale_return.state, 'closed')
        self.assertEqual(order.return_status, 'full')
        self.assertEqual(order.order_line.qty_returnable, 0)
        self.assert_fully_credited(
            order.invoice_ids.filtered(lambda m: m.move_type == 'out_invoice')
        )

    def test_two_returns_of_kits_are_inspected_in_one_batch(self):
        first, second = self._sell_kits(), self._sell_kits(2)
        returns = self._create_return(first, 2) | self._create_return(second, 1)
        for sale_return in returns:
            self._receive(sale_return)
        rows = returns.action_inspect_all('restock')
        self.assertEqual(len(rows), 4)
        self.assertEqual(set(returns.mapped('state')), {'closed'})
        self.assertEqual(returns.mapped('line_ids.qty_credited'), [2, 1])

    # === PARTS OF KITS === #

    def test_part_of_a_kit_credits_its_share(self):
        order = self._sell_kits()
        sale_return = self._create_return(order, 1)
        self._receive_parts(sale_return, (self.part_a, 2))
        line = sale_return.line_ids
        self.assert_quantities(line, received=0.8, held=0.2, to_inspect=0.8)
        line.register_inspection([{'product': 'PA', 'quantity': 2, 'disposition': 'restock'}])
        self.assert_quantities(line, accepted=0.8, credited=0.8, to_inspect=0)
        self.assert_credited(sale_return, 240)
        self.assert_sold(order.order_line, delivered=2.2, invoiced=2.2)
        self.assertEqual(order.order_line.qty_returnable, 2)
        self.assert_nothing_to_invoice(order)
        self.assert_nothing_to_deliver(order)
        self.assertEqual(sale_return.state, 'approved')
        self.assertEqual(self._get_expected(sale_return), {self.part_b: 1})

    def test_what_does_not_come_is_written_off_and_may_come_later(self):
        order = self._sell_kits()
        first = self._create_return(order, 1)
        self._receive_parts(first, (self.part_a, 2))
        first.action_inspect_all('restock')
        first.action_close(reason="The customer keeps part B.")
        self.assertEqual(order.order_line.qty_returnable, 2.2)
        second = self._create_return(order, 0.2)
        self.assertEqual(self._get_expected(second), {self.part_b: 1})
        self._receive(second)
        second.action_inspect_all('restock')
        self.assertEqual(second.state, 'closed')
        self.assert_credited(first, 240)
        self.assert_credited(second, 60)
        self.assert_sold(order.order_line, delivered=2, invoiced=2)
        self.assert_nothing_to_invoice(order)

    def test_part_of_a_kit_may_be_any_until_it_has_come(self):
        order = self._sell_kits()
        sale_return = self._create_return(order, 0.8)
        self.assertEqual(self._get_expected(sale_return), {self.part_a: 2, self.part_b: 1})
        self._receive_parts(sale_return, (self.part_a, 2))
        self.assertFalse(self._get_expected(sale_return))
        sale_return.action_inspect_all('restock')
        self.assertEqual(sale_return.state, 'closed')
        self.assert_credited(sale_return, 240)

    def test_any_number_of_steps_credits_exactly_the_whole(self):
        thirds = [self._create_product(f"Third {i}", standard_price=10) for i in range(3)]
        self.kit = self._create_kit(*[(part, 1) for part in thirds], name="Kit of thirds")
        order = self._sell_kits(2, price=99.99)
        line = order.order_line
        for part in thirds * 2:
            sale_return = self._create_return(order, min(line.qty_returnable, 1))
            self._receive_parts(sale_return, (part, 1))
            sale_return.action_inspect_all('restock')
            if sale_return.state != 'closed':
                sale_return.action_close(reason="The rest comes later.")
            self.assert_nothing_to_invoice(order)
        self.assertEqual(line.qty_returned, 2)
        self.assertEqual(line.qty_delivered, 0)
        self.assertEqual(order.return_status, 'full')
        self.assert_fully_credited(
            order.invoice_ids.filtered(lambda m: m.move_type == 'out_invoice')
        )

    def test_components_go_different_ways_and_are_sent_back(self):
        order = self._sell_kits()
        sale_return = self._create_return(order, 1)
        self._receive(sale_return)
        line = sale_return.line_ids
        rows = line.register_inspection(
            [
                {'product': 'PA', 'quantity': 1, 'disposition': 'restock'},
                {'product': self.part_a.id, 'quantity': 1, 'disposition': 'scrap'},
                {'product': 'Part B', 'quantity': 1, 'disposition': 'send_back'},
            ]
        )
        self.assertEqual(rows.mapped('quantity'), [0.4, 0.4, 0.2])
        self.assertEqual(rows.mapped('product_id'), self.part_a | self.part_b)
        self.assert_quantities(line, accepted=0.8, rejected=0.2, credited=0.8)
        self._process(sale_return.transfer_ids.filtered(lambda p: p.state == 'assigned'))
        self.assert_quantities(line, sent_back=0.2)
        self.assertEqual(sale_return.state, 'closed')
        self.assert_credited(sale_return, 240)
        self.assert_sold(order.order_line, delivered=2.2, invoiced=2.2)
        self.assertEqual(order.order_line.qty_returnable, 2.2)
        self.assert_nothing_to_invoice(order)
        self.assert_on_hand(self.part_b, 1000 - 3)
        self.assert_on_hand(self.part_b, 0, self.quarantine)

    def test_inspection_of_a_component_is_corrected(self):
        order = self._sell_kits()
        sale_return = self._create_return(order, 1)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        row = sale_return.line_ids.inspection_ids.filtered(
            lambda row: row.product_id == self.part_a
        )
        row.action_correct(
            "One is broken.", quantity=0.4, results=[{'quantity': 1, 'disposition': 'scrap'}]
        )
        self.assertEqual(row.qty_valid, 0.4)
        self.assert_on_hand(self.part_a, 1000 - 6 + 1)
        self.assert_quantities(sale_return.line_ids, inspected=1, accepted=1, to_inspect=0)
        self.assert_credited(sale_return, 300)

    def test_customer_keeps_a_component(self):
        order = self._sell_kits()
        sale_return = self._create_return(order, 2)
        line = sale_return.line_ids
        line.register_inspection([{'quantity': 1, 'disposition': 'keep'}])
        self.assertEqual(self._get_expected(sale_return), {self.part_a: 2, self.part_b: 1})
        line.register_inspection([{'quantity': 1, 'disposition': 'keep', 'product': 'Part B'}])
        self.assertEqual(self._get_expected(sale_return), {self.part_a: 2})
        self.assert_quantities(line, kept=1.2, accepted=1.2, credited=1.2)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assertEqual(sale_return.state, 'closed')
        self.assert_credited(sale_return, 600)
        self.assert_nothing_to_invoice(order)

    def test_components_come_back_at_the_value_they_left_with(self):
        order = self._sell_kits()
        self.part_a.standard_price = 100
        sale_return = self._create_return(order, 1)
        self._receive(sale_return)
        values = {move.product_id: move.value for move in sale_return.line_ids.move_ids}
        self.assertEqual(values, {self.part_a: 120, self.part_b: 30})

    # === REFUSALS === #

    def test_more_of_a_component_than_was_delivered_is_refused(self):
        order = self._sell_kits(2)
        sale_return = self._create_return(order, 2)
        with self.assert_refused("more would come back"):
            self._receive_parts(sale_return, (self.part_a, 2), (self.part_b, 3))

    def test_more_than_was_authorized_is_refused(self):
        order = self._sell_kits()
        sale_return = self._create_return(order, 1)
        with self.assert_refused("only 1.0 are authorized"):
            self._receive_parts(sale_return, (self.part_a, 3), (self.part_b, 1))

    def test_inspection_of_an_incomplete_kit_has_to_name_the_components(self):
        order = self._sell_kits()
        sale_return = self._create_return(order, 2)
        self._receive_parts(sale_return, (self.part_a, 4), (self.part_b, 1))
        with self.assert_refused("Part A, Part B"):
            self._inspect(sale_return, (2, 'restock'))
        with self.assert_refused("not a component"):
            self._inspect(sale_return, {'product': 'Lamp', 'quantity': 1, 'disposition': 'restock'})
        with self.assert_refused("only 4.0 were received"):
            self._inspect(sale_return, {'product': 'PA', 'quantity': 5, 'disposition': 'restock'})
        self._inspect(sale_return, (1, 'restock'))
        self.assert_quantities(sale_return.line_ids, inspected=1, to_inspect=0.8)

    def test_result_of_another_product_is_refused_where_there_is_no_kit(self):
        order = self._create_sale()
        sale_return = self._create_return(order, 1)
        self._receive(sale_return)
        with self.assert_refused("is not a kit"):
            self._inspect(sale_return, {'product': 'PA', 'quantity': 1, 'disposition': 'restock'})

    # === ODOO'S OWN RETURN === #

    def _return_natively(self, delivery, *parts):
        receipt = self._return_in_inventory(delivery, dict(parts))
        receipt.move_ids.picked = True
        receipt.button_validate()
        self.assertEqual(receipt.state, 'done')
        return receipt

    def test_return_made_in_inventory_leaves_a_return_of_the_components(self):
        order = self._sell_kits()
        self._return_natively(order.picking_ids, (self.part_a, 2))
        sale_return = order.return_ids
        self.assert_quantities(sale_return.line_ids, requested=0.8, received=0.8)
        self._inspect(sale_return, {'product': 'PA', 'quantity': 2, 'disposition': 'restock'})
        self.assertEqual(sale_return.state, 'closed')
        self.assert_credited(sale_return, 240)
        self.assert_sold(order.order_line, delivered=2.2, invoiced=2.2)

    def test_component_is_exchanged_in_inventory(self):
        order = self._sell_kits()
        receipt = self._return_in_inventory(
            order.picking_ids, {self.part_a: 2}, method='action_create_exchanges'
        )
        sale_return = order.return_ids
        self.assertEqual(sale_return.line_ids.resolution, 'replace')
        delivery = order.picking_ids.filtered(
            lambda p: p.picking_type_code == 'outgoing' and p.state != 'done'
        )
        self.assertEqual(delivery.move_ids.product_id, self.part_a)
        self.assertEqual(delivery.move_ids.product_uom_qty, 2)
        self._process(receipt)
        self._process(delivery)
        self.assertEqual(sale_return.state, 'approved')
        self._inspect(sale_return, {'product': 'PA', 'quantity': 2, 'disposition': 'restock'})
        self.assertEqual(sale_return.state, 'closed')
        self.assertFalse(sale_return.credit_note_ids)
        self.assert_sold(order.order_line, delivered=3, invoiced=3)
        self.assert_nothing_to_invoice(order)

    def test_return_made_in_inventory_is_left_to_odoo_where_it_makes_no_return(self):
        self._configure(sale_return_adopt_native=False)
        order = self._sell_kits()
        self._return_natively(order.picking_ids, (self.part_a, 2))
        self.assertFalse(order.return_ids)
        self.assertEqual(order.order_line.qty_delivered, 2)
        self.assertAlmostEqual(order.order_line.qty_returnable, 2.2)
        sale_return = self._create_return(order, 2.2)
        self.assertEqual(self._get_expected(sale_return), {self.part_a: 4, self.part_b: 3})
        self.assertEqual(order.order_line.qty_returned, 0.8)

    def test_receipt_of_components_can_be_undone(self):
        order = self._sell_kits()
        sale_return = self._create_return(order, 1)
        self._receive_parts(sale_return, (self.part_a, 2))
        receipt = sale_return.picking_ids.filtered(lambda p: p.state == 'done')
        self._return_natively(receipt, (self.part_a, 2))
        self.assert_quantities(sale_return.line_ids, received=0, held=1)
        self.assert_sold(order.order_line, delivered=3, invoiced=3)

    # === INVOICES === #

    def test_components_never_invoiced_are_not_billed(self):
        order = self._create_order({'product': self.kit, 'quantity': 3, 'price': 300.0})
        self._deliver(order)
        sale_return = self._create_return(order, 1)
        self._receive_parts(sale_return, (self.part_a, 2))
        sale_return.action_inspect_all('restock')
        self.assert_sold(order.order_line, delivered=2.2, invoiced=0, to_invoice=2.2)
        self.assertFalse(sale_return.credit_note_ids)
        self._invoice(order)
        self.assert_sold(order.order_line, delivered=2.2, invoiced=2.2)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assert_credited(sale_return, 60)
        self.assert_nothing_to_invoice(order)

    def test_kit_invoiced_as_ordered_is_not_billed_again(self):
        self.kit.invoice_policy = 'order'
        order = self._sell_kits()
        sale_return = self._create_return(order, 1)
        self._receive_parts(sale_return, (self.part_b, 1))
        sale_return.action_inspect_all('restock')
        self.assert_credited(sale_return, 60)
        self.assert_sold(order.order_line, delivered=2.8, invoiced=2.8)
        self.assert_nothing_to_invoice(order)

    # === SHARES === #

    def test_shares_follow_the_bill_of_materials_then_prices_then_are_equal(self):
        for field in ('standard_price', 'list_price'):
            (self.part_a | self.part_b)[:1][field] = 0
            order = self._sell_kits(1)
            kit = order.order_line._get_return_kit()
            shares = [round(kit[part][1], 4) for part in (self.part_a, self.part_b)]
            expected = {'standard_price': [0.6667, 0.3333], 'list_price': [0.5, 0.5]}
            self.assertEqual(shares, expected[field])

    def test_cost_shares_of_the_bill_of_materials_come_first(self):
        if 'cost_share' not in self.env['mrp.bom.line']:
            self.skipTest("purchase_mrp is not installed")
        bom = (
            self.env['mrp.bom']
            .sudo()
            .search([('product_tmpl_id', '=', self.kit.product_tmpl_id.id)])
        )
        bom.bom_line_ids[0].cost_share, bom.bom_line_ids[1].cost_share = 70, 30
        order = self._sell_kits(1)
        kit = order.order_line._get_return_kit()
        self.assertEqual(kit[self.part_a], (2, 0.7))

    def test_shares_stay_as_they_were_when_the_first_return_was_submitted(self):
        order = self._sell_kits(2)
        self._create_return(order, 1)
        (self.part_a | self.part_b).write({'standard_price': 1000})
        self.assertEqual(order.order_line._get_return_kit()[self.part_a], (2, 0.8))
        with self.assertRaises(AccessError):
            order.order_line.sudo(False).write({'sale_return_kit': {}})

    # === DIALOGS === #

    def test_dialogs_show_kits_and_components(self):
        order = self._sell_kits()
        action = order.action_create_return()
        wizard = self.env['sale.return.create'].with_context(**action['context']).create({})
        wizard.reason_id = self.reason_defective
        wizard.line_ids.quantity = 1
        sale_return = self.env['sale.return'].browse(wizard.action_create_and_submit()['res_id'])
        self._receive(sale_return)
        form = Form(
            self.env['sale.return.inspect'].with_context(
                active_model='sale.return', active_ids=sale_return.ids
            )
        )
        dialog = form.save()
        self.assertEqual(dialog.line_ids.component_id, self.part_a | self.part_b)
        self.assertEqual(dialog.line_ids.mapped('quantity'), [2, 1])
        dialog.action_confirm()
        self.assertEqual(sale_return.state, 'closed')


@tagged('post_install', '-at_install')
class TestKitsWithoutManufacturing(SaleReturnCommon):
    def test_product_of_a_result_may_name_the_product_of_the_line(self):
        order = self._create_sale()
        sale_return = self._create_return(order, 1)
        self._receive(sale_return)
        self._inspect(
            sale_return, {'product': self.product.id, 'quantity': 1, 'disposition': 'restock'}
        )
        self.assertEqual(sale_return.state, 'closed')
