from odoo import fields, models
from odoo.tools import clean_context


class SaleReturnExplain(models.TransientModel):
    """Dialog: say why a return is refused, or why the rest of it is written off."""

    _name = 'sale.return.explain'
    _description = "Explain"

    def _default_return_ids(self):
        if self.env.context.get('active_model') != 'sale.return':
            return self.env['sale.return']
        return self.env['sale.return'].browse(self.env.context.get('active_ids', []))

    return_ids = fields.Many2many(
        'sale.return', string="Returns", default=lambda self: self._default_return_ids()
    )
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
