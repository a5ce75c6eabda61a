from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    sale_return_message_problems = fields.Text(
        string="Messages that are not sent",
        compute='_compute_sale_return_message_problems',
        compute_sudo=True,  # whoever manages settings need not be a user of Returns
    )

    def _compute_sale_return_message_problems(self):
        companies = [False, *self.env.companies.ids]
        kinds = self.env['sale.return.message.kind'].search([('company_id', 'in', companies)])
        lines = [f"{kind.name}: {kind.problem}" for kind in kinds if kind.problem]
        for settings in self:
            settings.sale_return_message_problems = "\n".join(lines)
