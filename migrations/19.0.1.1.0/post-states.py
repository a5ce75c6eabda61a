"""Compute again the states whose rules have changed.

Goods that an order takes in by a negative quantity are no longer a return, and a payout is done
once its payment is matched with its note.
"""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Compute `sale.order.return_status` and `sale.return.refund.state` where they may differ."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    env.invalidate_all()
    taken_in = env['sale.order.line'].search(
        [('qty_returned', '>', 0), ('product_uom_qty', '<', 0)]
    )
    env.add_to_compute(env['sale.order']._fields['return_status'], taken_in.order_id)
    payouts = env['sale.return.refund'].search([('method', '=', 'payment'), ('state', '=', 'done')])
    # Also recompute what depends on their states.
    payouts.modified(['method'])
    env.flush_all()
