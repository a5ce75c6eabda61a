from odoo.tests import tagged

from ..common import SaleReturnCommon


@tagged('post_install', '-at_install')
class TestFlowNothingComesBack(SaleReturnCommon):
    """Missing goods and services: no receipt, and the approval is the acceptance."""

    def test_missing_goods_are_credited_at_the_approval(self):
        order = self._create_sale()
        sale_return = self._create_approved_return(order, 2, self.reason_missing)
        self.assertFalse(sale_return.picking_ids)
        self.assertFalse(sale_return.line_ids.return_expected)
        self.assert_quantities(sale_return.line_ids, accepted=2, received=0, credited=2)
        self.assert_progress(sale_return, 'no', 'no', 'full')
        self.assertEqual(sale_return.state, 'closed')

    def test_missing_goods_wait_for_the_approval(self):
        sale_return = self._create_return(self._create_sale(), 2, self.reason_missing)
        self.assertFalse(sale_return.credit_note_ids)
        sale_return.action_approve()
        self.assert_quantities(sale_return.line_ids, credited=2)

    def test_missing_goods_are_neither_billed_nor_delivered_again(self):
        for product in (self.product, self.product_on_order):
            order = self._create_sale({'product': product})
            self._create_approved_return(order, 2, self.reason_missing)
            self.assert_sold(order.order_line, delivered=10, invoiced=8)
            self.assert_nothing_to_invoice(order)
            self.assert_nothing_to_deliver(order)

    def test_new_units_are_billed_alone_after_a_credit_without_goods(self):
        for product in (self.product, self.product_on_order):
            order = self._create_sale({'product': product})
            self._create_approved_return(order, 2, self.reason_missing)
            order.order_line.product_uom_qty = 11
            self._deliver(order)
            self.assertEqual(order.order_line.qty_to_invoice, 1)
            self._invoice(order)
            self.assert_nothing_to_invoice(order)

    def test_everything_credited_without_goods_is_not_billed_again(self):
        for product in (self.product, self.product_on_order):
            order = self._create_sale({'product': product})
            invoice = order.invoice_ids
            self._create_approved_return(order, 10, self.reason_missing)
            self.assert_fully_credited(invoice)
            self.assert_nothing_to_invoice(order)

    def test_goods_credited_as_missing_are_not_credited_again(self):
        order = self._create_sale()
        invoice = order.invoice_ids
        self._create_approved_return(order, 10, self.reason_missing)
        with self.assert_refused("Lower the quantity"):
            self._create_return(order, 1)
        self.assert_fully_credited(invoice)
        self.assert_nothing_to_invoice(order)

    def test_service_is_credited_at_the_approval(self):
        order = self._create_order({'product': self.service})
        invoice = self._invoice(order)
        sale_return = self._create_approved_return(order, 10)
        self.assertFalse(sale_return.picking_ids)
        self.assert_fully_credited(invoice)
        self.assertEqual(sale_return.state, 'closed')
        self.assert_nothing_to_invoice(order)

    def test_more_of_a_service_than_invoiced_is_refused(self):
        order = self._create_order({'product': self.service})
        self._invoice(order)
        self._create_approved_return(order, 8)
        self.assertEqual(order.order_line.qty_returnable, 2)
        with self.assert_refused("would be returned"):
            self._create_return(order, 3)

    def test_uninvoiced_service_cannot_be_returned(self):
        order = self._create_order({'product': self.service})
        with self.assert_refused():
            self._create_return(order, 1)

    def test_goods_and_services_in_one_return(self):
        order = self._create_sale({}, {'product': self.service, 'price': 50})
        sale_return = self._create_approved_return(order, 2)
        goods, service = sale_return.line_ids
        self.assertEqual(sale_return.picking_ids.move_ids.product_id, self.product)
        self.assert_quantities(service, credited=2)
        self.assert_quantities(goods, credited=0)
        self._receive(sale_return)
        self._inspect_goods(goods)
        self.assertEqual(sale_return.state, 'closed')
        self.assertEqual(sum(sale_return.credit_note_ids.mapped('amount_untaxed')), 300.0)
        self.assert_nothing_to_invoice(order)

    def _inspect_goods(self, line):
        line.register_inspection([{'quantity': 2, 'disposition': 'restock'}])

    def test_consumables_come_back_like_goods(self):
        order = self._create_sale({'product': self.consumable})
        invoice = order.invoice_ids
        sale_return = self._return_goods(order, 10)
        self.assertEqual(sale_return.state, 'closed')
        self.assert_fully_credited(invoice)
        self.assert_nothing_to_invoice(order)
