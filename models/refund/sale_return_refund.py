from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tools.misc import formatLang

# Money that has left or may still leave: it must not be paid a second time.
RESERVING_STATES = ('prepared', 'pending', 'unknown', 'done')
OPEN_STATES = ('prepared', 'pending', 'unknown')
# States of Odoo's payments.
PAID_STATES = ('in_process', 'paid')

PAYMENT_STATES = {
    'draft': 'prepared',
    'in_process': 'done',
    'paid': 'done',
    'canceled': 'cancelled',
    'rejected': 'failed',
}
TRANSACTION_STATES = {
    'draft': 'prepared',
    'pending': 'pending',
    'authorized': 'pending',
    'done': 'done',
    'cancel': 'cancelled',
    'error': 'failed',
}


class SaleReturnRefund(models.Model):
    """One payout of one credit note: where the money goes, and its progress.

    The state follows from Odoo's own document, a payment or an online transaction. A payout is
    made by `sale.return.payback` and sent by the scheduled job.

    Its other parts: `sale_return_refund_release.py`, `sale_return_refund_send.py`,
    `sale_return_refund_settlement.py`.
    """

    _name = 'sale.return.refund'

    _inherit = ['sale.return.own.defaults']

    _description = "Return Refund"
    _order = 'id desc'
    _rec_name = 'idempotency_key'
    _check_company_auto = True

    # Identity and links
    note_id = fields.Many2one(
        'account.move', string="Credit Note", required=True, index=True, ondelete='restrict'
    )
    invoice_id = fields.Many2one(
        'account.move',
        string="Paid Invoice",
        required=True,
        index=True,
        ondelete='restrict',
        help="The invoice that the customer had paid with this money.",
    )
    return_ids = fields.Many2many(
        'sale.return',
        string="Returns",
        compute='_compute_return_ids',
        compute_sudo=True,
        search='_search_return_ids',
    )
    company_id = fields.Many2one(related='note_id.company_id', store=True, index=True)
    partner_id = fields.Many2one(
        'res.partner', string="Customer", required=True, index=True, ondelete='restrict'
    )
    idempotency_key = fields.Char(
        string="Key",
        required=True,
        readonly=True,
        help="The same payout has the same key, so that it cannot be made twice.",
    )

    # Where the money came from and goes back to
    method = fields.Selection(
        [('online', "Online, by the original transaction"), ('payment', "Payment")],
        required=True,
        readonly=True,
    )
    source_line_id = fields.Many2one(
        'account.move.line',
        string="Original Receipt",
        index=True,
        ondelete='set null',
        help="The journal item by which the customer's money paid the invoice. Empty when the "
        "receipt was cancelled or deleted since.",
    )
    source_payment_id = fields.Many2one(
        'account.payment', string="Original Payment", index='btree_not_null', ondelete='set null'
    )
    journal_id = fields.Many2one(
        'account.journal',
        required=True,
        index=True,
        ondelete='restrict',
        help=(
            "The journal from which the money is paid: the one the customer paid into, unless "
            "another one was chosen."
        ),
    )
    payment_id = fields.Many2one('account.payment', index='btree_not_null', ondelete='set null')
    transaction_id = fields.Many2one(
        'payment.transaction',
        string="Refund Transaction",
        index='btree_not_null',
        ondelete='restrict',
    )

    # Money
    currency_id = fields.Many2one('res.currency', required=True, ondelete='restrict')
    amount = fields.Monetary(
        required=True, readonly=True, help="What is paid, in the currency the customer paid in."
    )
    note_currency_id = fields.Many2one(related='note_id.currency_id', string="Currency of Note")
    note_amount = fields.Monetary(
        string="Amount of Note",
        currency_field='note_currency_id',
        required=True,
        readonly=True,
        help="Amount of the credit note that it settles, in the currency of the note.",
    )
    amount_written_back = fields.Monetary(
        string="Written Back",
        currency_field='note_currency_id',
        readonly=True,
        help=(
            "Part of the credit note that the customer never paid, e.g. because of an early "
            "payment discount. It goes back to the accounts it was taken from."
        ),
    )
    write_back_move_id = fields.Many2one(
        'account.move',
        string="Write-back Entry",
        readonly=True,
        index='btree_not_null',
        ondelete='set null',
    )

    # Dates and state
    date_sent = fields.Datetime(
        string="Sent on", readonly=True, help="When the provider was asked for the refund."
    )
    answer_lost = fields.Boolean(
        readonly=True, help="The request was sent to the provider, but its outcome is not known."
    )
    state = fields.Selection(
        [
            ('prepared', "To post"),
            ('pending', "Pending"),
            ('unknown', "No answer"),
            ('done', "Done"),
            ('failed', "Failed"),
            ('cancelled', "Cancelled"),
        ],
        string="Status",
        compute='_compute_state',
        store=True,
        index=True,
        help=(
            "To post: a payment waits for its posting, or the job has not sent it yet. Pending: "
            "the provider decides, or a payment waits to be matched with the note. No answer: the"
            " provider was asked and has not answered; check its books."
        ),
    )
    error = fields.Text(readonly=True, help="Why it failed, in the words of the provider.")
    retry_id = fields.Many2one(
        'sale.return.refund',
        string="Retried by",
        readonly=True,
        index='btree_not_null',
        ondelete='set null',
    )

    _key_unique = models.UniqueIndex(
        '(idempotency_key)', "This refund was already created. Look at the list of refunds."
    )
    _amounts_positive = models.Constraint(
        'CHECK (amount >= 0 AND note_amount >= 0 AND amount_written_back >= 0'
        ' AND note_amount + amount_written_back > 0)',
        "A refund must be more than zero.",
    )
    _to_send = models.Index("(id) WHERE state = 'prepared' AND method = 'online'")

    # === COMPUTE METHODS === #

    @api.depends('note_id.line_ids.sale_return_line_id')
    def _compute_return_ids(self):
        for refund in self:
            refund.return_ids = refund.note_id.line_ids.sale_return_line_id.return_id

    def _search_return_ids(self, operator, value):
        return [('note_id.line_ids.sale_return_line_id.return_id', operator, value)]

    @api.depends(
        'note_id',
        'payment_id.state',
        'payment_id.is_reconciled',
        'payment_id.move_id.reversal_move_ids.state',
        'transaction_id.state',
        'date_sent',
        'answer_lost',
        'method',
    )
    def _compute_state(self):
        for refund in self:
            if refund.method == 'payment':
                # The draft was deleted, so it will never be paid.
                state = PAYMENT_STATES.get(refund.payment_id.state, 'cancelled')
                if state == 'done' and refund._is_reversed():
                    state = 'cancelled'  # according to the books nothing was paid
                # The money may be on its way; the note is paid back once both are matched.
                refund.state = 'pending' if state == 'done' and not refund._is_matched() else state
                continue
            # sudo: followers of a return may not read transactions.
            state = TRANSACTION_STATES.get(refund.transaction_id.sudo().state, 'cancelled')
            if state == 'prepared' and refund.answer_lost:
                state = 'unknown'
            elif state == 'prepared' and refund.date_sent:
                state = 'pending'
            refund.state = state

    @api.depends('note_id.name', 'partner_id.name', 'amount')
    def _compute_display_name(self):
        for refund in self:
            money = formatLang(self.env, refund.amount, currency_obj=refund.currency_id)
            refund.display_name = f"{refund.note_id.name} · {money}"

    # === ACTION METHODS === #

    @api.model
    def _ensure_allowed(self):
        """Raise unless the user may pay money back.

        That is a manager of Returns, or a user of Returns who has rights in Invoicing.

        :raise AccessError: for everybody else.
        """
        user = self.env.user
        if (
            self.env.su
            or user.has_group('sale_return.group_manager')
            or (
                user.has_group('sale_return.group_user')
                and user.has_group('account.group_account_invoice')
            )
        ):
            return
        raise AccessError(
            self.env._(
                "You are not allowed to pay money back. It takes the role of manager in Returns, "
                "or the role of user in Returns together with rights in Invoicing."
            )
        )

    def action_retry(self):
        """Retry failed or cancelled payouts, within the same limits as the first time.

        :return: the new payouts.
        :rtype: sale.return.refund
        :raise AccessError: if the user may not refund.
        :raise UserError: when a payout has not failed, or its outcome is not known.
        """
        return self._retry(online=True)

    def action_pay_otherwise(self):
        """Prepare payments for payouts that a provider has refused.

        :return: the new payouts.
        :rtype: sale.return.refund
        :raise AccessError: if the user may not refund.
        :raise UserError: when a payout has not failed, or its outcome is not known.
        """
        return self._retry(online=False)

    def _retry(self, online):
        self._ensure_allowed()
        self.check_access('read')
        if unknown := self.filtered(lambda refund: refund.state == 'unknown'):
            raise UserError(
                self.env._(
                    "It is not known whether %(refunds)s was paid: the provider has not "
                    "answered. Check the provider's books and enter here what they show.",
                    refunds=", ".join(unknown.mapped('display_name')),
                )
            )
        self._ensure_state(
            ('failed', 'cancelled'), self.env._("Refund %(refunds)s cannot be paid again.")
        )
        # sudo: the role was checked; users who pay back need no rights on the documents.
        failed = self.sudo().filtered(lambda refund: not refund.retry_id)
        service = self.env['sale.return.payback'].sudo()
        refunds = service._pay_back(failed.note_id, online=online)
        for refund in failed:
            again = refunds.filtered(lambda new, note=refund.note_id: new.note_id == note)
            refund.retry_id = again[:1]
        return refunds.sudo(False)

    def action_cancel(self):
        """Cancel payouts that have not been sent or posted.

        :return: True
        :raise AccessError: if the user may not refund.
        :raise UserError: when money may already be on its way.
        """
        self._ensure_allowed()
        self.check_access('read')
        # sudo: the role was checked; users who pay back need no rights on the documents.
        todo = self.sudo().filtered(lambda refund: refund.state != 'cancelled')
        # The job may be about to send it: the second transaction sees what the first one did.
        self.env['sale.return.guard']._take_counter(todo.note_id, 'sale_return_refund_guard')
        todo._ensure_state(('prepared',), self.env._("Refund %(refunds)s cannot be cancelled."))
        todo.payment_id.action_cancel()
        todo.transaction_id._set_canceled()
        return True

    def action_confirm_paid(self):
        """Confirm that the provider's books show the refund of an unanswered payout as paid.

        :return: True
        :raise AccessError: if the user may not refund.
        :raise UserError: when the outcome of a payout is known.
        """
        todo = self._get_unknown()
        todo.transaction_id._set_done(
            state_message=self.env._("Confirmed by %(user)s.", user=self.env.user.name)
        )
        todo.transaction_id._post_process()
        return True

    def action_confirm_not_paid(self):
        """Confirm that the provider's books do not show the refund of an unanswered payout.

        It has failed then, and can be tried again.

        :return: True
        :raise AccessError: if the user may not refund.
        :raise UserError: when the outcome of a payout is known.
        """
        todo = self._get_unknown()
        message = self.env._(
            "%(user)s has found no refund in the books of the provider.", user=self.env.user.name
        )
        todo.transaction_id._set_error(message)
        todo._fail(message)
        return True

    def _get_unknown(self):
        self._ensure_allowed()
        self.check_access('read')
        self._ensure_state(
            ('unknown',), self.env._("Refund %(refunds)s cannot be confirmed by a person.")
        )
        return self.sudo()  # the role was checked

    def _ensure_state(self, states, sentence):
        """Refuse an action on payouts that are in none of the states.

        :param tuple states: the states in which the action makes sense.
        :param str sentence: translated sentence saying what is not possible, with `%(refunds)s` in
            it.
        :raise UserError: naming each payout.
        """
        labels = dict(self._fields['state']._description_selection(self.env))
        if wrong := self.filtered(lambda refund: refund.state not in states):
            names = ", ".join(f"{refund.display_name} ({labels[refund.state]})" for refund in wrong)
            raise UserError(sentence % {'refunds': names})

    def action_open_document(self):
        """Show the payment of the payout, or the credit note while there is none."""
        self.ensure_one()
        self.check_access('read')
        payout = self.sudo()  # sudo: the numbers of documents only, see `_open_or_tell`
        return self.env['sale.return.opening']._open_or_tell(
            payout.payment_id or payout.note_id, self.env._("Refund")
        )

    # === BUSINESS METHODS === #

    def _get_sums(self):
        """Return the formatted amounts of payouts, one sum per currency."""
        return ", ".join(
            formatLang(self.env, sum(group.mapped('amount')), currency_obj=currency)
            for currency, group in self.grouped('currency_id').items()
        )

    def _is_reversed(self):
        """Tell whether another entry has reversed the payment."""
        self.ensure_one()
        # sudo: followers of a return may not read the books.
        reversals = self.sudo().payment_id.move_id.reversal_move_ids
        return any(move.state == 'posted' for move in reversals)

    def _is_matched(self):
        """Tell whether the payment has settled the note, and not another document or none.

        A payment without entry of its own is matched through the bank statement.
        """
        self.ensure_one()
        # sudo: followers of a return may not read the books.
        note, payment = self.sudo().note_id, self.sudo().payment_id
        if not payment.move_id:
            return payment.state == 'paid' and bool(
                note.currency_id.compare_amounts(note.amount_residual, note.amount_total)
            )
        matched = payment.move_id.line_ids.matched_credit_ids.credit_move_id
        return bool(matched & note.line_ids)

    def _fail(self, message):
        """Store why payouts failed, and log it on the returns."""
        self.write({'error': message})
        self._log('refund_failed', reason=message)

    def _log(self, kind, **values):
        """Write an event on each return of the payouts."""
        self.env['sale.return.event']._log(
            [
                {
                    'return_id': sale_return.id,
                    'kind': kind,
                    'details': f"{refund.display_name} · {refund.journal_id.name}",
                    **values,
                }
                for refund in self
                for sale_return in refund.return_ids
            ]
        )

    @api.model
    def _prepare_vals(self, note, payout, number):
        """Prepare a payout of `sale.return.payback`. Override to add values.

        :param note: the posted credit note.
        :param dict payout: see `sale.return.payback._plan`.
        :param int number: how many payouts of this note to this source there were before.
        :return: values for `create`.
        :rtype: dict
        """
        source = payout['source']
        return {
            'note_id': note.id,
            'invoice_id': source['invoice'].id,
            'partner_id': note._get_sale_return_customer().id,
            'idempotency_key': f"{note.id}-{source['invoice'].id}-{source['line'].id}-{number + 1}",
            'method': payout['method'],
            'source_line_id': source['line'].id,
            'source_payment_id': source['payment'].id,
            'journal_id': source['journal'].id,
            'currency_id': source['currency'].id,
            'amount': payout['amount'],
            'note_amount': payout['note_amount'],
            'amount_written_back': payout['written_back'],
            'prepared_by_id': self.env.uid,
        }

    def _prepare_payment_vals(self):
        """Prepare the draft payment of a payout. Override to add values.

        :return: values for `account.payment.create`.
        :rtype: dict
        :raise UserError: when no money can leave the journal.
        """
        self.ensure_one()
        methods = self.journal_id._get_available_payment_method_lines('outbound')
        # Methods of providers need a saved card; files and checks need data we do not have.
        methods = methods.sorted(lambda line: line.code != 'manual')
        if not methods:
            raise UserError(
                self.env._(
                    "No money can be paid out of journal “%(journal)s”: it has no outgoing payment "
                    "method. Add one to the journal, then refund %(note)s again.",
                    journal=self.journal_id.name,
                    note=self.note_id.name,
                )
            )
        receivable = self.note_id.line_ids.filtered(
            lambda line: line.account_id.account_type == 'asset_receivable'
        )
        return {
            'payment_type': 'outbound',
            'partner_type': 'customer',
            'partner_id': self.partner_id.id,
            # Odoo would take the first account; we only pay to trusted ones.
            'partner_bank_id': self._get_trusted_account().id,
            'company_id': self.company_id.id,
            'journal_id': self.journal_id.id,
            'payment_method_line_id': methods[:1].id,
            'currency_id': self.currency_id.id,
            'amount': self.amount,
            'destination_account_id': receivable[:1].account_id.id,
            'memo': self.note_id.name,
            'invoice_ids': [Command.set(self.note_id.ids)],
        }

    def _get_trusted_account(self):
        """Return a bank account of the customer that money may be sent to, if any."""
        self.ensure_one()
        return self.partner_id.bank_ids.filtered(
            lambda account: (
                account.allow_out_payment and account.company_id.id in (False, self.company_id.id)
            )
        )[:1]
