from collections import defaultdict

from odoo import api, models


class SaleReturnSurplus(models.AbstractModel):
    """Service: separate goods that come with a return but do not belong to it.

    They never stop a receipt: the right goods are received for the return, the rest by a separate
    move that keeps them as the customer's property, with a discrepancy.

        Customers ──► Quarantine                     3 authorized, origin = delivery
        Customers ──► Quarantine (owner: customer)   1 too much, no origin, not valued
    """

    _name = 'sale.return.surplus'
    _description = "Return Surplus"

    # === SET APART === #

    @api.model
    def _set_apart(self, moves):
        """Split off goods that do not belong to the returns whose moves are about to be done.

        :param moves: `stock.move` records that are about to be done.
        :return: the new moves, to be done with them.
        :rtype: stock.move
        """
        # sudo: users who receive goods need not be users of Returns, and the result does not depend
        # on who receives.
        moves = moves.sudo().filtered(self._is_arriving)
        strangers = moves.filtered(self._is_stranger)
        self._adopt_strangers(strangers)
        receipts = moves.filtered(lambda move: move._is_sale_return_receipt())
        if not receipts and not strangers:
            return self.env['stock.move']
        # Before anything is counted, see `sale.return.guard`.
        receipts.sale_line_id._take_return_counter()
        # sudo: users who validate the receipt may split it.
        new_moves = self.env['stock.move'].sudo()
        findings = []
        for stranger in strangers - receipts:
            splits = self._split_by_lot(stranger, self._get_parts_of_other_lots(stranger))
            findings += [self._prepare_finding('wrong_product', m) for m in [stranger, *splits]]
            new_moves = new_moves.union(*splits)
        # One after the other: goods of a wrong lot must not count as surplus again.
        for kind, find in (('wrong_lot', self._find_wrong_lots), ('over', self._find_surplus)):
            for move, parts in find(receipts).items():
                splits = self._split_by_lot(move, parts)
                line = move.sale_return_line_id
                findings += [self._prepare_finding(kind, split, line) for split in splits]
                new_moves = new_moves.union(*splits)
        self._record(findings)
        return new_moves | self._match_origins(receipts)

    @api.model
    def _is_arriving(self, move):
        """Tell whether the move is about to bring goods from a customer with an operation."""
        return (
            move.state not in ('done', 'cancel')
            and move.picked
            and move.quantity > 0
            and move.location_id._is_at_customer()
            and not move.sale_return_discrepancy_id
        )

    @api.model
    def _is_stranger(self, move):
        """Tell whether somebody added the move to the receipt of a return by hand."""
        return bool(
            not move.sale_return_line_id
            and not move.sale_line_id
            and not move.origin_returned_move_id
            and move.picking_id.move_ids.sale_return_line_id
            and move.picking_id.picking_type_id.warehouse_id.sale_return_type_id
            == move.picking_id.picking_type_id
        )

    @api.model
    def _adopt_strangers(self, moves):
        """Assign moves to the return line of their receipt with the same product.

        A quantity above what it expects is found afterwards like any other surplus.
        """
        for move in moves:
            siblings = (move.picking_id.move_ids - moves).filtered(
                lambda m, product=move.product_id: (
                    m.sale_return_line_id.product_id == product and m.product_id == product
                )
            )
            if siblings:
                sibling = siblings.sorted(lambda m: (m.state in ('done', 'cancel'), m.id))[0]
                # One write per move: few moves are added by hand.
                move.write(
                    {
                        'sale_return_line_id': sibling.sale_return_line_id.id,
                        'sale_line_id': sibling.sale_line_id.id,
                        'origin_returned_move_id': sibling.origin_returned_move_id.id,
                    }
                )

    # === FIND === #

    @api.model
    def _find_wrong_lots(self, moves):
        """Find lots and serial numbers that are not expected back with these order lines.

        :param moves: receipt moves that are about to be done.
        :return: `{move: [(move line, quantity in the unit of the product)]}`
        :rtype: dict
        """
        tracked = moves.filtered(lambda move: move.product_id.tracking != 'none')
        lots = self.env['sale.return.lots']
        lots._find_lots_by_name(tracked)
        left = lots._get_lots_at_customer(tracked.sale_line_id, tracked.product_id)
        result = defaultdict(list)
        for move in tracked.sorted('id'):
            uom = move.product_id.uom_id
            there = left[move.sale_line_id, move.product_id]
            for line in move.move_line_ids.filtered('picked').sorted('id'):
                wanted = line.quantity_product_uom
                # Goods delivered without a lot may have been given any lot since.
                for lot in (line.lot_id, self.env['stock.lot']):
                    part = min(wanted, max(there.get(lot.id, 0.0), 0.0))
                    if lot.id in there:
                        there[lot.id] -= part
                    wanted -= part
                if line.lot_id and uom.compare(wanted, 0.0) > 0:
                    result[move].append((line, wanted))
        return result

    @api.model
    def _find_surplus(self, moves):
        """Find what comes beyond what the return lines still expect, the last ones first.

        :param moves: receipt moves that are about to be done.
        :return: `{move: [(move line, quantity in the unit of the product)]}`
        :rtype: dict
        """
        result = defaultdict(list)
        there = self._get_qty_at_customer(moves)
        for line, group in moves.grouped('sale_return_line_id').items():
            # Components of kits cannot be compared with what the line expects.
            group = group.filtered(lambda m, product=line.product_id: m.product_id == product)
            uom = line.product_id.uom_id
            receivable = line._get_qty_receivable()
            if line.sale_line_id in there:
                # Native returns without a return document may already have brought it.
                receivable = min(receivable, max(there[line.sale_line_id], 0.0))
                there[line.sale_line_id] -= min(
                    receivable, sum(group.move_line_ids.mapped('quantity_product_uom'))
                )
            picked = group.move_line_ids.filtered('picked')
            for move_line in picked.sorted(lambda ml: (ml.move_id.id, ml.id)):
                part = min(move_line.quantity_product_uom, receivable)
                receivable -= part
                rest = move_line.quantity_product_uom - part
                if uom.compare(rest, 0.0) > 0:
                    result[move_line.move_id].append((move_line, rest))
        return result

    @api.model
    def _get_qty_at_customer(self, moves):
        """Return the quantities of order lines that the customer still has, beyond known returns.

        Where every native return creates a return document, what returns expect is still with the
        customer.

        :return: `{order line: quantity in the unit of the product}`
        :rtype: dict
        """
        # sudo: users who receive goods need not read settings of the company.
        lost = moves.filtered(lambda m: not m.company_id.sudo().sale_return_adopt_native)
        sale_lines = lost.sale_line_id.filtered(lambda line: not line._is_return_kit())
        if not sale_lines:
            return {}
        shipped, returned = sale_lines._get_moved_quantities()
        return {line: shipped[line] - returned[line] for line in sale_lines}

    @api.model
    def _match_origins(self, moves):
        """Link received goods to the delivery of their lots, which gives them their value.

        :param moves: receipt moves that are about to be done.
        :return: new moves, where one move brings lots of several deliveries.
        :rtype: stock.move
        """
        # sudo: users who validate the receipt may split it.
        new_moves = self.env['stock.move'].sudo()
        for move in moves.filtered(
            lambda m: m.origin_returned_move_id and m.has_tracking != 'none'
        ):
            delivered = move.sale_line_id.move_ids.filtered(
                lambda m: m.state == 'done' and m.location_dest_id._is_at_customer()
            )
            parts = defaultdict(list)
            for line in move.move_line_ids.filtered('lot_id'):
                origins = delivered.filtered(
                    lambda m, lot=line.lot_id: lot in m.move_line_ids.lot_id
                )
                if origins and move.origin_returned_move_id not in origins:
                    parts[origins[-1]].append((line, line.quantity_product_uom))
            for origin, group in parts.items():
                if len(group) == len(move.move_line_ids):
                    move.origin_returned_move_id = origin
                    continue
                new_moves |= self._split_off(
                    move,
                    group,
                    {
                        'sale_line_id': move.sale_line_id.id,
                        'sale_return_line_id': move.sale_return_line_id.id,
                        'origin_returned_move_id': origin.id,
                        'to_refund': move.to_refund,
                        'origin': move.origin,
                    },
                    with_demand=True,
                )
        return new_moves

    # === SPLIT === #

    @api.model
    def _split_by_lot(self, move, parts):
        """Split off parts of a move, one new move for each lot."""
        by_lot = defaultdict(list)
        for move_line, quantity in parts:
            by_lot[move_line.lot_id].append((move_line, quantity))
        return [self._split_off(move, group) for group in by_lot.values()]

    @api.model
    def _get_parts_of_other_lots(self, move):
        """Return the goods of all lots but the first one, as parts to be split off."""
        lines = move.move_line_ids.sorted('id')
        others = lines.filtered(lambda line: line.lot_id != lines[:1].lot_id)
        return [(line, line.quantity_product_uom) for line in others]

    @api.model
    def _split_off(self, move, parts, vals=None, with_demand=False):
        """Move parts of a move that is under way to a new move of the same transfer.

        :param move: one `stock.move`.
        :param list parts: `(move line, quantity in the unit of the product)`.
        :param dict vals: values of the new move; by default it has no link to anything.
        :param bool with_demand: True to reduce the demand of the old move, too.
        :return: the new move.
        :rtype: stock.move
        """
        product = move.product_id
        quantity = sum(part for _line, part in parts)
        # sudo: the links are set by our services, and users who validate the receipt may split it.
        new_move = (
            self.env['stock.move']
            .sudo()
            .create(
                {
                    **move.copy_data(self._prepare_split_vals(move))[0],
                    'product_uom': product.uom_id.id,
                    'product_uom_qty': quantity,
                    **(vals or {}),
                }
            )
        )
        for line, part in parts:
            picked = line.picked
            if product.uom_id.compare(part, line.quantity_product_uom) >= 0:
                line.move_id = new_move
                continue
            in_line_uom = product.uom_id._compute_quantity(
                part, line.product_uom_id, rounding_method='HALF-UP'
            )
            line.quantity -= in_line_uom
            line.copy({'move_id': new_move.id, 'quantity': in_line_uom, 'picked': picked})
        if with_demand:
            move.product_uom_qty -= product.uom_id._compute_quantity(
                quantity, move.product_uom, rounding_method='HALF-UP'
            )
        return new_move

    @api.model
    def _prepare_split_vals(self, move):
        """Prepare a move of goods that belong to no return line. Override to add values."""
        return {
            'picking_id': move.picking_id.id,
            'move_line_ids': [],
            'move_orig_ids': [],
            'move_dest_ids': [],
            'reference_ids': [],
            'sale_line_id': False,
            'sale_return_line_id': False,
            'origin_returned_move_id': False,
            'to_refund': False,
            'procure_method': 'make_to_stock',
            # Odoo copies the value of a move, too.
            'value': 0.0,
            'state': 'draft',
        }

    # === RECORD === #

    @api.model
    def _prepare_finding(self, kind, move, line=None):
        """Prepare the discrepancy found in a move. Override to add values.

        :param str kind: see `const.DISCREPANCY_KINDS`.
        :param move: the move of goods that do not belong to the return.
        :param line: the return line they came instead of or with, if any.
        :return: `(values for sale.return.discrepancy.create, move)`
        :rtype: tuple
        """
        # sudo: warehouse workers need not be users of Returns.
        line = line or self.env['sale.return.line'].sudo()
        sale_return = line.return_id or move.picking_id.move_ids.sale_return_line_id.return_id[:1]
        uom = move.product_id.uom_id
        vals = {
            'kind': kind,
            'return_id': sale_return.id,
            'line_id': line.id,
            'picking_id': move.picking_id.id,
            'product_id': move.product_id.id,
            'lot_id': move.move_line_ids.lot_id[:1].id,
            'product_uom_id': uom.id,
            'quantity': move.product_uom._compute_quantity(
                move.quantity, uom, rounding_method='HALF-UP'
            ),
            'sale_line_id': self._find_sale_line(kind, move, line, sale_return).id,
            'user_id': sale_return._get_user_in_charge().id,
        }
        return vals, move

    @api.model
    def _find_sale_line(self, kind, move, line, sale_return):
        """Propose the order line that goods may be accepted for.

        Surplus belongs to the same one; a lot may have been delivered with another one.
        """
        if kind == 'over':
            return line.sale_line_id
        # sudo: warehouse workers need not read orders.
        sale_lines = self.env['sale.order.line'].sudo()
        lot = move.move_line_ids.lot_id[:1]
        if not lot:
            return sale_lines
        candidates = self.env['sale.return.lots']._get_candidates(lot.name, sale_return.company_id)
        for candidate in candidates:
            sale_line = sale_lines.browse(candidate['sale_line_id'])
            if (
                candidate['lot_id'] == lot.id
                and candidate['quantity'] > 0
                and sale_line != line.sale_line_id
                and sale_return._owns_goods_of(sale_line.order_id)
            ):
                return sale_line
        return sale_lines

    @api.model
    def _record(self, findings):
        """Create the discrepancies of moves, and make their goods the customer's property.

        :param list findings: as returned by `_prepare_finding`.
        :return: the new discrepancies.
        :rtype: sale.return.discrepancy
        """
        discrepancies = self.env['sale.return.discrepancy']._create_found(
            [vals for vals, _move in findings]
        )
        for (_vals, move), discrepancy in zip(findings, discrepancies, strict=True):
            owner = discrepancy.partner_id
            # Each has its own discrepancy and perhaps its own customer.
            move.write(
                {
                    'sale_return_discrepancy_id': discrepancy.id,
                    'restrict_partner_id': owner.id,
                    'to_refund': False,
                    'origin': discrepancy.name,
                }
            )
            self._free_lots(move)
            move.move_line_ids.write({'owner_id': owner.id, 'picked': True})
        return discrepancies

    @api.model
    def _free_lots(self, move):
        """Rename serial numbers that are already in quarantine.

        Odoo allows a serial number only once per location, but the goods are here.
        """
        if move.product_id.tracking != 'serial':
            return
        # Lot by lot: such goods are the exception, with few numbers each.
        for line in move.move_line_ids.filtered('lot_id'):
            quants = self.env['stock.quant'].search(
                [
                    ('lot_id', '=', line.lot_id.id),
                    ('location_id', 'in', (line.location_id | line.location_dest_id).ids),
                ]
            )
            counted = self.env['stock.move.line'].search_count(
                [
                    ('id', '!=', line.id),
                    ('lot_id', '=', line.lot_id.id),
                    ('location_dest_id', '=', line.location_dest_id.id),
                    ('picked', '=', True),
                    ('state', 'not in', ('done', 'cancel')),
                ],
                limit=1,
            )
            taken = counted or any(
                (quant.location_id == line.location_dest_id and quant.quantity > 0)
                or (quant.location_id == line.location_id and quant.quantity < 0)
                for quant in quants
            )
            if taken:
                name = f"{line.lot_id.name} · {move.sale_return_discrepancy_id.name}"
                line.lot_id = self.env['sale.return.lots']._get_or_create_lot(
                    move.product_id, name, move.company_id
                )
