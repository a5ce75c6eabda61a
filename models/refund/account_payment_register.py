from odoo import models


class AccountPaymentRegister(models.TransientModel):
    _inherit = 'account.payment.register'

    def _create_payments(self):
        """Override of `account`: it prepares and posts in one step, which may need two people.

        :raise UserError: above the limit, for credit notes of returns.
        """
        # sudo: an accountant need not be a user of Returns.
        self.sudo().line_ids.move_id._ensure_sale_return_handed_over()
        payments = super()._create_payments()
        # sudo: as above. The dialog posts before its payments name what they pay.
        notes = self.sudo().line_ids.move_id.filtered(
            lambda move: move.move_type == 'out_refund' and move.sale_return_ids
        )
        for payment in payments.sudo() if notes else ():
            customer = payment.partner_id.commercial_partner_id
            for note in notes.filtered(lambda n, c=customer: n.commercial_partner_id == c):
                payment._ensure_sale_return_note_payee(note)
        return payments
