"""Errors as bugs and people make them: amounts, taxes, heads, documents, payments, goods."""

from datetime import timedelta

from audit_tools import (
    LINE,
    MOVE,
    MOVEMENT,
    PAYMENT,
    add_line,
    by_column,
    change,
    delete_entry,
    get_due_line,
    get_fee_line,
    get_line,
    get_note,
    get_tax_line,
    plant,
    shift,
)

from odoo import Command

# === AMOUNTS === #

for _case in ('twice', 'foreign', 'full'):
    by_column(
        f'line_price_{_case}', LINE, get_line, 'price_unit', lambda t, r: r.price_unit + 1, _case
    )
    by_column(
        f'line_subtotal_{_case}',
        LINE,
        get_line,
        'price_subtotal',
        lambda t, r: r.price_subtotal + 0.01,
        _case,
    )
    by_column(
        f'line_quantity_{_case}', LINE, get_line, 'quantity', lambda t, r: r.quantity + 1, _case
    )
    by_column(
        f'note_total_{_case}',
        MOVE,
        get_note,
        'amount_total',
        lambda t, r: r.amount_total + 1,
        _case,
    )
by_column('line_discount', LINE, get_line, 'discount', 50.0)
by_column('line_balance', LINE, get_line, 'balance', lambda t, r: r.balance + 1)
by_column('line_debit', LINE, get_line, 'debit', lambda t, r: r.debit + 1)
by_column('line_currency_amount', LINE, get_line, 'amount_currency', lambda t, r: r.balance + 1)
by_column('note_untaxed', MOVE, get_note, 'amount_untaxed', lambda t, r: r.amount_untaxed + 1)
by_column('note_tax', MOVE, get_note, 'amount_tax', lambda t, r: r.amount_tax + 1)
by_column('note_signed', MOVE, get_note, 'amount_total_signed', lambda t, r: -r.amount_total + 1)
by_column('due_balance', LINE, get_due_line, 'balance', lambda t, r: r.balance - 1)
by_column('tax_balance', LINE, get_tax_line, 'balance', lambda t, r: r.balance + 1)
by_column('tax_currency_amount', LINE, get_tax_line, 'amount_currency', lambda t, r: r.balance + 1)


for _case, _amount in (
    ('twice', 100.0),
    ('full', 0.01),
    ('foreign', -50.0),
    ('taxes', 0.02),
    ('rebate', 1.0),
):

    @plant(f'whole_note_{_case}')
    def _plant(trade, case=_case, amount=_amount):
        return shift(trade, getattr(trade, case), getattr(trade, case)['line'], amount)


@plant('fee_amount')
def fee_amount(trade):
    return shift(trade, trade.fee, get_fee_line(trade, trade.fee), 5.0)


@plant('rebate_amount')
def rebate_amount(trade):
    return shift(trade, trade.rebate, get_fee_line(trade, trade.rebate), 5.0)


@plant('added_text_line')
def added_text_line(trade):
    return add_line(trade, trade.twice, 500.0)


@plant('added_fee_line')
def added_fee_line(trade):
    return add_line(trade, trade.twice, -20.0)


@plant('deleted_goods_line')
def deleted_goods_line(trade):
    shift(trade, trade.taxes, trade.taxes['line'], -trade.taxes['line'].price_subtotal)
    trade.sql('DELETE FROM account_move_line WHERE id = %s', trade.taxes['line'].id)
    return trade.taxes['customer']


@plant('deleted_fee_line')
def deleted_fee_line(trade):
    line = get_fee_line(trade, trade.fee)
    shift(trade, trade.fee, line, -line.price_subtotal)
    trade.sql('DELETE FROM account_move_line WHERE id = %s', line.id)
    return trade.fee['customer']


@plant('deleted_note')
def deleted_note(trade):
    delete_entry(trade, trade.twice_again['note'])
    return trade.twice['customer']


# === TAXES AND ACCOUNTS === #


@plant('tax_off_base')
def tax_off_base(trade):
    trade.sql(
        'DELETE FROM account_move_line_account_tax_rel WHERE account_move_line_id = %s',
        trade.twice['line'].id,
    )
    return trade.twice['customer']


