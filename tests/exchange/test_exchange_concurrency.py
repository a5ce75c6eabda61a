from contextlib import ExitStack

from psycopg2 import OperationalError

from odoo import SUPERUSER_ID, api
from odoo.tests import TransactionCase, tagged
from odoo.tools import mute_logger


@tagged('post_install', '-at_install')
class TestExchangeConcurrency(TransactionCase):
    """Two customers want the last unit at the same time: exactly one holds it.

    Two real transactions are needed, so this works on goods that are in the database already. They
    are rolled back.
    """

    def _open_environment(self, stack):
        cr = stack.enter_context(self.registry.cursor())
        stack.callback(cr.rollback)
        return api.Environment(cr, SUPERUSER_ID, {})

    def _reserve(self, env, quant):
        """Hold all that is free of a quant, the way an exchange does."""
        quant = env['stock.quant'].browse(quant.id)
        moves = env['stock.move'].create(
            {
                'product_id': quant.product_id.id,
                'product_uom': quant.product_id.uom_id.id,
                'product_uom_qty': quant.quantity - quant.reserved_quantity,
                'location_id': quant.location_id.id,
                'location_dest_id': env.ref('stock.stock_location_customers').id,
                'company_id': quant.company_id.id,
                'procure_method': 'make_to_stock',
            }
        )
        moves._action_confirm(merge=False)
        moves._action_assign()
        env.flush_all()
        return moves.state

    def test_the_last_unit_is_held_once(self):
        quants = self.env['stock.quant'].search(
            [('location_id.usage', '=', 'internal'), ('product_id.tracking', '=', 'none')]
        )
        quant = quants.filtered(lambda quant: quant.quantity > quant.reserved_quantity)[:1]
        if not quant:
            self.skipTest("Nothing is in stock in this database")
        with ExitStack() as stack:
            first, second = (self._open_environment(stack) for _session in range(2))
            # Both have looked, and both saw it.
            second['stock.quant'].browse(quant.id).quantity  # noqa: B018
            self.assertEqual(self._reserve(first, quant), 'assigned')
            second.cr.execute("SET LOCAL lock_timeout = '100ms'")
            with mute_logger('odoo.sql_db'), self.assertRaises(OperationalError):
                self._reserve(second, quant)
                second.flush_all()
                raise AssertionError("Both have reserved the last unit.")
