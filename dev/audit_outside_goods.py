"""Errors in payments, goods, orders and returns, planted by the auditor of `audit_outside`."""

from datetime import timedelta

from audit_outside import disposal, goods_lines, partials_of, payment_of, receipt, swap
from audit_tools import LINE, MOVE, MOVEMENT, PAYMENT, alter, change, get_due_line, plant

PARTIAL, MOVEMENT_LINE, ORDER_LINE = (
    'account_partial_reconcile',
    'stock_move_line',
    'sale_order_line',
)
RETURN, RETURN_LINE, INSPECTION, PAYOUT = (
    'sale_return',
    'sale_return_line',
    'sale_return_inspection',
    'sale_return_refund',
)

# === PAYMENTS === #


def set_entry(trade, move, amount):
    """Change the amount of an entry of two lines."""
    for line in move.line_ids:
        sign = 1 if line.balance > 0 else -1
        change(
            trade,
            LINE,
            line,
            balance=sign * amount,
            amount_currency=sign * amount,
            debit=amount if sign > 0 else 0,
            credit=0 if sign > 0 else amount,
        )
    change(trade, MOVE, move, amount_total=amount)


@plant('payout_and_its_entry_a_cent_higher')
def _payout_cent(trade):
    payment = payment_of(trade.paid)
    change(trade, PAYMENT, payment, amount=payment.amount + 0.01)
    set_entry(trade, payment.move_id, payment.amount)
    return trade.paid['customer']


@plant('entry_of_the_payout_differs_from_the_payment')
def _payout_entry(trade):
    payment = payment_of(trade.paid)
    set_entry(trade, payment.move_id, payment.amount - 0.01)
    return trade.paid['customer']


@plant('two_customers_swap_their_payouts')
def _payouts_swapped(trade):
    one, other = payment_of(trade.paid), payment_of(trade.other_paid)
    swap(trade, PAYMENT, one, other, 'partner_id')
    for payment, customer in ((one, trade.other_paid), (other, trade.paid)):
        for line in payment.move_id.line_ids:
            change(trade, LINE, line, partner_id=customer['customer'].id)
        change(
            trade,
            MOVE,
            payment.move_id,
            partner_id=customer['customer'].id,
            commercial_partner_id=customer['customer'].id,
        )
    return trade.paid['customer'] | trade.other_paid['customer']


@plant('two_customers_swap_the_matching_of_their_payouts')
def _matching_swapped(trade):
    one, other = (partials_of(payment_of(case).move_id) for case in (trade.paid, trade.other_paid))
    swap(trade, PARTIAL, one, other, 'debit_move_id')
    return trade.paid['customer'] | trade.other_paid['customer']


@plant('two_payouts_swap_their_notes')
def _payout_notes(trade):
    swap(trade, PAYOUT, trade.paid['payout'], trade.other_paid['payout'], 'note_id')
    return trade.paid['customer'] | trade.other_paid['customer']


@plant('payout_row_names_another_payment')
def _payout_payment(trade):
    other = payment_of(trade.other_paid)
    change(trade, PAYOUT, trade.other_paid['payout'], payment_id=None)
    change(trade, PAYOUT, trade.paid['payout'], payment_id=other.id)
    return trade.paid['customer'] | trade.other_paid['customer']


@plant('payout_row_deleted')
def _payout_deleted(trade):
    trade.sql('DELETE FROM sale_return_refund WHERE id = %s', trade.paid['payout'].id)
    return trade.paid['customer']


@plant('payout_row_says_failed')
def _payout_failed(trade):
    change(trade, PAYOUT, trade.paid['payout'], state='failed')
    return trade.paid['customer']


@plant('payout_row_of_another_amount')
def _payout_amount(trade):
    change(trade, PAYOUT, trade.paid['payout'], amount=480.0)
    return trade.paid['customer']


