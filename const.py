"""Closed lists that several models share."""

# Whose fault it is that goods come back.
LIABILITIES = [
    ('customer', "Customer"),
    ('carrier', "Carrier"),
    ('supplier', "Supplier"),
    ('company', "Us"),
]

# A return in one of these is under way: it holds quantities and keeps its order from being
# cancelled.
OPEN_STATES = ('submitted', 'approved')

# The only step that the customer has to take.
CUSTOMER_STEPS = ('dispatch',)

# Progress of something; each field has its own label for `no`, where nothing exists.
PROGRESS = [
    ('pending', "Pending"),
    ('partial', "Partial"),
    ('full', "Full"),
]

# Withheld from the customer on purpose; not available to the next return.
WITHHELD_KINDS = ('grade', 'restocking_fee', 'freight')


def progress(done, expected, compare):
    """Return the value of a progress state.

    :param float done: what has happened.
    :param float expected: what should happen in total, in the same unit.
    :param compare: function of two numbers giving -1, 0 or 1 (rounding is up to the caller).
    :return: `no`, `pending`, `partial` or `full`.
    :rtype: str
    """
    if compare(expected, 0.0) <= 0:
        return 'no'
    if compare(done, 0.0) <= 0:
        return 'pending'
    return 'full' if compare(done, expected) >= 0 else 'partial'


# Limits for one return line, inspection row, …
MAX_FILES = 10
MAX_SIZE = 10 * 1024 * 1024
# Videos are stored unchanged; a customer's request has few.
MAX_VIDEO_SIZE = 50 * 1024 * 1024
MAX_VIDEOS = 2
