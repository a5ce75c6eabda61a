"""Closed lists of credit notes."""

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
