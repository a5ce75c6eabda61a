from odoo import api, models


class SaleReturnEvent(models.Model):
    _inherit = 'sale.return.event'

    @api.model
    def _log(self, vals_list):
        """Extend to let the scheduled job report it to other programs."""
        events = super()._log(vals_list)
        self.env['sale.return.hook.delivery']._queue(events)
        return events
