"""The cases of docs/money.md: real documents, compared with amounts worked out by hand.

Each case says what is sold and what comes back, and what must be posted then. What is expected is
written here as text, by whoever checked it with pencil and paper; the engine has no part in it.
"""

from pathlib import Path

from odoo import Command

BEGIN, END = "<!-- cases: written by dev/money -->", "<!-- end of the cases -->"
CASES = []


def case(name, steps, expected):
    """Register a function that plays a case and returns what was posted, as text."""

    def register(play):
        CASES.append((name, steps, expected, play))
        return play

    return register


def run(env, docs, write='yes'):
    """Play all cases, print them, and (``write=yes``) put them into docs/money.md.

    :rtype: bool
    """
    world = create_world(env)
    rows = []
    for name, steps, expected, play in CASES:
        savepoint = env.cr.savepoint()
        try:
            posted = play(world)
        finally:
            # No case sees the stock, the rates or the settings of another.
            savepoint.rollback()
            savepoint.close(rollback=False)
            env.invalidate_all()
        rows.append([name, steps, expected, posted])
        print(f"{'ok' if posted == expected else 'DIFFERS'}: {name}: {posted}", flush=True)
    failed = [row for row in rows if row[2] != row[3]]
    for name, steps, expected, posted in failed:
        print(f"\n{name}: {steps}\n  expected {expected}\n  posted   {posted}")
    print(f"\n{len(rows) - len(failed)} of {len(rows)} cases as expected")
    if write == 'yes':
        write_table(Path(docs), rows)
    return not failed


def write_table(path, rows):
    """Replace what stands between the two comments of a file by the table."""
    text = path.read_text()
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    head = ["case", "steps", "expected", "posted"]
    lines = [f"| {' | '.join(row)} |" for row in [head, ["---"] * 4, *rows]]
    path.write_text("\n".join([before + BEGIN, "", *lines, "", END + after]))


def create_world(env):
    """Return the world of the tests: a company of its own, with their ways to sell and return."""
    from odoo.addons.sale_return.tests.common import SaleReturnCommon

    class World(SaleReturnCommon):
        pass

    World.env = env(context={**env.context, 'tracking_disable': True})
    World._setup_world()
    World.no_tax = World.env['account.tax']
    return World


# === WHAT IS TOLD OF A CASE === #


def amounts(*records, name='amount_total'):
    """Return amounts of documents with the decimals of their currency."""
    return ", ".join(
        f"{record[name]:.{record.currency_id.decimal_places}f}" for r in records for record in r
    )


def notes_of(*returns):
    """Return the totals of the notes of returns, one after the other."""
    return amounts(*[sale_return.credit_note_ids.sorted('id') for sale_return in returns])


def left(invoice):
    return f"invoice left {amounts(invoice, name='amount_residual')}"


def cost_of(moves):
    """Return the cost of goods that notes take back into stock."""
    lines = moves.line_ids.filtered(
        lambda line: (
            line.display_type == 'cogs' and not line.account_id.account_type.startswith('expense')
        )
    )
    return f"cost {sum(lines.mapped('balance')):.2f}"


def in_company_currency(notes):
    return f"{sum(abs(note.amount_total_signed) for note in notes):.2f}"


def exchange_of(world):
    moves = world.env['account.move'].search(
        [
            ('journal_id', '=', world.company.currency_exchange_journal_id.id),
            ('state', '=', 'posted'),
        ]
    )
    booked = sum(abs(line.balance) for line in moves.line_ids) / 2
    return f"exchange {booked:.2f}"


def give_back(world, line, quantities, **values):
    """Sell one line, return these quantities one after the other, tell the notes."""
    order = world._create_sale({'quantity': sum(quantities), **line}, **values)
    invoice = order.invoice_ids
    returns = [world._return_goods(order, quantity) for quantity in quantities]
    return f"{notes_of(*returns)}; {left(invoice)}"


# === EXACTNESS === #


