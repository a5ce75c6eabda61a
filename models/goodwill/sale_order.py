from odoo import models


class SaleOrder(models.Model):
    """Goodwill: credits without goods."""

    _inherit = 'sale.order'

    def action_open_goodwill(self):
        """Open the dialog that grants goodwill on an invoice of an order."""
        self.env['sale.return']._ensure_group('group_user')
        return self.env['sale.return.goodwill.grant']._get_action(self)
