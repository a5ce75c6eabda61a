from odoo import fields, models


class SaleOrder(models.Model):
    _inherit = 'sale.order'

    sale_return_gift = fields.Boolean(
        string="Gift",
        copy=False,
        groups='base.group_user',
        help="The delivery slip has a code with which the recipient can return the goods.",
    )
    has_sale_return_gift = fields.Boolean(
        compute='_compute_has_sale_return_gift', groups='base.group_user'
    )

    def _compute_has_sale_return_gift(self):
        for order in self:
            # sudo: whether the company takes gifts back is no secret.
            order.has_sale_return_gift = order.company_id.sudo().sale_return_gift

    def _get_sale_return_writers(self):
        """Override of `sale.return.owned`: who sells says that it is a gift."""
        return super()._get_sale_return_writers() | {
            'sale_return_gift': 'sales_team.group_sale_salesman'
        }

    def _get_sale_return_portal_invoices(self, invoices):
        """Leave the credit notes of gifts out of what the page of an order lists.

        :param invoices: `account.move` records of the order.
        """
        # sudo: only notes of others are left out.
        return invoices.filtered(lambda move: not move.sudo()._is_for_another())
