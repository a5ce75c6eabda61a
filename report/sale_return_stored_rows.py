from odoo import api, fields, models
from odoo.tools import SQL


class SaleReturnStoredRows(models.AbstractModel):
    """Rows computed from documents, stored by a job, and completed when read.

    Computing a million rows from documents takes minutes, reading them from a table about a second.
    Changes after the last refresh are computed while reading; the job keeps that part small.
    """

    _name = 'sale.return.stored.rows'
    _description = "Stored Rows"
    # System parameter with the time of the last refresh.
    _fresh_until = None

    def init(self):
        """Override of `base`: an empty store, e.g. after an uninstallation, is not fresh."""
        result = super().init()
        if self._abstract:
            return result
        self.env.cr.execute(SQL("SELECT FROM %s LIMIT 1", SQL.identifier(self._table)))
        if not self.env.cr.rowcount:
            self._set_fresh_until(None)
        return result

    @api.model
    def _get_fresh_until(self):
        """Return the time of the last refresh, None before the first one.

        :rtype: datetime | None
        """
        # sudo: everybody who may read the report reads it with this.
        value = self.env['ir.config_parameter'].sudo().get_param(self._fresh_until)
        return fields.Datetime.from_string(value) if value else None

    @api.model
    def _set_fresh_until(self, value):
        """Store the time up to which the stored rows include all changes.

        :param datetime value: None for never.
        """
        # sudo: a system parameter.
        self.env['ir.config_parameter'].sudo().set_param(
            self._fresh_until, fields.Datetime.to_string(value)
        )

    @api.model
    def _get_columns(self):
        """Return `{name: type of the column}` of the stored rows, in the order of the fields."""
        return {
            name: field.column_type[1]
            for name, field in self._fields.items()
            if field.store and field.column_type
        }

    @api.model
    def _get_column_list(self):
        """Return the names of the columns, for a SELECT or an INSERT."""
        return SQL(", ").join(map(SQL.identifier, self._get_columns()))

    @api.model
    def _get_stored_query(self):
        """Return the query of the stored rows, up to date or not."""
        return SQL("SELECT %s FROM %s", self._get_column_list(), SQL.identifier(self._table))

    @api.model
    def _get_union(self, live, unchanged):
        """Return the query of stored rows, some of them replaced by computed ones.

        :param SQL live: query of the computed rows, with all columns in the types of the store.
        :param SQL unchanged: condition that a stored row is not replaced.
        :rtype: odoo.tools.SQL
        """
        # The condition is applied around the union: PostgreSQL uses the indexes of a table in a
        # union only if nothing but its columns is selected.
        return SQL(
            """
            SELECT %(columns)s
              FROM (
                    SELECT %(columns)s, FALSE AS is_live FROM %(store)s
                    UNION ALL
                    SELECT %(columns)s, TRUE FROM (%(live)s) AS live
                   ) AS fact
             WHERE is_live OR (%(unchanged)s)
            """,
            columns=self._get_column_list(),
            store=SQL.identifier(self._table),
            live=live,
            unchanged=unchanged,
        )

    @api.model
    def _compute_first(self, query):
        """Return a query with the current rows of another query as values.

        With the query itself PostgreSQL would read the store with one process or sort all of it,
        and would plan the query each time, which may take longer than running it.
        """
        self.env.cr.execute(
            SQL("SELECT JSON_AGG(JSON_STRIP_NULLS(ROW_TO_JSON(row)))::text FROM (%s) AS row", query)
        )
        return SQL(
            "SELECT %s FROM JSON_POPULATE_RECORDSET(NULL::%s, %s)",
            self._get_column_list(),
            SQL.identifier(self._table),
            self.env.cr.fetchone()[0] or '[]',
        )
