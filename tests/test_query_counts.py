from odoo.tests import TransactionCase, tagged

from ..benchmarks.ways import PHASES, Ours, Shop

LINES = 5
SMALL, LARGE = 3, 10
# Queries of a batch of ten returns of five lines, each step a request of its own. A few are the
# same for any batch (rights, settings, sequences, what Odoo reads once); most belong to Odoo's
# documents, of which a return makes as few as can be: a receipt, a transfer, a credit note.
BUDGETS = {
    # What was bought, shipped and invoiced (15), the policy (8), the returns and their lines (6),
    # the counter, the hold, verdicts and log (10), customers and followers (10).
    'request': 0,
    # One receipt per return: transfer, moves, reservation (stock, 8 per receipt), its slip is left
    # to a job (1 per batch).
    'approve': 0,
    # Odoo's validation: quants (1 per product), values, history (8 per receipt).
    'receive': 0,
    # One transfer per return, reserved and done like any other (20 per transfer), rows and log.
    'inspect': 0,
    # One note per invoice: entry, lines, taxes, number, posting, matching (25 per note), the
    # counter, and what is left of the invoices once before and once after (10).
    'credit': 0,
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
