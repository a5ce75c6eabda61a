"""Worked cases: what happens to taxes, payments and the books around a return."""

from datetime import timedelta

from money_tools import amounts, case, exchange_of, give_back, left, notes_of

from odoo import Command


def open_bank(world):
    """Return the world with a bank that customers pay into."""
    from odoo.addons.sale_return.tests.common_refund import RefundCommon

    class Bank(world, RefundCommon):
        pass

    Bank.bank = Bank._create_journal("Bank of Books", 'bank', 'BNKB')
    return Bank


def pay_back(*returns):
    """Prepare the payouts of returns, post them, and tell their amounts."""
    payouts = returns[0].refund_ids.browse()
    for one in returns:
        if one.has_to_refund:
            payouts |= one.action_refund()
    payouts.payment_id.action_post()
    return f"paid back {amounts(payouts.sorted('id'), name='amount')}"


def owed(world):
    """Tell what the customer owes, by their account."""
    items = world.env['account.move.line'].search(
        [
            ('partner_id', '=', world.customer.id),
            ('account_id.account_type', '=', 'asset_receivable'),
            ('parent_state', '=', 'posted'),
        ]
    )
    return f"owes {sum(items.mapped('balance')):.2f}"


def differences(world):
    rows = world.env['sale.return.reconciliation']
    rows.action_refresh()
    found = rows.search([('company_id', '=', world.company.id), ('state', '=', 'open')])
    return f"differences {len(found)}"


# === TAXES === #


@case(
    "charge per piece, and taxes on taxes",
    "7 × 3.33 + 1.23 a piece + 21 % of both + 5 % of all (31.92 + 6.70 + 1.93), back 2, 2, 3",
    # 6.66 + 2.46 + 1.91 + 0.55; 6.66 + 2.46 + 4.79 · 2/5 + 1.38 · 2/5; the rest
    "11.58, 11.59, 17.38; invoice left 0.00",
)
def compound(world):
    taxes = world._create_tax(
        "Charge", 1.23, amount_type='fixed', include_base_amount=True, sequence=1
    )
    taxes |= world._create_tax("21% of both", 21.0, include_base_amount=True, sequence=2)
    taxes |= world._create_tax("5% of all", 5.0, sequence=3)
    return give_back(world, {'price': 3.33, 'taxes': taxes}, [2, 2, 3])


@case(
    "tax changed since",
    "4 × 100 + 21 %; the tax becomes 25 %, then included in the price; back 1, 1, 2",
    "121.00, 121.00, 242.00; invoice left 0.00",
)
def tax_changed(world):
    order = world._create_sale({'quantity': 4})
    invoice = order.invoice_ids
    returns = []
    for quantity, change in (
        (1, {'amount': 25.0}),
        (1, {'price_include_override': 'tax_included'}),
        (2, {'active': False}),
    ):
        world.tax_21.write(change)
        returns.append(world._return_goods(order, quantity))
    return f"{notes_of(*returns)}; {left(invoice)}"


@case(
    "one order line on two accounts",
    "4 and 6 × 10.01 + 21 % (40.04 + 8.41 and 60.06 + 12.61) of one order line, back 3, 3, 4",
    # 30.03 + 6.31; 10.01 + 2.10 and 20.02 + 4.20; 40.04 + 8.41
    "36.34, 36.33, 48.45; invoice left 0.00",
)
def two_accounts(world):
    account = world.env['account.account'].create(
        {'name': "Other sales", 'code': '400999', 'account_type': 'income'}
    )
    order = world._create_order({'price': 10.01})
    world._deliver(order)
    invoice = order._create_invoices()
    line = invoice.invoice_line_ids
    invoice.invoice_line_ids = [
        Command.update(line.id, {'quantity': 4}),
        Command.create(
            {
                'product_id': line.product_id.id,
                'quantity': 6,
                'price_unit': 10.01,
                'tax_ids': [Command.set(line.tax_ids.ids)],
                'account_id': account.id,
                'sale_line_ids': [Command.set(order.order_line.ids)],
            }
        ),
    ]
    invoice.action_post()
    returns = [world._return_goods(order, quantity) for quantity in (3, 3, 4)]
    return f"{notes_of(*returns)}; {left(invoice)}"


