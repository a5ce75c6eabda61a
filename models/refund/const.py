"""Closed lists of payouts."""

# Who may read payouts, as the access rights of `sale.return.refund` say.
REFUND_READERS = (
    'sale_return.group_user,account.group_account_invoice,account.group_account_readonly'
)
