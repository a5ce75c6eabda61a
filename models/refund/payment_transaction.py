from odoo import fields, models

from .const import REFUND_READERS


class PaymentTransaction(models.Model):
    _name = 'payment.transaction'
    _inherit = ['payment.transaction', 'sale.return.owned']

    sale_return_refund_ids = fields.One2many(
        'sale.return.refund',
        'transaction_id',
        string="Return Refunds",
        readonly=True,
        groups=REFUND_READERS,
    )

    def _create_payment(self, **extra_create_values):
        """Override of `account_payment` to settle a note in another currency without a residual."""
        # sudo: the transaction has no access to the followers of the return.
        refund = self.sudo().sale_return_refund_ids
        if refund and refund.currency_id != refund.note_currency_id:
            extra_create_values['force_balance'] = refund._get_note_balance()
        return super()._create_payment(**extra_create_values)

    def _post_process(self):
        """Override of `payment` to settle the notes of returns whose refunds were paid.

        Also where the provider answers later, by a separate call.
        """
        result = super()._post_process()
        # sudo: providers answer without a user.
        for refund in self.sudo().sale_return_refund_ids:
            refund.payment_id = refund.transaction_id.payment_id
            if refund.state == 'done':
                refund.write({'error': False, 'answer_lost': False})
                refund._settle()
                refund._log('refunded')
            elif refund.state == 'failed' and not refund.error:
                refund._fail(refund.transaction_id.state_message)
        return result
