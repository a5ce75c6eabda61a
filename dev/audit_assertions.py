"""Errors by assertion of an auditor, written without regard to the checks that find them.

In the order of ISA 315: occurrence, completeness, accuracy, cut-off, classification, existence and
rights. Each states what somebody would want to hide, or what a careless import does.
"""

from datetime import timedelta

from audit_tools import (
    LINE,
    MOVE,
    MOVEMENT,
    PAYMENT,
    by_column,
    change,
    get_due_line,
    get_fee_line,
    get_line,
    get_note,
    get_tax_line,
    plant,
    shift,
)

from odoo import Command

INSPECTION, RETURN = 'sale_return_inspection', 'sale_return'
RETURN_LINE = 'sale_return_line'


def pick_receipt(_trade, case):
    return case['return'].picking_ids.move_ids[:1]


def pick_disposal(_trade, case):
    return case['return'].transfer_ids.move_ids[:1]


def pick_inspection(_trade, case):
    return case['return'].line_ids.inspection_ids[:1]


def pick_return(_trade, case):
    return case['return']


def pick_return_line(_trade, case):
    return case['return'].line_ids[:1]


def pick_payment(_trade, case):
    return case['payout'].payment_id


def pick_payment_entry(_trade, case):
    return case['payout'].payment_id.move_id


def pick_bank_line(trade, case):
    entry = case['payout'].payment_id.move_id
    return entry.line_ids - trade.receivable(entry)


def pick_cost_line(_trade, case):
    return case['note'].line_ids.filtered(
        lambda line: line.display_type == 'cogs' and line.account_id.account_type[:7] == 'expense'
    )[:1]


def pick_stock_line(_trade, case):
    return case['note'].line_ids.filtered(
        lambda line: line.display_type == 'cogs' and line.account_id.account_type[:7] != 'expense'
    )[:1]


# === OCCURRENCE: WHAT IS BOOKED HAS HAPPENED === #


@plant('copied_note')
def copied_note(trade):
    """Somebody duplicates a posted note and posts the duplicate."""
    trade.full['note'].copy().action_post()
    return trade.full['customer']


@plant('note_for_nothing_sold')
def note_for_nothing_sold(trade):
    """A credit for goods that no order of the customer has."""
    note = trade.env['account.move'].create(
        {
            'move_type': 'out_refund',
            'partner_id': trade.full['customer'].id,
            'invoice_line_ids': [
                Command.create({'product_id': trade.lamp.id, 'quantity': 3, 'price_unit': 33.33})
            ],
        }
    )
    note.action_post()
    return trade.full['customer']


by_column('inspection_raised', INSPECTION, pick_inspection, 'quantity', 1.0)


@plant('inspection_turned_to_rejection')
def inspection_turned_to_rejection(trade):
    """Goods that were credited are said to have been refused."""
    row = pick_inspection(trade, trade.twice)
    rejected = trade.env.ref('sale_return.disposition_send_back')
    change(trade, INSPECTION, row, disposition_id=rejected.id)
    return trade.twice['customer']


by_column('receipt_not_yet_done', MOVEMENT, pick_receipt, 'state', 'assigned')


@plant('return_refused_after_credit')
def return_refused_after_credit(trade):
    change(trade, RETURN, trade.twice['return'], state='refused')
    return trade.twice['customer']


@plant('return_cancelled_after_credit')
def return_cancelled_after_credit(trade):
    change(trade, RETURN, trade.full['return'], state='cancelled')
    return trade.full['customer']


by_column('approved_less_than_credited', RETURN_LINE, pick_return_line, 'qty_authorized', 1.0)


# === COMPLETENESS: WHAT HAS HAPPENED IS BOOKED === #


@plant('note_reset_by_person')
def note_reset_by_person(trade):
    """An accountant resets a posted note and leaves it."""
    trade.twice_again['note'].button_draft()
    return trade.twice['customer']


@plant('note_cancelled_by_person')
def note_cancelled_by_person(trade):
    note = trade.full['note']
    note.button_draft()
    note.button_cancel()
    return trade.full['customer']


@plant('note_reversed_by_person')
def note_reversed_by_person(trade):
    """The credit is billed again; the goods stay with us."""
    trade.twice_again['note']._reverse_moves([{}], cancel=True)
    return trade.twice['customer']


