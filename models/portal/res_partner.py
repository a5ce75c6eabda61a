from odoo import fields, models


class ResPartner(models.Model):
    _inherit = 'res.partner'

    # Written by every transaction that sends a request, see `sale.return.portal.request._send`.
    sale_return_request_guard = fields.Integer(readonly=True, copy=False, groups='base.group_user')
