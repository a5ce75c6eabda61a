from odoo.tests import tagged

from ..common_refund import RefundCommon


@tagged('post_install', '-at_install')
class TestHeaderOfNotes(RefundCommon):
    """A note of a return is for the billed customer, in the currency of the invoice."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.biller = cls._create_user('header_biller', 'account.group_account_invoice')
        cls.stranger = cls._create_customer("John Stranger")
        cls.euro = cls._setup_currency('EUR').currency_id

    def _change(self, note, vals):
        self._call(self.biller, note, 'write', vals)
        self.env.invalidate_all()

    def test_note_is_not_posted_for_others(self):
        self.policy.credit_posting = 'draft'
        paid_by_stranger = self._create_paid_sale(partner_id=self.stranger.id)
        for vals in (
            {'partner_id': self.stranger.id},
            {'currency_id': self.euro.id},
            {'reversed_entry_id': paid_by_stranger.invoice_ids.id},
        ):
            with self.subTest(vals=vals):
                note = self._return_goods(self._create_paid_sale(), 2).credit_note_ids
                self._change(note, vals)
                with self.assert_refused("Restore"):
                    self._call(self.biller, note, 'action_post')
                self.env.invalidate_all()
                self.assertEqual(note.state, 'draft')

    def test_contact_of_the_customer_may_get_the_note(self):
        self.policy.credit_posting = 'draft'
        contact = self.env['res.partner'].create({'name': "Jim", 'parent_id': self.customer.id})
        note = self._return_goods(self._create_paid_sale(), 2).credit_note_ids
        self._change(note, {'partner_id': contact.id})
        self._call(self.biller, note, 'action_post')
        self.assertEqual(note.state, 'posted')

    def test_posted_note_that_was_turned_is_not_paid(self):
        paid_by_stranger = self._create_paid_sale(partner_id=self.stranger.id).invoice_ids
        for vals in (
            {'commercial_partner_id': self.stranger.id},
            {'reversed_entry_id': paid_by_stranger.id},
        ):
            with self.subTest(vals=vals):
                sale_return = self._return_goods(self._create_paid_sale(), 2)
                self._change(sale_return.credit_note_ids, vals)
                with self.assert_refused("Restore"):
                    self._call(self.manager, sale_return, 'action_refund')
                self.assertFalse(sale_return.refund_ids)

    def test_prepared_payment_does_not_follow_a_turned_note(self):
        sale_return = self._return_goods(self._create_paid_sale(), 2)
        payment = sale_return.action_refund().payment_id
        note = sale_return.credit_note_ids
        self._change(note, {'commercial_partner_id': self.stranger.id})
        self._call(self.biller, payment, 'write', {'partner_id': self.stranger.id})
        with self.assert_refused("Jane Customer"):
            self._call(self.biller, payment, 'action_post')
        self.env.invalidate_all()
        self.assertEqual(note.amount_residual, note.amount_total)

    def test_entry_of_a_payment_names_its_customer(self):
        sale_return = self._return_goods(self._create_paid_sale(), 2)
        payment = sale_return.action_refund().payment_id
        self._call(self.biller, payment, 'action_post')
        self._call(self.biller, payment, 'action_draft')
        self._call(self.biller, payment.move_id.line_ids, 'write', {'partner_id': self.stranger.id})
        for records in (payment, payment.move_id):
            with self.subTest(model=records._name), self.assert_refused("Jane Customer"):
                self._call(self.biller, records, 'action_post')
