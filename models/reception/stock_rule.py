from odoo import api, models


class StockRule(models.Model):
    _inherit = 'stock.rule'

    @api.model
    def _run_pull(self, procurements):
        """Override of `stock` to count existing moves as fulfilling the need."""
        rest = self.env['stock.move']._take_over(procurements)
        return super()._run_pull(rest) if rest else True

    def _get_custom_move_fields(self):
        """Override of `stock` to assign replacements to their return line."""
        return [*super()._get_custom_move_fields(), 'sale_return_line_id']

    def _push_prepare_move_copy_values(self, move_to_copy, new_date):
        """Override of `stock` to assign each step of a delivery to the line it replaces."""
        values = super()._push_prepare_move_copy_values(move_to_copy, new_date)
        if move_to_copy._is_sale_return_replacement():
            values['sale_return_line_id'] = move_to_copy.sale_return_line_id.id
        return values
