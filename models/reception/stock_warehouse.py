from odoo import api, fields, models
from odoo.exceptions import UserError

from ...const import OPEN_STATES
from ...tools.own_value import OwnValue


class StockWarehouse(models.Model):
    _name = 'stock.warehouse'
    _inherit = ['stock.warehouse', 'sale.return.owned']

    sale_return_type_id = fields.Many2one(
        'stock.picking.type', "Returns Operation Type", check_company=True, copy=False
    )
    sale_return_loc_id = fields.Many2one(
        'stock.location',
        "Quarantine of Returns",
        check_company=True,
        copy=False,
        help=(
            "Returned goods wait here for their inspection. It is outside the warehouse, so that "
            "goods are valued but neither reserved nor promised to anybody."
        ),
    )
    sale_return_quarantine = fields.Boolean(
        "Native returns go to quarantine",
        default=True,
        help=(
            "Odoo's own returns of deliveries are received with the returns operation type, into "
            "quarantine. Otherwise they are received as in standard Odoo, usually into stock."
        ),
    )
    sale_return_native_type_id = fields.Many2one(
        'stock.picking.type',
        readonly=True,
        copy=False,
        help="Operation type of Odoo's own returns before they went to quarantine.",
    )

    @api.model
    def _get_sale_return_writers(self):
        """Override of `sale.return.owned`: users who set up warehouses set up their returns.

        Odoo itself writes the operation type, like its own ones, as the user who creates the
        warehouse.
        """
        return super()._get_sale_return_writers() | dict.fromkeys(
            (
                'sale_return_type_id',
                'sale_return_quarantine',
                'sale_return_restock',
                'sale_return_grade_location_ids',
            ),
            'stock.group_stock_manager',
        )

    # === SET UP === #

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `stock` to give new warehouses their locations for returned goods.

        Before they exist, like Odoo's own locations: writing on them afterwards would go through
        all their routes and rules, and as superuser keep in the cache what the user may not read.
        """
        defaults = self.default_get(['company_id', 'code', 'active'])
        return super().create(
            [self._create_sale_return_locations(defaults | vals) | vals for vals in vals_list]
        )

    @api.model
    def _create_sale_return_locations(self, vals):
        """Create the locations of a warehouse that is about to be created.

        :param dict vals: its values; without a code, it has the one that Odoo gives it.
        :return: the values that name the locations, none where `vals` names them. Nothing where its
            company or code is missing: Odoo refuses that.
        :rtype: dict
        """
        company = self.env['res.company'].browse(vals.get('company_id') or ())
        code = vals.get('code', (company.name or '')[:5])
        if not company or not code:
            return {}
        return {
            name: OwnValue(create(company, code, vals.get('active', True)).id)
            for name, create in self._get_sale_return_location_makers().items()
            if name not in vals
        }

    @api.model
    def _get_sale_return_location_makers(self):
        """Return how the locations of a warehouse are created. Extend to add one.

        :return: `{field: method}`; the method gets company, code and whether the warehouse is
            active, and returns the `stock.location`.
        :rtype: dict
        """
        return {'sale_return_loc_id': self._create_quarantine}

    def _create_or_update_sequences_and_picking_types(self):
        """Override of `stock` to give new warehouses their returns type and quarantine."""
        self._create_sale_return_location()
        return super()._create_or_update_sequences_and_picking_types()

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
        missing = self.filtered(lambda warehouse: not warehouse.sale_return_type_id)
        missing._adopt_former_sale_return_setup()
        # Each warehouse has its own sequence, type and location; there are few of them.
        for warehouse in missing.filtered(lambda warehouse: not warehouse.sale_return_type_id):
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

    def _adopt_former_sale_return_setup(self):
        """Reuse what a former installation left, including goods in quarantine."""
        types = (
            self.env['stock.picking.type']
            .with_context(active_test=False)
            .search(
                [
                    ('warehouse_id', 'in', self.ids),
                    ('code', '=', 'incoming'),
                    ('sequence_code', '=', 'RET'),
                    ('default_location_dest_id.usage', '=', 'internal'),
                    ('default_location_dest_id.location_id.usage', '=', 'view'),
                ]
            )
        )
        for return_type in types.filtered(lambda t: not t.default_location_dest_id.warehouse_id):
            warehouse, location = return_type.warehouse_id, return_type.default_location_dest_id
            # sudo: these are created automatically, no matter who sets up the warehouse.
            warehouse.sudo().write(
                {'sale_return_type_id': return_type.id, 'sale_return_loc_id': location.id}
            )
            # Somebody may have archived them in between.
            return_type.active = location.active = warehouse.active
            location.company_id.sudo().sale_return_view_location_id = location.location_id

    @api.model
    def _create_quarantine(self, company, code, active):
        return self.env['stock.location'].create(
            {
                'name': code,
                'usage': 'internal',
                'location_id': company._get_sale_return_view_location().id,
                'company_id': company.id,
                'active': active,
            }
        )

    def _create_sale_return_location(self):
        """Create the quarantine of each warehouse that has none."""
        for warehouse in self.filtered(lambda w: not w.sale_return_loc_id):
            # sudo: it is created automatically, no matter who sets up the warehouse.
            warehouse.sudo().sale_return_loc_id = self._create_quarantine(
                warehouse.company_id, warehouse.code, warehouse.active
            )

    def _link_sale_return_type(self):
        """Have Odoo's own returns of deliveries arrive in quarantine, or restore Odoo's default.

        Returns of returns are deliveries either way.
        """
        for warehouse in self:
            ours, deliveries = warehouse.sale_return_type_id, warehouse.out_type_id
            ours.return_picking_type_id = deliveries
            linked = deliveries.return_picking_type_id == ours
            if warehouse.sale_return_quarantine and not linked:
                former = deliveries.return_picking_type_id.id
                warehouse.write({'sale_return_native_type_id': OwnValue(former)})
                deliveries.return_picking_type_id = ours
            elif linked and not warehouse.sale_return_quarantine:
                deliveries.return_picking_type_id = (
                    warehouse.sale_return_native_type_id or warehouse.in_type_id
                )

    # === LIFE === #

    def write(self, vals):
        """Override of `stock` to archive returns type and quarantine with their warehouse.

        :raise UserError: when an archived warehouse still has returns under way.
        """
        if 'active' in vals and not vals['active']:
            self._ensure_free_of_returns()
        result = super().write(vals)
        warehouses = self.with_context(active_test=False)
        if 'code' in vals or 'name' in vals:
            warehouses._rename_sale_return_setup()
        if 'active' in vals:
            warehouses.sale_return_loc_id.active = vals['active']
        if 'sale_return_type_id' in vals or 'sale_return_quarantine' in vals:
            warehouses._link_sale_return_type()
        return result

    def _rename_sale_return_setup(self):
        """Name the quarantine and number the receipts after the warehouse."""
        for warehouse in self:
            warehouse.sale_return_loc_id.name = warehouse.code
            values = warehouse._get_sequence_values()['sale_return_type_id']
            # sudo: as in `stock`, sequences belong to the system.
            warehouse.sale_return_type_id.sudo().sequence_id.write(
                {'name': values['name'], 'prefix': values['prefix']}
            )

    def _ensure_free_of_returns(self):
        """Refuse to archive warehouses that still have returns under way.

        :raise UserError: when goods lie in quarantine, or a return is under way.
        """
        for warehouse in self.filtered('active'):
            # sudo: stock managers need not be users of Returns.
            returns = self.env['sale.return'].sudo()
            returns = returns.search(
                [('warehouse_id', '=', warehouse.id), ('state', 'in', OPEN_STATES)], limit=5
            )
            if returns:
                raise UserError(
                    self.env._(
                        "Warehouse %(warehouse)s cannot be archived: return %(returns)s is "
                        "under way there. Finish, refuse or cancel it first.",
                        warehouse=warehouse.name,
                        returns=", ".join(returns.mapped('name')),
                    )
                )
            # sudo: all goods there count.
            quants = self.env['stock.quant'].sudo()
            quants = quants.search(
                [
                    ('location_id', 'child_of', warehouse.sale_return_loc_id.ids),
                    ('quantity', '!=', 0),
                ],
                limit=5,
            )
            if quants:
                raise UserError(
                    self.env._(
                        "Warehouse %(warehouse)s cannot be archived: %(products)s is still in its "
                        "quarantine %(location)s. Inspect it, or move it elsewhere, first.",
                        warehouse=warehouse.name,
                        products=", ".join(quants.product_id.mapped('display_name')),
                        location=warehouse.sale_return_loc_id.display_name,
                    )
                )
