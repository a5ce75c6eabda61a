"""What foresight is worth, measured on real trade; run by `dev/foresight`.

Nothing is sold: facts are given (`facts.py`). Days are moved so that the trade ends today.
"""

import random
import sys
import time
from collections import defaultdict
from contextlib import contextmanager
from datetime import datetime, timedelta

AGE = 30
RECENT = 12
PLANTED = 30


def run(env, path=None, only='', products='50000', weeks='104'):
    # Found by its name only once Odoo runs.
    from odoo.addons.sale_return.benchmarks import report

    if path and only in ('', 'alerts'):
        measure_alerts(env, report, read(path))
    if path and only in ('', 'forecast'):
        measure_forecast(env, report, read(path))
    if only in ('', 'risk'):
        measure_risk(env, report)
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
    """Return the products for which the first rule of a company raises alerts, and its sums."""
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
    """Return the same sales, with the returned goods redrawn among those of the product."""
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
    """Raise the rate of some products in the last twelve weeks by a multiple of one week's sigma.

    They sell at least 20 lines a week, of which at least `least` are expected back in twelve weeks;
    sigma is that of Laney's chart.
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


# === FORECAST === #

# Weeks before the end at which forecasts are made that are judged.
ORIGINS = (8, 10, 12, 14, 16)


@contextmanager
def reading(env):
    """Read the facts that are given, and forget them after."""
    forecaster = env['sale.return.forecaster'].sudo()
    forecaster._read(env.company)
    try:
        yield forecaster
    finally:
        forecaster._forget()


def judge(forecaster, origins=ORIGINS):
    """Make forecasts at weeks of the past, and compare them with what came back.

    Each knows what was known then: its curves, and its intervals, which come from forecasts whose
    weeks were over. What counts of each product are the seven weeks after the next.

    :return: dict of errors and shares.
    """
    # Found by its name only once Odoo runs.
    from odoo.addons.sale_return.models.forecast import sale_return_forecaster as service
    from odoo.addons.sale_return.tools import forecast

    sums = forecaster._get_all_sums()
    made = {}

    def foresee(origin):
        if origin not in made:
            made[origin] = forecaster._foresee(origin, sums)
        return made[origin]

    pairs, weeks = defaultdict(list), defaultdict(list)
    inside, inside_weeks = [], []
    for origin in origins:
        rows = foresee(origin)
        learned = [foresee(origin + step) for step in (8, 12, 16, 20)]
        judged = forecaster._judge(learned, rows)
        for name in (None, 'last', 'average'):
            pairs[name] += service.get_pairs(rows, name)
        ours = service.get_week_pairs(rows)
        weeks[None] += ours
        for name in ('last', 'average'):
            usual = sum(row[name] for row in rows)
            weeks[name] += [(usual, seen) for _said, seen in ours]
        known = sum(1 for said, _seen in service.get_pairs(rows) if said >= forecast.LEAST_UNITS)
        if judged['coverage'] is not None:
            inside.append((judged['coverage'] * known, known))
        inside_weeks.append(judged['coverage_weeks'])
    known = sum(number for _count, number in inside)
    return {
        'wape': forecast.wape(pairs[None]),
        'wape_naive': forecast.wape(pairs['last']),
        'wape_average': forecast.wape(pairs['average']),
        'coverage': sum(count for count, _number in inside) / known if known else None,
        'judged': known,
        'weeks': forecast.wape(weeks[None]),
        'weeks_naive': forecast.wape(weeks['last']),
        'weeks_average': forecast.wape(weeks['average']),
        'coverage_weeks': sum(inside_weeks) / len(inside_weeks),
    }


def measure_forecast(env, report, sales):
    """Measure how far off forecasts are, on weeks that were not used for them."""
    from odoo.addons.sale_return.benchmarks import facts

    with facts.given(env, get_facts(env.company, sales)), reading(env) as forecaster:
        judged = judge(forecaster)
    rows = [
        [label, *(f'{100 * judged[key]:.1f} %' for key in keys)]
        for label, keys in (
            (f"products, seven weeks ({judged['judged']} intervals)",
             ('wape', 'wape_naive', 'wape_average', 'coverage')),
            ("all products, one week",
             ('weeks', 'weeks_naive', 'weeks_average', 'coverage_weeks')),
        )
    ]  # fmt: skip
    head = ['error (WAPE)', 'forecast', 'as last week', 'average of eight', 'in the interval']
    sys.stdout.write(f'{report.format_table(head, rows, {1, 2, 3, 4})}\n')


# === RISK === #

GOOD, RINGS, MEMBERS = 5000, 20, 5
ORDERS = 6
# Of good customers: that many share a telephone number with one other (a family), or a postal
# address with 19 others (a house), and of that many a parcel held something else by mistake.
FAMILY, HOUSE, MISTAKE = 0.10, 0.04, 0.02


def measure_risk(env, report):
    """Measure who of generated customers is flagged."""
    start = time.perf_counter()
    flagged, scored = flag(env)
    good, found = flagged.count(0), set(flagged) - {0}
    sys.stdout.write(
        f"{GOOD} good customers: {good} flagged ({100 * good / GOOD:.2f} %); {RINGS} rings of "
        f"{MEMBERS}: {len(found)} found by {len(flagged) - good} of their accounts; {scored} "
        f"returns in {time.perf_counter() - start:.1f} s with their generation\n"
    )


def flag(env, good=GOOD, rings=RINGS):
    """Generate customers and rings of abuse, and score a return of each.

    :return: the ring of each that is flagged (0: a good customer), and how many were scored.
    """
    # Found by its name only once Odoo runs.
    from odoo.addons.sale_return.tools.risk import get_tier, score

    chance = random.Random(24)
    people = make_people(chance, good, rings)
    returns = insert_people(env, chance, people)
    scorer = env['sale.return.risk.scorer'].sudo()
    scorer._refresh_peers()
    scorer._refresh_contacts()
    facts = scorer._get_facts(env['sale.return'].sudo().browse(returns))
    tiers = {sale_return.id: get_tier(score(found)[0]) for sale_return, found in facts.items()}
    flagged = [
        person['ring']
        for number, person in zip(returns, people, strict=True)
        if tiers[number] != 'low'
    ]
    return flagged, len(returns)


def make_people(chance, good, rings):
    """Return customers as dicts: what they share, how much comes back, and what was found."""
    people = []
    for number in range(good):
        person = {
            'ring': 0, 'phone': f'+49 30 {1000000 + number}', 'email': f'good{number}@example.com',
            'street': f'Street {number}', 'rate': chance.betavariate(1, 6),
            'found': chance.random() < MISTAKE,
        }  # fmt: skip
        if people and chance.random() < FAMILY / 2:
            person['phone'] = people[-1]['phone']
        if number < HOUSE * good:
            person['street'] = f'House {number // 20}'
        people.append(person)
    for ring in range(1, rings + 1):
        for member in range(MEMBERS):
            # Every other ring shares a number, the others a mailbox; they write it otherwise.
            own = 10 * ring + member
            phone = f'0171 {9 * 10**6 + own}'
            mail = f'ring{ring}+{member}@gmail.com'
            if ring % 2:
                phone, mail = f'+49 170{" " * member}{5550000 + ring}', ''
            people.append(
                {
                    'ring': ring, 'rate': 0.3, 'found': member == 0 or chance.random() < 0.5,
                    'phone': phone, 'email': mail, 'street': f'Ring street {own}',
                }
            )  # fmt: skip
    chance.shuffle(people)
    return people


def insert_rows(cr, table, rows):
    """Write rows into a table, all with the same columns; return their ids."""
    columns = list(rows[0])
    found = []
    for start in range(0, len(rows), 1000):
        values = [tuple(row.values()) for row in rows[start : start + 1000]]
        cr.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES"
            f" {', '.join(['%s'] * len(values))} RETURNING id",
            values,
        )
        found += [number for (number,) in cr.fetchall()]
    return found


def insert_people(env, chance, people):
    """Write customers with their orders, an earlier return and a new one; return the new ones."""
    env.flush_all()
    cr, company = env.cr, env.company.id
    product = env['product.product'].search([('type', '=', 'consu')], limit=1)
    # Not by SQL: modules add columns that must not be empty.
    partners = env['res.partner'].with_context(tracking_disable=True).create(
        [
            {
                'name': f'Person {number}', 'zip': '10115',
                **{name: person[name] for name in ('phone', 'email', 'street')},
            }
            for number, person in enumerate(people)
        ]
    ).ids  # fmt: skip
    env.flush_all()
    now = datetime.now().replace(microsecond=0)
    sold = [
        (partner, person, now - timedelta(days=chance.randrange(5, 300)))
        for partner, person in zip(partners, people, strict=True)
        for _order in range(ORDERS)
    ]
    orders = insert_rows(cr, 'sale_order', [
        {
            'company_id': company, 'partner_id': partner, 'partner_invoice_id': partner,
            'partner_shipping_id': partner, 'name': 'F', 'date_order': day, 'state': 'sale',
            'picking_policy': 'direct',
        }
        for partner, _person, day in sold
    ])  # fmt: skip
    backs = [chance.random() < person['rate'] for _partner, person, _day in sold]
    insert_rows(cr, 'sale_order_line', [
        {
            'order_id': order, 'name': 'F', 'product_uom_qty': 1, 'price_unit': 50,
            'price_subtotal': 50, 'customer_lead': 0, 'product_id': product.id,
            'qty_delivered': 0 if back else 1, 'qty_returned': 1 if back else 0,
            'company_id': company, 'state': 'sale',
        }
        for order, back in zip(orders, backs, strict=True)
    ])  # fmt: skip
    rows = [
        {'partner_id': partner, 'company_id': company, 'name': 'F', 'state': 'submitted'}
        for partner in partners
    ]
    earlier = insert_rows(cr, 'sale_return', rows)
    insert_rows(cr, 'sale_return_discrepancy', [
        {
            'return_id': number, 'product_id': product.id, 'product_uom_id': product.uom_id.id,
            'name': 'F', 'kind': 'empty', 'state': 'open', 'quantity': 1, 'create_date': now,
            'liability': 'customer',
        }
        for number, person in zip(earlier, people, strict=True)
        if person['found']
    ])  # fmt: skip
    env.invalidate_all()
    new = insert_rows(cr, 'sale_return', rows)
    # As the database does by itself, in time: plans are made for as much as there is.
    cr.execute("ANALYZE res_partner, sale_order, sale_order_line, sale_return")
    return new


# === TIME === #


def measure_speed(env, report, products, weeks):
    """Measure how long the rules take with this many products and weeks of order lines."""
    from odoo.addons.sale_return.benchmarks import facts

    first = make_products(env, products)
    with facts.given(env):
        env.cr.execute(
            f"""
            INSERT INTO {facts.TABLE} (kind, company_id, sale_line_id, product_id, date_sale,
                                       qty_shipped, qty_returned, date_return)
            SELECT kind, %s, line, line %% %s + %s, day,
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
            [env.company.id, products, first, products, products * weeks - 1],
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
        start = time.perf_counter()
        run = env['sale.return.forecaster'].sudo()._forecast_company(env.company)
        rows.append(['forecast', '', f'{time.perf_counter() - start:.1f} s'])
        rows += [[*row, f'{seconds:.2f} s'] for *row, seconds in open_pages(env, run)]
    table = report.format_table(['metric', 'method', 'time'], rows, {2})
    sys.stdout.write(f"{products} products × {weeks} weeks, one order line each:\n{table}\n")


