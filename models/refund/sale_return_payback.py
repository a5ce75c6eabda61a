from collections import defaultdict

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ...tools.context import get_service_context
from ...tools.money import part_of
from .sale_return_refund import RESERVING_STATES


class SaleReturnPayback(models.AbstractModel):
    """Service: pay credit notes of returns back to where the customer's money came from.

    `_get_sources` (which receipts paid the invoice) → `_plan` (split, within all limits) →
    `_create_refunds` (one `sale.return.refund` each, with its draft payment or transaction). The
    preview is the same path without the last step. Nothing is sent from here: the scheduled job
    does it, after this transaction is committed.

    A source is a dict: `line` (the journal item of the receipt), `payment`, `transaction`,
    `journal`, `invoice` that it paid, `date`, `currency` of the receipt, `rate` (units of that
    currency for one of the invoice's), and in the currency of the invoice `money`, the amount
    received, and `granted`, the amount settled without money (early payment discount).
    """

    _name = 'sale.return.payback'

    _description = "Return Payback"

    # === ENTRIES === #

    @api.model
    def _pay_back(self, notes, online=True, journal=None):
        """Prepare the payouts of credit notes; none where nothing is open or nothing was received.

        :param notes: `account.move` records. The caller has checked the user's role.
        :param bool online: False to prepare payments only.
        :param journal: `account.journal` that payments leave through; by default the one that the
            customer paid through.
        :return: the new payouts.
        :rtype: sale.return.refund
        :raise UserError: when a payment cannot be prepared.
        """
        # sudo: managers of Returns pay back without rights in Accounting; the caller has checked
        # the role. `env.uid` stays the acting user.
        service = self.with_env(self.env(su=True, context=get_service_context(self.env.context)))
        notes = notes.with_env(service.env)
        notes._set_off_reversed_credits()
        notes = notes._filter_sale_return_payable()
        notes = service._leave_out_gifts(notes)
        notes._check_sale_return_header()
        # Concurrent payouts of the same invoice wait, and then see this one.
        self.env['sale.return.guard']._take_counter(
            notes | service._get_paid_invoices(notes), 'sale_return_refund_guard'
        )
        notes.invalidate_recordset(['amount_residual'])
        refunds = service.env['sale.return.refund']
        for company, group in notes.grouped('company_id').items():
            refunds |= service.with_company(company)._create_refunds(
                service.with_company(company)._plan(group, online=online), journal=journal
            )
        return refunds.with_env(self.env)

    @api.model
    def _leave_out_gifts(self, notes):
        """Return notes without those of gifts, whose value never goes back to the buyer.

        :param notes: `account.move` records in superuser mode.
        :raise UserError: where all of them are of gifts; naming the returns.
        """
        gifts = notes.filtered(lambda note: note._is_for_another())
        if gifts and gifts == notes:
            raise UserError(
                self.env._(
                    "Return %(returns)s is the return of a gift, so its money does not go back to "
                    "the buyer. Put it on the wallet of the recipient.",
                    returns=", ".join(gifts.sale_return_ids.mapped('name')),
                )
            )
        return notes - gifts

    @api.model
    def _preview(self, notes):
        """Return the plan for credit notes as plain values, see `sale.return.preview_refund`."""
        notes = notes._filter_sale_return_payable()
        return {
            note.id: {
                'note_id': note.id,
                'currency': note.currency_id.name,
                'open': self._get_open_amount(note),
                'payouts': [self._describe(payout) for payout in payouts],
            }
            for note, payouts in self._plan(notes).items()
        }

    @api.model
    def _describe(self, payout):
        source = payout['source']
        return {
            'method': payout['method'],
            'invoice_id': source['invoice'].id,
            'source_line_id': source['line'].id,
            'payment_id': source['payment'].id,
            'transaction_id': source['transaction'].id,
            'journal_id': source['journal'].id,
            'currency': source['currency'].name,
            'amount': payout['amount'],
            'note_amount': payout['note_amount'],
            'written_back': payout['written_back'],
        }

    @api.model
    def _ensure_source_left(self, notes):
        """Raise an error if an open amount cannot go back to any receipt.

        To be called in superuser mode.

        :raise UserError: naming the notes, what has settled their invoices, and the remaining
            options.
        """
        payable = notes._filter_sale_return_payable().filtered(
            lambda note: (
                not note.sale_return_on_account
                and note.currency_id.compare_amounts(self._get_open_amount(note), 0.0) > 0
            )
        )
        if not payable:
            return
        invoices = self._get_paid_invoices(payable)
        settling = invoices.line_ids.matched_credit_ids.credit_move_id.move_id
        others = (settling - payable).filtered(lambda move: not self._is_receipt(move))
        values = {
            'notes': ", ".join(payable.mapped('name')),
            'invoices': ", ".join(invoices.mapped('name')),
        }
        if others:
            raise UserError(
                self.env._(
                    "%(notes)s is open, but there is no payment to pay back: %(invoices)s was "
                    "settled by %(others)s. Pay the customer from the credit note with Odoo's "
                    "own button Pay, or leave the credit on the customer's account.",
                    others=", ".join(others.mapped('name')),
                    **values,
                )
            )
        raise UserError(
            self.env._(
                "%(notes)s is open, but nothing is left of the payments of %(invoices)s to pay "
                "back. Pay the customer from the credit note with Odoo's own button Pay, or "
                "leave the credit on the customer's account.",
                **values,
            )
        )

    # === SOURCES === #

    @api.model
    def _get_paid_invoices(self, notes):
        """Return the invoices whose money credit notes pay back, down payments included."""
        invoices = notes.reversed_entry_id
        down_payments = invoices.invoice_line_ids.filtered('is_downpayment').sale_line_ids
        return invoices | down_payments.invoice_lines.move_id.filtered(
            lambda move: move.move_type == 'out_invoice' and move.state == 'posted'
        )

    @api.model
    def _get_sources(self, invoices):
        """Return the receipts that paid invoices, the newest first.

        :param invoices: posted invoices.
        :return: list of sources, see the class.
        :rtype: list
        """
        receivable = invoices.line_ids.filtered(
            lambda line: line.account_id.account_type == 'asset_receivable'
        )
        by_line = defaultdict(list)
        for partial in receivable.matched_credit_ids.sorted('id'):
            line = partial.credit_move_id
            if self._is_receipt(line.move_id):
                by_line[line, partial.debit_move_id.move_id].append(partial)
        sources = [
            self._get_source(line, invoice, partials)
            for (line, invoice), partials in by_line.items()
        ]
        return sorted(sources, key=lambda s: (s['date'], s['line'].id), reverse=True)

    @api.model
    def _is_receipt(self, move):
        """Tell whether an entry brought money: from a bank, a card, a wallet or a cash register."""
        return move.move_type == 'entry' and bool(
            move.origin_payment_id
            or move.statement_line_id
            or move.journal_id.type in ('bank', 'cash', 'credit')
        )

    @api.model
    def _get_source(self, line, invoice, partials):
        """Return the source for the part of one invoice paid by one receipt."""
        settled = sum(partial.debit_amount_currency for partial in partials)
        taken = sum(partial.credit_amount_currency for partial in partials)
        rate = taken / settled if settled else 1.0
        payment = line.move_id.origin_payment_id
        granted = self._get_granted(line, invoice, taken) / rate if rate else 0.0
        granted = invoice.currency_id.round(min(granted, settled))
        return {
            'line': line,
            'payment': payment,
            'transaction': payment.payment_transaction_id,
            'journal': line.journal_id,
            'invoice': invoice,
            'date': line.date,
            'currency': line.currency_id,
            'rate': rate,
            'money': invoice.currency_id.round(settled - granted),
            'granted': granted,
        }

    @api.model
    def _get_granted_lines(self, line):
        """Return the items of a receipt that settle without money: discounts, their taxes."""
        move = line.move_id
        payment = move.origin_payment_id
        if payment:
            liquidity = payment._seek_for_lines()[0]
        else:
            accounts = move.journal_id.default_account_id | move.journal_id.suspense_account_id
            liquidity = move.line_ids.filtered(lambda item: item.account_id in accounts)
        return (move.line_ids - liquidity).filtered(
            lambda item: (
                item.account_id.account_type not in ('asset_receivable', 'liability_payable')
                and item.currency_id == line.currency_id
                and not item.currency_id.is_zero(item.amount_currency)
            )
        )

    @api.model
    def _get_granted(self, line, invoice, taken):
        """Return the part of a receipt that settled an invoice without money, in its currency.

        A receipt for several invoices granted it on those with a discount in their payment terms.
        """
        total = sum(self._get_granted_lines(line).mapped('amount_currency'))
        if line.currency_id.compare_amounts(total, 0.0) <= 0:
            return 0.0
        weights = defaultdict(float)
        plain = defaultdict(float)
        for partial in line.matched_debit_ids:
            paid = partial.debit_move_id.move_id
            plain[paid] += partial.credit_amount_currency
            weights[paid] = sum(
                abs(term.amount_currency - term.discount_amount_currency)
                for term in paid.line_ids
                if term.display_type == 'payment_term' and term.discount_date
            )
        weights = weights if any(weights.values()) else plain
        share = weights[invoice] / sum(weights.values()) if any(weights.values()) else 0.0
        return min(line.currency_id.round(total * share), taken)

    # === PLAN === #

    @api.model
    def _plan(self, notes, online=True):
        """Split the open amount of notes over the receipts of their invoices, newest first.

        :param notes: posted notes of one company.
        :param bool online: False to leave providers out.
        :return: `{note: [payout]}`; a payout is `{'source', 'method', 'amount' (currency of the
            receipt), 'note_amount', 'written_back' (currency of the note)}`.
        :rtype: dict
        """
        invoices = self._get_paid_invoices(notes)
        sources = self._get_sources(invoices)
        used = self._get_used(sources)
        budgets = {}
        plan = {}
        for note in notes.sorted('id'):
            paid = self._get_paid_invoices(note)
            if note.reversed_entry_id not in budgets:
                budgets[note.reversed_entry_id] = self._get_budget(paid, sources)
            payouts = []
            left = self._get_open_amount(note)
            for source in sources:
                if source['invoice'] not in paid or source['invoice'].currency_id != (
                    note.currency_id
                ):
                    continue
                budget = budgets[note.reversed_entry_id]
                payout = self._get_payout(note, source, used, left, budget, online)
                if payout:
                    payouts.append(payout)
                    left -= payout['note_amount'] + payout['written_back']
                    budgets[note.reversed_entry_id] -= payout['note_amount']
            plan[note] = payouts
        return plan

    @api.model
    def _get_payout(self, note, source, used, left, budget, online):
        """Return the payout of a note to one source, None where nothing can be paid."""
        currency = note.currency_id
        used_here = used[source['line'], source['invoice']]
        money = currency.round(source['money'] - used_here['money'])
        granted = currency.round(source['granted'] - used_here['granted'])
        money = min(money, self._get_receipt_left(source, used, currency))
        gross = min(left, money + granted)
        if currency.compare_amounts(gross, 0.0) <= 0 or currency.compare_amounts(money, 0.0) <= 0:
            return None
        # A granted discount is reversed in proportion; the last payout takes the rest.
        written_back = min(part_of(granted, gross, money + granted, currency.rounding), gross)
        note_amount = currency.round(min(gross - written_back, budget))
        if currency.compare_amounts(note_amount, 0.0) <= 0:
            return None
        amount = source['currency'].round(note_amount * source['rate'])
        used_here['money'] += note_amount
        used_here['granted'] += written_back
        used[source['line']]['amount'] += amount
        return {
            'source': source,
            'method': 'online' if online and self._is_online(source, amount, used) else 'payment',
            'amount': amount,
            'note_amount': note_amount,
            'written_back': written_back,
        }

    @api.model
    def _get_receipt_left(self, source, used, currency):
        """Return the total that a receipt has left, in the currency of the note.

        It may have been refunded in Odoo without a return, and have paid other invoices.
        """
        received = abs(self._get_received(source))
        left = received - used[source['line']]['amount'] - self._get_refunded_elsewhere(source)
        return currency.round(max(left, 0.0) / source['rate']) if source['rate'] else 0.0

    @api.model
    def _get_received(self, source):
        """Return the money of a whole receipt, in its currency."""
        if source['payment']:
            return source['payment'].amount
        granted = sum(self._get_granted_lines(source['line']).mapped('amount_currency'))
        return abs(source['line'].amount_currency) - max(granted, 0.0)

    @api.model
    def _get_refunded_elsewhere(self, source):
        """Return refunds of a transaction made outside of returns, in its currency."""
        children = source['transaction'].child_transaction_ids.filtered(
            lambda tx: (
                tx.operation == 'refund'
                and tx.state in ('draft', 'pending', 'authorized', 'done')
                and not tx.sale_return_refund_ids
            )
        )
        return abs(sum(children.mapped('amount')))

    @api.model
    def _is_online(self, source, amount, used):
        """Tell whether the provider of the original transaction can pay an amount back.

        :param float amount: in the currency of the transaction.
        """
        transaction = source['transaction']
        if (
            not transaction
            or transaction.state != 'done'
            or transaction.operation == 'refund'
            or transaction.provider_id.state == 'disabled'
        ):
            return False
        method = transaction.payment_method_id
        method = method.primary_payment_method_id or method
        supported = {transaction.provider_id.support_refund, method.support_refund}
        if 'none' in supported or not all(supported):
            return False
        if 'full_only' in supported:
            # Only in full, and only once.
            return (
                not transaction.currency_id.compare_amounts(amount, transaction.amount)
                and not transaction.currency_id.compare_amounts(
                    used[source['line']]['amount'], amount
                )
                and not self._get_refunded_elsewhere(source)
            )
        return True

    @api.model
    def _get_used(self, sources):
        """Return what earlier payouts have taken of sources.

        :return: `{(line, invoice): {'money', 'granted'}, line: {'amount'}}`, the pair in the
            currency of the invoice, the line in that of the receipt.
        :rtype: dict
        """
        used = defaultdict(lambda: defaultdict(float))
        lines = self.env['account.move.line'].union(*[source['line'] for source in sources])
        groups = self.env['sale.return.refund']._read_group(
            [('source_line_id', 'in', lines.ids), ('state', 'in', RESERVING_STATES)],
            ['source_line_id', 'invoice_id'],
            ['note_amount:sum', 'amount_written_back:sum', 'amount:sum'],
        )
        for line, invoice, money, granted, amount in groups:
            used[line, invoice].update(money=money, granted=granted)
            used[line]['amount'] += amount
        return used

    @api.model
    def _get_open_amount(self, note):
        """Return the open amount of a note without payouts under way, in its currency.

        Amounts used for other invoices are not open any more.
        """
        waiting = note.sale_return_refund_ids.filtered(lambda refund: refund._is_waiting())
        reserved = sum(waiting.mapped('note_amount')) + sum(waiting.mapped('amount_written_back'))
        # The preview shows what is paid after `_set_off_reversed_credits`.
        owed = sum(note._get_reversed_credits().mapped('amount_residual'))
        return max(note.currency_id.round(note.amount_residual - reserved - owed), 0.0)

    @api.model
    def _get_budget(self, invoices, sources):
        """Return what was received for invoices and is neither paid back nor about to be.

        Also counts payments made by hand for their notes.
        """
        received = sum(s['money'] for s in sources if s['invoice'] in invoices)
        # Where a down payment is larger than what is delivered, the bill itself is a credit note.
        notes = (invoices | invoices.reversal_move_ids).filtered(
            lambda move: move.move_type == 'out_refund' and move.state == 'posted'
        )
        paid_back = sum(note._get_amount_paid_back() for note in notes)
        waiting = notes.sale_return_refund_ids.filtered(lambda refund: refund._is_waiting())
        return received - paid_back - sum(waiting.mapped('note_amount'))

    @api.model
    def _get_left_for(self, refund):
        """Return what a prepared payout may still pay, in the note's currency.

        The receipt may have bounced, or been refunded in Odoo, since the payout was planned.

        :param refund: one `sale.return.refund`, prepared.
        :rtype: float
        """
        currency = refund.note_currency_id
        invoices = self._get_paid_invoices(refund.note_id)
        sources = self._get_sources(invoices)
        mine = [
            source
            for source in sources
            if (source['line'], source['invoice']) == (refund.source_line_id, refund.invoice_id)
        ]
        if not mine:
            return 0.0
        source = mine[0]
        used = self._get_used(mine)
        # The reserved amount includes the payout itself.
        used[source['line']]['amount'] -= refund.amount
        taken = used[source['line'], source['invoice']]['money'] - refund.note_amount
        left = min(
            source['money'] - taken,
            self._get_receipt_left(source, used, currency),
            self._get_budget(invoices, sources) + refund.note_amount,
        )
        return max(currency.round(left), 0.0)

    # === CREATE === #

    @api.model
    def _create_refunds(self, plan, journal=None):
        """Create the payouts of a plan, with their draft payments and transactions.

        :param dict plan: see `_plan`.
        :param journal: that payments leave through, see `_pay_back`.
        :rtype: sale.return.refund
        """
        model = self.env['sale.return.refund']
        counts = dict(
            model._read_group(
                [('note_id', 'in', [note.id for note in plan])], ['note_id'], ['__count']
            )
        )
        vals_list = [
            model._prepare_vals(note, payout, counts.get(note, 0))
            for note, payouts in plan.items()
            for payout in payouts
        ]
        if journal:
            for vals in vals_list:
                if vals['method'] == 'payment':
                    vals['journal_id'] = journal.id
        refunds = model.create(vals_list)
        offline = refunds.filtered(lambda refund: refund.method == 'payment')
        payments = self.env['account.payment'].create(
            [refund._prepare_payment_vals() for refund in offline]
        )
        for refund, payment in zip(offline, payments, strict=True):
            refund.payment_id = payment
        for refund in refunds - offline:
            # One by one: Odoo creates each with its own reference.
            source = refund.source_payment_id.payment_transaction_id
            refund.transaction_id = source._create_child_transaction(
                refund.amount, is_refund=True, invoice_ids=[Command.set(refund.note_id.ids)]
            )
        refunds._take_payees()
        refunds._hold_for_release()
        if refunds - offline:
            self.env.ref('sale_return.ir_cron_send_refunds')._trigger()
        refunds._log('refund_prepared')
        return refunds

    # === DISCOUNT === #

    # Service, continued: reverse discounts granted when an invoice was paid, e.g. early.

    @api.model
    def _prepare_write_back_vals(self, refund):
        """Prepare the entry that reverses the discount of a receipt, for one payout.

        The mirror of the receipt's own lines (discount account, its taxes and their tags), in
        proportion to what is written back, the last payout taking the rest.

        :param refund: one `sale.return.refund` that was paid.
        :return: values for `account.move.create`.
        :rtype: dict
        :raise UserError: when the company has no journal for it.
        """
        note = refund.note_id
        label = self.env._("Discount written back: %(note)s", note=note.name)
        lines = [
            {**vals, 'partner_id': refund.partner_id.id, 'name': label}
            for vals in self._prepare_write_back_lines(refund)
        ]
        return {
            'move_type': 'entry',
            'company_id': note.company_id.id,
            'journal_id': self._get_write_back_journal(note).id,
            'date': note.company_id._get_sale_return_day(),
            'ref': label,
            'line_ids': [Command.create(vals) for vals in lines],
        }

    @api.model
    def _get_write_back_journal(self, note):
        journal = self.env['account.journal'].search(
            [('type', '=', 'general'), ('company_id', 'parent_of', note.company_id.id)], limit=1
        )
        if not journal:
            raise UserError(
                self.env._(
                    "Company %(company)s has no journal for miscellaneous entries: create one to "
                    "write back the discount on %(note)s.",
                    company=note.company_id.name,
                    note=note.name,
                )
            )
        return journal

    @api.model
    def _prepare_write_back_lines(self, refund):
        """Prepare the lines of the entry: what was granted, against what the customer is owed."""
        note = refund.note_id
        parts = self._get_write_back_parts(refund)
        receivable = note.line_ids.filtered(
            lambda line: line.account_id.account_type == 'asset_receivable'
        )
        return [
            {
                'account_id': line.account_id.id,
                'currency_id': note.currency_id.id,
                'amount_currency': -amount,
                'balance': -balance,
                'tax_ids': [Command.set(line.tax_ids.ids)],
                'tax_tag_ids': [Command.set(line.tax_tag_ids.ids)],
                'tax_repartition_line_id': line.tax_repartition_line_id.id,
                'group_tax_id': line.group_tax_id.id,
                'analytic_distribution': line.analytic_distribution,
            }
            for line, amount, balance in parts
        ] + [
            {
                'account_id': receivable[:1].account_id.id,
                'currency_id': note.currency_id.id,
                'amount_currency': sum(amount for _line, amount, _balance in parts),
                'balance': sum(balance for _line, _amount, balance in parts),
            }
        ]

    @api.model
    def _get_write_back_parts(self, refund):
        """Split what a payout writes back over the granted lines of its receipt.

        Lines take `round(L · c / G)` of the total written back so far, less their previous amounts;
        the biggest one takes the rounding difference, so that the sum is exact.

        :return: list of `(line, amount in the note's currency, balance)`.
        :rtype: list
        """
        lines = self._get_granted_lines(refund.source_line_id)
        total = sum(lines.mapped('amount_currency'))
        currency = refund.note_currency_id
        company_currency = refund.company_id.currency_id
        earlier = self.env['sale.return.refund'].search(
            [
                ('source_line_id', '=', refund.source_line_id.id),
                ('write_back_move_id', '!=', False),
                ('id', '!=', refund.id),
            ]
        )
        before = sum(earlier.mapped('amount_written_back'))
        after = before + refund.amount_written_back
        # Units of the receipt's currency for one of the note's.
        rate = refund.amount / refund.note_amount if refund.note_amount else 1.0
        biggest = max(lines, key=lambda line: abs(line.amount_currency))
        amounts = {}
        for line in lines - biggest:
            share = line.amount_currency / total
            amounts[line] = currency.round(share * after) - currency.round(share * before)
        amounts[biggest] = currency.round(refund.amount_written_back - sum(amounts.values()))
        return [
            (
                line,
                amount,
                company_currency.round(amount * rate * line.balance / line.amount_currency),
            )
            for line, amount in amounts.items()
        ]
