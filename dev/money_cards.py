"""Cases of docs/money.md: orders paid by money, wallet and gift card, and store credit."""

from money_exchanges import new_goods
from money_tools import case, pay


def open_wallets(world):
    """Return the world with wallets and gift cards that post to one account, and a bonus."""
    from odoo.addons.sale_return.tests.common_wallet import WalletCommon

    class Wallets(world, WalletCommon):
        pass

    Wallets.bank = Wallets._create_journal("Bank of Wallets", 'bank', 'BNKW')
    Wallets.set_up_wallets()
    Wallets.gift_program = Wallets._create_program('gift_card')
    Wallets._post_to(Wallets.gift_program, Wallets.liability)
    return Wallets


def sell(world, *lines, wallet=0.0, gift=0.0):
    """Sell goods that a wallet and a gift card pay first, and money the rest."""
    cards = world.env['loyalty.card'].sudo()
    if gift:
        cards |= world._fill_wallet(gift, world.gift_program)
    if wallet:
        cards |= world._fill_wallet(wallet)
    order, invoice = world._sell_by(cards, *(lines or [{'quantity': 1}]))
    if invoice.amount_residual:
        world._pay(invoice)
    return order.order_line.filtered(lambda line: line.product_id.is_storable), cards


def told(world, cards, *returns):
    """Say what went back as money, to the cards, and as store credit, and what the books say."""
    back = returns[0].browse([record.id for record in returns])
    for one in back.filtered('has_to_refund'):
        one.action_refund().payment_id.action_post()
    rows = back.store_credit_ids
    every_card = world.env['loyalty.card'].sudo().with_context(active_test=False)
    points = sum(
        every_card.search([('program_id.company_id', '=', world.company.id)]).mapped('points')
    )
    items = world.env['account.move.line'].search(
        [('account_id', '=', world.liability.id), ('parent_state', '=', 'posted')]
    )
    liability = sum(items.mapped('credit')) - sum(items.mapped('debit'))
    posted = back.credit_note_ids.filtered(lambda note: note.state == 'posted')
    open_amount = sum(posted.mapped('amount_residual'))
    return (
        f"money {sum(back.mapped('amount_refunded')):.2f}, "
        f"to cards {sum(back.mapped('amount_to_cards')):.2f}, "
        f"store credit {sum(rows.mapped('amount')):.2f} + {sum(rows.mapped('bonus')):.2f}; "
        f"open {open_amount:.2f}; cards {points:.2f}, account {liability:.2f}"
    )


@case(
    "store credit",
    "100 + 21 %, paid in money, bonus 10 %",
    "money 0.00, to cards 0.00, store credit 121.00 + 12.10; open 0.00; "
    "cards 133.10, account 133.10",
)
def store_credit(world):
    world = open_wallets(world)
    goods, cards = sell(world)
    return told(world, cards, world._wish(goods))


@case(
    "store credit in thirds",
    "3 × 10.01 + 21 % (36.34), back 1, 1, 1; bonus 1.21, 1.21, 1.21",
    "money 0.00, to cards 0.00, store credit 36.34 + 3.63; open 0.00; cards 39.97, account 39.97",
)
def store_credit_in_thirds(world):
    world = open_wallets(world)
    goods, cards = sell(world, {'quantity': 3, 'price': 10.01})
    return told(world, cards, *[world._wish(goods, 1) for _step in range(3)])


@case(
    "wallet and money, money back",
    "2 × 50 + 21 % (121.00), wallet 21.00, money 100.00; one back as a refund",
    "money 50.00, to cards 10.50, store credit 0.00 + 0.00; open 0.00; cards 10.50, account 10.50",
)
def wallet_and_money(world):
    world = open_wallets(world)
    goods, cards = sell(world, {'quantity': 2, 'price': 50.0}, wallet=21.0)
    return told(world, cards, world._return_goods(goods, 1))


