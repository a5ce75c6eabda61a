"""Years of trade and returns for the shift at the desk: one example copied by SQL."""

from odoo.tools import SQL

# The tables that are copied, each with its references to rows that are copied, too.
REFERENCES = {
    'res_partner': {'commercial_partner_id': 'res_partner'},
    'sale_order': {
        'partner_id': 'res_partner',
        'partner_invoice_id': 'res_partner',
        'partner_shipping_id': 'res_partner',
    },
    'sale_order_line': {'order_id': 'sale_order', 'order_partner_id': 'res_partner'},
    'stock_lot': {},
    'sale_return': {'partner_id': 'res_partner'},
    'sale_return_line': {
        'return_id': 'sale_return',
        'sale_line_id': 'sale_order_line',
        'order_id': 'sale_order',
        'partner_id': 'res_partner',
    },
    'sale_return_inspection': {
        'line_id': 'sale_return_line',
        'return_id': 'sale_return',
        'lot_id': 'stock_lot',
    },
    'stock_picking': {
        'sale_id': 'sale_order',
        'sale_return_id': 'sale_return',
        'partner_id': 'res_partner',
        'return_id': 'stock_picking',
    },
    'stock_move': {
        'picking_id': 'stock_picking',
        'sale_line_id': 'sale_order_line',
        'sale_return_line_id': 'sale_return_line',
        'sale_return_inspection_id': 'sale_return_inspection',
        'origin_returned_move_id': 'stock_move',
        'partner_id': 'res_partner',
    },
    'stock_move_line': {
        'move_id': 'stock_move',
        'picking_id': 'stock_picking',
        'lot_id': 'stock_lot',
    },
}
# Values that the bench searches are different in each copy.
VALUES = {
    ('res_partner', 'name'): "{names}",
    ('res_partner', 'complete_name'): "{names}",
    ('res_partner', 'phone'): "'+32 4' || LPAD((n::bigint * 7919 % 100000000)::text, 8, '0')",
    ('sale_order', 'name'): "'HS' || LPAD((n)::text, 7, '0')",
    ('sale_order', 'client_order_ref'): "'HPO' || n",
    ('stock_lot', 'name'): "'HSN' || n || '-' || t.id",
    ('sale_return', 'name'): "'RMA/2019/' || LPAD(n::text, 7, '0')",
    ('sale_return', 'tracking_ref'): "'HT' || LPAD(n::text, 12, '0')",
    ('stock_picking', 'name'): "t.name || '/' || n",
}
NAMES = (
    "(ARRAY['Ana','Ben','Chloe','David','Emma','Farid','Greta','Hugo','Ines','Jan'])[n % 10 + 1]"
    " || ' ' || "
    "(ARRAY['Adams','Bakker','Costa','Dubois','Evans','Fischer','Garcia','Hansen','Ito'])"
    "[n % 9 + 1]"
    " || ' ' || n"
)
LINES_PER_ORDER = 5


