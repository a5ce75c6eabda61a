"""A fixed sample of the random worlds, and a check that errors in the books are detected."""

from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.base.tests.common import BaseCommon

from ...benchmarks.worlds.books import Books
from ...benchmarks.worlds.plan import Plan
from ...benchmarks.worlds.runner import play
from ...benchmarks.worlds.shop import Shop
from ..common import SaleReturnCommon

SEEDS = (12, 13)


@tagged('post_install', '-at_install')
class TestRandomWorlds(BaseCommon):
    """After random actions the books are right. More of this: dev/worlds."""

    def test_worlds_of_the_sample_have_right_books(self):
        shop = Shop(self.env, 'KWD')
        for seed in SEEDS:
            world, failure = play(shop, Plan.draw(seed, length=14))
            with self.subTest(seed=seed, acts=world.log):
                self.assertFalse(failure)

    def test_same_seed_is_the_same_world(self):
        self.assertEqual(Plan.draw(5), Plan.draw(5))
        self.assertNotEqual(Plan.draw(5), Plan.draw(6))
        plan = Plan.draw(5)
        # An action's random choices do not change when others are left out.
        chances = [plan.without(0).chances(name).random() for name in ('act 3', 'act 4')]
        self.assertEqual(chances, [plan.chances(name).random() for name in ('act 3', 'act 4')])


@tagged('post_install', '-at_install')
class TestBooksOfWorlds(SaleReturnCommon):
    """Errors planted into the database are detected."""

    def test_planted_errors_are_seen(self):
        order = self._create_sale()
        note = self._return_goods(order, 4).credit_note_ids
        line, goods = order.order_line, note.invoice_line_ids
        due = note.line_ids.filtered(lambda item: item.display_type == 'payment_term')
        stranger = self._create_customer("Stranger")
        quant = self.env['stock.quant'].sudo()._gather(self.product, self.stock)[:1]
        books = Books(self.env.cr, self.company.id)
        self.env.flush_all()
        before = set(books.check())
        for kind, record, values in (
            ('unbalanced', goods, {'balance': 1.0}),
            ('head_and_lines', note, {'amount_total': 1.0}),
            ('receivable', note, {'amount_total': 1.0}),
            ('residuals', due, {'amount_residual': 7.0}),
            ('quants', quant, {'quantity': 7.0}),
            ('over_returned', order.picking_ids.move_line_ids[:1], {'quantity_product_uom': 1.0}),
            ('delivered', line, {'qty_delivered': 1.0}),
            ('invoiced', line, {'qty_invoiced': 1.0}),
            ('billed_again', line, {'qty_to_invoice': 4.0}),
            ('credited_twice', line, {'qty_to_invoice': -4.0}),
            ('over_credited', goods, {'quantity': 11.0}),
            ('note_above_invoice', note, {'amount_total': 10000.0}),
            ('line_above_invoice', goods, {'quantity': 11.0}),
            ('inexact', goods, {'amount_currency': 399.0}),
            ('unlike_invoice', note, {'partner_id': stranger.id}),
            ('more_than_accepted', goods, {'quantity': 5.0}),
        ):
            with self.subTest(kind=kind):
                savepoint = self.env.cr.savepoint()
                for name, value in values.items():
                    self.env.cr.execute(
                        SQL(
                            "UPDATE %s SET %s = %s WHERE id = %s",
                            SQL.identifier(record._table),
                            SQL.identifier(name),
                            value,
                            record.id,
                        )
                    )
                found = {text.split(":")[0] for text in set(books.check()) - before}
                self.assertIn(kind, found)
                savepoint.close(rollback=True)
