"""All lines of real trade, with each cancellation matched to what it undoes. Needs no Odoo.

For statistics: unlike `trade.collect`, which takes some invoices to be replayed in full.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

# Sales without customer (at the counter, by phone) belong to nobody in particular.
GUEST = 'Guest'


@dataclass
class Sale:
    """One sold line, and the quantity not cancelled."""

    number: str
    code: str
    quantity: int
    price: float
    customer: str
    country: str
    date: str
    left: int = 0


@dataclass
class Matched:
    """All sales, and their cancellations."""

    sales: list = field(default_factory=list)
    descriptions: dict = field(default_factory=dict)
    # `{(number of the cancellation, index of the sale): [units, date]}`
    returned: dict = field(default_factory=dict)
    counts: Counter = field(default_factory=Counter)
    units: Counter = field(default_factory=Counter)


def match(rows):
    """Match the cancellations of goods with what the same customer bought earlier.

    Of the same product, at the same price before any other, the latest purchase first; what one
    purchase does not cover is taken from the one before.

    :param rows: iterator of `trade.Row` in the order of time.
    :rtype: Matched

    >>> from collections import namedtuple
    >>> from types import SimpleNamespace
    >>> def row(number, quantity, price=2.5, customer='17850', code='22139'):
    ...     return SimpleNamespace(
    ...         number=number, quantity=quantity, price=price, customer=customer, code=code,
    ...         description="Tea set", country="France", date='2011-01-01 10:00',
    ...         is_cancellation=number.startswith('C'), is_goods=code != 'POST')
    >>> found = match([row('1', 6), row('2', 4), row('C3', -5), row('C4', -7), row('C5', -1),
    ...                row('C6', -1, customer=''), row('C7', -1, code='POST')])
    >>> {key: units for key, (units, date) in found.returned.items()}
    {('C3', 1): 4, ('C3', 0): 1, ('C4', 0): 5}
    >>> found.counts['matched wholly'], found.counts['matched in part'], found.counts['exceeding']
    (1, 1, 1)
    >>> found.units['cancelled'], found.units['matched']
    (14, 10)
    """
    result, bought = Matched(), defaultdict(list)
    for row in rows:
        result.counts['lines'] += 1
        if row.is_cancellation:
            result.counts['cancellations'] += 1
            _match_cancellation(result, bought, row)
        elif row.quantity <= 0:
            result.counts['stock corrections'] += 1
        elif not row.is_goods:
            result.counts['no goods (postage, fees, vouchers)'] += 1
        else:
            if row.customer:
                bought[row.customer, row.code].append(len(result.sales))
            result.descriptions[row.code] = row.description
            result.sales.append(
                Sale(
                    row.number,
                    row.code,
                    row.quantity,
                    max(row.price, 0.0),
                    row.customer or GUEST,
                    row.country,
                    row.date,
                    row.quantity,
                )
            )
    return result


def _match_cancellation(result, bought, row):
    if not row.is_goods:
        result.counts['cancellations of no goods'] += 1
        return
    wanted = -row.quantity
    result.units['cancelled'] += wanted
    if not row.customer:
        result.counts['cancellations without customer'] += 1
        return
    candidates = bought.get((row.customer, row.code), [])
    if not candidates:
        result.counts['cancellations without purchase in the data'] += 1
        return
    taken = 0
    for same_price in (True, False):
        for index in reversed(candidates):
            sale = result.sales[index]
            part = min(sale.left, wanted - taken)
            if part > 0 and (not same_price or sale.price == row.price):
                sale.left -= part
                taken += part
                units, _date = result.returned.get((row.number, index), (0, row.date))
                result.returned[row.number, index] = (units + part, row.date)
    result.units['matched'] += taken
    if taken == wanted:
        result.counts['matched wholly'] += 1
    elif taken:
        result.counts['matched in part'] += 1
    else:
        result.counts['exceeding'] += 1
