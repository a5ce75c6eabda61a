"""Three ways to take goods back and credit them, for `benchmarks/bench.py`.

Ours    request, approve, receive, inspect, credit, with the add-on's documents
Floor   the same transfers and credit notes created directly, without any return document
Odoo    return wizard, validate, credit note from the order; no quarantine, no inspection
"""

import gc

from .shop import create_products, get_sale_tax, invoice, put_in_stock, validate

PHASES = ('request', 'approve', 'receive', 'inspect', 'credit')
# Enough that not all orders share the same quants.
PRODUCTS = 50


class Shop:
    """Always sells the same.

    :param env: environment of the database that is measured.
    :param int lines: lines of each order.
    """

    def __init__(self, env, lines):
        # The chatter of these sales is not needed.
        self.env = env = env(context={**env.context, 'tracking_disable': True})
        self.lines = lines
        self.tax = get_sale_tax(env)
        names = [f"Benchmark {number:02}" for number in range(max(PRODUCTS, lines))]
        self.products = create_products(env, names, standard_price=6.0)
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
        """Return orders that are delivered and invoiced, each of its own customer."""
        self.stock_up(number)
        orders = self.create_orders(number)
        orders.action_confirm()
        validate(orders.picking_ids)
        invoice(orders)
        return orders

    def sell_measured(self, measure):
        """Sell one order, deliver and invoice it, each step as a separate request.

        :param Phases measure: what measures them.
        """
        orders = None
        for name in ('order', 'delivery', 'invoice'):
            self.env.cr.commit()
            self.env.invalidate_all()
            gc.collect()
            with measure(name):
                if name == 'order':
                    orders = self.create_orders(1)
                    orders.action_confirm()
                elif name == 'delivery':
                    validate(orders.picking_ids)
                else:
                    invoice(orders)
                self.env.flush_all()
        self.env.cr.commit()

    def stock_up(self, number):
        """Put enough in stock for a number of orders."""
        most = number * (self.lines + 3)
        put_in_stock(self.warehouse.lot_stock_id, dict.fromkeys(self.products, float(most)))

    def create_orders(self, number):
        """Return new orders, each of its own customer."""
        partners = self.env['res.partner'].create(
            [{'name': f"Customer {i:03}", 'category_id': self.tag.ids} for i in range(number)]
        )
        return self.env['sale.order'].create(
            [
                {
                    'partner_id': partner.id,
                    'warehouse_id': self.warehouse.id,
                    'order_line': [
                        (0, 0, self.prepare_line(self.lines * index + position, position))
                        for position in range(self.lines)
                    ],
                }
                for index, partner in enumerate(partners)
            ]
        )

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
        self.env = env
        self.orders = orders.with_env(env)
        self.measure = phases

    def run(self):
        for name in PHASES:
            step = getattr(self, name, None)
            if not step:
                continue
            # Each step is a separate request: nothing is cached, everything is committed.
            self.env.cr.commit()
            self.env.invalidate_all()
            gc.collect()
            with self.measure(name):
                step()
                self.env.flush_all()
        self.check()
        self.env.cr.commit()

    def check(self):
        """Check that all ways did the same work."""
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
        validate(self.returns.picking_ids)

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
        validate(self.receipts)

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
        validate(self.receipts)

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
        validate(transfers)

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
