"""The facts of returns as SQL: what was shipped, what came back, and what happened to it.

Read by `sale.return.fact`, which fills in the names in `%(...)s`. Quantities are in the product's
own unit, money is in the company's currency at the rate of the invoice (of the order while there is
no invoice), points in time are UTC.
"""

# Order lines and return lines whose facts have to be recomputed. Odoo also updates the date of the
# last change when it stores a computed quantity (delivered, invoiced, received, credited).
STALE_SALE_LINES = "SELECT id FROM sale_order_line WHERE write_date >= %(since)s"
STALE_RETURN_LINES = """
    SELECT id FROM sale_return_line WHERE write_date >= %(since)s
     UNION ALL
    SELECT line.id
      FROM sale_return_line AS line
      JOIN sale_return ON sale_return.id = line.return_id
     WHERE sale_return.write_date >= %(since)s
     UNION ALL
    SELECT line.id
      FROM sale_return_line AS line
      JOIN sale_order_line AS sale_line ON sale_line.id = line.sale_line_id
     WHERE sale_line.write_date >= %(since)s
"""

# The price on documents (else on the order) for one unit of the product, without taxes, after the
# discount of the line. Lines are summed before they are joined: they are many. A document bills
# goods by the sign of its lines: a note with a quantity below zero does where the down payment is
# larger. Reversals of a note bill nothing new. Additional units beyond the quantity, at a lower
# price than the first, are not units but raise the price.
UNIT_VALUE = """
    LEFT JOIN LATERAL (
        SELECT SUM(bill.amount) / NULLIF(
                   CASE WHEN SUM(bill.quantity) > MAX(bill.there) + 0.000001
                        THEN SUM(bill.quantity) FILTER (
                            WHERE bill.amount / bill.quantity > bill.first_price * 0.9999
                        )
                        ELSE SUM(bill.quantity) END, 0) AS invoiced
          FROM (
            SELECT parts.*, FIRST_VALUE(parts.amount / parts.quantity) OVER (
                       ORDER BY parts.move_id, parts.id
                   ) AS first_price
              FROM (
                SELECT invoice_line.id,
                       invoice_line.move_id,
                       -invoice_line.balance AS amount,
                       invoice_line.quantity
                           * CASE invoice.move_type WHEN 'out_refund' THEN -1 ELSE 1 END
                           * COALESCE(invoice_uom.factor, product_uom.factor)
                           / product_uom.factor AS quantity,
                       GREATEST(
                           sale_line.product_uom_qty,
                           sale_line.qty_delivered + sale_line.qty_returned
                       ) * sale_uom.factor / product_uom.factor AS there
                  FROM sale_order_line_invoice_rel AS rel
                  JOIN account_move_line AS invoice_line ON invoice_line.id = rel.invoice_line_id
                  JOIN account_move AS invoice ON invoice.id = invoice_line.move_id
             LEFT JOIN uom_uom AS invoice_uom ON invoice_uom.id = invoice_line.product_uom_id
                 WHERE rel.order_line_id = sale_line.id
                   AND invoice_line.display_type = 'product'
                   AND invoice.state = 'posted'
                   AND invoice_line.quantity <> 0
                   AND ((invoice.move_type = 'out_invoice' AND invoice.reversed_entry_id IS NULL)
                        OR (invoice.move_type = 'out_refund' AND invoice_line.quantity < 0
                            AND invoice_line.credited_line_id IS NULL))
              ) AS parts
          ) AS bill
    ) AS billed ON TRUE
    LEFT JOIN LATERAL (
        SELECT COALESCE(
                   billed.invoiced,
                   sale_line.price_subtotal
                   / NULLIF(sale_line.product_uom_qty * sale_uom.factor / product_uom.factor, 0)
                   / COALESCE(NULLIF(sale_order.currency_rate, 0), 1),
                   0
               ) AS value
    ) AS unit ON TRUE
"""

