from odoo import fields, models
from odoo.tools import SQL

from ..hooks import _get_customer_locations

RESALE = """
    WITH restocked AS (
        SELECT move.id,
               inspection.company_id,
               company.currency_id,
               inspection.return_id,
               inspection.line_id AS return_line_id,
               inspection.product_id,
               template.categ_id,
               inspection.lot_id,
               inspection.grade_id,
               receipt.date AS date_receipt,
               move.date AS date_restock,
               move.quantity * move_uom.factor / product_uom.factor AS quantity
          FROM stock_move AS move
          JOIN sale_return_inspection AS inspection
            ON inspection.id = move.sale_return_inspection_id
          JOIN sale_return_disposition AS disposition ON disposition.id = inspection.disposition_id
          JOIN res_company AS company ON company.id = inspection.company_id
          JOIN product_product AS product ON product.id = inspection.product_id
          JOIN product_template AS template ON template.id = product.product_tmpl_id
          JOIN uom_uom AS product_uom ON product_uom.id = template.uom_id
          JOIN uom_uom AS move_uom ON move_uom.id = move.product_uom
     LEFT JOIN LATERAL (
               SELECT MIN(back.date) AS date
                 FROM stock_move AS back
                WHERE back.sale_return_line_id = inspection.line_id
                  AND back.sale_return_inspection_id IS NULL
                  AND back.state = 'done'
                  AND back.location_id IN (%(customer_locations)s)
               ) AS receipt ON TRUE
         WHERE move.state = 'done'
           AND move.quantity > 0
           AND move.product_id = inspection.product_id
           AND disposition.action = 'restock'
           AND inspection.quantity > 0
    ),
    -- Into and out of where goods are sold from, of products that were restocked.
    flow AS (
        SELECT move.id,
               move.product_id,
               move.company_id,
               move.date,
               move.sale_line_id,
               CASE WHEN source.is_stock THEN -1 ELSE 1 END
               * move.quantity * move_uom.factor / product_uom.factor AS quantity
          FROM stock_move AS move
          JOIN (%(places)s) AS source ON source.id = move.location_id
          JOIN (%(places)s) AS target ON target.id = move.location_dest_id
          JOIN product_product AS product ON product.id = move.product_id
          JOIN product_template AS template ON template.id = product.product_tmpl_id
          JOIN uom_uom AS product_uom ON product_uom.id = template.uom_id
          JOIN uom_uom AS move_uom ON move_uom.id = move.product_uom
         WHERE move.state = 'done'
           AND move.product_id IN (SELECT product_id FROM restocked WHERE lot_id IS NULL)
           AND source.is_stock != target.is_stock
    ),
    counted AS (
        SELECT flow.*,
               SUM(GREATEST(-quantity, 0)) OVER by_time AS gone,
               SUM(quantity) OVER by_time AS net,
               SUM(quantity) OVER (PARTITION BY product_id, company_id) AS net_now
          FROM flow
        WINDOW by_time AS (
                PARTITION BY product_id, company_id ORDER BY date, id
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            )
    ),
    on_hand AS (
        SELECT quant.product_id, quant.company_id, SUM(quant.quantity) AS quantity
          FROM stock_quant AS quant
          JOIN (%(places)s) AS place ON place.id = quant.location_id AND place.is_stock
      GROUP BY quant.product_id, quant.company_id
    ),
    -- First in, first out: what was restocked leaves when all that lay there with it has left.
    queue AS (
        SELECT counted.product_id,
               counted.company_id,
               restocked.id,
               NULL::timestamp AS date,
               NULL::int AS sale_line_id,
               counted.gone + COALESCE(on_hand.quantity, 0) - (counted.net_now - counted.net)
                   AS position
          FROM counted
          JOIN restocked ON restocked.id = counted.id AND restocked.lot_id IS NULL
     LEFT JOIN on_hand ON on_hand.product_id = counted.product_id
                      AND on_hand.company_id = counted.company_id
     UNION ALL
        SELECT product_id, company_id, NULL, date, sale_line_id, gone
          FROM counted
         WHERE quantity < 0
    ),
    fifo AS (
        SELECT id,
               MIN(date) OVER ahead AS date,
               MIN(ARRAY[number, sale_line_id]) FILTER (WHERE id IS NULL) OVER ahead AS sale
          FROM (
                SELECT queue.*,
                       ROW_NUMBER() OVER (
                           PARTITION BY product_id, company_id ORDER BY position, date NULLS FIRST
                       ) AS number
                  FROM queue
               ) AS numbered
        WINDOW ahead AS (
                PARTITION BY product_id, company_id ORDER BY position, date NULLS FIRST
                ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
            )
    ),
    -- The sale that each restocked quantity went to: of its lot, else first in, first out.
    resold AS (
        SELECT restocked.*,
               COALESCE(
                   by_lot.date, CASE WHEN fifo.sale[2] IS NOT NULL THEN fifo.date END
               ) AS date_resale,
               COALESCE(by_lot.sale_line_id, fifo.sale[2]) AS sale_line_id
          FROM restocked
     LEFT JOIN fifo ON fifo.id = restocked.id AND restocked.lot_id IS NULL
     LEFT JOIN LATERAL (
               SELECT move.date, move.sale_line_id
                 FROM stock_move_line AS move_line
                 JOIN stock_move AS move ON move.id = move_line.move_id
                WHERE move_line.lot_id = restocked.lot_id
                  AND move.state = 'done'
                  AND (move.date, move.id) > (restocked.date_restock, restocked.id)
                  AND move.sale_line_id IS NOT NULL
                  AND move.sale_return_inspection_id IS NULL
                  AND move.location_dest_id IN (%(customer_locations)s)
             ORDER BY move.date, move.id
                LIMIT 1
               ) AS by_lot ON restocked.lot_id IS NOT NULL
    )
"""


