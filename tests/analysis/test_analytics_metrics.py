import csv
import io
import json
import re
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ...benchmarks import facts
from ...report import sale_return_ranking_fact, sale_return_resale_fact
from ...report.sale_return_resale_fact import RESALES_FRESH_UNTIL
from ...tools import stats
from ..common import SaleReturnCommon
from ..common_http import PatientHttpCase

DASHBOARDS = Path(__file__).resolve().parents[2] / 'data' / 'analysis' / 'dashboards'


class AnalyticsCase(SaleReturnCommon):
    """Trade at chosen days."""

    def _sell_on(self, day, quantity, returned=0, back=None, product=None, **values):
        """Sell at a day, and take units back at another one."""
        line = {'quantity': quantity, **({'product': product} if product else {})}
        order = self._create_order(line, **values)
        self._deliver(order)
        order.date_order = day
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE stock_move SET date = %s WHERE sale_line_id IN %s",
            [day, tuple(order.order_line.ids)],
        )
        if returned:
            sale_return = self._return_goods(order, returned)
            self.env.flush_all()
            self.env.cr.execute(
                "UPDATE stock_move SET date = %s WHERE sale_return_line_id IN %s",
                [back, tuple(sale_return.line_ids.ids)],
            )
        self.env.invalidate_all()
        return order

    @property
    def metric(self):
        return self.env['sale.return.metric']

    @property
    def mine(self):
        return [('company_id', '=', self.company.id)]


