from odoo import api, models


class SaleReturnPortalPage(models.AbstractModel):
    _inherit = 'sale.return.portal.page'

    @api.model
    def _get_estimate(self, sale_return):
        """Extend to include what customers get for keeping goods."""
        expected, deductions = super()._get_estimate(sale_return)
        if sale_return.state not in ('submitted', 'approved'):
            return expected, deductions
        totals = dict(expected)
        for currency, amount in self._get_offered(sale_return).items():
            totals[currency] = totals.get(currency, 0.0) + amount
        return list(totals.items()), deductions

    @api.model
    def _get_offered(self, sale_return):
        """Return what is still to be granted for keeping goods, tax included.

        :return: `{currency: amount}`
        :rtype: dict
        """
        lines = sale_return.line_ids.filtered(
            lambda line: line.keep_amount and line.decision != 'refused' and not line.keep_note_id
        )
        return {
            currency: sum(group.mapped('keep_amount'))
            for currency, group in lines.grouped('keep_currency_id').items()
        }
