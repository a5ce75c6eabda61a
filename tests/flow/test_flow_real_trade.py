import logging
import os
from pathlib import Path

from odoo import Command
from odoo.tests import tagged

from ..common import SaleReturnCommon

_logger = logging.getLogger(__name__)

DATA = 'online_retail_2010_2011.csv.xz'
INVOICES = 20


def find_data():
    """Return the path of the real trade, None where it is not at hand."""
    # The add-on's folder may be a link to the checkout, which the data lies beside.
    beside = Path(__file__).resolve().parents[3] / 'shared' / 'data' / DATA
    path = Path(os.environ.get('SALE_RETURN_REAL_DATA') or beside)
    return path if path.is_file() else None


@tagged('post_install', '-at_install')
class TestFlowRealTrade(SaleReturnCommon):
    """Real invoices, with their real cancellations as returns."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The customers of the trade are created with a tag, which their policy asks for.
        cls.staff.sudo().group_ids = [Command.link(cls.env.ref('base.group_partner_manager').id)]

    def _get_trade(self):
        trade = self._import_benchmarks().trade
        path = find_data()
        if path:
            _logger.info("Replaying %s invoices of %s.", INVOICES, path)
            return trade.collect(trade.read_rows(path), INVOICES)
        _logger.info("There is no %s: replaying generated trade of the same shape.", DATA)
        return trade.collect(trade.generate_rows(2 * INVOICES), INVOICES)

    def _import_benchmarks(self):
        try:
            from ... import benchmarks
            from ...benchmarks import replay, trade  # noqa: F401
        except ImportError:
            self.skipTest("The benchmarks are not part of the distribution.")
        return benchmarks

    def test_real_trade_is_at_hand(self):
        if not find_data():
            self.skipTest(f"There is no {DATA}: generated trade of the same shape is replayed.")

    def test_cancellations_are_credited_to_the_cent_or_refused(self):
        trade = self._get_trade()
        replay = self._import_benchmarks().replay.Replay(self.env, trade)
        replay.run()
        self.assertEqual(replay.differences, [])
        credited = sum(found for found, _expected in replay.credited)
        self.assertEqual(credited, sum(expected for _found, expected in replay.credited))
        self.assertGreater(credited, 0)
        self.assertGreater(replay.full_lines, 0)
        self.assertCountEqual(
            [(refused.number, refused.code) for refused, _sentence in replay.refused],
            [(c.number, c.code) for c in trade.cancellations if not c.fits],
        )
        for cancellation, sentence in replay.refused:
            self.assertIn("would be returned or held by returns", sentence, cancellation.number)
