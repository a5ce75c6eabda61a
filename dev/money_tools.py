"""Helpers for the cases of docs/money.md: their registry, and texts for documents."""

CASES = []


def case(name, steps, expected):
    """Register a function that plays a case and returns what was posted, as text."""

    def register(play):
        CASES.append((name, steps, expected, play))
        return play

    return register


# === WHAT IS TOLD OF A CASE === #


def amounts(*records, name='amount_total'):
    """Return amounts of documents with the decimals of their currency."""
    return ", ".join(
        f"{record[name]:.{record.currency_id.decimal_places}f}" for r in records for record in r
    )


def notes_of(*returns):
    """Return the totals of the notes of returns, one after the other."""
    return amounts(*[sale_return.credit_note_ids.sorted('id') for sale_return in returns])


def left(invoice):
    return f"invoice left {amounts(invoice, name='amount_residual')}"


def cost_of(moves):
    """Return the cost of goods that notes take back into stock."""
    lines = moves.line_ids.filtered(
        lambda line: (
            line.display_type == 'cogs' and not line.account_id.account_type.startswith('expense')
        )
    )
    return f"cost {sum(lines.mapped('balance')):.2f}"


def in_company_currency(notes):
    return f"{sum(abs(note.amount_total_signed) for note in notes):.2f}"


def exchange_of(world):
    moves = world.env['account.move'].search(
        [
            ('journal_id', '=', world.company.currency_exchange_journal_id.id),
            ('state', '=', 'posted'),
        ]
    )
    booked = sum(abs(line.balance) for line in moves.line_ids) / 2
    return f"exchange {booked:.2f}"


def give_back(world, line, quantities, **values):
    """Sell one line, return these quantities one after the other, tell the notes."""
    order = world._create_sale({'quantity': sum(quantities), **line}, **values)
    invoice = order.invoice_ids
    returns = [world._return_goods(order, quantity) for quantity in quantities]
    return f"{notes_of(*returns)}; {left(invoice)}"


def pay(world, invoices):
    journal = world.env['account.journal'].search(
        [('company_id', '=', world.company.id), ('type', '=', 'bank')], limit=1
    )
    world.env['account.payment.register'].with_context(
        active_model='account.move', active_ids=invoices.ids
    ).create({'journal_id': journal.id})._create_payments()


def approve(world, order, quantity, reason=None):
    """Return an order of which nothing comes back: a clerk asks for it and an approver decides."""
    sales = 'sales_team.group_sale_salesman_all_leads'
    clerk = world._create_user('money_clerk', 'sale_return.group_user', sales)
    approver = world._create_user('money_approver', 'sale_return.group_approver', sales)
    values = {
        'partner_id': order.partner_id.id,
        'line_ids': world._prepare_return_lines(order.order_line, quantity, reason),
    }
    asked = world._env_of(clerk)['sale.return'].create(values)
    asked.action_submit()
    asked.with_env(world._env_of(approver)).action_approve()
    world.env.invalidate_all()
    return asked.with_env(world.env)