@tagged('post_install', '-at_install')
class TestAnalyticsMetrics(AnalyticsCase):
    """Rates, rankings, comparisons and times, by remote calls."""

    def test_cohort_rate_counts_what_was_sold_and_period_rate_what_came(self):
        self._sell_on('2026-01-10 12:00:00', 100, 10, '2026-02-20 12:00:00')
        self._sell_on('2026-02-10 12:00:00', 50)
        cohorts = self._call(
            self.staff, self.metric, 'get_cohort_rates', domain=self.mine, as_of='2026-03-31'
        )
        self.assertEqual(
            [(c['period'], c['shipped'], c['returned'], c['rate']) for c in cohorts],
            [('2026-01-01', 100, 10, 0.1), ('2026-02-01', 50, 0, 0.0)],
        )
        periods = self._call(self.staff, self.metric, 'get_period_rates', domain=self.mine)
        self.assertEqual(
            [(p['period'], p['shipped'], p['returned'], p['rate']) for p in periods],
            [('2026-01-01', 100, 0, 0.0), ('2026-02-01', 50, 10, 0.2)],
        )

    def _call(self, user, records, method, *args, **kwargs):
        env = self._env_of(user)
        return getattr(env[records._name], method)(*args, **kwargs)

    def test_an_age_leaves_out_what_came_later(self):
        self._sell_on('2026-01-10 12:00:00', 100, 10, '2026-02-20 12:00:00')
        (young,) = self.metric.get_cohort_rates(domain=self.mine, age=30, as_of='2026-03-31')
        (old,) = self.metric.get_cohort_rates(domain=self.mine, age=60, as_of='2026-03-31')
        self.assertEqual((young['returned'], old['returned']), (0, 10))
        self.assertEqual((young['mature'], old['mature']), (True, True))
        self.assertEqual((old['low'], old['high']), stats.wilson(10, 100))

    def test_a_young_cohort_is_completed(self):
        self._sell_on('2026-01-01 12:00:00', 100, 4, '2026-01-03 12:00:00')
        self._sell_on('2026-01-01 12:00:00', 100, 4, '2026-01-21 12:00:00')
        self._sell_on('2026-02-01 12:00:00', 100, 4, '2026-02-03 12:00:00')
        cohorts = self.metric.get_cohort_rates(domain=self.mine, as_of='2026-02-06', horizon=30)
        self.assertAlmostEqual(cohorts[0]['completed'], 0.04, places=3)
        self.assertGreater(cohorts[1]['completed'], 0.05)
        self.assertFalse(cohorts[1]['mature'])

    def test_nothing_sold_and_dates_in_the_future_are_defined(self):
        self.assertEqual(self.metric.get_cohort_rates(domain=self.mine), [])
        self._sell_on('2990-01-01 12:00:00', 5, 5, '2991-01-01 12:00:00')
        self.assertEqual(self.metric.get_cohort_rates(domain=self.mine), [])
        (period, later) = self.metric.get_period_rates('year', domain=self.mine)
        self.assertEqual((period['shipped'], period['returned']), (5, 0))
        self.assertEqual((later['returned'], later['rate']), (5, None))

    def test_one_of_one_does_not_lead_the_ranking(self):
        unlucky, bad = self._create_product("Unlucky"), self._create_product("Bad")
        self._sell_on('2026-01-01', 1, 1, '2026-01-05', product=unlucky)
        self._sell_on('2026-01-01', 100, 60, '2026-01-05', product=bad)
        for name in "ABCDEFGH":
            self._sell_on('2026-01-01', 100, 2, '2026-01-05', product=self._create_product(name))
        ranking = self.metric.get_ranking('product_id', domain=self.mine, limit=2)
        self.assertEqual([row['id'] for row in ranking], [bad.id, unlucky.id])
        self.assertLess(ranking[0]['rate'], ranking[1]['rate'])
        self.assertEqual((ranking[1]['rate'], ranking[1]['ppm']), (1.0, 1000000))

    def test_the_ranking_of_lists_is_that_of_the_formulas(self):
        products = [self._create_product(name) for name in "ABCD"]
        for product, sold, back in zip(products, (1, 100, 50, 7), (1, 60, 0, 2), strict=True):
            self._sell_on('2026-01-01', sold, back, '2026-01-05', product=product)
        self.env.flush_all()
        rows = self.env['sale.return.ranking'].search([*self.mine, ('dimension', '=', 'product')])
        expected = self.metric.get_ranking('product_id', domain=self.mine, limit=None)
        self.assertEqual(rows.product_id.ids, [row['id'] for row in expected])
        for row, other in zip(rows, expected, strict=True):
            for name, key in (
                ('rate', 'rate'),
                ('rate_low', 'low'),
                ('rate_high', 'high'),
                ('rate_shrunk', 'shrunk'),
                ('ppm', 'ppm'),
                ('value_kept', 'value_kept'),
            ):
                self.assertAlmostEqual(row[name], other[key] or 0.0, places=6, msg=name)
        customer = self.env['sale.return.ranking'].search(
            [*self.mine, ('dimension', '=', 'customer')]
        )
        self.assertEqual(customer.partner_id, self.customer)
        self.assertEqual((customer.qty_shipped, customer.qty_returned), (158, 63))
        rows = self.env['sale.return.report'].search(customer.action_open_rows()['domain'])
        self.assertEqual(sum(rows.mapped('qty_returned')), 63)

    def test_the_ranking_of_very_many_is_that_of_the_last_job(self):
        Fact = self.env['sale.return.fact'].sudo()
        Ranking = self.env['sale.return.ranking']
        products = [self._create_product(name) for name in "ABC"]
        for product, sold, back in zip(products, (1, 100, 50), (1, 60, 0), strict=True):
            self._sell_on('2026-01-01', sold, back, '2026-01-05', product=product)
        computed = Ranking.search(self.mine).read([])
        self.assertEqual(len(computed), 4, "three products and their customer")
        with patch.object(sale_return_ranking_fact, 'LIVE_MEMBERS', 0):
            Fact._refresh(everything=True)
        self.env.invalidate_all()
        self.assertEqual(Ranking.search(self.mine).read([]), computed)
        # The usual case: very many customers, and not so many products.
        self.env.cr.execute("DELETE FROM sale_return_ranking_fact WHERE dimension = 'customer'")
        self.env.invalidate_all()
        self.assertEqual(Ranking.search(self.mine).read([]), computed)
        self._sell_on('2026-01-02', 10, 10, '2026-01-05', product=products[2])
        self.env.invalidate_all()
        row = Ranking.search([*self.mine, ('product_id', '=', products[2].id)])
        self.assertEqual((row.qty_shipped, row.qty_returned), (50, 0), "as of the last job")
        row = Ranking.search([*self.mine, ('dimension', '=', 'customer')])
        self.assertEqual((row.qty_shipped, row.qty_returned), (161, 71))
        # Nothing is stored where all can be computed on the spot.
        Fact._refresh(everything=True)
        self.assertFalse(self.env['sale.return.ranking.fact']._get_stored(['product', 'customer']))
        row = Ranking.search([*self.mine, ('product_id', '=', products[2].id)])
        self.assertEqual((row.qty_shipped, row.qty_returned), (60, 10))

    def test_an_unknown_dimension_or_interval_is_refused(self):
        with self.assert_refused("not ranked by create_uid"):
            self.metric.get_ranking('create_uid')
        self._sell_on('2026-01-01', 1)
        with self.assert_refused("There is no interval hour"):
            self.metric.get_cohort_rates('hour', domain=self.mine)

    def test_periods_are_compared_by_the_same_definition(self):
        self._sell_on('2026-01-10 12:00:00', 80, 48, '2026-01-15 12:00:00')
        self._sell_on('2026-02-10 12:00:00', 70, 14, '2026-02-15 12:00:00')
        arguments = (('2026-01-01', '2026-01-31'), ('2026-02-01', '2026-02-28'))
        result = self.metric.compare_periods(*arguments, domain=self.mine, as_of='2026-06-01')
        self.assertEqual(
            {key: result[key] for key in ('returned_before', 'shipped_after')},
            {'returned_before': 48, 'shipped_after': 70},
        )
        self.assertAlmostEqual(result['difference'], 0.2 - 0.6)
        self.assertTrue(result['significant'])
        young = self.metric.compare_periods(*arguments, domain=self.mine, as_of='2026-02-20')
        self.assertEqual((young['after'], young['difference']), (None, None))
        with self.assert_refused("ends before it begins"):
            self.metric.compare_periods(('2026-02-01', '2026-01-01'), arguments[1])

    def test_the_dialog_compares_and_says_it_in_a_sentence(self):
        self._sell_on('2026-01-10 12:00:00', 80, 48, '2026-01-15 12:00:00')
        self._sell_on('2026-02-10 12:00:00', 70, 14, '2026-02-15 12:00:00')
        dialog = self.env['sale.return.compare'].create(
            {
                'before_from': '2026-01-01',
                'before_to': '2026-01-31',
                'after_from': '2026-02-01',
                'after_to': '2026-02-28',
                'product_ids': [Command.set(self.product.ids)],
            }
        )
        self.assertIn("-40.00 percentage points", dialog.result)
        self.assertIn("more than chance", dialog.result)
        dialog.product_ids = self.service
        self.assertIn("nothing to compare", dialog.result)
        dialog.after_to = '2026-01-01'
        self.assertIn("Choose two periods", dialog.result)

    def test_metrics_take_a_role_in_returns(self):
        seller = self._create_user('seller', 'sales_team.group_sale_salesman')
        metric = self._env_of(seller)['sale.return.metric']
        for method in ('get_cohort_rates', 'get_period_rates', 'get_ranking'):
            with self.assertRaises(AccessError), mute_logger('odoo.models'):
                getattr(metric, method)()

    def test_each_measure_of_the_dictionary_exists(self):
        known = {
            *self.env['sale.return.report']._fields,
            *self.env['sale.return.ranking']._fields,
            *self.env['sale.return.resale']._fields,
            *self.env['sale.return.appeal']._fields,
            *self.env['sale.return']._fields,
            *dir(type(self.metric)),
            'completed',
            'open',
        }
        for definition in self.env['sale.return.metric.definition'].search([]):
            for code in definition.code.split(', '):
                self.assertIn(code, known)
        with self.assertRaises(AccessError), mute_logger('odoo.models'):
            self.env['sale.return.metric.definition'].search([])[:1].name = "Other"


