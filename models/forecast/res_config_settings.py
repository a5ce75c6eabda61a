from odoo import models


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    def set_values(self):
        """Override of `base` to have reordering rules count what is expected back, or not."""
        was_on = self.env['sale.return.watch']._is_on()
        result = super().set_values()
        if was_on != self.env['sale.return.watch']._is_on():
            self.env['sale.return.forecaster']._tell_orderpoints()
        return result
