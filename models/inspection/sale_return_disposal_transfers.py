from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command


class SaleReturnDisposal(models.AbstractModel):
    """The ways of the goods out of quarantine, and their transfers."""

    _inherit = 'sale.return.disposal'

    # === BUSINESS METHODS === #

    @api.model
    def _move_goods(self, rows, buckets):
        """Move the goods of rows according to their dispositions, one transfer per disposition.

        :param rows: new `sale.return.inspection` records.
        :param dict buckets: as returned by `_get_buckets` before the rows were created.
        """
        for action, group in rows.grouped(lambda row: row.disposition_id.action).items():
            getattr(self, f'_dispose_{action}')(group, buckets)

    # === WAYS === #

    @api.model
    def _dispose_restock(self, rows, buckets):
        """Put goods back to stock, to the location of their grade: at once, or by a put-away
        transfer that somebody validates at the shelf."""
        done = []
        for warehouse, group in rows.grouped(lambda row: row.return_id.warehouse_id).items():
            vals = self._prepare_transfer_vals(
                group, warehouse.int_type_id, warehouse.lot_stock_id, buckets
            )
            if warehouse.sale_return_restock == 'putaway':
                self._add_to_transfer('restock', vals)
            else:
                done.append(vals)
        transfers = self._create_transfers(done)
        transfers.move_line_ids._apply_putaway_strategy()
        self._finish_transfers(transfers)

    @api.model
    def _dispose_refurbish(self, rows, buckets):
        """Move goods to where they are refurbished; with `repair` installed, plan their repair."""
        transfers = self._create_transfers(
            [
                self._prepare_transfer_vals(
                    group,
                    warehouse.int_type_id,
                    warehouse._get_sale_return_refurbish_location(),
                    buckets,
                )
                for warehouse, group in rows.grouped(lambda r: r.return_id.warehouse_id).items()
            ]
        )
        self._finish_transfers(transfers)
        self._create_repairs(rows)

    @api.model
    def _create_repairs(self, rows):
        """Create a draft repair order for each row, where `repair` is installed."""
        if 'repair.order' not in self.env:
            return
        for company, group in rows.grouped('company_id').items():
            repairs = (
                self.env['repair.order']
                .with_company(company)
                .create([self._prepare_repair_vals(row) for row in group])
            )
            for row, repair in zip(group, repairs, strict=True):
                row._link_document(repair)

    @api.model
    def _prepare_repair_vals(self, row):
        """Prepare the repair order of one row. Override to add values."""
        warehouse = row.return_id.warehouse_id
        return {
            'company_id': row.company_id.id,
            'partner_id': row.return_id.partner_id.id,
            'picking_id': row.move_ids.picking_id[:1].id,
            'picking_type_id': warehouse.repair_type_id.id,
            'product_id': row.product_id.id,
            'product_qty': row._get_stock_quantity(),
            'product_uom': row.product_id.uom_id.id,
            'lot_id': row.lot_id.id,
            'product_location_src_id': warehouse._get_sale_return_refurbish_location().id,
            'product_location_dest_id': warehouse.lot_stock_id.id,
            'internal_notes': row.note,
        }

    @api.model
    def _dispose_scrap(self, rows, buckets):
        """Scrap goods, and create Odoo's own scrap orders with the reason."""
        transfers = self._create_transfers(
            [
                self._prepare_transfer_vals(
                    group,
                    warehouse.int_type_id,
                    warehouse.company_id._get_sale_return_scrap_location(),
                    buckets,
                )
                for warehouse, group in rows.grouped(lambda r: r.return_id.warehouse_id).items()
            ]
        )
        self._finish_transfers(transfers)
        self._create_scraps(rows)

    @api.model
    def _create_scraps(self, rows):
        """Create the scrap orders of rows whose goods were just scrapped."""
        scraps = (
            self.env['stock.scrap']
            .with_context(tracking_disable=True)
            .create([self._prepare_scrap_vals(row) for row in rows])
        )
        for row, scrap in zip(rows, scraps, strict=True):
            row.move_ids.scrap_id = scrap
            row._link_document(scrap)

    @api.model
    def _prepare_scrap_vals(self, row):
        """Prepare the scrap order of one row, in state done. Override to add values."""
        return {
            'name': self.env['ir.sequence']
            .with_company(row.company_id)
            .next_by_code('stock.scrap'),
            'company_id': row.company_id.id,
            'origin': row.return_id.name,
            'product_id': row.product_id.id,
            'product_uom_id': row.product_id.uom_id.id,
            'scrap_qty': row._get_stock_quantity(),
            'lot_id': row.lot_id.id,
            'location_id': row.move_ids.location_id[:1].id,
            'scrap_location_id': row.move_ids.location_dest_id[:1].id,
            'scrap_reason_tag_ids': [Command.set(row.disposition_id.scrap_reason_tag_ids.ids)],
            'state': 'done',
            'date_done': fields.Datetime.now(),
        }

    @api.model
    def _ensure_scrap_account(self, line):
        """Refuse to scrap goods valued in real time if there is no account to book them on."""
        # sudo: inspectors need not see how goods are valued.
        company = line.company_id.sudo()
        product = line.product_id.sudo().with_company(company)
        if product.valuation == 'real_time' and not company.sale_return_scrap_account_id:
            raise UserError(
                self.env._(
                    "%(product)s cannot be scrapped: company %(company)s has no account for "
                    "scrapped returns. Set it in the settings of Returns, or the ledger would "
                    "keep the value of scrapped goods.",
                    product=product.display_name,
                    company=company.name,
                )
            )

    @api.model
    def _dispose_send_back(self, rows, buckets):
        """Prepare deliveries that take rejected goods back to their customers."""
        vals_list = []
        # One delivery per return: each goes to its own customer.
        for sale_return, group in rows.grouped('return_id').items():
            warehouse = sale_return.warehouse_id
            partner = sale_return._get_delivery_address()
            location = partner.with_company(sale_return.company_id).property_stock_customer
            vals = self._prepare_transfer_vals(
                group, warehouse.out_type_id, location, buckets, origin=True
            )
            vals['partner_id'] = partner.id
            vals_list.append(vals)
        self._create_transfers(vals_list)

    # === PREPARE === #

    @api.model
    def _prepare_transfer_vals(self, rows, picking_type, location_dest, buckets, origin=False):
        """Prepare the transfer that takes the goods of rows out of quarantine.

        :param rows: `sale.return.inspection` records of one warehouse.
        :param picking_type: `stock.picking.type` of the transfer.
        :param location_dest: `stock.location` where the goods go.
        :param dict buckets: the goods in quarantine; what the rows take is subtracted.
        :param bool origin: True to link the moves to the order line and to the receipts they
            undo: the goods are at the customer's again.
        :return: values for `stock.picking.create`.
        :rtype: dict
        """
        moves = []
        for row in rows:
            by_receipt = defaultdict(list)
            for bucket, quantity in self._take_goods(row, buckets):
                by_receipt[bucket['move']].append((bucket, quantity))
            destination = self._get_destination(row, location_dest)
            moves += [
                self._prepare_move_vals(row, receipt, group, picking_type, destination, origin)
                for receipt, group in by_receipt.items()
            ]
        quarantine = rows.return_id.warehouse_id.sale_return_loc_id
        return {
            'picking_type_id': picking_type.id,
            'company_id': rows.company_id.id,
            'location_id': quarantine.id,
            'location_dest_id': location_dest.id,
            'origin': ", ".join(rows.return_id.mapped('name')),
            'move_ids': [Command.create(vals) for vals in moves],
        }

    @api.model
    def _take_goods(self, row, buckets):
        """Take the goods of a row from the buckets in quarantine.

        :return: list of `(bucket, quantity in the unit of the product)`.
        :rtype: list
        """
        return self.env['sale.return.quarantine']._take(
            buckets[row.line_id], row.lot_id, row._get_stock_quantity(), product=row.component_id
        )

    @api.model
    def _get_destination(self, row, location):
        """Return where the goods of a row go: back in stock, to the location of their grade.

        :param location: `stock.location` where the goods of the transfer go.
        """
        if row.disposition_id.action != 'restock':
            return location
        places = row.return_id.warehouse_id.sale_return_grade_location_ids
        mine = places.filtered(lambda place: place.grade_id == row.grade_id)
        return mine.location_id or location

    @api.model
    def _prepare_move_vals(self, row, receipt, parts, picking_type, location_dest, origin):
        """Prepare the move of one row. Override to add values.

        It is not linked to other moves, or it would reserve goods at the source of the origin
        instead of in quarantine.
        """
        product = row.product_id
        vals = {
            'product_id': product.id,
            'product_uom': product.uom_id.id,
            'product_uom_qty': sum(quantity for _bucket, quantity in parts),
            'picking_type_id': picking_type.id,
            'company_id': row.company_id.id,
            'location_id': parts[0][0]['location'].id,
            'location_dest_id': location_dest.id,
            'procure_method': 'make_to_stock',
            'origin': row.return_id.name,
            'sale_return_line_id': row.line_id.id,
            'sale_return_inspection_id': row.id,
            'move_line_ids': [
                Command.create(
                    {
                        'product_id': product.id,
                        'product_uom_id': product.uom_id.id,
                        'quantity': quantity,
                        'lot_id': bucket['lot'].id,
                        'owner_id': bucket['owner'].id,
                        'package_id': bucket['package'].id,
                        'location_id': bucket['location'].id,
                        'location_dest_id': location_dest.id,
                        'company_id': row.company_id.id,
                    }
                )
                for bucket, quantity in parts
            ],
        }
        if origin:
            vals.update(
                sale_line_id=row.line_id.sale_line_id.id,
                origin_returned_move_id=receipt.id,
                to_refund=True,
            )
        return vals

    # === TRANSFERS === #

    @api.model
    def _create_transfers(self, vals_list):
        """Create and confirm transfers whose goods are reserved by their move lines.

        The lines come with their moves: they reserve all that is moved, so that the confirmation
        (of types that reserve by themselves) finds nothing left to reserve.

        :param list vals_list: as returned by `_prepare_transfer_vals`, for all transfers at once.
        :return: the new transfers.
        :rtype: stock.picking
        """
        # sudo: `register_inspection` has checked the role of inspector.
        transfers = self.env['stock.picking'].sudo().create(vals_list)
        for transfer in transfers:
            transfer.move_ids.move_line_ids.picking_id = transfer
        self._confirm_moves(transfers.move_ids)
        return transfers

    @api.model
    def _add_to_transfer(self, action, vals):
        """Add the goods to a pending transfer of the same kind, or create one.

        :param str action: the disposition, see `sale.return.disposition.action`.
        :param dict vals: as returned by `_prepare_transfer_vals`.
        :return: the transfer.
        :rtype: stock.picking
        """
        # sudo: see `_create_transfers`.
        transfer = (
            self.env['stock.picking']
            .sudo()
            .search(
                [
                    ('picking_type_id', '=', vals['picking_type_id']),
                    ('location_id', '=', vals['location_id']),
                    ('partner_id', '=', vals.get('partner_id', False)),
                    ('state', 'in', ('confirmed', 'assigned')),
                    # The user who printed it is already on their way to the shelf.
                    ('printed', '=', False),
                    ('move_ids.sale_return_inspection_id.disposition_id.action', '=', action),
                ],
                order='id',
                limit=1,
            )
        )
        if not transfer:
            return self._create_transfers([vals])
        # sudo: see `_create_transfers`.
        moves = (
            self.env['stock.move']
            .sudo()
            .create([{**command[2], 'picking_id': transfer.id} for command in vals['move_ids']])
        )
        moves.move_line_ids.picking_id = transfer
        self._confirm_moves(moves)
        return transfer

    @api.model
    def _confirm_moves(self, moves):
        """Confirm moves that are reserved by their move lines."""
        moves._action_confirm(merge=False)
        moves.filtered(lambda move: move.state != 'assigned')._action_assign()

    @api.model
    def _finish_transfers(self, transfers):
        """Validate transfers whose goods are completely reserved."""
        transfers.move_ids.picked = True
        transfers._action_done()

    # === VENDOR === #

    # The way back to the vendor.
    #
    #   purchase receipt (done)   Vendor ──► WH/Stock
    #         ▲ origin_returned_move_id, purchase_line_id
    #   return                             Quarantine ──► Vendor
    #
    # The moves have no `move_orig_ids`, or Odoo would take the goods from WH/Stock.

    @api.model
    def _dispose_vendor(self, rows, buckets):
        """Prepare one transfer per vendor, or add to a pending one."""
        for warehouse, group in rows.grouped(lambda row: row.return_id.warehouse_id).items():
            for vendor, moves in self._prepare_vendor_moves(warehouse, group, buckets).items():
                location = vendor.with_company(warehouse.company_id).property_stock_supplier
                self._add_to_transfer(
                    'vendor',
                    {
                        'picking_type_id': warehouse.out_type_id.id,
                        'partner_id': vendor.id,
                        'company_id': warehouse.company_id.id,
                        'location_id': warehouse.sale_return_loc_id.id,
                        'location_dest_id': location.id,
                        'origin': ", ".join(group.return_id.mapped('name')),
                        'move_ids': [Command.create(vals) for vals in moves],
                    },
                )

    @api.model
    def _prepare_vendor_moves(self, warehouse, rows, buckets):
        """Prepare the moves of rows to the vendors their goods came from.

        :return: `{vendor: [values for stock.move.create]}`
        :rtype: dict
        """
        sources = self._get_vendor_sources(warehouse.company_id, rows)
        result = defaultdict(list)
        for row in rows:
            wanted = self._take_goods(row, buckets)
            for vendor, receipt, quantity in self._take_vendor_sources(row, sources):
                location = vendor.with_company(row.company_id).property_stock_supplier
                parts = self._split_parts(wanted, quantity)
                vals = self._prepare_move_vals(
                    row, receipt, parts, warehouse.out_type_id, location, origin=False
                )
                result[vendor].append(vals | self._prepare_vendor_move_vals(row, vendor, receipt))
        return result

    @api.model
    def _prepare_vendor_move_vals(self, row, vendor, receipt):
        """Prepare the additional values of a move to a vendor. Override to add values.

        :param receipt: the purchase receipt it undoes, empty if none is known.
        """
        vals = {'partner_id': vendor.id}
        if receipt:
            # The received quantity of the purchase order goes down accordingly.
            vals.update(
                purchase_line_id=receipt.purchase_line_id.id,
                origin_returned_move_id=receipt.id,
                to_refund=True,
            )
        return vals

    @api.model
    def _get_vendor_sources(self, company, rows):
        """Return goods received from vendors and not returned, the oldest receipt first.

        :return: `{(product, lot): [[receipt, quantity in the unit of the product]]}`; the lot is
            empty for untracked products.
        :rtype: dict
        """
        result = defaultdict(list)
        if 'purchase.order.line' not in self.env:
            raise UserError(
                self.env._(
                    "%(product)s cannot go back to its vendor: this needs the Purchase app, "
                    "which records who delivered it. Choose another disposition.",
                    product=rows.product_id[:1].display_name,
                )
            )
        receipts = self.env['stock.move'].search(
            [
                ('product_id', 'in', rows.product_id.ids),
                ('company_id', '=', company.id),
                ('state', '=', 'done'),
                ('purchase_line_id', '!=', False),
                ('location_id.usage', '=', 'supplier'),
                ('location_dest_id.usage', 'in', ('internal', 'transit')),
            ],
            order='date, id',
        )
        for receipt in receipts:
            left = defaultdict(float)
            for move_line in receipt.move_line_ids:
                left[move_line.lot_id] += move_line.quantity_product_uom
            back = receipt.returned_move_ids.filtered(lambda move: move.state != 'cancel')
            for move_line in back.move_line_ids:
                left[move_line.lot_id] -= move_line.quantity_product_uom
            for lot, quantity in left.items():
                result[receipt.product_id, lot].append([receipt, quantity])
        return result

    @api.model
    def _take_vendor_sources(self, row, sources):
        """Assign the goods of a row to the purchase receipts.

        :param dict sources: as returned by `_get_vendor_sources`; what the row takes is subtracted.
        :return: list of `(vendor, receipt, quantity in the unit of the product)`; the receipt is
            empty for goods whose purchase is not known.
        :raise UserError: when no vendor is known.
        """
        uom = row.product_id.uom_id
        wanted, result = row._get_stock_quantity(), []
        for source in sources[row.product_id, row.lot_id]:
            receipt, left = source
            quantity = min(wanted, left)
            if uom.compare(quantity, 0.0) > 0:
                vendor = receipt.purchase_line_id.order_id.partner_id
                result.append((vendor, receipt, quantity))
                source[1] -= quantity
                wanted -= quantity
        if uom.compare(wanted, 0.0) > 0:
            result.append((self._get_usual_vendor(row), self.env['stock.move'], wanted))
        return result

    @api.model
    def _get_usual_vendor(self, row):
        """Return the first vendor of the product of a row, for goods without purchase receipt."""
        sellers = row.product_id.seller_ids.filtered(
            lambda seller: (
                seller.company_id.id in (False, row.company_id.id)
                and seller.product_id.id in (False, row.product_id.id)
            )
        )
        if not sellers:
            raise UserError(
                self.env._(
                    "%(product)s cannot go back to its vendor: it was never received from one "
                    "and has no vendor on its Purchase page. Set one there, or choose another "
                    "disposition.",
                    product=row.product_id.display_name,
                )
            )
        return sellers[0].partner_id

    @api.model
    def _split_parts(self, parts, quantity):
        """Take a quantity from the front of a list of `(bucket, quantity)`, in place."""
        taken = []
        while parts and quantity > 0:
            bucket, there = parts.pop(0)
            part = min(there, quantity)
            taken.append((bucket, part))
            quantity -= part
            if there > part:
                parts.insert(0, (bucket, there - part))
        return taken

    # === KEEP === #

    # The customer keeps the goods: nothing moves, and they are not expected any more.

    @api.model
    def _ensure_may_leave(self, lines):
        """Refuse to credit unseen goods, unless the user may decide on that.

        :param lines: `sale.return.line` records whose goods the customer is to keep.
        :raise AccessError: without the role of approver.
        :raise UserError: when the user requested the return.
        """
        if not lines:
            return
        returns = lines.return_id.with_env(self.env)
        returns._ensure_group('group_approver')
        if self.env.su:
            return
        # sudo: the role was checked; see `_get_left_to`.
        for sale_return in returns - returns.sudo()._get_left_to(self.env.user):
            if reason := sale_return._get_own_request_reason(self.env.user):
                raise UserError(reason)

    @api.model
    def _ensure_keepable(self, lines, vals_list):
        """Refuse to let the customer keep more than is expected and has not come.

        :param list vals_list: values of the new rows whose goods the customer keeps.
        :raise UserError: naming the product and how much has not come.
        """
        wanted = defaultdict(float)
        for vals in vals_list:
            wanted[lines.browse(vals['line_id'])] += vals['quantity']
        # Other rows lock their goods by moving them; these move nothing.
        self.env['sale.order.line'].union(
            *[line.sale_line_id for line in wanted]
        )._take_return_counter()
        for line, quantity in wanted.items():
            missing = line._get_qty_missing()
            if line._get_measure().compare(quantity, missing) > 0:
                raise UserError(
                    self.env._(
                        "The customer cannot keep %(quantity)s %(unit)s of %(product)s in "
                        "return %(return)s: %(missing)s are expected and have not come. Goods "
                        "that have arrived need another disposition.",
                        quantity=quantity,
                        unit=line.product_uom_id._get_name_after(quantity),
                        product=line.product_id.display_name,
                        missing=missing,
                        **{'return': line.return_id.name},
                    )
                )
            uninvoiced = line.sale_line_id._get_qty_uninvoiced(
                self.env['sale.return.ledger']._get_invoiced(line.sale_line_id)[0]
            )
            if line._is_credited() and line._get_measure().compare(uninvoiced, 0.0) > 0:
                raise UserError(
                    self.env._(
                        "%(product)s of order %(order)s is not invoiced completely. Invoice it "
                        "first: what the customer keeps is credited from its invoice.",
                        product=line.product_id.display_name,
                        order=line.order_id.name,
                    )
                )

    @api.model
    def _dispose_keep(self, rows, buckets):
        """Remove what the customer keeps from the receipts that expect it."""
        for line, group in rows.grouped('line_id').items():
            left = self._get_kept_goods(line, group)
            receipts = line.move_ids.filtered(
                lambda move: move.state not in ('done', 'cancel') and move._is_sale_return_receipt()
            )
            # The newest first: the oldest parcel is the most likely to be under way.
            for move in receipts.sorted('id', reverse=True):
                part = min(left.get(move.product_id, 0.0), move.product_qty)
                if move.product_id.uom_id.compare(part, 0.0) > 0:
                    self._reduce_receipt(move, part)
                    left[move.product_id] -= part

    @api.model
    def _get_kept_goods(self, line, rows):
        """Return `{product: quantity in its unit}` that the customer keeps of a line."""
        kit = line.sale_line_id._get_return_kit()
        goods = defaultdict(float)
        for row in rows:
            if row.component_id or not kit:
                goods[row.product_id] += row._get_stock_quantity()
                continue
            for product, (in_one, _share) in kit.items():
                goods[product] += row.quantity * in_one
        return goods

    @api.model
    def _reduce_receipt(self, move, quantity):
        """Expect less of a receipt move (quantity in the unit of the product)."""
        uom = move.product_id.uom_id
        if uom.compare(quantity, move.product_qty) >= 0:
            move._action_cancel()
            return
        move._do_unreserve()
        move.product_uom_qty = uom._compute_quantity(
            move.product_qty - quantity, move.product_uom, rounding_method='HALF-UP'
        )
        move._action_assign()
