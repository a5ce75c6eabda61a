"""Whatever the order of rows, the cut of files, and what is broken between: the same refunds."""

import io
import os
import tempfile
import unittest
import zipfile
from decimal import Decimal

from odoo.tests import BaseCase, tagged

from ...tools.channels import Broken, Movement, Refund, collect, read, unpack
from .test_channel_readers import FILES

try:
    from hypothesis import Phase, given, settings
    from hypothesis import strategies as st
    from hypothesis.configuration import set_hypothesis_home_dir
except ImportError:  # only dev/requirements.txt brings it
    st = None

EXAMPLES = int(os.environ.get('SALE_RETURN_EXAMPLES', '0'))
HEAD = (
    'balance_transaction_id,created_utc,currency,gross,fee,reporting_category,source_id,description'
)
# What people and programs put between the rows.
NOISE = ('', ',,,', 'Total,,,1.00', 'x' * 300, '"open', '\x00', '=1+1,a,b,c,d,e,f,g', 'ä;ö;ü')
CATEGORIES = ('charge', 'refund', 'refund_failure', 'dispute', 'fee', 'payout')


class _GbkInfo(zipfile.ZipInfo):
    """A file in an archive has a name in GBK, which the archive does not declare."""

    def _encodeFilenameFlags(self):
        return self.filename.encode('gbk'), self.flag_bits


@tagged('post_install', '-at_install')
class TestChannelProperties(BaseCase):
    @classmethod
    def setUpClass(cls):
        if st is None:
            raise unittest.SkipTest("hypothesis is not installed: see dev/requirements.txt")
        # Its database must not be in the checkout.
        folder = tempfile.TemporaryDirectory(prefix='sale_return_')
        cls.addClassCleanup(folder.cleanup)
        set_hypothesis_home_dir(folder.name)
        super().setUpClass()

    def _read(self, rows):
        return list(read('\n'.join([HEAD, *rows]).encode(), money=True))

    def _get_found(self, *files):
        items = [item for rows in files for item in self._read(rows)]
        refunds = {key: (each.amount, each.state) for key, each in collect(items).items()}
        moved = {item.key: (item.kind, item.amount) for item in items if isinstance(item, Movement)}
        return refunds, moved

    def test_order_cut_and_broken_rows_change_nothing(self):
        rows = st.lists(
            st.tuples(
                st.sampled_from(CATEGORIES), st.integers(-99_999, 99_999), st.integers(0, 999)
            ),
            min_size=1,
            max_size=12,
        )

        @settings(
            max_examples=EXAMPLES or 25,
            derandomize=not EXAMPLES,
            deadline=None,
            database=None,
            phases=list(Phase) if EXAMPLES else [Phase.generate],
        )
        @given(rows, st.randoms(use_true_random=False), st.lists(st.sampled_from(NOISE)))
        def check(rows, chance, noise):
            lines = [
                f'txn_{place},2026-09-03 10:22:31,eur,{Decimal(gross) / 100:.2f},'
                f'{Decimal(fee) / 100:.2f},{category},re_{place // 2},Order W{place}'
                for place, (category, gross, fee) in enumerate(rows)
            ]
            whole = self._get_found(lines)
            # The account moves by what its rows say, fees taken off.
            total = sum(gross - fee for _category, gross, fee in rows)
            self.assertEqual(sum(amount for _kind, amount in whole[1].values()) * 100, total)
            other = chance.sample(lines, len(lines))
            self.assertEqual(self._get_found(other), whole)
            cut = chance.randint(0, len(other))
            self.assertEqual(self._get_found(other[:cut], other[cut:]), whole)
            self.assertEqual(self._get_found(other, other[cut:], other), whole)
            mixed = list(other)
            for text in noise:
                mixed.insert(chance.randint(0, len(mixed)), text)
            self.assertEqual(self._get_found(mixed), whole)
            broken = sum(isinstance(item, Broken) for item in self._read(mixed))
            self.assertEqual(broken, sum(bool(text.strip(',"')) for text in noise))

        check()

    def test_settlements_come_to_what_was_paid_out(self):
        for path, left in (
            ('amazon_settlement_v1/us_27010000011_v1.txt', '0.00'),
            ('amazon_settlement_v2/de_27010000022_decimal_comma.txt', '0.00'),
            ('amazon_settlement_v2/us_27010000011.txt', '0.00'),
            ('shopify_payouts/payment_transactions_export_1.csv', '0.00'),
            ('stripe_balance/balance_change_from_activity_itemized_eur.csv', '0.00'),
            ('adyen_settlement/settlement_detail_report_batch_118.csv', '6.95'),
            # Its running balance begins at 1,204.55 and ends at 786.37.
            ('paypal_activity/Download_en.csv', '-418.18'),
            ('paypal_activity/Download_de_bom_decimal_comma.csv', '-418.18'),
        ):
            with self.subTest(file=path):
                items = list(read((FILES / path).read_bytes(), money=True))
                moved = [item for item in items if isinstance(item, Movement)]
                self.assertEqual(sum(item.amount for item in moved), Decimal(left))
                self.assertEqual(len({item.key for item in moved}), len(moved))
                known = {item.key for item in items if isinstance(item, Refund)}
                self.assertLessEqual({item.refund for item in moved if item.refund}, known)

    def test_names_in_gbk_without_a_flag_are_read(self):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, 'w') as archive:
            archive.writestr(_GbkInfo('2088_业务明细.csv'), b'a')
        self.assertNotIn('业务明细'.encode(), stream.getvalue())
        self.assertEqual(unpack(stream.getvalue()), [('2088_业务明细.csv', b'a')])
