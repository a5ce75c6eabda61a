from odoo import api, models
from odoo.tools import SQL


class SaleReturnDocumentCheck(models.AbstractModel):
    """Service: find documents of returns that contradict each other, whatever their amounts say.

    A note of a return that nobody approved, a receipt that names another order, a tax that is
    reported as that of an invoice: each document alone may be right. All is read by one query
    per company, from stored values, without anything computed.

    A contradiction is named by a code, see `sale.return.explainer`.
    """

    _name = 'sale.return.document.check'
    _description = "Return Document Check"

    @api.model
    def _find_differences(self, company):
        """Find contradictions; see `sale.return.reconciler`.

        :param company: one `res.company`, which is the current one.
        :return: `{key: values of the row}`, one row per note and code, or return line and code.
        :rtype: dict
        """
        found = {}
        for cause, note_id, line_id in self._get_contradictions(company):
            note = self.env['account.move'].browse(note_id or [])
            line = self.env['sale.return.line'].browse(line_id or [])
            name = f'note:{note_id}' if note else f'line:{line_id}'
            found[f'document_difference:{cause}:{name}'] = self._prepare_row(cause, note, line)
        return found

    @api.model
    def _prepare_row(self, cause, note, line):
        """Prepare the row of a contradiction, of a note or of a return line.

        :return: values for `sale.return.reconciliation`.
        :rtype: dict
        """
        service = self.env['sale.return.reconciler']
        vals = {'kind': 'document_difference', 'cause': cause}
        if note:
            return {**service._prepare_note_vals(note, 0.0), **vals}
        return {
            **service._prepare_return_vals(line.return_id),
            'return_line_id': line.id,
            'product_id': line.product_id.id,
            'product_uom_id': line.product_uom_id.id,
            'note_id': line.credit_line_ids.move_id[-1:].id,
            'qty_received': line.qty_received,
            'qty_accepted': line.qty_accepted,
            'qty_credited': line.qty_credited_posted,
            'currency_id': (line.sale_line_id.currency_id or line.company_id.currency_id).id,
            **vals,
        }

    @api.model
    def _get_contradictions(self, company):
        """Return `(code, note id or None, return line id or None)` of all contradictions."""
        self.env.cr.execute(
            SQL(
                """WITH chosen AS MATERIALIZED (
                       SELECT id, return_id, sale_line_id, product_id, product_uom_id, state,
                              qty_authorized, qty_credited_posted
                         FROM sale_return_line WHERE company_id = %(company)s),
                   items AS MATERIALIZED (
                       SELECT item.id, item.move_id, item.product_id, item.credited_line_id,
                              item.sale_return_kind, item.sale_return_line_id,
                              item.analytic_distribution, item.create_date
                         FROM account_move_line item
                         JOIN chosen ON chosen.id = item.sale_return_line_id),
                   notes AS MATERIALIZED (
                       SELECT note.id, note.move_type, note.journal_id, note.reversed_entry_id,
                              note.commercial_partner_id, note.amount_residual, note.create_date
                         FROM account_move note
                        WHERE note.id IN (SELECT move_id FROM items)
                          AND note.state = 'posted'),
                   found AS (%(found)s)
                   SELECT DISTINCT cause, note_id, line_id FROM found
                 ORDER BY cause, note_id, line_id""",
                company=company.id,
                found=SQL(" UNION ALL ").join(self._get_queries()),
            )
        )
        return self.env.cr.fetchall()

    @api.model
    def _get_queries(self):
        """Return the queries of contradictions: `(cause, note_id, line_id)`. Override to add some.

        They read `chosen` (return lines of the company), `items` (lines of notes that returns have
        made) and `notes` (the posted ones of these).

        :rtype: list
        """
        return [
            *self._get_note_queries(),
            self._get_invoice_query(),
            *self._get_match_queries(),
            *self._get_tax_queries(),
            *self._get_return_queries(),
            *self._get_goods_queries(),
        ]

    # === NOTES === #

    @api.model
    def _get_note_queries(self):
        return [
            SQL(
                """SELECT 'type' AS cause, id AS note_id, NULL::int AS line_id
                     FROM notes WHERE move_type <> 'out_refund'"""
            ),
            SQL(
                """SELECT 'journal', notes.id, NULL
                     FROM notes JOIN account_move invoice ON invoice.id = notes.reversed_entry_id
                    WHERE invoice.journal_id <> notes.journal_id"""
            ),
            SQL(
                """SELECT 'product', items.move_id, NULL
                     FROM items JOIN notes ON notes.id = items.move_id
                     JOIN account_move_line billed ON billed.id = items.credited_line_id
                    WHERE items.sale_return_kind = 'goods'
                      AND items.product_id IS DISTINCT FROM billed.product_id"""
            ),
            # Users who assign the invoice to another project later know of its notes.
            SQL(
                """SELECT 'analytic', items.move_id, NULL
                     FROM items JOIN notes ON notes.id = items.move_id
                     JOIN account_move_line billed ON billed.id = items.credited_line_id
                    WHERE items.sale_return_kind = 'goods'
                      AND billed.write_date <= items.create_date
                      AND items.analytic_distribution IS DISTINCT FROM billed.analytic_distribution
                """
            ),
            SQL(
                """SELECT 'cost_account', notes.id, NULL
                     FROM notes
                     JOIN account_move_line cost ON cost.move_id = notes.id
                    WHERE cost.display_type = 'cogs'
                      AND EXISTS (SELECT FROM account_move_line billed
                           WHERE billed.move_id = notes.reversed_entry_id
                             AND billed.display_type = 'cogs'
                             AND billed.product_id = cost.product_id)
                      AND NOT EXISTS (SELECT FROM account_move_line billed
                           WHERE billed.move_id = notes.reversed_entry_id
                             AND billed.display_type = 'cogs'
                             AND billed.product_id = cost.product_id
                             AND billed.account_id = cost.account_id)"""
            ),
        ]

    @api.model
    def _get_invoice_query(self):
        """Return the query of notes whose invoice does not agree with itself.

        A note credits what its invoice has booked. If the lines or the total that the customer
        sees say something else, one of the two was changed past Odoo. Where taxes are rounded for
        the whole document, Odoo itself puts the difference on a line.
        """
        return SQL(
            """SELECT 'invoice', notes.id, NULL
                 FROM notes
                 JOIN account_move invoice ON invoice.id = notes.reversed_entry_id
                 JOIN res_company company ON company.id = invoice.company_id
                 JOIN res_currency own ON own.id = company.currency_id
                 JOIN res_currency currency ON currency.id = invoice.currency_id
                CROSS JOIN LATERAL (
                      SELECT BOOL_OR(item.parent_state <> invoice.state
                                  OR ABS(item.debit - item.credit - item.balance)
                                     > own.rounding / 2) AS item,
                             BOOL_OR(item.display_type = 'product'
                                 AND ABS(item.price_subtotal + item.amount_currency)
                                     > currency.rounding * CASE
                                       company.tax_calculation_rounding_method
                                       WHEN 'round_globally' THEN 1.5 ELSE 0.5 END) AS line,
                             BOOL_OR(item.display_type IN ('product', 'tax')
                                 AND ABS(item.balance - item.amount_currency
                                         / NULLIF(invoice.invoice_currency_rate, 0))
                                     > own.rounding / 2 + CASE WHEN own.id = currency.id THEN 0
                                       ELSE own.rounding + currency.rounding
                                            / NULLIF(invoice.invoice_currency_rate, 0) END) AS rate,
                             COALESCE(SUM(item.amount_currency) FILTER (
                                 WHERE item.display_type = 'tax'
                                    OR (item.display_type = 'rounding'
                                        AND item.tax_repartition_line_id IS NOT NULL)), 0) AS tax,
                             COALESCE(SUM(item.amount_currency) FILTER (
                                 WHERE item.display_type IN ('product', 'tax', 'rounding')), 0)
                                 AS total
                        FROM account_move_line item WHERE item.move_id = invoice.id) said
                WHERE said.item OR said.line OR said.rate
                   OR ABS(invoice.amount_tax + said.tax) > currency.rounding / 2
                   OR ABS(invoice.amount_total + said.total) > currency.rounding / 2
                   OR ABS(invoice.amount_total - invoice.amount_untaxed - invoice.amount_tax)
                      > currency.rounding / 2"""
        )

    @api.model
    def _get_match_queries(self):
        """Return the queries of notes that are not matched with what they say, or with whom."""
        return [
            SQL(
                """SELECT 'residual', notes.id, NULL
                     FROM notes
                     JOIN (SELECT due.move_id,
                                  SUM(due.amount_residual_currency) AS said,
                                  SUM(due.amount_currency + COALESCE(paid.amount_currency, 0)
                                      - COALESCE(billed.amount_currency, 0)) AS rest,
                                  SUM(due.amount_residual) AS said_company,
                                  SUM(due.balance + COALESCE(paid.amount, 0)
                                      - COALESCE(billed.amount, 0)) AS rest_company
                             FROM account_move_line due
                        LEFT JOIN LATERAL (
                                  SELECT SUM(credit_amount_currency) AS amount_currency,
                                         SUM(amount) AS amount
                                    FROM account_partial_reconcile
                                   WHERE credit_move_id = due.id) paid ON TRUE
                        LEFT JOIN LATERAL (
                                  SELECT SUM(debit_amount_currency) AS amount_currency,
                                         SUM(amount) AS amount
                                    FROM account_partial_reconcile
                                   WHERE debit_move_id = due.id) billed ON TRUE
                            WHERE due.move_id IN (SELECT id FROM notes)
                              AND due.display_type = 'payment_term'
                         GROUP BY due.move_id) dues ON dues.move_id = notes.id
                    WHERE ABS(dues.said - dues.rest) > 0.000001
                       OR ABS(dues.said_company - dues.rest_company) > 0.000001
                       OR ABS(notes.amount_residual + dues.said) > 0.000001"""
            ),
            SQL(
                """SELECT 'settles_others', notes.id, NULL
                     FROM notes
                     JOIN account_move_line due ON due.move_id = notes.id
                     JOIN account_partial_reconcile part ON part.credit_move_id = due.id
                     JOIN account_move_line against ON against.id = part.debit_move_id
                     JOIN account_move bill ON bill.id = against.move_id
                    WHERE bill.move_type IN ('out_invoice', 'out_receipt')
                      AND bill.commercial_partner_id <> notes.commercial_partner_id"""
            ),
        ]

    @api.model
    def _get_tax_queries(self):
        """Return the queries of taxes that the report of the tax office would get wrong."""
        return [
            SQL(
                """SELECT 'repartition', notes.id, NULL
                     FROM notes
                     JOIN account_move_line item ON item.move_id = notes.id
                     JOIN account_tax_repartition_line part
                       ON part.id = item.tax_repartition_line_id
                    WHERE notes.move_type = 'out_refund' AND part.document_type <> 'refund'"""
            ),
            # Boxes of no tax of the note; where taxes were changed since, what it was made with
            # counts.
            SQL(
                """SELECT 'tags', notes.id, NULL
                     FROM notes
                     JOIN account_move_line item ON item.move_id = notes.id
                     JOIN account_account_tag_account_move_line_rel given
                       ON given.account_move_line_id = item.id
                     JOIN account_tax_repartition_line part
                       ON part.id = item.tax_repartition_line_id
                     JOIN account_tax tax ON tax.id = part.tax_id
                    WHERE tax.write_date <= notes.create_date
                      AND NOT EXISTS (
                          SELECT FROM account_tax_repartition_line own
                            JOIN account_account_tag_account_tax_repartition_line_rel known
                              ON known.account_tax_repartition_line_id = own.id
                           WHERE known.account_account_tag_id = given.account_account_tag_id
                             AND own.document_type = 'refund')
                      AND NOT EXISTS (
                          SELECT FROM account_account_tag_product_template_rel article
                           WHERE article.account_account_tag_id = given.account_account_tag_id)"""
            ),
        ]

    # === RETURNS === #

    @api.model
    def _get_others_condition(self):
        """Return in SQL whether a return, `back`, is of somebody else than the buyer. Override."""
        return SQL("FALSE")

    @api.model
    def _get_return_queries(self):
        return [
            SQL(
                """SELECT 'not_approved', NULL, chosen.id
                     FROM chosen JOIN sale_return back ON back.id = chosen.return_id
                    WHERE chosen.qty_credited_posted > 0.000001
                      AND (back.state IN ('draft', 'refused', 'cancelled')
                           OR chosen.state IN ('draft', 'refused', 'cancelled'))"""
            ),
            SQL(
                """SELECT 'not_authorized', NULL, id
                     FROM chosen
                    WHERE qty_credited_posted > qty_authorized + 0.000001
                      AND state IN ('approved', 'closed')"""
            ),
            SQL(
                """SELECT 'customer', NULL, chosen.id
                     FROM chosen
                     JOIN sale_return back ON back.id = chosen.return_id
                     JOIN res_partner holder ON holder.id = back.partner_id
                     JOIN sale_order_line sold ON sold.id = chosen.sale_line_id
                     JOIN sale_order ON sale_order.id = sold.order_id
                    WHERE NOT (%(others)s) AND NOT EXISTS (
                          SELECT FROM res_partner known
                           WHERE known.id IN (sale_order.partner_id, sale_order.partner_invoice_id,
                                 sale_order.partner_shipping_id)
                             AND known.commercial_partner_id = holder.commercial_partner_id)""",
                others=self._get_others_condition(),
            ),
            SQL(
                """SELECT 'other_order', NULL, chosen.id
                     FROM chosen
                     JOIN items ON items.sale_return_line_id = chosen.id
                    WHERE chosen.sale_line_id IS NOT NULL AND items.sale_return_kind = 'goods'
                      AND EXISTS (SELECT FROM sale_order_line_invoice_rel rel
                           WHERE rel.invoice_line_id = items.id)
                      AND NOT EXISTS (SELECT FROM sale_order_line_invoice_rel rel
                           WHERE rel.invoice_line_id = items.id
                             AND rel.order_line_id = chosen.sale_line_id)"""
            ),
        ]

    # === GOODS === #

    @api.model
    def _get_goods_queries(self):
        return [
            SQL(
                """SELECT 'other_order', NULL, chosen.id
                     FROM chosen
                     JOIN stock_move move ON move.sale_return_line_id = chosen.id
                    WHERE move.state = 'done' AND move.sale_return_inspection_id IS NULL
                      AND move.sale_line_id <> chosen.sale_line_id"""
            ),
            SQL(
                """SELECT 'receipt_date', NULL, chosen.id
                     FROM chosen
                     JOIN stock_move move ON move.sale_return_line_id = chosen.id
                     JOIN stock_move origin ON origin.id = move.origin_returned_move_id
                    WHERE move.state = 'done' AND move.sale_return_inspection_id IS NULL
                      AND (move.date < origin.date OR move.date > now() + INTERVAL '1 day')"""
            ),
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
                          SELECT SUM(move.product_qty * CASE WHEN place.sale_return_loc_id
                                     = move.location_id THEN 1 ELSE -1 END) AS quantity,
                                 BOOL_OR(move.product_id <> chosen.product_id) AS is_kit
                            FROM sale_return_inspection result
                            JOIN sale_return_disposition way ON way.id = result.disposition_id
                            JOIN stock_move move ON move.sale_return_inspection_id = result.id
                            JOIN stock_warehouse place
                              ON place.sale_return_loc_id IN
                                 (move.location_id, move.location_dest_id)
                           WHERE result.line_id = judged.line_id AND move.state = 'done'
                             AND way.action IN ('restock', 'scrap', 'refurbish')) moved ON TRUE
                    WHERE NOT COALESCE(moved.is_kit, FALSE) AND template.is_storable
                      AND ABS(COALESCE(moved.quantity, 0)
                              - judged.quantity * line_unit.factor / unit.factor) > 0.0001"""
            ),
        ]
