from odoo import fields, models


class StockMove(models.Model):
    """Components of kits: which part of its order line each move brings back or delivers again."""

    _inherit = 'stock.move'

    sale_return_kit_qty = fields.Float(
        string="Part of Kits",
        digits=False,
        min_display_digits='Product Unit',
        readonly=True,
        copy=False,
        help="Part of the kits that the components represent, in the unit of the order line.",
    )

    # === KINDS === #

    def _is_kit_component(self):
        """Tell whether the move is of a component of the order line's kit."""
        self.ensure_one()
        return bool(
            self.sale_line_id
            and self.state != 'cancel'
            and self.product_id != self.sale_line_id.product_id
        )

    def _is_kit_delivery_step(self):
        """Tell whether the move was planned to bring components to the customer for the first time.

        Cancelled ones count, and so do the steps before the last.
        """
        self.ensure_one()
        return bool(
            self.sale_line_id
            and self.product_id != self.sale_line_id.product_id
            and not self.origin_returned_move_id
            and not self.sale_return_line_id
            and not self.location_id._is_at_customer()
            and (self.location_final_id or self.location_dest_id)._is_at_customer()
        )

    def _is_kit_delivery(self):
        """Tell whether the move brings components to the customer for the first time."""
        self.ensure_one()
        return self._is_kit_delivery_step() and self.location_dest_id._is_at_customer()

    def _is_kit_return_move(self):
        """Tell whether the move brings components back, or delivers them again."""
        self.ensure_one()
        from_customer = self.location_id._is_at_customer()
        return (
            self._is_kit_component()
            and from_customer != self.location_dest_id._is_at_customer()
            and not self._is_kit_delivery()
        )

    # === QUANTITIES === #

    def _get_product_quantity(self):
        """Return what is moved (or planned), in the unit of the product."""
        self.ensure_one()
        quantity = self.quantity if self.state == 'done' else self.product_uom_qty
        return self.product_uom._compute_quantity(
            quantity, self.product_id.uom_id, rounding_method='HALF-UP'
        )

    def _get_sale_quantity(self, sale_line):
        """Return the moved quantity in the unit of the order line; components are counted as kits.

        :param sale_line: `sale.order.line` the move belongs to.
        """
        self.ensure_one()
        if self.product_id != sale_line.product_id:
            return self.sale_return_kit_qty
        stock_quantity = self.product_uom._compute_quantity(
            self.quantity, self.product_id.uom_id, rounding_method='HALF-UP'
        )
        return sale_line._get_return_measure().from_stock(stock_quantity)

    def _note_kit_quantities(self):
        """Store which part of its order line each of these done moves represents.

        Parts are rounded like all quantities. They are derived from the sum of what has come back,
        so that nothing is lost: of a kit of three like parts, they are 0.33, 0.34 and 0.33.
        """
        moves = self.sudo().filtered(  # the same values for all users who validate the transfer
            lambda move: (
                move.state == 'done'
                and move.sale_line_id.sale_return_kit
                and move._is_kit_return_move()
            )
        )
        for sale_line, group in moves.grouped('sale_line_id').items():
            counted = sale_line.move_ids.filtered(
                lambda move: move.state == 'done' and move._is_kit_return_move()
            )
            counted -= group
            for move in group.sorted(lambda move: (move.date, move.id)):
                # One write per move: each depends on those before it, and kits are few.
                move.sale_return_kit_qty = move._get_kit_quantity(counted)
                counted |= move

    def _get_kit_quantity(self, counted):
        """Return which part of its order line the move represents.

        :param counted: the done moves of the order line already counted.
        :return: a quantity in the unit of the order line, rounded.
        :rtype: float
        """
        self.ensure_one()
        row, origin = self.sale_return_inspection_id, self.origin_returned_move_id
        if row.component_id:
            siblings = counted.filtered(lambda move: move.sale_return_inspection_id == row)
            return self._get_kit_part(siblings, row._get_qty_valid(), row._get_stock_quantity())
        if origin in counted and not self.location_id._is_at_customer():
            siblings = counted.filtered(lambda move: move.origin_returned_move_id == origin)
            siblings = siblings.filtered(lambda move: not move.sale_return_inspection_id)
            return self._get_kit_part(
                siblings, origin.sale_return_kit_qty, origin._get_product_quantity()
            )
        sale_line = self.sale_line_id

        def sign(move):
            return 1 if move.location_id._is_at_customer() else -1

        exact = sum(
            sign(move) * sale_line._get_kit_share(move.product_id, move._get_product_quantity())
            for move in counted | self
        )
        before = sum(sign(move) * move.sale_return_kit_qty for move in counted)
        part = sign(self) * (sale_line._get_return_measure().round(exact) - before)
        return max(sale_line._get_return_measure().round(part), 0.0)

    def _get_kit_part(self, siblings, whole, quantity):
        """Return the part that goes out again, in proportion to the part that came in.

        :param siblings: moves that already used it.
        :param float whole: the part that came in, in the unit of the order line.
        :param float quantity: what came in, in the unit of the component.
        """
        moved = sum(move._get_product_quantity() for move in siblings | self)
        in_steps = self.sale_line_id._get_return_measure().round
        taken = in_steps(whole * min(moved / quantity, 1.0))
        return max(in_steps(taken - sum(siblings.mapped('sale_return_kit_qty'))), 0.0)

    # === OVERRIDES === #

    def action_explode(self):
        """Override of `mrp` to move the delivered products, even if they became kits since."""
        fixed = self.filtered(
            lambda move: (
                move.sale_return_line_id
                and (move.sale_return_inspection_id or move.origin_returned_move_id)
            )
        )
        rest = self - fixed
        # A remote client may call it where `mrp` is not installed.
        explode = getattr(super(StockMove, rest), 'action_explode', None)
        return (explode() if explode else rest) | fixed
