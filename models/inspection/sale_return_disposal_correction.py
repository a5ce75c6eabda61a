from collections import defaultdict

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import clean_context


class SaleReturnDisposal(models.AbstractModel):
    """Undo an inspection by a row with the opposite sign; its goods go back to quarantine.

    open move     cancelled, the goods never left
    done move     Quarantine ◄── WH/Stock, refurbishing or scrap location, at the same value
    """

    _inherit = 'sale.return.disposal'

    @api.model
    def _correct(self, rows, reason, quantity=None, results=None):
        """Implements `sale.return.inspection.action_correct`.

        :return: the correcting rows and the rows of the new results.
        :rtype: sale.return.inspection
        """
        # sudo: as in `_register_results`; the caller has checked the group.
        service = self.sudo().with_context(clean_context(self.env.context))
        rows = rows.with_env(service.env)
        lines = rows.line_id
        # If two users correct the same row at once, the second transaction is retried and sees the
        # first.
        lines.sale_line_id._take_return_counter()
        accepted = {line: line.qty_accepted for line in lines}
        condition = lines._get_condition_of_credit()
        corrections = service._create_corrections(rows, reason, quantity)
        stays = service._find_staying(rows, corrections, results)
        if not stays:
            service._undo_moves(corrections)
        lines.return_id._close_or_reopen()
        new = service._register_replacing(rows, reason, results, stays)
        service._ensure_credit_covered(accepted)
        lines._ensure_condition_of_credit(condition)
        service._log_corrections(corrections)
        return (corrections | new).with_env(self.env)

    @api.model
    def _create_corrections(self, rows, reason, quantity):
        """Create the rows with the opposite sign.

        :raise UserError: when a row has less left to correct than `quantity`.
        """
        vals_list = []
        for row in rows:
            left = row._get_qty_valid()
            measure = row.line_id._get_measure()
            wanted = left if quantity is None else measure.interpret(quantity, whole=left)
            compare = measure.compare
            if compare(wanted, 0.0) <= 0 or compare(wanted, left) > 0 or row.corrects_id:
                raise UserError(
                    self.env._(
                        "%(wanted)s %(unit)s of %(product)s cannot be corrected: only %(left)s "
                        "of this inspection row are not corrected yet. Enter that or less.",
                        wanted=wanted,
                        unit=row.product_uom_id._get_name_after(wanted),
                        product=row.product_id.display_name,
                        left=0 if row.corrects_id else left,
                    )
                )
            vals_list.append(
                {
                    'corrects_id': row.id,
                    'line_id': row.line_id.id,
                    'quantity': -wanted,
                    'component_id': row.component_id.id,
                    'component_qty': -row._get_component_part(wanted),
                    'lot_id': row.lot_id.id,
                    'grade_id': row.grade_id.id,
                    'disposition_id': row.disposition_id.id,
                    'liability': row.liability,
                    'note': reason,
                    'inspector_id': self.env.uid,
                }
            )
        return self.env['sale.return.inspection'].create(vals_list)

    @api.model
    def _find_staying(self, rows, corrections, results):
        """Tell whether the goods stay where they are: only grade, liability or note are new.

        :return: True for one row that is corrected completely, with the same disposition and
            destination.
        """
        if len(rows) != 1 or not results or len(results) != 1:
            return False
        result = results[0]
        disposition = self._find_configuration(
            'sale.return.disposition', result.get('disposition'), rows.company_id
        )
        grade = self._find_configuration('sale.return.grade', result.get('grade'), rows.company_id)
        places = rows.return_id.warehouse_id.sale_return_grade_location_ids
        by_grade = {place.grade_id: place.location_id for place in places}
        compare = (rows.component_id.uom_id or rows.line_id._get_measure()).compare
        return (
            compare(result.get('quantity') or 0.0, rows._get_result_quantity()) == 0
            and rows.line_id._get_measure().compare(corrections.quantity, -rows.quantity) == 0
            and disposition == rows.disposition_id
            and by_grade.get(grade) == by_grade.get(rows.grade_id)
            and result.get('lot', rows.lot_id.id) in (rows.lot_id.id, rows.lot_id.name)
        )

    @api.model
    def _register_replacing(self, rows, reason, results, stays):
        """Register the right results instead.

        :param bool stays: True when the right row takes over the moves of the wrong one.
        """
        if not results:
            return self.env['sale.return.inspection']
        results = [
            {
                'line_id': rows.line_id[:1].id,
                'product': rows.component_id[:1].id,
                'lot': rows.lot_id[:1].id,
                'note': reason,
                **result,
            }
            for result in results
        ]
        if not stays:
            return self._register_results(rows.line_id, results)
        results = self._complete_results(rows.line_id, results)
        vals = self._prepare_inspection_vals(rows.line_id, results[0]) | {'quantity': rows.quantity}
        new = self.env['sale.return.inspection'].create(vals)
        rows.move_ids.sale_return_inspection_id = new
        new._link_document(rows.document_ref)
        self._log_inspections(new)
        return new

    @api.model
    def _ensure_credit_covered(self, accepted):
        """Refuse a correction that revokes the acceptance of credited goods.

        :param dict accepted: `{line: accepted quantity before}`
        :raise UserError: naming the product, the credited quantity and what to do.
        """
        for line, before in accepted.items():
            compare = line._get_measure().compare
            lowered = compare(line.qty_accepted, before) < 0
            if lowered and compare(line.qty_accepted, line.qty_credited) < 0:
                raise UserError(
                    self.env._(
                        "%(credited)s %(unit)s of %(product)s in return %(return)s are "
                        "credited, so no less can be accepted. Cancel or reverse the credit "
                        "note first, or enter in the correction how the goods are accepted "
                        "instead.",
                        credited=line.qty_credited,
                        unit=line.product_uom_id._get_name_after(line.qty_credited),
                        product=line.product_id.display_name,
                        **{'return': line.return_id.name},
                    )
                )

    # === GOODS === #

    @api.model
    def _undo_moves(self, corrections):
        """Bring the goods of corrected rows back to quarantine, or stop them from leaving it."""
        kept = corrections.filtered(lambda row: row.disposition_id.action == 'keep')
        if kept:
            returns = kept.return_id.filtered(lambda r: r.state == 'approved')
            self.env['sale.return.reception']._create_receipts(returns)
        back = []
        for row in corrections - kept:
            left = -row._get_stock_quantity()
            self._drop_document(row)
            left = self._shorten_open_moves(row.corrects_id, left)
            back += self._prepare_undo_moves(row, left)
        for key, moves in self._group_undo_moves(back).items():
            picking_type, source, quarantine = key
            transfers = self._create_transfers(
                [
                    {
                        'picking_type_id': picking_type.id,
                        'company_id': picking_type.company_id.id,
                        'location_id': source.id,
                        'location_dest_id': quarantine.id,
                        'origin': ", ".join(dict.fromkeys(move['origin'] for move in moves)),
                        'move_ids': [Command.create(vals) for vals in moves],
                    }
                ]
            )
            self._finish_transfers(transfers)

    @api.model
    def _group_undo_moves(self, moves):
        """Group values of moves by the transfer they go with."""
        groups = defaultdict(list)
        types, locations = self.env['stock.picking.type'], self.env['stock.location']
        for vals in moves:
            key = (
                types.browse(vals['picking_type_id']),
                locations.browse(vals['location_id']),
                locations.browse(vals['location_dest_id']),
            )
            groups[key].append(vals)
        return groups

    @api.model
    def _shorten_open_moves(self, row, quantity):
        """Remove a quantity from the moves of a row that are not done yet.

        :param float quantity: in the unit of the product.
        :return: the remaining quantity.
        :rtype: float
        """
        uom = row.product_id.uom_id
        for move in row.move_ids.filtered(lambda move: move.state not in ('done', 'cancel')):
            part = min(quantity, move.product_qty)
            if uom.compare(part, 0.0) <= 0:
                continue
            quantity -= part
            if uom.compare(part, move.product_qty) >= 0:
                move._action_cancel()
                continue
            demand = uom._compute_quantity(
                move.product_qty - part, move.product_uom, rounding_method='HALF-UP'
            )
            # Line by line, to keep the lots and packages of the goods that still leave.
            for move_line in move.move_line_ids.sorted('id', reverse=True):
                less = min(part, move_line.quantity_product_uom)
                part -= less
                move_line.quantity = uom._compute_quantity(
                    move_line.quantity_product_uom - less,
                    move_line.product_uom_id,
                    rounding_method='HALF-UP',
                )
            # After the lines: Odoo unreserves moves with more reserved than is wanted.
            move.product_uom_qty = demand
        return quantity

    @api.model
    def _prepare_undo_moves(self, row, quantity):
        """Prepare the moves that bring back goods that have left quarantine.

        :param row: the correcting row.
        :param float quantity: in the unit of the product.
        :return: values for `stock.move.create`.
        :rtype: list
        :raise UserError: when the goods have left our warehouses, or are not where they were put.
        """
        moves = []
        uom = row.product_id.uom_id
        for move in row.corrects_id.move_ids.filtered(lambda move: move.state == 'done'):
            if uom.compare(quantity, 0.0) <= 0:
                break
            # Goods brought back by earlier corrections of the row are not brought back again.
            done = sum(
                back.product_uom._compute_quantity(back.quantity, uom, rounding_method='HALF-UP')
                for back in move.returned_move_ids
                if back.state == 'done'
            )
            part = min(quantity, move.product_qty - done)
            if uom.compare(part, 0.0) <= 0:
                continue
            self._ensure_in_house(row, move)
            moves.append(self._prepare_undo_move_vals(row, move, part, skip=done))
            quantity -= part
        return moves

    @api.model
    def _ensure_in_house(self, row, move):
        if move.location_dest_id.usage in ('customer', 'supplier'):
            raise UserError(
                self.env._(
                    "%(product)s in return %(return)s has left with %(transfer)s, so its "
                    "inspection cannot be corrected. Create a new return when it comes back.",
                    product=row.product_id.display_name,
                    transfer=move.picking_id.name,
                    **{'return': row.return_id.name},
                )
            )

    @api.model
    def _prepare_undo_move_vals(self, row, move, quantity, skip):
        """Prepare the move that undoes a part of a done one, lot by lot.

        :param float quantity: in the unit of the product.
        :param float skip: the quantity of the move undone before, in the same unit.
        """
        move_lines = []
        left = quantity
        for move_line in move.move_line_ids.sorted('id'):
            there = move_line.quantity_product_uom
            skipped = min(skip, there)
            skip -= skipped
            part = min(left, there - skipped)
            if row.product_id.uom_id.compare(part, 0.0) <= 0:
                continue
            left -= part
            self._ensure_there(row, move_line, part)
            move_lines.append(
                {
                    'product_id': row.product_id.id,
                    'product_uom_id': row.product_id.uom_id.id,
                    'quantity': part,
                    'lot_id': move_line.lot_id.id,
                    'owner_id': move_line.owner_id.id,
                    'package_id': move_line.result_package_id.id,
                    'result_package_id': move_line.package_id.id,
                    'location_id': move_line.location_dest_id.id,
                    'location_dest_id': move_line.location_id.id,
                    'company_id': row.company_id.id,
                }
            )
        return {
            'product_id': row.product_id.id,
            'product_uom': row.product_id.uom_id.id,
            'product_uom_qty': quantity,
            'picking_type_id': row.return_id.warehouse_id.int_type_id.id,
            'company_id': row.company_id.id,
            'location_id': move.move_line_ids.location_dest_id[:1].id,
            'location_dest_id': move.location_id.id,
            'procure_method': 'make_to_stock',
            'origin': row.return_id.name,
            'sale_return_line_id': row.line_id.id,
            'sale_return_inspection_id': row.id,
            # Scrapped goods come back at the value they left with.
            'origin_returned_move_id': move.id,
            'move_line_ids': [Command.create(vals) for vals in move_lines],
        }

    @api.model
    def _ensure_there(self, row, move_line, quantity):
        """Refuse to bring back goods that were sold, reserved or moved since."""
        location = move_line.location_dest_id
        if location.usage != 'internal':
            return
        free = self.env['stock.quant']._get_available_quantity(
            row.product_id,
            location,
            lot_id=move_line.lot_id,
            package_id=move_line.result_package_id,
            owner_id=move_line.owner_id,
            strict=True,
        )
        if row.product_id.uom_id.compare(quantity, free) > 0:
            raise UserError(
                self.env._(
                    "%(product)s cannot be brought back from %(location)s: only %(free)s of "
                    "%(quantity)s %(unit)s are available there. Unreserve or move them back "
                    "first.",
                    product=row.product_id.display_name,
                    location=location.display_name,
                    free=free,
                    quantity=quantity,
                    unit=row.product_id.uom_id._get_name_after(quantity),
                )
            )

    @api.model
    def _drop_document(self, row):
        """Cancel the planned repair of goods that come back.

        :raise UserError: when the repair has begun.
        """
        document = row.corrects_id.document_ref
        if not document or document._name != 'repair.order':
            return
        if document.state not in ('draft', 'cancel'):
            raise UserError(
                self.env._(
                    "%(product)s is under repair with %(repair)s. Cancel or end the repair before "
                    "you correct the inspection.",
                    product=row.product_id.display_name,
                    repair=document.name,
                )
            )
        left = row.corrects_id._get_qty_valid()
        if row.line_id._get_measure().is_zero(left):
            document.action_repair_cancel()
        else:
            document.product_qty = row.corrects_id._get_stock_quantity()

    @api.model
    def _log_corrections(self, corrections):
        """Write the event of each correcting row."""
        self.env['sale.return.event']._log(
            [
                {
                    'return_id': row.return_id.id,
                    'line_id': row.line_id.id,
                    'kind': 'corrected',
                    'reason': row.note,
                    'details': f"{row._get_quantity_text()} · "
                    f"{row.product_id.display_name} · {row.disposition_id.name}",
                }
                for row in corrections
            ]
        )
