"""SQL that both reports for accountants share."""

from odoo.tools import SQL

# The credit notes of returns and of goodwill, each once.
NOTES = SQL(
    """
    SELECT move_id AS note_id
      FROM account_move_line
     WHERE sale_return_line_id IS NOT NULL
     UNION
    SELECT note_id
      FROM sale_return_goodwill
    """
)
