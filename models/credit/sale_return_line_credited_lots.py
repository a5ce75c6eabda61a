from collections import defaultdict

from odoo import models


class SaleReturnLine(models.Model):
    """The lots that came back on a return line."""

    _inherit = 'sale.return.line'

    def _get_credited_lots(self):
        """Return the lots that are credited, in the order in which they were found.

        :return: list of `(lot, quantity in the unit of the product)`.
        :rtype: list
        """
        self.ensure_one()
        rows = self.inspection_ids.filtered(
            lambda row: row.lot_id and row.disposition_id.accepts
        ).sorted('id')
        unit = self.product_id.uom_id
        quantities = defaultdict(float)
        if rows:
            for row in rows:
                # A correction is a row with the opposite sign.
                quantities[row.lot_id] += self.product_uom_id._compute_quantity(
                    row.quantity, unit, round=False
                )
        else:
            receipts = self.move_ids.filtered(
                lambda move: move.state == 'done' and move._is_sale_return_receipt()
            )
            for move_line in receipts.move_line_ids.filtered('lot_id').sorted('id'):
                quantities[move_line.lot_id] += move_line.quantity_product_uom
        return [(lot, quantity) for lot, quantity in quantities.items() if quantity > 0]
