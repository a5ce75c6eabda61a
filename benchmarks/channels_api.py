"""How long returns take that programs bring: run by dev/channels.

As a script of Odoo it sells and delivers orders and makes an API key; as a program it brings the
returns of them to a running server, over HTTP, as docs/client.py does.
"""

import importlib.util
import json
import sys
import time
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

LIMIT = 600  # seconds
EACH = 20  # returns of an order


def run(env, cases, returns='10000'):
    """Sell what comes back, and write a file with what a program needs to know.

    :return: True
    :rtype: bool
    """
    from odoo.addons.sale_return.benchmarks import shop

    count = int(returns)
    [product] = shop.create_products(env, ["Brought back"], default_code='BROUGHT', taxes_id=[(5,)])
    partner = env['res.partner'].create({'name': "Buyer"})
    warehouse = env['stock.warehouse'].search([('company_id', '=', env.company.id)], limit=1)
    shop.put_in_stock(warehouse.lot_stock_id, {product: count})
    numbers = [f'B{number}' for number in range(-(-count // EACH))]
    for start in range(0, len(numbers), 100):
        orders = env['sale.order'].create(
            [
                {
                    'partner_id': partner.id,
                    'client_order_ref': number,
                    'order_line': [
                        (0, 0, {'product_id': product.id, 'product_uom_qty': EACH, 'price_unit': 9})
                    ],
                }
                for number in numbers[start : start + 100]
            ]
        )
        orders.action_confirm()
        shop.deliver(orders)
        env.flush_all()
        env.invalidate_all()
    channel = env['sale.return.channel'].create({'name': "Programs", 'platform': 'other'})
    user = env['res.users'].create(
        {
            'name': "Program",
            'login': 'channel_program',
            'group_ids': [(4, env.ref('sale_return.group_user').id)],
        }
    )
    key = (
        user.with_user(user)
        .env['res.users.apikeys']
        ._generate('rpc', 'measure', datetime.now() + timedelta(hours=3))
    )
    rows = [
        {
            'key': f'R{number}',
            'order': numbers[number // EACH],
            'lines': [{'sku': 'BROUGHT', 'reason': 'DEFECTIVE'}],
        }
        for number in range(count)
    ]
    Path(cases).write_text(json.dumps({'key': key, 'channel': channel.id, 'rows': rows}))
    return True


def bring(url, cases):
    """Bring all returns twice; print how long it takes and what became of them.

    :return: whether each became a return once, in time.
    :rtype: bool
    """
    path = Path(__file__).parents[1] / 'docs' / 'client.py'
    spec = importlib.util.spec_from_file_location('client', path)
    client = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(client)
    known = json.loads(Path(cases).read_text())
    shop = client.Client(url, known['key'], known['channel'])
    good = True
    for wanted in ('created', 'unchanged'):
        begin = time.perf_counter()
        results = Counter(answer['status'] for answer in shop.bring(known['rows']))
        seconds = time.perf_counter() - begin
        print(f"{len(known['rows'])} returns over HTTP in {seconds:.0f} s: {dict(results)}")
        good = good and seconds < LIMIT and results == {wanted: len(known['rows'])}
    return good


if __name__ == '__main__':
    sys.exit(0 if bring(*sys.argv[1:]) else 1)
