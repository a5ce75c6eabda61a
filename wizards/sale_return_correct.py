from odoo import api, fields, models
from odoo.tools import clean_context

from ..const import LIABILITIES


class SaleReturnCorrect(models.TransientModel):
    """Dialog: correct an inspection."""

    _name = 'sale.return.correct'
    _description = "Correct Inspection"

    row_id = fields.Many2one('sale.return.inspection', string="Inspection", required=True)
    company_id = fields.Many2one(related='row_id.company_id')
    product_id = fields.Many2one(related='row_id.product_id')
    product_uom_id = fields.Many2one(related='row_id.product_uom_id')
    lot_id = fields.Many2one(related='row_id.lot_id')
    quantity = fields.Float(
        digits=False,
        min_display_digits='Product Unit',
        compute='_compute_from_row',
        store=True,
        readonly=False,
    )
    reason = fields.Char(required=True)
    disposition_id = fields.Many2one(
        'sale.return.disposition',
        string="What Happens to It",
        check_company=True,
        help="What happens to the goods instead. Empty: they wait for another inspection.",
    )
    grade_id = fields.Many2one(
        'sale.return.grade',
        string="Condition",
        check_company=True,
        compute='_compute_from_row',
        store=True,
        readonly=False,
    )
    liability = fields.Selection(
        LIABILITIES, string="Whose Fault", compute='_compute_from_row', store=True, readonly=False
    )

    @api.depends('row_id')
    def _compute_from_row(self):
        for wizard in self:
            wizard.quantity = wizard.row_id.qty_valid
            wizard.grade_id = wizard.row_id.grade_id
            wizard.liability = wizard.row_id.liability

    def action_confirm(self):
        """Correct the row."""
        self.ensure_one()
        # The context of the dialog must not affect the documents that are created.
        row = self.row_id.with_context(clean_context(self.env.context))
        row.action_correct(self.reason, quantity=self.quantity, results=self._prepare_results())
        return {'type': 'ir.actions.act_window_close'}

    def _prepare_results(self):
        """Prepare the right result. Override to add entries.

        :return: see `sale.return.line.register_inspection`; None where it is not known yet.
        """
        if not self.disposition_id:
            return None
        row = self.row_id
        quantity = row._get_component_part(self.quantity) if row.component_id else self.quantity
        return [
            {
                'quantity': quantity,
                'disposition': self.disposition_id.id,
                'grade': self.grade_id.id,
                'liability': self.liability,
                'note': self.reason,
            }
        ]
