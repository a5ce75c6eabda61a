from odoo import api, models
from odoo.tools import SQL

RECEIVABLE = SQL("'asset_receivable'")


class SaleReturnCustomerCheck(models.AbstractModel):
    """Service: compare the receivables of customers with returns with their documents.

        invoices − notes − payments  =  receivable in the ledger

    Opening balances, write-offs, exchange entries and entries between accounts of balances are
    booked on the receivable alone and are not differences. An entry that raises it against income
    is one: it bills by the back door, or takes a credit back. So is one that moves what a customer
    owes to somebody else.
    """

    _name = 'sale.return.customer.check'
    _description = "Return Customer Account Check"

    @api.model
    def _find_differences(self, company):
        """Find customers whose receivable differs; see `sale.return.reconciler`.

        :param company: one `res.company`, the current one.
        :return: `{key: values of the row}`, one row per customer.
        :rtype: dict
        """
        found = {}
        accounts = self._get_accounts(company)
        returns = self.env['sale.return'].search(
            [
                ('partner_id', 'child_of', [partner_id for partner_id, *_sums in accounts]),
                ('company_id', '=', company.id),
                ('state', 'not in', ('draft', 'refused', 'cancelled')),
            ],
            order='id',
        )
        last = {back.partner_id.commercial_partner_id.id: back for back in returns}
        for partner_id, documents, ledger in accounts:
            difference = company.currency_id.round(ledger - documents)
            if company.currency_id.is_zero(difference):
                continue
            found[f'customer_difference:{partner_id}'] = {
                **self.env['sale.return.reconciler']._prepare_return_vals(
                    last.get(partner_id, self.env['sale.return'])
                ),
                'kind': 'customer_difference',
                'partner_id': partner_id,
                'currency_id': company.currency_id.id,
                'amount_accepted': documents,
                'amount_credited': ledger,
                'amount_difference': difference,
                'amount_company': difference,
            }
        return found

    @api.model
    def _get_accounts(self, company):
        """Return `(customer, by documents, by ledger)` where both differ, in company currency.

        Customers of submitted returns; whatever changes neither side is left out of both.
        """
        self.env.cr.execute(
            SQL(
                """WITH customers AS MATERIALIZED (
                       SELECT DISTINCT partner.commercial_partner_id AS id
                         FROM sale_return back
                         JOIN res_partner partner ON partner.id = back.partner_id
                        WHERE back.company_id = %(company)s
                          AND back.state NOT IN ('draft', 'refused', 'cancelled')),
                   moves AS MATERIALIZED (%(moves)s),
                   items AS MATERIALIZED (
                       SELECT item.move_id, holder.commercial_partner_id AS holder_id,
                              SUM(item.balance) AS balance
                         FROM account_move_line item
                         JOIN account_account account ON account.id = item.account_id
                    LEFT JOIN res_partner holder ON holder.id = item.partner_id
                        WHERE item.move_id IN (SELECT id FROM moves)
                          AND item.parent_state = 'posted'
                          AND account.account_type = %(receivable)s
                     GROUP BY 1, 2),
                   sides AS (
                       SELECT customer_id AS id, amount_total_signed AS documents, 0 AS ledger
                         FROM moves WHERE payment_id IS NULL AND state = 'posted'
                    UNION ALL
                       SELECT moves.payee_id, items.balance, 0
                         FROM moves JOIN items ON items.move_id = moves.id
                        WHERE moves.payment_id IS NOT NULL
                    UNION ALL
                       SELECT holder_id, 0, balance FROM items
                    UNION ALL
                       SELECT payments.payee_id, payments.difference, 0
                         FROM (%(payments)s) payments
                    UNION ALL
                       SELECT billed.holder_id, 0, billed.balance
                         FROM (%(billed)s) billed)
                   SELECT sides.id, SUM(sides.documents), SUM(sides.ledger)
                     FROM sides JOIN customers ON customers.id = sides.id
                 GROUP BY sides.id
                   HAVING ABS(SUM(sides.documents) - SUM(sides.ledger)) > 0.000001
                 ORDER BY sides.id""",
                company=company.id,
                receivable=RECEIVABLE,
                moves=self._get_moves_query(company),
                payments=self._get_payments_query(),
                billed=self._get_billed_query(company),
            )
        )
        return [(row[0], float(row[1]), float(row[2])) for row in self.env.cr.fetchall()]

    @api.model
    def _get_moves_query(self, company):
        """Return the documents and payments of the customers, by header or by item."""
        return SQL(
            """SELECT move.id, move.move_type, move.state, move.amount_total_signed,
                   payment.id AS payment_id, entry_payee.commercial_partner_id
                       AS payee_id, partner.commercial_partner_id AS customer_id
              FROM account_move move
         LEFT JOIN res_partner partner ON partner.id = move.partner_id
         LEFT JOIN account_payment payment ON payment.move_id = move.id
         LEFT JOIN res_partner entry_payee ON entry_payee.id = payment.partner_id
             WHERE move.company_id = %(company)s
               AND (move.move_type IN ('out_invoice', 'out_refund', 'out_receipt')
                    OR payment.id IS NOT NULL)
               AND (partner.commercial_partner_id IN (SELECT id FROM customers)
                    OR entry_payee.commercial_partner_id IN (SELECT id FROM customers)
                    OR EXISTS (SELECT FROM account_move_line item
                         JOIN res_partner holder ON holder.id = item.partner_id
                        WHERE item.move_id = move.id
                          AND holder.commercial_partner_id
                              IN (SELECT id FROM customers)))""",
            company=company.id,
        )

    @api.model
    def _get_payments_query(self):
        """Return payments whose entry has another amount: `(payee_id, difference)`.

        In the currency of the company; write-offs of a payment are in its entry.
        """
        return SQL(
            """SELECT moves.payee_id,
                      item.balance * (CASE WHEN payment.payment_type = 'outbound' THEN -1 ELSE 1 END
                          * payment.amount / NULLIF(item.amount_currency, 0) - 1) * -1
                          AS difference
                 FROM moves
                 JOIN account_payment payment ON payment.id = moves.payment_id
                 JOIN LATERAL (
                      SELECT SUM(line.amount_currency) AS amount_currency,
                             SUM(line.balance) AS balance
                        FROM account_move_line line
                       WHERE line.move_id = moves.id
                         AND line.account_id = payment.outstanding_account_id
                         AND line.currency_id = payment.currency_id) item ON TRUE
                WHERE payment.state IN ('in_process', 'paid')
                  AND ABS(ABS(item.amount_currency) - payment.amount) > 0.000001"""
        )

    @api.model
    def _get_billed_query(self, company):
        """Return what entries bill against income, or move to others: `(holder_id, balance)`.

        Those matched with a note are reported as a difference of the note.
        """
        return SQL(
            """SELECT holder.commercial_partner_id AS holder_id, item.balance
                 FROM account_move_line item
                 JOIN account_move entry ON entry.id = item.move_id
                 JOIN account_journal journal ON journal.id = entry.journal_id
                 JOIN account_account account ON account.id = item.account_id
                 JOIN res_partner holder ON holder.id = item.partner_id
                WHERE item.company_id = %(company)s AND item.parent_state = 'posted'
                  AND account.account_type = %(receivable)s
                  AND entry.move_type = 'entry' AND journal.type = 'general'
                  AND entry.origin_payment_id IS NULL AND entry.statement_line_id IS NULL
                  AND entry.journal_id IS DISTINCT FROM %(exchange)s
                  AND holder.commercial_partner_id IN (SELECT id FROM customers)
                  AND EXISTS (SELECT FROM account_move_line other
                       JOIN account_account opposite ON opposite.id = other.account_id
                  LEFT JOIN res_partner owner ON owner.id = other.partner_id
                      WHERE other.move_id = entry.id
                        AND ((item.balance > 0
                              AND opposite.account_type IN ('income', 'income_other'))
                             OR (opposite.account_type = %(receivable)s
                                 AND owner.commercial_partner_id
                                     <> holder.commercial_partner_id
                                 -- Opening balances are many customers against something else.
                                 AND 0 = (SELECT SUM(due.balance)
                                     FROM account_move_line due
                                     JOIN account_account kept ON kept.id = due.account_id
                                    WHERE due.move_id = entry.id
                                      AND kept.account_type = %(receivable)s))))
                  AND NOT EXISTS (SELECT FROM sale_return_refund refund
                       WHERE refund.write_back_move_id = entry.id)
                  AND NOT EXISTS (SELECT FROM account_partial_reconcile part
                       JOIN account_move_line due ON due.id = part.credit_move_id
                       JOIN account_move note ON note.id = due.move_id
                      WHERE part.debit_move_id = item.id AND note.move_type = 'out_refund')""",
            company=company.id,
            receivable=RECEIVABLE,
            exchange=company.currency_exchange_journal_id.id or None,
        )
