from odoo import Command
from odoo.tests import tagged

from ..common import SaleReturnCommon
from ..common_credit import CreditCommon

LEAN = {
    "a story of the room": (
        'test_receipt_releases_the_credit',
        'test_preview_is_what_is_posted',
        'test_failed_note_does_not_stop_the_step_and_is_visible',
        'test_note_for_the_rest_passes',
    ),
}


@tagged('post_install', '-at_install')
class TestCreditPosting(CreditCommon):
    """When notes are made, and whether they are posted."""

    ready_sales = 1

    def test_nothing_is_credited_before_the_release(self):
        self.policy.release_event = 'inspection'
        sale_return = self._create_return(self._create_sale(), 3)
        self._receive(sale_return)
        self.assertFalse(sale_return.action_create_credit_notes())
        self.assert_quantities(sale_return.line_ids, to_credit=0, credited=0)

    def test_receipt_releases_the_credit(self):
        self.policy.release_event = 'receipt'
        sale_return = self._create_return(self._create_sale(), 3)
        self.assertFalse(sale_return.credit_note_ids)
        self._receive(sale_return, 2)
        self.assert_quantities(sale_return.line_ids, received=2, credited=2)

    def test_proof_of_dispatch_releases_the_credit(self):
        self.policy.release_event = 'dispatch_proof'
        sale_return = self._create_return(self._create_sale(), 3)
        self.assertFalse(sale_return.credit_note_ids)
        sale_return.action_register_dispatch(tracking_ref="1Z", carrier_name="Mail")
        self.assert_quantities(sale_return.line_ids, received=0, credited=3)

    def test_policy_may_leave_notes_in_draft(self):
        self.policy.credit_posting = 'draft'
        sale_return = self._create_return(self._create_sale(), 3)
        self.assertEqual(sale_return.credit_note_ids.state, 'draft')
        self.assert_quantities(sale_return.line_ids, credited=3, to_credit=0)
        self.assertEqual(sale_return.credit_state, 'pending')

    def test_draft_note_is_exact_and_finishes_when_somebody_posts_it(self):
        self.policy.credit_posting = 'draft'
        order = self._create_sale({'quantity': 3, 'price': 10.01})
        invoice = order.invoice_ids
        for _part in range(3):
            self._create_return(order, 1).credit_note_ids.action_post()
        self.assert_fully_credited(invoice)

    def test_return_closes_when_its_draft_note_is_posted(self):
        self.policy.write({'credit_posting': 'draft', 'release_event': 'inspection'})
        sale_return = self._return_goods(self._create_sale(), 3)
        self.assertEqual(sale_return.state, 'approved')
        sale_return.credit_note_ids.action_post()
        self.assertEqual(sale_return.state, 'closed')
        self.assertEqual(sale_return.credit_state, 'full')

    def test_only_notes_above_the_limit_stay_in_draft(self):
        self.policy.credit_draft_above = 363.0
        order = self._create_sale()
        self.assertEqual(self._create_return(order, 3).credit_note_ids.state, 'posted')
        self.assertEqual(self._create_return(order, 4).credit_note_ids.state, 'draft')

    def test_notes_of_one_batch_are_added_up(self):
        """Two notes of 242 for one customer are above 363, those of two customers are not."""
        self.policy.write({'credit_draft_above': 363.0, 'release_event': 'inspection'})
        one, two, three = (self._create_customer(f"Customer {number}") for number in range(3))
        for pair, states in (((one, one), ['draft', 'posted']), ((two, three), ['posted'] * 2)):
            returns = self.env['sale.return'].union(
                *[
                    self._create_return(self._create_sale({}, partner_id=customer.id), 2)
                    for customer in pair
                ]
            )
            self._receive(returns)
            returns.action_inspect_all('restock')
            self.assertEqual(sorted(returns.credit_note_ids.mapped('state')), states)

    def test_policy_that_pays_back_waits_for_the_money(self):
        self.policy.write({'settlement': 'refund', 'release_event': 'inspection'})
        order = self._create_sale()
        self._pay_back(order.invoice_ids)
        sale_return = self._return_goods(order, 3)
        self.assertEqual((sale_return.state, sale_return.refund_state), ('approved', 'pending'))
        self._pay_back(sale_return.credit_note_ids)
        self.assertEqual((sale_return.state, sale_return.refund_state), ('closed', 'full'))

    def test_repeating_the_credit_adds_nothing(self):
        sale_return = self._create_return(self._create_sale(), 3)
        before = self._count_documents()
        self.assertFalse(sale_return.action_create_credit_notes())
        self.assertEqual(self._count_documents(), before)

    def test_preview_is_what_is_posted(self):
        self._configure(sale_return_auto_credit=False)
        order = self._create_sale({'price': 10.01, 'discount': 3}, {'price': 0.07})
        sale_return = self._create_return(order, 3)
        preview = sale_return.preview_credit()[sale_return.id]['due']
        note = sale_return.action_create_credit_notes()
        self.assertEqual(len(preview), 1)
        self.assertEqual(
            (preview[0]['invoice_id'], preview[0]['currency']),
            (note.reversed_entry_id.id, note.currency_id.name),
        )
        self.assertEqual(
            (preview[0]['untaxed'], preview[0]['tax'], preview[0]['total']),
            (note.amount_untaxed, note.amount_tax, note.amount_total),
        )
        self.assertEqual(
            [
                (line['return_line_id'], line['invoice_line_id'], line['quantity'], line['untaxed'])
                for line in preview[0]['lines']
            ],
            [
                (
                    line.sale_return_line_id.id,
                    line.credited_line_id.id,
                    line.quantity,
                    line.price_subtotal,
                )
                for line in note.invoice_line_ids
            ],
        )
        self.assertFalse(sale_return.preview_credit()[sale_return.id]['due'])

    def test_preview_writes_nothing(self):
        self._configure(sale_return_auto_credit=False)
        sale_return = self._create_return(self._create_sale(), 3)
        before = self._count_documents()
        sale_return.preview_credit()
        self.assertEqual(self._count_documents(), before)

    def test_draft_estimates_what_will_be_credited(self):
        sale_return = self._create_return(self._create_sale(), 3, submit=False)
        preview = sale_return.preview_credit()[sale_return.id]
        self.assertFalse(preview['due'])
        self.assertEqual(preview['estimate'][0]['total'], 363.0)

    def test_what_others_have_not_submitted_lowers_no_promise(self):
        self._configure(sale_return_auto_credit=False)
        order = self._create_sale({'quantity': 3})
        left = self._create_return(order, 2, submit=False)
        sale_return = self._create_return(order, 3)
        for one, total in ((sale_return, 363.0), (left, 242.0)):
            with self.subTest(state=one.state):
                estimate = one.preview_credit()[one.id]['estimate']
                self.assertEqual([note['total'] for note in estimate], [total])
        self.assertIn("363.00", sale_return.money_note)

    def test_amount_to_credit_is_what_is_due(self):
        self._configure(sale_return_auto_credit=False)
        sale_return = self._create_return(self._create_sale(), 3)
        self.assertEqual(sale_return.amount_to_credit, 363.0)
        sale_return.action_create_credit_notes()
        self.assertEqual((sale_return.amount_to_credit, sale_return.amount_credited), (0.0, 363.0))

    def test_large_batches_are_left_to_the_scheduled_job(self):
        self.env['ir.config_parameter'].sudo().set_param('sale_return.sync_limit', 0)
        sale_return = self._create_return(self._create_sale(), 3)
        self.assertFalse(sale_return.credit_note_ids)
        self.assertTrue(sale_return.credit_queued)
        self._run_credit_job()
        self.assertEqual(sale_return.credit_note_ids.state, 'posted')
        self.assertFalse(sale_return.credit_queued)

    def _block_credit(self, order):
        """Make the note of an order's invoice impossible: its revenue account is archived."""
        order.invoice_ids.invoice_line_ids.account_id.sudo().active = False

    def _create_sale_with_own_account(self):
        account = self.env['account.account'].create(
            {'name': "Own revenue", 'code': '499991', 'account_type': 'income'}
        )
        product = self._create_product("Special", property_account_income_id=account.id)
        return self._create_sale({'product': product})

    def test_failed_note_does_not_stop_the_step_and_is_visible(self):
        order = self._create_sale_with_own_account()
        self._block_credit(order)
        sale_return = self._create_return(order, 3)
        self.assertEqual(sale_return.state, 'approved')
        self.assertTrue(sale_return.credit_queued)
        self.assertTrue(sale_return.credit_error)
        self.assertIn('credit_failed', sale_return.event_ids.mapped('kind'))

    def test_failed_note_is_made_when_the_reason_is_gone(self):
        order = self._create_sale_with_own_account()
        account = order.invoice_ids.invoice_line_ids.account_id
        self._block_credit(order)
        sale_return = self._create_return(order, 3)
        account.sudo().active = True
        self._run_credit_job()
        self.assert_quantities(sale_return.line_ids, credited=3)
        self.assertFalse(sale_return.credit_error)

    def test_failed_note_does_not_stop_the_others_of_the_batch(self):
        orders = self._create_sale_with_own_account() + self._create_sale()
        self._block_credit(orders[0])
        self._create_policy(approval='always')
        returns = self._create_return(orders[0], 3) + self._create_return(orders[1], 3)
        returns.action_approve()
        self.assertEqual(returns.mapped('line_ids.qty_credited'), [0, 3])


