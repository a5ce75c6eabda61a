from odoo import fields, models


class SaleReturnAcknowledge(models.TransientModel):
    """Dialog: acknowledge differences with a reason."""

    _name = 'sale.return.acknowledge'
    _description = "Acknowledge Differences"

    row_ids = fields.Many2many('sale.return.reconciliation', string="Differences", required=True)
    reason = fields.Text(required=True)

    def action_confirm(self):
        """Acknowledge the differences for the reason given."""
        self.ensure_one()
        self.row_ids.action_acknowledge(self.reason)
        return {'type': 'ir.actions.act_window_close'}
