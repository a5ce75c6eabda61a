from odoo import models


class SaleReturnRefund(models.Model):
    _inherit = 'sale.return.refund'

    def _ensure_note_open(self):
        """Extend to refuse payouts that were prepared before the exchange was billed for less."""
        self.note_id._ensure_exchange_billed()
        return super()._ensure_note_open()
