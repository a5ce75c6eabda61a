"""A million return lines of the past, for a database whose pages are then timed.

Orders go the whole way once: sold, delivered, invoiced, returned, inspected, credited, closed. SQL
then copies all resulting rows, shifted in time, each copy for its own customer. Run by `dev/bench
--pages` as a superuser of PostgreSQL.
"""

import time

from odoo.tools import SQL

DAYS = 1800
# Texts that must differ from row to row, and those that must not be copied.
UNIQUE = ('name', 'display_name', 'complete_name')
UNIQUE_TABLES = ('sale_return', 'sale_order', 'stock_picking', 'account_move', 'res_partner')
EMPTY = ('access_token', 'external_ref', 'inalterable_hash', 'signup_token')


def load(env, sale_return, copies):
    """Copy one return, and all that belongs to it, many times.

    :param sale_return: a closed `sale.return`.
    :param int copies: how many.
    :return: `{table: rows}` after it.
    :rtype: dict
    """
    env.flush_all()
    ids = collect(sale_return)
    cr = env.cr
    references = get_references(cr, ids)
    indexes = drop_indexes(cr, ids)
    # Foreign keys are not checked: they are correct by construction, and a million checks are slow.
    cr.execute("SET session_replication_role = replica")
    strides = {}
    for table in ids:
        if 'id' in get_columns(cr, table):
            cr.execute(SQL("SELECT MAX(id) FROM %s", SQL.identifier(table)))
            strides[table] = cr.fetchone()[0] - min(ids[table]) + 1
    for table, row_ids in ids.items():
        copy_table(cr, table, row_ids, references, strides, copies)
    cr.execute("SET session_replication_role = DEFAULT")
    for definition in indexes:
        cr.execute(definition)
    env.cr.commit()
    rows = {}
    for table in ids:
        cr.execute(SQL("ANALYZE %s", SQL.identifier(table)))
        cr.execute(SQL("SELECT COUNT(*) FROM %s", SQL.identifier(table)))
        rows[table] = cr.fetchone()[0]
    return rows


def collect(sale_return):
    """Return `{table: ids}` of a return and the documents around it; None where there is no id."""
    lines = sale_return.line_ids
    orders = lines.sale_line_id.order_id
    pickings = sale_return.picking_ids | sale_return.transfer_ids | orders.picking_ids
    moves = pickings.move_ids
    entries = orders.invoice_ids | sale_return.credit_note_ids
    payments = entries.matched_payment_ids
    entries |= payments.move_id
    partials = entries.line_ids.matched_debit_ids | entries.line_ids.matched_credit_ids
    return {
        'res_partner': sale_return.partner_id.ids,
        'sale_order': orders.ids,
        'sale_order_line': orders.order_line.ids,
        'stock_picking': pickings.ids,
        'stock_move': moves.ids,
        'stock_move_line': moves.move_line_ids.ids,
        'account_payment': payments.ids,
        'account_move': entries.ids,
        'account_move_line': entries.line_ids.ids,
        'account_partial_reconcile': partials.ids,
        'sale_order_line_invoice_rel': orders.order_line.ids,
        'sale_return': sale_return.ids,
        'sale_return_line': lines.ids,
        'sale_return_inspection': sale_return.inspection_ids.ids,
        'sale_return_event': sale_return.event_ids.ids,
    }


def get_references(cr, ids):
    """Return `{(table, column): table}` of the references between tables that are copied."""
    cr.execute(
        """
        SELECT source.relname, attribute.attname, target.relname
          FROM pg_constraint AS c
          JOIN pg_class AS source ON source.oid = c.conrelid
          JOIN pg_class AS target ON target.oid = c.confrelid
          JOIN pg_attribute AS attribute
            ON attribute.attrelid = c.conrelid AND attribute.attnum = c.conkey[1]
         WHERE c.contype = 'f' AND source.relname IN %(tables)s AND target.relname IN %(tables)s
        """,
        {'tables': tuple(ids)},
    )
    return {(table, column): target for table, column, target in cr.fetchall()}


def drop_indexes(cr, tables):
    """Drop the indexes that are not constraints; return the statements to recreate them."""
    cr.execute(
        """
        SELECT pg_get_indexdef(i.indexrelid), i.indexrelid::regclass::text
          FROM pg_index AS i
          JOIN pg_class AS c ON c.oid = i.indrelid
         WHERE c.relname IN %s
           AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conindid = i.indexrelid)
        """,
        [tuple(tables)],
    )
    definitions = []
    for definition, name in cr.fetchall():
        definitions.append(definition)
        cr.execute(f'DROP INDEX {name}')
    return definitions


def copy_table(cr, table, row_ids, references, strides, copies):
    """Copy rows; copy n of row i gets the id `i + n * stride of the table`."""
    columns = get_columns(cr, table)
    key = 'id' if 'id' in columns else 'order_line_id'
    begin = time.monotonic()
    cr.execute(
        SQL(
            "INSERT INTO %s (%s) SELECT %s"
            " FROM generate_series(1, %s) AS n, %s AS t WHERE t.%s IN %s",
            SQL.identifier(table),
            SQL(", ").join(SQL.identifier(column) for column in columns),
            SQL(", ").join(
                get_value(table, column, kind, references, strides)
                for column, kind in columns.items()
            ),
            copies,
            SQL.identifier(table),
            SQL.identifier(key),
            tuple(row_ids),
        )
    )
    if key == 'id':
        cr.execute(
            SQL(
                "SELECT setval(%s, (SELECT MAX(id) FROM %s))",
                f'{table}_id_seq',
                SQL.identifier(table),
            )
        )
    print(f"  {table:30}{cr.rowcount and len(row_ids) * copies:>12,} rows in", end=" ")
    print(f"{time.monotonic() - begin:.0f} s", flush=True)


def get_columns(cr, table):
    """Return `{column: type}` of a table."""
    cr.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_name = %s AND is_generated = 'NEVER'",
        [table],
    )
    return dict(cr.fetchall())


def get_value(table, column, kind, references, strides):
    """Return the value of a column of a copy."""
    identifier = SQL.identifier('t', column)
    target = table if column == 'id' else references.get((table, column))
    if target:
        return SQL("%s + n * %s", identifier, strides[target])
    if column in EMPTY:
        return SQL("NULL")
    if kind.startswith('timestamp'):
        return SQL("%s - MOD(n, %s) * INTERVAL '1 day'", identifier, DAYS)
    if kind == 'date':
        return SQL("%s - MOD(n, %s)", identifier, DAYS)
    if column in UNIQUE and table in UNIQUE_TABLES and kind in ('character varying', 'text'):
        return SQL("%s || '/' || n", identifier)
    return identifier
