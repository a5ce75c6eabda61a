from odoo.tests import tagged

from ..common import SaleReturnCommon


@tagged('post_install', '-at_install')
class TestFlowUninvoiced(SaleReturnCommon):
    """Goods that come back before they were invoiced are simply not billed."""

    def test_uninvoiced_goods_get_no_note_and_the_return_closes(self):
        order = self._create_order()
        self._deliver(order)
        sale_return = self._return_goods(order, 3)
        self.assertFalse(sale_return.credit_note_ids)
        self.assertEqual(sale_return.state, 'closed')
        self.assert_progress(sale_return, 'full', 'full', 'no')
        self.assert_sold(order.order_line, delivered=7, invoiced=0, to_invoice=7)

    def test_rest_is_billed_once(self):
        order = self._create_order()
        self._deliver(order)
        self._return_goods(order, 3)
        invoice = self._invoice(order)
        self.assertEqual(invoice.invoice_line_ids.quantity, 7)
        self.assert_nothing_to_invoice(order)
        self.assert_nothing_to_deliver(order)

    def test_rest_of_goods_invoiced_on_order_is_billed_once(self):
        order = self._create_order({'product': self.product_on_order})
        self._deliver(order)
        self._return_goods(order, 3)
        self.assertEqual(order.order_line.qty_to_invoice, 7)
        self.assertEqual(self._invoice(order).invoice_line_ids.quantity, 7)
        self.assert_nothing_to_invoice(order)

    def test_whole_uninvoiced_order_returned_leaves_nothing_to_do(self):
        for product in (self.product, self.product_on_order):
            order = self._create_order({'product': product})
            self._deliver(order)
            sale_return = self._return_goods(order)
            self.assertEqual(sale_return.state, 'closed')
            self.assert_nothing_to_invoice(order)
            self.assert_nothing_to_deliver(order)

    def test_partly_invoiced_goods_use_up_the_uninvoiced_ones_first(self):
        order = self._create_order()
        self._deliver(order, 6)
        invoice = self._invoice(order)
        self._deliver(order)
        sale_return = self._return_goods(order, 5)
        # 10 delivered, 6 invoiced: 4 were never billed, so 1 is credited.
        self.assert_quantities(sale_return.line_ids, accepted=5, credited=1)
        self.assertEqual(sale_return.credit_note_ids.reversed_entry_id, invoice)
        self.assertEqual(sale_return.state, 'closed')
        self.assert_sold(order.order_line, delivered=5, invoiced=5)
        self.assert_nothing_to_invoice(order)

    def test_partly_invoiced_goods_of_which_few_come_back_get_no_note(self):
        order = self._create_order()
        self._deliver(order, 6)
        self._invoice(order)
        self._deliver(order)
        sale_return = self._return_goods(order, 3)
        self.assertFalse(sale_return.credit_note_ids)
        self.assert_sold(order.order_line, delivered=7, invoiced=6, to_invoice=1)

    def test_invoiced_before_delivery_is_credited(self):
        order = self._create_order({'product': self.product_on_order})
        invoice = self._invoice(order)
        self._deliver(order, 4)
        sale_return = self._return_goods(order, 4)
        self.assert_quantities(sale_return.line_ids, credited=4)
        self.assertEqual(invoice.amount_residual, 726.0)
        self.assert_nothing_to_invoice(order)

    def test_rest_is_delivered_after_a_return_of_an_order_invoiced_before(self):
        order = self._create_order({'product': self.product_on_order})
        self._invoice(order)
        self._deliver(order, 4)
        self._return_goods(order, 4)
        planned = order.picking_ids.move_ids.filtered(lambda m: m.state not in ('done', 'cancel'))
        self.assertEqual(sum(planned.mapped('product_uom_qty')), 6)
        self._deliver(order)
        self.assert_nothing_to_invoice(order)

    def test_draft_invoice_that_is_posted_later_is_credited_then(self):
        order = self._create_order()
        self._deliver(order)
        invoice = self._invoice(order, post=False)
        sale_return = self._return_goods(order, 3)
        self.assertFalse(sale_return.credit_note_ids)
        self.assertEqual(sale_return.state, 'approved')
        invoice.action_post()
        self._run_credit_job()
        self.assert_quantities(sale_return.line_ids, credited=3)
        self.assertEqual(sale_return.credit_note_ids.reversed_entry_id, invoice)
        self.assertEqual(sale_return.state, 'closed')
        self.assert_nothing_to_invoice(order)

    def test_draft_invoice_that_is_deleted_leaves_nothing_to_credit(self):
        order = self._create_order()
        self._deliver(order)
        invoice = self._invoice(order, post=False)
        sale_return = self._return_goods(order, 3)
        invoice.unlink()
        sale_return.action_create_credit_notes()
        self.assertFalse(sale_return.credit_note_ids)
        self.assertEqual(sale_return.state, 'closed')
        self.assertEqual(order.order_line.qty_to_invoice, 7)

    def test_two_returns_share_what_was_never_billed(self):
        order = self._create_order()
        self._deliver(order, 6)
        self._invoice(order)
        self._deliver(order)
        first = self._return_goods(order, 3)
        second = self._return_goods(order, 3)
        self.assertEqual(first.line_ids.qty_credited, 0)
        self.assertEqual(second.line_ids.qty_credited, 2)
        self.assert_sold(order.order_line, delivered=4, invoiced=4)
        self.assert_nothing_to_invoice(order)

    def test_refused_goods_are_billed_when_they_are_sent_back(self):
        order = self._create_order()
        self._deliver(order)
        sale_return = self._create_return(order, 3)
        self._receive(sale_return)
        self._inspect(sale_return, (3, 'send_back'))
        self._process(sale_return.transfer_ids)
        self.assertEqual(sale_return.state, 'closed')
        self.assert_sold(order.order_line, delivered=10, invoiced=0, to_invoice=10)
        self.assertEqual(self._invoice(order).invoice_line_ids.quantity, 10)
        self.assert_nothing_to_invoice(order)

    def test_return_under_way_does_not_keep_the_order_from_being_invoiced(self):
        order = self._create_order()
        self._deliver(order)
        sale_return = self._create_return(order, 3)
        invoice = self._invoice(order)
        self.assertEqual(invoice.invoice_line_ids.quantity, 10)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assert_quantities(sale_return.line_ids, credited=3)
        self.assert_nothing_to_invoice(order)

    def test_goods_sent_back_and_returned_again_are_not_credited(self):
        order = self._create_order()
        self._deliver(order, 6)
        refused = self._create_return(order, 6)
        self._receive(refused)
        self._inspect(refused, (6, 'send_back'))
        self._process(refused.transfer_ids)
        again = self._return_goods(order, 3)
        self.assertFalse(again.credit_note_ids)
        self.assertEqual(again.state, 'closed')
        invoice = self._invoice(order)
        # The customer keeps 3, and pays them.
        self.assertEqual(invoice.invoice_line_ids.quantity, 3)
        self.assertFalse(again.action_create_credit_notes())
        self.assertEqual((again.state, again.line_ids.qty_credited), ('closed', 0))
        self.assert_sold(order.order_line, delivered=3, invoiced=3)
        self.assert_nothing_to_invoice(order)
