from odoo import fields, models


class ResPartner(models.Model):
    _inherit = 'res.partner'

    # Written by every transaction that holds goods for a customer, see
    # `sale.return.hold._check_limits`.
    sale_return_hold_guard = fields.Integer(readonly=True, copy=False, groups='base.group_user')
