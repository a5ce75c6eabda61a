"""Keep all parts that can now be switched off enabled, as people work with them."""

from odoo import SUPERUSER_ID, api

# What everybody could use before there were switches. Later parts start switched off.
PARTS = ('bench', 'checklists', 'desk', 'levels', 'records', 'statistics', 'teams')


def migrate(cr, version):
    """Let the roles see all parts, as before. Switching off is up to a person."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    fields = env['res.config.settings']._fields
    for part in PARTS:
        field = fields[f'group_sale_return_{part}']
        for group in field.group.split(','):
            env.ref(group)._apply_group(env.ref(field.implied_group))
