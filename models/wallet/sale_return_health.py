from odoo import api, models


class SaleReturnHealth(models.AbstractModel):
    _inherit = 'sale.return.health'

    @api.model
    def _get_findings(self, company):
        """Override to check the set-up of store credit, and wallets that it does not cover."""
        findings = super()._get_findings(company)
        service = self.env['sale.return.wallet']
        # sudo: managers of Returns need not read accounts and programs.
        company_sudo = company.sudo()
        # sudo: as above.
        policies = self.env['sale.return.policy'].sudo()
        wanted = company_sudo.sale_return_store_credit or policies.search_count(
            [('settlement', '=', 'store_credit'), ('company_id', 'in', (False, company.id))],
            limit=1,
        )
        if not wanted:
            return findings
        settings = {
            'button': self.env._("Settings"),
            'action': 'sale_return.res_config_settings_action',
        }
        if problem := service._find_problem(company, company.currency_id):
            return [*findings, {'sentence': problem, **settings}]
        if others := self._get_other_programs(company_sudo):
            sentence = self.env._(
                "%(programs)s: the balance of these cards is on another account than "
                "%(account)s, so it is not compared with the books.",
                programs=", ".join(others.mapped('name')),
                account=company_sudo.sale_return_store_credit_account_id.display_name,
            )
            findings.append({'sentence': sentence, **settings})
        return findings

    @api.model
    def _get_other_programs(self, company):
        """Return programs of paid cards that post elsewhere. To be called in superuser mode."""
        service = self.env['sale.return.wallet'].sudo()
        programs = service.env['loyalty.program'].search(
            [
                ('program_type', 'in', ('ewallet', 'gift_card')),
                ('company_id', 'in', (False, company.id)),
            ]
        )
        return programs - service._get_programs(company)