# Here and below an aggregate takes the first of several rows: PostgreSQL removes such a join if it
# is not needed, but not one with a LIMIT. The supplier is who delivered the lot first, else the
# first vendor of the product.
SUPPLIER = """
    LEFT JOIN LATERAL (
        SELECT (ARRAY_AGG(supply.partner_id ORDER BY lot_line.date, lot_line.id))[1] AS partner_id
          FROM stock_move_line AS lot_line
          JOIN stock_location AS source ON source.id = lot_line.location_id
          JOIN stock_picking AS supply ON supply.id = lot_line.picking_id
         WHERE lot_line.lot_id = %(lot)s
           AND lot_line.state = 'done'
           AND source.usage = 'supplier'
           AND supply.partner_id IS NOT NULL
    ) AS lot_supplier ON TRUE
    LEFT JOIN LATERAL (
        SELECT (ARRAY_AGG(
                   info.partner_id
                   ORDER BY info.sequence, info.min_qty DESC, info.price, info.id
               ))[1] AS partner_id
          FROM product_supplierinfo AS info
         WHERE info.product_tmpl_id = product.product_tmpl_id
           AND (info.product_id IS NULL OR info.product_id = product.id)
           AND (info.company_id IS NULL OR info.company_id = %(company)s)
    ) AS main_vendor ON TRUE
"""

SHIPPED_MEASURES = {'qty_shipped', 'value_shipped', 'cost_shipped'}
SHIPPED_COLUMNS = SHIPPED_MEASURES | {
    'id',
    'kind',
    'company_id',
    'sale_line_id',
    'order_id',
    'picking_id',
    'product_id',
    'partner_id',
    'warehouse_id',
    'lot_id',
    'supplier_id',
    'supplier_source',
    'date_sale',
    'date_delivery',
}

# One row for each lot of each delivery. Goods sent back after their inspection and replacements
# belong to a return line: they were not sold again.
SHIPPED = """
    SELECT move_line.id::bigint * 4 AS id,
           'shipped' AS kind,
           sale_order.company_id,
           sale_line.id AS sale_line_id,
           sale_line.order_id,
           move.picking_id,
           sale_line.product_id,
           sale_order.partner_id,
           COALESCE(source.warehouse_id, sale_order.warehouse_id) AS warehouse_id,
           move_line.lot_id,
           COALESCE(lot_supplier.partner_id, main_vendor.partner_id) AS supplier_id,
           CASE WHEN lot_supplier.partner_id IS NOT NULL THEN 'lot'
                WHEN main_vendor.partner_id IS NOT NULL THEN 'vendor' END AS supplier_source,
           sale_order.date_order AS date_sale,
           move.date AS date_delivery,
           move_line.quantity_product_uom::float8 AS qty_shipped,
           (move_line.quantity_product_uom * unit.value)::float8 AS value_shipped,
           (move.value * move_line.quantity_product_uom / NULLIF(moved.quantity, 0))::float8
               AS cost_shipped
      FROM sale_order_line AS sale_line
      JOIN sale_order ON sale_order.id = sale_line.order_id
      JOIN product_product AS product ON product.id = sale_line.product_id
      JOIN product_template AS template ON template.id = product.product_tmpl_id
      JOIN uom_uom AS product_uom ON product_uom.id = template.uom_id
      JOIN uom_uom AS sale_uom ON sale_uom.id = sale_line.product_uom_id
      JOIN stock_move AS move ON move.sale_line_id = sale_line.id
      JOIN stock_move_line AS move_line ON move_line.move_id = move.id
      JOIN stock_location AS source ON source.id = move.location_id
      JOIN LATERAL (
          SELECT SUM(quantity_product_uom) AS quantity
            FROM stock_move_line
           WHERE stock_move_line.move_id = move.id
      ) AS moved ON TRUE
           %(unit_value)s
           %(supplier)s
     WHERE move.state = 'done'
       AND move.product_id = sale_line.product_id
       AND move.sale_return_line_id IS NULL
       AND move_line.quantity_product_uom != 0
       AND move.location_dest_id IN (%(customer_locations)s)
       AND move.location_id NOT IN (%(customer_locations)s)
       AND %(sale_filter)s
"""

