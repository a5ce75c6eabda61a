from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command


class SaleReturnCustody(models.AbstractModel):
    """Service: move goods in quarantine that are the property of customers.

    Goods change owner by leaving on paper as the customer's and coming in as ours: only this way
    does Odoo value them.
    """

    _name = 'sale.return.custody'
    _description = "Custody of Customers' Goods"

    # === RECEIVE === #

    @api.model
    def _receive(self, discrepancies):
        """Receive foreign goods into quarantine as the property of their customers.

        :param discrepancies: new `sale.return.discrepancy` records.
        """
        surplus = self.env['sale.return.surplus']
        # One transfer each, so that unrelated goods are not mixed.
        transfers = self.env['stock.picking'].create(
            [self._prepare_intake_vals(record) for record in discrepancies]
        )
        self._reserve(transfers.move_ids)
        for move in transfers.move_ids:
            surplus._free_lots(move)
        transfers.move_ids.picked = True
        transfers._action_done()
        for record in discrepancies:
            record._write_facts({'picking_id': record.move_ids.picking_id[:1].id})

    @api.model
    def _prepare_intake_vals(self, discrepancy):
        """Prepare the transfer that brings foreign goods. Override to add values."""
        warehouse = discrepancy.return_id.warehouse_id
        picking_type, owner_id = warehouse.sale_return_type_id, discrepancy.partner_id.id
        source = picking_type.default_location_src_id
        destination = warehouse.sale_return_loc_id
        vals = self._prepare_move_vals(
            discrepancy,
            source,
            destination,
            self._get_released(discrepancy),
            discrepancy.lot_id,
        )
        vals['restrict_partner_id'] = vals['move_line_ids'][0][2]['owner_id'] = owner_id
        return {
            'picking_type_id': picking_type.id,
            'partner_id': owner_id,
            'company_id': discrepancy.company_id.id,
            'origin': f"{discrepancy.return_id.name}, {discrepancy.name}",
            'location_id': source.id,
            'location_dest_id': destination.id,
            'move_ids': [Command.create(vals | {'picking_type_id': picking_type.id})],
        }

    # === ACCEPT === #

    @api.model
    def _accept(self, discrepancies):
        """Make foreign goods ours: as returned goods of an order line, or as found goods.

        :param discrepancies: `sale.return.discrepancy` records of goods that are here.
        :raise UserError: when that much was not delivered for an order line.
        """
        if not discrepancies:
            return
        returned = discrepancies.filtered('sale_line_id')
        self._ensure_delivered(returned)
        self._release(discrepancies)
        self._receive_as_returned(returned)
        self._receive_as_found(discrepancies - returned)

    @api.model
    def _ensure_delivered(self, discrepancies):
        """Refuse to accept for an order line what was not delivered with it."""
        lots = self.env['sale.return.lots']._get_lots_at_customer(discrepancies.sale_line_id)
        for record in discrepancies:
            sale_line = record.sale_line_id
            if (
                sale_line.product_id != record.product_id
                or sale_line.company_id != record.company_id
                or not record.return_id._owns_goods_of(sale_line.order_id)
            ):
                raise UserError(
                    self.env._(
                        "%(product)s of %(name)s was not sold to %(customer)s with order line "
                        "%(line)s. Choose another one, or none.",
                        product=record.product_id.display_name,
                        name=record.name,
                        customer=record.partner_id.display_name,
                        line=sale_line.display_name,
                    )
                )
            there = lots[sale_line, record.product_id]
            left = sum(max(there.get(lot_id, 0.0), 0.0) for lot_id in (record.lot_id.id, False))
            uom = record.product_id.uom_id
            if record.lot_id and uom.compare(left, self._get_released(record)) < 0:
                raise UserError(
                    self.env._(
                        "%(lot)s was not delivered with %(line)s in this quantity. If it was "
                        "delivered by mistake, correct the delivery first; or accept it without"
                        " an order line.",
                        lot=record.lot_id.name,
                        line=sale_line.display_name,
                    )
                )

    @api.model
    def _receive_as_returned(self, discrepancies):
        """Receive goods for their order lines, with the origin that gives them their value.

        Surplus of a return line is authorized there; other order lines get a separate return, which
        is decided like any other.
        """
        discrepancies.sale_line_id._take_return_counter()
        for record in discrepancies:
            line = record.line_id
            if line.sale_line_id == record.sale_line_id:
                self._authorize_more(line, record._get_line_quantity() - line._get_qty_missing())
        discrepancies.line_id.sale_line_id._check_return_quantities()
        # One after the other: each sees what the ones before have used of the deliveries.
        for record in discrepancies:
            self._finish(self.env['stock.picking'].create(self._prepare_receipt_vals(record)))

    @api.model
    def _authorize_more(self, line, quantity):
        """Authorize on a line what came beyond its expected quantity, in its unit."""
        if line._get_measure().compare(quantity, 0.0) <= 0:
            return
        in_steps = line._get_measure().round
        vals = {'qty_requested': in_steps(line.qty_requested + quantity)}
        if line.return_id.state in ('approved', 'closed'):
            vals['qty_authorized'] = in_steps(line.qty_authorized + quantity)
        line._write_facts(vals)

    @api.model
    def _prepare_receipt_vals(self, discrepancy):
        """Prepare the receipt of accepted goods. Override to add values."""
        warehouse = discrepancy.return_id.warehouse_id
        reception = self.env['sale.return.reception']
        line, sale_line = discrepancy.line_id, discrepancy.sale_line_id
        if line.sale_line_id != sale_line:
            line = line.browse()
        origins = reception._get_origins_left(sale_line, discrepancy.lot_id)
        moves, wanted = [], self._get_released(discrepancy)
        for origin, left in origins:
            part = min(left, wanted)
            if discrepancy.product_id.uom_id.compare(part, 0.0) > 0:
                wanted -= part
                moves.append(
                    self._prepare_move_vals(
                        discrepancy,
                        origin.location_dest_id,
                        warehouse.sale_return_loc_id,
                        part,
                        discrepancy.lot_id,
                    )
                    | {
                        'picking_type_id': warehouse.sale_return_type_id.id,
                        'warehouse_id': warehouse.id,
                        'origin_returned_move_id': origin.id,
                        'sale_line_id': sale_line.id,
                        'sale_return_line_id': line.id,
                        'to_refund': True,
                    }
                )
        if discrepancy.product_id.uom_id.compare(wanted, 0.0) > 0:
            raise UserError(
                self.env._(
                    "%(quantity)s of %(name)s cannot be accepted for %(line)s: this quantity "
                    "was not delivered, or is already back. Send it back, or accept it without "
                    "order line.",
                    quantity=wanted,
                    name=discrepancy.display_name,
                    line=sale_line.display_name,
                )
            )
        return {
            'picking_type_id': warehouse.sale_return_type_id.id,
            'partner_id': discrepancy.partner_id.id,
            'company_id': discrepancy.company_id.id,
            'origin': f"{discrepancy.return_id.name}, {discrepancy.name}",
            'location_id': origins[0][0].location_dest_id.id,
            'location_dest_id': warehouse.sale_return_loc_id.id,
            'move_ids': [Command.create(vals) for vals in moves],
        }

    @api.model
    def _receive_as_found(self, discrepancies):
        """Receive goods we never sold as ours, at a value of 0.00: we paid nothing for them.

        Products with a standard cost always have that value, so the account of scrapped returns
        takes the difference, as it does when goods are scrapped.
        """
        vals_list = []
        for record in discrepancies:
            self._ensure_account(record)
            source = self._get_intake(record).location_id[:1]
            if self._has_standard_cost(record):
                source = record.company_id._get_sale_return_scrap_location()
            vals_list.append(
                self._prepare_move_vals(
                    record,
                    source,
                    record.return_id.warehouse_id.sale_return_loc_id,
                    self._get_released(record),
                    self._get_goods_lot(record),
                )
            )
        moves = self.env['stock.move'].create(vals_list)
        # Set before the moves are done, or their value would be the cost of the product.
        self.env['product.value'].create(
            [
                {'move_id': move.id, 'value': 0.0, 'company_id': record.company_id.id}
                for record, move in zip(discrepancies, moves, strict=True)
                if not self._has_standard_cost(record)
            ]
        )
        self._finish_moves(moves)

    @api.model
    def _has_standard_cost(self, discrepancy):
        return self._get_product(discrepancy).cost_method == 'standard'

    @api.model
    def _get_product(self, discrepancy):
        """Return the product, with the costs of the company."""
        return discrepancy.product_id.with_company(discrepancy.company_id)

    @api.model
    def _ensure_account(self, discrepancy):
        """Refuse found goods of standard cost if they could not be booked in the ledger."""
        product = self._get_product(discrepancy)
        if (
            product.valuation == 'real_time'
            and product.cost_method == 'standard'
            and not discrepancy.company_id.sale_return_scrap_account_id
        ):
            raise UserError(
                self.env._(
                    "%(product)s cannot become ours: company %(company)s has no account for "
                    "scrapped returns. Set it in the settings of Returns, or its value would be"
                    " missing in the ledger.",
                    product=product.display_name,
                    company=discrepancy.company_id.name,
                )
            )

    # === LEAVE === #

    @api.model
    def _release(self, discrepancies):
        """Take goods out of custody on paper, back to the customer they belong to."""
        moves = self.env['stock.move'].create(
            [
                self._prepare_leaving_vals(record, self._get_intake(record).location_id[:1])
                for record in discrepancies
            ]
        )
        self._finish_moves(moves)

    @api.model
    def _scrap(self, discrepancies):
        """Scrap goods of customers. They are not ours, so nothing is booked."""
        if not discrepancies:
            return
        moves = self.env['stock.move'].create(
            [
                self._prepare_leaving_vals(
                    record, record.company_id._get_sale_return_scrap_location()
                )
                for record in discrepancies
            ]
        )
        self._finish_moves(moves)

    @api.model
    def _send_back(self, discrepancies):
        """Prepare deliveries that take foreign goods back to their owners, ready to ship."""
        vals_list = []
        # One delivery per return: each goes to its own customer.
        for sale_return, group in discrepancies.grouped('return_id').items():
            warehouse = sale_return.warehouse_id
            partner = sale_return._get_delivery_address()
            location = partner.with_company(sale_return.company_id).property_stock_customer
            vals_list.append(
                {
                    'picking_type_id': warehouse.out_type_id.id,
                    'partner_id': partner.id,
                    'company_id': sale_return.company_id.id,
                    'origin': ", ".join([sale_return.name, *group.mapped('name')]),
                    'location_id': warehouse.sale_return_loc_id.id,
                    'location_dest_id': location.id,
                    'move_ids': [
                        Command.create(
                            self._prepare_leaving_vals(record, location)
                            | {'picking_type_id': warehouse.out_type_id.id}
                        )
                        for record in group
                    ],
                }
            )
        self._reserve(self.env['stock.picking'].create(vals_list).move_ids)

    # === MOVES === #

    @api.model
    def _get_intake(self, discrepancy):
        """Return the moves that brought the goods as the customer's property."""
        return discrepancy.move_ids.filtered(
            lambda move: (
                move.state == 'done'
                and not move.sale_return_line_id
                and move.location_id._is_at_customer()
            )
        )

    @api.model
    def _get_released(self, discrepancy):
        """Return what was in custody, in the unit of the product."""
        uom = discrepancy.product_id.uom_id
        return discrepancy.product_uom_id._compute_quantity(
            discrepancy.quantity, uom, rounding_method='HALF-UP'
        )

    @api.model
    def _prepare_leaving_vals(self, discrepancy, location_dest):
        """Prepare the move that takes goods out of custody. Override to add values."""
        vals = self._prepare_move_vals(
            discrepancy,
            # The actual location of the goods, which may be a shelf of the quarantine.
            self._get_intake(discrepancy).move_line_ids.location_dest_id[:1],
            location_dest,
            discrepancy.qty_here,
            self._get_goods_lot(discrepancy),
        )
        owner_id = discrepancy.partner_id.id
        vals['restrict_partner_id'] = owner_id
        vals['move_line_ids'][0][2]['owner_id'] = owner_id
        return vals

    @api.model
    def _prepare_move_vals(self, discrepancy, location, location_dest, quantity, lot):
        """Prepare a move of the goods of a discrepancy. Override to add values.

        Without links to other moves and with its own move line: nothing else can be reserved for
        it.
        """
        product = discrepancy.product_id
        return {
            'product_id': product.id,
            'product_uom': product.uom_id.id,
            'product_uom_qty': quantity,
            'company_id': discrepancy.company_id.id,
            'location_id': location.id,
            'location_dest_id': location_dest.id,
            'procure_method': 'make_to_stock',
            'origin': discrepancy.name,
            'to_refund': False,
            'sale_return_discrepancy_id': discrepancy.id,
            'move_line_ids': [
                Command.create(
                    {
                        'product_id': product.id,
                        'product_uom_id': product.uom_id.id,
                        'quantity': quantity,
                        'lot_id': lot.id,
                        'location_id': location.id,
                        'location_dest_id': location_dest.id,
                        'company_id': discrepancy.company_id.id,
                    }
                )
            ],
        }

    @api.model
    def _get_goods_lot(self, discrepancy):
        """Return the lot under which the goods are in quarantine."""
        return self._get_intake(discrepancy).move_line_ids.lot_id[:1] or discrepancy.lot_id

    @api.model
    def _reserve(self, moves):
        """Confirm moves that already have their move lines."""
        for move in moves.filtered('picking_id'):
            move.move_line_ids.picking_id = move.picking_id
        moves._action_confirm(merge=False)
        moves.filtered(lambda move: move.state != 'assigned')._action_assign()

    @api.model
    def _finish_moves(self, moves):
        """Validate moves for a decision without transport, which need no transfer.

        Odoo gives moves without a transfer a name if they correct the stock, as these do.
        """
        for move in moves:
            discrepancy = move.sale_return_discrepancy_id
            name = f"{discrepancy.return_id.name}, {discrepancy.name}"
            move.write({'is_inventory': True, 'inventory_name': name})
        self._reserve(moves)
        moves.picked = True
        moves._action_done()

    @api.model
    def _finish(self, transfers):
        """Validate transfers whose move lines are complete."""
        self._reserve(transfers.move_ids)
        transfers.move_ids.picked = True
        transfers._action_done()
