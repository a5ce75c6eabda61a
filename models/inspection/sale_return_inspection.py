from odoo import api, fields, models
from odoo.exceptions import UserError

from ...const import LIABILITIES
from ...tools.reader import RESULTS, number, reads, text
from ..base.sale_return_evidence import SaleReturnEvidence


class SaleReturnInspection(models.Model):
    """What was found: a quantity of a line, its grade, where it goes, and who pays.

    Rows come from `sale.return.line.register_inspection` and are never changed. Errors are
    corrected by `action_correct`: a row with the opposite sign, and another one with the right
    result.
    """

    _name = 'sale.return.inspection'

    _inherit = ['sale.return.evidence']

    _description = "Return Inspection"
    _order = 'id desc'
    _check_company_auto = True

    line_id = fields.Many2one('sale.return.line', required=True, index=True, ondelete='restrict')
    return_id = fields.Many2one(related='line_id.return_id', store=True, index=True)
    company_id = fields.Many2one(related='line_id.company_id', store=True, index=True)
    product_id = fields.Many2one(
        'product.product', compute='_compute_product_id', store=True, index=True
    )
    product_uom_id = fields.Many2one(related='line_id.product_uom_id')
    quantity = fields.Float(
        digits=False,
        min_display_digits='Product Unit',
        required=True,
        help="In the unit of the return line. For a component of a kit: its part of the kits.",
    )
    component_id = fields.Many2one(
        'product.product',
        index='btree_not_null',
        ondelete='restrict',
        help="Which component of a kit was inspected.",
    )
    component_qty = fields.Float(
        string="Quantity of Component",
        digits='Product Unit',
        help="How much of the component was inspected, in its own unit.",
    )
    lot_id = fields.Many2one(
        'stock.lot', string="Lot/Serial Number", index='btree_not_null', ondelete='restrict'
    )
    grade_id = fields.Many2one(
        'sale.return.grade', string="Condition", index=True, ondelete='restrict'
    )
    disposition_id = fields.Many2one(
        'sale.return.disposition',
        string="What Happens to It",
        required=True,
        index=True,
        ondelete='restrict',
    )
    proposed_disposition_id = fields.Many2one(
        'sale.return.disposition',
        string="Proposed by the Rules",
        ondelete='restrict',
        help="Proposal of the disposition rules. The note says why another disposition was chosen.",
    )
    answer_ids = fields.One2many(
        'sale.return.inspection.answer', 'inspection_id', string="Checklist", readonly=True
    )
    liability = fields.Selection(LIABILITIES, string="Whose Fault", required=True)
    note = fields.Text()
    file_ids = fields.One2many('sale.return.file', 'inspection_id', readonly=True)
    attachment_ids = fields.Many2many(
        'ir.attachment',
        string="Photos and files",
        compute='_compute_attachment_ids',
        compute_sudo=True,
        help="Remaining content of the files.",
    )
    inspector_id = fields.Many2one(
        'res.users', required=True, default=lambda self: self.env.user, ondelete='restrict'
    )
    date = fields.Datetime(required=True, default=lambda self: self.env.cr.now())
    move_ids = fields.One2many('stock.move', 'sale_return_inspection_id', readonly=True)
    transfer_count = fields.Integer(compute='_compute_transfer_count', compute_sudo=True)
    document_ref = fields.Reference(
        selection='_selection_document',
        string="Document",
        readonly=True,
        help="The repair order or scrap order made for the goods.",
    )
    corrects_id = fields.Many2one(
        'sale.return.inspection',
        index='btree_not_null',
        ondelete='restrict',
        help="The row that this one corrects.",
    )
    correction_ids = fields.One2many(
        'sale.return.inspection', 'corrects_id', string="Corrections", readonly=True
    )
    qty_valid = fields.Float(
        string="Valid",
        digits=False,
        min_display_digits='Product Unit',
        compute='_compute_qty_valid',
        help="Quantity of the row that was not corrected, in the unit of the return line.",
    )

    # === COMPUTE METHODS === #

    @api.depends('move_ids.picking_id')
    def _compute_transfer_count(self):
        for row in self:
            row.transfer_count = len(row.move_ids.picking_id)

    @api.depends('quantity', 'corrects_id', 'correction_ids.quantity')
    def _compute_qty_valid(self):
        for row in self:
            row.qty_valid = 0.0 if row.corrects_id else row._get_qty_valid()

    @api.depends('file_ids.attachment_id')
    def _compute_attachment_ids(self):
        for row in self:
            row.attachment_ids = row.file_ids.attachment_id

    @api.depends('component_id', 'line_id.product_id')
    def _compute_product_id(self):
        for row in self:
            row.product_id = row.component_id or row.line_id.product_id

    def _compute_display_name(self):
        for row in self:
            row.display_name = f"{row.product_id.display_name}: {row.disposition_id.name}"

    # === ACTION METHODS === #

    @reads(reason=text, quantity=number, results=RESULTS)
    def action_correct(self, reason, quantity=None, results=None):
        """Correct rows: their goods go back to quarantine, and the right results are recorded.

        Without `results` the goods wait for another inspection. Where only grade or liability
        were wrong, the goods stay where they are.

        :param str reason: what was wrong, required.
        :param float quantity: how much of each row is wrong, in the unit of the return line; all
            of it by default.
        :param list results: for rows of one return line: the right results, see
            `sale.return.line.register_inspection` (`line_id`, `lot` and `note` are known).
        :return: the correcting rows, then those of the results.
        :rtype: sale.return.inspection
        :raise AccessError: without the role of inspector.
        :raise UserError: when the goods have left, or less would be accepted than is already
            credited. Nothing is changed then.
        """
        returns = self.env['sale.return']
        returns._ensure_group('group_inspector')
        self.check_access('read')
        returns._ensure_explained(reason, self.env._("Enter what is wrong with the inspection."))
        if results and len(self.line_id) > 1:
            raise UserError(
                self.env._("Correct the rows of several return lines one after the other.")
            )
        with self.env.cr.savepoint():
            rows = self.env['sale.return.disposal']._correct(self, reason, quantity, results)
        rows.line_id.return_id._after_step()
        return rows

    def action_open_correction(self):
        """Open the dialog that corrects the row."""
        self.ensure_one()
        self.env['sale.return']._ensure_group('group_inspector')
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Correct"),
            'res_model': 'sale.return.correct',
            'view_mode': 'form',
            'target': 'new',
            'context': {'default_row_id': self.id},
        }

    def action_view_transfers(self):
        """Show the transfers that moved the goods of the rows."""
        return self.env['sale.return.opening']._open_transfers(self)

    def action_print_labels(self):
        """Print the labels of rows whose goods are put away.

        :return: the action of the report, True where nothing is put away.
        """
        self.check_access('read')
        rows = self._filter_put_away()
        return (
            self.env.ref('sale_return.action_report_put_away').report_action(rows) if rows else True
        )

    # === BUSINESS METHODS === #

    @api.model
    def _selection_document(self):
        models_there = self.env['ir.model'].sudo()  # names of models are not secret
        return [
            (model, models_there._get(model).name)
            for model in ('stock.scrap', 'repair.order')
            if model in self.env
        ]

    def _link_document(self, document):  # pylint: disable=missing-return
        """Store the repair or scrap order that was created for the goods of the row."""
        self.ensure_one()
        if document:
            # Bypasses the `write` of evidence, which refuses everybody: the link is part of the new
            # row.
            reference = f'{document._name},{document.id}'
            super(SaleReturnEvidence, self).write(  # pylint: disable=super-method-mismatch
                {'document_ref': reference}
            )

    # === QUANTITIES === #

    def _get_qty_valid(self):
        """Return the quantity of the row not corrected, in the unit of the line."""
        self.ensure_one()
        return self.quantity + sum(self.correction_ids.mapped('quantity'))

    def _get_stock_quantity(self):
        """Return the quantity of the row not corrected, in the unit of the product (component)."""
        self.ensure_one()
        if self.component_id:
            return self.component_qty + sum(self.correction_ids.mapped('component_qty'))
        return self.env['sale.return.quarantine']._get_stock_quantity(
            self.line_id, self._get_qty_valid()
        )

    def _get_component_part(self, quantity):
        """Return the quantity of the component for a part of a row, 0 for rows without component.

        :param float quantity: the part not corrected, in the unit of the line.
        """
        self.ensure_one()
        valid = self._get_qty_valid()
        if not self.component_id or not valid:
            return 0.0
        return self.component_id.uom_id.round(self._get_stock_quantity() * quantity / valid)

    def _get_result_quantity(self):
        """Return what was inspected, in the unit in which results are given."""
        self.ensure_one()
        return self.component_qty if self.component_id else self.quantity

    def _get_quantity_text(self):
        """Return the inspected quantity in a readable form."""
        self.ensure_one()
        uom = self.component_id.uom_id or self.product_uom_id
        return uom._say(self._get_result_quantity())

    def _get_moved_quantities(self):
        """Return how much of the row has left quarantine and how much still will.

        :return: `(done, open)` in the unit of the product; goods brought back by corrections do not
            count as done.
        :rtype: tuple
        """
        self.ensure_one()
        uom = self.product_id.uom_id

        def add_up(moves):
            return sum(
                move.product_uom._compute_quantity(
                    move.quantity if move.state == 'done' else move.product_uom_qty,
                    uom,
                    rounding_method='HALF-UP',
                )
                for move in moves
            )

        done = self.move_ids.filtered(lambda move: move.state == 'done')
        still = self.move_ids.filtered(lambda move: move.state not in ('done', 'cancel'))
        back = self.correction_ids.move_ids.filtered(lambda move: move.state == 'done')
        return add_up(done) - add_up(back), add_up(still)

    # === GUARDS === #

    def _check_moved(self):
        """Refuse to move more or less out of quarantine than was inspected.

        Goods in a transfer that is not done may leave in several parts.

        :raise UserError: naming the return and the product.
        """
        for row in self.corrects_id | self.filtered(lambda row: not row.corrects_id):
            uom = row.product_id.uom_id
            inspected = row._get_stock_quantity()
            done, still = row._get_moved_quantities()
            if uom.compare(done + still, inspected) != 0:
                raise UserError(
                    self.env._(
                        "%(inspected)s %(unit)s of %(product)s were inspected for return "
                        "%(return)s, so %(moved)s cannot leave quarantine. If less leaves now, "
                        "keep a backorder for the rest.",
                        inspected=inspected,
                        unit=uom._get_name_after(inspected),
                        product=row.product_id.display_name,
                        moved=done + still,
                        **{'return': row.return_id.name},
                    )
                )

    def _ensure_still_leaving(self):
        """Refuse to cancel a transfer that takes inspected goods out of quarantine.

        :raise UserError: naming the return, the product and what to do.
        """
        for row in self.filtered(lambda row: not row.corrects_id):
            uom = row.product_id.uom_id
            done, still = row._get_moved_quantities()
            if uom.compare(done + still, row._get_stock_quantity()) < 0:
                raise UserError(
                    self.env._(
                        "The transfer of %(product)s for return %(return)s cannot be cancelled:"
                        " the goods were inspected and would stay in quarantine forever. "
                        "Validate it, or correct the inspection row, which cancels it.",
                        product=row.product_id.display_name,
                        **{'return': row.return_id.name},
                    )
                )

    # === LABEL === #

    # Labels for goods that are put away after their inspection.

    def _filter_put_away(self):
        """Return the rows whose goods go to a location in our warehouses, and so get a label."""
        # sudo: users who inspect need not see transfers.
        return self.filtered(lambda row: row.sudo()._get_put_away_location())

    def _get_put_away_location(self):
        """Return where the goods of a row go: one of our locations, or an empty record."""
        self.ensure_one()
        moves = self.move_ids.filtered(lambda move: move.state != 'cancel')
        places = moves.move_line_ids.location_dest_id or moves.location_dest_id
        return places.filtered(lambda place: place.usage == 'internal')[:1]

    def _get_label_vals(self):
        """Return what is printed on the label of one row. Override to add entries.

        `barcode` is the lot or serial number, else the barcode of the product, else its reference.

        :rtype: dict
        """
        self.ensure_one()
        row = self.sudo()  # inspectors may print labels of what they have inspected
        product = row.product_id
        place = row._get_put_away_location()
        return {
            'product': product.display_name,
            'lot': row.lot_id.name or "",
            'grade': f"{row.grade_id.code} · {row.grade_id.name}" if row.grade_id else "",
            'quantity': row._get_quantity_text(),
            'disposition': row.disposition_id.name,
            'location': place.complete_name or "",
            'return': row.return_id.name,
            'partner': row.return_id.partner_id.name,
            'date': row.date,
            'barcode': row.lot_id.name
            or product.barcode
            or product.default_code
            or row.return_id.name,
        }
