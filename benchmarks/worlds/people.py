"""Actions of people in a random world, each as a user with the required role.

An action searches for suitable records and picks one at random. It returns a short description, or
None if there were none.
"""

from functools import partial

from odoo.fields import Command

from .. import shop as trade

DISPOSITIONS = ['restock'] * 6 + ['scrap', 'refurbish', 'vendor', 'send_back', 'send_back']


class People:
    """The users of a shop, and what they do."""

    def __init__(self, shop, plan):
        self.shop, self.plan = shop, plan
        self.root = shop.root
        self.company = shop.company
        self.orders = self.root['sale.order']
        # Manual changes beside the returns, which are checked less strictly.
        self.by_hand = set()
        # Invoices of which a note was undone: one that lowered what later notes credit.
        self.undone = set()
        self.lowered = []

    def settle_in(self):
        """Draw the settings of the world."""
        # The jobs go through all companies, and nothing happens in the others.
        self.root.cr.execute("UPDATE res_company SET active = (id = %s)", [self.company.id])
        self.root['res.company'].invalidate_model(['active'])
        chance = self.plan.chances('settings')
        self.company.tax_calculation_rounding_method = chance.choice(
            ['round_per_line', 'round_globally']
        )
        self.shop.policy.write(
            {
                'approval': chance.choice(['none', 'none', 'always']),
                'release_event': chance.choice(['inspection'] * 4 + ['receipt', 'approval']),
                'credit_posting': chance.choice(['post'] * 4 + ['draft']),
                'settlement': chance.choice(['as_paid', 'as_paid', 'refund', 'on_account']),
                'restocking_fee_percent': chance.choice([0.0, 0.0, 0.0, 10.0]),
                'restocking_fee_fixed': chance.choice([0.0, 0.0, 0.0, 2.0]),
            }
        )
        self.customers = self.root['res.partner'].create(
            [{'name': f"Customer {number}"} for number in range(2)]
        )
        self.cards = self.root['loyalty.card'] if self.shop.programs else None
        for kind, program in self.shop.programs.items():
            self.cards |= self.cards.create(
                {
                    'program_id': program.id,
                    'partner_id': self.customers[0].id if kind == 'ewallet' else False,
                    'points': 1000.0,
                }
            )

    def as_(self, person, records):
        """Return records as a person of the shop sees them."""
        return records.with_env(
            records.env(
                user=self.shop.people[person].id,
                su=False,
                context={
                    'allowed_company_ids': self.company.ids,
                    'lang': 'en_US',
                    'tz': 'UTC',
                    'tracking_disable': True,
                },
            )
        )

    def act(self, position, name):
        """Execute an action.

        :return: what was done, None where there was nothing to do.
        """
        return getattr(self, f'_do_{name}')(self.plan.chances(f'act {position}'))

    # === WHAT THERE IS === #

    def get_returns(self, *states):
        domain = [('company_id', '=', self.company.id)]
        if states:
            domain.append(('state', 'in', states))
        return self.root['sale.return'].search(domain, order='id')

    def get_moves(self, kind, state='posted'):
        domain = [('company_id', '=', self.company.id), ('move_type', '=', kind)]
        if state:
            domain.append(('state', '=', state))
        return self.root['account.move'].search(domain, order='id')

    def get_open(self, pickings):
        return pickings.filtered(lambda picking: picking.state not in ('done', 'cancel'))

    @staticmethod
    def pick(chance, records):
        return chance.choice(list(records)) if records else records

    # === SALE === #

    def _do_order(self, chance):
        names = [name for name in self.shop.goods if name != 'assembly']
        chosen = chance.sample(names, k=chance.choice([1, 1, 2, 3]))
        if chance.random() < 0.15:
            chosen.append('assembly')
        lines = [self._draw_line(chance, name) for name in chosen]
        worth = sum(line['product_uom_qty'] * line['price_unit'] for line in lines)
        if chance.random() < 0.15:
            tax = lines[0]['tax_ids']
            lines.append(
                {
                    'product_id': self.shop.rebate.id,
                    'product_uom_qty': 1,
                    'price_unit': -round(worth * chance.choice([0.05, 0.1]), 2),
                    'tax_ids': tax,
                }
            )
        currency = chance.choice([self.shop.code, self.shop.code, *self.shop.price_lists])
        values = {
            'partner_id': chance.choice(self.customers).id,
            'company_id': self.company.id,
            'warehouse_id': self.shop.warehouse.id,
            'pricelist_id': self.shop.price_lists[currency].id,
            'order_line': [Command.create(line) for line in lines],
        }
        order = self.as_('seller', self.root['sale.order']).create(values)
        paid_by = self._use_card(chance, order) if chance.random() < 0.3 else ""
        order.action_confirm()
        self.orders |= order.sudo().with_env(self.root)
        return f"{order.name} in {currency}: {', '.join(chosen)}{paid_by}"

    def _draw_line(self, chance, name):
        product, units = self.shop.goods[name]
        unit = chance.choice(units)
        quantity = chance.choice([1, 2, 3, 4, 6, 10])
        if product.tracking == 'serial':
            quantity = chance.choice([1, 2, 3])
        return {
            'product_id': product.id,
            'product_uom_id': unit.id,
            'product_uom_qty': quantity,
            'price_unit': chance.choice([100.0, 33.33, 10.01, 9.99, 19.995, 7.0]),
            'discount': chance.choice([0.0, 0.0, 0.0, 10.0, 33.33]),
            'tax_ids': [Command.set(chance.choice(self.shop.taxes).ids)],
        }

    def _use_card(self, chance, order):
        cards = self.cards and self.cards.filtered(
            lambda card: not card.partner_id or card.partner_id == order.partner_id
        )
        if not cards or order.currency_id != self.company.currency_id:
            return ""
        card = self.pick(chance, cards)
        order = order.sudo()
        order.applied_coupon_ids += card
        order._apply_program_reward(card.program_id.reward_ids[:1], card)
        return f", paid by {card.program_id.program_type}"

    def _do_deliver(self, chance):
        pickings = self.get_open(self.orders.picking_ids).filtered(
            lambda picking: (
                picking.location_dest_id.usage == 'customer' and not picking.sale_return_id
            )
        )
        picking = self.pick(chance, pickings.sorted('id'))
        if not picking:
            return None
        part = chance.random() < 0.4
        self.deliver(picking, chance if part else None, chance.random() < 0.7)
        return f"{picking.name} {'in part' if part else ''}"

    def deliver(self, picking, chance=None, backorder=True):
        picking = self.as_('storeman', picking)
        picking.action_assign()
        self.fill(picking, chance)
        self.validate(picking, backorder)

    def fill(self, picking, chance=None):
        """Set the done quantities of a transfer: all, or a random part."""
        moves = picking.move_ids.filtered(lambda move: move.state not in ('done', 'cancel'))
        for move in moves:
            wanted = move.product_uom_qty
            if chance and move.product_id.tracking == 'none':
                wanted = self.draw_quantity(chance, wanted)
            if move.product_id.tracking == 'none':
                move.quantity = wanted
        moves.picked = True

    @staticmethod
    def draw_quantity(chance, most):
        """Draw a part of a quantity, whole where it is more than one."""
        if most <= 1:
            return most
        return float(chance.randint(1, int(most)))

    def validate(self, picking, backorder=True):
        if backorder:
            picking = picking.with_context(skip_backorder=True)
        else:
            picking = picking.with_context(
                skip_backorder=True, picking_ids_not_to_backorder=picking.ids
            )
        trade.validate(picking)

    def _do_invoice(self, chance):
        orders = self.orders.filtered(lambda order: order.invoice_status == 'to invoice')
        order = self.pick(chance, orders.sorted('id'))
        if not order:
            return None
        return self.invoice(order, chance if chance.random() < 0.3 else None)

    def invoice(self, order, chance=None):
        """Bill open quantities, or a random part. Drafts of another sign are notes."""
        wizard = (
            self.as_('seller', self.root['sale.advance.payment.inv'])
            .with_context(active_model='sale.order', active_ids=order.ids)
            .create({'advance_payment_method': 'delivered', 'sale_order_ids': order.ids})
        )
        before = order.invoice_ids
        wizard.create_invoices()
        order.invalidate_recordset()
        invoices = self.as_('accountant', order.invoice_ids - before)
        if chance:
            for line in invoices.invoice_line_ids.filtered(
                lambda line: line.product_id.type == 'consu' and line.quantity > 1
            ):
                line.quantity = self.draw_quantity(chance, line.quantity)
        invoices.action_post()
        totals = ", ".join(f"{move.name} {move.amount_total}" for move in invoices)
        return f"{order.name}: {totals} {'in part' if chance else ''}"

    def _do_down_payment(self, chance):
        orders = self.orders.filtered(
            lambda order: order.state == 'sale' and order.amount_to_invoice > 0
        )
        order = self.pick(chance, orders.sorted('id'))
        if not order:
            return None
        wizard = (
            self.as_('seller', self.root['sale.advance.payment.inv'])
            .with_context(active_model='sale.order', active_ids=order.ids)
            .create(
                {
                    'advance_payment_method': 'percentage',
                    'amount': chance.choice([10, 30]),
                    'sale_order_ids': order.ids,
                }
            )
        )
        before = order.invoice_ids
        wizard.create_invoices()
        order.invalidate_recordset()
        self.as_('accountant', order.invoice_ids - before).action_post()
        return f"{order.name}: {(order.invoice_ids - before).amount_total}"

    def _do_pay(self, chance):
        invoices = self.get_moves('out_invoice').filtered('amount_residual')
        invoice = self.pick(chance, invoices)
        if not invoice:
            return None
        amount = invoice.amount_residual
        if chance.random() < 0.3:
            amount = invoice.currency_id.round(amount / 3)
        if not amount:
            return None
        self.pay(invoice, amount, chance.choice([self.shop.bank, self.shop.till]))
        return f"{invoice.name}: {amount} of {invoice.amount_residual}"

    def pay(self, invoice, amount, journal):
        wizard = (
            self.as_('accountant', self.root['account.payment.register'])
            .with_context(active_model='account.move', active_ids=invoice.ids)
            .create({'journal_id': journal.id, 'amount': amount})
        )
        return wizard._create_payments()

    def _do_change_quantity(self, chance):
        lines = self.orders.filtered(lambda order: order.state == 'sale').order_line.filtered(
            lambda line: line.product_id.type == 'consu' and not line.is_downpayment
        )
        line = self.pick(chance, lines.sorted('id'))
        if not line:
            return None
        before = line.product_uom_qty
        after = before + chance.choice([-2, -1, 1, 2])
        if after < 0:
            return None
        self.as_('seller', line).product_uom_qty = after
        if after < before:
            self.lowered.append(line.id)
        return f"{line.order_id.name} {line.product_id.name}: {before} to {after}"

    def _do_cancel_order(self, chance):
        order = self.pick(chance, self.orders.filtered(lambda order: order.state == 'sale'))
        if not order:
            return None
        self.as_('manager', order).with_context(disable_cancel_warning=True).action_cancel()
        return order.name

    def _do_buy(self, chance):
        cost = chance.choice([5.0, 12.0, 22.22])
        products = self.orders.order_line.product_id.filtered(
            lambda product: product.is_storable and product.tracking == 'none'
        )
        if not products:
            return None
        self.shop.restock(cost, products, quantity=10)
        return f"10 of each at {cost}"

    # === RETURN === #

    def _get_reason(self, chance):
        names = ('defective', 'changed_mind', 'wrong_item')
        return self.shop.reasons[chance.choice(names)]

    def _draw_return(self, chance):
        """Draw order lines and what comes back of each, in the unit of the line."""
        orders = self.orders.filtered(lambda order: any(order.order_line.mapped('qty_returnable')))
        order = self.pick(chance, orders.sorted('id'))
        result = {}
        for line in order.order_line.filtered('qty_returnable') if order else ():
            quantity = line.qty_returnable
            stock_unit = line.product_uom_id._compute_quantity(
                quantity, line.product_id.uom_id, round=False
            )
            roll = chance.random()
            if roll < 0.2 and result:
                continue
            if roll < 0.7:
                pieces = self.draw_quantity(chance, round(stock_unit, 6))
                quantity = quantity * pieces / stock_unit
            result[line] = quantity
        return result

    def _do_return_by_dialog(self, chance):
        chosen = self._draw_return(chance)
        if not chosen:
            return None
        lines = self.root['sale.order.line'].concat(*chosen)
        seller = self.as_('seller', lines.order_id)
        action = seller.action_create_return()
        wizard = seller.env[action['res_model']].with_context(**action.get('context', {}))
        wizard = wizard.browse(action.get('res_id')) or wizard.create({})
        wizard.reason_id = self._get_reason(chance)
        for row in wizard.line_ids:
            row.quantity = chosen.get(row.sale_line_id.sudo().with_env(self.root), 0.0)
        wizard.action_create_and_submit()
        return self._describe(self.get_returns()[-1])

    def _do_return_by_record(self, chance, reason=None):
        chosen = self._draw_return(chance)
        if not chosen:
            return None
        order = next(iter(chosen)).order_id
        sale_return = self.as_('seller', self.root['sale.return']).create(
            {
                'partner_id': order.partner_id.id,
                'line_ids': [
                    {
                        'sale_line_id': line.id,
                        'qty_requested': quantity,
                        'reason_id': (reason or self._get_reason(chance)).id,
                        **({'resolution': 'replace'} if chance.random() < 0.15 else {}),
                    }
                    for line, quantity in chosen.items()
                ],
            }
        )
        sale_return.action_submit()
        return self._describe(sale_return)

    def _do_missing(self, chance):
        return self._do_return_by_record(chance, reason=self.shop.reasons['missing'])

    @staticmethod
    def _describe(sale_return):
        lines = ", ".join(
            f"{line.qty_requested:g} {line.product_uom_id.name} {line.product_id.name}"
            for line in sale_return.sudo().line_ids
        )
        return f"{sale_return.name} {sale_return.state}: {lines}"

    def _do_return_in_inventory(self, chance):
        pickings = self.orders.picking_ids.filtered(
            lambda picking: picking.state == 'done' and picking.location_dest_id.usage == 'customer'
        )
        picking = self.pick(chance, pickings.sorted('id'))
        if not picking:
            return None
        wizard = (
            self.as_('storeman', self.root['stock.return.picking'])
            .with_context(
                active_model='stock.picking', active_id=picking.id, active_ids=picking.ids
            )
            .create({})
        )
        total = 0
        for line in wizard.product_return_moves:
            line.quantity = self.draw_quantity(chance, line.move_quantity)
            total += line.quantity
        if not total:
            return None
        back = self.as_('storeman', self.root['stock.picking']).browse(
            wizard.action_create_returns()['res_id']
        )
        if chance.random() < 0.7:
            self.fill(back)
            self.validate(back)
        return f"{back.name} of {picking.name}, {back.state}, {back.sale_return_id.name}"

    def _do_approve(self, chance):
        sale_return = self.pick(chance, self.get_returns('submitted'))
        if not sale_return:
            return None
        self.as_('approver', sale_return).action_approve()
        return sale_return.name

    def _do_refuse(self, chance):
        sale_return = self.pick(chance, self.get_returns('submitted'))
        if not sale_return:
            return None
        self.as_('approver', sale_return).action_refuse("We do not take it back.")
        return sale_return.name

    def _do_authorize_less(self, chance):
        lines = self.get_returns('submitted').line_ids.filtered(lambda line: line.qty_requested > 1)
        line = self.pick(chance, lines)
        if not line:
            return None
        quantity = self.draw_quantity(chance, line.qty_requested)
        self.as_('approver', line).action_authorize(quantity, "Only these.")
        return f"{line.return_id.name}: {quantity}"

    def _do_close(self, chance):
        sale_return = self.pick(chance, self.get_returns('approved'))
        if not sale_return:
            return None
        self.as_('approver', sale_return).action_close("The rest does not come.")
        return sale_return.name

    def _do_cancel_return(self, chance):
        sale_return = self.pick(chance, self.get_returns('submitted', 'approved'))
        if not sale_return:
            return None
        self.as_('seller', sale_return).action_cancel()
        return sale_return.name

    # === GOODS === #

    def _do_receive(self, chance):
        pickings = self.get_open(self.get_returns('approved').picking_ids)
        picking = self.pick(chance, pickings.sorted('id'))
        if not picking:
            return None
        picking = self.as_('storeman', picking)
        part = chance.random() < 0.4
        self.fill(picking, chance if part else None)
        self.validate(picking)
        return f"{picking.name} {'in part' if part else ''}"

    def _do_inspect(self, chance):
        lines = self.get_returns().line_ids.filtered(lambda line: line.qty_to_inspect > 0)
        line = self.pick(chance, lines)
        if not line:
            return None
        quantity = line.qty_to_inspect
        if chance.random() < 0.4 and line.product_id.tracking == 'none':
            stock = line.product_uom_id._compute_quantity(
                quantity, line.product_id.uom_id, round=False
            )
            quantity = quantity * self.draw_quantity(chance, round(stock, 6)) / stock
        disposition = chance.choice(DISPOSITIONS)
        result = {'quantity': quantity, 'disposition': disposition}
        if chance.random() < 0.2:
            result['grade'] = 'B'
        if line.product_id.tracking != 'none':
            self.as_('storeman', line.return_id).action_inspect_all(disposition)
        else:
            self.as_('storeman', line).register_inspection([result])
        return f"{line.return_id.name} {line.product_id.name}: {quantity:g} {disposition}"

    def _do_correct_result(self, chance):
        rows = self.get_returns().line_ids.inspection_ids.filtered(lambda row: row.quantity > 0)
        row = self.pick(chance, rows.sorted('id'))
        if not row:
            return None
        self.as_('storeman', row).action_correct("It was something else.")
        return f"{row.line_id.return_id.name} {row.quantity:g}"

    def _do_undo_receipt(self, chance):
        pickings = self.get_returns().picking_ids.filtered(lambda picking: picking.state == 'done')
        picking = self.pick(chance, pickings.sorted('id'))
        if not picking:
            return None
        wizard = (
            self.as_('storeman', self.root['stock.return.picking'])
            .with_context(
                active_model='stock.picking', active_id=picking.id, active_ids=picking.ids
            )
            .create({})
        )
        for line in wizard.product_return_moves:
            line.quantity = line.move_quantity
        back = self.as_('storeman', self.root['stock.picking']).browse(
            wizard.action_create_returns()['res_id']
        )
        self.fill(back)
        self.validate(back)
        return f"{picking.name} by {back.name}"

    # === MONEY === #

    def _do_credit(self, chance):
        sale_return = self.pick(chance, self.get_returns('approved'))
        if not sale_return:
            return None
        notes = self.as_('approver', sale_return).action_create_credit_notes()
        return f"{sale_return.name}: {notes}"

    def _do_refund(self, chance):
        returns = self.get_returns('approved', 'closed').filtered(
            lambda sale_return: any(
                note.state == 'posted' and note.amount_residual
                for note in sale_return.credit_note_ids
            )
        )
        sale_return = self.pick(chance, returns)
        if not sale_return:
            return None
        refunds = self.as_('manager', sale_return).action_refund()
        return f"{sale_return.name}: {refunds.sudo().mapped('amount')}"

    def _do_post_payouts(self, chance):
        payments = self.get_payouts()
        payment = self.pick(chance, payments)
        if not payment:
            return None
        self.as_('accountant', payment).action_post()
        return f"{payment.name} {payment.amount}"

    def get_payouts(self):
        return self.root['account.payment'].search(
            [
                ('company_id', '=', self.company.id),
                ('payment_type', '=', 'outbound'),
                ('state', '=', 'draft'),
            ],
            order='id',
        )

    def _do_post_drafts(self, chance):
        note = self.pick(chance, self.get_moves('out_refund', 'draft'))
        if not note:
            return None
        self.as_('accountant', note).action_post()
        return f"{note.name} {note.amount_total}"

    def reverse(self, move, change=None):
        """Reverse a document in Odoo's own dialog, and post the result."""
        wizard = (
            self.as_('accountant', self.root['account.move.reversal'])
            .with_context(active_model='account.move', active_ids=move.ids)
            .create({'journal_id': move.journal_id.id})
        )
        made = self.as_('accountant', self.root['account.move']).browse(
            wizard.refund_moves()['res_id']
        )
        if change:
            change(made)
        made.action_post()
        return f"{made.name} {made.amount_total} of {move.name} {move.amount_total}"

    def _do_reverse_note(self, chance):
        note = self.pick(chance, self.get_moves('out_refund'))
        if not note:
            return None
        done = self.reverse(note)
        self.undone.update(note.reversed_entry_id.ids)
        return done

    def _do_cancel_note(self, chance):
        note = self.pick(chance, self.get_moves('out_refund'))
        if not note:
            return None
        note = self.as_('accountant', note)
        note.button_draft()
        note.button_cancel()
        self.undone.update(note.reversed_entry_id.ids)
        return f"{note.name} {note.amount_total}"

    def _do_note_by_hand(self, chance):
        invoice = self.pick(chance, self.get_goods_invoices())
        if not invoice:
            return None

        def change(note):
            for line in note.invoice_line_ids.filtered(lambda line: line.quantity > 1):
                line.quantity = self.draw_quantity(chance, line.quantity)

        done = self.reverse(invoice, change)
        self.by_hand.update(invoice.invoice_line_ids.product_id.ids)
        return done

    def get_goods_invoices(self):
        return self.get_moves('out_invoice').filtered(
            lambda move: not move.reversed_entry_id and not move._is_downpayment()
        )

    def _do_correct_price(self, chance):
        invoice = self.pick(chance, self.get_goods_invoices())
        if not invoice:
            return None

        def change(note):
            for line in note.invoice_line_ids.filtered(lambda line: line.price_unit > 0):
                line.price_unit = line.price_unit / 10

        done = self.reverse(invoice, change)
        self.by_hand.update(invoice.invoice_line_ids.product_id.ids)
        return done

    def _do_goodwill(self, chance):
        invoice = self.pick(chance, self.get_goods_invoices())
        if not invoice:
            return None
        amount = invoice.currency_id.round(invoice.amount_total / 10)
        if not amount:
            return None
        reasons = self.root['sale.return.reason'].search([('return_class', '=', 'goodwill')])
        note = self.as_('manager', invoice).grant_goodwill(amount, reasons[:1].id, "Sorry.")
        return f"{note.name} {amount} of {invoice.name}"

    def _do_jobs(self, _chance):
        self.run_jobs()
        return "all"

    def run_jobs(self):
        """Run the scheduled jobs of Returns that change documents."""
        returns = self.root['sale.return']
        waiting = returns.search([('credit_retry_at', '!=', False)])
        waiting._write_facts({'credit_retry_at': '2000-01-01'})
        for name in JOBS:
            job = self.root.ref(f'sale_return.{name}')
            job.ir_actions_server_id.with_context(
                active_model=job.model_id.model, cron_id=job.id
            ).run()

    # === THE END OF THE STORY === #

    def finish(self):
        """Yield what people do until nothing is left to do: `(name, function)`."""
        yield from self._finish_returns()
        yield from self._finish_orders()
        for sale_return in self.get_returns('approved'):
            if sale_return.refund_state in ('pending', 'partial'):
                yield 'refund', self.as_('manager', sale_return).action_refund
        for payment in self.get_payouts():
            yield 'pay out', self.as_('accountant', payment).action_post

    def _finish_returns(self):
        for sale_return in self.get_returns('submitted'):
            yield 'approve', self.as_('approver', sale_return).action_approve
        for picking in self.get_open(self.get_returns('approved').picking_ids):
            yield 'receive', partial(self._process, picking)
        lines = self.get_returns().line_ids.filtered(lambda line: line.qty_to_inspect > 0)
        for sale_return in lines.return_id:
            inspector = self.as_('storeman', sale_return)
            yield 'inspect', partial(inspector.action_inspect_all, 'restock')
        for sale_return in self.get_returns('approved'):
            yield 'credit', self.as_('approver', sale_return).action_create_credit_notes
        for note in self.get_moves('out_refund', 'draft'):
            yield 'post', self.as_('accountant', note).action_post
        for picking in self.get_open(self.get_returns().transfer_ids):
            yield 'ship', partial(self._process, picking)

    def _finish_orders(self):
        for order in self.orders.filtered(lambda order: order.state == 'sale'):
            for picking in self.get_open(order.picking_ids):
                yield 'deliver', partial(self.deliver, picking)
        for order in self.orders:
            if order.invoice_status == 'to invoice':
                yield 'invoice', partial(self.invoice, order)

    def _process(self, picking):
        picking = self.as_('storeman', picking)
        if picking.location_id.usage != 'customer':
            picking.action_assign()
        self.fill(picking)
        self.validate(picking)


JOBS = (
    'ir_cron_create_credit_notes',
    'ir_cron_send_refunds',
    'ir_cron_follow_up',
    'ir_cron_reconcile',
)
