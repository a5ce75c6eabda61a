import logging
from collections import defaultdict

from psycopg2 import InterfaceError, OperationalError

from odoo import api, models
from odoo.exceptions import RedirectWarning, UserError
from odoo.fields import Command
from odoo.tools.misc import formatLang

from ...tools.context import get_service_context
from ...tools.money import QUANTITY_EPSILON, parts_of

_logger = logging.getLogger(__name__)


class SaleReturnCredit(models.AbstractModel):
    """Service: credit what is released on returns, exactly as it was invoiced.

    Four steps, each for many returns at once, each to be extended on its own:
    `_collect` → `_allocate` → `_prepare_credit_note_vals` → create → post.
    The preview is the same path without the last two.

    Its other parts: `sale_return_credit_header.py`, `sale_return_credit_lines.py`.
    """

    _name = 'sale.return.credit'

    _description = "Return Credit"

    # === ENTRIES === #

    @api.model
    def _create_credit_notes(self, returns):
        """Create and (policy) post the notes that are due now; nothing when none is.

        :param returns: `sale.return` records. The caller has checked the group of the user.
        :return: the new notes, one per invoice.
        :rtype: account.move
        :raise UserError: when a note cannot be created or posted.
        """
        # sudo: users who receive goods have no accounting rights; the caller has checked the role
        # in Returns. `env.uid`, and so the author of the documents, stays the acting user.
        service = self.with_env(self.env(su=True, context=get_service_context(self.env.context)))
        notes = service.env['account.move']
        groups = returns.with_env(service.env).grouped(
            # Each note has one customer.
            lambda r: (r.company_id, r._get_note_partner())
        )
        for (company, _recipient), group in groups.items():
            # Notes do not change invoices, which are read before and after posting.
            once = self.env['sale.return.ledger']._keep_invoices(service.with_company(company))
            notes |= once._create_company_notes(group)
        returns.sudo()._dequeue_credit()
        return notes.with_env(self.env)

    @api.model
    def _create_company_notes(self, returns):
        """Create and post the notes of returns of one company."""
        allocations = self._complete(self._allocate(self._collect(returns)))
        if not allocations:
            return self.env['account.move']
        self._take_credit_counter(
            self.env['account.move.line'].union(*[a['invoice_line'] for a in allocations])
        )
        vals_list = [
            self._prepare_credit_note_vals(invoice, group)
            for invoice, group in self._group_by_invoice(allocations).items()
        ]
        notes = self.env['account.move'].create(vals_list)
        self.env['sale.return.tax.split']._apply(notes)
        self._describe_notes(notes)
        # One note per invoice in the batch: Odoo matches notes and invoices by position and
        # would mix them up otherwise.
        posted = self._get_notes_to_post(notes)
        posted._date_after_locks()
        # Odoo dates documents by the day of the user who posts; here it is the company's day.
        zone = returns.company_id[:1]._get_sale_return_timezone()
        posted.with_context(tz=zone)._post(soft=False)
        self._log_notes(notes - posted)
        self._log_uncharged(allocations)
        self.env['sale.return.order.share']._ask_about_trade_ins(allocations)
        return notes

    @api.model
    def _preview(self, returns, kinds=('due', 'estimate')):
        """Return the result of `sale.return.preview_credit`, or some of its kinds.

        There is one more, `promised`: the estimate without what a person has to decide on first.

        :param returns: `sale.return` records, in superuser mode as this service.
        """
        service = self.env['sale.return.ledger']._keep_invoices(self)
        line_model = self.env['sale.return.line']
        quantities = {
            'due': line_model._get_qty_released,
            'estimate': line_model._get_qty_creditable,
            'promised': line_model._get_qty_promised,
        }
        result = {sale_return.id: {kind: [] for kind in kinds} for sale_return in returns}
        for kind in kinds:
            for sale_return in returns:
                # One by one: each return is shown as if only it were credited now.
                allocations = service._complete(
                    service._allocate(service._collect(sale_return, quantities[kind]))
                )
                result[sale_return.id][kind] = [
                    service._describe_note(service._prepare_credit_note_vals(invoice, group), group)
                    for invoice, group in service._group_by_invoice(allocations).items()
                ]
        return result

    # === COLLECT === #

    @api.model
    def _collect_goods(self, returns, get_quantity=None):
        """Return how much of each line is due.

        :param returns: `sale.return` records.
        :param get_quantity: function of a line giving what may be credited of it in all;
            by default what its policy has released.
        :return: list of `(return line, quantity in the unit of the line)`, quantities above zero.
        :rtype: list
        """
        lines = returns.line_ids.filtered('sale_line_id').sorted('id')
        get_quantity = get_quantity or self.env['sale.return.line']._get_qty_released
        quantities = self._get_quantities(lines, get_quantity)
        return [
            (line, quantities[line][0])
            for line in lines
            if line._get_measure().compare(quantities[line][0], 0.0) > 0
        ]

    @api.model
    def _collect(self, returns, get_quantity=None):
        """Return how much of each line is due, with what the customer keeps as a separate part."""
        result = []
        for line, quantity in self._collect_goods(returns, get_quantity):
            kept = min(quantity, self._get_qty_kept_due(line))
            parts = (kept, quantity - kept)
            result += [(line, part) for part in parts if line._get_measure().compare(part, 0.0) > 0]
        return result

    @api.model
    def _get_quantities(self, lines, get_quantity, capped=True):
        """Split what may be credited into what is to be credited and what was never billed.

        Goods that were shipped and not invoiced are taken first: they need no note, they are
        simply not billed. What notes made by hand have credited already is not credited again.

        :param lines: `sale.return.line` records.
        :param get_quantity: function of a line giving what may be credited of it in all.
        :param bool capped: False to ignore credits made by hand.
        :return: `{line: (to credit, not invoiced, credited otherwise)}` in the unit of the line.
        :rtype: dict
        """
        result = dict.fromkeys(lines, (0.0, 0.0, 0.0))
        for sale_line, mine in lines.grouped('sale_line_id').items():
            if not sale_line:
                continue
            # The lines of all returns share one pool, the oldest first. What others have not
            # submitted, e.g. a request that a customer has abandoned, does not reserve any.
            siblings = (sale_line.return_line_ids | mine).filtered(
                lambda line, sale_line=sale_line, own=mine.return_id: (
                    line.sale_line_id == sale_line
                    and (line.state != 'draft' or line.return_id in own)
                )
            )
            invoiced, by_returns, otherwise = self.env['sale.return.ledger']._get_invoiced(
                sale_line
            )
            again = sale_line._get_qty_billed_again(invoiced, otherwise)
            open_quantities = self._get_open_quantities(
                siblings, get_quantity, sale_line._get_qty_uninvoiced(invoiced - again)
            )
            creditable = invoiced - by_returns - otherwise
            wanted = sum(left for left, _uninvoiced in open_quantities.values())
            by_hand = self._get_qty_by_hand(wanted, creditable, otherwise, again)
            for line, (left, uninvoiced) in open_quantities.items():
                covered = min(left, by_hand)
                by_hand -= covered
                due = max(min(left - covered, creditable), 0.0) if capped else left
                creditable -= due
                if line in result:
                    rest = max(min(left - due, otherwise), 0.0)
                    in_steps = line._get_measure().round
                    result[line] = (in_steps(due), in_steps(uninvoiced), in_steps(rest))
        return result

    @api.model
    def _get_qty_by_hand(self, wanted, creditable, otherwise, again):
        """Return which part of notes made by hand is of the goods that came back first.

        Where something was billed again after the notes, invoices have more to credit than when
        these goods came back: as much as the notes had left nothing for, and was not billed again.

        :param float wanted: what the returns of the order line wait for.
        :param float creditable: what is invoiced and not credited.
        :param float otherwise: what notes made by hand have credited.
        :param float again: what of that was billed again, see `_get_qty_billed_again`.
        """
        if not again:
            return 0.0
        return min(otherwise - again, max(wanted - max(creditable - again, 0.0), 0.0))

    @api.model
    def _get_open_quantities(self, lines, get_quantity, pool):
        """Return what the returns of an order line wait for, the oldest first.

        :param lines: all `sale.return.line` records of one order line.
        :param get_quantity: function of a line giving what may be credited of it in all.
        :param float pool: what was shipped and never billed, in the unit of the order line.
        :return: `{line: (billed and to be credited, never billed)}` in the unit of the line.
        :rtype: dict
        """
        advance = sum(line._get_qty_credited_in_advance() for line in lines)
        without_goods = sum(line._get_qty_credited_without_goods() for line in lines)
        result = {}
        for line in lines.sorted(lambda line: line._origin.id or line.id):
            left = max(get_quantity(line) - line.qty_credited, 0.0)
            uninvoiced = min(left, pool, line._get_qty_uninvoiced_limit())
            pool -= uninvoiced
            left -= uninvoiced
            # Late goods whose credit was already given and written off are not credited again.
            late = min(left, advance)
            advance -= late
            left -= late
            if without_goods:
                # So does what comes unasked, where as much was credited as missing.
                found = min(left, without_goods, line._get_qty_surplus())
                without_goods -= found
                left -= found
            result[line] = (left, uninvoiced)
        return result

    # === ALLOCATE === #

    @api.model
    def _allocate(self, due, ignored_moves=None):
        """Allocate quantities to posted invoice lines, oldest invoice first (see `_get_rank`).

        :param list due: `(return line, quantity in its unit)`.
        :param ignored_moves: `account.move` records whose credits do not count.
        :return: list of dicts `{return_line, invoice_line, quantity (unit of the invoice line),
            amounts ({key: amount} of the ledger), price_ratio}`.
        :rtype: list
        """
        lines = self.env['sale.return.line'].union(*[line for line, _quantity in due])
        balances = self.env['sale.return.ledger']._get_balances(
            lines.sale_line_id, ignored_moves=ignored_moves
        )
        by_sale_line = defaultdict(list)
        for invoice_line, balance in balances.items():
            for sale_line in invoice_line.sale_line_ids:
                by_sale_line[sale_line].append((invoice_line, balance))
        allocations = []
        for line, quantity in due:
            candidates = by_sale_line[line.sale_line_id]
            for invoice_line, balance in sorted(
                candidates, key=lambda candidate, line=line: self._get_rank(line, candidate[0])
            ):
                wanted = invoice_line._get_return_measure().from_stock(
                    line._get_measure().to_stock(quantity)
                )
                taken = min(wanted, balance.quantity)
                if taken <= QUANTITY_EPSILON:
                    continue
                if abs(balance.quantity - taken) < QUANTITY_EPSILON:
                    taken = balance.quantity
                amounts = balance.take(taken)
                key = (False, 'total_excluded_currency')
                allocations.append(
                    {
                        'return_line': line,
                        'invoice_line': invoice_line,
                        'quantity': taken,
                        'amounts': amounts,
                        'price_ratio': balance.price_ratio(key, taken, amounts.get(key, 0.0)),
                    }
                )
                quantity *= max(1 - taken / wanted, 0.0)
        # Mark the allocations of goods that the customer keeps.
        kept = {line: self._get_qty_kept_due(line) for line, _quantity in due}
        for allocation in allocations:
            line, invoice_line = allocation['return_line'], allocation['invoice_line']
            allocation['kept'] = kept[line] > QUANTITY_EPSILON
            kept[line] -= line._get_measure().from_stock(
                invoice_line._get_return_measure().to_stock(allocation['quantity'])
            )
        return allocations

    @api.model
    def _get_rank(self, line, invoice_line):
        """Return the priority of invoice lines for crediting a return line, 0 first.

        Goods of its own note that were billed again come first, as the amounts withheld are on that
        invoice. Other returns use them last.
        """
        note = invoice_line.move_id.reversed_entry_id
        credited = note.invoice_line_ids.sale_return_line_id
        if line._origin in credited or line in credited:
            return 0
        return 2 if credited else 1

    @api.model
    def _group_by_invoice(self, allocations):
        """Return `{invoice: allocations}`, one key per note to be made."""
        groups = defaultdict(list)
        for allocation in allocations:
            groups[allocation['invoice_line'].move_id].append(allocation)
        return groups

    # === PREPARE === #

    @api.model
    def _prepare_credit_note_vals(self, invoice, allocations):
        """Prepare the note of one invoice. Override to add values.

        :param invoice: the posted `account.move` to credit.
        :param list allocations: what `_allocate` gave for it.
        :return: values for `account.move.create`.
        :rtype: dict
        """
        return {
            **self._prepare_note_header_vals(invoice, allocations[0]['return_line'].reason_id),
            **self._prepare_recipient_vals(allocations[0]['return_line'].return_id),
            'invoice_payment_term_id': self._get_note_payment_term(invoice).id,
            'invoice_line_ids': [
                Command.create(self._prepare_note_line_vals(allocation))
                for allocation in allocations
            ]
            + [
                Command.create(self._prepare_rounding_line_vals(line, allocations))
                for line in self._get_due_rounding_lines(invoice, allocations)
            ],
        }

    @api.model
    def _get_note_payment_term(self, invoice):
        """Return the payment term of a note, usually none: it is due at once.

        Only where an early payment discount lowers the tax of the invoice in advance (`mixed`) it
        has to lower that of the note, too; Odoo's own reversal does the same.
        """
        term = invoice.invoice_payment_term_id
        lowers_tax = term.early_discount and term.early_pay_discount_computation == 'mixed'
        return term if lowers_tax else term.browse()

    @api.model
    def _describe_note(self, vals, allocations):
        """Return a note of the preview (see `sale.return.preview_credit`) from its values."""
        lines = []
        for allocation in allocations:
            amounts = allocation['amounts']
            taxes = {
                tax_id: amount
                for (tax_id, name), amount in amounts.items()
                if tax_id and name == 'tax_amount_currency'
            }
            lines.append(
                {
                    'return_line_id': allocation['return_line'].id,
                    'invoice_line_id': allocation['invoice_line'].id,
                    'quantity': allocation['quantity'],
                    'untaxed': amounts.get((False, 'total_excluded_currency'), 0.0),
                    'taxes': taxes,
                    'kind': allocation.get('kind') or 'goods',
                    'label': allocation.get('label') or allocation['invoice_line'].name,
                    'uncharged': allocation.get('uncharged', 0.0),
                }
            )
        invoice = self.env['account.move'].browse(vals['reversed_entry_id'])
        lines += [
            {
                'return_line_id': allocations[-1]['return_line'].id,
                'invoice_line_id': line.id,
                'quantity': 1,
                'untaxed': -line.amount_currency,
                'taxes': {},
                'kind': 'rounding',
                'label': line.name,
                'uncharged': 0.0,
            }
            for line in self._get_due_rounding_lines(invoice, allocations)
        ]
        currency = self.env['res.currency'].browse(vals['currency_id'])
        untaxed = currency.round(sum(line['untaxed'] for line in lines))
        tax = currency.round(sum(sum(line['taxes'].values()) for line in lines))
        return {
            'invoice_id': vals['reversed_entry_id'],
            'currency': currency.name,
            'lines': lines,
            'untaxed': untaxed,
            'tax': tax,
            'total': currency.round(untaxed + tax),
            'stored_value': self.env['sale.return.loyalty']._describe(allocations),
        }

    # === CREATE AND POST === #

    @api.model
    def _take_credit_counter(self, invoice_lines):
        """Make sure that no other transaction credits these invoice lines."""
        self.env['sale.return.guard']._take_counter(invoice_lines, 'sale_return_credit_guard')

    @api.model
    def _log_notes(self, notes):
        """Write the event of each return and note."""
        events = []
        for note in notes:
            lines = note.line_ids.filtered('sale_return_line_id')
            for sale_return in lines.sale_return_line_id.return_id:
                mine = lines.filtered(lambda l, r=sale_return: l.sale_return_line_id.return_id == r)
                total = sum(mine.mapped('price_total'))
                events.append(
                    {
                        'return_id': sale_return.id,
                        'kind': 'credited',
                        # The accounting date is the one Odoo chose, e.g. after a locked period.
                        'details': " · ".join(
                            filter(
                                None,
                                [
                                    note.state == 'posted' and note.name,
                                    formatLang(self.env, total, currency_obj=note.currency_id),
                                    note.ref,
                                    note.state == 'posted' and str(note.date),
                                ],
                            )
                        ),
                    }
                )
        self.env['sale.return.event']._log(events)

    # === KEPT BY THE CUSTOMER === #

    # Goods that the customer keeps are credited by lines of their own.
    #
    # Nothing comes back for them, so these lines reverse no cost of goods.

    @api.model
    def _get_qty_kept_due(self, line):
        """Return what the customer keeps of a line and is not credited as such yet."""
        if line._get_measure().is_zero(line.qty_kept):
            return 0.0
        measure = line._get_measure()
        credited = sum(
            note_line._get_qty_credited_in(measure)
            for note_line in line.credit_line_ids
            if note_line.sale_return_kept
            and note_line.parent_state != 'cancel'
            and not note_line.move_id._is_reversed_credit()
        )
        return max(measure.round(line.qty_kept - credited), 0.0)

    # === LATER === #

    # When credit notes are made: with the step that releases them, or by the scheduled job.

    @api.model
    def _credit_after_step(self, returns):
        """Credit what a step has released, in the same transaction if it is small enough.

        Larger batches, and every note that fails, are left to the scheduled job.

        :param returns: `sale.return` records.
        """
        lines = returns.line_ids.filtered(
            lambda line: line.qty_to_credit > 0 and line.company_id.sale_return_auto_credit
        )
        due = lines.return_id
        if not due:
            return
        if len(lines) > self._get_sync_limit():
            due._queue_credit()
            return
        self._credit_isolated(due)

    @api.model
    def _get_sync_limit(self):
        """Return how many lines are credited in the call that has released them.

        :rtype: int
        """
        # sudo: the steps of all users depend on it.
        parameters = self.env['ir.config_parameter'].sudo()
        return int(parameters.get_param('sale_return.sync_limit', 50))

    @api.model
    def _credit_isolated(self, returns):
        """Credit returns so that one that fails does not stop the others.

        Failing batches are retried in halves, until the bad ones are isolated. The reason of a
        failure is stored on its return, which stays queued.
        """
        if not returns:
            return
        try:
            with self.env.cr.savepoint():
                self._create_credit_notes(returns)
                return
        except (OperationalError, InterfaceError):
            raise  # another transaction was quicker, or the database is gone: all begins again
        except (UserError, RedirectWarning) as error:
            reason = str(error.args[0])
        except Exception as error:
            # The goods are here even if crediting fails, so no error may stop the receipt.
            _logger.exception("Credit notes of returns %s", returns.ids)
            reason = self.env._("Technical error: %(error)s", error=error)
        if len(returns) == 1:
            returns._queue_credit(error=reason)
            return
        half = len(returns) // 2
        self._credit_isolated(returns[:half])
        self._credit_isolated(returns[half:])

    # === WITHOUT GOODS === #

    # Amounts that are not goods: shares of the order and deductions, each with a label.

    @api.model
    def _complete(self, allocations):
        """Add to goods their shares of order-level lines, and the deductions.

        Both are lines of their own on the notes (see `sale.return.order.share` and
        `sale.return.deduction`), the price of the goods is never changed.
        """
        allocations = allocations + self._get_price_shares(allocations)
        allocations = allocations + self.env['sale.return.order.share']._get_shares(allocations)
        return allocations + self.env['sale.return.deduction']._get_deductions(allocations)

    @api.model
    def _get_price_shares(self, allocations):
        """Return the share of later price increases that is credited with the goods.

        round(R · q / m): R what is left of such a line, m the goods of its order line that were
        creditable before, q those credited now. 10 × 100, then 10 × 5: four of them add 20.

        :param list allocations: as returned by `_allocate`, all of one call.
        :return: further allocations, each on the invoice that has raised the price.
        :rtype: list
        """
        ledger = self.env['sale.return.ledger']
        sale_lines = self.env['sale.order.line'].union(
            *[allocation['return_line'].sale_line_id for allocation in allocations]
        )
        supplements = ledger._get_supplements(sale_lines)
        if not supplements:
            return []
        balances = ledger._get_balances(supplements.sale_line_ids)
        shares, left = [], {}
        for sale_line in supplements.sale_line_ids:
            left[sale_line] = sum(
                self._convert_balance(line, balance.quantity, sale_line)
                for line, balance in balances.items()
                if sale_line in line.sale_line_ids
            )
        for allocation in allocations:
            sale_line = allocation['return_line'].sale_line_id
            quantity = self._convert_balance(
                allocation['invoice_line'], allocation['quantity'], sale_line
            )
            for line in supplements:
                if sale_line in line.sale_line_ids and line in balances:
                    total = max(left[sale_line], quantity)
                    amounts = parts_of(balances[line].amounts, quantity, total)
                    balances[line].reduce(0.0, amounts)
                    if amounts.get((False, 'total_excluded_currency')):
                        shares.append(self._prepare_price_share(allocation, line, amounts))
            if sale_line in left:
                left[sale_line] -= quantity
        return shares

    @api.model
    def _convert_balance(self, invoice_line, quantity, sale_line):
        return invoice_line.product_uom_id._compute_quantity(
            quantity, sale_line.product_uom_id, round=False, raise_if_failure=False
        )

    @api.model
    def _prepare_price_share(self, allocation, line, amounts):
        return {
            'return_line': allocation['return_line'],
            'invoice_line': line,
            'quantity': 1.0,
            'amounts': amounts,
            'kind': 'price',
            'label': line.name,
        }

    @api.model
    def _log_uncharged(self, allocations):
        """Log the part of a fee that the value of the goods did not cover.

        :param list allocations: those that became notes.
        """
        self.env['sale.return.event']._log(
            [
                {
                    'return_id': allocation['return_line'].return_id.id,
                    'kind': 'not_charged',
                    'details': self.env._(
                        "%(charge)s: %(amount)s not charged, because the value of the goods "
                        "does not cover it",
                        charge=allocation['label'],
                        amount=formatLang(
                            self.env,
                            allocation['uncharged'],
                            currency_obj=allocation['invoice_line'].currency_id,
                        ),
                    ),
                }
                for allocation in allocations
                if allocation.get('uncharged')
            ]
        )
