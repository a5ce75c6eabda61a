"""Worked cases: what belongs to an order as a whole, what is kept back, and what is undone."""

from money_tools import amounts, approve, case, cost_of, give_back, left, notes_of, pay

from odoo import Command

# === SMALLEST UNITS OF MONEY AND GOODS === #


@case(
    "yen, tax included",
    "3 × 1000 with 20 % in it (2500 + 500), back 1, 1, 1",
    # 833 + 167; half of 1667 is 834, half of 333 is 167; 833 + 166
    "1000, 1001, 999; invoice left 0",
)
def yen_included(world):
    pricelist = world._setup_currency('JPY')
    line = {'price': 1000.0, 'taxes': world.tax_20_included}
    return give_back(world, line, [1, 1, 1], pricelist_id=pricelist.id)


@case(
    "dinar, discount",
    "7 × 1.999 − 10 % + 21 % (12.594 + 2.645), back 3, 4",
    # 12.594 · 3/7 = 5.397, 2.645 · 3/7 = 1.134; the rest 7.197 + 1.511
    "6.531, 8.708; invoice left 0.000",
)
def dinar_discount(world):
    pricelist = world._setup_currency('KWD')
    line = {'price': 1.999, 'discount': 10.0}
    return give_back(world, line, [3, 4], pricelist_id=pricelist.id)


@case(
    "dinar, parts of a unit",
    "1 × 10.000 + 21 %, back 0.33, 0.33, 0.34",
    # 3.300 + 0.693, the same, 3.400 + 0.714
    "3.993, 3.993, 4.114; invoice left 0.000",
)
def dinar_parts(world):
    pricelist = world._setup_currency('KWD')
    return give_back(world, {'price': 10.0}, [0.33, 0.33, 0.34], pricelist_id=pricelist.id)


@case(
    "pieces of dozens, in yen",
    "2 dozen × 1000 + 21 % (2000 + 420), back 4 pieces",
    # 2000 · 4/24 = 333, 420 · 4/24 = 70
    "403; invoice left 2017; 4 pieces",
)
def pieces_in_yen(world):
    pricelist = world._setup_currency('JPY')
    line = {'quantity': 2, 'price': 1000.0, 'product_uom_id': world.dozen.id}
    order = world._create_sale(line, pricelist_id=pricelist.id)
    invoice = order.invoice_ids
    back = world._return_goods(order, 4 / 12)
    pieces = sum(back.picking_ids.move_ids.mapped('product_qty'))
    return f"{notes_of(back)}; {left(invoice)}; {pieces:.0f} pieces"


@case(
    "pieces of a dozen",
    "1 dozen × 100 + 21 %, back 5 pieces, then 7",
    # 41.67 + 8.75, the rest 58.33 + 12.25
    "50.42, 70.58; invoice left 0.00",
)
def pieces(world):
    order = world._create_sale({'quantity': 1, 'price': 100.0, 'product_uom_id': world.dozen.id})
    invoice = order.invoice_ids
    returns = [world._return_goods(order, quantity / 12) for quantity in (5, 7)]
    return f"{notes_of(*returns)}; {left(invoice)}"


@case(
    "parts of an hour",
    "3.5 hours × 33.33 + 21 % (116.66 + 24.50), 1.5 of them credited",
    # 116.66 · 3/7 = 50.00, 24.50 · 3/7 = 10.50
    "60.50; invoice left 80.66",
)
def hours(world):
    order = world._create_order({'product': world.service, 'quantity': 3.5, 'price': 33.33})
    invoice = world._invoice(order)
    return f"{notes_of(approve(world, order, 1.5))}; {left(invoice)}"


# === DISCOUNTS === #


def discount_of(world, amount, **values):
    product = world.env['product.product'].create(
        {'name': "Discount", 'type': 'service', 'invoice_policy': 'order'}
    )
    world.company.sudo().sale_discount_product_id = product
    return {'product': product, 'quantity': 1, 'price': -amount, **values}


