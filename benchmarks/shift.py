"""A shift at the returns desk, replayed through the bench's RPC methods: how fast is a scan?

200 parcels with 600 items, mixed, with the mistakes people make: wrong serials, too many scans,
undone steps, merged codes, resends after a network failure, unexpected parcels. The same shift is
replayed on a small database and on one with years of trade; run by `dev/bench --shift` on databases
of its own, as a superuser of PostgreSQL.
"""

import json
import random
import statistics
import time
from collections import defaultdict
from pathlib import Path

GRADES = ('A', 'A', 'A', 'B', 'C')
MAX_QUERIES = 10


def run(env, side='small', results='', parcels='200', items='600', lines='0', seed='7'):
    """Build the shop, load history, replay the shift, print the numbers.

    :param str side: name of the column.
    :param str results: JSON file in which the sides are kept, to be shown beside each other.
    :param str lines: how many order lines of history are loaded by SQL.
    :return: whether what was booked is right, and no scan took more than ten queries.
    :rtype: bool
    """
    from odoo.addons.sale_return.benchmarks import report, shift_history

    rng = random.Random(int(seed))
    begin = time.monotonic()
    shop = Shop(env, rng, int(parcels), int(items))
    built = time.monotonic() - begin
    if int(lines):
        shift_history.load(env, shop, int(lines))
    env.cr.commit()
    print(
        f"{side}: shop built in {built:.0f} s, history in {time.monotonic() - begin - built:.0f} s"
    )
    shift = Shift(env, shop, rng)
    shift.replay()
    checks = shift.check(report.Checks())
    checks.print()
    sides = json.loads(Path(results).read_text()) if results and Path(results).exists() else {}
    sides[side] = {**shift.get_numbers(), **shift_history.count(env)}
    if results:
        Path(results).write_text(json.dumps(sides))
    print_sides(report, sides)
    return checks.passed


def print_sides(report, sides):
    """Print the numbers of all sides beside each other."""
    names = list(next(iter(sides.values())))
    rows = [[name, *(side.get(name, '') for side in sides.values())] for name in names]
    print(report.format_table(["", *sides], rows, right=range(1, len(sides) + 1)))


class Shop:
    """Customers, products, and one approved return per parcel."""

    def __init__(self, env, rng, parcels, items):
        from odoo.addons.sale_return.benchmarks import shop

        self.env = env
        self.products = shop.create_products(env, [f"Shift {n}" for n in range(30)])
        for number, product in enumerate(self.products):
            product.barcode = f'SHIFT{number:06}'
        self.tracked = shop.create_products(env, ["Shift tracked"], tracking='serial')
        self.partners = env['res.partner'].create(
            [
                {
                    'name': f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}{n}",
                    'phone': f"+32 9 {rng.randint(10**6, 10**7 - 1)}",
                    'city': rng.choice(CITIES),
                }
                for n in range(parcels)
            ]
        )
        sizes = self.get_sizes(rng, parcels, items)
        orders = env['sale.order'].create(
            [
                self.prepare_order(rng, partner, size)
                for partner, size in zip(self.partners, sizes, strict=True)
            ]
        )
        for order in orders:
            order.client_order_ref = f'PO-{order.id:07}'
        orders.action_confirm()
        self.ship(shop, orders)
        shop.invoice(orders)
        self.returns = env['sale.return'].create(
            [
                {
                    'partner_id': order.partner_id.id,
                    'line_ids': [
                        {
                            'sale_line_id': line.id,
                            'qty_requested': line.product_uom_qty,
                            'reason_id': env.ref('sale_return.reason_not_stated').id,
                        }
                        for line in order.order_line
                    ],
                }
                for order in orders
            ]
        )
        self.returns.action_submit()
        if waiting := self.returns.filtered(lambda r: r.state == 'submitted'):
            waiting.action_approve()
        for number, sale_return in enumerate(self.returns):
            sale_return.action_register_dispatch(f'SHT{number:09}')
        self.orders = orders

    def get_sizes(self, rng, parcels, items):
        """Return how many items each parcel has, which add up to `items`."""
        sizes = [1] * parcels
        for _item in range(max(items - parcels, 0)):
            sizes[rng.randrange(parcels)] += 1
        return sizes

    def prepare_order(self, rng, partner, size):
        lines = defaultdict(int)
        for _item in range(size):
            lines[rng.choice(self.tracked if rng.random() < 0.15 else self.products)] += 1
        return {
            'partner_id': partner.id,
            'order_line': [
                (0, 0, {'product_id': product.id, 'product_uom_qty': n, 'price_unit': 25.0})
                for product, n in lines.items()
            ],
        }

    def ship(self, shop, orders):
        """Deliver the orders, each tracked unit with a serial number of its own."""
        location = orders.warehouse_id[:1].lot_stock_id
        wanted = sum(
            orders.order_line.filtered(lambda line: line.product_id == self.tracked).mapped(
                'product_uom_qty'
            )
        )
        lots = self.env['stock.lot'].create(
            [
                {'name': f'SHSN{n:07}', 'product_id': self.tracked.id}
                for n in range(int(wanted) + 50)
            ]
        )
        for lot in lots:
            self.env['stock.quant']._update_available_quantity(
                self.tracked, location, 1, lot_id=lot
            )
        shop.put_in_stock(location, dict.fromkeys(self.products, 1))
        shop.deliver(orders)
        delivered = orders.picking_ids.move_line_ids.lot_id
        self.foreign = (lots - delivered).mapped('name')
        self.serials = defaultdict(list)
        for line in orders.picking_ids.move_line_ids.filtered('lot_id'):
            self.serials[line.move_id.sale_line_id.id].append(line.lot_id.name)


