from odoo import api, models


class SaleReturnHealth(models.AbstractModel):
    _inherit = 'sale.return.health'

    @api.model
    def _get_findings(self, company):
        """Override to check teams: without one nothing is ever late."""
        findings = super()._get_findings(company)
        teams = self.env['sale.return.team'].search([('company_id', '=', company.id)])
        if not teams:
            findings.append(
                {
                    'sentence': self.env._(
                        "%(company)s has no team: no step of a return ever becomes late.",
                        company=company.name,
                    ),
                    'button': self.env._("Watch All Returns"),
                    'code': 'team',
                }
            )
        return findings + [
            {
                'sentence': sentence,
                'button': self.env._("Teams"),
                'action': 'sale_return.sale_return_team_action',
                'domain': [('id', '=', team.id)],
            }
            for team in teams
            for sentence in team.sudo()._get_defects()  # sudo: as for its field `health`
        ]

    def _fix_team(self, company):
        """Create a default team for the company, and begin the open steps."""
        teams = self.env['sale.return.team']
        if not teams.search_count([('company_id', '=', company.id)], limit=1):
            teams._create_default(company)
        returns = self.env['sale.return'].search(
            [('company_id', '=', company.id), ('state', 'in', ('submitted', 'approved'))]
        )
        returns._sync_deadlines()
