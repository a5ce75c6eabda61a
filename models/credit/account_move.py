from collections import defaultdict
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...const import OPEN_STATES
from ...tools.money import QUANTITY_EPSILON


class AccountMove(models.Model):
    _name = 'account.move'

    _inherit = ['account.move', 'sale.return.owned']

    sale_return_ids = fields.Many2many(
        'sale.return',
        string="Returns",
        compute='_compute_sale_return_ids',
        compute_sudo=True,
        search='_search_sale_return_ids',
    )
    sale_return_count = fields.Integer(compute='_compute_sale_return_ids', compute_sudo=True)
    sale_return_override_reason = fields.Text(
        string="Reason to credit held goods",
        copy=False,
        help="A manager of Returns who credits goods that a return still waits for says why.",
        groups='base.group_user',
    )
    # Digest of the documents that a note was last found right with, see `sale.return.note.check`.
    sale_return_proof = fields.Char(readonly=True, copy=False, groups='base.group_user')
    sale_return_override_by_id = fields.Many2one(
        'res.users',
        string="Override by",
        readonly=True,
        copy=False,
        ondelete='restrict',
        help="Who wrote the reason above.",
        groups='base.group_user',
    )
    sale_return_override_on = fields.Datetime(
        string="Override on", readonly=True, copy=False, groups='base.group_user'
    )
    sale_return_posted_by_id = fields.Many2one(
        'res.users',
        string="Posted by",
        readonly=True,
        copy=False,
        ondelete='restrict',
        help="Who posted the credit note of a return.",
        groups='base.group_user',
    )
    sale_return_customer_id = fields.Many2one(
        'res.partner',
        string="Customer when Posted",
        readonly=True,
        copy=False,
        ondelete='restrict',
        help="Who was billed when the note of a return was posted. Odoo moves documents along when "
        "a customer becomes a contact of somebody else; this stays.",
        groups='base.group_user',
    )
    sale_return_trace = fields.Text(
        string="Who Did What",
        compute='_compute_sale_return_trace',
        compute_sudo=True,
        groups='base.group_user',
    )

    # === COMPUTE METHODS === #

    @api.depends('sale_return_ids', 'state')
    @api.depends_context('lang', 'tz')
    def _compute_sale_return_trace(self):
        for move in self:
            note = move.move_type == 'out_refund'
            move.sale_return_trace = note and "\n\n".join(
                f"{sale_return.name}\n{sale_return.trace}" for sale_return in move.sale_return_ids
            )

    @api.depends('line_ids.sale_return_line_id', 'line_ids.sale_line_ids')
    def _compute_sale_return_ids(self):
        for move in self:
            returns = move.line_ids.sale_return_line_id.return_id
            if move.move_type == 'out_invoice':
                returns |= move.line_ids.sale_line_ids.return_line_ids.return_id
            move.sale_return_ids = returns
            move.sale_return_count = len(returns)

    def _search_sale_return_ids(self, operator, value):
        return [('line_ids.sale_return_line_id.return_id', operator, value)]

    def _compute_invoice_currency_rate(self):
        """Override of `account` to keep the rate of the invoice on the notes of returns.

        Otherwise writing a date would give the note the rate of that day, and crediting an
        invoice would leave an exchange difference.
        """
        result = super()._compute_invoice_currency_rate()
        for move in self:
            invoice = move.reversed_entry_id
            if (
                move.move_type == 'out_refund'
                and invoice.currency_id == move.currency_id
                and move.company_id.sale_return_rate == 'original'
                and move.invoice_line_ids.sale_return_line_id
            ):
                move.invoice_currency_rate = invoice.invoice_currency_rate
        return result

    # === BUSINESS METHODS === #

    @api.model
    def _get_sale_return_writers(self):
        """Override of `sale.return.owned`: managers write down why they override a return."""
        return super()._get_sale_return_writers() | {
            'sale_return_override_reason': 'sale_return.group_manager'
        }

    def _recompute_cash_rounding_lines(self):
        """Override of `account` to leave notes of returns what they take back of a rounding.

        Odoo would round each note by itself, which does not add up to the invoice.
        """
        self.ensure_one()
        if any(line.display_type == 'rounding' and line.sale_return_kind for line in self.line_ids):
            return None
        return super()._recompute_cash_rounding_lines()

    def _admit_sale_return(self, vals):
        """Override of `sale.return.owned` to keep who writes down why, and when."""
        admitted = super()._admit_sale_return(vals)
        name = 'sale_return_override_reason'
        if name in vals and self._changes_sale_return(name, vals[name]):
            given = bool(vals[name])
            admitted['sale_return_override_by_id'] = given and self.env.uid
            admitted['sale_return_override_on'] = given and fields.Datetime.now()
        return admitted

    # === POSTING === #

    def _date_after_locks(self):
        """Date notes on the first open day where the books of today are locked already.

        Odoo does so for other documents and, as long as numbers start again each year, refuses
        those of sales.
        """
        for (company, journal), notes in self.grouped(
            lambda m: (m.company_id, m.journal_id)
        ).items():
            today = company._get_sale_return_day()
            if locks := company._get_violated_lock_dates(today, True, journal):
                notes.write({'invoice_date': today, 'date': locks[-1][0] + timedelta(days=1)})

    def _post(self, soft=True):
        """Override of `account` to guard what returns hold and have credited, and to follow up.

        The guard is here and not in the button because notes are also posted by reversal, by
        jobs and by payments. Points and paper of returns follow a posting.

        :raise UserError: when an invoice line would be credited beyond what was invoiced, or what
            a return waits for would not be creditable any more.
        """
        # sudo: what returns hold and have credited does not depend on who posts. Accountants need
        # be users neither of Returns nor of Sales, and who sees half must not pass the guard.
        moves, posting = self.sudo(), self
        moves._check_sale_return_released()
        guarded = moves._get_sale_return_guarded_lines()
        if guarded:
            invoice_lines = self.env['sale.return.ledger']._get_invoice_lines(guarded)
            self.env['sale.return.credit']._take_credit_counter(invoice_lines)
            moves._note_sale_return_poster()
            # A note that settles its invoice is "paid" while it is posted: too early to close.
            posting = self.with_context(sale_return_posting=True)
        posted = super(AccountMove, posting)._post(soft=soft).with_env(self.env)
        if guarded:
            posted.sudo()._after_guarded_posting(guarded)  # as above
        posted.sudo()._check_sale_return_total()  # as above
        # A note that is reversed gives the points again.
        notes = posted | posted.reversed_entry_id
        # sudo: accountants need not be users of Returns for points to follow notes.
        self.env['sale.return.loyalty']._sync(
            notes.filtered(lambda move: move.move_type == 'out_refund').sudo().sale_return_ids
        )
        # Leave the sending of notes of returns to Odoo's own job.
        posted.filtered(lambda move: move._is_sale_return_sent())._queue_sale_return_sending()
        return posted

    def _note_sale_return_poster(self):
        """Keep who posts notes of returns, and for whom. To be called in superuser mode."""
        notes = self.filtered(lambda move: move.move_type == 'out_refund' and move.sale_return_ids)
        for customer, group in notes.grouped('commercial_partner_id').items():
            group.write(
                {
                    'sale_return_posted_by_id': self.env.uid,
                    'sale_return_customer_id': customer.id,
                }
            )

    def _after_guarded_posting(self, guarded):
        """Check what was posted against what returns hold, and let the returns go on.

        To be called in superuser mode, see `_post`.

        :param guarded: `sale.order.line` records that a return holds or has credited.
        :raise UserError: see `_post`.
        """
        self._check_sale_return_caps(guarded)
        self.env['sale.return.credit']._log_notes(self)
        returns = guarded._get_return_lines().return_id
        ledger = self.env['sale.return.ledger']
        if any(
            ledger._bills(line)
            for line in self.invoice_line_ids
            if not line.move_id.reversed_entry_id
        ):
            # Goods that came back before their invoice are credited now that there is one.
            returns._queue_due_credit()
        returns._close_or_reopen()

    def _get_sale_return_guarded_lines(self):
        """Return the order lines of these moves that a return holds or has credited.

        To be called in superuser mode, see `_post`.
        """
        moves = self.filtered(
            lambda move: (
                move.move_type == 'out_refund'
                or (move.move_type == 'out_invoice' and move.line_ids.sale_line_ids)
            )
        )
        lines = moves.line_ids
        sale_lines = lines.sale_line_ids | lines.credited_line_id.sale_line_ids
        # Lines of a note that belong to its invoice by their product alone.
        unlinked = lines & self.env['sale.return.ledger']._get_unlinked_lines(
            moves.reversed_entry_id
        )
        if unlinked:
            sale_lines |= moves.reversed_entry_id.invoice_line_ids.filtered(
                lambda line: line.product_id in unlinked.product_id
            ).sale_line_ids
        if not sale_lines:
            return sale_lines
        return_lines = self.env['sale.return.line'].search(
            [
                ('order_id', 'in', sale_lines.order_id.ids),
                ('state', 'not in', ('draft', 'refused', 'cancelled')),
            ]
        )
        if not return_lines:
            return return_lines.sale_line_id
        # Returns credit lines of the order as a whole, too, e.g. its shipping.
        credits = sale_lines.invoice_lines.credited_line_ids.filtered('sale_return_line_id')
        credited = credits.credited_line_id.sale_line_ids
        return sale_lines & (return_lines.sale_line_id | credited)

    def _check_sale_return_caps(self, sale_lines):
        """Refuse to credit too much: more than invoiced, or what a return still waits for.

        :param sale_lines: `sale.order.line` records of the moves that just were posted.
        """
        ledger = self.env['sale.return.ledger']
        balances = ledger._get_balances(sale_lines)
        if overcredited := ledger._find_overcredited(balances):
            raise UserError(
                self.env._(
                    "%(lines)s: more would be credited than was invoiced. Lower the credit note, "
                    "or cancel the draft that credits the same goods.",
                    lines=", ".join(
                        f"{line.move_id.name} · {line.product_id.display_name or line.name}"
                        for line in overcredited
                    ),
                )
            )
        if lines := self._get_lines_by_hand(sale_lines):
            lines.move_id._check_sale_return_pending(sale_lines, balances, lines)

    def _get_lines_by_hand(self, sale_lines):
        """Return the lines of these notes that credit order lines and that no return has made."""
        ledger = self.env['sale.return.ledger']
        unlinked = ledger._get_unlinked_lines(self.reversed_entry_id)
        return self.invoice_line_ids.filtered(
            lambda line: (
                not line.sale_return_line_id
                and line.display_type == 'product'
                and (line.sale_line_ids & sale_lines or line in unlinked)
                # Netting on the next invoice credits, too: returned A -1, sold B +1.
                and (line.move_id.move_type == 'out_refund' or line.quantity < 0)
                and not ledger._bills(line)
            )
        )

    def _check_sale_return_total(self):
        """Refuse to credit an invoice beyond its total, whoever made the note.

        A manager of Returns who gives a reason may. To be called in superuser mode, see `_post`.

        :raise UserError: naming the invoices.
        """
        notes = self.filtered(
            lambda move: (
                move.move_type == 'out_refund'
                # Points of sale have returns of their own.
                and not ('pos_order_ids' in move._fields and move.pos_order_ids)
            )
        )
        if exceeded := notes._get_sale_return_credited_invoices()._get_sale_return_excess():
            invoices = self.browse().union(*exceeded)
            notes._override_or_refuse(
                invoices.sale_return_ids,
                self.env._(
                    "%(invoices)s would be credited with more than its total. Lower the credit "
                    "note, for example by the share of the order's discounts, or cancel an "
                    "earlier one. A manager of Returns may override this with a written reason.",
                    invoices=", ".join(invoices.mapped('name')),
                ),
            )

    def _get_sale_return_credited_invoices(self):
        """Return the invoices that notes name, by their head or by their lines."""
        invoices = self.reversed_entry_id | self.invoice_line_ids.credited_line_id.move_id
        # Goods may be billed on a note, where a down payment is larger than they are.
        return invoices.filtered(lambda move: move.move_type in ('out_invoice', 'out_refund'))

    def _get_sale_return_excess(self):
        """Say by how much the posted notes of invoices exceed them.

        Down payments and trade-ins do not count: goods are credited in full, whatever was paid
        before or with other goods. A note that was billed again credits nothing, one that was
        billed again in part less.

        :return: `{invoice: amount in its currency, tax included}`, those that are exceeded only.
        :rtype: dict
        """
        takes_in = self.env['sale.return.order.share']._takes_in
        exceeded = {}
        for invoice in self:
            currency = invoice.currency_id
            products = invoice.invoice_line_ids.filtered(
                lambda line: (
                    line.display_type == 'product'
                    and not line.is_downpayment
                    and not takes_in(line)
                )
            )
            rounding = invoice.line_ids.filtered(lambda line: line.display_type == 'rounding')
            sign = -1 if invoice.move_type == 'out_refund' else 1
            limit = sign * sum(products.mapped('price_total')) - sum(
                rounding.mapped('amount_currency')
            )
            notes = invoice._get_sale_return_notes().filtered(
                lambda move: move.state == 'posted' and not move._is_reversed_credit()
            )
            credited = sum(note._get_credited_in(currency) for note in notes)
            # The lines of one document and of several round differently.
            slack = currency.rounding * (len(products) + len(notes))
            excess = credited - max(limit, invoice.amount_total)
            if excess > slack:
                exceeded[invoice] = currency.round(excess)
        return exceeded

    def _get_sale_return_notes(self):
        """Return the notes that name an invoice, by their head or, where it names none, lines."""
        by_lines = self.invoice_line_ids.credited_line_ids.move_id
        return self.reversal_move_ids.filtered(lambda move: move.move_type == 'out_refund') | (
            by_lines.filtered(
                lambda move: (
                    not move.reversed_entry_id
                    and move.invoice_line_ids.credited_line_id.move_id == self
                )
            )
        )

    def _get_credited_in(self, currency):
        """Return what a note credits, less what was billed again of it, in another currency."""
        self.ensure_one()
        bills = self.reversal_move_ids.filtered(
            lambda move: move.move_type == 'out_invoice' and move.state == 'posted'
        )
        amount = self.amount_total - sum(bills.mapped('amount_total'))
        return self.currency_id._convert(
            amount, currency, self.company_id, self.invoice_date or self.date
        )

    def _check_sale_return_released(self):
        """Refuse to post notes of returns for more than their policies have released.

        To be called in superuser mode, see `_post`.

        :raise UserError: naming the returns.
        """
        lines = self.invoice_line_ids.sale_return_line_id
        early = lines.filtered(
            lambda line: (
                line._get_measure().compare(line.qty_credited, line._get_qty_released(line)) > 0
            )
        )
        if early:
            self._override_or_refuse(
                early.return_id,
                self.env._(
                    "More would be credited than return %(returns)s has released: its goods have "
                    "not come or are not inspected yet. Lower the credit note, or wait. A manager "
                    "of Returns may override this with a written reason.",
                    returns=", ".join(early.return_id.mapped('name')),
                ),
            )

    def _override_or_refuse(self, returns, message):
        """Log the override of a manager who gives a reason, or refuse everybody else.

        :param returns: `sale.return` records whose goods the notes take.
        :param str message: what is refused.
        :raise UserError: unless a manager of Returns gives a reason.
        """
        overriding = self.filtered('sale_return_override_reason')[:1]
        reason = overriding.sale_return_override_reason
        if not (reason and self.env.user.has_group('sale_return.group_manager')):
            raise UserError(message)
        self.env['sale.return.event']._log(
            [
                {
                    'return_id': sale_return.id,
                    'kind': 'override',
                    'reason': reason,
                    'details': ", ".join(
                        filter(
                            None,
                            [
                                *self.mapped('ref'),
                                # Who wrote it need not be the one who posts.
                                overriding.sale_return_override_by_id.name,
                            ],
                        )
                    ),
                }
                for sale_return in returns
            ]
        )

    def _check_sale_return_pending(self, sale_lines, balances, lines):
        """Refuse notes made by hand that take what a return under way is going to credit.

        That is when too little is left for the return, and whenever its goods are here: it credits
        them itself, so a note for them would be the second one. A manager who gives a reason
        settles the return by their note.

        :param sale_lines: `sale.order.line` records.
        :param dict balances: what is creditable of their invoices, these notes counted.
        :param lines: the lines of these notes that were made by hand.
        """
        pending = sale_lines._get_return_lines().filtered(lambda line: line.state in OPEN_STATES)
        returns = self._find_returns_taken(pending, balances)
        received = self._get_quantities_here(pending, lines)
        returns |= self.env['sale.return.line'].union(*received).return_id
        if not returns:
            return
        self._override_or_refuse(
            returns,
            self.env._(
                "Return %(returns)s is under way for goods that this credit note would credit. "
                "Credit them with the return, or close or refuse it first. A manager of Returns "
                "may override this with a written reason.",
                returns=", ".join(returns.mapped('name')),
            ),
        )
        self._settle_returns(received, lines)

    def _find_returns_taken(self, pending, balances):
        """Return the returns for which these notes leave too little on the invoices."""
        credit = self.env['sale.return.credit']
        quantities = credit._get_quantities(pending, pending._get_qty_creditable, capped=False)
        due = [(line, quantities[line][0]) for line in pending if quantities[line][0] > 0]
        by_line = defaultdict(list)
        for allocation in credit._allocate(due, ignored_moves=self):
            by_line[allocation['invoice_line']].append(allocation)
        return self.env['sale.return'].union(
            *[
                allocation['return_line'].return_id
                for line, allocations in by_line.items()
                if self._is_taken(line, allocations, balances)
                for allocation in allocations
            ]
        )

    def _get_quantities_here(self, pending, lines):
        """Say what of the goods that lines of notes credit has come back and is not credited yet.

        :param pending: `sale.return.line` records under way.
        :param lines: lines of notes. Price corrections credit no goods.
        :return: `{return line: quantity in its unit}`, above zero.
        :rtype: dict
        """
        ledger = self.env['sale.return.ledger']
        lines = lines.filtered(
            lambda line: (
                not any(
                    ledger._is_cheaper(line, invoice_line)
                    for invoice_line in ledger._get_credited_lines(
                        line, ledger._get_invoice_lines(pending.sale_line_id)
                    )[:1]
                )
            )
        )
        mine = pending.filtered(
            lambda line: (
                line.sale_line_id in lines.sale_line_ids
                or line.product_id in lines.filtered(lambda l: not l.sale_line_ids).product_id
            )
        )
        quantities = self.env['sale.return.credit']._get_quantities(
            mine, mine._get_qty_here, capped=False
        )
        return {line: quantities[line][0] for line in mine if quantities[line][0] > 0}

    def _settle_returns(self, quantities, lines):
        """Let lines of notes made by hand count for the returns whose goods they credit.

        :param dict quantities: `{return line: quantity}` that is here and not credited.
        :param lines: lines of notes; one that credits more than that counts as any other.
        """
        ledger = self.env['sale.return.ledger']
        for return_line, quantity in quantities.items():
            measure = return_line._get_measure()
            for line in lines.filtered(lambda l: not l.sale_return_line_id):
                credited = line._get_quantity_in(measure)
                if return_line.sale_line_id not in line.sale_line_ids or (
                    measure.compare(abs(credited), quantity) > 0
                ):
                    continue
                invoice_lines = ledger._get_invoice_lines(return_line.sale_line_id)
                credited_line = ledger._get_credited_lines(line, invoice_lines)[:1]
                # One write per line: an override is for a single note.
                # sudo: the manager's reason was checked, and nobody writes these links directly.
                line.sudo().write(
                    {
                        'sale_return_line_id': return_line.id,
                        'sale_return_kind': 'goods',
                        'credited_line_id': credited_line.id,
                    }
                )
                quantity -= abs(credited)

    @api.model
    def _is_taken(self, line, allocations, balances):
        """Tell whether an invoice line is left with less than returns are going to credit."""
        balance = balances.get(line)
        key = (False, 'total_excluded_currency')
        quantity = sum(allocation['quantity'] for allocation in allocations)
        amount = sum(allocation['amounts'].get(key, 0.0) for allocation in allocations)
        return (
            balance is None
            or balance.quantity < quantity - QUANTITY_EPSILON
            or line.currency_id.compare_amounts(balance.amount(key), amount) < 0
        )

    def _is_reversed_credit(self):
        """Tell whether a credit note was reversed as a whole, so that it credits nothing."""
        self.ensure_one()
        return self.move_type == 'out_refund' and any(
            move._is_credit_reversal() for move in self.reversal_move_ids
        )

    def _is_credit_reversal(self):
        """Tell whether an invoice reverses a credit note as a whole: it bills nothing new."""
        self.ensure_one()
        note = self.reversed_entry_id
        return (
            self.move_type == 'out_invoice'
            and self.state == 'posted'
            and note.move_type == 'out_refund'
            and self.currency_id == note.currency_id
            and not self.currency_id.compare_amounts(self.amount_total, note.amount_total)
        )

    def _bills_note_again(self):
        """Tell whether an invoice reverses a credit note, as a whole or in part."""
        return self.move_type == 'out_invoice' and self.reversed_entry_id.move_type == 'out_refund'

    # === CHANGES AFTERWARDS === #

    def button_draft(self):
        """Override of `account` to keep invoices as they were when a return credited them."""
        self._ensure_not_credited_by_return()
        result = super().button_draft()
        self._refresh_sale_returns()
        return result

    def button_cancel(self):
        """Override of `account` to let returns know that their note is gone."""
        self._ensure_not_credited_by_return()
        result = super().button_cancel()
        self._refresh_sale_returns()
        return result

    def unlink(self):
        """Override of `account` to let returns know that their draft note is gone."""
        returns = self._get_returns_to_refresh()
        by_hand = returns - self._get_returns_of_notes()
        result = super().unlink()
        returns._close_or_reopen()
        by_hand._queue_due_credit()
        return result

    def _ensure_not_credited_by_return(self):
        self.line_ids._ensure_not_credited_by_return()

    def _get_returns_to_refresh(self):
        """Return the returns that these notes credit."""
        # sudo: an accountant need not be a user of Returns for them to follow their notes.
        notes = self.sudo().filtered(lambda move: move.move_type == 'out_refund')
        lines = notes.line_ids
        # Notes made by hand count, too: without them there is more to credit.
        sale_lines = lines.sale_line_ids | lines.credited_line_id.sale_line_ids
        return (lines.sale_return_line_id | sale_lines._get_return_lines()).return_id

    def _refresh_sale_returns(self):
        returns = self._get_returns_to_refresh()
        returns._close_or_reopen()
        # A note of a return that somebody has cancelled is not made again by itself.
        (returns - self._get_returns_of_notes())._queue_due_credit()
        # Give points again when a note is reset or cancelled.
        # sudo: accountants need not be users of Returns for points to follow notes.
        self.env['sale.return.loyalty']._sync(
            self.filtered(lambda move: move.move_type == 'out_refund').sudo().sale_return_ids
        )

    def _get_returns_of_notes(self):
        """Return the returns that these notes were made for."""
        # sudo: an accountant need not be a user of Returns for them to follow their notes.
        return self.sudo().line_ids.sale_return_line_id.return_id

    def _invoice_paid_hook(self):
        """Override of `account` to close returns whose credit notes are paid back."""
        result = super()._invoice_paid_hook()
        if not self.env.context.get('sale_return_posting'):
            self._refresh_sale_returns()
        return result

    def _get_sale_return_paid_residual(self):
        """Return what a credit note has open of an invoice that the customer has paid.

        What is still to be paid of the invoice is settled by the note and never paid back.

        :return: tax included, in the currency of the note.
        :rtype: float
        """
        self.ensure_one()
        invoice = self.reversed_entry_id
        if invoice.payment_state not in ('paid', 'in_payment', 'partial'):
            return 0.0
        return self.currency_id.round(max(self.amount_residual - invoice.amount_residual, 0.0))

    def _get_amount_paid_back(self):
        """Return what was paid back on a credit note, tax included, in its currency.

        What was matched with invoices is settled, not paid back.
        """
        self.ensure_one()
        receivable = self.line_ids.filtered(
            lambda line: line.account_id.account_type == 'asset_receivable'
        )
        return sum(
            partial.credit_amount_currency
            for partial in receivable.matched_debit_ids
            if partial.debit_move_id.move_id.move_type == 'entry'
            and not partial.debit_move_id.move_id.reversed_entry_id
            # sudo: what was paid back is the same for everybody.
            and not partial.debit_move_id.move_id.sudo().sale_return_write_back_ids
        )

    def _get_amount_to_pay_back(self):
        """Return what of a credit note is still to be paid back or used, in its currency. Override.

        :rtype: float
        """
        self.ensure_one()
        return self.amount_residual

    # === BUTTONS === #

    def action_view_sale_returns(self):
        """Show the returns of an invoice or credit note."""
        returns = self.env['sale.return'].search([('id', 'in', self.sale_return_ids.ids)])
        return returns._get_records_action(name=self.env._("Returns"))

    def action_create_return(self):
        """Open the dialog that creates a return of the invoiced order lines.

        :return: the action of the wizard `sale.return.create`.
        :rtype: dict
        """
        return self.invoice_line_ids.sale_line_ids._get_return_wizard_action()

    # === PRINT === #

    # The paper of credit notes: what is printed on them, and how they reach the customer.

    def _get_sale_return_references(self):
        """Return what a credit note prints about its invoice and returns. Override to add more.

        :return: `{'invoice': account.move, 'returns': names, 'lots': list}`; a lot is
            `{'product', 'lot', 'quantity', 'uom'}`.
        :rtype: dict
        """
        self.ensure_one()
        # sudo: whoever may print the note, portal users included; only names are shown.
        note = self.sudo()
        if note.move_type != 'out_refund':
            return {'invoice': note.browse(), 'returns': "", 'lots': []}
        return {
            'invoice': note.reversed_entry_id,
            'returns': ", ".join(note.sale_return_ids.mapped('name')),
            'lots': [
                lot
                for line in note.invoice_line_ids
                if line.sale_return_line_id and line.sale_line_ids
                for lot in line._get_sale_return_lots()
            ],
        }

    def _get_invoiced_lot_values(self):
        """Override of `stock_account`: notes of returns print the lots that came back themselves.

        Odoo takes them from the deliveries of the order, which need not be the ones returned.
        """
        # sudo: whoever prints a note need not be a user of Returns.
        if self.move_type == 'out_refund' and self.sudo().sale_return_ids:
            return []
        return super()._get_invoiced_lot_values()

    # === SEND === #

    def _is_sale_return_sent(self):
        """Tell whether a note is sent by itself: the company wants it and its invoice was sent.

        Override to decide otherwise.
        """
        self.ensure_one()
        # sudo: whoever posts a note need not be allowed to read its invoice and lines.
        note = self.sudo()
        return (
            note.move_type == 'out_refund'
            and note.company_id.sale_return_send_notes
            and note.reversed_entry_id.is_move_sent
            and not note.is_move_sent
            and any(line.credited_line_id for line in note.invoice_line_ids)
        )

    def _queue_sale_return_sending(self):
        """Have Odoo's job render and send notes the way their invoices are sent.

        Rendering a PDF takes seconds and a mail server may be down: nothing for a request. The
        way (mail, e-invoice network, manual) is the one Odoo keeps on the customer.
        """
        if not self:
            return
        # sudo: inspectors cause notes without rights in Accounting.
        self.sudo().sending_data = {
            'author_user_id': self.env.uid,
            'author_partner_id': self.env.user.partner_id.id,
        }
        self.env.ref('account.ir_cron_account_move_send').sudo()._trigger()