@tagged('post_install', '-at_install')
class TestCreditPending(SaleReturnCommon):
    """I5: other notes cannot take what a return is going to credit."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_sale()
        cls.invoice = cls.order.invoice_ids
        cls.sale_return = cls._create_return(cls.order, 3)
        cls.accountant = cls._create_user('returns_accountant', 'account.group_account_manager')

    def _reverse_as_accountant(self, reason=None, **values):
        note = self._reverse(self.invoice, post=False, **values)
        note.sale_return_override_reason = reason
        note.with_user(self.accountant).action_post()
        return note

    def test_note_for_the_rest_passes(self):
        self.assertEqual(self._reverse_as_accountant(quantity=7).state, 'posted')

    def test_note_for_held_goods_is_refused(self):
        with self.assert_refused("under way"):
            self._reverse_as_accountant(quantity=8)

    def test_note_for_goods_of_a_submitted_return_is_refused(self):
        self._create_policy(approval='always')
        self._create_return(self.order, 5)
        with self.assert_refused("under way"):
            self._reverse_as_accountant(quantity=3)

    def test_note_for_received_goods_is_refused(self):
        self._receive(self.sale_return)
        with self.assert_refused("under way"):
            self._reverse_as_accountant(quantity=8)

    def test_note_passes_when_the_return_is_written_off(self):
        self.sale_return.action_close(reason="Never sent.")
        self.assertEqual(self._reverse_as_accountant().state, 'posted')

    def test_note_passes_when_the_goods_were_rejected(self):
        self._receive(self.sale_return)
        self.sale_return.action_inspect_all('send_back')
        self.assertEqual(self._reverse_as_accountant().state, 'posted')

    def test_price_correction_passes_while_the_rest_covers_what_is_pending(self):
        self.assertEqual(self._reverse_as_accountant(price=5).state, 'posted')

    def test_price_correction_that_takes_what_is_pending_is_refused(self):
        with self.assert_refused("under way"):
            self._reverse_as_accountant(price=80)

    def test_full_reversal_that_cancels_the_invoice_is_refused(self):
        with self.assert_refused("under way"):
            self.invoice._reverse_moves([{}], cancel=True)

    def test_reason_of_an_accountant_is_not_enough(self):
        with self.assert_refused("under way"):
            self._reverse_as_accountant(reason="The customer is important.")

    def test_manager_needs_a_reason(self):
        with self.assert_refused("under way"):
            self._reverse(self.invoice)

    def test_manager_overrides_with_a_reason_that_is_logged(self):
        note = self._reverse(self.invoice, post=False)
        note.sale_return_override_reason = "Settled on the phone."
        note.action_post()
        self.assertEqual(note.state, 'posted')
        event = self.sale_return.event_ids.filtered(lambda e: e.kind == 'override')
        self.assertEqual((event.reason, event.user_id), ("Settled on the phone.", self.staff))

    def test_return_credits_nothing_more_after_an_override(self):
        note = self._reverse(self.invoice, post=False)
        note.sale_return_override_reason = "Settled on the phone."
        note.action_post()
        self._receive(self.sale_return)
        self.sale_return.action_inspect_all('restock')
        self.assertFalse(self.sale_return.credit_note_ids)
        self.assertEqual(self.sale_return.state, 'closed')
        # The 7 that the customer keeps were credited by hand: Odoo bills them again.
        self.assert_sold(self.order.order_line, delivered=7, invoiced=0, to_invoice=7)

    def test_netting_on_the_next_invoice_is_guarded_too(self):
        line = self.invoice.invoice_line_ids
        invoice = self.invoice.copy(
            {
                'invoice_line_ids': [
                    Command.create(
                        {
                            'product_id': line.product_id.id,
                            'quantity': -8,
                            'price_unit': 100.0,
                            'sale_line_ids': [Command.set(line.sale_line_ids.ids)],
                        }
                    ),
                    Command.create({'name': "Something else", 'quantity': 1, 'price_unit': 5000}),
                ]
            }
        )
        with self.assert_refused("under way"):
            invoice.action_post()
