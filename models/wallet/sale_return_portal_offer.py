from odoo import api, models


class SaleReturnPortalOffer(models.AbstractModel):
    """Store credit among the resolutions that customers can choose on their pages."""

    _inherit = 'sale.return.portal.offer'

    @api.model
    def _get_offer(self, order):
        """Extend to include store credit, where the company can give it."""
        rows = super()._get_offer(order)
        service = self.env['sale.return.wallet']
        company = order.company_id
        if service._is_on(company) and not service._find_problem(company, order.currency_id):
            wish = ('store_credit', self._get_store_credit_label(company))
            for row in rows:
                if row['may_ask']:
                    row['resolutions'] = [*row['resolutions'], wish]
        return rows

    @api.model
    def _get_store_credit_label(self, company):
        """Return what customers choose; by choosing it they agree to it."""
        # sudo: the bonus is shown to customers.
        bonus = company.sudo().sale_return_store_credit_bonus
        if not bonus:
            return self.env._("Store credit instead of money")
        return self.env._("Store credit instead of money, %(bonus)s %% more", bonus=f"{bonus:g}")