@plant('payout_through_another_journal')
def _payout_journal(trade):
    other = trade.env['account.journal'].create(
        {'name': "Cash", 'type': 'cash', 'code': 'AUC', 'company_id': trade.company.id}
    )
    payment = payment_of(trade.paid)
    change(trade, PAYMENT, payment, journal_id=other.id)
    change(trade, MOVE, payment.move_id, journal_id=other.id)
    for line in payment.move_id.line_ids:
        change(trade, LINE, line, journal_id=other.id)
    return trade.paid['customer']


@plant('payout_booked_against_expenses')
def _payout_account(trade):
    line = payment_of(trade.paid).move_id.line_ids.filtered('credit')
    change(trade, LINE, line, account_id=trade.account('expense').id)
    return trade.paid['customer']


@plant('payout_became_a_receipt')
def _payout_inbound(trade):
    change(trade, PAYMENT, payment_of(trade.paid), payment_type='inbound')
    return trade.paid['customer']


@plant('payout_to_the_bank_account_of_a_stranger')
def _payout_bank(trade):
    bank = trade.env['res.partner.bank'].create(
        {'acc_number': "AUDIT-78", 'partner_id': trade.stranger.id}
    )
    change(trade, PAYMENT, payment_of(trade.paid), partner_bank_id=bank.id)
    return trade.paid['customer'] | trade.stranger


@plant('bank_account_of_the_payout_handed_to_a_stranger')
def _payout_bank_owner(trade):
    bank = trade.env['res.partner.bank'].create(
        {'acc_number': "AUDIT-79", 'partner_id': trade.paid['customer'].id}
    )
    change(trade, PAYMENT, payment_of(trade.paid), partner_bank_id=bank.id)
    change(trade, 'res_partner_bank', bank, partner_id=trade.stranger.id)
    return trade.paid['customer'] | trade.stranger


@plant('payout_cancelled_its_entry_stays')
def _payout_cancelled(trade):
    change(trade, PAYMENT, payment_of(trade.paid), state='canceled')
    return trade.paid['customer']


@plant('payout_rejected_its_entry_stays')
def _payout_rejected(trade):
    change(trade, PAYMENT, payment_of(trade.paid), state='rejected')
    return trade.paid['customer']


@plant('payout_dated_before_the_sale')
def _payout_date(trade):
    payment = payment_of(trade.paid)
    change(trade, PAYMENT, payment, date='2020-01-01')
    change(trade, MOVE, payment.move_id, date='2020-01-01')
    for line in payment.move_id.line_ids:
        change(trade, LINE, line, date='2020-01-01')
    return trade.paid['customer']


@plant('foreign_payout_right_amount_wrong_balance')
def _foreign_payout(trade):
    for line in payment_of(trade.foreign_paid).move_id.line_ids:
        change(
            trade,
            LINE,
            line,
            balance=line.balance * 1.5,
            debit=line.debit * 1.5,
            credit=line.credit * 1.5,
        )
    return trade.foreign_paid['customer']


@plant('foreign_payout_in_company_currency')
def _foreign_payout_currency(trade):
    payment = payment_of(trade.foreign_paid)
    change(trade, PAYMENT, payment, currency_id=trade.company.currency_id.id)
    return trade.foreign_paid['customer']


@plant('paid_twice_by_another_bank_unmatched')
def _paid_twice(trade):
    other = trade.env['account.journal'].create(
        {'name': "Other bank", 'type': 'bank', 'code': 'AUO', 'company_id': trade.company.id}
    )
    customer = trade.paid['customer']
    payment = trade.env['account.payment'].create(
        {
            'payment_type': 'outbound',
            'partner_type': 'customer',
            'partner_id': customer.id,
            'amount': 484.0,
            'journal_id': other.id,
            'date': trade.today,
        }
    )
    payment.action_post()
    return customer


@plant('paid_twice_by_a_journal_entry_on_the_bank')
def _paid_twice_by_entry(trade):
    receivable = trade.receivable(trade.paid['invoice']).account_id
    payment_side = payment_of(trade.paid).move_id.line_ids.filtered('credit').account_id
    trade.make_entry(receivable, payment_side, 484.0, trade.paid['customer'])
    return trade.paid['customer']


