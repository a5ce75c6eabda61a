from odoo import fields, models

from .sale_return_checklist_item import ITEM_KINDS


class SaleReturnInspectionAnswer(models.Model):
    """The answer to one item of a checklist, stored with the inspection row."""

    _name = 'sale.return.inspection.answer'
    _inherit = ['sale.return.evidence']
    _description = "Return Inspection Answer"
    _order = 'id'
    _rec_name = 'name'

    inspection_id = fields.Many2one(
        'sale.return.inspection', required=True, index=True, ondelete='restrict'
    )
    company_id = fields.Many2one(related='inspection_id.company_id', store=True, index=True)
    item_id = fields.Many2one(
        'sale.return.checklist.item', required=True, index=True, ondelete='restrict'
    )
    # Copied from the checklist, which may be changed later.
    name = fields.Char(string="Question", required=True)
    kind = fields.Selection(ITEM_KINDS, required=True)
    answer = fields.Boolean("Yes", help="The answer to a yes-or-no item.")
    number = fields.Float(help="The answer to an item that asks for a number.")
    is_well = fields.Boolean("Well", help="The answer was satisfactory.")
    value = fields.Char(string="Answer", compute='_compute_value')

    def _compute_value(self):
        for row in self:
            if row.kind == 'yes_no':
                row.value = self.env._("Yes") if row.answer else self.env._("No")
            elif row.kind == 'number':
                row.value = f"{row.number:g} {row.item_id.unit or ''}".strip()
            else:
                row.value = self.env._("See the photos")
