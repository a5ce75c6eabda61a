from datetime import date
from unittest.mock import patch

from freezegun import freeze_time

from odoo import Command
from odoo.tests import tagged

from ..common_reconciliation import ReconciliationCommon
from ..common_refund import RefundCommon
from ..common_stored_value import StoredValueCommon

LEAN = {
    "a story of the room": (
        'test_draft_that_a_person_changed',
        'test_payout_that_settles_its_note_is_no_row',
        'test_note_by_hand_after_full_credit',
    ),
}


@tagged('post_install', '-at_install')
class TestNoteRows(ReconciliationCommon):
    """A credit note that disagrees with its invoice is listed."""

    ready_sales = 1

    def _get_row(self, kind='note_difference'):
        rows = self._refresh().filtered(lambda row: row.kind == kind)
        self.assertEqual(len(rows), 1)
        return rows

    def test_note_with_the_cash_rounding_of_its_invoice_is_no_row(self):
        """36.34 rounded to 36.35: the last note takes the cent along, as it should."""
        order = self._create_order({'quantity': 3, 'price': 10.01})
        self._deliver(order)
        invoice = order._create_invoices()
        invoice.invoice_cash_rounding_id = self._create_cash_rounding()
        invoice.action_post()
        notes = [self._return_goods(order, part).credit_note_ids for part in (1, 2)]
        self.assertEqual([note.amount_total for note in notes], [12.11, 24.24])
        self.assertFalse(self._refresh())

    def _write_past_orm(self, record, **values):
        self.env.flush_all()
        for name, value in values.items():
            # Somebody with access to the database, bypassing all checks.
            self.env.cr.execute(
                f'UPDATE {record._table} SET {name} = %s WHERE id = %s',
                (value, record.id),
            )
        self.env.invalidate_all()

    def _create_draft(self, **values):
        self._create_policy(credit_posting='draft', **values)
        sale_return = self._return_goods(self._create_sale(), 4, reason=self.reason_changed_mind)
        return sale_return.credit_note_ids

    def test_notes_of_every_kind_that_are_right_are_no_rows(self):
        self._create_policy(restocking_fee_percent=10, restocking_fee_fixed=3.0)
        for taxes in (self.tax_21, self.tax_20_included, self.tax_group, self.env['account.tax']):
            order = self._create_sale(
                {'taxes': taxes, 'price': 33.33},
                {'product': self.service, 'quantity': 1, 'price': -10.0, 'taxes': taxes},
            )
            for quantity in (1, 3, 6):
                self._return_goods(order.order_line[:1], quantity, reason=self.reason_changed_mind)
        self.assertFalse(self._refresh())
        self.assertFalse(self._refresh())

    def test_roundings_of_odoo_are_no_rows(self):
        """Each line rounds its tax in another currency; parts of a group have other bases."""
        first = self._create_tax("10% before", 10.0, include_base_amount=True)
        group = self._create_tax(
            "10%, then 5% of both",
            0.0,
            amount_type='group',
            children_tax_ids=[Command.link(tax.id) for tax in (first, self._create_tax("5%", 5.0))],
        )
        pricelist = self._setup_currency('EUR')
        self._set_rate(pricelist.currency_id, '2021-01-01', 1.1)
        for method in ('round_per_line', 'round_globally'):
            self.company.sudo().tax_calculation_rounding_method = method
            for taxes in (self.tax_20_included, group):
                lines = [{'taxes': taxes, 'price': 0.37 + n / 100, 'quantity': 3} for n in range(9)]
                order = self._create_sale(*lines, pricelist_id=pricelist.id)
                self._return_goods(order.order_line[:1], 1)
                self._return_goods(order.order_line[-1:], 3)
        self.assertFalse(self._refresh().mapped('cause'))

    def test_note_of_today_is_right_where_it_is_tomorrow_already(self):
        self.company.sudo().partner_id.tz = 'Asia/Shanghai'
        with freeze_time('2026-03-01 23:30:00'):
            note = self._return_goods(self._create_sale({}), 4).credit_note_ids
            self.assertEqual(note.invoice_date, date(2026, 3, 2))
            self.assertFalse(self._refresh())

    def test_job_looks_once_at_notes_that_are_right(self):
        notes = self._return_goods(self._create_sale(), 4).credit_note_ids
        notes |= self._return_goods(self._create_sale(), 2).credit_note_ids
        wrong = notes[:1]
        self._write_past_orm(wrong.invoice_line_ids, price_subtotal=400.01)
        service = self.env['sale.return.reconciler']._get_service(self.company)
        checks = service.env['sale.return.note.check']
        company = self.company.with_env(service.env)
        self.assertLessEqual(set(notes.ids), set(checks._get_unproven(company)))
        committed = []
        with patch.object(
            type(self.env['ir.cron']),
            '_commit_progress',
            lambda *_args, **_options: committed.append(True) or 1.0,
        ):
            self.assertTrue(checks._prove(company))
        self.assertTrue(committed)
        self.assertEqual(set(checks._get_unproven(company)) & set(notes.ids), set(wrong.ids))

    def test_amount_changed_past_the_orm(self):
        note = self._return_goods(self._create_sale(), 4).credit_note_ids
        self.assertFalse(self._refresh())
        self._write_past_orm(note.invoice_line_ids, price_subtotal=400.01)
        self.assertEqual(self._get_row().cause, 'unbalanced')
        self._write_past_orm(note.invoice_line_ids, price_subtotal=400.0)
        self.assertFalse(self._refresh())

    def test_partner_currency_and_date_of_the_head(self):
        note = self._return_goods(self._create_sale(), 4).credit_note_ids
        stranger = self._create_customer("Stranger")
        currency = self.env.ref('base.KWD')
        for name, value, cause in (
            ('partner_id', stranger.id, 'partner'),
            ('currency_id', currency.id, 'currency'),
            ('reversed_entry_id', None, 'invoice'),
            ('date', '2020-01-01', 'dates'),
        ):
            before = note[name].id if name.endswith('_id') else note[name]
            self._write_past_orm(note, **{name: value})
            with self.subTest(name=name):
                row = self._get_row()
                self.assertIn(cause, row.cause.split(','))
                self.assertIn(note.name, row.explanation)
            self._write_past_orm(note, **{name: before})

    def test_draft_that_a_person_changed(self):
        note = self._create_draft(restocking_fee_percent=10)
        goods = note.invoice_line_ids.filtered('sale_line_ids')
        fee = note.invoice_line_ids - goods
        text = {'name': "Text", 'quantity': 1, 'price_unit': 500.0, 'tax_ids': [Command.clear()]}
        account = self.env['account.account'].search(
            [('account_type', '=', 'income_other')], limit=1
        )
        for record, values, cause, difference in (
            (goods, {'price_unit': 50.0}, 'amounts', -242.0),
            (goods, {'price_unit': 240.0}, 'amounts', 677.6),
            (goods, {'tax_ids': [Command.clear()]}, 'taxes', -84.0),
            (goods, {'account_id': account.id}, 'accounts', 0.0),
            (note, {'invoice_line_ids': [Command.create(text)]}, 'added', 500.0),
            (note, {'invoice_line_ids': [Command.delete(fee.id)]}, 'fees', 48.4),
        ):
            with self.subTest(cause=cause, values=values):
                savepoint = self.env.cr.savepoint()
                record.write(values)
                row = self._get_row()
                self.assertIn(cause, row.cause.split(','))
                self.assertEqual(row.amount_accepted, 435.6)
                self.assertAlmostEqual(row.amount_difference, difference)
                savepoint.close(rollback=True)

    def test_entry_that_takes_a_credit_back(self):
        note = self._return_goods(self._create_sale(), 4).credit_note_ids
        due = note.line_ids.filtered(lambda line: line.display_type == 'payment_term')
        due.remove_move_reconcile()
        entry = self.env['account.move'].create(
            {
                'move_type': 'entry',
                'line_ids': [
                    Command.create(
                        {
                            'account_id': account.id,
                            'partner_id': self.customer.id,
                            'debit': debit,
                            'credit': credit,
                        }
                    )
                    for account, debit, credit in (
                        (due.account_id, 484.0, 0.0),
                        (note.invoice_line_ids.account_id, 0.0, 484.0),
                    )
                ],
            }
        )
        entry.action_post()
        row = self._get_row('customer_difference')
        self.assertEqual(row.amount_difference, 484.0)
        (due | entry.line_ids.filtered('debit')).reconcile()
        row = self._get_row()
        self.assertEqual((row.cause, row.amount_difference), ('taken_back', -484.0))
        self.assertEqual(row.amount_accepted, note.amount_total)
        self.assertEqual(row.amount_credited, note.amount_total - 484.0)
        self.assertIn("reverses", row.explanation)

    def test_openings_and_write_offs_are_no_rows(self):
        order = self._create_sale()
        self._return_goods(order, 4)
        receivable = order.invoice_ids.line_ids.filtered(
            lambda line: line.account_id.account_type == 'asset_receivable'
        ).account_id
        for kind, sign in (('equity', 1), ('expense', -1)):
            account = self.env['account.account'].search([('account_type', '=', kind)], limit=1)
            self.env['account.move'].create(
                {
                    'move_type': 'entry',
                    'line_ids': [
                        Command.create(
                            {'account_id': a.id, 'partner_id': self.customer.id, 'balance': amount}
                        )
                        for a, amount in ((receivable, 7.0 * sign), (account, -7.0 * sign))
                    ],
                }
            ).action_post()
        self.assertFalse(self._refresh())

    def test_goods_credited_as_missing_arrive_later(self):
        order = self._create_sale()
        self._create_approved_return(order.order_line, 2, reason=self.reason_missing)
        self.assertFalse(self._refresh())
        # Earlier versions received them like any goods; the books still show it.
        self.patch(
            self.env.registry['sale.order.line'],
            '_check_return_quantities',
            lambda lines, held=True: None,
        )
        back = self._return_in_inventory(order.picking_ids[:1], 10)
        self._process(back)
        back.move_ids.sale_return_line_id.return_id.action_inspect_all('restock')
        row = self._get_row('cost_difference')
        self.assertEqual(abs(row.amount_difference), 120.0)
        self.assertIn("credited as missing", row.explanation)

    def test_list_says_when_it_was_compared(self):
        model = self.env['sale.return.reconciliation']
        self.assertIn("Not compared yet", model.get_empty_list_help("All is well"))
        self._return_goods(self._create_sale(), 4)
        self._refresh()
        text = model.get_empty_list_help("All is well")
        self.assertIn("All is well", text)
        self.assertIn("Compared on", text)


