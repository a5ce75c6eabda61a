from odoo import api, fields, models
from odoo.exceptions import UserError

# Terms agreed with the return, see `sale.order` for the others, and what says how much is done.
AGREED = frozenset(
    {
        'discount',
        'display_type',
        'is_downpayment',
        'order_id',
        'price_unit',
        'product_id',
        'product_uom_id',
        'product_uom_qty',
        'qty_delivered',
        'tax_ids',
    }
)


class SaleOrderLine(models.Model):
    _inherit = 'sale.order.line'

    exchange_return_line_ids = fields.One2many(
        'sale.return.line',
        'exchange_sale_line_id',
        string="Exchanged Return Lines",
        readonly=True,
        groups='sale_return.group_user',
    )

    def write(self, vals):
        """Extend to protect the agreed lines of an exchange, and their figures.

        What is billed decides what is paid back: nobody writes it by hand.

        :raise AccessError: naming the order.
        """
        if not self.env.su and (AGREED.intersection(vals) or self._sets_computed(vals)):
            # sudo: users who change an order need not be users of Returns.
            lines = self.sudo().filtered('order_id.exchange_return_id')
            exchanged = lines.filtered('exchange_return_line_ids').order_id
            exchanged.sudo(False)._ensure_may_change_exchange()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_exchanged(self):
        # sudo: as above.
        if orders := self.sudo().filtered('exchange_return_line_ids').order_id:
            raise UserError(
                self.env._(
                    "What order %(orders)s gives in exchange for return %(returns)s cannot be "
                    "deleted. End the exchange on the return, or cancel the order.",
                    orders=", ".join(orders.mapped('name')),
                    returns=", ".join(orders.exchange_return_id.mapped('name')),
                )
            )

    def _compute_qty_to_invoice(self):
        """Override of `sale` to prevent credits for exchanges billed before shipping.

        Exchanges are billed when the returned goods are credited. For goods billed on delivery Odoo
        would find a negative quantity to bill until they have left.
        """
        result = super()._compute_qty_to_invoice()
        for line in self:
            # sudo: billed quantities are the same for all users.
            if line.qty_to_invoice < 0 and line.order_id.sudo().exchange_return_id:
                ordered = line.product_uom_qty - line.qty_invoiced
                line.qty_to_invoice = min(ordered, 0.0)
        return result