class Shift:
    """Calls the bench as clients do, and measures each call."""

    def __init__(self, env, shop, rng):
        self.shop = shop
        self.rng = rng
        self.env = env
        self.measured = defaultdict(list)
        self.tokens = 0
        self.counted = self.surplus = self.parked = 0
        self.wrong = []
        user = (
            env['res.users']
            .with_context(no_reset_password=True)
            .create(
                {
                    'name': "Shift",
                    'login': 'shift',
                    'group_ids': [(6, 0, [env.ref('base.group_user').id])],
                }
            )
        )
        user.group_ids |= env.ref('sale_return.group_inspector')
        env.cr.commit()
        self.bench = env(user=user.id, context={'allowed_company_ids': env.company.ids})[
            'sale.return.bench'
        ]
        self.session_id = self.call('open', 'open_session')['data']['session']['id']

    def call(self, kind, method, *args, token=None, **kwargs):
        """Call like a request: with an empty cache, and committed."""
        from odoo.service.model import call_kw

        if method not in ('open_session', 'find_candidates'):
            self.tokens += 1
            kwargs['token'] = token or f'shift-{self.tokens}'
        if method != 'open_session':
            args = [self.session_id, *args]
        cr = self.env.cr
        self.env.invalidate_all()
        queries, begin = cr.sql_log_count, time.perf_counter()
        answer = call_kw(self.bench, method, list(args), kwargs)
        self.env.flush_all()
        seconds = time.perf_counter() - begin
        self.measured[kind].append((seconds, cr.sql_log_count - queries))
        cr.commit()
        return answer

    def scan(self, code, expected=('accept',)):
        answer = self.call('scan', 'scan', code)
        if answer['status'] not in expected:
            self.wrong.append(f"{code}: {answer['message']}")
        return answer

    # === THE SHIFT === #

    def replay(self):
        self.begin = time.perf_counter()
        for number, sale_return in enumerate(self.shop.returns):
            self.process(number, sale_return)
        self.seconds = time.perf_counter() - self.begin

    def process(self, number, sale_return):
        """Process one parcel, with its share of mistakes."""
        roll = self.rng.random()
        if roll < 0.04:
            self.park(number)
        if roll < 0.10:
            self.find(sale_return)
        elif roll < 0.25:
            self.scan(self.shop.orders[number].client_order_ref)
        elif roll < 0.60:
            self.scan(f'SHT{number:09}')
        else:
            self.scan(sale_return.name)
        codes = self.get_codes(number)
        self.rng.shuffle(codes)
        for code in codes:
            self.count(code, number)
        answer = self.scan('SRB-NO', ('reject', 'accept'))
        items = answer['data']['items']
        for item in items:
            self.call(
                'result', 'set_result', {'grade': self.rng.choice(GRADES)}, item_ids=[item['id']]
            )
        answer = self.call('finish', 'finish')
        if answer['status'] != 'accept':
            self.wrong.append(f"{sale_return.name}: {answer['message']}")
            self.call('other', 'discard')

    def get_codes(self, number):
        """Return what is scanned of a parcel: serial numbers, or the barcodes of products."""
        codes = []
        for line in self.shop.orders[number].order_line:
            serials = self.shop.serials.get(line.id)
            codes += serials or [line.product_id.barcode] * int(line.product_uom_qty)
        return codes

    def count(self, code, number):
        """Count one item; now and then something goes wrong first."""
        roll = self.rng.random()
        if roll < 0.03:
            self.scan(self.rng.choice(self.shop.foreign), ('ask',))
            self.call('answer', 'answer', 'ignore')
        elif roll < 0.06:
            self.scan(f'{code[:4]}', ('reject', 'ask'))
        elif roll < 0.08:
            self.scan(f'NOISE{self.rng.randrange(10**9)}', ('reject', 'ask'))
        self.counted += 1
        if roll > 0.97:  # network failure: the same call is sent again
            token = f'lost-{number}-{self.counted}'
            self.call('scan', 'scan', code, token=token)
            again = self.call('repeat', 'scan', code, token=token)
            if not again['repeated']:
                self.wrong.append(f"{code}: counted twice")
            return
        self.scan(code)
        if roll > 0.94:  # undone, and scanned again
            self.scan('SRB-UNDO')
            self.scan(code)
        elif roll > 0.91 and code.startswith('SHIFT'):
            answer = self.scan(code, ('accept', 'ask'))
            if answer['status'] == 'accept':  # it was one that is expected, too
                self.scan('SRB-UNDO')
            elif self.rng.random() < 0.5:
                self.call('answer', 'answer', 'surplus')
                self.surplus += 1
            else:
                self.call('answer', 'answer', 'ignore')

    def find(self, sale_return):
        """Look for the owner of a parcel by what is left of its label."""
        name = sale_return.partner_id.name
        found = self.call('find', 'find_candidates', f"{name[:-1]} {sale_return.partner_id.city}")
        ids = [row['return_id'] for row in found[:3]]
        if sale_return.id not in ids:
            found = self.call('find', 'find_candidates', sale_return.partner_id.phone)
        self.call('attach', 'attach', sale_return.id)

    def park(self, number):
        """Park a parcel of somebody else before this one."""
        self.scan(f'NOBODY{number:05}', ('reject',))
        self.call('park', 'park', {'tracking': f'NOBODY{number:05}', 'note': "Torn label"})
        self.parked += 1

    # === WHAT CAME OF IT === #

    def check(self, checks):
        """Compare what was booked with what was scanned."""
        self.env.invalidate_all()
        returns = self.shop.returns
        inspected = sum(returns.inspection_ids.mapped('quantity'))
        over = returns.discrepancy_ids.filtered(lambda d: d.kind == 'over')
        checks.equal("every answer is the expected one", self.wrong[:5], [])
        checks.equal("inspected as often as counted", inspected, float(self.counted))
        checks.equal("surplus kept apart", sum(over.mapped('quantity')), float(self.surplus))
        parcels = self.env['sale.return.parcel'].search_count([('tracking_ref', 'like', 'NOBODY')])
        checks.equal("parcels parked", parcels, self.parked)
        done = returns.filtered(lambda r: r.credit_state == 'full')
        checks.equal("returns credited", len(done), len(returns))
        most = max(queries for _seconds, queries in self.get_scans())
        checks.add("no scan takes more than ten queries", most <= MAX_QUERIES, f"{most} at most")
        return checks

    def get_scans(self):
        # The first calls fill the caches of a worker.
        return self.measured['scan'][5:] + self.measured['repeat']

    def get_numbers(self):
        """Return what is printed, `{name: text}`."""
        scans = self.get_scans()
        seconds = sorted(s for s, _queries in scans)
        queries = [q for _seconds, q in scans]
        numbers = {
            "parcels": len(self.shop.returns),
            "items": self.counted,
            "scans": len(scans),
            "scans per second": f"{len(seconds) / sum(seconds):.0f}",
            "ms per scan, median": f"{statistics.median(seconds) * 1000:.1f}",
            "ms per scan, 95 of 100": f"{seconds[int(len(seconds) * 0.95)] * 1000:.1f}",
            "queries per scan, mean": f"{statistics.mean(queries):.1f}",
            "queries per scan, most": max(queries),
        }
        for kind in ('result', 'answer', 'find', 'finish'):
            calls = self.measured[kind]
            if calls:
                numbers[f"ms per {kind}, median"] = (
                    f"{statistics.median(s for s, _q in calls) * 1000:.1f}"
                )
                numbers[f"queries per {kind}, median"] = (
                    f"{statistics.median(q for _s, q in calls):.0f}"
                )
        numbers["whole shift, seconds"] = f"{self.seconds:.0f}"
        return numbers


FIRST_NAMES = ("Ana", "Ben", "Chloe", "David", "Emma", "Farid", "Greta", "Hugo", "Ines", "Jan")
LAST_NAMES = ("Adams", "Bakker", "Costa", "Dubois", "Evans", "Fischer", "Garcia", "Hansen", "Ito")
CITIES = ("Gent", "Oslo", "Madrid", "Berlin", "Lyon", "Porto", "Boston", "Leeds")
