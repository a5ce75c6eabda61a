from psycopg2 import IntegrityError

from odoo import Command
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from ..common import SaleReturnCommon


@tagged('post_install', '-at_install')
class TestQuarantine(SaleReturnCommon):
    """I7: goods waiting for inspection are ours and valued, but promised to nobody."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # 5 sold, none left: any stock after the return has come back.
        cls.rare = cls._create_product("Rare", tracking='lot')
        cls.lot = cls.env['stock.lot'].create({'name': "R", 'product_id': cls.rare.id})
        cls._put_in_stock(cls.rare, 5, lot=cls.lot)
        cls.order = cls._create_order({'product': cls.rare, 'quantity': 5})
        cls._deliver(cls.order, lots=cls.lot)
        cls._invoice(cls.order)

    def _get_forecast(self):
        self.env.invalidate_all()
        return self.rare.qty_available, self.rare.free_qty, self.rare.virtual_available

    def test_goods_on_their_way_back_are_not_promised(self):
        self._create_return(self.order, 5)
        self.assertEqual(self._get_forecast(), (0, 0, 0))

    def test_goods_in_quarantine_are_not_promised(self):
        self._receive(self._create_return(self.order, 5), lots=self.lot)
        self.assert_on_hand(self.rare, 5, self.quarantine)
        self.assertEqual(self._get_forecast(), (0, 0, 0))

    def test_goods_in_quarantine_are_not_reserved(self):
        waiting = self._create_order({'product': self.rare, 'quantity': 3})
        self._receive(self._create_return(self.order, 5), lots=self.lot)
        later = self._create_order({'product': self.rare, 'quantity': 2})
        for order in (waiting, later):
            order.picking_ids.action_assign()
            self.assertEqual(order.picking_ids.move_ids.quantity, 0)

    def test_restocked_goods_are_sold_again(self):
        sale_return = self._create_return(self.order, 5)
        self._receive(sale_return, lots=self.lot)
        sale_return.action_inspect_all('restock')
        self.assertEqual(self._get_forecast(), (5, 5, 5))
        order = self._create_order({'product': self.rare, 'quantity': 3})
        self.assertEqual(order.picking_ids.move_ids.quantity, 3)

    def test_goods_in_quarantine_are_valued(self):
        before = self.rare.total_value
        self._receive(self._create_return(self.order, 5), lots=self.lot)
        self.env.invalidate_all()
        self.assertEqual(self.rare.total_value - before, 300.0)

    def test_goods_of_a_return_that_waits_stay_in_quarantine(self):
        """I5: goods may always be received; nothing leaves before the approval."""
        self._create_policy(approval='always')
        receipt = self._return_in_inventory(self.order.picking_ids, 2)
        receipt.move_ids.picked = True
        receipt.button_validate()
        sale_return = receipt.sale_return_id
        self.assertEqual(sale_return.state, 'submitted')
        self.assert_on_hand(self.rare, 2, self.quarantine)
        with self.assert_refused("inspected"):
            sale_return.action_inspect_all('restock')
        sale_return.action_approve()
        self.assertEqual(len(sale_return.picking_ids), 1)
        sale_return.action_inspect_all('restock')
        self.assertEqual(sale_return.state, 'closed')
        self.assertEqual(sale_return.credit_note_ids.amount_untaxed, 200.0)


@tagged('post_install', '-at_install')
class TestGuards(SaleReturnCommon):
    """I1: never more comes back than was delivered and authorized."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_sale()
        cls.line = cls.order.order_line
        cls.delivery = cls.order.picking_ids
        cls.sale_return = cls._create_return(cls.order, 3)
        cls.receipt = cls.sale_return.picking_ids

    def test_more_than_authorized_is_not_received(self):
        """Surplus is separated, see `test_discrepancies`."""
        self._receive(self.sale_return, 4)
        self.assert_quantities(self.sale_return.line_ids, received=3)
        self.assertEqual(self.line.qty_delivered, 7)

    def test_received_quantity_is_not_edited_up(self):
        self._receive(self.sale_return)
        for record in (self.receipt.move_ids, self.receipt.move_line_ids):
            with self.assert_refused("only 3"):
                record.quantity = 4
        self.assert_quantities(self.sale_return.line_ids, received=3)

    def test_received_quantity_may_be_edited_down(self):
        self._receive(self.sale_return)
        self.receipt.move_line_ids.quantity = 2
        self.assert_quantities(self.sale_return.line_ids, received=2)
        self.assertEqual(self.line.qty_delivered, 8)

    def test_inspected_quantity_is_not_edited_away(self):
        self._receive(self.sale_return)
        self._inspect(self.sale_return, (3, 'restock'))
        with self.assert_refused("inspected"):
            self.receipt.move_line_ids.quantity = 2

    def test_delivered_quantity_is_not_edited_below_what_came_back(self):
        self._receive(self.sale_return)
        with self.assert_refused("would be returned"):
            self.delivery.move_line_ids.quantity = 2
        self.delivery.move_line_ids.quantity = 3
        self.assertEqual(self.line.qty_delivered, 0)

    def test_delivered_quantity_is_not_edited_below_what_is_held(self):
        with self.assert_refused("would be returned"):
            self.delivery.move_line_ids.quantity = 2

    def test_line_added_to_a_done_receipt_is_refused(self):
        self._receive(self.sale_return)
        with self.assert_refused("only 3"):
            self.receipt.move_line_ids.copy({'quantity': 1})

    def test_receipt_without_backorder_leaves_the_rest_to_be_written_off(self):
        self.receipt.move_ids.quantity = 2
        self.receipt.move_ids.picked = True
        self.receipt.with_context(
            skip_backorder=True, picking_ids_not_to_backorder=self.receipt.ids
        ).button_validate()
        self.sale_return.action_inspect_all('restock')
        self.assertEqual(self.sale_return.state, 'approved')
        self.assertEqual(self.line.qty_returnable, 7)
        self.sale_return.action_close(reason="Not sent.")
        self.assertEqual(self.line.qty_returnable, 8)

    def test_undone_receipt_counts_no_more(self):
        self._receive(self.sale_return)
        self.assertEqual(self.line.qty_delivered, 7)
        back = self._return_in_inventory(self.receipt, 3)
        back.move_ids.picked = True
        back.button_validate()
        self.assert_quantities(self.sale_return.line_ids, received=0)
        self.assert_progress(self.sale_return, 'pending', 'pending', 'pending')
        self.assertEqual(self.line.qty_delivered, 10)
        self.assert_on_hand(self.product, 0, self.quarantine)
        self.assert_nothing_to_invoice(self.order)

    def test_undone_receipt_of_inspected_goods_is_refused(self):
        self._receive(self.sale_return)
        self._inspect(self.sale_return, (3, 'restock'))
        with self.assert_refused():
            back = self._return_in_inventory(self.receipt, 3)
            back.move_ids.quantity = 3
            back.move_ids.picked = True
            back.button_validate()