@case(
    "wallet and money, store credit",
    "the same; one back as store credit: 10.50 as it was paid, 50.00 with a bonus of 5.00",
    "money 0.00, to cards 10.50, store credit 50.00 + 5.00; open 0.00; cards 65.50, account 65.50",
)
def wallet_and_store_credit(world):
    world = open_wallets(world)
    goods, cards = sell(world, {'quantity': 2, 'price': 50.0}, wallet=21.0)
    return told(world, cards, world._wish(goods, 1))


@case(
    "wallet, gift card and money",
    "2 × 50 without tax, gift card 20.00, wallet 30.00, money 50.00; one as a refund, one as "
    "store credit",
    "money 25.00, to cards 50.00, store credit 25.00 + 2.50; open 0.00; cards 77.50, account 77.50",
)
def wallet_gift_card_and_money(world):
    world = open_wallets(world)
    line = {'quantity': 2, 'price': 50.0, 'taxes': world.no_tax}
    goods, cards = sell(world, line, gift=20.0, wallet=30.0)
    return told(world, cards, world._return_goods(goods, 1), world._wish(goods, 1))


@case(
    "paid by a gift card alone",
    "1 × 80 without tax, gift card 100.00; back as store credit: nothing was paid in money",
    "money 0.00, to cards 80.00, store credit 0.00 + 0.00; open 0.00; cards 100.00, account 100.00",
)
def gift_card_alone(world):
    world = open_wallets(world)
    line = {'quantity': 1, 'price': 80.0, 'taxes': world.no_tax}
    goods, cards = sell(world, line, gift=100.0)
    return told(world, cards, world._wish(goods))


@case(
    "expired wallet",
    "1 × 80 without tax, wallet 30.00, which expires; 30.00 on a new card",
    "money 50.00, to cards 30.00, store credit 0.00 + 0.00; open 0.00; cards 30.00, account 30.00",
)
def expired_wallet(world):
    world = open_wallets(world)
    line = {'quantity': 1, 'price': 80.0, 'taxes': world.no_tax}
    goods, cards = sell(world, line, wallet=30.0)
    cards.expiration_date = '2020-01-01'
    return told(world, cards, world._return_goods(goods))


@case(
    "store credit taken back",
    "100 + 21 %, store credit, the note is reset to draft and cancelled",
    "money 0.00, to cards 0.00, store credit 0.00 + 0.00; open 0.00; cards 0.00, account 0.00",
)
def taken_back(world):
    world = open_wallets(world)
    goods, cards = sell(world)
    back = world._wish(goods)
    note = back.credit_note_ids
    note.button_draft()
    note.button_cancel()
    return told(world, cards, back)


@case(
    "half of it billed again",
    "2 × 100 + 21 %, store credit 242.00 + 24.20, one of the two billed again by reversal",
    "money 0.00, to cards 0.00, store credit 121.00 + 12.10; open 0.00; "
    "cards 133.10, account 133.10",
)
def billed_again(world):
    world = open_wallets(world)
    goods, cards = sell(world, {'quantity': 2})
    back = world._wish(goods)
    world._reverse(back.credit_note_ids, quantity=1)
    return told(world, cards, back)


@case(
    "not paid yet",
    "100 + 21 %, 21.00 of it paid; 100.00 lower the invoice",
    "money 0.00, to cards 0.00, store credit 21.00 + 2.10; open 0.00; cards 23.10, account 23.10",
)
def not_paid(world):
    world = open_wallets(world)
    order = world._create_sale({'quantity': 1})
    world._pay(order.invoice_ids, amount=21.0)
    return told(world, None, world._wish(order.order_line))


# === EXCHANGES THAT CARDS HAVE PAID === #


def swap(world, goods, product, quantity=1):
    """Exchange goods, up to the credit note; pay what is owed, and say how much it was."""
    part = world.env.ref('sale_return.group_exchange').sudo()
    world.env.ref('sale_return.group_user').sudo()._apply_group(part)
    world._put_in_stock(product, 10)
    back = world._wish(goods, quantity, resolution='exchange', exchange_product_id=product.id)
    bills = back.exchange_order_ids.invoice_ids
    owed = sum(bills.mapped('amount_residual'))
    if owed:
        pay(world, bills)
    return back, f"billed {sum(bills.mapped('amount_total')):.2f}, paid {owed:.2f}"


