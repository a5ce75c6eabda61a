from odoo import models


class AccountPayment(models.Model):
    _inherit = 'account.payment'

    def _ensure_sale_return_note_payee(self, note):
        """Extend to refuse to pay by hand what has to settle an exchange."""
        note._ensure_exchange_billed()
        return super()._ensure_sale_return_note_payee(note)
