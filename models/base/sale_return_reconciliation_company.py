from odoo import api, fields, models

from .res_company import SETTINGS_GROUP


class ResCompany(models.Model):
    """What the list of differences knows about a company."""

    _inherit = 'res.company'

    sale_return_reconciliation_start = fields.Date(
        string="Reconcile Returns from",
        default=fields.Date.context_today,
        help="Credit notes without link that are older than this are not listed among the "
        "differences of returns.",
        groups='base.group_user',
    )
    sale_return_reconciliation_user_id = fields.Many2one(
        'res.users',
        string="Reconciles Returns",
        domain="[('share', '=', False)]",
        help="Gets an activity when there are new differences. By default an accounting "
        "administrator of the company.",
        groups='base.group_user',
    )
    sale_return_reconciled_on = fields.Datetime(
        string="Returns Reconciled on", readonly=True, copy=False, groups='base.group_user'
    )

    @api.model
    def _get_sale_return_writers(self):
        """Extend by the settings of the list of differences."""
        return super()._get_sale_return_writers() | dict.fromkeys(
            (
                'sale_return_reconciliation_start',
                'sale_return_reconciliation_user_id',
            ),
            SETTINGS_GROUP,
        )

    def _get_sale_return_reconciliation_user(self):
        """Return who is told about new differences: the one chosen, else an accountant.

        :return: an active internal user of the company, or nobody.
        :rtype: res.users
        """
        self.ensure_one()
        company = self.sudo()  # whoever refreshes the list need not be allowed to read users
        chosen = company.sale_return_reconciliation_user_id
        if chosen.active and company in chosen.company_ids:
            return chosen
        for group in ('account.group_account_manager', 'sale_return.group_manager'):
            users = company.env.ref(group).all_user_ids.filtered(
                lambda user: (
                    user.active
                    and not user.share
                    and user != company.env.ref('base.user_root')
                    and company in user.company_ids
                )
            )
            if users:
                return users.sorted('id')[0]
        return company.env['res.users']
