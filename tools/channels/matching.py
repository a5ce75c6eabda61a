"""Match the refunds of a channel with the credit notes of an order.

Only amounts decide, never names or dates: first the order as a whole, then equal amounts, then
sums. The rest is compared as a whole.
"""

from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

MATCH, DIFFERENCE, NO_NOTE, NO_REFUND = 'match', 'difference', 'no_credit_note', 'no_refund'
LARGEST = 6  # refunds or notes that are added up to find one amount
TRIED = 20_000  # number of sums tried for one order


@dataclass(frozen=True)
class Match:
    """Refunds and credit notes, by position in the input, and the result of their comparison."""

    state: str
    refunds: tuple
    notes: tuple
    refunded: Decimal
    credited: Decimal


def match(refunds, notes):
    """Compare the refunds of one order and currency with its credit notes.

    :param refunds: amounts, tax included, in the order in which they are taken
    :param notes: amounts of posted credit notes, tax included
    :rtype: list[Match]

    An order with two refunds and one note for both:

    >>> [pair.state for pair in match([Decimal('52.43'), Decimal('6.00')], [Decimal('58.43')])]
    ['match']

    Five were given as goodwill without a note:

    >>> found = match([Decimal('5.00'), Decimal('24.95')], [Decimal('24.95')])
    >>> [(pair.state, pair.refunds, pair.notes) for pair in found]
    [('match', (1,), (0,)), ('no_credit_note', (0,), ())]
    """
    left, right = dict(enumerate(refunds)), dict(enumerate(notes))
    if left and right and sum(left.values()) == sum(right.values()):
        return [_pair(MATCH, left, list(left), right, list(right))]
    found = []
    for place, value in list(left.items()):
        same = next((each for each, other in right.items() if other == value), None)
        if same is not None:
            found.append(_pair(MATCH, left, [place], right, [same]))
    for place, value in list(right.items()):
        if parts := _find_sum(left, value):
            found.append(_pair(MATCH, left, parts, right, [place]))
    for place, value in list(left.items()):
        if parts := _find_sum(right, value):
            found.append(_pair(MATCH, left, [place], right, parts))
    if left and right:
        found.append(_pair(DIFFERENCE, left, list(left), right, list(right)))
    found += [_pair(NO_NOTE, left, [place], right, []) for place in list(left)]
    found += [_pair(NO_REFUND, left, [], right, [place]) for place in list(right)]
    return found


def _pair(state, left, refunds, right, notes):
    """Remove refunds and notes from the rest, and return the result of their comparison."""
    return Match(
        state,
        tuple(sorted(refunds)),
        tuple(sorted(notes)),
        sum((left.pop(place) for place in refunds), Decimal(0)),
        sum((right.pop(place) for place in notes), Decimal(0)),
    )


def _find_sum(values, total):
    """Return the positions of the fewest values that add up exactly to the total, or None."""
    tried = 0
    for size in range(2, min(LARGEST, len(values)) + 1):
        for places in combinations(values, size):
            tried += 1
            if tried > TRIED:
                return None
            if sum(values[each] for each in places) == total:
                return list(places)
    return None
