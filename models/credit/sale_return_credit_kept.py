from odoo import api, models

from ...tools.money import QUANTITY_EPSILON


class SaleReturnCredit(models.AbstractModel):
    """Goods that the customer keeps are credited by lines of their own.

    Nothing comes back for them, so these lines reverse no cost of goods.
    """

    _inherit = 'sale.return.credit'

    @api.model
    def _collect(self, returns, get_quantity=None):
        """Extend to keep what the customer keeps apart from what comes back."""
        result = []
        for line, quantity in super()._collect(returns, get_quantity):
            kept = min(quantity, self._get_qty_kept_due(line))
            parts = (kept, quantity - kept)
            result += [(line, part) for part in parts if line.product_uom_id.compare(part, 0.0) > 0]
        return result

    @api.model
    def _get_qty_kept_due(self, line):
        """Return what the customer keeps of a line and was not credited as such yet."""
        if line.product_uom_id.is_zero(line.qty_kept):
            return 0.0
        credited = sum(
            note_line.product_uom_id._compute_quantity(
                note_line.quantity - note_line._get_qty_reversed(),
                line.product_uom_id,
                round=False,
            )
            for note_line in line.credit_line_ids
            if note_line.sale_return_kept
            and note_line.parent_state != 'cancel'
            and not note_line.move_id._is_reversed_credit()
        )
        return max(line.qty_kept - credited, 0.0)

    @api.model
    def _allocate(self, due, ignored_moves=None):
        """Extend to mark the allocations of goods that the customer keeps."""
        allocations = super()._allocate(due, ignored_moves=ignored_moves)
        kept = {line: self._get_qty_kept_due(line) for line, _quantity in due}
        for allocation in allocations:
            line, invoice_line = allocation['return_line'], allocation['invoice_line']
            allocation['kept'] = kept[line] > QUANTITY_EPSILON
            kept[line] -= invoice_line.product_uom_id._compute_quantity(
                allocation['quantity'], line.product_uom_id, round=False
            )
        return allocations

    @api.model
    def _prepare_note_line_vals(self, allocation):
        """Extend to mark lines that reverse no cost of goods."""
        return super()._prepare_note_line_vals(allocation) | {
            'sale_return_kept': allocation.get('kept', False)
        }
