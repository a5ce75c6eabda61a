"""Refunds that are written as channels write them are read back: planted is found, no more."""

import random
from decimal import Decimal

from odoo.tests import tagged

from odoo.addons.sale_return.benchmarks import channels

from ..common import SaleReturnCommon


@tagged('post_install', '-at_install')
class TestChannelRoundTrip(SaleReturnCommon):
    def test_planted_differences_are_found_and_no_others(self):
        chance = random.Random(5)
        found = {
            f'S{number:05d}': [
                (chance.randint(1, 12), Decimal(chance.randint(20, 2000)) / 100) for _line in 'ab'
            ]
            for number in range(90)
        }
        kinds = [*channels.PLANTED, *channels.HARMLESS]
        places = iter(range(10**6))
        # Every third order of a format has something, so that each kind occurs in each format.
        self.patch(
            chance,
            'randint',
            lambda low, high: next(places) % 16 if high == 39 else min(high, low + 1),
        )
        self.assertEqual(len(kinds), 8)
        env = self.env(user=self.staff.id, su=True)
        self.assertTrue(channels.round_trip(env, found, chance))
