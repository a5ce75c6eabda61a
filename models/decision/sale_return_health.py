from odoo import api, models


class SaleReturnHealth(models.AbstractModel):
    _inherit = 'sale.return.health'

    @api.model
    def _get_findings(self, company):
        """Override to check that somebody may decide."""
        findings = super()._get_findings(company)
        # sudo: managers of Returns need not see all users.
        approvers = self.env.ref('sale_return.group_approver').sudo().all_user_ids
        people = approvers.filtered(
            lambda user: user.active and not user.share and company in user.company_ids
        )
        if not people - self.env.ref('base.user_root'):
            findings.append(
                {
                    'sentence': self.env._(
                        "Nobody in %(company)s may approve returns: give somebody the role.",
                        company=company.name,
                    ),
                    'button': self.env._("Users"),
                    'action': 'base.action_res_users',
                }
            )
        return findings
