"""No rule lets customers keep what is on lines that exist: nothing is to be computed for them.

Without the columns Odoo would compute them line by line, for millions of lines.
"""

from odoo.tools.sql import column_exists, create_column

COLUMNS = {'keep_rule_id': 'int4', 'keep_amount': 'numeric'}


def migrate(cr, version):
    """Add the columns, empty."""
    for name, kind in COLUMNS.items():
        if not column_exists(cr, 'sale_return_line', name):
            create_column(cr, 'sale_return_line', name, kind)
