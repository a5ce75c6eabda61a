from odoo.tests import tagged

from ..common_exchange import ExchangeCommon


@tagged('post_install', '-at_install')
class TestExchangeOrder(ExchangeCommon):
    """Effects of exchanging for another size: an order, a hold, a settlement."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_paid_sale({'product': cls.medium, 'quantity': 2})

    def test_the_order_is_on_the_terms_of_the_original(self):
        sale_return = self._create_exchange(self.order.order_line, self.large, 2)
        line = sale_return.line_ids
        order = line.exchange_order_id
        self.assertEqual(order.exchange_return_id, sale_return)
        self.assertEqual(order.state, 'draft')
        for name in (
            'partner_id',
            'partner_invoice_id',
            'partner_shipping_id',
            'company_id',
            'warehouse_id',
            'pricelist_id',
            'currency_id',
            'payment_term_id',
        ):
            self.assertEqual(order[name], self.order[name], name)
        self.assertEqual(order.order_line.product_id, self.large)
        self.assertEqual(order.order_line.product_uom_qty, 2)
        self.assertEqual(order.order_line.price_unit, 100.0)
        self.assertEqual(order.order_line.tax_ids, self.tax_21)
        self.assertEqual(self._get_held(sale_return), {self.large: 2.0})
        self.assertEqual((line.size_had_id.name, line.size_wanted_id.name), ('M', 'L'))

    def test_even_exchange_from_the_request_to_the_delivery(self):
        sale_return = self._create_exchange(self.order.order_line, self.large, 2)
        preview = sale_return.preview_credit()[sale_return.id]
        self.assertEqual(preview['exchange'][0]['total'], 242.0)
        self.assertEqual(preview['difference'], 0.0)
        self._receive(sale_return)
        self.assertEqual(sale_return.exchange_order_ids.state, 'draft')
        sale_return.action_inspect_all('restock')
        order = sale_return.exchange_order_ids
        self.assertEqual(order.state, 'sale')
        self.assertEqual(self._get_held(sale_return), {})
        self.assertEqual(order.picking_ids.move_ids.mapped('state'), ['assigned'])
        self.assertEqual(self._get_money(sale_return), (242.0, 242.0, 0.0, 0.0))
        self.assertEqual(order.invoice_ids.payment_state, 'paid')
        # Notes that were logged together are the ones that Odoo posts.
        notes = [str(body) for body in order.picking_ids.message_ids.mapped('body')]
        self.assertEqual(len([body for body in notes if order.name in body]), 1)
        paid = [f"Invoice {order.invoice_ids.name} paid" in str(m.body) for m in order.message_ids]
        self.assertEqual(sum(paid), 1)
        self._deliver(order)
        self.assert_sold(order.order_line, 2, 2)
        self.assert_sold(self.order.order_line, 0, 0)
        self.assertEqual(sale_return.state, 'closed')
