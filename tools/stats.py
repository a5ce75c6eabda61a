"""Reliable rates: intervals, shrinkage, young cohorts, comparisons. Needs no Odoo.

Counts are units and may be fractions (a return of 1.5 kg). A rate is a number between 0 and 1.
Unknown values are None, never an error: nothing sold has no rate, and a curve without returns
cannot extrapolate.
"""

from itertools import pairwise
from math import erfc, inf, sqrt

# Two-sided 95 % of the normal distribution.
Z_95 = 1.959963984540054
# The d2 of moving ranges of two points.
MOVING_RANGE_D2 = 1.128


def rate(count, total):
    """Return `count / total`, None where there is no total.

    No rate exceeds 1 or falls below 0: what is counted need not be of the total (a month in which
    more came back than was shipped, a corrected result of the month before), and counts as all or
    as nothing then.

    >>> rate(3, 12), rate(0, 0), rate(1, 0), rate(5, 4), rate(-1, 4)
    (0.25, None, None, 1.0, 0.0)
    """
    return min(max(count, 0.0), total) / total if total > 0 else None


def wilson(count, total, z=Z_95):
    """Return the score interval of a rate (E. B. Wilson, 1927).

    Without observations the interval is 0 to 1. Counts are limited to 0 and the total, so that a
    month in which more came back than was shipped is defined.

    :return: lower and upper bound, 0 to 1.

    Table I of R. G. Newcombe (1998), Statistics in Medicine 17, 857-872, method 3:

    >>> [tuple(round(bound, 4) for bound in wilson(*case))
    ...  for case in ((81, 263), (15, 148), (0, 20), (1, 29))]
    [(0.2553, 0.3662), (0.0624, 0.1605), (0.0, 0.1611), (0.0061, 0.1718)]
    >>> [round(bound, 3) for bound in wilson(1, 1)], wilson(0, 0)
    ([0.207, 1.0], (0.0, 1.0))
    """
    if total <= 0:
        return 0.0, 1.0
    share = min(max(count / total, 0.0), 1.0)
    centre = share + z * z / (2 * total)
    margin = z * sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return max((centre - margin) / scale, 0.0), min((centre + margin) / scale, 1.0)


def beta_prior(groups):
    """Return the Beta prior (a, b) of a group of rates, by the method of moments.

    The spread beyond chance is estimated as in J. C. Kleinman (1973), JASA 68, 46-54, with equal
    weights, so that one large member does not dominate; m is the mean of the rates p, k the number
    of members:

        rho = (sum((p - m)^2) / (m (1 - m)) - c) / (k - 1 - c),  c = (1 - 1 / k) sum(1 / n)
        a + b = 1 / rho - 1

    A group that differs by no more than chance (and one with a single member) has the strength of
    all its observations, a + b = N = sum(n); it is never weaker than one unit. A mean of 0 or 1 is
    moved half a member inside, so that the prior always exists.

    :param groups: `(count, total)` for each member, e.g. for each product of a category.

    >>> beta_prior([])
    (0.5, 0.5)
    >>> [round(value, 2) for value in beta_prior([(10, 100), (10, 100), (10, 100)])]
    [30.0, 270.0]
    >>> a, b = beta_prior([(1, 100), (30, 100), (5, 100), (20, 100)])
    >>> round(a / (a + b), 2), round(a + b, 1)
    (0.14, 6.1)
    >>> [round(value, 3) for value in beta_prior([(0, 1), (0, 4)])]
    [0.833, 4.167]
    """
    members = [(min(max(count, 0.0), total), total) for count, total in groups if total > 0]
    if not members:
        return 0.5, 0.5
    number, units = len(members), sum(total for _count, total in members)
    rates = [count / total for count, total in members]
    mean = sum(rates) / number
    if not 0 < mean < 1:
        mean = (mean * number + 0.5) / (number + 1)
    spread = sum((share - mean) ** 2 for share in rates) / (mean * (1 - mean))
    chance = (1 - 1 / number) * sum(1 / total for _count, total in members)
    room = number - 1 - chance
    rho = (spread - chance) / room if room > 0 else 0.0
    strength = 1 / rho - 1 if rho > 0 else inf
    strength = max(min(strength, units), 1.0)
    return mean * strength, (1 - mean) * strength


