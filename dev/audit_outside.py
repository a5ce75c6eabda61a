"""Errors planted by an auditor who had not read the finders, as clerks and frauds make them."""

import json

from audit_tools import (
    LINE,
    MOVE,
    change,
    get_due_line,
    get_fee_line,
    get_line,
    get_tax_line,
    plant,
    shift,
)

from odoo import Command


def swap(trade, table, one, other, *columns):
    """Exchange the values of columns of two records."""
    names = ', '.join(columns)
    trade.env.flush_all()
    trade.env.cr.execute(f'SELECT id, {names} FROM {table} WHERE id IN %s', [(one.id, other.id)])
    values = {
        row[0]: [json.dumps(value) if isinstance(value, dict) else value for value in row[1:]]
        for row in trade.env.cr.fetchall()
    }
    for record, source in ((one, other), (other, one)):
        change(trade, table, record, **dict(zip(columns, values[source.id], strict=True)))


def payment_of(case):
    return case['payout'].payment_id


def partials_of(moves):
    lines = moves.line_ids
    return lines.matched_debit_ids | lines.matched_credit_ids


def receipt(case):
    """Return the moves by which goods came in from the customer."""
    return case['return'].line_ids.move_ids.filtered('to_refund')[:1]


def disposal(case):
    return case['return'].line_ids.inspection_ids.move_ids[:1]


def goods_lines(case):
    return case['note'].invoice_line_ids.filtered('sale_line_ids')


def cogs(case):
    return case['note'].line_ids.filtered(lambda line: line.display_type == 'cogs')


# === NOTES: LINES === #


@plant('two_lines_of_a_note_swap_amounts')
def _swap_amounts(trade):
    one, other = goods_lines(trade.two_goods)
    swap(
        trade,
        LINE,
        one,
        other,
        *('amount_currency', 'balance', 'debit', 'credit', 'price_subtotal', 'price_total'),
        *('price_unit',),
    )
    return trade.two_goods['customer']


@plant('two_lines_of_a_note_swap_products')
def _swap_products(trade):
    swap(trade, LINE, *goods_lines(trade.two_goods), 'product_id')
    return trade.two_goods['customer']


@plant('two_lines_of_a_note_swap_sale_lines')
def _swap_sale_lines(trade):
    one, other = goods_lines(trade.two_goods)
    table, sold = 'sale_order_line_invoice_rel', (one.sale_line_ids, other.sale_line_ids)
    query = f'UPDATE {table} SET order_line_id = %s WHERE invoice_line_id = %s'
    trade.sql(query, sold[1].id, one.id)
    trade.sql(query, sold[0].id, other.id)
    return trade.two_goods['customer']


@plant('two_lines_of_a_note_swap_invoice_lines')
def _swap_credited(trade):
    swap(trade, LINE, *goods_lines(trade.two_goods), 'credited_line_id')
    return trade.two_goods['customer']


@plant('two_lines_of_a_note_swap_return_lines')
def _swap_return_lines(trade):
    swap(trade, LINE, *goods_lines(trade.two_goods), 'sale_return_line_id')
    return trade.two_goods['customer']


@plant('two_lines_of_a_note_swap_accounts_with_cost')
def _swap_cost_accounts(trade):
    swap(trade, LINE, *cogs(trade.paid)[:2], 'account_id')
    return trade.paid['customer']


@plant('two_tax_lines_of_a_note_swap_taxes')
def _swap_taxes(trade):
    lines = trade.two_goods['note'].line_ids.filtered(lambda line: line.display_type == 'tax')
    swap(trade, LINE, *lines, 'tax_line_id', 'tax_repartition_line_id', 'tax_group_id')
    return trade.two_goods['customer']


