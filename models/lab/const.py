"""Closed lists of the policy lab."""

# Written by the steps of this file only.
VERSION_FIELDS = (
    'draft_of_id', 'version_state', 'version_from', 'version_until', 'forced_on', 'forced_by_id',
    'version_log',
)  # fmt: skip

# What is decided on a line.
DECISIONS = [('approved', "Approved"), ('asked', "A person decides"), ('refused', "Refused")]
