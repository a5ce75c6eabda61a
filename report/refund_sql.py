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

# Whether `note` is one of them, where few moves are checked.
IS_NOTE = SQL(
    """(
        EXISTS (
            SELECT
              FROM account_move_line AS own
             WHERE own.move_id = note.id AND own.sale_return_line_id IS NOT NULL
        )
        OR EXISTS (SELECT FROM sale_return_goodwill AS own WHERE own.note_id = note.id)
    )"""
)
