from odoo.exceptions import UserError
from odoo.tests import tagged

from ..common_http import PatientHttpCase
from ..common_migration import load_migration
from ..common_refund import RefundCommon


@tagged('post_install', '-at_install')
class TestPayee(RefundCommon, PatientHttpCase):
    """Refunds go to the customer of the return, and are done once matched."""

    without_scripts = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.biller = cls._create_user(
            'payee_biller', 'account.group_account_invoice', 'base.group_partner_manager'
        )
        cls.staff.sudo().group_ids += cls.env.ref('account.group_validate_bank_account')
        cls.stranger = cls._create_customer("John Stranger")
        cls.sale_return = cls._return_goods(cls._create_paid_sale())
        cls.refund = cls.sale_return.action_refund()
        cls.payment = cls.refund.payment_id
        cls.note = cls.sale_return.credit_note_ids

    def _create_account(self, partner, number, trusted=False):
        account = (
            self.env['res.partner.bank']
            .sudo()
            .create({'partner_id': partner.id, 'acc_number': number})
        )
        account.allow_out_payment = trusted
        return account

    def _assert_unpaid(self):
        self.env.invalidate_all()
        self.assertNotEqual(self.refund.state, 'done')
        self.assertEqual(self.note.amount_residual, self.note.amount_total)

    def _post_in_every_way(self):
        """Yield the ways a client creates a payment: by its button, and by writing its state."""
        yield 'action_post', []
        yield 'write', [{'state': 'paid'}]
        yield 'write', [{'state': 'in_process'}]
        yield 'action_validate', []

    def test_stranger_is_not_paid(self):
        self._call(self.biller, self.payment, 'write', {'partner_id': self.stranger.id})
        for method, args in self._post_in_every_way():
            with self.subTest(method=method), self.assert_refused("Jane Customer"):
                self._call(self.biller, self.payment, method, *args)
        self._assert_unpaid()

    def test_client_pays_no_stranger(self):
        arguments = {'ids': self.payment.ids}
        vals = {'partner_id': self.stranger.id, 'state': 'paid'}
        status, answer = self.post_json2(
            self.biller, 'account.payment', 'write', vals=vals, **arguments
        )
        self.assertEqual(status, 422)
        self.assertIn("Jane Customer", answer['message'])
        self._assert_unpaid()

    def test_account_of_a_stranger_is_not_paid(self):
        account = self._create_account(self.stranger, "NL1", trusted=True)
        self._call(self.biller, self.payment, 'write', {'partner_bank_id': account.id})
        for method, args in self._post_in_every_way():
            with self.subTest(method=method), self.assert_refused("Jane Customer"):
                self._call(self.biller, self.payment, method, *args)
        self._assert_unpaid()

    def test_account_nobody_trusted_is_not_paid(self):
        account = self._create_account(self.customer, "NL2")
        self._call(self.biller, self.payment, 'write', {'partner_bank_id': account.id})
        with self.assert_refused("NL2"):
            self._call(self.biller, self.payment, 'action_post')
        self._assert_unpaid()
        account.allow_out_payment = True
        self._call(self.biller, self.payment, 'action_post')
        self.assertEqual(self.refund.state, 'done')

    def _pay_in_dialog(self, account):
        """Pay the note in the dialog of Odoo, or by a payment that names it."""
        dialog = (
            self.env['account.payment.register']
            .with_user(self.biller)
            .with_context(active_model='account.move', active_ids=self.note.ids)
            .create({'partner_bank_id': account.id, 'journal_id': self.payment.journal_id.id})
        )
        self._call(self.biller, dialog, 'action_create_payments')

    def _pay_by_hand(self, **values):
        vals = {
            'payment_type': 'outbound',
            'partner_type': 'customer',
            'partner_id': self.customer.id,
            'amount': self.note.amount_total,
            'journal_id': self.payment.journal_id.id,
            'invoice_ids': [(6, 0, self.note.ids)],
            **values,
        }
        model = self.env['account.payment']
        return model.browse(self._call(self.biller, model, 'create', vals))

    def test_payment_by_hand_goes_to_the_customer_alone(self):
        strange = self._create_account(self.stranger, "NL5", trusted=True)
        unknown = self._create_account(self.customer, "NL6")
        for account in (strange, unknown):
            with self.subTest(account=account.acc_number):
                with self.assert_refused("may only go to Jane Customer"):
                    self._pay_by_hand(partner_bank_id=account.id, state='paid')
                payment = self._pay_by_hand()
                self._call(self.biller, payment, 'write', {'partner_bank_id': account.id})
                with self.assert_refused("may only go to Jane Customer"):
                    self._call(self.biller, payment, 'action_post')
        payment = self._pay_by_hand(partner_id=self.stranger.id)
        with self.assert_refused("may only go to Jane Customer"):
            self._call(self.biller, payment, 'action_post')
        self._assert_unpaid()
        with self.assert_refused("may only go to Jane Customer"):
            self._pay_in_dialog(unknown)
        self._assert_unpaid()
        unknown.allow_out_payment = True
        self._pay_in_dialog(unknown)
        self.assertFalse(self.note.amount_residual)

    def test_payment_of_somebody_else_that_is_matched_is_listed(self):
        payment = self._pay_by_hand(partner_id=self.stranger.id, invoice_ids=[])
        self._call(self.biller, payment, 'action_post')
        lines = (payment.sudo().move_id.line_ids | self.note.line_ids).filtered(
            lambda line: line.account_id.account_type == 'asset_receivable'
        )
        if len(lines.move_id) < 2:
            self.skipTest("Odoo makes no entry for the payment")
        lines.reconcile()
        rows = self.env['sale.return.reconciliation'].sudo()
        rows.action_refresh()
        row = rows.search([('note_id', '=', self.note.id), ('cause', '=', 'other_payee')])
        self.assertEqual((row.amount_difference, row.payment_id), (1210.0, payment))

    def test_only_a_trusted_account_is_proposed(self):
        self.payment.action_cancel()
        self._create_account(self.customer, "NL3")
        refund = self.sale_return.action_refund()
        self.assertFalse(refund.payment_id.partner_bank_id)
        refund.payment_id.action_cancel()
        trusted = self._create_account(self.customer, "NL4", trusted=True)
        refund = self.sale_return.action_refund()
        self.assertEqual(refund.payment_id.partner_bank_id, trusted)
        self._call(self.biller, refund.payment_id, 'action_post')
        self.assertEqual(refund.state, 'done')

    def test_contact_of_the_customer_is_paid(self):
        contact = self.env['res.partner'].create({'name': "Jim", 'parent_id': self.customer.id})
        self._call(self.biller, self.payment, 'write', {'partner_id': contact.id})
        self._call(self.staff, self.payment, 'action_post')
        self.assertEqual(self.payment.state, 'in_process')
        # Odoo has made no entry for it: the note waits for the bank statement.
        self.assertEqual(self.refund.state, 'pending')
        self.assertEqual(self.note.amount_residual, self.note.amount_total)

    def test_posted_payment_keeps_its_payee(self):
        self._call(self.biller, self.payment, 'action_post')
        self.assertEqual(self.refund.state, 'done')
        for vals in ({'partner_id': self.stranger.id}, {'amount': 9999.0}, {'amount': 1.0}):
            with self.subTest(vals=vals), self.assert_refused(exception=UserError):
                self._call(self.biller, self.payment, 'write', vals)

    def test_entry_of_a_payment_is_not_posted_for_a_stranger(self):
        self._call(self.biller, self.payment, 'action_post')
        self._call(self.biller, self.payment, 'action_draft')
        account = self._create_account(self.stranger, "NL5", trusted=True)
        self._call(self.biller, self.payment, 'write', {'partner_bank_id': account.id})
        entry = self.payment.move_id
        self.assertEqual(entry.state, 'draft')
        with self.assert_refused("Jane Customer"):
            self._call(self.biller, entry, 'action_post')
        self._assert_unpaid()

    def test_direction_cannot_be_turned(self):
        self._call(self.biller, self.payment, 'write', {'payment_type': 'inbound'})
        for method, args in self._post_in_every_way():
            with self.subTest(method=method), self.assert_refused("direction"):
                self._call(self.biller, self.payment, method, *args)
        self._assert_unpaid()

    def test_done_follows_the_matching(self):
        self._call(self.biller, self.payment, 'action_post')
        self.assertEqual(self.refund.state, 'done')
        lines = self.payment.move_id.line_ids
        lines.filtered(
            lambda line: line.account_id.account_type == 'asset_receivable'
        ).remove_move_reconcile()
        self.env.invalidate_all()
        self.assertEqual(self.refund.state, 'pending')
        self.assertEqual(self.note.amount_residual, self.note.amount_total)
        # The money is on its way: nothing is paid a second time.
        self.assertFalse(self.sale_return.action_refund())
        self.refund._settle()
        self.assertEqual(self.refund.state, 'done')

    def test_upgrade_takes_no_payment_for_matched(self):
        contact = self.env['res.partner'].create({'name': "Jim", 'parent_id': self.customer.id})
        self._call(self.biller, self.payment, 'write', {'partner_id': contact.id})
        self._call(self.staff, self.payment, 'action_post')
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sale_return_refund SET state = 'done' WHERE id = %s", [self.refund.id]
        )
        self.env.invalidate_all()
        load_migration('post-states').migrate(self.env.cr, '19.0.1.0.0')
        self.env.invalidate_all()
        self.assertEqual(self.refund.state, 'pending')

    def test_written_state_settles_like_the_button(self):
        self._call(self.biller, self.payment, 'write', {'state': 'in_process'})
        self.env.invalidate_all()
        self.assertEqual(self.refund.state, 'done')
        self.assertFalse(self.note.amount_residual)
        self.assertEqual(self.sale_return.event_ids.mapped('kind').count('refunded'), 1)
