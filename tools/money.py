"""Arithmetic of partial credits: shares of an amount that always add up to the whole.

A credit note for a part of an invoice line takes ``round(R * q / m)`` of each of its amounts, where
``R`` is what is still creditable of the amount, ``m`` what is still creditable of the quantity, and
``q`` the quantity credited now. Because each step works on what the previous steps have left, the
last one (``q == m``) takes all of ``R`` and not a cent is lost or made up:

>>> rest, parts = 10.00, []
>>> for left in (3, 2, 1):
...     parts.append(part_of(rest, 1, left, 0.01))
...     rest = round(rest - parts[-1], 2)
>>> parts, rest
([3.33, 3.34, 3.33], 0.0)
"""

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

# Quantities of Odoo carry at most six decimals in practice; smaller differences are ignored.
QUANTITY_EPSILON = 1e-6


def round_to(amount, rounding):
    """Round half away from zero to a multiple of ``rounding``.

    :param float amount: any amount.
    :param float rounding: smallest unit of the currency, e.g. 0.01, 1.0 (JPY) or 0.001 (KWD).
    :rtype: float

    >>> round_to(2.675, 0.01), round_to(-2.675, 0.01)
    (2.68, -2.68)
    >>> round_to(1234.5, 1.0), round_to(0.0005, 0.001)
    (1235.0, 0.001)
    """
    unit = Decimal(str(rounding))
    steps = (Decimal(str(amount)) / unit).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return float(steps * unit)


def part_of(amount, quantity, of_quantity, rounding):
    """Return the share of ``amount`` for ``quantity`` out of ``of_quantity``.

    :param float amount: the remaining amount, in the currency whose ``rounding`` is given.
    :param float quantity: quantity credited now, 0 <= quantity <= of_quantity.
    :param float of_quantity: quantity left, in the same unit.
    :param float rounding: smallest unit of the currency.
    :return: ``round(amount * quantity / of_quantity)``; all of ``amount`` when nothing is left
        after it, so that no rounding difference remains after the last step.
    :rtype: float
    :raise ValueError: when ``quantity`` is negative or more than ``of_quantity``.

    Seven pieces for 10.00, three of them come back, then the other four:

    >>> part_of(10.0, 3, 7, 0.01)
    4.29
    >>> part_of(5.71, 4, 4, 0.01)
    5.71

    Yen have no decimals, Kuwaiti dinars three:

    >>> part_of(1000, 1, 3, 1.0), part_of(1.0, 1, 3, 0.001)
    (333.0, 0.333)
    >>> part_of(10.0, 8, 7, 0.01)
    Traceback (most recent call last):
    ...
    ValueError: 8 is not within 0 and 7
    """
    if quantity < -QUANTITY_EPSILON or quantity > of_quantity + QUANTITY_EPSILON:
        raise ValueError(f"{quantity} is not within 0 and {of_quantity}")
    if abs(of_quantity - quantity) <= QUANTITY_EPSILON:
        return round_to(amount, rounding)
    return round_to(
        float(Decimal(str(amount)) * Decimal(str(quantity)) / Decimal(str(of_quantity))), rounding
    )


def parts_of(amounts, quantity, of_quantity):
    """Return the share of each amount for ``quantity`` out of ``of_quantity``.

    Where a unit of the invoice's currency is worth more than one of the company's, an amount
    ``(tax, name)`` in company currency follows its counterpart ``(tax, name_currency)``: it is
    converted from the rounded share of that one. Otherwise the rounding of a yen would have more
    weight in the books than at the rate of the invoice.

    :param dict amounts: ``{key: (amount, smallest unit)}``.
    :rtype: dict

    >>> parts_of({(1, 'tax_currency'): (5, 1.0), (1, 'tax'): (2.5, 0.01)}, 1, 2)
    {(1, 'tax_currency'): 3.0, (1, 'tax'): 1.5}
    >>> parts_of({(1, 'tax_currency'): (0.05, 0.01), (1, 'tax'): (0.03, 0.01)}, 1, 2)
    {(1, 'tax_currency'): 0.03, (1, 'tax'): 0.02}
    """
    parts = {
        key: part_of(amount, quantity, of_quantity, unit) for key, (amount, unit) in amounts.items()
    }
    for key, leader in followers_of(amounts):
        amount, unit = amounts[key]
        whole, part = amounts[leader][0], parts[leader]
        if 0 <= part / whole <= 1:
            parts[key] = part_of(amount, abs(part), abs(whole), unit)
    return parts


def followers_of(amounts):
    """Return ``[(key, leader)]`` of the amounts in company currency that follow another.

    >>> followers_of({(False, 'base'): (2.5, 0.01), (False, 'base_currency'): (5, 1.0)})
    [((False, 'base'), (False, 'base_currency'))]
    >>> followers_of({(False, 'base'): (5, 0.01), (False, 'base_currency'): (5, 0.01)})
    []
    """
    pairs = []
    for key, (amount, unit) in amounts.items():
        leader = (key[0], f'{key[1]}_currency')
        whole, coarse = amounts.get(leader, (0.0, 0.0))
        if whole and abs(amount / whole) * coarse > unit * 1.5:
            pairs.append((key, leader))
    return pairs


