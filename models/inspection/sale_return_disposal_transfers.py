from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command


class SaleReturnDisposal(models.AbstractModel):
    """The ways of the goods out of quarantine, and the transfers that go them."""

    _inherit = 'sale.return.disposal'

    @api.model
    def _move_goods(self, rows, buckets):
        """Move the goods of rows the way of their dispositions, one transfer per way.

        :param rows: new `sale.return.inspection` records.
        :param dict buckets: what `_get_buckets` gave before the rows were created.
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
        """Bring goods where they are refurbished; with `repair` installed, plan their repair."""
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
        """Scrap goods, and leave Odoo's own scrap orders with their reason behind."""
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
        """Prepare the scrap order of one row, done already. Override to add values."""
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
        """Refuse to scrap what the ledger values in real time without an account to book it on."""
        # sudo: inspectors need not see how goods are valued.
        company = line.company_id.sudo()
        product = line.product_id.sudo().with_company(company)
        if product.valuation == 'real_time' and not company.sale_return_scrap_account_id:
            raise UserError(
                self.env._(
                    "%(product)s cannot be scrapped: company %(company)s has no account for "
                    "scrapped returns. Set it in the settings of Returns, or the ledger would "
                    "keep the value of goods that are gone.",
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
            location = (
                group.line_id.sale_line_id.order_id[:1]
                .partner_shipping_id.with_company(sale_return.company_id)
                .property_stock_customer
            )
            vals = self._prepare_transfer_vals(
                group, warehouse.out_type_id, location, buckets, origin=True
            )
            vals['partner_id'] = (
                sale_return.sale_order_ids[:1].partner_shipping_id or sale_return.partner_id
            ).id
            vals_list.append(vals)
        self._create_transfers(vals_list)

    # === PREPARE === #

    @api.model
    def _prepare_transfer_vals(self, rows, picking_type, location_dest, buckets, origin=False):
        """Prepare the transfer that takes the goods of rows out of quarantine.

        :param rows: `sale.return.inspection` records of one warehouse.
        :param picking_type: `stock.picking.type` of the transfer.
        :param location_dest: `stock.location` where the goods go.
        :param dict buckets: what lies in quarantine; what the rows take is taken out of it.
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
        """Take the goods of a row out of what lies in quarantine.

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

        It has no link to other moves (chain-free), or it would reserve from where the origin
        came instead of from quarantine.
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

        :param list vals_list: what `_prepare_transfer_vals` gave, for all transfers at once.
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
        """Add the goods to a transfer that waits for the same way, or create one.

        :param str action: the disposition, see `sale.return.disposition.action`.
        :param dict vals: what `_prepare_transfer_vals` gave.
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
                    # Who has printed it is on his way to the shelf.
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
        """Do transfers whose goods are reserved completely."""
        transfers.move_ids.picked = True
        transfers._action_done()