# Kits leave as their components and count once, as what was sold.
SHIPPED_KITS = """
    SELECT sale_line.id::bigint * 4 + 1 AS id,
           'shipped' AS kind,
           sale_order.company_id,
           sale_line.id AS sale_line_id,
           sale_line.order_id,
           components.picking_id,
           sale_line.product_id,
           sale_order.partner_id,
           sale_order.warehouse_id,
           NULL::int AS lot_id,
           main_vendor.partner_id AS supplier_id,
           CASE WHEN main_vendor.partner_id IS NOT NULL THEN 'vendor' END AS supplier_source,
           sale_order.date_order AS date_sale,
           components.date AS date_delivery,
           shipped.quantity::float8 AS qty_shipped,
           (shipped.quantity * unit.value)::float8 AS value_shipped,
           components.value::float8 AS cost_shipped
      FROM sale_order_line AS sale_line
      JOIN sale_order ON sale_order.id = sale_line.order_id
      JOIN product_product AS product ON product.id = sale_line.product_id
      JOIN product_template AS template ON template.id = product.product_tmpl_id
      JOIN uom_uom AS product_uom ON product_uom.id = template.uom_id
      JOIN uom_uom AS sale_uom ON sale_uom.id = sale_line.product_uom_id
      JOIN LATERAL (
          SELECT MAX(move.date) AS date,
                 MIN(move.picking_id) AS picking_id,
                 SUM(move.value) AS value,
                 BOOL_OR(move.product_id = sale_line.product_id) AS is_plain
            FROM stock_move AS move
           WHERE move.sale_line_id = sale_line.id
             AND move.state = 'done'
             AND move.sale_return_line_id IS NULL
             AND move.location_dest_id IN (%(customer_locations)s)
             AND move.location_id NOT IN (%(customer_locations)s)
      ) AS components ON NOT components.is_plain
      JOIN LATERAL (
          SELECT COALESCE(SUM(qty_sent_back + qty_replaced), 0) AS quantity
            FROM sale_return_line
           WHERE sale_return_line.sale_line_id = sale_line.id
      ) AS again ON TRUE
      JOIN LATERAL (
          SELECT (sale_line.qty_delivered + COALESCE(sale_line.qty_returned, 0) - again.quantity)
                 * sale_uom.factor / product_uom.factor AS quantity
      ) AS shipped ON shipped.quantity != 0
           %(unit_value)s
           %(supplier)s
     WHERE %(sale_filter)s
"""

