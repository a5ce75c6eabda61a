from odoo.tests import tagged

from ..common_reconciliation import ReconciliationCommon


@tagged('post_install', '-at_install')
class TestKnownLater(ReconciliationCommon):
    """What becomes known after the credit: lost goods that come, and a worse condition."""

    ready_sales = 1

    def _receive_too_much(self, sale_return, quantity):
        """Receive more than is expected, and accept it."""
        self._receive(sale_return, quantity)
        self._call(self.staff, sale_return.discrepancy_ids, 'action_resolve', 'accept')
        self.env.invalidate_all()
        sale_return.action_inspect_all('restock')

    def _get_credited(self, order):
        notes = order.return_ids.credit_note_ids.filtered(lambda note: note.state == 'posted')
        return sum(notes.mapped('amount_untaxed'))

    # === LOST GOODS COME === #

    def test_surplus_of_goods_credited_as_missing_is_not_credited_again(self):
        """10 sold, 2 credited as missing; 4 are announced and 6 come: 2 + 4, and the cost of 2."""
        for release in ('inspection', 'receipt'):
            with self.subTest(release=release):
                self._create_policy(release_event=release)
                order = self._create_sale()
                self._create_approved_return(order, 2, self.reason_missing)
                sale_return = self._create_return(order, 4)
                self._receive_too_much(sale_return, 6)
                self.assertEqual(sale_return.line_ids.qty_received, 6)
                self.assertEqual(self._get_credited(order), 600.0)
                self.assertEqual(sale_return.state, 'closed')
                self.assert_nothing_to_invoice(order)
                sale_return.action_create_credit_notes()
                self.assertEqual(self._get_credited(order), 600.0)
                row = self._refresh()[-1:]
                self.assert_row(row, 'cost_difference', cause='missing_came')
                self.assertEqual(abs(row.amount_difference), 120.0)

    def test_no_more_is_accepted_than_was_sold(self):
        """2 credited as missing; 8 are announced and all 10 come: two stay the customer's."""
        order = self._create_sale()
        self._create_approved_return(order, 2, self.reason_missing)
        sale_return = self._create_return(order, 8)
        self._receive(sale_return, 10)
        with self.assert_refused("would be returned or held"):
            self._call(self.staff, sale_return.discrepancy_ids, 'action_resolve', 'accept')
        self.env.invalidate_all()
        sale_return.action_inspect_all('restock')
        self.assertEqual(self._get_credited(order), 1000.0)
        self.assertEqual(sale_return.discrepancy_ids.state, 'open')
        self.assertEqual(sale_return.state, 'approved')
        self.assert_nothing_to_invoice(order)

    def test_surplus_beyond_what_was_missing_is_credited(self):
        """2 credited as missing; 3 are announced and 6 come: 2 + 3 + 1."""
        order = self._create_sale()
        self._create_approved_return(order, 2, self.reason_missing)
        self._receive_too_much(self._create_return(order, 3), 6)
        self.assertEqual(self._get_credited(order), 600.0)

    def test_announced_goods_are_credited_beside_missing_ones(self):
        order = self._create_sale()
        self._create_approved_return(order, 2, self.reason_missing)
        self._return_goods(order, 8)
        self.assertEqual(self._get_credited(order), 1000.0)
        self.assertFalse(self._refresh())

    def test_surplus_of_goods_written_off_is_not_credited_again(self):
        """5 credited on approval, 3 come, 2 are written off; then 3 announced and 5 come: 8."""
        self._create_policy(release_event='approval')
        order = self._create_sale()
        first = self._create_return(order, 5)
        self._receive(first, 3)
        first.action_inspect_all('restock')
        first.action_close("Lost.")
        self.assert_row(self._refresh(), 'credited_not_received', qty_difference=2)
        self._create_policy(release_event='inspection', sequence=-300)
        self._receive_too_much(self._create_return(order, 3), 5)
        self.assertEqual(self._get_credited(order), 800.0)
        self.assertFalse(self._refresh())
        self.assert_ledger_balanced()

    # === THE CONDITION IS WORSE === #

    def test_condition_found_after_the_credit_stands_on_the_list(self):
        self._create_policy(release_event='receipt')
        worn = self.env['sale.return.grade'].create(
            {'name': "Worn", 'code': 'W', 'credit_ratio': 0.5, 'company_id': self.company.id}
        )
        order = self._create_sale()
        sale_return = self._create_return(order, 4)
        self._receive(sale_return)
        self.assertEqual(self._get_credited(order), 400.0)
        self.assertFalse(self._refresh())
        self._inspect(sale_return, {'quantity': 4, 'disposition': 'restock', 'grade': worn.id})
        self.assertEqual(self._get_credited(order), 400.0)
        row = self.assert_row(
            self._refresh(), 'note_difference', cause='fees', amount_difference=242.0
        )
        self.assertIn("condition of the goods", row.explanation)
        # The way out: the note is reversed, and the return credited at the condition found.
        sale_return.credit_note_ids._reverse_moves([{}], cancel=True)
        sale_return.action_create_credit_notes()
        alive = sale_return.credit_note_ids.filtered(lambda note: not note._is_reversed_credit())
        self.assertEqual(sum(alive.mapped('amount_untaxed')), 200.0)
        self.assertFalse(self._refresh())

    def test_condition_that_takes_nothing_off_is_no_difference(self):
        self._create_policy(release_event='receipt')
        sale_return = self._create_return(self._create_sale(), 4)
        self._receive(sale_return)
        grade = self.env.ref('sale_return.grade_a')
        self._inspect(sale_return, {'quantity': 4, 'disposition': 'restock', 'grade': grade.id})
        self.assertFalse(self._refresh())

    # === DISCOUNTS OF THE FIRST INVOICE === #

    def test_goods_give_what_their_invoice_has_charged_for_them(self):
        """10 × 100 less 60, 4 and 6 invoiced, the first with all of the discount: 4 × 85, 6 × 100.

        However many come at once, no more is credited than was charged for as many.
        """
        for parts in ([1] * 10, [4, 6], [6, 4], [10], [3, 3, 4], [5, 5]):
            with self.subTest(parts=parts):
                order = self._create_order(
                    {}, {'product': self.service, 'quantity': 1, 'price': -60.0}
                )
                for quantity in (4, 6):
                    self._deliver(order, quantity)
                    self._invoice(order)
                billed = order.invoice_ids.sorted('id').mapped('amount_untaxed')
                self.assertEqual(billed, [340.0, 600.0])
                prices = [85.0] * 4 + [100.0] * 6
                credited = 0
                for quantity in parts:
                    back = self._return_goods(order.order_line[0], quantity)
                    mine = sum(back.credit_note_ids.mapped('amount_untaxed'))
                    expected = sum(prices[credited : credited + quantity])
                    self.assertAlmostEqual(mine, expected, 2)
                    credited += quantity
                self.assertEqual(self._get_credited(order), 940.0)
                self.assert_nothing_to_invoice(order)
        self.assertFalse(self._refresh())
