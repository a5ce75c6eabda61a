"""Plant errors into the books of a small trade and count what the list of differences finds.

Nothing of the add-on is imported: the trade is made by the methods that people's clicks call, the
errors by the ORM where it lets us and by SQL where it does not. Each error is planted behind a
savepoint and taken back, so one trade serves for all of them.

A plant is found if the list has a new row, or another figure on an old one, about the customer or
the document it was planted on. Any other new row is a false one. What Odoo or the add-on refuses
is no error any more and counts as found.
"""

import logging
from datetime import timedelta

from odoo import Command
from odoo.exceptions import UserError

_logger = logging.getLogger(__name__)

PLANTS = {}
FIGURES = ('kind', 'state', 'cause', 'qty_difference', 'amount_difference', 'amount_credited')


def plant(name):
    """Register a function that plants an error and returns the partners it concerns."""

    def register(function):
        PLANTS[name] = function
        return function

    return register


def run(env, names='', **_options):
    """Make the trade, plant each error, print the table.

    :return: False, so that nothing is kept; the exit code says whether all was found.
    """
    trade = Trade(env)
    chosen = names.split() or list(PLANTS)
    results = check(trade, chosen)
    width = max(len(name) for name in results)
    for name, (outcome, rows, false_rows) in results.items():
        print(f"{name:<{width}}  {outcome:<9}  {', '.join(sorted(rows)):<40}  {false_rows or ''}")
    for key, figures in trade.baseline_false:
        print("Before anything was planted:", key, figures)
    outcomes = [outcome for outcome, _rows, _false in results.values()]
    false_count = sum(len(false_rows) for _outcome, _rows, false_rows in results.values())
    lost = outcomes.count('NOT FOUND') + outcomes.count('ERROR')
    print(
        f"\n{len(results)} plants: {outcomes.count('found')} found, "
        f"{outcomes.count('refused')} refused, {lost} not found, {false_count} false rows; "
        f"{len(trade.baseline_false)} rows before anything was planted"
    )
    return not lost and not false_count and not trade.baseline_false


def check(trade, names):
    """Plant errors by name and say what was found of each.

    :return: `{name: (outcome, kinds of the rows found, false rows)}`.
    :rtype: dict
    """
    env = trade.env
    before = trade.read_rows()
    # Drafts that wait to be posted are all that is open.
    waiting = trade.waiting
    trade.baseline_false = [
        (key, figures) for key, figures in before.items() if figures[0] not in waiting.ids
    ]
    results = {}
    for name in names:
        savepoint = env.cr.savepoint()
        try:
            try:
                with env.cr.savepoint():
                    partners = PLANTS[name](trade)
                    env.flush_all()
            except UserError as error:
                results[name] = ('refused', {str(error)[:60]}, [])
                continue
            env.invalidate_all()
            after = trade.read_rows()
            changed = {key: figures for key, figures in after.items() if before.get(key) != figures}
            gone = before.keys() - after.keys()
            mine = {key: figures for key, figures in changed.items() if figures[0] in partners.ids}
            false_rows = [key for key in changed if key not in mine]
            kinds = {f'{figures[2]}({figures[4] or ""})' for figures in mine.values()}
            results[name] = ('found' if mine or gone else 'NOT FOUND', kinds, false_rows)
        except Exception as error:  # one plant that breaks the check is a finding, too
            _logger.exception("Plant %s", name)
            results[name] = ('ERROR', {repr(error)[:100]}, [])
        finally:
            savepoint.close(rollback=True)
            env.invalidate_all(flush=False)
    return results


