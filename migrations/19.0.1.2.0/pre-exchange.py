"""Existing return lines have no exchange: nothing has to be computed for them.

Without the columns Odoo would compute them line by line, for millions of lines.
"""

from odoo.tools.sql import column_exists, create_column

COLUMNS = {
    'exchange_uom_id': 'int4',
    'exchange_quantity': 'float8',
    'exchange_price': 'float8',
    'exchange_order_id': 'int4',
    'size_had_id': 'int4',
    'size_wanted_id': 'int4',
}


def migrate(cr, version):
    """Add the columns, empty."""
    for name, kind in COLUMNS.items():
        if not column_exists(cr, 'sale_return_line', name):
            create_column(cr, 'sale_return_line', name, kind)
