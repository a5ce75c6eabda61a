"""Effects of the installation on existing trade and on warehouses."""

from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.sale_return import hooks

from ..common import SaleReturnCommon

LEAN = "hooks without the tables of optional modules"


class EarlierTradeCommon(SaleReturnCommon):
    """Trade as it was before the add-on: returns go to stock and create no return document."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.warehouse.sale_return_quarantine = False
        cls._configure(sale_return_adopt_native=False)

    @classmethod
    def _install(cls):
        """Switch on what the installation switches on."""
        cls.warehouse.sale_return_quarantine = True
        cls._configure(sale_return_adopt_native=True)

    @classmethod
    def _return_natively(cls, order, quantity, done=True):
        """Return a quantity of each product of the first delivery with Odoo's wizard."""
        delivery = order.picking_ids.filtered(lambda p: p.picking_type_code == 'outgoing')[:1]
        receipt = cls._return_in_inventory(delivery, quantity)
        return cls._process(receipt) if done else receipt


@tagged('post_install', '-at_install')
class TestInstall(EarlierTradeCommon):
    def _fill_columns(self, orders):
        """Recreate the columns of the orders like the installation."""
        self.env.flush_all()
        cr = self.env.cr
        cr.execute("UPDATE sale_order SET return_status = 'no' WHERE id = ANY(%s)", [orders.ids])
        cr.execute(
            "UPDATE sale_order_line SET qty_returned = 0 WHERE order_id = ANY(%s)", [orders.ids]
        )
        hooks._fill_qty_returned(self.env)
        hooks._fill_return_status(self.env)
        self.env.invalidate_all()

    def assert_filled(self, orders, quantities, status):
        """Assert the values of the installation, and that computing them gives the same."""
        for _source in ('sql', 'orm'):
            self.assertEqual(orders.order_line.mapped('qty_returned'), quantities)
            self.assertEqual(orders.mapped('return_status'), status)
            for field in (
                orders.order_line._fields['qty_returned'],
                orders._fields['return_status'],
            ):
                records = orders if field.model_name == 'sale.order' else orders.order_line
                self.env.add_to_compute(field, records)
            orders.order_line.flush_recordset()
            orders.flush_recordset()

    def test_earlier_returns_count(self):
        untouched, partly, fully = (self._create_sale() for _order in range(3))
        self._return_natively(partly, 4)
        self._return_natively(fully, 10)
        orders = untouched | partly | fully
        self._fill_columns(orders)
        self.assert_filled(orders, [0.0, 4.0, 10.0], ['no', 'partial', 'full'])

    def test_open_and_cancelled_returns_do_not_count(self):
        order = self._create_sale()
        self._return_natively(order, 4, done=False)
        self._return_natively(order, 3, done=False).action_cancel()
        self._fill_columns(order)
        self.assert_filled(order, [0.0], ['no'])

    def test_quantities_are_in_the_unit_of_the_order_line(self):
        order = self._create_sale({'quantity': 2, 'product_uom_id': self.dozen.id})
        self._return_natively(order, 7)
        self._return_natively(order, 7)
        self.assertEqual(order.picking_ids.move_ids.product_uom, self.unit)
        self._fill_columns(order)
        # Odoo says that each of them is 0.58 dozens.
        self.assert_filled(order, [14 / 12], ['partial'])

    def test_other_products_of_an_order_line_do_not_count(self):
        order = self._create_sale()
        receipt = self._return_natively(order, 4)
        # Like components of kits that come back.
        receipt.move_ids.product_id = self.product_on_order
        self._fill_columns(order)
        self.assert_filled(order, [0.0], ['no'])

    def test_transit_between_companies_counts_as_customer(self):
        transit = self.env.ref('stock.stock_location_inter_company').sudo()
        below = transit.copy({'name': "Below", 'location_id': transit.id})
        orders = self.env['sale.order']
        for location in (transit, below):
            order = self._create_sale()
            self._relocate(self._return_natively(order, 4), 'location_id', location)
            orders |= order
        self._relocate(self._return_natively(orders[0], 2), 'location_dest_id', transit)
        self._fill_columns(orders)
        self.assert_filled(orders, [6.0, 4.0], ['partial', 'partial'])

    def _relocate(self, picking, name, location):
        """Change a location of done moves, which no user can."""
        moves = picking.move_ids
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "UPDATE stock_move SET %s = %s WHERE id = ANY(%s)",
                SQL.identifier(name),
                location.id,
                moves.ids,
            )
        )
        self.env.invalidate_all()

    def _get_columns_of_odoo_models(self):
        """Return the stored fields that the add-on gives to models of Odoo."""
        return [
            (model, field)
            for model in self.env.registry.values()
            for field in model._fields.values()
            if field.store and field._module == 'sale_return' and not model._transient
            if model._original_module != 'sale_return'
        ]

    def test_computed_columns_are_all_filled_by_sql(self):
        computed = {
            (model._table, field.name)
            for model, field in self._get_columns_of_odoo_models()
            if field.compute
        }
        self.assertEqual(
            computed, {(table, column) for table, column, _type in hooks.BIG_TABLE_COLUMNS}
        )

    def test_only_small_tables_get_columns_with_a_default(self):
        # Odoo writes it on every row.
        with_default = {
            model._name for model, field in self._get_columns_of_odoo_models() if field.default
        }
        self.assertLessEqual(with_default, {'res.company', 'stock.warehouse'})

    def test_sparse_references_have_partial_indexes(self):
        self.env.cr.execute(
            """
            SELECT indexdef FROM pg_indexes
             WHERE tablename IN ('stock_move', 'stock_picking', 'account_move_line')
               AND (indexdef LIKE '%sale_return%' OR indexdef LIKE '%credited_line_id%')
            """
        )
        definitions = [definition for (definition,) in self.env.cr.fetchall()]
        # Six references, pending moves out of quarantine, and the notes of returns.
        self.assertEqual(len(definitions), 8)
        for definition in definitions:
            self.assertIn("IS NOT NULL", definition)