@plant('note_of_the_waiting_customer_written_off_against_expenses')
def _written_off(trade):
    """An open credit disappears: matched with an entry against income."""
    case = trade.two_goods
    note = case['note']
    due = get_due_line(trade, case)
    partials_of(note).unlink()
    case['return'].invalidate_recordset()
    entry = trade.make_entry(
        due.account_id, trade.account('income_other'), 630.65, case['customer']
    )
    (due | entry.line_ids.filtered(lambda line: line.account_id == due.account_id)).reconcile()
    return case['customer']


# === MATCHING === #


@plant('partial_of_a_payout_a_cent_lower')
def _partial_cent(trade):
    partial = partials_of(payment_of(trade.paid).move_id)[:1]
    change(trade, PARTIAL, partial, amount=partial.amount - 0.01)
    return trade.paid['customer']


@plant('partial_in_the_foreign_currency')
def _partial_foreign(trade):
    partial = partials_of(payment_of(trade.foreign_paid).move_id)[:1]
    change(trade, PARTIAL, partial, debit_amount_currency=1.0, credit_amount_currency=1.0)
    return trade.foreign_paid['customer']


@plant('partial_of_the_note_pointed_to_another_invoice')
def _partial_pointed(trade):
    due = get_due_line(trade, trade.twice)
    partial = (due.matched_debit_ids | due.matched_credit_ids)[:1]
    other = trade.receivable(trade.plain['invoice'])
    column = 'debit_move_id' if partial.credit_move_id == due else 'credit_move_id'
    change(trade, PARTIAL, partial, **{column: other.id})
    return trade.twice['customer'] | trade.plain['customer']


@plant('partial_of_the_note_deleted')
def _partial_deleted(trade):
    for partial in partials_of(trade.twice['note']):
        trade.sql('DELETE FROM account_partial_reconcile WHERE id = %s', partial.id)
    return trade.twice['customer']


@plant('partial_written_twice')
def _partial_twice(trade):
    partial = partials_of(trade.twice['note'])[:1]
    trade.sql(
        """INSERT INTO account_partial_reconcile (debit_move_id, credit_move_id, amount,
               debit_amount_currency, credit_amount_currency, company_id, debit_currency_id,
               credit_currency_id, max_date)
           SELECT debit_move_id, credit_move_id, amount, debit_amount_currency,
               credit_amount_currency, company_id, debit_currency_id, credit_currency_id, max_date
             FROM account_partial_reconcile WHERE id = %s""",
        partial.id,
    )
    return trade.twice['customer']


@plant('full_matching_deleted')
def _full_deleted(trade):
    full = get_due_line(trade, trade.paid).full_reconcile_id
    trade.sql(
        'UPDATE account_move_line SET full_reconcile_id = NULL WHERE full_reconcile_id = %s',
        full.id,
    )
    trade.sql('DELETE FROM account_full_reconcile WHERE id = %s', full.id)
    return trade.paid['customer']


# === GOODS === #


@plant('receipt_and_its_lines_two_pieces_more')
def _receipt_more(trade):
    move = receipt(trade.twice)
    change(
        trade,
        MOVEMENT,
        move,
        quantity=move.quantity + 2,
        product_uom_qty=move.quantity + 2,
        product_qty=move.quantity + 2,
    )
    line = move.move_line_ids[:1]
    change(trade, MOVEMENT_LINE, line, quantity=4, quantity_product_uom=4)
    return trade.twice['customer']


@plant('line_of_the_receipt_one_piece_less')
def _receipt_line(trade):
    line = receipt(trade.twice).move_line_ids[:1]
    change(trade, MOVEMENT_LINE, line, quantity=1, quantity_product_uom=1)
    return trade.twice['customer']


