from odoo.tests import tagged

from ..common import SaleReturnCommon


@tagged('post_install', '-at_install')
class TestFlowOrderLowered(SaleReturnCommon):
    """Salespeople who lower an order to what the customer keeps, as without Returns."""

    def _lower(self, product):
        """Sell 10, credit 4 that come back, lower the order to 6."""
        order = self._create_sale({'product': product})
        self._return_goods(order, 4)
        order.order_line.product_uom_qty = 6
        return order

    def _get_planned(self, order):
        moves = order.order_line.move_ids.filtered(lambda m: m.state not in ('done', 'cancel'))
        return [(move.location_dest_id.usage, move.product_uom_qty) for move in moves]

    def test_nothing_is_credited_or_asked_back_a_second_time(self):
        for product in (self.product, self.product_on_order):
            with self.subTest(product=product.name):
                order = self._lower(product)
                self.assert_sold(order.order_line, delivered=6, invoiced=6)
                self.assert_nothing_to_invoice(order)
                self.assertEqual(self._get_planned(order), [])
                self.assertEqual(order.amount_to_invoice, 0.0)

    def test_what_the_order_is_raised_by_is_delivered_and_billed(self):
        for product in (self.product, self.product_on_order):
            with self.subTest(product=product.name):
                order = self._lower(product)
                order.order_line.product_uom_qty = 8
                self.assertEqual(self._get_planned(order), [('customer', 2.0)])
                self._deliver(order)
                self.assert_sold(order.order_line, delivered=8, invoiced=6, to_invoice=2)
                self._invoice(order)
                self.assert_sold(order.order_line, delivered=8, invoiced=8)
                self._return_goods(order, 8)
                invoices = order.invoice_ids.filtered(lambda m: m.move_type == 'out_invoice')
                self.assertEqual(sum(invoices.mapped('amount_residual')), 0.0)
                self.assert_nothing_to_invoice(order)

    def test_goods_shipped_beyond_the_order_come_back_without_a_credit(self):
        order = self._create_order({'product': self.product_on_order})
        self._deliver(order, 12)
        self._invoice(order)
        sale_return = self._return_goods(order, 2)
        self.assertFalse(sale_return.credit_note_ids)
        self.assert_sold(order.order_line, delivered=10, invoiced=10)
        self.assert_nothing_to_invoice(order)
        self.assertEqual(self._get_planned(order), [])
