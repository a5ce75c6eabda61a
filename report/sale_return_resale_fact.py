import logging

from odoo import api, fields, models
from odoo.tools import SQL

from ..hooks import _get_customer_locations
from .resale_sql import RESALE, STALE_PRODUCTS

_logger = logging.getLogger(__name__)

RESALES_FRESH_UNTIL = 'sale_return.resales_fresh_until'
# Of a product with more moves than this, what happened since the last refresh is not computed on
# the spot: a page must not wait for a hundred thousand moves.
LIVE_MOVES = 1000


class SaleReturnResaleFact(models.Model):
    """Store of what `sale.return.resale` shows: which sale each restocked quantity went to.

    First in, first out is known only by following all moves of a product: of a million moves that
    takes minutes. So it is done by the job that refreshes the facts, product by product, for those
    that moved since.
    """

    _name = 'sale.return.resale.fact'
    _description = "Resale Fact"
    _log_access = False
    _rec_name = 'product_id'

    # Integers instead of links, see `sale.return.fact`. The id is that of the move to the stock.
    company_id = fields.Integer()
    return_id = fields.Integer()
    return_line_id = fields.Many2one('sale.return.line', index='btree_not_null', ondelete='cascade')
    product_id = fields.Integer(index=True)
    lot_id = fields.Integer()
    grade_id = fields.Integer()
    date_receipt = fields.Datetime()
    date_restock = fields.Datetime()
    quantity = fields.Float()
    date_resale = fields.Datetime()
    sale_line_id = fields.Integer()

    _newest = models.Index("(date_restock, id)")

    def init(self):
        """Override of `base`: an empty store, e.g. of an earlier version, is not fresh."""
        result = super().init()
        self.env.cr.execute("SELECT FROM sale_return_resale_fact LIMIT 1")
        if not self.env.cr.rowcount:
            # sudo: a mark of the system.
            self.env['ir.config_parameter'].sudo().set_param(RESALES_FRESH_UNTIL, False)
        return result

    @api.model
    def _get_columns(self):
        """Return the columns of the store as SQL, in the order of the fields."""
        names = [name for name, field in self._fields.items() if field.store and field.column_type]
        return SQL(", ").join(map(SQL.identifier, names))

    @api.model
    def _get_query(self):
        """Return the query of what was restocked.

        :return: stored rows, and computed ones of the products that moved since.
        :rtype: odoo.tools.SQL
        """
        since = self._get_fresh_until()
        if not since:
            return self._get_live_query()
        stored = SQL("SELECT %s FROM sale_return_resale_fact", self._get_columns())
        products = self._get_stale_products(since, LIVE_MOVES)
        if not products:
            return stored
        return SQL(
            "%s WHERE NOT product_id = ANY(%s) UNION ALL %s",
            stored,
            products,
            self._get_live_query(products),
        )

    @api.model
    def _get_live_query(self, products=None):
        """Return the query that follows restocked goods through the moves.

        :param list products: ids of the products, None for all.
        :rtype: odoo.tools.SQL
        """
        where = SQL("TRUE")
        if products is not None:
            where = SQL("inspection.product_id = ANY(%s)", products)
        return SQL(
            "SELECT %(columns)s FROM (%(resale)s) AS live",
            columns=self._get_columns(),
            resale=SQL(RESALE, where=where, customer_locations=_get_customer_locations(self.env)),
        )

    @api.model
    def _get_stale_products(self, since, limit=None):
        """Return the ids of products that moved since, all or those with few moves.

        :param datetime since: moves from then on count.
        :param int limit: leave out products with more moves of all times.
        :rtype: list
        """
        self.env.flush_all()
        query = SQL(STALE_PRODUCTS, since=since)
        if limit:
            query = SQL(
                """
                SELECT stale.product_id
                  FROM (%(stale)s) AS stale,
               LATERAL (
                       SELECT COUNT(*) AS number
                         FROM (
                              SELECT FROM stock_move AS move
                               WHERE move.product_id = stale.product_id
                               LIMIT %(limit)s + 1
                              ) AS move
                       ) AS moves
                 WHERE moves.number <= %(limit)s
                """,
                stale=query,
                limit=limit,
            )
        self.env.cr.execute(query)
        return sorted(product_id for (product_id,) in self.env.cr.fetchall())

    # === REFRESH === #

    @api.model
    def _get_fresh_until(self):
        """Return when what is stored was computed, None before the first time.

        :rtype: datetime | None
        """
        # sudo: everybody who may read the report reads it with this.
        value = self.env['ir.config_parameter'].sudo().get_param(RESALES_FRESH_UNTIL)
        return fields.Datetime.from_string(value) if value else None

    @api.model
    def _refresh(self, fresh_until, everything=False):
        """Follow the goods of the products that moved since the last time, and store it.

        A step of `sale.return.fact._refresh`, which sees to it that only one does it.

        :param datetime fresh_until: up to when this transaction sees all that was written.
        :param bool everything: follow all products.
        """
        cr = self.env.cr
        since = None if everything else self._get_fresh_until()
        products = None
        if since:
            products = self._get_stale_products(since)
            cr.execute(
                SQL("DELETE FROM sale_return_resale_fact WHERE product_id = ANY(%s)", products)
            )
        else:
            cr.execute("DELETE FROM sale_return_resale_fact")
        cr.execute(
            SQL(
                "INSERT INTO sale_return_resale_fact (%s) %s",
                self._get_columns(),
                self._get_live_query(products),
            )
        )
        _logger.info("Resales of returned goods stored: %s.", cr.rowcount)
        # sudo: a mark of the system.
        self.env['ir.config_parameter'].sudo().set_param(
            RESALES_FRESH_UNTIL, fields.Datetime.to_string(fresh_until)
        )
        self.invalidate_model()
