from odoo import api, fields, models

from ..const import LIABILITIES


class SaleReturnInspectLine(models.TransientModel):
    """One result of the dialog that inspects returned goods."""

    _name = 'sale.return.inspect.line'
    _description = "Inspect Return Line"

    wizard_id = fields.Many2one('sale.return.inspect', required=True, ondelete='cascade')
    line_id = fields.Many2one('sale.return.line', string="Return Line", required=True)
    return_id = fields.Many2one(related='line_id.return_id')
    company_id = fields.Many2one(related='line_id.company_id')
    product_uom_id = fields.Many2one('uom.uom', compute='_compute_product_id')
    product_id = fields.Many2one('product.product', compute='_compute_product_id')
    component_id = fields.Many2one(
        'product.product',
        domain="[('id', 'in', component_ids)]",
        help="Kits are inspected component by component.",
    )
    component_ids = fields.Many2many(
        'product.product', string="Components of the Kit", compute='_compute_component_ids'
    )
    reason_id = fields.Many2one(related='line_id.reason_id')
    lot_id = fields.Many2one(
        'stock.lot', string="Lot/Serial Number", domain="[('product_id', '=', product_id)]"
    )
    quantity = fields.Float(digits=False, min_display_digits='Product Unit')
    grade_id = fields.Many2one(
        'sale.return.grade',
        string="Condition",
        check_company=True,
        compute='_compute_grade_id',
        store=True,
        readonly=False,
        precompute=True,
    )
    proposed_disposition_id = fields.Many2one(
        'sale.return.disposition', compute='_compute_proposed_disposition_id'
    )
    is_note_required = fields.Boolean(compute='_compute_proposed_disposition_id')
    is_override = fields.Boolean(compute='_compute_is_override')
    disposition_id = fields.Many2one(
        'sale.return.disposition',
        string="What Happens to It",
        check_company=True,
        required=True,
        compute='_compute_proposal',
        store=True,
        readonly=False,
        precompute=True,
    )
    liability = fields.Selection(
        LIABILITIES,
        string="Whose Fault",
        required=True,
        compute='_compute_proposal',
        store=True,
        readonly=False,
        precompute=True,
    )
    note = fields.Char()
    photo = fields.Binary(attachment=False)
    photo_name = fields.Char()

    @api.depends('line_id', 'component_id')
    def _compute_product_id(self):
        for row in self:
            row.product_id = row.component_id or row.line_id.product_id
            row.product_uom_id = row.component_id.uom_id or row.line_id.product_uom_id

    @api.depends('line_id')
    def _compute_component_ids(self):
        for row in self:
            sale_line = row.line_id.sale_line_id
            kit = sale_line._get_return_kit() if sale_line and sale_line._is_return_kit() else {}
            row.component_ids = row.component_id.union(*kit)

    @api.depends('line_id', 'lot_id', 'wizard_id.answer_ids.answer', 'wizard_id.answer_ids.number')
    def _compute_grade_id(self):
        """Propose the grade that follows from the answers; without answers the choice stays."""
        for row in self:
            answers = row._get_answers()
            proposed = self.env['sale.return.disposal']._get_proposed_grade(
                row.company_id, {answer.item_id: answer._get_value() for answer in answers}
            )
            row.grade_id = proposed or row.grade_id

    def _get_answers(self):
        """Return the answers about the goods of the row, without photos."""
        self.ensure_one()
        return self.wizard_id.answer_ids.filtered(
            lambda answer: (
                answer.line_id == self.line_id
                and answer.lot_id == self.lot_id
                and answer.kind != 'photo'
                and answer._get_value() is not None
            )
        )

    @api.depends('line_id', 'grade_id')
    def _compute_proposed_disposition_id(self):
        rules = self.env['sale.return.disposition.rule']._match(
            [(row.line_id, row.grade_id._origin) for row in self]
        )
        for row, rule in zip(self, rules, strict=True):
            row.proposed_disposition_id = rule.disposition_id
            row.is_note_required = rule.note_required

    @api.depends('proposed_disposition_id', 'disposition_id')
    def _compute_is_override(self):
        for row in self:
            proposed = row.proposed_disposition_id
            row.is_override = bool(
                proposed
                and row.is_note_required
                and row.disposition_id != proposed
                and row.disposition_id.action != 'keep'
                and row.line_id.policy_id.inspection_required
            )

    @api.depends('line_id', 'grade_id')
    def _compute_proposal(self):
        """Propose values by rules, policy and reason, also for rows added by hand."""
        for row in self:
            kept = row.disposition_id.action == 'keep'  # no rules for goods that do not come
            row.disposition_id = (
                (not kept and row.proposed_disposition_id)
                or row.disposition_id
                or row.line_id.policy_id.default_disposition_id
            )
            row.liability = row.liability or row.line_id.reason_id.default_liability

    def _prepare_result(self):
        """Prepare the result. Override to add entries.

        :return: see `sale.return.line.register_inspection`.
        :rtype: dict
        """
        self.ensure_one()
        return {
            'line_id': self.line_id.id,
            'product': self.component_id.id,
            'lot': self.lot_id.id,
            'quantity': self.quantity,
            'grade': self.grade_id.id,
            'disposition': self.disposition_id.id,
            'liability': self.liability,
            'note': self.note,
            'answers': self._prepare_answers(),
            **self._prepare_photo(),
        }

    def _prepare_photo(self):
        """Prepare the photo of the goods of the row, empty if there is none."""
        self.ensure_one()
        if not self.photo:
            return {}
        return {'files': [{'name': self.photo_name or 'photo.jpg', 'datas': self.photo}]}

    def _prepare_answers(self):
        """Prepare the answers about the goods of the row.

        :return: `{id of the item: answer}`, see `sale.return.line.register_inspection`.
        :rtype: dict
        """
        self.ensure_one()
        return {
            answer.item_id.id: value
            for answer in self.wizard_id.answer_ids
            if answer.line_id == self.line_id and answer.lot_id == self.lot_id
            if (value := answer._get_value()) is not None
        }
