from collections import defaultdict

from odoo import api, models
from odoo.tools import SQL
from odoo.tools.sql import escape_psql

from ...tools import label as labels
from ...tools.barcode import spellings

MAX_HITS = 60  # per kind of hint
MAX_ORDERS_OF_PARTNER = 8
MAX_PRODUCTS = 20

# Confidence by a single hint, 0 to 1.
WEIGHTS = {
    'return': 0.97,
    'tracking': 0.97,
    'order': 0.95,
    'customer_ref': 0.9,
    'serial': 0.93,
    'phone': 0.75,
    'email': 0.8,
    'name': 0.55,
    'product': 0.25,
    'address': 0.3,
}
# A misspelling or a part of a number lowers the confidence.
NEAR = 0.6
PART = 0.65
# With equal hints a return that expects a parcel is more likely.
WAITING_BONUS = 0.15


DOCUMENTS_QUERY = """
   WITH orders AS (
       SELECT id FROM sale_order WHERE id = ANY(%(orders)s)
        UNION
       SELECT l.order_id FROM sale_return_line l WHERE l.return_id = ANY(%(returns)s)
        UNION
       SELECT o.id FROM unnest(%(partners)s::int[]) AS p(id)
         JOIN LATERAL (
              SELECT id FROM sale_order
               WHERE (partner_id = p.id OR partner_shipping_id = p.id)
                 AND company_id = %(company)s AND state = 'sale'
            ORDER BY id DESC LIMIT %(per_partner)s) o ON TRUE
        UNION
       SELECT l.order_id FROM (
              SELECT order_id FROM sale_return_line
               WHERE product_id = ANY(%(products)s)
                 AND (qty_held > 0 OR qty_to_inspect > 0)
                 AND company_id = %(company)s
               LIMIT %(limit)s) l
   ), returns AS (
       SELECT DISTINCT l.order_id, l.return_id FROM sale_return_line l
        WHERE l.order_id IN (SELECT id FROM orders)
        UNION
       SELECT NULL::int, r.id FROM unnest(%(returns)s::int[]) AS r(id)
        WHERE NOT EXISTS (SELECT 1 FROM sale_return_line l
                           WHERE l.return_id = r.id AND l.order_id IS NOT NULL)
   )
   SELECT 'return' AS kind, r.id, r.name, r.id AS return_id, x.order_id,
          o.name AS "order", r.state, p.complete_name AS partner, p.city, p.zip,
          p.street, p.phone, COALESCE(r.date_dispatched, r.create_date) AS date,
          ARRAY[r.partner_id, o.partner_id, o.partner_shipping_id] AS partner_ids,
          r.state = 'approved' AND EXISTS (
              SELECT 1 FROM sale_return_line l WHERE l.return_id = r.id
                 AND (l.qty_held > 0 OR l.qty_to_inspect > 0)) AS waiting,
          (SELECT jsonb_object_agg(l.product_id, %(product)s)
             FROM sale_return_line l
             JOIN product_product pp ON pp.id = l.product_id
             JOIN product_template pt ON pt.id = pp.product_tmpl_id
            WHERE l.return_id = r.id) AS products
     FROM returns x
     JOIN sale_return r ON r.id = x.return_id
     JOIN res_partner p ON p.id = r.partner_id
LEFT JOIN sale_order o ON o.id = x.order_id
    WHERE r.company_id = %(company)s AND r.state <> 'cancelled'
    UNION ALL
   SELECT 'order', o.id, o.name, NULL, o.id, o.name, o.state, p.complete_name, p.city,
          p.zip, p.street, p.phone, o.date_order,
          ARRAY[o.partner_id, o.partner_shipping_id], FALSE,
          (SELECT jsonb_object_agg(l.product_id, %(product)s)
             FROM sale_order_line l
             JOIN product_product pp ON pp.id = l.product_id
             JOIN product_template pt ON pt.id = pp.product_tmpl_id
            WHERE l.order_id = o.id)
     FROM sale_order o
     JOIN res_partner p ON p.id = o.partner_id
    WHERE o.id IN (SELECT id FROM orders) AND o.company_id = %(company)s
      AND o.state = 'sale'
      AND EXISTS (SELECT 1 FROM sale_order_line l
                    JOIN product_product pp ON pp.id = l.product_id
                    JOIN product_template pt ON pt.id = pp.product_tmpl_id
                   WHERE l.order_id = o.id AND pt.type <> 'service')
"""


