from odoo import api, fields, models


class ResConfigSettings(models.TransientModel):
    """What the settings say about teams."""

    _inherit = 'res.config.settings'

    sale_return_team_health = fields.Text(
        string="Teams to Complete",
        compute='_compute_sale_return_team_health',
        compute_sudo=True,  # whoever manages settings need not be a user of Returns
    )

    @api.depends('company_id')
    def _compute_sale_return_team_health(self):
        for settings in self:
            teams = self.env['sale.return.team'].search(
                [('company_id', '=', settings.company_id.id)]
            )
            settings.sale_return_team_health = "\n".join(filter(None, teams.mapped('health')))
