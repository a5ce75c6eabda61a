"""Reasons do not propose “None” any more: goods would come back for nothing, seen by nobody.

Lines that have this wish keep it and stay readable.
"""


def migrate(cr, version):
    """Take the proposal off the reasons; their lines propose a refund then."""
    cr.execute(
        "UPDATE sale_return_reason SET default_resolution = NULL WHERE default_resolution = 'none'"
    )
