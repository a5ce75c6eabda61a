import doctest
import random
from unittest import TestCase, skipUnless

from ...tools import stats

try:
    from scipy import stats as scipy_stats
    from scipy.stats import contingency
except ImportError:  # not needed to run the add-on
    scipy_stats = None

needs_scipy = skipUnless(scipy_stats, "SciPy is not installed.")


class TestToolsStats(TestCase):
    """Formulas, against their authors' examples and another implementation."""

    def test_published_examples_hold(self):
        result = doctest.testmod(stats)
        self.assertGreater(result.attempted, 20)
        self.assertEqual(result.failed, 0)

    def test_an_interval_holds_its_rate_and_narrows_with_the_total(self):
        for count, total in ((0, 1), (1, 1), (3, 10), (0, 1000), (1000, 1000), (2.5, 7.5)):
            low, high = stats.wilson(count, total)
            self.assertLessEqual(low, count / total + 1e-12)
            self.assertGreaterEqual(high, count / total - 1e-12)
            wider = stats.wilson(count, total)
            narrower = stats.wilson(count * 100, total * 100)
            self.assertLess(narrower[1] - narrower[0], wider[1] - wider[0])

    def test_bad_input_has_defined_results(self):
        self.assertEqual(stats.wilson(5, 0), (0.0, 1.0))
        self.assertEqual(stats.wilson(9, 3), stats.wilson(3, 3))
        self.assertEqual(stats.wilson(-1, 3), stats.wilson(0, 3))
        for groups in ([], [(0, 0)], [(1, 1)], [(0, 5), (0, 7)], [(5, 5), (7, 7)], [(9, 3)]):
            a, b = stats.beta_prior(groups)
            self.assertGreater(a, 0, groups)
            self.assertGreater(b, 0, groups)
            self.assertTrue(0 < stats.shrink(1, 1, (a, b)) < 1, groups)
        self.assertEqual(stats.kaplan_meier({}, {}), [])
        self.assertEqual(stats.kaplan_meier({-3: 1}, {4: 1}), [(0, 0.5)])
        self.assertIsNone(stats.median([]))

    def test_one_of_one_does_not_lead_the_ranking(self):
        groups = [(1, 1), (90, 100), (5, 100), (4, 100), (6, 100)]
        prior = stats.beta_prior(groups)
        ranked = sorted(groups, key=lambda group: -stats.shrink(*group, prior))
        self.assertEqual(ranked[:2], [(90, 100), (1, 1)])

    def test_shrinkage_finds_the_group_again(self):
        rng = random.Random(19)
        groups = []
        for _member in range(400):
            share = rng.betavariate(4, 36)
            groups.append((sum(rng.random() < share for _unit in range(60)), 60))
        a, b = stats.beta_prior(groups)
        self.assertAlmostEqual(a / (a + b), 0.1, delta=0.01)
        self.assertAlmostEqual(a + b, 40, delta=12)

    def test_a_young_cohort_is_completed_to_what_becomes_of_it(self):
        # One of ten comes back, evenly over 30 days; seen today are cohorts of 1 to 60 days.
        events, censored = {}, {}
        for age in range(1, 61):
            for day in range(1, 31):
                if day <= age:
                    events[day] = events.get(day, 0) + 1
            censored[age] = 300 - min(age, 30)
        curve = stats.kaplan_meier(events, censored)
        self.assertAlmostEqual(stats.completed_rate(10, {10: 300}, curve, 30), 0.1, delta=0.005)
        self.assertAlmostEqual(stats.completed_rate(30, {60: 300}, curve, 30), 0.1, delta=0.005)

    @needs_scipy
    def test_wilson_equals_scipy(self):
        for count, total in ((0, 1), (1, 1), (3, 11), (81, 263), (999, 1000)):
            expected = scipy_stats.binomtest(count, total).proportion_ci(method='wilson')
            for found, bound in zip(stats.wilson(count, total), expected, strict=True):
                self.assertAlmostEqual(found, bound, places=9)

    @needs_scipy
    def test_kaplan_meier_equals_scipy(self):
        rng = random.Random(20)
        events, censored = {}, {}
        for _unit in range(300):
            age = rng.randint(0, 40)
            counts = events if rng.random() < 0.3 else censored
            counts[age] = counts.get(age, 0) + 1
        data = scipy_stats.CensoredData(
            uncensored=[age for age, units in events.items() for _unit in range(units)],
            right=[age for age, units in censored.items() for _unit in range(units)],
        )
        survival = scipy_stats.ecdf(data).sf
        for age, share in stats.kaplan_meier(events, censored):
            self.assertAlmostEqual(share, float(survival.evaluate(age)), places=9)

    @needs_scipy
    def test_comparison_equals_scipy(self):
        result = stats.compare_rates((48, 80), (56, 70))
        chi = contingency.chi2_contingency([[48, 32], [56, 14]], correction=False)
        self.assertAlmostEqual(result['p_value'], chi.pvalue, places=9)

    @needs_scipy
    def test_false_discovery_equals_scipy(self):
        rng = random.Random(21)
        p_values = [rng.random() ** 4 for _test in range(50)]
        adjusted = scipy_stats.false_discovery_control(p_values)
        self.assertEqual(
            stats.benjamini_hochberg(p_values), [bool(value <= 0.05) for value in adjusted]
        )