@plant('tax_swapped')
def tax_swapped(trade):
    trade.sql(
        'UPDATE account_move_line_account_tax_rel SET account_tax_id = %s'
        ' WHERE account_move_line_id = %s',
        trade.other_tax.id,
        trade.twice['line'].id,
    )
    return trade.twice['customer']


@plant('tax_line_deleted')
def tax_line_deleted(trade):
    line = get_tax_line(trade, trade.twice)
    shift(trade, trade.twice, line, -line.amount_currency)
    trade.sql('DELETE FROM account_move_line WHERE id = %s', line.id)
    return trade.twice['customer']


@plant('tax_line_amount')
def tax_line_amount(trade):
    return shift(trade, trade.twice, get_tax_line(trade, trade.twice), 1.0)


by_column('tax_line_of_other_tax', LINE, get_tax_line, 'tax_line_id', lambda t, r: t.other_tax.id)
by_column(
    'tax_line_account', LINE, get_tax_line, 'account_id', lambda t, r: t.account('expense').id
)
by_column('line_account', LINE, get_line, 'account_id', lambda t, r: t.account('expense').id)
by_column(
    'line_income_account', LINE, get_line, 'account_id', lambda t, r: t.account('income_other').id
)
by_column(
    'due_account', LINE, get_due_line, 'account_id', lambda t, r: t.account('liability_payable').id
)


@plant('due_other_receivable')
def due_other_receivable(trade):
    due = get_due_line(trade, trade.twice)
    other = due.account_id.copy({'code': '129999', 'name': "Other receivables"})
    change(trade, LINE, due, account_id=other.id)
    return trade.twice['customer']


# === HEADS === #

by_column('note_partner', MOVE, get_note, 'partner_id', lambda t, r: t.stranger.id)
by_column('note_commercial', MOVE, get_note, 'commercial_partner_id', lambda t, r: t.stranger.id)
by_column('due_partner', LINE, get_due_line, 'partner_id', lambda t, r: t.stranger.id)
by_column('line_partner', LINE, get_line, 'partner_id', lambda t, r: t.stranger.id)
by_column('note_currency', MOVE, get_note, 'currency_id', lambda t, r: t.euro.id)
by_column('line_currency', LINE, get_line, 'currency_id', lambda t, r: t.euro.id)
by_column(
    'note_company', MOVE, get_note, 'company_id', lambda t, r: t.env.ref('base.main_company').id
)
by_column('note_journal', MOVE, get_note, 'journal_id', lambda t, r: t.bank.id)
by_column('note_invoice', MOVE, get_note, 'reversed_entry_id', lambda t, r: t.plain['invoice'].id)
by_column('note_no_invoice', MOVE, get_note, 'reversed_entry_id', None)
by_column('note_date', MOVE, get_note, 'date', lambda t, r: t.today - timedelta(days=40))
by_column('line_date', LINE, get_line, 'date', lambda t, r: t.today - timedelta(days=40))
by_column('note_invoice_date', MOVE, get_note, 'invoice_date', lambda t, r: t.today - timedelta(60))
by_column('note_draft', MOVE, get_note, 'state', 'draft')
by_column('note_cancelled', MOVE, get_note, 'state', 'cancel')
by_column('line_draft', LINE, get_line, 'parent_state', 'draft')
by_column('line_no_return', LINE, get_line, 'sale_return_line_id', None)
by_column('line_no_invoice_line', LINE, get_line, 'credited_line_id', None)
by_column(
    'line_other_invoice_line',
    LINE,
    get_line,
    'credited_line_id',
    lambda t, r: t.plain['invoice'].invoice_line_ids.id,
)


@plant('line_other_return')
def line_other_return(trade):
    change(trade, LINE, trade.twice['line'], sale_return_line_id=trade.full['return'].line_ids.id)
    return trade.twice['customer'] | trade.full['customer']


by_column('line_kind', LINE, get_line, 'sale_return_kind', 'restocking_fee')


@plant('all_partners')
def all_partners(trade):
    note = trade.twice['note']
    change(trade, MOVE, note, partner_id=trade.stranger.id, commercial_partner_id=trade.stranger.id)
    trade.sql(
        'UPDATE account_move_line SET partner_id = %s WHERE move_id = %s',
        trade.stranger.id,
        note.id,
    )
    return trade.twice['customer'] | trade.stranger


