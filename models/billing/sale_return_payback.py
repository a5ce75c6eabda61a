from odoo import api, models


class SaleReturnPayback(models.AbstractModel):
    """The part of a credit used by an exchange is not paid back."""

    _inherit = 'sale.return.payback'

    @api.model
    def _get_open_amount(self, note):
        """Extend not to pay back a credit that is still to be settled with an exchange."""
        if note.amount_residual and note._is_exchange_pending():
            return 0.0
        return super()._get_open_amount(note)
