import logging
from collections import defaultdict

from psycopg2 import InterfaceError, OperationalError

from odoo import api, models
from odoo.exceptions import RedirectWarning, UserError
from odoo.fields import Command
from odoo.tools.misc import formatLang

from ...tools.context import get_service_context
from ...tools.money import QUANTITY_EPSILON, parts_of, round_to

_logger = logging.getLogger(__name__)


class SaleReturnCredit(models.AbstractModel):
    """Service: credit what returns have released, exactly as it was invoiced.

    Four steps, each for many returns at once, each to be extended on its own:
    `_collect` → `_allocate` → `_prepare_credit_note_vals` → create → post.
    The preview is the same path without the last two.

    Its other parts: `sale_return_credit_header.py`.
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
        # sudo: notes are made for the desk that received the goods, whose people have no
        # accounting rights; the group of Returns was checked by the caller. `env.uid` and with it
        # the author of the documents stays the one who acted.
        service = self.with_env(self.env(su=True, context=get_service_context(self.env.context)))
        notes = service.env['account.move']
        for company, group in returns.with_env(service.env).grouped('company_id').items():
            # Notes change no invoice, and it is read before and after they are posted.
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
        posted._post(soft=False)
        self._log_notes(notes - posted)
        self._log_uncharged(allocations)
        self.env['sale.return.order.share']._ask_about_trade_ins(allocations)
        return notes

    @api.model
    def _preview(self, returns, kinds=('due', 'estimate')):
        """Return what `sale.return.preview_credit` promises, or some of its kinds.

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
                # One by one: each return is shown as if it alone were credited now.
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
        """Say how much of each line is due.

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
        """Say how much of each line is due, what the customer keeps as a part of its own."""
        result = []
        for line, quantity in self._collect_goods(returns, get_quantity):
            kept = min(quantity, self._get_qty_kept_due(line))
            parts = (kept, quantity - kept)
            result += [(line, part) for part in parts if line._get_measure().compare(part, 0.0) > 0]
        return result

    @api.model
    def _get_quantities(self, lines, get_quantity, capped=True):
        """Split what may be credited into what is to be credited and what never was billed.

        Goods that were shipped and not invoiced are taken first: they need no note, they are
        simply not billed. What notes made by hand have credited already is not credited again.

        :param lines: `sale.return.line` records.
        :param get_quantity: function of a line giving what may be credited of it in all.
        :param bool capped: False to leave credits made by hand out of account.
        :return: `{line: (to credit, not invoiced, credited otherwise)}` in the unit of the line.
        :rtype: dict
        """
        result = dict.fromkeys(lines, (0.0, 0.0, 0.0))
        for sale_line, mine in lines.grouped('sale_line_id').items():
            if not sale_line:
                continue
            # The lines of all returns share one pool, the oldest first.
            siblings = (sale_line.return_line_ids | mine).filtered(
                lambda line, sale_line=sale_line: line.sale_line_id == sale_line
            )
            invoiced, by_returns, otherwise = self.env['sale.return.ledger']._get_invoiced(
                sale_line
            )
            pool = sale_line._get_qty_uninvoiced(invoiced)
            advance = sum(line._get_qty_credited_in_advance() for line in siblings)
            creditable = invoiced - by_returns - otherwise
            for line in siblings.sorted(lambda line: line._origin.id or line.id):
                left = max(get_quantity(line) - line.qty_credited, 0.0)
                uninvoiced = min(left, pool, line._get_qty_uninvoiced_limit())
                pool -= uninvoiced
                left -= uninvoiced
                # Goods that come late for a credit given and written off earn no second one.
                late = min(left, advance)
                advance -= late
                left -= late
                due = max(min(left, creditable), 0.0) if capped else left
                creditable -= due
                if line in result:
                    by_hand = max(min(left - due, otherwise), 0.0)
                    in_steps = line._get_measure().round
                    result[line] = (in_steps(due), in_steps(uninvoiced), in_steps(by_hand))
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
        """Return which invoice lines a return line is credited on before others, 0 first.

        Where a part of its note was billed again, these goods are its own, and what was kept back
        of them stands on that invoice. Other returns take them last.
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
    def _prepare_goods_line_vals(self, allocation):
        """Prepare one line of a note: the invoice line again, for a part of it.

        :param dict allocation: see `_allocate`.
        :return: values for `account.move.line.create`.
        :rtype: dict
        """
        line = allocation['invoice_line']
        if allocation.get('kind'):
            return self._prepare_lump_line_vals(allocation)
        price_unit = self._get_note_price_unit(allocation)
        uom, quantity = self._get_note_quantity(allocation)
        return {
            'name': line.name,
            'product_id': line.product_id.id,
            'product_uom_id': uom.id,
            'quantity': quantity,
            'price_unit': price_unit,
            'sale_return_price': price_unit,
            'discount': line.discount,
            'tax_ids': [Command.set(line.tax_ids.ids)],
            'account_id': line.account_id.id,
            'analytic_distribution': line.analytic_distribution,
            'sale_line_ids': [Command.set(line.sale_line_ids.ids)],
            'sale_return_line_id': allocation['return_line'].id,
            'sale_return_kind': 'goods',
            'sale_return_withheld_qty': allocation.get('withheld', 0.0),
            'credited_line_id': line.id,
            'extra_tax_data': self._prepare_extra_tax_data(allocation, price_unit),
        }

    @api.model
    def _prepare_note_line_vals(self, allocation):
        """Prepare one line of a note, and mark lines that reverse no cost of goods."""
        return self._prepare_goods_line_vals(allocation) | {
            'sale_return_kept': allocation.get('kept', False)
        }

    @api.model
    def _get_note_quantity(self, allocation):
        """Return the unit and the quantity of a note line.

        The unit of the invoice line, where its decimals are enough; else that of the product: of
        12 dozen at 120.00 four pieces are credited as 4 pieces at 10.00, not as 0.33 dozen.

        :return: `(uom.uom, quantity in it)`
        :rtype: tuple
        """
        line, quantity = allocation['invoice_line'], allocation['quantity']
        if allocation.get('kind'):
            return line.product_uom_id, quantity
        measure = line._get_return_measure()
        if abs(abs(line._get_quantity_counted()) - quantity) < QUANTITY_EPSILON:
            return line.product_uom_id, abs(line.quantity)
        if measure.is_shown(quantity):
            return line.product_uom_id, quantity
        return line.product_id.uom_id, measure.to_stock(quantity)

    @api.model
    def _get_note_price_unit(self, allocation):
        """Return the unit price of a note line.

        That of the invoice line, net of price corrections. Untaxed lines have no other means to
        come out at their exact share, so theirs is the share per unit, unrounded, where the
        price of the invoice would round differently: 7 × (10 / 7) = 10.00.
        """
        line = allocation['invoice_line']
        uom, quantity = self._get_note_quantity(allocation)
        price_unit = line.product_uom_id._compute_price(
            line.price_unit * allocation['price_ratio'], uom
        )
        if line.tax_ids:
            return price_unit
        factor = quantity * (1 - (line.discount or 0.0) / 100)
        amount = allocation['amounts'].get((False, 'total_excluded_currency'), 0.0)
        exact = round_to(price_unit * factor, line.currency_id.rounding) == amount
        return price_unit if exact or not factor else amount / factor

    @api.model
    def _prepare_extra_tax_data(self, allocation, price_unit):
        """Prepare what makes Odoo's tax computation give the exact shares of a line.

        Those in company currency count for untaxed lines, too: what was booked is booked back.

        :return: value of `account.move.line.extra_tax_data`.
        """
        line = allocation['invoice_line']
        taxes = line.tax_ids.flatten_taxes_hierarchy()
        amounts = allocation['amounts']
        # Odoo reads the amounts only where there is some tax, if only one that the line has not.
        tax_amounts = {str(tax.id): {} for tax in taxes} or {'0': {}}
        for (tax_id, name), amount in amounts.items():
            if tax_id:
                tax_amounts.setdefault(str(tax_id), {})[name] = amount
        # At another rate Odoo scales the amounts in company currency by `rate`.
        return {
            'currency_id': line.currency_id.id,
            'price_unit': price_unit,
            'discount': line.discount,
            'quantity': self._get_note_quantity(allocation)[1],
            'rate': line.move_id.invoice_currency_rate,
            'manual_total_excluded_currency': amounts.get((False, 'total_excluded_currency'), 0.0),
            'manual_total_excluded': amounts.get((False, 'total_excluded'), 0.0),
            'manual_tax_amounts': tax_amounts,
        }

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
        """Make sure nobody else credits these invoice lines at the same time."""
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
                        # The accounting date is what Odoo chose, e.g. after a locked period.
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
        """Return what the customer keeps of a line and was not credited as such yet."""
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
        """Credit what a step has released, in the same transaction if it is not too much.

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
        # sudo: everybody's steps depend on it.
        parameters = self.env['ir.config_parameter'].sudo()
        return int(parameters.get_param('sale_return.sync_limit', 50))

    @api.model
    def _credit_isolated(self, returns):
        """Credit returns so that one that fails does not stop the others.

        What fails together is tried again in halves, until the bad ones are alone. The reason of a
        failure is kept on its return, which stays queued.
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
            # The goods are here whatever the ledger says, so whatever it is must not stop them.
            _logger.exception("Credit notes of returns %s", returns.ids)
            reason = self.env._("Technical error: %(error)s", error=error)
        if len(returns) == 1:
            returns._queue_credit(error=reason)
            return
        half = len(returns) // 2
        self._credit_isolated(returns[:half])
        self._credit_isolated(returns[half:])

    # === LINES WITHOUT GOODS === #

    # Lines of notes that are no goods: amounts with a label, of the order or kept back.

    @api.model
    def _complete(self, allocations):
        """Add to goods what they take along of their orders, and what is kept back of them.

        Both are lines of their own on the notes (see `sale.return.order.share` and
        `sale.return.deduction`), never another price of the goods.
        """
        allocations = allocations + self._get_price_shares(allocations)
        allocations = allocations + self.env['sale.return.order.share']._get_shares(allocations)
        return allocations + self.env['sale.return.deduction']._get_deductions(allocations)

    @api.model
    def _get_price_shares(self, allocations):
        """Return what goods take along of invoices that have raised their price.

        round(R · q / m): R what is left of such a line, m the goods of its order line that were
        creditable before, q those credited now. 10 × 100, then 10 × 5: four take 20 along.

        :param list allocations: what `_allocate` gave, all of one call.
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
    def _prepare_lump_line_vals(self, allocation):
        """Prepare a line of a note that is no goods: an amount with a label.

        It has no order line, so it neither makes the order billable again nor counts as a return
        of goods.

        :param dict allocation: with `kind` and `label`.
        :return: values for `account.move.line.create`.
        :rtype: dict
        """
        line = allocation['invoice_line']
        price_unit = self._get_lump_price(allocation)
        extra_tax_data = self._prepare_extra_tax_data(allocation, price_unit)
        if extra_tax_data:
            extra_tax_data['discount'] = 0.0
        return {
            'name': allocation['label'],
            'quantity': 1.0,
            'price_unit': price_unit,
            'tax_ids': [Command.set(line.tax_ids.ids)],
            'account_id': self._get_lump_account(allocation).id,
            'analytic_distribution': line.analytic_distribution,
            'sale_return_line_id': allocation['return_line'].id,
            'sale_return_kind': allocation['kind'],
            'sale_return_withheld_qty': allocation.get('withheld', 0.0),
            'credited_line_id': allocation.get('credited_line', line).id,
            'extra_tax_data': extra_tax_data,
        }

    @api.model
    def _get_lump_price(self, allocation):
        """Return the amount of a line that is no goods, with the taxes that its price includes."""
        taxes = allocation['invoice_line'].tax_ids.flatten_taxes_hierarchy()
        included = taxes.filtered('price_include').ids
        amounts = allocation['amounts']
        price = amounts.get((False, 'total_excluded_currency'), 0.0) + sum(
            amount
            for (tax_id, name), amount in amounts.items()
            if tax_id in included and name == 'tax_amount_currency'
        )
        return round_to(price, allocation['invoice_line'].currency_id.rounding)

    @api.model
    def _get_lump_account(self, allocation):
        """Return the account of a line that is no goods: that of the invoice, or that of fees."""
        line = allocation['invoice_line']
        fees = line.company_id.sale_return_fee_account_id
        return (
            fees
            if fees and allocation['kind'] in ('restocking_fee', 'freight')
            else line.account_id
        )

    @api.model
    def _get_due_rounding_lines(self, invoice, allocations):
        """Return the cash rounding lines of an invoice if these allocations complete it.

        What an invoice was rounded by belongs to the note that credits the last of it. Odoo
        would round each note by itself, which does not add up.

        :return: journal items of the invoice, usually none.
        :rtype: account.move.line
        """
        # A rounding by the biggest tax is in the amount of that tax already.
        rounding_lines = invoice.line_ids.filtered(
            lambda line: line.display_type == 'rounding' and not line.tax_repartition_line_id
        )
        if not rounding_lines:
            return rounding_lines
        products = invoice.invoice_line_ids.filtered(lambda line: line.display_type == 'product')
        balances = self.env['sale.return.ledger']._get_balances(products.sale_line_ids)
        left = defaultdict(float)
        takes_in = self.env['sale.return.order.share']._takes_in
        for line in products.filtered(lambda line: not takes_in(line)):
            left[line] = (
                balances[line].quantity if line in balances else line._get_quantity_counted()
            )
        for allocation in allocations:
            if allocation.get('kind') in (None, 'shipping', 'discount', 'stored_value'):
                left[allocation['invoice_line']] -= allocation['quantity']
        complete = all(quantity <= QUANTITY_EPSILON for quantity in left.values())
        return rounding_lines if complete else rounding_lines.browse()

    @api.model
    def _prepare_rounding_line_vals(self, rounding_line, allocations):
        """Prepare the line of a note that takes back a cash rounding of its invoice.

        :return: values for `account.move.line.create`.
        :rtype: dict
        """
        note_amount = -rounding_line.amount_currency
        return {
            # As on the invoice: e-invoice formats take it for the rounding it is, not for goods.
            'display_type': 'rounding',
            'name': rounding_line.name,
            'quantity': 1,
            'price_unit': note_amount,
            'currency_id': rounding_line.currency_id.id,
            'amount_currency': note_amount,
            'balance': self._get_rounding_balance(rounding_line),
            'tax_ids': [Command.clear()],
            'account_id': rounding_line.account_id.id,
            'sale_return_line_id': allocations[-1]['return_line'].id,
            'sale_return_kind': 'rounding',
            'credited_line_id': rounding_line.id,
        }

    @api.model
    def _get_rounding_balance(self, rounding_line):
        """Return what a note takes back of a cash rounding, in the currency of the company."""
        company = rounding_line.company_id
        if company.sale_return_rate == 'original':
            return -rounding_line.balance
        return rounding_line.currency_id._convert(
            -rounding_line.amount_currency,
            company.currency_id,
            company,
            company._get_sale_return_day(),
        )

    @api.model
    def _log_uncharged(self, allocations):
        """Write in the log what of a fee the value of the goods did not cover.

        :param list allocations: those that became notes.
        """
        self.env['sale.return.event']._log(
            [
                {
                    'return_id': allocation['return_line'].return_id.id,
                    'kind': 'not_charged',
                    'details': self.env._(
                        "%(charge)s: %(amount)s not charged, the goods are not worth more",
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