@case(
    "tax excluded",
    "3 × 10.01 + 21 % (36.34), back 1, 1, 1",
    "12.11, 12.12, 12.11; invoice left 0.00",
)
def tax_excluded(world):
    return give_back(world, {'price': 10.01}, [1, 1, 1])


@case(
    "tax included",
    "3 × 10.00 with 20 % in it (25.00 + 5.00), back 1, 1, 1",
    "10.00, 10.01, 9.99; invoice left 0.00",
)
def tax_included(world):
    return give_back(world, {'price': 10.0, 'taxes': world.tax_20_included}, [1, 1, 1])


@case(
    "group of taxes",
    "7 × 3.33 + 21 % + 5 % (23.31 + 4.90 + 1.17), back 3, 4",
    "12.59, 16.79; invoice left 0.00",
)
def group_of_taxes(world):
    return give_back(world, {'price': 3.33, 'taxes': world.tax_group}, [3, 4])


@case(
    "discount",
    "3 × 19.99 − 33.33 % + 21 % (39.98 + 8.40), back 1, 1, 1",
    "16.13, 16.13, 16.12; invoice left 0.00",
)
def discount(world):
    return give_back(world, {'price': 19.99, 'discount': 33.33}, [1, 1, 1])


@case("no tax", "7 × 10/7 (10.00), back 3, 4", "4.29, 5.71; invoice left 0.00")
def no_tax(world):
    return give_back(world, {'price': 10 / 7, 'taxes': world.no_tax}, [3, 4])


@case(
    "rounding globally",
    "3 × 10.01 and 3 × 0.07 + 21 % (30.24 + 6.35), back 1, 1, 1 of both",
    "12.19, 12.21, 12.19; invoice left 0.00",
)
def rounding_globally(world):
    world._configure(tax_calculation_rounding_method='round_globally')
    order = world._create_sale({'quantity': 3, 'price': 10.01}, {'quantity': 3, 'price': 0.07})
    invoice = order.invoice_ids
    returns = [world._return_goods(order, 1) for _part in range(3)]
    return f"{notes_of(*returns)}; {left(invoice)}"


@case(
    "yen, no decimals",
    "7 × 333 − 10 % + 21 % (2098 + 441), back 3, 4",
    "1088, 1451; invoice left 0",
)
def yen(world):
    pricelist = world._setup_currency('JPY')
    return give_back(world, {'price': 333, 'discount': 10}, [3, 4], pricelist_id=pricelist.id)


@case(
    "dinar, three decimals",
    "3 × 1.111 + 21 % (3.333 + 0.700), back 1, 1, 1",
    "1.344, 1.345, 1.344; invoice left 0.000",
)
def dinar(world):
    pricelist = world._setup_currency('KWD')
    return give_back(world, {'price': 1.111}, [1, 1, 1], pricelist_id=pricelist.id)


@case(
    "thirds of a unit",
    "1 × 10.00 + 21 %, back 0.33, 0.33, 0.34",
    "3.99, 3.99, 4.12; invoice left 0.00",
)
def thirds(world):
    return give_back(world, {'price': 10.0}, [0.33, 0.33, 0.34])


@case(
    "sold in dozens",
    "2 dozen × 120 + 21 %, cost 60 a piece, back half a dozen",
    "72.60; invoice left 217.80; 6 pieces, cost 360.00",
)
def dozens(world):
    order = world._create_sale({'quantity': 2, 'price': 120.0, 'product_uom_id': world.dozen.id})
    invoice = order.invoice_ids
    back = world._return_goods(order, 0.5)
    pieces = sum(back.picking_ids.move_ids.mapped('product_qty'))
    cost = cost_of(back.credit_note_ids)
    return f"{notes_of(back)}; {left(invoice)}; {pieces:.0f} pieces, {cost}"


