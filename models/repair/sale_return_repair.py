from odoo import api, models
from odoo.exceptions import UserError

SWITCH = 'sale_return.group_repair'


class SaleReturnRepair(models.AbstractModel):
    """Service: repair goods that stay the customer's, and give them back.

    receipt     Customers ──► Quarantine     owned by the customer, so without value for us
    repair      Quarantine ──► Quarantine    Odoo's repair order; its parts come from stock
    give back   Quarantine ──► Customers     ready to ship when the repair is done

    Nothing is credited. Irreparable goods become ours (`_make_ours`), and are refunded, replaced or
    exchanged as if they had come for that. Works where the Repairs app is installed; a repair order
    belongs to a return by its receipt, as Odoo links them.

    Steps are called in superuser mode.
    """

    _name = 'sale.return.repair'
    _description = "Return Repair"

    # === SWITCH === #

    @api.model
    def _is_on(self):
        """Tell whether goods can be repaired: the app is there, and the part switched on."""
        return 'repair.order' in self.env and self.env['res.groups']._is_feature_enabled(SWITCH)

    @api.model
    def _ensure_on(self):
        """Refuse repairs where the part is switched off.

        :raise UserError: saying where it is switched on.
        """
        if not self._is_on():
            raise UserError(
                self.env._(
                    "Repairs are switched off. Choose another resolution, or install the "
                    "Repairs app and switch them on in the settings of Returns."
                )
            )

    @api.model
    def _is_repairable(self, sale_line):
        """Tell whether goods of an order line can be repaired: no services, no kits."""
        return sale_line.qty_delivered_method == 'stock_move' and not sale_line._is_return_kit()

    @api.model
    def _is_covered(self, line):
        """Tell whether the customer pays nothing for a repair. Override for your own guarantees.

        This covers reasons of the class *warranty*, and policies of legal conformity.
        """
        return line.reason_id.return_class == 'warranty' or line.policy_id.regime == 'conformity'

    # === CUSTODY === #

    @api.model
    def _take_custody(self, moves):
        """Make goods received for repair the property of their customer.

        :param moves: `stock.move` records that are about to be done.
        """
        arriving = moves.filtered(
            lambda move: (
                move.sale_return_line_id.resolution == 'repair' and move._is_sale_return_receipt()
            )
        )
        for sale_return, group in arriving.grouped(
            lambda move: move.sale_return_line_id.return_id
        ).items():
            group.move_line_ids.owner_id = sale_return.partner_id

    @api.model
    def _make_ours(self, lines):
        """Take over goods received for repair, at the value of returned goods."""
        receipts = lines.move_ids.filtered(
            lambda move: move.state == 'done' and move._is_sale_return_receipt()
        )
        owned = receipts.move_line_ids.filtered('owner_id')
        owned.owner_id = False
        moves = owned.move_id
        # Odoo values receipts when they are done, and only checks the owner then.
        self.env.add_to_compute(moves._fields['is_in'], moves)
        moves._set_value()

    # === REPAIR === #

    @api.model
    def _get_repairs(self, lines):
        """Return the repair orders of lines, cancelled ones left out."""
        repairs = (
            self.env['repair.order']
            .sudo()
            .search(
                [
                    ('picking_id', 'in', lines.move_ids.picking_id.ids),
                    ('product_id', 'in', lines.product_id.ids),
                    ('state', '!=', 'cancel'),
                ],
                order='id',
            )
        )
        return repairs.filtered(lambda repair: self._find_line(repair) in lines)

    @api.model
    def _find_line(self, repair):
        """Return the return line whose goods an order repairs."""
        moves = repair.picking_id.move_ids.filtered(
            lambda move: move.product_id == repair.product_id and move.sale_return_line_id
        )
        return moves.sale_return_line_id.filtered(lambda line: line.resolution == 'repair')[:1]

    @api.model
    def _plan(self, lines):
        """Plan the repair of received goods without repair order, each lot separately."""
        waiting = lines.filtered(lambda line: line.qty_to_inspect > 0 and line.sale_line_id)
        if not waiting:
            return
        known = {
            (repair.picking_id, repair.product_id, repair.lot_id)
            for repair in self._get_repairs(waiting)
        }
        vals_list, planned = [], []
        for line, buckets in self.env['sale.return.quarantine']._get_buckets(waiting).items():
            for bucket in buckets:
                key = (bucket['move'].picking_id, bucket['product'], bucket['lot'])
                if key not in known:
                    known.add(key)
                    vals_list.append(self._prepare_repair_vals(line, bucket))
                    planned.append(line)
        for line, vals in zip(planned, vals_list, strict=True):
            # One by one: each has the company and the workshop of its warehouse.
            repair = self.env['repair.order'].with_company(line.company_id).create(vals)
            if not repair.under_warranty:
                # Odoo adds the parts to the quotation as they are added to the repair.
                repair.action_create_sale_order()
            self._log(line, 'repair_planned', repair.name)

    @api.model
    def _prepare_repair_vals(self, line, bucket):
        """Prepare the repair order of goods in quarantine. Override to add values."""
        warehouse = line.return_id.warehouse_id
        place = bucket['location'].id
        return {
            'company_id': line.company_id.id,
            'partner_id': line.return_id.partner_id.id,
            'picking_id': bucket['move'].picking_id.id,
            'picking_type_id': warehouse.repair_type_id.id,
            'product_id': bucket['product'].id,
            'product_qty': bucket['quantity'],
            'product_uom': bucket['product'].uom_id.id,
            'lot_id': bucket['lot'].id,
            # The goods stay where they are.
            'product_location_src_id': place,
            'product_location_dest_id': place,
            'under_warranty': self._is_covered(line),
            'internal_notes': line.customer_note,
        }

    @api.model
    def _after_repair(self, repairs):
        """Prepare the delivery of goods that were just repaired.

        An error in the inspection does not stop a repair: it is logged for a person to handle.
        """
        for repair in repairs:
            line = self._find_line(repair)
            if not line or line.return_id.state != 'approved':
                continue
            quantity = repair.product_uom._compute_quantity(
                repair.product_qty, repair.product_id.uom_id
            )
            way = self.env['sale.return.disposition'].search(
                [
                    ('action', '=', 'give_back'),
                    ('company_id', 'in', [line.company_id.id, False]),
                ],
                limit=1,
            )
            result = {
                'line_id': line.id,
                'quantity': min(line._get_measure().from_stock(quantity), line.qty_to_inspect),
                'disposition': way,
                'lot': repair.lot_id.id,
                'note': repair.name,
            }
            try:
                with self.env.cr.savepoint():
                    self.env['sale.return.disposal']._register_results(line, [result])
            except UserError as error:
                self._log(line, 'inspection_failed', repair.name, reason=str(error.args[0]))
            line.return_id._after_step()

    @api.model
    def _log(self, line, kind, details, reason=False):
        self.env['sale.return.event']._log(
            [
                {
                    'return_id': line.return_id.id,
                    'line_id': line.id,
                    'kind': kind,
                    'reason': reason,
                    'details': details,
                }
            ]
        )
