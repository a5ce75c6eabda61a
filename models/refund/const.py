"""Closed lists of payouts."""

# Who may read payouts, according to the access rights of `sale.return.refund`.
REFUND_READERS = (
    'sale_return.group_user,account.group_account_invoice,account.group_account_readonly'
)
