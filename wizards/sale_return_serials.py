from odoo import fields, models
from odoo.tools import clean_context


class SaleReturnSerials(models.TransientModel):
    """Dialog of the reception: a receipt has serial numbers that nobody has scanned."""

    _name = 'sale.return.serials'
    _description = "Confirm Serial Numbers"

    picking_ids = fields.Many2many('stock.picking', string="Receipts", required=True)
    lot_names = fields.Text(string="Serial Numbers", compute='_compute_lot_names')

    def _compute_lot_names(self):
        for wizard in self:
            lines = wizard.picking_ids._get_unscanned_serials()
            wizard.lot_names = "\n".join(
                f"{product.display_name}: {', '.join(group.lot_id.mapped('name'))}"
                for product, group in lines.grouped('product_id').items()
            )

    def action_confirm(self):
        """Receive the delivered serial numbers without scanning."""
        self.ensure_one()
        pickings = self.picking_ids.with_context(clean_context(self.env.context))
        return pickings.with_context(sale_return_ask_serials=False).button_validate()
