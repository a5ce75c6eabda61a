"""Add the column for the open amount of the credit notes of returns.

Odoo would compute it for all returns; few have an open amount, see the script that runs afterwards.
"""

from odoo.tools.sql import column_exists


def migrate(cr, version):
    """Create `sale_return.amount_open`, with the value 0."""
    if not column_exists(cr, 'sale_return', 'amount_open'):
        cr.execute("ALTER TABLE sale_return ADD COLUMN amount_open numeric DEFAULT 0")
        cr.execute("ALTER TABLE sale_return ALTER COLUMN amount_open DROP DEFAULT")
