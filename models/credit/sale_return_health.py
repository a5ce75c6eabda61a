from odoo import api, models


class SaleReturnHealth(models.AbstractModel):
    _inherit = 'sale.return.health'

    @api.model
    def _get_findings(self, company):
        """Override to check the requirements of credit notes."""
        findings = super()._get_findings(company)
        # sudo: managers of Returns need not read journals.
        journals = self.env['account.journal'].sudo()
        if not journals.search_count(
            [('company_id', 'parent_of', company.id), ('type', '=', 'sale')], limit=1
        ):
            findings.append(
                {
                    'sentence': self.env._(
                        "%(company)s has no sales journal: no credit note can be created.",
                        company=company.name,
                    ),
                    'button': self.env._("Journals"),
                    'action': 'account.action_account_journal_form',
                }
            )
        # sudo: the setting is for managers of Returns, the company's valuation for accountants.
        company_sudo = company.sudo()
        if (
            company_sudo.inventory_valuation == 'real_time'
            and not company_sudo.sale_return_scrap_account_id
        ):
            findings.append(
                {
                    'sentence': self.env._(
                        "%(company)s has no account for scrapped returns: products with real-time "
                        "valuation cannot be scrapped.",
                        company=company.name,
                    ),
                    'button': self.env._("Settings"),
                    'action': 'sale_return.res_config_settings_action',
                }
            )
        failed = self.env['sale.return'].search_count(
            [('company_id', '=', company.id), ('credit_error', '!=', False)]
        )
        if failed:
            findings.append(
                {
                    'sentence': self.env._("Failed credit notes: %(count)s.", count=failed),
                    'button': self.env._("Failed Credit Notes"),
                    'action': 'sale_return.sale_return_action_queue',
                }
            )
        return findings