def play_cash_rounding(world, strategy):
    order = world._create_order({'quantity': 3, 'price': 10.01})
    world._deliver(order)
    invoice = world._invoice(order, post=False)
    invoice.invoice_cash_rounding_id = world._create_cash_rounding(strategy)
    invoice.action_post()
    returns = [world._return_goods(order, quantity) for quantity in (1, 2)]
    return f"{notes_of(*returns)}; {left(invoice)}"


@case(
    "cash rounding by a line",
    "3 × 10.01 + 21 % rounded to 36.35, back 1, 2",
    "12.11, 24.24; invoice left 0.00",
)
def cash_rounding_by_line(world):
    return play_cash_rounding(world, 'add_invoice_line')


@case(
    "cash rounding by the tax",
    "3 × 10.01 + 21 % (6.32) rounded to 36.35, back 1, 2",
    "12.12, 24.23; invoice left 0.00",
)
def cash_rounding_by_tax(world):
    return play_cash_rounding(world, 'biggest_tax')


# === MANY INVOICES === #


@case(
    "two invoices",
    "10 × 100, invoiced 4 and 6, back 7, then 3",
    "400.00, 300.00, 300.00; invoice left 0.00, 0.00",
)
def two_invoices(world):
    order = world._create_order({'taxes': world.no_tax})
    world._deliver(order, 4)
    first = world._invoice(order)
    world._deliver(order)
    invoices = first + world._invoice(order)
    returns = [world._return_goods(order, quantity) for quantity in (7, 3)]
    return f"{notes_of(*returns)}; {left(invoices)}"


@case(
    "one invoice of two orders",
    "10 × 100 and 10 × 55 of another order, back 2 of the other",
    "110.00; invoice left 1440.00",
)
def two_orders(world):
    orders = world._create_order({'taxes': world.no_tax})
    orders += world._create_order({'price': 55.0, 'taxes': world.no_tax})
    for order in orders:
        world._deliver(order)
    invoice = world._invoice(orders)
    return f"{notes_of(world._return_goods(orders[1], 2))}; {left(invoice)}"


@case(
    "down payment",
    "10 × 100 less 30 % paid before (700 invoiced), back 4, 6",
    "400.00, 600.00; invoice left 0.00; open for the customer 300.00",
)
def down_payment(world):
    order = world._create_order({'taxes': world.no_tax})
    wizard = world.env['sale.advance.payment.inv'].create(
        {
            'advance_payment_method': 'percentage',
            'amount': 30,
            'sale_order_ids': [Command.set(order.ids)],
        }
    )
    wizard._create_invoices(order).action_post()
    world._deliver(order)
    invoice = order._create_invoices(final=True)
    invoice.action_post()
    lines = order.order_line.filtered('product_id').filtered(lambda l: not l.is_downpayment)
    returns = [world._return_goods(lines, quantity) for quantity in (4, 6)]
    open_amount = sum(returns[1].credit_note_ids.mapped('amount_residual'))
    return f"{notes_of(*returns)}; {left(invoice)}; open for the customer {open_amount:.2f}"


@case(
    "price correction before",
    "10 × 100, correction by hand 10 × 5, back 10",
    "950.00; invoice left 0.00",
)
def price_correction(world):
    order = world._create_sale({'taxes': world.no_tax})
    invoice = order.invoice_ids
    world._reverse(invoice, price=5)
    return f"{notes_of(world._return_goods(order, 10))}; {left(invoice)}"


@case(
    "note by hand before",
    "10 × 100, note by hand 4 × 100, back 10",
    "600.00; invoice left 0.00",
)
def note_by_hand(world):
    order = world._create_sale({'taxes': world.no_tax})
    invoice = order.invoice_ids
    world._reverse(invoice, quantity=4)
    return f"{notes_of(world._return_goods(order, 10))}; {left(invoice)}"


