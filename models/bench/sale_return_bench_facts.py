from collections import defaultdict

from odoo import api, models
from odoo.tools import SQL

LINES_QUERY = """
   SELECT l.id AS line_id, l.return_id, l.company_id, l.customer_note,
          l.product_id AS line_product_id,
          l.qty_to_inspect * lu.factor / pu.factor AS qty_to_inspect,
          r.name, r.tracking_ref, r.carrier_name, p.complete_name AS partner,
          o.name AS order_name, %(reason)s AS reason, rs.default_liability AS liability,
          COALESCE(pol.inspection_required, TRUE) AS needs_inspection,
          pp.id AS product_id, g.open_qty,
          g.done_qty - g.inspected_qty AS waiting_component,
          pp.default_code, pp.barcode, %(product)s AS product, pt.tracking,
          %(line_product)s AS line_product,
          pt.categ_id, c.parent_path, %(uom)s AS uom,
          CASE WHEN w.id IS NULL THEN NULL ELSE jsonb_build_object(
               'work_id', w.id, 'session_id', w.session_id, 'since', w.date_start,
               'user', up.name) END AS held,
          (SELECT string_agg(%(value)s, ', ' ORDER BY ptav.id)
             FROM product_variant_combination pvc
             JOIN product_template_attribute_value ptav
               ON ptav.id = pvc.product_template_attribute_value_id
             JOIN product_attribute_value v ON v.id = ptav.product_attribute_value_id
            WHERE pvc.product_product_id = pp.id) AS variant,
          (SELECT jsonb_agg(jsonb_build_object(
                       'barcode', pk.barcode, 'quantity', ku.factor / pu.factor))
             FROM product_uom pk JOIN uom_uom ku ON ku.id = pk.uom_id
            WHERE pk.product_id = pp.id) AS packs
     FROM sale_return_line l
     JOIN sale_return r ON r.id = l.return_id
     JOIN res_partner p ON p.id = r.partner_id
     JOIN sale_return_reason rs ON rs.id = l.reason_id
     JOIN product_product lp ON lp.id = l.product_id
     JOIN product_template lpt ON lpt.id = lp.product_tmpl_id
     JOIN uom_uom lu ON lu.id = l.product_uom_id
LEFT JOIN sale_return_policy pol ON pol.id = l.policy_id
LEFT JOIN sale_order o ON o.id = l.order_id
LEFT JOIN sale_return_bench_work w ON w.return_id = r.id
LEFT JOIN sale_return_bench_session ws ON ws.id = w.session_id
LEFT JOIN res_users u ON u.id = ws.user_id
LEFT JOIN res_partner up ON up.id = u.partner_id
LEFT JOIN LATERAL (
          SELECT m.product_id,
                 SUM(m.product_qty) FILTER (WHERE m.state <> 'done') AS open_qty,
                 COALESCE(SUM(m.product_qty) FILTER (WHERE m.state = 'done'), 0)
                     AS done_qty,
                 COALESCE((SELECT SUM(i.component_qty) FROM sale_return_inspection i
                    WHERE i.line_id = l.id AND i.component_id = m.product_id), 0)
                     AS inspected_qty
            FROM stock_move m
            JOIN stock_location s ON s.id = m.location_id
           WHERE m.sale_return_line_id = l.id
             AND m.sale_return_inspection_id IS NULL
             AND m.state <> 'cancel'
             AND s.usage IN ('customer', 'transit')
        GROUP BY m.product_id) g ON TRUE
     JOIN product_product pp ON pp.id = COALESCE(g.product_id, l.product_id)
     JOIN product_template pt ON pt.id = pp.product_tmpl_id
     JOIN uom_uom pu ON pu.id = pt.uom_id
LEFT JOIN product_category c ON c.id = pt.categ_id
    WHERE l.return_id IN %(ids)s AND l.return_expected
 ORDER BY l.id, pp.id
"""


