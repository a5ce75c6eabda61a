"""List what was credited without goods before.

Decisions of the past count in the limits of today, so that nobody starts with an unused budget.
"""


def migrate(cr, version):
    """Fill `sale.return.unbacked`."""
    _list_goodwill(cr)
    _list_lines(cr)


def _list_goodwill(cr):
    cr.execute(
        """
        INSERT INTO sale_return_unbacked (
                    kind, company_id, date, partner_id, order_id, return_id, goodwill_id,
                    asked_by_id, user_id, reason_id, return_class, door, comment, amount,
                    is_override, create_uid, create_date, write_uid, write_date
               )
        SELECT 'goodwill', g.company_id, g.date, g.partner_id,
               (
                   SELECT MIN(sold.order_id)
                     FROM account_move_line line
                     JOIN sale_order_line_invoice_rel rel ON rel.invoice_line_id = line.id
                     JOIN sale_order_line sold ON sold.id = rel.order_line_id
                    WHERE line.move_id = g.invoice_id
               ),
               g.return_id, g.id, g.user_id, g.user_id, g.reason_id, reason.return_class,
               parent.door, g.comment, g.amount, g.is_override,
               g.create_uid, g.create_date, g.write_uid, g.write_date
          FROM sale_return_goodwill g
     LEFT JOIN sale_return_reason reason ON reason.id = g.reason_id
     LEFT JOIN sale_return parent ON parent.id = g.return_id
         WHERE NOT EXISTS (SELECT FROM sale_return_unbacked own WHERE own.goodwill_id = g.id)
        """
    )


def _list_lines(cr):
    """List the lines that were approved although nothing comes back, or kept by the customer."""
    cr.execute(
        """
        INSERT INTO sale_return_unbacked (
                    kind, company_id, date, partner_id, order_id, return_id, line_id,
                    asked_by_id, user_id, automatic, reason_id, return_class, door, comment,
                    quantity, amount, create_uid, create_date, write_uid, write_date
               )
        SELECT CASE WHEN line.return_expected THEN 'keep'
                    WHEN sold.qty_delivered_method = 'stock_move' THEN 'reason'
                    ELSE 'service'
                END,
               line.company_id, approval.date::date, customer.commercial_partner_id,
               line.order_id, parent.id, line.id,
               COALESCE(parent.requested_by_id, parent.create_uid), approval.user_id,
               approval.automatic, line.reason_id, reason.return_class, parent.door,
               line.customer_note, listed.quantity,
               ROUND((
                   listed.quantity * sold.price_reduce_taxinc
                   / COALESCE(NULLIF(sold_order.currency_rate, 0), 1)
               )::numeric / currency.rounding) * currency.rounding,
               approval.create_uid, approval.create_date, approval.write_uid, approval.write_date
          FROM sale_return_line line
          JOIN sale_return parent ON parent.id = line.return_id
          JOIN res_partner customer ON customer.id = parent.partner_id
          JOIN res_company company ON company.id = line.company_id
          JOIN res_currency currency ON currency.id = company.currency_id
          JOIN sale_order_line sold ON sold.id = line.sale_line_id
          JOIN sale_order sold_order ON sold_order.id = sold.order_id
     LEFT JOIN sale_return_reason reason ON reason.id = line.reason_id
  JOIN LATERAL (
                   SELECT CASE WHEN line.return_expected THEN line.qty_kept
                               ELSE line.qty_authorized
                           END AS quantity
               ) listed ON TRUE
  JOIN LATERAL (
                   SELECT *
                     FROM sale_return_approval decided
                    WHERE decided.return_id = parent.id AND decided.decision = 'approved'
                 ORDER BY decided.id DESC
                    LIMIT 1
               ) approval ON TRUE
         WHERE parent.state IN ('approved', 'closed')
           AND line.resolution = 'refund'
           AND listed.quantity > 0
           AND NOT EXISTS (SELECT FROM sale_return_unbacked own WHERE own.line_id = line.id)
        """
    )
