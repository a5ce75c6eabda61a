"""Queries and time per return line: this add-on, Odoo alone, and the least possible.

The work: orders of five lines, delivered and invoiced; one unit of each line comes back, is put in
stock again and credited, all orders in one batch (`benchmarks/ways.py`). Odoo alone and the least
possible are measured on a database without the add-on, which would create returns for these goods
as well. One process works on both databases, one way after the other in each round, so that other
load on the machine affects all of them.

Also what an ordinary order, delivery and invoice takes on both databases.
"""

import json
from pathlib import Path
from statistics import median

MEASURES = ('queries', 'seconds', 'cpu')
ORDINARY = ('order', 'delivery', 'invoice')


def run(env, without, orders='30,200', lines='5', rounds='5', results=''):
    """Measure and print.

    :param str without: name of a database without the add-on.
    :param str orders: how many orders are returned at once; several numbers with commas.
    :param str lines: lines of each order.
    :param str rounds: how often everything is done; medians are reported.
    :param str results: file for all numbers, as JSON.
    :rtype: bool
    """
    # Importable once the registry is loaded, from any location of the checkout.
    from odoo import api
    from odoo.modules.registry import Registry

    from odoo.addons.sale_return.benchmarks import ways

    numbers = [int(number) for number in orders.split(',')]
    with Registry(without).cursor() as cr:
        plain = api.Environment(cr, env.uid, dict(env.context))
        sides = [
            (ways.Ours, ways.Shop(env, int(lines))),
            (ways.Floor, ways.Shop(plain, int(lines))),
        ]
        sides.append((ways.Odoo, sides[1][1]))
        found = {'lines': int(lines), 'rounds': int(rounds), 'batches': {}}
        for number in numbers:
            measured = measure(sides, number, int(rounds))
            found['batches'][number] = measured
            print_batch(measured, number, int(lines), int(rounds))
        found['ordinary'] = measure_ordinary([shop for _way, shop in sides[:2]], int(rounds))
        print_ordinary(found['ordinary'])
    if results:
        Path(results).write_text(json.dumps(found, indent=1), encoding='utf-8')
        print(f"\nAll numbers: {results}")
    return True


# === THE WAY OF A RETURN === #


def measure(sides, orders, rounds):
    """Measure all ways, one after the other in each round.

    :param list sides: `(way, its shop)`.
    :return: `{way: {phase: {measure: median}}}`, and in `rounds` the totals of each round.
    :rtype: dict
    """
    from odoo.addons.sale_return.benchmarks.report import Phases

    runs = {way.name: [] for way, _shop in sides}
    for way, shop in sides:
        # Fill Odoo's caches before measuring.
        way(shop.env, shop.sell(2), Phases(shop.env.cr)).run()
    for _round in range(rounds):
        for way, shop in sides:
            phases = Phases(shop.env.cr)
            way(shop.env, shop.sell(orders), phases).run()
            runs[way.name].append(phases)
    return {name: summarize(all_phases) for name, all_phases in runs.items()}


def summarize(runs):
    """Return the medians by phase, the median of the whole, and the whole of each round."""
    result = {
        phase: {name: median(getattr(run, name)[phase] for run in runs) for name in MEASURES}
        for phase in runs[0].seconds
    }
    totals = {name: [sum(getattr(run, name).values()) for run in runs] for name in MEASURES}
    result['all'] = {name: median(values) for name, values in totals.items()}
    result['rounds'] = totals
    return result


def print_batch(measured, orders, lines, rounds):
    """Print what one size of batch took per return line."""
    from odoo.addons.sale_return.benchmarks.report import format_table
    from odoo.addons.sale_return.benchmarks.ways import PHASES

    number = orders * lines
    print(f"\nPer return line; {orders} orders of {lines} lines in one batch, median of {rounds}:")
    for title, name, factor in (
        ("Queries", 'queries', 1),
        ("Milliseconds of the clock", 'seconds', 1000),
        ("Milliseconds of computing, Odoo and PostgreSQL", 'cpu', 1000),
    ):
        rows = []
        for phase in (*PHASES, 'all'):
            values = [
                measured[way][phase][name] * factor / number if phase in measured[way] else None
                for way in measured
            ]
            ratios = [divide(values[0], value) for value in values[1:]]
            rows.append(
                [
                    phase,
                    *("" if value is None else f"{value:.1f}" for value in values),
                    *("" if ratio is None else f"{ratio:.2f}" for ratio in ratios),
                ]
            )
        head = [title, *measured, *(f"{way}" for way in list(measured)[1:])]
        head[-2:] = [f"ours/{way}" for way in list(measured)[1:]]
        print("\n" + format_table(head, rows, right=set(range(1, len(head)))))
    ours, floor = measured['ours']['all'], measured['floor']['all']
    print(
        f"\nTime {ours['seconds'] / floor['seconds']:.2f} × floor"
        f" ({ours['cpu'] / floor['cpu']:.2f} in computing; to be ≤ 1.30),"
        f" {ours['queries'] / number:.1f} queries (to be ≤ 45)."
    )


def divide(value, other):
    return value / other if value is not None and other else None


# === DOCUMENTS WITHOUT RETURNS === #


def measure_ordinary(shops, rounds):
    """Measure an order, its delivery and its invoice with the add-on and without.

    :param list shops: with the add-on, without.
    :return: `{'with' | 'without': {step: {measure: median}}}`
    :rtype: dict
    """
    from odoo.addons.sale_return.benchmarks.report import Phases

    runs = {'with': [], 'without': []}
    for shop in shops:
        shop.stock_up(3 + rounds)
        shop.sell_measured(Phases(shop.env.cr))
    for _round in range(rounds):
        for name, shop in zip(runs, shops, strict=True):
            phases = Phases(shop.env.cr)
            shop.sell_measured(phases)
            runs[name].append(phases)
    return {name: summarize(all_phases) for name, all_phases in runs.items()}


def print_ordinary(measured):
    from odoo.addons.sale_return.benchmarks.report import format_table

    rows = []
    for step in (*ORDINARY, 'all'):
        found = [measured[name][step] for name in ('with', 'without')]
        more = found[0]['queries'] / found[1]['queries'] - 1
        rows.append(
            [
                step,
                *(f"{values['queries']:.0f}" for values in found),
                f"{100 * more:+.1f} %",
                *(f"{1000 * values['cpu']:.0f}" for values in found),
            ]
        )
    head = ["Without any return", "queries with", "without", "more", "ms computing with", "without"]
    print("\n" + format_table(head, rows, right=set(range(1, len(head)))))
