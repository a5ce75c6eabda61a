from odoo import api, fields, models

from ..const import LIABILITIES, SUPPORTED_ACTIONS


class SaleReturnInspectLine(models.TransientModel):
    """One result of the dialog that inspects returned goods."""

    _name = 'sale.return.inspect.line'
    _description = "Inspect Return Line"

    wizard_id = fields.Many2one('sale.return.inspect', required=True, ondelete='cascade')
    line_id = fields.Many2one('sale.return.line', string="Return Line", required=True)
    return_id = fields.Many2one(related='line_id.return_id')
    company_id = fields.Many2one(related='line_id.company_id')
    product_uom_id = fields.Many2one(related='line_id.product_uom_id')
    product_id = fields.Many2one(related='line_id.product_id')
    reason_id = fields.Many2one(related='line_id.reason_id')
    lot_id = fields.Many2one(
        'stock.lot', string="Lot/Serial Number", domain="[('product_id', '=', product_id)]"
    )
    quantity = fields.Float(digits='Product Unit')
    grade_id = fields.Many2one('sale.return.grade', check_company=True)
    disposition_id = fields.Many2one(
        'sale.return.disposition',
        check_company=True,
        required=True,
        domain=[('action', 'in', SUPPORTED_ACTIONS)],
        compute='_compute_proposal',
        store=True,
        readonly=False,
        precompute=True,
    )
    liability = fields.Selection(
        LIABILITIES,
        required=True,
        compute='_compute_proposal',
        store=True,
        readonly=False,
        precompute=True,
    )
    note = fields.Char()

    @api.depends('line_id')
    def _compute_proposal(self):
        """Propose what the policy and the reason say, also for rows that are added by hand."""
        for row in self:
            row.disposition_id = row.disposition_id or row.line_id.policy_id.default_disposition_id
            row.liability = row.liability or row.line_id.reason_id.default_liability

    def _prepare_result(self):
        """Prepare the result. Override to add entries.

        :return: see `sale.return.line.register_inspection`.
        :rtype: dict
        """
        self.ensure_one()
        return {
            'line_id': self.line_id.id,
            'lot': self.lot_id.id,
            'quantity': self.quantity,
            'grade': self.grade_id.id,
            'disposition': self.disposition_id.id,
            'liability': self.liability,
            'note': self.note,
        }
