from odoo import api, models

from ...const import WITHHELD_KINDS
from ...tools.context import get_own
from ...tools.money import QUANTITY_EPSILON, Balance, round_to

# Amounts of a base line that a note takes its share of, besides those of its taxes.
BASE_FIELDS = ('total_excluded_currency', 'total_excluded')
TAX_FIELDS = ('base_amount_currency', 'base_amount', 'tax_amount_currency', 'tax_amount')
KEPT = 'sale_return_kept_invoices'


class KeptInvoices(dict):
    """Base lines of posted invoices by id, for one call. Compared by identity in a context."""

    __eq__ = object.__eq__
    __hash__ = object.__hash__


class SaleReturnLedger(models.AbstractModel):
    """Service: what is still creditable on invoice lines, in quantity and to the last cent.

    Amounts are those of Odoo's own tax computation (`_get_rounded_base_and_tax_lines`), so they
    equal the ledger with any rounding method. Their keys are `(False, field)` for the line and
    `(tax id, field)` for each of its taxes.
    """

    _name = 'sale.return.ledger'
    _description = "Return Ledger"

    # === BALANCES === #

    @api.model
    def _get_balances(self, sale_lines, ignored_moves=None, ignored_lines=None):
        """Return what is still creditable on the posted invoices of order lines.

        :param sale_lines: `sale.order.line` records.
        :param ignored_moves: `account.move` records whose credits do not count.
        :param ignored_lines: lines of notes that do not count.
        :return: `{invoice line: Balance}`, oldest invoice first. The quantity is in the unit of
            the invoice line.
        :rtype: dict
        """
        # sudo: what may be credited depends on all notes, including those the user may not read.
        ignored = ignored_lines or self.env['account.move.line']
        if ignored_moves:
            ignored |= ignored_moves.invoice_line_ids
        return self.sudo()._compute_balances(sale_lines.sudo(), ignored)

    @api.model
    def _compute_balances(self, sale_lines, ignored_lines):
        """Compute the result of `_get_balances`, in superuser mode."""
        invoice_lines = self._get_invoice_lines(sale_lines)
        if unlinked := self._get_unlinked_lines(invoice_lines.move_id):
            # They may belong to any order line of their product on the invoice.
            sale_lines |= invoice_lines.move_id.invoice_line_ids.filtered(
                lambda line: line.product_id in unlinked.product_id
            ).sale_line_ids
            invoice_lines = self._get_invoice_lines(sale_lines)
        base_lines = self._get_base_lines(invoice_lines.move_id)
        supplements = self._get_supplements(invoice_lines.sale_line_ids)
        balances = {
            line: Balance(
                0.0 if line in supplements else abs(line._get_quantity_counted()),
                self._get_billed_amounts(base_lines.get(line.id), line),
            )
            for line in invoice_lines
        }
        self._deduct_notes(balances, sale_lines, ignored_lines)
        return balances

    @api.model
    def _get_invoice_lines(self, sale_lines):
        """Return the posted lines that bill order lines, oldest document first.

        These are lines of invoices, and of credit notes whose down payment is larger than what
        they bill.
        """
        lines = sale_lines.invoice_lines
        return (
            (lines | self._get_lines_billed_again(lines.move_id))
            .filtered(
                lambda line: (
                    line.parent_state == 'posted'
                    and line.display_type == 'product'
                    and self._bills(line)
                    and not line.move_id._is_credit_reversal()
                )
            )
            .sorted(lambda line: (line.move_id.invoice_date, line.move_id.id, line.id))
        )

    @api.model
    def _get_lines_billed_again(self, moves):
        """Return the deductions on invoices that reverse a part of a note.

        These are the note's discounts and fees, without order line: if half of 400 - 40 is billed
        again, that is 200 - 20, and only 180 can be credited again.
        """
        return moves.filtered(lambda move: move._bills_note_again()).invoice_line_ids.filtered(
            lambda line: not line.sale_line_ids and line.price_subtotal < 0
        )

    @api.model
    def _bills(self, line):
        """Tell whether a line bills its goods, regardless of the sign of the document.

        Where the down payment is larger than the delivered goods, Odoo turns the invoice into a
        credit note, on which billed goods have a negative quantity.
        """
        move_type = line.move_id.move_type
        if move_type == 'out_invoice':
            return line.quantity > 0 or self._is_taken_off(line)
        if move_type != 'out_refund' or line.sale_return_line_id or line.credited_line_id:
            return False
        ordered = line.sale_line_ids.mapped('product_uom_qty')
        taken_off = bool(ordered) and all(quantity < 0 for quantity in ordered)
        return bool(ordered) and (line.quantity > 0 if taken_off else line.quantity < 0)

    @api.model
    def _get_billing_sign(self, line):
        """Return the sign that converts amounts of a billing line to billed amounts."""
        return -1 if line.move_id.move_type == 'out_refund' else 1

    @api.model
    def _get_billed_subtotal(self, line):
        """Return what a line bills, untaxed; negative for a discount."""
        return self._get_billing_sign(line) * line.price_subtotal

    @api.model
    def _get_billed_amounts(self, base_line, line):
        """Return `_get_amounts` of a line that bills, on any kind of document."""
        sign = self._get_billing_sign(line)
        return {
            key: (sign * amount, unit)
            for key, (amount, unit) in self._get_amounts(base_line, line).items()
        }

    @api.model
    def _get_supplements(self, sale_lines):
        """Return the invoice lines that raise the price of goods billed before.

        Those of debit notes, and of later invoices at a lower unit price for more than was ordered
        and shipped: 10 × 100, then 10 × 5 for the same ten. They bill an amount, not goods.

        :rtype: account.move.line
        """
        result = self.env['account.move.line']
        for sale_line in sale_lines:
            lines = sale_line.invoice_lines.filtered(
                lambda line: (
                    line.display_type == 'product'
                    and line.parent_state != 'cancel'
                    and line.quantity > 0
                    and not line.move_id._bills_note_again()
                )
            )
            invoices = lines.move_id.filtered(lambda move: move.move_type == 'out_invoice')
            if len(invoices) > 1:
                result |= self._find_supplements(sale_line, lines)
        return result

    @api.model
    def _find_supplements(self, sale_line, lines):
        """Return those of the invoice lines of an order line that only raise its price.

        :param lines: lines of its invoices and notes, all with quantities above zero.
        """
        result = first = lines.browse()
        shipped = sale_line._get_qty_delivered_counted() + sale_line.qty_returned
        unbilled = max(sale_line.product_uom_qty, shipped)
        for line in lines.sorted(lambda line: (line.move_id.id, line.id)):
            quantity = self._convert_to_order(line, sale_line)
            if line.move_id.move_type == 'out_refund':
                # What was credited may be billed again, at another price.
                if first and not self._is_cheaper(line, first):
                    unbilled += quantity
            elif first and self._raises_price(line, first, quantity, unbilled):
                result |= line
            else:
                first = first or line
                unbilled -= quantity
        return result

    @api.model
    def _raises_price(self, line, first, quantity, unbilled):
        """Tell whether an invoice line raises the price of what the first one has billed."""
        if self._is_debit_of(line.move_id, first.move_id):
            return True
        more = line.sale_line_ids[:1]._get_return_measure().compare(quantity, unbilled) > 0
        return more and line.move_id != first.move_id and self._is_cheaper(line, first)

    @api.model
    def _is_debit_of(self, move, invoice):
        """Tell whether an invoice is the debit note of another one (from an optional module)."""
        return 'debit_origin_id' in move._fields and move.debit_origin_id == invoice

    @api.model
    def _convert_to_order(self, line, sale_line):
        return line._get_quantity_in(sale_line._get_return_measure())

    @api.model
    def _is_taken_off(self, line):
        """Tell whether an invoice line is a discount that the order gives as a negative quantity.

        Any other negative line of an invoice credits what was invoiced before.
        """
        return line.quantity < 0 and all(
            sale_line.product_uom_qty < 0 for sale_line in line.sale_line_ids
        )

    @api.model
    def _keep_invoices(self, records):
        """Return records with a cache that computes each posted invoice only once.

        Taxes are computed for a whole invoice, even if few of its lines are credited. Only for
        calls that change no invoice; the environment must not outlive it.
        """
        return records.with_context(**{KEPT: KeptInvoices()})

    @api.model
    def _get_base_lines(self, moves):
        """Return the rounded base lines of invoices and notes by the id of their journal item."""
        kept = get_own(self.env, KEPT, KeptInvoices)
        result = {}
        for move in moves:
            base_lines = kept.get(move.id) if kept is not None else None
            if base_lines is None:
                base_lines = {
                    base_line['record'].id: base_line
                    for base_line in move._get_rounded_base_and_tax_lines()[0]
                    if isinstance(base_line['record'], models.BaseModel)
                }
                if kept is not None and move.move_type == 'out_invoice' and move.state == 'posted':
                    kept[move.id] = base_lines
            result.update(base_lines)
        return result

    @api.model
    def _get_amounts(self, base_line, line):
        """Return `{key: (amount, smallest unit)}` of a base line of Odoo's tax computation."""
        units = {
            True: line.currency_id.rounding,
            False: line.company_currency_id.rounding,
        }
        if not base_line:
            return {(False, 'total_excluded_currency'): (line.price_subtotal, units[True])}
        details = base_line['tax_details']
        amounts = {
            (False, name): (details[name] + details[f'delta_{name}'], units['currency' in name])
            for name in BASE_FIELDS
        }
        for tax_data in details['taxes_data']:
            if tax_data['is_reverse_charge']:
                continue  # Odoo mirrors it from the positive part of the same tax
            for name in TAX_FIELDS:
                amounts[tax_data['tax'].id, name] = (tax_data[name], units['currency' in name])
        if line.parent_state == 'posted':
            self._follow_books(amounts, line)
        return amounts

    @api.model
    def _follow_books(self, amounts, line):
        """Correct untaxed amounts and tax bases of a posted line to what was booked.

        Odoo computes them from the settings of the taxes today, e.g. whether these are included in
        the price; of the taxes it keeps what was booked.

        :param dict amounts: see `_get_amounts`, updated in place.
        """
        sign = line.move_id.direction_sign
        booked = {'_currency': sign * line.amount_currency, '': sign * line.balance}
        for suffix, amount in booked.items():
            computed, unit = amounts[False, f'total_excluded{suffix}']
            difference = round_to(amount - computed, unit)
            if difference:
                for key, (value, _unit) in list(amounts.items()):
                    if key[1] in (f'total_excluded{suffix}', f'base_amount{suffix}'):
                        amounts[key] = (value + difference, unit)

    # === NOTES === #

    @api.model
    def _get_note_lines(self, sale_lines, invoice_lines):
        """Return what credits the invoice lines: lines of notes, and negative invoice lines."""
        linked = sale_lines.invoice_lines.filtered(
            lambda line: (
                (
                    line.move_id.move_type == 'out_refund'
                    or (line.move_id.move_type == 'out_invoice' and line.quantity < 0)
                )
                and not self._bills(line)
            )
        )
        # A note for the whole invoice may have lines added by hand without order line.
        unlinked = self._get_unlinked_lines(invoice_lines.move_id)
        return (linked | invoice_lines.credited_line_ids | unlinked).filtered(
            lambda line: (
                line.parent_state != 'cancel'
                and line.display_type == 'product'
                and line.move_id.move_type in ('out_refund', 'out_invoice')
                and not line.move_id._is_reversed_credit()
            )
        )

    @api.model
    def _deduct_notes(self, balances, sale_lines, ignored_lines):
        """Lower the balances by what is already credited, drafts included."""
        invoice_lines = self.env['account.move.line'].union(*balances)
        note_lines = self._get_note_lines(sale_lines, invoice_lines) - ignored_lines
        base_lines = self._get_base_lines(note_lines.move_id)
        for note_line in note_lines.sorted('id'):
            candidates = self._get_credited_lines(note_line, invoice_lines)
            if candidates:
                amounts = self._at_rate_of(
                    candidates[0],
                    note_line,
                    self._get_amounts(base_lines.get(note_line.id), note_line),
                )
                billed = self._get_billing_sign(candidates[0]) * candidates[0].quantity
                opposite = (note_line.quantity < 0) != (billed < 0)
                goods = note_line.sale_return_kind in (False, 'goods')
                sign = -1 if opposite and goods else 1
                self._deduct_note_line(balances, note_line, candidates, amounts, sign)

    @api.model
    def _at_rate_of(self, invoice_line, note_line, amounts):
        """Return amounts of a note as they would be at the rate of the invoice.

        The rest of an invoice is always stated at its own rate, regardless of the rate on the day
        of a note: crediting 500 of 1000 EUR leaves half of what the invoice booked.

        :param dict amounts: `{key: (amount, smallest unit)}`.
        :return: `{key: amount}`.
        :rtype: dict
        """
        note, invoice = note_line.move_id, invoice_line.move_id
        factor = 1.0
        if note.currency_id == invoice.currency_id and invoice.invoice_currency_rate:
            factor = note.invoice_currency_rate / invoice.invoice_currency_rate
        return {
            key: amount
            if 'currency' in key[1] or factor == 1.0
            else round_to(amount * factor, unit)
            for key, (amount, unit) in amounts.items()
        }

    @api.model
    def _get_credited_lines(self, note_line, invoice_lines):
        """Return the invoice lines that a note line belongs to, the likeliest ones first.

        By `credited_line_id`, else by the reversed invoice and the order line (the product, where
        the note line has none), else by the order line alone, oldest invoice first.
        """
        if note_line.credited_line_id:
            return note_line.credited_line_id & invoice_lines
        reversed_entry = note_line.move_id.reversed_entry_id
        if not note_line.sale_line_ids:
            return invoice_lines.filtered(
                lambda line: (
                    line.move_id == reversed_entry and line.product_id == note_line.product_id
                )
            )
        lines = invoice_lines.filtered(lambda line: line.sale_line_ids & note_line.sale_line_ids)
        lines = lines.filtered(lambda line: line.move_id == reversed_entry) or lines
        # An order line may be on an invoice twice, at two prices.
        price = self._get_unit_price(note_line)
        same_price = lines.filtered(
            lambda line: not line.currency_id.compare_amounts(self._get_unit_price(line), price)
        )
        return same_price or lines

    @api.model
    def _deduct_note_line(self, balances, note_line, candidates, amounts, sign):
        """Lower the balances of the candidates by one note line.

        A line at a lower unit price than the invoice is a price correction: it counts in the
        amount only. 10 × 100 with a correction of 10 × 5 leaves 10 units worth 950.
        """
        amounts = {key: sign * amount for key, amount in amounts.items()}
        balance = balances[candidates[0]]
        kept_of_card = (
            note_line.sale_return_kind == 'stored_value'
            and self._get_billed_subtotal(note_line) < 0
        )
        if note_line.sale_return_kind in WITHHELD_KINDS or kept_of_card:
            return balance.withhold({key: -amount for key, amount in amounts.items()})
        if note_line.sale_return_kind == 'free_product':
            return None  # moves value between lines of the invoice, see `sale.return.order.share`
        if (
            note_line.credited_line_id
            and not note_line.sale_line_ids
            and not self._is_unlinked(note_line)
        ):
            return self._deduct_amounts(balance, amounts)  # a share of an order-level line
        if balance.is_amount_only or self._is_price_correction(note_line, candidates[0]):
            return self._deduct_amounts(balance, self._give_back(balance, amounts))
        left = total = abs(self._convert_quantity(note_line, candidates[0]))
        for line in candidates:
            last = line == candidates[-1]
            quantity = left if last else max(min(left, balances[line].quantity), 0.0)
            if quantity > QUANTITY_EPSILON:
                part = {key: amount * quantity / total for key, amount in amounts.items()}
                if self._is_lowered(note_line, line):
                    part = self._forfeit(balances[line], quantity, part)
                self._deduct_amounts(balances[line], part, quantity)
                left -= quantity
        return None

    @api.model
    def _give_back(self, balance, amounts):
        """Apply a note made by hand to the amounts withheld, if it is worth no more than these.

        It refunds a fee: the value of the other goods does not change.

        :param dict amounts: of the note, by key.
        :return: the amounts that lower the balance, by key.
        :rtype: dict
        """
        key = (False, 'total_excluded_currency')
        kept = balance.withheld.get(key, 0.0)
        if amounts.get(key, 0.0) <= 0 or round(amounts[key] - kept, 6) > 0:
            return amounts
        rest = {}
        for name, amount in amounts.items():
            back = min(amount, max(balance.withheld.get(name, 0.0), 0.0))
            balance.withheld[name] = balance.withheld.get(name, 0.0) - back
            rest[name] = amount - back
        return rest

    @api.model
    def _deduct_amounts(self, balance, amounts, quantity=0.0):
        # Taxes that the invoice line does not have cannot make it less creditable.
        known = {key: amount for key, amount in amounts.items() if key in balance.amounts}
        balance.reduce(quantity, known)

    @api.model
    def _is_price_correction(self, note_line, invoice_line):
        """Tell whether a note line has a lower unit price than the invoice line it credits."""
        return not note_line.sale_return_line_id and self._is_cheaper(note_line, invoice_line)

    @api.model
    def _is_cheaper(self, note_line, invoice_line):
        """Tell whether a note line has a lower unit price than an invoice line, beyond rounding."""
        prices = self._get_unit_price(note_line), self._get_unit_price(invoice_line)
        return invoice_line.currency_id.compare_amounts(*prices) < 0

    @api.model
    def _is_lowered(self, note_line, invoice_line):
        """Tell whether somebody has lowered the price of a line created by a return.

        It may be below that of the invoice anyway: because of a price correction at the time, whose
        amount is available again when it is reversed.
        """
        if not note_line.sale_return_line_id or not self._is_cheaper(note_line, invoice_line):
            return False
        given = note_line.sale_return_price * (1 - (invoice_line.discount or 0.0) / 100)
        price = note_line.price_unit * (1 - (note_line.discount or 0.0) / 100)
        return not given or note_line.currency_id.compare_amounts(price, given) < 0

    @api.model
    def _forfeit(self, balance, quantity, amounts):
        """Return what a note line of a return with a lowered price uses up: its whole share.

        The customer was given less on purpose; the difference is not for the next return.
        """
        share = balance.part(min(quantity, balance.quantity))
        return {key: max(amount, share.get(key, 0.0), key=abs) for key, amount in amounts.items()}

    @api.model
    def _get_unit_price(self, line):
        """Return the price per reference unit, after discount, as entered on the line."""
        price = line.price_unit * (1 - (line.discount or 0.0) / 100)
        uom = line.product_uom_id
        reference = line.product_id.uom_id
        return uom._compute_price(price, reference) if uom and reference else price

    @api.model
    def _convert_quantity(self, note_line, invoice_line):
        """Return the quantity of a note line in the unit of an invoice line, as it is counted."""
        return note_line._get_quantity_in(invoice_line._get_return_measure())

    # === QUANTITIES OF ORDER LINES === #

    @api.model
    def _get_invoiced(self, sale_line, posted_only=False):
        """Return what was invoiced and credited of an order line, drafts included.

        :param sale_line: one `sale.order.line`.
        :param bool posted_only: True to leave drafts out.
        :return: `(invoiced, credited by returns, credited otherwise)` in the unit of the order
            line. Price corrections credit no quantity. Where quantities of a note are linked to
            no return they are "otherwise".
        :rtype: tuple
        """
        invoiced = by_returns = otherwise = 0.0
        invoice_line = self.env['account.move.line']
        supplements = self._get_supplements(sale_line.sudo())  # sudo: as below
        measure = sale_line._get_return_measure()
        # sudo: all invoices of the order line count, no matter who asks.
        for line in sale_line.sudo().invoice_lines.sorted('id'):
            if line in supplements or not self._counts_for_order_line(line, posted_only):
                continue
            quantity = self._convert_to_order(line, sale_line)
            move = line.move_id
            if move.move_type == 'out_refund' and self._bills(line):
                invoiced += abs(quantity)
                invoice_line = invoice_line or line
            elif move.move_type == 'out_invoice' and quantity > 0:
                # A partial reversal of a note bills nothing new: the note credits less.
                reversed_note = move.reversed_entry_id
                if reversed_note.move_type != 'out_refund':
                    invoiced += quantity
                    invoice_line = invoice_line or line
                elif reversed_note.invoice_line_ids.sale_return_line_id:
                    by_returns -= quantity
                else:
                    otherwise -= quantity
            elif line.sale_return_line_id:
                by_returns += abs(quantity)
            elif not (invoice_line and self._is_price_correction(line, invoice_line)):
                otherwise += abs(quantity)
        otherwise += self._get_qty_credited_unlinked(sale_line.sudo())
        return tuple(measure.round(number) for number in (invoiced, by_returns, otherwise))

    @api.model
    def _counts_for_order_line(self, line, posted_only):
        """Tell whether a line of an invoice or note counts as invoiced for its order line."""
        move = line.move_id
        return (
            move.move_type in ('out_invoice', 'out_refund')
            and line.display_type == 'product'
            and line.parent_state != 'cancel'
            and (line.parent_state == 'posted' or not posted_only)
            and not move._is_credit_reversal()
            and not move._is_reversed_credit()
        )

    @api.model
    def _get_qty_credited_unlinked(self, sale_line):
        """Return what lines without order line credit of an order line, in its unit.

        They were added by hand to a note of its invoice. They belong to the invoice lines of their
        product, and there may be several: so their share is taken from the balances.
        """
        unlinked = self._get_unlinked_lines(sale_line.invoice_lines.move_id).filtered(
            lambda line: line.product_id == sale_line.product_id and line.parent_state != 'cancel'
        )
        if not unlinked:
            return 0.0
        with_them = self._get_balances(sale_line)
        without = self._get_balances(sale_line, ignored_lines=unlinked)
        return sum(
            line.product_uom_id._compute_quantity(
                without[line].quantity - with_them[line].quantity,
                sale_line.product_uom_id,
                round=False,
            )
            for line in self._get_invoice_lines(sale_line)
            if line.sale_line_ids
        )

    @api.model
    def _get_unlinked_lines(self, invoices):
        """Return the lines of the notes of invoices for goods that belong to no order line."""
        lines = invoices.reversal_move_ids.invoice_line_ids
        return (lines | invoices.invoice_line_ids.credited_line_ids).filtered(self._is_unlinked)

    @api.model
    def _is_unlinked(self, line):
        """Tell whether a note line credits goods by hand, without belonging to an order line.

        It belongs to the invoice line that it names, else to those of its product on the invoice
        that its note reverses. Shares of order-level lines have a return, goodwill has no product.
        """
        return bool(
            line.display_type == 'product'
            and line.product_id
            and not line.sale_line_ids
            and not line.sale_return_line_id
            and (line.credited_line_id or line.move_id.reversed_entry_id)
        )

    @api.model
    def _get_credited_sale_lines(self, lines):
        """Return the order lines that lines of invoices and notes bill or credit, linked or not.

        To be called in superuser mode.
        """
        sale_lines = lines.sale_line_ids | lines.credited_line_id.sale_line_ids
        for line in lines:
            if not line.credited_line_id and self._is_unlinked(line):
                billed = line.move_id.reversed_entry_id.invoice_line_ids
                sale_lines |= billed.filtered(
                    lambda item, product=line.product_id: item.product_id == product
                ).sale_line_ids
        return sale_lines

    # === GUARD === #

    @api.model
    def _find_overcredited(self, balances):
        """Return the invoice lines that are credited beyond what they were invoiced for."""
        return [
            line
            for line, balance in balances.items()
            if balance.quantity < -QUANTITY_EPSILON
            or any(
                amount * (1 if full >= 0 else -1) < -unit / 2
                for (amount, unit), full in self._with_signs(line, balance)
            )
        ]

    @api.model
    def _with_signs(self, line, balance):
        """Yield `((amount left, unit), sign of the invoice line)` in the invoice's currency."""
        for (tax, name), (amount, unit) in balance.amounts.items():
            if name in ('total_excluded_currency', 'tax_amount_currency'):
                withheld = balance.withheld.get((tax, name), 0.0)
                yield (amount + withheld, unit), self._get_billed_subtotal(line)