@case(
    "note reversed in part",
    "10 × 100, back 4, one of it billed again by reversal, credited again",
    "400.00, 100.00; customer owes 600.00",
)
def reversed_in_part(world):
    order = world._create_sale({'taxes': world.no_tax})
    back = world._return_goods(order, 4)
    world._reverse(back.credit_note_ids, quantity=1)
    back.action_create_credit_notes()
    owed = sum(order.invoice_ids.mapped('amount_total_signed'))
    return f"{notes_of(back)}; customer owes {owed:.2f}"


@case(
    "goods never invoiced",
    "10 × 100 delivered, 6 invoiced, back 5",
    "100.00; invoice left 500.00; to invoice 0",
)
def never_invoiced(world):
    order = world._create_order({'taxes': world.no_tax})
    world._deliver(order, 6)
    invoice = world._invoice(order)
    world._deliver(order)
    back = world._return_goods(order, 5)
    return f"{notes_of(back)}; {left(invoice)}; to invoice {order.order_line.qty_to_invoice:.0f}"


# === CURRENCIES === #


def play_rate(world, setting):
    world._configure(sale_return_rate=setting)
    euro = world._setup_currency('EUR')
    order = world._create_sale({'taxes': world.no_tax}, pricelist_id=euro.id)
    world._set_rate(euro.currency_id, world.env.cr.now().date(), 4.0)
    notes = world._return_goods(order, 10).credit_note_ids
    return f"{amounts(notes)}, booked {in_company_currency(notes)}; {exchange_of(world)}"


@case(
    "rate of the invoice",
    "10 × 100 EUR at 2 EUR per unit (500 booked), rate now 4, back 10",
    "1000.00, booked 500.00; exchange 0.00",
)
def rate_of_invoice(world):
    return play_rate(world, 'original')


@case(
    "rate of the day",
    "the same with the setting “rate of the day”",
    "1000.00, booked 250.00; exchange 250.00",
)
def rate_of_day(world):
    return play_rate(world, 'day')


# === COST OF GOODS === #


@case(
    "cost changed since",
    "10 × 100 sold at cost 60, cost now 90, back 4",
    "400.00; cost 240.00",
)
def cost_changed(world):
    order = world._create_sale({'taxes': world.no_tax})
    world.product.standard_price = 90.0
    back = world._return_goods(order, 4)
    return f"{notes_of(back)}; {cost_of(back.credit_note_ids)}"


def play_bought(world, method):
    world.category.property_cost_method = method
    product = world._create_product("Bought", tracking='lot')
    product.tracking = 'none'
    world._buy(product, 10, 10)
    world._buy(product, 10, 20)
    order = world._create_sale({'product': product, 'quantity': 12, 'taxes': world.no_tax})
    world._buy(product, 5, 33)
    back = world._return_goods(order, 6)
    return f"{notes_of(back)}; {cost_of(back.credit_note_ids)}"


@case(
    "first in, first out",
    "bought 10 at 10 and 10 at 20, sold 12 × 100 (140), bought 5 at 33, back 6",
    "600.00; cost 70.00",
)
def fifo(world):
    return play_bought(world, 'fifo')


@case(
    "average cost",
    "bought 10 at 10 and 10 at 20, sold 12 × 100 (180), bought 5 at 33, back 6",
    "600.00; cost 90.00",
)
def average(world):
    return play_bought(world, 'average')


@case(
    "nothing comes back",
    "10 × 100 at cost 60, 2 were missing in the parcel",
    "200.00; cost 0.00",
)
def missing(world):
    order = world._create_sale({'taxes': world.no_tax})
    back = world._create_approved_return(order, 2, world.reason_missing)
    return f"{notes_of(back)}; {cost_of(back.credit_note_ids)}"


@case("service", "10 hours × 50, 3 of them credited", "150.00; invoice left 350.00")
def service(world):
    order = world._create_order({'product': world.service, 'price': 50.0, 'taxes': world.no_tax})
    invoice = world._invoice(order)
    return f"{notes_of(world._create_approved_return(order, 3))}; {left(invoice)}"


# === EXCHANGES === #


