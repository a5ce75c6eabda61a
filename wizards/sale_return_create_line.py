from odoo import fields, models


class SaleReturnCreateLine(models.TransientModel):
    """One order line of the dialog that creates a return."""

    _name = 'sale.return.create.line'
    _description = "Create Return Line"

    wizard_id = fields.Many2one('sale.return.create', required=True, ondelete='cascade')
    company_id = fields.Many2one(related='wizard_id.company_id')
    sale_line_id = fields.Many2one(
        'sale.order.line', string="Order Line", required=True, ondelete='cascade'
    )
    order_id = fields.Many2one(related='sale_line_id.order_id')
    product_id = fields.Many2one(related='sale_line_id.product_id')
    product_uom_id = fields.Many2one(related='sale_line_id.product_uom_id')
    qty_delivered = fields.Float(related='sale_line_id.qty_delivered')
    qty_returnable = fields.Float(related='sale_line_id.qty_returnable')
    quantity = fields.Float(string="Return", digits='Product Unit')
    reason_id = fields.Many2one('sale.return.reason', check_company=True)
    resolution = fields.Selection(
        selection=lambda self: (
            self.env['sale.return.line']._fields['resolution']._description_selection(self.env)
        ),
        required=True,
        default='refund',
    )

    def _is_without_goods(self):
        """Tell whether nothing of the line will come back, as far as the dialog knows."""
        self.ensure_one()
        reason = self.reason_id or self.wizard_id.reason_id
        is_stock = self.sale_line_id.qty_delivered_method == 'stock_move'
        return not is_stock or bool(reason and not reason.return_expected)

    def _prepare_return_line_vals(self):
        """Prepare the return line. Override to add values.

        :return: values for `sale.return.line.create`, without the return.
        :rtype: dict
        """
        self.ensure_one()
        return {
            'sale_line_id': self.sale_line_id.id,
            'qty_requested': self.quantity,
            'reason_id': (self.reason_id or self.wizard_id.reason_id).id,
            'resolution': self.resolution,
            'customer_note': self.wizard_id.customer_note,
        }
