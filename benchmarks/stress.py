"""Many workers at once on the same orders: nothing returned twice, credited twice or lost.

Real processes on real connections. They wait at a barrier and then submit, approve, receive,
inspect and credit returns of the same orders, mixed with credit notes made by hand and edits of
done deliveries, each step in its own transaction, which Odoo retries after a conflict. Afterwards
one process finishes open work, and the sums are checked.
"""

import multiprocessing
import random
import time
import traceback
from collections import Counter
from functools import partial

APPROVER = 'stress_approver'
# How often somebody clicks a button that was given up; Odoo tries five times each.
CLICKS = 3
LINES = 3
QUANTITY = 12
PRICE = 33.33


def run(env, workers='20', seconds='60', seed='19', orders='4'):
    """Run the workers and print the counters.

    :param str workers: number of processes.
    :param str seconds: how long they work.
    :param str seed: of their choices; their timing is the machine's.
    :param str orders: number of orders they all work on.
    :return: whether all sums are right and no step was given up.
    :rtype: bool
    """
    world = World(env)
    order_ids = world.sell(int(orders))
    approver = world.approver
    env.cr.commit()
    # Credits of several lines are left to the job, which is a separate step below.
    env['ir.config_parameter'].sudo().set_param('sale_return.sync_limit', '2')
    env.cr.commit()
    options = int(workers), float(seconds), int(seed), order_ids
    counts, collisions = work_together(env, approver.id, *options)
    env.cr.rollback()
    env.invalidate_all()
    counts.update(finish(env, approver, order_ids))
    wrong = find_wrong(env, order_ids)
    print_counts(counts, collisions, wrong, env, order_ids)
    given_up = any(name.split(': ')[1].startswith('given up') for name in counts if ': ' in name)
    return not any(wrong.values()) and not counts['crashed'] and not given_up


class World:
    """Orders with taxes and prices that do not divide evenly, delivered and invoiced."""

    def __init__(self, env):
        from odoo.addons.sale_return.benchmarks import shop

        self.env = env(context={**env.context, 'tracking_disable': True})
        self.shop = shop
        self.tax = shop.get_sale_tax(self.env)
        names = [f"Stress {number}" for number in range(LINES)]
        self.products = shop.create_products(self.env, names, standard_price=6.0)
        self.warehouse = self.env['stock.warehouse'].search(
            [('company_id', '=', env.company.id)], limit=1
        )
        tag = self.env['res.partner.category'].create({'name': "Stress"})
        self.partner = self.env['res.partner'].create(
            {'name': "Stress Customer", 'category_id': tag.ids}
        )
        # Returns are approved by somebody other than the user who requested them.
        self.approver = env.user.copy({'name': "Stress Approver", 'login': APPROVER})
        # Approval and credit are steps of their own, so that they collide, too.
        self.env.ref('sale_return.policy_standard').copy(
            {
                'name': "Stress",
                'sequence': 1,
                'partner_category_ids': tag.ids,
                'approval': 'always',
            }
        )

    def sell(self, number):
        quantities = dict.fromkeys(self.products, 100.0 * QUANTITY * number)
        self.shop.put_in_stock(self.warehouse.lot_stock_id, quantities)
        orders = self.env['sale.order'].create(
            [
                {
                    'partner_id': self.partner.id,
                    'warehouse_id': self.warehouse.id,
                    'order_line': [
                        (
                            0,
                            0,
                            {
                                'product_id': product.id,
                                'product_uom_qty': QUANTITY,
                                'price_unit': PRICE,
                                'tax_ids': [(6, 0, self.tax.ids)],
                            },
                        )
                        for product in self.products
                    ],
                }
                for _number in range(number)
            ]
        )
        orders.action_confirm()
        self.shop.validate(orders.picking_ids)
        for order in orders:
            # One invoice per order, as Odoo would merge them.
            self.shop.invoice(order)
        return orders.ids