def sell_paid(world, *lines, **values):
    """Return an order of shirts of 100 + 21 % that is delivered, billed and paid."""
    order = world._create_sale(*(lines or [{'quantity': 1}]), **values)
    pay(world, order.invoice_ids)
    return order


def pay(world, invoices):
    journal = world.env['account.journal'].search(
        [('company_id', '=', world.company.id), ('type', '=', 'bank')], limit=1
    )
    world.env['account.payment.register'].with_context(
        active_model='account.move', active_ids=invoices.ids
    ).create({'journal_id': journal.id})._create_payments()


def new_goods(world, price, **values):
    return world._create_product(
        f"For {price:g}", list_price=price, taxes_id=[Command.set(world.tax_21.ids)], **values
    )


def wish(world, lines, quantity=1, product=None, come=None, disposition='restock'):
    """Return an exchange that has gone all the way; by default for another of the same kind.

    :param lines: order lines, each exchanged for the same.
    :param float come: how many come, all by default.
    """
    part = world.env.ref('sale_return.group_exchange').sudo()
    world.env.ref('sale_return.group_user').sudo()._apply_group(part)
    values = [
        {
            **row,
            'resolution': 'exchange',
            'exchange_product_id': (product or line.product_id).id,
        }
        for line, row in zip(
            lines,
            world._prepare_return_lines(lines, quantity, world.reason_changed_mind),
            strict=True,
        )
    ]
    back = world.env['sale.return'].create({'line_ids': values})
    back.action_submit()
    if disposition:
        world._receive(back, come)
        back.action_inspect_all(disposition)
    return back


def settled(back):
    """Return what an exchange has credited and billed, and what each has left."""
    bills = back.exchange_order_ids.invoice_ids
    return (
        f"credited {sum(back.credit_note_ids.mapped('amount_total')):.2f}, "
        f"billed {sum(bills.mapped('amount_total')):.2f}; "
        f"back {sum(back.credit_note_ids.mapped('amount_residual')):.2f}, "
        f"due {sum(bills.mapped('amount_residual')):.2f}"
    )


@case(
    "exchange, even",
    "2 × 100 + 21 %, both for the same again",
    "credited 242.00, billed 242.00; back 0.00, due 0.00",
)
def exchange_even(world):
    return settled(wish(world, sell_paid(world, {'quantity': 2}).order_line, 2))


@case(
    "exchange, up",
    "100 + 21 % for goods of 150 + 21 %",
    "credited 121.00, billed 181.50; back 0.00, due 60.50",
)
def exchange_up(world):
    return settled(wish(world, sell_paid(world).order_line, product=new_goods(world, 150.0)))


@case(
    "exchange, down",
    "100 + 21 % for goods of 60 + 21 %",
    "credited 121.00, billed 72.60; back 48.40, due 0.00",
)
def exchange_down(world):
    return settled(wish(world, sell_paid(world).order_line, product=new_goods(world, 60.0)))


@case(
    "exchange, discount",
    "2 × 100 − 10 % + 21 %, both for the same again",
    "credited 217.80, billed 217.80; back 0.00, due 0.00",
)
def exchange_discount(world):
    order = sell_paid(world, {'quantity': 2, 'discount': 10.0})
    return settled(wish(world, order.order_line, 2))


@case(
    "exchange, discount of the order",
    "2 × 100 − 20 for all + 21 %, one for the same again",
    "credited 108.90, billed 108.90; back 0.00, due 0.00",
)
def exchange_order_discount(world):
    discount = world.env['product.product'].create(
        {'name': "Discount", 'type': 'service', 'invoice_policy': 'order'}
    )
    world.company.sudo().sale_discount_product_id = discount
    order = sell_paid(world, {'quantity': 2}, {'product': discount, 'quantity': 1, 'price': -20.0})
    return settled(wish(world, order.order_line[0]))


