from contextlib import ExitStack

from psycopg2.errors import LockNotAvailable, SerializationFailure

from odoo import SUPERUSER_ID, api
from odoo.tests import TransactionCase, tagged
from odoo.tools import mute_logger


@tagged('post_install', '-at_install')
class TestExchangeConcurrency(TransactionCase):
    """Two customers want the last unit at the same time: exactly one holds it.

    Two real transactions are needed, so this works on goods that are already in the database. They
    are rolled back.
    """

    def _open_environment(self, stack):
        cr = stack.enter_context(self.registry.cursor())
        stack.callback(cr.rollback)
        return api.Environment(cr, SUPERUSER_ID, {})

    def _lock(self, env, product, warehouse):
        """Lock the goods as a request does before it holds them."""
        order = env['sale.order'].new({'warehouse_id': warehouse.id})
        line = env['sale.return.line'].new({'exchange_product_id': product.id})
        line.exchange_order_id = order
        env['sale.return.hold']._lock_stock(line)

    def test_the_second_waits_and_starts_again(self):
        """While the first is under way the second waits; after it, it starts again."""
        quant = self.env['stock.quant'].search(
            [('location_id.usage', '=', 'internal'), ('location_id.warehouse_id', '!=', False)],
            limit=1,
        )
        if not quant:
            self.skipTest("Nothing is in stock in this database")
        product, warehouse = quant.product_id, quant.location_id.warehouse_id
        with ExitStack() as stack:
            first, second, third = (self._open_environment(stack) for _session in range(3))
            # All have looked.
            for env in (second, third):
                env['stock.quant'].search_count([('product_id', '=', product.id)])
            self._lock(first, product, warehouse)
            second.cr.execute("SET LOCAL lock_timeout = '100ms'")
            with mute_logger('odoo.sql_db'), self.assertRaises(LockNotAvailable):
                self._lock(second, product, warehouse)
            # The rows have the same values, but were written.
            first.cr.commit()
            with mute_logger('odoo.sql_db'), self.assertRaises(SerializationFailure):
                self._lock(third, product, warehouse)