def shrink(count, total, prior):
    """Return the rate shrunk towards its group: (r + a) / (n + a + b).

    For rankings: one of one must not rank above ninety of a hundred. Bayesian Data Analysis,
    section 5.1: 4 rats of 14 under Beta(1.4, 8.6); all of one, nothing of nothing:

    >>> round(shrink(4, 14, (1.4, 8.6)), 3)
    0.225
    >>> round(shrink(1, 1, (3, 27)), 3), shrink(0, 0, (3, 27))
    (0.129, 0.1)
    """
    a, b = prior
    total = max(total, 0.0)
    return (min(max(count, 0.0), total) + a) / (total + a + b)


def kaplan_meier(events, censored):
    """Estimate the share that lasts longer than each age (Kaplan and Meier, 1958).

    :param dict events: `{age: units that came back at this age}`.
    :param dict censored: `{age: units not back when last seen, at this age}`. They count as at risk
        at their own age. Negative ages (dates in the future) count as 0.
    :return: `[(age, share not back)]` at each age with an event, by age.

    Remission under 6-MP, weeks (Freireich et al., 1963; in every textbook of survival analysis):

    >>> curve = kaplan_meier(
    ...     {6: 3, 7: 1, 10: 1, 13: 1, 16: 1, 22: 1, 23: 1},
    ...     {6: 1, 9: 1, 10: 1, 11: 1, 17: 1, 19: 1, 20: 1, 25: 1, 32: 2, 34: 1, 35: 1})
    >>> [(age, round(share, 3)) for age, share in curve]
    [(6, 0.857), (7, 0.807), (10, 0.753), (13, 0.69), (16, 0.627), (22, 0.538), (23, 0.448)]
    >>> kaplan_meier({}, {5: 10}), kaplan_meier({3: 2}, {})
    ([], [(3, 0.0)])
    """
    leaving = {}
    for counts, is_event in ((events, 1), (censored, 0)):
        for age, units in counts.items():
            if units > 0:
                at_age = leaving.setdefault(max(age, 0), [0.0, 0.0])
                at_age[is_event] += units
    at_risk = sum(sum(at_age) for at_age in leaving.values())
    curve, survival = [], 1.0
    for age in sorted(leaving):
        lost, back = leaving[age]
        if back:
            survival *= max(1 - back / at_risk, 0.0)
            curve.append((age, survival))
        at_risk -= lost + back
    return curve


def share_back(curve, age):
    """Return the share that is back by an age, F(age) = 1 - S(age).

    >>> curve = [(6, 0.857), (7, 0.807)]
    >>> share_back(curve, 5), round(share_back(curve, 6), 3), round(share_back(curve, 99), 3)
    (0.0, 0.143, 0.193)
    """
    survival = 1.0
    for event_age, share in curve:
        if event_age > age:
            break
        survival = share
    return 1 - survival


def completed_rate(count, ages, curve, horizon):
    """Return the expected final rate of a young cohort.

    Observed / (F(age) / F(H)), with F(age) the mean of the units of the cohort. None if unknown:
    nothing shipped, or too young for any return.

    :param count: units back so far, each by the age `horizon`.
    :param dict ages: `{age: units shipped of this age today}`.
    :param curve: what `kaplan_meier` returns.
    :param horizon: age H at which a return counts as final, in the unit of the ages.

    Half of all returns come by day 10, all by day 30. A cohort of 100 that is 10 days old with 4
    back ends at 8 %:

    >>> curve = [(10, 0.95), (30, 0.90)]
    >>> round(completed_rate(4, {10: 100}, curve, 30), 3)
    0.08
    >>> round(completed_rate(4, {40: 100}, curve, 30), 3), completed_rate(0, {3: 100}, curve, 30)
    (0.04, None)
    >>> completed_rate(0, {}, curve, 30), completed_rate(0, {40: 5}, [], 30)
    (None, 0.0)
    """
    shipped = sum(ages.values())
    if shipped <= 0:
        return None
    final = share_back(curve, horizon)
    if not final:
        return rate(count, shipped) if min(ages) >= horizon else None
    grown = sum(
        units * share_back(curve, min(max(age, 0), horizon)) / final for age, units in ages.items()
    )
    return rate(count, grown)


