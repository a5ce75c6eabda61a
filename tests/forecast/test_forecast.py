"""The forecast: what is expected back, how far off it was, and what reordering rules make of it."""

import random
from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import tagged

from ...benchmarks import facts, foresight
from ...tools import forecast
from ..foresight.test_alerts import ForesightCase


@tagged('post_install', '-at_install')
class TestForecast(ForesightCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        switch = cls.env.ref('sale_return.group_foresight')
        cls.env.ref('sale_return.group_user').sudo()._apply_group(switch)
        cls.env.registry.clear_cache('groups')
        cls.buyer = cls._create_user('foresight_buyer', 'stock.group_stock_manager')

    def _trade(self, product, weeks=60, lines=30, rate=0.2, quantity=2, days=10, **values):
        """Sell each week the same lines, of which a share comes back some days later."""
        chance, rows = random.Random(product.name), []
        values = {'warehouse_id': self.warehouse.id, 'product_id': product.id, **values}
        for week in range(weeks):
            for _line in range(lines):
                self.line += 1
                sold = self.now - timedelta(days=7 * week + 3)
                row = {'sale_line_id': self.line, 'date_sale': sold, **values}
                rows.append({**row, 'kind': 'shipped', 'qty_shipped': quantity})
                back = sold + timedelta(days=days)
                if chance.random() < rate and back < self.now:
                    rows.append(
                        {**row, 'kind': 'returned', 'qty_returned': quantity, 'date_return': back}
                    )
        self._add(*rows)

    def _forecast(self):
        self.env['sale.return.forecaster'].sudo()._forecast_companies(self.company)
        self.env.invalidate_all()
        return self._env_of(self.clerk)['sale.return.forecast.run'].search(
            [('company_id', '=', self.company.id)]
        )

    def _get_rows(self, product, user=None):
        env = self._env_of(user or self.clerk)
        return env['sale.return.forecast'].search([('product_id', '=', product.id)])

    def test_what_was_sold_comes_back_at_the_age_at_which_it_always_did(self):
        self._trade(self.products[0])
        run = self._forecast()
        rows = self._get_rows(self.products[0])
        self.assertEqual(rows.mapped('week'), list(range(1, 9)))
        self.assertEqual(rows.warehouse_id, self.warehouse)
        self.assertEqual(set(rows.mapped('basis')), {'product'})
        # Thirty lines of two units are sold a week, and a fifth comes back.
        for row in rows:
            self.assertAlmostEqual(row.expected, 12, delta=4)
            self.assertAlmostEqual(row.expected, row.from_shipped + row.from_planned)
            self.assertLessEqual(row.low, row.expected)
            self.assertGreaterEqual(row.high, row.expected)
        # What was sold last week is back within two weeks, then all is of what will be sold.
        self.assertGreater(rows[0].from_shipped, rows[0].from_planned)
        self.assertAlmostEqual(rows[4].from_shipped, 0, places=1)
        self.assertTrue(run.is_judged)
        self.assertLess(run.wape, 30)
        self.assertEqual(len(run.week_ids), 16)
        past = run.week_ids.filtered('is_past')
        self.assertEqual(len(past), 8)
        self.assertTrue(all(week.actual for week in past))
        self.assertAlmostEqual(run.week_ids[-1].expected, rows[-1].expected)
        self.assertEqual(run.action_open_products()['domain'], [('run_id', '=', run.id)])
        page = run.action_open_page()
        self.assertEqual(page['res_id'], run.id)

    def test_a_second_run_replaces_the_first(self):
        self._trade(self.products[0], weeks=20)
        first = self._forecast()
        rows, weeks = len(self._get_rows(self.products[0])), len(first.week_ids)
        self.assertEqual(self._forecast(), first)
        self.assertEqual(len(self._get_rows(self.products[0])), rows)
        self.assertEqual(len(first.week_ids), weeks)
        facts.empty(self.env)
        self._forecast()
        self.assertFalse(self._get_rows(self.products[0]))
        self.assertEqual((first.is_judged, first.product_count), (False, 0))

    def test_a_product_without_history_comes_back_like_its_category(self):
        self._trade(self.products[0])
        self._trade(self.products[1], weeks=1, rate=0)
        self._trade(self.products[2], weeks=60, lines=1, rate=0.1)
        self._forecast()
        new = self._get_rows(self.products[1])
        self.assertEqual(set(new.mapped('basis')), {'category'})
        self.assertEqual(set(new.mapped('returned_lines')), {0})
        # Thirty lines of two units, of which a fifth comes back like those of the others.
        self.assertAlmostEqual(sum(new.mapped('from_shipped')), 12, delta=4)
        self.assertEqual(set(self._get_rows(self.products[2]).mapped('basis')), {'category'})

    def test_one_giant_order_does_not_own_the_forecast(self):
        self._trade(self.products[0])
        self._trade(self.products[1], weeks=20, lines=2, rate=0.1)
        self._forecast()
        usual = sum(self._get_rows(self.products[0]).mapped('expected'))
        other = sum(self._get_rows(self.products[1]).mapped('expected'))
        for product, back in ((self.products[0], True), (self.products[1], False)):
            self._trade(product, weeks=1, lines=1, quantity=80995, rate=0)
            row = {
                'kind': 'returned', 'sale_line_id': self.line, 'product_id': product.id,
                'date_sale': self.now - timedelta(days=3), 'qty_returned': 80995,
                'date_return': self.now - timedelta(days=2),
            }  # fmt: skip
            if back:
                self._add(row)
        run = self._forecast()
        self.assertAlmostEqual(
            sum(self._get_rows(self.products[0]).mapped('expected')), usual, delta=usual / 2
        )
        self.assertLess(sum(self._get_rows(self.products[1]).mapped('expected')), other + 20)
        self.assertLess(run.week_ids[-1].expected, 100)

    def test_no_more_comes_back_than_was_sold_and_gaps_do_no_harm(self):
        self._trade(self.products[0], weeks=40, lines=3, rate=1, quantity=1)
        self._trade(self.products[1], weeks=1, lines=1, quantity=0.5)
        self._add(
            {'kind': 'shipped', 'sale_line_id': 9**9, 'qty_shipped': 1},
            {
                'kind': 'shipped', 'sale_line_id': 9**9 + 1, 'qty_shipped': 1,
                'product_id': self.products[2].id, 'date_sale': self.now + timedelta(days=400),
            },
            {
                'kind': 'returned', 'sale_line_id': self.line, 'qty_returned': 0.5,
                'product_id': self.products[1].id, 'date_sale': self.now - timedelta(days=3),
                'date_return': self.now - timedelta(days=30),
            },
        )  # fmt: skip
        self._forecast()
        rows = self._get_rows(self.products[0])
        # Three a week are sold, and those of the last week are still out.
        self.assertLessEqual(sum(rows.mapped('from_shipped')), 6.01)
        self.assertAlmostEqual(rows[3].expected, 3, delta=0.5)
        self.assertFalse(self._get_rows(self.products[2]))

    def test_reordering_rules_count_it_where_they_are_told_to(self):
        product = self.products[0]
        product.is_storable = True
        disposition = self.env.ref('sale_return.disposition_restock')
        scrap = self.env.ref('sale_return.disposition_scrap')
        self._trade(product)
        for number, way in enumerate((disposition, disposition, disposition, scrap)):
            self._add(
                {
                    'kind': 'returned', 'return_line_id': None, 'product_id': product.id,
                    'disposition_id': way.id, 'qty_returned': 100, 'return_id': number,
                }
            )  # fmt: skip
        self._forecast()
        expected = sum(self._get_rows(product)[:2].mapped('from_shipped'))
        rule = self._env_of(self.buyer)['stock.warehouse.orderpoint'].create(
            {
                'product_id': product.id,
                'location_id': self.stock.id,
                'product_min_qty': 1040,
                'product_max_qty': 1050,
            }
        )
        self.company.sudo().horizon_days = 21
        rule.invalidate_recordset()
        self.assertGreater(rule.sale_return_expected, 4)
        self.assertLessEqual(rule.sale_return_expected, 0.76 * (expected + 1))
        self.assertEqual(rule.sale_return_expected % 1, 0)
        # A thousand are in stock.
        self.assertEqual((rule.qty_forecast, rule.qty_to_order), (1000, 50))
        rule.sale_return_forecast = True
        rule.invalidate_recordset()
        self.assertEqual(rule.qty_forecast, 1000 + rule.sale_return_expected)
        self.assertEqual(rule.qty_to_order, 50 - rule.sale_return_expected)
        # Goods come back to the stock of the warehouse, not to a shelf of it.
        shelf = self.env['stock.location'].sudo().create(
            {'name': "Shelf", 'location_id': self.stock.id}
        )  # fmt: skip
        other = rule.copy({'location_id': shelf.id, 'product_id': product.id})
        self.assertEqual(other.sale_return_expected, 0)
        self.env.ref('sale_return.group_user').sudo()._remove_group(
            self.env.ref('sale_return.group_foresight')
        )
        self.env.registry.clear_cache('groups')
        rule.invalidate_recordset()
        rule._get_expected_returns()
        with self.assertQueryCount(0):
            self.assertEqual(rule._get_expected_returns(), {})
        self.assertEqual(rule.qty_forecast, 1000)

    def test_people_with_a_role_read_it_and_nobody_writes_it(self):
        self._trade(self.products[0], weeks=20)
        run = self._forecast()
        rows = self._get_rows(self.products[0])
        for user in (self.clerk, self.manager):
            for records in (run, rows, run.week_ids):
                with self.assertRaises(AccessError):
                    records[:1].with_user(user).write({})
                with self.assertRaises(AccessError):
                    records[:1].with_user(user).unlink()
        with self.assertRaises(AccessError):
            self._get_rows(self.products[0], self.buyer)
        other = self._create_user(
            'forecast_foreign', 'sale_return.group_manager', company=self.foreign_companies[:1]
        )
        self.assertFalse(self._get_rows(self.products[0], other))
        self.assertFalse(self._env_of(other)['sale.return.forecast.run'].search([]))
        today = self.company._get_sale_return_day()
        receipts = rows.get_expected_receipts(today, str(today + timedelta(days=13)))
        self.assertEqual([row['warehouse_id'] for row in receipts], [self.warehouse.id] * 2)
        self.assertAlmostEqual(receipts[0]['expected'], rows[0].expected)
        with self.assert_refused("day"):
            rows.get_expected_receipts("someday", today)

    def test_nothing_is_foreseen_while_the_part_is_off(self):
        self.env.ref('sale_return.group_user').sudo()._remove_group(
            self.env.ref('sale_return.group_foresight')
        )
        self.env.registry.clear_cache('groups')
        self._trade(self.products[0], weeks=5)
        forecaster = self.env['sale.return.forecaster'].sudo()
        runs = self.env['sale.return.forecast.run'].sudo()
        forecaster._cron_forecast()
        self.assertFalse(runs.search([]))
        settings = self.env['res.config.settings'].sudo()
        settings.create({'group_sale_return_foresight': True}).execute()
        with patch.object(type(self.env['ir.cron']), '_commit_progress', return_value=1.0):
            forecaster._cron_forecast()
            made = {run.company_id: run.date for run in runs.search([])}
            forecaster._cron_forecast()
        self.assertIn(self.company, made)
        self.assertTrue(all(made.values()))
        self.assertTrue(self._get_rows(self.products[0]))
        self.assertEqual(made, {run.company_id: run.date for run in runs.search([])})

    def test_intervals_cover_most_of_a_past_that_is_drawn_by_chance(self):
        chance, sales = random.Random(3), []
        end = foresight.get_end() + timedelta(days=foresight.AGE)
        for product in range(1, 31):
            rate = chance.uniform(0.02, 0.2)
            for week in range(70):
                for _line in range(20):
                    day = end - timedelta(days=7 * week + 3)
                    units = chance.choice((1, 1, 2, 6))
                    back = day + timedelta(days=chance.choice((4, 9, 15, 30)))
                    is_back = chance.random() < rate and back < end
                    sales.append([product, day, units, {back: units} if is_back else {}, ''])
        with self._of_trade(sales) as forecaster:
            judged = foresight.judge(forecaster, origins=(8, 12))
        self.assertLess(judged['wape'], 0.9 * judged['wape_naive'])
        self.assertTrue(0.65 <= judged['coverage'] <= 0.95)
        self.assertTrue(forecast.interval(10, 3)[0] < 10 < forecast.interval(10, 3)[1])

    def _of_trade(self, sales):
        facts.empty(self.env)
        facts.add(self.env, foresight.get_facts(self.company, sales))
        return foresight.reading(self.env)
