from odoo import api, fields, models
from odoo.tools import SQL

from .const import QUARANTINE_AGES, QUARANTINE_STATES


class SaleReturnQuarantineReport(models.Model):
    """What is in quarantine: since when, why, for which return, and what it waits for.

    The rows add up to the stock (`stock.quant`) of the quarantines. Quantities that moves assign to
    returns and discrepancies are subtracted from the stock; the rest belongs to no return.
    """

    _name = 'sale.return.quarantine.report'
    _description = "Quarantine Analysis"
    _auto = False
    _order = 'date, id'
    _rec_name = 'product_id'
    _depends = {
        'stock.quant': ['location_id', 'product_id', 'lot_id', 'owner_id', 'quantity', 'in_date'],
        'stock.move': [
            'state',
            'sale_return_line_id',
            'sale_return_inspection_id',
            'sale_return_discrepancy_id',
            'origin_returned_move_id',
        ],
        'stock.move.line': ['state', 'quantity', 'lot_id', 'owner_id', 'location_id'],
        'stock.warehouse': ['sale_return_loc_id'],
        'sale.return.line': ['qty_to_inspect', 'reason_id'],
        'sale.return.discrepancy': ['qty_here'],
    }

    warehouse_id = fields.Many2one('stock.warehouse', readonly=True)
    company_id = fields.Many2one('res.company', readonly=True)
    location_id = fields.Many2one('stock.location', readonly=True)
    product_id = fields.Many2one('product.product', readonly=True)
    product_categ_id = fields.Many2one('product.category', "Product Category", readonly=True)
    product_uom_id = fields.Many2one('uom.uom', "Unit", readonly=True)
    lot_id = fields.Many2one('stock.lot', "Lot/Serial Number", readonly=True)
    owner_id = fields.Many2one('res.partner', "Goods Owner", readonly=True)
    state = fields.Selection(QUARANTINE_STATES, "Waits for", readonly=True)
    return_id = fields.Many2one('sale.return', readonly=True)
    partner_id = fields.Many2one('res.partner', "Customer", readonly=True)
    reason_id = fields.Many2one('sale.return.reason', readonly=True)
    discrepancy_id = fields.Many2one('sale.return.discrepancy', readonly=True)
    date = fields.Datetime("Here since", readonly=True)
    age_days = fields.Integer("Days Here", readonly=True, aggregator='avg')
    age = fields.Selection(QUARANTINE_AGES, readonly=True)
    quantity = fields.Float(
        digits='Product Unit', readonly=True, help="In the unit of the product."
    )
    currency_id = fields.Many2one(related='company_id.currency_id')
    value = fields.Monetary(
        compute='_compute_value',
        aggregator='sum',
        help="Value of the stock; the customer's property has no value for us.",
        groups='stock.group_stock_manager,account.group_account_readonly,sale_return.group_manager',
    )

    @api.depends('quantity', 'product_id', 'lot_id', 'owner_id', 'company_id')
    def _compute_value(self):
        for company, rows in self.grouped('company_id').items():
            # sudo: users who may see the value of the quarantine need not see all stock.
            by_lot = rows.filtered(lambda row: row.lot_id and row.product_id.sudo().lot_valuated)
            products = (rows - by_lot).product_id.sudo().with_company(company)
            averages = products._get_average_values()
            for row in rows:
                if row.owner_id and row.owner_id != company.partner_id:
                    row.value = 0.0
                elif row in by_lot:
                    lot = row.lot_id.sudo().with_company(company)
                    row.value = row.quantity * lot.total_value / (lot.product_qty or 1.0)
                else:
                    row.value = row.quantity * averages[row.product_id.id]

    def _read_group_select(self, aggregate_spec, query):
        """Override of `base`, as in `stock.quant`: the value is added up from the rows."""
        if aggregate_spec in ('value:sum', 'value:sum_currency'):
            return super()._read_group_select('id:recordset', query)
        return super()._read_group_select(aggregate_spec, query)

    def _read_group_postprocess_aggregate(self, aggregate_spec, raw_values):
        """Override of `base`: see `_read_group_select`."""
        if aggregate_spec in ('value:sum', 'value:sum_currency'):
            column = super()._read_group_postprocess_aggregate('id:recordset', raw_values)
            return (sum(records.mapped('value')) for records in column)
        return super()._read_group_postprocess_aggregate(aggregate_spec, raw_values)

    # === QUERY === #

    @property
    def _table_query(self):
        return SQL(
            """
            WITH %(places)s, %(quants)s, %(moves)s,
                 %(moved)s, %(known)s, %(rows)s
            SELECT ROW_NUMBER() OVER (
                       ORDER BY row.location_id, row.product_id, row.lot_id, row.owner_id,
                                row.state, row.line_id, row.discrepancy_id
                   ) AS id,
                   place.warehouse_id, place.company_id, row.location_id, row.product_id,
                   template.categ_id AS product_categ_id, template.uom_id AS product_uom_id,
                   row.lot_id, row.owner_id, row.state, row.discrepancy_id, row.date, row.quantity,
                   COALESCE(line.return_id, discrepancy.return_id) AS return_id,
                   COALESCE(line.partner_id, discrepancy.partner_id) AS partner_id,
                   COALESCE(line.reason_id, wrong.reason_id) AS reason_id,
                   EXTRACT(DAY FROM now() AT TIME ZONE 'UTC' - row.date)::integer AS age_days,
                   CASE WHEN row.date > now() AT TIME ZONE 'UTC' - interval '3 days' THEN 'd02'
                        WHEN row.date > now() AT TIME ZONE 'UTC' - interval '8 days' THEN 'd07'
                        WHEN row.date > now() AT TIME ZONE 'UTC' - interval '15 days' THEN 'd14'
                        WHEN row.date > now() AT TIME ZONE 'UTC' - interval '31 days' THEN 'd30'
                        ELSE 'older'
                   END AS age
              FROM rows AS row
              JOIN places AS place ON place.location_id = row.location_id
              JOIN product_product AS product ON product.id = row.product_id
              JOIN product_template AS template ON template.id = product.product_tmpl_id
         LEFT JOIN sale_return_line AS line ON line.id = row.line_id
         LEFT JOIN sale_return_discrepancy AS discrepancy ON discrepancy.id = row.discrepancy_id
         LEFT JOIN sale_return_line AS wrong ON wrong.id = discrepancy.line_id
            """,
            places=self._get_places_query(),
            quants=self._get_quants_query(),
            moves=self._get_moves_query(),
            moved=self._get_moved_query(),
            known=self._get_known_query(),
            rows=self._get_rows_query(),
        )

    @api.model
    def _get_places_query(self):
        """Return the quarantines of the warehouses, and the shelves in them."""
        return SQL(
            """
            places AS (
                SELECT location.id AS location_id, warehouse.id AS warehouse_id,
                       warehouse.company_id
                  FROM stock_warehouse AS warehouse
                  JOIN stock_location AS quarantine ON quarantine.id = warehouse.sale_return_loc_id
                  JOIN stock_location AS location
                    ON location.parent_path LIKE quarantine.parent_path || '%%'
            )"""
        )

    @api.model
    def _get_quants_query(self):
        """Return the stock in quarantine."""
        return SQL(
            """
            quants AS (
                SELECT quant.location_id, quant.product_id, quant.lot_id, quant.owner_id,
                       SUM(quant.quantity) AS quantity, MIN(quant.in_date) AS date
                  FROM stock_quant AS quant
                  JOIN places ON places.location_id = quant.location_id
              GROUP BY quant.location_id, quant.product_id, quant.lot_id, quant.owner_id
            )"""
        )

    @api.model
    def _get_moves_query(self):
        """Return the moves of returns with goods in quarantine, or about to leave it.

        Moves that undo a receipt name no return line, but their origin does.
        """
        return SQL(
            """
            involved AS (
                SELECT id FROM sale_return_line WHERE qty_to_inspect > 0
                 UNION
                SELECT sale_return_line_id
                  FROM stock_move
                 WHERE sale_return_inspection_id IS NOT NULL
                   AND state NOT IN ('done', 'cancel')
            ),
            moves AS (
                SELECT move.id, move.state, involved.id AS line_id,
                       NULL::integer AS discrepancy_id,
                       move.sale_return_inspection_id IS NOT NULL AS inspected
                  FROM stock_move AS move
                  JOIN involved ON involved.id = move.sale_return_line_id
                 WHERE move.state != 'cancel'
             UNION ALL
                SELECT undo.id, undo.state, involved.id, NULL, FALSE
                  FROM stock_move AS receipt
                  JOIN involved ON involved.id = receipt.sale_return_line_id
                  JOIN stock_move AS undo ON undo.origin_returned_move_id = receipt.id
                 WHERE undo.state = 'done' AND undo.sale_return_line_id IS NULL
             UNION ALL
                SELECT move.id, move.state, NULL, discrepancy.id, FALSE
                  FROM stock_move AS move
                  JOIN sale_return_discrepancy AS discrepancy
                    ON discrepancy.id = move.sale_return_discrepancy_id
                 WHERE discrepancy.qty_here > 0
                   AND move.state = 'done' AND move.sale_return_line_id IS NULL
            )"""
        )

    @api.model
    def _get_moved_query(self):
        """Return what these moves brought into quarantine and took out of it, by location."""
        return SQL(
            """
            moved AS (
                SELECT places.location_id, detail.product_id, detail.lot_id, detail.owner_id,
                       moves.line_id, moves.discrepancy_id,
                       SUM(CASE WHEN moves.state != 'done' THEN 0
                                WHEN detail.location_dest_id = places.location_id
                                THEN detail.quantity_product_uom
                                ELSE -detail.quantity_product_uom END) AS quantity,
                       SUM(CASE WHEN moves.state != 'done' AND moves.inspected
                                 AND detail.location_id = places.location_id
                                THEN detail.quantity_product_uom ELSE 0 END) AS leaving,
                       MIN(CASE WHEN moves.state = 'done' AND NOT moves.inspected
                                 AND detail.location_dest_id = places.location_id
                                THEN detail.date END) AS date
                  FROM moves
                  -- Few moves of many: OFFSET keeps PostgreSQL from reading all details, which it
                  -- prefers where it cannot know how few they are.
                  JOIN LATERAL (
                      SELECT * FROM stock_move_line WHERE move_id = moves.id OFFSET 0
                  ) AS detail ON TRUE
                  JOIN places
                    ON places.location_id IN (detail.location_id, detail.location_dest_id)
                 WHERE detail.location_id != detail.location_dest_id
              GROUP BY places.location_id, detail.product_id, detail.lot_id, detail.owner_id,
                       moves.line_id, moves.discrepancy_id
            )"""
        )

    @api.model
    def _get_known_query(self):
        """Return the stock that belongs to a return, by what it waits for."""
        return SQL(
            """
            known AS (
                SELECT location_id, product_id, lot_id, owner_id, line_id, discrepancy_id, date,
                       'inspection' AS state, quantity - leaving AS quantity
                  FROM moved WHERE line_id IS NOT NULL
             UNION ALL
                SELECT location_id, product_id, lot_id, owner_id, line_id, discrepancy_id, date,
                       'transfer', leaving
                  FROM moved WHERE line_id IS NOT NULL
             UNION ALL
                SELECT location_id, product_id, lot_id, owner_id, line_id, discrepancy_id, date,
                       'customer', quantity
                  FROM moved WHERE discrepancy_id IS NOT NULL
            )"""
        )

    @api.model
    def _get_rows_query(self):
        """Return the rows: stock of returns, and the rest of the stock."""
        return SQL(
            """
            rows AS (
                SELECT location_id, product_id, lot_id, owner_id, line_id, discrepancy_id, date,
                       state, quantity
                  FROM known WHERE ROUND(quantity::numeric, 6) != 0
             UNION ALL
                SELECT location_id, product_id, lot_id, owner_id, NULL, NULL, MIN(date),
                       CASE WHEN owner_id IS NULL THEN 'other' ELSE 'customer' END, SUM(quantity)
                  FROM (
                      SELECT location_id, product_id, lot_id, owner_id, date, quantity FROM quants
                   UNION ALL
                      SELECT location_id, product_id, lot_id, owner_id, NULL, -quantity FROM known
                  ) AS parts
              GROUP BY location_id, product_id, lot_id, owner_id
                HAVING ROUND(SUM(quantity)::numeric, 6) != 0
            )"""
        )

    def action_open_document(self):
        """Open the discrepancy or the return that the goods belong to."""
        self.ensure_one()
        return (self.discrepancy_id or self.return_id)._get_records_action()
