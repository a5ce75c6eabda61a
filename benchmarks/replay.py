"""Build the invoices of real trade in Odoo and replay its cancellations as returns.

Used by `dev/demo --real` and by `tests/flow/test_flow_real_trade.py`.
"""

from collections import defaultdict
from contextlib import contextmanager
from decimal import Decimal

from odoo.exceptions import UserError
from odoo.fields import Command

from . import shop
from .expected import ExpectedCredit
from .report import Phases

LINES_PER_BATCH = 400
CANCELLATIONS_PER_BATCH = 40
SYNC_LIMIT = 'sale_return.sync_limit'


def get_batches(records, size, weight=lambda record: 1):
    """Cut a list into parts of about this weight, at least one record each."""
    batches, filled = [[]], 0
    for record in records:
        if batches[-1] and filled + weight(record) > size:
            batches.append([])
            filled = 0
        batches[-1].append(record)
        filled += weight(record)
    return batches


class Replay:
    """Real trade in one company.

    :param env: environment of a user who may do everything.
    :param trade: `Trade`, see `trade.collect`.
    :param progress: called with a title and the batches; yields the batches.
    """

    def __init__(self, env, trade, progress=lambda title, batches: batches):
        # The chatter of the generated trade is not needed.
        self.env = env(context={**env.context, 'tracking_disable': True})
        self.trade = trade
        self.progress = progress
        self.phases = Phases(env.cr)
        # `{(number of the invoice, position): order line}`
        self.sale_lines = {}
        self.invoices = self.env['account.move']
        self.returns = self.env['sale.return']
        # `(cancellation, the add-on's sentence)`
        self.refused = []
        self.credited = []
        self.differences = []

    def run(self):
        """Build the invoices, replay the cancellations, compare."""
        self.build()
        self.expected = ExpectedCredit(self.invoices)
        with self.crediting_by_hand():
            for batch in self.progress(
                "Cancellations returned",
                get_batches(self.get_documents(), CANCELLATIONS_PER_BATCH, len),
            ):
                self.replay([cancellation for document in batch for cancellation in document])
                self.forget()
        with self.phases('compare'):
            self.compare_invoices()
            self.compare_orders()
            self.compare_stock()
            self.compare_ledger()

    def forget(self):
        """Write everything, and drop what is cached: each batch starts like a new request."""
        self.env.flush_all()
        self.env.invalidate_all()

    @contextmanager
    def crediting_by_hand(self):
        """Leave the credit to its own step, to measure it apart from the inspection."""
        parameters = self.env['ir.config_parameter'].sudo()
        before = parameters.get_param(SYNC_LIMIT)
        parameters.set_param(SYNC_LIMIT, '0')
        yield
        parameters.set_param(SYNC_LIMIT, before)

    # === BUILD === #

    def stock_up(self):
        """Put everything in stock that the invoices deliver."""
        wanted = defaultdict(float)
        for invoice in self.trade.invoices:
            for line in invoice.lines:
                wanted[self.products[line.code]] += line.quantity
        shop.put_in_stock(self.warehouse.lot_stock_id, wanted)

    def build(self):
        """Create, confirm, deliver and invoice an order for each invoice of the trade."""
        with self.phases('customers and products'):
            self.prepare()
            self.stock_up()
            self.forget()
        batches = get_batches(self.trade.invoices, LINES_PER_BATCH, lambda i: len(i.lines))
        for batch in self.progress("Invoices built", batches):
            with self.phases('orders'):
                orders = self.create_orders(batch)
                orders.action_confirm()
            with self.phases('deliveries'):
                shop.validate(orders.picking_ids)
            with self.phases('invoices'):
                self.invoices |= shop.invoice(orders)
            self.forget()

    def prepare(self):
        """Create customers, products, pricelist and the policy that asks for approval."""
        env = self.env
        self.tax = shop.get_sale_tax(env)
        self.warehouse = env['stock.warehouse'].search(
            [('company_id', '=', env.company.id)], limit=1
        )
        self.pricelist = self.get_pricelist('GBP')
        self.run_number = 1 + env['res.partner.category'].search_count(
            [('name', '=like', "Real trade%")]
        )
        tag = env['res.partner.category'].create({'name': f"Real trade {self.run_number}"})
        env['sale.return.policy'].create(
            {
                'name': tag.name,
                'sequence': 1,
                'partner_category_ids': [Command.set(tag.ids)],
                'approval': 'always',
            }
        )
        numbers = sorted({invoice.customer for invoice in self.trade.invoices})
        countries = {country.name: country for country in env['res.country'].search([])}
        country_names = {invoice.customer: invoice.country for invoice in self.trade.invoices}
        partners = env['res.partner'].create(
            [
                {
                    'name': f"Customer {number}",
                    'ref': number,
                    'category_id': [Command.set(tag.ids)],
                    'country_id': countries.get(country_names[number], env['res.country']).id,
                }
                for number in numbers
            ]
        )
        self.partners = dict(zip(numbers, partners, strict=True))
        names = {
            line.code: line.description for invoice in self.trade.invoices for line in invoice.lines
        }
        products = shop.create_products(env, list(names.values()))
        for code, product in zip(names, products, strict=True):
            product.default_code = code
        self.products = dict(zip(names, products, strict=True))
        self.reason = env.ref('sale_return.reason_changed_mind')

    def get_pricelist(self, currency_name):
        """Return a pricelist in the currency of the trade, made usable if it is not."""
        currency = (
            self.env['res.currency']
            .with_context(active_test=False)
            .search([('name', '=', currency_name)])
        )
        currency.active = True
        if currency != self.env.company.currency_id and not currency.rate_ids:
            # Any rate but 1 shows mistakes in the company's currency.
            currency.rate_ids = [Command.create({'name': '2010-01-01', 'rate': 0.64})]
        return self.env['product.pricelist'].create(
            {
                'name': f"Real trade ({currency_name})",
                'currency_id': currency.id,
                'company_id': self.env.company.id,
            }
        )

    def create_orders(self, invoices):
        """Create the orders of invoices and remember their lines."""
        orders = self.env['sale.order'].create(
            [
                {
                    'partner_id': self.partners[invoice.customer].id,
                    'client_order_ref': invoice.number,
                    'pricelist_id': self.pricelist.id,
                    'warehouse_id': self.warehouse.id,
                    'order_line': [
                        Command.create(
                            {
                                'product_id': self.products[line.code].id,
                                'product_uom_qty': line.quantity,
                                'price_unit': line.price,
                                'tax_ids': [Command.set(self.tax.ids)],
                            }
                        )
                        for line in invoice.lines
                    ],
                }
                for invoice in invoices
            ]
        )
        for invoice, order in zip(invoices, orders, strict=True):
            for position, line in enumerate(order.order_line.sorted('id')):
                self.sale_lines[invoice.number, position] = line
        return orders

    # === REPLAY === #

    def get_documents(self):
        """Return the cancellations by document: lists of those with the same number."""
        documents = defaultdict(list)
        for cancellation in self.trade.cancellations:
            documents[cancellation.number].append(cancellation)
        return list(documents.values())

    def replay(self, cancellations):
        """Process cancellations through request, approval, receipt, inspection and credit."""
        with self.phases('request'):
            returns = self.request(cancellations)
        with self.phases('approve'):
            returns.action_approve()
        with self.phases('receive'):
            shop.validate(returns.picking_ids)
        with self.phases('inspect'):
            returns.action_inspect_all('restock', grade='A')
        with self.phases('credit'):
            returns.action_create_credit_notes()
            self.env.flush_all()
        self.returns |= returns
        with self.phases('compare'):
            self.compare_notes(returns)

    def request(self, cancellations):
        """Create and submit one return per cancellation; what exceeds the purchase must fail."""
        documents, excessive = defaultdict(list), []
        for cancellation in cancellations:
            if cancellation.fits:
                documents[cancellation.number].append(cancellation)
            else:
                excessive.append(cancellation)
        returns = self.env['sale.return'].create(
            [self.prepare_return_vals(number, lines) for number, lines in documents.items()]
        )
        returns.action_submit()
        self.env.flush_all()
        for position, cancellation in enumerate(excessive):
            number = f'{cancellation.number}-{position}'
            try:
                with self.env.cr.savepoint():
                    # Separately, so that the rest of its document is processed normally.
                    vals = self.prepare_return_vals(number, [cancellation])
                    self.env['sale.return'].create(vals).action_submit()
            except UserError as error:
                self.refused.append((cancellation, str(error)))
            else:
                self.differences.append(
                    f"{cancellation.number}: {cancellation.quantity} × {cancellation.code} were "
                    f"returned, but only {cancellation.left} were left"
                )
        return returns

    def prepare_return_vals(self, number, cancellations):
        """Prepare the return of one cancellation document."""
        quantities = defaultdict(int)
        for cancellation in cancellations:
            for position, quantity in cancellation.parts:
                quantities[self.sale_lines[cancellation.invoice.number, position]] += quantity
        return {
            'partner_id': self.partners[cancellations[0].invoice.customer].id,
            'external_ref': f'{self.run_number}/{number}' if self.run_number > 1 else number,
            'line_ids': [
                Command.create(
                    {
                        'sale_line_id': line.id,
                        'qty_requested': quantity,
                        'reason_id': self.reason.id,
                    }
                )
                for line, quantity in quantities.items()
            ],
        }

    # === COMPARE === #

    def differ(self, what, found, expected):
        """Record a difference, if there is one."""
        if found != expected:
            self.differences.append(f"{what}: {found} instead of {expected}")

    def compare_notes(self, returns):
        """Compare the credit notes of returns with the amounts expected from the invoices."""
        self.forget()
        totals = defaultdict(lambda: [Decimal(0), Decimal(0)])
        for line in returns.line_ids.sorted('id'):
            invoice_line = line.sale_line_id.invoice_lines.filtered(
                lambda invoiced: invoiced.move_id.move_type == 'out_invoice'
            )
            note_line = line.credit_line_ids
            untaxed, tax = self.expected.take(invoice_line, line.qty_requested)
            what = f"{line.return_id.name} {line.product_id.default_code}"
            self.differ(f"{what} note lines", len(note_line), 1)
            # The ledger counts.
            self.differ(
                f"{what} untaxed", to_cents(sum(note_line.mapped('amount_currency'))), untaxed
            )
            self.differ(f"{what} quantity", sum(note_line.mapped('quantity')), line.qty_requested)
            self.differ(f"{what} invoice line", note_line.credited_line_id, invoice_line)
            # The invoice itself is checked against the data, to one cent for its own rounding.
            priced = Decimal(str(line.sale_line_id.price_unit)) * Decimal(str(line.qty_requested))
            if abs(untaxed - priced) > Decimal('0.01'):
                self.differ(f"{what} price × quantity", untaxed, priced)
            for note in note_line.move_id:
                totals[note][0] += untaxed
                totals[note][1] += tax
        for note, (untaxed, tax) in totals.items():
            self.differ(f"{note.name} state", note.state, 'posted')
            self.differ(f"{note.name} untaxed", to_cents(note.amount_untaxed), untaxed)
            self.differ(f"{note.name} tax", to_cents(note.amount_tax), tax)
            self.differ(f"{note.name} total", to_cents(note.amount_total), untaxed + tax)
            self.differ(f"{note.name} currency", note.currency_id, self.pricelist.currency_id)
            self.credited.append((to_cents(note.amount_total), untaxed + tax))
        for sale_return in returns:
            self.differ(f"{sale_return.name} state", sale_return.state, 'closed')
            self.differ(f"{sale_return.name} to credit", sale_return.amount_to_credit, 0.0)

    def compare_invoices(self):
        """Check invoice lines that came back completely: nothing may be left."""
        self.full_lines = 0
        for line, left in self.expected.quantity.items():
            if left:
                continue
            self.full_lines += 1
            credited = sum(line.credited_line_ids.mapped('amount_currency'))
            self.differ(
                f"{line.move_id.name} {line.product_id.default_code} credited in full",
                to_cents(credited),
                to_cents(-line.amount_currency),
            )

    def compare_orders(self):
        """Check that the returns caused nothing to invoice or to deliver."""
        orders = self.invoices.line_ids.sale_line_ids.order_id
        lines = orders.order_line
        lines._action_launch_stock_rule()
        for order in orders:
            self.differ(f"{order.name} invoice status", order.invoice_status, 'invoiced')
        for line in lines.filtered('qty_to_invoice'):
            self.differ(f"{line.order_id.name} to invoice", line.qty_to_invoice, 0.0)
        still_open = lines.move_ids.filtered(lambda move: move.state not in ('done', 'cancel'))
        self.differ("open transfers", still_open.mapped('reference'), [])
        cancelled = defaultdict(float)
        for cancellation in self.trade.cancellations:
            for position, quantity in cancellation.parts if cancellation.fits else ():
                cancelled[self.sale_lines[cancellation.invoice.number, position]] += quantity
        for line in lines:
            what = f"{line.order_id.name} {line.product_id.default_code}"
            back = cancelled[line]
            left = line.product_uom_qty - back
            self.differ(f"{what} returned", line.qty_returned, back)
            self.differ(f"{what} delivered", line.qty_delivered, left)
            self.differ(f"{what} invoiced", line.qty_invoiced, left)

    def compare_stock(self):
        """Check that everything that came back is in stock again, and nothing in quarantine."""
        wanted = defaultdict(float)
        for line in self.returns.line_ids:
            wanted[line.product_id] += line.qty_requested
        groups = self.env['stock.quant']._read_group(
            [
                ('product_id', 'in', [product.id for product in self.products.values()]),
                ('location_id.usage', '=', 'internal'),
            ],
            ['product_id', 'location_id'],
            ['quantity:sum'],
        )
        found = {(product, location): quantity for product, location, quantity in groups}
        for product in self.products.values():
            here = found.pop((product, self.warehouse.lot_stock_id), 0.0)
            self.differ(f"{product.default_code} in stock", here, wanted[product])
        for (product, location), quantity in found.items():
            self.differ(f"{product.default_code} in {location.complete_name}", quantity, 0.0)

    def compare_ledger(self):
        """Check that every entry of the company balances."""
        groups = self.env['account.move.line']._read_group(
            [('parent_state', '=', 'posted'), ('company_id', '=', self.env.company.id)],
            ['move_id'],
            ['balance:sum'],
        )
        unit = self.env.company.currency_id
        for move, balance in groups:
            if not unit.is_zero(balance):
                self.differ(f"{move.name} balance", balance, 0.0)


def to_cents(amount):
    """Return an amount of the ledger without the noise of binary fractions."""
    return Decimal(str(round(amount, 2))) + 0