@plant('cost_of_one_side_deleted')
def cost_of_one_side_deleted(trade):
    line = pick_stock_line(trade, trade.full)
    trade.sql(
        'UPDATE account_move_line SET cogs_origin_id = NULL WHERE cogs_origin_id = %s', line.id
    )
    trade.sql('DELETE FROM account_move_line WHERE id = %s', line.id)
    return trade.full['customer']


@plant('tax_line_of_second_tax_deleted')
def tax_line_of_second_tax_deleted(trade):
    tax_lines = trade.taxes['note'].line_ids.filtered(lambda line: line.display_type == 'tax')
    line = tax_lines.filtered(lambda line: line.tax_line_id == trade.other_tax)
    shift(trade, trade.taxes, line, -line.amount_currency)
    trade.sql('DELETE FROM account_move_line WHERE id = %s', line.id)
    return trade.taxes['customer']


@plant('receipt_lines_deleted')
def receipt_lines_deleted(trade):
    """The receipt states four tables, but no line of it states which."""
    move = pick_receipt(trade, trade.full)
    trade.sql('DELETE FROM stock_move_line WHERE move_id = %s', move.id)
    change(trade, MOVEMENT, move, quantity=0.0)
    return trade.full['customer']


@plant('match_of_note_deleted')
def match_of_note_deleted(trade):
    """The note no longer lowers what the customer owes for the invoice."""
    get_due_line(trade, trade.full).remove_move_reconcile()
    return trade.full['customer']


# === ACCURACY: AMOUNTS, RATES AND UNITS ARE RIGHT === #


@plant('rate_of_note')
def rate_of_note(trade):
    """The note is booked at twice the rate of its invoice, everywhere."""
    trade.sql(
        'UPDATE account_move_line SET balance = balance * 2, debit = debit * 2, credit = credit * 2'
        " WHERE move_id = %s AND display_type != 'cogs'",
        trade.foreign['note'].id,
    )
    return trade.foreign['customer']


by_column('rate_in_head', MOVE, get_note, 'invoice_currency_rate', 4.0, case='foreign')


@plant('amount_moved_between_lines')
def amount_moved_between_lines(trade):
    """Ten more at 21 %, ten less at 10 %: the total of the note stays."""
    first, second = trade.taxes['note'].invoice_line_ids.filtered('sale_line_ids')[:2]
    shift(trade, trade.taxes, first, 10.0)
    return shift(trade, trade.taxes, second, -10.0)


@plant('tax_moved_between_taxes')
def tax_moved_between_taxes(trade):
    first, second = trade.taxes['note'].line_ids.filtered(lambda line: line.display_type == 'tax')
    shift(trade, trade.taxes, first, 1.0)
    return shift(trade, trade.taxes, second, -1.0)


by_column(
    'unit_of_line',
    LINE,
    get_line,
    'product_uom_id',
    lambda t, r: t.env.ref('uom.product_uom_dozen').id,
)
by_column('product_of_line', LINE, get_line, 'product_id', lambda t, r: t.lamp.id)
by_column('sign_of_note', MOVE, get_note, 'move_type', 'out_invoice')
by_column('note_is_entry', MOVE, get_note, 'move_type', 'entry')
by_column('residual_of_note', MOVE, get_note, 'amount_residual', 100.0)
by_column('residual_of_due', LINE, get_due_line, 'amount_residual', -100.0)


@plant('cost_negated_on_both_sides')
def cost_negated_on_both_sides(trade):
    trade.sql(
        'UPDATE account_move_line SET balance = -balance, amount_currency = -amount_currency,'
        " debit = credit, credit = debit WHERE move_id = %s AND display_type = 'cogs'",
        trade.full['note'].id,
    )
    return trade.full['customer']


@plant('order_of_signs_swapped')
def order_of_signs_swapped(trade):
    """Debits are credits everywhere in the note, which still balances."""
    trade.sql(
        'UPDATE account_move_line SET balance = -balance, amount_currency = -amount_currency,'
        ' debit = credit, credit = debit WHERE move_id = %s',
        trade.twice['note'].id,
    )
    return trade.twice['customer']