@tagged('post_install', '-at_install')
class TestTradeBeforeInstall(EarlierTradeCommon):
    def _get_creditable(self, order):
        balances = self.env['sale.return.ledger']._get_balances(order.order_line)
        return [balance.quantity for balance in balances.values()]

    def _invoice_half(self, order):
        invoice = self._invoice(order, post=False)
        invoice.invoice_line_ids.quantity = 5
        invoice.action_post()
        return invoice

    def test_earlier_reversals_reduce_the_invoice_they_reverse(self):
        order = self._create_order()
        self._deliver(order)
        self._invoice_half(order)
        second = self._invoice_half(order)
        self._reverse(second, quantity=2)
        self._install()
        self.assertEqual(self._get_creditable(order), [5.0, 3.0])

    def test_earlier_notes_of_an_order_line_reduce_its_oldest_invoice(self):
        order = self._create_order()
        self._deliver(order)
        self._invoice_half(order)
        second = self._invoice_half(order)
        self._reverse(second, quantity=2).reversed_entry_id = False
        self._install()
        self.assertEqual(self._get_creditable(order), [3.0, 5.0])

    def test_the_rest_of_an_order_returned_before_is_credited_to_the_last_cent(self):
        order = self._create_sale({'price': 3.33})
        self._return_natively(order, 4)
        self._reverse(order.invoice_ids, quantity=4)
        self._install()
        self.assertEqual(order.order_line.qty_returnable, 6.0)
        sale_return = self._return_goods(order, 6)
        self.assertEqual(sale_return.credit_note_ids.invoice_line_ids.quantity, 6.0)
        self.assertEqual(order.return_status, 'full')
        self.assert_fully_credited(
            order.invoice_ids.filtered(lambda m: m.move_type == 'out_invoice')
        )

    def test_more_than_is_left_of_an_order_cannot_be_returned(self):
        order = self._create_sale()
        self._return_natively(order, 4)
        self._install()
        with self.assert_refused("Lower the quantity by 1"):
            self._create_return(order, 7)

    def test_an_open_native_return_keeps_its_destination(self):
        order = self._create_sale()
        receipt = self._return_natively(order, 4, done=False)
        self._install()
        self.assertEqual(receipt.move_ids.location_dest_id, self.stock)
        on_hand = self.product.with_context(location=self.stock.id).qty_available
        self._process(receipt)
        self.assert_on_hand(self.product, on_hand + 4)
        sale_return = receipt.sale_return_id
        self.assertEqual(sale_return.state, 'approved')
        sale_return.action_inspect_all('restock')
        self.assert_on_hand(self.product, on_hand + 4)
        self.assert_on_hand(self.product, 0, location=self.quarantine)
        self.assertEqual(sale_return.state, 'closed')
        self.assertEqual(sale_return.credit_note_ids.invoice_line_ids.quantity, 4.0)


