from odoo import api, models


class SaleReturnEvent(models.Model):
    _inherit = 'sale.return.event'

    @api.model
    def _log(self, vals_list):
        """Extend to leave what other programs are told of it to the scheduled job."""
        events = super()._log(vals_list)
        self.env['sale.return.hook.delivery']._queue(events)
        return events
