"""Worked cases: goods exchanged for goods."""

from money_tools import case, pay

from odoo import Command

# === EXCHANGES === #


def sell_paid(world, *lines, **values):
    """Return an order of shirts of 100 + 21 % that is delivered, billed and paid."""
    order = world._create_sale(*(lines or [{'quantity': 1}]), **values)
    pay(world, order.invoice_ids)
    return order


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