@plant('all_currencies')
def all_currencies(trade):
    note = trade.twice['note']
    change(trade, MOVE, note, currency_id=trade.euro.id)
    trade.sql(
        'UPDATE account_move_line SET currency_id = %s WHERE move_id = %s', trade.euro.id, note.id
    )
    return trade.twice['customer']


def set_dates(trade, date):
    note = trade.twice['note']
    change(trade, MOVE, note, date=date, invoice_date=date)
    trade.sql('UPDATE account_move_line SET date = %s WHERE move_id = %s', date, note.id)
    return trade.twice['customer']


@plant('all_dates_before_invoice')
def all_dates_before_invoice(trade):
    return set_dates(trade, trade.today - timedelta(days=400))


@plant('all_dates_in_future')
def all_dates_in_future(trade):
    return set_dates(trade, trade.today + timedelta(days=40))


@plant('all_states_draft')
def all_states_draft(trade):
    note = trade.twice['note']
    change(trade, MOVE, note, state='draft')
    trade.sql("UPDATE account_move_line SET parent_state = 'draft' WHERE move_id = %s", note.id)
    return trade.twice['customer']


@plant('all_states_cancelled')
def all_states_cancelled(trade):
    note = trade.twice['note']
    change(trade, MOVE, note, state='cancel')
    trade.sql("UPDATE account_move_line SET parent_state = 'cancel' WHERE move_id = %s", note.id)
    return trade.twice['customer']


# === DRAFTS THAT A PERSON CHANGES === #


def edit_draft(name, case='draft', **values):
    @plant(name)
    def _plant(trade):
        case_ = getattr(trade, case)
        new = {key: value(trade) if callable(value) else value for key, value in values.items()}
        case_['line'].write(new)
        return case_['customer']


edit_draft('draft_price_lower', price_unit=50.0)
edit_draft('draft_price_higher', price_unit=120.0)


@plant('draft_quantity')
def draft_quantity(trade):
    trade.draft['line'].quantity = 5.0
    trade.draft['note'].action_post()
    return trade.draft['customer']


edit_draft('draft_discount', discount=10.0)
edit_draft('draft_no_tax', tax_ids=[Command.clear()])
edit_draft('draft_other_tax', tax_ids=lambda t: [Command.set(t.other_tax.ids)])
edit_draft('draft_account', account_id=lambda t: t.account('income_other').id)
edit_draft('draft_price_under_fee', case='draft_fee', price_unit=240.0)


def edit_note(name, case='draft', post=False, **values):
    @plant(name)
    def _plant(trade):
        case_ = getattr(trade, case)
        new = {key: value(trade) if callable(value) else value for key, value in values.items()}
        case_['note'].write(new)
        if post:
            case_['note'].action_post()
        return case_['customer'] | trade.stranger


def text_line(amount):
    return lambda trade: [
        Command.create(
            {'name': "Text", 'quantity': 1, 'price_unit': amount, 'tax_ids': [Command.clear()]}
        )
    ]


edit_note('draft_text_line', invoice_line_ids=text_line(500.0))
edit_note('draft_fee_by_hand', invoice_line_ids=text_line(-20.0))
edit_note('posted_fee_by_hand', post=True, invoice_line_ids=text_line(-20.0))
edit_note('posted_text_line', post=True, invoice_line_ids=text_line(500.0))
edit_note('draft_partner', partner_id=lambda t: t.stranger.id)
edit_note('draft_currency', currency_id=lambda t: t.euro.id)
edit_note('posted_partner', post=True, partner_id=lambda t: t.stranger.id)


@plant('draft_fee_removed')
def draft_fee_removed(trade):
    get_fee_line(trade, trade.draft_fee).unlink()
    return trade.draft_fee['customer']


@plant('posted_fee_removed')
def posted_fee_removed(trade):
    get_fee_line(trade, trade.draft_fee).unlink()
    trade.draft_fee['note'].action_post()
    return trade.draft_fee['customer']


# === OTHER DOCUMENTS === #


