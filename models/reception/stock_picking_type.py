from odoo import fields, models
from odoo.fields import Domain


class StockPickingType(models.Model):
    _name = 'stock.picking.type'
    _inherit = ['stock.picking.type', 'sale.return.owned']

    count_sale_return_to_inspect = fields.Integer(
        string="Returns to Inspect",
        compute='_compute_count_sale_return_to_inspect',
        compute_sudo=True,
        help="Returns whose goods came in with this operation type and are waiting for inspection.",
    )

    def _compute_count_sale_return_to_inspect(self):
        # sudo (of the field): the overview is for everybody in Inventory, users of Returns or not.
        types_by_warehouse = {
            warehouse: warehouse.sale_return_type_id for warehouse in self.warehouse_id
        }
        counts = dict(
            self.env['sale.return']._read_group(
                self._get_to_inspect_domain(self.warehouse_id), ['warehouse_id'], ['__count']
            )
        )
        for picking_type in self:
            warehouse = picking_type.warehouse_id
            is_returns = picking_type and types_by_warehouse.get(warehouse) == picking_type
            picking_type.count_sale_return_to_inspect = (
                counts.get(warehouse, 0) if is_returns else 0
            )

    def _get_to_inspect_domain(self, warehouses):
        """Return the domain of returns whose goods wait for inspection in these warehouses."""
        return Domain(
            [
                ('warehouse_id', 'in', warehouses.ids),
                ('state', 'in', ('approved', 'closed')),
                ('line_ids.qty_to_inspect', '>', 0),
            ]
        )

    def action_view_sale_returns_to_inspect(self):
        """Show the returns whose goods wait for inspection.

        :return: the action of the worklist, limited to the warehouses of these operation types.
        :rtype: dict
        """
        action = self.env['ir.actions.act_window']._for_xml_id(
            'sale_return.sale_return_action_to_inspect'
        )
        return action | {'domain': list(self._get_to_inspect_domain(self.warehouse_id))}
