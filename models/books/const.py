"""Closed lists and limits of the comparison of books."""

# Number of returns processed in one batch.
CHUNK = 200

# Kinds of differences between returned goods, credits and payments.
RECONCILIATION_KINDS = [
    ('received_not_credited', "Received, not credited"),
    ('credited_not_received', "Credited, not received"),
    ('credited_too_much', "Credited more than accepted"),
    ('credited_not_refunded', "Credited, not refunded"),
    ('refunded_too_much', "Refunded too much"),
    ('cost_difference', "Cost difference"),
    ('unlinked_note', "Credit note without link"),
    ('note_difference', "Credit note differs"),
    ('payout_difference', "Payout without open balance"),
    ('customer_difference', "Customer account differs"),
    ('document_difference', "Documents contradict each other"),
]
