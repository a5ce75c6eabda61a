from odoo import api, models


class ResCompany(models.Model):
    _inherit = 'res.company'

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `base` to give new companies deadlines from the first return on."""
        companies = super().create(vals_list)
        # sudo: users who create companies need not be managers of Returns.
        self.env['sale.return.team'].sudo()._create_default(companies)
        return companies

    @api.model
    def _create_return_teams(self):
        """Give all companies their default team. Called once, when the add-on is installed."""
        companies = self.search([])
        self.env['sale.return.team']._create_default(companies)
