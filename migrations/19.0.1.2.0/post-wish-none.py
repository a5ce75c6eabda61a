"""Reasons do not propose “None” any more: goods would come back without any resolution, unnoticed.

Existing lines keep this resolution and stay readable.
"""


def migrate(cr, version):
    """Clear the proposal on the reasons; their lines then propose a refund."""
    cr.execute(
        "UPDATE sale_return_reason SET default_resolution = NULL WHERE default_resolution = 'none'"
    )
