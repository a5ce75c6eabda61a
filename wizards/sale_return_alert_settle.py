from datetime import timedelta

from odoo import fields, models

from ..tools.context import get_ids


class SaleReturnAlertSettle(models.TransientModel):
    """Dialog (foresight): snooze alerts, or record that they are dealt with."""

    _name = 'sale.return.alert.settle'
    _description = "Settle Alerts"

    alert_ids = fields.Many2many(
        'sale.return.alert', default=lambda self: self._default_alert_ids()
    )
    until = fields.Date(
        "Hide until",
        default=lambda self: self.env.company._get_sale_return_day() + timedelta(days=14),
    )
    reason = fields.Char(required=True)

    def _default_alert_ids(self):
        is_of_alerts = self.env.context.get('active_model') == 'sale.return.alert'
        ids = get_ids(self.env, 'active_ids')
        return ids if is_of_alerts else False

    def action_snooze(self):
        """Hide the alerts until the day.

        :rtype: dict
        """
        self.ensure_one()
        self.alert_ids.action_snooze(self.until, self.reason)
        return {'type': 'ir.actions.act_window_close'}

    def action_close(self):
        """Mark the alerts as dealt with.

        :rtype: dict
        """
        self.ensure_one()
        self.alert_ids.action_close(self.reason)
        return {'type': 'ir.actions.act_window_close'}
