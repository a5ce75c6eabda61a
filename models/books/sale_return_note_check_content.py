import contextlib
from collections import defaultdict

from odoo import api, models
from odoo.tools import SQL

from ...const import WITHHELD_KINDS
from ...tools.money import QUANTITY_EPSILON

UNTAXED = (False, 'total_excluded_currency')


class SaleReturnNoteCheck(models.AbstractModel):
    """What a note says by account and tax, what it should say, and how the two differ."""

    _inherit = 'sale.return.note.check'

    # === WHAT IT SAYS === #

    @api.model
    def _get_actual(self, note):
        """Return a note's content: `{kind: {('account', account, taxes) or ('tax', tax): amount}}`.

        Lines not created by a return have the kind `added`.
        """
        ledger = self.env['sale.return.ledger']
        base_lines = ledger._get_base_lines(note)
        actual = defaultdict(lambda: defaultdict(float))
        for line in note.line_ids:
            # A rounding on the biggest tax is part of that tax.
            rounding = line.display_type == 'rounding' and not line.tax_repartition_line_id
            if line.display_type != 'product' and not rounding:
                continue
            kind = self._get_kind(line)
            taxes = tuple(sorted(line.tax_ids.ids))
            actual[kind]['account', line.account_id.id, taxes] += line.amount_currency
            for (tax, name), (amount, _unit) in ledger._get_amounts(
                base_lines.get(line.id), line
            ).items():
                if tax and name == 'tax_amount_currency':
                    actual[kind]['tax', tax] += amount
        return actual

    @api.model
    def _get_kind(self, line):
        if not line.sale_return_line_id or not line.credited_line_id:
            return 'added'
        return line.sale_return_kind or ('goods' if line.sale_line_ids else 'added')

    # === WHAT IT SHOULD SAY === #

    @api.model
    def _get_expected(self, note):
        """Return the right content of a note by invoice and earlier notes; see `_get_actual`."""
        goods = [
            (line.id, line.sale_return_line_id.id, line.credited_line_id.id, line.sale_return_kept)
            for line in note.invoice_line_ids.sorted('id')
            if self._get_kind(line) == 'goods'
        ]
        quantities = {
            line.id: self.env['sale.return.ledger']._convert_quantity(line, line.credited_line_id)
            for line in note.invoice_line_ids
            if self._get_kind(line) == 'goods'
        }
        expected = defaultdict(lambda: defaultdict(float))
        if not goods:
            return expected
        with self._before(note):
            allocations = self._allocate_again(goods, quantities)
            credit = self.env['sale.return.credit']
            completed = credit._complete(allocations)
            for allocation in completed:
                vals = credit._prepare_note_line_vals(allocation)
                taxes = tuple(sorted(allocation['invoice_line'].tax_ids.ids))
                kind = expected[allocation.get('kind') or 'goods']
                kind['account', vals['account_id'], taxes] += allocation['amounts'].get(
                    UNTAXED, 0.0
                )
                for (tax, name), amount in allocation['amounts'].items():
                    if tax and name == 'tax_amount_currency':
                        kind['tax', tax] += amount
            invoices = self.env['account.move'].union(
                *[allocation['invoice_line'].move_id for allocation in allocations]
            )
            for invoice in invoices[:1]:
                for line in credit._get_due_rounding_lines(invoice, completed):
                    expected['rounding']['account', line.account_id.id, ()] -= line.amount_currency
        return expected

    @api.model
    def _allocate_again(self, goods, quantities):
        """Return the allocations of the goods of a note, as `sale.return.credit._allocate` does.

        :param list goods: `(note line id, return line id, invoice line id, kept)`.
        :param dict quantities: `{note line id: quantity in the unit of the invoice line}`.
        """
        lines = self.env['account.move.line'].browse([billed for _l, _r, billed, _k in goods])
        balances = self.env['sale.return.ledger']._get_balances(lines.sale_line_ids)
        allocations = []
        for line_id, return_line_id, billed_id, kept in goods:
            billed = self.env['account.move.line'].browse(billed_id)
            balance = balances.get(billed)
            if balance is None:
                continue
            taken = min(quantities[line_id], balance.quantity)
            if taken <= QUANTITY_EPSILON:
                continue
            if abs(balance.quantity - taken) < QUANTITY_EPSILON:
                taken = balance.quantity
            amounts = balance.take(taken)
            allocations.append(
                {
                    'return_line': self.env['sale.return.line'].browse(return_line_id),
                    'invoice_line': billed,
                    'quantity': taken,
                    'amounts': amounts,
                    'price_ratio': balance.price_ratio(UNTAXED, taken, amounts.get(UNTAXED, 0.0)),
                    'kept': kept,
                }
            )
        return allocations

    @contextlib.contextmanager
    def _before(self, note):
        """Context manager: ignore a note and everything after it.

        Invoices and notes are ordered by their database id, given when they are created; drafts
        count from then on. A note of others that was reversed since counts no more, as if it had
        been cancelled: goods are not to be credited less because of it.
        """
        orders = note.invoice_line_ids.sale_return_line_id.sale_line_id.order_id
        invoices = note._get_sale_return_credited_invoices()
        documents = orders.order_line.invoice_lines.move_id
        documents |= (documents | invoices).reversal_move_ids
        documents |= documents.reversal_move_ids
        later = documents.filtered(
            lambda move: (
                move == note
                or (move.id > note.id and move.move_type == 'out_refund')
                or (
                    move.id > note.id
                    and move.reversed_entry_id.move_type == 'out_refund'
                    and not self._undoes_note_of_others(move, note)
                )
            )
        )
        later |= note
        lines = orders.order_line.return_line_ids
        savepoint = self.env.cr.savepoint()
        try:
            self.env.cr.execute(
                SQL("UPDATE account_move SET state = 'cancel' WHERE id IN %s", tuple(later.ids))
            )
            self.env.cr.execute(
                SQL(
                    "UPDATE account_move_line SET parent_state = 'cancel' WHERE move_id IN %s",
                    tuple(later.ids),
                )
            )
            self.env.invalidate_all(flush=False)
            for name in ('qty_credited', 'qty_credited_posted'):
                self.env.add_to_compute(lines._fields[name], lines)
            yield
        finally:
            # Nothing is kept: values computed meanwhile are discarded.
            savepoint.close(rollback=True)

    @api.model
    def _undoes_note_of_others(self, move, note):
        """Tell whether an entry reverses a whole note that no return created, older than a note."""
        undone = move.reversed_entry_id
        return (
            move._is_credit_reversal()
            and undone.id < note.id
            and not undone.invoice_line_ids.sale_return_line_id
        )

    # === COMPARE === #

    @api.model
    def _compare(self, note, actual, expected):
        """Return codes of the differences between actual and right content of a note.

        Amounts that depended on the day (shipping refunded with the last goods, fees of a policy
        changed since) are compared with the data the note was created with.
        """
        currency = note.currency_id
        codes, differing = [], {}
        for kind in actual.keys() | expected.keys():
            wanted, found = expected.get(kind, {}), actual.get(kind, {})
            differences = {
                key: currency.round(found.get(key, 0.0) - wanted.get(key, 0.0))
                for key in wanted.keys() | found.keys()
            }
            differences = {key: amount for key, amount in differences.items() if amount}
            if differences and not self._is_as_given(note, kind, found, differences):
                differing[kind] = differences
        if not differing and not all(
            self._is_price_as_given(line)
            for line in note.invoice_line_ids
            if self._get_kind(line) != 'added'
        ):
            codes.append('changed')
        if differing.pop('added', None):
            codes.append('added')
        for kind, differences in differing.items():
            codes += self._get_codes(currency, kind, differences)
        return codes

    @api.model
    def _is_made_up_for(self, note, actual, expected):
        """Tell whether later notes have given what an unchanged note credits too little.

        Namely where a note that lowered it was undone, and the last goods took along the rest. It
        is on the right accounts and taxes, and nothing is left of any line that it credits.
        """
        lines = note.invoice_line_ids
        goods = [sum(content.get('goods', {}).values()) for content in (actual, expected)]
        if (
            note.currency_id.compare_amounts(*goods) >= 0
            or {kind: set(actual[kind]) for kind in actual if actual[kind]}
            != {kind: set(expected[kind]) for kind in expected if expected[kind]}
            or not all(self._is_line_as_given(line) for line in lines)
        ):
            return False
        balances = self.env['sale.return.ledger']._get_balances(
            lines.credited_line_id.sale_line_ids
        )
        return all(
            balance.quantity < QUANTITY_EPSILON
            and not any(
                note.currency_id.round(amount)
                for key, amount in balance.left.items()
                if 'currency' in key[1]
            )
            for billed, balance in balances.items()
            if billed in lines.credited_line_id
        )

    @api.model
    def _get_codes(self, currency, kind, differences):
        """Return the codes that say how the amounts of one kind of line differ.

        :param dict differences: amounts by key of `_get_actual`.
        """
        by_account, by_taxes = defaultdict(float), defaultdict(float)
        for key, amount in differences.items():
            if key[0] == 'account':
                by_account[key[1]] += amount
                by_taxes[key[2]] += amount
        if currency.round(sum(by_account.values())):
            return ['fees' if kind in WITHHELD_KINDS else 'amounts']
        codes = []
        if any(currency.round(amount) for amount in by_account.values()):
            codes.append('accounts')
        if not codes or any(currency.round(amount) for amount in by_taxes.values()):
            codes.append('taxes')
        return codes

    @api.model
    def _is_as_given(self, note, kind, found, differences):
        """Tell whether lines of a kind are unchanged, and only differ because of the day.

        :param dict found: content of the note for this kind.
        :param dict differences: differences from what is computed today.
        """
        lines = note.invoice_line_ids.filtered(lambda line: self._get_kind(line) == kind)
        if kind == 'added' or not all(self._is_line_as_given(line) for line in lines):
            return False
        unit = note.currency_id.rounding
        count = max(len(lines), 1)
        if lines and all(abs(amount) <= unit * count + unit / 2 for amount in differences.values()):
            return True  # a draft that existed then and is gone now took the other cent
        if kind == 'shipping':
            return True
        # Parts of fees borne by cards are lines of the same kind.
        return kind in (*WITHHELD_KINDS, 'stored_value') and self._is_rule_changed(note)

    @api.model
    def _is_rule_changed(self, note):
        """Tell whether the settings for fees were changed after a note was created."""
        lines = note.invoice_line_ids.sale_return_line_id
        rules = (lines.policy_id, lines.reason_id, lines.inspection_ids.grade_id)
        rate = note.company_id.sale_return_rate != 'original' and (
            note.currency_id != note.company_currency_id
        )
        # Fees are limited by the results of the inspection; later grades belong to later goods.
        return rate or any(
            record.write_date > note.create_date for records in rules for record in records
        )