# === PAYMENTS === #


def early(world, computation):
    """Sell with 2 % off for an early payment, which the customer takes; return 4, then 6."""
    term = world.env['account.payment.term'].create(
        {
            'name': "2 % in ten days",
            'early_discount': True,
            'discount_percentage': 2,
            'discount_days': 10,
            'early_pay_discount_computation': computation,
            'company_id': world.company.id,
            'line_ids': [Command.create({'value': 'percent', 'value_amount': 100, 'nb_days': 30})],
        }
    )
    bank = open_bank(world)
    order = bank._create_paid_sale({}, payment_term_id=term.id)
    told = []
    for quantity in (4, 6):
        back = bank._return_goods(order, quantity)
        told.append(f"{notes_of(back)}, {pay_back(back)}")
    return f"{'; '.join(told)}; {owed(world)}; {differences(world)}"


@case(
    "paid early, tax reduced as well",
    "10 × 100 + 21 %, 2 % off the total for paying early (1185.80), back 4, 6",
    # 484 less 2 %; 726 less 2 %
    "484.00, paid back 474.32; 726.00, paid back 711.48; owes 0.00; differences 0",
)
def early_included(world):
    return early(world, 'included')


@case(
    "paid early, tax in full",
    "10 × 100 + 21 %, 2 % off the goods for paying early (1190.00), back 4, 6",
    # 484 less 8; 726 less 12
    "484.00, paid back 476.00; 726.00, paid back 714.00; owes 0.00; differences 0",
)
def early_excluded(world):
    return early(world, 'excluded')


@case(
    "paid early, tax always reduced",
    "10 × 100 + 21 % of 980 (1205.80), 2 % off for paying early (1185.80), back 4, 6",
    # 400 + 82.32, less 8; 600 + 123.48, less 12
    "482.32, paid back 474.32; 723.48, paid back 711.48; owes 0.00; differences 0",
)
def early_mixed(world):
    return early(world, 'mixed')


@case(
    "rounded to coins, and paid back",
    "3 × 10.01 + 21 % rounded to 36.35 and paid, back 1, 2",
    # 10.01 + 2.10; 20.02 + 4.21 + 0.01
    "12.11, 24.24; paid back 12.11, 24.24; owes 0.00; differences 0",
)
def coins(world):
    bank = open_bank(world)
    order = bank._create_order({'quantity': 3, 'price': 10.01})
    bank._deliver(order)
    invoice = order._create_invoices()
    invoice.invoice_cash_rounding_id = bank._create_cash_rounding()
    invoice.action_post()
    bank._pay(invoice)
    returns = [bank._return_goods(order, quantity) for quantity in (1, 2)]
    return f"{notes_of(*returns)}; {pay_back(*returns)}; {owed(world)}; {differences(world)}"


@case(
    "instalments",
    "10 × 100 + 21 % in 30, 30 and 40 %, the first one paid (363.00), back 4, 6",
    # 484 and 363 lower what is owed; the other 363 were paid
    "484.00, 726.00; paid back 363.00; owes 0.00; differences 0",
)
def instalments(world):
    term = world.env['account.payment.term'].create(
        {
            'name': "Three instalments",
            'company_id': world.company.id,
            'line_ids': [
                Command.create({'value': 'percent', 'value_amount': share, 'nb_days': days})
                for share, days in ((30, 0), (30, 30), (40, 60))
            ],
        }
    )
    bank = open_bank(world)
    order = bank._create_sale({}, payment_term_id=term.id)
    bank._pay(order.invoice_ids, amount=363.0)
    returns = [bank._return_goods(order, quantity) for quantity in (4, 6)]
    return f"{notes_of(*returns)}; {pay_back(*returns)}; {owed(world)}; {differences(world)}"


