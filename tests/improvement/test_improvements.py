"""Improvements: before and after on one definition, of equally old shipments."""

from datetime import timedelta

from odoo.tests import tagged

from ..common_improvement import ImprovementCommon

SINCE = 100


@tagged('post_install', '-at_install')
class TestImprovements(ImprovementCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.day = cls.company._get_sale_return_day()

    def _improve(self, product=None, days_ago=SINCE):
        template = (product or self.products[0]).product_tmpl_id
        suggestion = (
            self.env['sale.return.suggestion']
            .sudo()
            .create(
                {
                    'rule': 'size',
                    'member': str(template.id),
                    'subject': template.name,
                    'product_template_id': template.id,
                    'company_id': self.company.id,
                }
            )
        )
        decided = suggestion.with_env(self._env_of(self.approver))
        decided.action_accept("New size chart", self.day - timedelta(days=days_ago))
        self.env.invalidate_all()
        return suggestion.with_env(self._env_of(self.clerk)).improvement_ids

    def _trade(self, before, after, **values):
        """Ship ten a week; these shares come back before and since."""
        for week in range(30):
            days_ago = 4 + 7 * week
            if days_ago < 30:
                # Nothing of the youngest has come back yet.
                self._sell(self.products[0], days_ago, 10)
            else:
                rate = after if days_ago < SINCE else before
                self._sell(self.products[0], days_ago, 10, round(10 * rate), **values)

    def test_a_planted_drop_is_significant(self):
        self._trade(0.4, 0.1)
        improvement = self._improve()
        self.assertEqual(improvement.verdict, 'better')
        self.assertEqual((improvement.rate_before, improvement.rate_after), (40, 10))
        self.assertEqual(improvement.total_before, improvement.total_after)
        self.assertLess(improvement.p_value, 0.001)
        self.assertLess(improvement.high, 0)
        self.assertIn("Better: 10.0 % since the change, 40.0 % before", improvement.result)
        for open_cases, count in (
            (improvement.action_open_cases_before, improvement.count_before),
            (improvement.action_open_cases_after, improvement.count_after),
        ):
            self.assertEqual(len(open_cases()['domain'][0][2]), count)
        self.assertTrue(improvement.action_open_before()['domain'])
        self.assertTrue(improvement.action_open_after()['domain'])

    def test_no_change_is_not_significant_however_young_the_shipments(self):
        self._trade(0.2, 0.2)
        # A last wave of which nothing can have come back yet would halve the rate.
        self._sell(self.products[0], 5, 100)
        improvement = self._improve()
        self.assertEqual(improvement.verdict, 'same')
        self.assertEqual((improvement.rate_before, improvement.rate_after), (20, 20))
        self.assertIn("It may be chance", improvement.result)

    def test_returns_that_old_shipments_had_more_time_for_do_not_count(self):
        self._trade(0.2, 0.2)
        self._sell(self.products[0], 150, 50, 50, back=45)
        self._sell(self.products[0], 150, 50, 10)
        improvement = self._improve()
        # Of the 100 more only those count that came within thirty days.
        self.assertLess(improvement.rate_before, 20)
        self.assertEqual(improvement.rate_after, 20)

    def test_a_rise_is_worse(self):
        self._trade(0.1, 0.4)
        improvement = self._improve()
        self.assertEqual(improvement.verdict, 'worse')
        self.assertIn("points more", improvement.result)

    def test_it_is_too_early_to_say(self):
        self._trade(0.2, 0.2)
        for days_ago in (-10, 0, 20, 33):
            improvement = self._improve(days_ago=days_ago)
            self.assertEqual(improvement.verdict, 'early', days_ago)
            self.assertIn("Too early to say", improvement.result)
            self.assertFalse(improvement.p_value)
            if days_ago < 30:
                self.assertEqual(improvement.rate_before, 20, "the youngest do not count")

    def test_time_and_satisfaction_are_beside_the_rate(self):
        returns = self._copy_returns(4)
        model = self.env['ir.model'].sudo()._get_id('sale.return')
        self._trade(0.4, 0.1, hours_total=96)
        for days_ago, hours, stars, copies in (
            (120, 240, 1, returns[:2]),
            (80, 48, 5, returns[2:]),
        ):
            for return_id in copies:
                self._sell(
                    self.products[1], days_ago, 30, 1, return_id=return_id, hours_total=hours
                )
                self.env['rating.rating'].sudo().create(
                    {
                        'res_model_id': model,
                        'res_id': return_id,
                        'rating': stars,
                        'consumed': True,
                    }
                )
        improvement = self._improve(self.products[1])
        self.assertEqual((improvement.days_before, improvement.days_after), (10, 2))
        self.assertEqual((improvement.rating_before, improvement.rating_after), (1, 5))
        plain = self._improve(self.products[0])
        self.assertEqual((plain.days_before, plain.days_after), (4, 4))
        self.assertEqual((plain.rating_before, plain.rating_after), (0, 0))

    def test_many_are_computed_in_as_few_queries_as_one(self):
        self._trade(0.4, 0.1)
        everything = self.env['sale.return.improvement'].union(
            *(self._improve(product) for product in self.products)
        )
        counts = []
        for improvements in (everything[:1], everything[:1], everything):
            self.env.invalidate_all()
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            improvements.mapped('result')
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(counts[1], counts[2])
        self.env.invalidate_all()
        with self.assertQueryCount(12):
            everything.mapped('verdict')
