"""Installation steps that data files cannot express."""

from odoo.tools import SQL

# Stored fields on Odoo's big tables, which the ORM would compute record by record for a new column.
# If the column already exists, they are only computed when something changes. The default is the
# value of nearly all rows; PostgreSQL stores it once, not in each row.
BIG_TABLE_COLUMNS = [
    ('sale_order_line', 'qty_returned', "numeric DEFAULT 0"),
    ('sale_order', 'return_status', "varchar DEFAULT 'no'"),
    # There are no returns yet.
    ('stock_picking', 'sale_return_id', "int4"),
]


def pre_init_hook(env):
    """Create the stored fields of Odoo's big tables, and fill them from earlier returns."""
    for table, column, definition in BIG_TABLE_COLUMNS:
        env.cr.execute(
            SQL(
                "ALTER TABLE %s ADD COLUMN IF NOT EXISTS %s %s",
                SQL.identifier(table),
                SQL.identifier(column),
                SQL(definition),
            )
        )
        # From now on Odoo sets the values.
        env.cr.execute(
            SQL(
                "ALTER TABLE %s ALTER COLUMN %s DROP DEFAULT",
                SQL.identifier(table),
                SQL.identifier(column),
            )
        )
    _fill_qty_returned(env)
    _fill_return_status(env)


def post_init_hook(env):
    """Give every existing warehouse its returns operation type and its quarantine."""
    warehouses = env['stock.warehouse'].with_context(active_test=False).search([])
    warehouses._create_sale_return_setup()


def uninstall_hook(env):
    """Give the delivery types their return type back, and release the add-on's tables.

    Quarantines, their operation types and their contents stay: they are stock like any other.
    """
    warehouses = env['stock.warehouse'].with_context(active_test=False).search([])
    warehouses.sale_return_quarantine = False
    _drop_activities(env)
    _keep_demo_trade(env)
    _drop_foreign_keys(env)
    env['sale.return.event']._drop_guard()


def _drop_activities(env):
    """Delete activities of our types, including done ones: they belong to our documents."""
    names = env['ir.model.data'].search(
        [('module', '=', 'sale_return'), ('model', '=', 'mail.activity.type')]
    )
    activities = env['mail.activity'].with_context(active_test=False)
    activities.search([('activity_type_id', 'in', names.mapped('res_id'))]).unlink()


def _keep_demo_trade(env):
    """Detach the demo products and orders, as their deliveries and invoices stay."""
    data = env['ir.model.data'].search(
        [('module', '=', 'sale_return'), ('name', '=like', '%\\_demo%')]
    )
    data.filtered(lambda record: not _is_ours(env[record.model])).unlink()


def _drop_foreign_keys(env):
    """Drop the foreign keys to the tables of the add-on.

    Odoo deletes the data of an add-on before its tables, here reasons and policies of returns.
    PostgreSQL refuses that while returns refer to them, which Odoo survives but logs as errors.
    """
    env.flush_all()
    env.cr.execute(
        """
        SELECT conrelid::regclass::text, conname
          FROM pg_constraint
         WHERE contype = 'f' AND confrelid::regclass::text = ANY(%s)
        """,
        [[model._table for model in env.registry.values() if _is_ours(model)]],
    )
    for table, name in env.cr.fetchall():
        env.cr.execute(
            SQL(
                "ALTER TABLE %s DROP CONSTRAINT %s",
                SQL.identifier(table),
                SQL.identifier(name),
            )
        )


def _is_ours(model):
    """Tell whether the add-on defines a model, rather than only extending it."""
    return model._original_module == 'sale_return' and not model._abstract


def _fill_qty_returned(env):
    """Fill `sale.order.line.qty_returned` as `_compute_qty_returned` does.

    Rows without returned goods are skipped: the column is created with their value.
    """
    env.cr.execute(
        SQL(
            """
            WITH customer_location AS (%(customer_locations)s),
            returned AS (
                SELECT line.id,
                       SUM(
                           CASE WHEN move.product_uom = line.product_uom_id THEN move.quantity
                                ELSE move.quantity * move_uom.factor / COALESCE(line_uom.factor, 1)
                           END
                       ) AS quantity
                  FROM stock_move AS move
                  JOIN sale_order_line AS line
                    ON line.id = move.sale_line_id AND line.product_id = move.product_id
                  JOIN uom_uom AS move_uom ON move_uom.id = move.product_uom
             LEFT JOIN uom_uom AS line_uom ON line_uom.id = line.product_uom_id
                  JOIN stock_location AS source ON source.id = move.location_id
                  JOIN stock_location AS destination ON destination.id = move.location_dest_id
                 WHERE move.state = 'done'
                   AND move.quantity != 0
                   AND move.location_id IN (SELECT id FROM customer_location)
                   AND (
                       move.location_dest_id NOT IN (SELECT id FROM customer_location)
                       -- What another company of ours has drop-shipped goes back to it.
                       OR (source.usage = 'customer' AND destination.usage != 'customer')
                   )
              GROUP BY line.id
            )
            UPDATE sale_order_line AS line
               SET qty_returned = returned.quantity
              FROM returned
             WHERE returned.id = line.id
            """,
            customer_locations=_get_customer_locations(env),
        )
    )


def _get_customer_locations(env):
    """Return the query of the locations that are `stock.location._is_outgoing`.

    :return: customers' locations, and those below the transit between companies.
    :rtype: odoo.tools.SQL
    """
    transit = env.ref('stock.stock_location_inter_company', raise_if_not_found=False)
    path = transit and transit.parent_path
    return SQL(
        "SELECT id FROM stock_location WHERE usage = 'customer' OR parent_path LIKE %s",
        f'{path}%' if path else '',
    )


def _fill_return_status(env):
    """Fill `sale.order.return_status` as `_compute_return_status` does without open returns.

    Orders without returned goods are skipped: the column is created with their value.
    """
    env.cr.execute(
        """
        UPDATE sale_order
           SET return_status = CASE
               WHEN EXISTS (
                    SELECT 1
                      FROM sale_order_line AS line
                     WHERE line.order_id = sale_order.id AND line.qty_delivered > 0
               ) THEN 'partial'
               ELSE 'full'
               END
         WHERE id IN (
               SELECT order_id
                 FROM sale_order_line
                WHERE qty_returned > 0 AND product_uom_qty >= 0
         )
        """
    )
