from odoo import models


class SaleReturnRule(models.Model):
    _inherit = 'sale.return.rule'

    def _get_past_policies(self):
        """Override to check rules of a draft on returns of the policy in force."""
        policies = super()._get_past_policies()
        return policies | policies.draft_of_id
