from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..common_refund import RefundCommon


@tagged('post_install', '-at_install')
class TestAccountingReports(RefundCommon):
    """Reports for accountants: sums of documents by reason, period, journal, tax and method."""

    ready_sales = 1

    def _read(self, model, notes, groupby, *measures):
        return {
            group: values[0] if len(values) == 1 else tuple(values)
            for group, *values in self.env[model]._read_group(
                [('note_id', 'in', notes.ids)], [groupby], [f'{m}:sum' for m in measures]
            )
        }

    def test_notes_sum_to_the_ledger_by_reason_and_by_tax(self):
        order = self._create_sale(
            {'quantity': 3, 'price': 10.01},
            {'quantity': 2, 'price': 60.0, 'taxes': self.tax_20_included},
        )
        first = self._return_goods(order.order_line[0], reason=self.reason_defective)
        second = self._return_goods(order.order_line[1], reason=self.reason_changed_mind)
        notes = first.credit_note_ids | second.credit_note_ids
        self.assertEqual(
            self._read('sale.return.note.report', notes, 'reason_id', 'untaxed', 'tax', 'total'),
            {
                self.reason_defective: (30.03, 6.31, 36.34),
                self.reason_changed_mind: (100.0, 20.0, 120.0),
            },
        )
        self.assertEqual(
            self._read('sale.return.note.report', notes, 'taxes', 'tax'),
            {"21% excluded": 6.31, "20% included": 20.0},
        )
        self.assertEqual(
            self._read('sale.return.note.report', notes, 'journal_id', 'total'),
            {notes.journal_id: sum(notes.mapped('amount_total'))},
        )

    def test_notes_are_in_the_currency_of_the_company(self):
        pricelist = self._setup_currency('EUR')  # two units for one of the company's currency
        sale_return = self._return_goods(self._create_sale(pricelist_id=pricelist.id))
        notes = sale_return.credit_note_ids
        self.assertEqual(
            self._read('sale.return.note.report', notes, 'kind', 'untaxed', 'tax', 'total'),
            {'goods': (500.0, 105.0, 605.0)},
        )

    def test_what_is_kept_back_and_goodwill_are_kinds_of_their_own(self):
        self.policy.restocking_fee_percent = 10
        reason = self.env['sale.return.reason'].create(
            {'name': "Scratch", 'code': 'SCRATCH', 'return_class': 'goodwill'}
        )
        order = self._create_sale()
        sale_return = self._return_goods(order, 5, reason=self.reason_changed_mind)
        note = sale_return.invoice_ids.grant_goodwill(121.0, reason.id, "Scratched")
        notes = sale_return.credit_note_ids | note
        kinds = self._read('sale.return.note.report', notes, 'kind', 'untaxed')
        self.assertEqual(kinds, {'goods': 500.0, 'restocking_fee': -50.0, 'goodwill': 100.0})
        classes = self._read('sale.return.note.report', notes, 'return_class', 'total')
        self.assertEqual(classes['goodwill'], 121.0)
        self.assertEqual(sum(classes.values()), sum(notes.mapped('amount_total')))

    def test_draft_notes_are_not_in_it(self):
        self.policy.credit_posting = 'draft'
        notes = self._return_goods(self._create_sale()).credit_note_ids
        self.assertFalse(self._read('sale.return.note.report', notes, 'kind', 'total'))

    def test_refunds_by_journal_and_by_way(self):
        order = self._create_sale()
        self._pay(order.invoice_ids, 700.0, journal=self.bank, date='2026-01-05')
        self._pay(order.invoice_ids, 510.0, journal=self.wechat, date='2026-01-09')
        first = self._return_goods(order, 6)
        self._post_refunds(first.action_refund())
        second = self._return_goods(order, 4)
        self._pay_back(second.credit_note_ids)
        notes = first.credit_note_ids | second.credit_note_ids
        model = 'sale.return.refund.report'
        self.assertEqual(
            self._read(model, notes, 'method', 'amount'), {'payment': 726.0, 'by_hand': 484.0}
        )
        by_journal = self._read(model, first.credit_note_ids, 'journal_id', 'amount')
        self.assertEqual(by_journal, {self.bank: 216.0, self.wechat: 510.0})
        methods = self._read(model, notes, 'payment_method_line_id', 'amount')
        self.assertEqual(sum(methods.values()), 1210.0)

    def test_reports_are_for_accountants_and_people_of_returns_and_can_be_exported(self):
        accountant = self._create_user(
            'report_acc', 'account.group_account_readonly', 'base.group_allow_export'
        )
        stranger = self._create_user('report_stranger', 'stock.group_stock_user')
        sale_return = self._return_goods(self._create_sale())
        domain = [('note_id', 'in', sale_return.credit_note_ids.ids)]
        for model in ('sale.return.note.report', 'sale.return.refund.report'):
            report = self.env[model].with_user(accountant)
            report.search(domain).export_data(['note_id', 'journal_id', 'date'])
            with self.assert_refused(exception=AccessError):
                self.env[model].with_user(stranger).search(domain)

    def test_other_companies_are_not_in_it(self):
        sale_return = self._return_goods(self._create_sale())
        other = self._create_trading_company("Reports Elsewhere")
        accountant = self._create_user(
            'report_else', 'account.group_account_readonly', company=other
        )
        rows = (
            self.env['sale.return.note.report']
            .with_user(accountant)
            .with_company(other)
            .with_context(allowed_company_ids=other.ids)
            .search([('note_id', 'in', sale_return.credit_note_ids.ids)])
        )
        self.assertFalse(rows)
