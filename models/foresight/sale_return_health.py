from odoo import models

# Jobs of this part: off with it.
JOBS = (
    'sale_return.ir_cron_watch',
    'sale_return.ir_cron_refresh_risk',
    'sale_return.ir_cron_forecast',
)


class SaleReturnHealth(models.AbstractModel):
    _inherit = 'sale.return.health'

    def _get_jobs(self):
        """Override to expect the jobs of this part only where it is switched on."""
        jobs = super()._get_jobs()
        if self.env['sale.return.watch']._is_on():
            return jobs
        for name in JOBS:
            # sudo: as the override above.
            jobs -= self.env.ref(name).sudo()
        return jobs
