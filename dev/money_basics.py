"""Worked cases: amounts to the cent, invoices, currencies and costs of goods."""

from money_tools import (
    amounts,
    approve,
    case,
    cost_of,
    exchange_of,
    give_back,
    in_company_currency,
    left,
    notes_of,
)

from odoo import Command

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
    back = approve(world, order, 2, world.reason_missing)
    return f"{notes_of(back)}; {cost_of(back.credit_note_ids)}"


@case("service", "10 hours × 50, 3 of them credited", "150.00; invoice left 350.00")
def service(world):
    order = world._create_order({'product': world.service, 'price': 50.0, 'taxes': world.no_tax})
    invoice = world._invoice(order)
    return f"{notes_of(approve(world, order, 3))}; {left(invoice)}"
