import logging

from psycopg2 import InterfaceError, OperationalError

from odoo import api, models
from odoo.exceptions import RedirectWarning, UserError
from odoo.fields import Command

from ...tools.context import get_service_context
from ...tools.notes import Notes

_logger = logging.getLogger(__name__)


class SaleReturnExchangeOrder(models.AbstractModel):
    """Service: order exchanges, bill them, and settle them with the credit.

    submitted    quotation of all chosen products, goods held released     confirmed for what is
    released, in proportion; the delivery takes over the hold credited     billed for what is
    credited, and reconciled with the credit notes

    Each step does what is due and not done yet; repeating it adds nothing.
    """

    _name = 'sale.return.exchange.order'
    _description = "Return Exchange Order"

    @api.model
    def _as_service(self, records):
        """Return the records in superuser mode."""
        # sudo: orders, deliveries and invoices follow from submission and release, whose callers
        # have checked the group; `env.uid` stays the acting user.
        context = get_service_context(self.env.context)
        return records.with_env(self.env(su=True, context=context))

    # === ASK === #

    @api.model
    def _begin(self, returns):
        """Create the quotations of returns that were just submitted, and hold their goods.

        :raise UserError: when there is not enough in stock, or too much is already held.
        """
        lines = self._as_service(returns).line_ids._filter_exchanged()
        if not lines:
            return
        # One order per return, all orders of a company at once.
        for company, some in lines.grouped('company_id').items():
            groups = some.grouped('return_id')
            orders = (
                lines.env['sale.order']
                .with_company(company)
                .with_context(tracking_disable=True)
                .create([self._prepare_order_vals(r, group) for r, group in groups.items()])
            )
            for order, group in zip(orders, groups.values(), strict=True):
                for sale_line, line in zip(order.order_line.sorted('id'), group, strict=True):
                    line._write_facts({'exchange_sale_line_id': sale_line.id})
        self._log(lines.return_id, 'exchange_asked')
        lines.env['sale.return.hold']._take(lines)

    @api.model
    def _prepare_order_vals(self, sale_return, lines):
        """Prepare the order of an exchange, on the terms of the original. Override to add values.

        :param lines: `sale.return.line` records of one return, in superuser mode.
        :return: values of `sale.order`
        :rtype: dict
        """
        order = lines.sale_line_id.order_id[:1]
        prepare = lines.env['sale.return.exchange']._prepare_line_vals
        recipient = sale_return._get_note_partner()
        return {
            'partner_id': (recipient or order.partner_id).id,
            'partner_invoice_id': (recipient or order.partner_invoice_id).id,
            'partner_shipping_id': (recipient or order.partner_shipping_id).id,
            'company_id': order.company_id.id,
            'warehouse_id': order.warehouse_id.id,
            'pricelist_id': order.pricelist_id.id,
            'currency_id': order.currency_id.id,
            'payment_term_id': order.payment_term_id.id,
            'user_id': order.user_id.id,
            'team_id': order.team_id.id,
            'client_order_ref': not recipient and order.client_order_ref,
            'origin': f"{sale_return.name} ({', '.join(lines.order_id.mapped('name'))})",
            # It is paid by the credit; the difference by its invoice.
            'require_payment': False,
            'require_signature': False,
            'exchange_return_id': sale_return.id,
            'order_line': [Command.create(prepare(line)) for line in lines],
        }

    @api.model
    def _fit(self, returns):
        """Limit exchanges of just approved returns to what was authorized."""
        hold = self.env['sale.return.hold'].sudo()
        lines = self._as_service(returns).line_ids.filtered(
            lambda line: line.resolution == 'exchange' and not line.exchange_ended
        )
        hold._end(lines.filtered(lambda line: line.decision == 'refused'), as_refund=False)
        for line in lines._filter_exchanged():
            sale_line, promised = line.exchange_sale_line_id, line._get_qty_exchange_open()
            if sale_line.state in ('draft', 'sent') and line.exchange_uom_id.compare(
                promised, sale_line.product_uom_qty
            ):
                hold._shrink({line: sale_line.product_uom_qty - promised})
                sale_line.product_uom_qty = promised

    @api.model
    def _log(self, returns, kind, reason=False):
        """Write the event of each return, naming its latest order."""
        vals_list = []
        for sale_return in returns:
            order = sale_return.exchange_order_ids.sorted('id')[-1:]
            total = order and order.currency_id.format(order.amount_total)
            vals_list.append(
                {
                    'return_id': sale_return.id,
                    'kind': kind,
                    'reason': reason,
                    'details': order and f"{order.name} · {total}",
                }
            )
        self.env['sale.return.event']._log(vals_list)

    # === FOLLOW === #

    @api.model
    def _follow(self, returns):
        """Order, bill and settle exchanges as far as due.

        Failures do not stop receipts or credits: they are logged on the return and retried with the
        next step. Failing batches are retried in halves.
        """
        returns = self._as_service(returns).filtered(
            lambda r: (
                r.state in ('approved', 'closed')
                and any(line.resolution == 'exchange' for line in r.line_ids)
            )
        )
        if not returns:
            return
        try:
            with self.env.cr.savepoint():
                self._order_released(returns)
                self._settle(returns)
                return
        except (OperationalError, InterfaceError):
            raise  # another transaction was quicker: everything is retried
        except (UserError, RedirectWarning) as error:
            reason = str(error.args[0])
        except Exception as error:
            # The goods are here even if the exchange fails.
            _logger.exception("Exchanges of returns %s", returns.ids)
            reason = self.env._("Technical error: %(error)s", error=error)
        if len(returns) == 1:
            self._fail(returns, reason)
            return
        half = len(returns) // 2
        self._follow(returns[:half])
        self._follow(returns[half:])

    @api.model
    def _fail(self, sale_return, reason):
        """Log why an exchange could not continue; the same reason only once."""
        known = sale_return.event_ids.filtered(lambda event: event.kind == 'exchange_failed')
        if known.sorted('id')[-1:].reason != reason:
            self._log(sale_return, 'exchange_failed', reason=reason)
            sale_return._ask_about_exchange(lambda env: env._("Exchange cannot continue"), reason)

    # === ORDER === #

    @api.model
    def _order_released(self, returns):
        """Order what the policy has released, and no more."""
        model = returns.env['sale.return.line']
        self._raise_orders(
            {
                line: line._get_qty_exchanged(model._get_qty_released_by_event(line))
                for line in returns.line_ids._filter_exchanged()
            }
        )

    @api.model
    def _raise_orders(self, targets):
        """Order at least these quantities.

        :param dict targets: `{return line: quantity in the unit of the exchange}`
        """
        more = {
            line: quantity
            for line, quantity in targets.items()
            if line.exchange_uom_id.compare(quantity, line._get_qty_exchange_ordered()) > 0
            and line.exchange_order_id.state in ('draft', 'sent', 'sale')
        }
        if not more:
            return
        orders = next(iter(more)).exchange_order_id.union(
            *[line.exchange_order_id for line in more]
        )
        quotations = orders.filtered(lambda order: order.state != 'sale')
        for sale_line in quotations.order_line.filtered(lambda line: not line.display_type):
            quantity = more.get(sale_line.exchange_return_line_ids[:1], 0.0)
            if sale_line.product_uom_qty != quantity:
                # The rest stays held until it is released as well.
                sale_line.product_uom_qty = quantity
        quotations.with_context(tracking_disable=True).action_confirm()
        self._raise({l: q for l, q in more.items() if l.exchange_order_id not in quotations})
        orders.picking_ids.move_ids.filtered(
            lambda move: move.state in ('confirmed', 'waiting', 'partially_available')
        )._action_assign()
        self._log(orders.exchange_return_id, 'exchange_ordered')

    @api.model
    def _raise(self, quantities):
        """Raise the quantities of confirmed orders."""
        for line, quantity in quantities.items():
            # One by one: parts of an exchange come on different days.
            sale_line, order = line.exchange_sale_line_id, line.exchange_order_id
            more = quantity - sale_line.product_uom_qty
            line.env['sale.return.hold']._shrink({line: more})
            locked, order.locked = order.locked, False
            sale_line.product_uom_qty = quantity
            order.locked = locked

    # === SETTLE === #

    @api.model
    def _settle(self, returns):
        """Bill the credited part of what was ordered, and reconcile it with the credit notes."""
        due, ahead = {}, returns.exchange_order_ids.browse()
        for line in returns.line_ids.filtered('exchange_sale_line_id'):
            billed = line._get_qty_exchange_billed()
            credited = line._get_qty_exchanged(line.qty_credited_posted)
            quantity = min(credited, line._get_qty_exchange_given()) - billed
            if line.exchange_uom_id.compare(quantity, 0.0) > 0:
                due[line] = line.exchange_uom_id.round(quantity)
            if credited and billed:
                ahead |= line.exchange_order_id
        orders = returns.exchange_order_ids.browse().union(*[l.exchange_order_id for l in due])
        for _company, group in orders.grouped('company_id').items():
            self._bill(group, due)
        if ahead:
            self._offset(ahead)
        if orders:
            self._log(orders.exchange_return_id, 'exchange_settled')
            orders.exchange_return_id.credit_note_ids._pay_back_after_exchange()

    @api.model
    def _bill_ordered(self, lines):
        """Bill everything ordered for lines, whether it is credited or not."""
        due = {}
        for line in lines.filtered('exchange_sale_line_id'):
            left = line._get_qty_exchange_ordered() - line._get_qty_exchange_billed()
            if line.exchange_uom_id.compare(left, 0.0) > 0:
                due[line] = line.exchange_uom_id.round(left)
        orders = lines.exchange_order_id.filtered(
            lambda o: any(l.exchange_order_id == o for l in due)
        )
        for _company, group in orders.grouped('company_id').items():
            self._bill(group, due)

    @api.model
    def _offset(self, orders):
        """Settle with the credit the invoices that existed before it, such as kept exchanges."""
        plan = []
        for order in orders:
            # Mostly nothing is left of the notes, and the invoices need not be read.
            notes = self._get_open_notes(order.exchange_return_id)
            invoices = (notes and order.invoice_ids).filtered(
                lambda move: move.move_type == 'out_invoice' and move.state == 'posted'
            )
            terms = self._get_receivable_lines(invoices)
            for account, some in self._get_receivable_lines(notes).grouped('account_id').items():
                if due := terms.filtered(lambda line, a=account: line.account_id == a):
                    plan.append(some | due)
        if plan:
            orders.env['account.move.line']._reconcile_plan(plan)

    @api.model
    def _bill(self, orders, quantities):
        """Bill quantities of exchange orders of one company, and settle them with the credits.

        Before they ship: the difference is paid on the invoice, and shipping may wait for that.
        """
        day = orders.company_id._get_sale_return_day()
        vals_list = []
        for order in orders:
            lines = [line for line in quantities if line.exchange_order_id == order]
            vals_list.append(
                order._prepare_invoice()
                | {
                    'invoice_date': day,
                    'invoice_line_ids': [
                        Command.create(self._prepare_invoice_line_vals(line, quantities[line]))
                        for line in lines
                    ],
                }
            )
        moves = orders.env['account.move'].with_company(orders.company_id)
        # The log of the return shows their origin; nobody is notified of each one.
        invoices = moves.with_context(tracking_disable=True).create(vals_list)
        # Prefetch what the loop reads.
        orders.exchange_return_id.credit_note_ids.line_ids.mapped('reconciled')
        plan = []
        for order, invoice in zip(orders, invoices, strict=True):
            notes = self._get_receivable_lines(self._get_open_notes(order.exchange_return_id))
            account = notes.account_id[:1]
            terms = invoice.line_ids.filtered(lambda line: line.display_type == 'payment_term')
            if account and terms.account_id != account:
                # The customer's account has changed since, but both must use the same account.
                terms.account_id = account
            if notes:
                plan.append((notes.filtered(lambda n, a=account: n.account_id == a), terms))
        invoices.with_context(tracking_disable=True)._post(soft=False)
        kept = Notes()
        lines = moves.line_ids.browse().with_context(sale_return_notes=kept)
        lines._reconcile_plan(
            [
                (notes | terms).with_env(lines.env)
                for notes, terms in plan
                if not all((notes | terms).mapped('reconciled'))
            ]
        )
        self.env['sale.return.notes']._log(kept)

    @api.model
    def _prepare_invoice_line_vals(self, line, quantity):
        """Prepare one line of the invoice. Override to add values.

        An even exchange is billed at exactly the amounts of the credit, including each tax, or its
        parts could differ by a cent.
        """
        sale_line = line.exchange_sale_line_id
        vals = sale_line._prepare_invoice_line(
            quantity=quantity, analytic_distribution=sale_line.analytic_distribution
        )
        goods = line.credit_line_ids.filtered(
            lambda item: (
                item.parent_state == 'posted'
                and item.sale_return_kind == 'goods'
                and item.move_id.payment_state != 'reversed'
            )
        ).sorted('id')[-1:]
        same = (
            goods.product_uom_id == sale_line.product_uom_id
            and goods.quantity == quantity
            and goods.tax_ids == sale_line.tax_ids
            and goods.discount == sale_line.discount
            and goods.extra_tax_data
            and goods.currency_id == sale_line.currency_id
            and sale_line.currency_id.compare_amounts(goods.price_unit, sale_line.price_unit) == 0
        )
        if same:
            vals |= {'price_unit': goods.price_unit, 'extra_tax_data': goods.extra_tax_data}
        return vals

    @api.model
    def _get_open_notes(self, sale_return):
        """Return the posted notes of a return with an open amount, the oldest first."""
        return sale_return.credit_note_ids.filtered(
            lambda note: (
                note.move_type == 'out_refund'
                and note.state == 'posted'
                and note.currency_id.compare_amounts(note.amount_residual, 0.0) > 0
            )
        ).sorted('id')

    @api.model
    def _get_receivable_lines(self, moves):
        return moves.line_ids.filtered(
            lambda line: line.account_id.account_type == 'asset_receivable' and not line.reconciled
        )

    # === WHAT IS DUE === #

    @api.model
    def _get_due(self, order):
        """Return what a customer has to pay before an exchange ships, in its currency.

        The part of the credit note used for an unpaid invoice is owed as before, on the terms of
        that invoice.

        :param order: one exchange order in superuser mode.
        :rtype: float
        """
        invoices = order.invoice_ids.filtered(
            lambda move: move.state == 'posted' and move.move_type == 'out_invoice'
        )
        open_amount = sum(invoices.mapped('amount_residual'))
        unbilled = self._get_due_later(order)
        if not open_amount:
            return unbilled
        notes = order.exchange_return_id.credit_note_ids.filtered(
            lambda note: note.state == 'posted' and note.move_type == 'out_refund'
        )
        used = 0.0
        for partial in notes.line_ids.matched_debit_ids:
            if partial.debit_move_id.move_id in notes.reversed_entry_id:
                used += partial.credit_amount_currency
        return max(order.currency_id.round(open_amount - used), 0.0) + unbilled

    @api.model
    def _get_due_later(self, order):
        """Return what an order will cost above credits that are released and not posted yet.

        :param order: as before.
        :rtype: float
        """
        waiting = order.order_line.exchange_return_line_ids.filtered(
            lambda line: line.qty_to_credit or line.qty_credited > line.qty_credited_posted
        )
        if not waiting:
            return 0.0
        sale_return = order.exchange_return_id
        drafts = sale_return.credit_note_ids.filtered(lambda note: note.state == 'draft')
        preview = order.env['sale.return.credit']._preview(sale_return, kinds=('due',))
        credit = sum(drafts.mapped('amount_total'))
        credit += sum(note['total'] for note in preview[sale_return.id]['due'])
        cost = sum(
            line.price_total * (1 - line.qty_invoiced / line.product_uom_qty)
            for line in waiting.exchange_sale_line_id
            if line.product_uom_qty
        )
        return max(order.currency_id.round(cost - credit), 0.0)
