from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    group_sale_return_improvement = fields.Boolean(
        string="Suggestions",
        group='sale_return.group_user',
        implied_group='sale_return.group_improvement',
        help="What to change so that less comes back, with the evidence, and whether it helped.",
    )

    def set_values(self):
        """Override of `base` to start and stop the job of the part."""
        was_on = self.env['sale.return.adviser']._is_on()
        result = super().set_values()
        if was_on != self.group_sale_return_improvement:
            # sudo: users who change settings need not administer jobs.
            job = self.env.ref('sale_return.ir_cron_advise').sudo()
            job.active = self.group_sale_return_improvement
        return result