@tagged('post_install', '-at_install')
class TestAnalyticsResale(AnalyticsCase):
    """Life after return."""

    def _get_rows(self, product):
        self.env.flush_all()
        self.env.invalidate_all()
        return self.env['sale.return.resale'].search([('product_id', '=', product.id)])

    def _move_to(self, records, moment):
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE stock_move SET date = %s WHERE id = ANY(%s)", [moment, records.ids]
        )

    def test_a_serial_number_is_followed_exactly(self):
        product, lots = self._create_tracked_product('serial', "S1", "S2")
        order = self._create_order({'product': product, 'quantity': 1})
        self._deliver(order, lots=lots[0])
        sale_return = self._create_return(order, 1)
        self._receive(sale_return, lots=lots[0])
        sale_return.line_ids.register_inspection(
            [{'quantity': 1, 'disposition': 'restock', 'lot': "S1"}]
        )
        row = self._get_rows(product)
        self.assertEqual((row.basis, row.is_resold, row.lot_id), ('lot', False, lots[0]))
        other = self._create_order({'product': product, 'quantity': 1, 'price': 80.0})
        self._deliver(other, lots=lots[1])
        self.assertFalse(self._get_rows(product).is_resold)
        again = self._create_order({'product': product, 'quantity': 1, 'price': 70.0})
        self._deliver(again, lots=lots[0])
        moment = fields.Datetime.now() + timedelta(days=9)
        self._move_to(again.picking_ids.move_ids, moment)
        row = self._get_rows(product)
        self.assertTrue(row.is_resold)
        self.assertEqual((row.qty_resold, row.value_resold), (1, 70.0))
        self.assertAlmostEqual(row.days_to_resale, 9, places=1)

    def test_others_leave_first_in_first_out(self):
        product = self._create_product("Queue", is_storable=True)
        quants = self.env['stock.quant'].sudo()._gather(product, self.stock)
        self.env['stock.quant'].sudo()._update_available_quantity(product, self.stock, -995)
        self.assertEqual(sum(quants.mapped('quantity')), 5)
        now = fields.Datetime.now()
        order = self._create_order({'product': product, 'quantity': 2})
        self._deliver(order)
        self._move_to(order.picking_ids.move_ids, now - timedelta(days=20))
        sale_return = self._return_goods(order, 2)
        self._move_to(sale_return.line_ids.move_ids, now - timedelta(days=10))
        # Three are in stock before the two that came back: the first order takes them.
        first = self._create_order({'product': product, 'quantity': 3})
        self._deliver(first)
        self._move_to(first.picking_ids.move_ids, now - timedelta(days=5))
        row = self._get_rows(product)
        self.assertEqual((row.basis, row.is_resold, row.quantity), ('fifo', False, 2))
        second = self._create_order({'product': product, 'quantity': 2, 'price': 50.0})
        self._deliver(second)
        self._move_to(second.picking_ids.move_ids, now - timedelta(days=3))
        row = self._get_rows(product)
        self.assertTrue(row.is_resold)
        self.assertAlmostEqual(row.days_to_resale, 7, places=1)
        self.assertEqual(row.value_resold, 100.0)
        (group,) = self.env['sale.return.resale'].formatted_read_group(
            [('product_id', '=', product.id)], [], ['rate_resold:avg', 'days_to_resale_median:avg']
        )
        self.assertEqual(group['rate_resold:avg'], 1.0)

    # === STORED OR NOT === #

    def _store(self, fresh_until='2999-01-01 00:00:00'):
        """Store everything, and treat it as fresh until then."""
        self.env['sale.return.fact'].sudo()._refresh(everything=True)
        self.env['ir.config_parameter'].sudo().set_param(RESALES_FRESH_UNTIL, fresh_until)

    def _sell_again(self, product):
        """Return goods, sell the whole stock, and return the resulting rows."""
        quants = self.env['stock.quant'].sudo()._gather(product, self.stock)
        order = self._create_order({'product': product, 'quantity': 2})
        self._deliver(order)
        self._return_goods(order, 2)
        last = self._create_order({'product': product, 'quantity': sum(quants.mapped('quantity'))})
        self._deliver(last)
        return self._get_rows(product)

    def _spoil(self, product):
        self.env.cr.execute(
            "UPDATE sale_return_resale_fact SET quantity = 77 WHERE product_id = %s", [product.id]
        )

    def test_what_is_stored_equals_what_is_computed(self):
        tracked, lots = self._create_tracked_product('serial', "S1")
        order = self._create_order({'product': tracked, 'quantity': 1})
        self._deliver(order, lots=lots)
        sale_return = self._create_return(order, 1)
        self._receive(sale_return, lots=lots)
        sale_return.action_inspect_all('restock')
        plain = self._create_product("Queue", is_storable=True)
        self.assertTrue(self._sell_again(plain).is_resold)
        computed = [self._get_rows(product).read([]) for product in tracked | plain]
        self.assertTrue(all(computed))
        self._store()
        self.assertEqual(
            [self._get_rows(product).read([]) for product in tracked | plain], computed
        )
        self._spoil(plain)
        self.assertEqual(self._get_rows(plain).quantity, 77)
        # One query looks up which products moved.
        with self.assertQueryCount(2):
            self.env['sale.return.resale'].search_count([])

    def test_what_moved_since_is_followed_on_the_spot(self):
        product = self._create_product("Queue", is_storable=True)
        self._store('2020-01-01 00:00:00')
        row = self._sell_again(product)
        self.assertEqual((row.quantity, row.qty_resold), (2, 2))

    def test_products_with_many_moves_are_shown_as_of_the_last_job(self):
        product = self._create_product("Queue", is_storable=True)
        row = self._sell_again(product)
        self._store('2020-01-01 00:00:00')
        self._spoil(product)
        self.assertEqual(self._get_rows(product).quantity, 2)
        with patch.object(sale_return_resale_fact, 'LIVE_MOVES_IN_ALL', 2):
            self.assertEqual(self._get_rows(product).quantity, 77)
        with patch.object(sale_return_resale_fact, 'LIVE_MOVES', 2):
            self.assertEqual(self._get_rows(product).quantity, 77)
            self.env['sale.return.fact'].sudo()._refresh()
            self.assertEqual(self._get_rows(product).quantity, row.quantity)

    def test_the_job_follows_only_products_that_moved(self):
        product = self._create_product("Queue", is_storable=True)
        self._sell_again(product)
        self._store()
        self._spoil(product)
        self.env['sale.return.fact'].sudo()._refresh()
        self.env['ir.config_parameter'].sudo().set_param(RESALES_FRESH_UNTIL, '2999-01-01 00:00:00')
        self.assertEqual(self._get_rows(product).quantity, 77)

    def test_nobody_reads_or_writes_the_store(self):
        for model, field in (
            ('sale.return.resale.fact', 'quantity'),
            ('sale.return.ranking.fact', 'rate'),
        ):
            for method, args in (('search', [[]]), ('create', [{field: 1}])):
                with self.assertRaises(AccessError), mute_logger('odoo.models'):
                    getattr(self.env[model], method)(*args)


