"""Kill a process in the middle of bulk steps: afterwards it is as if nothing had happened.

A child process approves, receives, inspects and credits a batch of returns, each bulk step a
transaction of its own, and is killed (SIGKILL) after a random time. The steps are then done again.
"""

import multiprocessing
import os
import random
import signal
import time

RETURNS = 20


def run(env, kills='20', seed='19'):
    """Kill and start again, then look at the returns.

    :param str kills: how often a process is killed.
    :param str seed: of the times.
    :return: whether every return ended as if nothing had happened.
    :rtype: bool
    """
    from odoo.addons.sale_return.benchmarks.stress import World, find_wrong, submit

    chance = random.Random(int(seed))
    killed = finished = 0
    order_ids, return_ids = [], []
    world = World(env)
    limit = 4.0
    while killed < int(kills):
        if not return_ids:
            order_ids = world.sell(RETURNS // 4)
            for _number in range(RETURNS):
                try:
                    with env.cr.savepoint():
                        submit(env, chance, order_ids)
                except Exception:  # noqa: BLE001  an order with nothing left to return
                    continue
            env.cr.commit()
            return_ids = env['sale.return'].search([('line_ids.order_id', 'in', order_ids)]).ids
        seconds = chance.uniform(0.05, limit)
        if work_and_die(env, return_ids, seconds):
            killed += 1
            continue
        # It was done before its time; the next batch is killed earlier.
        finished += 1
        limit = max(limit * 0.8, 0.5)
        env.cr.rollback()
        env.invalidate_all()
        if not check(env, order_ids, return_ids, find_wrong):
            return False
        return_ids = []
    while return_ids and work_and_die(env, return_ids, 600):
        pass
    env.cr.rollback()
    env.invalidate_all()
    right = check(env, order_ids, return_ids, find_wrong) if return_ids else True
    print(f"{killed} processes killed, {finished + 1} batches of returns finished, all right")
    return right


def work_and_die(env, return_ids, seconds):
    """Do the steps in a process that is killed after some seconds; return whether it was."""
    context = multiprocessing.get_context('fork')
    process = context.Process(target=work, args=(env.cr.dbname, env.uid, return_ids))
    process.start()
    process.join(seconds)
    if not process.is_alive():
        process.join()
        return False
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    # PostgreSQL notices that its client is gone when it next speaks to it.
    time.sleep(0.2)
    return True


def work(dbname, uid, return_ids):
    """Do what is left to do, each step a transaction."""
    from functools import partial

    from odoo import api
    from odoo.service.model import retrying

    from odoo.addons.sale_return.benchmarks.stress import open_registry

    registry = open_registry(dbname)
    for step in (approve, receive, inspect, credit):
        with registry.cursor() as cr:
            env = api.Environment(cr, uid, {'tracking_disable': True})
            retrying(partial(step, env['sale.return'].browse(return_ids)), env)
    os._exit(0)


def approve(returns):
    returns.filtered(lambda r: r.state == 'submitted').action_approve()


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


def check(env, order_ids, return_ids, find_wrong):
    """Tell whether all returns are closed and credited once."""
    returns = env['sale.return'].browse(return_ids)
    wrong = {name: count for name, count in find_wrong(env, order_ids).items() if count}
    for line in returns.line_ids:
        if {line.qty_received, line.qty_inspected, line.qty_credited} != {line.qty_authorized}:
            wrong['not finished'] = wrong.get('not finished', 0) + 1
    open_returns = len(returns.filtered(lambda r: r.state != 'closed'))
    if wrong or open_returns:
        print(f"wrong: {wrong}, returns that are not closed: {open_returns}")
    return not wrong and not open_returns
