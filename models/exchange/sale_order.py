from odoo import api, fields, models
from odoo.exceptions import UserError


class SaleOrder(models.Model):
    """Orders of what customers get in exchange."""

    _inherit = 'sale.order'

    exchange_return_id = fields.Many2one(
        'sale.return',
        string="Exchange of Return",
        readonly=True,
        copy=False,
        index='btree_not_null',
        ondelete='restrict',
        groups='sale_return.group_user',
        help="The return for which the customer gets these goods.",
    )
    exchange_due = fields.Monetary(
        string="To Pay Before It Ships",
        compute='_compute_exchange_due',
        compute_sudo=True,
        help="What the customer still pays of an exchange, where the policy wants it before the "
        "goods leave.",
    )

    @api.depends('invoice_ids.amount_residual', 'invoice_ids.state')
    def _compute_exchange_due(self):
        service = self.env['sale.return.exchange.order']
        for order in self:
            order.exchange_due = (
                service._get_due(order)
                if order.exchange_return_id._is_exchange_paid_first()
                else 0.0
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_exchange(self):
        # sudo: whoever deletes a quotation need not be a user of Returns.
        if orders := self.sudo().filtered('exchange_return_id'):
            raise UserError(
                self.env._(
                    "Quotation %(orders)s belongs to an exchange of return %(returns)s. End the "
                    "exchange there, or cancel the quotation.",
                    orders=", ".join(orders.mapped('name')),
                    returns=", ".join(orders.exchange_return_id.mapped('name')),
                )
            )

    def action_view_exchange_return(self):
        """Show the return that an order is the exchange of."""
        self.ensure_one()
        return self.exchange_return_id._get_records_action(name=self.env._("Return"))

    def _action_confirm(self):
        """Override of `sale` to let the deliveries of exchanges take the place of the hold."""
        # sudo: whoever confirms an order need not be a user of Returns.
        sale_lines = self.sudo().filtered('exchange_return_id').order_line
        self.env['sale.return.hold'].sudo()._shrink(
            {
                line: sale_line.product_uom_qty
                for sale_line in sale_lines
                for line in sale_line.exchange_return_line_ids
            }
        )
        return super()._action_confirm()

    def _action_cancel(self):
        """Override of `sale` to set free what is held for exchanges that are cancelled."""
        result = super()._action_cancel()
        # sudo: as above.
        lines = self.sudo().filtered('exchange_return_id').order_line.exchange_return_line_ids
        if lines:
            self.env['sale.return.hold'].sudo()._end(lines, as_refund=False)
            lines.return_id._close_or_reopen()
        return result