@plant('line_of_the_receipt_deleted')
def _receipt_line_deleted(trade):
    line = receipt(trade.twice).move_line_ids[:1]
    trade.sql('DELETE FROM stock_move_line WHERE id = %s', line.id)
    return trade.twice['customer']


@plant('receipt_in_dozens')
def _receipt_uom(trade):
    move = receipt(trade.twice)
    change(trade, MOVEMENT, move, product_uom=trade.env.ref('uom.product_uom_dozen').id)
    return trade.twice['customer']


@plant('receipt_of_another_product')
def _receipt_product(trade):
    move = receipt(trade.twice)
    change(trade, MOVEMENT, move, product_id=trade.lamp.id)
    change(trade, MOVEMENT_LINE, move.move_line_ids[:1], product_id=trade.lamp.id)
    return trade.twice['customer']


@plant('two_receipts_of_one_customer_swap_products')
def _receipts_swapped(trade):
    moves = trade.two_goods['return'].line_ids.move_ids
    moves = moves.filtered(lambda move: not move.sale_return_inspection_id)
    swap(trade, MOVEMENT, moves[0], moves[1], 'product_id')
    lines = moves.move_line_ids
    swap(trade, MOVEMENT_LINE, lines[0], lines[1], 'product_id')
    return trade.two_goods['customer']


@plant('receipt_of_another_lot')
def _receipt_lot(trade):
    case = trade.lots
    change(trade, MOVEMENT_LINE, receipt(case).move_line_ids[:1], lot_id=case['lots'][1].id)
    return case['customer']


@plant('receipt_without_its_lot')
def _receipt_no_lot(trade):
    case = trade.lots
    change(trade, MOVEMENT_LINE, receipt(case).move_line_ids[:1], lot_id=None)
    return case['customer']


@plant('inspection_of_another_lot')
def _inspected_lot(trade):
    case = trade.lots
    change(trade, INSPECTION, case['return'].line_ids.inspection_ids[:1], lot_id=case['lots'][1].id)
    return case['customer']


@plant('goods_of_the_receipt_owned_by_a_stranger')
def _receipt_owner(trade):
    move = receipt(trade.twice)
    change(trade, MOVEMENT_LINE, move.move_line_ids[:1], owner_id=trade.stranger.id)
    return trade.twice['customer'] | trade.stranger


@plant('receipt_from_a_supplier')
def _receipt_source(trade):
    supplier = trade.env.ref('stock.stock_location_suppliers')
    move = receipt(trade.twice)
    change(trade, MOVEMENT, move, location_id=supplier.id)
    change(trade, MOVEMENT_LINE, move.move_line_ids[:1], location_id=supplier.id)
    return trade.twice['customer']


@plant('receipt_straight_into_scrap')
def _receipt_lost(trade):
    lost = trade.env['stock.location'].search(
        [('usage', '=', 'inventory'), ('company_id', 'in', (trade.company.id, False))], limit=1
    )
    move = receipt(trade.twice)
    change(trade, MOVEMENT, move, location_dest_id=lost.id)
    change(trade, MOVEMENT_LINE, move.move_line_ids[:1], location_dest_id=lost.id)
    return trade.twice['customer']


@plant('receipt_dated_before_the_delivery')
def _receipt_date(trade):
    move = receipt(trade.twice)
    change(trade, MOVEMENT, move, date='2020-02-01')
    change(trade, MOVEMENT_LINE, move.move_line_ids[:1], date='2020-02-01')
    return trade.twice['customer']


@plant('receipt_undone_behind_the_return')
def _receipt_undone(trade):
    move = receipt(trade.twice)
    change(trade, MOVEMENT, move, state='cancel')
    change(trade, MOVEMENT_LINE, move.move_line_ids[:1], state='cancel')
    return trade.twice['customer']


@plant('receipt_valued_at_nothing')
def _receipt_value(trade):
    change(trade, MOVEMENT, receipt(trade.twice), value=0.0)
    return trade.twice['customer']


