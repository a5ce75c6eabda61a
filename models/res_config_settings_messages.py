from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    sale_return_message_problems = fields.Text(
        string="Messages that are not sent", compute='_compute_sale_return_message_problems'
    )

    def _compute_sale_return_message_problems(self):
        kinds = self.env['sale.return.message.kind'].search([])
        lines = [f"{kind.name}: {kind.problem}" for kind in kinds if kind.problem]
        for settings in self:
            settings.sale_return_message_problems = "\n".join(lines)
