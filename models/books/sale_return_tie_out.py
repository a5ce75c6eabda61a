from odoo import api, models
from odoo.tools import SQL

from ...tools.money import QUANTITY_EPSILON
from .const import CHUNK


class SaleReturnTieOut(models.AbstractModel):
    """Service: compare the effects of returns on the stock value and on the stock account.

    Returned goods come in at the cost at which they were sold, and leave again (sent back,
    replaced) at the cost of that day. The ledger has the cost of goods reversed by the credit
    notes. Both agree where Odoo books what it moves; where it does not (several deliveries on one
    invoice under FIFO, kits, drop shipments) there is a row.

        receipts − undone − sent back − replaced − scrapped without entry  =  cost reversed

    Scrap with an account posts its own entry, a restock moves no value.
    """

    _name = 'sale.return.tie.out'
    _description = "Return Tie-out"

    # === FIND === #

    @api.model
    def _find_differences(self, company):
        """Find returns whose goods and credit notes moved different values.

        :param company: one `res.company`, the current one.
        :return: `{key: values of the row}`, one row per return and product.
        :rtype: dict
        """
        where = self._get_finished_condition(company)
        costs = self._get_costs(company, where)
        self._revalue_standard(company, where, costs)
        differing = self._get_differing(company, costs)
        found = {}
        for start in range(0, len(differing), CHUNK):
            lines = self.env['sale.return.line'].browse(differing[start : start + CHUNK])
            others = self.env['sale.return.reconciler']._get_line_differences(lines)
            lines -= self.env['sale.return.line'].union(*others)
            lines -= self._get_settled_lines(company, lines)
            lines -= self._get_lines_like_their_sale(company, lines, costs)
            for sale_return, product in {(line.return_id, line.product_id) for line in lines}:
                # All lines of the product count: one may compensate for the other.
                group = sale_return.line_ids.filtered(lambda line, p=product: line.product_id == p)
                if vals := self._get_cost_row(company, group, costs):
                    found[f'cost_difference:{sale_return.id}:{product.id}'] = vals
        return found

    @api.model
    def _get_differing(self, company, costs):
        """Return the IDs of lines whose goods and notes moved different values."""
        return [
            line_id
            for line_id, (moved, reverse, unfounded) in costs.items()
            if company.currency_id.compare_amounts(moved, reverse)
            or not company.currency_id.is_zero(unfounded)
        ]

    @api.model
    def _get_settled_lines(self, company, lines):
        """Return the lines whose goods came with another return than the one credited.

        Goods that come late settle a credit that was written off: together they agree.
        """
        apart = lines.filtered(
            lambda line: line._get_measure().compare(
                line.qty_credited_posted,
                line.qty_received - line.qty_rejected - line.qty_uninvoiced + line.qty_kept,
            )
        )
        settled = lines.browse()
        siblings = apart.sale_line_id.return_line_ids
        costs = self._get_line_costs(siblings)
        for sale_line, group in apart.grouped('sale_line_id').items():
            known = [costs[line.id] for line in sale_line.return_line_ids if line.id in costs]
            moved = sum(figures[0] for figures in known)
            reverse = sum(figures[1] for figures in known)
            if sale_line and not company.currency_id.compare_amounts(moved, reverse):
                settled |= group
        return settled

    @api.model
    def _get_lines_like_their_sale(self, company, lines, costs):
        """Return the lines that take back their share of a difference made by the sale.

        An average cost that changes between delivery and invoice, by a purchase or by landed costs,
        lets Odoo book another cost than that of the goods delivered; with periodic valuation it
        books none. Goods and note of the return take back their share of either.

        :param dict costs: as returned by `_get_costs`.
        """
        like = lines.browse()
        for line in lines:
            moved, reverse, unfounded = costs[line.id]
            sold, billed = self._get_unit_costs(line)
            if sold is None or unfounded or line.qty_uninvoiced:
                continue
            if billed and self._get_cause(line, reverse - moved) != 'other':
                continue
            moves = line.move_ids.filtered(lambda m: m.state == 'done' and (m.is_in or m.is_out))
            back = sum(move._get_valued_qty() for move in moves if move.is_in)
            credited = sum(
                item._get_return_measure().to_stock(item._get_quantity_counted())
                for item in line.credit_line_ids
                if item.parent_state == 'posted' and item.quantity > 0
            )
            # Each move and each cost posted is rounded by itself.
            parts = len(moves) + len(line.credit_line_ids)
            limit = company.currency_id.rounding * parts / 2 + 1e-6
            if (
                not company.currency_id.is_zero((billed - sold) * back)
                and abs(moved - sold * back) <= limit
                and abs(reverse - billed * credited) <= limit
            ):
                like |= line
        return like

    @api.model
    def _get_unit_costs(self, line):
        """Return what a unit sold cost by its deliveries and by its invoices.

        :return: `(cost delivered, cost invoiced)` of the product's unit, `(None, None)` where
            nothing was invoiced, or other products were delivered.
        :rtype: tuple
        """
        product = line.product_id
        deliveries = line.sale_line_id.move_ids.filtered(
            lambda move: move.state == 'done' and move.is_out and not move.sale_return_line_id
        )
        bills = line.sale_line_id.invoice_lines.filtered(
            lambda item: item.move_type == 'out_invoice' and item.parent_state == 'posted'
        )
        delivered = sum(move._get_valued_qty() for move in deliveries)
        billed = sum(
            item._get_return_measure().to_stock(item._get_quantity_counted()) for item in bills
        )
        if deliveries.product_id != product or delivered <= 0 or billed <= 0:
            return None, None
        cost = -sum(
            item.balance
            for item in bills.move_id.line_ids
            if item.display_type == 'cogs' and item.price_unit >= 0 and item.cogs_origin_id in bills
        )
        return sum(deliveries.mapped('value')) / delivered, cost / billed

    @api.model
    def _get_finished_condition(self, company):
        """Return the condition of lines whose goods and credits are complete.

        Goods received and not credited (or vice versa) are a separate difference, and removed
        afterwards, so each line is in only one of the two.

        :rtype: SQL
        """
        return SQL(
            """line.company_id = %(company)s AND line.state IN ('approved', 'closed')
               AND line.qty_to_inspect = 0 AND line.qty_rejected = line.qty_sent_back
               AND (line.state = 'closed' OR line.qty_credited_posted > 0)""",
            company=company.id,
        )

    @api.model
    def _get_line_costs(self, lines):
        """Return the value of the goods of lines and the cost reversed by their notes.

        :param lines: `sale.return.line` records of the current company.
        :return: `{line id: (value moved, cost reversed)}` in the currency of the company; lines of
            products without real-time valuation are left out.
        :rtype: dict
        """
        if not lines:
            return {}
        where = SQL("line.id IN %s", tuple(lines.ids))
        costs = self._get_costs(self.env.company, where)
        return {line_id: figures[:2] for line_id, figures in costs.items()}

    @api.model
    def _get_cost_row(self, company, lines, costs):
        """Return the row of one product of a return, None if it agrees after all."""
        currency = company.currency_id
        known = [costs[line.id] for line in lines if line.id in costs]
        moved = currency.round(sum(figures[0] for figures in known))
        reverse = currency.round(sum(figures[1] for figures in known))
        unfounded = currency.round(sum(figures[2] for figures in known))
        difference = currency.round(reverse - moved)
        cause = self._get_cause(lines, difference)
        if currency.is_zero(difference):
            difference, cause = unfounded, 'invoice_without_cost'
        if currency.is_zero(difference):
            return None
        sale_return = lines.return_id
        notes = lines.credit_line_ids.move_id.filtered(lambda move: move.state == 'posted')
        return {
            **self.env['sale.return.reconciler']._prepare_return_vals(sale_return),
            'kind': 'cost_difference',
            'cause': cause,
            'return_line_id': lines.id if len(lines) == 1 else False,
            'product_id': lines.product_id.id,
            'product_uom_id': lines.product_uom_id[:1].id,
            'note_id': notes[-1:].id,
            'qty_received': sum(lines.mapped('qty_received')),
            'qty_accepted': sum(lines.mapped('qty_accepted')),
            'qty_credited': sum(lines.mapped('qty_credited_posted')),
            'qty_difference': 0.0,
            'currency_id': currency.id,
            'amount_difference': difference,
            'amount_company': difference,
            'cost_moved': moved,
            'cost_reversed': reverse,
        }

    @api.model
    def _get_cause(self, lines, difference):
        """Return the code of the likeliest cause, see `sale.return.explainer`."""
        moves = lines.move_ids.filtered(lambda move: move.state == 'done')
        siblings = lines.sale_line_id.return_line_ids
        if any(
            line.qty_credited_posted and not line.reason_id.return_expected for line in siblings
        ) and any(lines.mapped('qty_received')):
            return 'missing_came'
        if any(move.product_id not in lines.product_id for move in moves):
            return 'kit'
        if any(move.is_dropship for move in lines.sale_line_id.move_ids):
            return 'dropship'
        leaving = moves.filtered(
            lambda move: move.is_out and move.location_dest_id.usage != 'inventory'
        )
        came = moves.filtered('is_in')
        if leaving and not came:
            return 'replaced_missing'
        if leaving and self._is_other_cost(came, leaving):
            return 'left_again'
        if any(move.is_out and not move.account_move_id for move in moves - leaving):
            return 'scrap_without_entry'
        deliveries = lines.sale_line_id.move_ids.filtered(lambda move: move.is_out) - moves
        # Each move and each cost posted is rounded by itself.
        parts = len(moves) + len(deliveries) + len(lines.credit_line_ids)
        if abs(difference) <= lines.company_id.currency_id.rounding * parts / 2:
            return 'rounding'
        if not any(lines.mapped('qty_credited_posted')):
            return 'kept_without_credit'
        return self._get_cost_cause(lines, deliveries)

    @api.model
    def _is_other_cost(self, came, leaving):
        """Tell whether goods left at another cost per unit than that at which they came."""
        quantity = sum(move._get_valued_qty() for move in came)
        left = sum(move._get_valued_qty() for move in leaving)
        cost = sum(came.mapped('value')) / quantity if quantity else 0.0
        # Each move is rounded by itself.
        limit = came.company_id.currency_id.rounding * len(came + leaving) / 2 + 1e-6
        return abs(sum(leaving.mapped('value')) - cost * left) > limit

    @api.model
    def _get_cost_cause(self, lines, deliveries):
        """Return why the cost posted differs, where all goods went the usual way."""
        billed = lines.sale_line_id.invoice_lines.filtered(
            lambda item: (
                item.move_type == 'out_invoice'
                and item.parent_state == 'posted'
                and not item.move_id._bills_note_again()
            )
        )
        if lines.sale_line_id.product_uom_id != lines.product_id.uom_id:
            if len(billed.move_id) > 1:
                return 'billed_in_parts'
            if any(
                abs(item.quantity - item._get_quantity_counted()) > QUANTITY_EPSILON
                for item in billed
            ):
                # Odoo posts the cost of 0.08 of a dozen where one piece was billed.
                return 'other'
        if lines.product_id.cost_method == 'standard':
            return 'standard_changed'
        if lines.product_id.cost_method == 'fifo' and len(deliveries) > 1:
            return 'fifo_deliveries'
        return 'other'

    # === FIGURES === #

    @api.model
    def _get_costs(self, company, where):
        """Add up the values moved and the costs reversed of lines, in one query.

        :param company: one `res.company`, which is the current one.
        :param SQL where: condition on `line` (`sale_return_line`).
        :return: `{line id: (value moved, cost reversed, cost reversed that no invoice had)}` in
            the currency of the company, of products with real-time valuation only.
        :rtype: dict
        """
        self.env.cr.execute(
            SQL(
                """WITH chosen AS MATERIALIZED (
                       SELECT line.id, line.qty_received, line.qty_uninvoiced
                         FROM sale_return_line line
                         JOIN product_product product ON product.id = line.product_id
                         JOIN product_template template ON template.id = product.product_tmpl_id
                        WHERE %(where)s AND %(real_time)s),
                   moved AS (%(moved)s),
                   reversed AS (%(reversed)s)
                   SELECT chosen.id,
                          COALESCE(moved.came * (1 - COALESCE(LEAST(chosen.qty_uninvoiced
                              / NULLIF(chosen.qty_received, 0), 1), 0)) - moved.went, 0),
                          COALESCE(reversed.cost, 0), COALESCE(reversed.unfounded, 0)
                     FROM chosen
                LEFT JOIN moved ON moved.line_id = chosen.id
                LEFT JOIN reversed ON reversed.line_id = chosen.id
                    WHERE moved.line_id IS NOT NULL OR reversed.line_id IS NOT NULL
                 ORDER BY chosen.id""",
                where=where,
                real_time=self._get_real_time_condition(company),
                moved=self._get_moved_query(),
                reversed=self._get_reversed_query(),
            )
        )
        return {
            line_id: (float(moved), float(reverse), float(unfounded))
            for line_id, moved, reverse, unfounded in self.env.cr.fetchall()
        }

    @api.model
    def _revalue_standard(self, company, where, costs):
        """Value receipts of products with a standard cost at the cost of their day.

        Odoo stores on the move what the goods cost when they were sold, but values the stock at the
        standard cost. This only matters for products whose cost has changed in between, or that
        were delivered while the user worked in another company: then it stored the cost of that.

        :param dict costs: as returned by `_get_costs`; corrected in place.
        """
        self.env.cr.execute(
            SQL(
                """SELECT DISTINCT move.id
                     FROM sale_return_line line
                     JOIN stock_move move ON move.sale_return_line_id = line.id
                     JOIN stock_move sold ON sold.id = move.origin_returned_move_id
                     JOIN product_value price ON price.product_id = move.product_id
                    WHERE %(where)s AND move.state = 'done' AND move.is_in
                      AND price.move_id IS NULL AND price.lot_id IS NULL
                      AND price.company_id = %(company)s
                      AND price.date > sold.date AND price.date <= move.date""",
                where=where,
                company=company.id,
            )
        )
        moves = self.env['stock.move'].browse(row[0] for row in self.env.cr.fetchall())
        others = moves.search(
            [
                ('sale_return_line_id', 'in', self._get_differing(company, costs)),
                ('state', '=', 'done'),
                ('is_in', '=', True),
                ('id', 'not in', moves.ids),
            ]
        )
        standard = (moves | others).filtered(lambda move: move.product_id.cost_method == 'standard')
        for move in standard:
            line_id = move.sale_return_line_id.id
            if line_id in costs:
                price = move.product_id._get_standard_price_at_date(move.date)
                moved, reverse, unfounded = costs[line_id]
                quantity = move._get_valued_qty()
                change = price * quantity - move.value
                # The cost of a day is rounded, and so is the share of the cost delivered. A value
                # that is not this share was changed since.
                limit = company.currency_id.rounding * (1 + quantity / 2)
                sent = move.origin_returned_move_id
                shipped = sent._get_valued_qty() if sent.is_out else 0.0
                share = sent.value * quantity / shipped if shipped else 0.0
                taken = shipped and abs(move.value - share) <= limit
                if move in moves or (taken and abs(change) > limit):
                    costs[line_id] = moved + change, reverse, unfounded

    @api.model
    def _get_real_time_condition(self, company):
        """Return the condition of product templates valued in real time."""
        default = company.inventory_valuation == 'real_time'
        categories = self.env['product.category'].search([])
        chosen = categories.filtered(
            lambda category: (
                (category.property_valuation or company.inventory_valuation) == 'real_time'
            )
        )
        return SQL(
            "(template.categ_id IN %s OR (template.categ_id IS NULL AND %s))",
            tuple(chosen.ids) or (0,),
            default,
        )

    @api.model
    def _get_moved_query(self):
        """Return what came in and went out by line: `(line_id, came, went)`.

        Goods without tracked stock have a value on their moves but none in stock.
        """
        return SQL(
            """SELECT parts.line_id, SUM(parts.came) AS came, SUM(parts.went) AS went
                 FROM (SELECT move.product_id, move.sale_return_line_id AS line_id,
                              CASE WHEN move.is_in AND NOT (source.usage = 'inventory'
                                   AND move.account_move_id IS NOT NULL)
                                   THEN move.value ELSE 0 END AS came,
                              CASE WHEN move.is_out AND (place.usage = 'customer'
                                   OR (place.usage = 'inventory' AND move.account_move_id IS NULL))
                                   THEN move.value ELSE 0 END AS went
                         FROM chosen
                         JOIN stock_move move ON move.sale_return_line_id = chosen.id
                         JOIN stock_location source ON source.id = move.location_id
                         JOIN stock_location place ON place.id = move.location_dest_id
                        WHERE move.state = 'done' AND (move.is_in OR move.is_out)
                    UNION ALL
                       SELECT undone.product_id, receipt.sale_return_line_id, -undone.value, 0
                         FROM chosen
                         JOIN stock_move receipt ON receipt.sale_return_line_id = chosen.id
                         JOIN stock_move undone ON undone.origin_returned_move_id = receipt.id
                        WHERE undone.state = 'done' AND undone.is_out AND receipt.is_in
                          AND undone.sale_return_line_id IS NULL) parts
                 JOIN product_product product ON product.id = parts.product_id
                 JOIN product_template template ON template.id = product.product_tmpl_id
                WHERE template.is_storable
             GROUP BY parts.line_id"""
        )

    @api.model
    def _get_reversed_query(self):
        """Return the cost that notes put back on the stock account: `(line_id, cost, unfounded)`.

        Of the two journal items of a cost of goods, the one on the stock account has the positive
        price. Reversals of a note count negative.
        """
        return SQL(
            """SELECT parts.line_id, SUM(parts.cost) AS cost, SUM(parts.unfounded) AS unfounded
                 FROM (SELECT credit.sale_return_line_id AS line_id, cogs.balance AS cost,
                              CASE WHEN EXISTS (SELECT FROM account_move_line billed
                                  WHERE billed.move_id = note.reversed_entry_id
                                    AND billed.display_type = 'cogs'
                                    AND billed.product_id = cogs.product_id)
                                   THEN 0 ELSE cogs.balance END AS unfounded
                         FROM chosen
                         JOIN account_move_line credit ON credit.sale_return_line_id = chosen.id
                         JOIN account_move note ON note.id = credit.move_id
                         JOIN account_move_line cogs ON cogs.cogs_origin_id = credit.id
                        WHERE note.state = 'posted' AND cogs.display_type = 'cogs'
                          AND cogs.price_unit >= 0
                    UNION ALL
                       SELECT again.line_id, -again.cost, 0
                         FROM (%(billed_again)s) again
                         JOIN chosen ON chosen.id = again.line_id) parts
             GROUP BY parts.line_id""",
            billed_again=self._get_billed_again_query(),
        )

    @api.model
    def _get_billed_again_query(self):
        """Return the cost that reversals of notes bill again: `(line_id, cost)`.

        A note may credit several returns. Its first line is reversed first, as in
        `account.move.line._get_qty_reversed`; the last one takes the rest.
        """
        return SQL(
            """SELECT credited.line_id,
                      CASE WHEN credited.is_last
                           THEN GREATEST(billed.cost - credited.before, 0)
                           ELSE LEAST(GREATEST(billed.cost - credited.before, 0), credited.cost)
                            END AS cost
                 FROM (SELECT bill.reversed_entry_id AS note_id, item.product_id,
                              -SUM(item.balance) AS cost
                         FROM account_move bill
                         JOIN account_move_line item ON item.move_id = bill.id
                        WHERE bill.state = 'posted' AND item.display_type = 'cogs'
                          AND item.price_unit >= 0
                          AND bill.reversed_entry_id IN (
                              SELECT credit.move_id
                                FROM chosen
                                JOIN account_move_line credit
                                  ON credit.sale_return_line_id = chosen.id
                               WHERE credit.parent_state = 'posted')
                     GROUP BY bill.reversed_entry_id, item.product_id) billed
                 JOIN LATERAL (
                      SELECT credit.sale_return_line_id AS line_id,
                             COALESCE(SUM(cogs.balance), 0) AS cost,
                             COALESCE(SUM(SUM(cogs.balance)) OVER (ORDER BY credit.id
                                 ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before,
                             LEAD(credit.id) OVER (ORDER BY credit.id) IS NULL AS is_last
                        FROM account_move_line credit
                   LEFT JOIN account_move_line cogs ON cogs.cogs_origin_id = credit.id
                         AND cogs.display_type = 'cogs' AND cogs.price_unit >= 0
                       WHERE credit.move_id = billed.note_id
                         AND credit.product_id = billed.product_id
                         AND credit.display_type = 'product'
                         AND credit.sale_return_line_id IS NOT NULL
                    GROUP BY credit.id, credit.sale_return_line_id) credited ON TRUE"""
        )

    # === WHOLE PRODUCTS === #

    @api.model
    def _get_product_values(self, company, products):
        """Return the value of products in stock and on the stock account.

        :param company: `res.company`.
        :param products: `product.product` records.
        :return: `{product: (value in stock, balance of the stock account)}` in the currency of the
            company. Entries without product (closing, opening) are left out.
        :rtype: dict
        """
        products = products.with_company(company).with_context(allowed_company_ids=company.ids)
        accounts = {p: p._get_product_accounts()['stock_valuation'] for p in products}
        balances = {
            (product.id, account.id): balance
            for product, account, balance in self.env['account.move.line']._read_group(
                [
                    ('account_id', 'in', [account.id for account in accounts.values()]),
                    ('product_id', 'in', products.ids),
                    ('parent_state', '=', 'posted'),
                    ('company_id', '=', company.id),
                ],
                ['product_id', 'account_id'],
                ['balance:sum'],
            )
        }
        return {
            product: (product.total_value, balances.get((product.id, account.id), 0.0))
            for product, account in accounts.items()
        }
