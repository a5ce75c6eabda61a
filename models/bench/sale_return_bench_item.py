from odoo import fields, models

from ...const import LIABILITIES
from .const import BENCH_KINDS


class SaleReturnBenchItem(models.Model):
    """Goods counted at the bench and not finished yet, with their result."""

    _name = 'sale.return.bench.item'
    _inherit = ['sale.return.own.defaults']
    _description = "Counted at the Bench"
    _order = 'id'
    _rec_name = 'name'

    session_id = fields.Many2one(
        'sale.return.bench.session', required=True, index=True, ondelete='cascade'
    )
    company_id = fields.Many2one('res.company', required=True, index=True, ondelete='cascade')
    return_id = fields.Many2one('sale.return', required=True, index=True, ondelete='cascade')
    line_id = fields.Many2one('sale.return.line', index='btree_not_null', ondelete='cascade')
    line_key = fields.Char(help="Return line and product: lines of kits have several.")
    kind = fields.Selection(BENCH_KINDS, required=True, default='expected')
    product_id = fields.Many2one('product.product', required=True, ondelete='cascade')
    name = fields.Char(required=True)
    uom = fields.Char(string="Unit")
    lot_name = fields.Char(string="Lot/Serial Number")
    quantity = fields.Float(digits='Product Unit', help="In the unit of the product.")
    grade_id = fields.Many2one('sale.return.grade', string="Condition", ondelete='restrict')
    disposition_id = fields.Many2one(
        'sale.return.disposition', string="What Happens to It", ondelete='restrict'
    )
    proposed_disposition_id = fields.Many2one('sale.return.disposition', ondelete='restrict')
    is_override = fields.Boolean(help="Its disposition differs from the one of the rules.")
    liability = fields.Selection(LIABILITIES, string="Whose Fault")
    note = fields.Text()
    answers = fields.Json()
    # Removed by an undo; kept so that the history stays complete.
    removed = fields.Boolean()
    file_ids = fields.One2many('sale.return.file', 'bench_item_id', string="Photos")