@plant('payment_larger_everywhere')
def payment_larger_everywhere(trade):
    """A hundred more leave the bank than the note says, and every paper agrees."""
    payment = pick_payment(trade, trade.paid)
    change(trade, PAYMENT, payment, amount=payment.amount + 100)
    for line in payment.move_id.line_ids:
        extra = 100.0 if line.balance > 0 else -100.0
        change(
            trade,
            LINE,
            line,
            balance=line.balance + extra,
            amount_currency=line.amount_currency + extra,
            debit=max(line.balance + extra, 0.0),
            credit=max(-line.balance - extra, 0.0),
        )
    return trade.paid['customer']


by_column(
    'deduction_halved',
    LINE,
    get_fee_line,
    'price_subtotal',
    lambda t, r: r.price_subtotal / 2,
    'fee',
)


# === CUT-OFF: IN THE RIGHT PERIOD === #

by_column('tax_line_date', LINE, get_tax_line, 'date', lambda t, r: t.today - timedelta(days=40))
by_column('due_line_date', LINE, get_due_line, 'date', lambda t, r: t.today + timedelta(days=40))
by_column('cost_line_date', LINE, pick_cost_line, 'date', lambda t, r: t.today - timedelta(days=40))
by_column(
    'receipt_before_delivery', MOVEMENT, pick_receipt, 'date', lambda t, r: t.today - timedelta(400)
)
by_column('receipt_in_future', MOVEMENT, pick_receipt, 'date', lambda t, r: t.today + timedelta(40))
by_column(
    'payment_before_note',
    MOVE,
    pick_payment_entry,
    'date',
    lambda t, r: t.today - timedelta(days=400),
    case='paid',
)


# === CLASSIFICATION: ON THE RIGHT ACCOUNT, UNDER THE RIGHT TAX === #

by_column(
    'fee_account', LINE, get_fee_line, 'account_id', lambda t, r: t.account('expense').id, 'fee'
)
by_column(
    'rebate_account',
    LINE,
    get_fee_line,
    'account_id',
    lambda t, r: t.account('expense').id,
    'rebate',
)
by_column(
    'cost_account',
    LINE,
    pick_cost_line,
    'account_id',
    lambda t, r: t.account('expense', r.account_id).id,
)
by_column(
    'stock_account', LINE, pick_stock_line, 'account_id', lambda t, r: t.account('asset_current').id
)
by_column(
    'bank_account_of_payment',
    LINE,
    pick_bank_line,
    'account_id',
    lambda t, r: t.account('expense').id,
    case='paid',
)
by_column('kind_of_fee_lost', LINE, get_fee_line, 'sale_return_kind', None, case='fee')


@plant('fee_without_tax')
def fee_without_tax(trade):
    trade.sql(
        'DELETE FROM account_move_line_account_tax_rel WHERE account_move_line_id = %s',
        get_fee_line(trade, trade.fee).id,
    )
    return trade.fee['customer']


@plant('tag_of_tax_report')
def tag_of_tax_report(trade):
    """The tax goes to a box of the tax report that the invoice did not go to."""
    tag = trade.env['account.account.tag'].create({'name': "Box 99", 'applicability': 'taxes'})
    trade.sql(
        'INSERT INTO account_account_tag_account_move_line_rel VALUES (%s, %s)',
        get_tax_line(trade, trade.twice).id,
        tag.id,
    )
    return trade.twice['customer']


@plant('repartition_of_invoice')
def repartition_of_invoice(trade):
    """The tax of the note is reported as if it were that of an invoice."""
    line = get_tax_line(trade, trade.twice)
    invoiced = trade.tax.invoice_repartition_line_ids.filtered(
        lambda row: row.repartition_type == 'tax'
    )
    change(trade, LINE, line, tax_repartition_line_id=invoiced.id)
    return trade.twice['customer']


@plant('analytic_of_line')
def analytic_of_line(trade):
    """The credit lowers a project that the invoice did not raise."""
    plan = trade.env['account.analytic.plan'].create({'name': "Projects"})
    account = trade.env['account.analytic.account'].create({'name': "Other", 'plan_id': plan.id})
    trade.sql(
        'UPDATE account_move_line SET analytic_distribution = %s WHERE id = %s',
        f'{{"{account.id}": 100.0}}',
        trade.twice['line'].id,
    )
    return trade.twice['customer']


