"""Closed lists of credit notes."""

# Kinds of lines on credit notes of returns.
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