# === WORKERS === #


def work_together(env, approver_id, workers, seconds, seed, order_ids):
    """Let processes work at the same time; return their steps and their collisions, counted."""
    context = multiprocessing.get_context('fork')
    barrier, results = context.Barrier(workers), context.Queue()
    processes = [
        context.Process(
            target=work,
            args=(
                env.cr.dbname,
                (env.uid, approver_id),
                barrier,
                results,
                seed + index,
                seconds,
                order_ids,
            ),
        )
        for index in range(workers)
    ]
    for process in processes:
        process.start()
    counts, collisions = Counter(), Counter()
    for _process in processes:
        for total, part in zip(
            (counts, collisions), results.get(timeout=seconds * 10 + 300), strict=True
        ):
            total.update(part)
    for process in processes:
        process.join()
    return counts, collisions


def open_registry(dbname):
    """Return the registry in a forked process, with its own connections."""
    from odoo import sql_db
    from odoo.modules.registry import Registry

    # The parent's connections are kept as they are: closing them here would close them there.
    registry = Registry(dbname)
    open_registry.inherited = (sql_db._Pool, sql_db._Pool_readonly, registry._db)
    sql_db._Pool = sql_db._Pool_readonly = None
    registry._db = sql_db.db_connect(dbname)
    registry._db_readonly = None
    return registry


def work(dbname, people, barrier, results, seed, seconds, order_ids):
    """Do random steps until the time is over."""
    counts, collisions = Counter(), Counter()
    try:
        registry = open_registry(dbname)
        chance = random.Random(seed)
        barrier.wait()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            step = chance.choices(STEPS, weights=[weight for _step, weight in STEP_WEIGHTS])[0]
            result = do_step(registry, people, step, chance.randrange(2**32), order_ids, collisions)
            counts[result] += 1
    except Exception:  # noqa: BLE001  whatever it is has to be counted
        counts['crashed'] += 1
        traceback.print_exc()
    finally:
        results.put((counts, collisions))


def do_step(registry, people, step, seed, order_ids, collisions):
    """Do one step in a transaction of its own, as a request does; return the result.

    A step that is given up is clicked again.

    :param tuple people: ids of the acting user and of the approver.
    :param Counter collisions: by kind, to be counted on.
    """
    from psycopg2 import OperationalError, errorcodes

    from odoo import api
    from odoo.exceptions import AccessError, RedirectWarning, UserError
    from odoo.service.model import retrying

    tries = 0

    def once(env):
        nonlocal tries
        tries += 1
        try:
            done = step(env, random.Random(seed), order_ids)
            env.cr.flush()
        except OperationalError as error:
            # This one is retried; counted here because it is not visible elsewhere.
            collisions[errorcodes.lookup(error.pgcode) if error.pgcode else 'no connection'] += 1
            raise
        return done

    for _click in range(CLICKS):
        with registry.cursor() as cr:
            env = api.Environment(cr, people[step is approve], {'tracking_disable': True})
            try:
                done = retrying(partial(once, env), env)
                result = 'done' if done else 'nothing to do'
            except (UserError, RedirectWarning, AccessError):
                cr.rollback()
                result = 'refused'
            except OperationalError:
                cr.rollback()
                result = 'given up'
        if result != 'given up':
            break
    return f'{step.__name__}: {result}' if tries == 1 else f'{step.__name__}: {result} again'


def get_returns(env, order_ids, *domain):
    return env['sale.return'].search([('line_ids.order_id', 'in', order_ids), *domain], order='id')