class SaleReturnResale(models.Model):
    """What became of returned goods that went back to stock: sold again, when, for how much."""

    _name = 'sale.return.resale'
    _description = "Resale of Returned Goods"
    _auto = False
    _rec_name = 'product_id'
    _order = 'date_restock desc, id desc'
    # What has to be written to the database before it is read.
    _depends = {
        'stock.move': [
            'state',
            'date',
            'quantity',
            'product_uom',
            'location_id',
            'location_dest_id',
            'sale_line_id',
            'sale_return_line_id',
            'sale_return_inspection_id',
        ],
        'stock.move.line': ['move_id', 'lot_id'],
        'stock.quant': ['product_id', 'location_id', 'quantity'],
        'sale.return.inspection': ['line_id', 'lot_id', 'disposition_id', 'grade_id', 'quantity'],
        'sale.order.line': ['price_subtotal', 'product_uom_qty', 'product_uom_id'],
    }

    company_id = fields.Many2one('res.company', readonly=True)
    currency_id = fields.Many2one('res.currency', readonly=True)
    return_id = fields.Many2one('sale.return', readonly=True)
    return_line_id = fields.Many2one('sale.return.line', readonly=True)
    product_id = fields.Many2one('product.product', readonly=True)
    categ_id = fields.Many2one('product.category', string="Product Category", readonly=True)
    lot_id = fields.Many2one('stock.lot', string="Lot/Serial Number", readonly=True)
    grade_id = fields.Many2one('sale.return.grade', readonly=True)
    basis = fields.Selection(
        [('lot', "By lot"), ('fifo', "First in, first out")],
        readonly=True,
        help="By lot: the next delivery of this lot or serial number, exact for serial numbers. "
        "First in, first out: goods that cannot be told apart leave in the order they came in.",
    )
    is_resold = fields.Boolean(string="Sold again", readonly=True)
    date_receipt = fields.Datetime(string="Received on", readonly=True)
    date_restock = fields.Datetime(string="Restocked on", readonly=True)
    date_resale = fields.Datetime(string="Sold again on", readonly=True)
    days_to_restock = fields.Float(
        readonly=True, aggregator='avg', help="From the receipt until it could be sold."
    )
    days_to_resale = fields.Float(
        readonly=True, aggregator='avg', help="From the receipt to the next delivery (mean)."
    )
    days_to_resale_median = fields.Float(
        "Days to Resale (median)", readonly=True, aggregator='avg', help="Half was sold sooner."
    )
    days_in_stock = fields.Float(
        readonly=True,
        aggregator='avg',
        help="From the restocking until it was sold again, until today where it was not.",
    )
    quantity = fields.Float(digits='Product Unit', readonly=True)
    qty_resold = fields.Float("Sold again Qty", digits='Product Unit', readonly=True)
    value_resold = fields.Monetary(
        readonly=True,
        help="Sold again for: net price of the order of the next delivery, at its rate.",
    )
    rate_resold = fields.Float(
        "Resale Rate", readonly=True, aggregator='avg', help="Sold again ÷ restocked quantity."
    )

    @property
    def _table_query(self):
        places = SQL(
            """
            SELECT place.id,
                   place.usage IN ('internal', 'transit') AND place.warehouse_id IS NOT NULL
                       AS is_stock
              FROM stock_location AS place
            """
        )
        return SQL(
            """
            %(resale)s
            SELECT resold.id, resold.company_id, resold.currency_id, resold.return_id,
                   resold.return_line_id, resold.product_id, resold.categ_id,
                   resold.lot_id, resold.grade_id, resold.date_receipt,
                   resold.date_restock, resold.quantity, resold.date_resale,
                   CASE WHEN resold.lot_id IS NULL THEN 'fifo' ELSE 'lot' END AS basis,
                   date_resale IS NOT NULL AS is_resold,
                   EXTRACT(EPOCH FROM date_restock - date_receipt)::float8 / 86400
                       AS days_to_restock,
                   EXTRACT(EPOCH FROM date_resale - date_receipt)::float8 / 86400
                       AS days_to_resale,
                   EXTRACT(EPOCH FROM date_resale - date_receipt)::float8 / 86400
                       AS days_to_resale_median,
                   EXTRACT(EPOCH FROM
                       COALESCE(date_resale, NOW() AT TIME ZONE 'UTC') - date_restock
                   )::float8 / 86400 AS days_in_stock,
                   CASE WHEN date_resale IS NULL THEN 0 ELSE resold.quantity END AS qty_resold,
                   CASE WHEN date_resale IS NULL THEN 0 ELSE resold.quantity END
                   * sale_line.price_subtotal
                   / NULLIF(
                       sale_line.product_uom_qty * sale_uom.factor / product_uom.factor, 0
                   ) / COALESCE(NULLIF(sale_order.currency_rate, 0), 1) AS value_resold,
                   NULL::float8 AS rate_resold
              FROM resold
         LEFT JOIN sale_order_line AS sale_line ON sale_line.id = resold.sale_line_id
         LEFT JOIN sale_order ON sale_order.id = sale_line.order_id
         LEFT JOIN product_product AS product ON product.id = sale_line.product_id
         LEFT JOIN product_template AS template ON template.id = product.product_tmpl_id
         LEFT JOIN uom_uom AS product_uom ON product_uom.id = template.uom_id
         LEFT JOIN uom_uom AS sale_uom ON sale_uom.id = sale_line.product_uom_id
            """,
            resale=SQL(RESALE, places=places, customer_locations=_get_customer_locations(self.env)),
        )

    def _read_group_select(self, aggregate_spec, query):
        """Override of `base`: the rate is of the sums of a group, the median of its values."""
        if aggregate_spec == 'rate_resold:avg':
            return SQL(
                "SUM(%s) / NULLIF(SUM(%s), 0)",
                self._field_to_sql(self._table, 'qty_resold', query),
                self._field_to_sql(self._table, 'quantity', query),
            )
        if aggregate_spec == 'days_to_resale_median:avg':
            return SQL(
                "PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY %s)",
                self._field_to_sql(self._table, 'days_to_resale', query),
            )
        return super()._read_group_select(aggregate_spec, query)
