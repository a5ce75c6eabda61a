from odoo import fields, models


class SaleReturnExplain(models.TransientModel):
    """Dialog: say why a return is refused, or why the rest of it is written off."""

    _name = 'sale.return.explain'
    _description = "Explain"

    return_ids = fields.Many2many('sale.return', string="Returns")
    action = fields.Selection(
        [('refuse', "Refuse"), ('close', "Close")], required=True, default='refuse'
    )
    reason = fields.Text(required=True, help="The customer may be told this.")

    def action_confirm(self):
        """Refuse or close the returns for the reason given."""
        self.ensure_one()
        if self.action == 'refuse':
            self.return_ids.action_refuse(reason=self.reason)
        else:
            self.return_ids.action_close(reason=self.reason)
        return {'type': 'ir.actions.act_window_close'}
