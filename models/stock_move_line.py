from odoo import api, models


class StockMoveLine(models.Model):
    _inherit = 'stock.move.line'

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `stock` to guard quantities that are added to moves already done."""
        move_lines = super().create(vals_list)
        move_lines._check_done_sale_return_quantities()
        return move_lines

    def write(self, vals):
        """Override of `stock` to guard quantities that are edited on moves already done."""
        result = super().write(vals)
        if 'quantity' in vals or 'product_uom_id' in vals:
            self._check_done_sale_return_quantities()
        return result

    def _check_done_sale_return_quantities(self):
        """Refuse to edit done moves so that more came back than was delivered."""
        done = self.filtered(lambda move_line: move_line.state == 'done').move_id
        moves = done.filtered(lambda move: move.sale_line_id or move.sale_return_line_id)
        if moves:
            # sudo: the counter belongs to the guard, not to the one who edits.
            moves.sudo().sale_line_id._take_return_counter()
            moves._check_sale_return_quantities()
