from odoo import Command
from odoo.tests import tagged
from odoo.tools import SQL

from ..common_reconciliation import ReconciliationCommon


class TieOutCommon(ReconciliationCommon):
    """Products that are bought at changing costs, in the currency of the company."""

    @classmethod
    def _create_costed(cls, method, *purchases, valuation='real_time', **values):
        """Create a product with its own cost method, bought as `(quantity, cost)` says."""
        category = cls.category.copy(
            {
                'name': f"{method} {valuation}",
                'property_cost_method': method,
                'property_valuation': valuation,
            }
        )
        product = cls.env['product.product'].create(
            {
                'name': f"{method.title()} Lamp",
                'type': 'consu',
                'is_storable': True,
                'categ_id': category.id,
                'list_price': 100.0,
                'invoice_policy': 'delivery',
                'taxes_id': [Command.clear()],
                **values,
            }
        )
        for quantity, cost in purchases:
            cls._buy(product, quantity, cost)
        return product

    @classmethod
    def _buy(cls, product, quantity, cost):
        """Bring goods into stock at a cost, without any bill."""
        move = cls.env['stock.move'].create(
            {
                'product_id': product.id,
                'product_uom_qty': quantity,
                'product_uom': product.uom_id.id,
                'location_id': cls.env.ref('stock.stock_location_suppliers').id,
                'location_dest_id': cls.stock.id,
                'company_id': cls.company.id,
            }
        )
        move._action_confirm()
        move.quantity = quantity
        move.picked = True
        move._action_done()
        move.value_manual = quantity * cost
        move._set_value()

    def _sell(self, product, *deliveries):
        """Sell a product, delivered in these quantities and invoiced once."""
        order = self._create_order({'product': product, 'quantity': sum(deliveries)})
        for quantity in deliveries:
            self._deliver(order, quantity)
        self._invoice(order)
        return order


