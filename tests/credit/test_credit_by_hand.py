import itertools

from odoo import Command
from odoo.tests import tagged

from ..common_credit import CreditCommon


@tagged('post_install', '-at_install')
class TestCreditByHand(CreditCommon):
    """I2 and I5: notes that an accountant makes, before, during and after a return."""

    ready_sales = 1

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

    def test_note_by_hand_beside_a_return_leaves_to_invoice_what_the_customer_keeps(self):
        """10 sold, some credited by hand, 4 announced: what is to be billed is right at each step.

        8 by hand leave 2 for the return to credit, so 6 are to be billed from the request on; 3
        leave enough for all 4.
        """
        for by_hand, before, after in ((8, 8, 6), (3, 3, 3), (10, 10, 6)):
            with self.subTest(by_hand=by_hand):
                order = self._create_sale()
                self._reverse(order.invoice_ids, quantity=by_hand)
                self.assertEqual(order.order_line.qty_to_invoice, before)
                sale_return = self._create_return(order, 4)
                self.assertEqual(order.order_line.qty_to_invoice, after)
                self._receive(sale_return)
                self.assertLessEqual(order.order_line.qty_to_invoice, after)
                sale_return.action_inspect_all('restock')
                self.assertEqual(order.order_line.qty_to_invoice, after)
                # Whatever was billed of it: the customer pays for the six that they keep.
                invoice = order._create_invoices()
                invoice.action_post()
                self.assertEqual(
                    sum(move.amount_untaxed_signed for move in order.invoice_ids), 600.0
                )
                self.assert_nothing_to_invoice(order)

    def test_what_was_billed_again_after_a_note_by_hand_is_not_credited_with_it(self):
        """10 sold, some credited by hand and billed again, 4 back: nothing is to be billed.

        Nor is it where the note only took back what was billed beyond the delivery.
        """
        self.policy.release_event = 'inspection'
        for policy, by_hand in itertools.product(('delivery', 'order'), (1, 3, 4, 10)):
            with self.subTest(policy=policy, by_hand=by_hand):
                product = self._create_product("Again", invoice_policy=policy)
                order = self._create_sale({'product': product, 'quantity': 10})
                self._reverse(order.invoice_ids, quantity=by_hand)
                order._create_invoices().action_post()
                self.assertEqual(order.order_line.qty_to_invoice, 0)
                sale_return = self._create_return(order, 4)
                self.assertEqual(order.order_line.qty_to_invoice, 0)
                self._receive(sale_return)
                self.assertEqual(order.order_line.qty_to_invoice, 0)
                sale_return.action_inspect_all('restock')
                self.assertEqual(order.order_line.qty_to_invoice, 0)
                self.assert_quantities(sale_return.line_ids, credited=4, to_credit=0)
                net = sum(order.invoice_ids.mapped('amount_untaxed_signed'))
                self.assertEqual(net, 600.0)

    def test_bill_for_what_the_customer_keeps_is_not_credited_for_earlier_returns(self):
        """10 sold, most credited by hand, 4 back: the 6 kept are billed once, and that is all."""
        for policy, by_hand in itertools.product(('delivery', 'order'), (7, 10)):
            with self.subTest(policy=policy, by_hand=by_hand):
                product = self._create_product("Kept", invoice_policy=policy)
                order = self._create_sale({'product': product, 'quantity': 10})
                line = order.order_line
                self._reverse(order.invoice_ids, quantity=by_hand)
                sale_return = self._return_goods(order, 4)
                credited = min(10 - by_hand, 4)
                self.assert_quantities(sale_return.line_ids, credited=credited, to_credit=0)
                self.assertEqual(line.qty_to_invoice, 6)
                order._create_invoices().action_post()
                self.assertEqual(sum(order.invoice_ids.mapped('amount_untaxed_signed')), 600.0)
                self.assert_quantities(sale_return.line_ids, credited=credited, to_credit=0)
                self.assertEqual((line.qty_to_invoice, sale_return.state), (0, 'closed'))
                later = self._return_goods(order, 3)
                self.assert_quantities(later.line_ids, credited=3, to_credit=0)
                self.assertEqual(sum(order.invoice_ids.mapped('amount_untaxed_signed')), 300.0)
                self.assertEqual(line.qty_to_invoice, 0)

    def test_goods_credited_by_hand_are_billed_when_their_return_ends_without_them(self):
        """A request alone moves no goods: what is to be billed follows its state."""
        self._create_policy(approval='always')
        order = self._create_sale()
        self._reverse(order.invoice_ids)
        sale_return = self._create_return(order, 4, submit=False)
        self.env.flush_all()
        self.assertEqual(order.order_line.qty_to_invoice, 10)
        sale_return.action_submit()
        self.env.flush_all()
        self.assertEqual((sale_return.state, order.order_line.qty_to_invoice), ('submitted', 6))
        sale_return.action_refuse("We do not take it back.")
        self.assertEqual(order.order_line.qty_to_invoice, 10)

    def _replace_lines(self, note, invoice_line=None):
        """Enter the lines of a draft note anew, as people do: they belong to no order line.

        :param invoice_line: the invoice line they name.
        """
        for line in note.invoice_line_ids:
            values = {
                'product_id': line.product_id.id,
                'quantity': line.quantity,
                'price_unit': line.price_unit,
                'tax_ids': [Command.set(line.tax_ids.ids)],
            }
            line.unlink()
            note.invoice_line_ids = [Command.create(values)]
        if invoice_line:
            # sudo: another program that names the invoice line.
            note.sudo().invoice_line_ids.credited_line_id = invoice_line
        return note

    def assert_billing(self, order, to_invoice):
        """Assert the stored figures, and that computing them again changes nothing."""
        self.env.flush_all()
        self.env.invalidate_all()
        line = order.order_line
        status = 'to invoice' if to_invoice else 'invoiced'
        self.assertEqual(
            (line.qty_to_invoice, line.untaxed_amount_to_invoice, line.invoice_status),
            (to_invoice, 100.0 * to_invoice, status),
        )
        self.assertEqual(order.invoice_status, status)

    def test_billing_follows_a_note_whose_lines_belong_to_no_order_line(self):
        """10 sold, 4 announced, 6 credited by hand: to be billed again as long as the note is."""
        self._create_policy(approval='always')
        for named in (False, True):
            with self.subTest(named=named):
                order = self._create_sale()
                invoice_line = order.invoice_ids.invoice_line_ids
                self._create_return(order, 4)
                self.assert_billing(order, 0)
                note = self._reverse(order.invoice_ids, quantity=6, post=False)
                self._replace_lines(note, named and invoice_line)
                self.assert_billing(order, 6)
                note.invoice_line_ids.quantity = 5
                self.assert_billing(order, 5)
                note.action_post()
                self.assert_billing(order, 5)
                note.button_draft()
                self.assert_billing(order, 5)
                note.button_cancel()
                self.assert_billing(order, 0)
                note.button_draft()
                self.assert_billing(order, 5)
                note.unlink()
                self.assert_billing(order, 0)

    def test_return_follows_a_note_whose_lines_belong_to_no_order_line(self):
        """8 credited by hand leave 2 of 4 for the return; undone, the other 2 are due as well."""
        self._configure(sale_return_auto_credit=False)
        ways = (
            lambda note: (note.button_draft(), note.button_cancel()),
            lambda note: (note.button_draft(), note.unlink()),
            lambda note: note._reverse_moves([{}], cancel=True),
        )
        for named, undo in itertools.product((False, True), ways):
            with self.subTest(named=named, way=ways.index(undo)):
                order = self._create_sale()
                invoice_line = order.invoice_ids.invoice_line_ids
                note = self._reverse(order.invoice_ids, quantity=8, post=False)
                self._replace_lines(note, named and invoice_line).action_post()
                sale_return = self._return_goods(order, 4)
                sale_return.action_create_credit_notes()
                self.assertEqual((sale_return.state, sale_return.amount_credited), ('closed', 242))
                self.assert_billing(order, 6)
                undo(note)
                self.assertEqual(sale_return.state, 'approved')
                self.assertEqual(sale_return.credit_state, 'partial')
                self.assert_quantities(sale_return.line_ids, credited=2, to_credit=2)
                self.assert_billing(order, 0)
                sale_return.action_create_credit_notes()
                self.assertEqual((sale_return.state, sale_return.amount_credited), ('closed', 484))

    def test_order_says_what_its_lines_say_when_a_return_is_announced(self):
        self._create_policy(approval='always')
        order = self._create_sale()
        note = self._reverse(order.invoice_ids, quantity=10, post=False)
        self._replace_lines(note).action_post()
        sale_return = self._create_return(order, 4)
        self.assert_billing(order, 6)
        sale_return.action_refuse("We do not take it back.")
        self.assert_billing(order, 10)

    def test_part_of_a_pack_that_came_back_bills_no_more_than_the_pack(self):
        """A pack of three, two pieces billed (0.67), one back: 0.33 to bill, not 0.34."""
        pack = self.env['uom.uom'].create(
            {'name': "Pack of three", 'relative_factor': 3, 'relative_uom_id': self.unit.id}
        )
        self.policy.release_event = 'inspection'
        order = self._create_order({'quantity': 1, 'price': 30.0, 'product_uom_id': pack.id})
        self._deliver(order, 2)
        self._invoice(order)
        sale_return = self._create_return(order, 1 / 3)
        self._receive(sale_return)
        self._deliver(order)
        line = order.order_line
        self.assertEqual((line.qty_invoiced, line.qty_to_invoice), (0.67, 0.33))

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

    def test_reversal_of_a_note_that_was_credited_again_cannot_be_undone(self):
        """Else the first note would credit the goods, too: 8 of 4 that came back."""
        for quantity in (None, 1):
            with self.subTest(quantity=quantity):
                order = self._create_sale()
                sale_return = self._return_goods(order, 4)
                bill = self._reverse(sale_return.credit_note_ids, quantity=quantity)
                again = sale_return.action_create_credit_notes()
                self.assertEqual((sale_return.state, sale_return.amount_credited), ('closed', 484))
                with self.assert_refused("Cancel or reverse the"):
                    bill.button_draft()
                again.button_draft()
                again.button_cancel()
                bill.button_draft()
                bill.button_cancel()
                self.assertEqual((sale_return.state, sale_return.amount_credited), ('closed', 484))
                self.assert_quantities(sale_return.line_ids, credited=4, to_credit=0)

    def test_note_is_not_reversed_twice(self):
        """Each reversal is an invoice: the customer would owe the same goods twice."""
        accountant = self._create_user('twice_accountant', 'account.group_account_invoice')
        for by_return, first, second in itertools.product((True, False), (None, 3), (None, 2)):
            with self.subTest(by_return=by_return, first=first, second=second):
                order = self._create_sale()
                if by_return:
                    note = self._return_goods(order, 4).credit_note_ids
                else:
                    note = self._reverse(order.invoice_ids, quantity=4)
                    self._create_return(order, 1)
                bill = self._reverse(note, quantity=first)
                again = self._reverse(note, quantity=second, post=False)
                with self.assert_refused(f"was reversed before, by {bill.name}"):
                    self._call(accountant, again, 'action_post')
                self.assertEqual(again.state, 'draft')

    def test_parts_of_a_note_may_be_reversed(self):
        order = self._create_sale()
        note = self._return_goods(order, 4).credit_note_ids
        for quantity in (1, 2, 1):
            self._reverse(note, quantity=quantity)
        self.assertEqual(note._get_credited_in(note.currency_id), 0.0)

    def test_price_of_a_note_may_be_taken_back_in_parts(self):
        note = self._return_goods(self._create_sale(), 4).credit_note_ids
        for price in (10, 20):
            self._reverse(note, price=price)
        self.assertEqual(note._get_credited_in(note.currency_id), 338.8)

    def test_reversal_of_a_note_by_hand_cannot_be_undone_beyond_the_invoice(self):
        """10 by hand, reversed, then all 10 come back: undone, 20 of 10 would be credited."""
        order = self._create_sale()
        note = self._reverse(order.invoice_ids)
        bill = self._reverse(note)
        sale_return = self._return_goods(order, 10)
        self.assertEqual(sale_return.amount_credited, 1210)
        with self.assert_refused("have since been credited again"):
            bill.button_draft()

    def test_draft_note_cannot_be_raised_beyond_what_is_released(self):
        self.policy.write({'credit_posting': 'draft', 'release_event': 'receipt'})
        sale_return = self._create_return(self._create_sale(), 6)
        self._receive(sale_return, 2)
        note = sale_return.credit_note_ids
        note.invoice_line_ids.quantity = 5
        with self.assert_refused("is released"):
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
