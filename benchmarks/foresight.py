"""What foresight is worth, measured on real trade; run by `dev/foresight`.

Nothing is sold: facts are given (`facts.py`). Days are moved so that the trade ends today.
"""

import random
import sys
import time
from collections import defaultdict
from datetime import datetime, timedelta

AGE = 30
RECENT = 12
PLANTED = 30


def run(env, path=None, only='', products='50000', weeks='104'):
    # Found by its name only once Odoo runs.
    from odoo.addons.sale_return.benchmarks import report

    if path and only in ('', 'alerts'):
        measure_alerts(env, report, read(path))
    if only in ('', 'speed'):
        measure_speed(env, report, int(products), int(weeks))
    return False


# === THE TRADE === #


def read(path):
    """Return the sales of a year as `[product, day, units, {day of return: units}, customer]`."""
    from odoo.addons.sale_return.benchmarks import real_trade, trade

    found = real_trade.match(trade.read_rows(path))
    days = [datetime.fromisoformat(sale.date) for sale in found.sales]
    moved = datetime.now().replace(microsecond=0) - max(days)
    codes = {code: n for n, code in enumerate(sorted({s.code for s in found.sales}), 1)}
    sales = [
        [codes[sale.code], day + moved, sale.quantity, {}, sale.customer]
        for sale, day in zip(found.sales, days, strict=True)
    ]
    for (_number, index), (units, date) in found.returned.items():
        day = datetime.fromisoformat(date) + moved
        back = sales[index][3]
        back[day] = back.get(day, 0) + units
    return sales


def get_facts(company, sales):
    """Yield the facts of sales."""
    for number, (product, day, units, back, _customer) in enumerate(sales, 1):
        row = {
            'company_id': company.id,
            'sale_line_id': number,
            'product_id': product,
            'date_sale': day,
        }
        yield {**row, 'kind': 'shipped', 'qty_shipped': units}
        for returned_on, quantity in back.items():
            yield {
                **row,
                'kind': 'returned',
                'date_return': returned_on,
                'qty_returned': quantity,
            }


# === ALERTS === #


def measure_alerts(env, report, sales):
    """Plant rises of the rate, and count which are found, beside a plain p-chart."""
    rows = []
    shuffled = shuffle(sales, 0)
    for name, trade in (('as it was', sales), ('shuffled in time', shuffled)):
        alarms, sums = find(env, trade)
        plain, tested = chart(trade)
        rows.append([name, '', '', len(alarms), len(plain), tested])
    for size in (2, 3, 4):
        for least in (1, 3):
            changed, planted = plant(shuffled, sums, size, least=least)
            alarms, _sums = find(env, changed)
            plain, tested = chart(changed)
            rows.append(
                [
                    f'{size} sigma, {least} or more expected',
                    f'{len(planted & alarms)} of {len(planted)}',
                    f'{len(planted & plain)} of {len(planted)}',
                    len(alarms - planted),
                    len(plain - planted),
                    tested - len(planted),
                ]
            )
    head = ['trade', 'found', 'p-chart found', 'false', 'p-chart false', 'others tested']
    sys.stdout.write(f'{report.format_table(head, rows, {3, 4, 5})}\n')


def find(env, sales):
    """Return the products that the first rule of a company alerts of, and what it added up."""
    from odoo.addons.sale_return.benchmarks import facts

    watch = env['sale.return.watch'].sudo()
    rule = make_rule(env)
    kept = {}
    get_sums = type(watch)._get_sums

    def keep(self, rule):
        kept.update(get_sums(self, rule))
        return kept

    type(watch)._get_sums = keep
    try:
        with facts.given(env, get_facts(env.company, sales)):
            return set(watch._find_rate(rule)), kept
    finally:
        type(watch)._get_sums = get_sums


def make_rule(env, **values):
    """Return the first rule of a company, changed by values."""
    Rule = env['sale.return.alert.rule']
    return Rule.create({**Rule._prepare_default_vals(env.company)[0], **values})


def get_week(day, end):
    return (end - day) // timedelta(weeks=1)


def get_end():
    today = datetime.now().replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=AGE)


def is_back(sale):
    _product, day, units, back, _customer = sale
    returned = sum(u for on, u in back.items() if on < day + timedelta(days=AGE))
    return min(returned / units, 1.0)