def give_back_goods(world, quantities, *lines):
    """Return these quantities of the goods of an order, and tell the notes."""
    order = world._create_sale(*lines)
    invoice = order.invoice_ids
    goods = order.order_line.filtered('product_id.is_storable')
    returns = [world._return_goods(goods, quantity) for quantity in quantities]
    return f"{notes_of(*returns)}; {left(invoice)}"


@case(
    "discount of the order",
    "10 × 100 − 100 for all + 21 %, back 4, 6",
    # (400 − 40) · 1.21, (600 − 60) · 1.21
    "435.60, 653.40; invoice left 0.00",
)
def order_discount(world):
    return give_back_goods(world, [4, 6], {}, discount_of(world, 100.0))


@case(
    "discount of the order, in thirds",
    "3 × 33.33 − 10.00 for all, no tax, back 1, 1, 1",
    # 33.33 − 3.33; 33.33 − 6.67/2; 33.33 − 3.33
    "30.00, 29.99, 30.00; invoice left 0.00",
)
def order_discount_thirds(world):
    lines = {'quantity': 3, 'price': 33.33, 'taxes': world.no_tax}
    discount = discount_of(world, 10.0, taxes=world.no_tax)
    return give_back_goods(world, [1, 1, 1], lines, discount)


@case(
    "discount without the tax of its goods",
    "2 × 100 + 21 % − 24.20 without tax, back 1, 1",
    # 121 − 12.10, twice
    "108.90, 108.90; invoice left 0.00",
)
def untaxed_discount(world):
    discount = discount_of(world, 24.2, taxes=world.no_tax)
    return give_back_goods(world, [1, 1], {'quantity': 2}, discount)


@case(
    "discount on the first of two invoices",
    "10 × 100 − 60 for all, 4 invoiced with all of it, then 6; back 6, 4",
    # 4 × 85 of the first invoice and 2 × 100 of the second, then 4 × 100
    "340.00, 200.00, 400.00; invoice left 0.00, 0.00",
)
def first_invoice_discount(world):
    order = world._create_order(
        {'taxes': world.no_tax}, discount_of(world, 60.0, taxes=world.no_tax)
    )
    invoices = world.env['account.move']
    for quantity in (4, 6):
        world._deliver(order, quantity)
        invoices += world._invoice(order)
    returns = [world._return_goods(order.order_line[:1], quantity) for quantity in (6, 4)]
    return f"{notes_of(*returns)}; {left(invoices)}"


@case(
    "nothing comes back of a discounted line",
    "10 × 100 − 10 %, 2 were missing in the parcel",
    "180.00; cost 0.00",
)
def missing_discounted(world):
    order = world._create_sale({'taxes': world.no_tax, 'discount': 10.0})
    back = approve(world, order, 2, world.reason_missing)
    return f"{notes_of(back)}; {cost_of(back.credit_note_ids)}"


# === WHAT IS KEPT BACK === #


def worn(world, ratio):
    values = {'name': "Worn", 'code': 'WN', 'credit_ratio': ratio, 'company_id': world.company.id}
    return world.env['sale.return.grade'].create(values)


def inspect(world, order, quantity, *results, **values):
    back = world._create_return(order, quantity, **values)
    world._receive(back)
    world._inspect(
        back,
        *[
            {'quantity': part, 'disposition': 'restock', **({'grade': grade.id} if grade else {})}
            for part, grade in results
        ],
    )
    return back


@case(
    "fee, percent and fixed",
    "10 × 100 + 21 %, fee of 10 % and 5.00, back 4",
    # 400 − 45, with tax
    "429.55; invoice left 780.45",
)
def fee(world):
    world.policy.write({'restocking_fee_percent': 10.0, 'restocking_fee_fixed': 5.0})
    order = world._create_sale()
    invoice = order.invoice_ids
    back = world._return_goods(order, 4, reason=world.reason_changed_mind)
    return f"{notes_of(back)}; {left(invoice)}"


