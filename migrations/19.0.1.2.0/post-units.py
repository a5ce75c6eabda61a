"""Restore quantities that the unit of the order could not express.

Quantities had two decimals of it: four pieces of a dozen were 0.33. Now they correspond to
quantities counted in stock. Inspected quantities are taken from the moves, not from the stored
values.
"""

from odoo import SUPERUSER_ID, api

STATED = ('qty_requested', 'qty_authorized', 'qty_written_off', 'qty_received_uninvoiced')
COMPUTED = (
    'qty_received',
    'qty_sent_back',
    'qty_replaced',
    'qty_inspected',
    'qty_accepted',
    'qty_rejected',
    'qty_kept',
    'qty_to_inspect',
    'qty_held',
    'qty_credited',
    'qty_credited_posted',
    'qty_to_credit',
    'qty_uninvoiced',
    'qty_credited_otherwise',
    'qty_to_credit_expected',
)


def migrate(cr, version):
    """Convert the quantities of return lines in another unit than that of their product."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    cr.execute("""
        SELECT line.id
          FROM sale_return_line line
          JOIN product_product product ON product.id = line.product_id
          JOIN product_template template ON template.id = product.product_tmpl_id
         WHERE template.uom_id <> line.product_uom_id
    """)
    lines = env['sale.return.line'].browse(row[0] for row in cr.fetchall())
    # What was approved stays approved.
    returns = lines.return_id.filtered(lambda r: r.fingerprint == r._get_fingerprint())
    for line in lines:
        read = line._get_measure().interpret
        rows = line.inspection_ids.filtered(lambda row: not row.component_id)
        if not all(_is_moved(row, read(row.quantity)) for row in rows):
            continue
        values = {name: read(line[name]) for name in STATED if read(line[name]) != line[name]}
        if values:
            line._write_facts(values)
        for row in rows:
            # Rows are evidence, which cannot be written through the model.
            cr.execute(
                "UPDATE sale_return_inspection SET quantity = %s WHERE id = %s",
                [read(row.quantity), row.id],
            )
    lines.inspection_ids.invalidate_recordset()
    for name in COMPUTED:
        env.add_to_compute(lines._fields[name], lines)
    env.add_to_compute(env['sale.order.line']._fields['qty_returned'], lines.sale_line_id)
    env.flush_all()
    for sale_return in returns:
        sale_return._write_facts({'fingerprint': sale_return._get_fingerprint()})


def _is_moved(row, quantity):
    """Tell whether a quantity, or nothing, has left quarantine with an inspection row."""
    moves = row.move_ids.filtered(lambda move: move.state != 'cancel')
    moved = sum(moves.mapped('product_qty'))
    return not moves or not row.product_id.uom_id.compare(
        moved, row.line_id._get_measure().to_stock(abs(quantity))
    )
