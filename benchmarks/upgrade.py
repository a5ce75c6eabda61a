"""Check that a database of an earlier version is unchanged by an upgrade.

`dev/lifecycle dump` creates trade with the present version, records its data in the database, and
dumps it to a file. `dev/lifecycle upgrade` restores such a file, upgrades it and compares. The data
is read with SQL only, so that both versions are measured in the same way.
"""

import json

from psycopg2 import sql

from odoo.fields import Command

STATE = 'sale_return.upgrade_check'
# Tables that must be equal in both versions, row by row.
DOCUMENTS = (
    'sale_order',
    'sale_order_line',
    'stock_picking',
    'stock_move',
    'stock_move_line',
    'stock_quant',
    'account_move',
    'account_move_line',
    'account_payment',
    'account_partial_reconcile',
)
# Columns with write dates or lock counters.
TECHNICAL = ('write_date', 'write_uid')
# Intended changes of an upgrade: `{(table, column): why}`.
CHANGED = {
    ('sale_return_metric_definition', 'definition'): "formulas are said in words",
    ('sale_return_metric_definition', 'name'): "so are their names",
    ('sale_return_metric_definition', 'exclusions'): "and what they leave out",
    ('sale_return_metric_definition', 'maturity'): "and when they are complete",
    ('sale_return_metric_definition', 'date_basis'): "and the date they follow",
    ('sale_return_message_kind', 'template_id'): "`check_migrations` looks at it",
}
# Columns filled by an upgrade: Odoo renders a new template on one record, which creates its link.
FILLED = {('sale_return', 'access_token_value'), ('sale_return', 'access_token_expiry')}


def run(env, phase):
    """Run one of the phases.

    :param str phase: `trade` or `check`.
    :return: whether all checks passed.
    :rtype: bool
    """
    return {'trade': trade, 'check': check}[phase](env)


# === BEFORE === #


def trade(env):
    """Create returns in every state: goods on their way, in quarantine, notes, refunds."""
    from odoo.addons.sale_return.benchmarks import shop

    env['ir.config_parameter'].set_param('ir_attachment.location', 'db')
    world = World(env, shop)
    orders = world.sell(13)
    world.create_return(orders[0], submit=False)
    world.create_return(orders[1])
    half = world.create_return(orders[2], quantity=4)
    half.picking_ids.move_ids.write({'quantity': 2, 'picked': True})
    shop.validate(half.picking_ids)
    world.receive(world.create_return(orders[3]))
    credited = world.receive(world.create_return(orders[4]))
    credited.action_inspect_all('restock')
    policy = env.ref('sale_return.policy_standard')
    policy.credit_posting = 'draft'
    world.receive(world.create_return(orders[5], quantity=2)).action_inspect_all('restock')
    policy.credit_posting = 'post'
    world.receive(world.create_return(orders[6], quantity=1)).action_inspect_all('send_back')
    world.create_return(orders[7]).action_cancel()
    policy.approval = 'always'
    waiting = world.create_return(orders[8])
    world.create_return(orders[9]).action_refuse("Too old.")
    policy.approval = 'none'
    world.create_return(orders[10]).action_register_dispatch(tracking_ref='UPGRADE-1')
    scrapped = world.receive(world.create_return(orders[11], quantity=3))
    scrapped.action_inspect_all('scrap', grade='D')
    policy.release_event = 'dispatch_proof'
    world.create_return(orders[12])._portal_dispatch('UPGRADE-2', "Parcel Post")
    policy.release_event = 'inspection'
    print("Returns:", ", ".join(env['sale.return'].search([], order='id').mapped('state')))
    env.flush_all()
    remember(env)
    return bool(waiting)


class World:
    """Orders of one customer, sold with Odoo's own methods."""

    def __init__(self, env, shop):
        self.env = env(context={**env.context, 'tracking_disable': True})
        self.shop = shop
        self.partner = self.env['res.partner'].create(
            {'name': "Upgrade Customer", 'email': 'customer@example.com'}
        )
        [self.product] = shop.create_products(
            self.env,
            ["Upgrade Product"],
            list_price=33.33,
            standard_price=6.0,
            taxes_id=[Command.set(shop.get_sale_tax(self.env).ids)],
        )

    def sell(self, count):
        orders = self.env['sale.order'].create(
            [
                {
                    'partner_id': self.partner.id,
                    'order_line': [
                        Command.create({'product_id': self.product.id, 'product_uom_qty': 5})
                    ],
                }
                for _order in range(count)
            ]
        )
        orders.action_confirm()
        self.shop.put_in_stock(orders.warehouse_id.lot_stock_id, {self.product: 5.0 * count})
        self.shop.deliver(orders)
        self.shop.invoice(orders)
        return orders

    def create_return(self, order, quantity=5, submit=True):
        sale_return = self.env['sale.return'].create(
            {
                'partner_id': order.partner_id.id,
                'line_ids': [
                    Command.create(
                        {
                            'sale_line_id': order.order_line.id,
                            'qty_requested': quantity,
                            'reason_id': self.env.ref('sale_return.reason_changed_mind').id,
                        }
                    )
                ],
            }
        )
        if submit:
            sale_return.action_submit()
        return sale_return

    def receive(self, sale_return):
        sale_return.picking_ids.move_ids.picked = True
        self.shop.validate(sale_return.picking_ids)
        return sale_return


