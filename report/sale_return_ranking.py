from odoo import api, fields, models
from odoo.tools import SQL

from .sale_return_report import SaleReturnReport

# `{dimension: (column of the facts, the member, the group whose members are drawn towards each
# other, joins of the two)}`
DIMENSIONS = {
    'product': (
        'product_id',
        "fact.product_id",
        "template.categ_id",
        """
        JOIN product_product AS product ON product.id = fact.product_id
        JOIN product_template AS template ON template.id = product.product_tmpl_id
        """,
    ),
    'customer': (
        'partner_id',
        "customer.commercial_partner_id",
        "fact.company_id",
        "JOIN res_partner AS customer ON customer.id = fact.partner_id",
    ),
    'supplier': (
        'supplier_id',
        "supplier.id",
        "fact.company_id",
        "JOIN res_partner AS supplier ON supplier.id = fact.supplier_id",
    ),
}


class SaleReturnRanking(models.Model):
    """Products, customers and suppliers by return rate, fair to small quantities.

    The formulas are those of `tools.stats` (`wilson`, `beta_prior`, `shrink`), in SQL because lists
    and graphs sort by them.
    """

    _name = 'sale.return.ranking'
    _description = "Return Ranking"
    _auto = False
    _order = 'rate_shrunk desc, id'
    _depends = SaleReturnReport._depends

    dimension = fields.Selection(
        [('product', "Product"), ('customer', "Customer"), ('supplier', "Supplier")], readonly=True
    )
    company_id = fields.Many2one('res.company', readonly=True)
    currency_id = fields.Many2one('res.currency', readonly=True)
    product_id = fields.Many2one('product.product', readonly=True)
    categ_id = fields.Many2one('product.category', string="Product Category", readonly=True)
    partner_id = fields.Many2one('res.partner', string="Customer", readonly=True)
    supplier_id = fields.Many2one('res.partner', readonly=True)
    qty_shipped = fields.Float("Shipped Qty", digits='Product Unit', readonly=True)
    qty_returned = fields.Float("Returned Qty", digits='Product Unit', readonly=True)
    value_kept = fields.Monetary(readonly=True, help="Shipped value less returned value.")
    rate = fields.Float(
        "Return Rate", readonly=True, aggregator=None, help="Returned ÷ shipped units of all time."
    )
    rate_low = fields.Float(
        "Lower Bound",
        readonly=True,
        aggregator=None,
        help="Lower bound of the Wilson 95 % interval.",
    )
    rate_high = fields.Float(
        "Upper Bound",
        readonly=True,
        aggregator=None,
        help="Upper bound of the Wilson 95 % interval.",
    )
    rate_shrunk = fields.Float(
        "Fair Rate",
        readonly=True,
        aggregator=None,
        help=(
            "Shrunk towards the rate of the group, (r + a) / (n + a + b), so that one return out "
            "of one sale does not lead the list. Group: the product category, otherwise the whole"
            " company."
        ),
    )
    ppm = fields.Float(
        "Per Million", readonly=True, aggregator=None, help="Returned per million shipped units."
    )

    @property
    def _table_query(self):
        Stored = self.env['sale.return.ranking.fact']
        columns = [name for name, field in self._fields.items() if field.store]
        stored = Stored._get_stored(DIMENSIONS)
        if not stored:
            return self._get_live_query()
        parts = [Stored._get_query(columns)]
        if live := [dimension for dimension in DIMENSIONS if dimension not in stored]:
            names = SQL(", ").join(map(SQL.identifier, columns))
            parts.append(SQL("SELECT %s FROM (%s) AS live", names, self._get_live_query(live)))
        return SQL(" UNION ALL ").join(parts)

    @api.model
    def _get_live_query(self, dimensions=tuple(DIMENSIONS)):
        """Return the query that computes the ranking of dimensions from the facts.

        :param dimensions: keys of `DIMENSIONS`.
        :rtype: odoo.tools.SQL
        """
        return SQL(
            """
            SELECT prior.*,
                   r / NULLIF(n, 0) AS rate,
                   1000000 * r / NULLIF(n, 0) AS ppm,
                   CASE WHEN n > 0 THEN GREATEST((centre - margin) / scale, 0) ELSE 0 END
                       AS rate_low,
                   CASE WHEN n > 0 THEN LEAST((centre + margin) / scale, 1) ELSE 1 END
                       AS rate_high,
                   (r + mean * strength) / (n + strength) AS rate_shrunk
              FROM (%s) AS prior,
           LATERAL (SELECT 3.841458820694124 / NULLIF(n, 0) AS z) AS unit,
           LATERAL (
                   SELECT r / NULLIF(n, 0) + z / 2 AS centre,
                          1 + z AS scale,
                          SQRT(z * (r / NULLIF(n, 0) * (1 - r / NULLIF(n, 0)) + z / 4)) AS margin
                   ) AS wilson
            """,
            self._get_prior_query(dimensions),
        )

    def _get_prior_query(self, dimensions):
        """Return the query of members with `mean` and `strength` of their group's Beta prior."""
        return SQL(
            """
            SELECT member.*,
                   moved.mean,
                   CASE WHEN number IS NULL OR number = 0 THEN 1
                        ELSE GREATEST(LEAST(
                            CASE WHEN number - 1 - chance > 0 AND spreading.spread > chance
                                 THEN (number - 1 - chance) / (spreading.spread - chance) - 1
                                 ELSE units END,
                            units), 1) END AS strength
              FROM (
                    SELECT members.*,
                           SUM(n) OVER of_group AS units,
                           COUNT(NULLIF(n, 0)) OVER of_group AS number,
                           SUM(r / NULLIF(n, 0)) OVER of_group AS rates,
                           SUM((r / NULLIF(n, 0)) ^ 2) OVER of_group AS squares,
                           SUM(1 / NULLIF(n, 0)) OVER of_group
                           * (1 - 1.0 / NULLIF(COUNT(NULLIF(n, 0)) OVER of_group, 0)) AS chance
                      FROM (%s) AS members
                    WINDOW of_group AS (PARTITION BY dimension, company_id, of_what)
                   ) AS member,
           LATERAL (
                   SELECT CASE WHEN COALESCE(number, 0) = 0 THEN 0.5
                               WHEN rates > 0 AND rates < number THEN rates / number
                               ELSE (rates + 0.5) / (number + 1) END AS mean
                   ) AS moved,
           LATERAL (
                   SELECT (squares - 2 * moved.mean * rates + moved.mean ^ 2 * number)
                          / (moved.mean * (1 - moved.mean)) AS spread
                   ) AS spreading
            """,
            self._get_members_query(dimensions),
        )

    def _get_members_query(self, dimensions):
        facts = self.env['sale.return.fact']._get_query()
        return SQL(" UNION ALL ").join(
            SQL(
                """
                SELECT fact.company_id::bigint * 8589934592 + %(member)s::bigint * 4 + %(number)s
                           AS id,
                       %(dimension)s AS dimension,
                       fact.company_id,
                       company.currency_id,
                       %(product)s AS product_id,
                       %(category)s AS categ_id,
                       %(partner)s AS partner_id,
                       %(supplier)s AS supplier_id,
                       %(of_what)s AS of_what,
                       COALESCE(SUM(fact.qty_shipped), 0) AS qty_shipped,
                       COALESCE(SUM(fact.qty_returned), 0) AS qty_returned,
                       COALESCE(SUM(fact.value_shipped), 0)
                       - COALESCE(SUM(fact.value_returned), 0) AS value_kept,
                       GREATEST(COALESCE(SUM(fact.qty_shipped), 0), 0) AS n,
                       LEAST(
                           GREATEST(COALESCE(SUM(fact.qty_returned), 0), 0),
                           GREATEST(COALESCE(SUM(fact.qty_shipped), 0), 0)
                       ) AS r
                  -- Added up before they are joined: two million facts, some thousand members.
                  FROM (
                        SELECT company_id, %(key)s,
                               SUM(qty_shipped) AS qty_shipped, SUM(qty_returned) AS qty_returned,
                               SUM(value_shipped) AS value_shipped,
                               SUM(value_returned) AS value_returned
                          FROM (%(facts)s) AS facts
                      GROUP BY company_id, %(key)s
                       ) AS fact
                  JOIN res_company AS company ON company.id = fact.company_id
                  %(joins)s
                 WHERE %(member)s IS NOT NULL
              GROUP BY fact.company_id, company.currency_id, %(member)s, %(of_what)s
                """,
                facts=facts,
                key=SQL.identifier(key),
                joins=SQL(joins),
                number=number,
                dimension=SQL(f"'{dimension}'"),
                member=SQL(column),
                of_what=SQL(group),
                product=SQL(column if dimension == 'product' else "NULL::int"),
                category=SQL(group if dimension == 'product' else "NULL::int"),
                partner=SQL(column if dimension == 'customer' else "NULL::int"),
                supplier=SQL(column if dimension == 'supplier' else "NULL::int"),
            )
            for number, (dimension, (key, column, group, joins)) in enumerate(DIMENSIONS.items())
            if dimension in dimensions
        )

    # === ACTION METHODS === #

    def action_open_rows(self):
        """Show the rows behind a rate."""
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id(
            'sale_return.sale_return_report_action'
        )
        domain = [('company_id', '=', self.company_id.id)]
        if self.dimension == 'product':
            domain.append(('product_id', '=', self.product_id.id))
        elif self.dimension == 'customer':
            domain.append(('commercial_partner_id', '=', self.partner_id.id))
        else:
            domain.append(('supplier_id', '=', self.supplier_id.id))
        # A rate covers all periods, the action only the last year.
        action.update(
            domain=domain, context={}, views=[(False, 'list'), (False, 'pivot')], path=False
        )
        return action