# One row for each inspection result, and one for the part of the line without result: not received
# yet, waiting in quarantine, written off, refused, or credited without goods. Every unit is in one
# row, with everything that happened to it, so that each quantity adds up to that of the return
# line.
RETURNED = """
    SELECT COALESCE(outcome.inspection_id::bigint * 4 + 2, line.id::bigint * 4 + 3) AS id,
           'returned' AS kind,
           sale_return.company_id,
           line.sale_line_id,
           line.order_id,
           delivered.picking_id,
           line.product_id,
           sale_return.partner_id,
           sale_return.warehouse_id,
           outcome.lot_id,
           COALESCE(lot_supplier.partner_id, main_vendor.partner_id) AS supplier_id,
           CASE WHEN lot_supplier.partner_id IS NOT NULL THEN 'lot'
                WHEN main_vendor.partner_id IS NOT NULL THEN 'vendor' END AS supplier_source,
           sale_return.id AS return_id,
           line.id AS return_line_id,
           outcome.inspection_id,
           line.reason_id,
           line.resolution,
           line.policy_id,
           outcome.grade_id,
           outcome.disposition_id,
           outcome.liability,
           approval.user_id AS decided_by_id,
           outcome.inspector_id,
           NOT COALESCE(line.return_expected, TRUE) OR outcome.is_kept AS is_returnless,
           COALESCE(approval.automatic, FALSE)
               AND NOT COALESCE(log.has_exception, FALSE)
               AND policy.credit_posting = 'post' AS is_touchless,
           CASE WHEN sale_return.state = 'refused' THEN 'refused'
                WHEN sale_return.state = 'submitted' THEN 'to_decide'
                WHEN outcome.inspection_id IS NOT NULL THEN 'inspected'
                WHEN outcome.received > 0.000001 THEN 'quarantine'
                WHEN NOT line.return_expected THEN 'inspected'
                WHEN sale_return.state = 'closed' THEN 'written_off'
                ELSE 'expected' END AS stage,
           sale_order.date_order AS date_sale,
           line.delivered_on AS date_delivery,
           COALESCE(log.submitted, sale_return.create_date) AS date_request,
           approval.date AS date_decision,
           back.date AS date_return,
           outcome.date AS date_inspection,
           share.credited_on AS date_credit,
           EXTRACT(EPOCH FROM back.date - sale_order.date_order)::float8 / 86400 AS days_since_sale,
           EXTRACT(EPOCH FROM back.date - line.delivered_on)::float8 / 86400
               AS days_since_delivery,
           (EXTRACT(EPOCH FROM approval.date - COALESCE(log.submitted, sale_return.create_date))
               / 3600)::float8 AS hours_decision,
           (EXTRACT(EPOCH FROM back.received_on - approval.date) / 3600)::float8 AS hours_receipt,
           -- Done in one go, the result bears the time when that began, the receipt a later one.
           (CASE WHEN outcome.date < back.received_on THEN 0
                 ELSE EXTRACT(EPOCH FROM outcome.date - back.received_on) / 3600
             END)::float8 AS hours_inspection,
           (CASE WHEN share.credited_on < COALESCE(outcome.date, back.received_on, approval.date)
                 THEN 0
                 ELSE EXTRACT(EPOCH FROM
                     share.credited_on - COALESCE(outcome.date, back.received_on, approval.date)
                 ) / 3600
             END)::float8 AS hours_credit,
           (EXTRACT(EPOCH FROM
               share.credited_on - COALESCE(log.submitted, sale_return.create_date)
           ) / 3600)::float8 AS hours_total,
           (outcome.requested * ratio.factor)::float8 AS qty_requested,
           (outcome.authorized * ratio.factor)::float8 AS qty_authorized,
           (outcome.received * ratio.factor)::float8 AS qty_received,
           (back.quantity * ratio.factor)::float8 AS qty_returned,
           (outcome.inspected * ratio.factor)::float8 AS qty_inspected,
           (outcome.accepted * ratio.factor)::float8 AS qty_accepted,
           ((outcome.inspected - outcome.accepted_inspected) * ratio.factor)::float8
               AS qty_rejected,
           (line.qty_credited_posted * share.value * ratio.factor)::float8 AS qty_credited,
           (back.quantity * ratio.factor * unit.value)::float8 AS value_returned,
           (credit.amount * share.value)::float8 AS amount_credited,
           (credit.deducted * share.value)::float8 AS amount_deducted,
           cost.amount::float8 AS cost_returned,
           (CASE WHEN outcome.is_recovered THEN cost.amount ELSE 0 END)::float8 AS cost_recovered,
           (CASE WHEN outcome.inspection_id IS NULL AND line.return_expected
                 THEN cost.amount ELSE 0 END)::float8 AS cost_at_risk,
           (CASE WHEN outcome.is_recovered THEN 0
                 WHEN outcome.inspection_id IS NULL AND line.return_expected THEN 0
                 ELSE cost.amount END)::float8 AS cost_lost
      FROM sale_return_line AS line
      JOIN sale_return ON sale_return.id = line.return_id
      JOIN product_product AS product ON product.id = line.product_id
      JOIN product_template AS template ON template.id = product.product_tmpl_id
      JOIN uom_uom AS product_uom ON product_uom.id = template.uom_id
 LEFT JOIN uom_uom AS line_uom ON line_uom.id = line.product_uom_id
 LEFT JOIN sale_order_line AS sale_line ON sale_line.id = line.sale_line_id
 LEFT JOIN sale_order ON sale_order.id = sale_line.order_id
 LEFT JOIN uom_uom AS sale_uom ON sale_uom.id = sale_line.product_uom_id
 LEFT JOIN sale_return_policy AS policy ON policy.id = line.policy_id
      JOIN LATERAL (
          SELECT COALESCE(line_uom.factor / product_uom.factor, 1) AS factor
      ) AS ratio ON TRUE
           %(unit_value)s
 LEFT JOIN LATERAL (
          SELECT MAX(move.picking_id) AS picking_id,
                 SUM(move.value) / NULLIF(SUM(move.quantity * move_uom.factor), 0)
                     * product_uom.factor AS unit_cost
            FROM stock_move AS move
            JOIN uom_uom AS move_uom ON move_uom.id = move.product_uom
           WHERE move.sale_line_id = line.sale_line_id
             AND move.product_id = line.product_id
             AND move.state = 'done'
             AND move.sale_return_line_id IS NULL
             AND move.location_dest_id IN (%(customer_locations)s)
             AND move.location_id NOT IN (%(customer_locations)s)
      ) AS delivered ON TRUE
 LEFT JOIN LATERAL (
          SELECT MIN(move.date) AS date,
                 SUM(move.value) FILTER (WHERE move.is_in) / NULLIF(
                     CASE WHEN BOOL_AND(move.product_id = line.product_id)
                          THEN SUM(move.quantity * move_uom.factor) / product_uom.factor
                          ELSE line.qty_received * ratio.factor END, 0
                 ) AS unit_cost
            FROM stock_move AS move
            JOIN uom_uom AS move_uom ON move_uom.id = move.product_uom
           WHERE move.sale_return_line_id = line.id
             AND move.sale_return_inspection_id IS NULL
             AND move.state = 'done'
             AND move.location_id IN (%(customer_locations)s)
             AND move.location_dest_id NOT IN (%(customer_locations)s)
      ) AS received ON TRUE
 LEFT JOIN LATERAL (
          SELECT (ARRAY_AGG(given.date ORDER BY given.id DESC))[1] AS date,
                 (ARRAY_AGG(given.user_id ORDER BY given.id DESC))[1] AS user_id,
                 (ARRAY_AGG(given.automatic ORDER BY given.id DESC))[1] AS automatic
            FROM sale_return_approval AS given
           WHERE given.return_id = sale_return.id
      ) AS approval ON TRUE
 LEFT JOIN LATERAL (
          SELECT MIN(event.date) FILTER (
                     WHERE event.kind = 'state' AND event.state_to = 'submitted'
                 ) AS submitted,
                 BOOL_OR(event.kind IN ('override', 'credit_failed', 'inspection_failed'))
                     AS has_exception
            FROM sale_return_event AS event
           WHERE event.return_id = sale_return.id
             AND (event.line_id IS NULL OR event.line_id = line.id)
      ) AS log ON TRUE
 LEFT JOIN LATERAL (
          SELECT made.amount * made.share AS amount,
                 made.date,
                 made.deducted * made.share AS deducted
            FROM (
              SELECT SUM(note_line.balance) AS amount,
                     MAX(note.create_date) AS date,
                     COALESCE(-SUM(note_line.balance) FILTER (
                         WHERE note_line.sale_return_kind IN %(withheld_kinds)s
                     ), 0) AS deducted,
                     -- A note that was billed again in part credits that much less.
                     COALESCE(LEAST(line.qty_credited_posted * ratio.factor / NULLIF(
                         SUM(note_line.quantity * COALESCE(note_uom.factor, product_uom.factor)
                             / product_uom.factor) FILTER (
                             WHERE note_line.sale_return_kind = 'goods'
                         ), 0), 1), 1) AS share
                FROM account_move_line AS note_line
                JOIN account_move AS note ON note.id = note_line.move_id
           LEFT JOIN uom_uom AS note_uom ON note_uom.id = note_line.product_uom_id
               WHERE note_line.sale_return_line_id = line.id
                 AND note_line.display_type IN ('product', 'rounding')
                 AND note.state = 'posted'
                 AND note.move_type = 'out_refund'
                 AND NOT EXISTS (
                     SELECT FROM account_move AS reversal
                      WHERE reversal.reversed_entry_id = note.id
                        AND reversal.move_type = 'out_invoice'
                        AND reversal.state = 'posted'
                        AND reversal.currency_id = note.currency_id
                        AND reversal.amount_total = note.amount_total
                 )
            ) AS made
      ) AS credit ON TRUE
      JOIN LATERAL (
          SELECT COUNT(*) AS results,
                 COALESCE(SUM(result.quantity), 0) AS inspected,
                 COALESCE(SUM(result.quantity) FILTER (WHERE disposition.accepts), 0) AS accepted,
                 COALESCE(SUM(result.quantity) FILTER (WHERE disposition.action = 'keep'), 0)
                     AS kept
            FROM sale_return_inspection AS result
            JOIN sale_return_disposition AS disposition ON disposition.id = result.disposition_id
           WHERE result.line_id = line.id
      ) AS total ON TRUE
      JOIN LATERAL (
          SELECT result.id AS inspection_id,
                 result.lot_id,
                 result.grade_id,
                 result.disposition_id,
                 result.liability,
                 result.inspector_id,
                 result.date,
                 disposition.action = 'keep' AS is_kept,
                 disposition.action IN ('restock', 'refurbish') AS is_recovered,
                 result.quantity AS requested,
                 result.quantity AS authorized,
                 CASE WHEN disposition.action = 'keep' THEN 0 ELSE result.quantity END AS received,
                 result.quantity AS inspected,
                 CASE WHEN disposition.accepts THEN result.quantity ELSE 0 END AS accepted,
                 CASE WHEN disposition.accepts THEN result.quantity ELSE 0 END
                     AS accepted_inspected
            FROM sale_return_inspection AS result
            JOIN sale_return_disposition AS disposition ON disposition.id = result.disposition_id
           WHERE result.line_id = line.id
       UNION ALL
          SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, FALSE, FALSE,
                 line.qty_requested - total.inspected,
                 COALESCE(line.qty_authorized, 0) - total.inspected,
                 COALESCE(line.qty_received, 0) - total.inspected + total.kept,
                 0,
                 COALESCE(line.qty_accepted, 0) - total.accepted,
                 0
           WHERE total.results = 0
              OR ABS(line.qty_requested - total.inspected) > 0.000001
              OR ABS(COALESCE(line.qty_authorized, 0) - total.inspected) > 0.000001
              OR ABS(COALESCE(line.qty_received, 0) - total.inspected + total.kept) > 0.000001
              OR ABS(COALESCE(line.qty_accepted, 0) - total.accepted) > 0.000001
              OR (COALESCE(line.qty_accepted, 0) = 0 AND credit.amount IS NOT NULL)
      ) AS outcome ON TRUE
      JOIN LATERAL (
          SELECT CASE WHEN COALESCE(line.qty_accepted, 0) != 0
                      THEN outcome.accepted / line.qty_accepted
                      WHEN outcome.inspection_id IS NULL THEN 1
                      ELSE 0 END AS value
      ) AS part ON TRUE
      JOIN LATERAL (
          SELECT part.value, CASE WHEN part.value != 0 THEN credit.date END AS credited_on
      ) AS share ON TRUE
      JOIN LATERAL (
          SELECT CASE WHEN outcome.inspection_id IS NOT NULL THEN outcome.inspected
                      WHEN line.return_expected THEN outcome.received
                      WHEN template.type = 'service' THEN 0
                      ELSE outcome.accepted END AS quantity,
                 COALESCE(
                     CASE WHEN outcome.received != 0 THEN received.date END,
                     outcome.date,
                     CASE WHEN NOT line.return_expected THEN approval.date END
                 ) AS date,
                 CASE WHEN outcome.received != 0 THEN received.date END AS received_on
      ) AS back ON TRUE
      JOIN LATERAL (
          SELECT (back.quantity - outcome.inspected + outcome.accepted_inspected) * ratio.factor
                 * CASE WHEN outcome.is_kept OR NOT line.return_expected
                        THEN COALESCE(delivered.unit_cost, 0)
                        ELSE COALESCE(received.unit_cost, delivered.unit_cost, 0) END AS amount
      ) AS cost ON TRUE
           %(supplier)s
     WHERE sale_return.state NOT IN ('draft', 'cancelled')
       AND %(return_filter)s
"""
