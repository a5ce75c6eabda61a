from odoo import api, models
from odoo.tools import SQL

# The guard in the database: whatever reaches the table past the ORM (SQL in a server action, a
# script, another add-on) meets it, too.
FUNCTION = 'sale_return_event_keep'

# Never changed, not even from nothing to something. What other columns hold is never changed
# either, but a column that is new to the table may be filled once for the rows that are there.
FACTS = (
    'id',
    'return_id',
    'line_id',
    'kind',
    'user_id',
    'date',
    'state_from',
    'state_to',
    'reason',
    'details',
)

# Follow from other records and are kept up to date by Odoo itself: the company is the one of the
# return, and PostgreSQL empties `create_uid` when the user is deleted.
FOLLOWING = ('company_id', 'create_uid', 'write_uid', 'write_date')


class SaleReturnEvent(models.Model):
    """The database's own guard on the log: rows are added, and that is all."""

    _inherit = 'sale.return.event'

    def init(self):
        """Override of `base` to set the guard, on installation and after every upgrade."""
        result = super().init()
        self._create_guard()
        return result

    @api.model
    def _create_guard(self):
        """Have PostgreSQL refuse to change or remove rows of the log."""
        self._drop_guard()
        table = SQL.identifier(self._table)
        function = SQL.identifier(FUNCTION)
        self.env.cr.execute(
            SQL(
                """
                CREATE FUNCTION %(function)s() RETURNS trigger LANGUAGE plpgsql AS $guard$
                BEGIN
                    IF TG_OP = 'UPDATE' THEN
                        IF NOT EXISTS (
                            SELECT 1
                              FROM jsonb_each(to_jsonb(OLD)) AS was
                             WHERE to_jsonb(NEW) -> was.key IS DISTINCT FROM was.value
                               AND was.key <> ALL (%(following)s)
                               AND (was.key = ANY (%(facts)s) OR was.value <> 'null'::jsonb)
                        ) THEN
                            RETURN NEW;
                        END IF;
                    END IF;
                    RAISE EXCEPTION 'The log of returns is only added to: no row of it is changed '
                        'or removed.'
                        USING ERRCODE = 'restrict_violation', TABLE = TG_TABLE_NAME;
                END
                $guard$
                """,
                function=function,
                following=list(FOLLOWING),
                facts=list(FACTS),
            )
        )
        for moment, scope in (
            (SQL("UPDATE OR DELETE"), SQL("ROW")),
            (SQL("TRUNCATE"), SQL("STATEMENT")),
        ):
            self.env.cr.execute(
                SQL(
                    "CREATE TRIGGER %s BEFORE %s ON %s FOR EACH %s EXECUTE FUNCTION %s()",
                    SQL.identifier(f'{FUNCTION}_{scope.code.lower()}'),
                    moment,
                    table,
                    scope,
                    function,
                )
            )

    @api.model
    def _drop_guard(self):
        """Take the guard away with its function, for an upgrade or because the add-on goes."""
        self.env.cr.execute(SQL("DROP FUNCTION IF EXISTS %s() CASCADE", SQL.identifier(FUNCTION)))
