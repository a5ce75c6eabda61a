import logging
from itertools import compress

from odoo import api, fields, models
from odoo.tools import SQL

from .sale_return_ranking import DIMENSIONS

_logger = logging.getLogger(__name__)

# With more products, customers or suppliers than this their ranking is not computed on the spot.
LIVE_MEMBERS = 20_000


class SaleReturnRankingFact(models.Model):
    """Store of what `sale.return.ranking` shows of very many products, customers or suppliers.

    Shrinking the rates requires adding up all members, which takes seconds for 250 000 customers.
    So the job of the facts does it, and its last result is shown.
    """

    _name = 'sale.return.ranking.fact'
    _description = "Ranking Fact"
    _log_access = False
    _rec_name = 'dimension'

    # Integers instead of links, see `sale.return.fact`.
    dimension = fields.Char(index=True)
    company_id = fields.Integer()
    product_id = fields.Integer()
    partner_id = fields.Integer()
    supplier_id = fields.Integer()
    qty_shipped = fields.Float()
    qty_returned = fields.Float()
    value_kept = fields.Float()
    rate = fields.Float()
    rate_low = fields.Float()
    rate_high = fields.Float()
    rate_shrunk = fields.Float()
    ppm = fields.Float()

    @api.model
    def _get_stored(self, dimensions):
        """Return which of the dimensions are stored, as a list in the same order."""
        self.env.cr.execute(
            SQL(
                """
                SELECT dimension FROM UNNEST(%s) WITH ORDINALITY AS asked(dimension, number)
                 -- With a limit, not EXISTS, it is looked up in the index.
                 WHERE (
                       SELECT TRUE FROM sale_return_ranking_fact AS stored
                        WHERE stored.dimension = asked.dimension
                        LIMIT 1
                       )
              ORDER BY number
                """,
                list(dimensions),
            )
        )
        return [dimension for (dimension,) in self.env.cr.fetchall()]

    @api.model
    def _get_query(self, columns):
        """Return the query of what is stored.

        :param columns: names of the columns, those of `sale.return.ranking`.
        :rtype: odoo.tools.SQL
        """
        # Links to records that may be deleted are joined, so that none is dangling.
        values = {
            # The same columns as if computed.
            'id': SQL(
                "stored.company_id::bigint * 8589934592"
                " + COALESCE(stored.product_id, stored.partner_id, stored.supplier_id)::bigint * 4"
                " + ARRAY_POSITION(%s, stored.dimension::text) - 1",
                list(DIMENSIONS),
            ),
            # The type of the computed rows: only then does PostgreSQL restrict itself to the
            # requested ones.
            'dimension': SQL("stored.dimension::text"),
            'currency_id': SQL("company.currency_id"),
            'product_id': SQL("product.id"),
            'categ_id': SQL("template.categ_id"),
            'partner_id': SQL("customer.id"),
            'supplier_id': SQL("supplier.id"),
        }
        return SQL(
            """
            SELECT %s
              FROM sale_return_ranking_fact AS stored
              JOIN res_company AS company ON company.id = stored.company_id
         LEFT JOIN product_product AS product ON product.id = stored.product_id
         LEFT JOIN product_template AS template ON template.id = product.product_tmpl_id
         LEFT JOIN res_partner AS customer ON customer.id = stored.partner_id
         LEFT JOIN res_partner AS supplier ON supplier.id = stored.supplier_id
            """,
            SQL(", ").join(
                SQL("%s AS %s", values.get(name, SQL("stored.%s", column)), column)
                for name, column in ((name, SQL.identifier(name)) for name in columns)
            ),
        )

    @api.model
    def _refresh(self):
        """Store the ranking of dimensions with many members; a step of the job of the facts."""
        cr = self.env.cr
        cr.execute("DELETE FROM sale_return_ranking_fact")
        dimensions = self._find_large()
        if dimensions:
            columns = [name for name, field in self._fields.items() if field.store]
            columns.remove('id')
            cr.execute(
                SQL(
                    # A sequence would run out some day.
                    "INSERT INTO sale_return_ranking_fact (id, %(columns)s)"
                    " SELECT ROW_NUMBER() OVER (), %(columns)s FROM (%(ranking)s) AS ranking",
                    columns=SQL(", ").join(map(SQL.identifier, columns)),
                    ranking=self.env['sale.return.ranking']._get_live_query(dimensions),
                )
            )
            _logger.info("Ranking stored: %s.", cr.rowcount)
        self.env['sale.return.ranking'].invalidate_model()

    @api.model
    def _find_large(self):
        """Return the dimensions that have too many members to be computed on the spot."""
        counts = SQL(", ").join(
            SQL("COUNT(DISTINCT %s) > %s", SQL.identifier(key), LIVE_MEMBERS)
            for key, *_joins in DIMENSIONS.values()
        )
        self.env.cr.execute(SQL("SELECT %s FROM sale_return_fact", counts))
        return list(compress(DIMENSIONS, self.env.cr.fetchone()))
