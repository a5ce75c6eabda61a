from odoo import api, models
from odoo.tools import SQL


class SaleReturnRefund(models.Model):
    _inherit = 'sale.return.refund'

    @api.model
    def _get_alone_queries(self, company, without):
        """Extend to include what the person who posted a note has put on wallets for it."""
        self.env['sale.return.store.credit'].flush_model()
        return [
            *super()._get_alone_queries(company, without),
            SQL(
                """SELECT own.partner_id AS customer_id, own.user_id AS person_id,
                          own.create_date AS date, %(currency)s AS currency_id,
                          own.amount_company AS amount
                     FROM sale_return_store_credit own
                     JOIN account_move note ON note.id = own.note_id
                    WHERE own.company_id = %(company)s
                      AND note.sale_return_posted_by_id = own.user_id""",
                currency=company.currency_id.id,
                company=company.id,
            ),
        ]
