from odoo import models
from odoo.exceptions import UserError
from odoo.tools.misc import formatLang

from .sale_return_refund import OPEN_STATES, PAID_STATES


class SaleReturnRefund(models.Model):
    """Accounting of a payout: note, payment and discount end at zero."""

    _inherit = 'sale.return.refund'

    def _is_waiting(self):
        """Tell whether the payout may still lower the open amount of the note."""
        self.ensure_one()
        return self.state in OPEN_STATES or (
            self.state == 'done' and self.payment_id.move_id.state != 'posted'
        )

    def _get_note_balance(self):
        """Return the part of the note that the payout settles, in the company's currency.

        A payment in a third currency has to amount to exactly this, or the note keeps a residual.
        """
        self.ensure_one()
        note = self.note_id
        receivable = note.line_ids.filtered(
            lambda line: line.account_id.account_type == 'asset_receivable'
        )
        balance = abs(sum(receivable.mapped('amount_residual')))
        if note.currency_id.compare_amounts(self.note_amount, note.amount_residual) >= 0:
            return balance
        return self.company_id.currency_id.round(balance * self.note_amount / note.amount_residual)

    def _ensure_payable(self):
        """Refuse to post a payment for more than was prepared, or than the limits allow.

        If somebody lowers a payment, it pays less of the note.

        :raise UserError: naming the note.
        """
        self.ensure_one()
        payment = self.payment_id
        payment._ensure_sale_return_amount(self)
        if payment.currency_id.compare_amounts(payment.amount, self.amount) < 0:
            ratio = payment.amount / self.amount
            self.write(
                {
                    'amount': payment.amount,
                    'note_amount': self.note_currency_id.round(self.note_amount * ratio),
                    'amount_written_back': self.note_currency_id.round(
                        self.amount_written_back * ratio
                    ),
                }
            )
        self._ensure_covered()

    def _ensure_covered(self):
        """Refuse to pay more than is open on the note, or than is left of what was received.

        :raise UserError: naming the note.
        """
        self._ensure_note_open()
        left = self.env['sale.return.payback']._get_left_for(self)
        if self.note_currency_id.compare_amounts(self.note_amount, left) > 0:
            raise UserError(
                self.env._(
                    "Only %(left)s of the money that paid %(invoice)s can still be paid back on"
                    " credit note %(note)s: the rest was refunded elsewhere, or the payment was"
                    " reversed. Cancel this refund, then refund the note again.",
                    invoice=self.invoice_id.name,
                    note=self.note_id.name,
                    left=formatLang(self.env, left, currency_obj=self.note_currency_id),
                )
            )

    def _ensure_note_open(self):
        """Refuse to pay more than is open on the note.

        :raise UserError: naming the note.
        """
        self.ensure_one()
        gross = self.note_amount + self.amount_written_back
        if self.note_currency_id.compare_amounts(gross, self.note_id.amount_residual) > 0:
            raise UserError(
                self.env._(
                    "Credit note %(note)s has only %(open)s open: the rest was already used or "
                    "paid back. Cancel this payment, then refund the note again.",
                    note=self.note_id.name,
                    open=formatLang(
                        self.env,
                        self.note_id.amount_residual,
                        currency_obj=self.note_currency_id,
                    ),
                )
            )

    def _is_paid(self):
        """Tell whether the payment is made, and posted if it has its own entry."""
        self.ensure_one()
        payment = self.payment_id
        return (
            payment.state in PAID_STATES
            and payment.move_id.state in (False, 'posted')
            and not self._is_reversed()
        )

    def _settle(self):
        """Match paid payouts with their notes, and write back discounts.

        Calling it again changes nothing: matched items are left alone.
        """
        for refund in self.filtered(lambda refund: refund._is_paid()):
            # One by one: each matches two documents.
            refund._reconcile(refund.payment_id.move_id)
            if refund.amount_written_back and not refund.write_back_move_id:
                refund._write_back()
            refund._reconcile(refund.write_back_move_id)  # of a note that was reset since
            refund.note_id._refresh_sale_returns()

    def _reconcile(self, move):
        """Match a posted entry with the note."""
        receivable = self.note_id.line_ids.filtered(
            lambda line: line.account_id.account_type == 'asset_receivable'
        )
        lines = move.line_ids.filtered(lambda line: line.account_id in receivable.account_id)
        open_lines = (receivable | lines).filtered(lambda line: not line.reconciled)
        if move.state == 'posted' and open_lines & lines and open_lines & receivable:
            open_lines.reconcile()

    def _write_back(self):
        """Post the entry that reverses the discount granted when the invoice was paid."""
        vals = self.env['sale.return.payback']._prepare_write_back_vals(self)
        # Its tax lines are given: Odoo must not compute them from the base once more.
        move = (
            self.env['account.move']
            .with_company(self.company_id)
            .with_context(skip_invoice_sync=True)
            .create(vals)
        )
        move._post(soft=False)
        self.write_back_move_id = move
        self._reconcile(move)

    def _undo_settlement(self):
        """Reopen the notes of payouts whose payment is undone, and reverse the write-back.

        Odoo keeps a payment matched when it is reset to draft. When posted again, it is matched and
        written back again.
        """
        for refund in self:
            # One by one: few payments are undone, and each has its own entries.
            refund.payment_id.move_id.line_ids.filtered(
                lambda line: line.account_id.account_type == 'asset_receivable'
            ).remove_move_reconcile()
            move = refund.write_back_move_id
            if not move:
                continue
            refund.write_back_move_id = False
            move.line_ids.remove_move_reconcile()
            # Its tax lines are given, see `_write_back`.
            move.with_context(skip_invoice_sync=True)._reverse_moves(
                [{'date': move.company_id._get_sale_return_day()}], cancel=True
            )
