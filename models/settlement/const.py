# Who may see where settlements are posted; accounting administrators say it.
BOOK_GROUPS = 'account.group_account_invoice,account.group_account_readonly'
