from odoo import fields, models
from odoo.exceptions import UserError

from ...const import OPEN_STATES


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    group_sale_return_exchange = fields.Boolean(
        string="Exchanges",
        group='sale_return.group_user',
        implied_group='sale_return.group_exchange',
        help="Customers get another size or another product instead of their money.",
    )
    sale_return_hold_customer_limit = fields.Integer(
        related='company_id.sale_return_hold_customer_limit', readonly=False
    )
    sale_return_hold_order_limit = fields.Integer(
        related='company_id.sale_return_hold_order_limit', readonly=False
    )

    def set_values(self):
        """Override of `base` to keep the part visible while exchanges are promised.

        :raise UserError: when the part is switched off.
        """
        if not self.group_sale_return_exchange:
            # sudo: all companies share the switch, including those the user does not see.
            count = (
                self.env['sale.return.line']
                .sudo()
                .search_count(
                    [('resolution', '=', 'exchange'), ('state', 'in', ('draft', *OPEN_STATES))]
                )
            )
            if count:
                raise UserError(
                    self.env._(
                        "Exchanges cannot be switched off: %(count)s return lines have one. "
                        "Finish these returns first, or end their exchanges.",
                        count=count,
                    )
                )
        return super().set_values()
