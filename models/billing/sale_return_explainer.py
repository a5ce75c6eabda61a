from odoo import api, models


class SaleReturnExplainer(models.AbstractModel):
    _inherit = 'sale.return.explainer'

    @api.model
    def _explain_exchange_difference(self, row):
        return self.env._(
            "%(accepted)s were agreed for the exchange of return %(return)s, but %(credited)s are "
            "billed. Post the invoice of the exchange as agreed, or cancel it: a new one is "
            "created. Nothing of credit note %(note)s is paid back before that. If the customer "
            "need not pay %(difference)s, grant it as goodwill afterwards.",
            **self._get_values(row),
        )