@plant('second_note_by_hand')
def second_note_by_hand(trade):
    trade.reverse(trade.full['invoice'])
    return trade.full['customer']


@plant('second_note_without_lines')
def second_note_without_lines(trade):
    note = trade.env['account.move'].create(
        {
            'move_type': 'out_refund',
            'partner_id': trade.full['customer'].id,
            'invoice_line_ids': text_line(500.0)(trade),
        }
    )
    note.action_post()
    change(trade, MOVE, note, reversed_entry_id=trade.full['invoice'].id)
    return trade.full['customer']


def take_back(trade, account):
    note = trade.twice['note']
    due = get_due_line(trade, trade.twice)
    due.remove_move_reconcile()
    entry = trade.make_entry(due.account_id, account, note.amount_total, trade.twice['customer'])
    (due | trade.receivable(entry)).reconcile()
    return trade.twice['customer']


@plant('entry_takes_credit_back')
def entry_takes_credit_back(trade):
    return take_back(trade, trade.twice['line'].account_id)


@plant('entry_takes_credit_back_to_expense')
def entry_takes_credit_back_to_expense(trade):
    return take_back(trade, trade.account('expense'))


@plant('entry_bills_customer')
def entry_bills_customer(trade):
    trade.make_entry(
        get_due_line(trade, trade.twice).account_id,
        trade.twice['line'].account_id,
        242.0,
        trade.twice['customer'],
    )
    return trade.twice['customer']


@plant('invoice_amount')
def invoice_amount(trade):
    line = trade.twice['invoice'].invoice_line_ids
    change(trade, LINE, line, price_subtotal=line.price_subtotal - 10, price_unit=99.0)
    return trade.twice['customer']


@plant('invoice_due_partner')
def invoice_due_partner(trade):
    change(trade, LINE, trade.receivable(trade.twice['invoice']), partner_id=trade.stranger.id)
    return trade.twice['customer']


@plant('invoice_due_amount')
def invoice_due_amount(trade):
    line = trade.receivable(trade.twice['invoice'])
    change(trade, LINE, line, balance=line.balance - 10)
    return trade.twice['customer']


@plant('invoice_tax_swapped')
def invoice_tax_swapped(trade):
    trade.sql(
        'UPDATE account_move_line_account_tax_rel SET account_tax_id = %s'
        ' WHERE account_move_line_id = %s',
        trade.other_tax.id,
        trade.twice['invoice'].invoice_line_ids.id,
    )
    return trade.twice['customer']


# === PAYMENTS === #


def get_payment(trade):
    return trade.paid['payout'].payment_id


@plant('second_payment')
def second_payment(trade):
    payment = get_payment(trade).copy()
    payment.action_post()
    return trade.paid['customer']


@plant('second_payment_by_hand')
def second_payment_by_hand(trade):
    trade.env['account.payment'].create(
        {
            'payment_type': 'outbound',
            'partner_type': 'customer',
            'partner_id': trade.paid['customer'].id,
            'journal_id': trade.bank.id,
            'amount': 100.0,
        }
    ).action_post()
    return trade.paid['customer']


@plant('payment_unmatched')
def payment_unmatched(trade):
    trade.receivable(get_payment(trade).move_id).remove_move_reconcile()
    return trade.paid['customer']


@plant('payment_match_deleted')
def payment_match_deleted(trade):
    trade.sql(
        'DELETE FROM account_partial_reconcile WHERE debit_move_id = %s',
        trade.receivable(get_payment(trade).move_id).id,
    )
    return trade.paid['customer']


@plant('payment_match_lowered')
def payment_match_lowered(trade):
    trade.sql(
        'UPDATE account_partial_reconcile SET amount = amount - 10, credit_amount_currency ='
        ' credit_amount_currency - 10, debit_amount_currency = debit_amount_currency - 10'
        ' WHERE debit_move_id = %s',
        trade.receivable(get_payment(trade).move_id).id,
    )
    return trade.paid['customer']


@plant('payment_draft')
def payment_draft(trade):
    get_payment(trade).action_draft()
    return trade.paid['customer']


