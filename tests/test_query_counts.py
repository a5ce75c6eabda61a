from odoo.tests import TransactionCase, tagged

from ..benchmarks.ways import PHASES, Ours, Shop

LINES = 5
SMALL, LARGE = 3, 10
# Queries of a batch of ten returns of five lines, each step a request of its own, with all optional
# modules. What grows with the batch is Odoo's: a receipt, a transfer and a note per return. All
# that the add-on does is the same for one return and for many, but for the number of each return.
BUDGETS = {
    # Per return: its number (2). Per batch 60: what was sold, shipped and invoiced, policy, rules,
    # customers and followers, the returns and their lines, hold and log.
    'request': 84,
    # Per return: details of moves and the places they may go (10 + 5), reordering rules (6),
    # names of products (3), the number of the receipt (1). Per batch 85.
    'approve': 405,
    # Per return: what lies where (12), places (5), costs (5), what comes to lie there (4), details
    # (1), analytic lines (1). Per batch 90.
    'receive': 425,
    # Per return: what lies where, eight times a line (40), details (5), products (10). Per batch
    # 90: results, dispositions, checklists, rules, log, and the job that credits.
    'inspect': 665,
    # Per note: matching with its invoice (11), journal items (5), costs of goods (10), payments
    # (5), the entry (3), taxes and their tags (4), messages (6). Per batch 120: what is left of the
    # invoices before and after, the counter, the entries and their lines, orders, returns, log.
    'credit': 585,
}


@tagged('post_install', '-at_install')
class TestQueryCounts(TransactionCase):
    """Returns in batches take few queries, and not more per line the bigger the batch is."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env['ir.config_parameter'].sudo().set_param('sale_return.sync_limit', '0')
        shop = Shop(cls.env, LINES)
        # Whatever Odoo caches once is cached before it counts.
        cls._count(Ours(cls.env, shop.sell(1), None))
        cls.small = cls._count(Ours(cls.env, shop.sell(SMALL), None))
        cls.large = cls._count(Ours(cls.env, shop.sell(LARGE), None))

    @classmethod
    def _count(cls, way):
        """Return `{step: queries}` of a batch of returns that goes the whole way."""
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