def make_products(env, number):
    """Create products in SQL, and return the id of the first."""
    env.flush_all()
    env.cr.execute(
        """
        INSERT INTO product_product
        SELECT (JSONB_POPULATE_RECORD(one.product, JSONB_BUILD_OBJECT(
                   'id', NEXTVAL('product_product_id_seq'), 'combination_indices', 'f' || number
               ))).*
          FROM (SELECT product_product FROM product_product ORDER BY id LIMIT 1) AS one(product)
    CROSS JOIN GENERATE_SERIES(1, %s) AS number
     RETURNING id
        """,
        [number],
    )
    return min(found for (found,) in env.cr.fetchall())


def open_pages(env, run):
    """Yield how long the pages of a forecast take."""
    start = time.perf_counter()
    action = run.action_open_page()
    env['sale.return.forecast.run'].get_view(view_type='form')
    run.browse(action['res_id']).web_read({'week_ids': {'fields': {'expected': {}, 'actual': {}}}})
    yield 'page', 'forecast', time.perf_counter() - start
    rows = env['sale.return.forecast']
    domain = run.action_open_products()['domain']
    start = time.perf_counter()
    rows.web_search_read(
        domain, {'product_id': {'fields': {'display_name': {}}}, 'expected': {}}, limit=80
    )
    yield 'page', 'by product', time.perf_counter() - start
    start = time.perf_counter()
    rows.formatted_read_group(domain, ['date:day'], ['expected:sum'])
    yield 'page', 'by week', time.perf_counter() - start
    start = time.perf_counter()
    rows.web_read_group(domain, ['product_id'], ['expected:sum'], limit=80)
    yield 'page', 'grouped by product', time.perf_counter() - start
