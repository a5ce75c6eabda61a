"""How much of what was sold is still to come back, by the week? Needs no Odoo.

Weeks are numbered backwards: 0 is the last one that is over, 1 the one before. Ages are in weeks.
Curves are lists by age: of what is still out, the share that comes back at that age.
"""

from functools import lru_cache
from itertools import pairwise
from math import exp, log

from .signals import beta_share
from .stats import quantile

# Goods come back for half a year; too few come later to be forecast.
AGES = 26
# Weeks that are foreseen.
WEEKS = 8
# Returned order lines that a group needs before it has a curve and a level of its own.
LEAST_RETURNS = 30
# Weight of the rate of the group, in returned order lines.
PRIOR = 3.0
# Weeks from which we learn how many are sold, and how much more comes back than the curve says.
RECENT = 8
# The level of the last weeks: at most this multiple of what the curve says, and the weight of the
# curve in order lines.
MOST_LEVEL, LEVEL_PRIOR = 3.0, 100.0
# The chance left below and above an interval of 80 %.
TAIL = 0.1
# Intervals are measured by forecasts of at least this many units, once there are this many of them.
LEAST_UNITS, LEAST_PAIRS = 5.0, 20
DISPERSIONS = (1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0, 48.0, 64.0, 96.0, 128.0)
USUAL_DISPERSION = 4.0


def hazards(sold, back, origin=0):
    """Return the curve of a group as seen at the end of a week.

    Young goods have not had the time to come back: they are at risk up to the age they have, and
    censored then (the discrete form of Kaplan and Meier).

    :param dict sold: `{week: units sold}`
    :param dict back: `{(week of the sale, age): units that came back}`
    :param origin: weeks before this one are all that is known.

    Of 100 sold two weeks ago 10 come back at once and 9 of the other 90 a week later; of 100 sold
    last week 30 came back at once:

    >>> hazards({1: 100, 0: 100}, {(1, 0): 10, (1, 1): 9, (0, 0): 30})[:3]
    [0.2, 0.1, 0.0]
    >>> hazards({1: 100, 0: 100}, {(1, 0): 10, (1, 1): 9, (0, 0): 30}, origin=1)[:2]
    [0.1, 0.0]
    """
    at_risk, events = [0.0] * (AGES + 1), [0.0] * (AGES + 1)
    for week, units in sold.items():
        left = units
        for age in range(min(week - origin, AGES) + 1):
            returned = back.get((week, age), 0.0)
            at_risk[age] += max(left, 0.0)
            events[age] += returned
            left -= returned
    return [min(e / r, 1.0) if r > 0 else 0.0 for e, r in zip(events, at_risk, strict=True)]


def densities(curve):
    """Return the share of what was sold that comes back at each age.

    >>> densities([0.2, 0.5])
    [0.2, 0.4]
    """
    result, left = [], 1.0
    for hazard in curve:
        result.append(left * hazard)
        left *= 1 - hazard
    return result


def totals(values):
    """Return the sums up to each place.

    >>> totals([1, 2, 3])
    [1, 3, 6]
    """
    result, total = [], 0
    for value in values:
        total += value
        result.append(total)
    return result


def differences(sums):
    """Return what `totals` adds up.

    >>> differences([1, 3, 6]), differences([])
    ([1, 2, 3], [])
    """
    return [after - before for before, after in pairwise([0, *sums])]


def level(sold, back, shares, origin=0):
    """Return how much more came back in the last weeks than a curve says.

    With few order lines that is chance: it counts from hundreds on.

    >>> sold = {week: 1000 for week in range(4)}
    >>> level(sold, {(week, 0): 200 for week in sold}, [0.1])
    1.8
    >>> level({}, {}, [0.1]), round(level({0: 10}, {}, [0.1]), 2)
    (1.0, 0.99)
    """
    weeks = range(origin, origin + RECENT)
    seen = sum(units for (week, age), units in back.items() if week - age in weeks)
    said = sum(
        units * shares[age]
        for week, units in sold.items()
        for age in range(min(week - origin + 1, len(shares)))
        if week - age in weeks
    )
    found = (seen + LEVEL_PRIOR) / (said + LEVEL_PRIOR)
    return min(max(found, 1 / MOST_LEVEL), MOST_LEVEL)


