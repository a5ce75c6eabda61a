from odoo import api, models

from ...const import OPEN_STATES


class SaleReturnReception(models.AbstractModel):
    """Service: let goods that come back by Odoo's own transfers count for a return."""

    _inherit = 'sale.return.reception'

    @api.model
    def _adopt_moves(self, moves, reason=None, resolution='refund', receiving=False):
        """Let goods that come back without a return count for one.

        First for open returns that wait for them, see `_match_open_returns`. The rest leaves a
        return behind that is decided on like any other: goods may always be received, but nothing
        is credited and nothing leaves quarantine before it is approved.

        :param moves: `stock.move` records.
        :param reason: `sale.return.reason` of the new lines, by default `reason_other`.
        :param str resolution: resolution of the new lines.
        :param bool receiving: True when the goods are here: what was not delivered is then kept
            as the customer's property, see `_leave_out_undelivered`. Otherwise it is refused to
            expect it.
        :return: the new returns, one per receipt and customer.
        :rtype: sale.return
        :raise UserError: when more is to come back than was delivered.
        """
        moves = moves.filtered(lambda move: move._is_adoptable())
        if not moves:
            return self.env['sale.return']
        # sudo: whoever receives goods in Inventory need not be a user of Returns.
        moves = self._match_open_returns(moves.sudo(), resolution)
        reason = (reason or self.env.ref('sale_return.reason_other')).sudo()
        if receiving:
            moves = self._leave_out_undelivered(moves, reason)
        if not moves:
            return self.env['sale.return']
        groups = self._group_by_customer(moves)
        vals_list = [
            self._prepare_adopted_vals(group, reason, resolution) for group in groups.values()
        ]
        if receiving:
            self._request_what_was_delivered(vals_list)
        # sudo: warehouse workers who receive goods need not be users of Returns.
        returns = self.env['sale.return'].sudo().create(vals_list)
        for sale_return, group in zip(returns, groups.values(), strict=True):
            for line in sale_return.line_ids:
                mine = group.filtered(
                    lambda m, l=line: m._get_returned_sale_line() == l.sale_line_id
                )
                mine.write({'sale_return_line_id': line.id, 'sale_line_id': line.sale_line_id.id})
        returns.action_submit()
        return returns

    @api.model
    def _group_by_customer(self, moves):
        """Group moves that leave one return behind: `{(receipt, customer): moves}`."""
        return moves.grouped(
            lambda move: (
                move.picking_id,
                move._get_returned_sale_line().order_id.partner_id.commercial_partner_id,
            )
        )

    @api.model
    def _request_what_was_delivered(self, vals_list):
        """Lower what new returns request to what was delivered; the rest is found as surplus."""
        for vals in vals_list:
            for line_vals in vals['line_ids']:
                # sudo: warehouse workers need not read orders.
                sale_line = self.env['sale.order.line'].sudo().browse(line_vals['sale_line_id'])
                line_vals['qty_requested'] = min(
                    line_vals['qty_requested'], sale_line.qty_returnable
                )

    @api.model
    def _match_open_returns(self, moves, resolution):
        """Let moves count for open returns that hold their order lines, the oldest return first.

        A move of more than what is held is split. What the returns had expected by receipts of
        their own is not expected there any more.

        :param moves: `stock.move` records without return line.
        :param str resolution: only return lines with this resolution.
        :return: the moves that belong to no open return.
        :rtype: stock.move
        """
        lines = (
            moves.env['sale.return.line']
            .search(
                [
                    ('sale_line_id', 'in', moves._get_returned_sale_lines().ids),
                    ('resolution', '=', resolution),
                    ('state', 'in', OPEN_STATES),
                    ('return_expected', '=', True),
                    ('qty_held', '>', 0),
                ],
                order='id',
            )
            .filtered(lambda line: line.product_id in moves.product_id)
        )
        if not lines:
            return moves
        lines.sale_line_id._take_return_counter()
        left = {line: self._get_qty_unclaimed(line) for line in lines}
        rest, todo = moves.browse(), list(moves)
        while todo:
            move = todo.pop(0)
            uom = move.product_id.uom_id
            sale_line = move._get_returned_sale_line()
            line = next(
                (
                    line
                    for line in lines
                    if line.sale_line_id == sale_line and uom.compare(left[line], 0.0) > 0
                ),
                None,
            )
            if line is None:
                rest |= move
                continue
            quantity = move.product_uom._compute_quantity(
                move.quantity or move.product_uom_qty, uom, rounding_method='HALF-UP'
            )
            if uom.compare(quantity, left[line]) > 0:
                todo.insert(0, self._split_quantity(move, quantity - left[line]))
                quantity = left[line]
            left[line] -= quantity
            # One write per move: each counts for a line of its own.
            move.write({'sale_return_line_id': line.id, 'sale_line_id': sale_line.id})
        self._cancel_unexpected(lines)
        return rest

    @api.model
    def _get_qty_unclaimed(self, line):
        """Return what a line expects and no transfer made by somebody else brings already."""
        others = line.move_ids.filtered(
            lambda move: (
                move.state not in ('done', 'cancel')
                and move._is_sale_return_receipt()
                and not move._is_made_by_return()
            )
        )
        return line._get_qty_receivable() - sum(others.mapped('product_qty'))

    @api.model
    def _split_quantity(self, move, quantity):
        """Split a quantity (unit of the product) off a move that is under way, demand and all."""
        parts, wanted = [], quantity
        for line in move.move_line_ids.sorted('id', reverse=True):
            part = min(wanted, line.quantity_product_uom)
            wanted -= part
            if move.product_id.uom_id.compare(part, 0.0) > 0:
                parts.append((line, part))
        # sudo: the new move is part of a transfer that is being validated.
        surplus = self.env['sale.return.surplus'].sudo()
        new_move = surplus._split_off(
            move,
            parts,
            {
                'sale_line_id': move.sale_line_id.id,
                'origin_returned_move_id': move.origin_returned_move_id.id,
                'to_refund': move.to_refund,
                'product_uom_qty': quantity,
                'product_uom': move.product_id.uom_id.id,
            },
            with_demand=True,
        )
        if move.state != 'draft':
            new_move._action_confirm(merge=False)
        return new_move

    @api.model
    def _leave_out_undelivered(self, moves, reason):
        """Keep what comes beyond what was delivered as the customer's property.

        Where the order line has a return, it is a discrepancy of the latest. Where nothing of it
        was ever delivered, it is one of a new return, which waits for somebody to look at it.

        :param moves: moves of goods that are here and belong to no return.
        :param reason: `sale.return.reason` of new lines.
        :return: the moves that can be returned.
        :rtype: stock.move
        """
        # sudo: as above.
        surplus = self.env['sale.return.surplus'].sudo()
        unknown = moves.browse()
        returnable = {
            line: line.product_uom_id._compute_quantity(
                line.qty_returnable, line.product_id.uom_id, rounding_method='HALF-UP'
            )
            for line in moves._get_returned_sale_lines()
        }
        partly = {line for line, quantity in returnable.items() if quantity > 0}
        findings = []
        for move in moves:
            sale_line = move._get_returned_sale_line()
            latest = sale_line.return_line_ids.sorted('id')[-1:]
            uom = sale_line.product_id.uom_id
            quantity = sale_line.product_uom_id._compute_quantity(
                self._get_adopted_quantity(sale_line, move), uom, rounding_method='HALF-UP'
            )
            excess = quantity - max(returnable[sale_line], 0.0)
            nothing_left = uom.compare(excess, quantity) >= 0
            returnable[sale_line] -= quantity
            if uom.compare(excess, 0.0) <= 0 or not nothing_left:
                continue  # the return that is made for the rest finds its surplus
            if latest:
                move.write(self._prepare_foreign_vals())
                findings.append(surplus._prepare_finding('over', move, latest))
                moves -= move
            elif sale_line not in partly:
                unknown |= move
        surplus._record(findings)
        self._keep_unknown(unknown, reason)
        return moves - unknown

    @api.model
    def _prepare_foreign_vals(self):
        """Prepare what takes a move off the order line it named."""
        return {'sale_line_id': False, 'origin_returned_move_id': False, 'move_orig_ids': False}

    @api.model
    def _keep_unknown(self, moves, reason):
        """Keep goods that name an order line of which nothing was delivered.

        They are the customer's property until somebody finds out where they come from: a return
        without order line, which no rule approves by itself, with a discrepancy for each move.

        :param moves: `stock.move` records that are about to be done.
        :param reason: `sale.return.reason` of the lines.
        :return: the new returns, one per receipt and customer.
        :rtype: sale.return
        """
        if not moves:
            return self.env['sale.return']
        surplus = self.env['sale.return.surplus'].sudo()  # sudo: as above
        groups = self._group_by_customer(moves).values()
        vals_list = [self._prepare_unknown_vals(group, reason) for group in groups]
        # sudo: warehouse workers who receive goods need not be users of Returns.
        returns = self.env['sale.return'].sudo().create(vals_list)
        findings = []
        for sale_return, group in zip(returns, groups, strict=True):
            sale_lines = {move: move._get_returned_sale_line() for move in group}
            group.write(self._prepare_foreign_vals())
            for move, sale_line in sale_lines.items():
                vals, _move = surplus._prepare_finding('wrong_product', move)
                # Proposed: it may be delivered by the time somebody decides on it.
                same = sale_line.product_id == move.product_id
                vals |= {
                    'return_id': sale_return.id,
                    'sale_line_id': same and sale_line.id,
                    'user_id': sale_return.user_id.id or self.env.uid,
                }
                findings.append((vals, move))
        surplus._record(findings)
        returns.action_submit()
        return returns

    @api.model
    def _prepare_unknown_vals(self, moves, reason):
        """Prepare the return of goods of which nothing was delivered. Override to add values."""
        quantities = {}
        for move in moves:
            quantity = move.product_uom._compute_quantity(
                move.quantity, move.product_id.uom_id, rounding_method='HALF-UP'
            )
            quantities[move.product_id] = quantities.get(move.product_id, 0.0) + quantity
        return {
            **self._prepare_adopted_vals(moves, reason, 'refund'),
            'line_ids': [
                {
                    'product_id': product.id,
                    'qty_requested': quantity,
                    'reason_id': reason.id,
                }
                for product, quantity in quantities.items()
            ],
        }

    @api.model
    def _prepare_adopted_vals(self, moves, reason, resolution):
        """Prepare the return of moves that have none. Override to add values.

        :param moves: `stock.move` records of one receipt and customer.
        :return: values for `sale.return.create`.
        :rtype: dict
        """
        line_vals = []
        by_sale_line = moves.grouped(lambda move: move._get_returned_sale_line())
        for sale_line, group in by_sale_line.items():
            quantity = self._get_adopted_quantity(sale_line, group)
            line_vals.append(
                {
                    'sale_line_id': sale_line.id,
                    'qty_requested': quantity,
                    'reason_id': reason.id,
                    'resolution': resolution,
                }
            )
        order = moves[0]._get_returned_sale_line().order_id
        return {
            'partner_id': order.partner_id.id,
            'company_id': order.company_id.id,
            'warehouse_id': (
                moves.picking_type_id.warehouse_id or moves.location_dest_id.warehouse_id
            )[:1].id,
            'user_id': order.user_id.id or self.env.uid,
            'line_ids': line_vals,
        }

    @api.model
    def _get_adopted_quantity(self, sale_line, moves):
        """Return what moves bring back of an order line, in its unit."""
        uom = sale_line.product_uom_id
        if sale_line._is_return_kit():
            share = sum(
                sale_line._get_kit_share(
                    move.product_id,
                    move.product_uom._compute_quantity(
                        move.quantity or move.product_uom_qty, move.product_id.uom_id, round=False
                    ),
                )
                for move in moves
            )
            # A small part is worth less than the smallest quantity there is.
            return max(uom.round(share), uom.rounding)
        return sum(
            move.product_uom._compute_quantity(
                move.quantity or move.product_uom_qty, uom, rounding_method='HALF-UP'
            )
            for move in moves
        )
