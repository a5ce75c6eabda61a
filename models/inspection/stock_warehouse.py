from odoo import api, fields, models
from odoo.exceptions import UserError


class StockWarehouse(models.Model):
    """Where inspected goods go in a warehouse, and how."""

    _inherit = 'stock.warehouse'

    sale_return_restock = fields.Selection(
        [('direct', "At once"), ('putaway', "By a put-away transfer")],
        string="Returns to Stock",
        required=True,
        default='direct',
        help=(
            "At once: inspected goods are in stock as soon as the inspection is confirmed. By a "
            "put-away transfer: they stay in quarantine until somebody validates the transfer at "
            "the shelf. The transfer collects the goods of many returns until it is printed or "
            "done."
        ),
    )
    sale_return_grade_location_ids = fields.One2many(
        'sale.return.grade.location',
        'warehouse_id',
        string="Returned Goods by Condition",
        # Other users who can read warehouses, e.g. salespeople, may not read these.
        groups='sale_return.group_user,stock.group_stock_user',
        help="Conditions with a separate stock location. The others go to the main stock location.",
    )
    sale_return_refurbish_loc_id = fields.Many2one(
        'stock.location',
        "Refurbishing of Returns",
        check_company=True,
        copy=False,
        help=(
            "Returned goods wait here to be refurbished. It is outside the warehouse, so that "
            "goods are valued but neither reserved nor promised to anybody."
        ),
    )

    @api.model
    def _get_sale_return_location_makers(self):
        """Extend to create the refurbishing location."""
        makers = super()._get_sale_return_location_makers()
        return makers | {'sale_return_refurbish_loc_id': self._get_or_create_refurbishing}

    def _create_sale_return_setup(self):
        """Extend to give existing warehouses their refurbishing location."""
        result = super()._create_sale_return_setup()
        self._create_sale_return_refurbish_location()
        return result

    @api.model
    def _get_or_create_refurbishing(self, company, code, active):
        parent = company._get_sale_return_refurbish_view()
        locations = self.env['stock.location'].with_context(active_test=False)
        # Locations of a former installation are reused.
        return locations.search(
            [('location_id', '=', parent.id), ('name', '=', code)], limit=1
        ) or locations.create(
            {
                'name': code,
                'usage': 'internal',
                'location_id': parent.id,
                'company_id': company.id,
                'active': active,
            }
        )

    def _create_sale_return_refurbish_location(self):
        """Create the refurbishing location of each warehouse that has none."""
        for warehouse in self.filtered(lambda w: not w.sale_return_refurbish_loc_id):
            # sudo: it is created automatically, no matter who sets up the warehouse.
            warehouse.sudo().sale_return_refurbish_loc_id = self._get_or_create_refurbishing(
                warehouse.company_id, warehouse.code, warehouse.active
            )

    def _get_sale_return_refurbish_location(self):
        """Return where goods of returns are refurbished, created when first needed.

        :rtype: stock.location
        """
        self.ensure_one()
        # sudo: inspectors need no rights in Inventory.
        warehouse = self.sudo()
        warehouse._create_sale_return_refurbish_location()
        return warehouse.sale_return_refurbish_loc_id

    def write(self, vals):
        """Override of `stock` to keep the refurbishing location in line with its warehouse."""
        result = super().write(vals)
        if 'active' in vals:
            warehouses = self.with_context(active_test=False)
            warehouses.sale_return_refurbish_loc_id.active = vals['active']
        return result

    def _rename_sale_return_setup(self):
        """Extend to name the refurbishing location after the warehouse."""
        result = super()._rename_sale_return_setup()
        for warehouse in self:
            warehouse.sale_return_refurbish_loc_id.name = warehouse.code
        return result

    def _ensure_free_of_returns(self):
        """Extend to refuse to archive warehouses in which goods are refurbished."""
        result = super()._ensure_free_of_returns()
        for warehouse in self.filtered('active'):
            # sudo: stock managers need not be users of Returns.
            quants = (
                self.env['stock.quant']
                .sudo()
                .search(
                    [
                        ('location_id', 'child_of', warehouse.sale_return_refurbish_loc_id.ids),
                        ('quantity', '!=', 0),
                    ],
                    limit=5,
                )
            )
            if quants:
                raise UserError(
                    self.env._(
                        "Warehouse %(warehouse)s cannot be archived: %(products)s is still in "
                        "%(location)s. Move it elsewhere first.",
                        warehouse=warehouse.name,
                        products=", ".join(quants.product_id.mapped('display_name')),
                        location=warehouse.sale_return_refurbish_loc_id.display_name,
                    )
                )
        return result
