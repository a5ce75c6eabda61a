from freezegun import freeze_time

from odoo import Command
from odoo.tests import tagged

from ..common import SaleReturnCommon


class LaterCommon(SaleReturnCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.released = cls._create_policy(release_event='approval')


@tagged('post_install', '-at_install')
class TestCreditPostingFails(LaterCommon):
    """A note that cannot be posted is shown on its return, and does not stop others."""

    def _sell_in_own_journal(self):
        """Sell on a separate journal, so that it can be made unusable for this sale alone."""
        journal = self.env['account.journal'].create(
            {'name': "Shop", 'code': 'SHOP', 'type': 'sale', 'company_id': self.company.id}
        )
        order = self._create_order()
        self._deliver(order)
        invoice = self._invoice(order, post=False)
        invoice.journal_id = journal
        invoice.action_post()
        return order, journal

    def _assert_left_to_credit(self, sale_return, *words):
        self.assertEqual((sale_return.state, sale_return.credit_queued), ('approved', True))
        self.assert_quantities(sale_return.line_ids, credited=0, to_credit=3)
        for word in words:
            self.assertIn(word, sale_return.credit_error)
        self.assertIn('credit_failed', sale_return.event_ids.mapped('kind'))

    def test_archived_journal_leaves_the_return_to_credit(self):
        order, journal = self._sell_in_own_journal()
        journal.sudo().active = False
        self.released.approval = 'always'
        others = self._create_sale()
        returns = self._create_return(order, 3) + self._create_return(others, 3)
        returns.action_approve()
        self._assert_left_to_credit(returns[0], "journal")
        self.assert_quantities(returns[1].line_ids, credited=3)
        journal.sudo().active = True
        self._run_credit_job()
        self.assert_quantities(returns[0].line_ids, credited=3, to_credit=0)
        self.assertFalse(returns[0].credit_error)

    def test_credited_journal_with_locked_entries_is_credited(self):
        order, journal = self._sell_in_own_journal()
        journal.sudo().restrict_mode_hash_table = True
        sale_return = self._create_return(order, 3)
        self.assertEqual(sale_return.credit_note_ids.state, 'posted')
        self.assert_quantities(sale_return.line_ids, credited=3)

    def test_archived_tax_is_credited_as_it_was_invoiced(self):
        order = self._create_sale({'quantity': 3, 'price': 10.01})
        invoice = order.invoice_ids
        self.tax_21.active = False
        self._create_return(order, 1)
        self._create_return(order, 2)
        self.assert_fully_credited(invoice)

    @freeze_time('2026-03-05 10:00:00')
    def test_locked_period_moves_the_date_and_the_log_names_it(self):
        order = self._create_sale({})
        self._configure(sale_lock_date='2026-03-10')
        sale_return = self._create_return(order, 3)
        note = sale_return.credit_note_ids
        self.assertFalse(sale_return.credit_error)
        self.assertEqual((note.state, str(note.invoice_date)), ('posted', '2026-03-05'))
        self.assertGreater(str(note.date), '2026-03-10')
        event = sale_return.event_ids.filtered(lambda e: e.kind == 'credited')
        self.assertIn(str(note.date), event.details)

    def test_draft_above_an_amount(self):
        self.released.credit_draft_above = 363.0
        order = self._create_sale()
        small, large = self._create_return(order, 3), self._create_return(order, 4)
        self.assertEqual(small.credit_note_ids.state, 'posted')
        self.assertEqual(large.credit_note_ids.state, 'draft')
        self.assertEqual((large.state, large.credit_state), ('approved', 'pending'))
        large.credit_note_ids.action_post()
        self.assertEqual(large.credit_state, 'full')


@tagged('post_install', '-at_install')
class TestCreditLaterChanges(LaterCommon):
    """Changes after a credit are refused, or shown on the return."""

    ready_sales = 1

    def test_note_of_a_return_that_is_no_more_is_refused(self):
        self.released.write({'credit_posting': 'draft', 'approval': 'always'})
        order = self._create_sale()
        for end in ('draft', 'refuse', 'cancel'):
            sale_return = self._create_return(order, 2, submit=end != 'draft')
            if end == 'refuse':
                sale_return.action_refuse(reason="Too late.")
            elif end == 'cancel':
                sale_return.action_cancel()
            note = self._reverse(order.invoice_ids, post=False, quantity=2)
            note.invoice_line_ids.sudo().sale_return_line_id = sale_return.line_ids
            with self.assert_refused("is released"):
                note.action_post()
            note.unlink()

    def test_credited_invoice_cannot_be_lowered(self):
        order = self._create_sale()
        invoice = order.invoice_ids
        self._create_return(order, 3)
        for name, value in (('quantity', 2), ('price_unit', 90.0), ('discount', 5.0)):
            with self.assert_refused("has credited it"):
                invoice.invoice_line_ids[name] = value
        invoice.invoice_line_ids.name = "Lamp, blue"

    def test_lowered_invoice_caps_what_a_return_under_way_credits(self):
        self.released.approval = 'always'
        order = self._create_sale()
        invoice = order.invoice_ids
        sale_return = self._create_return(order, 8)
        invoice.button_draft()
        invoice.invoice_line_ids.quantity = 5
        invoice.action_post()
        sale_return.action_approve()
        # 10 were delivered and 5 are invoiced: 5 of the 8 that come back were never billed.
        self.assert_quantities(sale_return.line_ids, credited=3, uninvoiced=5)
        self.assertEqual(invoice.amount_residual, 242.0)

    def test_cancelled_invoice_leaves_nothing_to_credit(self):
        self.released.approval = 'always'
        order = self._create_sale()
        sale_return = self._create_return(order, 8)
        order.invoice_ids.button_draft()
        order.invoice_ids.button_cancel()
        sale_return.action_approve()
        self.assertFalse(sale_return.credit_note_ids)
        self.assert_quantities(sale_return.line_ids, credited=0, to_credit=0, uninvoiced=8)

    def test_delivery_is_not_edited_below_what_was_credited_on_approval(self):
        order = self._create_sale()
        self._create_return(order, 8)
        with self.assert_refused("would be returned"):
            order.picking_ids.filtered(lambda p: p.picking_type_code == 'outgoing').move_ids[
                :1
            ].quantity = 7
            self.env.flush_all()

    def test_order_with_a_credit_under_way_cannot_be_cancelled(self):
        order = self._create_sale()
        sale_return = self._create_return(order, 8)
        with self.assert_refused():
            order._action_cancel()
        self.assertEqual((sale_return.state, order.state), ('approved', 'sale'))

    def test_reversal_of_the_cheaper_of_two_prices_is_no_price_correction(self):
        """6 × 100 and 4 × 50 of one order line; crediting 2 of each leaves 4 × 100 and 2 × 50."""
        order = self._create_order({'taxes': self.env['account.tax']})
        self._deliver(order)
        invoice = self._invoice(order, post=False)
        invoice.invoice_line_ids.quantity = 6
        invoice.invoice_line_ids = [
            Command.create(
                {
                    'product_id': self.product.id,
                    'quantity': 4,
                    'price_unit': 50.0,
                    'tax_ids': [Command.clear()],
                    'sale_line_ids': [Command.set(order.order_line.ids)],
                }
            )
        ]
        invoice.action_post()
        self.assertEqual(invoice.amount_total, 800.0)
        self._reverse(invoice, quantity=2)
        note = self._create_return(order, 6).credit_note_ids
        self.assertEqual(
            sorted((line.quantity, line.price_unit) for line in note.invoice_line_ids),
            [(2.0, 50.0), (4.0, 100.0)],
        )
        self.assertEqual(invoice.amount_residual, 0.0)

    def test_cash_rounding_by_the_biggest_tax_is_taken_back_once(self):
        order = self._create_order({'quantity': 3, 'price': 10.01})
        self._deliver(order)
        invoice = self._invoice(order, post=False)
        invoice.invoice_cash_rounding_id = self._create_cash_rounding('biggest_tax')
        invoice.action_post()
        self.assertEqual(invoice.amount_total, 36.35)
        notes = [self._create_return(order, part).credit_note_ids for part in (1, 2)]
        self.assertEqual([note.amount_total for note in notes], [12.12, 24.23])
        self.assertEqual(len(notes[1].invoice_line_ids), 1)
        self.assertEqual(invoice.amount_residual, 0.0)


@tagged('post_install', '-at_install')
class TestCreditAutomaticInspection(SaleReturnCommon):
    def test_inspection_that_fails_leaves_the_goods_received_and_uncredited(self):
        self._configure(sale_return_scrap_account_id=False)
        self._create_policy(
            inspection_required=False,
            default_disposition_id=self.scrap.id,
        )
        sale_return = self._create_return(self._create_sale(), 3)
        self._receive(sale_return)
        self.assert_quantities(sale_return.line_ids, received=3, inspected=0, credited=0)
        self.assertEqual(sale_return.state, 'approved')
        self.assertFalse(sale_return.credit_note_ids)
