"""Years of trade as plain rows, for a database on which installing the add-on is then timed.

One order goes Odoo's own way: five lines, delivered in three steps and invoiced in three parts; one
line is returned with Odoo's wizard and credited with Odoo's reversal. SQL then copies its rows.
Run by `dev/lifecycle install` on a database without the add-on, as a superuser of PostgreSQL.
"""

import time

from odoo.fields import Command
from odoo.tools import SQL

LINES_PER_ORDER = 5

# The tables that are copied, each with its references to rows that are copied, too.
REFERENCES = {
    'sale_order': {},
    'sale_order_line': {'order_id': 'sale_order'},
    'stock_picking': {'sale_id': 'sale_order', 'return_id': 'stock_picking'},
    'stock_move': {
        'picking_id': 'stock_picking',
        'sale_line_id': 'sale_order_line',
        'origin_returned_move_id': 'stock_move',
    },
    'account_move': {'reversed_entry_id': 'account_move'},
    'account_move_line': {'move_id': 'account_move'},
    'sale_order_line_invoice_rel': {
        'order_line_id': 'sale_order_line',
        'invoice_line_id': 'account_move_line',
    },
}
# They must differ from row to row.
UNIQUE_NAMES = ('stock_picking', 'account_move')


def run(env, order_lines='1050000'):
    """Fill the database.

    :param str order_lines: how many lines of orders there shall be; three times as many moves and
        five times as many journal items come with them.
    :return: whether the rows are there.
    :rtype: bool
    """
    ids = trade(env)
    env.flush_all()
    begin = time.monotonic()
    copy_rows(env.cr, ids, copies=int(order_lines) // LINES_PER_ORDER)
    env.cr.commit()
    for table in REFERENCES:
        env.cr.execute(SQL("SELECT COUNT(*) FROM %s", SQL.identifier(table)))
        print(f"{table:30}{env.cr.fetchone()[0]:>12,}")
    print(f"generated in {time.monotonic() - begin:.0f} s")
    return True


# --- one order, Odoo's way -----------------------------------------------------------------------


def trade(env):
    """Sell, deliver, invoice, take back and credit.

    :return: `{table: ids of the rows}`.
    :rtype: dict
    """
    env.user.group_ids |= env.ref('stock.group_adv_location')
    warehouse = env['stock.warehouse'].create(
        {'name': "Install Benchmark", 'code': 'IB', 'delivery_steps': 'pick_pack_ship'}
    )
    order = create_order(env, warehouse)
    order.action_confirm()
    while pickings := order.picking_ids.filtered(lambda p: p.state not in ('done', 'cancel')):
        pickings.action_assign()
        ready = pickings.filtered(lambda p: p.state == 'assigned')
        ready.move_ids.picked = True
        ready.with_context(skip_sms=True, skip_backorder=True).button_validate()
    take_back(order.order_line[0])
    invoices = [invoice_one_of_each(order) for _part in range(3)]
    moves = env['account.move'].union(*invoices, credit(invoices[0]))
    return {
        'sale_order': order.ids,
        'sale_order_line': order.order_line.ids,
        'stock_picking': order.picking_ids.ids,
        'stock_move': order.picking_ids.move_ids.ids,
        'account_move': moves.ids,
        'account_move_line': moves.line_ids.ids,
        'sale_order_line_invoice_rel': order.order_line.ids,
    }


def create_order(env, warehouse):
    products = env['product.product'].create(
        [
            {
                'name': f"Install Benchmark {number}",
                'type': 'consu',
                'is_storable': True,
                'invoice_policy': 'order',
                'list_price': 10,
            }
            for number in range(LINES_PER_ORDER)
        ]
    )
    for product in products:
        env['stock.quant']._update_available_quantity(product, warehouse.lot_stock_id, 1000)
    return env['sale.order'].create(
        {
            'partner_id': env.ref('base.res_partner_2').id,
            'warehouse_id': warehouse.id,
            'order_line': [
                Command.create({'product_id': product.id, 'product_uom_qty': 3})
                for product in products
            ],
        }
    )


def take_back(order_line):
    delivery = order_line.order_id.picking_ids.filtered(lambda p: p.picking_type_code == 'outgoing')
    wizard = (
        delivery.env['stock.return.picking']
        .with_context(active_id=delivery.id, active_ids=delivery.ids, active_model=delivery._name)
        .create({})
    )
    wizard.product_return_moves.filtered(
        lambda line: line.product_id == order_line.product_id
    ).quantity = 1
    receipt = delivery.browse(wizard.action_create_returns()['res_id'])
    receipt.move_ids.picked = True
    receipt.with_context(skip_sms=True, skip_backorder=True).button_validate()


def invoice_one_of_each(order):
    invoice = order._create_invoices()
    invoice.invoice_line_ids.quantity = 1
    invoice.action_post()
    return invoice


def credit(invoice):
    wizard = (
        invoice.env['account.move.reversal']
        .with_context(active_model=invoice._name, active_ids=invoice.ids)
        .create({'journal_id': invoice.journal_id.id})
    )
    note = invoice.browse(wizard.refund_moves()['res_id'])
    note.invoice_line_ids[1:].unlink()
    note.action_post()
    return note


# --- and many more -------------------------------------------------------------------------------


def copy_rows(cr, ids, copies):
    """Copy rows of all tables; copy n of row i gets the id `i + n * stride of the table`.

    :param dict ids: `{table: ids of the rows}`.
    :param int copies: how many.
    """
    # Foreign keys are not checked: they are correct by construction, and a million checks are slow.
    cr.execute("SET session_replication_role = replica")
    strides = {}
    for table, references in REFERENCES.items():
        columns = get_columns(cr, table)
        if 'id' in columns:
            cr.execute(SQL("SELECT MAX(id) FROM %s", SQL.identifier(table)))
            strides[table] = cr.fetchone()[0] - min(ids[table]) + 1
        cr.execute(
            SQL(
                "INSERT INTO %s (%s) SELECT %s"
                " FROM generate_series(1, %s) AS n, %s AS t WHERE t.%s IN %s",
                SQL.identifier(table),
                SQL(", ").join(SQL.identifier(column) for column in columns),
                SQL(", ").join(
                    get_expression(table, column, references.get(column), strides)
                    for column in columns
                ),
                copies,
                SQL.identifier(table),
                SQL.identifier('id' if 'id' in columns else 'order_line_id'),
                tuple(ids[table]),
            )
        )
        if 'id' in columns:
            cr.execute(
                SQL(
                    "SELECT setval(%s, (SELECT MAX(id) FROM %s))",
                    f'{table}_id_seq',
                    SQL.identifier(table),
                )
            )
    cr.execute("SET session_replication_role = DEFAULT")
    for table in REFERENCES:
        cr.execute(SQL("ANALYZE %s", SQL.identifier(table)))


def get_columns(cr, table):
    cr.execute("SELECT column_name FROM information_schema.columns WHERE table_name = %s", [table])
    return [name for (name,) in cr.fetchall()]


def get_expression(table, column, target, strides):
    """Return the value of a column of a copy."""
    identifier = SQL.identifier('t', column)
    if column == 'id' or target:
        return SQL("%s + n * %s", identifier, strides[target or table])
    if column == 'name' and table in UNIQUE_NAMES:
        return SQL("%s || '/' || n", identifier)
    return identifier
