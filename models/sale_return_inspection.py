from odoo import api, fields, models
from odoo.exceptions import UserError

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
    file_ids = fields.One2many('sale.return.file', 'inspection_id', readonly=True)
    attachment_ids = fields.Many2many(
        'ir.attachment',
        string="Photos and files",
        compute='_compute_attachment_ids',
        compute_sudo=True,
        help="What of the files was not erased.",
    )
    inspector_id = fields.Many2one(
        'res.users', required=True, default=lambda self: self.env.user, ondelete='restrict'
    )
    date = fields.Datetime(required=True, default=lambda self: self.env.cr.now())
    move_ids = fields.One2many('stock.move', 'sale_return_inspection_id', readonly=True)

    @api.depends('file_ids.attachment_id')
    def _compute_attachment_ids(self):
        for row in self:
            row.attachment_ids = row.file_ids.attachment_id

    def _compute_display_name(self):
        for row in self:
            row.display_name = f"{row.product_id.display_name}: {row.disposition_id.name}"

    def _check_moved(self):
        """Refuse that more or less leaves quarantine than was inspected.

        Goods that are sent back may leave in several parcels, so less is fine for them.

        :raise UserError: naming the return and the product.
        """
        for row in self:
            uom = row.product_id.uom_id
            inspected = row.product_uom_id._compute_quantity(
                row.quantity, uom, rounding_method='HALF-UP'
            )
            done = row.move_ids.filtered(lambda move: move.state == 'done')
            moved = sum(
                move.product_uom._compute_quantity(move.quantity, uom, rounding_method='HALF-UP')
                for move in done
            )
            difference = uom.compare(moved, inspected)
            in_parts = row.disposition_id.action == 'send_back'
            if difference > 0 or (difference < 0 and done and not in_parts):
                raise UserError(
                    self.env._(
                        "%(inspected)s %(unit)s of %(product)s were inspected for return "
                        "%(return)s, so %(moved)s cannot leave quarantine with them.",
                        inspected=inspected,
                        unit=uom.name,
                        product=row.product_id.display_name,
                        moved=moved,
                        **{'return': row.return_id.name},
                    )
                )
