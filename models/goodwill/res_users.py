from odoo import api, fields, models


class ResUsers(models.Model):
    _name = 'res.users'
    _inherit = ['res.users', 'sale.return.owned']

    sale_return_goodwill_limit = fields.Float(
        string="Goodwill per Month",
        groups='sale_return.group_manager',
        help=(
            "Limit of this user for goodwill per calendar month, tax included, in company "
            "currency. 0: as in the settings."
        ),
    )
    sale_return_currency_id = fields.Many2one(
        'res.currency',
        "Currency of Returns",
        compute='_compute_sale_return_currency_id',
        groups='sale_return.group_manager',
    )
    # Written by every transaction that grants goodwill, see `sale.return.goodwill._ensure_limits`.
    sale_return_goodwill_guard = fields.Integer(readonly=True, copy=False, groups='base.group_user')

    @api.depends_context('company')
    def _compute_sale_return_currency_id(self):
        self.sale_return_currency_id = self.env.company.currency_id

    @api.model
    def _get_sale_return_writers(self):
        """Override of `sale.return.owned`: managers set what their users may grant."""
        return super()._get_sale_return_writers() | {
            'sale_return_goodwill_limit': 'sale_return.group_manager'
        }