@tagged('post_install', '-at_install')
class TestAnalyticsDashboards(SaleReturnCommon):
    """Every data source of the dashboards can be read."""

    def _get_dashboards(self):
        # Those of the statistics are hidden while these are switched off.
        group = self.env.ref('sale_return.spreadsheet_dashboard_group_returns').sudo()
        return group.dashboard_ids

    def test_there_is_a_page_for_each_question(self):
        self.assertEqual(
            self._get_dashboards().sorted('sequence').mapped('name'),
            ["Overview", "Why", "What", "Who", "Supply", "Flow", "Money", "Quarantine"],
        )

    def test_odoo_finds_the_terms_of_the_dashboards(self):
        """Odoo only looks in files of these names."""
        names = [path.name for path in DASHBOARDS.glob('*.json')]
        self.assertEqual(len(names), len(self._get_dashboards()))
        self.assertTrue(all(name.endswith('_dashboard.json') for name in names), names)

    def test_tables_name_themselves_in_terms_that_are_translated(self):
        """A pivot writes its own name above its columns, in English in all languages."""
        for dashboard in self._get_dashboards():
            sheet = json.loads(dashboard.spreadsheet_data)['sheets'][0]
            tables = [cell for cell in sheet['cells'].values() if cell.startswith('=PIVOT(')]
            self.assertTrue(tables, dashboard.name)
            for table in tables:
                self.assertRegex(table, r'^=PIVOT\(\d+,10,FALSE,FALSE,\d,FALSE\)$')

    def test_pivots_and_charts_can_be_read(self):
        self._return_goods(self._create_sale(), 1)
        self.env.flush_all()
        for dashboard in self._get_dashboards():
            data = json.loads(dashboard.spreadsheet_data)
            self.assertTrue(data['pivots'], dashboard.name)
            for pivot in data['pivots'].values():
                self._read_pivot(pivot)
            for sheet in data['sheets']:
                for figure in sheet['figures']:
                    if figure['data']['type'].startswith('odoo_'):
                        self._read_chart(figure['data'])

    def test_the_table_of_customers_reads_no_more_than_it_shows(self):
        buyers = [self._create_customer(f"Buyer {number}") for number in range(12)]
        row = {'kind': 'returned', 'company_id': self.company.id, 'qty_returned': 1}
        rows = [
            {**row, 'partner_id': customer.id, 'value_returned': 10 * number}
            for number, customer in enumerate(buyers)
        ]
        # Others bought, and returned nothing.
        rows += [
            {**row, 'kind': 'shipped', 'qty_returned': None, 'partner_id': partner.id}
            for partner in (self.customer, self._create_customer("Satisfied"))
        ]
        self.env.flush_all()
        self.enterContext(facts.given(self.env, rows))
        page = self.env.ref('sale_return.spreadsheet_dashboard_who').sudo()
        pivot = next(
            pivot
            for pivot in json.loads(page.spreadsheet_data)['pivots'].values()
            if [row['fieldName'] for row in pivot['rows']] == ['commercial_partner_id']
        )
        measures = [f"{m['fieldName']}:{m['aggregator']}" for m in pivot['measures']]
        report = self.env['sale.return.report']
        args = pivot['domain'], [[], ['commercial_partner_id']], measures
        (everything,), customers = report.formatted_read_grouping_sets(*args)
        top = pivot['context']['sale_return_top']
        shown = report.with_context(sale_return_top=top).formatted_read_grouping_sets(*args)
        self.assertEqual(shown[0], [everything])
        self.assertEqual((len(customers), len(shown[1])), (14, 10))
        values = sorted((row[measures[0]] or 0 for row in customers), reverse=True)
        self.assertEqual([row[measures[0]] or 0 for row in shown[1]], values[:10])
        known = {row['commercial_partner_id'][0]: row for row in customers}
        for row in shown[1]:
            self.assertEqual(row, known[row['commercial_partner_id'][0]])
        # What the context asks for has to be one of the figures.
        odd = report.with_context(sale_return_top='id:max')
        self.assertEqual(odd.formatted_read_grouping_sets(*args)[1], customers)

    def _read_pivot(self, pivot):
        rows = [row['fieldName'] for row in pivot['rows']]
        measures = [f"{m['fieldName']}:{m['aggregator']}" for m in pivot['measures']]
        groups = self.env[pivot['model']].formatted_read_grouping_sets(
            pivot['domain'], [rows[: depth + 1] for depth in range(-1, len(rows))], measures
        )
        self.assertEqual(len(groups), len(rows) + 1)
        self._check_matching(pivot['model'], pivot)

    def _read_chart(self, chart):
        meta = chart['metaData']
        field = self.env[meta['resModel']]._fields[meta['measure']]
        self.env[meta['resModel']].formatted_read_group(
            chart['searchParams']['domain'],
            meta['groupBy'],
            [f"{meta['measure']}:{field.aggregator or 'count_distinct'}"],
        )
        self._check_matching(meta['resModel'], chart)

    def _check_matching(self, model, source):
        for match in source['fieldMatching'].values():
            self.assertEqual(self.env[model]._fields[match['chain']].type, match['type'])

    def test_each_tile_says_what_it_means(self):
        for dashboard in self._get_dashboards():
            data = json.loads(dashboard.spreadsheet_data)
            cells = data['sheets'][1]['cells']
            for figure in data['sheets'][0]['figures']:
                if figure['data']['type'] == 'scorecard':
                    row = figure['data']['keyValue'].removeprefix('Data!B')
                    meaning = cells[f'C{row}']
                    self.assertTrue(meaning.startswith('=_t('), figure)
                    self.assertIn(meaning, data['sheets'][0]['cells'].values())
                menu = data['chartOdooMenusReferences'][figure['id']]
                self.assertTrue(self.env.ref(menu))

    def test_figures_of_a_period_are_compared_with_the_one_before(self):
        for dashboard in self._get_dashboards():
            data = json.loads(dashboard.spreadsheet_data)
            cells = data['sheets'][1]['cells']
            offsets = {
                pivot['formulaId']: {
                    match['offset']
                    for match in pivot['fieldMatching'].values()
                    if 'offset' in match
                }
                for pivot in data['pivots'].values()
            }
            for figure in data['sheets'][0]['figures']:
                self.assertGreaterEqual(figure['offset']['x'], 20)  # no text touches the edge
                content = figure['data']
                if content['type'] != 'scorecard' or content['baselineMode'] == 'text':
                    continue
                key, before = (
                    cells[content[name].removeprefix('Data!')] for name in ('keyValue', 'baseline')
                )
                for formula, offset in ((key, {0}), (before, {-1})):
                    for number in re.findall(r'PIVOT.VALUE\((\d+)', formula):
                        self.assertEqual(offsets[number], offset, formula)
                shown = re.sub(r'VALUE\(\d+', '', key).removeprefix('=IFERROR(')
                self.assertIn(shown.removesuffix(',"–")'), re.sub(r'VALUE\(\d+', '', before))

    def test_three_pages_are_for_everybody_and_say_nothing_of_statistics(self):
        clerk = self._create_user('clerk_of_figures', 'sale_return.group_user')
        mine = self._env_of(clerk)['spreadsheet.dashboard'].search([])
        mine &= self._get_dashboards().with_env(mine.env)
        names = ('overview', 'why', 'money')
        expected = [self.env.ref(f'sale_return.spreadsheet_dashboard_{name}') for name in names]
        self.assertEqual(sorted(mine.ids), sorted(board.id for board in expected))
        for board in mine:
            for word in ("P90", "ppm", "ouchless", "Without a touch"):
                self.assertFalse(word in board.spreadsheet_data, word)

    def test_only_roles_in_returns_see_them(self):
        seller = self._create_user('seller', 'sales_team.group_sale_salesman')
        dashboards = self._env_of(seller)['spreadsheet.dashboard'].search([])
        self.assertFalse(dashboards & self._get_dashboards().with_env(dashboards.env))


