"""Many customers want the last unit at the same moment: exactly one holds it.

Real processes on real connections. They wait at a barrier and then submit one exchange each, for a
product of which a single unit is left, each in a transaction that Odoo starts again when it
collides with another one. Afterwards the holds, the reserved stock and the documents are counted.
"""

import multiprocessing
import time
import traceback
from collections import Counter
from functools import partial


def run(env, workers='20', rounds='5'):
    """Let workers want the last unit, several times.

    :param str workers: number of processes, each for a customer with an order of their own.
    :param str rounds: how often, each time another product.
    :return: whether exactly one held it each time, and nothing of the others was left.
    :rtype: bool
    """
    from odoo.addons.sale_return.benchmarks import shop

    number, right = int(workers), True
    env.ref('sale_return.group_user').sudo()._apply_group(env.ref('sale_return.group_exchange'))
    for turn in range(int(rounds)):
        product, line_ids = prepare(env, shop, number, turn)
        env.cr.commit()
        counts = wish_together(env, product.id, line_ids)
        env.cr.rollback()
        env.invalidate_all()
        found = count_holds(env, product, line_ids)
        wrong = {name: value for name, value in found.items() if value != 1}
        right = right and not wrong and not counts['crashed']
        print(f"round {turn + 1}: {dict(counts)}; {wrong or 'right'}")
    return right


def prepare(env, shop, number, turn):
    """Sell one unit each to some customers, and put a single unit of another product in stock."""
    warehouse = env['stock.warehouse'].search([('company_id', '=', env.company.id)], limit=1)
    sold, last = shop.create_products(env, [f"Sold {turn}", f"Last {turn}"], standard_price=6.0)
    shop.put_in_stock(warehouse.lot_stock_id, {sold: float(number), last: 1.0})
    partners = env['res.partner'].create(
        [{'name': f"Customer {turn}/{index}"} for index in range(number)]
    )
    orders = env['sale.order'].create(
        [
            {
                'partner_id': partner.id,
                'warehouse_id': warehouse.id,
                'order_line': [(0, 0, {'product_id': sold.id, 'product_uom_qty': 1})],
            }
            for partner in partners
        ]
    )
    orders.action_confirm()
    shop.validate(orders.picking_ids)
    return last, orders.order_line.ids


def wish_together(env, product_id, line_ids):
    """Let a process per order line choose the product; return the outcomes, counted."""
    context = multiprocessing.get_context('fork')
    barrier, results = context.Barrier(len(line_ids)), context.Queue()
    processes = [
        context.Process(
            target=work, args=(env.cr.dbname, env.uid, barrier, results, product_id, line_id)
        )
        for line_id in line_ids
    ]
    for process in processes:
        process.start()
    counts = Counter(results.get(timeout=300) for _process in processes)
    for process in processes:
        process.join()
    return counts


def work(dbname, uid, barrier, results, product_id, line_id):
    """Request the product once, concurrently with all others, as a web request does."""
    from psycopg2 import OperationalError

    from odoo import api
    from odoo.exceptions import UserError
    from odoo.service.model import retrying

    from odoo.addons.sale_return.benchmarks.stress import open_registry

    result = 'crashed'
    try:
        registry = open_registry(dbname)
        barrier.wait()
        # As customers do who did not get through: they send it again.
        for _attempt in range(5):
            with registry.cursor() as cr:
                env = api.Environment(cr, uid, {'tracking_disable': True})
                try:
                    retrying(partial(wish, env, product_id, line_id), env)
                    result = 'held'
                    break
                except UserError:
                    cr.rollback()
                    result = 'refused'
                    break
                except OperationalError:
                    cr.rollback()
                    result = 'given up'
            time.sleep(0.2)
    except Exception:  # noqa: BLE001  whatever it is has to be counted
        traceback.print_exc()
    finally:
        results.put(result)


def wish(env, product_id, line_id):
    line = env['sale.order.line'].browse(line_id)
    sale_return = env['sale.return'].create(
        {
            'partner_id': line.order_id.partner_id.id,
            'line_ids': [
                {
                    'sale_line_id': line.id,
                    'qty_requested': 1.0,
                    'reason_id': env.ref('sale_return.reason_changed_mind').id,
                    'resolution': 'exchange',
                    'exchange_product_id': product_id,
                }
            ],
        }
    )
    sale_return.action_submit()
    env.cr.flush()


def count_holds(env, product, line_ids):
    """Count what is left of a round; each number has to be one."""
    lines = env['sale.return.line'].search([('sale_line_id', 'in', line_ids)])
    holds = lines.exchange_hold_ids.filtered(lambda move: move.state == 'assigned')
    quants = env['stock.quant'].search(
        [('product_id', '=', product.id), ('location_id.usage', '=', 'internal')]
    )
    return {
        'holds': len(holds),
        'held': sum(holds.mapped('quantity')),
        'reserved': sum(quants.mapped('reserved_quantity')),
        'in stock': sum(quants.mapped('quantity')),
        'returns': len(lines.return_id),
        'orders': len(lines.exchange_order_id),
    }
