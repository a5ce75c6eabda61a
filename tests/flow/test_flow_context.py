from odoo.tests import tagged

from ..common_refund import RefundCommon

# Keys of Odoo that leave out lines, balances or dates of entries.
CONTEXT = {
    'skip_invoice_sync': True,
    'skip_account_move_synchronization': True,
    'check_move_validity': False,
    'default_move_type': 'entry',
    'move_reverse_cancel': True,
}


@tagged('post_install', '-at_install')
class TestFlowContext(RefundCommon):
    """Whatever context a remote client sends, entries are created as usual."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clerk = cls._create_user(
            'context_clerk',
            'base.group_user',
            'sale_return.group_user',
            'sale_return.group_inspector',
        )

    def _call_with_context(self, user, records, method, *args, **kwargs):
        context = {**CONTEXT, 'allowed_company_ids': self.company.ids}
        self._call(user, records, method, *args, context=context, **kwargs)
        self.env.invalidate_all()

    def test_note_is_complete_whatever_the_context_of_its_step(self):
        sale_return = self._create_return(self._create_sale(), 4)
        self._receive(sale_return)
        self._call_with_context(self.clerk, sale_return, 'action_inspect_all', 'restock')
        self._assert_note(sale_return)

    def test_note_is_complete_whatever_the_context_of_its_button(self):
        self._configure(sale_return_auto_credit=False)
        sale_return = self._return_goods(self._create_sale(), 4)
        self._call_with_context(self.clerk, sale_return, 'action_create_credit_notes')
        self._assert_note(sale_return)

    def _assert_note(self, sale_return):
        note = sale_return.credit_note_ids
        self.assertEqual((note.move_type, note.state), ('out_refund', 'posted'))
        self.assertEqual((note.amount_untaxed, note.amount_total), (400.0, 484.0))
        self.assertEqual(note.reversed_entry_id.amount_residual, 726.0)
        self.assert_ledger_balanced()

    def test_refund_is_complete_whatever_the_context(self):
        sale_return = self._return_goods(self._create_paid_sale(), 4)
        self._call_with_context(self.manager, sale_return, 'action_refund')
        self._post_refunds(sale_return.refund_ids)
        self.assertEqual(sale_return.refund_ids.payment_id.move_id.amount_total, 484.0)
        self.assert_at_zero(sale_return.credit_note_ids)

    def test_goodwill_is_complete_whatever_the_context(self):
        reason = self.env.ref('sale_return.reason_other').copy(
            {'name': "Goodwill", 'code': 'context_goodwill', 'return_class': 'goodwill'}
        )
        invoice = self._create_sale().invoice_ids
        manager = self.manager
        manager.sudo().group_ids += self.env.ref('account.group_account_readonly')
        self._call_with_context(manager, invoice, 'grant_goodwill', 60.5, reason.code, "So.")
        self.assertEqual(self._get_notes(invoice).amount_total, 60.5)
        self.assertEqual(invoice.amount_residual, 1149.5)
