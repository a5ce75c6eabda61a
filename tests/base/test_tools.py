import doctest
import random
from unittest import TestCase

from ...tools import barcode, context, deadline, label, money, photo, regime, ubl, verdict, window


class TestTools(TestCase):
    """The pure part, without a database."""

    def test_examples_of_the_documentation_hold(self):
        for module in (
            barcode,
            context,
            deadline,
            label,
            money,
            photo,
            regime,
            ubl,
            verdict,
            window,
        ):
            with self.subTest(module=module.__name__):
                result = doctest.testmod(module)
                self.assertGreater(result.attempted, 0)
                self.assertEqual(result.failed, 0)

    def test_parts_always_add_up_to_the_whole(self):
        rng = random.Random(19)
        for _case in range(500):
            unit = rng.choice((1.0, 0.01, 0.001, 0.05))
            amount = money.round_to(rng.uniform(-1000, 1000), unit)
            quantities = [rng.choice((1, 2, 0.5, 0.37, 12)) for _part in range(rng.randint(1, 9))]
            balance = money.Balance(sum(quantities), {'amount': (amount, unit)})
            parts = [balance.take(quantity)['amount'] for quantity in quantities]
            self.assertAlmostEqual(sum(parts), amount)
            self.assertEqual((balance.quantity, balance.amount('amount')), (0.0, 0.0))

    def test_no_part_differs_from_its_share_by_more_than_one_unit(self):
        rng = random.Random(20)
        for _case in range(200):
            amount = money.round_to(rng.uniform(0, 100), 0.01)
            pieces = rng.randint(2, 12)
            balance = money.Balance(pieces, {'amount': (amount, 0.01)})
            for _piece in range(pieces):
                part = balance.take(1)['amount']
                self.assertLessEqual(abs(part - amount / pieces), 0.01 + 1e-9)

    def test_strongest_verdict_wins_whatever_the_order(self):
        outcomes = list(verdict.OUTCOMES)
        random.Random(19).shuffle(outcomes)
        self.assertEqual(verdict.strongest(outcomes), 'refuse')

    def test_verdicts_cannot_be_changed(self):
        with self.assertRaises(AttributeError):
            verdict.Verdict('review', 'test').outcome = 'authorize'
