from odoo import fields, models


class ResCompany(models.Model):
    _inherit = 'res.company'

    sale_return_gift = fields.Boolean(
        string="Gift Returns",
        help="Delivery slips of orders that are gifts have a code. With it the recipient returns "
        "the goods for store credit or another size. The buyer is told nothing.",
        groups='base.group_user',
    )

    def _get_sale_return_writers(self):
        """Override of `sale.return.owned`: what the settings of gifts change."""
        return super()._get_sale_return_writers() | {'sale_return_gift': 'base.group_erp_manager'}