@plant('receipt_valued_a_cent_too_high')
def _receipt_value_cent(trade):
    move = receipt(trade.twice)
    change(trade, MOVEMENT, move, value=float(move.value) + 0.01)
    return trade.twice['customer']


@plant('receipt_under_the_return_of_another_customer')
def _receipt_other_return(trade):
    swap(
        trade,
        MOVEMENT,
        receipt(trade.paid),
        receipt(trade.other_paid),
        'sale_return_line_id',
    )
    return trade.paid['customer'] | trade.other_paid['customer']


@plant('receipts_of_two_customers_swap_order_lines')
def _receipt_other_order(trade):
    swap(
        trade,
        MOVEMENT,
        receipt(trade.paid),
        receipt(trade.other_paid),
        *('sale_line_id', 'origin_returned_move_id'),
    )
    return trade.paid['customer'] | trade.other_paid['customer']


@plant('receipt_forgets_its_order_line')
def _receipt_no_order(trade):
    change(trade, MOVEMENT, receipt(trade.twice), sale_line_id=None)
    return trade.twice['customer']


@plant('receipt_does_not_count_on_the_order')
def _receipt_not_refunded(trade):
    change(trade, MOVEMENT, receipt(trade.twice), to_refund=False)
    return trade.twice['customer']


@plant('transfer_of_the_receipt_of_another_return')
def _picking_return(trade):
    one, other = receipt(trade.paid).picking_id, receipt(trade.other_paid).picking_id
    swap(trade, 'stock_picking', one, other, 'sale_return_id')
    return trade.paid['customer'] | trade.other_paid['customer']


@plant('transfer_of_the_receipt_from_a_stranger')
def _picking_partner(trade):
    picking = receipt(trade.twice).picking_id
    change(trade, 'stock_picking', picking, partner_id=trade.stranger.id)
    return trade.twice['customer'] | trade.stranger


@plant('restocked_goods_went_to_scrap')
def _disposal_scrapped(trade):
    lost = trade.env['stock.location'].search(
        [('usage', '=', 'inventory'), ('company_id', 'in', (trade.company.id, False))], limit=1
    )
    move = disposal(trade.twice)
    change(trade, MOVEMENT, move, location_dest_id=lost.id)
    change(trade, MOVEMENT_LINE, move.move_line_ids[:1], location_dest_id=lost.id)
    return trade.twice['customer']


@plant('one_piece_of_the_restocked_goods_missing')
def _disposal_short(trade):
    move = disposal(trade.twice)
    change(trade, MOVEMENT, move, quantity=move.quantity - 1)
    line = move.move_line_ids[:1]
    change(trade, MOVEMENT_LINE, line, quantity=1, quantity_product_uom=1)
    return trade.twice['customer']


@plant('move_of_the_restocked_goods_deleted')
def _disposal_deleted(trade):
    move = disposal(trade.twice)
    trade.sql('DELETE FROM stock_move_line WHERE move_id = %s', move.id)
    trade.sql('DELETE FROM stock_move WHERE id = %s', move.id)
    return trade.twice['customer']


@plant('restocked_goods_moved_twice')
def _disposal_twice(trade):
    move = disposal(trade.twice)
    move.copy({'state': 'draft'})
    trade.sql(
        """UPDATE stock_move SET state = 'done', quantity = %s, sale_return_inspection_id = %s
            WHERE id = (SELECT MAX(id) FROM stock_move)""",
        move.quantity,
        move.sale_return_inspection_id.id,
    )
    return trade.twice['customer']


@plant('quarantine_counts_goods_that_left')
def _quarantine(trade):
    trade.env['stock.quant']._update_available_quantity(
        trade.product, trade.warehouse.sale_return_loc_id, 3
    )
    return trade.env['res.partner']


@plant('receipt_revalued_by_hand')
def _revalued(trade):
    trade.env['product.value'].create({'move_id': receipt(trade.twice).id, 'value': 1.0})
    return trade.twice['customer']


