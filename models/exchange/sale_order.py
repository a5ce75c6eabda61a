from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ...tools.own_value import OwnValue

# Agreed terms of an exchange, and fields that settle its credit.
AGREED = frozenset(
    {
        'company_id',
        'currency_id',
        'exchange_return_id',
        'fiscal_position_id',
        'partner_id',
        'partner_invoice_id',
        'pricelist_id',
    }
)


class SaleOrder(models.Model):
    """Orders of exchanges."""

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
        help=(
            "What the customer still has to pay for an exchange, where the policy requires it "
            "before the goods leave."
        ),
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

    def _describe_exchange_due(self):
        """Describe what is paid before an exchange ships, and how."""
        self.ensure_one()
        values = {
            'order': self.name,
            'amount': self.currency_id.format(self.exchange_due),
            'return': self.exchange_return_id.name,
        }
        if any(move.state == 'posted' and move.amount_residual for move in self.invoice_ids):
            return self.env._(
                "%(order)s is the exchange of return %(return)s: the customer has to pay "
                "%(amount)s before it ships. Send them the payment link of its invoice.",
                **values,
            )
        return self.env._(
            "%(order)s is the exchange of return %(return)s: the customer has to pay %(amount)s "
            "before it ships. Post the credit note of the return first; the invoice with the "
            "payment link comes with it.",
            **values,
        )

    def write(self, vals):
        """Extend to protect the agreed terms of an exchange, its state and its figures.

        :raise AccessError: naming the order.
        """
        if not self.env.su:
            changed = self
            if not AGREED.intersection(vals) and not self._sets_computed(vals):
                changed = self.filtered(lambda order: order._skips_steps(vals.get('state')))
            changed._ensure_may_change_exchange()
        return super().write(vals)

    def _skips_steps(self, state):
        """Tell whether a state is one that only a step gives: confirmed, or not any more."""
        self.ensure_one()
        return state not in (None, self.state, 'cancel') and 'sale' in (state, self.state)

    def _ensure_may_change_exchange(self):
        """Refuse what would give more, or earlier, than the return does, unless to a manager.

        :raise AccessError: naming the orders and their returns.
        """
        if self.env.su or self.env.user.has_group('sale_return.group_manager'):
            return
        # sudo: as in `_unlink_except_exchange`.
        if orders := self.sudo().filtered('exchange_return_id'):
            raise AccessError(
                self.env._(
                    "Order %(orders)s is the exchange of return %(returns)s, which orders and "
                    "bills it automatically once the goods are accepted. Ask a manager of "
                    "Returns to change or confirm it, or end the exchange on the return.",
                    orders=", ".join(orders.mapped('name')),
                    returns=", ".join(orders.exchange_return_id.mapped('name')),
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_exchange(self):
        # sudo: users who delete a quotation need not be users of Returns.
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
        """Show the return that an exchange order belongs to."""
        self.env['sale.return.reader']._ensure_one(self)
        return self.exchange_return_id._get_records_action(name=self.env._("Return"))

    def _action_confirm(self):
        """Override of `sale` to replace the hold by the deliveries of exchanges.

        :raise AccessError: when an exchange is confirmed that the return has not released.
        """
        self._ensure_may_change_exchange()
        # sudo: users who confirm an order need not be users of Returns.
        orders = self.sudo().filtered('exchange_return_id')
        hold = self.env['sale.return.hold'].sudo()
        ordered = {
            line: sale_line.product_uom_qty
            for sale_line in orders.order_line
            for line in sale_line.exchange_return_line_ids
        }
        # Goods held for exactly this order become its delivery unchanged.
        whole = {line for line, quantity in ordered.items() if hold._is_whole(line, quantity)}
        hold._shrink({line: q for line, q in ordered.items() if line not in whole})
        if whole:
            hold._prepare_references(orders, self.env['sale.return.line'].sudo().union(*whole))
        result = super()._action_confirm()
        # Goods that come another way are reserved by their own moves.
        hold._free(self.env['sale.return.line'].sudo().union(*whole))
        return result

    def _action_cancel(self):
        """Override of `sale` to release holds of cancelled exchanges."""
        # Draft invoices are cancelled with their order, and not created again.
        orders = self.with_context(sale_return_order_ends=OwnValue(True))
        result = super(SaleOrder, orders)._action_cancel()
        # sudo: as above.
        lines = self.sudo().filtered('exchange_return_id').order_line.exchange_return_line_ids
        if lines:
            self.env['sale.return.hold'].sudo()._end(lines, as_refund=False)
            lines.return_id._close_or_reopen()
        return result
