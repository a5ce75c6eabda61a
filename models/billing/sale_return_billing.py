from contextlib import contextmanager

from odoo import api, models
from odoo.exceptions import UserError


class SaleReturnBilling(models.AbstractModel):
    """Service: compare what exchanges bill with what was agreed.

    The credit of a return settles the invoice of its exchange. If that billed less than was agreed,
    the rest of the credit would be paid back for goods that the customer keeps. So nothing is paid
    back before the exchange is billed as its order says, or an approver has granted the difference,
    which counts in the budget of credits without goods.
    """

    _name = 'sale.return.billing'
    _description = "Return Exchange Billing"

    # === AMOUNTS === #

    @api.model
    def _get_agreed(self, line, quantity):
        """Return what a quantity of an exchange costs by its order, tax included.

        :param line: one `sale.return.line` in superuser mode.
        :param float quantity: in the unit of the exchange.
        :return: in the currency of the order.
        :rtype: float
        """
        sale_line = line.exchange_sale_line_id
        amounts = sale_line.tax_ids.compute_all(
            sale_line.price_unit * (1 - sale_line.discount / 100),
            currency=sale_line.currency_id,
            quantity=quantity,
            product=sale_line.product_id,
            partner=sale_line.order_id.partner_shipping_id,
        )
        return amounts['total_included']

    @api.model
    def _get_qty_due(self, line, promised=False):
        """Return how many of an exchange have to be billed: the credited part of what is given.

        :param bool promised: include what is still to be ordered.
        :return: in the unit of the exchange.
        :rtype: float
        """
        given = line._get_qty_exchange_given()
        if promised:
            given += line._get_qty_exchange_open()
        return min(line._get_qty_exchanged(line.qty_credited_posted), given)

    @api.model
    def _get_items(self, line):
        """Return the posted invoice lines that bill an exchange."""
        return line.exchange_sale_line_id.invoice_lines.filtered(
            lambda item: item.parent_state == 'posted' and item.move_id.move_type == 'out_invoice'
        )

    @api.model
    def _get_billed(self, lines):
        """Return what the exchanges of a return bill to its customer, tax included.

        Documents in another currency, or for somebody else, bill this customer nothing, and lower
        nothing. Credit notes and negative lines made by hand lower it; those of returns have goods
        behind them, and goodwill its own budget.

        :param lines: the `sale.return.line` records of one return that have an exchange order.
        :return: in the currency of the order.
        :rtype: float
        """
        order = lines.exchange_order_id[:1]
        customer = order.partner_invoice_id.commercial_partner_id
        items = lines.browse().credit_line_ids.union(*[self._get_items(line) for line in lines])
        own = items.move_id
        notes = own.reversal_move_ids | lines.exchange_sale_line_id.invoice_lines.move_id
        by_hand = notes.filtered(
            lambda move: move.move_type == 'out_refund' and move.state == 'posted'
        ).invoice_line_ids.filtered(
            lambda item: (
                not item.credited_line_id
                and (
                    item.move_id.reversed_entry_id in own
                    or item.sale_line_ids & lines.exchange_sale_line_id
                )
            )
        )
        others = (own.invoice_line_ids - items).filtered(
            lambda item: (
                item.price_total < 0
                and not item.is_downpayment
                and item.sale_line_ids.order_id <= order
            )
        )

        def counted(item):
            return (
                item.currency_id == order.currency_id
                and item.move_id.partner_id.commercial_partner_id == customer
            )

        billed = sum((items | others).filtered(counted).mapped('price_total'))
        return billed - sum(by_hand.filtered(counted).mapped('price_total'))

    @api.model
    def _get_granted(self, sale_return):
        """Return what approvers have let exchanges be billed below their price.

        :return: in the currency of the order.
        :rtype: float
        """
        # sudo: what was granted counts for everybody, also for users who do not see the list.
        rows = self.env['sale.return.unbacked'].sudo()
        rows = rows.search([('return_id', '=', sale_return.id), ('kind', '=', 'exchange')])
        currency = sale_return.exchange_order_ids.currency_id[:1]
        return sum(
            row.currency_id._convert(row.amount, currency, row.company_id, row.date) for row in rows
        )

    @api.model
    def _compare(self, sale_return, quantities):
        """Return by how much exchanges are billed below what was agreed.

        :param sale_return: one `sale.return` in superuser mode.
        :param dict quantities: `{return line: quantity that is compared}`
        :return: `(agreed, billed)` in the currency of the order; equal within the rounding.
        :rtype: tuple
        """
        lines = sale_return.line_ids.filtered('exchange_sale_line_id')
        currency = lines.exchange_order_id.currency_id[:1]
        agreed = sum(self._get_agreed(line, quantities[line]) for line in lines)
        if not agreed:
            return 0.0, 0.0
        billed = self._get_billed(lines)
        # Each line and tax is rounded on its own, and prices are compared to the cent.
        slack = currency.rounding * sum(
            quantities[line] / 2
            + len(self._get_items(line)) * (1 + len(line.exchange_sale_line_id.tax_ids))
            for line in lines
        )
        if billed < agreed - slack:
            billed += self._get_granted(sale_return)
        return agreed, billed if billed < agreed - slack else agreed

    @api.model
    def _get_shortfall(self, sale_return, promised=False):
        """Return what is not billed of what a return gives for its credit.

        :param sale_return: one `sale.return` in superuser mode.
        :param bool promised: include what is still to be ordered.
        :return: in the currency of the order, tax included; 0.0 as agreed.
        :rtype: float
        """
        lines = sale_return.line_ids.filtered('exchange_sale_line_id')
        agreed, billed = self._compare(
            sale_return, {line: self._get_qty_due(line, promised) for line in lines}
        )
        return agreed - billed

    # === CONTROL === #

    @api.model
    def _check_posted(self, returns):
        """Refuse documents just posted that bill exchanges below their price.

        Of an approver it counts in their budget. Smaller quantities may be billed: the rest is
        billed by the next step.

        :param returns: `sale.return` records in superuser mode.
        :raise UserError: for other users, naming the amounts.
        """
        for sale_return in returns:
            # One by one: users post few invoices of exchanges.
            lines = sale_return.line_ids.filtered('exchange_sale_line_id')
            agreed, billed = self._compare(
                sale_return,
                {
                    line: sum(
                        item.product_uom_id._compute_quantity(item.quantity, line.exchange_uom_id)
                        for item in self._get_items(line)
                    )
                    for line in lines
                },
            )
            if billed >= agreed:
                continue
            if not self.env.user.has_group('sale_return.group_approver'):
                currency = lines.exchange_order_id.currency_id
                raise UserError(
                    self.env._(
                        "The exchange of return %(return)s cannot be billed with %(billed)s: "
                        "%(agreed)s were agreed. Bill %(agreed)s; if the customer need not pay the "
                        "difference, have it granted as goodwill afterwards. Or ask an approver of "
                        "Returns to post this document.",
                        billed=currency.format(billed),
                        agreed=currency.format(agreed),
                        **{'return': sale_return.name},
                    )
                )
            self._grant(lines[:1], self._to_company(lines[:1], agreed - billed), 'exchange')

    @api.model
    @contextmanager
    def _count_prices(self, orders):
        """Count in the budget by how much the block lowers the prices of exchanges.

        What was lowered before and is raised again does not count any more.

        :param orders: the `sale.order` records that the block changes.
        :raise UserError: see `sale.return.unbacked`.
        """
        # sudo: users who change an order need not be users of Returns.
        lines = orders.sudo().filtered('exchange_return_id').order_line.exchange_return_line_ids
        before = {line: self._get_agreed_value(line) for line in lines}
        yield
        for line, value in before.items():
            # One by one: a manager seldom changes the prices of more than one.
            lowered = value - self._get_agreed_value(line)
            self._grant(line, lowered, 'goodwill')
            if line.company_id.currency_id.compare_amounts(lowered, 0.0) < 0:
                self.env['sale.return.unbacked']._take_back(line, -lowered)

    @api.model
    def _get_agreed_value(self, line):
        """Return what an exchange costs, at most what was asked for, tax included.

        What a price is above the one of the request may be lowered again.

        :param line: one `sale.return.line` in superuser mode.
        :return: in the currency of the company.
        :rtype: float
        """
        agreed = self._to_company(line, self._get_agreed(line, line.exchange_quantity))
        return min(agreed, line._get_given_away(line.exchange_price))

    @api.model
    def _to_company(self, line, amount):
        """Convert an amount from the currency of an exchange order to that of the company."""
        company = line.company_id
        return line.exchange_order_id.currency_id._convert(
            amount, company.currency_id, company, company._get_sale_return_day()
        )

    @api.model
    def _grant(self, line, amount, kind):
        """Record what a user lets an exchange cost less, within their budget.

        :param line: one `sale.return.line` in superuser mode.
        :param float amount: tax included, in the currency of the company.
        :param str kind: of the row.
        :raise UserError: see `sale.return.unbacked`.
        """
        if line.company_id.currency_id.compare_amounts(amount, 0.0) <= 0:
            return
        unbacked = self.env['sale.return.unbacked']
        vals = unbacked._prepare_line_vals(line, kind, line._get_qty_wanted())
        unbacked._spend([{**vals, 'amount': amount}])

    # === LIST === #

    @api.model
    def _find_returns(self, company):
        """Return the few returns that may bill less than was agreed, by one query."""
        self.env.cr.execute(
            """SELECT DISTINCT line.return_id
                 FROM sale_return_line line
                 JOIN sale_order_line own ON own.id = line.exchange_sale_line_id
                 JOIN sale_order sold ON sold.id = own.order_id
                 JOIN res_partner payer ON payer.id = sold.partner_invoice_id
            LEFT JOIN LATERAL (
                      SELECT SUM(item.price_total) AS amount,
                             BOOL_OR(EXISTS (
                                 SELECT FROM account_move_line other
                                  WHERE other.move_id = move.id AND other.price_total < 0
                                    AND other.display_type = 'product')
                             OR EXISTS (
                                 SELECT FROM account_move note
                                  WHERE note.reversed_entry_id = move.id
                                    AND note.state = 'posted')) AS lowered
                        FROM sale_order_line_invoice_rel rel
                        JOIN account_move_line item ON item.id = rel.invoice_line_id
                        JOIN account_move move ON move.id = item.move_id
                        JOIN res_partner billed ON billed.id = move.partner_id
                       WHERE rel.order_line_id = own.id AND move.state = 'posted'
                         AND move.move_type = 'out_invoice'
                         AND move.currency_id = own.currency_id
                         AND billed.commercial_partner_id = payer.commercial_partner_id) bill
                      ON TRUE
                WHERE line.company_id = %s AND line.qty_credited_posted > 0
                  AND (bill.lowered OR COALESCE(bill.amount, 0) < own.price_total
                       OR EXISTS (
                           SELECT FROM sale_order_line_invoice_rel rel
                             JOIN account_move_line item ON item.id = rel.invoice_line_id
                            WHERE rel.order_line_id = own.id AND item.price_total <> 0
                              AND item.parent_state = 'posted'
                              AND item.credited_line_id IS NULL
                              AND EXISTS (
                                  SELECT FROM account_move note
                                   WHERE note.id = item.move_id
                                     AND note.move_type = 'out_refund')))
             ORDER BY 1""",
            [company.id],
        )
        return self.env['sale.return'].browse(row[0] for row in self.env.cr.fetchall())
