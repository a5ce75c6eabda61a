from odoo.tests import tagged

from ..common import SaleReturnCommon


@tagged('post_install', '-at_install')
class TestAgainstTheGrain(SaleReturnCommon):
    """What people do with Odoo's own documents while a return is under way."""

    ready_sales = 1

    def _return_natively(self, order, quantity):
        """Return goods by Odoo's own dialog on the first delivery of an order."""
        delivery = order.picking_ids.filtered(
            lambda p: p.state == 'done' and p.picking_type_code == 'outgoing'
        ).sorted('id')[:1]
        picking = self._return_in_inventory(delivery, quantity)
        self._process(picking)
        return picking.sale_return_id

    def test_goods_that_come_late_for_an_early_credit_earn_no_second_one(self):
        policy = self._create_policy(release_event='dispatch_proof')
        order = self._create_sale()
        early = self._create_return(order, 4)
        early.action_register_dispatch(tracking_ref="T1")
        self.assert_quantities(early.line_ids, credited=4)
        early.action_close(reason="Lost on the way.")
        policy.active = False
        late = self._return_natively(order, 4)
        late.action_inspect_all('restock')
        self.assertEqual((late.state, late.credit_note_ids.ids), ('closed', []))
        self.assert_nothing_to_invoice(order)

    def test_price_lowered_on_a_draft_note_is_not_given_with_the_next_return(self):
        self._create_policy(credit_posting='draft')
        order = self._create_sale()
        first = self._return_goods(order, 4)
        first.credit_note_ids.invoice_line_ids.price_unit = 50
        first.credit_note_ids.action_post()
        second = self._return_goods(order, 6)
        line = second.credit_note_ids.invoice_line_ids
        self.assertEqual((line.quantity, line.price_unit, line.price_subtotal), (6, 100, 600))

    def test_receipt_that_is_undone_is_expected_again(self):
        sale_return = self._create_return(self._create_sale(), 2)
        receipt = sale_return.picking_ids
        self._receive(sale_return)
        self._process(self._return_in_inventory(receipt, 2))
        self.assertEqual(sale_return.reception_state, 'pending')
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assertEqual(sale_return.state, 'closed')
        self.assert_quantities(sale_return.line_ids, received=2, credited=2)

    def test_done_restock_cannot_be_edited_away_from_its_inspection(self):
        sale_return = self._return_goods(self._create_sale(), 4)
        move = sale_return.transfer_ids.move_ids
        for quantity in (3, 5):
            with self.assert_refused("were inspected"):
                move.quantity = quantity
                self.env.flush_all()

    def test_no_more_is_sent_back_than_was_rejected(self):
        sale_return = self._create_return(self._create_sale(), 4)
        self._receive(sale_return)
        self._inspect(sale_return, (2, 'restock'), (2, 'send_back'))
        delivery = sale_return.transfer_ids.filtered(lambda p: p.state != 'done')
        delivery.move_ids.quantity = 3
        delivery.move_ids.picked = True
        with self.assert_refused("were inspected"):
            delivery.button_validate()

    def test_later_delivery_and_its_invoice_leave_uninvoiced_goods_unbilled(self):
        order = self._create_order(self._prepare_order_line(quantity=20))
        self._deliver(order, 15)
        invoice = order._create_invoices()
        invoice.invoice_line_ids.quantity = 10
        invoice.action_post()
        sale_return = self._return_goods(order, 6)
        self.assert_quantities(sale_return.line_ids, credited=1)
        self._deliver(order)
        self._invoice(order)
        self.assertEqual(sale_return.state, 'closed')
        self.assert_nothing_to_invoice(order)

    def test_goods_leave_quarantine_only_by_their_inspection(self):
        sale_return = self._create_return(self._create_sale(), 3)
        self._receive(sale_return)
        warehouse = sale_return.warehouse_id
        product = sale_return.line_ids.product_id
        transfer = self.env['stock.picking'].create(
            {
                'picking_type_id': warehouse.int_type_id.id,
                'location_id': warehouse.sale_return_loc_id.id,
                'location_dest_id': warehouse.lot_stock_id.id,
                'move_ids': [
                    (
                        0,
                        0,
                        {
                            'product_id': product.id,
                            'product_uom_qty': 2,
                            'product_uom': product.uom_id.id,
                            'location_id': warehouse.sale_return_loc_id.id,
                            'location_dest_id': warehouse.lot_stock_id.id,
                        },
                    )
                ],
            }
        )
        transfer.action_confirm()
        transfer.action_assign()
        transfer.move_ids.picked = True
        with self.assert_refused("cannot leave before that"):
            transfer.button_validate()

    def test_receipt_goes_to_quarantine_whatever_its_destination_says(self):
        sale_return = self._create_return(self._create_sale(), 3)
        receipt = sale_return.picking_ids
        receipt.move_ids.move_line_ids.location_dest_id = sale_return.warehouse_id.lot_stock_id
        receipt.move_ids.picked = True
        with self.assert_refused("destination"):
            receipt.button_validate()
