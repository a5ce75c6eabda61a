from odoo import fields, models


class ResPartner(models.Model):
    _name = 'res.partner'
    _inherit = ['res.partner', 'sale.return.owned']

    # Written by every transaction that adds up what the customer got in a period, see
    # `_take_customers` of `sale.return.guard`.
    sale_return_goodwill_guard = fields.Integer(readonly=True, copy=False, groups='base.group_user')
