from odoo import fields, models
from odoo.exceptions import UserError

from ...const import OPEN_STATES


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    group_sale_return_repair = fields.Boolean(
        string="Repairs",
        group='sale_return.group_user',
        implied_group='sale_return.group_repair',
        help=(
            "Goods remain the customer's property, and are repaired and given back. Needs the "
            "Repairs app."
        ),
    )

    def set_values(self):
        """Override of `base` to offer the disposition only where repairs are enabled.

        :raise UserError: when the part is switched on without the app, or off while
            repairs are under way.
        """
        if self.group_sale_return_repair and 'repair.order' not in self.env:
            raise UserError(
                self.env._(
                    "Repairs cannot be switched on: the Repairs app is not installed. Install "
                    "it first."
                )
            )
        if not self.group_sale_return_repair:
            # sudo: all companies share the switch, including those the user does not see.
            count = (
                self.env['sale.return.line']
                .sudo()
                .search_count([('resolution', '=', 'repair'), ('state', 'in', OPEN_STATES)])
            )
            if count:
                raise UserError(
                    self.env._(
                        "Repairs cannot be switched off: %(count)s lines of returns are waiting"
                        " for one. Finish these returns first.",
                        count=count,
                    )
                )
        result = super().set_values()
        # sudo: the disposition follows the switch, whose group the settings have checked.
        ways = self.env['sale.return.disposition'].sudo().with_context(active_test=False)
        ways.search([('action', '=', 'give_back')]).active = self.group_sale_return_repair
        return result
