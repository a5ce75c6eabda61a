"""Tell a signal from chance: has a rate risen, does a member differ from the others? Needs no Odoo.

Counts may be fractions: half an order line came back. Over-dispersed counts (varying more than
by chance, like units sold together) count as fewer observations than there are.
"""

from bisect import bisect_right
from math import exp, lgamma, log, log1p, sqrt

from .stats import quantile

# Iterations and precision of the continued fraction.
MOST_STEPS, CLOSE = 500, 1e-14
# Share of the members at either end whose distance is taken as that of the last one inside.
WINSOR = 0.1


def beta_share(x, a, b):
    """Return the regularised incomplete beta function I_x(a, b), by its continued fraction.

    With whole numbers it is the chance of at least `a` hits in `a + b - 1` tries of chance `x`:

    >>> round(beta_share(0.5, 2, 2), 12), round(beta_share(0.1, 3, 8), 10)
    (0.5, 0.0701908264)
    >>> beta_share(0.0, 1, 1), beta_share(1.0, 2, 3), round(beta_share(0.3, 0.5, 20.5), 6)
    (0.0, 1.0, 0.999856)

    Halfway, where either side would do, too:

    >>> round(beta_share(1 / 8, 11 / 7, 17), 3)
    0.781
    """
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    # The fraction converges fast on this side; its other side is that of the complement.
    if x > (a + 1) / (a + b + 2):
        return 1 - _continue_beta(1 - x, b, a)
    return _continue_beta(x, a, b)


def _continue_beta(x, a, b):
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    tiny = 1e-300
    c, d = 1.0, 1 / max(1 - (a + b) * x / (a + 1), tiny)
    value = d
    for step in range(1, MOST_STEPS):
        for term in (
            step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step)),
            -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1)),
        ):
            d = 1 / ((1 + term * d) or tiny)
            c = (1 + term / c) or tiny
            value *= c * d
        if abs(c * d - 1) < CLOSE:
            break
    return min(front * value, 1.0)


def rise_p_value(recent, base, dispersion=1.0):
    """Return how likely a rate is this far above the one before by chance alone.

    Of all that came back, the share that is of the recent goods is, under chance, that of the goods
    themselves (Przyborowski and Wilenski, 1940). The test is exact for rare events and knows that
    the rate of before is an estimate, too; what is found counts half, as counts are whole (the
    mid-p value of Lancaster, 1961). Over-dispersed counts are divided by their dispersion.

    :param recent: `(count, total)` of the members to be judged.
    :param base: `(count, total)` of what it is compared with.
    :param float dispersion: variance of the rates as a multiple of that of chance, Laney's
        sigma_z²; less than 1 counts as 1.
    :return: one-sided p-value, 1 where there is nothing to compare.

    Of 100 and 300 goods 10 and 5 came back: 10 of 15 and more, where a quarter is expected.

    >>> round(rise_p_value((10, 100), (5, 300)), 6)
    0.000455
    >>> round(rise_p_value((10, 100), (5, 300), 4.0), 3)
    0.06
    >>> rise_p_value((0, 100), (5, 300)), rise_p_value((3, 0), (1, 2)), rise_p_value((1, 1), (0, 0))
    (1.0, 1.0, 1.0)
    """
    count, count_before, share = _get_events(recent, base, dispersion)
    if not count:
        return 1.0
    more = beta_share(share, count + 1, count_before) if count_before else 0.0
    return (beta_share(share, count, count_before + 1) + more) / 2


def predicted_p_value(recent, base, prior, dispersion=1.0):
    """Return how likely a count at least so high is after a past and what is known of the like.

    The rate is a gamma variable, with the prior of its group and the past as evidence; what comes
    back then has a negative binomial distribution. A short past says little by itself, but others
    like it say how much such goods come back, and how different they are. Half of what is found
    counts, as in `rise_p_value`.

    :param prior: `(a, b)` of the group, see `stats.beta_prior`.

    A past of 50 goods of which none came back excludes little; that one in a hundred of the like
    comes back excludes more:

    >>> round(rise_p_value((4, 100), (0, 50)), 3)
    0.099
    >>> round(predicted_p_value((4, 100), (0, 50), (1, 99)), 3)
    0.018
    >>> predicted_p_value((0, 100), (5, 300), (1, 99)), predicted_p_value((3, 0), (1, 2), (1, 1))
    (1.0, 1.0)
    """
    count, shape, share = _get_prediction(recent, base, prior, dispersion)
    if not count:
        return 1.0
    return (beta_share(share, count, shape) + beta_share(share, count + 1, shape)) / 2


