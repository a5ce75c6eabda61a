from odoo import api, models
from odoo.exceptions import UserError


class AccountBankStatement(models.Model):
    """Statements that settlements of channels were posted as."""

    _inherit = 'account.bank.statement'

    @api.ondelete(at_uninstall=False)
    def _unlink_except_settlement(self):
        # Its lines would stay, and the settlement could be posted a second time.
        self._refuse_settlements()

    def _refuse_settlements(self):
        """Refuse to change statements that settlements were posted as.

        :raise UserError: naming the first of them.
        """
        if not self:
            return
        # sudo: whoever changes statements need not read files of channels.
        files = self.env['sale.return.channel.file'].sudo()
        file = files.search([('statement_id', 'in', self.ids)], limit=1)
        if file:
            raise UserError(
                self.env._(
                    "%(statement)s is the settlement of %(file)s. Reverse the settlement there.",
                    statement=file.statement_id.name,
                    file=file.name,
                )
            )

    def _refuse_filled_settlements(self):
        """Refuse more lines on settlements; one that has lost its lines may get them back."""
        self.filtered('line_ids')._refuse_settlements()
