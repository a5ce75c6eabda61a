from odoo import api, models


class SaleReturnUnbacked(models.Model):
    _inherit = 'sale.return.unbacked'

    @api.model
    def _get_kind(self, line):
        """Extend to list goods that a rule leaves with the customer as kept by them."""
        kind = super()._get_kind(line)
        return 'keep' if kind == 'reason' and line.keep_rule_id else kind
