from odoo.tests import tagged

from ..common_refund import RefundCommon

LEAN = "the report without carriers"


@tagged('post_install', '-at_install')
class TestSignsOfDocuments(RefundCommon):
    """Reports take a line for what it does, whatever its document is called."""

    def _sum(self, order, *names):
        self.env.flush_all()
        rows = self.env['sale.return.report'].formatted_read_group(
            [('sale_line_id', 'in', order.order_line.ids)], [], [f'{name}:sum' for name in names]
        )
        return [rows[0][f'{name}:sum'] or 0.0 for name in names]

    def test_goods_billed_on_a_credit_note_are_worth_what_it_says(self):
        """Half of 1000 paid before, 4 billed at 90: a note of 140, and 360 for the four."""
        order = self._create_order({'taxes': self.tax_21.browse()})
        wizard = (
            self.env['sale.advance.payment.inv']
            .with_context(active_model='sale.order', active_ids=order.ids)
            .create({'advance_payment_method': 'percentage', 'amount': 50})
        )
        wizard.create_invoices()
        order.invoice_ids.action_post()
        self._deliver(order, 4)
        settled = order._create_invoices(final=True)
        goods = settled.invoice_line_ids.filtered(lambda line: line.product_id == self.product)
        goods.price_unit = 90.0
        settled.action_post()
        self.assertEqual((settled.move_type, settled.amount_total), ('out_refund', 140.0))
        self._return_goods(order.order_line[:1], 4)
        self.assertEqual(self._sum(order, 'value_returned', 'amount_credited'), [360.0, 360.0])

    def test_a_price_raised_by_a_second_invoice_is_no_second_lot_of_goods(self):
        order = self._create_sale()
        invoice = order.invoice_ids
        more = invoice.copy({'invoice_date': invoice.invoice_date})
        more.invoice_line_ids.price_unit = 5
        more.invoice_line_ids.sale_line_ids = order.order_line
        more.action_post()
        self._return_goods(order, 4)
        self.assertEqual(self._sum(order, 'value_returned', 'amount_credited'), [420.0, 420.0])

    def test_a_note_that_is_billed_again_in_part_credits_the_rest(self):
        order = self._create_sale()
        sale_return = self._return_goods(order, 4)
        self._reverse(sale_return.credit_note_ids, quantity=1)
        self.assertEqual(
            self._sum(order, 'qty_credited', 'amount_credited', 'value_returned'), [3, 300, 400]
        )
        sale_return.action_create_credit_notes()
        self.assertEqual(self._sum(order, 'qty_credited', 'amount_credited'), [4.0, 400.0])

    def test_a_note_that_is_billed_again_as_a_whole_credits_nothing(self):
        self._configure(sale_return_auto_credit=False)
        order = self._create_sale()
        sale_return = self._return_goods(order, 4)
        sale_return.action_create_credit_notes()
        sale_return.credit_note_ids._reverse_moves([{}], cancel=True)
        self.assertEqual(self._sum(order, 'qty_credited', 'amount_credited'), [0.0, 0.0])
