from odoo.tests import tagged
from odoo.tools import SQL

from ..common_reconciliation import ReconciliationCommon


@tagged('post_install', '-at_install')
class TestGoodwillUndone(ReconciliationCommon):
    """A note that lowered a return is undone later: what the customer lacks is a row."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reason = cls.env['sale.return.reason'].create(
            {
                'name': "Scratch",
                'code': 'SCRATCH',
                'return_class': 'goodwill',
                'return_expected': False,
            }
        )
        cls._configure(sale_return_goodwill_agent_limit=0.0)

    # === WAYS === #

    def _grant(self, invoice):
        note = invoice.grant_goodwill(121.0, self.reason.id, "Scratched on arrival")
        return self.env['account.move'].browse(note.id)

    def _correct_price(self, invoice):
        """Lower the price by 10 %, by hand."""
        return self._reverse(invoice, quantity=10, price=10)

    def _cancel(self, note):
        note.button_draft()
        note.button_cancel()

    def _delete(self, note):
        note.button_draft()
        note.unlink()

    def test_lacking_amount_is_a_row_and_its_way_out_gives_it(self):
        ways = [
            (self._correct_price, self._cancel, 4),
            (self._correct_price, self._delete, 10),
            (self._correct_price, self._reverse, 4),
            (self._grant, self._reverse, 4),
        ]
        for lower, undo, quantity in ways:
            with self.subTest(lower=lower.__name__, undo=undo.__name__, quantity=quantity):
                order = self._create_sale()
                lowering = lower(order.invoice_ids)
                sale_return = self._return_goods(order, quantity)
                note = sale_return.credit_note_ids
                self.assertAlmostEqual(note.amount_total, quantity * 108.9)
                self.assertFalse(self._refresh())
                undo(lowering)
                row = self.assert_row(
                    self._refresh(), 'note_difference', note_id=note, return_id=sale_return
                )
                self.assertAlmostEqual(row.amount_difference, quantity * -12.1)
                self.assertIn(note.name, row.explanation)
                self._reverse(note)
                sale_return.action_create_credit_notes()
                again = sale_return.credit_note_ids - note
                self.assertAlmostEqual(again.amount_total, quantity * 121)
                self.assertEqual(sale_return.credit_state, 'full')
                self.assert_ledger_balanced()
                self.assertFalse(self._refresh())
                self.assertFalse(sale_return.action_create_credit_notes())

    def test_nothing_is_listed_once_later_goods_take_the_rest_along(self):
        for undo in (self._cancel, self._reverse):
            with self.subTest(undo=undo.__name__):
                order = self._create_sale()
                lowering = self._grant(order.invoice_ids)
                first = self._return_goods(order, 4)
                undo(lowering)
                self.assertTrue(self._refresh())
                second = self._return_goods(order, 6)
                notes = (first | second).credit_note_ids
                self.assertAlmostEqual(sum(notes.mapped('amount_total')), 1210.0)
                self.assertFalse(self._refresh())
        for item in first.credit_note_ids.line_ids:
            if item.display_type in ('product', 'tax'):
                self.assert_changes_listed(item)

    def assert_changes_listed(self, item):
        """Assert that a change of a journal item past every check is a row."""
        other = self.env['account.account'].search(
            [('account_type', '=', item.account_id.account_type), ('id', '!=', item.account_id.id)],
            limit=1,
        )
        for values in (
            {'amount_currency': item.amount_currency + 1, 'balance': item.balance + 1},
            {'account_id': other.id},
        ):
            with self.subTest(item=item.display_type, values=values):
                savepoint = self.env.cr.savepoint()
                self.env.flush_all()
                for name, value in values.items():
                    self.env.cr.execute(
                        SQL(
                            "UPDATE account_move_line SET %s = %s WHERE id = %s",
                            SQL.identifier(name),
                            value,
                            item.id,
                        )
                    )
                self.env.invalidate_all()
                listed = bool(self._refresh())
                savepoint.close(rollback=True)
                self.env.invalidate_all()
                self.assertTrue(listed)
