"""What the figures of order lines must be, in SQL: see `Books`."""

# Quantities of order lines in the unit of the product, by documents. Kits move as their components.
LINES = """
    WITH line AS (
        SELECT line.id, line.order_id, line.product_id, sale.name || ' ' ||
               (template.name->>'en_US') AS name, template.invoice_policy AS policy,
               sale.state, line.product_uom_qty * unit.factor / own.factor AS ordered,
               line.qty_delivered, line.qty_invoiced, line.qty_to_invoice,
               line.qty_delivered_method AS method, unit.factor / own.factor AS ratio,
               template.id AS template_id, template.is_storable
          FROM sale_order_line line
          JOIN sale_order sale ON sale.id = line.order_id
          JOIN product_product product ON product.id = line.product_id
          JOIN product_template template ON template.id = product.product_tmpl_id
          JOIN uom_uom unit ON unit.id = line.product_uom_id
          JOIN uom_uom own ON own.id = template.uom_id
         WHERE line.company_id = %(company)s AND template.type = 'consu'
           AND NOT COALESCE(line.is_downpayment, FALSE)),
    moved AS (
        SELECT move.sale_line_id AS id,
               SUM(part.quantity_product_uom) FILTER (WHERE place.usage = 'customer') AS shipped,
               SUM(part.quantity_product_uom) FILTER (WHERE place.usage = 'customer'
                   AND move.sale_return_line_id IS NULL
                   AND move.origin_returned_move_id IS NULL) AS sold,
               SUM(part.quantity_product_uom) FILTER (WHERE source.usage = 'customer') AS back,
               SUM(part.quantity_product_uom) FILTER (WHERE source.usage = 'customer'
                   AND move.to_refund) AS back_to_refund,
               COUNT(DISTINCT move.id) FILTER (WHERE place.usage = 'customer') AS deliveries
          FROM stock_move move
          JOIN stock_move_line part ON part.move_id = move.id
          JOIN stock_location source ON source.id = move.location_id
          JOIN stock_location place ON place.id = move.location_dest_id
          JOIN line ON line.id = move.sale_line_id AND line.product_id = move.product_id
         WHERE move.state = 'done' AND source.usage <> place.usage
         GROUP BY 1),
    billed AS (
        SELECT rel.order_line_id AS id,
               SUM(counted.quantity * sign) FILTER (WHERE is_bill) AS billed,
               SUM(counted.quantity * -sign) FILTER (WHERE NOT is_bill) AS credited,
               SUM(counted.quantity) FILTER (WHERE move.move_type = 'out_refund'
                   AND item.sale_return_line_id IS NOT NULL) AS credited_by_returns,
               SUM(counted.quantity) FILTER (WHERE move.move_type = 'out_invoice' AND EXISTS (
                   SELECT FROM account_move_line taken WHERE taken.move_id = move.reversed_entry_id
                      AND taken.sale_return_line_id IS NOT NULL)) AS credit_taken_back,
               BOOL_OR(move.state = 'draft') AS has_draft
          FROM sale_order_line_invoice_rel rel
          JOIN line ON line.id = rel.order_line_id
          JOIN account_move_line item ON item.id = rel.invoice_line_id
          JOIN account_move move ON move.id = item.move_id
          JOIN uom_uom unit ON unit.id = item.product_uom_id
          JOIN product_product product ON product.id = item.product_id
          JOIN product_template template ON template.id = product.product_tmpl_id
          JOIN uom_uom own ON own.id = template.uom_id
          -- 0.67 of a pack of three, which is all that two decimals can say, are two pieces.
    CROSS JOIN LATERAL (SELECT item.quantity * unit.factor / own.factor AS exact) AS billed_as
    CROSS JOIN LATERAL (SELECT CASE WHEN ABS(exact - ROUND(exact))
                                         <= 0.0051 * unit.factor / own.factor
                                    THEN ROUND(exact) ELSE exact END AS quantity) AS counted
          -- A bill with a negative total, paid with a card or discounted by more than is billed
          -- yet, becomes a note in Odoo, with negative quantities: it bills goods nevertheless.
          -- The reversal of a note by hand is an invoice in Odoo, which bills no goods: less is
          -- credited.
    CROSS JOIN LATERAL (SELECT CASE move.move_type WHEN 'out_refund' THEN -1 ELSE 1 END AS sign,
                               CASE move.move_type WHEN 'out_invoice' THEN NOT EXISTS (
                                        SELECT FROM account_move undone
                                         WHERE undone.id = move.reversed_entry_id
                                           AND undone.move_type = 'out_refund'
                                           AND NOT EXISTS (
                                            SELECT FROM account_move_line taken
                                             WHERE taken.move_id = undone.id
                                               AND taken.sale_return_line_id IS NOT NULL))
                                    ELSE item.quantity < 0 AND item.sale_return_line_id IS NULL
                               END AS is_bill) AS kind
         WHERE move.state <> 'cancel'
         GROUP BY 1),
    judged AS (
        SELECT back.sale_line_id AS id,
               SUM(found.quantity * line.ratio) FILTER (WHERE way.accepts) AS accepted,
               SUM(found.quantity * line.ratio) FILTER (WHERE NOT way.accepts) AS rejected
          FROM sale_return_inspection found
          JOIN sale_return_line back ON back.id = found.line_id
          JOIN line ON line.id = back.sale_line_id
          JOIN sale_return_disposition way ON way.id = found.disposition_id
         GROUP BY 1),
    figures AS (
        SELECT line.*, COALESCE(shipped, 0) AS shipped, COALESCE(sold, 0) AS sold,
               COALESCE(back, 0) AS back, COALESCE(back_to_refund, 0) AS back_to_refund,
               COALESCE(deliveries, 0) AS deliveries,
               COALESCE(billed, 0) AS billed, COALESCE(credited, 0) AS credited,
               COALESCE(credited_by_returns, 0) AS credited_by_returns,
               COALESCE(credit_taken_back, 0) AS credit_taken_back,
               COALESCE(has_draft, FALSE) AS has_draft,
               COALESCE(accepted, 0) AS accepted, COALESCE(rejected, 0) AS rejected,
               EXISTS (SELECT FROM sale_return_line part WHERE part.sale_line_id = line.id
                          AND (part.state IN ('submitted', 'approved')
                               OR EXISTS (SELECT FROM stock_move WHERE sale_return_line_id = part.id
                                  AND state NOT IN ('done', 'cancel')))) AS is_under_way,
               EXISTS (SELECT FROM stock_move WHERE sale_line_id = line.id
                          AND product_id <> line.product_id) AS is_kit,
               COALESCE((SELECT SUM(CASE part.state WHEN 'submitted' THEN part.qty_requested
                                    ELSE part.qty_authorized END) * line.ratio
                           FROM sale_return_line part WHERE part.sale_line_id = line.id
                            AND part.state IN ('submitted', 'approved')
                            AND part.resolution IS DISTINCT FROM 'replace'), 0)
               + COALESCE((SELECT SUM(item.quantity * unit.factor / own.factor)
                             FROM account_move_line item
                             JOIN sale_return_line part ON part.id = item.sale_return_line_id
                             JOIN account_move note ON note.id = item.move_id
                             JOIN uom_uom unit ON unit.id = item.product_uom_id
                             JOIN product_template template ON template.id = line.template_id
                             JOIN uom_uom own ON own.id = template.uom_id
                            WHERE part.sale_line_id = line.id AND part.state = 'closed'
                              AND item.sale_return_kind = 'goods' AND note.state <> 'cancel'), 0)
               AS claimed
          FROM line
     LEFT JOIN moved USING (id) LEFT JOIN billed USING (id) LEFT JOIN judged USING (id))
"""
# What the figures of an order line are compared with. `most` may still be billed: credited beyond
# what came back (missing in the parcel, left with the customer) is never billable again. What
# others than returns credit is, as Odoo does it, as far as it leaves enough of the invoice to
# credit what returns claim: 8 of 10 credited by hand and 4 coming back are 6 to be billed, not 8.
FIGURES_TO_COMPARE = """,
    planned AS (
        SELECT move.sale_line_id AS id,
               SUM(move.product_uom_qty * unit.factor / own.factor) AS planned
          FROM stock_move move
          JOIN stock_location place ON place.id = move.location_dest_id
          JOIN product_product product ON product.id = move.product_id
          JOIN product_template template ON template.id = product.product_tmpl_id
          JOIN uom_uom unit ON unit.id = move.product_uom
          JOIN uom_uom own ON own.id = template.uom_id
         WHERE move.state NOT IN ('done', 'cancel', 'draft')
           AND place.usage = 'customer' AND move.sale_return_line_id IS NULL
           AND move.company_id = %(company)s AND move.origin_returned_move_id IS NULL
         GROUP BY 1),
    others AS (
        SELECT figures.*, planned.planned, id = ANY(%(lowered)s) AS is_lowered,
               (shipped - back_to_refund) / ratio AS right_delivered,
               (billed - credited) / ratio AS right_invoiced,
               credited - credited_by_returns - GREATEST(0, claimed - GREATEST(0, sold - billed)
                   - (billed - credited + credited_by_returns)) AS by_others
          FROM figures LEFT JOIN planned USING (id)
         WHERE NOT is_kit),
    compared AS (
        SELECT *, GREATEST(0, CASE
               -- The reversal of a note of a return takes a credit back and bills no goods: of 6
               -- shipped and 5 billed, one is to be billed, also after a note that was reversed.
               WHEN is_under_way AND policy = 'delivery'
                    THEN sold - billed + credit_taken_back + GREATEST(0, by_others)
               WHEN is_under_way
                    THEN GREATEST(ordered, sold) - billed + credit_taken_back
                         + GREATEST(0, by_others)
               WHEN policy = 'order' AND is_lowered
                    THEN ordered - billed + credited
               ELSE (CASE policy WHEN 'delivery' THEN shipped - back
                     ELSE ordered - back + shipped - sold END)
                    - (billed - credited)
                    - GREATEST(0, credited_by_returns - back) END) / ratio AS most
          FROM others)
"""
# What is wrong with an order line: `{name: (condition, text)}`.
LINE_RULES = {
    'over_returned': ("shipped - back < -%(small)s", "{name}: {shipped} shipped, {back} back"),
    # As Odoo counts it.
    'delivered': (
        "method = 'stock_move' AND ABS(qty_delivered - right_delivered) > 0.0051",
        (
            "{name}: {qty_delivered} delivered; {shipped} shipped, {back_to_refund} back, so "
            "{right_delivered}"
        ),
    ),
    # As Odoo counts it.
    'invoiced': (
        "ABS(qty_invoiced - right_invoiced) > 0.0051",
        (
            "{name}: {qty_invoiced} invoiced; {billed} billed, {credited} credited, so "
            "{right_invoiced}"
        ),
    ),
    # Could be billed for more than the customer keeps and has not paid.
    'billed_again': (
        "state = 'sale' AND qty_to_invoice > most + 0.0051",
        (
            "{name} ({policy}): {qty_to_invoice} to invoice, at most {most}; ordered {ordered}, "
            "{shipped} shipped, {back} back, {billed} billed, {credited} credited"
        ),
    ),
    # The next note would credit goods already credited or never returned. What was billed beyond
    # the delivery, e.g. when a note is reversed whose goods were billed again, it credits rightly.
    'credited_twice': (
        (
            "state = 'sale' AND qty_to_invoice < -0.0051 AND (policy = 'delivery' AND back > 0"
            " AND qty_to_invoice * ratio < sold - billed + credited - credited_by_returns"
            " + credit_taken_back - 0.0051 * ratio"
            " OR credited_by_returns > 0 AND ordered >= billed)"
        ),
        (
            "{name} ({policy}): {qty_to_invoice} to invoice; ordered {ordered}, {shipped} shipped, "
            "{back} back, {billed} billed, {credited} credited"
        ),
    ),
    # Credits by others count in money: a price correction has the quantity of what it corrects.
    'over_credited': (
        "credited_by_returns - billed > 0.0051 * ratio",
        "{name}: {billed} billed, {credited_by_returns} credited by returns",
    ),
    # More deliveries are planned than ordered and not shipped. Odoo adds up the deliveries in the
    # unit of the order, each with two decimals: 20.04 pieces are planned of two dozen after 4.
    'delivered_again': (
        (
            "planned > %(small)s + CASE WHEN ratio > 1 THEN 0.0051 * ratio * (deliveries + 1)"
            " ELSE 0 END + GREATEST(0, ordered"
            " - CASE WHEN is_lowered THEN shipped - back ELSE sold END)"
        ),
        "{name}: {planned} planned; {ordered} ordered, {sold} shipped for it, {back} back",
    ),
}
