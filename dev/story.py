"""The story that dev/demo tells: one of Odoo's own demo orders, from delivery to credit note."""

from collections import defaultdict

# Demo orders of Odoo with two storable products each, delivered to nobody yet.
DEMO_ORDERS = ('sale_stock.sale_order_21', 'sale_stock.sale_order_19')
# Why the first and the second order line come back, and what happens to the goods.
PLAN = (
    ('reason_not_as_described', {'restock': 3, 'send_back': 1}),
    ('reason_damaged_in_transit', {'restock': 2, 'scrap': 2, 'send_back': 1}),
)


def run(env):
    """Play the story, print it, and return whether every check held.

    :rtype: bool
    """
    return Story(env).tell()


class Story:
    """Plays the steps one after the other and collects the output."""

    def __init__(self, env):
        # Importable once the registry is loaded, wherever the checkout lies.
        from odoo.addons.sale_return.benchmarks import expected, report, shop

        self.env = env
        self.shop = shop
        self.expected = expected
        self.format_table = report.format_table
        self.checks = report.Checks()
        self.rows = []
        # Anything to invoice or to deliver caused by the return, at any step: must stay empty.
        self.was_to_invoice = None
        self.disturbances = []

    def tell(self):
        """Play everything and print it."""
        self.sell()
        before = self.get_stock()
        self.request()
        self.receive()
        self.inspect()
        self.send_back()
        self.check_money()
        self.check_ledger()
        self.check_stock(before)
        self.check_order()
        self.check_repeated()
        self.print()
        return self.checks.passed

    # === SOLD, WITH ODOO'S OWN METHODS === #

    def sell(self):
        """Confirm, deliver and invoice the order."""
        self.order = order = self.find_order()
        if order.state in ('draft', 'sent'):
            order.action_confirm()
        lines = order.order_line.filtered(lambda line: line.product_id.is_storable)
        self.plan = dict(zip(lines, PLAN, strict=False))
        self.step("Order", order, self.describe('product_uom_qty'))

        self.shop.put_in_stock(
            order.warehouse_id.lot_stock_id,
            {line.product_id: line.product_uom_qty for line in lines},
        )
        delivery = self.shop.deliver(order)
        self.step("Delivery", delivery, self.describe('qty_delivered'))

        self.invoice = self.shop.invoice(order)
        self.step("Invoice", self.invoice, self.get_total(self.invoice))
        self.was_to_invoice = order.order_line.mapped('qty_to_invoice')
        self.was_planned = len(order.picking_ids)

    def find_order(self):
        """Return a demo order nobody has delivered yet, or else a copy of the first one."""
        for xml_id in DEMO_ORDERS:
            order = self.env.ref(xml_id, raise_if_not_found=False)
            lines = order.order_line if order else ()
            if (
                lines
                and order.state != 'cancel'
                and not any(line.qty_delivered or line.qty_invoiced for line in lines)
            ):
                self.source = f"{xml_id}, from Odoo's demo data"
                return order
        self.source = f"a copy of {DEMO_ORDERS[0]}, from Odoo's demo data"
        return self.env.ref(DEMO_ORDERS[0]).copy()

    # === TAKEN BACK === #

    def request(self):
        """Open the return from the order, by its dialog, and have it decided."""
        action = self.order.action_create_return()
        wizard = self.env[action['res_model']].with_context(**action['context']).create({})
        for row in wizard.line_ids:
            reason, parts = self.plan.get(row.sale_line_id, (None, {}))
            if reason:
                row.quantity = sum(parts.values())
                row.reason_id = self.env.ref(f'sale_return.{reason}')
        opened = wizard.action_create()
        self.sale_return = self.env[opened['res_model']].browse(opened['res_id'])
        self.step("Return", self.sale_return, self.describe_return('qty_requested'))

        self.sale_return.action_submit()
        if self.sale_return.state == 'submitted':
            self.sale_return.action_approve()
        self.step("Approval", self.sale_return, self.describe_return('qty_authorized'))

    def receive(self):
        """Receive the goods into quarantine."""
        receipt = self.sale_return.picking_ids
        self.checks.equal("exactly one receipt", len(receipt), 1)
        self.shop.validate(receipt)
        self.step("Receipt", receipt, self.describe_return('qty_received'))

    def inspect(self):
        """Inspect the goods, which moves them and makes the credit note."""
        by_sale_line = {line.sale_line_id: line for line in self.sale_return.line_ids}
        rows = self.sale_return.line_ids.register_inspection(
            [
                {
                    'line_id': by_sale_line[sale_line].id,
                    'quantity': quantity,
                    'disposition': disposition,
                    'grade': 'A' if disposition == 'restock' else 'D',
                }
                for sale_line, (_reason, parts) in self.plan.items()
                for disposition, quantity in parts.items()
            ]
        )
        for disposition, group in rows.grouped('disposition_id').items():
            quantities = {row.line_id.sale_line_id: row.quantity for row in group}
            self.step(
                f"Inspection: {disposition.name}",
                group.move_ids.picking_id,
                self.describe_quantities(quantities),
            )
        self.note = self.sale_return.credit_note_ids
        self.step("Credit note", self.note, self.get_total(self.note))

    def send_back(self):
        """Deliver to the customer what was refused."""
        delivery = self.sale_return.transfer_ids.filtered(lambda picking: picking.state != 'done')
        self.checks.equal(
            "refused goods are ready to be sent", delivery.mapped('state'), ['assigned']
        )
        self.shop.validate(delivery)
        self.step("Delivery back", delivery, self.describe_return('qty_sent_back'))
        self.step("End", self.sale_return, self.describe_return('qty_credited'))

    # === CHECKS === #

    def watch(self, step):
        """Record anything to invoice or to deliver caused by the return, which must be nothing."""
        if self.was_to_invoice is None:
            return
        self.env.flush_all()
        self.env.invalidate_all()
        lines = self.order.order_line
        if self.order.invoice_status == 'to invoice':
            self.disturbances.append(f"{step}: order is to invoice")
        if lines.mapped('qty_to_invoice') != self.was_to_invoice:
            self.disturbances.append(f"{step}: to invoice {lines.mapped('qty_to_invoice')}")
        # Odoo plans a delivery here if it thinks that something is left to deliver.
        lines._action_launch_stock_rule()
        planned = self.order.picking_ids - self.get_return_transfers()
        if len(planned) != self.was_planned:
            self.disturbances.append(f"{step}: delivers {planned.mapped('name')}")

    def get_return_transfers(self):
        """Return the transfers that the return has created."""
        moves = self.order.order_line.return_line_ids.move_ids
        return moves.picking_id

    def get_accepted(self):
        """Return `{order line: quantity that is to be credited}`."""
        return {
            line: sum(qty for disposition, qty in parts.items() if disposition != 'send_back')
            for line, (_reason, parts) in self.plan.items()
        }

    def check_money(self):
        """Compare the credit note with the invoice."""
        checks, note, invoice = self.checks, self.note, self.invoice
        expected = self.expected.ExpectedCredit(invoice)
        total = 0
        for line, quantity in self.get_accepted().items():
            mine = note.invoice_line_ids.filtered(lambda n, line=line: line in n.sale_line_ids)
            untaxed, tax = expected.take(line.invoice_lines & invoice.invoice_line_ids, quantity)
            total += untaxed + tax
            checks.equal(
                f"credited = expected: {quantity} {line.product_id.name}",
                (mine.quantity, mine.price_subtotal),
                (float(quantity), float(untaxed)),
            )
        checks.equal("credited = expected: tax included", note.amount_total, float(total))
        checks.equal("credit note is posted", note.mapped('state'), ['posted'])
        checks.equal("credit note names its invoice", note.reversed_entry_id.name, invoice.name)
        left = invoice.currency_id.round(invoice.amount_total - note.amount_total)
        checks.equal("invoice is open for the rest", invoice.amount_residual, left)

    def check_ledger(self):
        """Check that each document and the whole ledger balance."""
        Line = self.env['account.move.line']
        domain = [('parent_state', '=', 'posted'), ('company_id', '=', self.order.company_id.id)]
        unit = self.order.company_id.currency_id
        groups = Line._read_group(domain, ['move_id'], ['balance:sum'])
        wrong = [move.name for move, balance in groups if not unit.is_zero(balance)]
        total = unit.round(sum(balance for _move, balance in groups)) + 0.0
        self.checks.equal(f"ledger balances: {len(groups)} entries", (total, wrong), (0.0, []))

    def get_stock(self):
        """Return `{(product, place): quantity}` for the places where goods of the story are."""
        warehouse = self.order.warehouse_id
        places = {
            'restock': warehouse.lot_stock_id,
            'scrap': warehouse.company_id.sale_return_scrap_location_id,
            'send_back': self.order.partner_shipping_id.property_stock_customer,
            'quarantine': warehouse.sale_return_loc_id,
        }
        stock = defaultdict(float)
        for place, location in places.items():
            domain = [
                ('location_id', 'child_of', location.ids),
                ('product_id', 'in', self.order.order_line.product_id.ids),
            ]
            for product, quantity in self.env['stock.quant']._read_group(
                domain if location else [(0, '=', 1)], ['product_id'], ['quantity:sum']
            ):
                stock[product, place] = quantity
        return stock

    def check_stock(self, before):
        """Compare the moves with the inspections."""
        after = self.get_stock()
        for line, (_reason, parts) in self.plan.items():
            product = line.product_id
            moved = {
                place: after[product, place] - before[product, place]
                for place in ('restock', 'scrap', 'send_back', 'quarantine')
            }
            expected = {
                'restock': parts.get('restock', 0),
                'scrap': parts.get('scrap', 0),
                # Came from the customer, and a part of it went to them again.
                'send_back': parts.get('send_back', 0) - sum(parts.values()),
                'quarantine': 0,
            }
            self.checks.add(
                f"stock where it belongs: {product.name}",
                moved == expected,
                "stock {restock:+g}, scrap {scrap:+g}, customer {send_back:+g}, "
                "quarantine {quarantine:+g}".format(**moved),
            )

    def check_order(self):
        """Check the quantities of the order, and those recorded on the way."""
        checks = self.checks
        for line, accepted in self.get_accepted().items():
            left = line.product_uom_qty - accepted
            checks.equal(
                f"delivered, invoiced, returnable: {line.product_id.name}",
                (line.qty_delivered, line.qty_invoiced, line.qty_returnable),
                (left, left, left),
            )
        checks.equal("nothing to invoice or deliver at any step", self.disturbances, [])
        checks.equal("order is invoiced", self.order.invoice_status, 'invoiced')
        checks.equal("return is closed", self.sale_return.state, 'closed')

    def check_repeated(self):
        """Repeat what has been done: nothing may change."""
        before = self.get_facts()
        notes = self.sale_return.action_create_credit_notes()
        self.sale_return.action_create_credit_notes()
        self.checks.equal(
            "crediting again creates nothing", (len(notes), self.get_facts()), (0, before)
        )

    def get_facts(self):
        """Return what a repeated action might have changed."""
        self.env.flush_all()
        self.env.invalidate_all()
        sale_return = self.sale_return
        return (
            len(sale_return.credit_note_ids),
            len(sale_return.event_ids),
            sale_return.amount_credited,
            sale_return.state,
        )

    # === PRINT === #

    def step(self, title, document, details):
        """Add a row to the table, and record the effect of the step on the order."""
        labels = dict(document._fields['state']._description_selection(self.env))
        self.rows.append(
            [
                title,
                ", ".join(document.mapped('name')),
                details,
                ", ".join(labels[state] for state in document.mapped('state')),
            ]
        )
        self.watch(title)

    def describe_quantities(self, quantities):
        """Return `{order line: quantity}` as a short text."""
        return ", ".join(
            f"{quantity:g} {line.product_id.name}" for line, quantity in quantities.items()
        )

    def describe(self, field):
        """Return a quantity of the order lines as a short text."""
        return self.describe_quantities({line: line[field] for line in self.plan})

    def describe_return(self, field):
        """Return a quantity of the return lines as a short text."""
        lines = self.sale_return.line_ids.sorted('id')
        return self.describe_quantities({line.sale_line_id: line[field] for line in lines})

    def get_total(self, move):
        """Return the total of an invoice or a note."""
        currency = move.currency_id
        return (
            f"{currency.name} {move.amount_total:,.{currency.decimal_places}f}, "
            f"{move.amount_residual:,.{currency.decimal_places}f} open"
        )

    def print(self):
        """Print the steps and the checks."""
        print(f"\nOrder {self.order.name} ({self.source})\n")
        print(self.format_table(['Step', 'Document', 'What', 'State'], self.rows))
        print()
        self.checks.print()
        failed = len(self.checks.failed_names)
        print(f"\n{len(self.checks.rows)} checks, {failed or 'none'} failed.")
