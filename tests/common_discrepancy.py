from .common import SaleReturnCommon


class DiscrepancyCommon(SaleReturnCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_sale()
        cls.sale_line = cls.order.order_line
        cls.sale_return = cls._create_return(cls.order, 3)
        cls.receipt = cls.sale_return.picking_ids
        cls.line = cls.sale_return.line_ids
        cls.operator = cls._create_user(
            'returns_operator',
            'sale_return.group_inspector',
            'stock.group_stock_user',
            'stock.group_production_lot',
        )
        cls.foreign = cls._create_product("Foreign", standard_price=40.0)

    def _validate(self, picking, **context):
        """Validate a transfer as the operator does."""
        result = (
            picking.with_env(self._env_of(self.operator))
            .with_context(skip_backorder=True, **context)
            .button_validate()
        )
        self.env.invalidate_all()
        self.assertIs(result, True)

    def _count(self, picking, quantity):
        """Count goods on a transfer."""
        picking.move_ids.quantity = quantity
        picking.move_ids.picked = True

    def _add_stranger(self, picking, product, quantity=1, lot=None):
        """Add goods to a receipt by hand, as an operator does who finds them in the parcel."""
        move = self.env(user=self.operator.id, su=False)['stock.move'].create(
            {
                'product_id': product.id,
                'product_uom_qty': quantity,
                'picking_id': picking.id,
                'location_id': picking.location_id.id,
                'location_dest_id': picking.location_dest_id.id,
                'company_id': self.company.id,
            }
        )
        move._action_confirm(merge=False)
        if lot:
            move.move_line_ids.lot_id = lot
        move.quantity = quantity
        move.picked = True
        return move

    def _get_value(self, product):
        self.env.invalidate_all()
        return product.total_value

    def _get_owned(self, product, location=None):
        """Return what of a product is the customer's property in a place."""
        quants = (
            self.env['stock.quant']
            .sudo()
            .search(
                [
                    ('product_id', '=', product.id),
                    ('location_id', '=', (location or self.quarantine).id),
                    ('owner_id', '!=', False),
                ]
            )
        )
        return sum(quants.mapped('quantity'))

    def _resolve(self, discrepancy, resolution, **values):
        self._call(self.staff, discrepancy, 'action_resolve', resolution, **values)
        self.env.invalidate_all()

    def _receive_too_much(self, quantity=5):
        self._count(self.receipt, quantity)
        self._validate(self.receipt)
        return self.sale_return.discrepancy_ids
