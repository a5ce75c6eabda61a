from odoo import api, fields, models
from odoo.exceptions import UserError

from ...const import OPEN_STATES


class SaleOrder(models.Model):
    _name = 'sale.order'

    _inherit = ['sale.order', 'sale.return.owned']

    # Users who may not read returns can read orders without it, even when they read all fields at
    # once.
    return_line_ids = fields.One2many(
        'sale.return.line',
        'order_id',
        readonly=True,
        groups='sale_return.group_user,base.group_portal',
    )
    # For employees: a return of a gift is not shown to its buyer.
    return_ids = fields.Many2many(
        'sale.return',
        compute='_compute_return_ids',
        compute_sudo=True,
        groups='base.group_user',
    )
    return_count = fields.Integer(
        compute='_compute_return_ids', compute_sudo=True, groups='base.group_user'
    )
    return_status = fields.Selection(
        [
            ('no', "No returns"),
            ('open', "Return open"),
            ('partial', "Partly returned"),
            ('full', "Fully returned"),
        ],
        compute='_compute_return_status',
        store=True,
        groups='base.group_user',
        help=(
            "Open: a return is under way. Partly or fully: how much of the delivered goods came "
            "back."
        ),
    )

    # For the returns desk, see the indexes of `sale.return`.
    _sale_return_bench_name = models.Index('(name)')
    _sale_return_bench_ref = models.Index('(client_order_ref) WHERE client_order_ref IS NOT NULL')
    _sale_return_bench_ref_part = models.Index(
        lambda registry: (
            'USING gin (client_order_ref gin_trgm_ops) WHERE client_order_ref IS NOT NULL'
            if registry.has_trigram
            else ''
        )
    )

    # === COMPUTE METHODS === #

    @api.depends('return_line_ids.return_id')
    def _compute_return_ids(self):
        for order in self:
            order.return_ids = order.return_line_ids.return_id
            order.return_count = len(order.return_ids)

    @api.depends(
        'order_line.return_line_ids.state', 'order_line.qty_returned', 'order_line.qty_delivered'
    )
    def _compute_return_status(self):
        for order in self:
            # Goods that an order itself takes in, by a negative quantity, are not a return.
            lines = order.order_line.filtered(
                lambda line: line.qty_returned > 0 and line.product_uom_qty >= 0
            )
            # Those of the lines, which are already loaded when a delivery has just been done.
            if any(line.state in OPEN_STATES for line in order.order_line.return_line_ids):
                order.return_status = 'open'
            elif not lines:
                order.return_status = 'no'
            elif any(line.qty_delivered > 0 for line in order.order_line):
                order.return_status = 'partial'
            else:
                order.return_status = 'full'

    # === ACTION METHODS === #

    def action_create_return(self):
        """Open the dialog that creates a return of what was delivered and not returned.

        :return: the action of the wizard `sale.return.create`.
        :rtype: dict
        :raise UserError: when nothing can be returned.
        """
        return self.order_line._get_return_wizard_action()

    def action_view_returns(self):
        """Show the returns of the orders."""
        returns = self.env['sale.return'].search([('line_ids.order_id', 'in', self.ids)])
        return returns._get_records_action(name=self.env._("Returns"))

    # === BUSINESS METHODS === #

    def message_post(self, **kwargs):
        """Extend to keep notes of batches: see `sale.return.notes`."""
        if self.env['sale.return.notes']._keep(self, kwargs):
            return self.env['mail.message']
        return super().message_post(**kwargs)

    def _action_cancel(self):
        """Override of `sale` to keep orders whose goods are on their way back.

        :raise UserError: when a return of the order is under way.
        """
        for order in self:
            # sudo: all returns of the order count, no matter who cancels it.
            lines = order.sudo().return_line_ids.filtered(lambda line: line.state in OPEN_STATES)
            if lines:
                raise UserError(
                    self.env._(
                        "Order %(order)s cannot be cancelled: return %(returns)s is under way. "
                        "Close or cancel the return first.",
                        order=order.name,
                        returns=", ".join(lines.return_id.mapped('name')),
                    )
                )
        return super()._action_cancel()
