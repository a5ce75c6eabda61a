from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import formatLang

from ..const import REFUND_READERS


class AccountPayment(models.Model):
    _name = 'account.payment'
    _inherit = ['account.payment', 'sale.return.owned']

    sale_return_refund_ids = fields.One2many(
        'sale.return.refund',
        'payment_id',
        string="Return Refunds",
        readonly=True,
        groups=REFUND_READERS,
    )

    def action_post(self):
        """Override of `account` to match the payments of returns with their credit notes.

        :raise UserError: when more would be paid than was prepared or is open on the note.
        """
        # sudo: an accountant need not be a user of Returns.
        refunds = self.sudo().sale_return_refund_ids.filtered(
            lambda refund: refund.method == 'payment' and refund.payment_id.state == 'draft'
        )
        self.env['sale.return.guard']._take_counter(refunds.note_id, 'sale_return_refund_guard')
        for refund in refunds:
            refund._ensure_payable()
            if refund.currency_id != refund.note_currency_id and not refund.payment_id.move_id:
                refund.payment_id._generate_journal_entry(force_balance=refund._get_note_balance())
        result = super().action_post()
        # One of a provider may have been reset and be posted again.
        self.sudo().sale_return_refund_ids._settle()
        refunds._log('refunded')
        return result

    def write(self, vals):
        """Override of `account` to open the note of a return whose payment is undone."""
        result = super().write(vals)
        if vals.get('state') in ('draft', 'canceled', 'rejected'):
            # sudo: an accountant need not be a user of Returns.
            self.sudo().sale_return_refund_ids._undo_settlement()
        return result

    def unlink(self):
        """Override of `account` to open the note of a return whose payment is deleted."""
        # sudo: an accountant need not be a user of Returns.
        self.sudo().sale_return_refund_ids._undo_settlement()
        return super().unlink()

    def _get_sale_return_money(self):
        return formatLang(self.env, self.amount, currency_obj=self.currency_id)

    def _ensure_sale_return_amount(self, refund):
        """Refuse to post another payment than was prepared.

        :raise UserError: naming the payment.
        """
        if self.currency_id != refund.currency_id or self.payment_type != 'outbound':
            raise UserError(
                self.env._(
                    "%(payment)s pays back credit note %(note)s: leave its direction and currency "
                    "as they are, or cancel it and refund the note again.",
                    payment=self.display_name,
                    note=refund.note_id.name,
                )
            )
        if self.currency_id.compare_amounts(self.amount, refund.amount) > 0:
            raise UserError(
                self.env._(
                    "%(amount)s is more than can be paid back on credit note %(note)s. The "
                    "payment was prepared with %(prepared)s.",
                    amount=self._get_sale_return_money(),
                    note=refund.note_id.name,
                    prepared=formatLang(self.env, refund.amount, currency_obj=refund.currency_id),
                )
            )