# === WHAT IS THERE === #


def take_snapshot(env):
    """Return all rows of the documents as text, by table, row and column.

    :return: `{table: {id: {column: value}}}`
    :rtype: dict
    """
    snapshot = {}
    for table in [*DOCUMENTS, *find_own_tables(env.cr)]:
        env.cr.execute(
            sql.SQL("SELECT to_jsonb(t) - %s FROM {} t").format(sql.Identifier(table)),
            [list(TECHNICAL)],
        )
        rows = [row for (row,) in env.cr.fetchall()]
        key = (lambda row: row['id']) if rows and 'id' in rows[0] else json.dumps
        snapshot[table] = {str(key(row)): row for row in rows}
    return json.loads(json.dumps(snapshot))


def find_own_tables(cr):
    cr.execute(
        """
        SELECT table_name FROM information_schema.tables
         WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
           AND table_name LIKE 'sale\\_return%' ORDER BY 1
        """
    )
    return [name for (name,) in cr.fetchall()]


def remember(env):
    """Store the data in the database before the upgrade."""
    env.cr.execute(
        """
        INSERT INTO ir_config_parameter (key, value) VALUES (%s, %s)
        ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value
        """,
        [STATE, json.dumps(take_snapshot(env))],
    )


# === AFTERWARDS === #


def check(env):
    """Compare with the data before, then finish open returns."""
    from odoo.addons.sale_return.benchmarks import report

    checks = report.Checks()
    env.cr.execute("SELECT value FROM ir_config_parameter WHERE key = %s", [STATE])
    before = json.loads(env.cr.fetchone()[0])
    after = take_snapshot(env)
    for table, rows in before.items():
        different = compare(table, rows, after.get(table, {}))
        checks.add(f"{table}: {len(rows)} rows as before", not different, "; ".join(different[:5]))
    returns = env['sale.return'].search([], order='id')
    checks.add("there are returns", len(returns) >= 13)
    # sudo: the audit reads all companies, no matter who runs it.
    checks.add("the log is as it was written", not env['sale.return.event'].sudo()._audit())
    check_migrations(env, checks, returns)
    finish(env, checks, returns)
    checks.print()
    return checks.passed


def check_migrations(env, checks, returns):
    """Check the intended changes by the scripts in `migrations/`."""
    dispatched = returns.filtered('date_dispatched')
    # One was registered by an employee, the claim of the other one has released its credit.
    checks.equal("dispatches", len(dispatched), 2)
    checks.equal(
        "dispatches that stay proved",
        dispatched.mapped('date_dispatch_proved'),
        dispatched.mapped('date_dispatched'),
    )
    body = env.ref('sale_return.mail_template_approved').body_html
    checks.add("the mail says who pays as the page does", "We pay the carrier." in body)
    news = env.ref('sale_return.mail_template_news')
    told = env['sale.return.message.kind'].search([('template_id', '=', news.id)])
    checks.equal(
        "told by the template of news",
        sorted(told.mapped('code')),
        ['approved_keep', 'arrived', 'closed', 'credited', 'inspected', 'refunded'],
    )


def compare(table, before, after):
    """Return sentences about changed rows; new columns are ignored."""
    different = []
    for key, row in before.items():
        now = after.get(key)
        if now is None:
            different.append(f"{key} is gone")
            continue
        different += [
            f"{key}.{column} was {value!r}, is {now.get(column)!r}"
            for column, value in row.items()
            if now.get(column) != value
            and (table, column) not in CHANGED
            and not (value is None and (table, column) in FILLED)
        ]
    return different


def finish(env, checks, returns):
    """Take every open return to its end with the present code."""
    from odoo.addons.sale_return.benchmarks import shop

    returns.filtered(lambda r: r.state == 'draft').action_submit()
    returns.filtered(lambda r: r.state == 'submitted').action_approve()
    while receipts := returns.picking_ids.filtered(lambda p: p.state not in ('done', 'cancel')):
        receipts.move_ids.picked = True
        shop.validate(receipts)
    returns.filtered(
        lambda r: any(line.qty_to_inspect > 0 for line in r.line_ids)
    ).action_inspect_all('restock')
    returns.action_create_credit_notes()
    returns.credit_note_ids.filtered(lambda note: note.state == 'draft').action_post()
    open_states = returns.filtered(lambda r: r.state not in ('closed', 'cancelled', 'refused'))
    for line in open_states.line_ids:
        checks.equal(f"{line.return_id.name} credited", line.qty_credited, line.qty_accepted)
    orders = returns.sale_order_ids
    quantities = orders.order_line.mapped('qty_to_invoice')
    checks.add("nothing is to invoice", not any(quantities), f"{quantities}")
    env.cr.execute(
        "SELECT COUNT(*) FROM (SELECT 1 FROM account_move_line WHERE parent_state = 'posted'"
        " GROUP BY move_id HAVING ABS(SUM(balance)) > 0.001) unbalanced"
    )
    checks.equal("unbalanced entries", env.cr.fetchone()[0], 0)
