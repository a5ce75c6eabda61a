from odoo import models
from odoo.tools import SQL


class SaleReturnEvent(models.Model):
    """Events know their transaction, so that later changes are reported without gaps."""

    _inherit = 'sale.return.event'

    def init(self):
        """Extend to let PostgreSQL record the transaction of each event.

        The ORM has no field of this type, and nobody may write it.
        """
        result = super().init()
        table = SQL.identifier(self._table)
        self.env.cr.execute(SQL('ALTER TABLE %s ADD COLUMN IF NOT EXISTS xact xid8', table))
        # Not together with the column: that would rewrite all rows of the log.
        self.env.cr.execute(
            SQL('ALTER TABLE %s ALTER COLUMN xact SET DEFAULT pg_current_xact_id()', table)
        )
        self.env.cr.execute(
            SQL('CREATE INDEX IF NOT EXISTS sale_return_event_xact_index ON %s (xact)', table)
        )
        return result
