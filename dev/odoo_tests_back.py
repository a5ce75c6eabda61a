"""Restore Odoo's defaults for everything the installation changed, future records included."""


def run(env):
    """Untick what Settings > Returns > What Installing Changed offers.

    :rtype: bool
    """
    switches = ('sale_return_adopt_native', 'sale_return_auto_credit')
    env['res.company'].search([]).write(dict.fromkeys(switches, False))
    for name in switches:
        env['ir.default'].set('res.company', name, False)
    env['stock.warehouse'].search([]).sale_return_quarantine = False
    env['ir.default'].set('stock.warehouse', 'sale_return_quarantine', False)
    return True
