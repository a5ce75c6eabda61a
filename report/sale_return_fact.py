import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..const import WITHHELD_KINDS
from ..hooks import _get_customer_locations
from . import facts_sql

_logger = logging.getLogger(__name__)

FRESH_UNTIL = 'sale_return.facts_fresh_until'
# Margin used where the age of other transactions is not visible: rows have the start time of the
# transaction that wrote them.
LONGEST_TRANSACTION = timedelta(hours=1)
# Above this number of changed lines, facts are computed before the query that reads them.
MOST_COMPUTED_FIRST = 5000
# A lock key used by this add-on only: concurrent refreshes would insert the same rows.
LOCK = 1936027252


class SaleReturnFact(models.Model):
    """Store of the facts that `sale.return.report` shows, for documents that no longer change.

    The report never lags behind the documents: changes are computed while it is read.
    """

    _name = 'sale.return.fact'
    _inherit = 'sale.return.stored.rows'
    _description = "Return Fact"
    _log_access = False
    _rec_name = 'kind'
    _fresh_until = FRESH_UNTIL

    # Integers instead of links: a million foreign keys would have to be checked. The report joins
    # records that may be deleted in the meantime. The two links delete facts with their document.
    kind = fields.Char(required=True)
    company_id = fields.Integer()
    sale_line_id = fields.Many2one('sale.order.line', index='btree_not_null', ondelete='cascade')
    order_id = fields.Integer()
    picking_id = fields.Integer()
    product_id = fields.Integer(index=True)
    partner_id = fields.Integer()
    warehouse_id = fields.Integer()
    lot_id = fields.Integer()
    supplier_id = fields.Integer()
    supplier_source = fields.Char()
    return_id = fields.Integer()
    return_line_id = fields.Many2one('sale.return.line', index='btree_not_null', ondelete='cascade')
    inspection_id = fields.Integer()
    reason_id = fields.Integer()
    resolution = fields.Char()
    policy_id = fields.Integer()
    grade_id = fields.Integer()
    disposition_id = fields.Integer()
    liability = fields.Char()
    decided_by_id = fields.Integer()
    inspector_id = fields.Integer()
    is_returnless = fields.Boolean()
    is_touchless = fields.Boolean()
    stage = fields.Char()
    date_sale = fields.Datetime()
    date_delivery = fields.Datetime()
    date_request = fields.Datetime()
    date_decision = fields.Datetime()
    date_return = fields.Datetime()
    date_inspection = fields.Datetime()
    date_credit = fields.Datetime()
    days_since_sale = fields.Float()
    days_since_delivery = fields.Float()
    hours_decision = fields.Float()
    hours_receipt = fields.Float()
    hours_inspection = fields.Float()
    hours_credit = fields.Float()
    hours_total = fields.Float()
    qty_shipped = fields.Float()
    qty_requested = fields.Float()
    qty_authorized = fields.Float()
    qty_received = fields.Float()
    qty_returned = fields.Float()
    qty_inspected = fields.Float()
    qty_accepted = fields.Float()
    qty_rejected = fields.Float()
    qty_credited = fields.Float()
    value_shipped = fields.Float()
    value_returned = fields.Float()
    cost_shipped = fields.Float()
    amount_credited = fields.Float()
    amount_deducted = fields.Float()
    cost_returned = fields.Float()
    cost_recovered = fields.Float()
    cost_at_risk = fields.Float()
    cost_lost = fields.Float()

    _returned = models.Index("(return_line_id, id) WHERE kind = 'returned'")
    _newest = models.Index("(date_sale, id)")
    _requested = models.Index("(date_request) WHERE date_request IS NOT NULL")

    # === THE FACTS === #

    @api.model
    def _get_query(self):
        """Return the query of all facts, up to date.

        :return: stored rows of what has not changed since, and the others computed.
        :rtype: odoo.tools.SQL
        """
        since = self._get_fresh_until()
        if not since:
            return self._get_live_query()
        # Changed ids are looked up first: comparing a million rows with a few ids is much faster
        # than joining tables, and nothing is computed if nothing changed.
        self.env.flush_all()
        sale_lines = self._get_stale_ids(facts_sql.STALE_SALE_LINES, since)
        return_lines = self._get_stale_ids(facts_sql.STALE_RETURN_LINES, since)
        if not sale_lines and not return_lines:
            return self._get_stored_query()
        live = self._get_live_query(
            SQL("sale_line.id = ANY(%s)", sale_lines), SQL("line.id = ANY(%s)", return_lines)
        )
        if len(sale_lines) + len(return_lines) <= MOST_COMPUTED_FIRST:
            live = self._compute_first(live)
        unchanged = SQL(
            "%s AND %s",
            self._exclude('sale_line_id', sale_lines),
            self._exclude('return_line_id', return_lines),
        )
        return self._get_union(live, unchanged)

    @api.model
    def _get_stale_ids(self, query, since):
        self.env.cr.execute(SQL(query, since=since))
        return sorted({stale for (stale,) in self.env.cr.fetchall()})

    @api.model
    def _exclude(self, name, ids):
        """Return the condition that a column of the store is not one of the ids."""
        if not ids:
            return SQL("TRUE")
        column = SQL.identifier(name)
        return SQL("(%s IS NULL OR %s NOT IN %s)", column, column, tuple(ids))

    @api.model
    def _get_live_query(self, sale_filter=None, return_filter=None):
        """Return the query that computes facts from the documents.

        :param sale_filter: SQL condition on `sale_line`, None for all order lines.
        :param return_filter: SQL condition on `line`, None for all return lines.
        :rtype: odoo.tools.SQL
        """
        sources = self._get_live_sources(sale_filter or SQL("TRUE"), return_filter or SQL("TRUE"))
        return SQL(" UNION ALL ").join(
            SQL("SELECT %s FROM (%s) AS live", self._get_live_columns(names), query)
            for query, names in sources
        )

    @api.model
    def _get_live_sources(self, sale_filter, return_filter):
        """Return the sources of facts as `(query, names of its columns)`.

        Override to add facts of another kind; columns that are not named are empty.

        :param sale_filter: SQL condition on `sale_line`.
        :param return_filter: SQL condition on `line`.
        :rtype: list
        """
        values = {
            'customer_locations': _get_customer_locations(self.env),
            'unit_value': SQL(facts_sql.UNIT_VALUE),
            'sale_filter': sale_filter,
            'return_filter': return_filter,
            'withheld_kinds': WITHHELD_KINDS,
        }
        shipped = facts_sql.SHIPPED_COLUMNS
        returned = set(self._get_columns()) - facts_sql.SHIPPED_MEASURES
        return [
            (
                SQL(
                    facts_sql.SHIPPED,
                    supplier=self._get_supplier('sale_order', 'move_line'),
                    **values,
                ),
                shipped,
            ),
            (
                SQL(facts_sql.SHIPPED_KITS, supplier=self._get_supplier('sale_order'), **values),
                shipped,
            ),
            (
                SQL(
                    facts_sql.RETURNED,
                    supplier=self._get_supplier('sale_return', 'outcome'),
                    **values,
                ),
                returned,
            ),
        ]

    @api.model
    def _get_supplier(self, company_table, lot_table=None):
        """Return the joins that find the supplier, by the lot of a table if there is one."""
        return SQL(
            facts_sql.SUPPLIER,
            company=SQL.identifier(company_table, 'company_id'),
            lot=SQL.identifier(lot_table, 'lot_id') if lot_table else SQL("NULL::int"),
        )

    @api.model
    def _get_live_columns(self, names):
        """Return all columns, empty if a source does not have them.

        With exactly the types of the store: only then does PostgreSQL read just the requested
        columns, in parallel and by index.
        """
        return SQL(", ").join(
            SQL(
                "%s::%s AS %s",
                SQL.identifier('live', name) if name in names else SQL("NULL"),
                SQL(column_type),
                SQL.identifier(name),
            )
            for name, column_type in self._get_columns().items()
        )

    # === REFRESH === #

    @api.model
    def _refresh(self, everything=False, seen_until=None):
        """Compute the facts of what changed since the last time, and store them.

        :param bool everything: recompute all facts. Needed after changes that leave no trace on
            order or return lines, e.g. the first vendor of a product.
        :param datetime seen_until: as returned by `_get_seen_until` before this transaction began.
        :return: how many facts were stored, None if another refresh is under way.
        :rtype: int | None
        """
        self.env.flush_all()
        cr = self.env.cr
        cr.execute(SQL("SELECT pg_try_advisory_xact_lock(%s)", LOCK))
        if not cr.fetchone()[0]:
            return None
        since = None if everything else self._get_fresh_until()
        sale_filter = return_filter = None
        changed = True
        if since:
            sale_lines = self._get_stale_ids(facts_sql.STALE_SALE_LINES, since)
            return_lines = self._get_stale_ids(facts_sql.STALE_RETURN_LINES, since)
            changed = bool(sale_lines or return_lines)
            sale_filter = SQL("sale_line.id = ANY(%s)", sale_lines)
            return_filter = SQL("line.id = ANY(%s)", return_lines)
            cr.execute(
                SQL(
                    "DELETE FROM sale_return_fact"
                    " WHERE sale_line_id = ANY(%s) OR return_line_id = ANY(%s)",
                    sale_lines,
                    return_lines,
                )
            )
        else:
            cr.execute("DELETE FROM sale_return_fact")
        cr.execute(
            SQL(
                "INSERT INTO sale_return_fact (%s) %s",
                self._get_column_list(),
                self._get_live_query(sale_filter, return_filter),
            )
        )
        stored = cr.rowcount
        fresh_until = min(seen_until or cr.now() - LONGEST_TRANSACTION, cr.now())
        self._set_fresh_until(fresh_until)
        self.invalidate_model()
        self.env['sale.return.resale.fact']._refresh(fresh_until, everything)
        if changed:
            self.env['sale.return.ranking.fact']._refresh()
        return stored

    @api.model
    def _get_seen_until(self):
        """Return the time up to which a transaction that begins after this call sees all changes.

        That is the start of the oldest running transaction. It is queried on another connection, as
        this one must not have read from the database yet.

        :return: None where the database does not show us other transactions.
        :rtype: datetime | None
        """
        with self.env.registry.cursor() as cr:
            cr.execute(
                """
                SELECT MIN(COALESCE(xact_start, now())) AT TIME ZONE 'UTC'
                  FROM pg_stat_activity
                 WHERE datname = current_database() AND backend_type = 'client backend'
                HAVING bool_and(state IS NOT NULL)
                """
            )
            return (cr.fetchone() or [None])[0]

    @api.model
    def _cron_refresh(self):
        """Keep the stored facts fresh."""
        self.env['ir.cron']._commit_progress()
        stored = self._refresh(seen_until=self._get_seen_until())
        _logger.info("Facts of returns stored: %s.", stored)
