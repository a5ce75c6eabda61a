from odoo import api, fields, models


class SaleReturnReason(models.Model):
    _inherit = 'sale.return.reason'

    about_size = fields.Boolean(
        help=(
            "The returned size is recorded with the return, and in exchanges the wanted one as "
            "well: the analysis of sizes shows which one runs small."
        )
    )

    @api.model
    def _selection_resolution(self):
        """Extend not to propose exchanges where the part is switched off."""
        wishes = super()._selection_resolution()
        if self.env['sale.return.exchange']._is_on():
            return wishes
        return [wish for wish in wishes if wish[0] != 'exchange']