def shuffle(sales, seed):
    """Return the same sales with what came back drawn anew among those of the product."""
    chance = random.Random(seed)
    places = defaultdict(list)
    for index, sale in enumerate(sales):
        places[sale[0]].append(index)
    result = [list(sale) for sale in sales]
    for indexes in places.values():
        drawn = chance.sample(indexes, len(indexes))
        for place, source in zip(indexes, drawn, strict=True):
            moved = sales[place][1] - sales[source][1]
            result[place][2] = sales[source][2]
            result[place][3] = {day + moved: units for day, units in sales[source][3].items()}
    return result


def plant(sales, sums, size, number=PLANTED, least=1):
    """Raise the rate of some products in the last twelve weeks by so many sigma of a week.

    Of products that sell at least 20 lines a week, of which in twelve weeks at least so many are
    expected back; a sigma is that of Laney's chart.
    """
    end, chance = get_end(), random.Random(size)
    lines = {product: values['looks'][RECENT][1] for product, values in sums.items()}
    able = [
        product
        for product, values in sorted(sums.items())
        if values['known']
        and lines[product] >= 20 * RECENT
        and lines[product] * values['base'][0] / values['base'][1] >= least
    ]
    planted = set(chance.sample(able, min(number, len(able))))
    extra = {}
    for product in planted:
        count, total = sums[product]['base']
        rate = count / total
        week = lines[product] / RECENT
        extra[product] = size * sums[product]['sigma'] * (rate * (1 - rate) / week) ** 0.5
    result = []
    for sale in sales:
        product, day, units, back, customer = sale
        if product in planted and 0 <= get_week(day, end) < RECENT and not back:
            if chance.random() < extra[product]:
                sale = [product, day, units, {day + timedelta(days=7): units}, customer]
        result.append(sale)
    return result, planted


def chart(sales):
    """Return the products that a plain p-chart alarms of in the last weeks, and how many it has."""
    end = get_end()
    weeks = defaultdict(lambda: defaultdict(lambda: [0.0, 0]))
    for sale in sales:
        week = get_week(sale[1], end)
        if week >= 0:
            point = weeks[sale[0]][week]
            point[0] += is_back(sale)
            point[1] += 1
    alarms, tested = set(), 0
    for product, points in weeks.items():
        recent = sum(point[1] for week, point in points.items() if week < RECENT)
        if recent < 20:
            continue
        tested += 1
        total = sum(point[1] for point in points.values())
        centre = sum(point[0] for point in points.values()) / total
        for week, (count, lines) in points.items():
            if (
                week < RECENT
                and count / lines > centre + 3 * (centre * (1 - centre) / lines) ** 0.5
            ):
                alarms.add(product)
    return alarms, tested


# === TIME === #


def measure_speed(env, report, products, weeks):
    """Measure how long the rules take beside so many products and weeks of order lines."""
    from odoo.addons.sale_return.benchmarks import facts

    with facts.given(env):
        env.cr.execute(
            f"""
            INSERT INTO {facts.TABLE} (kind, company_id, sale_line_id, product_id, date_sale,
                                       qty_shipped, qty_returned, date_return)
            SELECT kind, %s, line, line %% %s + 1, day,
                   CASE WHEN kind = 'shipped' THEN 2 END,
                   CASE WHEN kind = 'returned' THEN 2 END,
                   CASE WHEN kind = 'returned' THEN day + INTERVAL '9 days' END
              FROM (
                    SELECT line, NOW() AT TIME ZONE 'UTC' - INTERVAL '31 days'
                           - (line / %s) * INTERVAL '7 days' AS day
                      FROM GENERATE_SERIES(0, %s) AS line
                   ) AS sold,
           LATERAL (
                    SELECT 'shipped' AS kind UNION ALL SELECT 'returned' WHERE line %% 17 = 0
                   ) AS kinds
            """,
            [env.company.id, products, products, products * weeks - 1],
        )
        env.cr.execute(f"ANALYZE {facts.TABLE}")
        rows = []
        for values in (
            {'method': 'change'},
            {'method': 'others'},
            {'metric': 'waiting', 'dimension': 'company', 'method': 'threshold', 'limit': 1},
            {'metric': 'amount', 'dimension': 'company', 'limit': 100},
        ):
            rule = make_rule(env, **values)
            start = time.perf_counter()
            getattr(env['sale.return.watch'].sudo(), f'_find_{rule.metric}')(rule)
            seconds = time.perf_counter() - start
            rows.append([rule.metric, rule.method, f'{seconds:.1f} s'])
    table = report.format_table(['metric', 'method', 'time'], rows, {2})
    sys.stdout.write(f"{products} products × {weeks} weeks, one order line each:\n{table}\n")