class SaleReturnBenchFacts(models.AbstractModel):
    """Service: read everything that scans of returns need, in two queries.

    A scan may use at most ten queries, and names of products alone would take five. The data read
    here guides the operator. Correctness is checked when the parcel is finished, by the services
    that receive and inspect.
    """

    _name = 'sale.return.bench.facts'
    _description = "Facts for the Bench"

    @api.model
    def _read(self, returns):
        """Read what is expected of returns.

        :param returns: `sale.return` records, in superuser mode.
        :return: `{return id: facts}`, see `_prepare_facts`.
        :rtype: dict
        """
        self.env.flush_all()
        self.env.cr.execute(self._get_query(returns))
        rows = self.env.cr.dictfetchall()
        lots = self._read_lots([row['line_id'] for row in rows if row['tracking'] != 'none'])
        by_return = defaultdict(list)
        for row in rows:
            by_return[row['return_id']].append(row)
        return {
            return_id: self._prepare_facts(group, lots) for return_id, group in by_return.items()
        }

    @api.model
    def _prepare_facts(self, rows, lots):
        """Prepare the stored facts of one return. Override to add values.

        :param list rows: result of the query, one for each line and product.
        :param dict lots: `{(line id, product id): {name: lot id}}`
        :rtype: dict
        """
        head = rows[0]
        return {
            'id': head['return_id'],
            'name': head['name'],
            'partner': head['partner'],
            'tracking': head['tracking_ref'],
            'carrier': head['carrier_name'],
            'held': head['held'],
            # What the operator should know of the parcel before they open it.
            'remark': None,
            'orders': list(dict.fromkeys(row['order_name'] for row in rows if row['order_name'])),
            'lines': [
                self._prepare_line_facts(row, lots[row['line_id'], row['product_id']])
                for row in rows
                if row['product_id']
            ],
        }

    @api.model
    def _prepare_line_facts(self, row, lots):
        """Prepare the stored facts of one line and product. Override to add values."""
        codes = {code: 1.0 for code in (row['barcode'], row['default_code']) if code}
        codes |= {pack['barcode']: pack['quantity'] for pack in row['packs'] or []}
        is_kit = row['product_id'] != row['line_product_id']
        waiting = row['qty_to_inspect'] if not is_kit else row['waiting_component']
        name = (
            f"[{row['default_code']}] {row['product']}" if row['default_code'] else row['product']
        )
        return {
            'key': f"{row['line_id']}:{row['product_id']}",
            'line_id': row['line_id'],
            'product_id': row['product_id'],
            'product': name + (f" ({row['variant']})" if row['variant'] else ""),
            'order': row['order_name'],
            'barcode': row['barcode'],
            'uom': row['uom'],
            'tracking': row['tracking'],
            'kit': row['line_product'] if is_kit else None,
            'expected': round((row['open_qty'] or 0.0) + max(waiting or 0.0, 0.0), 6),
            'reason': row['reason'],
            'note': row['customer_note'],
            'liability': row['liability'],
            'needs_inspection': row['needs_inspection'],
            'categ': [row['categ_id'], row['parent_path'], row['company_id']],
            'codes': codes,
            'serials': lots,
        }

    @api.model
    def _get_query(self, returns):
        """Return the query of lines, their goods, and what identifies these."""
        return SQL(
            LINES_QUERY,
            ids=tuple(returns.ids) or (0,),
            reason=self._translated('rs', 'name'),
            product=self._translated('pt', 'name'),
            line_product=self._translated('lpt', 'name'),
            uom=self._translated('pu', 'name'),
            value=self._translated('v', 'name'),
        )

    @api.model
    def _translated(self, alias, column):
        """Return the SQL of a translated column in the language of the user."""
        name = SQL.identifier(alias, column)
        return SQL("COALESCE(%s->>%s, %s->>'en_US')", name, self.env.lang or 'en_US', name)

    @api.model
    def _read_lots(self, line_ids):
        """Read which lots may come with lines: with the customer, or here and not inspected.

        :return: `{(line id, product id): {name: lot id}}`
        :rtype: dict
        """
        result = defaultdict(dict)
        if not line_ids:
            return result
        self.env.cr.execute(
            SQL(
                """
                SELECT l.id, ml.product_id, lot.name, lot.id AS lot_id
                  FROM sale_return_line l
                  JOIN LATERAL (
                       SELECT id FROM stock_move
                        WHERE sale_line_id = l.sale_line_id AND state = 'done'
                        UNION
                       SELECT id FROM stock_move
                        WHERE sale_return_line_id = l.id AND state = 'done') mine ON TRUE
                  JOIN stock_move m ON m.id = mine.id
                  JOIN stock_move_line ml ON ml.move_id = m.id
                  JOIN stock_lot lot ON lot.id = ml.lot_id
                  JOIN stock_location s ON s.id = m.location_id
                  JOIN stock_location d ON d.id = m.location_dest_id
                 WHERE l.id IN %(ids)s
              GROUP BY l.id, ml.product_id, lot.id
                HAVING SUM(CASE
                    -- to the customer, back from them, and out of quarantine
                    WHEN m.sale_return_inspection_id IS NOT NULL THEN -ml.quantity_product_uom
                    WHEN d.usage IN ('customer', 'transit') THEN ml.quantity_product_uom
                    WHEN s.usage IN ('customer', 'transit') AND m.sale_return_line_id = l.id THEN 0
                    WHEN s.usage IN ('customer', 'transit') THEN -ml.quantity_product_uom
                    ELSE 0 END) > 0
              ORDER BY lot.name
                """,
                ids=tuple(set(line_ids)),
            )
        )
        for line_id, product_id, name, lot_id in self.env.cr.fetchall():
            result[line_id, product_id][name] = lot_id
        return result
