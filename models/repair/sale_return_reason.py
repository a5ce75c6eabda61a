from odoo import api, models


class SaleReturnReason(models.Model):
    _inherit = 'sale.return.reason'

    @api.model
    def _selection_resolution(self):
        """Extend not to propose repairs where the part is switched off."""
        wishes = super()._selection_resolution()
        if self.env['sale.return.repair']._is_on():
            return wishes
        return [wish for wish in wishes if wish[0] != 'repair']