def rate_factor(seen, said):
    """Return how much more of a product comes back than of its group, drawn towards the group.

    A gamma prior: a product without history comes back like its group.

    >>> rate_factor(0, 0), rate_factor(6, 0), rate_factor(97, 47)
    (1.0, 3.0, 2.0)
    """
    return (seen + PRIOR) / (said + PRIOR)


@lru_cache(maxsize=50_000)
def _count_interval(mean, dispersion):
    size, chance = mean / (dispersion - 1), 1 / dispersion

    def find(share):
        """Return the first number that is not exceeded with a chance."""
        high = 1
        while beta_share(chance, size, high + 1) < share:
            high *= 2
        low = -1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (
                (low, middle) if beta_share(chance, size, middle + 1) >= share else (middle, high)
            )
        return high

    return float(find(TAIL)), float(find(1 - TAIL))


def interval(mean, dispersion):
    """Return the bounds between which a number of units is with a chance of 80 %.

    A negative binomial distribution: units come back in bundles, whose size is the dispersion
    (variance ÷ mean).

    >>> interval(0, 2.0), interval(100, 1.0), interval(100, 20.0), interval(0.5, 10.0)
    ((0.0, 0.0), (87.0, 114.0), (48.0, 160.0), (0.0, 1.0))
    """
    if mean <= 0:
        return 0.0, 0.0
    # Two digits are enough, and are looked up.
    return _count_interval(float(f'{mean:.2g}'), float(f'{max(dispersion, 1.1):.2g}'))


def dispersion(pairs):
    """Return the dispersion with which intervals would have covered 80 % of the past.

    Of those that ought to have been a few units: next to nothing is within every interval.

    :param pairs: `(units foreseen, units that came back)`.

    >>> dispersion([(100, 100 + 4 * number) for number in range(-10, 11)])
    6.0
    >>> dispersion([])
    4.0
    """
    known = [pair for pair in pairs if pair[0] >= LEAST_UNITS]
    if len(known) < LEAST_PAIRS:
        return USUAL_DISPERSION
    return min(DISPERSIONS, key=lambda value: abs(coverage(known, value) - (1 - 2 * TAIL)))


def coverage(pairs, spread):
    """Return which share of what came back is within the intervals, None where there is nothing.

    >>> coverage([(100, 100), (100, 300)], 2.0), coverage([], 2.0)
    (0.5, None)
    """
    known = [pair for pair in pairs if pair[0] >= LEAST_UNITS]
    if not known:
        return None
    inside = 0
    for mean, seen in known:
        low, high = interval(mean, spread)
        inside += low <= seen <= high
    return inside / len(known)


def wape(pairs):
    """Return the weighted absolute percentage error, as a share: sum of errors ÷ what came back.

    >>> wape([(10, 8), (0, 2)]), wape([(1, 0)])
    (0.4, None)
    """
    total = sum(seen for _said, seen in pairs)
    return sum(abs(said - seen) for said, seen in pairs) / total if total > 0 else None


def ratio_bounds(pairs):
    """Return by which factors sums of weeks were off, from the tenth percentile to the ninetieth.

    :param pairs: `(units foreseen, units that came back)` of past weeks.

    >>> low, high = ratio_bounds([(100, 80), (100, 100), (100, 125)])
    >>> round(low, 2), round(high, 2)
    (0.79, 1.27)
    >>> ratio_bounds([])
    (0.5, 2.0)
    """
    logs = [log(seen / said) for said, seen in pairs if said > 0 and seen > 0]
    if len(logs) < 3:
        return 0.5, 2.0
    # Few weeks show less than there is: the spread of n is widened by one.
    wide = (len(logs) + 1) / len(logs)
    middle = quantile(logs, 0.5)
    return tuple(
        exp(middle + (quantile(logs, share) - middle) * wide) for share in (TAIL, 1 - TAIL)
    )
