from odoo import api, models
from odoo.tools import SQL


class SaleReturnGuard(models.AbstractModel):
    """Service: serialize transactions that depend on the same sum.

    Reading is not enough: two transactions could both use the rest of the sum. As both write the
    same row, the second one fails with a serialization error, and Odoo retries it, now seeing what
    the first one has done.

    The rows are locked as PostgreSQL locks them for an update of the counter, not for a deletion:
    each new row that refers to one (a return line to its order line) locks it as well, and two
    transactions that both added one would deadlock.
    """

    _name = 'sale.return.guard'
    _description = "Return Guard"

    @api.model
    def _take_counter(self, records, column):
        """Write a counter on records, always in the order of their ids.

        :param records: order lines or invoice lines whose sums are about to change.
        :param str column: name of the integer field that serves as counter.
        """
        self._take_counters((records, column))

    @api.model
    def _take_counters(self, *counters):
        """Write several counters in one query, see `_take_counter`.

        :param counters: pairs of records and the name of their counter.
        """
        updates = [self._get_update(*counter) for counter in counters if counter[0]]
        if not updates:
            return
        *others, query = updates
        if others:
            ways = [
                SQL("%s AS (%s)", SQL.identifier(f'counter_{number}'), update)
                for number, update in enumerate(others)
            ]
            query = SQL("WITH %s %s", SQL(", ").join(ways), query)
        # A conflict is not an error worth a log entry: Odoo retries the transaction.
        self.env.cr.execute(query, log_exceptions=False)

    @api.model
    def _get_update(self, records, column):
        """Return the query that writes a counter."""
        return SQL(
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
            table=SQL.identifier(records._table),
            name=SQL.identifier(column),
            ids=tuple(records.ids),
        )

    @api.model
    def _take_customers(self, partners):
        """Take the counter of customers, before their credits of a period are added up.

        :param partners: `res.partner` records, whose commercial entities count.
        """
        # sudo: the counter is on customers, which few users may read.
        customers = partners.sudo().commercial_partner_id
        self._take_counter(customers, 'sale_return_goodwill_guard')
