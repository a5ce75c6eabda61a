from odoo import api, fields, models
from odoo.fields import Command


class SaleReturnSetup(models.TransientModel):
    """Room: base. The page of the set-up: what is misconfigured, and rarely used lists."""

    _name = 'sale.return.setup'
    _description = "Set-Up of Returns"

    company_id = fields.Many2one('res.company', required=True, readonly=True)
    configuration_ids = fields.Many2many(
        'sale.return.configuration', compute='_compute_configuration_ids'
    )
    finding_ids = fields.One2many('sale.return.setup.finding', 'setup_id', readonly=True)

    @api.model
    def action_open(self):
        """Check the configuration of the company and show the page.

        :return: the action of the page.
        :rtype: dict
        :raise AccessError: when the user is not a manager of Returns.
        """
        self.check_access('read')
        company = self.env.company
        findings = self.env['sale.return.health']._get_findings(company)
        # sudo: the right to read the page was checked. Nobody writes findings directly; fixes run
        # in superuser mode, for the given company.
        setup = self.sudo().create(
            {
                'company_id': company.id,
                'finding_ids': [
                    Command.create(
                        {
                            'sequence': sequence,
                            'sentence': finding['sentence'],
                            'button': finding['button'],
                            'code': finding.get('code'),
                            'action': finding.get('action'),
                            'domain': repr(finding.get('domain') or []),
                        }
                    )
                    for sequence, finding in enumerate(findings)
                ],
            }
        )
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Set-Up"),
            'res_model': self._name,
            'res_id': setup.id,
            'views': [(False, 'form')],
            'target': 'main',
        }

    def action_export(self):
        """Export the configuration of the company as a file.

        :return: the action that downloads it.
        :rtype: dict
        """
        self.ensure_one()
        self.check_access('read')
        return self.env['sale.return.start'].with_company(self.company_id).action_export()

    @api.depends('company_id')
    def _compute_configuration_ids(self):
        for setup in self:
            setup.configuration_ids = self.env['sale.return.configuration'].search(
                [('company_id', '=', setup.company_id.id), ('state', '!=', 'dismissed')], limit=20
            )

    @api.depends('company_id')
    def _compute_display_name(self):
        """Override of `base`: the page is named after its company."""
        for setup in self:
            setup.display_name = setup.company_id.name
