from odoo import models


class StockRule(models.Model):
    _inherit = 'stock.rule'

    def _get_custom_move_fields(self):
        """Override of `stock` to let replacements count on the return line they replace."""
        return [*super()._get_custom_move_fields(), 'sale_return_line_id']