@tagged('post_install', '-at_install')
class TestNativeReturn(SaleReturnCommon):
    """Odoo's own return of a delivery creates the same document: no return is missed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_sale()
        cls.delivery = cls.order.picking_ids

    def _validate(self, picking):
        picking.move_ids.picked = True
        picking.button_validate()

    def test_goods_go_to_quarantine(self):
        receipt = self._return_in_inventory(self.delivery, 3)
        self.assertEqual(receipt.location_dest_id, self.quarantine)
        self.assertEqual(receipt.picking_type_id, self.warehouse.sale_return_type_id)

    def test_dialog_leaves_a_return_behind(self):
        receipt = self._return_in_inventory(self.delivery, 3)
        sale_return = receipt.sale_return_id
        self.assertEqual(sale_return.state, 'approved')
        self.assertEqual(sale_return.picking_ids, receipt)
        self.assertEqual(sale_return.line_ids.reason_id, self.reason_other)
        self.assert_quantities(sale_return.line_ids, authorized=3)

    def test_dialog_asks_the_reason(self):
        receipt = self._return_in_inventory(
            self.delivery, 3, sale_return_reason_id=self.reason_defective.id
        )
        self.assertEqual(receipt.sale_return_id.line_ids.reason_id, self.reason_defective)

    def test_its_goods_are_inspected_and_credited_like_any_other(self):
        receipt = self._return_in_inventory(self.delivery, 3)
        self._validate(receipt)
        sale_return = receipt.sale_return_id
        self.assert_quantities(sale_return.line_ids, received=3, credited=0)
        sale_return.action_inspect_all('restock')
        self.assertEqual(sale_return.state, 'closed')
        self.assertEqual(sale_return.credit_note_ids.amount_untaxed, 300.0)
        self.assert_sold(self.order.order_line, delivered=7, invoiced=7)
        self.assert_nothing_to_invoice(self.order)
        self.assert_nothing_to_deliver(self.order)

    def test_it_holds_what_it_brings_back(self):
        self._return_in_inventory(self.delivery, 3)
        self.assertEqual(self.order.order_line.qty_returnable, 7)
        with self.assert_refused("would be returned"):
            self._create_return(self.order, 8)

    def test_more_than_was_delivered_is_refused(self):
        with self.assert_refused():
            self._validate(self._return_in_inventory(self.delivery, 11))

    def test_what_another_return_holds_counts_for_it(self):
        sale_return = self._create_return(self.order, 8)
        receipt = self._return_in_inventory(self.delivery, 3)
        self.assertEqual(receipt.sale_return_id, sale_return)
        self._validate(receipt)
        self.assert_quantities(sale_return.line_ids, received=3, held=5)
        self.assertEqual((sale_return.picking_ids - receipt).move_ids.product_uom_qty, 5)

    def test_operator_without_role_may_use_it(self):
        packer = self._create_user('returns_packer', 'stock.group_stock_user')
        self._return_in_inventory(self.delivery, 3, user=packer)
        self.assertEqual(len(self.order.return_ids), 1)

    def test_receipt_made_by_hand_gets_a_return_too(self):
        receipt = self.env['stock.picking'].create(
            {
                'picking_type_id': self.warehouse.sale_return_type_id.id,
                'location_id': self.customers.id,
                'location_dest_id': self.quarantine.id,
                'move_ids': [
                    Command.create(
                        {
                            'product_id': self.product.id,
                            'product_uom_qty': 2,
                            'location_id': self.customers.id,
                            'location_dest_id': self.quarantine.id,
                            'sale_line_id': self.order.order_line.id,
                        }
                    )
                ],
            }
        )
        receipt.action_confirm()
        receipt.move_ids.quantity = 2
        self._validate(receipt)
        sale_return = receipt.sale_return_id
        self.assert_quantities(sale_return.line_ids, received=2)
        sale_return.action_inspect_all('restock')
        self.assertEqual(sale_return.state, 'closed')

    def test_company_may_leave_native_returns_alone(self):
        self._configure(sale_return_adopt_native=False)
        receipt = self._return_in_inventory(self.delivery, 3)
        self._validate(receipt)
        self.assertFalse(self.order.return_ids)

    def test_exchange_sends_a_new_one_and_credits_nothing(self):
        self._return_in_inventory(self.delivery, 3, method='action_create_exchanges')
        sale_return = self.order.return_ids
        self.assertEqual(sale_return.line_ids.resolution, 'replace')
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self._deliver(self.order)
        self.assertFalse(sale_return.credit_note_ids)
        self.assertEqual(sale_return.state, 'closed')
        self.assert_sold(self.order.order_line, delivered=10, invoiced=10)
        self.assert_nothing_to_invoice(self.order)

    def test_exchange_that_waits_for_its_approval_sends_nothing(self):
        self._create_policy(approval='always')
        self._return_in_inventory(self.delivery, 3, method='action_create_exchanges')
        sale_return = self.order.return_ids
        self.assertEqual(sale_return.state, 'submitted')
        self.assertFalse(self._get_planned())
        sale_return.action_approve()
        self.assertEqual(sum(self._get_planned().mapped('product_uom_qty')), 3)

    def _get_planned(self):
        return self.order.picking_ids.move_ids.filtered(
            lambda move: (
                move.location_dest_id.usage == 'customer' and move.state not in ('done', 'cancel')
            )
        )

    def test_salesperson_who_has_left_is_not_responsible(self):
        seller = self._create_user('native_seller', 'sales_team.group_sale_salesman')
        # sudo: an administrator archives users.
        self.order.sudo().user_id = seller
        seller.sudo().active = False
        operator = self._create_user('native_operator', 'stock.group_stock_user')
        self._return_in_inventory(self.delivery, 3, user=operator)
        self.assertEqual(self.order.return_ids.user_id, operator)

    def test_somebody_who_has_left_gets_no_discrepancy(self):
        seller = self._create_user('former_seller', 'sales_team.group_sale_salesman')
        sale_return = self._create_return(self.order, 3)
        sale_return.user_id = seller
        # sudo: as above
        seller.sudo().active = False
        self._receive(sale_return)
        sale_return.register_discrepancies(
            [{'kind': 'damaged', 'line_id': sale_return.line_ids.id, 'quantity': 1}]
        )
        self.assertTrue(sale_return.discrepancy_ids)
        self.assertNotIn(seller, sale_return.discrepancy_ids.user_id)


@tagged('post_install', '-at_install')
class TestWarehouse(SaleReturnCommon):
    """Every warehouse has its returns type and its quarantine."""

    def test_new_warehouse_has_a_returns_type_and_a_quarantine(self):
        warehouse = self._create_warehouse()
        returns_type = warehouse.sale_return_type_id
        quarantine = warehouse.sale_return_loc_id
        self.assertEqual((returns_type.code, returns_type.sequence_code), ('incoming', 'RET'))
        self.assertEqual(returns_type.default_location_src_id, self.customers)
        self.assertEqual(returns_type.default_location_dest_id, quarantine)
        self.assertEqual(warehouse.out_type_id.return_picking_type_id, returns_type)
        self.assertEqual((quarantine.usage, quarantine.company_id), ('internal', self.company))
        self.assertTrue(returns_type.use_existing_lots)
        self.assertFalse(returns_type.use_create_lots)

    def test_quarantine_is_outside_every_warehouse(self):
        self.assertFalse(self.quarantine.warehouse_id)
        self.assertEqual(self.quarantine.location_id.usage, 'view')
        views = self.env['stock.warehouse'].sudo().search([]).view_location_id
        self.assertFalse(
            self.env['stock.location'].search_count(
                [('id', 'child_of', views.ids), ('id', '=', self.quarantine.id)]
            )
        )

    def test_each_warehouse_has_its_own(self):
        other = self._create_warehouse()
        self.assertNotEqual(other.sale_return_loc_id, self.quarantine)
        self.assertNotEqual(other.sale_return_type_id, self.warehouse.sale_return_type_id)

    def test_every_warehouse_of_the_database_has_its_own(self):
        warehouses = self.env['stock.warehouse'].sudo().with_context(active_test=False).search([])
        self.assertTrue(all(w.sale_return_type_id and w.sale_return_loc_id for w in warehouses))

    def test_user_of_one_company_creates_many(self):
        """What they may not read of shared routes is not left to them in the cache."""
        # sudo: the company is created in the same transaction, whose cache is shared.
        company = self.env['res.company'].sudo().create({'name': "Our Second Shop"})
        # With a second warehouse Odoo changes its settings, as its user.
        roles = ('stock.group_stock_manager', 'base.group_system')
        manager = self._create_user('many_warehouses', *roles, company=company)
        warehouses = self._env_of(manager)['stock.warehouse']
        for code in ('ONE', 'TWO', 'THREE'):
            warehouse = warehouses.create({'name': code, 'code': code})
            self.assertEqual(warehouse.sale_return_loc_id.name, code)
            self.assertEqual(warehouse.sale_return_refurbish_loc_id.name, code)
            self.assertEqual(warehouse.sale_return_loc_id.company_id, company)
            self.assertEqual(
                warehouse.out_type_id.return_picking_type_id, warehouse.sale_return_type_id
            )

    def test_locations_may_be_named(self):
        """E.g. by an import of an administrator."""
        location = self.quarantine.sudo().copy()
        warehouse = (
            self.env['stock.warehouse']
            .sudo()
            .create(
                {
                    'name': "Imported",
                    'code': 'IMP',
                    'company_id': self.company.id,
                    'sale_return_loc_id': location.id,
                }
            )
        )
        self.assertEqual(warehouse.sale_return_loc_id, location)
        self.assertEqual(warehouse.sale_return_type_id.default_location_dest_id, location)

    def test_values_that_odoo_refuses_are_still_refused_by_odoo(self):
        locations = self.env['stock.location'].sudo().with_context(active_test=False)
        before = locations.search_count([])
        for values in ({'company_id': False}, {'code': False}):
            vals = {'name': "Nowhere", 'code': 'NO', 'company_id': self.company.id, **values}
            with (
                self.subTest(values=values),
                mute_logger('odoo.sql_db'),
                self.assertRaises(IntegrityError),
                self.env.cr.savepoint(),
            ):
                self.env['stock.warehouse'].sudo().create(vals)
        self.assertEqual(locations.search_count([]), before)

    def test_odoo_still_refuses_a_warehouse_without_a_place_to_produce(self):
        if 'repair.order' not in self.env:
            self.skipTest("repair is not installed")
        places = self.env['stock.location'].sudo()
        places = places.search([('usage', '=', 'production'), ('company_id', '=', self.company.id)])
        places.usage = 'internal'
        with self.assert_refused("production location"):
            self._create_warehouse()

    def test_set_up_of_existing_warehouses_can_be_repeated(self):
        before = self.warehouse.sale_return_type_id, self.quarantine
        self.warehouse.sudo()._create_sale_return_setup()
        self.assertEqual(
            (self.warehouse.sale_return_type_id, self.warehouse.sale_return_loc_id), before
        )

    def test_other_steps_of_reception_leave_the_returns_type_alone(self):
        before = self.warehouse.sale_return_type_id.default_location_dest_id
        self.warehouse.sudo().write(
            {'reception_steps': 'three_steps', 'delivery_steps': 'pick_pack_ship'}
        )
        self.assertEqual(self.warehouse.sale_return_type_id.default_location_dest_id, before)
        self.assertEqual(
            self.warehouse.out_type_id.return_picking_type_id, self.warehouse.sale_return_type_id
        )

    def test_push_rules_do_not_move_goods_out_of_quarantine(self):
        self.warehouse.sudo().reception_steps = 'three_steps'
        sale_return = self._create_return(self._create_sale(), 3)
        self._receive(sale_return)
        self.assert_on_hand(self.product, 3, self.quarantine)
        self.assertFalse(sale_return.picking_ids.move_ids.move_dest_ids)
        sale_return.action_inspect_all('restock')
        self.assert_on_hand(self.product, 993)
        self.assertEqual(sale_return.state, 'closed')

    def test_delivery_in_three_steps_is_returned_once(self):
        self.warehouse.sudo().delivery_steps = 'pick_pack_ship'
        order = self._create_order()
        for _step in range(3):
            open_pickings = order.picking_ids.filtered(lambda p: p.state not in ('done', 'cancel'))
            self._process(open_pickings)
        self._invoice(order)
        self.assertEqual(order.order_line.qty_returnable, 10)
        sale_return = self._return_goods(order, 10)
        self.assertEqual(sale_return.state, 'closed')
        self.assert_nothing_to_invoice(order)
        self.assert_nothing_to_deliver(order)

    def test_archived_warehouse_archives_its_quarantine(self):
        warehouse = self._create_warehouse()
        warehouse.sudo().active = False
        self.assertFalse(warehouse.sale_return_loc_id.active)
        self.assertFalse(warehouse.sale_return_type_id.active)

    def test_receipt_opens_in_odoos_own_form(self):
        sale_return = self._create_return(self._create_sale(), 3)
        with Form(sale_return.picking_ids) as form, form.move_ids.edit(0) as move:
            move.quantity = 2
        self.assertEqual(sale_return.picking_ids.move_ids.quantity, 2)


@tagged('post_install', '-at_install')
class TestValuation(SaleReturnCommon):
    """I9: stock valuation equals the ledger after a finished return."""

    def _assert_return_balances(self, cost_method, *results):
        self.category.property_cost_method = cost_method
        product = self._create_product("Bought", tracking='lot')
        product.tracking = 'none'
        self._buy(product, 10, 10)
        self._buy(product, 10, 20)
        before = self._get_value_not_in_ledger()
        order = self._create_sale({'product': product, 'quantity': 12})
        self._buy(product, 5, 33)
        gap = self._get_value_not_in_ledger()
        sale_return = self._create_return(order, 5)
        self._receive(sale_return)
        self._inspect(sale_return, *results)
        self.assertAlmostEqual(self._get_value_not_in_ledger(), gap)
        self.assertAlmostEqual(gap, before + 5 * 33)

    def test_fifo(self):
        self._assert_return_balances('fifo', (5, 'restock'))

    def test_average(self):
        self._assert_return_balances('average', (5, 'restock'))

    def test_fifo_with_scrap(self):
        self._assert_return_balances('fifo', (3, 'restock'), (2, 'scrap'))
