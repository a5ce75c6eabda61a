from odoo import models


class SaleReturnHealth(models.AbstractModel):
    _inherit = 'sale.return.health'

    def _get_jobs(self):
        """Override to expect the job of this part only where it is switched on."""
        jobs = super()._get_jobs()
        if self.env['sale.return.replayer']._is_on():
            return jobs
        # sudo: as the override above.
        return jobs - self.env.ref('sale_return.ir_cron_replay').sudo()
