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
        """Override of `account` to keep the lines of a settlement, and their amounts."""
        if 'statement_id' in vals:
            target = self.env['account.bank.statement'].browse(vals['statement_id'] or ())
            moved = self.filtered(lambda line: line.statement_id != target)
            moved.statement_id._refuse_settlements()
            if moved:
                target._refuse_filled_settlements()
        self.filtered(lambda line: line._has_other_amount(vals)).statement_id._refuse_settlements()
        return super().write(vals)

    def _has_other_amount(self, vals):
        """Tell whether these values change what the bank moved; Odoo also writes equal ones."""
        self.ensure_one()
        currencies = {'amount': self.currency_id, 'amount_currency': self.foreign_currency_id}
        return any(
            currency.compare_amounts(self[name], vals[name] or 0.0)
            for name, currency in currencies.items()
            if currency and name in vals
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_settlement(self):
        self.statement_id._refuse_settlements()
