from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from ..common_reconciliation import ReconciliationCommon
from ..common_refund import RefundCommon


@tagged('post_install', '-at_install')
class TestDocumentRows(RefundCommon, ReconciliationCommon):
    """Documents of a return that contradict each other are rows, whatever their amounts say."""

    def _get_causes(self, record, values):
        """Return the codes of the rows that a change past every check makes, and undo it."""
        savepoint = self.env.cr.savepoint()
        try:
            self.env.flush_all()
            for name, value in values.items():
                self.env.cr.execute(
                    f'UPDATE {record._table} SET {name} = %s WHERE id = %s', (value, record.id)
                )
            self.env.invalidate_all()
            rows = self._refresh().filtered(lambda row: row.cause in self.causes)
            self.assertNotIn(False, [bool(row.explanation) for row in rows])
            return rows.mapped('cause')
        finally:
            savepoint.close(rollback=True)
            self.env.invalidate_all()

    def test_each_contradiction_is_a_row(self):
        order = self._create_paid_sale()
        sale_return = self._return_goods(order, 4)
        payout = sale_return.action_refund()
        payout.payment_id.action_post()
        other = self._create_sale()
        stranger = self._create_customer("John Stranger")
        second = self._create_product("Second")
        note, line = sale_return.credit_note_ids, sale_return.line_ids
        goods = note.invoice_line_ids
        invoice = note.reversed_entry_id
        billed = invoice.invoice_line_ids
        tax = note.line_ids.filtered(lambda item: item.display_type == 'tax')
        due = note.line_ids.filtered(lambda item: item.display_type == 'payment_term')
        costs = note.line_ids.filtered(lambda item: item.display_type == 'cogs')
        cost = costs.filtered(lambda item: item.account_id.account_type.startswith('expense'))
        receipt = line.move_ids.filtered(lambda move: not move.sale_return_inspection_id)
        restocked = line.inspection_ids.move_ids
        entry = payout.payment_id.move_id
        bank = entry.line_ids - due - entry.line_ids.filtered('account_id.reconcile')
        bank |= entry.line_ids.filtered(
            lambda item: item.account_id == payout.payment_id.outstanding_account_id
        )
        invoiced = tax.tax_line_id.invoice_repartition_line_ids.filtered(
            lambda part: part.repartition_type == 'tax'
        )
        tomorrow = fields.Datetime.now() + timedelta(days=3)
        plants = [
            ('type', note, {'move_type': 'entry'}),
            ('journal', note, {'journal_id': note.journal_id.copy({'code': 'OSJ'}).id}),
            ('product', goods, {'product_id': second.id}),
            ('analytic', goods, {'analytic_distribution': '{"1": 100.0}'}),
            ('invoice', billed, {'price_subtotal': billed.price_subtotal - 0.01}),
            ('invoice', billed, {'balance': billed.balance - 1}),
            ('invoice', billed, {'credit': 1.0}),
            ('invoice', billed, {'parent_state': 'draft'}),
            ('invoice', invoice, {'amount_total': invoice.amount_total + 1}),
            ('invoice', invoice, {'amount_untaxed': invoice.amount_untaxed + 1}),
            ('invoice', invoice, {'amount_tax': invoice.amount_tax + 1}),
            ('residual', note, {'amount_residual': 100.0}),
            ('residual', due, {'amount_residual_currency': -100.0}),
            ('residual', due, {'amount_residual': -100.0}),
            ('repartition', tax, {'tax_repartition_line_id': invoiced.id}),
            ('cost_account', cost, {'account_id': goods.account_id.id}),
            ('not_approved', sale_return, {'state': 'refused'}),
            ('not_authorized', line, {'qty_authorized': 1.0}),
            ('customer', sale_return, {'partner_id': stranger.id}),
            ('other_order', line, {'sale_line_id': other.order_line.id}),
            ('other_order', receipt, {'sale_line_id': other.order_line.id}),
            ('receipt_date', receipt, {'date': '2020-01-01'}),
            ('receipt_date', receipt, {'date': tomorrow}),
            ('not_in_its_place', restocked, {'state': 'cancel'}),
            ('not_in_its_place', line.inspection_ids, {'quantity': 1.0}),
            ('other_account', bank, {'account_id': cost.account_id.id}),
            ('payment_date', entry, {'date': '2020-01-01'}),
        ]
        self._check_rows(plants)

    def _check_rows(self, plants):
        """Plant errors one by one: each is a row with a sentence, and before and after is none."""
        self.causes = {cause for cause, _record, _values in plants}
        self.assertFalse(self._refresh())
        for cause, record, values in plants:
            with self.subTest(cause=cause, values=values):
                self.assertIn(cause, self._get_causes(record, values))
        self.assertFalse(self._refresh())

    def test_stored_figures_are_put_right(self):
        order = self._create_sale()
        sale_return = self._return_goods(order, 4)
        self.assertFalse(self._refresh())
        wrong = [
            (order.order_line, 'qty_delivered', 9.0),
            (order.order_line, 'qty_invoiced', 9.0),
            (order.order_line, 'qty_returned', 0.0),
            (order.order_line, 'qty_to_invoice', 3.0),
            (sale_return.line_ids, 'qty_accepted', 1.0),
            (sale_return.line_ids, 'qty_to_credit', 1.0),
            (sale_return, 'amount_credited', 1.0),
        ]
        for record, name, value in wrong:
            right = record[name]
            self.env.flush_all()
            self.env.cr.execute(
                f'UPDATE {record._table} SET {name} = %s WHERE id = %s', (value, record.id)
            )
            self.env.invalidate_all()
            self.assertEqual(record[name], value)
            self.assertFalse(self._refresh())
            self.env.invalidate_all()
            self.assertEqual(record[name], right, name)

    def _book(self, *items):
        """Post a miscellaneous entry of `(account, partner, balance)`."""
        entry = self.env['account.move'].create(
            {
                'move_type': 'entry',
                'line_ids': [
                    fields.Command.create(
                        {
                            'account_id': account.id,
                            'partner_id': partner.id,
                            'debit': max(balance, 0.0),
                            'credit': max(-balance, 0.0),
                        }
                    )
                    for account, partner, balance in items
                ],
            }
        )
        entry.action_post()

    def test_debt_that_is_moved_to_somebody_else_is_a_row(self):
        sale_return = self._return_goods(self._create_sale(), 4)
        due = sale_return.credit_note_ids.line_ids.filtered(
            lambda item: item.display_type == 'payment_term'
        )
        stranger = self._create_customer("John Stranger")
        owed = due.account_id
        equity = self.env['account.account'].search([('account_type', '=', 'equity')], limit=1)
        # An opening balance of both is none.
        self._book((owed, stranger, 300.0), (owed, self.customer, 50.0), (equity, stranger, -350.0))
        self.assertFalse(self._refresh())
        self._book((owed, stranger, 100.0), (owed, self.customer, -100.0))
        row = self.assert_row(self._refresh(), 'customer_difference')
        self.assertEqual(row.partner_id, self.customer)
        self.assertEqual(row.amount_difference, -100.0)

    def test_credit_that_pays_for_somebody_else_is_a_row(self):
        note = self._return_goods(self._create_sale(), 4).credit_note_ids
        stranger = self._create_customer("John Stranger")
        other = self._create_sale(partner_id=stranger.id).invoice_ids
        due, owed = (
            move.line_ids.filtered(lambda item: item.display_type == 'payment_term')
            for move in (note, other)
        )
        due.remove_move_reconcile()
        (due | owed).reconcile()
        rows = self._refresh().filtered(lambda row: row.cause == 'settles_others')
        self.assertEqual(rows.note_id, note)
