from odoo import fields, models

from ..const import LIABILITIES


class SaleReturnInspection(models.Model):
    """What was found: a quantity of a line, its grade, where it goes, and who pays.

    Rows come from `sale.return.line.register_inspection` and are never changed.
    """

    _name = 'sale.return.inspection'
    _inherit = ['sale.return.evidence']
    _description = "Return Inspection"
    _order = 'id desc'
    _check_company_auto = True

    line_id = fields.Many2one('sale.return.line', required=True, index=True, ondelete='restrict')
    return_id = fields.Many2one(related='line_id.return_id', store=True, index=True)
    company_id = fields.Many2one(related='line_id.company_id', store=True, index=True)
    product_id = fields.Many2one(related='line_id.product_id', store=True, index=True)
    product_uom_id = fields.Many2one(related='line_id.product_uom_id')
    quantity = fields.Float(
        digits='Product Unit', required=True, help="In the unit of the return line."
    )
    lot_id = fields.Many2one(
        'stock.lot', string="Lot/Serial Number", index='btree_not_null', ondelete='restrict'
    )
    grade_id = fields.Many2one('sale.return.grade', index=True, ondelete='restrict')
    disposition_id = fields.Many2one(
        'sale.return.disposition', required=True, index=True, ondelete='restrict'
    )
    liability = fields.Selection(LIABILITIES, required=True)
    note = fields.Text()
    attachment_ids = fields.Many2many('ir.attachment', string="Photos and files")
    inspector_id = fields.Many2one(
        'res.users', required=True, default=lambda self: self.env.user, ondelete='restrict'
    )
    date = fields.Datetime(required=True, default=lambda self: self.env.cr.now())
    move_ids = fields.One2many('stock.move', 'sale_return_inspection_id', readonly=True)

    def _compute_display_name(self):
        for row in self:
            row.display_name = f"{row.product_id.display_name}: {row.disposition_id.name}"
