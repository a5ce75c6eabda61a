from odoo import fields, models


class StockWarehouse(models.Model):
    _inherit = 'stock.warehouse'

    sale_return_type_id = fields.Many2one(
        'stock.picking.type', "Returns Operation Type", check_company=True, copy=False
    )
    sale_return_loc_id = fields.Many2one(
        'stock.location',
        "Quarantine of Returns",
        check_company=True,
        copy=False,
        help="Returned goods wait here for their inspection. It lies outside the warehouse, so "
        "that they are valued but neither reserved nor promised to anybody.",
    )

    def _create_or_update_sequences_and_picking_types(self):
        """Override of `stock` to give new warehouses their returns type and quarantine."""
        self._create_sale_return_location()
        warehouse_data = super()._create_or_update_sequences_and_picking_types()
        if 'sale_return_type_id' in warehouse_data:
            out_type_id = warehouse_data.get('out_type_id') or self.out_type_id.id
            self._link_sale_return_type(
                self.env['stock.picking.type'].browse(warehouse_data['sale_return_type_id']),
                self.env['stock.picking.type'].browse(out_type_id),
            )
        return warehouse_data

    def _get_sequence_values(self, name=False, code=False):
        """Override of `stock` to number the receipts of returns."""
        values = super()._get_sequence_values(name=name, code=code)
        sequence_code = self.sale_return_type_id.sequence_code or 'RET'
        values['sale_return_type_id'] = {
            'name': self.env._("%(name)s Sequence returns", name=name or self.name),
            'prefix': f'{code or self.code}/{sequence_code}/',
            'padding': 5,
            'company_id': self.company_id.id,
        }
        return values

    def _get_picking_type_create_values(self, max_sequence):
        """Override of `stock` to add the operation type of returns."""
        data, next_sequence = super()._get_picking_type_create_values(max_sequence)
        customers = self.env.ref('stock.stock_location_customers')
        data['sale_return_type_id'] = {
            'name': self.env._("Customer Returns"),
            'code': 'incoming',
            'default_location_src_id': customers.id,
            'default_location_dest_id': self.sale_return_loc_id.id,
            # Goods come back under the lots they were sold with.
            'use_create_lots': False,
            'use_existing_lots': True,
            'sequence': next_sequence + 1,
            'sequence_code': 'RET',
            'company_id': self.company_id.id,
        }
        return data, next_sequence + 2

    def _get_picking_type_update_values(self):
        """Override of `stock` to keep the barcode of the returns type with the warehouse code."""
        data = super()._get_picking_type_update_values()
        data['sale_return_type_id'] = {
            'active': self.active,
            'barcode': self.code.replace(" ", "").upper() + "RET",
        }
        return data

    def _create_sale_return_setup(self):
        """Give existing warehouses their returns type and quarantine.

        Only these are created: the other operation types may have been changed by hand, and
        Odoo's own method would write its defaults on them.
        """
        for warehouse in self.filtered(lambda w: not w.sale_return_type_id):
            # Each warehouse has its own sequence, type and location; there are few of them.
            warehouse._create_sale_return_location()
            create_values, _next = warehouse._get_picking_type_create_values(100)
            values = (
                create_values['sale_return_type_id']
                | (warehouse._get_picking_type_update_values()['sale_return_type_id'])
            )
            sequence_values = warehouse._get_sequence_values()['sale_return_type_id']
            # sudo: as in `stock`, sequences belong to the system.
            sequence = self.env['ir.sequence'].sudo().create(sequence_values)
            warehouse.sale_return_type_id = self.env['stock.picking.type'].create(
                values | {'warehouse_id': warehouse.id, 'sequence_id': sequence.id}
            )
            warehouse._link_sale_return_type(warehouse.sale_return_type_id, warehouse.out_type_id)

    def _link_sale_return_type(self, return_type, out_type):
        """Let Odoo's own returns of deliveries come in as returns, and the other way round."""
        out_type.return_picking_type_id = return_type
        return_type.return_picking_type_id = out_type

    def _create_sale_return_location(self):
        """Create the quarantine of each warehouse that has none."""
        for warehouse in self.filtered(lambda w: not w.sale_return_loc_id):
            warehouse.sale_return_loc_id = self.env['stock.location'].create(
                {
                    'name': warehouse.code,
                    'usage': 'internal',
                    'location_id': warehouse.company_id._get_sale_return_view_location().id,
                    'company_id': warehouse.company_id.id,
                    'active': warehouse.active,
                }
            )

    def write(self, vals):
        """Override of `stock` to rename the quarantine with its warehouse, and archive it."""
        result = super().write(vals)
        warehouses = self.with_context(active_test=False)
        if 'code' in vals:
            for warehouse in warehouses:
                warehouse.sale_return_loc_id.name = warehouse.code
        if 'active' in vals:
            warehouses.sale_return_loc_id.active = vals['active']
        return result