def load(env, shop, lines):
    """Copy one finished sale and its return until there are this many order lines.

    :param shop: the `shift.Shop`, whose products are sold.
    """
    ids = trade(env, shop)
    env.flush_all()
    copy_rows(env.cr, ids, copies=lines // LINES_PER_ORDER)
    env.invalidate_all()


def trade(env, shop):
    """Sell, deliver, take back, inspect; return `{table: ids}` of the results."""
    from odoo.addons.sale_return.benchmarks import shop as odoo_shop

    partner = env['res.partner'].create({'name': "History", 'phone': "+32 4"})
    lot = env['stock.lot'].create({'name': 'HISTORY', 'product_id': shop.tracked.id})
    products = [*shop.products[: LINES_PER_ORDER - 1], shop.tracked]
    order = env['sale.order'].create(
        {
            'partner_id': partner.id,
            'order_line': [
                (0, 0, {'product_id': product.id, 'price_unit': 10.0, 'tax_ids': [(5,)]})
                for product in products
            ],
        }
    )
    order.action_confirm()
    location = order.warehouse_id.lot_stock_id
    env['stock.quant']._update_available_quantity(shop.tracked, location, 1, lot_id=lot)
    odoo_shop.put_in_stock(location, dict.fromkeys(products[:-1], 1))
    order.picking_ids.action_assign()
    tracked = order.picking_ids.move_ids.filtered(lambda m: m.product_id == shop.tracked)
    tracked.move_line_ids.lot_id = lot
    odoo_shop.validate(order.picking_ids)
    sale_return = env['sale.return'].create(
        {
            'partner_id': partner.id,
            'tracking_ref': 'HT',
            'line_ids': [
                {
                    'sale_line_id': line.id,
                    'qty_requested': 1,
                    'reason_id': env.ref('sale_return.reason_not_stated').id,
                }
                for line in order.order_line
            ],
        }
    )
    sale_return.action_submit()
    if sale_return.state == 'submitted':
        sale_return.action_approve()
    odoo_shop.validate(sale_return.picking_ids)
    sale_return.action_inspect_all('restock')
    moves = order.order_line.move_ids | sale_return.line_ids.move_ids
    moves |= sale_return.inspection_ids.move_ids
    return {
        'res_partner': partner.ids,
        'sale_order': order.ids,
        'sale_order_line': order.order_line.ids,
        'stock_lot': lot.ids,
        'sale_return': sale_return.ids,
        'sale_return_line': sale_return.line_ids.ids,
        'sale_return_inspection': sale_return.inspection_ids.ids,
        'stock_picking': moves.picking_id.ids,
        'stock_move': moves.ids,
        'stock_move_line': moves.move_line_ids.ids,
    }


def copy_rows(cr, ids, copies):
    """Copy rows of all tables; copy n of row i gets the id `i + n * stride of the table`."""
    # Foreign keys are not checked: they are correct by construction, and a million checks are slow.
    cr.execute("SET session_replication_role = replica")
    strides = {}
    for table, references in REFERENCES.items():
        cr.execute(SQL("SELECT MAX(id) FROM %s", SQL.identifier(table)))
        strides[table] = cr.fetchone()[0] - min(ids[table]) + 1
        columns = get_columns(cr, table)
        cr.execute(
            SQL(
                "INSERT INTO %s (%s) SELECT %s"
                " FROM generate_series(1, %s) AS n, %s AS t WHERE t.id IN %s",
                SQL.identifier(table),
                SQL(", ").join(SQL.identifier(column) for column in columns),
                SQL(", ").join(
                    get_expression(table, column, references.get(column), strides)
                    for column in columns
                ),
                copies,
                SQL.identifier(table),
                tuple(ids[table]),
            )
        )
        cr.execute(
            SQL(
                "SELECT setval(%s, (SELECT MAX(id) FROM %s))",
                f'{table}_id_seq',
                SQL.identifier(table),
            )
        )
        print(f"{table:25}{cr.rowcount and copies * len(ids[table]):>12,} rows more", flush=True)
    cr.execute("SET session_replication_role = DEFAULT")
    for table in REFERENCES:
        cr.execute(SQL("ANALYZE %s", SQL.identifier(table)))


def get_columns(cr, table):
    """Return the columns of a table that are not computed by the database."""
    cr.execute(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_name = %s AND table_schema = current_schema AND is_generated = 'NEVER'",
        [table],
    )
    return [name for (name,) in cr.fetchall()]


def get_expression(table, column, target, strides):
    """Return the value of a column of a copy."""
    identifier = SQL.identifier('t', column)
    if (table, column) in VALUES:
        # Our own constants, from above.
        return SQL(VALUES[table, column].replace('{names}', NAMES).replace('%', '%%'))
    if column == 'access_token':
        return SQL("NULL")
    if column == 'id' or (target and target in strides):
        return SQL("%s + n * %s", identifier, strides[target or table])
    return identifier


def count(env):
    """Return how many rows the big tables have, `{name: text}`."""
    result = {}
    for table in ('sale_order_line', 'stock_move_line', 'sale_return_line', 'res_partner'):
        env.cr.execute(SQL("SELECT COUNT(*) FROM %s", SQL.identifier(table)))
        result[f"rows of {table}"] = f"{env.cr.fetchone()[0]:,}"
    return result
