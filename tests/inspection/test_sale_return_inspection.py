from odoo.tests import Form, tagged

from ..common import SaleReturnCommon


@tagged('post_install', '-at_install')
class TestInspection(SaleReturnCommon):
    """What was found, and where the goods go."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_sale()
        cls.sale_return = cls._create_return(cls.order, 6)
        cls._receive(cls.sale_return)
        cls.line = cls.sale_return.line_ids

    def _refuse(self, text, *results):
        """Assert that results are refused and not recorded."""
        before = self._count_documents()
        with self.assert_refused(text):
            self.line.register_inspection(list(results))
        self.assertEqual(self._count_documents(), before)
        self.assert_quantities(self.line, inspected=0)

    def test_rows_come_in_the_order_of_the_results(self):
        rows = self._inspect(
            self.sale_return, (1, 'scrap'), (2, 'restock'), (1, 'send_back'), (2, 'restock')
        )
        self.assertEqual(rows.mapped('quantity'), [1, 2, 1, 2])
        self.assertEqual(
            [row.disposition_id.code for row in rows], ['scrap', 'restock', 'send_back', 'restock']
        )

    def test_split_over_grades_and_liabilities(self):
        rows = self._inspect(
            self.sale_return,
            {'quantity': 2, 'disposition': 'restock', 'grade': 'A', 'liability': 'customer'},
            {'quantity': 2, 'disposition': 'restock', 'grade': 'B', 'liability': 'carrier'},
            {'quantity': 2, 'disposition': 'scrap', 'grade': 'D', 'note': "Broken."},
        )
        self.assertEqual(rows.mapped('grade_id.code'), ['A', 'B', 'D'])
        self.assertEqual(rows.mapped('liability'), ['customer', 'carrier', 'supplier'])
        self.assertEqual(rows[2].note, "Broken.")

    def test_codes_and_ids_mean_the_same(self):
        grade = self.env.ref('sale_return.grade_b')
        rows = self._inspect(
            self.sale_return,
            {'quantity': 1, 'disposition': 'restock', 'grade': 'B'},
            {'quantity': 1, 'disposition': self.restock.id, 'grade': grade.id},
        )
        self.assertEqual(len(rows.disposition_id), 1)
        self.assertEqual(rows.grade_id, grade)

    def test_every_row_moves_its_own_goods_once(self):
        """I8"""
        rows = self._inspect(self.sale_return, (1, 'restock'), (2, 'restock'), (3, 'scrap'))
        for row in rows:
            self.assertEqual(sum(row.move_ids.mapped('quantity')), row.quantity)
            self.assertEqual(row.move_ids.location_id, self.quarantine)
        self.assert_on_hand(self.product, 0, self.quarantine)
        self.assert_on_hand(self.product, 993)

    def test_scrap_goes_to_our_own_scrap_location(self):
        row = self._inspect(self.sale_return, (2, 'scrap'))
        location = row.move_ids.location_dest_id
        self.assertEqual(location, self.company.sale_return_scrap_location_id)
        self.assertEqual(location.usage, 'inventory')
        self.assertEqual(location.valuation_account_id, self.company.sale_return_scrap_account_id)
        self.assertEqual(row.move_ids.state, 'done')

    def test_real_time_scrap_without_account_is_refused(self):
        self._configure(sale_return_scrap_account_id=False)
        self._refuse("no account for scrapped returns", {'quantity': 1, 'disposition': 'scrap'})

    def test_periodic_scrap_needs_no_account(self):
        self._configure(sale_return_scrap_account_id=False)
        self.category.property_valuation = 'periodic'
        self._inspect(self.sale_return, (2, 'scrap'))
        self.assert_quantities(self.line, inspected=2)

    def test_send_back_is_a_delivery_ready_to_ship(self):
        row = self._inspect(self.sale_return, (2, 'send_back'))
        picking = row.move_ids.picking_id
        self.assertEqual((picking.state, picking.picking_type_code), ('assigned', 'outgoing'))
        self.assertEqual(picking.partner_id, self.order.partner_shipping_id)
        self.assertEqual(picking.location_dest_id, self.customers)
        self.assert_on_hand(self.product, 6, self.quarantine)
        self.assert_quantities(self.line, accepted=0, rejected=2)
        self.assertIn(picking, self.sale_return.transfer_ids)

    def test_restock_follows_the_putaway_rules(self):
        shelf = self.env['stock.location'].create({'name': "Shelf", 'location_id': self.stock.id})
        self.env['stock.putaway.rule'].create(
            {
                'product_id': self.product.id,
                'location_in_id': self.stock.id,
                'location_out_id': shelf.id,
            }
        )
        self._inspect(self.sale_return, (2, 'restock'))
        self.assert_on_hand(self.product, 2, shelf)

    def test_inspect_all_takes_what_is_left(self):
        self._inspect(self.sale_return, (1, 'scrap'))
        rows = self.sale_return.action_inspect_all('restock', grade='A')
        self.assertEqual((rows.quantity, rows.grade_id.code), (5, 'A'))
        self.assertFalse(self.sale_return.action_inspect_all('restock'))

    def test_inspect_all_in_one_batch(self):
        second = self._create_return(self._create_sale({'price': 50}), 2)
        self._receive(second)
        returns = self.sale_return + second
        rows = returns.action_inspect_all('restock')
        self.assertEqual(rows.mapped('quantity'), [6, 2])
        self.assertEqual(returns.mapped('state'), ['closed', 'closed'])

    def test_results_for_several_lines_name_their_line(self):
        order = self._create_sale({}, {'product': self.product_on_order})
        sale_return = self._create_return(order, 2)
        self._receive(sale_return)
        lines = sale_return.line_ids
        with self.assert_refused("the return line of each"):
            lines.register_inspection([{'quantity': 1, 'disposition': 'restock'}])
        rows = lines.register_inspection(
            [
                {'line_id': line.id, 'quantity': 1, 'disposition': 'restock'}
                for line in reversed(lines)
            ]
        )
        self.assertEqual(rows.line_id, lines[1] + lines[0])

    def test_line_of_another_return_is_refused(self):
        other = self._create_return(self._create_sale(), 2)
        self._receive(other)
        self._refuse(
            "the return line of each",
            {'line_id': other.line_ids.id, 'quantity': 1, 'disposition': 'restock'},
        )

    def test_more_than_received_is_refused(self):
        self._refuse("only 6", {'quantity': 7, 'disposition': 'restock'})

    def test_results_that_are_too_much_together_are_refused(self):
        result = {'quantity': 4, 'disposition': 'restock'}
        self._refuse("only 6", result, {**result, 'disposition': 'scrap'})

    def test_second_inspection_gets_only_the_rest(self):
        self._inspect(self.sale_return, (4, 'restock'))
        with self.assert_refused("only 2"):
            self._inspect(self.sale_return, (3, 'restock'))
        self.assert_quantities(self.line, inspected=4)

    def test_quantity_must_be_a_number_above_zero(self):
        for quantity in (0, -1, None, "1", True, float('nan'), float('inf'), [1]):
            with self.subTest(quantity=quantity):
                self._refuse("", {'quantity': quantity, 'disposition': 'restock'})
        self._refuse("more than zero", {'disposition': 'restock'})

    def test_unknown_codes_and_ids_are_refused(self):
        for result in (
            {'disposition': 'burn'},
            {'disposition': 2**31 - 1},
            {'disposition': 'restock', 'grade': 'Z'},
            {'disposition': 'restock', 'grade': 2**31 - 1},
        ):
            with self.subTest(result=result):
                self._refuse("There is no", {'quantity': 1, **result})
        for result in ({'disposition': -1}, {'disposition': 'restock', 'grade': -1}):
            with self.subTest(result=result):
                self._refuse("a code or the ID", {'quantity': 1, **result})

    def test_disposition_is_demanded(self):
        self._refuse("no disposition", {'quantity': 1})

    def test_unknown_liability_is_refused(self):
        self._refuse(
            "cannot be liable", {'quantity': 1, 'disposition': 'restock', 'liability': 'moon'}
        )

    def test_unknown_entries_are_refused(self):
        self._refuse("colour", {'quantity': 1, 'disposition': 'restock', 'colour': 'red'})

    def test_something_else_than_results_is_refused(self):
        self._refuse("", "restock")
        self._refuse("", 1)
        with self.assert_refused("nothing to inspect"):
            self.line.register_inspection([])

    def test_part_of_a_unit_is_refused(self):
        product = self._create_product("Eggs", uom_id=self.dozen.id)
        order = self._create_sale(
            {'product': product, 'quantity': 24, 'product_uom_id': self.unit.id}
        )
        sale_return = self._create_return(order, 12)
        self._receive(sale_return)
        with self.assert_refused("not a whole quantity"):
            self._inspect(sale_return, (5, 'restock'))
        self._inspect(sale_return, (6, 'restock'), (6, 'scrap'))
        self.assert_on_hand(product, 0, self.quarantine)

    def test_nothing_is_inspected_before_it_is_received(self):
        sale_return = self._create_return(self._create_sale(), 2)
        with self.assert_refused("only 0"):
            self._inspect(sale_return, (1, 'restock'))

    def test_rows_are_never_changed(self):
        row = self._inspect(self.sale_return, (1, 'restock'))
        with self.assert_refused("cannot be changed"):
            row.sudo().quantity = 2
        with self.assert_refused("cannot be deleted"):
            row.sudo().unlink()

    def test_dialog_proposes_what_waits(self):
        action = self.sale_return.action_open_inspection()
        wizard = Form(self.env[action['res_model']].with_context(**action['context']))
        with wizard.line_ids.edit(0) as row:
            self.assertEqual((row.quantity, row.disposition_id), (6, self.restock))
            row.quantity = 4
        wizard.save().action_confirm()
        self.assert_quantities(self.line, inspected=4, credited=4)


@tagged('post_install', '-at_install')
class TestInspectionTracked(SaleReturnCommon):
    """Lots and serial numbers."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.serial_product, cls.serials = cls._create_tracked_product('serial', "S1", "S2", "S3")
        cls.lot_product, cls.lots = cls._create_tracked_product('lot', "L1", "L2", quantity=10)

    def _create_received(self, product, lots, quantity, back=None):
        order = self._create_order({'product': product, 'quantity': quantity})
        self._deliver(order, lots=lots)
        self._invoice(order)
        back = lots if back is None else back
        sale_return = self._create_return(order, len(back) if back != lots else quantity)
        self._receive(sale_return, lots=back)
        return sale_return

    def test_serial_is_named_by_name_or_id(self):
        sale_return = self._create_received(self.serial_product, self.serials[:2], 2)
        rows = self._inspect(
            sale_return,
            {'quantity': 1, 'disposition': 'restock', 'lot': "S1"},
            {'quantity': 1, 'disposition': 'scrap', 'lot': self.serials[1].id},
        )
        self.assertEqual(rows.lot_id, self.serials[:2])
        self.assert_on_hand(self.serial_product, 1, lot=self.serials[0])
        self.assert_on_hand(self.serial_product, 0, lot=self.serials[1])
        self.assertEqual(sale_return.state, 'closed')

    def test_receipt_proposes_the_delivered_serials(self):
        order = self._create_order({'product': self.serial_product, 'quantity': 2})
        self._deliver(order, lots=self.serials[1:])
        sale_return = self._create_return(order, 2)
        self.assertEqual(sale_return.picking_ids.move_line_ids.lot_id, self.serials[1:])

    def test_lot_is_demanded(self):
        sale_return = self._create_received(self.serial_product, self.serials[:2], 2)
        with self.assert_refused("is tracked"):
            self._inspect(sale_return, (1, 'restock'))

    def test_the_only_lot_that_waits_is_taken(self):
        sale_return = self._create_received(self.serial_product, self.serials[:1], 1)
        rows = self._inspect(sale_return, (1, 'restock'))
        self.assertEqual(rows.lot_id, self.serials[:1])

    def test_unknown_lot_is_refused(self):
        sale_return = self._create_received(self.serial_product, self.serials[:1], 1)
        with self.assert_refused("is not a lot"):
            self._inspect(sale_return, {'quantity': 1, 'disposition': 'restock', 'lot': "S9"})

    def test_lot_that_did_not_come_is_refused(self):
        sale_return = self._create_received(self.serial_product, self.serials[:1], 1)
        with self.assert_refused("only 0"):
            self._inspect(sale_return, {'quantity': 1, 'disposition': 'restock', 'lot': "S3"})

    def test_lot_of_another_product_is_refused(self):
        sale_return = self._create_received(self.serial_product, self.serials[:1], 1)
        with self.assert_refused("is not a lot"):
            self._inspect(
                sale_return,
                {'quantity': 1, 'disposition': 'restock', 'lot': self.lots[0].id},
            )

    def test_serial_is_not_inspected_twice(self):
        sale_return = self._create_received(self.serial_product, self.serials[:2], 2)
        result = {'quantity': 1, 'disposition': 'restock', 'lot': "S1"}
        self._inspect(sale_return, result)
        with self.assert_refused("only 0"):
            self._inspect(sale_return, result)

    def test_lots_are_split(self):
        sale_return = self._create_received(self.lot_product, self.lots, 8)
        self._inspect(
            sale_return,
            {'quantity': 3, 'disposition': 'restock', 'lot': "L1"},
            {'quantity': 1, 'disposition': 'scrap', 'lot': "L1"},
            {'quantity': 4, 'disposition': 'restock', 'lot': "L2"},
        )
        self.assert_on_hand(self.lot_product, 9, lot=self.lots[0])
        self.assert_on_hand(self.lot_product, 10, lot=self.lots[1])
        self.assertEqual(sale_return.state, 'closed')

    def test_more_of_a_lot_than_came_is_refused(self):
        sale_return = self._create_received(self.lot_product, self.lots, 8)
        with self.assert_refused("only 4"):
            self._inspect(sale_return, {'quantity': 5, 'disposition': 'restock', 'lot': "L1"})

    def test_inspect_all_keeps_lots_apart(self):
        sale_return = self._create_received(self.lot_product, self.lots, 8)
        rows = sale_return.action_inspect_all('restock')
        self.assertEqual(rows.lot_id, self.lots)
        self.assertEqual(rows.mapped('quantity'), [4, 4])

    def test_serial_sent_back_goes_to_the_customer_again(self):
        sale_return = self._create_received(self.serial_product, self.serials[:1], 1)
        sale_return.action_inspect_all('send_back')
        picking = sale_return.transfer_ids
        self.assertEqual(picking.move_line_ids.lot_id, self.serials[0])
        self._process_as_it_is(picking)
        self.assert_on_hand(self.serial_product, 1, self.customers, lot=self.serials[0])

    def _process_as_it_is(self, picking):
        picking.move_ids.picked = True
        picking.button_validate()


