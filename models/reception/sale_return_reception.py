from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import clean_context

from ...const import OPEN_STATES


class SaleReturnReception(models.AbstractModel):
    """Service: expect returned goods, and follow up when they have come.

    delivery move (done)        WH/Stock ──► Customers
          ▲ origin_returned_move_id
    receipt move                             Customers ──► Quarantine
    """

    _name = 'sale.return.reception'

    _description = "Return Reception"

    # === EXPECT === #

    @api.model
    def _create_receipts(self, returns):
        """Create exactly one receipt for each return that expects goods, all in one call.

        :param returns: approved `sale.return` records without receipt.
        :return: the new receipts.
        :rtype: stock.picking
        """
        # sudo: approvers need no rights in Inventory; the caller has checked their role.
        service = self.sudo().with_context(clean_context(self.env.context))
        vals_list = []
        for company, group in returns.with_env(service.env).grouped('company_id').items():
            origins = service._allocate_origins(group.line_ids)
            here = service.with_company(company)
            vals_list += [
                vals
                for sale_return in group
                if (vals := here._prepare_receipt_vals(sale_return, origins))
            ]
        receipts = service.env['stock.picking'].create(vals_list)
        receipts.action_confirm()
        # Moves with an origin wait for it, although it is done long ago.
        receipts.move_ids._action_assign()
        service.env['sale.return.lots']._propose(receipts.move_ids)
        self.env['sale.return.event']._log(
            [
                {
                    'return_id': receipt.sale_return_id.id,
                    'kind': 'receipt_created',
                    'details': receipt.name,
                }
                for receipt in receipts
            ]
        )
        return receipts

    @api.model
    def _allocate_origins(self, lines):
        """Return which delivery moves the lines undo, the oldest delivery first.

        :param lines: `sale.return.line` records.
        :return: `{line: [(delivery move, quantity in the unit of its product)]}`; the move is empty
            for quantities without a remaining delivery.
        :rtype: dict
        """
        lines = lines.filtered('return_expected')
        left_by_move = {
            move: self._get_qty_left_at_customer(move)
            for move in lines.sale_line_id.move_ids
            if move.state == 'done' and move.location_dest_id._is_at_customer()
        }
        allocation = {}
        for line in lines.sorted('id'):
            if line.sale_line_id._is_return_kit():
                kits = self.env['sale.return.kit']
                allocation[line] = kits._allocate_origins(line, left_by_move)
                continue
            parts = []
            uom = line.product_id.uom_id
            # Goods that have come, or come with a receipt made by hand, need no other receipt.
            wanted = line._get_measure().to_stock(line._get_qty_missing()) - sum(
                move.product_qty
                for move in line.move_ids
                if move.state not in ('done', 'cancel') and move._is_sale_return_receipt()
            )
            for move, left in sorted(left_by_move.items(), key=lambda i: (i[0].date, i[0].id)):
                if move.sale_line_id != line.sale_line_id or uom.compare(wanted, 0.0) <= 0:
                    continue
                part = min(wanted, left)
                if uom.compare(part, 0.0) > 0:
                    parts.append((move, part))
                    left_by_move[move] -= part
                    wanted -= part
            if uom.compare(wanted, 0.0) > 0:
                parts.append((self.env['stock.move'], wanted))
            allocation[line] = parts
        return allocation

    @api.model
    def _get_qty_left_at_customer(self, move):
        """Return what is still with the customer of a delivery, in the unit of the product."""
        uom = move.product_id.uom_id

        def convert(some_move):
            quantity = (
                some_move.quantity if some_move.state == 'done' else some_move.product_uom_qty
            )
            return some_move.product_uom._compute_quantity(quantity, uom, rounding_method='HALF-UP')

        back = move.returned_move_ids.filtered(lambda m: m.state != 'cancel')
        return convert(move) - sum(convert(m) for m in back)

    @api.model
    def _get_origins_left(self, sale_line, lot=None):
        """Return the delivery moves whose goods may still come back, the oldest first.

        :param sale_line: `sale.order.line`.
        :param lot: `stock.lot`: deliveries of this lot come first.
        :return: `[(delivery move, quantity left in the unit of the product)]`
        :rtype: list
        """
        moves = sale_line.move_ids.filtered(
            lambda move: (
                move.state == 'done'
                and move.product_id == sale_line.product_id
                and move.location_dest_id._is_at_customer()
                and not move.location_id._is_at_customer()
            )
        )
        moves = moves.sorted(
            lambda move: (bool(lot) and lot not in move.move_line_ids.lot_id, move.date, move.id)
        )
        return [(move, self._get_qty_left_at_customer(move)) for move in moves]

    @api.model
    def _prepare_receipt_vals(self, sale_return, origins):
        """Prepare the receipt of one return. Override to add values.

        :param sale_return: one `sale.return`.
        :param dict origins: as returned by `_allocate_origins`.
        :return: values for `stock.picking.create`, empty when nothing is expected.
        :rtype: dict
        """
        lines = sale_return.line_ids.filtered(origins.get)
        if not lines:
            return {}
        picking_type = sale_return.warehouse_id.sale_return_type_id
        first = next((move for line in lines for move, _qty in origins[line]), None)
        source = first.location_dest_id or picking_type.default_location_src_id
        return {
            'picking_type_id': picking_type.id,
            'partner_id': sale_return.partner_id.id,
            'origin': sale_return.name,
            'company_id': sale_return.company_id.id,
            'location_id': source.id,
            'location_dest_id': sale_return.warehouse_id.sale_return_loc_id.id,
            'return_id': first.picking_id.id,
            'move_ids': [
                Command.create(self._prepare_receipt_move_vals(line, move, quantity))
                for line in lines
                for move, quantity in origins[line]
            ],
        }

    @api.model
    def _prepare_receipt_move_vals(self, line, origin, quantity):
        """Prepare one move of a receipt. Override to add values.

        :param line: one `sale.return.line`.
        :param origin: the delivery move it undoes, empty if there is none.
        :param float quantity: in the unit of the product.
        :return: values for `stock.move.create`.
        :rtype: dict
        """
        warehouse = line.return_id.warehouse_id
        picking_type = warehouse.sale_return_type_id
        source = origin.location_dest_id or picking_type.default_location_src_id
        product = origin.product_id or line.product_id  # kits come back as their components
        vals = {
            'product_id': product.id,
            'product_uom_qty': quantity,
            'product_uom': product.uom_id.id,
            'picking_type_id': picking_type.id,
            'warehouse_id': warehouse.id,
            'company_id': line.company_id.id,
            'partner_id': line.partner_id.id,
            'location_id': source.id,
            'location_dest_id': warehouse.sale_return_loc_id.id,
            'procure_method': 'make_to_stock',
            'origin': line.return_id.name,
            'origin_returned_move_id': origin.id,
            # Proposes the lots and serials that were delivered.
            'move_orig_ids': [Command.set(origin.ids)],
            'reference_ids': [Command.set(origin.reference_ids.ids)],
            'sale_line_id': line.sale_line_id.id,
            'sale_return_line_id': line.id,
            'to_refund': True,
        }
        if 'bom_line_id' in origin:
            vals['bom_line_id'] = origin.bom_line_id.id
        return vals

    @api.model
    def _cancel_open_receipts(self, returns):
        """Cancel the receipt moves of returns that were not done."""
        # sudo: users who cancel a return need no rights in Inventory; the caller has checked their
        # role.
        moves = returns.sudo().line_ids.move_ids.filtered(
            lambda move: move.state not in ('done', 'cancel') and move._is_sale_return_receipt()
        )
        moves._action_cancel()

    @api.model
    def _cancel_unexpected(self, lines):
        """Remove from open receipts what lines do not expect any more, the newest ones first.

        Happens when the quantity of a done receipt is raised, the goods came by another transfer,
        or what is missing is written off.

        :param lines: `sale.return.line` records.
        """
        # sudo: users who receive goods or decide on them may have no rights in Inventory.
        for line in lines.sudo().filtered('return_expected'):
            opened = line.move_ids.filtered(
                lambda move, line=line: (
                    move.state not in ('done', 'cancel')
                    and move._is_sale_return_receipt()
                    and move.product_id == line.product_id
                )
            )
            uom = line.product_id.uom_id
            excess = sum(opened.mapped('product_qty')) - line._get_qty_receivable()
            # A quantity on another transfer was entered on purpose; ours is only an expectation.
            for move in opened.sorted(lambda m: (m._is_made_by_return(), m.id), reverse=True):
                if uom.compare(excess, 0.0) <= 0:
                    break
                part = min(excess, move.product_qty)
                excess -= part
                self._lower_demand(move, part)

    @api.model
    def _lower_demand(self, move, quantity):
        """Take a quantity (unit of the product) off what a receipt move expects."""
        if move.product_id.uom_id.compare(quantity, move.product_qty) >= 0:
            move._action_cancel()
            return
        if not move.picked:  # quantities that somebody has counted are kept
            move._do_unreserve()
        move.product_uom_qty -= move.product_id.uom_id._compute_quantity(
            quantity, move.product_uom, rounding_method='HALF-UP'
        )
        if not move.picked:
            move._action_assign()
            self.env['sale.return.lots']._propose(move)

    # === RECEIVED === #

    @api.model
    def _after_receipt(self, moves):
        """Follow up on receipt moves that were just done.

        :param moves: done `stock.move` records with a return line.
        """
        # sudo: the operator who validates a receipt need not be a user of Returns.
        moves = moves.sudo()
        lines = moves.sale_return_line_id
        self.env['sale.return.event']._log(
            [
                {
                    'return_id': move.sale_return_line_id.return_id.id,
                    'line_id': move.sale_return_line_id.id,
                    'kind': 'received',
                    'details': f"{move.product_uom._say(move.quantity)} · "
                    f"{move.product_id.display_name} · {move.picking_id.name}",
                }
                for move in moves
            ]
        )
        self.env['sale.return.kit']._after_receipt(lines)
        lines._note_uninvoiced(
            {
                line: line._get_done_quantity(group)
                for line, group in moves.grouped('sale_return_line_id').items()
            }
        )
        self._cancel_unexpected(lines)
        self._inspect_automatically(lines)
        lines.return_id._after_step()

    @api.model
    def _record_missing(self, moves):
        """Record what is missing when a receipt is done without a backorder for the rest.

        :param moves: receipt moves, the ones that were cancelled with it included.
        """
        # sudo: the operator need not be a user of Returns.
        vals_list = []
        for line, group in moves.sudo().grouped('sale_return_line_id').items():
            missing = line._get_qty_missing()
            waiting = line.move_ids.filtered(
                lambda move: move.state not in ('done', 'cancel') and move._is_sale_return_receipt()
            )
            known = line.discrepancy_ids.filtered(
                lambda d: d.state == 'open' and d.kind in ('short', 'empty')
            )
            if waiting or known or line._get_measure().compare(missing, 0.0) <= 0:
                continue
            vals_list.append(self._prepare_missing_vals(line, missing, group.picking_id[:1]))
        self.env['sale.return.discrepancy']._create_found(vals_list)

    @api.model
    def _prepare_missing_vals(self, line, quantity, picking):
        """Prepare the discrepancy of goods that did not come. Override to add values.

        :param line: `sale.return.line`.
        :param float quantity: in the unit of the line.
        :param picking: the receipt that should have brought them.
        :return: values for `sale.return.discrepancy.create`.
        :rtype: dict
        """
        return {
            'kind': 'short',
            'return_id': line.return_id.id,
            'line_id': line.id,
            'picking_id': picking.id,
            'product_id': line.product_id.id,
            'quantity': quantity,
            'product_uom_id': line.product_uom_id.id,
            'user_id': line.return_id._get_user_in_charge().id,
        }

    @api.model
    def _after_undo(self, moves):
        """Follow up on moves that took received goods to the customer again.

        :param moves: `stock.move` records whose origin is a receipt: receipts that are undone, and
            rejected goods that are sent back.
        """
        # sudo: the operator who validates a transfer need not be a user of Returns.
        moves = moves.sudo()
        returns = moves.origin_returned_move_id.sale_return_line_id.return_id
        returns._after_step()
        undone = moves.filtered(
            lambda move: move.state == 'done' and not move.sale_return_inspection_id
        ).origin_returned_move_id.sale_return_line_id.return_id
        # Goods that were received and given back are expected again.
        self._create_receipts(undone.filtered(lambda r: r.state == 'approved'))

    @api.model
    def _inspect_automatically(self, lines):
        """Apply the default disposition where the policy requires no inspection."""
        disposal = self.env['sale.return.disposal']
        # sudo: the operator who validates a receipt need not be an inspector; here the policy
        # decides, not the operator.
        lines = lines.sudo().filtered(
            lambda line: line.state == 'approved' and not line.policy_id.inspection_required
        )
        open_results = self.env['sale.return.quarantine']._get_open_results(lines)
        results = [
            {
                **result,
                # A disposition archived since is not applied automatically: a person has to decide.
                'disposition': lines.browse(
                    result['line_id']
                ).policy_id.default_disposition_id.filtered('active'),
            }
            for result in open_results
        ]
        if not results:
            return
        try:
            with self.env.cr.savepoint():
                disposal._register_results(lines, results)
        except UserError as error:
            # Goods that have arrived are received in any case; a person has to look at the failure.
            self.env['sale.return.event']._log(
                [
                    {
                        'return_id': sale_return.id,
                        'kind': 'inspection_failed',
                        'reason': str(error.args[0]),
                    }
                    for sale_return in lines.return_id
                ]
            )

    # === ADOPTION === #

    # Service: assign goods that come back by Odoo's own transfers to a return.

    @api.model
    def _adopt_moves(self, moves, reason=None, resolution='refund', receiving=False):
        """Assign goods that come back without a return to one.

        Open returns that expect them come first, see `_match_open_returns`. The rest gets a new
        return that is decided like any other: goods may always be received, but nothing is credited
        and nothing leaves quarantine before it is approved.

        :param moves: `stock.move` records.
        :param reason: `sale.return.reason` of the new lines, by default `reason_other`.
        :param str resolution: resolution of the new lines.
        :param bool receiving: True when the goods are here: what was not delivered is then kept as
            the customer's property, see `_leave_out_undelivered`. Otherwise an error is raised.
        :return: the new returns, one per receipt and customer.
        :rtype: sale.return
        :raise UserError: when more is to come back than was delivered.
        """
        moves = moves.filtered(lambda move: move._is_adoptable())
        if not moves:
            return self.env['sale.return']
        # sudo: users who receive goods in Inventory need not be users of Returns.
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
        """Group moves that get one return: `{(receipt, customer): moves}`."""
        return moves.grouped(
            lambda move: (
                move.picking_id,
                move._get_returned_sale_line().order_id.partner_id.commercial_partner_id,
            )
        )

    @api.model
    def _request_what_was_delivered(self, vals_list):
        """Limit what new returns request to what was delivered; the rest is recorded as surplus."""
        for vals in vals_list:
            for line_vals in vals['line_ids']:
                # sudo: warehouse workers need not read orders.
                sale_line = self.env['sale.order.line'].sudo().browse(line_vals['sale_line_id'])
                line_vals['qty_requested'] = min(
                    line_vals['qty_requested'], sale_line.qty_returnable
                )

    @api.model
    def _match_open_returns(self, moves, resolution):
        """Assign moves to open returns that hold their order lines, the oldest return first.

        A move of more than the held quantity is split. The returns' own receipts no longer expect
        these goods.

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
            # One write per move: each belongs to its own line.
            move.write({'sale_return_line_id': line.id, 'sale_line_id': sale_line.id})
        self._cancel_unexpected(lines)
        return rest

    @api.model
    def _get_qty_unclaimed(self, line):
        """Return what a line expects beyond transfers made by somebody else."""
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
        """Split a quantity (unit of the product) off a move under way, including its demand."""
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
        """Keep goods beyond what was delivered as the customer's property.

        Where the order line has a return, they are a discrepancy of the latest one. Where nothing
        was ever delivered, they are a discrepancy of a new return, which waits for somebody to
        check it.

        :param moves: moves of goods that are here and belong to no return.
        :param reason: `sale.return.reason` of new lines.
        :return: the moves that can be returned.
        :rtype: stock.move
        """
        # sudo: as above.
        surplus = self.env['sale.return.surplus'].sudo()
        unknown = moves.browse()
        returnable = {
            line: line._get_return_measure().to_stock(line.qty_returnable)
            for line in moves._get_returned_sale_lines()
        }
        partly = {line for line, quantity in returnable.items() if quantity > 0}
        findings = []
        for move in moves:
            sale_line = move._get_returned_sale_line()
            latest = sale_line.return_line_ids.sorted('id')[-1:]
            uom = sale_line.product_id.uom_id
            quantity = sale_line._get_return_measure().to_stock(
                self._get_adopted_quantity(sale_line, move)
            )
            excess = quantity - max(returnable[sale_line], 0.0)
            nothing_left = uom.compare(excess, quantity) >= 0
            returnable[sale_line] -= quantity
            if uom.compare(excess, 0.0) <= 0 or not nothing_left:
                continue  # the return created for the rest finds its surplus
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
        """Prepare values that detach a move from its order line."""
        return {'sale_line_id': False, 'origin_returned_move_id': False, 'move_orig_ids': False}

    @api.model
    def _keep_unknown(self, moves, reason):
        """Keep goods for an order line of which nothing was delivered.

        They are the customer's property until somebody finds out where they come from: a return
        without order line, which no rule approves automatically, with a discrepancy for each move.

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
                # Only proposed: the line may be delivered by the time somebody decides.
                same = sale_line.product_id == move.product_id
                vals |= {
                    'return_id': sale_return.id,
                    'sale_line_id': same and sale_line.id,
                    'user_id': sale_return._get_user_in_charge().id,
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
            'user_id': order.user_id.filtered('active').id or self.env.uid,
            'line_ids': line_vals,
        }

    @api.model
    def _get_adopted_quantity(self, sale_line, moves):
        """Return what moves bring back of an order line, in its unit."""
        measure = sale_line._get_return_measure()
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
            # A small component may be less than the smallest quantity of the kit.
            return max(measure.round(share), measure.rounding)
        return measure.from_stock(
            sum(
                move.product_uom._compute_quantity(
                    move.quantity or move.product_uom_qty,
                    move.product_id.uom_id,
                    rounding_method='HALF-UP',
                )
                for move in moves
            )
        )
