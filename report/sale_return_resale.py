from odoo import fields, models
from odoo.tools import SQL

from .sale_return_report import get_rate


class SaleReturnResale(models.Model):
    """What happened to restocked goods: when they were sold again, and for how much."""

    _name = 'sale.return.resale'
    _description = "Resale of Returned Goods"
    _auto = False
    _rec_name = 'product_id'
    _order = 'date_restock desc, id desc'
    # Fields to be flushed to the database before reading.
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
    grade_id = fields.Many2one('sale.return.grade', string="Condition", readonly=True)
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
        "Days to Resale (median)",
        readonly=True,
        aggregator='avg',
        help="Median: half was sold sooner.",
    )
    days_in_stock = fields.Float(
        readonly=True,
        aggregator='avg',
        help="From restocking to resale, or until today if not sold again.",
    )
    quantity = fields.Float(digits='Product Unit', readonly=True)
    qty_resold = fields.Float("Sold again Qty", digits='Product Unit', readonly=True)
    value_resold = fields.Monetary(
        readonly=True,
        help="Net price at which it was sold again: that of the next delivery's order, at its "
        "rate.",
    )
    rate_resold = fields.Float(
        "Resale Rate", readonly=True, aggregator='avg', help="Sold again ÷ restocked quantity."
    )

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT fact.id, fact.company_id, company.currency_id, fact.return_id,
                   fact.return_line_id, fact.product_id, template.categ_id,
                   lot.id AS lot_id, fact.grade_id, fact.date_receipt,
                   fact.date_restock, fact.quantity, fact.date_resale,
                   CASE WHEN fact.lot_id IS NULL THEN 'fifo' ELSE 'lot' END AS basis,
                   fact.date_resale IS NOT NULL AS is_resold,
                   EXTRACT(EPOCH FROM fact.date_restock - fact.date_receipt)::float8 / 86400
                       AS days_to_restock,
                   EXTRACT(EPOCH FROM fact.date_resale - fact.date_receipt)::float8 / 86400
                       AS days_to_resale,
                   EXTRACT(EPOCH FROM fact.date_resale - fact.date_receipt)::float8 / 86400
                       AS days_to_resale_median,
                   EXTRACT(EPOCH FROM
                       COALESCE(fact.date_resale, NOW() AT TIME ZONE 'UTC') - fact.date_restock
                   )::float8 / 86400 AS days_in_stock,
                   CASE WHEN fact.date_resale IS NULL THEN 0 ELSE fact.quantity END AS qty_resold,
                   CASE WHEN fact.date_resale IS NULL THEN 0 ELSE fact.quantity END
                   * sale_line.price_subtotal
                   / NULLIF(
                       sale_line.product_uom_qty * sale_uom.factor / product_uom.factor, 0
                   ) / COALESCE(NULLIF(sale_order.currency_rate, 0), 1) AS value_resold,
                   NULL::float8 AS rate_resold
              FROM (%(facts)s) AS fact
         LEFT JOIN res_company AS company ON company.id = fact.company_id
         LEFT JOIN product_product AS product ON product.id = fact.product_id
         LEFT JOIN product_template AS template ON template.id = product.product_tmpl_id
         LEFT JOIN uom_uom AS product_uom ON product_uom.id = template.uom_id
         LEFT JOIN stock_lot AS lot ON lot.id = fact.lot_id
         LEFT JOIN sale_order_line AS sale_line ON sale_line.id = fact.sale_line_id
         LEFT JOIN sale_order ON sale_order.id = sale_line.order_id
         LEFT JOIN uom_uom AS sale_uom ON sale_uom.id = sale_line.product_uom_id
            """,
            facts=self.env['sale.return.resale.fact']._get_query(),
        )

    def _read_group_select(self, aggregate_spec, query):
        """Override of `base`: the rate is of the sums of a group, the median of its values."""
        if aggregate_spec == 'rate_resold:avg':
            return get_rate(
                SQL("SUM(%s)", self._field_to_sql(self._table, 'qty_resold', query)),
                SQL("SUM(%s)", self._field_to_sql(self._table, 'quantity', query)),
            )
        if aggregate_spec == 'days_to_resale_median:avg':
            return SQL(
                "PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY %s)",
                self._field_to_sql(self._table, 'days_to_resale', query),
            )
        return super()._read_group_select(aggregate_spec, query)
