from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import clean_context


class SaleReturnReception(models.AbstractModel):
    """Service: expect returned goods, and say what to do when they have come.

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
        # sudo: approvers need no rights in Inventory; the caller has checked their own.
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
        """Say which delivery moves the lines undo, the oldest delivery first.

        :param lines: `sale.return.line` records.
        :return: `{line: [(delivery move, quantity in the unit of that move)]}`; the move is empty
            for what no delivery is left of.
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
            parts = []
            uom = line.product_id.uom_id
            # What has come, or comes with a receipt made by hand, needs no other one.
            wanted = line.product_uom_id._compute_quantity(
                line._get_qty_missing(), uom, rounding_method='HALF-UP'
            ) - sum(
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
        """Return what of a delivery is still at the customer's, in the unit of the product."""
        uom = move.product_id.uom_id

        def convert(some_move):
            quantity = (
                some_move.quantity if some_move.state == 'done' else some_move.product_uom_qty
            )
            return some_move.product_uom._compute_quantity(quantity, uom, rounding_method='HALF-UP')

        back = move.returned_move_ids.filtered(lambda m: m.state != 'cancel')
        return convert(move) - sum(convert(m) for m in back)

    @api.model
    def _prepare_receipt_vals(self, sale_return, origins):
        """Prepare the receipt of one return. Override to add values.

        :param sale_return: one `sale.return`.
        :param dict origins: what `_allocate_origins` gave.
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
        return {
            'product_id': line.product_id.id,
            'product_uom_qty': quantity,
            'product_uom': line.product_id.uom_id.id,
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

    @api.model
    def _cancel_open_receipts(self, returns):
        """Cancel the receipt moves of returns that were not done."""
        # sudo: the desk that cancels a return needs no rights in Inventory; the caller has
        # checked its own.
        moves = returns.sudo().line_ids.move_ids.filtered(
            lambda move: move.state not in ('done', 'cancel') and move._is_sale_return_receipt()
        )
        moves._action_cancel()

    # === ADOPT === #

    @api.model
    def _adopt_moves(self, moves, reason=None, resolution='refund'):
        """Leave a return behind for goods that come back without one.

        The return is decided on like any other: goods may always be received, but nothing is
        credited and nothing leaves quarantine before it is approved.

        :param moves: `stock.move` records.
        :param reason: `sale.return.reason` of the new lines, by default `reason_other`.
        :param str resolution: resolution of the new lines.
        :return: the new returns, one per receipt and customer.
        :rtype: sale.return
        :raise UserError: when more comes back than was delivered.
        """
        moves = moves.filtered(lambda move: move._is_adoptable())
        if not moves:
            return self.env['sale.return']
        # sudo: whoever receives goods in Inventory need not be a user of Returns.
        moves = moves.sudo()
        reason = (reason or self.env.ref('sale_return.reason_other')).sudo()
        groups = moves.grouped(
            lambda move: (
                move.picking_id,
                move._get_returned_sale_line().order_id.partner_id.commercial_partner_id,
            )
        )
        returns = (
            self.env['sale.return']
            .sudo()
            .create(
                [self._prepare_adopted_vals(group, reason, resolution) for group in groups.values()]
            )
        )
        for sale_return, group in zip(returns, groups.values(), strict=True):
            for line in sale_return.line_ids:
                mine = group.filtered(
                    lambda m, l=line: m._get_returned_sale_line() == l.sale_line_id
                )
                mine.write({'sale_return_line_id': line.id, 'sale_line_id': line.sale_line_id.id})
        returns.action_submit()
        return returns

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
            quantity = sum(
                move.product_uom._compute_quantity(
                    move.quantity or move.product_uom_qty,
                    sale_line.product_uom_id,
                    rounding_method='HALF-UP',
                )
                for move in group
            )
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

    # === RECEIVED === #

    @api.model
    def _after_receipt(self, moves):
        """Follow up on receipt moves that were just done.

        :param moves: done `stock.move` records with a return line.
        """
        lines = moves.sale_return_line_id
        self.env['sale.return.event']._log(
            [
                {
                    'return_id': move.sale_return_line_id.return_id.id,
                    'line_id': move.sale_return_line_id.id,
                    'kind': 'received',
                    'details': f"{move.quantity:g} {move.product_uom.name} · "
                    f"{move.product_id.display_name} · {move.picking_id.name}",
                }
                for move in moves
            ]
        )
        # sudo: the operator who validates a receipt need not be a user of Returns.
        lines = lines.sudo()
        lines._note_uninvoiced(
            {
                line: line._get_done_quantity(group)
                for line, group in moves.sudo().grouped('sale_return_line_id').items()
            }
        )
        self._inspect_automatically(lines)
        lines.return_id._after_step()

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
        # What was received and given back is expected again.
        self._create_receipts(undone.filtered(lambda r: r.state == 'approved'))

    @api.model
    def _inspect_automatically(self, lines):
        """Send received goods the default way where the policy asks for no inspection."""
        disposal = self.env['sale.return.disposal']
        # sudo: the operator who validates a receipt need not be an inspector; here the policy
        # decides, not he.
        lines = lines.sudo().filtered(
            lambda line: line.state == 'approved' and not line.policy_id.inspection_required
        )
        open_quantities = self.env['sale.return.quarantine']._get_open_quantities(lines)
        results = [
            {
                'line_id': line.id,
                'quantity': quantity,
                'lot': lot.id,
                'disposition': line.policy_id.default_disposition_id,
            }
            for line, by_lot in open_quantities.items()
            for lot, quantity in by_lot.items()
        ]
        if not results:
            return
        try:
            with self.env.cr.savepoint():
                disposal._register_results(lines, results)
        except UserError as error:
            # What has arrived is received whatever happens; a person has to look at it.
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
