"""What happened to restocked goods, as SQL.

Read by `sale.return.resale.fact`, which fills in the names in `%(...)s`. Quantities are in the
product's own unit, points in time are UTC.
"""

# Products with new moves, or with changes in their orders or returns.
STALE_PRODUCTS = """
    SELECT product_id FROM stock_move WHERE state = 'done' AND date >= %(since)s
     UNION
    SELECT product_id FROM sale_return_line WHERE write_date >= %(since)s
     UNION
    SELECT product_id FROM sale_order_line
     WHERE write_date >= %(since)s AND product_id IS NOT NULL
"""

# Those of them that were restocked and can be followed quickly.
LIVE_PRODUCTS = """
    SELECT product_id
      FROM (
           SELECT stale.product_id,
                  moves.number,
                  SUM(moves.number) OVER (ORDER BY moves.number, stale.product_id) AS number_in_all
             FROM (%(stale)s) AS stale,
          LATERAL (
                  SELECT COUNT(*) AS number
                    FROM (
                         SELECT FROM stock_move AS move
                          WHERE move.product_id = stale.product_id
                          LIMIT %(limit)s + 1
                         ) AS move
                  ) AS moves
            WHERE EXISTS (
                  SELECT FROM sale_return_inspection AS inspection
                   WHERE inspection.product_id = stale.product_id
                  )
           ) AS product
     WHERE number <= %(limit)s
       AND number_in_all <= %(limit_in_all)s
"""

RESALE = """
    WITH places AS (
        SELECT id,
               usage IN ('internal', 'transit') AND warehouse_id IS NOT NULL AS is_stock
          FROM stock_location
    ),
    restocked AS (
        SELECT move.id,
               inspection.company_id,
               inspection.return_id,
               inspection.line_id AS return_line_id,
               inspection.product_id,
               inspection.lot_id,
               inspection.grade_id,
               receipt.date AS date_receipt,
               move.date AS date_restock,
               move.quantity * move_uom.factor / product_uom.factor AS quantity
          FROM stock_move AS move
          JOIN sale_return_inspection AS inspection
            ON inspection.id = move.sale_return_inspection_id
          JOIN sale_return_disposition AS disposition ON disposition.id = inspection.disposition_id
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
           AND %(where)s
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
          JOIN places AS source ON source.id = move.location_id
          JOIN places AS target ON target.id = move.location_dest_id
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
          JOIN places AS place ON place.id = quant.location_id AND place.is_stock
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
        -- From the last to the first: a frame that ends, not begins, at each row is counted once.
        WINDOW ahead AS (
                PARTITION BY product_id, company_id ORDER BY number DESC
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
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
    SELECT id, company_id, return_id, return_line_id, product_id, lot_id, grade_id, date_receipt,
           date_restock, quantity, date_resale, sale_line_id
      FROM resold
"""