@case(
    "exchange, another tax today",
    "100 + 21 %, today 5 % by the fiscal position of the customer",
    "credited 121.00, billed 105.00; back 16.00, due 0.00",
)
def exchange_tax(world):
    order = sell_paid(world)
    position = world.env['account.fiscal.position'].create({'name': "Today"})
    world.tax_5.write(
        {
            'fiscal_position_ids': [Command.set(position.ids)],
            'original_tax_ids': [Command.set(world.tax_21.ids)],
        }
    )
    world.customer.property_account_position_id = position
    return settled(wish(world, order.order_line))


@case(
    "exchange, currency",
    "100 EUR + 21 % at 2 EUR per unit, rate now 4",
    "credited 121.00, billed 121.00; back 0.00, due 0.00; booked 60.50 and 30.25",
)
def exchange_currency(world):
    pricelist = world._setup_currency('EUR')
    order = sell_paid(world, pricelist_id=pricelist.id)
    world._set_rate(pricelist.currency_id, world.env.cr.now().date(), 4.0)
    back = wish(world, order.order_line)
    booked = (
        -back.credit_note_ids.amount_total_signed,
        back.exchange_order_ids.invoice_ids.amount_total_signed,
    )
    return f"{settled(back)}; booked {booked[0]:.2f} and {booked[1]:.2f}"


@case(
    "exchange, partial receipt",
    "3 × 100 + 21 %, 2 of them come",
    "credited 242.00, billed 242.00; back 0.00, due 0.00; ordered 2",
)
def exchange_partial(world):
    back = wish(world, sell_paid(world, {'quantity': 3}).order_line, 3, come=2)
    return f"{settled(back)}; ordered {back.exchange_order_ids.order_line.product_uom_qty:g}"


@case(
    "exchange, in thirds",
    "3 × 10.01 + 21 %, one by one",
    "credited 36.34, billed 36.34; back 0.00, due 0.00",
)
def exchange_thirds(world):
    order = sell_paid(world, {'quantity': 3, 'price': 10.01})
    back = wish(world, order.order_line, 3, disposition=None)
    for _step in range(3):
        world._receive(back, 1)
        back.action_inspect_all('restock')
    return settled(back)


@case(
    "exchange, rejected",
    "100 + 21 %, sent back; the customer wants the other one all the same",
    "credited 0.00, billed 121.00; back 0.00, due 121.00",
)
def exchange_rejected(world):
    back = wish(world, sell_paid(world).order_line, disposition='send_back')
    back.action_keep_exchange()
    return settled(back)


@case(
    "exchange, two lines",
    "100 + 21 % and 50 + 21 %, each for goods of 60 + 21 %",
    "credited 181.50, billed 145.20; back 36.30, due 0.00",
)
def exchange_two_lines(world):
    order = sell_paid(world, {'quantity': 1}, {'quantity': 1, 'price': 50.0})
    return settled(wish(world, order.order_line, product=new_goods(world, 60.0)))


@case(
    "exchange, cancelled",
    "100 + 21 %, cancelled before anything comes",
    "credited 0.00, billed 0.00; back 0.00, due 0.00; cancel",
)
def exchange_cancelled(world):
    back = wish(world, sell_paid(world).order_line, disposition=None)
    back.action_cancel()
    return f"{settled(back)}; {back.exchange_order_ids.state}"


@case(
    "exchange, not paid yet",
    "100 + 21 % not paid: the credit lowers the old invoice, the new one is owed instead",
    "credited 121.00, billed 121.00; back 0.00, due 121.00",
)
def exchange_unpaid(world):
    order = world._create_sale({'quantity': 1})
    return settled(wish(world, order.order_line))


@case(
    "exchange, fee",
    "100 + 21 %, restocking fee 10 %",
    "credited 108.90, billed 121.00; back 0.00, due 12.10",
)
def exchange_fee(world):
    world.policy.restocking_fee_percent = 10.0
    return settled(wish(world, sell_paid(world).order_line))
