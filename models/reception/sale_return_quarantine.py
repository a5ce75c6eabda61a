from collections import defaultdict

from odoo import api, models
from odoo.exceptions import UserError


class SaleReturnQuarantine(models.AbstractModel):
    """Service: goods of returns that are in quarantine and wait for inspection."""

    _name = 'sale.return.quarantine'
    _description = "Return Quarantine"

    @api.model
    def _get_buckets(self, lines):
        """Return the goods of the lines that are in quarantine and not inspected.

        :param lines: `sale.return.line` records.
        :return: `{line: [bucket]}`, a bucket being `{move, product, lot, owner, package,
            location, quantity}` with the quantity in the unit of the product.
        :rtype: dict
        """
        result = {}
        # sudo: where the goods are is a fact of the return, whether or not the user may read
        # transfers.
        lines = lines.sudo()
        # Read at once for all lines: the loop below would query line by line.
        moves = lines.move_ids
        moves.fetch(['state', 'returned_move_ids', 'move_line_ids'])
        (moves | moves.returned_move_ids).move_line_ids.fetch(['lot_id', 'quantity_product_uom'])
        for line in lines:
            receipts = line.move_ids.filtered(
                lambda move: move.state == 'done' and move._is_sale_return_receipt()
            )
            undone = receipts.returned_move_ids.filtered(
                lambda move: move.state == 'done' and not move.sale_return_inspection_id
            )
            buckets = [
                {
                    'move': move_line.move_id,
                    'product': move_line.product_id,
                    'lot': move_line.lot_id,
                    'owner': move_line.owner_id,
                    'package': move_line.result_package_id,
                    'location': move_line.location_dest_id,
                    'quantity': move_line.quantity_product_uom,
                }
                for move_line in receipts.move_line_ids.sorted('id')
            ]
            for move_line in undone.move_line_ids:
                self._take(
                    buckets,
                    move_line.lot_id,
                    move_line.quantity_product_uom,
                    product=move_line.product_id,
                )
            self._take_inspected(line, buckets)
            result[line] = [
                b for b in buckets if b['product'].uom_id.compare(b['quantity'], 0.0) > 0
            ]
        return result

    @api.model
    def _take_inspected(self, line, buckets):
        """Remove from the buckets of a line what was inspected and not corrected since."""
        for row in line.inspection_ids.sorted('id'):
            if row.corrects_id or row.disposition_id.action == 'keep':
                continue  # goods the customer keeps have never been here
            there = buckets
            if row.correction_ids or len({bucket['package'] for bucket in buckets}) > 1:
                # After a correction the oldest goods need not be those that left.
                packages = row.move_ids.move_line_ids.package_id
                there = sorted(buckets, key=lambda bucket: bucket['package'] not in packages)
            self._take(there, row.lot_id, row._get_stock_quantity(), product=row.component_id)

    @api.model
    def _take(self, buckets, lot, quantity, product=None):
        """Take a quantity (product unit) of a lot out of buckets, the oldest first.

        :param product: which component of a kit, empty for lines of one product.
        :return: the parts taken, as `(bucket, quantity)`.
        :rtype: list
        """
        parts = []
        for bucket in buckets:
            if bucket['lot'] != lot or bucket['quantity'] <= 0 or quantity <= 0:
                continue
            if product and bucket['product'] != product:
                continue
            part = min(bucket['quantity'], quantity)
            bucket['quantity'] -= part
            quantity -= part
            parts.append((bucket, part))
        return parts

    @api.model
    def _get_open_quantities(self, lines):
        """Return what waits for inspection of lines of one product each.

        :param lines: `sale.return.line` records; for kits see `_get_open_results`.
        :return: `{line: {lot: quantity in the unit of the line}}`, the lot being empty for
            untracked products.
        :rtype: dict
        """
        result = {}
        lines = lines.filtered(lambda line: not line.sale_line_id._is_return_kit())
        for line, buckets in self._get_buckets(lines).items():
            by_lot = defaultdict(float)
            for bucket in buckets:
                by_lot[bucket['lot']] += bucket['quantity']
            stock_uom = line.product_id.uom_id
            result[line] = {
                lot: line._get_measure().from_stock(quantity)
                for lot, quantity in by_lot.items()
                if stock_uom.compare(quantity, 0.0) > 0
            }
        return result

    @api.model
    def _get_open_results(self, lines):
        """Return what waits for inspection, as results that only lack their disposition.

        :param lines: `sale.return.line` records.
        :return: list of dicts as of `sale.return.line.register_inspection`; `product` is set for
            the components of kits.
        :rtype: list
        """
        results = [
            {'line_id': line.id, 'product': False, 'lot': lot.id, 'quantity': quantity}
            for line, by_lot in self._get_open_quantities(lines).items()
            for lot, quantity in by_lot.items()
        ]
        kits = lines.filtered(lambda line: line.sale_line_id._is_return_kit())
        return results + [
            {'line_id': line.id, 'product': product.id, 'lot': lot.id, 'quantity': quantity}
            for line, product, lot, quantity in self.env['sale.return.kit']._get_open_goods(kits)
        ]

    @api.model
    def _get_stock_quantity(self, line, quantity):
        """Convert a quantity of a line to the unit of the product."""
        return line._get_measure().to_stock(quantity)

    @api.model
    def _ensure_in_quarantine(self, lines, vals_list, buckets):
        """Refuse to inspect more than was received and not inspected yet, by line and lot."""
        wanted = defaultdict(float)
        for vals in vals_list:
            component_id = vals.get('component_id', False)
            quantity = vals['component_qty'] if component_id else vals['quantity']
            wanted[vals['line_id'], vals['lot_id'], component_id] += quantity
        for (line_id, lot_id, component_id), quantity in wanted.items():
            line = lines.browse(line_id)
            product = line.product_id.browse(component_id) or line.product_id
            there = sum(
                b['quantity']
                for b in buckets[line]
                if b['lot'].id == lot_id and b['product'] == product
            )
            if not component_id:
                quantity = line._get_measure().to_stock(quantity)
            if product.uom_id.compare(quantity, there) > 0:
                # sudo: only the name of the lot that the caller gave.
                lot = self.env['stock.lot'].sudo().browse(lot_id)
                raise UserError(
                    self.env._(
                        "%(quantity)s %(unit)s of %(product)s %(lot)s cannot be inspected for "
                        "return %(return)s: only %(there)s were received and are waiting for "
                        "it.",
                        quantity=quantity,
                        unit=product.uom_id._get_name_after(quantity),
                        product=product.display_name,
                        lot=lot.name or "",
                        there=there,
                        **{'return': line.return_id.name},
                    )
                )
