from odoo.tests import tagged

from ..common import SaleReturnCommon

LEAN = "the story of all rooms"


class FullReturnCases:
    """From the order to the closed return. What the other documents say is right at every step.

        WH/Stock ──10──► Customer ──3──► Quarantine ──► WH/Stock, scrapped, or back again

    `invoice_policy` names the policy of the product that is sold.
    """

    @property
    def sold(self):
        return {'delivery': self.product, 'order': self.product_on_order}[self.invoice_policy]

    def _assert_quiet(self, order):
        """Nothing to bill, to credit or to deliver, whatever the return is doing."""
        self.assert_nothing_to_invoice(order)
        self.assert_nothing_to_deliver(order)

    def test_order_is_quiet_when_return_is_submitted(self):
        order = self._create_sale({'product': self.sold})
        sale_return = self._create_return(order, 3)
        self.assertEqual(sale_return.state, 'approved')
        self.assert_quantities(sale_return.line_ids, requested=3, authorized=3, received=0)
        self.assert_sold(order.order_line, delivered=10, invoiced=10)
        self._assert_quiet(order)

    def test_order_is_quiet_when_goods_are_received(self):
        order = self._create_sale({'product': self.sold})
        sale_return = self._create_return(order, 3)
        self._receive(sale_return)
        self.assert_quantities(sale_return.line_ids, received=3, inspected=0, credited=0)
        self.assert_sold(order.order_line, delivered=7, invoiced=10)
        self.assertEqual(order.order_line.qty_returned, 3)
        self._assert_quiet(order)
        self.assertEqual(order.invoice_status, 'invoiced')

    def test_order_is_quiet_when_goods_are_credited(self):
        order = self._create_sale({'product': self.sold})
        sale_return = self._return_goods(order, 3)
        self.assert_quantities(sale_return.line_ids, accepted=3, rejected=0, credited=3)
        self.assert_sold(order.order_line, delivered=7, invoiced=7)
        self.assertEqual(sale_return.state, 'closed')
        self.assert_on_hand(self.sold, 993)
        self.assert_on_hand(self.sold, 0, self.quarantine)
        self._assert_quiet(order)
        self.assertEqual(order.invoice_status, 'invoiced')
        self.assertEqual(order.return_status, 'partial')

    def test_order_is_quiet_when_goods_are_refused_and_stay_with_us(self):
        order = self._create_sale({'product': self.sold})
        sale_return = self._create_return(order, 3)
        self._receive(sale_return)
        self._inspect(sale_return, (3, 'send_back'))
        self.assert_quantities(sale_return.line_ids, accepted=0, rejected=3, credited=0)
        self.assert_sold(order.order_line, delivered=7, invoiced=10)
        self._assert_quiet(order)

    def test_order_is_quiet_when_refused_goods_are_sent_back(self):
        order = self._create_sale({'product': self.sold})
        sale_return = self._create_return(order, 3)
        self._receive(sale_return)
        self._inspect(sale_return, (3, 'send_back'))
        self._process(sale_return.transfer_ids)
        self.assert_sold(order.order_line, delivered=10, invoiced=10)
        self.assert_quantities(sale_return.line_ids, received=3, rejected=3, credited=0)
        self._assert_quiet(order)
        self.assertEqual(sale_return.state, 'closed')
        self.assertFalse(sale_return.credit_note_ids)

    def test_order_is_quiet_while_the_note_is_a_draft(self):
        self.policy.credit_posting = 'draft'
        order = self._create_sale({'product': self.sold})
        sale_return = self._return_goods(order, 3)
        self.assert_quantities(sale_return.line_ids, credited=3)
        self.assert_sold(order.order_line, delivered=7, invoiced=7)
        self._assert_quiet(order)
        sale_return.credit_note_ids.unlink()
        self.assert_sold(order.order_line, delivered=7, invoiced=10)
        self._assert_quiet(order)

    def test_order_is_quiet_when_only_some_refused_goods_are_sent_back(self):
        order = self._create_sale({'product': self.sold})
        sale_return = self._create_return(order, 4)
        self._receive(sale_return)
        self._inspect(sale_return, (1, 'restock'), (3, 'send_back'))
        delivery = sale_return.transfer_ids.filtered(lambda p: p.state != 'done')
        self._process(delivery, 2)
        self.assert_sold(order.order_line, delivered=8, invoiced=9)
        self.assert_quantities(sale_return.line_ids, sent_back=2)
        self.assert_on_hand(self.sold, 1, self.quarantine)
        self._assert_quiet(order)

    def test_order_is_quiet_when_half_a_dozen_comes_back(self):
        order = self._create_sale(
            {'product': self.sold, 'quantity': 2, 'product_uom_id': self.dozen.id}
        )
        sale_return = self._create_return(order, 0.5)
        self._receive(sale_return)
        self._inspect(sale_return, (0.25, 'restock'), (0.25, 'scrap'))
        self.assert_quantities(sale_return.line_ids, received=0.5, inspected=0.5, credited=0.5)
        self.assert_on_hand(self.sold, 1000 - 24 + 3)
        self.assert_sold(order.order_line, delivered=1.5, invoiced=1.5)
        self.assertEqual(sale_return.state, 'closed')
        self._assert_quiet(order)

    def test_order_is_quiet_when_an_accountant_credits_what_a_return_has_refused(self):
        order = self._create_sale({'product': self.sold})
        invoice = order.invoice_ids
        sale_return = self._create_return(order, 3)
        self._receive(sale_return)
        self._inspect(sale_return, (3, 'send_back'))
        self._reverse(invoice, quantity=3)
        self.assert_sold(order.order_line, delivered=7, invoiced=7)
        self._assert_quiet(order)

    def test_goods_sent_back_may_be_returned_again(self):
        order = self._create_sale({'product': self.sold})
        sale_return = self._create_return(order, 10)
        self._receive(sale_return)
        self._inspect(sale_return, (10, 'send_back'))
        self.assertEqual(order.order_line.qty_returnable, 0)
        self._process(sale_return.transfer_ids)
        self.assertEqual(order.order_line.qty_returnable, 10)
        second = self._return_goods(order, 10)
        self.assert_quantities(second.line_ids, credited=10)
        self._assert_quiet(order)

    def test_inspection_splits_goods_over_all_dispositions(self):
        order = self._create_sale({'product': self.sold})
        product = order.order_line.product_id
        sale_return = self._create_return(order, 6)
        self._receive(sale_return)
        self.assert_on_hand(product, 6, self.quarantine)
        self._inspect(sale_return, (3, 'restock'), (2, 'scrap'), (1, 'send_back'))
        self.assert_quantities(
            sale_return.line_ids, inspected=6, accepted=5, rejected=1, credited=5, to_credit=0
        )
        self.assert_on_hand(product, 993)
        self.assert_on_hand(product, 1, self.quarantine)
        self.assertEqual(sale_return.amount_credited, 605.0)
        self._assert_quiet(order)

    def test_whole_order_returned_in_one_go_closes(self):
        order = self._create_sale({'product': self.sold})
        invoices = order.invoice_ids
        sale_return = self._return_goods(order)
        self.assertEqual(sale_return.state, 'closed')
        self.assert_progress(sale_return, 'full', 'full', 'full')
        self.assertEqual(order.return_status, 'full')
        self.assert_fully_credited(invoices)
        self._assert_quiet(order)

    def test_raising_the_ordered_quantity_afterwards_plans_only_the_new_units(self):
        order = self._create_sale({'product': self.sold})
        self._return_goods(order, 3)
        order.order_line.product_uom_qty = 11
        planned = order.picking_ids.move_ids.filtered(lambda m: m.state not in ('done', 'cancel'))
        self.assertEqual(sum(planned.mapped('product_uom_qty')), 1)

    def test_raised_quantity_is_invoiced_alone(self):
        order = self._create_sale({'product': self.sold})
        self._return_goods(order, 3)
        order.order_line.product_uom_qty = 11
        self._deliver(order)
        self.assertEqual(order.order_line.qty_to_invoice, 1)
        invoice = self._invoice(order)
        self.assertEqual(invoice.invoice_line_ids.quantity, 1)
        self._assert_quiet(order)

    def test_raising_the_quantity_while_goods_wait_plans_only_the_new_units(self):
        order = self._create_sale({'product': self.sold})
        sale_return = self._create_return(order, 3)
        self._receive(sale_return)
        order.order_line.product_uom_qty = 12
        planned = order.picking_ids.move_ids.filtered(lambda m: m.state not in ('done', 'cancel'))
        self.assertEqual(sum(planned.mapped('product_uom_qty')), 2)

    def test_ledger_equals_stock_after_restock_and_scrap(self):
        order = self._create_sale({'product': self.sold})
        sale_return = self._create_return(order, 5)
        self._receive(sale_return)
        self._inspect(sale_return, (3, 'restock'), (2, 'scrap'))
        self.assert_ledger_balanced()

    def test_ledger_equals_stock_after_send_back(self):
        order = self._create_sale({'product': self.sold})
        sale_return = self._create_return(order, 5)
        self._receive(sale_return)
        self._inspect(sale_return, (2, 'restock'), (3, 'send_back'))
        self._process(sale_return.transfer_ids.filtered(lambda p: p.state != 'done'))
        self.assert_ledger_balanced()

    def test_log_tells_every_step_and_who_did_it(self):
        sale_return = self._return_goods(self._create_sale({'product': self.sold}), 2)
        events = sale_return.event_ids.sorted('id')
        self.assertEqual(
            [(event.kind, event.state_to) for event in events],
            [
                ('state', 'submitted'),
                ('state', 'approved'),
                ('receipt_created', False),
                ('received', False),
                ('inspected', False),
                ('credited', False),
                ('state', 'closed'),
            ],
        )
        self.assertEqual(events.user_id, self.staff)

    def test_documents_show_each_other(self):
        order = self._create_sale({'product': self.sold})
        invoice = order.invoice_ids
        sale_return = self._return_goods(order, 2)
        note = sale_return.credit_note_ids
        self.assertEqual(sale_return.sale_order_ids, order)
        self.assertEqual(order.return_ids, sale_return)
        self.assertEqual(order.return_count, 1)
        self.assertEqual(note.sale_return_ids, sale_return)
        self.assertEqual(invoice.sale_return_ids, sale_return)
        self.assertEqual(sale_return.picking_ids.sale_return_id, sale_return)
        self.assertEqual(sale_return.transfer_ids.sale_return_id, sale_return)
        self.assertEqual(
            sale_return.picking_ids.picking_type_id, self.warehouse.sale_return_type_id
        )

    def test_approval_makes_exactly_one_receipt_linked_to_the_deliveries(self):
        order = self._create_order({'quantity': 10}, {'product': self.product_on_order})
        self._deliver(order, 4)
        self._deliver(order)
        sale_return = self._create_return(order, 10)
        moves = sale_return.picking_ids.move_ids
        self.assertEqual(len(sale_return.picking_ids), 1)
        self.assertEqual(sorted(moves.mapped('product_uom_qty')), [4, 4, 6, 6])
        self.assertTrue(all(moves.mapped('origin_returned_move_id')))
        self.assertEqual(moves.location_dest_id, self.quarantine)


@tagged('post_install', '-at_install')
class TestFlowFullReturnDelivered(FullReturnCases, SaleReturnCommon):
    invoice_policy = 'delivery'


@tagged('post_install', '-at_install')
class TestFlowFullReturnOrdered(FullReturnCases, SaleReturnCommon):
    invoice_policy = 'order'
