from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from ...models.books.sale_return_reconciler import (
    STORED_AMOUNTS,
    STORED_BILLS,
    STORED_DELIVERIES,
    STORED_QUANTITIES,
)
from ..common_reconciliation import ReconciliationCommon
from ..common_refund import RefundCommon


class ContradictionCommon(RefundCommon, ReconciliationCommon):
    """A return that is credited and paid back, to plant errors into."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sale_return = cls._return_goods(cls._create_paid_sale(), 4)
        cls.payout = cls.sale_return.action_refund()
        cls.payout.payment_id.action_post()
        cls.note, cls.line = cls.sale_return.credit_note_ids, cls.sale_return.line_ids
        cls.receipt = cls.line.move_ids.filtered(lambda move: not move.sale_return_inspection_id)
        cls.stranger = cls._create_customer("John Stranger")
        cls.other_product = cls._create_product("Second")

    def _plant(self, records, values):
        """Change records past every check: columns to values, or None to delete them."""
        for record in records:
            if values is None:
                self.env.cr.execute(f'DELETE FROM {record._table} WHERE id = %s', (record.id,))
            for name, value in (values or {}).items():
                self.env.cr.execute(
                    f'UPDATE {record._table} SET {name} = %s WHERE id = %s', (value, record.id)
                )

    def _get_facts(self, *changes):
        """Return what the rows say after changes past every check, and undo these.

        :param changes: `(records, values)`, see `_plant`.
        :return: `(cause, difference, credit note)` of each row.
        """
        savepoint = self.env.cr.savepoint()
        try:
            self.env.flush_all()
            for records, values in changes:
                self._plant(records, values)
            self.env.invalidate_all()
            rows = self._refresh()
            self.assertNotIn(False, [bool(row.explanation) for row in rows])
            return sorted((row.cause, row.amount_difference, row.note_id.id) for row in rows)
        finally:
            savepoint.close(rollback=True)
            self.env.invalidate_all()

    def _check_rows(self, plants, amount=0.0):
        """Plant errors one by one: each is one row and no other, and before and after is none.

        :param plants: `(cause, change, ...)`, see `_get_facts`.
        :param float amount: the difference that each row states.
        """
        self.assertFalse(self._refresh())
        for cause, *changes in plants:
            with self.subTest(cause=cause, changes=changes):
                self.assertEqual(self._get_facts(*changes), [(cause, amount, self.note.id)])
        self.assertFalse(self._refresh())


@tagged('post_install', '-at_install')
class TestContradictions(ContradictionCommon):
    """Documents of a return that contradict each other are rows, whatever their amounts say."""

    def test_note_that_contradicts_its_invoice_is_a_row(self):
        note, goods = self.note, self.note.invoice_line_ids
        costs = note.line_ids.filtered(lambda item: item.display_type == 'cogs')
        cost = costs.filtered(lambda item: item.account_id.account_type.startswith('expense'))
        position = self.env['account.fiscal.position'].create({'name': "Elsewhere"})
        # sudo: the staff may not enter bank accounts.
        account = self.env['res.partner.bank'].sudo()
        account = account.create({'acc_number': "STRANGE-1", 'partner_id': self.stranger.id})
        self._check_rows(
            [
                ('type', (note, {'move_type': 'entry'})),
                ('journal', (note, {'journal_id': note.journal_id.copy({'code': 'OSJ'}).id})),
                ('product', (goods, {'product_id': self.other_product.id})),
                ('analytic', (goods, {'analytic_distribution': '{"1": 100.0}'})),
                ('cost_account', (cost, {'account_id': goods.account_id.id})),
                ('address', (note, {'partner_shipping_id': self.stranger.id})),
                ('address', (note, {'fiscal_position_id': position.id})),
                ('bank_account', (note, {'partner_bank_id': account.id})),
                ('supply_date', (note, {'taxable_supply_date': '2020-01-05'})),
                ('supply_date', (note, {'delivery_date': '2020-01-05'})),
            ]
        )

    def test_amounts_that_contradict_each_other_are_a_row(self):
        note, invoice = self.note, self.note.reversed_entry_id
        billed = invoice.invoice_line_ids
        tax = note.line_ids.filtered(lambda item: item.display_type == 'tax')
        due = note.line_ids.filtered(lambda item: item.display_type == 'payment_term')
        invoiced = tax.tax_line_id.invoice_repartition_line_ids.filtered(
            lambda part: part.repartition_type == 'tax'
        )
        self._check_rows(
            [
                ('invoice', (billed, {'price_subtotal': billed.price_subtotal - 0.01})),
                ('invoice', (billed, {'balance': billed.balance - 1})),
                ('invoice', (billed, {'credit': 1.0})),
                ('invoice', (invoice, {'amount_total': invoice.amount_total + 1})),
                ('invoice', (invoice, {'amount_untaxed': invoice.amount_untaxed + 1})),
                ('invoice', (invoice, {'amount_tax': invoice.amount_tax + 1})),
                ('residual', (note, {'amount_residual': 100.0})),
                ('residual', (note, {'amount_residual_signed': -100.0})),
                ('residual', (due, {'amount_residual_currency': -100.0})),
                ('residual', (due, {'amount_residual': -100.0})),
                ('repartition', (tax, {'tax_repartition_line_id': invoiced.id})),
                ('tax_base', (tax, {'tax_base_amount': 1.0})),
                ('head', (note, {'amount_untaxed_signed': note.amount_untaxed_signed - 5})),
                ('head', (note, {'amount_tax_signed': note.amount_tax_signed - 5})),
                ('head', (note, {'amount_untaxed_in_currency_signed': -395.0})),
                ('head', (note, {'amount_total_in_currency_signed': -479.0})),
            ]
        )

    def test_invoice_line_that_says_draft_is_a_row(self):
        billed = self.note.reversed_entry_id.invoice_line_ids
        # Then nothing was invoiced that the note could credit.
        self.assertEqual(
            self._get_facts((billed, {'parent_state': 'draft'})),
            [('amounts', 484.0, self.note.id), ('invoice', 0.0, self.note.id)],
        )

    def test_return_that_contradicts_its_documents_is_a_row(self):
        line, receipt = self.line, self.receipt
        sold, other = line.sale_line_id, self._create_sale().order_line
        product = {'product_id': self.other_product.id}
        self._check_rows(
            [
                ('not_approved', (self.sale_return, {'state': 'refused'})),
                ('not_authorized', (line, {'qty_authorized': 1.0})),
                ('customer', (self.sale_return, {'partner_id': self.stranger.id})),
                ('other_order', (line, {'sale_line_id': other.id})),
                ('other_order', (receipt, {'sale_line_id': other.id})),
                ('other_product', (line, product)),
                ('other_product', (sold, product)),
                ('refund_lost', (self.payout, None)),
            ]
        )

    def test_goods_that_contradict_their_return_are_a_row(self):
        line, receipt = self.line, self.receipt
        parts, results = receipt.move_line_ids, line.inspection_ids
        lost = self.env['stock.location'].search(
            [('usage', '=', 'inventory'), ('company_id', '=', self.company.id)], limit=1
        )
        place, product = {'location_dest_id': lost.id}, {'product_id': self.other_product.id}
        later = {'date': fields.Datetime.now() + timedelta(days=3)}
        self._check_rows(
            [
                ('receipt_date', (receipt, {'date': '2020-01-01'})),
                ('receipt_date', (receipt, later), (results, later)),
                ('inspection_date', (results, {'date': '2020-01-01'})),
                ('not_in_its_place', (results.move_ids, {'state': 'cancel'})),
                ('not_in_its_place', (results, {'quantity': 1.0})),
                ('other_owner', (parts, {'owner_id': self.stranger.id})),
                ('not_counted', (receipt, {'to_refund': False})),
                ('receipt_place', (receipt, place), (parts, place)),
                ('moved_otherwise', (parts, {'quantity': 1.0})),
                ('moved_otherwise', (parts, product)),
                ('moved_otherwise', (parts, place)),
                ('moved_otherwise', (results.move_ids.move_line_ids, {'quantity': 1.0})),
            ]
        )

    def test_receipt_of_another_product_is_a_row(self):
        product = {'product_id': self.other_product.id}
        # What was credited has not come then.
        self.assertEqual(
            self._get_facts((self.receipt, product), (self.receipt.move_line_ids, product)),
            [('on_its_way', 484.0, self.note.id), ('other_product', 0.0, self.note.id)],
        )

    def test_another_lot_is_a_row(self):
        product, lots = self._create_tracked_product('lot', 'L1', 'L2', quantity=10)
        order = self._create_order({'product': product, 'quantity': 4})
        self._deliver(order, lots=lots[0])
        self._invoice(order)
        sale_return = self._create_return(order, 2)
        self._receive(sale_return, lots=lots[0])
        sale_return.action_inspect_all('restock')
        self.note, results = sale_return.credit_note_ids, sale_return.line_ids.inspection_ids
        receipt = sale_return.line_ids.move_ids - results.move_ids
        self._check_rows(
            [
                ('other_lot', (receipt.move_line_ids, {'lot_id': lots[1].id})),
                ('other_lot', (receipt.move_line_ids, {'lot_id': None})),
                ('other_lot', (results, {'lot_id': lots[1].id})),
                ('other_lot', (results.move_ids.move_line_ids, {'lot_id': lots[1].id})),
            ]
        )

    def test_value_set_by_hand_that_the_transfer_does_not_have_is_a_row(self):
        self.env['product.value'].create({'move_id': self.receipt.id, 'value': 200.0})
        self.assertEqual(self.receipt.value, 200.0)
        # The ledger has the cost at which the goods were sold.
        self.assertEqual(self._refresh().mapped('cause'), ['standard_changed'])
        self.assertEqual(
            self._get_facts((self.receipt, {'value': 240.0})), [('revalued', 0.0, self.note.id)]
        )

    def test_payout_that_contradicts_its_note_is_a_row(self):
        payment = self.payout.payment_id
        entry, way = payment.move_id, payment.payment_method_line_id
        bank = entry.line_ids.filtered(
            lambda item: item.account_id == payment.outstanding_account_id
        )
        other = {'journal_id': self.cash.id}
        self._check_rows(
            [
                ('other_account', (bank, {'account_id': self.note.invoice_line_ids.account_id.id})),
                ('payment_date', (entry, {'date': '2020-01-01'})),
                ('other_journal', (payment, other)),
                ('other_journal', (entry, other)),
                ('other_journal', (way, other)),
                ('still_paid', (self.payout, {'state': 'failed'})),
                ('still_paid', (self.payout, {'state': 'cancelled'})),
            ],
            amount=484.0,
        )


@tagged('post_install', '-at_install')
class TestDocumentRows(RefundCommon, ReconciliationCommon):
    """Stored figures are put right, and what is owed to or by somebody else is a row."""

    def test_stored_figures_are_put_right(self):
        order = self._create_sale()
        sale_return = self._return_goods(order, 4)
        self.assertFalse(self._refresh())
        wrong = [
            (order.order_line, 'qty_delivered', 9.0, "Delivery Quantity 9 → 6"),
            (order.order_line, 'qty_invoiced', 9.0, "Invoiced Quantity 9 → 6"),
            (order.order_line, 'qty_returned', 0.0, "Returned 0 → 4"),
            (order.order_line, 'qty_to_invoice', 3.0, "Quantity To Invoice 3 → 0"),
            (order.order_line, 'invoice_status', 'to invoice', "To Invoice → Fully Invoiced"),
            (sale_return.line_ids, 'qty_accepted', 1.5, "Accepted 1.5 → 4"),
            (sale_return.line_ids, 'qty_to_credit', 1.0, "To credit 1 → 0"),
            (sale_return, 'amount_credited', 1.0, "Credited 1 → 484"),
        ]
        for record, name, value, sentence in wrong:
            right, known = record[name], sale_return.event_ids
            self.env.flush_all()
            self.env.cr.execute(
                f'UPDATE {record._table} SET {name} = %s WHERE id = %s', (value, record.id)
            )
            self.env.invalidate_all()
            self.assertEqual(record[name], value)
            self.assertFalse(self._refresh())
            self.env.invalidate_all()
            self.assertEqual(record[name], right, name)
            event = sale_return.event_ids - known
            self.assertEqual((event.kind, event.user_id), ('figure_recomputed', self.staff), name)
            self.assertIn(record.display_name, event.details)
            self.assertIn(sentence, event.details)
        self.assertFalse(self.env['sale.return.event']._audit(sale_return))

    def test_figures_that_are_right_leave_no_trace(self):
        sale_return = self._return_goods(self._create_sale(), 4)
        known = sale_return.event_ids
        service = self.env['sale.return.reconciler']._get_service(self.company)
        for records, names in (
            (sale_return.line_ids, STORED_QUANTITIES),
            (sale_return.line_ids.sale_line_id, STORED_DELIVERIES),
            (sale_return.line_ids.sale_line_id, STORED_BILLS),
            (sale_return, STORED_AMOUNTS),
        ):
            service._recompute(records.with_env(service.env), names)
        self.assertEqual(sale_return.event_ids, known)

    def test_many_figures_are_recomputed_by_as_many_queries_as_few(self):
        order = self._create_sale()
        lines = self.env['sale.return.line']
        for _number in range(6):
            sale_return = self._create_return(order, 1)
            self._receive(sale_return)
            lines |= sale_return.line_ids
        service = self.env['sale.return.reconciler']._get_service(self.company)

        def count_queries(some):
            self.env.flush_all()
            self.env.cr.execute(
                "UPDATE sale_return_line SET qty_received = 9 WHERE id = ANY(%s)", (some.ids,)
            )
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            service._recompute(some.with_env(service.env), STORED_QUANTITIES)
            return self.env.cr.sql_log_count - before

        count_queries(lines)
        few, many = count_queries(lines[:2]), count_queries(lines)
        self.assertEqual(len(lines.return_id.event_ids.filtered(self._is_recomputed)), 14)
        self.assertLessEqual(many, few)

    def _is_recomputed(self, event):
        return event.kind == 'figure_recomputed' and "Received 9 → 1" in event.details

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
