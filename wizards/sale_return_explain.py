from odoo import fields, models
from odoo.tools import clean_context


class SaleReturnExplain(models.TransientModel):
    """Dialog: say why a return is refused, or why the rest of it is written off."""

    _name = 'sale.return.explain'
    _inherit = ['sale.return.dialog']
    _description = "Explain"

    action = fields.Selection(
        [('refuse', "Refuse"), ('close', "Close")], required=True, default='refuse'
    )
    reason = fields.Text(required=True, help="The customer may be told this.")

    def action_confirm(self):
        """Refuse or close the returns for the reason given."""
        self.ensure_one()
        # What the dialog was opened with is not meant for the documents that follow.
        returns = self.return_ids.with_context(clean_context(self.env.context))
        if self.action == 'refuse':
            returns.action_refuse(reason=self.reason)
        else:
            returns.action_close(reason=self.reason)
        return {'type': 'ir.actions.act_window_close'}
