from odoo.tests import tagged

from ..common import SaleReturnCommon


@tagged('post_install', '-at_install')
class TestReplacement(SaleReturnCommon):
    """Two of ten invoiced lamps are replaced."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_sale({'taxes': cls.env['account.tax']})
        cls.sale_line = cls.order.order_line
        cls.seller = cls._create_user('replaces', 'sales_team.group_sale_salesman_all_leads')

    def _create_replacement(self, quantity=2, order=None, **values):
        order = order or self.order
        return self.env['sale.return'].create(
            {
                'line_ids': self._prepare_return_lines(
                    order.order_line, quantity, resolution='replace', **values
                )
            }
        )

    def _submit(self, quantity=2, **values):
        sale_return = self._create_replacement(quantity, **values)
        sale_return.action_submit()
        return sale_return

    def _get_delivery(self, sale_return):
        return sale_return.transfer_ids.filtered(
            lambda p: p.picking_type_code == 'outgoing' and p.state not in ('done', 'cancel')
        )

    def _ship(self, sale_return, quantity=None):
        return self._process(self._get_delivery(sale_return), quantity)

    def test_replacement_is_reserved_at_approval_and_leaves_after_inspection(self):
        sale_return = self._submit()
        delivery = self._get_delivery(sale_return)
        self.assertEqual((delivery.state, delivery.move_ids.quantity), ('assigned', 2))
        self.assertEqual(sale_return.replacement_state, 'reserved')
        self.assert_sold(self.sale_line, delivered=10, invoiced=10)
        with self.assert_refused("cannot leave yet"):
            self._ship(sale_return)
        self._receive(sale_return)
        self.assert_sold(self.sale_line, delivered=8, invoiced=10)
        with self.assert_refused("cannot leave yet"):
            self._ship(sale_return)
        sale_return.action_inspect_all('scrap')
        self.assertEqual((sale_return.state, sale_return.replacement_state), ('approved', 'ready'))
        self._ship(sale_return)
        self.assertEqual((sale_return.state, sale_return.replacement_state), ('closed', 'full'))
        self.assert_sold(self.sale_line, delivered=10, invoiced=10)
        self.assert_quantities(sale_return.line_ids, replaced=2, credited=0, to_credit=0)
        self.assertFalse(sale_return.credit_note_ids)
        self.assert_nothing_to_invoice(self.order)
        self.assert_nothing_to_deliver(self.order)
        self.assert_ledger_balanced()

    def test_policy_may_release_it_before_the_goods_come(self):
        self.policy.release_event = 'approval'
        sale_return = self._submit()
        self.assertEqual(sale_return.replacement_state, 'ready')
        self._ship(sale_return)
        self.assert_sold(self.sale_line, delivered=12, invoiced=10)
        self.assert_nothing_to_invoice(self.order)
        self.assertEqual(sale_return.state, 'approved')
        with self.assert_refused("already received or credited"):
            sale_return.action_cancel()
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assertEqual(sale_return.state, 'closed')
        self.assert_sold(self.sale_line, delivered=10, invoiced=10)
        self.assert_ledger_balanced()

    def test_second_run_changes_nothing(self):
        sale_return = self._submit()
        before = self._count_documents()
        sale_return.action_submit()
        sale_return.action_approve()
        sale_return._after_step()
        self.assertEqual(self._count_documents(), before)

    def test_rejected_goods_are_not_replaced(self):
        sale_return = self._submit()
        self._receive(sale_return)
        self._inspect(sale_return, (1, 'send_back'))
        delivery = sale_return.line_ids._get_replacement_moves()
        self.assertEqual(delivery.product_uom_qty, 1)
        self._inspect(sale_return, (1, 'send_back'))
        self.assertEqual(delivery.state, 'cancel')
        self.assertEqual(sale_return.replacement_state, 'no')
        self.assertEqual(sale_return.state, 'closed')

    def test_correction_of_a_rejection_plans_it_again(self):
        sale_return = self._submit()
        self._receive(sale_return)
        row = self._inspect(sale_return, (2, 'send_back'))
        row.action_correct("Ours.", results=[{'quantity': 2, 'disposition': 'scrap'}])
        self.assertEqual(sale_return.line_ids._get_replacement_moves().product_uom_qty, 2)

    def test_replacement_is_cancelled_with_the_return(self):
        sale_return = self._submit()
        delivery = self._get_delivery(sale_return)
        sale_return.action_cancel()
        self.assertEqual(delivery.state, 'cancel')
        self.assertEqual(self.product.with_context(location=self.stock.id).free_qty, 990)

    def test_promised_replacement_is_not_cancelled_by_hand(self):
        sale_return = self._submit()
        with self.assert_refused("cannot be cancelled"):
            self._get_delivery(sale_return).action_cancel()

    def test_what_never_comes_is_not_replaced(self):
        sale_return = self._submit()
        self._receive(sale_return, 1)
        self._inspect(sale_return, (1, 'restock'))
        with self.assert_refused("was not delivered yet"):
            sale_return.action_close(reason="The other one is lost.")
        self._ship(sale_return, 1)
        sale_return.action_close(reason="The other one is lost.")
        self.assertFalse(self._get_delivery(sale_return))
        self.assert_sold(self.sale_line, delivered=10, invoiced=10)

    def test_one_part_is_replaced_and_one_refunded(self):
        sale_return = self.env['sale.return'].create(
            {
                'line_ids': self._prepare_return_lines(self.sale_line, 2, resolution='replace')
                + self._prepare_return_lines(self.sale_line, 3),
            }
        )
        sale_return.action_submit()
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self._ship(sale_return)
        replaced, refunded = sale_return.line_ids.sorted('qty_requested')
        self.assert_quantities(replaced, replaced=2, credited=0)
        self.assert_quantities(refunded, replaced=0, credited=3)
        self.assertEqual(sale_return.state, 'closed')
        self.assert_sold(self.sale_line, delivered=7, invoiced=7)
        self.assert_nothing_to_invoice(self.order)
        self.assert_ledger_balanced()

    def test_uninvoiced_order_bills_what_the_customer_has(self):
        order = self._create_order({'taxes': self.env['account.tax']})
        self._deliver(order)
        sale_return = self._create_replacement(order=order)
        sale_return.action_submit()
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self._ship(sale_return)
        self._invoice(order)
        self.assert_sold(order.order_line, delivered=10, invoiced=10)
        self.assertEqual(sale_return.state, 'closed')

    def test_ordered_quantities_stay_billed(self):
        order = self._create_sale({'product': self.product_on_order})
        sale_return = self._create_replacement(order=order)
        sale_return.action_submit()
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self._ship(sale_return)
        self.assert_sold(order.order_line, delivered=10, invoiced=10)
        self.assert_nothing_to_invoice(order)

    def test_out_of_stock_waits_and_shows_it(self):
        self._deliver(self._create_order({'quantity': 990}))
        sale_return = self._submit()
        self.assertEqual(self._get_delivery(sale_return).state, 'confirmed')
        self.assertEqual(sale_return.replacement_state, 'waiting')
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self._get_delivery(sale_return).action_assign()
        self.assertEqual(sale_return.replacement_state, 'ready')
        self._ship(sale_return)
        self.assertEqual(sale_return.state, 'closed')

    def test_delivery_in_three_steps(self):
        warehouse = self._create_warehouse(delivery_steps='pick_pack_ship')
        self._put_in_stock(self.product, 100, location=warehouse.lot_stock_id)
        order = self._create_order(warehouse_id=warehouse.id)
        for _step in range(3):
            self._process(order.picking_ids.filtered(lambda p: p.state == 'assigned'))
        self._invoice(order)
        sale_return = self._create_replacement(order=order)
        sale_return.action_submit()
        line = sale_return.line_ids
        pick = line._get_replacement_moves().picking_id
        self.assertEqual(pick.state, 'assigned')
        self._process(pick)
        self._process(line._get_replacement_moves().picking_id)
        ship = line._get_replacement_moves().picking_id
        self.assertEqual(ship.location_dest_id, self.customers)
        with self.assert_refused("cannot leave yet"):
            self._process(ship)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self._process(ship)
        self.assertEqual(sale_return.state, 'closed')
        self.assert_sold(order.order_line, delivered=10, invoiced=10)

    def test_rest_of_the_order_does_not_wait_for_it(self):
        order = self._create_order()
        self._deliver(order, 4)
        self._invoice(order)
        sale_return = self._create_replacement(order=order)
        sale_return.action_submit()
        rest = order.picking_ids.filtered(
            lambda p: (
                p.state == 'assigned'
                and p != self._get_delivery(sale_return)
                and p.picking_type_code == 'outgoing'
            )
        )
        self.assertEqual(rest.move_ids.product_uom_qty, 6)
        self._process(rest)
        self.assertEqual(rest.state, 'done')

    def test_service_is_not_replaced(self):
        order = self._create_order({'product': self.service})
        self._invoice(order)
        sale_return = self.env['sale.return'].create(
            {'line_ids': self._prepare_return_lines(order.order_line, 1, resolution='replace')}
        )
        with self.assert_refused("cannot be replaced"):
            sale_return.action_submit()

    def test_dozens_are_replaced(self):
        order = self._create_sale({'quantity': 2, 'product_uom_id': self.dozen.id})
        sale_return = self._create_replacement(1, order=order)
        sale_return.action_submit()
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self._ship(sale_return)
        self.assert_quantities(sale_return.line_ids, replaced=1)
        self.assertEqual(sale_return.state, 'closed')

    # === THE ORDER IS LOWERED === #

    def _lower(self, quantity):
        """Lower the order as a salesperson does who has no role of Returns."""
        line = self.sale_line.with_env(self._env_of(self.seller))
        line.product_uom_qty = quantity
        self.env.flush_all()
        self.env.invalidate_all()

    def test_order_lowered_to_nothing_after_an_exchange_of_all(self):
        sale_return = self._submit(10)
        delivery = self._get_delivery(sale_return)
        self._receive(sale_return)
        self._lower(0)
        self.assertEqual(delivery.state, 'cancel')
        self.assert_nothing_to_deliver(self.order)
        self.assertEqual(sale_return.line_ids.resolution, 'refund')
        self.assertFalse(sale_return.credit_note_ids)
        sale_return.action_inspect_all('restock')
        self.assertEqual((sale_return.state, sale_return.amount_credited), ('closed', 1000.0))
        self.assert_sold(self.sale_line, delivered=0, invoiced=0)
        self.assert_nothing_to_invoice(self.order)
        self.assert_ledger_balanced()

    def test_order_lowered_by_what_was_to_be_replaced(self):
        sale_return = self._submit(2)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        with self.assert_refused("Lower the order by everything still to be replaced"):
            self._lower(9)
        self._lower(8)
        self.assertEqual((sale_return.state, sale_return.amount_credited), ('closed', 200.0))
        self.assert_nothing_to_deliver(self.order)
        self.assert_sold(self.sale_line, delivered=8, invoiced=8)
        self.assert_nothing_to_invoice(self.order)
        # Raised again, it is delivered like any other order.
        self._lower(10)
        planned = self.sale_line.move_ids.filtered(lambda move: move.state == 'assigned')
        self.assertEqual((planned.product_uom_qty, planned.sale_return_line_id.ids), (2, []))

    def test_what_was_not_delivered_yet_goes_before_replacements(self):
        order = self._create_order({'quantity': 10})
        self.order, self.sale_line = order, order.order_line
        self._deliver(order, 5)
        sale_return = self._submit(2)
        self._lower(8)
        self.assertEqual(sale_return.line_ids.resolution, 'replace')
        self.assertEqual(self._get_delivery(sale_return).move_ids.product_uom_qty, 2)