@tagged('post_install', '-at_install')
class TestInspectionByPolicy(SaleReturnCommon):
    """Where the policy requires no inspection, goods never stay behind in quarantine."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.policy.inspection_required = False

    def test_receipt_sends_goods_the_default_way(self):
        sale_return = self._create_return(self._create_sale(), 3)
        self._receive(sale_return)
        self.assertEqual(sale_return.inspection_ids.disposition_id, self.restock)
        self.assert_on_hand(self.product, 993)
        self.assert_quantities(sale_return.line_ids, inspected=3, credited=3)
        self.assertEqual(sale_return.state, 'closed')

    def test_every_partial_receipt_goes_the_default_way(self):
        sale_return = self._create_return(self._create_sale(), 3)
        self._receive(sale_return, 1)
        self.assert_quantities(sale_return.line_ids, inspected=1, credited=1)
        self._receive(sale_return)
        self.assert_quantities(sale_return.line_ids, inspected=3, credited=3)
        self.assert_on_hand(self.product, 0, self.quarantine)

    def test_serials_go_the_default_way(self):
        product, serials = self._create_tracked_product('serial', "S1", "S2")
        order = self._create_order({'product': product, 'quantity': 2})
        self._deliver(order, lots=serials)
        self._invoice(order)
        sale_return = self._create_return(order, 2)
        self._receive(sale_return, lots=serials)
        self.assertEqual(sale_return.inspection_ids.lot_id, serials)
        self.assertEqual(sale_return.state, 'closed')

    def test_packer_without_role_starts_it(self):
        packer = self._create_user('returns_packer', 'stock.group_stock_user')
        sale_return = self._create_return(self._create_sale(), 3)
        picking = sale_return.picking_ids.with_user(packer)
        picking.move_ids.quantity = 3
        picking.move_ids.picked = True
        picking.button_validate()
        self.assertEqual(sale_return.state, 'closed')

    def test_policy_without_inspection_needs_a_default(self):
        with self.assert_refused("default disposition"):
            self.policy.default_disposition_id = False
