"""Kill a process in the middle of bulk steps: afterwards it is as if nothing had happened.

A child process approves, receives, inspects and credits a batch of returns, each bulk step in its
own transaction, and is killed (SIGKILL) after a random time. The steps are then done again.
"""

import multiprocessing
import os
import random
import signal
import time
from collections import Counter

RETURNS = 20


def run(env, kills='20', seed='19'):
    """Kill and start again, then check the returns.

    :param str kills: how often a process is killed.
    :param str seed: of the times.
    :return: whether every return ended as if nothing had happened.
    :rtype: bool
    """
    from odoo.addons.sale_return.benchmarks.stress import World, find_wrong

    chance = random.Random(int(seed))
    world = World(env)
    # The credit is a separate step, so that it can be killed, too.
    env['ir.config_parameter'].sudo().set_param('sale_return.sync_limit', '0')
    killed, batches, right = Counter(), 0, True
    # Undisturbed first, to know how long it takes.
    order_ids, return_ids = request(env, world, chance)
    begin = time.monotonic()
    finish(env, return_ids)
    limit = time.monotonic() - begin
    while right:
        batches += 1
        right = check(env, order_ids, return_ids, find_wrong)
        if sum(killed.values()) >= int(kills):
            break
        order_ids, return_ids = request(env, world, chance)
        for aim in range(len(STEPS)):
            # Each step once per batch, at a random point of it.
            by_database = chance.random() < 0.3
            seconds = chance.uniform(0.02, limit / 8)
            step = work_and_die(env, return_ids, seconds, aim, by_database)
            if step:
                killed[f"{step}, {'session ended' if by_database else 'process killed'}"] += 1
        finish(env, return_ids)
    for name, count in sorted(killed.items()):
        print(f"  {name:40} {count:6}")
    print(f"{batches} batches of returns finished, {'all right' if right else 'WRONG'}")
    return right


def request(env, world, chance):
    """Return the ids of new orders and of submitted returns of them."""
    from odoo.exceptions import UserError

    from odoo.addons.sale_return.benchmarks.stress import submit

    order_ids = world.sell(RETURNS // 4)
    for _number in range(RETURNS):
        try:
            with env.cr.savepoint():
                submit(env, chance, order_ids)
        except UserError:
            continue  # an order with nothing left to return
    env.cr.commit()
    return order_ids, env['sale.return'].search([('line_ids.order_id', 'in', order_ids)]).ids


def finish(env, return_ids):
    """Finish the remaining steps, undisturbed."""
    for _attempt in range(3):
        if not work_and_die(env, return_ids, 600, 0):
            break


def work_and_die(env, return_ids, seconds, aim, by_database=False):
    """Do the steps in a process that is killed some seconds after it has begun one of them.

    :param int aim: which of the steps.
    :param bool by_database: end its database session instead, as when PostgreSQL is restarted.
    :return: the step in which it was killed, None if it has finished.
    """
    # Hold no locks while the other process works.
    env.cr.commit()
    context = multiprocessing.get_context('fork')
    position = context.Value('i', 0)
    process = context.Process(target=work, args=(env.cr.dbname, env.uid, return_ids, position))
    process.start()
    while process.is_alive() and position.value < aim:
        time.sleep(0.02)
    process.join(seconds)
    if process.is_alive() and by_database:
        env.cr.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid != pg_backend_pid()"
        )
        env.cr.commit()
    elif process.is_alive():
        os.kill(process.pid, signal.SIGKILL)
    process.join()
    # PostgreSQL notices that its client is gone when it next speaks to it.
    time.sleep(0.2)
    return STEPS[position.value].__name__ if process.exitcode else None


def work(dbname, uid, return_ids, position):
    """Do the remaining steps, each in its own transaction."""
    from functools import partial

    from psycopg2 import InterfaceError, OperationalError

    from odoo import api
    from odoo.service.model import retrying

    from odoo.addons.sale_return.benchmarks.stress import open_registry

    registry = open_registry(dbname)
    try:
        for index, step in enumerate(STEPS):
            position.value = index
            with registry.cursor() as cr:
                env = api.Environment(cr, uid, {'tracking_disable': True})
                retrying(partial(step, env['sale.return'].browse(return_ids)), env)
    except (OperationalError, InterfaceError):
        os._exit(1)  # the session was ended
    os._exit(0)


def approve(returns):
    from odoo.addons.sale_return.benchmarks.stress import APPROVER

    approver = returns.env['res.users'].search([('login', '=', APPROVER)])
    submitted = returns.filtered(lambda r: r.state == 'submitted')
    submitted.with_user(approver).action_approve()


def receive(returns):
    from odoo.addons.sale_return.benchmarks import shop

    receipts = returns.picking_ids.filtered(lambda p: p.state not in ('done', 'cancel'))
    if receipts:
        shop.validate(receipts)


def inspect(returns):
    waiting = returns.filtered(lambda r: any(line.qty_to_inspect > 0 for line in r.line_ids))
    waiting.action_inspect_all('restock')


def credit(returns):
    returns.action_create_credit_notes()


STEPS = [approve, receive, inspect, credit]


def check(env, order_ids, return_ids, find_wrong):
    """Tell whether all returns are closed and credited once."""
    env.cr.rollback()
    env.invalidate_all()
    returns = env['sale.return'].browse(return_ids)
    wrong = {name: count for name, count in find_wrong(env, order_ids).items() if count}
    for line in returns.line_ids:
        if {line.qty_received, line.qty_inspected, line.qty_credited} != {line.qty_authorized}:
            wrong['not finished'] = wrong.get('not finished', 0) + 1
    open_returns = len(returns.filtered(lambda r: r.state != 'closed'))
    if wrong or open_returns:
        print(f"wrong: {wrong}, returns that are not closed: {open_returns}")
    return not wrong and not open_returns
