from odoo import fields, models


class ResCompany(models.Model):
    _inherit = 'res.company'

    sale_return_hold_customer_limit = fields.Integer(
        string="Held per Customer",
        default=20,
        help=(
            "Maximum number of units held at a time for the exchanges of one customer. 0: no limit."
        ),
        groups='base.group_user',
    )
    sale_return_hold_order_limit = fields.Integer(
        string="Held per Order",
        default=10,
        help="Maximum number of units held at a time for the exchanges of one order. 0: no limit.",
        groups='base.group_user',
    )

    def _get_sale_return_writers(self):
        """Override of `sale.return.owned`: fields that the settings of exchanges change."""
        return super()._get_sale_return_writers() | {
            'sale_return_hold_customer_limit': 'base.group_erp_manager',
            'sale_return_hold_order_limit': 'base.group_erp_manager',
        }