@case(
    "exchange, paid by a wallet in part",
    "100 + 21 %, wallet 21.00, money 100.00; for goods of 100 + 21 %: 21.00 back on the wallet, "
    "so as much is owed",
    "billed 121.00, paid 21.00; money 0.00, to cards 21.00, store credit 0.00 + 0.00; open 0.00; "
    "cards 21.00, account 21.00",
)
def exchange_wallet(world):
    world = open_wallets(world)
    goods, cards = sell(world, wallet=21.0)
    back, billed = swap(world, goods, new_goods(world, 100))
    return f"{billed}; {told(world, cards, back)}"


@case(
    "exchange, up, paid by gift card, wallet and money",
    "2 × 50 without tax, gift card 20.00, wallet 30.00, money 50.00; one for goods of 60 + 21 %",
    "billed 72.60, paid 47.60; money 0.00, to cards 25.00, store credit 0.00 + 0.00; open 0.00; "
    "cards 25.00, account 25.00",
)
def exchange_cards_up(world):
    world = open_wallets(world)
    line = {'quantity': 2, 'price': 50.0, 'taxes': world.no_tax}
    goods, cards = sell(world, line, gift=20.0, wallet=30.0)
    back, billed = swap(world, goods, new_goods(world, 60))
    return f"{billed}; {told(world, cards, back)}"


@case(
    "exchange, down, the rest as store credit",
    "100 + 21 % for goods of 60 + 21 %; the policy gives store credit, bonus 10 %",
    "billed 72.60, paid 0.00; money 0.00, to cards 0.00, store credit 48.40 + 4.84; open 0.00; "
    "cards 53.24, account 53.24",
)
def exchange_down_store_credit(world):
    world = open_wallets(world)
    world.policy.settlement = 'store_credit'
    goods, cards = sell(world)
    back, billed = swap(world, goods, new_goods(world, 60))
    return f"{billed}; {told(world, cards, back)}"


@case(
    "half exchanged, half as store credit",
    "2 × 100 + 21 %: one for goods of 100 + 21 %, one as store credit 121.00 + 12.10",
    "billed 121.00, paid 0.00; money 0.00, to cards 0.00, store credit 121.00 + 12.10; open 0.00; "
    "cards 133.10, account 133.10",
)
def exchange_and_store_credit(world):
    world = open_wallets(world)
    goods, cards = sell(world, {'quantity': 2})
    back, billed = swap(world, goods, new_goods(world, 100))
    return f"{billed}; {told(world, cards, back, world._wish(goods, 1))}"


@case(
    "rejected, store credit",
    "2 × 100 + 21 %, one accepted, one sent back to the customer",
    "money 0.00, to cards 0.00, store credit 121.00 + 12.10; open 0.00; "
    "cards 133.10, account 133.10",
)
def rejected_store_credit(world):
    world = open_wallets(world)
    goods, cards = sell(world, {'quantity': 2})
    back = world._ask(goods, 2)
    world._receive(back)
    world._inspect(back, (1, 'restock'), (1, 'send_back'))
    return told(world, cards, back)


@case(
    "paid in euros, as store credit in euros",
    "100 EUR + 21 % at 2 EUR per unit: cards in EUR, their account in the company's currency",
    "money 0.00, to cards 0.00, store credit 121.00 + 12.10; open 0.00; "
    "cards 133.10, account 66.55",
)
def store_credit_in_euros(world):
    world = open_wallets(world)
    pricelist = world._setup_currency('EUR')
    program = world._create_program('ewallet')
    program.currency_id = pricelist.currency_id
    world._post_to(program, world.liability)
    order = world._create_sale({'quantity': 1}, pricelist_id=pricelist.id)
    pay(world, order.invoice_ids)
    return told(world, None, world._wish(order.order_line))
