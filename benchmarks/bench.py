"""Queries and milliseconds per return line: this add-on, Odoo alone, and the least possible.

The work: orders of five lines, delivered and invoiced; one unit of each line comes back, is put in
stock again and credited, all orders in one batch. Three ways to do it:

    ours    request, approve, receive, inspect, credit, with the add-on's documents
    floor   the same transfers and credit notes created directly, without any return document
    Odoo    return wizard, validate, credit note from the order; no quarantine, no inspection

The last two are measured on a database without the add-on, which would see to it that these goods
get a return as well. `dev/bench` runs both and hands the first one's result to the second.
"""

import json
from pathlib import Path
from statistics import median

PHASES = ('request', 'approve', 'receive', 'inspect', 'credit')
LINES = 5


def run(env, side='ours', results='', orders='30', rounds='3'):
    """Measure, and print when the results of both sides are there.

    :param str side: `ours`, or `odoo` on a database without the add-on.
    :param str results: file where `odoo` leaves its results for `ours`.
    :param str orders: how many orders are returned at once.
    :param str rounds: how often everything is done; medians are reported.
    :rtype: bool
    """
    # Importable once the registry is loaded, wherever the checkout lies.
    from odoo.addons.sale_return.benchmarks.report import Phases

    ways = {'ours': [Ours], 'odoo': [Floor, Odoo]}[side]
    measured = {way.name: [] for way in ways}
    shop = Shop(env)
    for way in ways:
        # Whatever Odoo caches once is cached before it counts.
        way(env, shop.sell(2), Phases(env.cr)).run()
    for _round in range(int(rounds)):
        for way in ways:
            phases = Phases(env.cr)
            way(env, shop.sell(int(orders)), phases).run()
            measured[way.name].append((phases.queries, phases.seconds))
    medians = {name: get_medians(runs) for name, runs in measured.items()}
    if side == 'odoo':
        Path(results).write_text(json.dumps(medians), encoding='utf-8')
        return True
    if results:
        medians |= json.loads(Path(results).read_text(encoding='utf-8'))
    print_results(medians, int(orders), int(rounds))
    return True


def get_medians(runs):
    """Return `{phase: (queries, seconds)}` of several runs."""
    return {
        phase: (
            median(queries[phase] for queries, _seconds in runs),
            median(seconds[phase] for _queries, seconds in runs),
        )
        for phase in runs[0][0]
    }


def print_results(medians, orders, rounds):
    """Print a table of ten lines."""
    from odoo.addons.sale_return.benchmarks.report import format_table

    names = [name for name in ('ours', 'floor', 'Odoo') if name in medians]
    lines = orders * LINES
    rows, totals = [], {name: [0.0, 0.0] for name in names}
    for phase in PHASES:
        row = [phase]
        for position, factor, digits in ((0, 1, 1), (1, 1000, 1)):
            for name in names:
                value = medians[name].get(phase)
                row.append(f"{value[position] * factor / lines:.{digits}f}" if value else "")
                totals[name][position] += value[position] * factor / lines if value else 0.0
        rows.append(row)
    rows.append(["all", *(f"{totals[name][i]:.1f}" for i in (0, 1) for name in names)])
    head = ["", *(f"queries {name}" for name in names), *(f"ms {name}" for name in names)]
    print(f"Per return line; {orders} orders of {LINES} lines in one batch, median of {rounds}:")
    print(format_table(head, rows, right=set(range(1, len(head)))))
    if 'floor' in totals:
        ratio = totals['ours'][1] / totals['floor'][1]
        queries = totals['ours'][0]
        print(f"Time {ratio:.2f} × floor (to be ≤ 1.30), {queries:.1f} queries (to be ≤ 45).")


