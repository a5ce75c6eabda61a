"""Compute again what credit notes with lines entered by hand have left to bill and to credit.

Their lines name no order line, so nothing told orders and returns when they were posted or undone.
"""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Compute the quantities of the order and return lines that such notes credit."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    cr.execute("""
        SELECT item.id
          FROM account_move_line item
          JOIN account_move note ON note.id = item.move_id
     LEFT JOIN sale_order_line_invoice_rel rel ON rel.invoice_line_id = item.id
         WHERE note.move_type = 'out_refund' AND note.state <> 'cancel'
           AND item.display_type = 'product' AND item.product_id IS NOT NULL
           AND item.sale_return_line_id IS NULL AND rel.invoice_line_id IS NULL
           AND (note.reversed_entry_id IS NOT NULL OR item.credited_line_id IS NOT NULL)
    """)
    env['account.move.line'].browse(row[0] for row in cr.fetchall())._refigure_sale_returns()
    env.flush_all()
