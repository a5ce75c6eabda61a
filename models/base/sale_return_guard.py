from odoo import api, models
from odoo.tools import SQL


class SaleReturnGuard(models.AbstractModel):
    """Service: make transactions that depend on the same sum run one after the other.

    Reading is not enough: two transactions would both find room in the sum. Both writing the same
    row makes the second one fail with a serialization error, and Odoo starts it again, seeing what
    the first one has done.

    The rows are locked as PostgreSQL locks them for an update of the counter, not for a deletion:
    each new row that refers to one (a return line to its order line) holds it as well, and two
    transactions that had both added one would wait for each other.
    """

    _name = 'sale.return.guard'
    _description = "Return Guard"

    @api.model
    def _take_counter(self, records, column):
        """Write a counter on records, always in the order of their ids.

        :param records: order lines or invoice lines whose sums are about to change.
        :param str column: name of the integer field that serves as counter.
        """
        if not records:
            return
        table, name = SQL.identifier(records._table), SQL.identifier(column)
        # A conflict is no error worth a log entry: Odoo starts the transaction again.
        self.env.cr.execute(
            SQL(
                """
                UPDATE %(table)s
                   SET %(name)s = COALESCE(%(name)s, 0) + 1
                 WHERE id IN (
                           SELECT id
                             FROM %(table)s
                            WHERE id IN %(ids)s
                         ORDER BY id
                              FOR NO KEY UPDATE
                       )
                """,
                table=table,
                name=name,
                ids=tuple(records.ids),
            ),
            log_exceptions=False,
        )
