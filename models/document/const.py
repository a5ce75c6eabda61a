"""Closed lists of the return."""

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

# Limit for all pictures uploaded at once: ten photos of a telephone, a few seconds of work.
MAX_PIXELS = 120_000_000

# The steps that somebody has to take, in the order in which they happen.
STEPS = [
    ('decide', "Decide"),
    ('dispatch', "Send the goods"),
    ('receive', "Receive"),
    ('inspect', "Inspect"),
    ('credit', "Credit"),
    ('refund', "Pay back"),
    ('follow_up', "Follow up"),
]