@plant('a_cent_from_income_to_tax')
def _cent_to_tax(trade):
    note = trade.paid['note']
    for line, cent in (
        (get_line(trade, trade.paid), -0.01),
        (get_tax_line(trade, trade.paid), 0.01),
    ):
        change(
            trade,
            LINE,
            line,
            balance=line.balance + cent,
            debit=line.debit + cent,
            amount_currency=line.amount_currency + cent,
        )
    change(
        trade,
        MOVE,
        note,
        amount_untaxed=note.amount_untaxed - 0.01,
        amount_tax=note.amount_tax + 0.01,
    )
    return trade.paid['customer']


@plant('a_cent_between_two_taxes')
def _cent_between_taxes(trade):
    lines = trade.two_goods['note'].line_ids.filtered(lambda line: line.display_type == 'tax')
    for line, cent in zip(lines, (0.01, -0.01), strict=True):
        change(
            trade,
            LINE,
            line,
            balance=line.balance + cent,
            debit=line.debit + cent,
            amount_currency=line.amount_currency + cent,
        )
    return trade.two_goods['customer']


@plant('tax_line_on_the_repartition_of_invoices')
def _repartition(trade):
    line = get_tax_line(trade, trade.twice)
    invoices = line.tax_line_id.invoice_repartition_line_ids
    other = invoices.filtered(lambda part: part.repartition_type == 'tax')[:1]
    change(trade, LINE, line, tax_repartition_line_id=other.id)
    return trade.twice['customer']


@plant('tax_line_without_its_tax')
def _no_tax_of_line(trade):
    change(trade, LINE, get_tax_line(trade, trade.twice), tax_line_id=None)
    return trade.twice['customer']


@plant('base_of_the_tax_line')
def _tax_base(trade):
    change(trade, LINE, get_tax_line(trade, trade.twice), tax_base_amount=1.0)
    return trade.twice['customer']


@plant('tag_on_the_base_line_of_a_note')
def _tag(trade):
    tag = trade.env['account.account.tag'].create({'name': "Box 99", 'applicability': 'taxes'})
    line = get_line(trade, trade.twice)
    trade.sql(
        """INSERT INTO account_account_tag_account_move_line_rel
               (account_move_line_id, account_account_tag_id) VALUES (%s, %s)""",
        line.id,
        tag.id,
    )
    return trade.twice['customer']


@plant('line_takes_another_unit_of_measure')
def _uom(trade):
    dozen = trade.env.ref('uom.product_uom_dozen')
    change(trade, LINE, get_line(trade, trade.twice), product_uom_id=dozen.id)
    return trade.twice['customer']


@plant('more_pieces_at_a_lower_price_same_amount')
def _more_pieces(trade):
    line = get_line(trade, trade.twice)
    change(trade, LINE, line, quantity=line.quantity * 2, price_unit=line.price_unit / 2)
    return trade.twice['customer']


@plant('discount_beside_an_unchanged_amount')
def _discount(trade):
    change(trade, LINE, get_line(trade, trade.twice), discount=15.0)
    return trade.twice['customer']


@plant('line_of_the_note_in_another_company')
def _line_company(trade):
    other = trade.env['res.company'].search([('id', '!=', trade.company.id)], limit=1)
    change(trade, LINE, get_line(trade, trade.twice), company_id=other.id)
    return trade.twice['customer']


@plant('line_dated_unlike_its_note')
def _line_date(trade):
    change(trade, LINE, get_line(trade, trade.twice), date='2021-02-03')
    return trade.twice['customer']


@plant('line_says_draft_note_says_posted')
def _line_state(trade):
    change(trade, LINE, get_line(trade, trade.twice), parent_state='draft')
    return trade.twice['customer']


@plant('analytic_split_of_the_note_line')
def _analytic(trade):
    plan = trade.env['account.analytic.plan'].create({'name': "Audit"})
    account = trade.env['account.analytic.account'].create({'name': "Audit", 'plan_id': plan.id})
    split = json.dumps({str(account.id): 100})
    change(trade, LINE, get_line(trade, trade.twice), analytic_distribution=split)
    return trade.twice['customer']


