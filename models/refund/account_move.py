from odoo import fields, models
from odoo.exceptions import UserError

from .const import REFUND_READERS


class AccountMove(models.Model):
    """Payouts of credit notes of returns."""

    _inherit = 'account.move'

    sale_return_refund_ids = fields.One2many(
        'sale.return.refund', 'note_id', string="Refunds", readonly=True, groups=REFUND_READERS
    )
    sale_return_write_back_ids = fields.One2many(
        'sale.return.refund',
        'write_back_move_id',
        string="Written Back by",
        readonly=True,
        help="Refunds whose discount this entry writes back, settling a note without payment.",
        groups=REFUND_READERS,
    )
    sale_return_on_account = fields.Boolean(
        "Left on Account",
        readonly=True,
        copy=False,
        help=(
            "It was decided that this credit stays on the customer's account and is not paid back."
        ),
        groups='base.group_user',
    )
    # Written by every transaction that pays back on the note, see `sale.return.payback._pay_back`.
    sale_return_refund_guard = fields.Integer(readonly=True, copy=False, groups='base.group_user')

    def _filter_sale_return_payable(self):
        """Return the posted credit notes of an invoice with an open amount."""
        return self.filtered(
            lambda move: (
                move.move_type == 'out_refund'
                and move.state == 'posted'
                and move.reversed_entry_id
                and move.currency_id.compare_amounts(move.amount_residual, 0.0) > 0
            )
        )

    def _get_amount_to_pay_back(self):
        """Override to expect no payment for credits left on the customer's account."""
        # sudo: portal users follow their returns, too.
        return 0.0 if self.sudo().sale_return_on_account else super()._get_amount_to_pay_back()

    def _get_sale_return_invoices(self):
        """Return the invoices that notes credit, by their lines, which are never hand-written."""
        return self.invoice_line_ids.credited_line_id.move_id or self.reversed_entry_id

    def _get_sale_return_customer(self):
        """Return who gets the money of a note: the billed customer, despite later changes.

        Of a gift it is the recipient.
        """
        self.ensure_one()
        # sudo: who reads a note need not read its return.
        if self.sudo()._is_for_another():
            return self.partner_id.commercial_partner_id
        invoices = self._get_sale_return_invoices()
        return (invoices or self).partner_id.commercial_partner_id

    def _get_billed_customers(self, invoices):
        """Return the customers that a note of returns must be for.

        To be called in superuser mode.

        :param invoices: the `account.move` records whose lines it credits.
        """
        returns = self.invoice_line_ids.sale_return_line_id.return_id
        return (returns._get_note_partner() or invoices.partner_id).commercial_partner_id

    def _check_sale_return_header(self):
        """Refuse notes of returns for another customer than the invoices they credit.

        To be called in superuser mode.

        :raise UserError: naming the note and the invoices.
        """
        for note in self.filtered(lambda move: move.move_type == 'out_refund'):
            invoices = note.invoice_line_ids.filtered(
                'sale_return_line_id'
            ).credited_line_id.move_id
            if not invoices:
                continue
            customers = note.partner_id.commercial_partner_id | note.commercial_partner_id
            if (
                customers != note._get_billed_customers(invoices)
                or note.currency_id != invoices.currency_id
                or note.reversed_entry_id - invoices  # a note made by hand may have none
            ):
                raise UserError(
                    self.env._(
                        "%(note)s of return %(returns)s credits %(invoices)s: customer, "
                        "currency and reversed invoice have to be those of the invoice. Restore"
                        " them, or cancel the note and create it again from the return.",
                        note=note.display_name,
                        returns=", ".join(note.sale_return_ids.mapped('name')),
                        invoices=", ".join(invoices.mapped('name')),
                    )
                )

    def _get_sale_return_handed_over(self):
        """Return the open notes of returns that the user may not pay back alone.

        To be called in superuser mode.
        """
        notes = self._filter_sale_return_payable().filtered('sale_return_ids')
        payouts = {}
        # As if they were prepared on the return by the user who is about to pay.
        for (company, customer), group in notes.grouped(
            lambda note: (note.company_id, note._get_sale_return_customer())
        ).items():
            payout = self.env['sale.return.refund'].new(
                {
                    'note_id': group[:1].id,
                    'partner_id': customer.id,
                    'currency_id': company.currency_id.id,
                    'amount': abs(sum(group.mapped('amount_residual_signed'))),
                    'prepared_by_id': self.env.uid,
                }
            )
            payouts[payout] = group
        held = self.env['sale.return.refund'].concat(*payouts)._filter_second_person()
        return self.browse().union(*[payouts[payout] for payout in held])

    def _is_sale_return_handed_over(self):
        """Tell whether a second person has to pay some of these notes back."""
        return bool(self._get_sale_return_handed_over())

    def _ensure_sale_return_handed_over(self):
        """Refuse to let one person alone pay notes above the limit.

        To be called in superuser mode.

        :raise UserError: naming the notes and what to do.
        """
        limited = self.filtered(
            lambda note: (
                note.company_id.sale_return_second_person_above
                and note.move_type == 'out_refund'
                and note.sale_return_ids
            )
        )
        self.env['sale.return.guard']._take_customers(limited.partner_id)
        if notes := self._get_sale_return_handed_over():
            raise UserError(
                self.env._(
                    "Credit note %(notes)s of return %(returns)s is above the limit for one "
                    "person. Press “Refund” on the return and hand it over for payment.",
                    notes=", ".join(notes.mapped('name')),
                    returns=", ".join(notes.sale_return_ids.mapped('name')),
                )
            )

    def _check_sale_return_payees(self):
        """Hook of `_post`."""
        result = super()._check_sale_return_payees()
        self._check_sale_return_header()
        self.origin_payment_id._ensure_sale_return_payee()
        return result

    def _start_sale_return_refunds(self):
        """Hook of `_after_sale_return_posting`."""
        result = super()._start_sale_return_refunds()
        posted = self.sudo()  # sudo: an accountant need not be a user of Returns
        posted._follow_reversed_payouts()
        posted._take_over_payouts()
        posted._set_off_reversed_credits()
        for note in self.filtered(lambda move: move._is_sale_return_refund_automatic()):
            # One by one: a note that cannot be paid back does not stop the others.
            note._start_sale_return_refund()
        return result

    # === WHAT WAS UNDONE === #

    def _get_reversed_credits(self):
        """Return the open invoices that reverse other notes of this note's invoice.

        The customer owes them: a credit, perhaps already paid back, was reversed.
        """
        self.ensure_one()
        siblings = self.reversed_entry_id.reversal_move_ids - self
        return siblings.reversal_move_ids.filtered(
            lambda move: (
                move._bills_note_again()
                and move.state == 'posted'
                and move.currency_id == self.currency_id
                and move.currency_id.compare_amounts(move.amount_residual, 0.0) > 0
            )
        )

    def _set_off_reversed_credits(self):
        """Settle notes of returns with what their customers owe for earlier reversed notes.

        500 are paid, 200 credited and paid out, the note is reversed: the customer owes 200. The
        next note of 200 settles that, and pays nothing a second time.

        To be called in superuser mode.
        """
        notes = self | self.reversed_entry_id.reversed_entry_id.reversal_move_ids
        for note in notes._filter_sale_return_payable().filtered('sale_return_ids'):
            # One by one: few invoices were credited before.
            lines = (note | note._get_reversed_credits()).line_ids.filtered(
                lambda line: (
                    line.account_id.account_type == 'asset_receivable' and not line.reconciled
                )
            )
            for account_lines in lines.grouped('account_id').values():
                if len(account_lines.move_id) > 1:
                    account_lines.reconcile()

    def _take_over_payouts(self):
        """Settle notes of returns with money that was paid back before they were posted.

        A note that was paid back and reset to draft is matched again. Where it was cancelled or
        reversed then, the next note of the same return takes over: the customer has the money.

        To be called in superuser mode.
        """
        for note in self._filter_sale_return_payable().filtered('sale_return_ids'):
            # One by one: few notes were paid back before.
            gone = note.reversed_entry_id.reversal_move_ids.filtered(
                lambda move, note=note: (
                    (move.state == 'cancel' or move._is_reversed_credit())
                    and move.currency_id == note.currency_id
                    and move.sale_return_ids & note.sale_return_ids
                )
            )
            gone.sale_return_refund_ids.filtered(
                lambda refund: refund._is_paid() and not refund._is_matched()
            ).note_id = note
            note.sale_return_refund_ids._settle()

    def _follow_reversed_payouts(self):
        """Update payouts whose payment is reversed by an entry: the money has not left.

        To be called in superuser mode.
        """
        refunds = self.reversed_entry_id.origin_payment_id.sale_return_refund_ids.filtered(
            lambda refund: refund.method == 'payment' and refund._is_reversed()
        )
        if refunds:
            refunds._undo_settlement()
            refunds._fail(self.env._("The payment was reversed in the books."))
            refunds.note_id._refresh_sale_returns()

    def _is_sale_return_refund_automatic(self):
        # sudo: the policy is the same, no matter who posts.
        policies = self.sudo().invoice_line_ids.sale_return_line_id.policy_id
        return (
            self.move_type == 'out_refund'
            and bool(policies)
            and not self.sudo()._is_for_another()
            and all(
                policy.settlement != 'on_account' and policy.refund_automatic for policy in policies
            )
        )

    def _start_sale_return_refund(self):
        """Prepare the refund of one note; a failure is logged on its returns."""
        try:
            with self.env.cr.savepoint():
                self.env['sale.return.payback']._pay_back(self)
        except UserError as error:
            # sudo: users who post a note need not be users of Returns.
            self.env['sale.return.event']._log(
                [
                    {
                        'return_id': sale_return.id,
                        'kind': 'refund_failed',
                        'reason': str(error.args[0]),
                        'details': self.name,
                    }
                    for sale_return in self.sudo().sale_return_ids
                ]
            )