@case(
    "down payment, goods back before and after the bill",
    "10 × 100 + 21 %, 50 % paid before (605.00), 6 delivered, back 2, billed 8 (363.00), back 3, 5",
    # the first two were never billed
    "bill 363.00; 363.00, 605.00; paid back 363.00, 605.00; owes 0.00; differences 0",
)
def down_payment_before(world):
    bank = open_bank(world)
    order = bank._create_order()
    goods = order.order_line
    before = bank.env['sale.advance.payment.inv'].create(
        {
            'advance_payment_method': 'percentage',
            'amount': 50,
            'sale_order_ids': [Command.set(order.ids)],
        }
    )
    advance = before._create_invoices(order)
    advance.action_post()
    bank._pay(advance)
    bank._deliver(order, 6)
    returns = [bank._return_goods(goods, 2)]
    bank._deliver(order)
    bill = order._create_invoices(final=True)
    bill.action_post()
    bank._pay(bill)
    paid = []
    for quantity in (3, 5):
        returns.append(bank._return_goods(goods, quantity))
        paid.append(pay_back(returns[-1]).removeprefix("paid back "))
    notes = notes_of(*returns[1:])
    return (
        f"bill {amounts(bill)}; {notes}; paid back {', '.join(paid)}; "
        f"{owed(world)}; {differences(world)}"
    )


@case(
    "four rates",
    "10 × 100 EUR + 21 % at 2 EUR per unit (605), paid at 4, back 4 (242), paid back at 5 (96.80)",
    # the customer's payment loses 302.50, the payout gains 145.20
    "484.00; paid back 484.00; exchange 447.70; owes 0.00; differences 0",
)
def four_rates(world):
    bank = open_bank(world)
    pricelist = bank._setup_currency('EUR')
    euro, today = pricelist.currency_id, bank._get_today()
    order = bank._create_order(pricelist_id=pricelist.id)
    bank._deliver(order)
    invoice = order._create_invoices()
    invoice.invoice_date = today - timedelta(days=20)
    invoice.action_post()
    bank._set_rate(euro, today - timedelta(days=10), 4.0)
    bank._pay(invoice, date=today - timedelta(days=5))
    back = bank._return_goods(order, 4)
    bank._set_rate(euro, today, 5.0)
    return (
        f"{notes_of(back)}; {pay_back(back)}; {exchange_of(world)}; "
        f"{owed(world)}; {differences(world)}"
    )


# === UNDONE === #


@case(
    "billed again after it was paid back",
    "10 × 100 + 21 %, paid, back 4 (484 paid back), one of them billed again, credited again",
    # the second note settles the bill of 121
    "owes 121.00; 484.00, 121.00; paid back 484.00; owes 0.00; differences 0",
)
def billed_again(world):
    bank = open_bank(world)
    order = bank._create_paid_sale()
    back = bank._return_goods(order, 4)
    paid = pay_back(back)
    bank._reverse(back.credit_note_ids, quantity=1)
    before = owed(world)
    back.action_create_credit_notes()
    return f"{before}; {notes_of(back)}; {paid}; {owed(world)}; {differences(world)}"


@case(
    "note cancelled after it was paid back",
    "10 × 100 + 21 %, paid, back 4 (484 paid back), the note reset and cancelled, credited again",
    # the second note takes over the payment
    "owes 484.00; 484.00; paid back 484.00; owes 0.00; differences 0",
)
def cancelled_after(world):
    bank = open_bank(world)
    order = bank._create_paid_sale()
    back = bank._return_goods(order, 4)
    paid = pay_back(back)
    note = back.credit_note_ids
    note.button_draft()
    note.button_cancel()
    before = owed(world)
    back.action_create_credit_notes()
    again = amounts(back.credit_note_ids - note)
    return f"{before}; {again}; {paid}; {owed(world)}; {differences(world)}"
