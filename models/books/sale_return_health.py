from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import format_datetime

# The comparison runs every night; one night may be missed.
TOO_OLD = timedelta(days=2)


class SaleReturnHealth(models.AbstractModel):
    _inherit = 'sale.return.health'

    @api.model
    def _get_findings(self, company):
        """Override to check the last comparison."""
        findings = super()._get_findings(company)
        compared_on = company.sudo().sale_return_reconciled_on  # sudo: not secret
        if compared_on and compared_on > fields.Datetime.now() - TOO_OLD:
            return findings
        sentence = self.env._("Goods, credits and payments were never compared.")
        if compared_on:
            sentence = self.env._(
                "Goods, credits and payments were last compared on %(date)s.",
                date=format_datetime(self.env, compared_on),
            )
        return [
            *findings,
            {'sentence': sentence, 'button': self.env._("Compare Now"), 'code': 'comparison'},
        ]

    def _fix_comparison(self, company):
        """Compare now instead of tonight."""
        self.env['sale.return.reconciler']._reconcile(company)
