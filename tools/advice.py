"""Find causes in counts, and tell whether a change helped. Needs no Odoo.

A sample is `(count, total, squares)`: how many of how many units, and the sum of the squares of
what belongs together (the units of an order line come back together, as do the lines of a return).
It weighs as much as `total² / squares` independent units (L. Kish, 1965): one order of 40 units is
one observation, 40 orders of one unit are 40.
"""

from . import signals, stats

# Independent units and cases below which nothing is said.
LEAST_UNITS, LEAST_CASES = 20, 5
# Less than half as much again as elsewhere is not worth a change, however certain it is.
LEAST_RATIO = 1.5
# Expected share of suggestions that are due to chance, at most.
FALSE_ALARMS = 0.05
DAYS_OF_YEAR = 365


def weigh(sample):
    """Return `(count, total)` of the independent units that a sample is worth.

    >>> weigh((18, 40, 40)), weigh((40, 40, 1600)), weigh((0, 0, 0))
    ((18.0, 40.0), (1.0, 1.0), (0.0, 0.0))
    """
    count, total, squares = sample
    if total <= 0:
        return 0.0, 0.0
    design = max(squares / total, 1.0)
    return min(max(count, 0.0), total) / design, total / design


def add(samples):
    """Return the sum of samples.

    >>> add([(1, 2, 2), (3, 4, 8)]), add([])
    ((4, 6, 10), (0, 0, 0))
    """
    return tuple(sum(sample[part] for sample in samples) for part in range(3))


def subtract(sample, part):
    """Return the rest of a sample without a part of it.

    >>> subtract((4, 6, 10), (1, 2, 2))
    (3, 4, 8)
    """
    return tuple(whole - own for whole, own in zip(sample, part, strict=True))


def rise(own, others):
    """Return how likely a sample is this far above the others by chance alone.

    :param others: a sample, or the expected share where there are no others.
    :return: one-sided p-value; None where there is too little to compare.

    18 of 40 came back, and 60 of 1000 others; of one order of 40 nothing is known:

    >>> rise((18, 40, 40), (60, 1000, 1000)) < 1e-6, rise((18, 40, 1600), (60, 1000, 1000))
    (True, None)
    >>> round(rise((8, 20, 20), 0.2), 3), rise((8, 20, 20), (1, 19, 19))
    (0.032, None)
    """
    count, total = weigh(own)
    if total < LEAST_UNITS:
        return None
    if not isinstance(others, tuple):
        return signals.beta_share(others, count, total - count + 1) if count else 1.0
    others = weigh(others)
    return None if others[1] < LEAST_UNITS else signals.rise_p_value((count, total), others)


def get_usual(others):
    """Return the rate that a sample is compared with, 0 to 1.

    >>> get_usual((60, 1000, 1000)), get_usual(0.2), get_usual((0, 0, 0))
    (0.06, 0.2, 0.0)
    """
    return (stats.rate(*others[:2]) or 0.0) if isinstance(others, tuple) else others


def find(samples):
    """Find what happens more often than elsewhere, by more than chance explains.

    All samples that are large enough are tested together (Benjamini and Hochberg). What was found
    is worth a suggestion if there are enough cases and if it is half as much again as elsewhere:
    this is judged after the test, so that it does not choose what is tested.

    :param dict samples: `{key: (own sample, sample of the others or expected share)}`
    :return: `{key: p-value}`

    >>> others = (60, 1000, 1000)
    >>> sorted(find({'a': ((18, 40, 40), others), 'b': ((3, 40, 40), others)}))
    ['a']
    >>> find({'large': ((700, 10000, 10000), (600, 10000, 10000))}), find({})
    ({}, {})
    """
    tested = {key: rise(*sample) for key, sample in samples.items()}
    tested = {key: p_value for key, p_value in tested.items() if p_value is not None}
    alarms = stats.benjamini_hochberg(list(tested.values()), FALSE_ALARMS)
    found = {}
    for (key, p_value), is_alarm in zip(tested.items(), alarms, strict=True):
        own, others = samples[key]
        count, total = weigh(own)
        if is_alarm and count >= LEAST_CASES and count / total >= LEAST_RATIO * get_usual(others):
            found[key] = p_value
    return found


def saving(money, count, expected, days):
    """Return what a year would cost less if no more came back than elsewhere.

    The money credited for what came back, less the part that would have come back anyway, for a
    year: `money × (1 − expected ÷ count) × 365 ÷ days`.

    Of 40 units 18 came back and 900.00 were credited for them in half a year (182 days). Elsewhere
    6 % come back, of 40 units 2.4; 15.6 of 18 are above that, and they cost 780.00 in half a year:

    >>> round(saving(900.0, 18, 2.4, 182), 2)
    1564.29
    >>> saving(900.0, 2, 2.4, 182), saving(0.0, 0, 0.0, 182)
    (0.0, 0.0)
    """
    if count <= 0:
        return 0.0
    return max(money, 0.0) * max(1 - expected / count, 0.0) * DAYS_OF_YEAR / days


def is_clearly_worse(before, sample):
    """Tell whether a rate is above an earlier one by more than chance explains.

    >>> is_clearly_worse(0.2, (18, 40, 40)), is_clearly_worse(0.4, (18, 40, 40))
    (True, False)
    """
    return stats.wilson(*weigh(sample))[0] > before


def compare(before, after):
    """Compare the samples before and after a change.

    :return: what `stats.compare_rates` returns, and `verdict`: `early` (too little to say),
        `better`, `worse` or `same` (chance explains the difference).

    >>> compare((18, 40, 40), (3, 50, 50))['verdict'], compare((18, 40, 40), (0, 5, 5))['verdict']
    ('better', 'early')
    >>> compare((4, 40, 40), (4, 40, 40))['verdict'], compare((3, 50, 50), (18, 40, 40))['verdict']
    ('same', 'worse')
    """
    before, after = weigh(before), weigh(after)
    result = stats.compare_rates(before, after)
    if min(before[1], after[1]) < LEAST_UNITS or before[0] + after[0] < LEAST_CASES:
        result['verdict'] = 'early'
    elif not result['significant']:
        result['verdict'] = 'same'
    else:
        result['verdict'] = 'better' if result['difference'] < 0 else 'worse'
    return result