@plant('other_sales_journal')
def other_sales_journal(trade):
    journal = trade.twice['note'].journal_id.copy({'name': "Other sales", 'code': 'OSJ'})
    change(trade, MOVE, trade.twice['note'], journal_id=journal.id)
    return trade.twice['customer']


# === EXISTENCE: GOODS AND DEBTS ARE THERE === #

by_column('receipt_of_other_product', MOVEMENT, pick_receipt, 'product_id', lambda t, r: t.lamp.id)
by_column(
    'receipt_for_other_order',
    MOVEMENT,
    pick_receipt,
    'sale_line_id',
    lambda t, r: t.plain['order'].order_line.id,
)
by_column('way_out_of_quarantine_undone', MOVEMENT, pick_disposal, 'state', 'cancel')


@plant('way_out_of_quarantine_deleted')
def way_out_of_quarantine_deleted(trade):
    move = pick_disposal(trade, trade.full)
    trade.sql('DELETE FROM stock_move_line WHERE move_id = %s', move.id)
    trade.sql('DELETE FROM stock_move WHERE id = %s', move.id)
    return trade.full['customer']


@plant('receipt_given_to_other_return')
def receipt_given_to_other_return(trade):
    """One receipt is shown for two returns, one after the other."""
    other = trade.full['return'].line_ids
    change(trade, MOVEMENT, pick_receipt(trade, trade.twice), sale_return_line_id=other.id)
    return trade.twice['customer'] | trade.full['customer']


# === RIGHTS: WHOSE MONEY, WHOSE DEBT === #


@plant('credit_used_by_stranger')
def credit_used_by_stranger(trade):
    """The note pays the invoice of another customer."""
    plain = trade.receivable(trade.plain['invoice'])
    trade.sql(
        'UPDATE account_partial_reconcile SET debit_move_id = %s WHERE credit_move_id = %s',
        plain.id,
        get_due_line(trade, trade.full).id,
    )
    return trade.full['customer'] | trade.plain['customer']


@plant('entry_moves_debt_to_stranger')
def entry_moves_debt_to_stranger(trade):
    """What the customer owes is booked on somebody else."""
    receivable = get_due_line(trade, trade.twice).account_id
    entry = trade.env['account.move'].create(
        {
            'move_type': 'entry',
            'line_ids': [
                Command.create(
                    {
                        'account_id': receivable.id,
                        'partner_id': partner.id,
                        'debit': debit,
                        'credit': 100.0 - debit,
                    }
                )
                for partner, debit in ((trade.stranger, 100.0), (trade.twice['customer'], 0.0))
            ],
        }
    )
    entry.action_post()
    return trade.twice['customer']


@plant('payment_to_account_of_stranger')
def payment_to_account_of_stranger(trade):
    bank = trade.env['res.partner.bank'].create(
        {'acc_number': 'XX00AUDIT', 'partner_id': trade.stranger.id}
    )
    change(trade, PAYMENT, pick_payment(trade, trade.paid), partner_bank_id=bank.id)
    return trade.paid['customer']


@plant('payout_of_other_note')
def payout_of_other_note(trade):
    change(trade, 'sale_return_refund', trade.paid['payout'], note_id=trade.twice['note'].id)
    return trade.paid['customer'] | trade.twice['customer']


@plant('customer_of_return')
def customer_of_return(trade):
    change(trade, RETURN, trade.twice['return'], partner_id=trade.stranger.id)
    return trade.twice['customer'] | trade.stranger


@plant('line_of_other_order')
def line_of_other_order(trade):
    line = pick_return_line(trade, trade.full)
    change(trade, RETURN_LINE, line, sale_line_id=trade.plain['order'].order_line.id)
    return trade.full['customer'] | trade.plain['customer']


@plant('refund_paid_to_stranger_by_hand')
def refund_paid_to_stranger_by_hand(trade):
    """The note is matched with money that went to somebody else."""
    payment = pick_payment(trade, trade.paid)
    change(trade, PAYMENT, payment, partner_id=trade.stranger.id)
    trade.sql(
        'UPDATE account_move_line SET partner_id = %s WHERE move_id = %s',
        trade.stranger.id,
        payment.move_id.id,
    )
    change(
        trade,
        MOVE,
        payment.move_id,
        partner_id=trade.stranger.id,
        commercial_partner_id=trade.stranger.id,
    )
    return trade.paid['customer'] | trade.stranger
