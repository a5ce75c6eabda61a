from odoo import fields, models


class SaleReturnWait(models.TransientModel):
    """Dialog: record what the customer was asked. Our deadlines stop until they answer."""

    _name = 'sale.return.wait'
    _inherit = ['sale.return.dialog']
    _description = "Wait for the Customer"

    reason = fields.Text(string="What do you ask the customer?", required=True)

    def action_confirm(self):
        """Stop the deadlines of the returns."""
        self.ensure_one()
        self.return_ids.action_wait_for_customer(reason=self.reason)
        return {'type': 'ir.actions.act_window_close'}
