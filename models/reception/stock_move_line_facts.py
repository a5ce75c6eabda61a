from odoo import models


class StockMoveLine(models.Model):
    """Finds the ways of a lot: who delivered it, and when it was sold again."""

    _inherit = 'stock.move.line'

    _sale_return_lot = models.Index('(lot_id) WHERE lot_id IS NOT NULL')
