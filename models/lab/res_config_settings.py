from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    group_sale_return_lab = fields.Boolean(
        string="Policy Lab",
        group='sale_return.group_user',
        implied_group='sale_return.group_lab',
        help="Drafts of policies, what they would have decided on past returns, earlier versions, "
        "and a picture of the process.",
    )

    def set_values(self):
        """Override of `base` to start and stop the job of the part."""
        was_on = self.env['sale.return.replayer']._is_on()
        result = super().set_values()
        if was_on != self.group_sale_return_lab:
            # sudo: users who change settings need not administer jobs.
            job = self.env.ref('sale_return.ir_cron_replay').sudo()
            job.active = self.group_sale_return_lab
        return result
