from odoo.tests import tagged

from ..common import SaleReturnCommon


@tagged('post_install', '-at_install')
class TestFlowSecondThoughts(SaleReturnCommon):
    """Later changes of notes by accountants: the rest is still credited."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.discount_product = cls._create_product(
            "Discount", type='service', is_storable=False, invoice_policy='order'
        )
        cls.untaxed = cls.env['account.tax']

    def _reverse_part(self, note, part):
        """Bill a part of a note again: less of the goods, less of what belongs to the order."""
        reversal = self._reverse(note, post=False)
        for line in reversal.invoice_line_ids:
            line['quantity' if line.sale_line_ids else 'price_unit'] *= part
        reversal.action_post()
        return reversal

    def _get_untaxed(self, *returns):
        notes = self.env['sale.return'].union(*returns).credit_note_ids
        return notes.sorted('id').mapped('amount_untaxed')

    # === BILLED AGAIN IN PART === #

    def test_note_with_a_discount_billed_again_in_part_comes_back_with_the_rest(self):
        """400 - 40 of 1000 - 100; half of it billed again and credited; then the other six."""
        discount = {'product': self.discount_product, 'quantity': 1, 'price': -100.0}
        order = self._create_sale({}, discount)
        goods, invoice = order.order_line[0], order.invoice_ids
        first = self._return_goods(goods, 4)
        reversal = self._reverse_part(first.credit_note_ids, 0.5)
        self.assertEqual(reversal.amount_untaxed, 180.0)
        first.action_create_credit_notes()
        second = self._return_goods(goods, 6)
        self.assertEqual(self._get_untaxed(first, second), [360.0, 180.0, 540.0])
        self.assertEqual((invoice.amount_residual, reversal.amount_residual), (0.0, 0.0))
        self.assert_nothing_to_invoice(order)

    def test_note_with_a_fee_billed_again_in_part_comes_back_with_the_rest(self):
        """400 - 40 kept back; half of it billed again: 200 - 20; the fee is 40 in all."""
        self.policy.restocking_fee_percent = 10
        order = self._create_sale()
        first = self._return_goods(order.order_line, 4, reason=self.reason_changed_mind)
        reversal = self._reverse_part(first.credit_note_ids, 0.5)
        first.action_create_credit_notes()
        second = self._return_goods(order.order_line, 6)
        self.assertEqual(self._get_untaxed(first, second), [360.0, 180.0, 600.0])
        self.assertEqual(reversal.amount_residual, 0.0)

    def test_note_of_used_goods_billed_again_in_part_keeps_back_no_more_than_before(self):
        """400 - 160 for 4 at 0.6; half of it billed again; then the other six, as new."""
        grade = self.env.ref('sale_return.grade_a').copy(
            {'name': "Used", 'code': 'second_used', 'credit_ratio': 0.6}
        )
        order = self._create_sale()
        first = self._create_return(order, 4)
        self._receive(first)
        first.action_inspect_all('restock', grade=grade.code)
        self._reverse_part(first.credit_note_ids, 0.5)
        first.action_create_credit_notes()
        second = self._return_goods(order, 6)
        self.assertEqual(self._get_untaxed(first, second), [240.0, 120.0, 600.0])
        self.assertEqual(first.line_ids._get_qty_withheld(), 1.6)
        invoice = order.invoice_ids.filtered(lambda m: m.move_type == 'out_invoice')
        self.assertEqual(sum(invoice.mapped('amount_residual')), 193.6)

    def test_other_returns_leave_goods_billed_again_to_the_return_of_the_note(self):
        """The other six come first: they are worth 600, the two that were reversed 180."""
        self.policy.restocking_fee_percent = 10
        order = self._create_sale()
        first = self._return_goods(order.order_line, 4, reason=self.reason_changed_mind)
        self._reverse_part(first.credit_note_ids, 0.5)
        second = self._return_goods(order.order_line, 6)
        first.action_create_credit_notes()
        self.assertEqual(self._get_untaxed(first, second), [360.0, 600.0, 180.0])

    # === PRICES === #

    def _correct_then_return(self, taxes):
        order = self._create_sale({'taxes': taxes})
        correction = self._reverse(order.invoice_ids, quantity=10, price=5)
        first = self._return_goods(order.order_line, 5)
        return order, correction, first

    def test_price_correction_that_is_reversed_later_is_given_back(self):
        for taxes in (self.tax_21, self.untaxed):
            with self.subTest(taxes=taxes.name):
                order, correction, first = self._correct_then_return(taxes)
                self._reverse(correction)
                second = self._return_goods(order.order_line, 5)
                self.assertEqual(self._get_untaxed(first, second), [475.0, 525.0])
                self.assert_nothing_to_invoice(order)

    def test_price_correction_that_stays_is_not_given_back(self):
        for taxes in (self.tax_21, self.untaxed):
            with self.subTest(taxes=taxes.name):
                order, _correction, first = self._correct_then_return(taxes)
                second = self._return_goods(order.order_line, 5)
                self.assertEqual(self._get_untaxed(first, second), [475.0, 475.0])

    def test_price_lowered_in_a_draft_is_not_given_back(self):
        self.policy.credit_posting = 'draft'
        for taxes in (self.tax_21, self.untaxed):
            with self.subTest(taxes=taxes.name):
                order = self._create_sale({'taxes': taxes})
                first = self._return_goods(order.order_line, 5)
                first.credit_note_ids.invoice_line_ids.price_unit = 90
                first.credit_note_ids.action_post()
                second = self._return_goods(order.order_line, 5)
                self.assertEqual(self._get_untaxed(first, second), [450.0, 500.0])

    # === FEES === #

    def _return_in_two_parts(self, remove=None):
        """4 of 10 come back, then the other 6; `remove` is a kind of line taken off the draft."""
        order = self._create_sale()
        sale_return = self._create_return(order, 10, reason=self.reason_changed_mind)
        self._receive(sale_return, 4)
        sale_return.action_inspect_all('restock')
        note = sale_return.credit_note_ids
        note.invoice_line_ids.filtered(lambda line: line.sale_return_kind == remove).unlink()
        note.action_post()
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        return sale_return

    def test_fixed_fee_that_was_taken_off_a_draft_is_not_charged_again(self):
        self.policy.write({'credit_posting': 'draft', 'restocking_fee_fixed': 20})
        self.assertEqual(self._get_untaxed(self._return_in_two_parts()), [380.0, 600.0])
        waived = self._return_in_two_parts(remove='restocking_fee')
        self.assertEqual(self._get_untaxed(waived), [400.0, 600.0])

    def test_freight_that_was_taken_off_a_draft_is_not_charged_again(self):
        self.policy.write({'credit_posting': 'draft', 'return_freight': 15})
        self.assertEqual(self._get_untaxed(self._return_in_two_parts()), [385.0, 600.0])
        waived = self._return_in_two_parts(remove='freight')
        self.assertEqual(self._get_untaxed(waived), [400.0, 600.0])

    def test_fixed_fee_is_converted_at_the_rate_of_its_note(self):
        """20.00 of the company are 40.00 EUR at the rate of the invoice, 80.00 EUR today."""
        self.policy.write({'release_event': 'approval', 'restocking_fee_fixed': 20})
        euro = self._setup_currency('EUR')
        lines = {'taxes': self.untaxed}
        orders = [self._create_sale(lines, pricelist_id=euro.id) for _setting in range(2)]
        self._set_rate(euro.currency_id, self._today(), 4.0)
        credited = []
        for rate, order in zip(('original', 'day'), orders, strict=True):
            self._configure(sale_return_rate=rate)
            sale_return = self._create_return(order, 10, reason=self.reason_changed_mind)
            credited += self._get_untaxed(sale_return)
        self.assertEqual(credited, [960.0, 920.0])