@plant('payment_deleted')
def payment_deleted(trade):
    payment = get_payment(trade)
    move = payment.move_id
    trade.sql('UPDATE account_move SET origin_payment_id = NULL WHERE id = %s', move.id)
    trade.sql('DELETE FROM account_payment WHERE id = %s', payment.id)
    delete_entry(trade, move)
    return trade.paid['customer']


def pick_payment(trade, _case):
    return get_payment(trade)


def pick_payment_move(trade, _case):
    return get_payment(trade).move_id


def pick_payment_line(trade, _case):
    return trade.receivable(get_payment(trade).move_id)


for _name, _pick, _table, _column, _value in (
    ('payment_state_draft', pick_payment, PAYMENT, 'state', 'draft'),
    ('payment_state_cancelled', pick_payment, PAYMENT, 'state', 'canceled'),
    ('payment_amount', pick_payment, PAYMENT, 'amount', 1.0),
    ('payment_direction', pick_payment, PAYMENT, 'payment_type', 'inbound'),
    ('payment_partner', pick_payment, PAYMENT, 'partner_id', lambda t, r: t.stranger.id),
    ('payment_currency', pick_payment, PAYMENT, 'currency_id', lambda t, r: t.euro.id),
    ('payment_entry_draft', pick_payment_move, MOVE, 'state', 'draft'),
    ('payment_entry_partner', pick_payment_line, LINE, 'partner_id', lambda t, r: t.stranger.id),
    ('payment_entry_balance', pick_payment_line, LINE, 'balance', lambda t, r: r.balance + 10),
):
    by_column(_name, _table, _pick, _column, _value, case='paid')


@plant('receipt_partner')
def receipt_partner(trade):
    receipt = trade.paid['invoice'].matched_payment_ids[:1]
    change(trade, LINE, trade.receivable(receipt.move_id), partner_id=trade.stranger.id)
    return trade.paid['customer']


@plant('payout_amount')
def payout_amount(trade):
    change(trade, 'sale_return_refund', trade.paid['payout'], amount=500.0, note_amount=500.0)
    return trade.paid['customer']


# === GOODS === #


def get_receipt(trade):
    return trade.twice['return'].picking_ids.move_ids[:1]


def pick_receipt(trade, _case):
    return get_receipt(trade)


by_column('receipt_quantity', MOVEMENT, pick_receipt, 'quantity', 1.0)
by_column('receipt_undone', MOVEMENT, pick_receipt, 'state', 'cancel')
by_column('receipt_value', MOVEMENT, pick_receipt, 'value', 10.0)
by_column('receipt_without_return', MOVEMENT, pick_receipt, 'sale_return_line_id', None)


@plant('receipt_deleted')
def receipt_deleted(trade):
    move = get_receipt(trade)
    trade.sql('DELETE FROM stock_move_line WHERE move_id = %s', move.id)
    trade.sql('DELETE FROM stock_move WHERE id = %s', move.id)
    return trade.twice['customer']


@plant('cost_deleted')
def cost_deleted(trade):
    trade.sql(
        "DELETE FROM account_move_line WHERE move_id = %s AND display_type = 'cogs'",
        trade.twice['note'].id,
    )
    return trade.twice['customer']


@plant('cost_changed')
def cost_changed(trade):
    trade.sql(
        "UPDATE account_move_line SET balance = balance / 2, debit = debit / 2, credit = credit / 2"
        " WHERE move_id = %s AND display_type = 'cogs'",
        trade.twice['note'].id,
    )
    return trade.twice['customer']


@plant('missing_goods_come')
def missing_goods_come(trade):
    picking = trade.missing['order'].picking_ids[:1]
    wizard = (
        trade.env['stock.return.picking']
        .with_context(active_model='stock.picking', active_id=picking.id, active_ids=picking.ids)
        .create({})
    )
    # All ten are with the customer, by the delivery: two of them are not, and come later.
    wizard.product_return_moves.quantity = 10
    back = trade.env['stock.picking'].browse(wizard.action_create_returns()['res_id'])
    trade.process(back)
    returns = back.move_ids.sale_return_line_id.return_id
    returns.filtered(lambda r: r.reception_state != 'no').action_inspect_all('restock')
    return trade.missing['customer']
