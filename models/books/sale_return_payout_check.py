from odoo import api, models
from odoo.tools import SQL


class SaleReturnPayoutCheck(models.AbstractModel):
    """Service: find payouts that do not settle the note they are for.

    Checks the payouts of returns, and payments to their customers without purpose: for a note
    already paid, or never matched.
    """

    _name = 'sale.return.payout.check'
    _description = "Return Payout Check"

    @api.model
    def _find_differences(self, company):
        """Find payouts that settle nothing, or something else; see `sale.return.reconciler`.

        :param company: one `res.company`, the current one.
        :return: `{key: values of the row}`, one row per payout.
        :rtype: dict
        """
        found = {}
        for refund_id, cause, open_amount in self._get_refunds(company):
            refund = self.env['sale.return.refund'].browse(refund_id)
            found[f'payout_difference:{refund_id}'] = self._prepare_row(
                refund.note_id, refund.payment_id, cause, open_amount
            )
        known = {row['payment_id'] for row in found.values()}
        for note_id, line_id in self._get_open_payments(company):
            line = self.env['account.move.line'].browse(line_id)
            payment = line.move_id.origin_payment_id
            note = self.env['account.move'].browse(note_id)
            if not payment or payment.id not in known:
                amount = line.currency_id._convert(
                    abs(line.amount_residual_currency), note.currency_id, company, line.date
                )
                vals = self._prepare_row(note, payment, 'paid_again', amount)
                vals.update(amount_company=abs(line.amount_residual))
                found[f'payout_difference:item:{line_id}'] = vals
        for note_id, payment_id, item_id, amount in self._get_paid_to_others(company):
            note = self.env['account.move'].browse(note_id)
            payment = self.env['account.payment'].browse(payment_id or [])
            found[f'payout_difference:other:{item_id}'] = self._prepare_row(
                note, payment, 'other_payee', float(amount)
            )
        return found | self._find_paid_alone(company)

    @api.model
    def _get_paid_to_others(self, company):
        """Return `(note, payment, journal item, amount)` of money that settles notes of returns.

        By hand, and to somebody other than the customer of the note; amounts are in its currency.
        """
        self.env.cr.execute(
            SQL(
                """SELECT note.id, entry.origin_payment_id, item.id, part.credit_amount_currency
                     FROM account_partial_reconcile part
                     JOIN account_move_line due ON due.id = part.credit_move_id
                     JOIN account_move note ON note.id = due.move_id
                     JOIN account_move_line item ON item.id = part.debit_move_id
                     JOIN account_move entry ON entry.id = item.move_id
                     JOIN account_journal journal ON journal.id = entry.journal_id
                     JOIN res_partner holder ON holder.id = item.partner_id
                    WHERE note.company_id = %(company)s AND note.move_type = 'out_refund'
                      AND entry.move_type = 'entry'
                      AND holder.commercial_partner_id <> note.commercial_partner_id
                      AND %(is_money)s
                      AND EXISTS (SELECT FROM account_move_line line
                           WHERE line.move_id = note.id AND line.sale_return_line_id IS NOT NULL)
                      AND NOT EXISTS (SELECT FROM sale_return_refund refund
                           WHERE refund.payment_id = entry.origin_payment_id)
                 ORDER BY item.id""",
                company=company.id,
                is_money=self.env['sale.return.refund']._get_money_condition(),
            )
        )
        return self.env.cr.fetchall()

    @api.model
    def _find_paid_alone(self, company):
        """Find payments by one person alone above the two-person limit; see `_find_differences`.

        They are in the books and cannot be refused any more: a second person checks them.
        """
        found = {}
        for note_id, payment_id, item_id, person_id, amount in self._get_paid_alone(company):
            note = self.env['account.move'].browse(note_id)
            payment = self.env['account.payment'].browse(payment_id or [])
            payout = self.env['sale.return.refund'].new(
                {'note_id': note_id, 'prepared_by_id': person_id}
            )
            if payout._find_second_persons():
                figure = company.currency_id._convert(amount, note.currency_id, company, note.date)
                vals = self._prepare_row(note, payment, 'paid_alone', figure)
                vals.update(amount_company=amount)
                name = f'alone:{item_id}' if item_id else f'alone:payment:{payment_id}'
                found[f'payout_difference:{name}'] = vals
        return found

    @api.model
    def _get_paid_alone(self, company):
        """Return `(note, payment, journal item, person, amount)` of what was paid by hand alone.

        For each person and customer those above the limit in the period, including payouts that the
        person prepared and posted alone.
        """
        limit = company.sale_return_second_person_above
        if not limit:
            return []
        self.env.cr.execute(
            SQL(
                """WITH paid AS (
                       SELECT note_id, customer_id, item_id, payment_id, person_id, date,
                              amount::float8, TRUE AS by_hand
                         FROM (%(by_hand)s) hand
                        UNION ALL
                       SELECT refund.note_id, note.commercial_partner_id, NULL,
                              refund.payment_id, refund.prepared_by_id, refund.create_date,
                              (refund.note_amount * ABS(note.amount_total_signed)
                                  / NULLIF(note.amount_total, 0))::float8, FALSE
                         FROM sale_return_refund refund
                         JOIN account_move note ON note.id = refund.note_id
                        WHERE refund.company_id = %(company)s AND refund.state = 'done'
                          AND refund.prepared_by_id = refund.released_by_id),
                   summed AS (
                       SELECT *, SUM(amount) OVER (
                                  PARTITION BY customer_id, person_id ORDER BY date
                                  RANGE MAKE_INTERVAL(days => %(days)s) PRECEDING) AS total
                         FROM paid)
                   SELECT note_id, payment_id, item_id, person_id, amount
                     FROM summed
                    WHERE by_hand AND total > %(limit)s + %(rounding)s
                 ORDER BY note_id, payment_id, item_id""",
                by_hand=self.env['sale.return.refund']._get_by_hand_query(company),
                company=company.id,
                days=company.sale_return_period_days,
                limit=limit,
                rounding=company.currency_id.rounding / 2,
            )
        )
        return self.env.cr.fetchall()

    @api.model
    def _prepare_row(self, note, payment, cause, amount):
        """Prepare the row of a payout. Override to add values.

        :param str cause: code of the error, see `sale.return.explainer`.
        :param float amount: the unsettled amount, in the currency of the note.
        """
        return {
            **self.env['sale.return.reconciler']._prepare_note_vals(note, amount),
            'kind': 'payout_difference',
            'cause': cause,
            'payment_id': payment.id,
        }

    @api.model
    def _get_refunds(self, company):
        """Return `(payout, code, amount)` of payouts whose payment is not as it should be.

        Payouts that failed, or whose payment is not posted yet, do not count; a note not paid back
        at all is a separate difference.
        """
        self.env.cr.execute(
            SQL(
                """WITH paid AS (%(paid)s),
                   matched AS (
                       SELECT paid.id, SUM(part.credit_amount_currency) AS amount
                         FROM paid
                         JOIN account_move_line due ON due.move_id = paid.note_id
                         JOIN account_partial_reconcile part ON part.credit_move_id = due.id
                         JOIN account_move_line against ON against.id = part.debit_move_id
                        WHERE against.move_id = paid.move_id
                     GROUP BY paid.id),
                   items AS (
                       SELECT paid.id,
                              BOOL_OR(holder.commercial_partner_id
                                  IS DISTINCT FROM paid.customer_id) AS strange,
                              BOOL_OR(item.account_id = paid.outstanding_account_id) AS leaves,
                              SUM(item.balance) AS balance,
                              SUM(item.balance) FILTER (WHERE item.account_id
                                  = paid.outstanding_account_id) AS left_company
                         FROM paid
                         JOIN account_move_line item ON item.move_id = paid.move_id
                    LEFT JOIN res_partner holder ON holder.id = item.partner_id
                     GROUP BY paid.id),
                   judged AS (
                       SELECT paid.*, COALESCE(matched.amount, 0) AS settled,
                              %(cause)s AS cause
                         FROM paid
                    LEFT JOIN matched ON matched.id = paid.id
                    LEFT JOIN items ON items.id = paid.id)
                   SELECT id, cause, CASE WHEN cause = 'unmatched' THEN note_amount - settled
                                          ELSE note_amount END
                     FROM judged WHERE cause IS NOT NULL ORDER BY id""",
                paid=self._get_paid_query(company),
                cause=self._get_cause_expression(),
            )
        )
        return [(row[0], row[1], float(row[2])) for row in self.env.cr.fetchall()]

    @api.model
    def _get_cause_expression(self):
        """Return the code of the error of a payout, NULL if there is none."""
        return SQL(
            """CASE
            WHEN payment_state IS NULL AND state IN ('done', 'pending')
                AND NOT EXISTS (SELECT FROM sale_return_refund online
                     WHERE online.id = paid.id AND online.method = 'online')
                THEN 'payment_gone'
            WHEN payment_state IN ('in_process', 'paid') AND (
                payee_id IS DISTINCT FROM customer_id
                OR holder_id <> customer_id OR items.strange)
                THEN 'other_payee'
            WHEN payment_state IN ('in_process', 'paid')
                AND (payment_currency_id <> currency_id
                     OR payment_amount <> paid.amount
                     OR payment_type <> 'outbound' OR items.balance <> 0
                     OR ABS(items.left_company - company_amount) > 0.000001)
                THEN 'other_amount'
            WHEN payment_state IN ('in_process', 'paid') AND move_id IS NOT NULL
                AND outstanding_account_id IS NOT NULL AND NOT items.leaves
                THEN 'other_account'
            WHEN payment_state IN ('in_process', 'paid') AND (
                method_journal_id <> journal_id OR entry_journal_id <> journal_id)
                THEN 'other_journal'
            WHEN payment_state IN ('in_process', 'paid') AND entry_date < invoice_date
                THEN 'payment_date'
            WHEN payment_state IN ('in_process', 'paid') AND method = 'payment'
                AND state IN ('failed', 'cancelled') THEN 'still_paid'
            WHEN state = 'done' AND payment_state IN ('draft', 'canceled',
                'rejected') THEN 'reset'
            WHEN payment_state IN ('in_process', 'paid')
                AND move_id IS NOT NULL AND entry_state <> 'posted'
                THEN 'reset'
            WHEN payment_state IN ('in_process', 'paid')
                AND note_state <> 'posted' THEN 'note_gone'
            WHEN payment_state IN ('in_process', 'paid')
                AND move_id IS NOT NULL
                AND COALESCE(matched.amount, 0) < note_amount
                THEN 'unmatched'
            END"""
        )

    @api.model
    def _get_paid_query(self, company):
        """Return the payouts with data of their payments."""
        return SQL(
            """SELECT refund.id, refund.state, refund.amount, refund.currency_id,
                   refund.note_amount, refund.amount_written_back, payment.move_id,
                   note.id AS note_id, note.state AS note_state,
                   payment.state AS payment_state, payment.amount AS payment_amount,
                   payment.currency_id AS payment_currency_id, payment.payment_type,
                   partner.commercial_partner_id AS payee_id,
                   payment.amount_company_currency_signed AS company_amount,
                   payment.journal_id, way.journal_id AS method_journal_id, refund.method,
                   payment.is_reconciled, customer.commercial_partner_id AS customer_id,
                   entry.state AS entry_state, entry.date AS entry_date,
                   entry.journal_id AS entry_journal_id,
                   invoice.date AS invoice_date, payment.outstanding_account_id,
                   COALESCE(holder.commercial_partner_id,
                       customer.commercial_partner_id) AS holder_id
              FROM sale_return_refund refund
              JOIN account_move note ON note.id = refund.note_id
              JOIN account_move invoice ON invoice.id = refund.invoice_id
              JOIN res_partner customer ON customer.id = invoice.partner_id
         LEFT JOIN account_payment payment ON payment.id = refund.payment_id
         LEFT JOIN res_partner partner ON partner.id = payment.partner_id
         LEFT JOIN account_payment_method_line way ON way.id = payment.payment_method_line_id
         LEFT JOIN res_partner_bank bank ON bank.id = payment.partner_bank_id
         LEFT JOIN res_partner holder ON holder.id = bank.partner_id
         LEFT JOIN account_move entry ON entry.id = payment.move_id
             WHERE refund.company_id = %(company)s""",
            company=company.id,
        )

    @api.model
    def _get_open_payments(self, company):
        """Return `(note, journal item)` of payments to customers of returns without purpose.

        Payments, bank transactions, and entries that take the money from a bank or cash account or
        one that payments go through. The note is the one named by the payment, else the customer's
        last one of a return. Payments exceeding their note are a separate difference
        (`refunded_too_much`).
        """
        self.env.cr.execute(
            SQL(
                """SELECT COALESCE(MAX(named.id), MAX(note.id)), item.id
                     FROM account_move_line item
                     JOIN account_move entry ON entry.id = item.move_id
                     JOIN account_journal journal ON journal.id = entry.journal_id
                     JOIN account_account account ON account.id = item.account_id
                LEFT JOIN account_payment payment ON payment.move_id = entry.id
                     JOIN res_partner payee
                       ON payee.id = COALESCE(payment.partner_id, item.partner_id)
                     JOIN account_move note
                       ON note.commercial_partner_id = payee.commercial_partner_id
                LEFT JOIN account_move named ON named.id = note.id AND EXISTS (
                          SELECT FROM account_move__account_payment rel
                           WHERE rel.payment_id = payment.id AND rel.invoice_id = note.id)
                    WHERE item.company_id = %(company)s AND item.parent_state = 'posted'
                      AND NOT item.reconciled AND item.amount_residual > 0
                      AND account.account_type = 'asset_receivable' AND entry.move_type = 'entry'
                      AND CASE WHEN payment.id IS NULL THEN %(is_money)s
                          ELSE payment.payment_type = 'outbound'
                               AND payment.partner_type = 'customer'
                               AND payment.state IN ('in_process', 'paid') END
                      AND note.company_id = %(company)s AND note.move_type = 'out_refund'
                      AND note.state = 'posted' AND note.date <= item.date
                      AND EXISTS (SELECT FROM account_move_line line
                           WHERE line.move_id = note.id AND line.sale_return_line_id IS NOT NULL)
                      AND NOT EXISTS (SELECT FROM account_partial_reconcile part
                           WHERE part.debit_move_id = item.id)
                 GROUP BY item.id ORDER BY item.id""",
                company=company.id,
                is_money=SQL(
                    """(entry.statement_line_id > 0 OR EXISTS (
                        SELECT FROM account_move_line money
                          JOIN account_account place ON place.id = money.account_id
                         WHERE money.move_id = entry.id AND money.balance < 0
                           AND (place.account_type IN ('asset_cash', 'liability_credit_card')
                                OR EXISTS (SELECT FROM account_payment_method_line way
                                     WHERE way.payment_account_id = place.id)
                                OR EXISTS (SELECT FROM account_payment other
                                     WHERE other.outstanding_account_id = place.id
                                       AND other.company_id = %s))))""",
                    company.id,
                ),
            )
        )
        return self.env.cr.fetchall()