@tagged('post_install', '-at_install')
class TestTieOut(TieOutCommon):
    """I9: the ledger follows the goods, or a row names product, return and difference."""

    def test_finished_returns_tie_out_for_each_cost_method(self):
        for method in ('standard', 'average', 'fifo'):
            product = self._create_costed(method, (10, 10.0), (10, 20.0), standard_price=10.0)
            order = self._sell(product, 12)
            for disposition in ('restock', 'scrap', 'restock'):
                self._return_goods(order, 3, disposition)
            with self.subTest(method=method):
                self.assertFalse(self._refresh().mapped('explanation'))

    def test_goods_that_are_not_counted_are_no_row(self):
        # Odoo values their moves, and books no cost of goods for them.
        self._return_goods(self._create_sale({'product': self.consumable}), 3)
        self.assertFalse(self._refresh().mapped('explanation'))

    def test_costs_that_do_not_divide_tie_out(self):
        product = self._create_costed('average', (7, 10.0), (4, 11.11))
        order = self._sell(product, 7)
        for quantity in (1, 3, 2, 1):
            self._return_goods(order, quantity)
        self.assertFalse(self._refresh().mapped('explanation'))

    def test_average_that_changed_since_the_sale_ties_out(self):
        product = self._create_costed('average', (10, 10.0))
        order = self._sell(product, 4)
        self._buy(product, 10, 50.0)
        self._return_goods(order, 2)
        self.assertFalse(self._refresh().mapped('explanation'))

    def test_goods_sent_back_at_another_cost_are_named(self):
        for method, moved in (('average', -66.67), ('fifo', -80.0)):
            product = self._create_costed(method, (2, 10.0))
            order = self._sell(product, 2)
            self._buy(product, 10, 50.0)
            sale_return = self._create_return(order, 2)
            self._receive(sale_return)
            sale_return.action_inspect_all('send_back')
            rows = self._refresh().filtered(lambda r, p=product: r.product_id == p)
            self.assertFalse(rows)  # the goods are still here
            self._process(sale_return.transfer_ids)
            rows = self._refresh().filtered(lambda r, p=product: r.product_id == p)
            with self.subTest(method=method):
                self.assert_row(
                    rows,
                    'cost_difference',
                    cause='left_again',
                    return_id=sale_return,
                    cost_moved=moved,
                    cost_reversed=0.0,
                    amount_difference=-moved,
                )
                self.assertIn("left again", rows.explanation)

    def test_standard_cost_that_changed_since_the_sale_is_named(self):
        product = self._create_costed('standard', standard_price=60.0)
        self._put_in_stock(product, 100)
        order = self._sell(product, 4)
        # Dates are kept to the second: in a fast test the sale would be as old as the new cost.
        self.env.flush_all()
        for table, days in (('product_value', 2), ('stock_move', 1)):
            self.env.cr.execute(
                SQL(
                    "UPDATE %s SET date = date - %s * interval '1 day' WHERE product_id = %s",
                    SQL.identifier(table),
                    days,
                    product.id,
                )
            )
        self.env.invalidate_all()
        product.standard_price = 80.0
        self._return_goods(order, 2)
        row = self.assert_row(
            self._refresh(),
            'cost_difference',
            cause='standard_changed',
            cost_moved=160.0,
            cost_reversed=120.0,
            amount_difference=-40.0,
        )
        self.assertIn("standard cost", row.explanation)

    def test_wrong_cost_of_goods_billed_in_parts_is_named(self):
        """Dozens in two invoices: Odoo posts the cost of the second one in a wrong unit."""
        product = self._create_costed('standard', standard_price=5.0)
        self._put_in_stock(product, 100)
        dozen = self.env.ref('uom.product_uom_dozen')
        order = self._create_order({'product': product, 'quantity': 2, 'product_uom_id': dozen.id})
        for _part in range(2):
            self._deliver(order, 12)
            self._invoice(order)
        self._return_goods(order, 2)
        row = self.assert_row(self._refresh(), 'cost_difference', cost_moved=120.0)
        self.assertEqual(row.cause, 'billed_in_parts')
        self.assertIn("billed in parts", row.explanation)

    def test_goods_sent_back_at_the_same_cost_are_no_cause(self):
        """What Odoo posted wrongly stays the cause when a part of the goods left again."""
        product = self._create_costed('standard', standard_price=5.0)
        self._put_in_stock(product, 100)
        order = self._create_order(
            {'product': product, 'quantity': 2, 'product_uom_id': self.dozen.id}
        )
        for _part in range(2):
            self._deliver(order, 12)
            self._invoice(order)
        sale_return = self._create_return(order, 2)
        self._receive(sale_return)
        self._inspect(sale_return, (1.5, 'scrap'), (0.5, 'send_back'))
        self._process(sale_return.transfer_ids.filtered(lambda p: p.state != 'done'))
        row = self.assert_row(self._refresh(), 'cost_difference', cost_moved=90.0)
        self.assertEqual(row.cause, 'billed_in_parts')

    def test_piece_billed_as_eight_hundredths_of_a_dozen_ties_out(self):
        """Odoo posts the cost of 0.96 pieces, and the note takes back as much."""
        product = self._create_costed('standard', standard_price=7.0)
        self._put_in_stock(product, 100)
        order = self._create_order(
            {'product': product, 'quantity': 1, 'product_uom_id': self.dozen.id}
        )
        self._deliver(order, 1)
        invoice = self._invoice(order)
        self.assertEqual(invoice.invoice_line_ids.quantity, 0.08)
        self._return_goods(order, 1 / 12)
        self.assertFalse(self._refresh().mapped('explanation'))

    def test_fifo_with_several_deliveries_names_product_return_and_difference(self):
        product = self._create_costed('fifo', (1, 10.0), (1, 20.0), (1, 60.0))
        order = self._sell(product, 1, 1, 1)
        sale_return = self._create_return(order, 1)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        value = sale_return.line_ids.move_ids.filtered('is_in').value
        self.assertNotEqual(value, 30.0)
        row = self.assert_row(
            self._refresh(),
            'cost_difference',
            cause='fifo_deliveries',
            return_id=sale_return,
            product_id=product,
            cost_moved=value,
            cost_reversed=30.0,
            amount_difference=30.0 - value,
            currency_id=self.currency,
        )
        for text in (product.name, sale_return.name, "Several deliveries"):
            self.assertIn(text, row.explanation)

    def test_one_delivery_under_fifo_ties_out(self):
        product = self._create_costed('fifo', (1, 10.0), (1, 20.0), (1, 60.0))
        self._return_goods(self._sell(product, 3), 1)
        self.assertFalse(self._refresh().mapped('explanation'))

    def test_users_of_returns_only_credit_goods_of_every_cost_method(self):
        # Posting the note updates the cost; with Manufacturing, Odoo reads bills of materials then.
        inspector = self._create_user('tie_out_inspector', 'sale_return.group_inspector')
        for method in ('standard', 'average', 'fifo'):
            product = self._create_costed(method, (3, 10.0), standard_price=10.0)
            sale_return = self._create_return(self._sell(product, 2), 2)
            self._receive(sale_return)
            sale_return.with_user(inspector).action_inspect_all('restock')
            with self.subTest(method=method):
                self.assertEqual(sale_return.credit_note_ids.state, 'posted')

    def test_rounding_of_parts_is_not_called_a_changed_cost(self):
        # 10 cost 0.15 and 9 of them 0.135, but 9 alone 0.1341.
        product = self._create_costed('standard', (10, 0.0149), standard_price=0.0149)
        self._return_goods(self._sell(product, 10), 9)
        row = self.assert_row(
            self._refresh(), 'cost_difference', cause='rounding', amount_difference=-0.01
        )
        self.assertIn("is rounded", row.explanation)

    def test_goods_shipped_again_for_missing_ones_are_named(self):
        order = self._create_sale()
        sale_return = self._create_return(order, 2, self.reason_missing, submit=False)
        sale_return.line_ids.resolution = 'replace'
        sale_return.action_submit()
        sale_return.action_approve()
        self._process(sale_return.transfer_ids)
        row = self.assert_row(
            self._refresh(), 'cost_difference', cause='replaced_missing', amount_difference=120.0
        )
        self.assertIn("although none came back", row.explanation)

    def test_periodic_products_post_no_cost_and_have_no_row(self):
        for method in ('standard', 'average', 'fifo'):
            product = self._create_costed(
                method, (10, 10.0), valuation='periodic', standard_price=10.0
            )
            order = self._sell(product, 2, 2)
            self._return_goods(order, 3)
        self.assertFalse(self._refresh().mapped('explanation'))

    def test_category_switched_to_real_time_after_the_invoice_is_named(self):
        product = self._create_costed('average', (10, 10.0), valuation='periodic')
        order = self._sell(product, 4)
        product.categ_id.property_valuation = 'real_time'
        self._return_goods(order, 2)
        row = self.assert_row(
            self._refresh(), 'cost_difference', cause='invoice_without_cost', amount_difference=20.0
        )
        self.assertIn("invoice posted no cost", row.explanation)

    def test_category_switched_to_real_time_after_the_note_is_no_row(self):
        """Neither invoice nor note booked a cost: the return took back what the sale did."""
        for method in ('standard', 'average', 'fifo'):
            product = self._create_costed(
                method, (10, 10.0), valuation='periodic', standard_price=10.0
            )
            self._return_goods(self._sell(product, 4), 2)
            product.categ_id.property_valuation = 'real_time'
        self.assertFalse(self._refresh().mapped('explanation'))

    def test_average_that_changed_between_delivery_and_invoice_is_no_row(self):
        """Odoo invoices 12 x 12 for goods that left at 10; what comes back takes its share along.

        By 6, 2 and 4 all comes back, and the account has what it had before the sale.
        """
        product = self._create_costed('average', (20, 10.0))
        before = self._get_gap(product)
        order = self._create_order({'product': product, 'quantity': 12})
        self._deliver(order)
        self._buy(product, 12, 13.33333)
        self._invoice(order)
        for quantity in (6, 2, 4):
            self._return_goods(order, quantity)
            self.assertFalse(self._refresh().mapped('explanation'))
        # The second purchase was not billed.
        self.assertAlmostEqual(self._get_gap(product), before + 160.0, 2)

    def test_note_of_goods_billed_at_another_average_is_compared(self):
        """A cost changed by hand is still a row."""
        product = self._create_costed('average', (20, 10.0))
        order = self._create_order({'product': product, 'quantity': 12})
        self._deliver(order)
        self._buy(product, 12, 13.33333)
        self._invoice(order)
        sale_return = self._return_goods(order, 6)
        costs = sale_return.credit_note_ids.line_ids.filtered(
            lambda line: line.display_type == 'cogs'
        )
        self.env.cr.execute(
            "UPDATE account_move_line SET balance = balance * 1.5 WHERE id IN %s",
            [tuple(costs.ids)],
        )
        self.env.invalidate_all()
        self.assertIn('cost_difference', self._refresh().mapped('kind'))

    def _get_gap(self, product):
        """Return by how much the goods are worth more than the account says."""
        self.env.invalidate_all()
        values = self.env['sale.return.tie.out'].sudo()._get_product_values(self.company, product)
        value, ledger = values[product]
        return value - ledger

    def test_standard_goods_delivered_from_another_company_tie_out(self):
        """Odoo stores the cost of the current company, and values the stock at that of its own."""
        product = self._create_costed('standard', standard_price=60.0)
        self._put_in_stock(product, 100)
        order = self._create_order({'product': product, 'quantity': 4})
        companies = self.foreign_companies[0] + self.company
        elsewhere = self._env_of(self.staff, companies)
        self._deliver(order.with_env(elsewhere))
        self.assertEqual(sum(order.picking_ids.move_ids.mapped('value')), 0.0)
        self._invoice(order)
        self._return_goods(order, 2)
        self.assertFalse(self._refresh().mapped('explanation'))

    def test_goods_kept_without_credit_are_named(self):
        sale_return = self._create_return(self._create_sale(), 2, submit=False)
        # Lines of earlier versions may have it.
        sale_return.line_ids._write_facts({'resolution': 'none'})
        sale_return.action_submit()
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assertEqual(sale_return.state, 'closed')
        row = self.assert_row(
            self._refresh(),
            'cost_difference',
            cause='kept_without_credit',
            amount_difference=-120.0,
        )
        self.assertIn("nothing was credited", row.explanation)

    def test_receipt_before_the_note_and_note_before_the_receipt_are_no_cost_differences(self):
        self._create_policy(release_event='dispatch_proof')
        order = self._create_sale()
        early = self._create_return(order, 2)
        early.action_register_dispatch('T1')
        self.assertEqual(self._refresh().mapped('kind'), ['credited_not_received'])
        self._receive(early)
        early.action_inspect_all('restock')
        self.assertFalse(self._refresh())

    def test_goods_scrapped_without_an_entry_are_named(self):
        sale_return = self._create_return(self._create_sale(), 3)
        self._receive(sale_return)
        # As an administrator of Inventory may do.
        self.company._get_sale_return_scrap_location().valuation_account_id = False
        sale_return.action_inspect_all('scrap')
        row = self.assert_row(
            self._refresh(),
            'cost_difference',
            cause='scrap_without_entry',
            return_id=sale_return,
            cost_moved=0.0,
            cost_reversed=180.0,
            amount_difference=180.0,
        )
        self.assertIn("without an entry", row.explanation)

    def test_scrap_that_was_corrected_ties_out(self):
        sale_return = self._return_goods(self._create_sale(), 3, 'scrap')
        sale_return.inspection_ids.action_correct(
            "It works.", results=[{'quantity': 3, 'disposition': 'restock'}]
        )
        self.assertFalse(self._refresh().mapped('explanation'))

    def test_goods_that_the_customer_keeps_are_no_difference(self):
        sale_return = self._create_return(self._create_sale(), 4)
        self._receive(sale_return, 3)
        self._inspect(sale_return, (3, 'restock'), (1, 'keep'))
        self.assertEqual(sale_return.line_ids.qty_credited_posted, 4)
        self.assertFalse(self._refresh().mapped('explanation'))

    def test_missing_goods_reverse_no_cost_and_tie_out(self):
        self._create_approved_return(self._create_sale(), 2, reason=self.reason_missing)
        self.assertFalse(self._refresh())

    def test_goods_never_invoiced_that_were_received_twice_tie_out(self):
        """The first receipt was undone, so its goods came once."""
        product = self._create_costed('average', (20, 10.0))
        order = self._create_order({'product': product, 'quantity': 10})
        self._deliver(order)
        sale_return = self._create_return(order, 4)
        self._receive(sale_return)
        self._process(self._return_in_inventory(sale_return.picking_ids, 4))
        self.assertEqual(sale_return.line_ids.qty_received, 0)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assertEqual(sale_return.line_ids.qty_received, 4)
        self.assertFalse(self._refresh().mapped('explanation'))

    def test_goods_never_invoiced_in_part_tie_out(self):
        product = self._create_costed('average', (20, 10.0))
        order = self._create_order({'product': product, 'quantity': 10})
        self._deliver(order, 6)
        self._invoice(order)
        self._deliver(order)
        self._return_goods(order, 7)
        self.assertFalse(self._refresh().mapped('explanation'))

    def test_dozens_tie_out(self):
        product = self._create_costed('average', (36, 10.0), (10, 13.0))
        order = self._create_order(
            {'product': product, 'quantity': 2, 'product_uom_id': self.dozen.id}
        )
        self._deliver(order)
        self._invoice(order)
        self._return_goods(order, 0.5)
        self.assertFalse(self._refresh().mapped('explanation'))

    def test_cancelled_note_brings_no_cost_difference(self):
        sale_return = self._return_goods(self._create_sale(), 4)
        self._reverse(sale_return.credit_note_ids)
        self.assertEqual(self._refresh().mapped('kind'), ['received_not_credited'])

    def test_form_shows_the_whole_product_as_a_second_check(self):
        product = self._create_costed('fifo', (1, 10.0), (1, 20.0), (1, 60.0))
        order = self._sell(product, 1, 1, 1)
        self._return_goods(order, 1)
        row = self._refresh()
        self.assertEqual(row.product_value, product.total_value)
        # Nothing was billed: the ledger has the sale and the credit only.
        self.assertEqual(row.product_ledger, -60.0)