@tagged('post_install', '-at_install')
class TestPayoutRows(RefundCommon, ReconciliationCommon):
    """A payout that does not settle its note is listed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.policy.settlement = 'refund'
        cls.order = cls._create_paid_sale()
        cls.sale_return = cls._return_goods(cls.order, 4)
        cls.refund = cls.sale_return.action_refund()
        cls._post_refunds(cls, cls.refund)

    def _get_rows_of_payouts(self):
        return self._refresh().filtered(lambda row: row.kind == 'payout_difference')

    def test_payout_that_settles_its_note_is_no_row(self):
        self.assertFalse(self._refresh())

    def test_second_payment(self):
        self.refund.payment_id.copy().action_post()
        row = self._get_rows_of_payouts()
        self.assertEqual((row.cause, row.amount_difference), ('paid_again', 484.0))
        self.assertEqual(row.note_id, self.sale_return.credit_note_ids)

    def test_payment_that_is_not_matched(self):
        lines = self.refund.payment_id.move_id.line_ids.filtered(
            lambda line: line.account_id.account_type == 'asset_receivable'
        )
        lines.remove_move_reconcile()
        self.assertEqual(self._get_rows_of_payouts().cause, 'unmatched')

    def test_payment_to_somebody_else(self):
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE account_payment SET partner_id = %s WHERE id = %s",
            (self._create_customer("Stranger").id, self.refund.payment_id.id),
        )
        self.env.invalidate_all()
        self.assertEqual(self._get_rows_of_payouts().cause, 'other_payee')

    def test_each_error_of_a_payout_is_a_row(self):
        payment, note = self.refund.payment_id, self.sale_return.credit_note_ids
        for cause, record, name, value in (
            ('payment_gone', self.refund, 'payment_id', None),
            ('other_amount', payment, 'amount', 400.0),
            ('reset', payment, 'state', 'draft'),
            ('note_gone', note, 'state', 'cancel'),
        ):
            with self.subTest(cause=cause):
                savepoint = self.env.cr.savepoint()
                self.env.flush_all()
                self.env.cr.execute(
                    f'UPDATE {record._table} SET {name} = %s WHERE id = %s', (value, record.id)
                )
                self.env.invalidate_all()
                self.assertEqual(self._get_rows_of_payouts().mapped('cause'), [cause])
                savepoint.close(rollback=True)
                self.env.invalidate_all()
        self.assertFalse(self._refresh())


@tagged('post_install', '-at_install')
class TestInvoiceTotal(ReconciliationCommon):
    """No credit note takes an invoice above its total, with or without a return."""

    def _create_note(self, invoice, amount, **values):
        return self.env['account.move'].create(
            {
                'move_type': 'out_refund',
                'partner_id': invoice.partner_id.id,
                'reversed_entry_id': invoice.id,
                'invoice_line_ids': [
                    Command.create(
                        {
                            'name': "By hand",
                            'quantity': 1,
                            'price_unit': amount,
                            'tax_ids': [Command.clear()],
                        }
                    )
                ],
                **values,
            }
        )

    def test_note_by_hand_after_full_credit(self):
        for with_return in (False, True):
            order = self._create_sale()
            invoice = order.invoice_ids
            if with_return:
                self._return_goods(order, 10)
            else:
                self._reverse(invoice)
            with self.subTest(with_return=with_return), self.assert_refused("more than its total"):
                self._create_note(invoice, 500.0).action_post()

    def test_note_that_was_posted_above_the_total_is_a_row(self):
        order = self._create_sale()
        invoice = order.invoice_ids
        self._return_goods(order, 10)
        # Earlier versions posted it; the books still show it.
        self.patch(
            self.env.registry['account.move'], '_check_sale_return_total', lambda moves: None
        )
        note = self._create_note(invoice, 500.0)
        note.action_post()
        row = self._refresh()
        self.assertEqual(
            (row.kind, row.cause, row.amount_difference),
            ('note_difference', 'above_invoice', 500.0),
        )
        self.assertEqual(row.note_id, note)

    def test_note_that_was_reversed_twice_is_a_row(self):
        # Earlier versions posted it; the books still show it.
        self.patch(
            self.env.registry['account.move'], '_check_notes_reversed_once', lambda moves: None
        )
        for by_return in (True, False):
            order = self._create_sale()
            if by_return:
                note = self._return_goods(order, 4).credit_note_ids
            else:
                note = self._reverse(order.invoice_ids, quantity=4)
                self._create_return(order, 1)
            bills = self._reverse(note) | self._reverse(note)
            row = self._refresh().filtered(lambda row, note=note: row.note_id == note)
            with self.subTest(by_return=by_return):
                self.assertEqual(
                    (row.kind, row.cause, row.amount_difference),
                    ('note_difference', 'reversed_twice', -484.0),
                )
                self.assertIn("was reversed more than once", row.explanation)
                bills[-1:].button_draft()
                bills[-1:].button_cancel()
                causes = self._refresh().mapped('cause')
                self.assertNotIn('reversed_twice', causes)

    def test_parts_that_round_otherwise_are_not_reversed_twice(self):
        """1.01 for three at 0.335, taken back one by one at 0.34."""
        order = self._create_sale({'quantity': 3, 'price': 0.335, 'taxes': self.env['account.tax']})
        note = self._return_goods(order, 3).credit_note_ids
        bills = [self._reverse(note, quantity=1) for _part in range(3)]
        self.assertGreater(sum(bill.amount_total for bill in bills), note.amount_total)
        self.assertNotIn('reversed_twice', self._refresh().mapped('cause'))

    def test_manager_with_a_reason_may(self):
        invoice = self._create_sale().invoice_ids
        self._reverse(invoice)
        note = self._create_note(invoice, 500.0)
        note.sale_return_override_reason = "Agreed with the customer."
        note.action_post()
        self.assertEqual(note.state, 'posted')

    def test_what_odoo_does_passes(self):
        invoice = self._create_sale().invoice_ids
        # A price correction and the rest.
        self._create_note(invoice, 210.0).action_post()
        self._create_note(invoice, 1000.0).action_post()
        # All undone by reversing and by cancelling, and credited again.
        other = self._create_sale().invoice_ids
        self._reverse(other)._reverse_moves([{}], cancel=True)
        cancelled = self._create_note(other, 1210.0)
        cancelled.action_post()
        cancelled.button_draft()
        cancelled.button_cancel()
        self.assertEqual(self._reverse(other).state, 'posted')
        # Reversed and billed again.
        third = self._create_sale().invoice_ids
        wizard = (
            self.env['account.move.reversal']
            .with_context(active_model='account.move', active_ids=third.ids)
            .create({'journal_id': third.journal_id.id})
        )
        wizard.modify_moves()
        self.assertEqual(third.payment_state, 'reversed')


@tagged('post_install', '-at_install')
class TestCardNoteRows(StoredValueCommon, ReconciliationCommon):
    """A credit note of an order partly paid by cards is not listed."""

    def test_parts_of_cards_are_no_rows(self):
        card, wallet = self._create_card('gift_card', 30.0), self._create_card('ewallet', 100.0)
        order, invoice = self._sell_with([card, wallet], {'quantity': 3}, {'quantity': 1})
        for quantity in (1, 2):
            self._return_goods(self._goods(order)[0], quantity)
        self.assertFalse(self._refresh())
        self._return_goods(self._goods(order)[1])
        self.assert_fully_credited(invoice)
        self.assertEqual((card.points, wallet.points), (30.0, 100.0))
        self.assertFalse(self._refresh())
        self.assertFalse(self._refresh())

    def test_fee_that_a_card_bears_is_no_row_after_the_policy_has_changed(self):
        self.policy.restocking_fee_percent = 10
        wallet = self._create_card('ewallet', 242.0)
        order, _invoice = self._sell_with([wallet], {'quantity': 2})
        self._return_goods(self._goods(order), reason=self.reason_changed_mind)
        self.assertFalse(self._refresh())
        self.policy.restocking_fee_percent = 20
        self.env.flush_all()
        # As if the note were from yesterday, and checked for the first time.
        self.env.cr.execute(
            "UPDATE account_move SET create_date = create_date - interval '1 day', "
            "sale_return_proof = NULL WHERE move_type = 'out_refund'"
        )
        self.env.invalidate_all()
        self.assertFalse(self._refresh())

    def test_points_spent_on_a_discount_are_no_row(self):
        card = self._create_card('loyalty', 20.0)
        order, invoice = self._sell_with([card], {'quantity': 2})
        for _piece in range(2):
            self._return_goods(self._goods(order), 1)
        self.assert_fully_credited(invoice)
        self.assertFalse(self._refresh())

    def test_trade_in_is_no_row(self):
        none = self.env['account.tax']
        old = self._create_product("Old Lamp", invoice_policy='order')
        order = self._create_sale(
            {'quantity': 1, 'taxes': none},
            {'product': old, 'quantity': 1, 'price': -30.0, 'taxes': none},
        )
        sale_return = self._return_goods(order.order_line[0])
        self.assertEqual(sale_return.credit_note_ids.amount_total, 100.0)
        self.assertFalse(self._refresh())
