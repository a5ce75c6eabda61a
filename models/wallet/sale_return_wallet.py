from collections import defaultdict

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import float_compare
from odoo.tools.misc import formatLang

from ...tools.context import get_service_context
from ...tools.money import cumulative_parts


class SaleReturnWallet(models.AbstractModel):
    """Service: put what is credited on the wallet of the customer, and take it off again.

    `_follow` updates the wallets according to the posted credit notes: it books the receivable of
    a note to the account of the wallets, settles the note with it and moves the card. `_take_back`
    does the opposite for notes that were cancelled or reversed. Repeating either adds nothing.
    """

    _name = 'sale.return.wallet'
    _inherit = ['sale.return.wallet.card']
    _description = "Return Wallet"

    # === POSSIBLE === #

    @api.model
    def _is_on(self, company=None):
        """Tell whether a company, or one of the user's, gives store credit."""
        # sudo: whether it is offered is no secret.
        companies = (company or self.env.companies).sudo()
        return self._is_installed() and any(companies.mapped('sale_return_store_credit'))

    @api.model
    def _find_problem(self, company, currency):
        """Return why a company cannot give store credit in a currency.

        :return: a sentence, None where it can.
        :rtype: str | None
        """
        # sudo: managers of Returns need read neither accounts nor programs.
        service, company = self.sudo(), company.sudo()
        account = company.sale_return_store_credit_account_id
        bonus_account = company.sale_return_store_credit_bonus_account_id
        values = {'company': company.name, 'account': account.display_name or ""}
        if not service._is_installed():
            return self.env._(
                "Store credit needs Odoo's wallets. Install the app “Sale Loyalty” first, or "
                "choose a refund."
            )
        if not company.sale_return_store_credit:
            return self.env._(
                "Store credit is switched off for %(company)s. Choose a refund, or switch it on "
                "in the settings of Returns.",
                **values,
            )
        if not account:
            return self.env._(
                "Store credit of %(company)s has no account. Choose a liability account in the "
                "settings of Returns.",
                **values,
            )
        if account.account_type not in ('liability_current', 'liability_non_current'):
            return self.env._(
                "Account %(account)s cannot hold store credit, because it is not a liability "
                "account. Choose another one in the settings of Returns.",
                **values,
            )
        if company.sale_return_store_credit_bonus and not bonus_account:
            return self.env._(
                "The bonus of store credit of %(company)s has no account. Choose an expense "
                "account in the settings of Returns, or give no bonus.",
                **values,
            )
        if not service._get_program(company, currency):
            return self.env._(
                "%(company)s has no eWallet program in %(currency)s whose products post to account "
                "%(account)s. Create the program, and set this account as the income account of "
                "its top-up and payment products.",
                currency=currency.name,
                **values,
            )
        return None

    @api.model
    def _ensure_possible(self, company, currency):
        """Refuse store credit that cannot be given.

        :raise UserError: saying what is missing.
        """
        if problem := self._find_problem(company, currency):
            raise UserError(problem)

    @api.model
    def _get_program(self, company, currency):
        """Return the program that store credit in a currency is put on; superuser mode."""
        return self._get_programs(company).filtered(
            lambda program: (
                program.active
                and program.program_type == 'ewallet'
                and (program.currency_id or company.currency_id) == currency
                and set(program.reward_ids.mapped('discount')) == {1.0}
            )
        )[:1]

    # === WHAT IS DUE === #

    @api.model
    def _get_wanted(self, note):
        """Return which part of a note each of its returns wants as store credit, 0–1.

        Lines of the note that belong to no return line follow the others.

        :param note: one `account.move` in superuser mode.
        :rtype: dict
        """
        lines = note.invoice_line_ids.filtered('sale_return_line_id')
        total = sum(lines.mapped('price_total'))
        wanted = defaultdict(float)
        for line in lines if total else ():
            if line.sale_return_line_id._is_for_wallet():
                wanted[line.sale_return_line_id.return_id] += line.price_total / total
        return wanted

    @api.model
    def _get_due(self, note):
        """Return what still has to be put on the wallet for a note, by return, in its currency.

        What was set off against an unpaid invoice or an exchange, or was paid back, is excluded.

        :param note: one `account.move` in superuser mode.
        :return: `{sale.return: amount}`, above zero.
        :rtype: dict
        """
        if not note._filter_sale_return_payable() or not (wanted := self._get_wanted(note)):
            return {}
        currency = note.currency_id
        rows = self._get_rows(note)
        given = {
            back: sum(rows.filtered(lambda r, b=back: r.return_id == b).mapped('amount'))
            for back in wanted
        }
        base = note.amount_residual + sum(rows.mapped('amount')) + note._get_amount_paid_back()
        parts = cumulative_parts(
            base, [min(max(part, 0.0), 1.0) for part in wanted.values()], currency.rounding
        )
        left = self.env['sale.return.payback']._get_open_amount(note)
        due = {}
        for back, part in zip(wanted, parts, strict=True):
            amount = currency.round(min(part - given[back], left))
            if currency.compare_amounts(amount, 0.0) > 0:
                due[back] = amount
                left -= amount
        return due

    @api.model
    def _get_rows(self, notes):
        return self.env['sale.return.store.credit'].search([('note_id', 'in', notes.ids)])

    @api.model
    def _get_bonus(self, company, currency, amount):
        """Return what the customer gets on top of an amount. Override for other scales."""
        return currency.round(amount * company.sale_return_store_credit_bonus / 100.0)

    # === GIVE === #

    @api.model
    def _as_service(self, notes):
        """Return the notes in the environment of the service."""
        # sudo: entries and cards follow from notes whose posting was allowed; `env.uid` stays the
        # acting user.
        return notes.with_env(self.env(su=True, context=get_service_context(self.env.context)))

    @api.model
    def _follow(self, notes):
        """Put what is due of credit notes on wallets; failures are logged as events.

        :param notes: `account.move` records that were just posted or settled.
        """
        for note in self._as_service(notes):
            service = self.with_env(note.env)
            if not (due := service._get_due(note)):
                continue
            # One by one: a note that fails does not stop the others.
            try:
                with self.env.cr.savepoint():
                    service._give(note, due)
            except UserError as error:
                service._log(due, note, 'store_credit_failed', str(error.args[0]))

    @api.model
    def _give(self, note, due):
        """Put amounts of a note on the wallets of the customers of its returns.

        :param note: one `account.move` in superuser mode.
        :param dict due: see `_get_due`.
        :return: whether it was put there; else a second person has to do it.
        :rtype: bool
        :raise UserError: stating why there is no wallet.
        """
        company, currency = note.company_id, note.currency_id
        self._ensure_possible(company, currency)
        # Concurrent refunds of the same note wait, and then see this. Those of the same customer as
        # well: they count together for one person, and the first of them creates the card.
        customers = note._get_sale_return_customer().union(*(back.partner_id for back in due))
        self.env['sale.return.guard']._take_counters(
            (note, 'sale_return_refund_guard'),
            (customers.commercial_partner_id, 'sale_return_goodwill_guard'),
        )
        if self._is_second_person_needed(note, sum(due.values())):
            self._log(
                due,
                note,
                'store_credit_waits',
                self.env._("Above the limit for one person: somebody else puts it on the wallet."),
            )
            return False
        program = self._get_program(company, currency)
        for back, amount in due.items():
            # One by one: notes of several returns are few.
            card = self._get_card(program, back.partner_id)
            bonus = self._get_bonus(company, currency, amount)
            row = self._book(note, back, card, amount, bonus)
            self._settle(row)
            self._log([back], note, 'store_credit', details=self._describe(row))
        note._refresh_sale_returns()
        return True

    @api.model
    def _is_second_person_needed(self, note, amount):
        """Tell whether the user who posted a note may not put this much on a wallet."""
        company = note.company_id
        if note.sale_return_posted_by_id != self.env.user:
            return False
        amount += self._get_bonus(company, note.currency_id, amount)
        payout = self.env['sale.return.refund'].new(
            {
                'note_id': note.id,
                'partner_id': note._get_sale_return_customer().id,
                'currency_id': note.currency_id.id,
                'amount': amount,
                'prepared_by_id': self.env.uid,
            }
        )
        return bool(payout._filter_second_person())

    @api.model
    def _describe(self, row):
        """Log what was put on which card, or taken off it."""
        values = {
            'amount': formatLang(self.env, abs(row.amount), currency_obj=row.currency_id),
            'bonus': formatLang(self.env, abs(row.bonus), currency_obj=row.currency_id),
            'card': row.card_code,
            'note': row.note_id.name,
        }
        if row.amount < 0:
            return self.env._(
                "%(note)s: %(amount)s taken off card %(card)s, and %(bonus)s of bonus.", **values
            )
        return self.env._(
            "%(note)s: %(amount)s put on card %(card)s, and %(bonus)s of bonus.", **values
        )

    # === BOOK === #

    @api.model
    def _book(self, note, back, card, amount, bonus):
        """Post the entry of a store credit and write its row; negative ones take it back.

        :return: the new row, its card moved.
        :rtype: sale.return.store.credit
        """
        company, currency = note.company_id, note.currency_id
        day = company._get_sale_return_day()
        entry = (
            self.env['account.move']
            .with_company(company)
            .create(self._prepare_entry_vals(note, back, amount, bonus))
        )
        entry._post(soft=False)
        row = self.env['sale.return.store.credit'].create(
            {
                'return_id': back.id,
                'note_id': note.id,
                'entry_id': entry.id,
                'company_id': company.id,
                'partner_id': back.partner_id.commercial_partner_id.id,
                'user_id': self.env.uid,
                'date': day,
                'card_id': card.id,
                'card_code': card.code,
                'currency_id': currency.id,
                'amount': amount,
                'bonus': bonus,
                'amount_company': currency._convert(
                    amount + bonus, company.currency_id, company, day
                ),
            }
        )
        self._move(row)
        return row

    @api.model
    def _prepare_entry_vals(self, note, back, amount, bonus):
        """Prepare the entry: receivable and bonus against the wallets. Override to add values.

        :param float amount: in the currency of the note; negative to take it back.
        :return: values for `account.move.create`.
        :rtype: dict
        """
        company, currency = note.company_id, note.currency_id
        day = company._get_sale_return_day()
        name = self.env._("Store credit of return %(name)s", name=back.name)
        receivable = note.line_ids.filtered(
            lambda line: line.account_id.account_type == 'asset_receivable'
        ).account_id[:1]
        sides = [
            (receivable, amount),
            (company.sale_return_store_credit_bonus_account_id, bonus),
        ]
        balances = [
            (account, currency._convert(value, company.currency_id, company, day), value)
            for account, value in sides
            if value
        ]
        balances.append(
            (
                company.sale_return_store_credit_account_id,
                -sum(balance for _account, balance, _value in balances),
                -amount - bonus,
            )
        )
        journal = self.env['account.journal'].search(
            [
                *self.env['account.journal']._check_company_domain(company),
                ('type', '=', 'general'),
                ('id', '!=', company.currency_exchange_journal_id.id),
            ],
            limit=1,
        )
        return {
            'move_type': 'entry',
            'journal_id': journal.id,
            'date': day,
            'ref': f"{name} · {note.name or note.ref or ''}",
            'partner_id': note.partner_id.id,
            'line_ids': [
                Command.create(
                    {
                        'name': name,
                        'account_id': account.id,
                        'partner_id': note.partner_id.id,
                        'currency_id': currency.id,
                        'balance': balance,
                        'amount_currency': value,
                    }
                )
                for account, balance, value in balances
            ],
        }

    @api.model
    def _get_receivable(self, moves):
        return moves.line_ids.filtered(
            lambda line: line.account_id.account_type == 'asset_receivable' and not line.reconciled
        )

    @api.model
    def _settle(self, row):
        """Settle a store credit with its note; one taken back with what it takes back."""
        others = row.note_id
        if row.amount < 0:
            entries = self._get_rows(others).entry_id
            others = others.reversal_move_ids.filtered(
                lambda move: move._bills_note_again() and move.state == 'posted'
            )
            if not others:
                # A note that is reset keeps what it was matched with.
                row.note_id.line_ids.matched_debit_ids.filtered(
                    lambda partial: partial.debit_move_id.move_id in entries
                ).unlink()
                others = entries
        mine = self._get_receivable(row.entry_id)
        lines = mine | self._get_receivable(others).filtered(
            lambda line: line.account_id == mine.account_id
        )
        if len(lines) > 1:
            lines.reconcile()

    # === TAKE BACK === #

    @api.model
    def _take_back(self, notes):
        """Take off wallets what credit notes do not credit any more.

        :param notes: `account.move` records that were posted, reset, cancelled or reversed.
        :raise UserError: when the customer has spent it.
        """
        if not self._is_installed():
            return
        service = self.with_env(self._as_service(notes).env)
        rows = service._get_rows(notes)
        for (note, back, card_id), group in rows.grouped(
            lambda row: (row.note_id, row.return_id, row.card_id)
        ).items():
            currency = note.currency_id
            amount, bonus = sum(group.mapped('amount')), sum(group.mapped('bonus'))
            kept = service._get_kept(note)
            excess = currency.round(amount - currency.round(amount * kept))
            if currency.compare_amounts(excess, 0.0) <= 0:
                continue
            excess_bonus = currency.round(bonus - currency.round(bonus * kept))
            card = self.env['loyalty.card'].with_env(service.env).browse(card_id)
            service._ensure_unspent(note, back, card, group[:1].card_code, excess + excess_bonus)
            row = service._book(note, back, card, -excess, -excess_bonus)
            service._settle(row)
            service._log([back], note, 'store_credit_undone', details=service._describe(row))

    @api.model
    def _get_kept(self, note):
        """Return which part of what a note has put on a wallet stays there, 0–1."""
        if note.state != 'posted' or note._is_reversed_credit() or not note.amount_total:
            return 0.0
        given = left = 0.0
        for row in self._get_rows(note).sorted('id'):
            left = note.currency_id.round(left + row.amount)
            # A note reset to draft and posted again starts from scratch.
            given = given + max(row.amount, 0.0) if left else 0.0
        billed = sum(
            move.amount_total
            for move in note.reversal_move_ids
            if move._bills_note_again() and move.state == 'posted'
        )
        target = given * max(1.0 - billed / note.amount_total, 0.0)
        return min(target / left, 1.0) if left > 0 else 1.0

    @api.model
    def _ensure_unspent(self, note, back, card, code, amount):
        """Refuse to take more off a card than is on it.

        :raise UserError: naming the card, and what to do.
        """
        # Somebody may have deleted the card.
        left = sum(card.exists().mapped('points'))
        if float_compare(left, amount, precision_rounding=note.currency_id.rounding) >= 0:
            return
        raise UserError(
            self.env._(
                "%(note)s of return %(return)s has put store credit on card %(card)s: %(amount)s "
                "would be taken off, and %(left)s is left because the customer has spent the "
                "rest. Leave the credit note as it is, and bill the customer what they owe.",
                note=note.name,
                card=code,
                amount=formatLang(self.env, amount, currency_obj=note.currency_id),
                left=formatLang(self.env, max(left, 0.0), currency_obj=note.currency_id),
                **{'return': back.name},
            )
        )

    # === LOG === #

    @api.model
    def _log(self, returns, note, kind, reason=False, details=False):
        """Write an event on each return; the same failure is logged once."""
        vals_list = []
        for back in returns:
            known = back.event_ids.filtered(lambda event: event.kind == kind).sorted('id')[-1:]
            if not reason or known.reason != reason:
                vals_list.append(
                    {
                        'return_id': back.id,
                        'kind': kind,
                        'reason': reason,
                        'details': details or note.name,
                    }
                )
        self.env['sale.return.event']._log(vals_list)