@plant('line_moved_to_the_note_of_another_customer')
def _line_moved(trade):
    line = get_line(trade, trade.two_goods)
    change(trade, LINE, line, move_id=trade.other_paid['note'].id)
    return trade.two_goods['customer'] | trade.other_paid['customer']


@plant('two_notes_swap_their_lines')
def _lines_swapped(trade):
    one, other = get_line(trade, trade.paid), get_line(trade, trade.other_paid)
    swap(trade, LINE, one, other, 'move_id')
    return trade.paid['customer'] | trade.other_paid['customer']


@plant('due_line_of_another_partner')
def _due_partner(trade):
    change(trade, LINE, get_due_line(trade, trade.twice), partner_id=trade.stranger.id)
    return trade.twice['customer'] | trade.stranger


@plant('due_line_on_a_payable_account')
def _due_account(trade):
    line = get_due_line(trade, trade.twice)
    change(trade, LINE, line, account_id=trade.account('liability_payable').id)
    return trade.twice['customer']


@plant('cost_lines_of_the_note_deleted')
def _no_cost(trade):
    for line in cogs(trade.twice):
        trade.sql('DELETE FROM account_move_line WHERE id = %s', line.id)
    return trade.twice['customer']


@plant('cost_lines_of_the_note_halved')
def _half_cost(trade):
    for line in cogs(trade.twice):
        change(
            trade,
            LINE,
            line,
            balance=line.balance / 2,
            amount_currency=line.amount_currency / 2,
            debit=line.debit / 2,
            credit=line.credit / 2,
        )
    return trade.twice['customer']


@plant('cost_line_on_another_expense_account')
def _cost_account(trade):
    line = cogs(trade.twice).filtered('credit')[:1]
    other = trade.account('expense', line.account_id)
    change(trade, LINE, line, account_id=other.id)
    return trade.twice['customer']


@plant('fee_line_became_a_discount_of_the_goods')
def _fee_hidden(trade):
    fee, line = get_fee_line(trade, trade.fee), get_line(trade, trade.fee)
    change(
        trade,
        LINE,
        line,
        balance=line.balance + fee.balance,
        debit=line.debit + fee.balance,
        amount_currency=line.amount_currency + fee.amount_currency,
        price_subtotal=line.price_subtotal + fee.price_subtotal,
        price_unit=line.price_unit + fee.price_subtotal / line.quantity,
    )
    trade.sql('DELETE FROM account_move_line WHERE id = %s', fee.id)
    return trade.fee['customer']


@plant('fee_forgiven_by_hand')
def _fee_forgiven(trade):
    fee = get_fee_line(trade, trade.fee)
    return shift(trade, trade.fee, fee, -fee.price_subtotal)


@plant('fee_turned_around')
def _fee_turned(trade):
    fee = get_fee_line(trade, trade.fee)
    return shift(trade, trade.fee, fee, -2 * fee.price_subtotal)


@plant('fee_line_forgets_what_it_is')
def _fee_kind(trade):
    change(trade, LINE, get_fee_line(trade, trade.fee), sale_return_kind=None)
    return trade.fee['customer']


@plant('fee_line_names_another_return_line')
def _fee_line(trade):
    line = trade.draft_fee['return'].line_ids[:1]
    change(trade, LINE, get_fee_line(trade, trade.fee), sale_return_line_id=line.id)
    return trade.fee['customer'] | trade.draft_fee['customer']


# === NOTES: HEADERS === #


@plant('two_customers_swap_their_notes')
def _notes_swapped(trade):
    one, other = trade.paid, trade.other_paid
    columns = ('partner_id', 'commercial_partner_id', 'partner_shipping_id')
    swap(trade, MOVE, one['note'], other['note'], *columns)
    for case, partner in ((one, other['customer']), (other, one['customer'])):
        for line in case['note'].line_ids:
            change(trade, LINE, line, partner_id=partner.id)
    return one['customer'] | other['customer']