@plant('receipt_revalued_past_its_move')
def _revalued_past(trade):
    move = receipt(trade.twice)
    trade.sql(
        """INSERT INTO product_value (product_id, move_id, company_id, value, date, user_id)
           VALUES (%s, %s, %s, 1.0, now() at time zone 'UTC', 2)""",
        trade.product.id,
        move.id,
        trade.company.id,
    )
    return trade.twice['customer']


# === ORDERS === #


@plant('order_says_less_was_delivered')
def _delivered(trade):
    line = trade.twice['order'].order_line
    alter(trade, ORDER_LINE, line, qty_delivered=line.qty_delivered - 1)
    return trade.twice['customer']


@plant('order_says_more_was_invoiced')
def _invoiced(trade):
    line = trade.twice['order'].order_line
    alter(trade, ORDER_LINE, line, qty_invoiced=line.qty_invoiced + 1)
    return trade.twice['customer']


@plant('order_says_nothing_came_back')
def _returned(trade):
    alter(trade, ORDER_LINE, trade.twice['order'].order_line, qty_returned=0)
    return trade.twice['customer']


@plant('order_offers_returned_goods_for_billing')
def _billable(trade):
    line = trade.twice['order'].order_line
    alter(trade, ORDER_LINE, line, qty_to_invoice=3, invoice_status='to invoice')
    return trade.twice['customer']


@plant('order_of_another_customer_after_the_credit')
def _order_partner(trade):
    order = trade.twice['order']
    change(trade, 'sale_order', order, partner_id=trade.stranger.id)
    return trade.twice['customer'] | trade.stranger


@plant('product_of_the_order_line_after_the_credit')
def _order_product(trade):
    change(trade, ORDER_LINE, trade.twice['order'].order_line, product_id=trade.lamp.id)
    return trade.twice['customer']


@plant('exchange_invoice_halved_by_a_note')
def _exchange_note(trade):
    trade.reverse(trade.exchange['new_invoice'], price=60.0)
    return trade.exchange['customer']


@plant('exchange_invoice_paid_out_of_nothing')
def _exchange_unmatched(trade):
    partials_of(trade.exchange['note']).unlink()
    return trade.exchange['customer']


@plant('exchange_line_names_another_order')
def _exchange_order(trade):
    line = trade.exchange['return'].line_ids
    change(trade, RETURN_LINE, line, exchange_order_id=trade.paid['order'].id)
    return trade.exchange['customer'] | trade.paid['customer']


# === INVOICES === #


@plant('invoice_lowered_after_the_credit')
def _invoice_lowered(trade):
    line = trade.full['invoice'].invoice_line_ids
    due = trade.receivable(trade.full['invoice'])
    for record, sign in ((line, 1), (due, -1)):
        change(
            trade,
            LINE,
            record,
            balance=record.balance + sign * 100,
            amount_currency=record.amount_currency + sign * 100,
        )
    change(trade, LINE, line, price_subtotal=900.0, price_unit=90.0)
    return trade.full['customer']


@plant('invoice_cancelled_after_the_credit')
def _invoice_cancelled(trade):
    invoice = trade.twice['invoice']
    change(trade, MOVE, invoice, state='cancel')
    for line in invoice.line_ids:
        change(trade, LINE, line, parent_state='cancel')
    return trade.twice['customer']


@plant('invoice_of_another_customer_after_the_credit')
def _invoice_partner(trade):
    invoice = trade.twice['invoice']
    stranger = trade.stranger.id
    change(trade, MOVE, invoice, partner_id=stranger, commercial_partner_id=stranger)
    for line in invoice.line_ids:
        change(trade, LINE, line, partner_id=stranger)
    return trade.twice['customer'] | trade.stranger


# === RETURNS === #


def by_return_line(name, case='twice', **values):
    """Register a plant that rewrites stored figures of a return line."""

    @plant(name)
    def _plant(trade):
        alter(trade, RETURN_LINE, getattr(trade, case)['return'].line_ids[:1], **values)
        return getattr(trade, case)['customer']


