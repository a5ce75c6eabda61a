"""Do not offer the set-up where Returns is set up already."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Mark it as dismissed for existing companies; it is still available on the set-up page."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    configurations = env['sale.return.configuration']
    for company in env['res.company'].search([]) - configurations.search([]).company_id:
        configurations._note(company, "Returns", state='dismissed')
