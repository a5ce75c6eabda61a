from odoo import fields, models


class AccountBankStatementLine(models.Model):
    """Lines of a bank show the fields of their entry, also to accountants without a role."""

    _name = 'account.bank.statement.line'

    _inherit = ['account.bank.statement.line', 'sale.return.owned']

    # Odoo computes fields of the entry as the user, who may not read returns.
    sale_return_ids = fields.Many2many(related='move_id.sale_return_ids', related_sudo=True)