@plant('two_notes_swap_their_numbers')
def _numbers_swapped(trade):
    one, other = trade.paid['note'], trade.other_paid['note']
    for move in (one, other):
        change(trade, MOVE, move, state='draft')
    swap(trade, MOVE, one, other, 'name', 'sequence_number')
    for move in (one, other):
        change(trade, MOVE, move, state='posted')
    return trade.paid['customer'] | trade.other_paid['customer']


@plant('two_notes_swap_their_invoices')
def _origins_swapped(trade):
    swap(trade, MOVE, trade.paid['note'], trade.other_paid['note'], 'reversed_entry_id')
    return trade.paid['customer'] | trade.other_paid['customer']


@plant('commercial_partner_of_the_note')
def _commercial(trade):
    change(trade, MOVE, trade.twice['note'], commercial_partner_id=trade.stranger.id)
    return trade.twice['customer'] | trade.stranger


@plant('delivery_address_of_a_stranger')
def _shipping(trade):
    change(trade, MOVE, trade.twice['note'], partner_shipping_id=trade.stranger.id)
    return trade.twice['customer'] | trade.stranger


@plant('bank_account_of_a_stranger_on_the_note')
def _bank(trade):
    bank = trade.env['res.partner.bank'].create(
        {'acc_number': "AUDIT-77", 'partner_id': trade.stranger.id}
    )
    change(trade, MOVE, trade.twice['note'], partner_bank_id=bank.id)
    return trade.twice['customer'] | trade.stranger


@plant('rate_in_the_head_of_a_foreign_note')
def _head_rate(trade):
    change(trade, MOVE, trade.foreign['note'], invoice_currency_rate=3.0)
    return trade.foreign['customer']


@plant('foreign_note_right_amount_wrong_balance')
def _wrong_balance(trade):
    case = trade.foreign
    for line in case['note'].line_ids.filtered(lambda line: line.display_type != 'cogs'):
        change(
            trade,
            LINE,
            line,
            balance=line.balance * 2,
            debit=line.debit * 2,
            credit=line.credit * 2,
            amount_residual=line.amount_residual * 2,
        )
    return case['customer']


@plant('foreign_note_a_cent_of_balance_moved')
def _balance_cent(trade):
    case = trade.foreign
    for line, cent in ((get_line(trade, case), 0.01), (get_tax_line(trade, case), -0.01)):
        change(trade, LINE, line, balance=line.balance + cent, debit=line.debit + cent)
    return case['customer']


@plant('foreign_note_amount_in_euro_of_one_line')
def _foreign_amount(trade):
    line = get_line(trade, trade.foreign)
    change(trade, LINE, line, amount_currency=line.amount_currency - 10.0)
    return trade.foreign['customer']


@plant('note_taken_for_a_foreign_one')
def _currency(trade):
    note = trade.twice['note']
    change(trade, MOVE, note, currency_id=trade.euro.id)
    for line in note.line_ids:
        change(trade, LINE, line, currency_id=trade.euro.id)
    return trade.twice['customer']


@plant('book_date_in_another_year')
def _book_date(trade):
    note = trade.twice['note']
    change(trade, MOVE, note, date='2031-01-05')
    for line in note.line_ids:
        change(trade, LINE, line, date='2031-01-05')
    return trade.twice['customer']


@plant('note_dated_before_its_invoice')
def _before_invoice(trade):
    note = trade.twice['note']
    day = '2020-01-05'
    change(trade, MOVE, note, date=day, invoice_date=day)
    for line in note.line_ids:
        change(trade, LINE, line, date=day, invoice_date=day)
    return trade.twice['customer']


@plant('taxable_supply_date_of_the_note')
def _supply_date(trade):
    change(trade, MOVE, trade.twice['note'], taxable_supply_date='2020-01-05')
    return trade.twice['customer']


