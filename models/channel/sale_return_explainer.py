from odoo import api, models


class SaleReturnExplainer(models.AbstractModel):
    _inherit = 'sale.return.explainer'

    @api.model
    def _explain_channel_difference(self, row):
        refund = row.channel_refund_id
        if refund:
            return refund.explanation
        return self.env._(
            "Credit note %(note)s credits %(customer)s %(difference)s, but %(channel)s has not "
            "paid it back. Ask the channel, or wait for its next file.",
            channel=row.channel_id.name or "",
            **self._get_values(row),
        )
