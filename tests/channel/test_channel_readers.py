"""Files of channels are read to the cent, and broken rows do not affect others."""

import io
import json
import random
import zipfile
from collections import Counter, defaultdict
from csv import DictReader
from decimal import Decimal
from pathlib import Path

from odoo.tests import BaseCase, tagged

from ...tools.channels import Broken, FormatError, Profile, Tracking, collect, match, read, unpack
from ...tools.channels.mapped import PINDUODUO
from ...tools.channels.text import sheets_of

FILES = Path(__file__).parent / 'files'
# The part of book.csv that holds the orders of a format.
BOOKS = {
    'adyen_settlement': 'adyen',
    'alipay_account': 'taobao',
    'alipay_trade': 'alipay',
    'amazon_settlement_v1': 'amazon',
    'amazon_settlement_v2': 'amazon',
    'douyin_aftersales': 'douyin',
    'ebay_transactions': 'ebay',
    'jd_settlement': 'jd',
    'mirakl_transactions': 'mirakl',
    'paypal_activity': 'paypal',
    'shopify_orders': 'shopify',
    'shopify_payouts': 'shopify',
    'shopify_refunds': 'shopify_api',
    'stripe_balance': 'stripe',
    'taobao_refunds': 'taobao',
    'wechat_trade': 'wechat',
    'woocommerce_refunds': 'woocommerce',
}


def get_expected():
    return json.loads((FILES / 'expected.json').read_text())


def get_refunds(items):
    """Return the refunds that paid somebody, or will."""
    return [
        event
        for event in collect(items).values()
        if event.kind in ('refund', 'stated') and event.state != 'failed'
    ]


