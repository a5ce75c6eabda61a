from odoo import api, models


class SaleReturnHealth(models.AbstractModel):
    _inherit = 'sale.return.health'

    @api.model
    def _get_findings(self, company):
        """Override to check the messages to customers."""
        findings = super()._get_findings(company)
        # sudo: managers of Returns need not read mail templates.
        kinds = self.env['sale.return.message.kind'].sudo()
        findings += [
            {
                'sentence': f"{kind.name}: {kind.problem}",
                'button': self.env._("Messages"),
                'action': 'sale_return.sale_return_message_kind_action',
            }
            for kind in kinds.search([('company_id', 'in', (False, company.id))])
            if kind.problem
        ]
        failed = [('company_id', '=', company.id), ('state', '=', 'failed')]
        count = self.env['sale.return.message'].search_count(failed)
        if count:
            findings.append(
                {
                    'sentence': self.env._(
                        "%(count)s messages to customers could not be sent.", count=count
                    ),
                    'button': self.env._("Messages to Customers"),
                    'action': 'sale_return.sale_return_message_action',
                    'domain': [('state', '=', 'failed')],
                }
            )
        return findings