def quantile(values, share):
    """Return a quantile with linear interpolation, as PERCENTILE_CONT of SQL; None without values.

    >>> quantile([1, 2, 3, 4], 0.5), round(quantile(range(1, 11), 0.9), 6), quantile([], 0.5)
    (2.5, 9.1, None)
    """
    ordered = sorted(values)
    if not ordered:
        return None
    position = share * (len(ordered) - 1)
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (position - below) * (ordered[above] - ordered[below])


def median(values):
    """Return the median of values, None without values.

    >>> median([5, 1, 3])
    3.0
    """
    return quantile(values, 0.5)


def compare_rates(before, after, z=Z_95):
    """Compare two rates: their difference, and whether it could be due to chance.

    The interval is Newcombe's hybrid score (method 10), the p-value that of the pooled two-sided
    z-test. R. G. Newcombe (1998), Statistics in Medicine 17, 873-890, table II (a):
    56/70 and 48/80.

    >>> result = compare_rates((48, 80), (56, 70))
    >>> [round(result[key], 4) for key in ('difference', 'low', 'high')]
    [0.2, 0.0524, 0.3339]
    >>> round(result['p_value'], 4), result['significant']
    (0.008, True)
    >>> compare_rates((0, 0), (1, 1))['difference'], compare_rates((0, 5), (0, 7))['p_value']
    (None, 1.0)

    :param before: `(count, total)` of the first period.
    :param after: `(count, total)` of the second period.
    :return: dict of `before`, `after`, `difference` (after - before), `low`, `high`, `p_value`,
        `significant` (interval without zero). None for each where a period has no total.
    """
    names = ('difference', 'low', 'high', 'p_value', 'significant')
    result = {'before': rate(*before), 'after': rate(*after), **dict.fromkeys(names)}
    if result['before'] is None or result['after'] is None:
        return result
    (count_1, total_1), (count_2, total_2) = (
        (min(max(count, 0.0), total), total) for count, total in (before, after)
    )
    share_1, share_2 = count_1 / total_1, count_2 / total_2
    (low_1, high_1), (low_2, high_2) = wilson(count_1, total_1, z), wilson(count_2, total_2, z)
    difference = share_2 - share_1
    pooled = (count_1 + count_2) / (total_1 + total_2)
    error = sqrt(pooled * (1 - pooled) * (1 / total_1 + 1 / total_2))
    result.update(
        difference=difference,
        low=difference - sqrt((share_2 - low_2) ** 2 + (high_1 - share_1) ** 2),
        high=difference + sqrt((high_2 - share_2) ** 2 + (share_1 - low_1) ** 2),
        p_value=erfc(abs(difference) / error / sqrt(2)) if error else 1.0,
    )
    result['significant'] = result['low'] > 0 or result['high'] < 0
    return result