class Shop:
    """Sells always the same."""

    def __init__(self, env):
        from odoo.addons.sale_return.benchmarks import shop

        # Nobody reads the chatter of what is sold to be returned.
        self.env = env = env(context={**env.context, 'tracking_disable': True})
        self.shop = shop
        self.tax = shop.get_sale_tax(env)
        names = [f"Benchmark {number:02}" for number in range(10 * LINES)]
        self.products = shop.create_products(env, names, standard_price=6.0)
        self.tag = env['res.partner.category'].create({'name': "Benchmark"})
        if 'sale.return.policy' in env:
            # The standard policy approves with the request; here the two are measured apart.
            env.ref('sale_return.policy_standard').copy(
                {
                    'name': "Benchmark",
                    'sequence': 1,
                    'partner_category_ids': self.tag.ids,
                    'approval': 'always',
                }
            )
        self.warehouse = env['stock.warehouse'].search(
            [('company_id', '=', env.company.id)], limit=1
        )

    def sell(self, number):
        """Return orders that are delivered and invoiced, each of a customer of its own."""
        env = self.env
        partners = env['res.partner'].create(
            [{'name': f"Customer {i:03}", 'category_id': self.tag.ids} for i in range(number)]
        )
        self.shop.put_in_stock(
            self.warehouse.lot_stock_id, dict.fromkeys(self.products, 10.0 * number)
        )
        orders = env['sale.order'].create(
            [
                {
                    'partner_id': partner.id,
                    'warehouse_id': self.warehouse.id,
                    'order_line': [
                        (0, 0, self.prepare_line(LINES * index + position, position))
                        for position in range(LINES)
                    ],
                }
                for index, partner in enumerate(partners)
            ]
        )
        orders.action_confirm()
        self.shop.validate(orders.picking_ids)
        self.shop.invoice(orders)
        return orders

    def prepare_line(self, number, position):
        product = self.products[number % len(self.products)]
        return {
            'product_id': product.id,
            'product_uom_qty': 3 + position,
            'price_unit': 9.99 + 1.13 * position,
            'tax_ids': [(6, 0, self.tax.ids)],
        }


class Way:
    """One way to take goods back and credit them."""

    name = ''

    def __init__(self, env, orders, phases):
        from odoo.addons.sale_return.benchmarks import shop

        self.env = env
        self.orders = orders.with_env(env)
        self.measure = phases
        self.validate = shop.validate

    def run(self):
        for name in PHASES:
            step = getattr(self, name, None)
            if not step:
                continue
            # Each step is a request of its own: nothing is cached, everything is written.
            self.env.flush_all()
            self.env.invalidate_all()
            with self.measure(name):
                step()
                self.env.flush_all()
        self.check()

    def check(self):
        """Make sure that the work was done, and the same by all."""
        self.env.invalidate_all()
        notes = self.orders.invoice_ids.filtered(lambda move: move.move_type == 'out_refund')
        lines = self.orders.order_line
        done = (
            set(notes.mapped('state')) == {'posted'}
            and len(notes) == len(self.orders)
            and sum(notes.invoice_line_ids.mapped('quantity')) == len(lines)
            and sum(lines.mapped('qty_delivered'))
            == sum(lines.mapped('product_uom_qty')) - len(lines)
        )
        if not done:
            message = f"{self.name} has not done the work."
            raise AssertionError(message)


class Ours(Way):
    name = 'ours'

    def run(self):
        parameters = self.env['ir.config_parameter'].sudo()
        # The credit in its own step, to measure it apart from the inspection.
        parameters.set_param('sale_return.sync_limit', '0')
        super().run()

    def request(self):
        reason = self.env.ref('sale_return.reason_changed_mind').id
        self.returns = self.env['sale.return'].create(
            [
                {
                    'partner_id': order.partner_id.id,
                    'line_ids': [
                        (0, 0, {'sale_line_id': line.id, 'qty_requested': 1, 'reason_id': reason})
                        for line in order.order_line
                    ],
                }
                for order in self.orders
            ]
        )
        self.returns.action_submit()

    def approve(self):
        self.returns.action_approve()

    def receive(self):
        self.validate(self.returns.picking_ids)

    def inspect(self):
        self.returns.action_inspect_all('restock')

    def credit(self):
        self.returns.action_create_credit_notes()