def submit(env, chance, order_ids):
    order = env['sale.order'].browse(chance.choice(order_ids))
    lines = chance.sample(list(order.order_line), k=chance.randint(1, LINES))
    reason = env.ref('sale_return.reason_changed_mind').id
    sale_return = env['sale.return'].create(
        {
            'partner_id': order.partner_id.id,
            'line_ids': [
                (
                    0,
                    0,
                    {
                        'sale_line_id': line.id,
                        'qty_requested': chance.randint(1, QUANTITY // 2),
                        'reason_id': reason,
                    },
                )
                for line in lines
            ],
        }
    )
    sale_return.action_submit()
    return True


def _pick(env, chance, order_ids, *domain):
    """Return one or two of the returns that a step is due for."""
    returns = get_returns(env, order_ids, *domain)
    return returns.browse(chance.sample(returns.ids, k=min(len(returns), chance.randint(1, 2))))


def approve(env, chance, order_ids):
    returns = _pick(env, chance, order_ids, ('state', '=', 'submitted'))
    returns.action_approve()
    return bool(returns)


def receive(env, chance, order_ids):
    from odoo.addons.sale_return.benchmarks import shop

    returns = _pick(env, chance, order_ids, ('state', '=', 'approved'))
    receipts = returns.picking_ids.filtered(lambda p: p.state not in ('done', 'cancel'))
    for move in receipts.move_ids:
        move.quantity = chance.randint(1, int(move.product_uom_qty) or 1)
        move.picked = True
    if receipts:
        shop.validate(receipts)
    return bool(receipts)


def inspect(env, chance, order_ids):
    returns = _pick(env, chance, order_ids, ('line_ids.qty_to_inspect', '>', 0))
    returns.action_inspect_all(chance.choice(['restock', 'restock', 'restock', 'send_back']))
    return bool(returns)


def credit(env, chance, order_ids):
    returns = _pick(env, chance, order_ids, ('line_ids.qty_to_credit', '>', 0))
    return bool(returns.action_create_credit_notes()) if returns else False


def job(env, chance, order_ids):
    # As cron workers of several nodes do, which take what no other one has.
    queued = get_returns(env, order_ids, ('credit_queued', '=', True))
    env['sale.return']._cron_create_credit_notes(limit=chance.randint(1, 5))
    return bool(queued)


def close(env, chance, order_ids):
    returns = _pick(env, chance, order_ids, ('state', '=', 'approved'))[:1]
    if returns:
        returns.action_close("stress")
    return bool(returns)


def credit_by_hand(env, chance, order_ids):
    order = env['sale.order'].browse(chance.choice(order_ids))
    invoice = order.invoice_ids.filtered(lambda move: move.move_type == 'out_invoice')[:1]
    wizard = (
        env['account.move.reversal']
        .with_context(active_model='account.move', active_ids=invoice.ids)
        .create({'journal_id': invoice.journal_id.id})
    )
    note = env['account.move'].browse(wizard.refund_moves()['res_id'])
    note.invoice_line_ids[1:].unlink()
    note.invoice_line_ids.quantity = 1
    note.action_post()
    return True


def edit_delivery(env, chance, order_ids):
    order = env['sale.order'].browse(chance.choice(order_ids))
    deliveries = order.picking_ids.filtered(
        lambda p: p.state == 'done' and p.picking_type_code == 'outgoing'
    )
    move = chance.choice(list(deliveries.move_ids))
    move.quantity = max(move.quantity - chance.randint(0, 2), 1)
    return True


STEP_WEIGHTS = [
    (submit, 6),
    (approve, 6),
    (receive, 6),
    (inspect, 6),
    (credit, 3),
    (job, 3),
    (close, 1),
    (credit_by_hand, 1),
    (edit_delivery, 1),
]
STEPS = [step for step, _weight in STEP_WEIGHTS]


# === AFTERWARDS === #


def finish(env, approver, order_ids):
    """Finish what is open, as people would the next day; count what cannot be finished."""
    from odoo.exceptions import UserError

    from odoo.addons.sale_return.benchmarks import shop

    counts = Counter()
    returns = get_returns(env, order_ids)
    steps = [
        lambda: (
            returns.filtered(lambda r: r.state == 'submitted').with_user(approver).action_approve()
        ),
        lambda: shop.validate(
            returns.picking_ids.filtered(lambda p: p.state not in ('done', 'cancel'))
        ),
        lambda: returns.filtered(
            lambda r: any(line.qty_to_inspect > 0 for line in r.line_ids)
        ).action_inspect_all('restock'),
        returns.action_create_credit_notes,
    ]
    returns._write_facts({'credit_retry_at': False})
    for step in steps:
        try:
            with env.cr.savepoint():
                step()
        except UserError as error:
            counts['finish: refused'] += 1
            print(f"finishing: {error}")
        env.invalidate_all()
    env.cr.commit()
    return counts


def find_wrong(env, order_ids):
    """Check the sums; return `{error: count}`."""
    orders = env['sale.order'].browse(order_ids)
    returns = get_returns(env, order_ids)
    lines, return_lines = orders.order_line, returns.line_ids
    wrong = Counter()
    for line, (shipped, returned, held) in lines._get_return_quantities().items():
        wrong['over-returned'] += line.product_uom_id.compare(shipped - returned - held, 0.0) < 0
    balances = env['sale.return.ledger']._get_balances(lines)
    wrong['over-credited'] = len(env['sale.return.ledger']._find_overcredited(balances))
    wrong['duplicate receipts'] = sum(
        len(r.picking_ids.filtered(lambda p: not p.backorder_id)) > 1 for r in returns
    )
    for line in return_lines:
        compare = line.product_uom_id.compare
        wrong['received more than authorized'] += (
            compare(line.qty_received, line.qty_authorized) > 0
        )
        wrong['inspected more than received'] += compare(line.qty_inspected, line.qty_received) > 0
        wrong['credited more than accepted'] += compare(line.qty_credited, line.qty_accepted) > 0
        wrong['lost'] += line.return_id.state == 'approved' and compare(line.qty_to_credit, 0.0) > 0
        for row in line.inspection_ids:
            moved = sum(row.move_ids.filtered(lambda m: m.state != 'cancel').mapped('quantity'))
            wrong['moved otherwise than inspected'] += compare(moved, row.quantity) != 0
    wrong['quarantine otherwise than waiting'] = count_quarantine_differences(env, returns)
    wrong['unbalanced entries'] = sum(
        not move.company_currency_id.is_zero(sum(move.line_ids.mapped('balance')))
        for move in orders.invoice_ids
    )
    return wrong


def count_quarantine_differences(env, returns):
    """Count products whose quantity in quarantine differs from the returns."""
    differences = 0
    for product in returns.line_ids.product_id:
        lines = returns.line_ids.filtered(lambda line, p=product: line.product_id == p)
        waiting = sum(lines.mapped('qty_to_inspect')) + sum(
            lines.inspection_ids.move_ids.filtered(
                lambda m: m.state not in ('done', 'cancel')
            ).mapped('product_qty')
        )
        quants = env['stock.quant'].search(
            [
                ('product_id', '=', product.id),
                ('location_id', 'in', returns.warehouse_id.sale_return_loc_id.ids),
            ]
        )
        there = sum(quants.mapped('quantity'))
        differences += product.uom_id.compare(there, waiting) != 0
    return differences


def print_counts(counts, collisions, wrong, env, order_ids):
    """Print the steps and the errors."""
    returns = get_returns(env, order_ids)
    print("Steps of all workers:")
    for name, count in sorted(counts.items()):
        print(f"  {name:40} {count:6}")
    again = sum(count for name, count in counts.items() if name.endswith(' again'))
    print(f"{sum(counts.values())} steps, {again} of them started again after a collision:")
    for name, count in sorted(collisions.items()):
        print(f"  {name:40} {count:6}")
    print(f"{len(returns)} returns, {len(returns.credit_note_ids)} credit notes; wrong:")
    for name, count in wrong.items():
        print(f"  {name:40} {count:6}")
