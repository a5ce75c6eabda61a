"""Closed lists that several models share."""

# Whose fault it is that goods come back.
LIABILITIES = [
    ('customer', "Customer"),
    ('carrier', "Carrier"),
    ('supplier', "Supplier"),
    ('company', "Us"),
]

# Why goods cannot be returned although others can (Directive 2011/83/EU art. 16, China's
# Consumer Protection Law art. 25 and the interim measures).
EXCEPTIONS = [
    ('custom_made', "Made to order"),
    ('perishable', "Perishable"),
    ('unsealed_hygiene', "Hygiene or safety goods, unsealed"),
    ('unsealed_media', "Audio, video or software, unsealed"),
    ('mixed', "Mixed inseparably with other goods"),
    ('newspaper', "Newspapers and magazines"),
    ('dated_service', "Services for a certain date"),
    ('price_fluctuation', "Price depends on a market"),
    ('value_loss', "Loses much of its value once used"),
    ('near_expiry', "Near expiry or flawed, sold as such"),
    ('agreed', "Agreed with the buyer"),
]

# Who decides on a level of approval.
APPROVER_TYPES = [
    ('user', "A user"),
    ('group', "A group"),
    ('manager', "The requester's manager"),
]

RETURN_STATES = [
    ('draft', "Draft"),
    ('submitted', "Submitted"),
    ('approved', "Approved"),
    ('closed', "Closed"),
    ('refused', "Refused"),
    ('cancelled', "Cancelled"),
]

# The only changes of state there are; `sale.return._update_state` is the gate.
TRANSITIONS = {
    ('draft', 'submitted'),
    ('submitted', 'approved'),
    ('submitted', 'refused'),
    ('approved', 'closed'),
    ('closed', 'approved'),
    ('draft', 'cancelled'),
    ('submitted', 'cancelled'),
    ('approved', 'cancelled'),
    ('submitted', 'draft'),
    ('refused', 'draft'),
    # Only by an appeal that was right.
    ('refused', 'submitted'),
    ('cancelled', 'draft'),
}

# A return in one of these is under way: it holds quantities and keeps its order from being
# cancelled.
OPEN_STATES = ('submitted', 'approved')

# The steps that somebody has to take, in the order of the way.
STEPS = [
    ('decide', "Decide"),
    ('dispatch', "Send the goods"),
    ('receive', "Receive"),
    ('inspect', "Inspect"),
    ('credit', "Credit"),
    ('refund', "Pay back"),
    ('follow_up', "Follow up"),
]

# The one step that is the customer's.
CUSTOMER_STEPS = ('dispatch',)

# How far something is; `no`, where there is nothing of it, is called what it is by each field.
PROGRESS = [
    ('pending', "Pending"),
    ('partial', "Partial"),
    ('full', "Full"),
]

# What a line of a credit note of a return stands for.
CREDIT_KINDS = [
    ('goods', "Goods"),
    ('shipping', "Shipping"),
    ('discount', "Share of discount"),
    ('price', "Share of a raised price"),
    ('free_product', "Share of free product"),
    ('stored_value', "Back on a card"),
    ('rounding', "Cash rounding"),
    ('grade', "Reduced for condition"),
    ('restocking_fee', "Restocking fee"),
    ('freight', "Return freight"),
]

# Kept back from the customer on purpose; not for the next return.
WITHHELD_KINDS = ('grade', 'restocking_fee', 'freight')
# What can be wrong with what came.
DISCREPANCY_KINDS = [
    ('short', "Too little"),
    ('over', "Too much"),
    ('wrong_product', "Wrong product"),
    ('wrong_lot', "Wrong lot or serial number"),
    ('damaged', "Damaged in transit"),
    ('empty', "Empty box"),
]

# Those of goods that are here although they do not belong to the return.
FOREIGN_KINDS = ('over', 'wrong_product', 'wrong_lot')

# Who may read payouts, as the access rights of `sale.return.refund` say.
REFUND_READERS = (
    'sale_return.group_user,account.group_account_invoice,account.group_account_readonly'
)

# What is counted at the bench: what is expected, and what becomes a discrepancy.
BENCH_KINDS = [('expected', "Expected"), *DISCREPANCY_KINDS]

DISCREPANCY_RESOLUTIONS = [
    ('accept', "Accept"),
    ('write_off', "Write off"),
    ('send_back', "Send back"),
    ('claim', "Claim"),
]

# What goods in quarantine wait for.
QUARANTINE_STATES = [
    ('inspection', "Inspection"),
    ('transfer', "Transfer"),
    ('customer', "Decision on the customer's property"),
    ('other', "Nothing: belongs to no return"),
]

QUARANTINE_AGES = [
    ('d02', "0 to 2 days"),
    ('d07', "3 to 7 days"),
    ('d14', "8 to 14 days"),
    ('d30', "15 to 30 days"),
    ('older', "More than 30 days"),
]

# How what came back, what was credited and what was paid back can differ.
RECONCILIATION_KINDS = [
    ('received_not_credited', "Received, not credited"),
    ('credited_not_received', "Credited, not received"),
    ('credited_too_much', "Credited more than accepted"),
    ('credited_not_refunded', "Credited, not refunded"),
    ('refunded_too_much', "Refunded too much"),
    ('cost_difference', "Cost difference"),
    ('unlinked_note', "Credit note without link"),
    ('note_difference', "Credit note differs"),
    ('payout_difference', "Payout settles nothing"),
    ('customer_difference', "Customer account differs"),
]


def progress(done, expected, compare):
    """Return the value of a progress state.

    :param float done: what has happened.
    :param float expected: what should happen in all, in the same unit.
    :param compare: function of two numbers giving -1, 0 or 1 (rounding is the caller's matter).
    :return: `no`, `pending`, `partial` or `full`.
    :rtype: str
    """
    if compare(expected, 0.0) <= 0:
        return 'no'
    if compare(done, 0.0) <= 0:
        return 'pending'
    return 'full' if compare(done, expected) >= 0 else 'partial'


# Of one return line, inspection row, …
MAX_FILES = 10
MAX_SIZE = 10 * 1024 * 1024
# Videos are kept as they come; of a customer's request there are few.
MAX_VIDEO_SIZE = 50 * 1024 * 1024
MAX_VIDEOS = 2
# Of all pictures that come at once: ten of what telephones take, and seconds of a worker's time.
MAX_PIXELS = 120_000_000

# A configuration as a file, and what records of Odoo are called in it; the first name that a record
# has counts.
CONFIGURATION_FORMAT, CONFIGURATION_VERSION = 'sale_return.configuration', 1
REFERENCES = {
    'crm.team': ('name',),
    'product.category': ('complete_name',),
    'product.product': ('default_code', 'name'),
    'product.tag': ('name',),
    'res.country': ('code',),
    'res.currency': ('name',),
    'res.partner.category': ('name',),
    'res.users': ('login',),
    'resource.calendar': ('name',),
    'sale.return.disposition': ('code',),
    'sale.return.grade': ('code',),
    'sale.return.reason': ('code',),
    'stock.warehouse': ('code',),
    'utm.source': ('name',),
}