@tagged('post_install', '-at_install')
class TestChannelReaders(BaseCase):
    def _read(self, path):
        reading = read(path.read_bytes(), path.name)
        return reading, list(reading)

    def _get_all_files(self):
        return [
            FILES / name / file for name, each in get_expected().items() for file in each['files']
        ]

    def test_every_file_is_read_as_it_must_be(self):
        for name, each in get_expected().items():
            for file, expected in each['files'].items():
                with self.subTest(file=file):
                    reading, items = self._read(FILES / name / file)
                    refunds = get_refunds(items)
                    sums = defaultdict(Decimal)
                    for refund in refunds:
                        # Refunds of WooCommerce have no currency: it is the shop's.
                        sums[refund.currency or 'EUR'] += refund.amount
                    self.assertEqual(
                        (
                            reading.format,
                            reading.rows,
                            [str(item) for item in items if isinstance(item, Broken)],
                            len(refunds),
                            sum(refund.state == 'pending' for refund in refunds),
                            dict(sums),
                        ),
                        (
                            name,
                            expected['rows'],
                            expected['broken'],
                            expected['refunds'],
                            expected['of_them_pending'],
                            {key: Decimal(value) for key, value in expected['refund_sums'].items()},
                        ),
                    )
                    self.assertFalse([control for control in reading.controls if control.residual])

    def test_refunds_meet_the_credit_notes_of_their_orders(self):
        notes = defaultdict(lambda: defaultdict(list))
        with (FILES / 'book.csv').open() as stream:
            for row in DictReader(stream):
                of_order = notes[row['channel']][row['order_ref']]
                of_order += [
                    Decimal(each.partition('@')[0]) for each in row['credit_notes'].split() if each
                ]
        names = {
            str(each['order_id']): each['order_name']
            for each in json.loads((FILES / 'shopify_refunds' / 'order_names.json').read_text())
        }
        for name, each in get_expected().items():
            if each['matching']:
                with self.subTest(format=name):
                    items = [
                        item
                        for file in each['files']
                        for item in self._read(FILES / name / file)[1]
                    ]
                    self.assertEqual(
                        self._compare(items, notes[BOOKS[name]], names),
                        {
                            state: Counter(map(self._shorten, lines))
                            for state, lines in each['matching'].items()
                            if state != 'refunds_once' and lines
                        },
                    )

    def _compare(self, items, notes, names):
        """Return the orders in each state, as `expected.json` has them."""
        events = [event for event in collect(items).values() if event.kind == 'refund']
        amounts = {names.get(event.order, event.order): [] for event in events}
        for event in events:
            if event.state != 'failed':
                amounts[names.get(event.order, event.order)].append(event.amount)
        found = defaultdict(Counter)
        for order, refunds in amounts.items():
            if order not in notes:
                found['unknown_order'][order, sum(refunds)] += 1
                continue
            for pair in match(refunds, notes[order]):
                state = 'credit_note_without_refund' if pair.state == 'no_refund' else pair.state
                found[state][order, pair.refunded or pair.credited] += 1
        return dict(found)

    def _shorten(self, line):
        """Return order and first amount: ``('#2005', 39.50)``."""
        order, _sep, rest = line.rpartition(': ')
        return order, Decimal(next(word for word in rest.split() if word[0].isdigit()))

    def test_one_settlement_in_two_layouts_is_the_same_refunds(self):
        old = collect(self._read(FILES / 'amazon_settlement_v1' / 'us_27010000011_v1.txt')[1])
        new = collect(self._read(FILES / 'amazon_settlement_v2' / 'us_27010000011.txt')[1])
        self.assertEqual(
            {key: sorted(event.parts) for key, event in old.items()},
            {key: sorted(event.parts) for key, event in new.items()},
        )

    def test_other_order_of_rows_and_other_cut_of_files_change_nothing(self):
        shuffle = random.Random(19)
        for path in self._get_all_files():
            data = path.read_bytes()
            if (
                path.suffix not in ('.csv', '.txt')
                or b'#' in data[:1]
                or 'wechat' in path.parent.name
            ):
                continue  # these have something before or after their rows
            lines = data.splitlines(keepends=True)
            top = next(
                (
                    place + 1
                    for place, line in enumerate(lines)
                    if b'Datum der' in line or b'creation date' in line
                ),
                1 + (b'settlement-id' in lines[0]),
            )
            head, rows = b''.join(lines[:top]), lines[top:]
            with self.subTest(file=path.name):
                whole = self._get_amounts([data])
                for _round in range(3):
                    shuffle.shuffle(rows)
                    self.assertEqual(self._get_amounts([head + b''.join(rows)]), whole)
                # Identical parts in two files cannot be distinguished.
                cut = next(
                    (
                        place
                        for place in range(len(rows) // 2, len(rows))
                        if not set(rows[:place]) & set(rows[place:])
                    ),
                    len(rows),
                )
                parts = [head + b''.join(rows[:cut]), head + b''.join(rows[cut:])]
                self.assertEqual(self._get_amounts(parts), whole)
                self.assertEqual(self._get_amounts([*parts, *parts]), whole)

    def _get_amounts(self, files):
        items = [item for data in files for item in read(data)]
        return {key: (event.amount, event.state) for key, event in collect(items).items()}

    def test_broken_row_changes_no_other_row(self):
        lines = (
            (FILES / 'shopify_payouts' / 'payment_transactions_export_1.csv')
            .read_bytes()
            .splitlines(True)
        )
        whole = self._get_amounts([b''.join(lines)])
        for broken in (
            b'2026-09-08 09:15:30 +0200,refund,#2001,visa\n',
            b'2026-09-08 09:15:30 +0200,refund,"#2001,visa\n',
            b'x,refund,#1,v,o,paid,d,p,d,1,1,1,c,m,1,EUR,EUR,0\n',
            lines[-1].replace(b'adjustment,', b'refund,5.12912E+18').replace(b'-2.40', b'1'),
            lines[-1].replace(b'-2.40', b'1e3'),
            lines[-1].replace(b'-2.40', b'nan'),
            lines[-1].replace(b'-2.40', '２.40'.encode()),
            b'\x00' * 20 + b'\n',
        ):
            for place in (1, 13, len(lines)):
                with self.subTest(broken=broken, place=place):
                    data = b''.join([*lines[:place], broken, *lines[place:]])
                    items = list(read(data))
                    self.assertEqual(self._get_amounts([data]), whole)
                    self.assertEqual(sum(isinstance(item, Broken) for item in items), 1)

    def test_format_is_told_by_columns_never_by_names(self):
        for path in self._get_all_files():
            reading = read(path.read_bytes(), 'download.dat')
            list(reading)
            self.assertEqual(reading.format, path.parent.name)

    def test_missing_and_doubled_columns_are_named(self):
        data = (FILES / 'shopify_payouts' / 'older_layout_12_columns_2_broken.csv').read_bytes()
        with self.assertRaisesRegex(FormatError, 'column “Payout Status” is missing'):
            list(read(data.replace(b'Payout Status', b'Sum')))
        with self.assertRaisesRegex(FormatError, 'column “currency” stands there twice'):
            list(read(data.replace(b'Card Brand', b'Currency')))

    def test_files_that_are_none_are_refused_with_a_sentence(self):
        deep = b'[' * 100_000
        entities = b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "b">]><data name="&a;"/>'
        bomb = io.BytesIO()
        with zipfile.ZipFile(bomb, 'w', zipfile.ZIP_DEFLATED) as archive:
            archive.writestr('a.csv', b'0' * 50_000_000)
        names = (FILES / 'shopify_refunds' / 'order_names.json').read_bytes()
        for data in (b'', b'%PDF-1.4', b'a;b\n1;2\n', b'\xff\xfe\x00', deep, entities, names,
                     b'{"refunds": [{', b'<data',
                     b'PK\x03\x04 damaged', b'{}', b'null'):  # fmt: skip
            with self.subTest(data=data[:20]), self.assertRaises(FormatError):
                list(read(data))
        for data in (bomb.getvalue(), bomb.getvalue()[:-30], b'PK\x03\x04 damaged'):
            with self.assertRaises(FormatError):
                unpack(data)

    def test_number_without_end_is_no_number(self):
        """Written out it would fill the memory."""
        data = b'{"refunds": [{"id": 1e999999999, "order_id": -1e-999999999}]}'
        self.assertEqual([type(each) for each in read(data)], [Broken])

    def test_cells_far_out_are_not_read(self):
        """One cell in the last column would make its row 16,384 values wide."""
        import openpyxl

        book = openpyxl.Workbook()
        names = ('Transaction Date', 'Type', 'Order', 'Payout Status', 'Amount', 'Currency')
        rows = [names, ('2026-09-08', 'refund', '#1', 'paid', '-1.00', 'EUR')]
        for row in rows:
            book.active.append(row)
        book.active.cell(3, 16_384, 5)
        stream = io.BytesIO()
        book.save(stream)
        found = [row for rows in sheets_of(stream.getvalue()) for row in rows]
        self.assertLessEqual(max(len(values) for _number, values in found), 500)
        self.assertEqual([each.order for each in read(stream.getvalue())], ['#1'])

    def test_archive_names_its_files_as_they_are_called(self):
        stream = io.BytesIO()
        data = (FILES / 'alipay_trade' / 'empty_day_业务明细.csv').read_bytes()
        with zipfile.ZipFile(stream, 'w') as archive:
            for name in ('2088_业务明细(汇总).csv', '2088_业务明细.csv'):
                info = zipfile.ZipInfo(name.encode('gbk').decode('cp437'))
                archive.writestr(info, data)
        packed = stream.getvalue()
        # The library marks names that are not ASCII as UTF-8; Alipay does not.
        self.assertEqual(len(unpack(packed)), 2)
        self.assertEqual(
            [read(part).__class__.__name__ for _name, part in unpack(packed)], ['Reading'] * 2
        )

    def test_numbers_that_a_spreadsheet_has_rounded_are_broken(self):
        import openpyxl

        book = openpyxl.load_workbook(FILES / 'taobao_refunds' / '退款管理_20260905.xlsx')
        sheet = book.active
        sheet['A2'] = 5129115254892076673  # as a number
        stream = io.BytesIO()
        book.save(stream)
        items = list(read(stream.getvalue()))
        broken = [item for item in items if isinstance(item, Broken)]
        self.assertEqual([(item.line, item.code) for item in broken], [(2, 'identifier')])
        self.assertEqual(len(get_refunds(items)), 5)

    def test_carriers_tell_what_became_of_a_parcel(self):
        path = FILES / 'carrier_sf'
        pushed, asked = (
            [item for item in self._read(path / name)[1] if isinstance(item, Tracking)]
            for name in ('route_push.json', 'route_query_answer.json')
        )
        self.assertEqual(Counter(item.status for item in pushed)['delivered'], 2)
        self.assertEqual({item.number for item in asked}, {'SF2310328659954'})
        self.assertEqual(
            [
                (item.reference, item.status)
                for item in self._read(FILES / 'carrier_dhl' / 'tracking.json')[1]
            ],
            [
                ('RET/2026/00001', 'delivered'),
                ('RET/2026/00002', 'transit'),
                ('RET/2026/00003', 'delivered'),
            ],
        )

    def test_profile_reads_what_has_no_reader(self):
        profile = Profile(
            name='own', columns={'key': 'No', 'order': 'Auftrag', 'amount': 'Summe', 'at': 'Tag'},
            delimiter=';', style='comma', currency='EUR', negative=True,
        )  # fmt: skip
        data = (
            b'No;Auftrag;Summe;Tag\n7;S1;-1.234,50;01.09.2026\n8;S1;10,00;01.09.2026\n9;S2;1.5;2\n'
        )
        items = list(read(data, profiles=[profile]))
        self.assertEqual(
            [(each.order, each.amount) for each in get_refunds(items)], [('S1', Decimal('1234.50'))]
        )
        self.assertEqual(
            [item.reason for item in items if isinstance(item, Broken)], ['amount "1.5"']
        )
        for columns in ({}, {'key': 'No', 'order': 'Auftrag'}):
            with self.assertRaises(FormatError):
                list(read(data, profiles=[Profile('own', columns)]))
        header = (
            '售后编号,订单编号,退款金额（元）,退款成功时间,售后状态,商家编码-SKU维度,售后原因\n'
        )
        row = '1,260905-1,9.90,2026-09-05 10:00:00,退款成功,A,不想要了\n'
        row += '2,260905-2,1.00,,退款关闭,A,不想要了\n'
        items = list(read((header + row).encode('gb18030'), profiles=[PINDUODUO]))
        self.assertEqual([each.amount for each in get_refunds(items)], [Decimal('9.90')])

    def test_matching_is_exact_and_asks_for_no_names(self):
        for refunds, notes, states in (
            ('10 5', '15', ['match']),
            ('15', '10 5', ['match']),
            ('10 5', '10', ['match', 'no_credit_note']),
            ('10', '10 5', ['match', 'no_refund']),
            ('10 20 7', '30 7.01', ['match', 'difference']),
            ('1 2 3 4', '5 5', ['match']),
            ('0.1 0.2', '0.3', ['match']),
            ('', '3', ['no_refund']),
            ('3', '', ['no_credit_note']),
            ('10 10', '10', ['match', 'no_credit_note']),
            (' '.join(['1'] * 200), '3', ['match', *['no_credit_note'] * 197]),
        ):
            with self.subTest(refunds=refunds, notes=notes):
                found = match(
                    [Decimal(each) for each in refunds.split()],
                    [Decimal(each) for each in notes.split()],
                )
                self.assertEqual([pair.state for pair in found], states)
                self.assertEqual(
                    sorted(each for pair in found for each in pair.refunds),
                    list(range(len(refunds.split()))),
                )

    def test_other_writing_of_the_same_rows_changes_nothing(self):
        """Encodings, ends of lines and of files."""
        writings = {
            'with a mark': lambda text: text.encode('utf-8-sig'),
            'UTF-16': lambda text: text.encode('utf-16'),
            'Windows': lambda text: text.replace('\n', '\r\n').encode(),
            'old Mac': lambda text: text.replace('\n', '\r').encode(),
            'blank lines': lambda text: f'\n\n{text}\n\n'.encode(),
            'end of file': lambda text: f'{text}\x1a'.encode(),
            'nothing at the end': lambda text: text.rstrip('\n').encode(),
        }
        for path in self._get_all_files():
            if path.suffix not in ('.csv', '.txt'):
                continue
            reading, items = self._read(path)
            text = path.read_bytes().decode(reading.encoding).replace('\r\n', '\n')
            broken = sum(isinstance(item, Broken) for item in items)
            for name, write in writings.items():
                with self.subTest(file=path.name, writing=name):
                    other = read(write(text))
                    found = list(other)
                    self.assertEqual(other.format, reading.format)
                    self.assertEqual(collect(found), collect(items))
                    self.assertEqual(sum(isinstance(item, Broken) for item in found), broken)

    def test_summary_of_a_settlement_may_stand_anywhere(self):
        path = FILES / 'amazon_settlement_v2' / 'us_27010000011.txt'
        header, summary, *rows = path.read_bytes().splitlines(keepends=True)
        whole, other = read(path.read_bytes()), read(b''.join((header, *rows, summary)))
        self.assertEqual(collect(other), collect(whole))
        self.assertEqual([each.residual for each in other.controls], [0])

    def test_names_with_commas_and_totals_that_are_none(self):
        path = FILES / 'wechat_trade' / '1900000109_20260905_all.csv'
        _reading, items = self._read(path)
        text = path.read_text(encoding='utf-8-sig')
        name = next(iter(DictReader(io.StringIO(text))))['商品名称']
        for other in (name.replace('`', '`红\\,蓝'), name.replace('`', '`红,蓝')):
            found = list(read(text.replace(f',{name},', f',{other},').encode()))
            self.assertEqual(collect(found), collect(items))
            self.assertFalse([item for item in found if isinstance(item, Broken)])
        cut = read(text.rstrip().rpartition('`')[0].encode() + '`无'.encode())
        self.assertEqual(collect(cut), collect(items))

    def test_workbook_with_another_sheet_before_and_computed_amounts(self):
        import openpyxl

        path = FILES / 'taobao_refunds' / '退款管理_20260905.xlsx'
        _reading, items = self._read(path)
        book = openpyxl.load_workbook(path)
        sheet = book.worksheets[0]
        names = [cell.value for cell in next(sheet.iter_rows())]
        column = names.index('买家退款金额') + 1
        for row in range(2, sheet.max_row + 1):
            cell = sheet.cell(row, column)
            cell.value = float(cell.value) + 0.1 - 0.1
        book.create_sheet('说明', 0).append(['导出说明', '本表仅供参考'])
        data = io.BytesIO()
        book.save(data)
        self.assertEqual(collect(read(data.getvalue())), collect(items))
