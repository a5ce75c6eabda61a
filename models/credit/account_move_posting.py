from collections import defaultdict
from datetime import timedelta

from odoo import api, models
from odoo.exceptions import UserError

from ...const import OPEN_STATES
from ...tools.money import QUANTITY_EPSILON
from ...tools.own_value import OwnValue


class AccountMove(models.Model):
    """Checks before invoices and credit notes are posted, and what follows."""

    _inherit = 'account.move'

    # === POST === #

    def _date_after_locks(self):
        """Date notes on the first open day where today is already locked.

        Odoo does so for other documents, but refuses sales documents while their numbering restarts
        each year.
        """
        for (company, journal), notes in self.grouped(
            lambda m: (m.company_id, m.journal_id)
        ).items():
            today = company._get_sale_return_day()
            if locks := company._get_violated_lock_dates(today, True, journal):
                notes.write({'invoice_date': today, 'date': locks[-1][0] + timedelta(days=1)})

    def _post(self, soft=True):
        """Override of `account`, the only one here: other actions on posting are listed as hooks.

        The guard is here and not in the button because notes are also posted by reversal, by
        jobs and by payments.

        :raise UserError: when an invoice line would be credited beyond what was invoiced, a pending
            return could not be credited any more, or money would go to somebody else.
        """
        # sudo: what returns hold and have credited does not depend on who posts. Accountants need
        # be users neither of Returns nor of Sales, and a partial view must not bypass the guard.
        moves, posting = self.sudo(), self
        moves._check_sale_return_payees()
        moves._check_sale_return_released()
        guarded = moves._get_sale_return_guarded_lines()
        if guarded:
            invoice_lines = self.env['sale.return.ledger']._get_invoice_lines(guarded)
            self.env['sale.return.credit']._take_credit_counter(invoice_lines)
            moves._note_sale_return_poster()
            # A note that settles its invoice is "paid" while it is posted: too early to close the
            # return.
            posting = self.with_context(sale_return_posting=OwnValue(True))
        posted = super(AccountMove, posting)._post(soft=soft).with_env(self.env)
        if guarded:
            posted.sudo()._after_guarded_posting(guarded)  # as above
        posted._after_sale_return_posting()
        return posted

    def _after_sale_return_posting(self):
        """Run the effects of posting these documents, in this order."""
        self.sudo()._check_sale_return_total()  # sudo: as in `_post`
        # Reversing a note restores the points.
        (self | self.reversed_entry_id)._sync_sale_return_points()
        # Leave the sending of notes of returns to Odoo's own job.
        self.filtered(lambda move: move._is_sale_return_sent())._queue_sale_return_sending()
        self._settle_sale_return_exchanges()
        self._start_sale_return_refunds()
        self._tell_of_sale_return_notes()

    # The hooks of other rooms.

    def _check_sale_return_payees(self):
        """Refuse documents that would pay the money of a return to others (room `refund`)."""

    def _settle_sale_return_exchanges(self):
        """Settle exchanges with their credits (room `exchange`)."""

    def _start_sale_return_refunds(self):
        """Settle reversed notes, and pay back where policies want it (room `refund`)."""

    def _tell_of_sale_return_notes(self):
        """Tell customers of their credit notes (room `message`)."""

    def _note_sale_return_poster(self):
        """Store who posts notes of returns, and for whom. To be called in superuser mode."""
        notes = self.filtered(lambda move: move.move_type == 'out_refund' and move.sale_return_ids)
        for customer, group in notes.grouped('commercial_partner_id').items():
            group.write(
                {
                    'sale_return_posted_by_id': self.env.uid,
                    'sale_return_customer_id': customer.id,
                }
            )

    def _after_guarded_posting(self, guarded):
        """Check posted documents against what returns hold, and let the returns continue.

        To be called in superuser mode, see `_post`.

        :param guarded: `sale.order.line` records that a return holds or has credited.
        :raise UserError: see `_post`.
        """
        (self | self.reversed_entry_id).invoice_line_ids._refigure_sale_returns()
        self._check_notes_reversed_once()
        self._check_sale_return_caps(guarded)
        self.env['sale.return.credit']._log_notes(self)
        returns = guarded._get_return_lines().return_id
        ledger = self.env['sale.return.ledger']
        if any(
            ledger._bills(line)
            for line in self.invoice_line_ids
            if not line.move_id.reversed_entry_id
        ):
            # Goods that came back before they were invoiced are credited now.
            returns._queue_due_credit()
        returns._close_or_reopen()

    def _get_sale_return_guarded_lines(self):
        """Return the order lines of these moves that a return holds or has credited.

        To be called in superuser mode, see `_post`.
        """
        moves = self.filtered(lambda move: move.move_type in ('out_refund', 'out_invoice'))
        # What reverses a note made by hand need not belong to an order line either.
        moves |= moves.reversed_entry_id.filtered(lambda move: move.move_type == 'out_refund')
        sale_lines = self.env['sale.return.ledger']._get_credited_sale_lines(moves.line_ids)
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
        """Refuse to credit more than invoiced, or what a pending return will credit.

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

    def _check_notes_reversed_once(self):
        """Refuse to reverse a note of which others have reversed as much before.

        Each reversal is an invoice: the customer would owe the same goods twice.

        :raise UserError: naming the note and the earlier invoice.
        """
        bills = self.filtered(lambda move: move._bills_note_again())
        note = self.browse().union(*bills.reversed_entry_id._get_sale_return_reversal_excess())[:1]
        if note:
            earlier = note._get_posted_reversals()
            raise UserError(
                self.env._(
                    "Credit note %(note)s was reversed before, by %(invoice)s: the customer would "
                    "be billed twice. Lower this invoice to what is left of the credit note, or "
                    "delete it.",
                    note=note.name,
                    invoice=", ".join((earlier - self or earlier).mapped('name')),
                )
            )

    def _get_sale_return_reversal_excess(self):
        """Return by how much the posted reversals of notes exceed what the notes credit.

        Order line by order line, and in amounts: a price may be taken back in parts, each with the
        whole quantity.

        :return: `{note: amount in its currency, tax included}`, only those exceeded.
        :rtype: dict
        """
        exceeded = {}
        for note in self:
            bills = note._get_posted_reversals()
            if len(bills) < 2:
                continue
            # Lines round differently on one document than on several.
            slack = note.currency_id.rounding * len(bills)
            excess = 0.0
            for sale_line in note.invoice_line_ids.sale_line_ids:
                credited, billed = (
                    sum(
                        line.price_total
                        for line in moves.invoice_line_ids
                        if sale_line in line.sale_line_ids
                    )
                    for moves in (note, bills)
                )
                if billed - credited > slack:
                    excess += billed - credited
            if excess:
                exceeded[note] = note.currency_id.round(excess)
        return exceeded

    def _get_posted_reversals(self):
        """Return the posted invoices that reverse this note, in its currency."""
        self.ensure_one()
        return self.reversal_move_ids.filtered(
            lambda move: (
                move.move_type == 'out_invoice'
                and move.state == 'posted'
                and move.currency_id == self.currency_id
            )
        )

    def _get_lines_by_hand(self, sale_lines):
        """Return the lines of these notes that credit order lines without a return."""
        ledger = self.env['sale.return.ledger']
        return self.invoice_line_ids.filtered(
            lambda line: (
                not line.sale_return_line_id
                and line.display_type == 'product'
                and (line.sale_line_ids & sale_lines or ledger._is_unlinked(line))
                # Netting on the next invoice is a credit, too: returned A -1, sold B +1.
                and (line.move_id.move_type == 'out_refund' or line.quantity < 0)
                and not ledger._bills(line)
            )
        )

    def _check_sale_return_total(self):
        """Refuse to credit an invoice beyond its total, no matter who made the note.

        A manager of Returns who gives a reason may. To be called in superuser mode, see `_post`.

        :raise UserError: naming the invoices.
        """
        notes = self.filtered(
            lambda move: (
                move.move_type == 'out_refund'
                # Point of sale has its own returns.
                and not ('pos_order_ids' in move._fields and move.pos_order_ids)
            )
        )
        if exceeded := notes._get_sale_return_credited_invoices()._get_sale_return_excess():
            invoices = self.browse().union(*exceeded)
            notes._override_or_refuse(
                invoices.sale_return_ids,
                self.env._(
                    "%(invoices)s would be credited for more than its total. Lower the credit "
                    "note, for example by the share of the order's discounts, or cancel an "
                    "earlier one. A manager of Returns may override this with a written reason.",
                    invoices=", ".join(invoices.mapped('name')),
                ),
            )

    def _get_sale_return_credited_invoices(self):
        """Return the invoices that notes name, in their header or in their lines."""
        invoices = self.reversed_entry_id | self.invoice_line_ids.credited_line_id.move_id
        # Goods may be billed on a note, where a down payment is larger than they are.
        return invoices.filtered(lambda move: move.move_type in ('out_invoice', 'out_refund'))

    def _get_sale_return_excess(self):
        """Return by how much the posted notes of invoices exceed them.

        Down payments and trade-ins do not count: goods are credited in full, whatever was paid
        before or with other goods. A reversed note credits nothing, a partly reversed one less.

        :return: `{invoice: amount in its currency, tax included}`, only those exceeded.
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
            # Lines round differently on one document than on several.
            slack = currency.rounding * (len(products) + len(notes))
            excess = credited - max(limit, invoice.amount_total)
            if excess > slack:
                exceeded[invoice] = currency.round(excess)
        return exceeded

    def _get_sale_return_notes(self):
        """Return the notes that name an invoice in their header or, if it has none, lines."""
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
        """Return what a note credits, less what was reversed of it, in another currency."""
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
        early = lines._filter_credited_above(lines._get_qty_released)
        if early:
            self._override_or_refuse(
                early.return_id,
                self.env._(
                    "More would be credited than is released for return %(returns)s: its goods "
                    "have not arrived or are not inspected yet. Lower the credit note, or wait."
                    " A manager of Returns may override this with a written reason.",
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
                                # The author of the reason need not be the user who posts.
                                overriding.sale_return_override_by_id.name,
                            ],
                        )
                    ),
                }
                for sale_return in returns
            ]
        )

    def _check_sale_return_pending(self, sale_lines, balances, lines):
        """Refuse notes made by hand that credit what a return under way is going to credit.

        Namely when too little is left for the return, or when its goods are here: it will credit
        them itself, so a note for them would be a duplicate. A manager who gives a reason settles
        the return by their note.

        :param sale_lines: `sale.order.line` records.
        :param dict balances: what is creditable on their invoices, including these notes.
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
        """Return which goods credited by note lines have come back and are not credited yet.

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
        """Assign lines of notes made by hand to the returns whose goods they credit.

        :param dict quantities: `{return line: quantity}` that is here and not credited.
        :param lines: lines of notes; a line that credits more is treated like any other.
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
        """Tell whether less is left of an invoice line than returns are going to credit."""
        balance = balances.get(line)
        key = (False, 'total_excluded_currency')
        quantity = sum(allocation['quantity'] for allocation in allocations)
        amount = sum(allocation['amounts'].get(key, 0.0) for allocation in allocations)
        return (
            balance is None
            or balance.quantity < quantity - QUANTITY_EPSILON
            or line.currency_id.compare_amounts(balance.amount(key), amount) < 0
        )
