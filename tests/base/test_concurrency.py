from contextlib import ExitStack

from psycopg2.errors import LockNotAvailable

from odoo import SUPERUSER_ID, api
from odoo.tests import TransactionCase, tagged
from odoo.tools import SQL, mute_logger


@tagged('post_install', '-at_install')
class TestConcurrency(TransactionCase):
    """Two people at once: the second transaction waits, then sees the first one's changes.

    Two real transactions are needed, so this works on existing rows of the database. They are
    rolled back.
    """

    def _assert_second_waits(self, model, take):
        """Assert that `take(record)` in one transaction waits for the same in another one."""
        record = self.env[model].search([], limit=1)
        if not record:
            self.skipTest(f"There is no {model} in this database")
        with ExitStack() as stack:
            first, second = (self._open_environment(stack) for _session in range(2))
            take(first[model].browse(record.id))
            second.cr.execute("SET LOCAL lock_timeout = '100ms'")
            with mute_logger('odoo.sql_db'), self.assertRaises(LockNotAvailable):
                take(second[model].browse(record.id))

    def _open_environment(self, stack):
        cr = stack.enter_context(self.registry.cursor())
        stack.callback(cr.rollback)
        return api.Environment(cr, SUPERUSER_ID, {})

    def test_second_return_of_an_order_line_waits_for_the_first(self):
        self._assert_second_waits('sale.order.line', lambda line: line._take_return_counter())

    def test_second_credit_of_an_invoice_line_waits_for_the_first(self):
        self._assert_second_waits(
            'account.move.line',
            lambda line: line.env['sale.return.credit']._take_credit_counter(line),
        )

    def test_second_inspection_of_a_line_waits_for_the_first(self):
        domain = [('qty_to_inspect', '>', 0), ('product_id.tracking', '=', 'none')]
        line = self.env['sale.return.line'].search(domain, limit=1)
        if not line:
            self.skipTest("Nothing waits for inspection in this database")

        def inspect(env):
            result = {
                'quantity': line.qty_to_inspect,
                'disposition': 'restock',
                'grade': 'A',
                'note': "Two at once.",
            }
            lines = env['sale.return.line'].browse(line.id)
            env['sale.return.disposal']._register_results(lines, [result])
            env.flush_all()

        with ExitStack() as stack:
            first, second = (self._open_environment(stack) for _session in range(2))
            inspect(first)
            second.cr.execute("SET LOCAL lock_timeout = '100ms'")
            with mute_logger('odoo.sql_db'), self.assertRaises(LockNotAvailable):
                inspect(second)

    def test_second_return_of_a_customer_waits_where_returns_count_together(self):
        """Two returns, each below a level of approval, and together above it."""
        with ExitStack() as stack:
            first, second = (self._open_environment(stack) for _session in range(2))
            lines = second['sale.order.line'].search([('qty_delivered', '>', 0)], limit=50)
            line = lines.filtered(lambda line: line.qty_returnable >= 1)[:1]
            if not line:
                self.skipTest("Nothing can be returned in this database")
            policy = second.ref('sale_return.policy_standard')
            level = {'name': "Above", 'amount_from': 100.0, 'approver_type': 'group'}
            level['group_id'] = second.ref('sale_return.group_approver').id
            policy.write({'approval': 'levels', 'level_ids': [(0, 0, level)]})
            sale_return = second['sale.return'].create(
                {
                    'partner_id': line.order_partner_id.id,
                    'line_ids': [
                        {
                            'sale_line_id': line.id,
                            'qty_requested': 1,
                            'reason_id': second.ref('sale_return.reason_defective').id,
                        }
                    ],
                }
            )
            self.assertEqual(sale_return.line_ids.policy_id, policy)
            customer = first['res.partner'].browse(line.order_partner_id.id)
            first['sale.return.guard']._take_customers(customer)
            second.cr.execute("SET LOCAL lock_timeout = '100ms'")
            with mute_logger('odoo.sql_db'), self.assertRaises(LockNotAvailable):
                sale_return.action_submit()

    # === ROWS THAT REFER TO A COUNTER === #

    def _hold_reference(self, cr, record):
        """Lock a row as PostgreSQL does for each new row that refers to it."""
        cr.execute(
            SQL(
                "SELECT 1 FROM %s WHERE id = %s FOR KEY SHARE",
                SQL.identifier(record._table),
                record.id,
            )
        )

    def test_no_counter_waits_for_a_new_row_that_refers_to_its_record(self):
        counters = [
            (name, field_name)
            for name in ('sale.order.line', 'account.move.line', 'account.move', 'res.partner')
            for field_name in self.env[name]._fields
            if field_name.startswith('sale_return_') and field_name.endswith('guard')
        ]
        self.assertGreaterEqual(len(counters), 4)
        for name, field_name in counters:
            with self.subTest(model=name, counter=field_name), ExitStack() as stack:
                first, second = (self._open_environment(stack) for _session in range(2))
                record = self.env[name].search([], limit=1)
                self.assertTrue(record)
                self._hold_reference(first.cr, record)
                second.cr.execute("SET LOCAL lock_timeout = '100ms'")
                with mute_logger('odoo.sql_db'):
                    second['sale.return.guard']._take_counter(
                        second[name].browse(record.id), field_name
                    )
