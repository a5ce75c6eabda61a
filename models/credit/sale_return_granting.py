from odoo import models


class SaleReturn(models.Model):
    """Goodwill: credits without goods."""

    _inherit = 'sale.return'

    def action_open_goodwill(self):
        """Open the dialog that grants goodwill on an invoice of a return."""
        self._ensure_group('group_user')
        return self.env['sale.return.goodwill.grant']._get_action(self)
