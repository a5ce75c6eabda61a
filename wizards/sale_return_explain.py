from odoo import fields, models
from odoo.tools import clean_context


class SaleReturnExplain(models.TransientModel):
    """Dialog: say why a return is refused, closed, or something of it erased."""

    _name = 'sale.return.explain'
    _inherit = ['sale.return.dialog']
    _description = "Explain"

    action = fields.Selection(
        [('refuse', "Refuse"), ('close', "Close"), ('erase', "Erase files")],
        required=True,
        default='refuse',
    )
    file_ids = fields.Many2many('sale.return.file', string="Files")
    reason = fields.Text(required=True, help="The customer may be told this.")

    def action_confirm(self):
        """Do what the dialog was opened for, for the reason given."""
        self.ensure_one()
        getattr(self, f'_confirm_{self.action}')()
        return {'type': 'ir.actions.act_window_close'}

    def _get_returns(self):
        # What the dialog was opened with is not meant for the documents that follow.
        return self.return_ids.with_context(clean_context(self.env.context))

    def _confirm_refuse(self):
        self._get_returns().action_refuse(reason=self.reason)

    def _confirm_close(self):
        self._get_returns().action_close(reason=self.reason)

    def _confirm_erase(self):
        self.file_ids.action_erase(reason=self.reason)
