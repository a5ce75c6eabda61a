import logging

from odoo import api, fields, models
from odoo.tools import SQL

from ..hooks import _get_customer_locations
from .resale_sql import LIVE_PRODUCTS, RESALE, STALE_PRODUCTS

_logger = logging.getLogger(__name__)

RESALES_FRESH_UNTIL = 'sale_return.resales_fresh_until'
# Changes since the last refresh are computed on the spot for products with at most this many moves,
# and up to a total number of moves, so that pages never wait for a hundred thousand moves.
LIVE_MOVES = 1000
LIVE_MOVES_IN_ALL = 20_000


class SaleReturnResaleFact(models.Model):
    """Store of what `sale.return.resale` shows: which sale each restocked quantity went to.

    First in, first out requires following all moves of a product, which takes minutes for a million
    moves. So the job that refreshes the facts does it, product by product, for those that moved
    since.
    """

    _name = 'sale.return.resale.fact'
    _inherit = 'sale.return.stored.rows'
    _description = "Resale Fact"
    _log_access = False
    _rec_name = 'product_id'
    _fresh_until = RESALES_FRESH_UNTIL

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

    @api.model
    def _get_query(self):
        """Return the query of restocked goods.

        :return: stored rows, and computed ones of the products that moved since.
        :rtype: odoo.tools.SQL
        """
        since = self._get_fresh_until()
        if not since:
            return self._get_live_query()
        products = self._get_live_products(since)
        if not products:
            return self._get_stored_query()
        return self._get_union(
            self._compute_first(self._get_live_query(products)),
            SQL("NOT product_id = ANY(%s)", products),
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
            columns=self._get_column_list(),
            resale=SQL(RESALE, where=where, customer_locations=_get_customer_locations(self.env)),
        )

    @api.model
    def _get_live_products(self, since):
        """Return the ids of restocked products that moved since and are followed on the spot.

        :param datetime since: moves from then on count.
        :return: those with few moves in total, the fewest first, up to the limit.
        :rtype: list
        """
        return self._fetch_ids(
            SQL(
                LIVE_PRODUCTS,
                stale=SQL(STALE_PRODUCTS, since=since),
                limit=LIVE_MOVES,
                limit_in_all=LIVE_MOVES_IN_ALL,
            )
        )

    @api.model
    def _fetch_ids(self, query):
        self.env.flush_all()
        self.env.cr.execute(query)
        return sorted(product_id for (product_id,) in self.env.cr.fetchall())

    # === REFRESH === #

    @api.model
    def _refresh(self, fresh_until, everything=False):
        """Follow the goods of the products that moved since the last time, and store it.

        A step of `sale.return.fact._refresh`, which makes sure that only one transaction does it.

        :param datetime fresh_until: time up to which this transaction sees all changes.
        :param bool everything: follow all products.
        """
        cr = self.env.cr
        since = None if everything else self._get_fresh_until()
        products = None
        if since:
            products = self._fetch_ids(SQL(STALE_PRODUCTS, since=since))
            cr.execute(
                SQL("DELETE FROM sale_return_resale_fact WHERE product_id = ANY(%s)", products)
            )
        else:
            cr.execute("DELETE FROM sale_return_resale_fact")
        cr.execute(
            SQL(
                "INSERT INTO sale_return_resale_fact (%s) %s",
                self._get_column_list(),
                self._get_live_query(products),
            )
        )
        _logger.info("Resales of returned goods stored: %s.", cr.rowcount)
        self._set_fresh_until(fresh_until)
        self.invalidate_model()