@case(
    "condition",
    "10 × 100 + 21 %, back 4, one of them worth 60 %",
    # 400 − 40, with tax
    "435.60; invoice left 774.40",
)
def condition(world):
    order = world._create_sale()
    invoice = order.invoice_ids
    back = inspect(world, order, 4, (3, None), (1, worn(world, 0.6)))
    return f"{notes_of(back)}; {left(invoice)}"


@case(
    "condition and fee",
    "the same with a fee of 10 %: none on what the condition keeps back",
    # 400 − 40 − 36, with tax
    "392.04; invoice left 817.96",
)
def condition_and_fee(world):
    world.policy.restocking_fee_percent = 10.0
    order = world._create_sale()
    invoice = order.invoice_ids
    back = inspect(
        world, order, 4, (3, None), (1, worn(world, 0.6)), reason=world.reason_changed_mind
    )
    return f"{notes_of(back)}; {left(invoice)}"


# === UNDONE AND CORRECTED === #


@case(
    "note reversed as a whole",
    "10 × 100, back 4, the note reversed, credited again",
    "400.00, 400.00; customer owes 600.00",
)
def reversed_whole(world):
    order = world._create_sale({'taxes': world.no_tax})
    back = world._return_goods(order, 4)
    back.credit_note_ids._reverse_moves([{}], cancel=True)
    back.action_create_credit_notes()
    owed = sum(order.invoice_ids.mapped('amount_total_signed'))
    return f"{notes_of(back)}; customer owes {owed:.2f}"


@case(
    "note of a discount reversed in part",
    "10 × 100 − 100 for all, back 4, 2 of them billed again (200 − 20), credited again",
    # 400 − 40; billed again 200 − 20; credited again 200 − 20
    "360.00, 180.00; customer owes 540.00",
)
def discount_reversed_in_part(world):
    order = world._create_sale(
        {'taxes': world.no_tax}, discount_of(world, 100.0, taxes=world.no_tax)
    )
    back = world._return_goods(order.order_line[:1], 4)
    again = world._reverse(back.credit_note_ids, post=False)
    for line in again.invoice_line_ids:
        if line.price_subtotal > 0:
            line.quantity = 2
        else:
            line.price_unit = line.price_unit / 2
    again.action_post()
    back.action_create_credit_notes()
    owed = sum(order.invoice_ids.mapped('amount_total_signed'))
    return f"{notes_of(back)}; customer owes {owed:.2f}"


@case(
    "price raised by a second invoice",
    "10 × 100, then 10 × 5 more for the same ten; back 4, 6",
    "400.00, 20.00, 600.00, 30.00; invoice left 0.00, 0.00",
)
def price_raised(world):
    order = world._create_sale({'taxes': world.no_tax})
    invoice = order.invoice_ids
    more = invoice.copy({'invoice_date': invoice.invoice_date})
    more.invoice_line_ids.price_unit = 5
    more.invoice_line_ids.sale_line_ids = order.order_line
    more.action_post()
    returns = [world._return_goods(order, quantity) for quantity in (4, 6)]
    return f"{notes_of(*returns)}; {left(invoice + more)}"


@case(
    "goods billed on a credit note",
    "10 × 100, half paid before, 1 delivered and billed (a note of 400), back 1",
    "100.00; the note is 400.00",
)
def billed_on_note(world):
    order = world._create_order({'taxes': world.no_tax})
    wizard = world.env['sale.advance.payment.inv'].create(
        {
            'advance_payment_method': 'percentage',
            'amount': 50,
            'sale_order_ids': [Command.set(order.ids)],
        }
    )
    wizard._create_invoices(order).action_post()
    world._deliver(order, 1)
    settled = order._create_invoices(final=True)
    settled.action_post()
    back = world._return_goods(order.order_line[:1], 1)
    return f"{notes_of(back)}; the note is {amounts(settled)}"