@plant('fiscal_position_of_the_note')
def _fiscal_position(trade):
    position = trade.env['account.fiscal.position'].create(
        {'name': "Audit", 'company_id': trade.company.id}
    )
    change(trade, MOVE, trade.twice['note'], fiscal_position_id=position.id)
    return trade.twice['customer']


@plant('journal_of_the_note')
def _journal(trade):
    other = trade.env['account.journal'].create(
        {'name': "Other", 'type': 'sale', 'code': 'AUS', 'company_id': trade.company.id}
    )
    note = trade.twice['note']
    change(trade, MOVE, note, journal_id=other.id)
    for line in note.line_ids:
        change(trade, LINE, line, journal_id=other.id)
    return trade.twice['customer']


@plant('untaxed_amount_in_company_currency')
def _head_signed(trade):
    note = trade.twice['note']
    change(trade, MOVE, note, amount_untaxed_signed=note.amount_untaxed_signed - 5)
    return trade.twice['customer']


@plant('head_says_paid_line_is_open')
def _says_paid(trade):
    change(trade, MOVE, trade.twice['invoice'], payment_state='paid', amount_residual=0.0)
    return trade.twice['customer']


@plant('open_amount_of_the_invoice_gone_without_payment')
def _residual_gone(trade):
    line = get_due_line(trade, {'note': trade.twice['invoice']})
    change(trade, LINE, line, amount_residual=0.0, amount_residual_currency=0.0, reconciled=True)
    return trade.twice['customer']


@plant('origin_of_the_note_emptied_by_hand')
def _no_origin(trade):
    change(trade, MOVE, trade.twice['note'], reversed_entry_id=None, ref=None)
    return trade.twice['customer']


@plant('note_looks_like_an_invoice')
def _type(trade):
    change(trade, MOVE, trade.paid['note'], move_type='out_invoice')
    return trade.paid['customer']


@plant('note_cancelled_its_payout_stays')
def _cancelled(trade):
    note = trade.paid['note']
    change(trade, MOVE, note, state='cancel')
    for line in note.line_ids:
        change(trade, LINE, line, parent_state='cancel')
    return trade.paid['customer']


@plant('note_reset_price_changed_posted_again')
def _edited(trade):
    note = trade.twice['note']
    note.button_draft()
    note.invoice_line_ids.filtered('sale_line_ids')[:1].price_unit = 90.0
    note.action_post()
    return trade.twice['customer']


@plant('note_reset_taxes_taken_off_posted_again')
def _untaxed(trade):
    note = trade.twice['note']
    note.button_draft()
    note.invoice_line_ids.tax_ids = False
    note.action_post()
    return trade.twice['customer']


@plant('note_reset_another_product_posted_again')
def _other_product(trade):
    note = trade.twice['note']
    note.button_draft()
    line = note.invoice_line_ids.filtered('sale_line_ids')[:1]
    price = line.price_unit
    line.product_id = trade.lamp
    line.write({'price_unit': price, 'tax_ids': [Command.set(trade.tax.ids)]})
    note.action_post()
    return trade.twice['customer']


@plant('note_undone_by_an_invoice_by_hand')
def _undone_by_hand(trade):
    note = trade.twice['note']
    note._reverse_moves([{}], cancel=False).action_post()
    return trade.twice['customer']


@plant('second_note_by_hand_without_any_link')
def _second_note(trade):
    case = trade.full
    note = trade.env['account.move'].create(
        {
            'move_type': 'out_refund',
            'partner_id': case['customer'].id,
            'invoice_date': trade.today,
            'company_id': trade.company.id,
            'invoice_line_ids': [
                Command.create(
                    {
                        'product_id': trade.product.id,
                        'quantity': 4,
                        'price_unit': 100.0,
                        'tax_ids': [Command.set(trade.tax.ids)],
                    }
                )
            ],
        }
    )
    note.action_post()
    return case['customer']


@plant('credited_again_by_a_price_correction')
def _price_correction(trade):
    trade.reverse(trade.full['invoice'], price=20.0)
    return trade.full['customer']