by_return_line('return_line_authorized_less_than_received', qty_authorized=1)
by_return_line('return_line_received', qty_received=7)
by_return_line('return_line_accepted', qty_accepted=1)
by_return_line('return_line_rejected', qty_rejected=1)
by_return_line('return_line_credited', qty_credited=1)
by_return_line('return_line_credited_elsewhere', qty_credited_otherwise=2)
by_return_line('return_line_still_to_credit', qty_to_credit=1)
by_return_line('return_line_replacement_after_the_credit', resolution='replace')


@plant('two_returns_swap_their_customers')
def _returns_swapped(trade):
    swap(trade, RETURN, trade.paid['return'], trade.other_paid['return'], 'partner_id')
    return trade.paid['customer'] | trade.other_paid['customer']


@plant('return_line_of_another_order')
def _return_order(trade):
    line = trade.twice['return'].line_ids
    change(trade, RETURN_LINE, line, sale_line_id=trade.plain['order'].order_line.id)
    return trade.twice['customer'] | trade.plain['customer']


@plant('return_line_of_another_product')
def _return_product(trade):
    change(trade, RETURN_LINE, trade.twice['return'].line_ids, product_id=trade.lamp.id)
    return trade.twice['customer']


@plant('return_cancelled_after_the_credit')
def _return_cancelled(trade):
    change(trade, RETURN, trade.twice['return'], state='cancelled')
    for line in trade.twice['return'].line_ids:
        change(trade, RETURN_LINE, line, state='cancelled')
    return trade.twice['customer']


@plant('return_refused_after_the_credit')
def _return_refused(trade):
    change(trade, RETURN, trade.twice['return'], state='refused')
    for line in trade.twice['return'].line_ids:
        change(trade, RETURN_LINE, line, state='refused')
    return trade.twice['customer']


@plant('return_says_it_credited_another_amount')
def _return_amount(trade):
    alter(trade, RETURN, trade.paid['return'], amount_credited=480.0)
    return trade.paid['customer']


@plant('return_says_it_paid_another_amount')
def _return_refunded(trade):
    alter(trade, RETURN, trade.paid['return'], amount_refunded=480.0)
    return trade.paid['customer']


@plant('inspection_row_turned_into_a_refusal')
def _inspection_refused(trade):
    row = trade.twice['return'].line_ids.inspection_ids[:1]
    back = trade.env.ref('sale_return.disposition_send_back')
    change(trade, INSPECTION, row, disposition_id=back.id)
    return trade.twice['customer']


@plant('inspection_row_of_another_return')
def _inspection_line(trade):
    one, other = (c['return'].line_ids.inspection_ids for c in (trade.paid, trade.other_paid))
    change(trade, INSPECTION, one, line_id=other.line_id.id)
    return trade.paid['customer'] | trade.other_paid['customer']


@plant('inspection_row_deleted_goods_stay')
def _inspection_deleted(trade):
    row = trade.twice['return'].line_ids.inspection_ids[:1]
    trade.sql(
        'UPDATE stock_move SET sale_return_inspection_id = NULL'
        ' WHERE sale_return_inspection_id = %s',
        row.id,
    )
    trade.sql('DELETE FROM sale_return_inspection WHERE id = %s', row.id)
    return trade.twice['customer']


@plant('inspection_dated_before_the_goods_came')
def _inspection_late(trade):
    row = trade.twice['return'].line_ids.inspection_ids[:1]
    change(trade, INSPECTION, row, date=row.date - timedelta(days=900))
    return trade.twice['customer']


@plant('two_returned_lines_swap_their_note_lines')
def _cross_returns(trade):
    one, other = goods_lines(trade.paid), goods_lines(trade.other_paid)
    swap(trade, LINE, one, other, 'sale_return_line_id')
    return trade.paid['customer'] | trade.other_paid['customer']
