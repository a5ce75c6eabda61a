from odoo import api, models


class AccountMove(models.Model):
    """Entries of the lines of settlements, which go with their lines."""

    _inherit = 'account.move'

    @api.ondelete(at_uninstall=False)
    def _unlink_except_settlement(self):
        self.statement_line_id.statement_id._refuse_settlements()
