from odoo import fields, models


class SaleReturnInspectAnswer(models.TransientModel):
    """One answer of the inspection sheet in the dialog that inspects returned goods.

    It applies to all goods of its return line and lot in the dialog.
    """

    _name = 'sale.return.inspect.answer'
    _description = "Inspect Return Answer"

    wizard_id = fields.Many2one('sale.return.inspect', required=True, ondelete='cascade')
    line_id = fields.Many2one('sale.return.line', string="Return Line", required=True)
    lot_id = fields.Many2one('stock.lot', string="Lot/Serial Number")
    item_id = fields.Many2one('sale.return.checklist.item', string="Question", required=True)
    kind = fields.Selection(related='item_id.kind')
    required = fields.Boolean(related='item_id.required')
    unit = fields.Char(related='item_id.unit')
    answer = fields.Selection([('yes', "Yes"), ('no', "No")])
    number = fields.Float()
    photo = fields.Binary(attachment=False)
    photo_name = fields.Char()

    def _get_value(self):
        """Return the answer as expected by `register_inspection`, None where there is none."""
        self.ensure_one()
        if self.kind == 'yes_no':
            return self.answer == 'yes' if self.answer else None
        if self.kind == 'number':
            # An empty number is 0: it counts as an answer where 0 is possible.
            item = self.item_id
            given = self.number or (item._has_limits() and item._is_well(0.0))
            return self.number if given else None
        return (
            [{'name': self.photo_name or self.item_id.name, 'datas': self.photo}]
            if self.photo
            else None
        )
