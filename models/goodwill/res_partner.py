from odoo import fields, models


class ResPartner(models.Model):
    _name = 'res.partner'
    _inherit = ['res.partner', 'sale.return.owned']

    # Written by whoever grants, see `sale.return.goodwill._ensure_limits`.
    sale_return_goodwill_guard = fields.Integer(readonly=True, copy=False, groups='base.group_user')