@dataclass
class Balance:
    """What is still creditable of one invoice line: a quantity and any number of amounts.

    ``amounts`` maps a key (e.g. ``('base', 'currency')``) to a pair of amount left and smallest
    unit. Taking a part lowers everything by that part:

    >>> balance = Balance(3, {'base': (30.03, 0.01), 'tax': (6.31, 0.01)})
    >>> balance.take(1)
    {'base': 10.01, 'tax': 2.1}
    >>> balance.take(1)
    {'base': 10.01, 'tax': 2.11}
    >>> balance.take(1)
    {'base': 10.01, 'tax': 2.1}
    >>> balance.quantity, balance.amount('base'), balance.amount('tax')
    (0.0, 0.0, 0.0)
    """

    quantity: float
    amounts: dict = field(default_factory=dict)
    withheld: dict = field(default_factory=dict)

    def __post_init__(self):
        self._whole = (self.quantity, dict(self.amounts))

    def price_ratio(self, key, quantity, amount):
        """Return the ratio of the unit price of a part to that of the whole, 1.0 if equal.

        Differences of up to two smallest units are due to rounding and do not count.

        >>> balance = Balance(10, {'base': (1000.0, 0.01)})
        >>> balance.reduce(0, {'base': 50.0})  # a price correction
        >>> balance.price_ratio('base', 10, balance.take(10)['base'])
        0.95
        >>> Balance(3, {'base': (10.0, 0.01)}).price_ratio('base', 1, 3.34)
        1.0
        """
        whole_quantity, whole_amounts = self._whole
        whole, unit = whole_amounts.get(key, (0.0, 0.0))
        expected = whole * quantity / whole_quantity if whole_quantity else 0.0
        if not expected or abs(amount - expected) <= 2 * unit + QUANTITY_EPSILON:
            return 1.0
        return amount / expected

    @property
    def is_amount_only(self):
        """Tell whether there never was a quantity, e.g. where only a price was raised.

        >>> Balance(0.0, {'base': (50.0, 0.01)}).is_amount_only
        True
        """
        return not self._whole[0]

    @property
    def left(self):
        """Return all amounts left, by key.

        >>> Balance(3, {'base': (30.03, 0.01), 'tax': (6.31, 0.01)}).left
        {'base': 30.03, 'tax': 6.31}
        """
        return {key: amount for key, (amount, _unit) in self.amounts.items()}

    def amount(self, key):
        """Return the amount left under ``key``, 0.0 if there is none."""
        return self.amounts.get(key, (0.0, 1.0))[0]

    def whole(self, key):
        """Return the amount under ``key`` before anything was taken, 0.0 if there is none."""
        return self._whole[1].get(key, (0.0, 1.0))[0]

    def withhold(self, amounts):
        """Record an amount withheld on purpose, e.g. a fee; a later credit may refund it.

        It is not available to the next return: the balance itself does not change.

        >>> balance = Balance(10, {'base': (1000.0, 0.01)})
        >>> balance.reduce(10, {'base': 1000.0})
        >>> balance.withhold({'base': 40.0})
        >>> balance.amount('base'), balance.withheld
        (0.0, {'base': 40.0})
        """
        for key, amount in amounts.items():
            self.withheld[key] = self.withheld.get(key, 0.0) + amount

    def part(self, quantity):
        """Return ``{key: amount}`` for ``quantity`` without taking it (see :func:`parts_of`)."""
        return parts_of(self.amounts, quantity, self.quantity)

    def take(self, quantity):
        """Take ``quantity`` and its share of each amount; return the shares by key."""
        parts = self.part(quantity)
        self.reduce(quantity, parts)
        return parts

    def reduce(self, quantity, amounts):
        """Lower the balance by a quantity and amounts that were credited elsewhere.

        >>> balance = Balance(10, {'base': (1000.0, 0.01)})
        >>> balance.reduce(0, {'base': 50.0})  # a price correction takes no quantity
        >>> balance.quantity, balance.amount('base')
        (10.0, 950.0)
        """
        self.quantity = round(self.quantity - quantity, 9) + 0.0
        for key, amount in amounts.items():
            left, rounding = self.amounts.get(key, (0.0, 0.01))
            self.amounts[key] = (round_to(left - amount, rounding) + 0.0, rounding)


def cumulative_parts(amount, ratios, rounding):
    """Return the parts of an amount by ratios, one after the other, with an exact sum.

    :param float amount: the whole; it may be negative.
    :param list ratios: the part for each (0–1); excess over the whole is ignored.
    :param float rounding: smallest unit.
    :rtype: list

    >>> cumulative_parts(10.0, [1 / 3, 0, 1 / 3, 1 / 3], 0.01)
    [3.33, 0.0, 3.34, 3.33]
    >>> cumulative_parts(-5, [0.5, 0.75], 1.0)
    [-3.0, -2.0]
    """
    parts, done, ratio_sum = [], 0.0, 0.0
    for ratio in ratios:
        ratio_sum = min(ratio_sum + ratio, 1.0)
        if 1.0 - ratio_sum < QUANTITY_EPSILON:
            ratio_sum = 1.0
        target = round_to(amount * ratio_sum, rounding)
        parts.append(round_to(target - done, rounding) + 0.0)
        done = target
    return parts
