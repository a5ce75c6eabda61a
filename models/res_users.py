from odoo import fields, models


class ResUsers(models.Model):
    _inherit = 'res.users'

    sale_return_goodwill_limit = fields.Float(
        string="Goodwill per Month",
        groups='sale_return.group_manager',
        help="What this user may grant as goodwill in a calendar month, tax included, in the "
        "currency of the company. 0: as in the settings.",
    )
    # Written by whoever grants, see `sale.return.goodwill._ensure_limits`.
    sale_return_goodwill_guard = fields.Integer(readonly=True, copy=False, groups='base.group_user')