def sigma_z(points):
    """Return Laney's sigma_z: how restless rates are, as a multiple of what chance explains.

    :param points: `(count, total)` in the order of time; points without total are left out.

    >>> round(sigma_z([(10, 100), (14, 100), (10, 100), (14, 100)]), 4)
    1.0912
    >>> sigma_z([]), sigma_z([(1, 2)]), sigma_z([(0, 5), (0, 5)])
    (1.0, 1.0, 1.0)
    """
    known = [(count, total) for count, total in points if total > 0]
    units = sum(total for _count, total in known)
    centre = min(sum(count for count, _total in known) / units, 1.0) if units else 0.0
    if len(known) < 2 or not 0 < centre < 1:
        return 1.0
    scores = [
        (count / total - centre) / sqrt(centre * (1 - centre) / total) for count, total in known
    ]
    ranges = [abs(after - before) for before, after in pairwise(scores)]
    return sum(ranges) / len(ranges) / MOVING_RANGE_D2


def laney_limits(points):
    """Return the control limits of rates with large and varying totals (D. B. Laney, 2002).

    Limits are p +- 3 sigma_i sigma_z; sigma_z is the mean moving range of the standardised rates
    / 1.128. With sigma_z = 1 it is the ordinary p-chart.

    :param points: `(count, total)` in chronological order; points without total have no limits.
    :return: list of `(rate, low, high)`, `(None, None, None)` where nothing was shipped.

    >>> limits = laney_limits([(10, 100), (14, 100), (10, 100), (14, 100)])
    >>> [tuple(round(value, 3) for value in point) for point in limits][:2]
    [(0.1, 0.014, 0.226), (0.14, 0.014, 0.226)]
    >>> laney_limits([(0, 0), (0, 10)])
    [(None, None, None), (0.0, 0.0, 0.0)]

    Attendances at hospitals in twenty weeks, and those seen within four hours (M. A. Mohammed,
    J. S. Panesar, D. B. Laney, R. Wilson, 2013, BMJ Quality & Safety 22, 362-368): of a p-chart
    most weeks are outside its limits, of Laney's none.

    >>> weeks = [(266501, 280443), (264225, 276823), (276532, 291681), (281461, 296155),
    ...          (269071, 282343), (261215, 275888), (270409, 283867), (279778, 295251),
    ...          (270483, 284468), (270320, 282529), (267923, 279618), (271478, 283932),
    ...          (255353, 266629), (256820, 268091), (261835, 276803), (259144, 271578),
    ...          (255910, 266005), (260863, 273520), (264465, 278574), (260989, 273772)]
    >>> limits = laney_limits(weeks)
    >>> round(sigma_z(weeks), 2), tuple(round(100 * bound, 2) for bound in limits[0][1:])
    (10.64, (94.01, 96.57))
    >>> sum(not low <= share <= high for share, low, high in limits)
    0
    >>> centre = sum(seen for seen, _all in weeks) / sum(number for _seen, number in weeks)
    >>> sum(abs(seen / number - centre) > 3 * sqrt(centre * (1 - centre) / number)
    ...     for seen, number in weeks)
    16
    """
    known = [(count, total) for count, total in points if total > 0]
    units = sum(total for _count, total in known)
    if not units:
        return [(None, None, None)] * len(points)
    centre = min(sum(count for count, _total in known) / units, 1.0)
    restless = sigma_z(known)
    result = []
    for count, total in points:
        if total <= 0:
            result.append((None, None, None))
            continue
        margin = 3 * sqrt(centre * (1 - centre) / total) * restless
        result.append((count / total, max(centre - margin, 0.0), min(centre + margin, 1.0)))
    return result


def benjamini_hochberg(p_values, q=0.05):
    """Tell which of many tests are significant, with a false discovery rate of at most `q`.

    The example of Y. Benjamini and Y. Hochberg (1995), JRSS B 57, 289-300, section 3.1:

    >>> values = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240,
    ...           0.4262, 0.5719, 0.6528, 0.7590, 1.0000]
    >>> sum(benjamini_hochberg(values)), benjamini_hochberg([])
    (4, [])
    """
    ordered = sorted(p_values)
    allowed = -1.0
    for rank, value in enumerate(ordered, 1):
        if value <= q * rank / len(ordered):
            allowed = value
    return [value <= allowed for value in p_values]
