from collections import defaultdict

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command


class SaleReturnDisposal(models.AbstractModel):
    """The way back to the vendor.

        purchase receipt (done)   Vendor ──► WH/Stock
              ▲ origin_returned_move_id, purchase_line_id
        return                             Quarantine ──► Vendor

    The moves have no `move_orig_ids`, or Odoo would take the goods from WH/Stock.
    """

    _inherit = 'sale.return.disposal'

    @api.model
    def _dispose_vendor(self, rows, buckets):
        """Prepare one transfer per vendor, or add to the one that waits for him."""
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
        """Prepare what a move to a vendor has more than others. Override to add values.

        :param receipt: the purchase receipt it undoes, empty if none is known.
        """
        vals = {'partner_id': vendor.id}
        if receipt:
            # The received quantity of the purchase order goes down with it.
            vals.update(
                purchase_line_id=receipt.purchase_line_id.id,
                origin_returned_move_id=receipt.id,
                to_refund=True,
            )
        return vals

    @api.model
    def _get_vendor_sources(self, company, rows):
        """Return what was received from vendors and not returned, the oldest receipt first.

        :return: `{(product, lot): [[receipt, quantity in the unit of the product]]}`; the lot is
            empty for untracked products.
        :rtype: dict
        """
        result = defaultdict(list)
        if 'purchase.order.line' not in self.env:
            raise UserError(
                self.env._(
                    "%(product)s cannot go back to its vendor: this takes the app Purchase, which "
                    "knows who delivered it. Choose another disposition.",
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
        """Take the goods of a row out of the purchase receipts.

        :param dict sources: what `_get_vendor_sources` gave; what the row takes is taken out.
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
        """Take a quantity off the front of a list of `(bucket, quantity)`, which gets shorter."""
        taken = []
        while parts and quantity > 0:
            bucket, there = parts.pop(0)
            part = min(there, quantity)
            taken.append((bucket, part))
            quantity -= part
            if there > part:
                parts.insert(0, (bucket, there - part))
        return taken