class Trade:
    """A company with some months of trade and returns, each order with a customer of its own."""

    def __init__(self, env):
        self.admin = env
        self.baseline_false = []
        self._make_company()
        self._make_orders()
        self.env.flush_all()

    # === WORLD === #

    def _make_company(self):
        root = self.admin(su=True)
        company = root['res.company'].create({'name': "Audited"})
        root['account.chart.template'].with_context(allowed_company_ids=company.ids).try_loading(
            'generic_coa', company=company, install_demo=False
        )
        company.write({'anglo_saxon_accounting': True, 'inventory_valuation': 'real_time'})
        user = self.admin.user
        user.write({'company_ids': [Command.link(company.id)], 'company_id': company.id})
        env = self.admin(
            user=user.id,
            su=True,
            context={'allowed_company_ids': company.ids, 'lang': 'en_US', 'tz': 'UTC'},
        )
        self.env, self.company = env, company.with_env(env)
        self.today = env.cr.now().date()
        warehouses = env['stock.warehouse']
        self.warehouse = warehouses.search(
            [('company_id', '=', company.id)], limit=1
        ) or warehouses.create({'name': "Audited", 'code': 'AUD', 'company_id': company.id})
        category = env['product.category'].create(
            {
                'name': "Audited",
                'property_valuation': 'real_time',
                'property_cost_method': 'standard',
            }
        )
        self.tax, self.other_tax = env['account.tax'].create(
            [
                {
                    'name': f"Audit {rate}%",
                    'amount': rate,
                    'type_tax_use': 'sale',
                    'company_id': company.id,
                }
                for rate in (21.0, 10.0)
            ]
        )
        self.product, self.lamp = env['product.product'].create(
            [
                {
                    'name': name,
                    'type': 'consu',
                    'is_storable': True,
                    'categ_id': category.id,
                    'standard_price': 60.0,
                    'invoice_policy': 'delivery',
                    'taxes_id': [Command.clear()],
                }
                for name in ("Audited table", "Audited lamp")
            ]
        )
        self.discount = env['product.product'].create(
            {'name': "Rebate", 'type': 'service', 'invoice_policy': 'order'}
        )
        for product in (self.product, self.lamp):
            env['stock.quant']._update_available_quantity(
                product, self.warehouse.lot_stock_id, 1000
            )
        standard = env.ref('sale_return.policy_standard')
        self.policy = standard.copy(
            {'name': "Audit", 'company_id': company.id, 'sequence': -300, 'settlement': 'refund'}
        )
        self.reason = env.ref('sale_return.reason_defective')
        self.changed_mind = env.ref('sale_return.reason_changed_mind')
        self.euro = self._make_currency()
        self.bank = env['account.journal'].create(
            {'name': "Audit bank", 'type': 'bank', 'code': 'AUB', 'company_id': company.id}
        )
        self.stranger = env['res.partner'].create({'name': "Stranger"})

    def _make_currency(self):
        currency = (
            self.env['res.currency'].with_context(active_test=False).search([('name', '=', 'EUR')])
        )
        currency.active = True
        self.env['res.currency.rate'].create(
            {
                'name': '2020-01-01',
                'rate': 2.0,
                'currency_id': currency.id,
                'company_id': self.company.id,
            }
        )
        self.price_list = self.env['product.pricelist'].create(
            {'name': "Audit EUR", 'currency_id': currency.id, 'company_id': self.company.id}
        )
        return currency

    def account(self, kind, other=None):
        """Return an account of the company of a type, another than the one given."""
        accounts = self.env['account.account'].search(
            [('company_ids', 'in', self.company.ids), ('account_type', '=', kind)]
        )
        return (accounts - other if other else accounts)[:1]

    # === TRADE === #

    def _make_orders(self):
        self.paid = self.make_return('Paid', pay=True, back=4, refund=True)
        self.twice = self.make_return('Twice', back=2)
        self.twice_again = self.make_return(order=self.twice['order'], back=3)
        self.foreign = self.make_return('Foreign', pricelist_id=self.price_list.id)
        self.full = self.make_return('Full', back=10)
        self.taxes = self.make_return('Taxes', second=True)
        self.rebate = self.make_return('Rebate', rebate=100.0)
        self.missing = self.make_missing()
        self.policy.restocking_fee_percent = 10.0
        self.fee = self.make_return('Fee', reason=self.changed_mind)
        self.policy.credit_posting = 'draft'
        self.draft = self.make_return('Draft')
        self.draft_fee = self.make_return('Draft fee', reason=self.changed_mind)
        self.policy.write({'credit_posting': 'post', 'restocking_fee_percent': 0.0})
        self.policy.restocking_fee_percent = 10.0
        self.waiting = self.draft['customer'] | self.draft_fee['customer']
        self.plain = self.make_sale('Plain')
        self.add_harmless()

    def make_sale(self, name, pay=False, second=False, rebate=0.0, **values):
        """Sell, deliver and invoice ten tables at 100.00 plus 21 %."""
        env = self.env
        customer = env['res.partner'].create({'name': f"Audit {name}"})
        lines = [(self.product, 10, 100.0, self.tax)]
        if second:
            lines.append((self.lamp, 10, 33.33, self.other_tax))
        if rebate:
            lines.append((self.discount, 1, -rebate, self.tax))
        order = env['sale.order'].create(
            {
                'partner_id': customer.id,
                'company_id': self.company.id,
                'warehouse_id': self.warehouse.id,
                'order_line': [
                    Command.create(
                        {
                            'product_id': product.id,
                            'product_uom_qty': quantity,
                            'price_unit': price,
                            'tax_ids': [Command.set(tax.ids)],
                        }
                    )
                    for product, quantity, price, tax in lines
                ],
                **values,
            }
        )
        order.action_confirm()
        self.process(order.picking_ids)
        invoice = order._create_invoices()
        invoice.invoice_date = self.today - timedelta(days=3)
        invoice.action_post()
        if pay:
            self.pay(invoice)
        return {'order': order, 'invoice': invoice, 'customer': customer}

    def make_return(self, name=None, order=None, back=4, reason=None, refund=False, **values):
        sale = self.make_sale(name, **values) if name else {'order': order}
        order = sale['order']
        lines = order.order_line.filtered('product_id.is_storable')
        sale_return = self.env['sale.return'].create(
            {
                'partner_id': order.partner_id.id,
                'line_ids': [
                    {
                        'sale_line_id': line.id,
                        'qty_requested': back,
                        'reason_id': (reason or self.reason).id,
                    }
                    for line in lines
                ],
            }
        )
        sale_return.action_submit()
        if sale_return.state == 'submitted':
            sale_return.action_approve()
        self.process(sale_return.picking_ids)
        sale_return.action_inspect_all('restock')
        note = sale_return.credit_note_ids
        result = {
            **sale,
            'customer': order.partner_id,
            'invoice': order.invoice_ids.filtered(lambda m: m.move_type == 'out_invoice')[:1],
            'return': sale_return,
            'note': note,
            'line': note.invoice_line_ids.filtered('sale_line_ids')[:1],
        }
        if refund:
            result['payout'] = sale_return.action_refund()
            result['payout'].payment_id.action_post()
        elif note.state == 'posted' and note.amount_residual and values.get('pay'):
            self.pay(note)
        return result

    def make_missing(self):
        sale = self.make_sale('Missing')
        sale_return = self.env['sale.return'].create(
            {
                'partner_id': sale['customer'].id,
                'line_ids': [
                    {
                        'sale_line_id': sale['order'].order_line.id,
                        'qty_requested': 2,
                        'reason_id': self.env.ref('sale_return.reason_missing').id,
                    }
                ],
            }
        )
        sale_return.action_submit()
        if sale_return.state == 'submitted':
            sale_return.action_approve()
        if not sale_return.credit_note_ids:
            sale_return.action_create_credit_notes()
        return {**sale, 'return': sale_return, 'note': sale_return.credit_note_ids}

    def process(self, pickings):
        pickings = pickings.filtered(lambda picking: picking.state not in ('done', 'cancel'))
        for move in pickings.move_ids:
            move.quantity = move.product_uom_qty
            move.picked = True
        pickings.with_context(skip_backorder=True).button_validate()

    def pay(self, move, **values):
        """Register a payment of an invoice or note."""
        return (
            self.env['account.payment.register']
            .with_context(active_model='account.move', active_ids=move.ids)
            .create({'journal_id': self.bank.id, **values})
            ._create_payments()
        )

    def make_entry(self, debit, credit, amount, partner=None, date=None):
        """Post a miscellaneous entry; the partner stands on both sides."""
        entry = self.env['account.move'].create(
            {
                'move_type': 'entry',
                'date': date or self.today,
                'line_ids': [
                    Command.create(
                        {
                            'account_id': account.id,
                            'partner_id': partner and partner.id,
                            'debit': amount if side else 0.0,
                            'credit': 0.0 if side else amount,
                        }
                    )
                    for side, account in ((True, debit), (False, credit))
                ],
            }
        )
        entry.action_post()
        return entry

    def add_harmless(self):
        """Book what every company books and no return has anything to do with."""
        customer = self.paid['customer']
        receivable = self.receivable(self.paid['invoice']).account_id
        self.make_entry(receivable, self.account('equity'), 75.0, customer)
        self.make_entry(self.account('expense'), receivable, 5.0, customer)
        # A price correction, a note for goods on an order nobody returned, a note that was undone.
        self.reverse(self.plain['invoice'], price=5.0)
        undone = self.make_return('Undone')
        undone['note']._reverse_moves([{}], cancel=True)
        undone['return'].action_create_credit_notes()

    def reverse(self, invoice, quantity=None, price=None, post=True):
        wizard = (
            self.env['account.move.reversal']
            .with_context(active_model='account.move', active_ids=invoice.ids)
            .create({'journal_id': invoice.journal_id.id})
        )
        note = self.env['account.move'].browse(wizard.refund_moves()['res_id'])
        for line in note.invoice_line_ids:
            line.write(
                {
                    **({'quantity': quantity} if quantity is not None else {}),
                    **({'price_unit': price} if price is not None else {}),
                }
            )
        if post:
            note.action_post()
        return note

    def receivable(self, move):
        return move.line_ids.filtered(
            lambda line: line.account_id.account_type == 'asset_receivable'
        )

    # === LOOK === #

    def read_rows(self):
        """Refresh the list of differences and return its open rows by key."""
        model = self.env['sale.return.reconciliation']
        model.action_refresh()
        rows = model.search([('company_id', '=', self.company.id), ('state', '=', 'open')])
        return {
            row.key: (row.partner_id.id, row.note_id.id, *(row[name] for name in FIGURES))
            for row in rows
        }

    def sql(self, query, *args):
        self.env.flush_all()
        self.env.cr.execute(query, args)
        self.env.invalidate_all()


# === PLANTS: AMOUNTS === #


def change(trade, table, record, **values):
    """Write columns of a record by SQL, past every check."""
    names = ', '.join(f'{name} = %s' for name in values)
    trade.sql(f'UPDATE {table} SET {names} WHERE id = %s', *values.values(), record.id)


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


LINE, MOVE = 'account_move_line', 'account_move'
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


# === PLANTS: TAXES AND ACCOUNTS === #


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


# === PLANTS: HEADS === #

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


# === PLANTS: DRAFTS THAT A PERSON CHANGES === #


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


# === PLANTS: OTHER DOCUMENTS === #


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


# === PLANTS: PAYMENTS === #


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


PAYMENT = 'account_payment'


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


# === PLANTS: GOODS === #


def get_receipt(trade):
    return trade.twice['return'].picking_ids.move_ids[:1]


def pick_receipt(trade, _case):
    return get_receipt(trade)


MOVEMENT = 'stock_move'
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
