from odoo import api, models
from odoo.exceptions import UserError


class AccountBankStatement(models.Model):
    """Statements that settlements of channels were posted as."""

    _inherit = 'account.bank.statement'

    @api.ondelete(at_uninstall=False)
    def _unlink_except_settlement(self):
        # sudo: whoever deletes statements need not read files of channels. Its lines would stay,
        # and the settlement could be posted a second time.
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