@tagged('post_install', '-at_install')
class TestWarehouse(SaleReturnCommon):
    def test_new_warehouses_receive_returns(self):
        warehouse = self._create_warehouse()
        returns = warehouse.sale_return_type_id
        self.assertEqual(warehouse.out_type_id.return_picking_type_id, returns)
        self.assertEqual(returns.return_picking_type_id, warehouse.out_type_id)
        self.assertEqual(returns.default_location_dest_id, warehouse.sale_return_loc_id)
        self.assertEqual(returns.sequence_id.prefix, 'NORTH/RET/')
        self.assertEqual(returns.barcode, 'NORTHRET')

    def test_a_new_warehouse_may_keep_the_way_of_odoo(self):
        warehouse = self._create_warehouse(sale_return_quarantine=False)
        self.assertEqual(warehouse.out_type_id.return_picking_type_id, warehouse.in_type_id)

    def test_quarantine_of_native_returns_is_switched_off_and_on(self):
        warehouse = self._create_warehouse()
        warehouse.sale_return_quarantine = False
        self.assertEqual(warehouse.out_type_id.return_picking_type_id, warehouse.in_type_id)
        warehouse.sale_return_quarantine = True
        self.assertEqual(
            warehouse.out_type_id.return_picking_type_id, warehouse.sale_return_type_id
        )

    def test_switching_off_gives_back_a_return_type_of_ones_own(self):
        warehouse = self._create_warehouse(sale_return_quarantine=False)
        own = warehouse.in_type_id.copy({'name': "Own", 'sequence_code': 'OWN'})
        warehouse.out_type_id.return_picking_type_id = own
        warehouse.sale_return_quarantine = True
        warehouse.sale_return_quarantine = False
        self.assertEqual(warehouse.out_type_id.return_picking_type_id, own)

    def test_returns_are_renamed_with_their_warehouse(self):
        warehouse = self._create_warehouse()
        warehouse.write({'name': "South", 'code': 'SOUTH'})
        returns = warehouse.sale_return_type_id
        self.assertEqual(warehouse.sale_return_loc_id.name, 'SOUTH')
        self.assertEqual(returns.sequence_id.prefix, 'SOUTH/RET/')
        self.assertIn("South", returns.sudo().sequence_id.name)
        self.assertEqual(returns.barcode, 'SOUTHRET')

    def test_more_steps_leave_the_returns_alone(self):
        warehouse = self._create_warehouse()
        warehouse.sudo().write({'reception_steps': 'three_steps', 'delivery_steps': 'pick_ship'})
        self.assertEqual(
            warehouse.out_type_id.return_picking_type_id, warehouse.sale_return_type_id
        )
        self.assertEqual(
            warehouse.sale_return_type_id.default_location_dest_id, warehouse.sale_return_loc_id
        )

    def test_returns_are_archived_and_come_back_with_their_warehouse(self):
        # sudo: Odoo switches the settings of several warehouses off, which needs an administrator.
        warehouse = self._create_warehouse().sudo()
        for active in (False, True):
            warehouse.active = active
            self.assertEqual(warehouse.sale_return_type_id.active, active)
            self.assertEqual(warehouse.sale_return_loc_id.active, active)
        self.assertEqual(
            warehouse.out_type_id.return_picking_type_id, warehouse.sale_return_type_id
        )
        self.assertTrue(self.company.sale_return_view_location_id.active)

    def test_a_warehouse_with_returns_under_way_is_not_archived(self):
        warehouse = self._create_warehouse().sudo()
        order = self._create_sale()
        sale_return = self._create_return(order, 4, warehouse_id=warehouse.id)
        with self.assert_refused(sale_return.name):
            warehouse.active = False
        sale_return.action_cancel()
        warehouse.active = False
        self.assertFalse(warehouse.active)

    def test_a_warehouse_with_goods_in_quarantine_is_not_archived(self):
        warehouse = self._create_warehouse().sudo()
        self._put_in_stock(self.product, 2, location=warehouse.sale_return_loc_id)
        with self.assert_refused("quarantine"):
            warehouse.action_archive()
        self._put_in_stock(self.product, -2, location=warehouse.sale_return_loc_id)
        warehouse.action_archive()
        self.assertFalse(warehouse.sale_return_loc_id.active)

    def test_existing_warehouses_get_their_returns_once(self):
        warehouse = self._create_warehouse()
        before = warehouse.sale_return_type_id, warehouse.sale_return_loc_id
        warehouse.sudo()._create_sale_return_setup()
        self.assertEqual((warehouse.sale_return_type_id, warehouse.sale_return_loc_id), before)

    def test_what_a_former_installation_left_is_used_again(self):
        warehouse = self._create_warehouse()
        before = warehouse.sale_return_type_id, warehouse.sale_return_loc_id
        hooks.uninstall_hook(self.env(su=True))
        warehouse.sudo().write({'sale_return_type_id': False, 'sale_return_loc_id': False})
        before[0].active = before[1].active = False
        warehouse.sale_return_quarantine = True
        warehouse.sudo()._create_sale_return_setup()
        self.assertEqual((warehouse.sale_return_type_id, warehouse.sale_return_loc_id), before)
        self.assertEqual(warehouse.out_type_id.return_picking_type_id, before[0])
        self.assertTrue(before[0].active and before[1].active)

    def test_uninstalling_gives_the_return_types_back(self):
        warehouse = self._create_warehouse()
        hooks.uninstall_hook(self.env(su=True))
        self.assertEqual(warehouse.out_type_id.return_picking_type_id, warehouse.in_type_id)

    def test_nothing_refers_to_the_tables_of_the_addon_when_they_are_deleted(self):
        hooks.uninstall_hook(self.env(su=True))
        self.env.cr.execute(
            """
            SELECT conname FROM pg_constraint
             WHERE contype = 'f' AND confrelid::regclass::text LIKE 'sale\\_return%'
            """
        )
        self.assertEqual(self.env.cr.fetchall(), [])
