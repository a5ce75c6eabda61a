"""Distinguish dispatches reported by customers from those registered by employees.

Until now `date_dispatched` released credits, no matter who had set it. Dispatches registered by
employees, and those already credited, stay as they are; those only reported by the customer wait
for confirmation.
"""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Fill `sale.return.date_dispatch_proved`, and compute again what is to be credited."""
    cr.execute(
        """
        UPDATE sale_return r
           SET date_dispatch_proved = r.date_dispatched
         WHERE r.date_dispatched IS NOT NULL
           AND r.date_dispatch_proved IS NULL
           AND (
               EXISTS (
                   SELECT FROM sale_return_line l
                    WHERE l.return_id = r.id AND l.qty_credited > 0
               )
               OR EXISTS (
                   SELECT FROM sale_return_event e
                     JOIN res_users u ON u.id = e.user_id
                     JOIN res_partner p ON p.id = u.partner_id
                     JOIN res_partner c ON c.id = r.partner_id
                    WHERE e.return_id = r.id
                      AND e.kind = 'dispatched'
                      AND u.share IS NOT TRUE
                      AND p.commercial_partner_id != c.commercial_partner_id
               )
               OR NOT EXISTS (
                   SELECT FROM sale_return_event e
                    WHERE e.return_id = r.id AND e.kind = 'dispatched'
               )
           )
        """
    )
    env = api.Environment(cr, SUPERUSER_ID, {})
    env.invalidate_all()
    claimed = env['sale.return'].search(
        [
            ('date_dispatched', '!=', False),
            ('date_dispatch_proved', '=', False),
            ('state', 'in', ('submitted', 'approved')),
        ]
    )
    claimed.modified(['date_dispatch_proved'])
    env.flush_all()
