"""No rate exceeds all there is, whatever the facts are, however they are grouped."""

import random
from datetime import datetime, timedelta

from odoo.tests import tagged

from ...report.sale_return_fact import FRESH_UNTIL
from ...report.sale_return_resale_fact import RESALES_FRESH_UNTIL
from .test_analytics_metrics import AnalyticsCase

# Formats of measures; all other rates are from 0 to 1.
SCALES = {'percent_units': 100, 'rate_ppm': 1000000, 'ppm': 1000000}
MODELS = ('sale.return.report', 'sale.return.ranking', 'sale.return.resale')
KEYS = ('date_sale:month', 'date_return:month', 'date_inspection:month', 'product_id', 'kind')


@tagged('post_install', '-at_install')
class TestAnalyticsRates(AnalyticsCase):
    def _fill(self, seed):
        """Store facts that need not fit together, as corrections and goods of others do not."""
        chance = random.Random(seed)
        products = [self._create_product(f"Rate {number}").id for number in range(4)]
        columns = self.env['sale.return.fact']._get_columns()
        rows = []
        for number in range(80):
            day = datetime(2026, 1, 1) + timedelta(days=chance.randrange(120))
            row = dict.fromkeys(columns)
            row |= {name: chance.randint(-6, 6) for name in columns if name.startswith('qty_')}
            row |= {name: chance.uniform(-50, 50) for name in columns if name.startswith('cost_')}
            row |= {name: chance.uniform(-50, 50) for name in columns if name.startswith('value_')}
            row |= {
                name: day + timedelta(days=chance.randrange(60))
                for name in columns
                if name.startswith('date_')
            }
            row |= {
                'id': 10**9 + number,
                'kind': chance.choice(('shipped', 'returned')),
                'company_id': self.company.id,
                'product_id': chance.choice(products),
                'partner_id': self.customer.id,
                'date_sale': day,
            }
            rows.append(tuple(row[name] for name in columns))
        self.env.flush_all()
        names = ', '.join(columns)
        marks = ', '.join(['%s'] * len(columns))
        self.env.cr.execute("DELETE FROM sale_return_fact")
        for row in rows:
            self.env.cr.execute(f"INSERT INTO sale_return_fact ({names}) VALUES ({marks})", row)
        for name in (FRESH_UNTIL, RESALES_FRESH_UNTIL):
            self.env['ir.config_parameter'].sudo().set_param(name, '2999-01-01 00:00:00')
        self.env.invalidate_all()

    def _get_rates(self, model):
        return [
            name
            for name, field in self.env[model]._fields.items()
            if field.type == 'float' and name.split('_')[0] in ('rate', 'percent', 'ppm')
        ]

    def assert_rate(self, value, name, where):
        if value is not None and value is not False:
            self.assertGreaterEqual(value, 0, (name, where))
            self.assertLessEqual(value, SCALES.get(name, 1) * (1 + 1e-9), (name, where))

    def test_no_rate_of_any_report_exceeds_all_in_any_group(self):
        for seed in range(3):
            self._fill(seed)
            for model in MODELS:
                Model = self.env[model]
                rates = self._get_rates(model)
                self.assertTrue(rates, model)
                for row in Model.search(self.mine):
                    for name in rates:
                        self.assert_rate(row[name], name, (model, seed))
                grouped = [name for name in rates if Model._fields[name].aggregator == 'avg']
                for key in ('', *KEYS):
                    if grouped and (not key or key.partition(':')[0] in Model._fields):
                        for group in Model.formatted_read_group(
                            self.mine, [key] if key else [], [f'{name}:avg' for name in grouped]
                        ):
                            for name in grouped:
                                self.assert_rate(group[f'{name}:avg'], name, (model, key, seed))

    def test_no_rate_that_programs_are_given_exceeds_all(self):
        self._fill(7)
        rows = [
            *self.metric.get_cohort_rates(domain=self.mine, age=30, as_of='2026-07-01'),
            *self.metric.get_period_rates(domain=self.mine),
            *self.metric.get_ranking('product_id', domain=self.mine, limit=None),
            *self.metric.get_ranking('commercial_partner_id', domain=self.mine, limit=None),
            self.metric.compare_periods(
                ('2026-01-01', '2026-02-28'),
                ('2026-03-01', '2026-04-30'),
                domain=self.mine,
                as_of='2026-07-01',
            ),
        ]
        names = ('rate', 'completed', 'shrunk', 'ppm', 'before', 'after')
        self.assertGreater(len(rows), 12)
        for row in rows:
            for name in names:
                self.assert_rate(row.get(name), name, row)

    def test_corrected_results_of_another_month_do_not_raise_the_acceptance(self):
        # Four rejected in January; in February one more came, and the four were corrected.
        self._fill(1)
        self.env.cr.execute("DELETE FROM sale_return_fact")
        for day, inspected, rejected in (
            ('2026-01-10', 4, 4), ('2026-02-10', 1, 0), ('2026-02-11', -4, -4),
            ('2026-02-11', 4, 0),
        ):  # fmt: skip
            self.env.cr.execute(
                """
                INSERT INTO sale_return_fact
                       (kind, company_id, date_inspection, qty_inspected, qty_rejected)
                VALUES ('returned', %s, %s, %s, %s)
                """,
                [self.company.id, day, inspected, rejected],
            )
        self.env.invalidate_all()
        months = self.env['sale.return.report'].formatted_read_group(
            self.mine, ['date_inspection:month'], ['rate_accepted:avg']
        )
        self.assertEqual([month['rate_accepted:avg'] for month in months], [0.0, 1.0])
