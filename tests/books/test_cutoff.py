import contextlib
import io
import json
import random
from datetime import datetime, timedelta

from odoo import http
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import SQL

from ..common_http import PatientHttpCase
from ..common_kit import KitCommon
from ..common_reconciliation import ReconciliationCommon


class CutoffCommon(ReconciliationCommon):
    """Trade of two weeks: sold and invoiced twelve days ago, `period_end` is five days ago."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.today = cls.env.cr.now().date()
        cls.period_end = cls.today - timedelta(days=5)
        cls.order = cls._sell_on(cls.today - timedelta(days=12))

    @classmethod
    def _sell_on(cls, date, *lines, **values):
        order = cls._create_order(*lines, **values)
        cls._deliver(order)
        invoice = order._create_invoices()
        invoice.invoice_date = date
        invoice.action_post()
        return order

    def _set_received_on(self, sale_return, date, hour=12):
        # sudo: only a test changes the date of a transfer.
        receipts = sale_return.sudo().line_ids.move_ids.filtered(
            lambda move: move._is_sale_return_receipt()
        )
        receipts.write({'date': datetime.combine(date, datetime.min.time().replace(hour=hour))})

    def _get_cutoff(self, date=None, user=None):
        dialog = (
            self._env_of(user or self.staff)['sale.return.cutoff']
            .with_company(self.company)
            .create({'date': date or self.period_end})
        )
        action = dialog.action_show()
        return self._env_of(user or self.staff)[action['res_model']].search(action['domain'])

    def assert_line(self, lines, **expected):
        self.assertEqual(len(lines), 1)
        self.assertEqual({name: lines[name] for name in expected}, expected)


@tagged('post_install', '-at_install')
class TestCutoff(CutoffCommon):
    """What was open at the end of a day, whatever happened since."""

    def test_goods_of_the_period_that_are_credited_in_the_next(self):
        sale_return = self._return_goods(self.order, 4)
        self._set_received_on(sale_return, self.period_end)
        note_line = sale_return.line_ids.credit_line_ids
        self.assert_line(
            self._get_cutoff(),
            kind='received_not_credited',
            quantity=4,
            net=400.0,
            tax=84.0,
            cost=240.0,
            account_id=note_line.account_id,
            move_id=note_line.move_id,
            stock_account_id=self.company.account_stock_valuation_id,
        )
        self.assertFalse(self._get_cutoff(self.period_end - timedelta(days=1)))
        self.assertFalse(self._get_cutoff(self.today))

    def test_goods_that_are_not_credited_to_this_day(self):
        sale_return = self._create_return(self.order, 4)
        self._receive(sale_return)
        self._set_received_on(sale_return, self.period_end)
        self.assert_line(self._get_cutoff(), quantity=4, net=400.0, tax=84.0, cost=240.0)
        self.assert_line(self._get_cutoff(self.today), quantity=4, net=400.0, tax=84.0)

    def test_note_of_the_period_for_goods_of_the_next(self):
        self._create_policy(release_event='dispatch_proof', credit_posting='draft')
        sale_return = self._create_return(self.order, 4)
        sale_return.action_register_dispatch('T1')
        note = sale_return.credit_note_ids
        note.write({'invoice_date': self.period_end, 'date': self.period_end})
        note.action_post()
        self._receive(sale_return)
        self.assert_line(
            self._get_cutoff(),
            kind='credited_not_received',
            quantity=4,
            net=400.0,
            tax=84.0,
            cost=240.0,
            move_id=note,
        )
        self.assertFalse(self._get_cutoff(self.period_end - timedelta(days=1)))
        self.assertFalse(self._get_cutoff(self.today))

    def test_part_credited_by_then(self):
        self._create_policy(release_event='dispatch_proof', credit_posting='draft')
        sale_return = self._create_return(self.order, 4)
        sale_return.action_register_dispatch('T1')
        note = sale_return.credit_note_ids
        note.write({'invoice_date': self.period_end, 'date': self.period_end})
        note.action_post()
        self._receive(sale_return, 1)
        self._set_received_on(sale_return, self.period_end)
        self.assert_line(
            self._get_cutoff(), kind='credited_not_received', quantity=3, net=300.0, cost=180.0
        )

    def test_invoice_of_the_next_period_leaves_nothing_to_accrue(self):
        order = self._sell_on(self.today)
        sale_return = self._create_return(order, 4)
        self._receive(sale_return)
        self._set_received_on(sale_return, self.period_end)
        self.assertFalse(self._get_cutoff())
        self.assert_line(self._get_cutoff(self.today), quantity=4)

    def test_day_ends_at_midnight_of_the_company(self):
        sale_return = self._return_goods(self.order, 4)
        self._set_received_on(sale_return, self.period_end, hour=20)
        self.company.sudo().partner_id.tz = 'UTC'
        self.assertTrue(self._get_cutoff())
        self.company.sudo().partner_id.tz = 'Asia/Shanghai'  # four in the morning of the next day
        self.assertFalse(self._get_cutoff())

    def test_foreign_currency_is_shown_in_that_of_the_company(self):
        pricelist = self._setup_currency('EUR')
        order = self._sell_on(self.today - timedelta(days=9), pricelist_id=pricelist.id)
        for credit in (False, True):
            sale_return = self._create_return(order, 4)
            self._receive(sale_return)
            if credit:
                sale_return.action_inspect_all('restock')
            self._set_received_on(sale_return, self.period_end)
            lines = self._get_cutoff()
            with self.subTest(credited=credit):
                self.assertEqual(lines.currency_id, self.currency)
                self.assertEqual(sum(lines.mapped('net')), 400.0 if credit else 200.0)
                self.assertEqual(sum(lines.mapped('tax')), 84.0 if credit else 42.0)

    def test_sum_of_parts_is_exactly_the_note(self):
        order = self._sell_on(self.today - timedelta(days=9), {'quantity': 3, 'price': 10.01})
        sale_return = self._create_return(order, 3)
        self._receive(sale_return)
        self._set_received_on(sale_return, self.period_end)
        self._inspect(sale_return, (1, 'restock'))
        self._inspect(sale_return, (2, 'restock'))
        lines = self._get_cutoff()
        self.assertEqual(len(lines), 2)
        self.assertEqual(self.currency.round(sum(lines.mapped('net'))), 30.03)
        self.assertEqual(self.currency.round(sum(lines.mapped('tax'))), 6.31)

    def test_what_is_kept_back_is_accrued_too(self):
        self._create_policy(restocking_fee_percent=10)
        sale_return = self._return_goods(self.order, 4, reason=self.reason_changed_mind)
        self._set_received_on(sale_return, self.period_end)
        lines = self._get_cutoff()
        self.assertEqual(sum(lines.mapped('quantity')), 4)
        self.assertEqual(
            self.currency.round(sum(lines.mapped('net'))),
            sale_return.credit_note_ids.amount_untaxed,
        )

    def test_reversed_note_and_rejected_goods(self):
        sale_return = self._return_goods(self.order, 4)
        self._set_received_on(sale_return, self.period_end)
        self._reverse(sale_return.credit_note_ids)
        self.assert_line(self._get_cutoff(self.today), quantity=4)
        self.assert_line(self._get_cutoff(), quantity=4, net=400.0)

    def test_note_reversed_after_the_day_was_a_credit_on_it(self):
        self._create_policy(release_event='approval')
        note = self._create_return(self.order, 4).credit_note_ids
        for table, name in (('account_move', 'id'), ('account_move_line', 'move_id')):
            query = SQL(
                "UPDATE %s SET date = %s WHERE %s = %s",
                SQL.identifier(table),
                self.period_end,
                SQL.identifier(name),
                note.id,
            )
            self.env.cr.execute(query)
        self.env.invalidate_all()
        values = {'kind': 'credited_not_received', 'quantity': 4, 'net': 400.0, 'tax': 84.0}
        self.assert_line(self._get_cutoff(), **values)
        self._reverse(note)
        self.assert_line(self._get_cutoff(), **values)
        self.assertFalse(self._get_cutoff(self.today))

    def test_worse_condition_found_after_the_credit(self):
        """The cut-off says as much as the list of differences, discount and fees included."""
        worn = self.env['sale.return.grade'].create(
            {'name': "Worn", 'code': 'W', 'credit_ratio': 0.5, 'company_id': self.company.id}
        )
        policy = self._create_policy(release_event='receipt')
        rebate = {'product': self.service, 'quantity': 1, 'price': -100.0}
        for fees, lines, due in (
            ({}, [{}], 242.0),
            ({}, [{}, rebate], 217.8),
            ({'restocking_fee_percent': 10}, [{}], 217.8),
            ({'restocking_fee_percent': 10, 'restocking_fee_fixed': 3}, [{}, rebate], 196.02),
        ):
            with self.subTest(fees=fees, lines=len(lines)):
                policy.write(fees)
                order = self._create_sale(*lines)
                sale_return = self._create_return(
                    order.order_line[:1], 4, reason=self.reason_changed_mind
                )
                self._receive(sale_return)
                self.assertFalse(self._get_cutoff(self.today))
                self._inspect(
                    sale_return, {'quantity': 4, 'disposition': 'restock', 'grade': worn.id}
                )
                rows = self._get_cutoff(self.today)
                total = sum(rows.mapped('net')) + sum(rows.mapped('tax'))
                self.assertEqual(set(rows.mapped('kind')), {'credited_above_condition'})
                self.assertAlmostEqual(total, due)
                note = sale_return.credit_note_ids
                # Other notes differ because the policy changes in the course of this test.
                row = self._refresh().filtered(lambda row, note=note: row.note_id == note)
                self.assertEqual(row.amount_difference, due)
                self.assertFalse(self._get_cutoff(self.today - timedelta(days=1)))
                self._reverse(note)
                sale_return.action_create_credit_notes()
                self.assertFalse(self._get_cutoff(self.today))

    def test_fee_of_a_worse_condition_is_that_of_its_goods(self):
        """Two goods of one return on two accounts, the second one worn: its own fee is lower.

        Credited 200 less 20 of each; half of the second is 100, less 10 % that were charged on it.
        """
        worn = self.env['sale.return.grade'].create(
            {'name': "Worn", 'code': 'W', 'credit_ratio': 0.5, 'company_id': self.company.id}
        )
        self._create_policy(release_event='receipt', restocking_fee_percent=10)
        other = self._create_product("Sold elsewhere")
        other.property_account_income_id = self.env['account.account'].create(
            {'name': "Other sales", 'code': '400777', 'account_type': 'income'}
        )
        order = self._create_sale({'quantity': 2}, {'product': other, 'quantity': 2})
        sale_return = self._create_return(order, 2, reason=self.reason_changed_mind)
        self._receive(sale_return)
        line = sale_return.line_ids.filtered(lambda line: line.product_id == other)
        line.register_inspection([{'quantity': 2, 'disposition': 'restock', 'grade': worn.id}])
        rows = self._get_cutoff(self.today)
        self.assertEqual(rows.mapped('net'), [100.0, -10.0])
        self.assertEqual(rows.account_id, other.property_account_income_id)

    def test_rows_can_be_vouched(self):
        sale_return = self._return_goods(self.order, 4)
        self._set_received_on(sale_return, self.period_end)
        self.assert_line(
            self._get_cutoff(),
            date=self.period_end,
            receipt_names=sale_return.picking_ids.name,
            receipt_date=sale_return.line_ids.move_ids.filtered('picking_id')[:1].date,
            tax_ids=self.tax_21,
        )

    def test_order_discount_of_goods_that_are_not_credited(self):
        self._configure(sale_return_auto_credit=False)
        order = self._create_sale({}, {'product': self.service, 'quantity': 1, 'price': -100.0})
        self._return_goods(order.order_line[:1], 4)
        self.assertEqual(sum(self._get_cutoff(self.today).mapped('net')), 360.0)
        self.assertEqual(self._refresh().amount_difference, 435.6)

    def test_note_that_is_billed_again_in_part(self):
        sale_return = self._return_goods(self.order, 4)
        self._reverse(sale_return.credit_note_ids, quantity=1)
        self.assert_line(self._get_cutoff(self.today), quantity=1, net=100.0, tax=21.0)

    def test_credit_owed_without_goods(self):
        self._configure(sale_return_auto_credit=False)
        sale_return = self._create_approved_return(
            self.order.order_line, 2, reason=self.reason_missing
        )
        self.assert_line(
            self._get_cutoff(self.today), kind='owed_without_goods', quantity=2, net=200.0, cost=0.0
        )
        sale_return.action_create_credit_notes()
        self.assertFalse(self._get_cutoff(self.today))

    def test_cutoff_of_today_is_what_is_due(self):
        """Property test: received and uncredited goods equal what notes made now would credit."""
        self._configure(sale_return_auto_credit=False)
        self._create_policy(restocking_fee_percent=7, restocking_fee_fixed=2.0)
        chance = random.Random(23)
        taxes = (self.tax_21, self.tax_20_included, self.tax_group, self.env['account.tax'])
        returns = self.env['sale.return']
        for _round in range(6):
            tax = chance.choice(taxes)
            quantity = chance.randint(2, 9)
            lines = [{'quantity': quantity, 'price': chance.randint(100, 9999) / 100, 'taxes': tax}]
            if chance.random() < 0.6:
                discount = -chance.randint(1, 50) / 10
                lines.append(
                    {'product': self.service, 'quantity': 1, 'price': discount, 'taxes': tax}
                )
            order = self._create_sale(*lines)
            left = quantity
            while left and chance.random() < 0.8:
                part = chance.randint(1, left)
                left -= part
                sale_return = self._return_goods(
                    order.order_line[:1],
                    part,
                    reason=chance.choice((self.reason_defective, self.reason_changed_mind)),
                )
                if chance.random() < 0.4:
                    note = sale_return.action_create_credit_notes()
                    if part > 1 and chance.random() < 0.5:
                        self._reverse(note, quantity=1)
                returns |= sale_return
        rows = self._get_cutoff(self.today).filtered(
            lambda row: row.kind == 'received_not_credited'
        )
        due = {
            order: sum(
                note['total']
                for sale_return in group
                for note in sale_return.preview_credit()[sale_return.id]['due']
            )
            for order, group in returns.grouped('sale_order_ids').items()
        }
        for order, group in returns.grouped('sale_order_ids').items():
            mine = rows.filtered(lambda row, g=group: row.return_line_id.return_id in g)
            total = sum(mine.mapped('net')) + sum(mine.mapped('tax'))
            if len(group.filtered(lambda r: r.amount_to_credit)) < 2:
                # Previews of several returns of an order do not know of each other.
                self.assertEqual(self.currency.round(total), self.currency.round(due[order]))
        returns.action_create_credit_notes()
        self.assertFalse(self._get_cutoff(self.today))

    def test_accountants_without_role_in_returns_see_it(self):
        sale_return = self._return_goods(self.order, 4)
        self._set_received_on(sale_return, self.period_end)
        for group in ('account.group_account_readonly', 'account.group_account_invoice'):
            user = self._create_user(f'cutoff_{group[-7:]}', group)
            with self.subTest(group=group):
                lines = self._get_cutoff(user=user)
                self.assertEqual(lines.return_name, sale_return.name)
                self.assertEqual(lines.create_uid, user)

    def test_others_see_nothing(self):
        user = self._create_user('cutoff_user', 'sale_return.group_user')
        with self.assert_refused(exception=AccessError):
            self._get_cutoff(user=user)
        auditor = self._create_user('cutoff_auditor', 'account.group_account_readonly')
        sale_return = self._return_goods(self.order, 4)
        self._set_received_on(sale_return, self.period_end)
        lines = self._get_cutoff()
        with self.assert_refused(exception=AccessError):
            self._call(auditor, lines, 'read', ['net'])
        with self.assert_refused(exception=AccessError):
            self._call(auditor, lines, 'create', {'kind': 'received_not_credited'})

    def test_companies_that_are_not_the_users_are_left_out(self):
        sale_return = self._create_return(self.order, 4)
        self._receive(sale_return)
        company = self._create_trading_company("Other")
        auditor = self._create_user(
            'cutoff_auditor', 'account.group_account_readonly', company=company
        )
        dialog = self._env_of(auditor)['sale.return.cutoff'].create({'date': self.today})
        dialog.sudo().company_ids = self.company
        with contextlib.suppress(AccessError):
            self._call(auditor, dialog, 'action_show')
        lines = self.env['sale.return.cutoff.line'].sudo().search([('cutoff_id', '=', dialog.id)])
        self.assertFalse(lines)


@tagged('post_install', '-at_install')
class TestCutoffOfKits(KitCommon, CutoffCommon):
    """Kits count as kits in the cut-off, though they come back as their components."""

    def test_kits_count_as_kits(self):
        order = self._sell_on(
            self.today - timedelta(days=12),
            {'product': self.kit, 'quantity': 3, 'price': 300.0, 'taxes': self.tax_21},
        )
        sale_return = self._create_return(order, 2)
        self._receive_parts(sale_return, (self.part_a, 2), (self.part_b, 1))
        self._set_received_on(sale_return, self.period_end)
        self.assert_line(
            self._get_cutoff(), kind='received_not_credited', quantity=1, net=300.0, tax=63.0
        )
        # Two A of the other kit, which are 0.8 of it.
        self._receive_parts(sale_return, (self.part_a, 2))
        self.assert_line(self._get_cutoff(self.today), quantity=1.8, net=540.0, tax=113.4)
        sale_return.action_inspect_all('restock')
        self.assertEqual(sale_return.amount_credited, 653.4)
        self.assertFalse(self._get_cutoff(self.today))
        self.assert_line(self._get_cutoff(), quantity=1, net=300.0, tax=63.0)


@tagged('post_install', '-at_install')
class TestCutoffExport(CutoffCommon, PatientHttpCase):
    """The lists leave Odoo by its own export."""

    def _export(self, model, ids, names, user=None):
        user = user or self.exporter
        self.authenticate(user.login, user.login)
        data = {
            'model': model,
            'fields': [{'name': name, 'label': name, 'type': ''} for name in names],
            'ids': ids,
            'domain': [],
            'groupby': [],
            'import_compat': False,
            'context': {'allowed_company_ids': self.company.ids},
        }
        response = self.url_open(
            '/web/export/xlsx',
            data={'data': json.dumps(data), 'csrf_token': http.Request.csrf_token(self)},
        )
        response.raise_for_status()
        return response.content

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.exporter = cls._create_user(
            'cutoff_exporter', 'account.group_account_readonly', 'base.group_allow_export'
        )

    def test_lists_are_exported_to_a_spreadsheet(self):
        openpyxl = self._import_openpyxl()
        sale_return = self._create_return(self.order, 4)
        self._receive(sale_return)
        self._set_received_on(sale_return, self.period_end)
        # Besides the row of a receipt that was dated before its delivery.
        rows = self._refresh().filtered(lambda row: row.kind == 'received_not_credited')
        lines = self._get_cutoff(user=self.exporter)
        cases = (
            (rows, ['return_name', 'amount_difference', 'explanation'], 484),
            (lines, ['return_name', 'net', 'tax', 'cost', 'account_id'], 400),
        )
        for records, names, amount in cases:
            content = self._export(records._name, records.ids, names)
            sheet = openpyxl.load_workbook(io.BytesIO(content)).active
            values = [cell.value for cell in sheet[2]]
            with self.subTest(model=records._name):
                self.assertEqual(values[:2], [sale_return.name, amount])

    def test_texts_of_others_are_exported_as_texts(self):
        openpyxl = self._import_openpyxl()
        sale_return = self._create_return(self.order, 1, submit=False)
        exporter = self._create_user(
            'formula_exporter',
            'sale_return.group_user',
            'sales_team.group_sale_salesman_all_leads',
            'base.group_allow_export',
        )
        for text in ('=1+1', '{=1+1}', '@SUM(A1)', '=HYPERLINK("https://example.com")'):
            sale_return.line_ids.customer_note = text
            content = self._export(
                'sale.return.line', sale_return.line_ids.ids, ['customer_note'], user=exporter
            )
            cell = openpyxl.load_workbook(io.BytesIO(content)).active['A2']
            self.assertEqual((cell.data_type, cell.value), ('s', f"'{text}"))

    def _import_openpyxl(self):
        try:
            import openpyxl
        except ImportError:
            self.skipTest("openpyxl is not installed")
        return openpyxl