class SaleReturnCandidates(models.AbstractModel):
    """Service: whose parcel may this be? Ranks returns and orders by the text of a label.

    Numbers are looked up by equality, also in all spellings with one mistake; parts of numbers,
    names and telephones by indexes on groups of three letters. Order lines are only read of the
    orders found that way. Each look-up has a limit, so the size of the tables hardly matters.
    """

    _name = 'sale.return.candidates'
    _description = "Candidates for a Parcel"

    @api.model
    def _find(self, text, company, limit=10):
        """Rank what a label may refer to. The caller has checked that the user is an inspector.

        :param str text: what is written on the label, in any order.
        :param company: `res.company`.
        :return: dicts, see docs/bench.md, the likeliest first.
        :rtype: list
        """
        parts = labels.read(text)
        hits = self._find_codes(parts, company)
        partners = self._find_partners(parts)
        products = self._find_products(parts)
        rows = self._read_documents(hits, partners, products, company)
        ranked = self._rank(rows, parts, hits, partners, products)
        return [self._prepare_candidate(row) for row in ranked[: max(1, min(limit, 50))]]

    # === FIND === #

    @api.model
    def _find_codes(self, parts, company):
        """Find the documents and lots that numbers on the label name.

        :return: `{(kind of document, id): {why: weight}}`, with the kinds return and order.
        :rtype: dict
        """
        exact = {s: code for code in parts.codes for s in spellings(code)}
        close = {s: code for code in parts.codes for s in labels.near(code.upper())}
        pieces = [code for code in parts.codes if len(code) >= labels.MIN_PART]
        if not exact:
            return {}
        self.env.flush_all()
        self.env.cr.execute(self._get_code_query(exact, close, pieces, company))
        hits = defaultdict(dict)
        for why, return_id, order_id, matched, rough in self.env.cr.fetchall():
            weight = WEIGHTS[why]
            if rough:
                # The longer the part, the higher the confidence.
                longest = max(
                    (len(p) for p in pieces if p.lower() in (matched or '').lower()), default=0
                )
                weight *= PART * min(1.0, 0.5 + longest / max(len(matched or ''), 1) / 2)
            elif matched not in exact:
                weight *= NEAR
            key = ('return', return_id) if return_id else ('order', order_id)
            hits[key][why] = max(hits[key].get(why, 0.0), weight)
        return hits

    @api.model
    def _get_code_query(self, exact, close, pieces, company):
        """Return the query of documents by numbers: equal, nearly equal, or containing one.

        :return: `SQL` with the columns why, return, order, number, whether it is only a part.
        """
        codes = list({*exact, *close})
        likes = [f'%{escape_psql(piece)}%' for piece in pieces] or ['\x01']
        sources = [
            ('return', 'sale_return', 'name', SQL('id'), SQL('NULL::int')),
            ('return', 'sale_return', 'external_ref', SQL('id'), SQL('NULL::int')),
            ('tracking', 'sale_return', 'tracking_ref', SQL('id'), SQL('NULL::int')),
            ('order', 'sale_order', 'name', SQL('NULL::int'), SQL('id')),
            ('customer_ref', 'sale_order', 'client_order_ref', SQL('NULL::int'), SQL('id')),
            ('order', 'stock_picking', 'name', SQL('sale_return_id'), SQL('sale_id')),
        ]
        if 'carrier_tracking_ref' in self.env['stock.picking']._fields:
            sources.append(
                (
                    'tracking',
                    'stock_picking',
                    'carrier_tracking_ref',
                    SQL('sale_return_id'),
                    SQL('sale_id'),
                )
            )
        parts = []
        for why, table, column, return_id, order_id in sources:
            for condition, rough in (
                (SQL("%s = ANY(%s)", SQL.identifier(column), codes), False),
                (SQL("%s LIKE ANY(%s)", SQL.identifier(column), likes), True),
            ):
                parts.append(
                    SQL(
                        """(SELECT %s, %s, %s, %s, %s FROM %s
                             WHERE %s AND company_id = %s LIMIT %s)""",
                        why,
                        return_id,
                        order_id,
                        SQL.identifier(column),
                        rough,
                        SQL.identifier(table),
                        condition,
                        company.id,
                        MAX_HITS,
                    )
                )
        parts += self._get_lot_queries(codes, likes, company)
        return SQL(" UNION ALL ").join(parts)

    @api.model
    def _get_lot_queries(self, codes, likes, company):
        """Return the queries of the orders that lots and serial numbers were delivered with."""
        parts = []
        for condition, rough in (
            (SQL("name = ANY(%s)", codes), False),
            (SQL("name LIKE ANY(%s)", likes), True),
        ):
            parts.append(
                SQL(
                    """(SELECT 'serial', NULL::int, o.order_id, lot.name, %s
                          FROM (SELECT id, name FROM stock_lot WHERE %s
                                   AND COALESCE(company_id, %s) = %s LIMIT %s) lot
                          JOIN LATERAL (
                               SELECT sl.order_id FROM stock_move_line ml
                                 JOIN stock_move m ON m.id = ml.move_id
                                 JOIN sale_order_line sl ON sl.id = m.sale_line_id
                                WHERE ml.lot_id = lot.id AND ml.state = 'done'
                                  AND sl.company_id = %s
                             ORDER BY ml.id DESC LIMIT 2) o ON TRUE)""",
                    rough,
                    condition,
                    company.id,
                    company.id,
                    MAX_HITS,
                    company.id,
                )
            )
        return parts

    @api.model
    def _find_partners(self, parts):
        """Find the customers that names, telephones and e-mails on the label may refer to.

        :return: `{partner id: {why: weight}}`
        :rtype: dict
        """
        queries = [
            SQL(
                """(SELECT 'phone', id, %s, 1.0 FROM res_partner
                     WHERE phone IS NOT NULL AND %s LIKE %s LIMIT %s)""",
                digits,
                SQL(r"regexp_replace(phone, '\D', '', 'g')"),
                f'%{labels.get_phone_part(digits)}%',
                MAX_HITS,
            )
            for digits in parts.phones
        ]
        if parts.emails:
            queries.append(
                SQL(
                    """(SELECT 'email', id, email_normalized, 1.0 FROM res_partner
                         WHERE email_normalized = ANY(%s) LIMIT %s)""",
                    parts.emails,
                    MAX_HITS,
                )
            )
        for name in parts.names:
            queries.append(self._get_name_query(name))
        result = defaultdict(dict)
        if not queries:
            return result
        self.env.cr.execute(SQL(" UNION ALL ").join(queries))
        for why, partner_id, matched, likeness in self.env.cr.fetchall():
            weight = WEIGHTS[why] * likeness
            if why == 'phone':
                weight *= min(1.0, 0.4 + len(matched) / 10 * 0.6)
            hints = result[partner_id]
            hints[why] = max(hints.get(why, 0.0), weight)
        return result

    @api.model
    def _get_name_query(self, name):
        """Return the query of partners with a name like this one."""
        if not self.env.registry.has_trigram:
            return SQL(
                """(SELECT 'name', id, complete_name, 0.8 FROM res_partner
                     WHERE complete_name ILIKE %s LIMIT %s)""",
                f'%{escape_psql(name)}%',
                MAX_HITS,
            )
        return SQL(
            """(SELECT 'name', id, complete_name, similarity(complete_name, %(name)s)
                  FROM res_partner
                 WHERE complete_name %% %(name)s AND active
              ORDER BY similarity(complete_name, %(name)s) DESC LIMIT %(limit)s)""",
            name=name,
            limit=MAX_HITS,
        )

    @api.model
    def _find_products(self, parts):
        """Find products by barcode, reference or name.

        :return: `{product id: weight}`
        :rtype: dict
        """
        # sudo: names of products only; what is shown is checked by company.
        products = self.env['product.product'].sudo()
        codes = [s for code in parts.codes for s in spellings(code)]
        found = (
            products.search(
                ['|', ('barcode', 'in', codes), ('default_code', 'in', codes)], limit=MAX_PRODUCTS
            )
            if codes
            else products
        )
        result = dict.fromkeys(found.ids, 1.0)
        for name in [*parts.names[:3], *[w for w in parts.words if len(w) > 3][:4]]:
            # A few words of one label, each answered by an index.
            for product_id in products.search([('name', 'ilike', name)], limit=MAX_PRODUCTS).ids:
                result.setdefault(product_id, 1.0 if ' ' in name else 0.8)
        return result

    # === READ === #

    @api.model
    def _read_documents(self, hits, partners, products, company):
        """Read the orders and returns that the hints lead to, in one query.

        :return: dicts of documents.
        :rtype: list
        """
        self.env.cr.execute(
            SQL(
                DOCUMENTS_QUERY,
                orders=[key[1] for key in hits if key[0] == 'order'],
                returns=[key[1] for key in hits if key[0] == 'return'],
                partners=list(partners),
                products=list(products),
                company=company.id,
                per_partner=MAX_ORDERS_OF_PARTNER,
                limit=MAX_HITS,
                product=self.env['sale.return.bench.facts']._translated('pt', 'name'),
            )
        )
        return self.env.cr.dictfetchall()

    # === RANK === #

    @api.model
    def _rank(self, rows, parts, hits, partners, products):
        """Order documents by how likely they are; each gets `score` and `why`.

        :return: rows with at least one hint, the likeliest first, an order after its waiting
            return.
        :rtype: list
        """
        waiting_orders = {row['order_id'] for row in rows if row['waiting']}
        best = {}
        for row in rows:
            hints = self._get_hints(row, parts, hits, partners, products)
            if not hints:
                continue
            row['why'] = sorted(hints, key=hints.get, reverse=True)
            row['score'] = labels.combine(hints.values())
            if row['waiting']:
                row['score'] = labels.combine([row['score'], WAITING_BONUS])
            elif row['kind'] == 'return' or row['order_id'] in waiting_orders:
                row['score'] *= 0.9  # finished, or its return is expected
            key = (row['kind'], row['id'])
            if key not in best or best[key]['score'] < row['score']:
                best[key] = row
        return sorted(
            best.values(), key=lambda row: (round(row['score'], 4), str(row['date'])), reverse=True
        )

    @api.model
    def _get_hints(self, row, parts, hits, partners, products):
        """Return the hints for a document, `{why: weight}`. Override to add hints."""
        hints = dict(hits.get((row['kind'], row['id']), {}))
        for why, weight in hits.get(('order', row['order_id']), {}).items():
            hints[why] = max(hints.get(why, 0.0), weight)
        if row['kind'] == 'order':
            hints.pop('return', None)
        for partner_id in set(row['partner_ids']):
            for why, weight in partners.get(partner_id, {}).items():
                hints[why] = max(hints.get(why, 0.0), weight)
        mine = [products[int(key)] for key in row['products'] or {} if int(key) in products]
        if mine:
            hints['product'] = WEIGHTS['product'] * max(mine)
        if hints.keys() - {'product'}:
            words = {*parts.words, *parts.codes}
            place = [row['city'] or '', row['zip'] or '', *(row['street'] or '').split()]
            found = {word for value in place for word in (value, value.lower()) if len(word) > 2}
            if found & words:
                hints['address'] = WEIGHTS['address']
        return hints

    @api.model
    def _prepare_candidate(self, row):
        """Prepare the result for the client. Override to add entries.

        Of the telephone only the end is shown: enough to compare it with the label.
        """
        digits = ''.join(c for c in row['phone'] or '' if c.isdigit())
        return {
            'kind': row['kind'],
            'id': row['id'],
            'name': row['name'],
            'return_id': row['return_id'] or None,
            'order_id': row['order_id'],
            'order': row['order'],
            'partner': row['partner'],
            'city': row['city'] or None,
            'phone': f"…{digits[-4:]}" if digits else None,
            'date': row['date'] and str(row['date'])[:10],
            'state': row['state'],
            'score': round(row['score'], 3),
            'why': row['why'],
            'products': list((row['products'] or {}).values())[:5],
            'can_attach': bool(row['waiting']),
        }
