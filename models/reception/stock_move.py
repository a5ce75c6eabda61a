from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ...tools.own_value import OwnValue

# Who may set what came back.
RECEIVERS = ('stock.group_stock_user', 'sale_return.group_inspector')


class StockMove(models.Model):
    _name = 'stock.move'
    _inherit = ['stock.move', 'sale.return.owned']

    # Not copied: a copy is another movement of the goods. Splits keep them (see below).
    sale_return_line_id = fields.Many2one(
        'sale.return.line', index='btree_not_null', copy=False, ondelete='restrict'
    )
    sale_return_inspection_id = fields.Many2one(
        'sale.return.inspection', index='btree_not_null', copy=False, ondelete='restrict'
    )

    sale_return_discrepancy_id = fields.Many2one(
        'sale.return.discrepancy', index='btree_not_null', copy=False, ondelete='restrict'
    )

    def _is_sale_return_receipt(self):
        """Tell whether the move brings goods of a return from the customer into quarantine."""
        self.ensure_one()
        return bool(
            self.sale_return_line_id
            and not self.sale_return_inspection_id
            and self.location_id._is_at_customer()
        )

    def _get_returned_sale_line(self):
        """Return the order line whose goods the move brings back, if any."""
        self.ensure_one()
        return self.sale_line_id or self.origin_returned_move_id.sale_line_id

    def _get_returned_sale_lines(self):
        """Return the order lines whose goods the moves bring back."""
        without = self.filtered(lambda move: not move.sale_line_id)
        return self.sale_line_id | without.origin_returned_move_id.sale_line_id

    def _is_made_by_return(self):
        """Tell whether the return made the receipt itself; others are Odoo's or made by hand."""
        self.ensure_one()
        return self.origin == self._get_sale_return().name

    def _is_adoptable(self):
        """Tell whether the move brings back sold goods and belongs to no return yet.

        Goods an order takes in trade were never delivered with it, so they are not a return.
        """
        self.ensure_one()
        # sudo: warehouse workers need not read orders.
        sale_line = self.sudo()._get_returned_sale_line()
        return bool(
            sale_line
            and not self.sale_return_line_id
            and self.company_id.sale_return_adopt_native
            and self.location_id._is_at_customer()
            and self.location_dest_id.usage in ('internal', 'transit')
            # Goods drop-shipped by another of our companies go back to it.
            and not self.location_dest_id._is_at_customer()
            and (sale_line.product_id == self.product_id or sale_line._is_return_kit())
            and not sale_line._is_trade_in()
        )

    def _assign_picking(self):
        """Override of `stock` to receive traded-in goods with Odoo's own receipt operation.

        Our operation type brings known goods into quarantine, and uses the lots they were sold
        with.
        """
        for move in self:
            # sudo: users who confirm orders need not read transfers, and vice versa.
            warehouse = move.sudo().picking_type_id.warehouse_id
            ours = warehouse.sale_return_type_id
            if ours and move.picking_type_id == ours and move.sudo().sale_line_id._is_trade_in():
                # One by one: such lines are rare.
                move.picking_type_id = warehouse.sale_return_native_type_id or warehouse.in_type_id
        return super()._assign_picking()

    def _prepare_merge_moves_distinct_fields(self):
        """Override of `stock` to prevent merging moves of different return lines or results."""
        return [
            *super()._prepare_merge_moves_distinct_fields(),
            'sale_return_line_id',
            'sale_return_inspection_id',
            'sale_return_discrepancy_id',
        ]

    def _prepare_move_split_vals(self, qty):
        """Override of `stock` to assign backorders to the same return line."""
        return super()._prepare_move_split_vals(qty) | {
            'sale_return_line_id': OwnValue(self.sale_return_line_id.id),
            'sale_return_inspection_id': OwnValue(self.sale_return_inspection_id.id),
            'sale_return_discrepancy_id': OwnValue(self.sale_return_discrepancy_id.id),
        }

    @api.model
    def _take_over(self, procurements):
        """Hook of `stock.rule._run_pull`: deliver what moves already hold. Override.

        :param list procurements: `[(procurement, rule)]`
        :return: those that still need a move of their own
        :rtype: list
        """
        return procurements

    def _action_done(self, cancel_backorder=False):
        """Override of `stock` to check returned goods, and to continue with their return.

        Goods that do not belong to the return are separated and kept as the customer's property.

        :raise UserError: when goods of a return go anywhere but into quarantine.
        """
        arriving = self.filtered(lambda move: move.location_id._is_at_customer())
        if arriving:
            arriving._ensure_counted()
            arriving._ensure_from_customer()
            if new_moves := arriving._set_surplus_apart():
                return (self | new_moves)._action_done(cancel_backorder=cancel_backorder)
        reception = self.env['sale.return.reception']
        back = self.filtered(lambda move: move.sale_line_id and move.location_id._is_at_customer())
        undone = self.filtered(
            lambda move: (
                (move.origin_returned_move_id.sale_return_line_id or move.sale_return_inspection_id)
                and move not in back
            )
        )
        leaving = self.filtered(lambda move: move._takes_from_quarantine())
        if not back and not undone and not leaving:
            return super()._action_done(cancel_backorder=cancel_backorder)
        back._ensure_into_quarantine()
        # sudo: the guard counts all returns of an order line, no matter who validates the transfer.
        back.sudo().sale_line_id._take_return_counter()
        done = super()._action_done(cancel_backorder=cancel_backorder)
        self._note_kit_quantities()
        self._check_sale_return_quantities(held=False)
        leaving._check_quarantine()
        received = (back & done).filtered(lambda move: move._is_sale_return_receipt())
        if received:
            reception._after_receipt(received)
        if cancel_backorder:
            reception._record_missing(back.filtered(lambda move: move._is_sale_return_receipt()))
        if undone:
            reception._after_undo(undone)
        return done

    def _action_cancel(self):
        """Override of `stock` to reopen decisions on goods that were to be sent back."""
        discrepancies = self.filtered(lambda move: move.state != 'done').sale_return_discrepancy_id
        result = super()._action_cancel()
        discrepancies._reopen()
        return result

    def _set_surplus_apart(self):
        """Assign goods from customers to their returns, and separate the rest.

        :return: moves that were split off, to be done as well.
        :rtype: stock.move
        """
        todo = self.filtered(lambda move: move.state not in ('done', 'cancel') and move.quantity)
        known = todo.picking_id.move_ids
        self.env['sale.return.reception']._adopt_moves(todo, receiving=True)
        surplus = self.env['sale.return.surplus']._set_apart(todo)
        return (todo.picking_id.move_ids - known) | surplus.with_env(self.env)

    def _ensure_counted(self):
        """Refuse negative counts on transfers of returns, which Odoo silently ignores.

        :raise UserError: naming the transfer and the product.
        """
        for move in self:
            if move.quantity < 0 and move.sale_return_line_id:
                raise UserError(
                    self.env._(
                        "%(quantity)s %(unit)s of %(product)s cannot come with %(transfer)s. Enter "
                        "what you have counted.",
                        quantity=move.quantity,
                        unit=move.product_uom._get_name_after(move.quantity),
                        product=move.product_id.display_name,
                        transfer=move.picking_id.name or move.reference,
                    )
                )

    def _skip_push(self):
        """Override of `stock`: goods leave quarantine by inspection, not by rules."""
        skipped = super()._skip_push()
        if skipped or self.location_dest_id._is_at_customer():
            return skipped
        # sudo: warehouse workers need not read settings of the company.
        quarantines = self.company_id.sudo().sale_return_view_location_id
        return bool(quarantines and self.location_dest_id._child_of(quarantines))

    def _ensure_into_quarantine(self):
        """Refuse to receive a return anywhere but in quarantine, e.g. straight into stock.

        Receipts of other operation types are adopted as they are.

        :raise UserError: naming the transfer and the quarantine.
        """
        for move in self.sudo():  # operators need not be users of Returns
            warehouse = move.sale_return_line_id.return_id.warehouse_id
            if not warehouse or move.picking_type_id != warehouse.sale_return_type_id:
                continue
            quarantine = warehouse.sale_return_loc_id
            if any(not line.location_dest_id._child_of(quarantine) for line in move.move_line_ids):
                raise UserError(
                    self.env._(
                        "%(transfer)s receives return %(return)s, which has to wait for its "
                        "inspection in %(quarantine)s. Set that as the destination again.",
                        transfer=move.picking_id.name,
                        quarantine=quarantine.display_name,
                        **{'return': move.sale_return_line_id.return_id.name},
                    )
                )

    def _ensure_receiver(self):
        """Only let warehouse workers record what came for a return.

        Odoo lets salespeople write transfers, although it shows them no button to validate one.
        Programs that receive automatically, e.g. a point of sale, are not checked.

        :raise AccessError: naming the moves and the roles.
        """
        if self.env.su or any(self.env.user.has_group(group) for group in RECEIVERS):
            return
        # sudo: which return a move belongs to does not depend on who receives.
        moves = self.sudo().filtered(
            lambda move: move._is_sale_return_receipt() or move._is_adoptable()
        )
        if moves:
            raise AccessError(
                self.env._(
                    "You may not record what came back with %(moves)s. Ask somebody with the "
                    "role %(roles)s to receive it.",
                    moves=", ".join(moves.mapped('reference')),
                    roles=", ".join(moves.env.ref(group).full_name for group in RECEIVERS),
                )
            )

    def _ensure_from_customer(self):
        """Refuse to receive a return from our own stock: then nothing came from the customer.

        :raise UserError: naming the transfer and the return.
        """
        # sudo: warehouse workers need not be users of Returns.
        for move in self.sudo().filtered(lambda move: move._is_sale_return_receipt()):
            if any(not line.location_id._is_at_customer() for line in move.move_line_ids):
                raise UserError(
                    self.env._(
                        "%(transfer)s receives return %(return)s, which comes from the customer. "
                        "Set %(location)s as the source again.",
                        transfer=move.picking_id.name or move.reference,
                        location=move.location_id.display_name,
                        **{'return': move.sale_return_line_id.return_id.name},
                    )
                )

    def _check_sale_return_places(self):
        """Refuse to change the lots or the destination of done receipts.

        :raise UserError: naming the lot, or the quarantine.
        """
        # sudo: warehouse workers need not be users of Returns.
        receipts = self.sudo().filtered(lambda move: move._is_sale_return_receipt())
        receipts.with_env(self.env)._ensure_receiver()
        receipts._ensure_from_customer()
        receipts._ensure_into_quarantine()
        tracked = receipts.filtered(lambda move: move.product_id.tracking != 'none')
        left = self.env['sale.return.lots']._get_lots_at_customer(
            tracked.sale_line_id, tracked.product_id
        )
        for move in tracked:
            there = left[move.sale_line_id, move.product_id]
            unnamed = max(there.get(False, 0.0), 0.0)
            for lot in move.move_line_ids.lot_id:
                if move.product_id.uom_id.compare(there.get(lot.id, 0.0) + unnamed, 0.0) < 0:
                    raise UserError(
                        self.env._(
                            "%(lot)s of %(product)s was not delivered with order %(order)s, or "
                            "is already back. Register it as a discrepancy instead.",
                            lot=lot.name,
                            product=move.product_id.display_name,
                            order=move.sale_line_id.order_id.name,
                        )
                    )

    def _takes_from_quarantine(self):
        """Tell whether the move takes goods out of a quarantine without an inspection."""
        self.ensure_one()
        # sudo: warehouse workers need not read settings of the company.
        quarantines = self.company_id.sudo().sale_return_view_location_id
        return bool(
            quarantines
            and self.location_id.location_id == quarantines
            and not self.sale_return_inspection_id
            and not self.sale_return_discrepancy_id
            and not self.origin_returned_move_id.sale_return_line_id
            and not self.is_inventory  # inventory counts are always allowed
        )

    def _check_quarantine(self):
        """Refuse to take goods out of quarantine that wait for inspection there.

        The customer's property leaves when its discrepancy is resolved. Goods that belong to no
        return may leave.

        :raise UserError: naming the product and the returns.
        """
        # sudo: what waits there is the same for all users.
        moves = self.sudo()
        lines = moves.env['sale.return.line'].search(
            [
                ('move_ids.product_id', 'in', moves.product_id.ids),
                ('company_id', 'in', moves.company_id.ids),
                ('qty_to_inspect', '>', 0),
            ]
        )
        kept = moves.env['sale.return.discrepancy'].search(
            [
                ('product_id', 'in', moves.product_id.ids),
                ('company_id', 'in', moves.company_id.ids),
                ('qty_here', '>', 0),
            ]
        )
        buckets = self.env['sale.return.quarantine']._get_buckets(lines)
        for location, group in moves.grouped('location_id').items():
            for product in group.product_id:
                needed, returns = self._get_waiting(location, product, buckets, kept)
                there = sum(moves.env['stock.quant']._gather(product, location).mapped('quantity'))
                if product.uom_id.compare(there, needed) < 0:
                    raise UserError(
                        self.env._(
                            "%(product)s in %(location)s is waiting for the inspection of "
                            "return %(returns)s (or is the customer's property) and cannot "
                            "leave before that.",
                            product=product.display_name,
                            location=location.display_name,
                            returns=", ".join(returns.mapped('name')),
                        )
                    )

    @api.model
    def _get_waiting(self, location, product, buckets, kept):
        """Return how much of a product waits in a quarantine, and for which returns.

        :param dict buckets: what waits for inspection, see `sale.return.quarantine._get_buckets`.
        :param kept: `sale.return.discrepancy` records whose goods are here.
        :return: `(quantity in the unit of the product, sale.return)`
        :rtype: tuple
        """
        mine = kept.filtered(lambda d: d.product_id == product and d.location_id == location)
        quantity, returns = sum(mine.mapped('qty_here')), mine.return_id
        for line, parts in buckets.items():
            if line.return_id.warehouse_id.sale_return_loc_id == location:
                if waiting := sum(b['quantity'] for b in parts if b['product'] == product):
                    quantity += waiting
                    returns |= line.return_id
        return quantity, returns

    def _check_sale_return_quantities(self, held=True):
        """Refuse moves that break the ledger of quantities of an order or of a return.

        Goods that came back without a return are left to Odoo: goods taken in trade, and all native
        returns where these create no return document.

        :param bool held: False where goods arrive: quantities held by other returns do not stop
            them.
        :raise UserError: see `sale.order.line._check_return_quantities` and
            `sale.return.line._check_received`.
        """
        # sudo: as above.
        moves = self.sudo()
        ours = moves.filtered(
            lambda move: move.sale_return_line_id or not move.location_id._is_at_customer()
        )
        ours.sale_line_id.filtered('return_line_ids')._check_return_quantities(held=held)
        lines = moves.sale_return_line_id | moves.origin_returned_move_id.sale_return_line_id
        lines._check_received()
        moves.sale_return_inspection_id._check_moved()
        moves.sale_return_discrepancy_id._check_moved()
