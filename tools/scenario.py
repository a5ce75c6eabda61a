"""What would a period have been like, had a rate, a time, a fee or the condition been another one?

Needs no Odoo. What happened is given as flows, `Move` of goods and `Credit` of money, each the sum
of what happened on one day in one way. A `Change` moves and scales them; without any change the
weeks are those of the flows, to the cent. Nothing that happened is lost: what is moved beyond the
period is shown in further weeks. What was received before the period stays as it was.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta

# What is withheld of a credit. A fee replaces the restocking fee, and the condition what is
# withheld because of it.
WITHHELD = frozenset({'grade', 'restocking_fee', 'freight'})
FLOWS = (
    'returned',
    'restocked',
    'restocked_value',
    'credited',
    'fees',
    'scrapped',
    'handling',
    'cost',
)
LEVELS = ('waiting', 'waiting_volume')
MEASURES = FLOWS + LEVELS
MONEY = frozenset({'restocked_value', 'credited', 'fees', 'scrapped', 'handling', 'cost'})
# Units are kept to so many digits, which removes what is left of sums of floats.
DIGITS = 6


@dataclass(frozen=True)
class Move:
    """Goods that came into quarantine (`in`) or left it (`restock`, `scrap`, or another way).

    `request_room` and `receipt_room` are how many days earlier the request and the receipt could
    have been, for the one after the delivery and the other after the request.
    """

    day: date
    way: str
    units: float
    cost: float = 0.0
    volume: float = 0.0
    grade: str | None = None
    request_room: int = 0
    receipt_room: int = 0
    is_old: bool = False


@dataclass(frozen=True)
class Credit:
    """What credit notes of one day credited (withheld: below zero), taxes included.

    `after_receipt`: it waited for the receipt. `other_days` later (or earlier) it would have been
    with the other event that refunds are to wait for, and `other_after_receipt` tells whether that
    one waits for the receipt.
    """

    day: date
    kind: str
    amount: float
    after_receipt: bool = True
    other_days: int = 0
    other_after_receipt: bool = True
    request_room: int = 0
    receipt_room: int = 0
    credit_room: int = 0
    is_old: bool = False


@dataclass(frozen=True)
class Change:
    """What is assumed. Shares are numbers from 0 to 1, `handling` is the cost of a unit.

    `mix` are shares by grade, with which `ratios` (share of the price that is credited) and
    `fallback` (the way of goods of a grade that was never found) go.
    """

    factor: float = 1.0
    request_days: int = 0
    receipt_days: int = 0
    credit_days: int = 0
    other_event: bool = False
    fee: float | None = None
    mix: dict | None = None
    ratios: dict = field(default_factory=dict)
    fallback: dict = field(default_factory=dict)
    handling: float = 0.0


def monday(day):
    """Return the first day of the week of a day.

    >>> monday(date(2026, 3, 1)), monday(date(2026, 3, 2))
    (datetime.date(2026, 2, 23), datetime.date(2026, 3, 2))
    """
    return day - timedelta(days=day.weekday())


def get_factor(returned, shipped, factor, points):
    """Return by how much to multiply what came back.

    Percentage points are added after the factor; no rate falls below 0 or rises above 1 by them.

    :return: None where there is no rate to which points could be added.

    >>> round(get_factor(10, 100, 1.5, 0), 6), round(get_factor(10, 100, 1.0, 5), 6)
    (1.5, 1.5)
    >>> get_factor(10, 100, 1.0, -20), round(get_factor(50, 100, 3.0, 10), 6)
    (0.0, 2.0)
    >>> get_factor(0, 100, 1.0, 5), get_factor(10, 0, 1.0, 5), get_factor(10, 0, 2.0, 0)
    (None, None, 2.0)
    """
    if not points:
        return factor
    if returned <= 0 or shipped <= 0:
        return None
    rate = returned / shipped
    return min(max(rate * factor + points / 100, 0.0), max(rate, 1.0)) / rate


def shift(flow, change, after_receipt=True):
    """Return by how many days request and receipt move a flow, as far as there is room.

    >>> flow = Move(date(2026, 3, 2), 'in', 1, request_room=2, receipt_room=1)
    >>> shift(flow, Change(request_days=-5, receipt_days=3))
    1
    >>> shift(flow, Change(request_days=-5, receipt_days=-3), after_receipt=False)
    -2
    """
    days = max(change.request_days, -flow.request_room)
    if after_receipt:
        days += max(change.receipt_days, -flow.receipt_room)
    return days


def find_ways(moves, grades):
    """Return how goods of some grades left quarantine: `({grade: {way: share}}, {grade: units})`.

    >>> day = date(2026, 3, 2)
    >>> find_ways([Move(day, 'restock', 3, grade='A'), Move(day, 'scrap', 1, grade='A')], 'AB')
    ({'A': {'restock': 0.75, 'scrap': 0.25}}, {'A': 4.0})
    """
    units = defaultdict(lambda: defaultdict(float))
    for move in moves:
        if move.grade in grades and move.way != 'in' and not move.is_old:
            units[move.grade][move.way] += move.units
    totals = {grade: sum(ways.values()) for grade, ways in units.items()}
    return (
        {
            grade: {way: part / totals[grade] for way, part in ways.items()}
            for grade, ways in units.items()
            if totals[grade] > 0
        },
        {grade: total for grade, total in totals.items() if total > 0},
    )


def find_reduction(found, change):
    """Return by how much to multiply what is withheld for the condition.

    :param dict found: units by grade of the period.
    :return: None where nothing was, or would have been, withheld for what was found.

    >>> change = Change(mix={'A': 0.5, 'C': 0.5}, ratios={'A': 1.0, 'C': 0.5})
    >>> find_reduction({'A': 3, 'C': 1}, change), find_reduction({'A': 3}, change)
    (2.0, None)
    """
    lost = {grade: 1 - ratio for grade, ratio in change.ratios.items()}
    total = sum(found.values())
    usual = sum(units * lost.get(grade, 0.0) for grade, units in found.items())
    if total <= 0 or usual <= 0:
        return None
    return sum(share * lost.get(grade, 0.0) for grade, share in change.mix.items()) / usual * total


def find_loss(moves, change):
    """Return the share of a credit for goods to withhold where nothing was withheld so far.

    Goods that were found in another condition, or in none, are credited as they were.

    >>> day = date(2026, 3, 2)
    >>> moves = [Move(day, 'restock', 3, grade='A'), Move(day, 'restock', 1)]
    >>> change = Change(mix={'A': 0.5, 'C': 0.5}, ratios={'A': 1.0, 'C': 0.5})
    >>> find_loss(moves, change), find_loss([], change)
    (0.1875, 0.0)
    """
    total = sum(move.units for move in moves if move.way != 'in' and not move.is_old)
    if total <= 0:
        return 0.0
    found = sum(find_ways(moves, change.mix)[1].values()) / total
    return found * sum(
        share * (1 - change.ratios.get(grade, 1.0)) for grade, share in change.mix.items()
    )


def _play_moves(moves, change):
    """Yield `(day, measure, amount)` of goods."""
    shares = None
    if change.mix:
        ways, _found = find_ways(moves, change.mix)
        shares = defaultdict(float)
        for grade, share in change.mix.items():
            for way, part in ways.get(grade, {change.fallback.get(grade, 'scrap'): 1.0}).items():
                shares[way] += share * part
    for move in moves:
        factor = 1.0 if move.is_old else change.factor
        day = move.day if move.is_old else move.day + timedelta(days=shift(move, change))
        units, cost = move.units * factor, move.cost * factor
        sign = 1 if move.way == 'in' else -1
        yield day, 'waiting', sign * units
        yield day, 'waiting_volume', sign * move.volume * factor
        if move.way == 'in':
            yield day, 'returned', units
            yield day, 'handling', units * change.handling
            continue
        parts = {move.way: 1.0}
        if shares is not None and not move.is_old and move.grade in change.mix:
            parts = shares
        for way, part in parts.items():
            if way == 'restock':
                yield day, 'restocked', units * part
                yield day, 'restocked_value', cost * part
            elif way == 'scrap':
                yield day, 'scrapped', cost * part


def _play_credits(moves, credits_, change):
    """Yield `(day, measure, amount)` of money."""
    reduction, lost = None, 0.0
    if change.mix:
        reduction = find_reduction(find_ways(moves, change.mix)[1], change)
        if reduction is None:
            lost = find_loss(moves, change)
    for credit in credits_:
        if credit.is_old:
            yield from _book(credit.day, credit.kind, credit.amount)
            continue
        days, after = 0, credit.after_receipt
        if change.other_event:
            days, after = credit.other_days, credit.other_after_receipt
        days += shift(credit, change, after) + max(change.credit_days, -credit.credit_room)
        day, amount = credit.day + timedelta(days=days), credit.amount * change.factor
        if credit.kind == 'restocking_fee' and change.fee is not None:
            continue
        if credit.kind == 'grade' and reduction is not None:
            amount *= reduction
        yield from _book(day, credit.kind, amount)
        if credit.kind == 'goods' and change.fee:
            yield from _book(day, 'restocking_fee', -amount * change.fee)
        # Nobody knows the condition of goods that have not arrived.
        if credit.kind == 'goods' and credit.after_receipt and lost:
            yield from _book(day, 'grade', -amount * lost)


def _book(day, kind, amount):
    yield day, 'credited', amount
    if kind in WITHHELD:
        yield day, 'fees', -amount


def play(moves, credits_, change):
    """Return what a scenario adds to each week as `{monday: {measure: amount}}`.

    Ten units came, of which eight went back into stock, and were credited with 12.10 each:

    >>> day = date(2026, 3, 2)
    >>> moves = [Move(day, 'in', 10, 60), Move(day, 'restock', 8, 48), Move(day, 'scrap', 2, 12)]
    >>> paid = [Credit(day, 'goods', 121.0)]
    >>> weeks = play(moves, paid, Change())
    >>> weeks[day]['returned'], weeks[day]['restocked_value'], weeks[day]['scrapped']
    (10.0, 48.0, 12.0)

    Half as many, refunded nine days later, with a fee of ten percent:

    >>> weeks = play(moves, paid, Change(factor=0.5, credit_days=9, fee=0.1))
    >>> [(str(week), values['returned'], values['credited']) for week, values in weeks.items()]
    [('2026-03-02', 5.0, 0.0), ('2026-03-09', 0.0, 54.45)]
    """
    weeks = defaultdict(lambda: dict.fromkeys(MEASURES, 0.0))
    for part in (_play_moves(moves, change), _play_credits(moves, credits_, change)):
        for day, measure, amount in part:
            weeks[monday(day)][measure] += amount
    return weeks


def fill(weeks, first, last, opening, digits):
    """Return all weeks from one Monday to another, with costs and what is in quarantine at the end.

    :param weeks: as `play` returns them; goods in quarantine are what they add to these.
    :param opening: units and volume that were in quarantine before.
    :param int digits: of the currency.
    """
    result, levels = {}, dict(zip(LEVELS, opening, strict=True))
    for number in range((last - first).days // 7 + 1):
        week = first + timedelta(weeks=number)
        values = dict(weeks.get(week) or dict.fromkeys(MEASURES, 0.0))
        for name in LEVELS:
            levels[name] += values[name]
            values[name] = levels[name]
        values = {name: round(values[name], digits if name in MONEY else DIGITS) for name in values}
        values['cost'] = round(values['scrapped'] + values['handling'] - values['fees'], digits)
        result[week] = values
    return result


def add_up(weeks, digits):
    """Return the sums of all weeks, and of what is in quarantine the most.

    >>> week = {**dict.fromkeys(MEASURES, 0.0), 'returned': 2.0, 'waiting': 3.0}
    >>> totals = add_up([week, {**week, 'waiting': 1.0}], 2)
    >>> totals['returned'], totals['waiting']
    (4.0, 3.0)
    """
    return {
        name: max(week[name] for week in weeks)
        if name in LEVELS
        else round(sum(week[name] for week in weeks), digits if name in MONEY else DIGITS)
        for name in MEASURES
    }


def subtract(after, before, digits):
    """Return the difference of two weeks.

    >>> week = dict.fromkeys(MEASURES, 0.3)
    >>> subtract(week, dict.fromkeys(MEASURES, 0.1), 2)['credited']
    0.2
    """
    return {
        name: round(after[name] - before[name], digits if name in MONEY else DIGITS)
        for name in MEASURES
    }


def compare(moves, credits_, change, span, opening=(0.0, 0.0), digits=2):
    """Return the weeks and the totals of what happened, of a scenario, and their difference.

    :param span: first and last day of the period; later and earlier weeks are added as needed.
    :return: `{'base', 'scenario', 'difference'}`, each `({monday: {measure: amount}}, totals)`.

    >>> day = date(2026, 3, 2)
    >>> moves = [Move(day, 'in', 10), Move(date(2026, 3, 12), 'restock', 10)]
    >>> found = compare(moves, [], Change(receipt_days=7), (day, date(2026, 3, 12)))
    >>> {name: [week['waiting'] for week in weeks.values()]
    ...  for name, (weeks, _totals) in found.items()}
    {'base': [10.0, 0.0, 0.0], 'scenario': [0.0, 10.0, 0.0], 'difference': [-10.0, 10.0, 0.0]}
    """
    played = {
        'base': play(moves, credits_, Change(handling=change.handling)),
        'scenario': play(moves, credits_, change),
    }
    mondays = {monday(day) for day in span}.union(*played.values())
    result = {
        name: fill(weeks, min(mondays), max(mondays), opening, digits)
        for name, weeks in played.items()
    }
    result['difference'] = {
        week: subtract(values, result['base'][week], digits)
        for week, values in result['scenario'].items()
    }
    totals = {name: add_up(result[name].values(), digits) for name in played}
    totals['difference'] = subtract(totals['scenario'], totals['base'], digits)
    return {name: (weeks, totals[name]) for name, weeks in result.items()}
