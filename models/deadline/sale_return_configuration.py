from odoo import api, models


class SaleReturnConfiguration(models.Model):
    _inherit = 'sale.return.configuration'

    @api.model
    def _get_sections(self):
        """Override to add teams."""
        return {**super()._get_sections(), 'teams': 'sale.return.team'}

    @api.model
    def _get_keys(self):
        """Override: teams have names, and each of their steps once."""
        return {
            **super()._get_keys(),
            'sale.return.team': ('everybody', 'name'),
            'sale.return.team.step': ('step',),
        }

    @api.model
    def _get_key(self, model, item):
        """Override: a company has one default team, whatever its name."""
        if model == 'sale.return.team' and item.get('everybody'):
            return (True,)
        return super()._get_key(model, item)

    def _is_used(self, record):
        """Override: steps of returns belong to teams."""
        if record._name != 'sale.return.team':
            return super()._is_used(record)
        # sudo: returns of all companies count, even those the user may not see.
        deadlines = self.env['sale.return.deadline'].sudo()
        return bool(deadlines.search_count([('team_id', '=', record.id)], limit=1))
