"""How errors are planted: the register of plants, and ways past every check."""

PLANTS = {}
LINE, MOVE, PAYMENT, MOVEMENT = 'account_move_line', 'account_move', 'account_payment', 'stock_move'


def plant(name):
    """Register a function that plants an error and returns the partners it concerns."""

    def register(function):
        PLANTS[name] = function
        return function

    return register


def change(trade, table, record, **values):
    """Write columns of a record by SQL, past every check."""
    names = ', '.join(f'{name} = %s' for name in values)
    trade.sql(f'UPDATE {table} SET {names} WHERE id = %s', *values.values(), record.id)


def alter(trade, table, record, **values):
    """Write columns that are computed from documents: putting them right is as good as a row."""
    names = ', '.join(values)
    trade.env.flush_all()
    trade.env.cr.execute(f'SELECT {names} FROM {table} WHERE id = %s', [record.id])
    trade.before_plant = (table, record.id, names, trade.env.cr.fetchone())
    change(trade, table, record, **values)


def by_column(name, table, pick, column, value, case='twice'):
    """Register a plant that changes one column of one record."""

    @plant(name)
    def _plant(trade):
        record = pick(trade, getattr(trade, case))
        new = value(trade, record) if callable(value) else value
        change(trade, table, record, **{column: new})
        return getattr(trade, case)['customer']


def get_note(_trade, case):
    return case['note']


def get_line(_trade, case):
    return case['line']


def get_tax_line(_trade, case):
    return case['note'].line_ids.filtered(lambda line: line.display_type == 'tax')[:1]


def get_due_line(_trade, case):
    return case['note'].line_ids.filtered(lambda line: line.display_type == 'payment_term')[:1]


def get_fee_line(_trade, case):
    return case['note'].invoice_line_ids.filtered(lambda line: line.price_subtotal < 0)[:1]


def shift(trade, case, line, amount):
    """Change an amount of a note everywhere it stands: line, counterpart, head."""
    note, due = case['note'], get_due_line(trade, case)
    rate = note.invoice_currency_rate or 1.0
    base = amount / rate
    change(
        trade,
        LINE,
        line,
        amount_currency=line.amount_currency + amount,
        balance=line.balance + base,
        debit=max(line.balance + base, 0.0),
        credit=max(-line.balance - base, 0.0),
        price_subtotal=line.price_subtotal + amount,
        price_total=line.price_total + amount,
        price_unit=line.price_unit + amount / (line.quantity or 1.0),
    )
    change(
        trade,
        LINE,
        due,
        amount_currency=due.amount_currency - amount,
        balance=due.balance - base,
        credit=due.credit + base,
        amount_residual=due.amount_residual - base,
        amount_residual_currency=due.amount_residual_currency - amount,
    )
    change(
        trade,
        MOVE,
        note,
        amount_untaxed=note.amount_untaxed + amount,
        amount_total=note.amount_total + amount,
        amount_residual=note.amount_residual + amount,
        amount_total_signed=note.amount_total_signed - base,
        amount_untaxed_signed=note.amount_untaxed_signed - base,
    )
    return case['customer']


def add_line(trade, case, amount):
    """Insert a line by SQL, with its counterpart and in the head of the note."""
    line = case['line']
    trade.sql(
        """INSERT INTO account_move_line (move_id, account_id, company_id, journal_id, partner_id,
               currency_id, company_currency_id, date, parent_state, display_type, name, quantity,
               price_unit, price_subtotal, price_total, amount_currency, balance, debit, credit,
               sequence, move_name)
           SELECT move_id, account_id, company_id, journal_id, partner_id, currency_id,
               company_currency_id, date, parent_state, 'product', 'Text', 1, 0, 0, 0, 0, 0, 0, 0,
               99, move_name
             FROM account_move_line WHERE id = %s""",
        line.id,
    )
    trade.env.cr.execute("SELECT MAX(id) FROM account_move_line")
    return shift(trade, case, line.browse(trade.env.cr.fetchone()[0]), amount)


def delete_entry(trade, move):
    """Delete an entry with all that holds on to it."""
    lines = tuple(move.line_ids.ids)
    trade.sql(
        'DELETE FROM account_partial_reconcile WHERE debit_move_id IN %s OR credit_move_id IN %s',
        lines,
        lines,
    )
    trade.sql('UPDATE account_move_line SET cogs_origin_id = NULL WHERE move_id = %s', move.id)
    trade.sql('DELETE FROM account_move_line WHERE move_id = %s', move.id)
    trade.sql('DELETE FROM account_move WHERE id = %s', move.id)