@case(
    "first in, first out, in two parts",
    "bought 10 at 10 and 10 at 20, sold 12 × 100 (140), back 3, then 9",
    # 140 · 3/12, the rest
    "300.00, 900.00; cost 35.00, cost 105.00",
)
def fifo_parts(world):
    world.category.property_cost_method = 'fifo'
    product = world._create_product("Bought", tracking='lot')
    product.tracking = 'none'
    world._buy(product, 10, 10)
    world._buy(product, 10, 20)
    order = world._create_sale({'product': product, 'quantity': 12, 'taxes': world.no_tax})
    returns = [world._return_goods(order, quantity) for quantity in (3, 9)]
    costs = ", ".join(cost_of(back.credit_note_ids) for back in returns)
    return f"{notes_of(*returns)}; {costs}"


# === STORED VALUE AND KITS === #


def sell_with(world, kind, points, *lines):
    """Return an order that a card pays as far as it goes; money pays the rest."""
    card = world._create_card(kind, points)
    order, invoice = world._sell_with(card, *lines)
    if invoice.amount_residual:
        pay(world, invoice)
    return order, card


def told_with_card(card, *returns):
    return f"{notes_of(*returns)}; on the card {card.points:.2f}"


@case(
    "gift card",
    "100 + 0 %, 30 by a gift card and 70 by bank, back 1",
    # all of the goods less the part of the card
    "70.00; on the card 30.00",
)
def gift_card(world):
    order, card = sell_with(world, 'gift_card', 30.0, {'quantity': 1, 'taxes': world.no_tax})
    return told_with_card(card, world._return_goods(order.order_line[:1], 1))


@case(
    "gift card, in halves",
    "2 × 50, 30 by a gift card, back 1, 1",
    # 50 − 15, twice
    "35.00, 35.00; on the card 30.00",
)
def gift_card_halves(world):
    line = {'quantity': 2, 'price': 50.0, 'taxes': world.no_tax}
    order, card = sell_with(world, 'gift_card', 30.0, line)
    returns = [world._return_goods(order.order_line[:1], 1) for _part in range(2)]
    return told_with_card(card, *returns)


@case(
    "wallet pays all",
    "2 × 100, all by a wallet of 250, back 1",
    "0.00; on the card 150.00",
)
def wallet(world):
    order, card = sell_with(world, 'ewallet', 250.0, {'quantity': 2, 'taxes': world.no_tax})
    return told_with_card(card, world._return_goods(order.order_line[:1], 1))


@case(
    "parts of kits",
    "3 kits (2 A of 60 and 1 B of 30) × 300 + 21 %, back 2 A, then the B",
    # A is 120/150 of a kit, B 30/150: 240 and 60, with tax
    "290.40, 72.60; invoice left 726.00",
)
def kits(world):
    part_a = world._create_product("Part A", standard_price=60.0)
    part_b = world._create_product("Part B", standard_price=30.0)
    kit = world._create_product("Kit", is_storable=False)
    world.env['mrp.bom'].sudo().create(
        {
            'product_tmpl_id': kit.product_tmpl_id.id,
            'type': 'phantom',
            'bom_line_ids': [
                Command.create({'product_id': part.id, 'product_qty': quantity})
                for part, quantity in ((part_a, 2), (part_b, 1))
            ],
        }
    )
    order = world._create_sale({'product': kit, 'quantity': 3, 'price': 300.0})
    invoice = order.invoice_ids
    back = world._create_return(order, 1)
    notes = []
    for part, quantity in ((part_a, 2), (part_b, 1)):
        picking = back.picking_ids.filtered(lambda p: p.state not in ('done', 'cancel'))
        for move in picking.move_ids:
            move.quantity = quantity if move.product_id == part else 0.0
            move.picked = move.product_id == part
        picking.with_context(skip_backorder=True).button_validate()
        back.action_inspect_all('restock')
        notes.append(back.credit_note_ids.sorted('id')[-1:])
    return f"{amounts(*notes)}; {left(invoice)}"
