from odoo import api, fields, models
from odoo.exceptions import UserError

# What goods are held, how many, and where to.
HELD = frozenset(
    {
        'location_dest_id',
        'location_id',
        'partner_id',
        'picking_id',
        'product_id',
        'product_uom',
        'product_uom_qty',
        'sale_line_id',
    }
)


class StockMove(models.Model):
    """Goods held for exchanges, and deliveries waiting for payment."""

    _inherit = 'stock.move'

    exchange_line_id = fields.Many2one(
        'sale.return.line',
        string="Held for Exchange of",
        readonly=True,
        copy=False,
        index='btree_not_null',
        ondelete='restrict',
        groups='sale_return.group_user,stock.group_stock_user',
    )

    def write(self, vals):
        """Extend to have the return alone change what is held for its exchange.

        :raise UserError: naming the return.
        """
        if not self.env.su and (HELD.intersection(vals) or vals.get('state') == 'done'):
            # sudo: users who change transfers need not be users of Returns.
            held = self.sudo().filtered(
                lambda move: (
                    move.exchange_line_id
                    and any(
                        move._changes_sale_return(name, vals[name])
                        for name in (HELD | {'state'}).intersection(vals)
                    )
                )
            )
            if held:
                self.check_access('write')
                held._refuse_held()
        return super().write(vals)

    def _refuse_held(self):
        """Refuse to touch goods that are held; in superuser mode.

        :raise UserError: naming the returns.
        """
        if returns := self.exchange_line_id.return_id:
            raise UserError(
                self.env._(
                    "These goods are held for the exchange of return %(returns)s and leave with "
                    "its order, once the return has released it.",
                    returns=", ".join(returns.mapped('name')),
                )
            )

    def _action_done_of_returns(self, cancel_backorder=False):
        """Extend to stop held goods, and unpaid exchanges, from leaving.

        :raise UserError: naming the return, and the amount that is missing.
        """
        # sudo: users who validate transfers need not be users of Returns.
        moves = self.sudo()
        moves._refuse_held()
        orders = moves.sale_line_id.order_id.filtered('exchange_return_id')
        orders.invalidate_recordset(['exchange_due'], flush=False)  # credits count at once
        for order in orders:
            leaving = moves.filtered(
                lambda move, order=order: (
                    move.sale_line_id.order_id == order and move.location_dest_id._is_at_customer()
                )
            )
            if leaving and order.currency_id.compare_amounts(order.exchange_due, 0.0) > 0:
                raise UserError(order._describe_exchange_due())
        return super()._action_done_of_returns(cancel_backorder=cancel_backorder)

    @api.model
    def _take_over(self, procurements):
        """Extend to deliver the goods held for exchanges, instead of reserving again."""
        hold = self.env['sale.return.hold']
        matches = hold._match(procurements)
        hold._hand_over(matches)
        done = {id(procurement) for procurement, _rule, _move in matches}
        return [pair for pair in super()._take_over(procurements) if id(pair[0]) not in done]

    def _get_source_document(self):
        """Override of `stock` to name the return that goods are held for in the forecast."""
        # sudo: as above.
        return super()._get_source_document() or self.sudo().exchange_line_id.return_id or False
