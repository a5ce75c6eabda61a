"""Find the credit that customers have left open. The settings of policies stay as they are."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Compute `sale.return.amount_open` where a posted credit note has an open amount."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    cr.execute(
        """
        SELECT DISTINCT line.return_id
          FROM account_move note
          JOIN account_move_line item ON item.move_id = note.id
          JOIN sale_return_line line ON line.id = item.sale_return_line_id
         WHERE note.move_type = 'out_refund'
           AND note.state = 'posted'
           AND note.amount_residual != 0
        """
    )
    returns = env['sale.return'].browse(row[0] for row in cr.fetchall())
    env.add_to_compute(returns._fields['amount_open'], returns)
    env.flush_all()
