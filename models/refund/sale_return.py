from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date
from odoo.tools.misc import formatLang

from ...tools.reader import flag, reads, record_id, text


class SaleReturn(models.Model):
    """Paying the money back: starting payouts, and their progress."""

    _inherit = 'sale.return'

    refund_ids = fields.Many2many(
        'sale.return.refund',
        string="Refunds",
        compute='_compute_refund_ids',
        compute_sudo=True,
    )
    refund_count = fields.Integer(compute='_compute_refund_ids', compute_sudo=True)
    refund_error = fields.Text(
        string="Refund Problem",
        compute='_compute_refund_ids',
        compute_sudo=True,
        help="Why money could not be paid back, or why it is not known whether it was.",
    )
    has_to_refund = fields.Boolean(
        compute='_compute_has_to_refund',
        compute_sudo=True,
        help="Posted credit notes have an open amount without a refund under way.",
    )

    has_refund_to_post = fields.Boolean(
        compute='_compute_refund_ids',
        compute_sudo=True,
        help="A payment to the customer is waiting to be posted.",
    )
    money_note = fields.Text(
        string="Money",
        compute='_compute_money_note',
        compute_sudo=True,
        help="What the customer gets, how, and when.",
    )

    def _compute_refund_ids(self):
        for sale_return in self:
            refunds = sale_return.credit_note_ids.sale_return_refund_ids.sorted('id', reverse=True)
            problems = refunds.filtered(
                lambda refund: refund.state in ('failed', 'unknown') and not refund.retry_id
            )
            sale_return.refund_ids = refunds
            sale_return.refund_count = len(refunds)
            sale_return.has_refund_to_post = any(
                refund.state == 'prepared' and refund.method == 'payment' for refund in refunds
            )
            sale_return.refund_error = "\n".join(filter(None, problems.mapped('error'))) or False

    def _compute_has_to_refund(self):
        payback = self.env['sale.return.payback']
        for sale_return in self:
            notes = sale_return.credit_note_ids._filter_sale_return_payable()
            notes = notes.filtered(lambda note: not note.sale_return_on_account)
            sale_return.has_to_refund = any(payback._get_open_amount(note) > 0 for note in notes)

    # === MONEY IN SENTENCES === #

    @api.depends(
        'state', 'line_ids', 'amount_to_credit', 'amount_open', 'amount_refunded', 'refund_state'
    )
    @api.depends_context('lang')
    def _compute_money_note(self):
        for sale_return in self:
            # Unsaved changes are not included.
            saved = sale_return._origin
            sentences = []
            if saved and saved.state not in ('refused', 'cancelled'):
                sentences = [
                    *saved._describe_expected_money(),
                    *saved._describe_open_money(),
                    *saved._describe_settled_money(),
                ]
            sale_return.money_note = " ".join(sentences) or False

    def _format_own_money(self, amount):
        """Return a formatted amount in the currency of the return."""
        self.ensure_one()
        return formatLang(self.env, amount, currency_obj=self.currency_id)

    def _describe_expected_money(self):
        """Describe what is to be credited now or is expected, when, and how the customer gets it.

        :return: sentences, none where nothing is to be credited any more.
        :rtype: list
        """
        self.ensure_one()
        values = {'customer': self.partner_id.display_name}
        if self.amount_to_credit:
            values['amount'] = self._format_own_money(self.amount_to_credit)
            sentence = self.env._("%(amount)s is to be credited to %(customer)s now.", **values)
            return [sentence, *self._describe_way()]
        expected = self._get_expected_amount()
        if self.currency_id.compare_amounts(expected, 0.0) <= 0:
            return []
        values['amount'] = self._format_own_money(expected)
        # Goods accepted unseen are credited with the approval.
        events = {
            'approval' if line._is_without_goods() else line.policy_id.release_event
            for line in self.line_ids
        }
        sentences = {
            'approval': self.env._(
                "%(customer)s gets %(amount)s once the return is approved.", **values
            ),
            'dispatch_proof': self.env._(
                "%(customer)s gets %(amount)s once it is confirmed that the goods were sent.",
                **values,
            ),
            'receipt': self.env._(
                "%(customer)s gets %(amount)s once the goods are here.", **values
            ),
            'inspection': self.env._(
                "%(customer)s gets %(amount)s once the goods are inspected and accepted.", **values
            ),
        }
        general = self.env._("%(customer)s gets %(amount)s once all is accepted.", **values)
        sentence = sentences.get(events.pop(), general) if len(events) == 1 else general
        return [sentence, *self._describe_way()]

    def _get_expected_amount(self):
        """Return what would be credited if everything not refused were accepted, tax included."""
        self.ensure_one()
        if self.state not in ('draft', 'submitted', 'approved') or not self.line_ids.sale_line_id:
            return 0.0
        try:
            previews = self.env['sale.return.credit']._preview(self, kinds=('estimate',))
        except UserError:
            return 0.0  # errors are reported when it is credited
        return sum(
            self._convert_from_note(note, note['total'])
            for note in previews.get(self.id, {}).get('estimate', [])
        )

    def _describe_way(self):
        """Describe how the customer gets the credited amount."""
        self.ensure_one()
        invoices = self._get_sold_invoices()
        unpaid = invoices.filtered(
            lambda move: move.currency_id.compare_amounts(move.amount_residual, 0.0) > 0
        )
        if unpaid:
            return [
                self.env._(
                    "It lowers %(invoices)s, which is still to be paid.",
                    invoices=", ".join(unpaid.mapped('name')),
                )
            ]
        if set(self.line_ids.policy_id.mapped('settlement')) == {'on_account'}:
            return [self.env._("It stays as credit for the next invoices.")]
        ways = self._get_ways(invoices)
        if not ways:
            return []
        return [self.env._("It goes back the way it was paid: %(ways)s.", ways=", ".join(ways))]

    def _get_sold_invoices(self):
        """Return the posted invoices of the goods."""
        return self.line_ids.sale_line_id.invoice_lines.move_id.filtered(
            lambda move: move.move_type == 'out_invoice' and move.state == 'posted'
        )

    def _get_ways(self, invoices):
        """Return the names of the journals through which invoices were paid, the newest first."""
        payback = self.env['sale.return.payback']
        sources = payback._get_sources(payback._get_paid_invoices(invoices) | invoices)
        return list(dict.fromkeys(source['journal'].name for source in sources))

    def _describe_open_money(self):
        """Describe open amounts of posted notes: to be paid back, in transit, or left as credit."""
        self.ensure_one()
        refunds = self.refund_ids
        to_post = refunds.filtered(lambda r: r.state == 'prepared' and r.method == 'payment')
        on_way = refunds.filtered(lambda r: r.state in ('prepared', 'pending')) - to_post
        result = []
        if to_post:
            result.append(
                self.env._(
                    "%(amounts)s is waiting for its payment to be posted.",
                    amounts=to_post._get_sums(),
                )
            )
        if on_way:
            result.append(
                self.env._(
                    "%(amounts)s is on its way back by %(ways)s.",
                    amounts=on_way._get_sums(),
                    ways=", ".join(on_way.journal_id.mapped('name')),
                )
            )
        if not self.has_to_refund:
            return result
        values = {
            'amount': self._format_own_money(self._get_amount_to_pay_back()),
            'customer': self.partner_id.display_name,
        }
        if self.refund_state not in ('pending', 'partial'):
            sentence = self.env._(
                "%(customer)s has a credit of %(amount)s: it lowers their next invoice, or can be "
                "paid back.",
                **values,
            )
            return [*result, sentence]
        ways = self._get_ways(self.credit_note_ids.reversed_entry_id)
        if ways:
            values['ways'] = ", ".join(ways)
            sentence = self.env._(
                "%(amount)s is to be paid back to %(customer)s, the way it was paid: %(ways)s.",
                **values,
            )
        else:
            sentence = self.env._("%(amount)s is to be paid back to %(customer)s.", **values)
        return [*result, sentence, *self._describe_legal_due()]

    def _get_amount_to_pay_back(self):
        """Return open amounts of posted notes without payout, in the return's currency."""
        self.ensure_one()
        payback = self.env['sale.return.payback']
        return sum(
            self._get_converter(note)(payback._get_open_amount(note))
            for note in self.credit_note_ids._filter_sale_return_payable()
        )

    def _describe_legal_due(self):
        """State the legal deadline for paying back, where there is one."""
        self.ensure_one()
        clock = self._get_legal_clocks()[self]
        if not clock.get('refund') or clock.get('withheld'):
            return []
        day = self.company_id._get_sale_return_day(clock['refund'])
        return [
            self.env._("It has to be paid back by %(day)s by law.", day=format_date(self.env, day))
        ]

    def _describe_settled_money(self):
        """Describe what was paid back, and what the credit was used for."""
        self.ensure_one()
        result = []
        if self.amount_refunded:
            result.append(
                self.env._(
                    "%(amount)s was paid back to %(customer)s.",
                    amount=self._format_own_money(self.amount_refunded),
                    customer=self.partner_id.display_name,
                )
            )
        used = self.amount_credited - self.amount_refunded - self.amount_open
        posted = self.credit_note_ids.filtered(lambda move: move.state == 'posted')
        if posted and self.currency_id.compare_amounts(used, 0.0) > 0:
            lines = posted.line_ids.filtered(
                lambda line: line.account_id.account_type == 'asset_receivable'
            )
            bills = lines.matched_debit_ids.debit_move_id.move_id.filtered(
                lambda move: move.move_type == 'out_invoice'
            )
            values = {
                'amount': self._format_own_money(used),
                'notes': ", ".join(posted.mapped('name')),
                'invoices': ", ".join(bills.mapped('name')),
            }
            result.append(
                self.env._("%(amount)s was credited with %(notes)s on %(invoices)s.", **values)
                if bills
                else self.env._("%(amount)s was credited with %(notes)s.", **values)
            )
        return result

    # === TRACE === #

    def _get_trace(self):
        """Extend with who prepared the money, who paid it, and to which account."""
        trace = super()._get_trace()
        for refund in self.refund_ids.sorted('id'):
            amount = refund.display_name
            trace.append(
                (
                    self.env._("Refund %(refund)s prepared by", refund=amount),
                    self._describe_act(refund.prepared_by_id, refund.create_date),
                )
            )
            who = self._describe_act(refund.released_by_id)
            if who and refund.account_digits:
                who = self.env._(
                    "%(who)s, to account %(digits)s", who=who, digits=refund.account_digits
                )
            trace.append((self.env._("Refund %(refund)s paid by", refund=amount), who))
        return trace

    # === PAYING === #

    @api.depends('line_ids.credit_line_ids.move_id.sale_return_on_account')
    def _compute_refund(self):
        """Override to depend on credits left on the customer's account."""
        return super()._compute_refund()

    @reads(online=flag, journal_id=record_id)
    def action_refund(self, online=True, journal_id=None):
        """Pay the credit notes of returns back to where the customer's money came from.

        Splits the open amount over the payments of the credited invoice, newest first, never more
        than was received and not refunded yet. Payments by a provider that supports it are sent
        back by the scheduled job; for the others a payment is prepared, which an accountant posts.
        Calling it again pays nothing more.

        :param bool online: False to prepare payments only.
        :param int journal_id: bank or cash journal that payments leave through; by default the
            one that the customer paid through.
        :return: the new payouts.
        :rtype: sale.return.refund
        :raise AccessError: if the user may not refund.
        :raise UserError: when a payment cannot be prepared, or the open amount cannot go back to
            any receipt.
        """
        self.env['sale.return.refund']._ensure_allowed()
        self.check_access('read')
        # sudo: the role was checked; users who pay back need no rights on the documents.
        payback = self.env['sale.return.payback']
        notes = self.sudo().credit_note_ids
        journal = self._get_payout_journal(notes, journal_id)
        refunds = payback._pay_back(notes, online=online, journal=journal)
        if not refunds:
            payback._ensure_source_left(notes)
        refunds.sudo().note_id.sale_return_on_account = False
        return refunds

    @api.model
    def _get_payout_journal(self, notes, journal_id):
        """Return the journal that was chosen for payouts, an empty one where none was.

        :raise UserError: when it cannot pay these credit notes.
        """
        # sudo: users who pay back need no rights in Accounting.
        journals = self.env['account.journal'].sudo()
        if not journal_id:
            return journals
        journal = journals.search(
            [
                *journals._check_company_domain(notes.company_id[:1]),
                ('id', '=', journal_id),
                ('type', 'in', ('bank', 'cash', 'credit')),
            ]
        )
        if not journal or len(notes.company_id) > 1:
            raise UserError(
                self.env._(
                    "%(notes)s cannot be paid back through this journal. Choose a bank or cash "
                    "journal of the same company as the credit notes.",
                    notes=", ".join(notes.mapped('display_name')),
                )
            )
        return journal

    def action_post_refunds(self):
        """Post the prepared payments of the returns.

        :return: True
        :raise AccessError: if the user may not refund.
        :raise UserError: when a payment cannot be posted.
        """
        self.check_access('read')
        return self.refund_ids.action_post()

    @reads(reason=text)
    def action_leave_on_account(self, reason=None):
        """Leave the open amount of the credit notes on the customers' accounts.

        It is not expected to be paid back any more, and can still be used for other invoices, or
        paid by `action_refund` after all.

        :param str reason: why, for the log.
        :return: True
        :raise AccessError: if the user may not refund.
        :raise UserError: when nothing is open, or a refund is under way.
        """
        self.env['sale.return.refund']._ensure_allowed()
        self.check_access('read')
        # sudo: as above.
        for sale_return in self.sudo():
            notes = sale_return.credit_note_ids._filter_sale_return_payable()
            if not notes or notes.sale_return_refund_ids.filtered(lambda r: r._is_waiting()):
                raise UserError(
                    self.env._(
                        "Nothing can be left on account for return %(return)s: its credit notes"
                        " have no open amount, or a refund is under way. Cancel that refund "
                        "first.",
                        **{'return': sale_return.name},
                    )
                )
            notes.sale_return_on_account = True
            self.env['sale.return.event']._log(
                [
                    {
                        'return_id': sale_return.id,
                        'kind': 'on_account',
                        'reason': reason,
                        'details': ", ".join(notes.mapped('name')),
                    }
                ]
            )
        self.sudo().credit_note_ids.sale_return_ids._close_or_reopen()
        return True

    def preview_refund(self):
        """Preview how the money would be paid back, by the same code that pays. Writes nothing.

        :return: `{return id: [note]}`; a note is `{'note_id', 'currency' (code), 'open',
            'payouts'}`, a payout `{'method' (`online` or `payment`), 'invoice_id',
            'source_line_id', 'payment_id', 'transaction_id', 'journal_id', 'currency' (code of
            the receipt), 'amount' (in that), 'note_amount', 'written_back'}` (in the currency of
            the note, tax included).
        :rtype: dict
        :raise AccessError: if the user may not refund.
        """
        self.env['sale.return.refund']._ensure_allowed()
        self.check_access('read')
        # sudo: the role was checked, and nothing is written.
        returns = self.sudo()
        plan = self.env['sale.return.payback'].sudo()._preview(returns.credit_note_ids)
        return {
            sale_return.id: [
                plan[note.id] for note in sale_return.credit_note_ids if note.id in plan
            ]
            for sale_return in returns
        }

    def action_open_refund(self):
        """Open the dialog that shows how the money is split before it is paid back."""
        self.env['sale.return.refund']._ensure_allowed()
        return self._get_wizard_action('sale.return.pay', self.env._("Pay Back"))

    def action_view_refunds(self):
        """Show the refunds of the returns."""
        return self.refund_ids._get_records_action(name=self.env._("Refunds"))
