"""Files of channels are compared with the credit notes of orders, by the people with that task."""

import base64
import io
import json
import zipfile
from collections import Counter, defaultdict
from csv import DictReader
from datetime import timedelta
from decimal import Decimal

from freezegun import freeze_time

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ...models.channel import sale_return_channel_upload
from ..common import SaleReturnCommon
from .test_channel_readers import BOOKS, FILES, get_expected

# Platforms by the part of book.csv.
PLATFORMS = {'shopify_api': 'shopify', 'shopify': 'shopify'}


class ChannelFilesCommon(SaleReturnCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.accountant = cls._create_user(
            'channel_accountant', 'account.group_account_invoice', 'sale_return.group_user'
        )
        cls.books = defaultdict(lambda: defaultdict(list))
        with (FILES / 'book.csv').open() as stream:
            for row in DictReader(stream):
                cls.books[row['channel']][row['order_ref']].append(row)
        currencies = cls.env['res.currency'].sudo().with_context(active_test=False)
        currencies.search([('name', 'in', ('EUR', 'USD', 'CNY'))]).active = True
        cls.names = {
            each['order_name']: str(each['order_id'])
            for each in json.loads((FILES / 'shopify_refunds' / 'order_names.json').read_text())
        }

    def _make_channel(self, platform, **values):
        env = values.pop('env', self.env)
        return env['sale.return.channel'].create(
            {
                'name': values.pop('name', platform),
                'platform': platform,
                'company_id': self.env.company.id,
                'currency_id': self.env.ref('base.EUR').id,
                **values,
            }
        )

    def _make_book(self, book):
        """Make the orders of a part of book.csv, with their credit notes, as posted documents."""
        product = self.env['product.product'].create(
            {'name': "Sold on a channel", 'type': 'service', 'taxes_id': False}
        )
        notes = self.env['account.move']
        for ref, rows in self.books[book].items():
            currency = self.env['res.currency'].search([('name', '=', rows[0]['currency'])])
            order = self.env['sale.order'].create(
                {
                    'partner_id': self.customer.id,
                    'client_order_ref': self.names.get(ref, ref),
                    'currency_id': currency.id,
                    'order_line': [
                        Command.create(
                            {
                                'product_id': product.id,
                                'product_uom_qty': float(row['qty_sold']),
                                'price_unit': float(row['price_unit_tax_incl']),
                                'tax_ids': [Command.clear()],
                            }
                        )
                        for row in rows
                    ],
                }
            )
            order.state = 'sale'
            for text in rows[0]['credit_notes'].split():
                notes += self.env['account.move'].create(
                    {
                        'move_type': 'out_refund',
                        'partner_id': self.customer.id,
                        'currency_id': currency.id,
                        'invoice_line_ids': [
                            Command.create(
                                {
                                    'name': "Credit",
                                    'quantity': 1,
                                    'price_unit': float(text.partition('@')[0]),
                                    'tax_ids': [Command.clear()],
                                    'sale_line_ids': [Command.set(order.order_line[:1].ids)],
                                }
                            )
                        ],
                    }
                )
        notes.action_post()
        self.env.flush_all()

    def _import(self, channel, path, user=None):
        model = self.env['sale.return.channel'].with_user(user or self.accountant)
        data = base64.b64encode(path.read_bytes()).decode()
        return model.import_file(channel.id, path.name, data)


@tagged('post_install', '-at_install')
class TestChannelImport(ChannelFilesCommon):
    def _get_states(self, channel, source=None):
        found = defaultdict(Counter)
        refunds = self.env['sale.return.channel.refund'].search([('channel_id', '=', channel.id)])
        for (state, ref), group in refunds.grouped(lambda r: (r.state, r.order_ref)).items():
            if state not in ('failed', 'chargeback'):
                state = 'no_credit_note' if state in ('no_return', 'twice') else state
                total = sum(Decimal(f'{refund.amount:.2f}') for refund in group)
                found[state][ref] += total
        return found

    def _get_expected_states(self, matching):
        expected = defaultdict(Counter)
        for state in ('match', 'difference', 'no_credit_note', 'unknown_order'):
            for line in matching[state]:
                ref, _sep, rest = line.rpartition(': ')
                amount = next(word for word in rest.split() if word[0].isdigit())
                expected[state][self.names.get(ref, ref)] += Decimal(amount)
        return expected

    def test_every_channel_comes_out_as_it_must(self):
        made = set()
        for name, each in get_expected().items():
            if not each['matching']:
                continue
            book = BOOKS[name]
            if book not in made:
                made.add(book)
                self._make_book(book)
            platform = PLATFORMS.get(book, book)
            with self.subTest(format=name):
                channel = self._make_channel(platform, name=name)
                files = [FILES / name / file for file in each['files']]
                for path in files:
                    self._import(channel, path)
                states = self._get_states(channel)
                self.assertEqual(states, self._get_expected_states(each['matching']))
                self._check_again(channel, files, states)

    def _check_again(self, channel, files, states):
        """Importing the same files again, in another order, changes no row."""
        refunds = self.env['sale.return.channel.refund'].search([('channel_id', '=', channel.id)])
        self.env.flush_all()
        self.env.cr.execute(
            'SELECT MAX(write_date), COUNT(*) FROM sale_return_channel_refund WHERE id IN %s',
            [tuple(refunds.ids)],
        )
        before = self.env.cr.fetchone()
        for path in reversed(files):
            for result in self._import(channel, path):
                self.assertTrue(result['known'])
        channel.with_user(self.accountant).action_match()
        self.assertEqual(self._get_states(channel), states)
        self.env.flush_all()
        self.env.cr.execute(
            'SELECT MAX(write_date), COUNT(*) FROM sale_return_channel_refund WHERE id IN %s',
            [tuple(refunds.ids)],
        )
        self.assertEqual(self.env.cr.fetchone(), before)

    def test_same_refund_in_two_files_is_one(self):
        channel = self._make_channel('amazon')
        folder = FILES / 'amazon_settlement_v2'
        self._import(channel, folder / 'us_27010000011.txt')
        refunds = self.env['sale.return.channel.refund'].search([('channel_id', '=', channel.id)])
        result = self._import(channel, FILES / 'amazon_settlement_v1' / 'us_27010000011_v1.txt')[0]
        self.assertEqual((result['new'], result['changed'], result['refunds']), (0, 0, 8))
        self.assertEqual(
            self.env['sale.return.channel.refund'].search_count([('channel_id', '=', channel.id)]),
            len(refunds),
        )
        self.assertEqual(set(refunds.mapped('file_ids.format')), {
            'amazon_settlement_v1', 'amazon_settlement_v2'})  # fmt: skip

    def test_order_that_comes_later_is_found_and_differences_are_listed(self):
        channel = self._make_channel('stripe')
        path = FILES / 'stripe_balance' / 'balance_change_from_activity_itemized_eur.csv'
        self._import(channel, path)
        self.assertEqual(set(self._get_states(channel)), {'unknown_order'})
        self._make_book('stripe')
        rows = self.env['sale.return.reconciliation']
        self.env['sale.return.reconciler']._reconcile(self.env.company)
        found = rows.search([('kind', '=', 'channel_difference'), ('state', '=', 'open')])
        self.assertEqual(
            sorted((row.channel_refund_id.order_ref or '', row.amount_difference) for row in found),
            # W1003 also has a dispute; the note of W1004 is of a refund that failed.
            [('', 6.66), ('W1003', 2.0), ('W1003', 33.8), ('W1007', 39.5)],
        )
        for row in found:
            self.assertTrue(row.with_user(self.accountant).explanation)

    def test_who_may_not_gets_a_sentence(self):
        channel = self._make_channel('paypal')
        path = FILES / 'paypal_activity' / 'Download_en.csv'
        clerk = self._create_user('channel_clerk', 'sale_return.group_user')
        with self.assertRaises(AccessError):
            self._import(channel, path, clerk)
        other = self.env['res.company'].sudo().create({'name': "Other shop"})
        # sudo: the staff of the tests does not work in the other company.
        theirs = self._make_channel(
            'paypal', name='theirs', company_id=other.id, env=self.env(su=True)
        )
        with self.assertRaises(AccessError):
            self._import(theirs, path)
        result = self._import(channel, path)[0]
        file = self.env['sale.return.channel.file'].browse(result['id'])
        for record in (file, file.refund_ids[:1]):
            with self.assertRaises(AccessError):
                record.with_user(self.accountant).write({'company_id': self.env.company.id})
        self.env.user.sudo().company_ids += other
        both = self._env_of(self.env.user, self.env.company + other)
        with self.assertRaisesRegex(UserError, 'belongs to its company'):
            channel.with_env(both).company_id = other

    def test_bad_files_leave_nothing(self):
        channel = self._make_channel('shopify')
        model = self.env['sale.return.channel'].with_user(self.accountant)
        ebay = (
            FILES / 'ebay_transactions' / 'Transaction_report_20260901_20260930_us.csv'
        ).read_bytes()
        payouts = (FILES / 'shopify_payouts' / 'payment_transactions_export_1.csv').read_bytes()
        for data, words in (
            (ebay, 'another format'),
            (b'', 'unknown format'),
            (payouts.replace(b'Payout Status', b'Sum'), 'Payout Status'),
            (payouts.replace(b'Card Brand', b'Currency'), 'twice'),
            (b'{"refunds": [', 'damaged'),
        ):
            with self.subTest(words=words), self.assertRaisesRegex(UserError, words):
                model.import_file(channel.id, 'x.csv', base64.b64encode(data).decode())
        for data in ('no base64!', 5, ['a'], None, 'ß'):
            with self.subTest(data=data), self.assertRaises(UserError):
                model.import_file(channel.id, 'x.csv', data)
        self.assertFalse(channel.file_ids)
        self.assertFalse(
            self.env['sale.return.channel.refund'].search([('channel_id', '=', channel.id)])
        )

    def test_broken_rows_are_kept_beside_the_others(self):
        channel = self._make_channel('shopify')
        path = FILES / 'shopify_payouts' / 'older_layout_12_columns_2_broken.csv'
        result = self._import(channel, path)[0]
        file = self.env['sale.return.channel.file'].browse(result['id'])
        self.assertEqual((file.row_count, file.refund_count, file.amount_refunded), (19, 5, 85.25))
        self.assertEqual(file.broken_ids.mapped('line'), [5, 16])
        self.assertEqual(set(file.broken_ids.mapped('code')), {'width', 'amount'})

    def test_what_cannot_be_kept_breaks_its_row_only(self):
        channel = self._make_channel('shopify')
        head = 'Transaction Date,Type,Order,Payout Status,Amount,Currency\n'
        rows = [('2026-09-08 09:15:30 +0200', '-1.00')]
        rows += [
            (date, '-2.00')
            for date in (
                '9999-12-31 23:59:59 -1200',
                '0001-01-01 00:00:00 +1400',
                '2026-09-08 09:15:30 +9999',
                '1899-12-30',
            )
        ]
        rows += [('2026-09-08', '9' * 39), ('2026-09-08', '1e308'), ('2026-09-08', 'NaN')]
        text = head + ''.join(
            f'{date},refund,#{number},paid,{amount},EUR\n'
            for number, (date, amount) in enumerate(rows)
        )
        model = self.env['sale.return.channel'].with_user(self.accountant)
        result = model.import_file(channel.id, 'a.csv', base64.b64encode(text.encode()).decode())
        self.assertEqual((result[0]['broken'], result[0]['new']), (7, 1))

    def test_dialog_takes_files_of_who_has_the_role(self):
        channel = self._make_channel('woocommerce')
        path = FILES / 'woocommerce_refunds' / 'refunds.json'
        attachment = (
            self.env['ir.attachment']
            .with_user(self.accountant)
            .create({'name': path.name, 'raw': path.read_bytes()})
        )
        action = channel.with_user(self.accountant).action_import()
        dialog = (
            self.env['sale.return.channel.import']
            .with_user(self.accountant)
            .with_context(**action['context'])
            .create({'attachment_ids': [Command.set(attachment.ids)]})
        )
        result = dialog.action_import()
        file = self.env['sale.return.channel.file'].browse(result['res_id'])
        self.assertEqual(file.refund_count, 7)

    def test_dropped_files_find_their_channel_or_ask_for_it(self):
        shop = self._make_channel('woocommerce')
        stripe = [self._make_channel('stripe', name=name) for name in 'AB']
        paths = [
            FILES / 'woocommerce_refunds' / 'refunds.json',
            FILES / 'stripe_balance' / 'balance_change_from_activity_itemized_eur.csv',
        ]
        clerk = self._create_user('channel_dropper', 'sale_return.group_user')
        files = self.env['sale.return.channel.file'].with_user(self.accountant)
        attachments = [
            self.env['ir.attachment']
            .with_user(self.accountant)
            .create({'name': path.name, 'raw': path.read_bytes()})
            for path in paths
        ]
        with self.assertRaises(AccessError):
            files.with_user(clerk).create_document_from_attachment(attachments[0].ids)
        action = files.create_document_from_attachment(attachments[0].ids)
        self.assertEqual(files.browse(action['res_id']).channel_id, shop)
        self.assertFalse(attachments[0].exists())
        # Two shops export such files: somebody has to say which one it is.
        action = files.create_document_from_attachment(attachments[1].ids)
        self.assertEqual(action['res_model'], 'sale.return.channel.import')
        # Odoo's drop zone opens it as it is.
        self.assertEqual(action['views'], [(False, 'form')])
        here = files.with_context(default_channel_id=stripe[1].id)
        action = here.create_document_from_attachment(attachments[1].ids)
        self.assertEqual(files.browse(action['res_id']).channel_id, stripe[1])

    def test_long_files_are_left_to_a_job_that_tells_how_far_it_is(self):
        self.patch(sale_return_channel_upload, 'LONG', 100)
        channel = self._make_channel('stripe')
        path = FILES / 'stripe_balance' / 'balance_change_from_activity_itemized_eur.csv'
        lines = path.read_bytes()
        contents = {'good.csv': lines, 'bad.csv': lines.replace(b'reporting_category', b'sum')}
        attachments = (
            self.env['ir.attachment']
            .with_user(self.accountant)
            .create([{'name': name, 'raw': data} for name, data in contents.items()])
        )
        files = self.env['sale.return.channel.file'].with_user(self.accountant)
        action = files.with_context(default_channel_id=channel.id).create_document_from_attachment(
            attachments.ids
        )
        uploads = self.env['sale.return.channel.upload'].browse(action['params']['ids'])
        self.assertEqual(uploads.with_user(self.accountant).mapped('state'), ['waiting'] * 2)
        self.assertEqual(uploads[0].row_count, lines.count(b'\n'))
        self.assertFalse(channel.file_ids)
        told = []
        model = type(uploads)
        self.patch(
            model, '_tell', lambda self, **values: told.append(values) or self.sudo().write(values)
        )
        with self.enter_registry_test_mode():
            self.env.ref('sale_return.ir_cron_channel_uploads').sudo().method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual(uploads.mapped('state'), ['done', 'failed'], uploads.mapped('message'))
        self.assertIn('reporting_category', uploads[1].message)
        self.assertEqual((uploads[0].progress, channel.file_ids.create_uid), (100, self.accountant))
        self.assertIn('rows_read', told[1])
        self.assertFalse(uploads.attachment_id)
        # Who is no accountant any more imports nothing; what never ends is given up.
        late = (
            self.env['sale.return.channel.upload']
            .with_user(self.accountant)
            ._queue(
                channel,
                self.env['ir.attachment'].create(
                    [{'name': name, 'raw': lines + b'\n'} for name in ('a.csv', 'b.csv')]
                ),
            )
            .sudo()
        )
        late[1].attempts = 3
        self.accountant.sudo().group_ids -= self.env.ref('account.group_account_invoice')
        with self.enter_registry_test_mode():
            self.env.ref('sale_return.ir_cron_channel_uploads').sudo().method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual(late.mapped('state'), ['failed'] * 2)
        self.assertIn('accountants', late[0].message)
        self.assertIn('limit_time_real_cron', late[1].message)
        self.assertEqual(len(channel.file_ids), 1)

    def test_error_in_one_long_file_ends_it_and_no_other(self):
        channel = self._make_channel('stripe')
        path = FILES / 'stripe_balance' / 'balance_change_from_activity_itemized_eur.csv'
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, 'w') as archive:
            archive.writestr('good.csv', path.read_bytes())
        attachments = self.env['ir.attachment'].create(
            [{'name': 'bad.csv', 'raw': b'bad'}, {'name': 'good.zip', 'raw': packed.getvalue()}]
        )
        uploads = self.env['sale.return.channel.upload'].with_user(self.accountant)
        self.assertFalse(uploads._is_long(attachments[1]))
        self.patch(sale_return_channel_upload, 'LONG_ARCHIVE', 100)
        self.assertEqual(attachments.filtered(uploads._is_long), attachments[1])
        uploads = uploads._queue(channel, attachments).sudo()
        self.assertEqual(uploads[1].row_count, 0)
        importer = type(self.env['sale.return.channel.importer'])
        original = importer._import

        def fail(service, channel, name, content):
            if content == b'bad':
                raise ZeroDivisionError
            return original(service, channel, name, content)

        self.patch(importer, '_import', fail)
        self.patch(type(uploads), '_tell', lambda self, **values: self.sudo().write(values))
        job = self.env.ref('sale_return.ir_cron_channel_uploads').sudo()
        logger = 'odoo.addons.sale_return.models.channel.sale_return_channel_upload'
        with self.enter_registry_test_mode(), self.assertLogs(logger, 'ERROR'):
            job.method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual(uploads.mapped('state'), ['failed', 'done'], uploads.mapped('message'))
        self.assertIn('bad.csv', uploads[0].message)
        # What has ended is removed after a month.
        uploads._gc_uploads()
        self.assertEqual(uploads.exists(), uploads)
        with freeze_time(fields.Datetime.now() + timedelta(days=31)):
            uploads._gc_uploads()
        self.assertFalse(uploads.exists())
        self.assertTrue(channel.file_ids)

    def test_exported_lists_begin_no_cell_as_a_formula(self):
        channel = self._make_channel('shopify')
        texts = ("=1+1", "+1", "-1", "@A1", "\t=1")
        refunds = self.env['sale.return.channel.refund'].sudo()
        for number, text in enumerate(texts):
            refunds.create(
                {
                    'channel_id': channel.id,
                    'source': 'shopify_payouts',
                    'key': str(number),
                    'kind': 'refund',
                    'channel_state': 'done',
                    'currency_id': channel.currency_id.id,
                    'amount': -1,
                    'reason': text,
                }
            )
        self.accountant.sudo().group_ids += self.env.ref('base.group_allow_export')
        found = refunds.with_user(self.accountant).search([('channel_id', '=', channel.id)])
        for reason, amount in found.export_data(['reason', 'amount'])['datas']:
            self.assertEqual(reason[0], "'")
            self.assertEqual(amount, -1)

    def test_matching_a_thousand_rows_takes_few_queries(self):
        channel = self._make_channel('shopify')
        head = b'Transaction Date,Type,Order,Payout Status,Amount,Currency\n'
        rows = b''.join(
            f'2026-09-08 09:15:30 +0200,refund,#N{number},paid,-1.00,EUR\n'.encode()
            for number in range(1000)
        )
        model = self.env['sale.return.channel'].with_user(self.accountant)
        model.import_file(channel.id, 'a.csv', base64.b64encode(head + rows).decode())
        refunds = self.env['sale.return.channel.refund'].search([('channel_id', '=', channel.id)])
        self.assertEqual(len(refunds), 1000)
        self.env.invalidate_all()
        # What does not grow with the rows is read before.
        channel.mapped('order_field')
        refunds.currency_id.mapped('rounding')
        refunds.invalidate_recordset()
        with self.assertQueryCount(3):
            self.env['sale.return.channel.matcher']._match(channel, refunds)
            self.env.flush_all()
