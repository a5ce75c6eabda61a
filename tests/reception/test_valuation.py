from odoo.tests import tagged

from ..common import SaleReturnCommon

LEAN = {
    "valuation without purchases": (
        'test_return_after_the_cost_has_changed',
        'test_standard_price_changed_between_sale_and_return',
        'test_return_before_the_invoice',
        'test_half_a_dozen_takes_back_the_cost_of_six',
        'test_periodic_valuation_posts_no_cost',
    ),
}


@tagged('post_install', '-at_install')
class TestValuation(SaleReturnCommon):
    """I9: after a finished return the ledger has moved as the stock has.

    The gap is stock value less ledger: goods bought here and never billed. It is the same before
    and after a return, if the note reverses the cost at which the goods came in.
    """

    METHODS = ('standard', 'average', 'fifo')

    def _create_bought(self, method):
        """Buy 10 at 10 and 10 at 20 of a new product (standard: at its cost of 10)."""
        self.category.property_cost_method = method
        product = self._create_product("Bought", tracking='lot', standard_price=10.0)
        product.tracking = 'none'
        self._buy(product, 10, 10)
        self._buy(product, 10, 10 if method == 'standard' else 20)
        return product

    def _each(self):
        """Yield a product per cost method, each in a sub-test."""
        for method in self.METHODS:
            with self.subTest(method=method):
                yield method, self._create_bought(method)

    def _assert_gap(self, gap, difference=0.0):
        self.assertAlmostEqual(self._get_value_not_in_ledger() - gap, difference, 2)

    def test_return_after_the_cost_has_changed(self):
        for _method, product in self._each():
            order = self._create_sale({'product': product, 'quantity': 12})
            self._buy(product, 5, 33)
            gap = self._get_value_not_in_ledger()
            self._return_goods(order, 5)
            self._assert_gap(gap)

    def test_standard_price_changed_between_sale_and_return(self):
        """Odoo brings goods in at the cost they left with, and values them at the new one."""
        product = self._create_bought('standard')
        order = self._create_sale({'product': product, 'quantity': 12})
        product.standard_price = 15
        gap = self._get_value_not_in_ledger()
        note = self._return_goods(order, 5).credit_note_ids
        self.assertEqual(self._get_cost(note), 50.0)
        # 5 × (15 - 10): a revaluation that no credit note may contain.
        self._assert_gap(gap, 25.0)

    def test_scrapped_after_the_return(self):
        for _method, product in self._each():
            order = self._create_sale({'product': product, 'quantity': 12})
            gap = self._get_value_not_in_ledger()
            sale_return = self._create_return(order, 5)
            self._receive(sale_return)
            self._inspect(sale_return, (3, 'restock'), (2, 'scrap'))
            self._assert_gap(gap)

    def test_return_before_the_invoice(self):
        for _method, product in self._each():
            order = self._create_order({'product': product, 'quantity': 12})
            gap = self._get_value_not_in_ledger()
            self._deliver(order)
            self._return_goods(order, 5)
            self._invoice(order)
            self._assert_gap(gap)

    def test_invoice_before_the_delivery(self):
        for _method, product in self._each():
            product.invoice_policy = 'order'
            order = self._create_order({'product': product, 'quantity': 8})
            gap = self._get_value_not_in_ledger()
            self._invoice(order)
            self._deliver(order)
            self._return_goods(order, 5)
            if product.cost_method != 'fifo':  # the invoice could not know which goods would leave
                self._assert_gap(gap)

    def test_several_deliveries_on_one_invoice(self):
        """Under FIFO this Odoo takes back the average of the invoice."""
        for method, product in self._each():
            order = self._create_order({'product': product, 'quantity': 15})
            self._deliver(order, 8)
            self._deliver(order)
            self._invoice(order)
            gap = self._get_value_not_in_ledger()
            note = self._return_goods(order, 3).credit_note_ids
            if method != 'fifo':
                self._assert_gap(gap)
                continue
            # Left: 8 at 10, then 2 at 10 and 5 at 20, 200 in all. 3 of the first are worth 30.
            self.assertEqual(self._get_cost(note), 40.0)
            self._assert_gap(gap, -10.0)

    def test_nothing_comes_back(self):
        for _method, product in self._each():
            order = self._create_sale({'product': product, 'quantity': 12})
            gap = self._get_value_not_in_ledger()
            note = self._create_approved_return(order, 5, self.reason_missing).credit_note_ids
            self.assertEqual(self._get_cost(note), 0.0)
            self._assert_gap(gap)

    def test_kept_goods_reverse_no_cost(self):
        product = self._create_bought('fifo')
        order = self._create_sale({'product': product, 'quantity': 12})
        gap = self._get_value_not_in_ledger()
        sale_return = self._create_return(order, 5)
        self._inspect(sale_return, (2, 'keep'))
        self._receive(sale_return)
        self._inspect(sale_return, (3, 'restock'))
        # 12 left for 140: 3 of them are 35.
        self.assertEqual(self._get_cost(sale_return.credit_note_ids), 35.0)
        self._assert_gap(gap)

    def test_half_a_dozen_takes_back_the_cost_of_six(self):
        for _method, product in self._each():
            order = self._create_sale(
                {'product': product, 'quantity': 1, 'product_uom_id': self.dozen.id}
            )
            invoice = order.invoice_ids
            gap = self._get_value_not_in_ledger()
            sale_return = self._return_goods(order, 0.5)
            self.assertEqual(
                self._get_cost(sale_return.credit_note_ids), -self._get_cost(invoice) / 2
            )
            self._assert_gap(gap)

    def test_periodic_valuation_posts_no_cost(self):
        self.category.property_valuation = 'periodic'
        for _method, product in self._each():
            order = self._create_sale({'product': product, 'quantity': 12})
            value = product.total_value
            note = self._return_goods(order, 5).credit_note_ids
            self.assertFalse(note.line_ids.filtered(lambda l: l.display_type == 'cogs'))
            product.invalidate_recordset()
            self.assertGreater(product.total_value, value)

    def _get_cost(self, moves):
        """Return the cost of goods that notes put back into stock (invoices: below zero)."""
        account = self.company.account_stock_valuation_id
        cost = moves.line_ids.filtered(
            lambda l: l.display_type == 'cogs' and l.account_id == account
        )
        return round(sum(cost.mapped('balance')), 2)
