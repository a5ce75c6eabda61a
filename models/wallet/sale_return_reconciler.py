from odoo import api, models


class SaleReturnReconciler(models.AbstractModel):
    _inherit = 'sale.return.reconciler'

    @api.model
    def _get_finders(self):
        """Override to compare wallets with the books, where there is a wallet."""
        finders = super()._get_finders()
        if self.env['sale.return.wallet']._is_installed():
            finders.append((['wallet_difference'], self._find_wallet_differences))
        return finders

    @api.model
    def _find_wallet_differences(self, company):
        """Find notes whose store credit differs, and an account that differs from its cards.

        See `_get_finders`.
        """
        found = self._find_store_credits(company)
        if not company.sale_return_store_credit:
            return found
        account, cards = self.env['sale.return.wallet']._get_balances(company)
        difference = company.currency_id.round(
            cards - account - company.sale_return_store_credit_opening
        )
        if not company.currency_id.is_zero(difference):
            found[f'wallet_difference:company:{company.id}'] = {
                'kind': 'wallet_difference',
                'cause': 'wallet_account',
                'currency_id': company.currency_id.id,
                'amount_accepted': account,
                'amount_credited': cards,
                'amount_difference': difference,
                'amount_company': difference,
            }
        return found

    @api.model
    def _find_store_credits(self, company):
        """Find notes whose entry or card differs from what was put on the wallet."""
        self.env.cr.execute(
            """SELECT own.note_id,
                      SUM(own.amount + own.bonus) AS given,
                      SUM(COALESCE(card.points, 0)) AS points,
                      SUM(COALESCE(book.amount, 0)) AS booked
                 FROM sale_return_store_credit own
                 JOIN res_currency currency ON currency.id = own.currency_id
            LEFT JOIN LATERAL (
                      SELECT SUM(COALESCE(history.issued, 0) - COALESCE(history.used, 0)) AS points
                        FROM loyalty_history history
                       WHERE history.order_model = 'sale.return.store.credit'
                         AND history.order_id = own.id) card ON TRUE
            LEFT JOIN LATERAL (
                      SELECT SUM(-item.amount_currency) AS amount
                        FROM account_move_line item
                        JOIN account_account account ON account.id = item.account_id
                       WHERE item.move_id = own.entry_id AND item.parent_state = 'posted'
                         AND account.account_type IN
                             ('liability_current', 'liability_non_current')) book ON TRUE
                WHERE own.company_id = %s
             GROUP BY own.note_id, currency.rounding
               HAVING ABS(SUM(own.amount + own.bonus) - SUM(COALESCE(card.points, 0)))
                      >= currency.rounding / 2
                   OR ABS(SUM(own.amount + own.bonus) - SUM(COALESCE(book.amount, 0)))
                      >= currency.rounding / 2
             ORDER BY own.note_id""",
            [company.id],
        )
        found = {}
        for note_id, given, points, booked in self.env.cr.fetchall():
            note = self.env['account.move'].browse(note_id)
            other = booked if note.currency_id.compare_amounts(given, booked) else points
            found[f'wallet_difference:{note_id}'] = {
                **self._prepare_note_vals(note, float(given) - float(other)),
                'kind': 'wallet_difference',
                'cause': 'wallet_booked' if other is booked else 'wallet_card',
                'amount_accepted': float(given),
                'amount_credited': float(other),
            }
        return found