def least_predicted_p_value(recent, base, prior, dispersion=1.0):
    """Return the least `predicted_p_value` there could be, had all come back of recent goods.

    >>> round(least_predicted_p_value((1, 100), (1, 300), (1, 99)), 4)
    0.024
    """
    (count, total), (before, total_before) = recent, base
    everything = min(max(count, 0.0) + max(before, 0.0), max(total, 0.0))
    return predicted_p_value((everything, total), (0.0, total_before), prior, dispersion)


def _get_prediction(recent, base, prior, dispersion):
    """Return how many events there are, the shape of the rate, and the share of recent goods."""
    (count, total), (before, total_before) = recent, base
    if total <= 0:
        return 0.0, 0.0, 0.0
    dispersion = max(dispersion, 1.0)
    known = max(total_before, 0.0) + sum(prior)
    return (
        min(max(count, 0.0), total) / dispersion,
        min(max(before, 0.0), max(total_before, 0.0)) / dispersion + prior[0],
        total / (total + known),
    )


def least_p_value(recent, base, dispersion=1.0):
    """Return the least possible p-value: if everything that came back were recent goods.

    >>> round(least_p_value((1, 100), (1, 300)), 4), least_p_value((0, 100), (0, 300))
    (0.0312, 1.0)
    """
    count, count_before, share = _get_events(recent, base, dispersion)
    events = count + count_before
    return share**events * (0.5 if events else 1.0)


def testable(least, share):
    """Return the least p-value up to which tests are worth making.

    What cannot be found need not be tested (R. E. Tarone, 1990; P. B. Gilbert, 2005): the many
    products of which next to nothing came back do not make the others harder to find. K is the
    least number for which no more than K tests can reach `share / K`.

    :param least: what `least_p_value` gave of each test.
    :param share: allowed share of false alarms.
    :return: the bound `share / K`.

    Of 100 tests two can reach 0.05 / 2:

    >>> testable([0.001, 0.02] + [0.2] * 98, 0.05), testable([], 0.05)
    (0.025, 0.05)
    """
    ordered = sorted(least)
    number = 1
    while bisect_right(ordered, share / number) > number:
        number += 1
    return share / number


def _get_events(recent, base, dispersion):
    """Return how many events each side counts for, and the share of the recent goods."""
    (count, total), (count_before, total_before) = recent, base
    if total <= 0 or total_before <= 0:
        return 0.0, 0.0, 0.0
    dispersion = max(dispersion, 1.0)
    return (
        min(max(count, 0.0), total) / dispersion,
        min(max(count_before, 0.0), total_before) / dispersion,
        total / (total + total_before),
    )


def funnel_p_values(members, smallest=0.0):
    """Return how likely each member is this far above the others by chance alone.

    The funnel of D. J. Spiegelhalter (2005), Statistics in Medicine 24, 1185-1202: the distance
    z = (y - p) / sqrt(p (1 - p) / n), over-dispersion phi is the mean of the z² winsorised at 10 %
    of either end, and where it is more than 1 + 2 sqrt(2 / I) limits are wider by sqrt(phi). The
    tail is exact for rare events, see `rise_p_value`; each member is compared with the others.

    :param members: `(count, total)` of each.
    :param smallest: members with a smaller total are not judged, but count for the others.
    :return: list of one-sided p-values, None for members that are not judged; and phi.

    >>> p_values, phi = funnel_p_values([(5, 100)] * 20 + [(25, 100)])
    >>> p_values[0] > 0.4, p_values[-1] < 1e-5, phi
    (True, True, 1.0)
    >>> funnel_p_values([]), funnel_p_values([(1, 2)])
    (([], 1.0), ([1.0], 1.0))
    """
    count_all = sum(min(count, total) for count, total in members)
    total_all = sum(total for _count, total in members)
    known = [(count, total) for count, total in members if total > max(smallest, 0)]
    phi = 1.0
    if len(known) > 1 and 0 < count_all < total_all:
        centre = count_all / total_all
        scores = [
            (min(count, total) / total - centre) / sqrt(centre * (1 - centre) / total)
            for count, total in known
        ]
        low, high = quantile(scores, WINSOR), quantile(scores, 1 - WINSOR)
        phi = sum(min(max(score, low), high) ** 2 for score in scores) / len(scores)
        phi = phi if phi > 1 + 2 * sqrt(2 / len(scores)) else 1.0
    p_values = []
    for count, total in members:
        pair = (count, total), (count_all - count, total_all - total), phi
        p_values.append(rise_p_value(*pair) if total >= max(smallest, 1) else None)
    return p_values, phi


def simes(p_values):
    """Return the p-value of several tests of the same hypothesis (R. J. Simes, 1986).

    >>> simes([0.01, 0.5]), round(simes([0.01, 0.012, 0.9]), 3), simes([])
    (0.02, 0.018, 1.0)
    """
    number = len(p_values)
    ordered = enumerate(sorted(p_values), 1)
    return min((number * value / rank for rank, value in ordered), default=1.0)
