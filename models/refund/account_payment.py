from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import formatLang

from .const import REFUND_READERS
from .sale_return_refund import PAID_STATES

# Fields that decide who gets how much of a payment.
PAYEE_FIELDS = frozenset(
    {'partner_id', 'partner_bank_id', 'amount', 'currency_id', 'payment_type', 'partner_type'}
)


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

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `account`: other programs create payments that are already paid.

        :raise UserError: see `_ensure_sale_return_handed_over`.
        """
        payments = super().create(vals_list)
        if any(vals.get('state') in PAID_STATES for vals in vals_list):
            # sudo: an accountant need not be a user of Returns.
            made = payments.sudo().filtered(lambda payment: payment.state in PAID_STATES)
            made._ensure_sale_return_handed_over()
            made._ensure_sale_return_payee()
        return payments

    def write(self, vals):
        """Override of `account` to match the payments of returns with their credit notes.

        The guard is here and not in the button because other programs write the state. Undoing a
        payment reopens its note.

        :raise UserError: when more would be paid than was prepared or is open on the note, or to
            somebody else.
        """
        self._note_sale_return_preparer(vals)
        if vals.get('state') in PAID_STATES:
            return self._write_sale_return_paid(vals)
        result = super().write(vals)
        # sudo: an accountant need not be a user of Returns.
        if not PAYEE_FIELDS.isdisjoint(vals):
            payments = self.sudo().filtered(lambda payment: payment.state in PAID_STATES)
            payments._ensure_sale_return_payee()
        if vals.get('state') in ('draft', 'canceled', 'rejected'):
            self.sudo().sale_return_refund_ids._undo_settlement()
        return result

    def _note_sale_return_preparer(self, vals):
        """Store who last changed payee or amount of a refund that is not paid yet."""
        names = PAYEE_FIELDS & vals.keys()
        if not names:
            return
        # sudo: an accountant need not be a user of Returns.
        for payment in self.sudo():
            refunds = payment.sale_return_refund_ids.filtered(
                lambda refund: refund.method == 'payment'
            )
            changes = any(
                payment._fields[name].convert_to_write(payment[name], payment) != vals[name]
                for name in names
            )
            if refunds and changes and payment.state not in PAID_STATES:
                refunds.prepared_by_id = self.env.uid

    def _write_sale_return_paid(self, vals):
        """Set payments to paid, once those of returns are verified to be as prepared."""
        # sudo: an accountant need not be a user of Returns.
        payments = self.sudo()
        refunds = payments.sale_return_refund_ids.filtered(
            lambda refund: refund.method == 'payment' and refund.payment_id.state not in PAID_STATES
        )
        unpaid = payments.filtered(lambda payment: payment.state not in PAID_STATES)
        unpaid._ensure_sale_return_handed_over()
        self.env['sale.return.guard']._take_counter(refunds.note_id, 'sale_return_refund_guard')
        refunds._take_payees()
        refunds._ensure_second_person()
        if not refunds:
            return self._write_sale_return_checked(vals, refunds)
        for payment in self:
            # One by one: payouts of one note leave less for the next ones.
            payment._write_sale_return_checked(
                vals, refunds.filtered(lambda refund, p=payment: refund.payment_id == p)
            )
        return True

    def _write_sale_return_checked(self, vals, refunds):
        """Mark as paid the payments that passed the check for one or two persons.

        :param refunds: the `sale.return.refund` records that they pay.
        """
        payments = self.sudo()  # sudo: as above
        for refund in refunds:
            refund._ensure_payable()
            payment = refund.payment_id
            if (
                refund.currency_id != refund.note_currency_id
                and not payment.move_id
                and not vals.get('move_id')
            ):
                # It writes its entry and the state by this same method.
                payment._generate_journal_entry(force_balance=refund._get_note_balance())
        # A part of `write`, which is where it is called from.
        result = super().write(vals)  # pylint: disable=super-method-mismatch
        payments._ensure_sale_return_payee()
        # A provider's payment may have been reset and be posted again.
        payments.sale_return_refund_ids._settle()
        if refunds:
            refunds.released_by_id = self.env.uid
        refunds.filtered(lambda refund: refund._is_paid())._log('refunded')
        return result

    def _ensure_sale_return_handed_over(self):
        """Refuse manual payments for notes of returns that one person both creates and posts.

        To be called in superuser mode.

        :raise UserError: above the limit, naming the notes.
        """
        alone = self.filtered(
            lambda payment: (
                payment.payment_type == 'outbound'
                and not payment.sale_return_refund_ids
                # Payments already made by a provider are not refused.
                and not payment.payment_transaction_id
                and payment.create_uid == self.env.user
            )
        )
        alone.invoice_ids._ensure_sale_return_handed_over()

    def unlink(self):
        """Override of `account` to reopen the note of a return whose payment is deleted."""
        # sudo: an accountant need not be a user of Returns.
        self.sudo().sale_return_refund_ids._undo_settlement()
        return super().unlink()

    def _get_sale_return_money(self):
        return formatLang(self.env, self.amount, currency_obj=self.currency_id)

    def _ensure_sale_return_amount(self, refund):
        """Refuse to post another payment than was prepared.

        :raise UserError: naming the payment.
        """
        paid_less = self.state in PAID_STATES and (
            self.currency_id.compare_amounts(self.amount, refund.amount) < 0
        )
        same = self.currency_id == refund.currency_id and self.partner_type == 'customer'
        if not same or self.payment_type != 'outbound' or paid_less:
            raise UserError(
                self.env._(
                    "%(payment)s pays back credit note %(note)s: leave its direction, its currency "
                    "and, once it is posted, its amount as they are, or cancel it and refund the "
                    "note again.",
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

    def _ensure_sale_return_payee(self):
        """Refuse to pay the refund of a return to anybody but its customer.

        Drafts may be wrong: they are checked when they, or their entries, are posted.

        :raise UserError: naming the payment and the customer.
        """
        refunds = self.sale_return_refund_ids.filtered(lambda refund: refund.method == 'payment')
        for refund in refunds:
            refund.payment_id._ensure_sale_return_amount(refund)
            refund.payment_id._ensure_sale_return_customer(refund)
        by_hand = self.filtered(
            lambda payment: (
                payment.payment_type == 'outbound'
                and not payment.sale_return_refund_ids
                and not payment.payment_transaction_id
            )
        )
        for payment in by_hand:
            for note in payment.invoice_ids.filtered(
                lambda move: move.move_type == 'out_refund' and move.sale_return_ids
            ):
                payment._ensure_sale_return_note_payee(note)

    def _ensure_sale_return_note_payee(self, note):
        """Refuse another payee than the customer of a note that is paid by hand.

        :raise UserError: naming the payment, the note and the customer.
        """
        self.ensure_one()
        customer, account = note._get_sale_return_customer(), self.partner_bank_id
        payees = self.partner_id | account.partner_id
        trusted = account.allow_out_payment or self.journal_id.type != 'bank'
        if payees.commercial_partner_id != customer or (account and not trusted):
            raise UserError(
                self.env._(
                    "%(payment)s pays credit note %(note)s of return %(returns)s, whose money "
                    "may only go to %(customer)s, and only to trusted accounts of theirs. "
                    "Choose another account, or press “Refund” on the return.",
                    payment=self.display_name,
                    note=note.name,
                    returns=", ".join(note.sale_return_ids.mapped('name')),
                    customer=customer.display_name,
                )
            )

    def _ensure_sale_return_customer(self, refund):
        """Refuse other payees than the customer of the note, and untrusted bank accounts."""
        self.ensure_one()
        customer = refund.note_id._get_sale_return_customer()
        values = {
            'payment': self.display_name,
            'note': refund.note_id.name,
            'returns': ", ".join(refund.return_ids.mapped('name')),
            'customer': customer.display_name,
        }
        account = self.partner_bank_id
        payees = self.partner_id | self.move_id.line_ids.partner_id
        unknown = (payees | account.partner_id) - refund._get_named_partners()
        if payees.commercial_partner_id != customer or (
            account and account.partner_id.commercial_partner_id != customer
        ):
            raise UserError(
                self.env._(
                    "%(payment)s pays back credit note %(note)s of return %(returns)s and can "
                    "only go to %(customer)s. Restore the customer and the bank account, or "
                    "cancel it and refund the note again.",
                    **values,
                )
            )
        if (unknown or not refund._is_customer_as_billed()) and not refund._is_seen_by_two():
            raise UserError(
                self.env._(
                    "%(payment)s pays back credit note %(note)s of return %(returns)s to "
                    "%(payees)s, not named on the invoice, or not the customer when it was "
                    "billed. Restore the customer, or have it posted by somebody other than the"
                    " person who prepared or changed it.",
                    payees=", ".join((unknown or payees).mapped('display_name')),
                    **values,
                )
            )
        if account and not account.allow_out_payment:
            raise UserError(
                self.env._(
                    "%(payment)s pays back credit note %(note)s of return %(returns)s to "
                    "account %(account)s of %(customer)s, which is not trusted yet. Check the "
                    "account and mark it as trusted, or choose another one.",
                    account=account.acc_number,
                    **values,
                )
            )
