from odoo import api, models
from odoo.tools import SQL

from ...tools import barcode

MAX_ROWS = 40
MAX_WAITING = 10
# Length from which a scan may be two codes: all its prefixes and suffixes are looked up at once.
MAX_GLUED = 60


class SaleReturnBenchLookup(models.AbstractModel):
    """Service: identify a code in one query, fast for tables of any size.

    Each source is an equality supported by an index.
    """

    _name = 'sale.return.bench.lookup'
    _description = "Look-up of Codes for the Bench"

    @api.model
    def _find(self, codes, company):
        """Identify codes. The caller has checked that the user is an inspector.

        :param list codes: spellings of one code, or several codes.
        :param company: `res.company`.
        :return: dicts `{kind, return_id, name, state, order_id, order, partner, product_id,
            product, uom, tracking, quantity, id}`; `kind` is one of those in `_get_sources`.
        :rtype: list
        """
        if not codes:
            return []
        sources = SQL(" UNION ALL ").join(self._get_sources(codes, company))
        self.env.cr.execute(
            SQL(
                """
                WITH hits (rank, kind, return_id, order_id, product_id, lot_id, parcel_id, factor,
                           company_id) AS (%(sources)s)
                SELECT h.kind, r.id AS return_id, r.state, r.name AS "return", o.id AS order_id,
                       o.name AS "order", p.complete_name AS partner, h.product_id,
                       %(product)s AS product, pt.tracking, %(uom)s AS uom,
                       COALESCE(h.factor / pu.factor, 1) AS quantity,
                       h.parcel_id AS id, COALESCE(lot.name, r.name, o.name) AS name
                  FROM hits h
             LEFT JOIN LATERAL (
                       SELECT DISTINCT l.return_id FROM sale_return_line l
                        WHERE l.order_id = h.order_id
                          AND h.kind IN ('order', 'customer_ref', 'delivery')) x ON TRUE
             LEFT JOIN sale_return r ON r.id = COALESCE(h.return_id, x.return_id)
             LEFT JOIN LATERAL (
                       SELECT l.order_id FROM sale_return_line l
                        WHERE l.return_id = h.return_id AND l.order_id IS NOT NULL LIMIT 1
                       ) first ON TRUE
             LEFT JOIN sale_order o ON o.id = COALESCE(h.order_id, first.order_id)
             LEFT JOIN res_partner p ON p.id = COALESCE(r.partner_id, o.partner_id)
             LEFT JOIN product_product pp ON pp.id = h.product_id
             LEFT JOIN product_template pt ON pt.id = pp.product_tmpl_id
             LEFT JOIN uom_uom pu ON pu.id = pt.uom_id
             LEFT JOIN stock_lot lot ON lot.id = h.lot_id
                 WHERE COALESCE(h.company_id, %(company)s) = %(company)s
              ORDER BY h.rank, r.id DESC NULLS LAST
                 LIMIT %(limit)s
                """,
                sources=sources,
                product=self.env['sale.return.bench.facts']._translated('pt', 'name'),
                uom=self.env['sale.return.bench.facts']._translated('pu', 'name'),
                company=company.id,
                limit=MAX_ROWS,
            )
        )
        return self.env.cr.dictfetchall()

    @api.model
    def _get_sources(self, codes, company):
        """Return the queries for everything that a code may be. Override to add sources.

        :return: `SQL` objects with the columns rank, kind, return, order, product, lot, parcel,
            factor of the unit that the code means, company.
        :rtype: list
        """
        codes = list(codes)
        sources = [
            self._get_return_source('name', 'return', 1, codes),
            self._get_return_source('external_ref', 'return', 1, codes),
            self._get_return_source('tracking_ref', 'tracking', 2, codes),
            self._get_order_source('name', 'order', 4, codes),
            self._get_order_source('client_order_ref', 'customer_ref', 5, codes),
            SQL(
                """SELECT 3, CASE WHEN sale_return_id IS NULL THEN 'delivery' ELSE 'receipt' END,
                          sale_return_id, sale_id, NULL::int, NULL::int, NULL::int, NULL::float,
                          company_id
                     FROM stock_picking
                    WHERE name = ANY(%s) AND COALESCE(sale_return_id, sale_id) IS NOT NULL""",
                codes,
            ),
            *self._get_goods_sources(codes),
            SQL(
                """SELECT 0, 'parcel', NULL::int, NULL::int, NULL::int, NULL::int, id,
                          NULL::float, company_id
                     FROM sale_return_parcel
                    WHERE state = 'parked'
                      AND (name = ANY(%(codes)s) OR tracking_ref = ANY(%(codes)s))""",
                codes=codes,
            ),
        ]
        if 'carrier_tracking_ref' in self.env['stock.picking']._fields:
            # A parcel that was never accepted comes back under the number it left with.
            sources.append(
                SQL(
                    """SELECT 3, 'delivery', sale_return_id, sale_id, NULL::int, NULL::int,
                              NULL::int, NULL::float, company_id
                         FROM stock_picking
                        WHERE carrier_tracking_ref = ANY(%s) AND sale_id IS NOT NULL""",
                    codes,
                )
            )
        return sources

    @api.model
    def _get_goods_sources(self, codes):
        """Return the queries of goods: lots, products and packagings."""
        return [
            SQL(
                """SELECT 6, 'lot', NULL::int, (
                              SELECT sl.order_id FROM stock_move_line ml
                                JOIN stock_move m ON m.id = ml.move_id
                                JOIN sale_order_line sl ON sl.id = m.sale_line_id
                               WHERE ml.lot_id = lot.id AND ml.state = 'done'
                            ORDER BY ml.id DESC LIMIT 1),
                          lot.product_id, lot.id, NULL::int, NULL::float, lot.company_id
                     FROM stock_lot lot WHERE lot.name = ANY(%s)""",
                codes,
            ),
            SQL(
                """SELECT 7, 'product', NULL::int, NULL::int, id, NULL::int, NULL::int,
                          NULL::float, NULL::int
                     FROM product_product WHERE barcode = ANY(%(codes)s) AND active
                    UNION ALL
                   SELECT 9, 'product', NULL::int, NULL::int, id, NULL::int, NULL::int,
                          NULL::float, NULL::int
                     FROM product_product WHERE default_code = ANY(%(codes)s) AND active""",
                codes=codes,
            ),
            SQL(
                """SELECT 8, 'packaging', NULL::int, NULL::int, pk.product_id, NULL::int,
                          NULL::int, u.factor::float, NULL::int
                     FROM product_uom pk JOIN uom_uom u ON u.id = pk.uom_id
                    WHERE pk.barcode = ANY(%s)""",
                codes,
            ),
        ]

    @api.model
    def _get_return_source(self, column, kind, rank, codes):
        return SQL(
            """SELECT %s, %s, id, NULL::int, NULL::int, NULL::int, NULL::int, NULL::float,
                      company_id FROM sale_return WHERE %s = ANY(%s)""",
            rank,
            kind,
            SQL.identifier(column),
            codes,
        )

    @api.model
    def _get_order_source(self, column, kind, rank, codes):
        return SQL(
            """SELECT %s, %s, NULL::int, id, NULL::int, NULL::int, NULL::int, NULL::float,
                      company_id FROM sale_order WHERE %s = ANY(%s) AND state = 'sale'""",
            rank,
            kind,
            SQL.identifier(column),
            codes,
        )

    @api.model
    def _find_waiting(self, goods, company):
        """Find the returns that expect goods, those under way first.

        :param list goods: as returned by `_find`.
        :return: dicts `{kind, return_id, name, return, state, partner, order}`
        :rtype: list
        """
        names = [row['name'] for row in goods if row['kind'] == 'lot']
        products = [row['product_id'] for row in goods]
        lot_filter = SQL(
            """AND EXISTS (
                   SELECT 1 FROM stock_lot lot
                     JOIN stock_move_line ml ON ml.lot_id = lot.id AND ml.state = 'done'
                     JOIN stock_move m ON m.id = ml.move_id
                    WHERE lot.name = ANY(%s) AND lot.product_id = l.product_id
                      AND m.sale_line_id = l.sale_line_id)""",
            names,
        )
        self.env.cr.execute(
            SQL(
                """
                SELECT DISTINCT ON (r.date_dispatched, r.id) %(kind)s AS kind, r.id AS return_id,
                       r.name, r.name AS "return", r.state, p.complete_name AS partner,
                       o.name AS "order"
                  FROM sale_return_line l
                  JOIN sale_return r ON r.id = l.return_id
                  JOIN res_partner p ON p.id = r.partner_id
             LEFT JOIN sale_order o ON o.id = l.order_id
                 WHERE l.product_id = ANY(%(products)s)
                   AND (l.qty_held > 0 OR l.qty_to_inspect > 0)
                   AND r.state = 'approved' AND r.company_id = %(company)s
                   %(lots)s
              ORDER BY r.date_dispatched DESC NULLS LAST, r.id DESC
                 LIMIT %(limit)s
                """,
                kind='lot' if names else 'product',
                products=products,
                company=company.id,
                lots=lot_filter if names else SQL(),
                limit=MAX_WAITING,
            )
        )
        return self.env.cr.dictfetchall()

    @api.model
    def _find_parts(self, code, company):
        """Return which prefixes and suffixes of a code are codes themselves.

        :rtype: set
        """
        if len(code) > MAX_GLUED:
            return set()
        parts = {part for pair in barcode.cuts(code) for part in pair}
        if not parts:
            return set()
        self.env.cr.execute(
            SQL(
                """
                SELECT name FROM sale_return
                 WHERE name = ANY(%(parts)s) AND company_id = %(company)s
                 UNION
                SELECT tracking_ref FROM sale_return
                 WHERE tracking_ref = ANY(%(parts)s) AND company_id = %(company)s
                 UNION
                SELECT name FROM sale_order
                 WHERE name = ANY(%(parts)s) AND company_id = %(company)s
                 UNION
                SELECT name FROM stock_lot
                 WHERE name = ANY(%(parts)s) AND COALESCE(company_id, %(company)s) = %(company)s
                 UNION SELECT barcode FROM product_product WHERE barcode = ANY(%(parts)s)
                 UNION SELECT barcode FROM product_uom WHERE barcode = ANY(%(parts)s)
                """,
                parts=list(parts),
                company=company.id,
            )
        )
        return {row[0] for row in self.env.cr.fetchall()}
