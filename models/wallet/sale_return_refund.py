from datetime import timedelta

from odoo import fields, models


class SaleReturnRefund(models.Model):
    _inherit = 'sale.return.refund'

    def _get_amount_by_hand(self):
        """Extend to include what the same person put on wallets of the customer in the period."""
        amount = super()._get_amount_by_hand()
        days = self.company_id.sale_return_period_days
        [(given,)] = self.env['sale.return.store.credit']._read_group(
            [
                ('company_id', '=', self.company_id.id),
                ('partner_id', '=', self.partner_id.commercial_partner_id.id),
                ('user_id', '=', self.prepared_by_id.id),
                ('note_id.sale_return_posted_by_id', '=', self.prepared_by_id.id),
                ('create_date', '>', fields.Datetime.now() - timedelta(days=days)),
            ],
            aggregates=['amount_company:sum'],
        )
        return amount + (given or 0.0)
