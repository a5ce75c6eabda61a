"""Points for what is unusual about a return, 0 to 100. Needs no Odoo.

Only what was found or confirmed by people, or is shared by apparently unrelated accounts, can
make a return a high risk. What every customer may do (return much, return late, order several
sizes) adds up to less than the lowest tier.
"""

# `{signal: the most points it can give}`
MOST = {
    'rate': 20,
    'value': 5,
    'last_day': 5,
    'bracketing': 5,
    'found': 45,
    'serial': 30,
    'photo': 40,
    'shared': 20,
    'linked_found': 40,
    'linked_confirmed': 40,
    'confirmed': 45,
}
# Lowest score of each tier.
TIERS = (('high', 60), ('medium', 40))
ORDER = ('low', 'medium', 'high')
# Order lines from which a customer's rate is judged, and average lines added to it.
LEAST_LINES, STRENGTH = 5, 20
# Accounts that share a telephone number or e-mail address, or a postal address, with
# this many others are not a family.
MANY_CONTACTS, MANY_NEIGHBOURS = 3, 6


def score(facts):
    """Return the score of a return and where each point comes from.

    :param dict facts: of the customer `bought` and `returned` (order lines of a year, before this
        return), `bought_value`, `returned_value`, `peers` (rate of all customers, None if unknown),
        `found` and `serial` (other or empty parcels, foreign serials of earlier returns),
        `confirmed` (returns that people found to be abuse); of the return `last_day`, `bracketing`;
        `photo` (returns of others with the same photo), `contacts` and `neighbours` (accounts that
        share a number or e-mail address, a postal address), `linked_found`, `linked_confirmed`
        (the same of those that share a number or e-mail address).
    :return: `(score, [(signal, points)])`

    >>> score({})
    (0, [])
    >>> score({'bought': 40, 'returned': 30, 'peers': 0.1})
    (20, [('rate', 20)])
    >>> score({'bought': 4, 'returned': 4, 'peers': 0.1})
    (0, [])
    >>> score({'found': 2, 'last_day': 1})
    (50, [('last_day', 5), ('found', 45)])
    >>> score({'contacts': 4, 'linked_found': 3, 'found': 1})
    (85, [('found', 25), ('shared', 20), ('linked_found', 40)])
    """

    def get(name):
        return facts.get(name) or 0

    points = {
        'rate': 100 * get_excess(facts) - 10,
        'value': 5 if get_excess(facts) > 0 and is_concentrated(facts) else 0,
        'last_day': 5 if get('last_day') else 0,
        'bracketing': 5 if get('bracketing') else 0,
        'found': 5 + 20 * get('found') if get('found') else 0,
        'serial': 15 * get('serial'),
        'photo': 40 if get('photo') else 0,
        'shared': 20
        if get('contacts') >= MANY_CONTACTS
        else 5
        if get('neighbours') >= MANY_NEIGHBOURS
        else 0,
        'linked_found': 10 + 10 * get('linked_found') if get('linked_found') else 0,
        'linked_confirmed': 40 if get('linked_confirmed') else 0,
        'confirmed': 45 if get('confirmed') else 0,
    }
    counted = [
        (signal, min(round(points[signal]), most))
        for signal, most in MOST.items()
        if round(points[signal]) > 0
    ]
    return min(sum(number for _signal, number in counted), 100), counted


def get_excess(facts):
    """Return by how much the rate of a customer exceeds that of all, drawn towards it.

    (r + m s) / (n + s) - m = (r - n m) / (n + s): the more all others return, the less it is.

    >>> round(get_excess({'bought': 40, 'returned': 30, 'peers': 0.1}), 3)
    0.433
    >>> get_excess({'bought': 40, 'returned': 30, 'peers': None}), get_excess({})
    (0.0, 0.0)
    """
    bought, peers = facts.get('bought') or 0, facts.get('peers')
    if peers is None or bought < LEAST_LINES:
        return 0.0
    return max(((facts.get('returned') or 0) - bought * peers) / (bought + STRENGTH), 0.0)


def is_concentrated(facts):
    """Tell whether what comes back is the expensive part of what was bought.

    >>> is_concentrated({'bought': 10, 'returned': 2, 'bought_value': 100, 'returned_value': 80})
    True
    >>> is_concentrated({'bought': 10, 'returned': 8, 'bought_value': 100, 'returned_value': 80})
    False
    """
    bought, value = facts.get('bought') or 0, facts.get('bought_value') or 0
    if bought < LEAST_LINES or value <= 0:
        return False
    return (facts.get('returned_value') or 0) / value - (facts.get('returned') or 0) / bought > 0.3


def get_tier(points):
    """Return the tier of a score.

    >>> get_tier(39), get_tier(40), get_tier(60)
    ('low', 'medium', 'high')
    """
    return next((tier for tier, least in TIERS if points >= least), 'low')