@tagged('post_install', '-at_install')
class TestAnalyticsOpenData(SaleReturnCommon, PatientHttpCase):
    """The analysis by JSON-2 and as a file."""

    def _post(self, method, **arguments):
        # sudo: users create keys in their preferences.
        key = (
            self.env['res.users.apikeys']
            .with_user(self.staff)
            .sudo()
            ._generate('rpc', "Analysis", fields.Datetime.now() + timedelta(days=1))
        )
        model, name = method
        return self.url_open(
            f'/json/2/{model}/{name}',
            data=json.dumps(arguments),
            headers={
                'Authorization': f'bearer {key}',
                'Content-Type': 'application/json',
                'X-Odoo-Database': self.env.cr.dbname,
            },
        )

    def test_json_2_reads_rows_groups_and_metrics(self):
        self._return_goods(self._create_sale(), 4)
        self.env.flush_all()
        domain = [['company_id', '=', self.company.id]]
        rows = self._post(
            ('sale.return.report', 'search_read'),
            domain=[*domain, ['kind', '=', 'returned']],
            fields=['product_id', 'qty_returned', 'amount_credited'],
        ).json()
        self.assertEqual([row['qty_returned'] for row in rows], [4])
        groups = self._post(
            ('sale.return.report', 'formatted_read_group'),
            domain=domain,
            groupby=['product_id'],
            aggregates=['rate_units:avg'],
        ).json()
        self.assertEqual([group['rate_units:avg'] for group in groups], [0.4])
        cohorts = self._post(('sale.return.metric', 'get_cohort_rates'), domain=domain).json()
        self.assertEqual([cohort['rate'] for cohort in cohorts], [0.4])

    def test_the_list_is_exported_as_csv(self):
        self.staff.sudo().group_ids = [Command.link(self.env.ref('base.group_allow_export').id)]
        self._return_goods(self._create_sale(), 4)
        self.env.flush_all()
        rows = self.env['sale.return.report'].search(
            [('company_id', '=', self.company.id), ('kind', '=', 'returned')]
        )
        data = rows.export_data(['kind', 'product_id', 'qty_returned', 'value_returned'])['datas']
        buffer = io.StringIO()
        csv.writer(buffer).writerows(data)
        self.assertEqual(buffer.getvalue().strip(), "Returned,Lamp,4.0,400.0")
