from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ResCompany(models.Model):
    _inherit = 'res.company'

    sale_return_store_credit = fields.Boolean(
        string="Store Credit",
        help="Customers may receive credits on their wallet instead of their money.",
        groups='base.group_user',
    )
    sale_return_store_credit_account_id = fields.Many2one(
        'account.account',
        string="Account of the Wallets",
        check_company=True,
        help=(
            "Liability account of the balances of the customers' wallets. The products of the "
            "eWallet program post to it as well: it is their income account."
        ),
        groups='base.group_user',
    )
    sale_return_store_credit_bonus = fields.Float(
        string="Bonus",
        help="Percent that customers get on top if they take store credit instead of money.",
        groups='base.group_user',
    )
    sale_return_store_credit_bonus_account_id = fields.Many2one(
        'account.account',
        string="Account of the Bonus",
        check_company=True,
        help="Expense account of the bonus that customers get.",
        groups='base.group_user',
    )
    # Balance of cards outside of the account when store credit was switched on: no difference.
    sale_return_store_credit_opening = fields.Monetary(readonly=True, groups='base.group_user')

    @api.constrains('sale_return_store_credit_bonus')
    def _check_store_credit_bonus(self):
        for company in self:
            if not 0 <= company.sale_return_store_credit_bonus <= 100:
                raise ValidationError(
                    self.env._("The bonus of store credit is a percentage between 0 and 100.")
                )

    def write(self, vals):
        """Override of `base` to begin the comparison of account and cards where they are now."""
        result = super().write(vals)
        if vals.keys() & {'sale_return_store_credit', 'sale_return_store_credit_account_id'}:
            for company in self:
                # sudo: users who may change the settings need not read cards and accounts.
                company.sudo()._open_store_credit()
        return result

    def _open_store_credit(self):
        """Store the difference between cards and account. To be called in superuser mode."""
        self.ensure_one()
        opening = 0.0
        if self.sale_return_store_credit and self.sale_return_store_credit_account_id:
            account, cards = self.env['sale.return.wallet']._get_balances(self)
            opening = self.currency_id.round(cards - account)
        self.sale_return_store_credit_opening = opening

    def _get_sale_return_writers(self):
        """Override of `sale.return.owned`: fields that the settings of store credit change."""
        return super()._get_sale_return_writers() | dict.fromkeys(
            (
                'sale_return_store_credit',
                'sale_return_store_credit_account_id',
                'sale_return_store_credit_bonus',
                'sale_return_store_credit_bonus_account_id',
            ),
            'base.group_erp_manager',
        )