class Odoo(Way):
    name = 'Odoo'

    def approve(self):
        self.receipts = self.env['stock.picking']
        for delivery in self.orders.picking_ids:
            wizard = (
                self.env['stock.return.picking']
                .with_context(
                    active_id=delivery.id, active_ids=delivery.ids, active_model='stock.picking'
                )
                .create({'picking_id': delivery.id})
            )
            wizard.product_return_moves.quantity = 1
            action = wizard.action_create_returns()
            self.receipts |= self.env['stock.picking'].browse(action['res_id'])

    def receive(self):
        self.validate(self.receipts)

    def credit(self):
        notes = self.orders._create_invoices(final=True, grouped=True)
        notes.action_post()


class Floor(Way):
    name = 'floor'

    def __init__(self, env, orders, phases):
        super().__init__(env, orders, phases)
        self.warehouse = orders.warehouse_id
        # As the add-on has it: valued, and outside the warehouse.
        self.quarantine = env['stock.location'].create(
            {'name': "Quarantine", 'usage': 'internal', 'company_id': orders.company_id.id}
        )

    def approve(self):
        self.receipts = self.env['stock.picking'].create(
            [
                {
                    'picking_type_id': self.warehouse.in_type_id.id,
                    'partner_id': delivery.partner_id.id,
                    'origin': delivery.name,
                    'return_id': delivery.id,
                    'location_id': delivery.location_dest_id.id,
                    'location_dest_id': self.quarantine.id,
                    'move_ids': [(0, 0, self.prepare_receipt_move(m)) for m in delivery.move_ids],
                }
                for delivery in self.orders.picking_ids
            ]
        )
        self.receipts.action_confirm()

    def prepare_receipt_move(self, move):
        return {
            'product_id': move.product_id.id,
            'product_uom': move.product_uom.id,
            'product_uom_qty': 1,
            'location_id': move.location_dest_id.id,
            'location_dest_id': self.quarantine.id,
            'origin_returned_move_id': move.id,
            'sale_line_id': move.sale_line_id.id,
            'procure_method': 'make_to_stock',
            'to_refund': True,
        }

    def receive(self):
        self.validate(self.receipts)

    def inspect(self):
        transfers = self.env['stock.picking'].create(
            [
                {
                    'picking_type_id': self.warehouse.int_type_id.id,
                    'origin': receipt.name,
                    'location_id': self.quarantine.id,
                    'location_dest_id': self.warehouse.lot_stock_id.id,
                    'move_ids': [(0, 0, self.prepare_restock_move(m)) for m in receipt.move_ids],
                }
                for receipt in self.receipts
            ]
        )
        transfers.action_confirm()
        self.validate(transfers)

    def prepare_restock_move(self, move):
        return {
            'product_id': move.product_id.id,
            'product_uom': move.product_uom.id,
            'product_uom_qty': 1,
            'location_id': self.quarantine.id,
            'location_dest_id': self.warehouse.lot_stock_id.id,
        }

    def credit(self):
        notes = self.env['account.move'].create(
            [
                {
                    'move_type': 'out_refund',
                    'reversed_entry_id': invoice.id,
                    'journal_id': invoice.journal_id.id,
                    'partner_id': invoice.partner_id.id,
                    'partner_shipping_id': invoice.partner_shipping_id.id,
                    'fiscal_position_id': invoice.fiscal_position_id.id,
                    'currency_id': invoice.currency_id.id,
                    'invoice_origin': invoice.invoice_origin,
                    'ref': invoice.name,
                    'invoice_line_ids': [
                        (0, 0, self.prepare_note_line(line)) for line in invoice.invoice_line_ids
                    ],
                }
                for invoice in self.orders.invoice_ids
            ]
        )
        # One note per invoice, so that Odoo matches them rightly in one call.
        notes.action_post()

    def prepare_note_line(self, line):
        return {
            'product_id': line.product_id.id,
            'product_uom_id': line.product_uom_id.id,
            'name': line.name,
            'quantity': 1,
            'price_unit': line.price_unit,
            'discount': line.discount,
            'tax_ids': [(6, 0, line.tax_ids.ids)],
            'account_id': line.account_id.id,
            'analytic_distribution': line.analytic_distribution,
            'sale_line_ids': [(6, 0, line.sale_line_ids.ids)],
        }
