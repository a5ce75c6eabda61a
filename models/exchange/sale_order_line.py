from odoo import fields, models


class SaleOrderLine(models.Model):
    _inherit = 'sale.order.line'

    exchange_return_line_ids = fields.One2many(
        'sale.return.line',
        'exchange_sale_line_id',
        string="Exchanged Return Lines",
        readonly=True,
        groups='sale_return.group_user',
    )

    def _compute_qty_to_invoice(self):
        """Override of `sale` to credit nothing that is billed before it ships.

        Exchanges are billed with the credit of what comes back. Of goods that are billed on
        delivery Odoo would find less than nothing to bill until they have left.
        """
        result = super()._compute_qty_to_invoice()
        for line in self:
            # sudo: what is billed is the same for everybody.
            if line.qty_to_invoice < 0 and line.order_id.sudo().exchange_return_id:
                ordered = line.product_uom_qty - line.qty_invoiced
                line.qty_to_invoice = min(ordered, 0.0)
        return result
