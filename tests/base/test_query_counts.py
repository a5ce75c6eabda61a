import re
from contextlib import contextmanager
from unittest.mock import patch

from odoo.sql_db import Cursor
from odoo.tests import TransactionCase, tagged
from odoo.tools import SQL

from ...benchmarks.shop import deliver, invoice
from ...benchmarks.ways import PHASES, Ours, Shop

LINES = 5
SMALL, LARGE = 3, 10
# Queries of a batch of ten returns of five lines, each step as a separate request, with all
# optional modules. Only Odoo's part grows with the batch: a receipt, a transfer and a note per
# return. The add-on's part is the same for one return and for many, except for the number of each
# return.
BUDGETS = {
    # Per return: its number (2). Per batch 61: what was sold, shipped and invoiced, policy, rules,
    # customers and followers, the returns and their lines, hold and log. Deadlines of the default
    # team take 8 more per batch: the team and its steps (2), the calendar, its attendances and
    # leaves (5), the deadlines (1).
    'request': 93,
    # Per return: details of moves and the places they may go (10 + 5), reordering rules (6),
    # names of products (3), the number of the receipt (1). Per batch 85, and 11 for deadlines.
    'approve': 416,
    # Per return: stock by location (12), locations (5), costs (5), incoming stock (4), details (1),
    # analytic lines (1). Per batch 90, and 12 for deadlines.
    'receive': 437,
    # Per return: stock by location, eight times a line (40), details (5), products (10). Per batch
    # 90: results, dispositions, checklists, rules, log, and the job that credits; and 12 for
    # deadlines.
    'inspect': 677,
    # Per note: matching with its invoice (11), journal items (5), costs of goods (10), payments
    # (5), the entry (3), taxes and their tags (4), messages (6). Per batch 120: what is left of the
    # invoices before and after, the counter, the entries and their lines, orders, returns, log.
    'credit': 585,
}
# Queries of an order, its delivery and its invoice about returns where there are none, however many
# lines they have: 200, 86 and 110 queries are Odoo's own, of five lines.
ORDINARY = {
    'order': 0,
    # Recomputing fields of the returns of its order lines.
    'delivery': 1,
    # The same, and whether a return is waiting for a credit of the invoice.
    'invoice': 2,
}


@tagged('post_install', '-at_install')
class TestQueryCounts(TransactionCase):
    """Returns in batches take few queries, and not more per line the bigger the batch is."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env['ir.config_parameter'].sudo().set_param('sale_return.sync_limit', '0')
        # The default team sets deadlines, as wherever the add-on is newly installed.
        teams = cls.env['sale.return.team']
        teams.search([]).active = False
        teams._create_default(cls.env.company)
        shop = Shop(cls.env, LINES)
        # Fill Odoo's caches before counting.
        cls._count(Ours(cls.env, shop.sell(1), None))
        cls.small = cls._count(Ours(cls.env, shop.sell(SMALL), None))
        cls.large = cls._count(Ours(cls.env, shop.sell(LARGE), None))

    @classmethod
    def _count(cls, way):
        """Return `{step: queries}` of a batch of returns through all steps."""
        counts = {}
        for step in PHASES:
            cls.env.flush_all()
            cls.env.invalidate_all()
            before = cls.env.cr.sql_log_count
            getattr(way, step)()
            cls.env.flush_all()
            counts[step] = cls.env.cr.sql_log_count - before
        way.check()
        return counts

    def test_ten_returns_stay_within_the_budget_of_each_step(self):
        over = {
            step: f"{self.large[step]} queries, budget {budget}"
            for step, budget in BUDGETS.items()
            if self.large[step] > budget
        }
        self.assertFalse(over)

    def test_the_whole_way_takes_at_most_45_queries_per_line(self):
        self.assertLessEqual(sum(self.large.values()) / (LARGE * LINES), 45)

    def test_bigger_batches_take_no_more_queries_per_line(self):
        for step in PHASES:
            with self.subTest(step=step):
                self.assertLessEqual(self.large[step] / LARGE, self.small[step] / SMALL)

    def test_documents_without_returns_ask_little_of_returns(self):
        shop = Shop(self.env, LINES)
        asked = {}
        for _time in range(2):
            # The first run fills Odoo's caches.
            shop.stock_up(1)
            with self._list_queries_of_returns(asked, 'order'):
                orders = shop.create_orders(1)
                orders.action_confirm()
            with self._list_queries_of_returns(asked, 'delivery'):
                deliver(orders)
            with self._list_queries_of_returns(asked, 'invoice'):
                invoice(orders)
        over = {step: queries for step, queries in asked.items() if len(queries) > ORDINARY[step]}
        self.assertFalse(over)

    def test_documents_without_returns_cost_one_percent_with_all_parts_off(self):
        settings = self.env['res.config.settings']
        for name, field in settings._fields.items():
            if name.startswith('group_sale_return_'):
                for group in field.group.split(','):
                    self.env.ref(group)._remove_group(self.env.ref(field.implied_group))
        shop = Shop(self.env, LINES)
        for _time in range(2):
            # The first run fills Odoo's caches.
            shop.stock_up(1)
            asked = {}
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            with self._list_queries_of_returns(asked, 'all'):
                orders = shop.create_orders(1)
                orders.action_confirm()
                deliver(orders)
                invoice(orders)
            total = self.env.cr.sql_log_count - before
        self.assertLessEqual(len(asked['all']) / (total - len(asked['all'])), 0.01, asked)

    def test_goods_for_a_customer_are_not_looked_for_in_quarantine(self):
        shop = Shop(self.env, LINES)
        shop.stock_up(1)
        orders = shop.create_orders(1)
        orders.action_confirm()
        move = deliver(orders).move_ids[:1]
        self.env.flush_all()
        self.env.invalidate_all()
        # The cache contains what Odoo itself reads.
        self.assertFalse(move.is_inventory or move.move_dest_ids)
        self.assertEqual(move.location_dest_id.usage, 'customer')
        with self.assertQueryCount(0):
            self.assertFalse(move._skip_push())

    @contextmanager
    def _list_queries_of_returns(self, asked, step):
        """List the queries that read or write tables of this add-on, in a separate request."""
        queries = asked[step] = []
        execute = Cursor.execute

        def note(cr, query, *args, **kwargs):
            code = query.code if isinstance(query, SQL) else query
            if re.search(r'\b(FROM|JOIN|INTO|UPDATE) "?sale_return', code):
                queries.append(code)
            return execute(cr, query, *args, **kwargs)

        self.env.flush_all()
        self.env.invalidate_all()
        with patch.object(Cursor, 'execute', note):
            yield
            self.env.flush_all()
