from odoo.tests import tagged

from ..common_credit import CreditCommon


@tagged('post_install', '-at_install')
class TestCreditByHand(CreditCommon):
    """I2 and I5: notes that an accountant makes, before, during and after a return."""

    def test_full_note_by_hand_leaves_nothing_to_credit(self):
        order = self._create_sale()
        self._reverse(order.invoice_ids)
        sale_return = self._create_return(order, 10)
        self.assertFalse(sale_return.credit_note_ids)
        self.assert_quantities(sale_return.line_ids, credited=0, to_credit=0)

    def test_part_credited_by_hand_is_not_credited_again(self):
        order = self._create_sale()
        invoice = order.invoice_ids
        self._reverse(invoice, quantity=8)
        self._create_return(order, 10)
        self.assert_fully_credited(invoice)

    def test_price_correction_lowers_what_is_credited(self):
        order = self._create_sale()
        invoice = order.invoice_ids
        self._reverse(invoice, price=5)
        note = self._create_return(order, 10).credit_note_ids
        self.assertEqual(note.amount_untaxed, 950.0)
        self.assertEqual(note.invoice_line_ids.quantity, 10)
        self.assert_fully_credited(invoice)

    def test_parts_after_a_price_correction_add_up(self):
        order = self._create_sale({'quantity': 7, 'price': 10.01})
        invoice = order.invoice_ids
        self._reverse(invoice, price=0.37)
        self._credit(order, 3, 4)
        self.assert_fully_credited(invoice)

    def test_note_by_hand_beyond_the_invoice_is_refused(self):
        order = self._create_sale()
        invoice = order.invoice_ids
        self._create_return(order, 6)
        with self.assert_refused("more would be credited"):
            self._reverse(invoice)
        self.assertEqual(self._reverse(invoice, quantity=4).state, 'posted')

    def test_price_correction_beyond_the_invoice_is_refused(self):
        order = self._create_sale()
        invoice = order.invoice_ids
        self._create_return(order, 10)
        with self.assert_refused():
            self._reverse(invoice, price=5)

    def test_note_that_was_cancelled_may_be_made_again(self):
        order = self._create_sale()
        invoice = order.invoice_ids
        sale_return = self._create_return(order, 6)
        note = sale_return.credit_note_ids
        note.button_draft()
        note.button_cancel()
        self.assert_quantities(sale_return.line_ids, credited=0, to_credit=6)
        again = sale_return.action_create_credit_notes()
        self.assertEqual(again.amount_untaxed, 600.0)
        self.assertEqual(invoice.amount_residual, 484.0)

    def test_reversed_note_frees_what_it_credited(self):
        order = self._create_sale()
        sale_return = self._return_goods(order, 6)
        note = sale_return.credit_note_ids
        note._reverse_moves([{}], cancel=True)
        self.assertEqual(sale_return.state, 'approved')
        self.assert_quantities(sale_return.line_ids, credited=0, to_credit=6)
        self.assert_nothing_to_invoice(order)
        again = sale_return.action_create_credit_notes()
        self.assertEqual(again.amount_untaxed, 600.0)
        self.assertEqual(sale_return.state, 'closed')
        self.assert_nothing_to_invoice(order)

    def test_draft_note_cannot_be_raised_beyond_what_is_released(self):
        self.policy.write({'credit_posting': 'draft', 'release_event': 'receipt'})
        sale_return = self._create_return(self._create_sale(), 6)
        self._receive(sale_return, 2)
        note = sale_return.credit_note_ids
        note.invoice_line_ids.quantity = 5
        with self.assert_refused("has released"):
            note.action_post()

    def test_draft_note_may_be_lowered(self):
        self.policy.credit_posting = 'draft'
        order = self._create_sale()
        sale_return = self._create_return(order, 6)
        note = sale_return.credit_note_ids
        note.invoice_line_ids.quantity = 4
        note.action_post()
        self.assert_quantities(sale_return.line_ids, credited=4, to_credit=2)

    def test_deleted_draft_note_is_made_again(self):
        self.policy.credit_posting = 'draft'
        sale_return = self._create_return(self._create_sale(), 6)
        sale_return.credit_note_ids.unlink()
        self.assert_quantities(sale_return.line_ids, credited=0, to_credit=6)
        self.assertTrue(sale_return.action_create_credit_notes())

    def test_credited_invoice_cannot_be_reset_or_cancelled(self):
        order = self._create_sale()
        invoice = order.invoice_ids
        self._create_return(order, 6)
        with self.assert_refused("has credited it"):
            invoice.button_draft()
        with self.assert_refused("has credited it"):
            invoice.button_cancel()
        self.assertEqual(invoice.state, 'posted')

    def test_invoice_without_return_may_be_reset(self):
        invoice = self._create_sale().invoice_ids
        invoice.button_draft()
        self.assertEqual(invoice.state, 'draft')
