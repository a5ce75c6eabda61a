"""Make room for what the credit notes of returns have open.

Odoo would compute it for every return there ever was; few have anything open, see the script that
runs afterwards.
"""

from odoo.tools.sql import column_exists


def migrate(cr, version):
    """Create `sale_return.amount_open`, with nothing open."""
    if not column_exists(cr, 'sale_return', 'amount_open'):
        cr.execute("ALTER TABLE sale_return ADD COLUMN amount_open numeric DEFAULT 0")
        cr.execute("ALTER TABLE sale_return ALTER COLUMN amount_open DROP DEFAULT")
