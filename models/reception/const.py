"""Closed lists of the reception."""

# What can be wrong with received goods.
DISCREPANCY_KINDS = [
    ('short', "Too little"),
    ('over', "Too much"),
    ('wrong_product', "Wrong product"),
    ('wrong_lot', "Wrong lot or serial number"),
    ('damaged', "Damaged in transit"),
    ('empty', "Empty box"),
]

# Kinds for goods that are here although they do not belong to the return.
FOREIGN_KINDS = ('over', 'wrong_product', 'wrong_lot')

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
