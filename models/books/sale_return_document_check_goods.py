from odoo import api, models
from odoo.tools import SQL


class SaleReturnDocumentCheck(models.AbstractModel):
    """Adds goods that contradict the return, the order or the transfer that they belong to."""

    _inherit = 'sale.return.document.check'

    # === GOODS === #

    @api.model
    def _get_receipts(self):
        """Return the receipts of return lines that are no surplus, as a part of a query."""
        return SQL(
            """chosen
               JOIN stock_move move ON move.sale_return_line_id = chosen.id
                AND move.state = 'done' AND move.sale_return_inspection_id IS NULL
                AND move.sale_return_discrepancy_id IS NULL
               JOIN stock_location source ON source.id = move.location_id
                AND source.usage = 'customer'"""
        )

    @api.model
    def _get_receipt_queries(self):
        """Return the queries of receipts that contradict what was delivered, or their return."""
        receipts = self._get_receipts()
        return [
            SQL(
                """SELECT 'other_order', NULL, chosen.id
                     FROM %(receipts)s
                LEFT JOIN stock_move origin ON origin.id = move.origin_returned_move_id
                LEFT JOIN stock_picking ON stock_picking.id = move.picking_id
                    WHERE (chosen.sale_line_id IS NOT NULL
                           AND (move.sale_line_id IS DISTINCT FROM chosen.sale_line_id
                                OR origin.sale_line_id <> chosen.sale_line_id))
                       OR stock_picking.sale_return_id <> chosen.return_id""",
                receipts=receipts,
            ),
            SQL(
                """SELECT 'other_product', NULL, chosen.id
                     FROM %(receipts)s
                     JOIN stock_move origin ON origin.id = move.origin_returned_move_id
                    WHERE origin.product_id <> move.product_id""",
                receipts=receipts,
            ),
            SQL(
                """SELECT 'customer', NULL, chosen.id
                     FROM %(receipts)s
                     JOIN stock_picking ON stock_picking.id = move.picking_id
                     JOIN res_partner sender ON sender.id = stock_picking.partner_id
                     JOIN sale_return back ON back.id = chosen.return_id
                     JOIN sale_order_line sold ON sold.id = chosen.sale_line_id
                     JOIN sale_order ON sale_order.id = sold.order_id
                LEFT JOIN stock_move origin ON origin.id = move.origin_returned_move_id
                LEFT JOIN stock_picking delivery ON delivery.id = origin.picking_id
                    WHERE NOT EXISTS (
                          SELECT FROM res_partner known
                           WHERE known.id IN (back.partner_id, delivery.partner_id,
                                 sale_order.partner_id, sale_order.partner_shipping_id,
                                 sale_order.partner_invoice_id)
                             AND known.commercial_partner_id = sender.commercial_partner_id)""",
                receipts=receipts,
            ),
            SQL(
                """SELECT 'not_counted', NULL, chosen.id
                     FROM %(receipts)s
                    WHERE NOT COALESCE(move.to_refund, FALSE) AND chosen.sale_line_id IS NOT NULL
                      AND chosen.resolution = 'refund' AND chosen.qty_credited_posted > 0.000001""",
                receipts=receipts,
            ),
            SQL(
                """SELECT 'receipt_place', NULL, chosen.id
                     FROM %(receipts)s
                     JOIN stock_location place ON place.id = move.location_dest_id
                    WHERE place.usage IN ('customer', 'inventory', 'production', 'view')""",
                receipts=receipts,
            ),
        ]

    @api.model
    def _get_lot_queries(self):
        """Return the queries of receipts of other goods than those delivered."""
        receipts = self._get_receipts()
        return [
            # What comes back is of the lot, and of the owner, that was delivered.
            SQL(
                """SELECT CASE WHEN delivered.owned THEN 'other_lot' ELSE 'other_owner' END, NULL,
                          chosen.id
                     FROM %(receipts)s
                     JOIN stock_move_line part ON part.move_id = move.id AND part.quantity > 0
                     JOIN LATERAL (
                          SELECT BOOL_OR(sent.lot_id IS NULL OR sent.lot_id = part.lot_id) AS known,
                                 BOOL_OR(sent.owner_id IS NOT DISTINCT FROM part.owner_id) AS owned
                            FROM stock_move delivery
                            JOIN stock_location place ON place.id = delivery.location_dest_id
                             AND place.usage = 'customer'
                            JOIN stock_move_line sent ON sent.move_id = delivery.id
                           WHERE delivery.sale_line_id = chosen.sale_line_id
                             AND delivery.product_id = move.product_id
                             AND delivery.state = 'done') delivered ON TRUE
                    -- Goods to be repaired stay the customer's.
                    WHERE delivered.owned IS NOT NULL AND chosen.resolution <> 'repair'
                      AND NOT (COALESCE(delivered.known, FALSE) AND delivered.owned)""",
                receipts=receipts,
            ),
        ]

    @api.model
    def _get_move_queries(self):
        """Return the queries of moves that contradict themselves, or their return."""
        return [
            SQL(
                """SELECT 'other_order', NULL, chosen.id
                     FROM chosen
                     JOIN stock_move move ON move.sale_return_line_id = chosen.id
                    WHERE move.state = 'done' AND move.sale_return_inspection_id IS NULL
                      AND move.sale_line_id <> chosen.sale_line_id"""
            ),
            SQL(
                """SELECT 'moved_otherwise', NULL, chosen.id
                     FROM chosen
                     JOIN stock_move move ON move.sale_return_line_id = chosen.id
                     JOIN uom_uom unit ON unit.id = move.product_uom
                     JOIN stock_location place ON place.id = move.location_dest_id
                LEFT JOIN LATERAL (
                          SELECT SUM(part.quantity * part_unit.factor / unit.factor) AS quantity,
                                 BOOL_OR(part.product_id <> move.product_id OR part.state <> 'done'
                                     OR NOT ended.parent_path LIKE place.parent_path || '%%')
                                     AS differs
                            FROM stock_move_line part
                            JOIN uom_uom part_unit ON part_unit.id = part.product_uom_id
                            JOIN stock_location ended ON ended.id = part.location_dest_id
                           WHERE part.move_id = move.id) parts ON TRUE
                    WHERE move.state = 'done'
                      AND (parts.differs
                           OR ABS(COALESCE(parts.quantity, 0) - move.quantity) > 0.0051)"""
            ),
            SQL(
                """SELECT 'receipt_date', NULL, chosen.id
                     FROM chosen
                     JOIN stock_move move ON move.sale_return_line_id = chosen.id
                     JOIN stock_move origin ON origin.id = move.origin_returned_move_id
                    WHERE move.state = 'done' AND move.sale_return_inspection_id IS NULL
                      AND (move.date < origin.date OR move.date > now() + INTERVAL '1 day')"""
            ),
        ]

    @api.model
    def _get_quarantine_queries(self):
        """Return the queries of goods that did not go where their inspection says."""
        return [
            # A kit moves as its components: there the two sides count different things.
            SQL(
                """SELECT 'not_in_its_place', NULL, judged.line_id
                     FROM (SELECT result.line_id, SUM(result.quantity) AS quantity
                             FROM sale_return_inspection result
                             JOIN chosen ON chosen.id = result.line_id
                             JOIN sale_return_disposition way ON way.id = result.disposition_id
                            WHERE way.action IN ('restock', 'scrap', 'refurbish')
                         GROUP BY result.line_id) judged
                     JOIN chosen ON chosen.id = judged.line_id
                     JOIN product_product product ON product.id = chosen.product_id
                     JOIN product_template template ON template.id = product.product_tmpl_id
                     JOIN uom_uom unit ON unit.id = template.uom_id
                     JOIN uom_uom line_unit ON line_unit.id = chosen.product_uom_id
                LEFT JOIN LATERAL (
                          SELECT SUM(move.quantity * move_unit.factor / unit.factor
                                     * CASE WHEN place.sale_return_loc_id = move.location_id
                                            THEN 1 ELSE -1 END) AS quantity,
                                 BOOL_OR(move.product_id <> chosen.product_id) AS is_kit
                            FROM sale_return_inspection result
                            JOIN sale_return_disposition way ON way.id = result.disposition_id
                            JOIN stock_move move ON move.sale_return_inspection_id = result.id
                            JOIN uom_uom move_unit ON move_unit.id = move.product_uom
                            JOIN stock_warehouse place
                              ON place.sale_return_loc_id IN
                                 (move.location_id, move.location_dest_id)
                           WHERE result.line_id = judged.line_id AND move.state = 'done'
                             AND way.action IN ('restock', 'scrap', 'refurbish')) moved ON TRUE
                    WHERE NOT COALESCE(moved.is_kit, FALSE) AND template.is_storable
                      AND ABS(COALESCE(moved.quantity, 0)
                              - judged.quantity * line_unit.factor / unit.factor) > 0.0001"""
            ),
            # Goods that left quarantine: by which result, of which line and lot, and where to.
            SQL(
                """SELECT 'not_in_its_place', NULL, chosen.id
                     FROM chosen
                     JOIN stock_move move ON move.sale_return_line_id = chosen.id
                      AND move.state = 'done'
                     JOIN stock_location place ON place.id = move.location_dest_id
                     JOIN stock_warehouse house ON house.sale_return_loc_id = move.location_id
                LEFT JOIN sale_return_inspection result
                       ON result.id = move.sale_return_inspection_id
                LEFT JOIN sale_return_disposition way ON way.id = result.disposition_id
                    WHERE move.origin_returned_move_id IS NULL
                      AND (result.id IS NULL OR result.line_id <> chosen.id
                           OR (way.action = 'restock' AND place.usage <> 'internal')
                           OR (way.action = 'scrap' AND place.usage <> 'inventory'))"""
            ),
        ]

    @api.model
    def _get_inspection_queries(self):
        """Return the queries of inspections that contradict their goods in another way."""
        return [
            SQL(
                """SELECT 'other_lot', NULL, chosen.id
                     FROM chosen
                     JOIN sale_return_inspection result ON result.line_id = chosen.id
                     JOIN stock_move move ON move.sale_return_inspection_id = result.id
                     JOIN stock_move_line part ON part.move_id = move.id
                    WHERE move.state = 'done' AND result.lot_id IS NOT NULL
                      AND part.lot_id IS DISTINCT FROM result.lot_id"""
            ),
            SQL(
                """SELECT 'inspection_date', NULL, chosen.id
                     FROM chosen
                     JOIN sale_return_inspection result ON result.line_id = chosen.id
                     JOIN sale_return_disposition way ON way.id = result.disposition_id
                    WHERE way.action <> 'keep'
                      AND result.date < (SELECT MIN(move.date) FROM stock_move move
                           WHERE move.sale_return_line_id = chosen.id AND move.state = 'done'
                             AND move.sale_return_inspection_id IS NULL) - INTERVAL '1 day'"""
            ),
            SQL(
                """SELECT 'revalued', NULL, chosen.id
                     FROM chosen
                     JOIN stock_move move ON move.sale_return_line_id = chosen.id
                     JOIN (SELECT DISTINCT ON (move_id) move_id, value
                             FROM product_value WHERE move_id IS NOT NULL
                         ORDER BY move_id, date DESC, id DESC) given ON given.move_id = move.id
                    WHERE move.state = 'done' AND move.is_in
                      AND ABS(given.value - move.value) > 0.000001"""
            ),
        ]
