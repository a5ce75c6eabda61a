from odoo import api, models

# Fields of a done move that decide how much of what came back, and whose it is.
GUARDED_FIELDS = frozenset(
    {
        'move_id',
        'quantity',
        'product_uom_id',
        'lot_id',
        'owner_id',
        'location_id',
        'location_dest_id',
    }
)


class StockMoveLine(models.Model):
    _inherit = 'stock.move.line'

    # Finds the moves of a lot: who delivered it, and when it was sold again.
    _sale_return_lot = models.Index('(lot_id) WHERE lot_id IS NOT NULL')

    # === CONSTRAINT METHODS === #

    def _check_done_sale_return_quantities(self, left=None):
        """Refuse changes of done moves by which more or other goods came back than were delivered.

        :param left: `stock.move` records to which the move lines belonged before.
        """
        touched = self.move_id | (left or self.env['stock.move'])
        done = touched.filtered(lambda move: move.state == 'done')
        moves = done.filtered(
            lambda move: (
                move.sale_line_id or move.sale_return_line_id or move.sale_return_discrepancy_id
            )
        )
        if moves:
            # sudo: the counter is written by the guard, not by the user who edits.
            moves.sudo().sale_line_id._take_return_counter()
            moves._note_kit_quantities()
            moves._check_sale_return_quantities()
            moves._check_sale_return_places()
            # Goods counted later need no receipt any more.
            self.env['sale.return.reception']._cancel_unexpected(moves.sale_return_line_id)

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `stock` to check quantities added to done moves."""
        move_lines = super().create(vals_list)
        move_lines._check_done_sale_return_quantities()
        return move_lines

    def write(self, vals):
        """Override of `stock` to check changes of done moves."""
        # The move that a line leaves changes as well.
        left = self.move_id if 'move_id' in vals else None
        result = super().write(vals)
        if not GUARDED_FIELDS.isdisjoint(vals):
            self._check_done_sale_return_quantities(left)
        return result
