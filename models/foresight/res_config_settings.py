from odoo import fields, models

from .sale_return_health import JOBS


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    group_sale_return_foresight = fields.Boolean(
        string="Foresight",
        group='sale_return.group_user',
        implied_group='sale_return.group_foresight',
        help="Alerts when more comes back, waits or is credited than usual, what is expected back, "
        "and points for unusual returns.",
    )

    def set_values(self):
        """Override of `base` to start and stop the jobs of the part, and create its first rules."""
        was_on = self.env['sale.return.watch']._is_on()
        result = super().set_values()
        if was_on != self.group_sale_return_foresight:
            for name in JOBS:
                # sudo: users who change settings need not administer jobs.
                self.env.ref(name).sudo().active = self.group_sale_return_foresight
            if self.group_sale_return_foresight:
                self.env['sale.return.alert.rule']._create_defaults()
        return result
