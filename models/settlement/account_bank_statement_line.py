from odoo import api, models


class AccountBankStatementLine(models.Model):
    """Lines of settlements stay on their statement: a reversal takes back those that it has."""

    _inherit = 'account.bank.statement.line'

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `account` to add no line to the statement of a settlement."""
        statements = self.env['account.bank.statement']
        statements.browse(
            {vals['statement_id'] for vals in vals_list if vals.get('statement_id')}
        )._refuse_filled_settlements()
        return super().create(vals_list)

    def write(self, vals):
        """Override of `account` to take no line from the statement of a settlement, nor add one."""
        if 'statement_id' in vals:
            target = self.env['account.bank.statement'].browse(vals['statement_id'] or ())
            moved = self.filtered(lambda line: line.statement_id != target)
            moved.statement_id._refuse_settlements()
            if moved:
                target._refuse_filled_settlements()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_settlement(self):
        self.statement_id._refuse_settlements()
