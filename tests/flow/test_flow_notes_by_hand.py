from odoo import Command
from odoo.tests import tagged

from ..common import SaleReturnCommon


@tagged('post_install', '-at_install')
class TestFlowNotesByHand(SaleReturnCommon):
    """Accountants make notes in Odoo while returns of the same goods are under way."""

    ready_sales = 1

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.accountant = cls._create_user('returns_accountant', 'account.group_account_manager')

    def _create_received(self, quantity=3):
        """Sell 10, of which some are back and wait for inspection."""
        order = self._create_sale()
        sale_return = self._create_return(order, quantity)
        self._receive(sale_return)
        return order, sale_return

    def _override(self, order, quantity):
        note = self._reverse(order.invoice_ids, post=False, quantity=quantity)
        note.sale_return_override_reason = "Settled on the phone."
        note.action_post()
        return note

    # === GOODS THAT ARE HERE === #

    def test_note_by_hand_for_goods_that_wait_for_inspection_is_refused(self):
        order, _sale_return = self._create_received()
        note = self._reverse(order.invoice_ids, post=False, quantity=3)
        with self.assert_refused("under way"):
            note.with_user(self.accountant).action_post()

    def test_price_correction_passes_while_goods_wait_for_inspection(self):
        order, _sale_return = self._create_received()
        note = self._reverse(order.invoice_ids, post=False, quantity=3, price=5)
        note.with_user(self.accountant).action_post()
        self.assertEqual(note.state, 'posted')

    def test_note_by_hand_passes_once_the_return_has_credited(self):
        order, sale_return = self._create_received()
        invoice = order.invoice_ids
        sale_return.action_inspect_all('restock')
        note = self._reverse(invoice, post=False, quantity=3)
        note.with_user(self.accountant).action_post()
        self.assertEqual(note.state, 'posted')

    def test_overriding_note_settles_the_return(self):
        order, sale_return = self._create_received()
        note = self._override(order, 3)
        self.assertEqual(note.invoice_line_ids.sale_return_line_id, sale_return.line_ids)
        self.assert_quantities(sale_return.line_ids, credited=3, to_credit=0)
        self.assertEqual(sale_return.event_ids.mapped('kind').count('override'), 1)
        sale_return.action_inspect_all('restock')
        self.assertEqual((sale_return.state, sale_return.credit_note_ids), ('closed', note))
        self.assert_nothing_to_invoice(order)

    def test_return_credits_what_an_overriding_note_has_left(self):
        order, sale_return = self._create_received()
        note = self._override(order, 2)
        sale_return.action_inspect_all('restock')
        self.assertEqual(sale_return.amount_credited, 363.0)
        self.assertEqual((sale_return.credit_note_ids - note).amount_untaxed, 100.0)

    def test_cancelled_overriding_note_leaves_its_goods_to_the_return(self):
        order, sale_return = self._create_received()
        note = self._override(order, 3)
        sale_return.action_inspect_all('restock')
        note.button_draft()
        note.button_cancel()
        self.assertEqual(sale_return.state, 'approved')
        self.assert_quantities(sale_return.line_ids, credited=0, to_credit=3)

    # === DRAFTS AND NOTES THAT GO AWAY === #

    def test_draft_by_hand_holds_what_it_would_credit(self):
        order = self._create_sale()
        self._reverse(order.invoice_ids, post=False)
        sale_return = self._return_goods(order, 4)
        self.assertFalse(sale_return.credit_note_ids)
        self.assert_quantities(sale_return.line_ids, to_credit=0, credited_otherwise=4)

    def test_return_is_credited_when_a_draft_by_hand_is_deleted(self):
        order = self._create_sale()
        note = self._reverse(order.invoice_ids, post=False)
        sale_return = self._return_goods(order, 4)
        note.unlink()
        self.assertEqual((sale_return.state, sale_return.credit_queued), ('approved', True))
        self._run_credit_job()
        self.assert_quantities(sale_return.line_ids, credited=4, credited_otherwise=0)
        self.assertEqual(sale_return.state, 'closed')

    def test_return_is_credited_when_a_posted_note_by_hand_is_cancelled(self):
        order = self._create_sale()
        note = self._reverse(order.invoice_ids)
        sale_return = self._return_goods(order, 4)
        self.assertEqual(sale_return.state, 'closed')
        note.button_draft()
        note.button_cancel()
        self.assertEqual((sale_return.state, sale_return.credit_queued), ('approved', True))
        self._run_credit_job()
        self.assert_quantities(sale_return.line_ids, credited=4)
        self.assertEqual(sale_return.state, 'closed')

    def test_cancelled_note_of_a_return_is_not_made_again_by_itself(self):
        order = self._create_sale()
        sale_return = self._return_goods(order, 4)
        note = sale_return.credit_note_ids
        note.button_draft()
        note.button_cancel()
        self.assertEqual((sale_return.state, sale_return.credit_queued), ('approved', False))
        self.assert_quantities(sale_return.line_ids, to_credit=4)

    # === LINES ADDED BY HAND === #

    def _post_draft_with_line_added(self, quantity):
        """Post the draft note of a return of 4 of 10, to which somebody has added units."""
        self._create_policy(credit_posting='draft')
        order = self._create_sale()
        note = self._return_goods(order, 4).credit_note_ids
        line = note.invoice_line_ids
        note.invoice_line_ids = [
            Command.create(
                {
                    'product_id': line.product_id.id,
                    'quantity': quantity,
                    'price_unit': line.price_unit,
                    'tax_ids': [Command.set(line.tax_ids.ids)],
                }
            )
        ]
        note.action_post()
        return order

    def test_line_added_without_order_line_counts_for_younger_returns(self):
        order = self._post_draft_with_line_added(6)
        sale_return = self._return_goods(order, 6)
        self.assert_quantities(sale_return.line_ids, to_credit=0, credited=0, credited_otherwise=6)
        self.assertEqual(sale_return.state, 'closed')

    def test_rest_beside_a_line_added_without_order_line_is_credited(self):
        order = self._post_draft_with_line_added(2)
        sale_return = self._return_goods(order, 6)
        self.assert_quantities(sale_return.line_ids, credited=4, credited_otherwise=2)
        sale_return.credit_note_ids.action_post()
        self.assertEqual(order.invoice_ids.filtered('amount_residual').ids, [])
        self.assertEqual(sale_return.state, 'closed')

    def test_line_added_beyond_the_invoice_is_refused(self):
        with self.assert_refused("more would be credited"):
            self._post_draft_with_line_added(7)

    def test_note_by_hand_with_the_product_alone_is_capped_too(self):
        order = self._create_sale()
        invoice = order.invoice_ids
        self._return_goods(order, 6)
        note = self._reverse(invoice, post=False, quantity=5)
        note.invoice_line_ids.sale_line_ids = False
        with self.assert_refused("more would be credited"):
            note.action_post()
        note.invoice_line_ids.quantity = 4
        note.action_post()
        self.assertEqual(invoice.amount_residual, 0.0)

    # === NOTES REVERSED IN PART === #

    def _reverse_part_of_note(self, sale_return, quantity, price=None):
        return self._reverse(sale_return.credit_note_ids, quantity=quantity, price=price)

    def test_note_reversed_in_part_credits_less(self):
        order = self._create_sale()
        sale_return = self._return_goods(order, 4)
        self._reverse_part_of_note(sale_return, 1)
        self.assert_quantities(sale_return.line_ids, credited=3, to_credit=1)
        self.assertEqual((sale_return.state, sale_return.amount_credited), ('approved', 363.0))
        self.assert_sold(order.order_line, delivered=6, invoiced=7)
        self.assert_nothing_to_invoice(order)

    def test_what_was_reversed_in_part_is_credited_again(self):
        order = self._create_sale()
        sale_return = self._return_goods(order, 4)
        self._reverse_part_of_note(sale_return, 1)
        sale_return.action_create_credit_notes()
        self.assert_quantities(sale_return.line_ids, credited=4, to_credit=0)
        self.assertEqual((sale_return.state, sale_return.amount_credited), ('closed', 484.0))
        self.assert_sold(order.order_line, delivered=6, invoiced=6)
        self._return_goods(order, 6)
        invoices = order.invoice_ids.filtered(lambda m: m.move_type == 'out_invoice')
        self.assertEqual(sum(invoices.mapped('amount_residual')), 0.0)
        self.assertEqual(sum(order.invoice_ids.mapped('amount_total_signed')), 0.0)

    def test_reversal_at_a_lower_price_takes_back_no_quantity(self):
        sale_return = self._return_goods(self._create_sale(), 4)
        self._reverse_part_of_note(sale_return, 1, price=5)
        self.assert_quantities(sale_return.line_ids, credited=4)
        self.assertEqual(sale_return.state, 'closed')

    # === WHAT THE ORDER EXPECTS === #

    def test_draft_note_changes_nothing_of_what_is_to_be_invoiced(self):
        self._create_policy(credit_posting='draft')
        order = self._create_sale()
        sale_return = self._return_goods(order, 4)
        self.assertEqual(order.amount_to_invoice, 0.0)
        sale_return.credit_note_ids.action_post()
        self.assertEqual(order.amount_to_invoice, 0.0)

    def test_service_lowered_by_hand_after_its_credit_is_not_negative(self):
        service = self._create_product(
            "Hours", type='service', is_storable=False, service_type='manual'
        )
        order = self._create_order({'product': service, 'quantity': 5})
        order.order_line.qty_delivered = 5
        self._invoice(order)
        self._create_approved_return(order, 2)
        self.assert_sold(order.order_line, delivered=5, invoiced=3)
        self.assert_nothing_to_invoice(order)
        order.order_line.qty_delivered = 3
        self.assert_sold(order.order_line, delivered=3, invoiced=3)
        self.assert_nothing_to_invoice(order)
        self.assertEqual(order.amount_to_invoice, 0.0)
        order.order_line.qty_delivered = 6
        self.assertEqual(order.order_line.qty_to_invoice, 1)
