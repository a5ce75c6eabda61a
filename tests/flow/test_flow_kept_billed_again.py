from odoo.tests import tagged

from ..common import SaleReturnCommon


@tagged('post_install', '-at_install')
class TestFlowKeptBilledAgain(SaleReturnCommon):
    """Credits without goods that accountants bill again: the stock account stays out of it."""

    def _bill_again(self, note, part):
        invoice = self._reverse(note, post=False)
        for line in invoice.invoice_line_ids:
            line.quantity *= part
        invoice.action_post()
        return invoice

    def _get_cost(self, *moves):
        """Return what documents book as cost of goods."""
        lines = self.env['account.move'].union(*moves).line_ids
        costs = lines.filtered(lambda line: line.display_type == 'cogs' and line.balance > 0)
        return sum(costs.mapped('balance'))

    def test_missing_goods_that_are_billed_again_cost_nothing(self):
        for part in (1.0, 0.5):
            sale_return = self._create_approved_return(self._create_sale(), 2, self.reason_missing)
            again = self._bill_again(sale_return.credit_note_ids, part)
            with self.subTest(part=part):
                self.assert_quantities(sale_return.line_ids, credited=2 - 2 * part)
                self.assertEqual(self._get_cost(again), 0.0)
                self.assert_ledger_balanced()
                sale_return.action_create_credit_notes()
                self.assert_quantities(sale_return.line_ids, credited=2)
                self.assertEqual(self._get_cost(sale_return.credit_note_ids), 0.0)
                self.assert_ledger_balanced()

    def test_goods_that_come_back_cost_as_ever_beside_goods_that_are_kept(self):
        sale_return = self._create_return(self._create_sale(), 6)
        self._inspect(sale_return, (2, 'keep'))
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        notes = sale_return.credit_note_ids
        self.assertEqual((self._get_cost(notes), len(notes)), (240.0, 2))
        again = [self._bill_again(note, 0.5) for note in notes]
        self.assertEqual(self._get_cost(*again), 120.0)
        self.assert_quantities(sale_return.line_ids, credited=3)
        sale_return.action_create_credit_notes()
        self.assertEqual(self._get_cost(sale_return.credit_note_ids - notes), 120.0)
        self.assert_ledger_balanced()
        self.assertEqual([invoice.amount_residual for invoice in again], [0.0, 0.0])

    def test_kept_and_returned_on_one_note_are_billed_again_each_as_it_is(self):
        self._configure(sale_return_auto_credit=False)
        sale_return = self._create_return(self._create_sale(), 6)
        self._inspect(sale_return, (2, 'keep'))
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        sale_return.action_create_credit_notes()
        note = sale_return.credit_note_ids
        self.assertEqual(note.invoice_line_ids.mapped('quantity'), [2, 4])
        again = self._bill_again(note, 0.5)
        self.assertEqual(self._get_cost(again), 120.0)
        self.assertEqual([line._get_qty_reversed() for line in note.invoice_line_ids], [1, 2])
        sale_return.action_create_credit_notes()
        new = sale_return.credit_note_ids - note
        self.assertEqual(new.reversed_entry_id, again)
        self.assertEqual(self._get_cost(new), 120.0)
        self.assert_ledger_balanced()
