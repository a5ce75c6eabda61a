from .common_reconciliation import ReconciliationCommon


class TradeInCommon(ReconciliationCommon):
    """Goods received for order lines without deliveries."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.used = cls._create_product("Used Lamp", standard_price=20.0)
        cls.seller = cls._create_user('trade_in_seller', 'sales_team.group_sale_salesman_all_leads')
        # A user without a role in Returns.
        cls.worker = cls._create_user(
            'trade_in_worker', 'stock.group_stock_user', 'stock.group_production_lot'
        )

    def _switch_back(self):
        """Restore the defaults of standard Odoo."""
        self._configure(sale_return_adopt_native=False, sale_return_auto_credit=False)
        self.warehouse.sudo().sale_return_quarantine = False

    def _order(self, *lines):
        """Confirm an order as a salesperson does."""
        order = self._create_order(*lines, confirm=False)
        self._call(self.seller, order, 'action_confirm')
        self.env.invalidate_all()
        return order

    def _validate(self, pickings):
        """Process transfers like a worker without a role in Returns."""
        self.env.invalidate_all()
        pickings = pickings.with_env(self._env_of(self.worker))
        for move in pickings.move_ids:
            move.quantity, move.picked = move.quantity or move.product_uom_qty, True
        result = pickings.with_context(skip_backorder=True).button_validate()
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertIs(result, True)

    def _bring(self, sale_line, quantity, product=None, picking_type=None):
        """Receive goods of a customer by hand, for an order line."""
        picking_type = picking_type or self.warehouse.in_type_id
        values = {
            'product_id': (product or sale_line.product_id).id,
            'product_uom_qty': quantity,
            'location_id': self.customers.id,
            'location_dest_id': picking_type.default_location_dest_id.id,
            'sale_line_id': sale_line.id,
            'company_id': self.company.id,
        }
        picking = (
            self.env['stock.picking']
            .with_env(self._env_of(self.worker))
            .create(
                {
                    'picking_type_id': picking_type.id,
                    'partner_id': self.customer.id,
                    'location_id': self.customers.id,
                    'location_dest_id': picking_type.default_location_dest_id.id,
                    'move_ids': [(0, 0, values)],
                }
            )
        )
        picking.action_confirm()
        picking.move_ids.quantity = quantity
        self._validate(picking)
        return picking.with_env(self.env)

    def _get_returns(self, order):
        """Return the stock of the customer's goods of an order."""
        return self.env['sale.return'].search([('partner_id', '=', order.partner_id.id)])

    def assert_waiting(self, order, picking, quantity):
        """Assert that goods are the customer's, and that a person has to check them."""
        sale_return = self._get_returns(order)
        self.assertEqual(len(sale_return), 1)
        self.assertEqual(sale_return.state, 'submitted')
        self.assertFalse(sale_return.line_ids.sale_line_id)
        record = sale_return.discrepancy_ids
        self.assertEqual(record.picking_id, picking)
        self.assertEqual((record.state, record.qty_here), ('open', quantity))
        self.assertTrue(record.activity_ids)
        self.assertTrue(all(line.owner_id for line in picking.move_line_ids))
        self.assertFalse(sale_return.credit_note_ids)
        self.assertFalse(sale_return.preview_credit()[sale_return.id]['due'])
        return sale_return

    def assert_books_right(self):
        self.assert_ledger_balanced()
        self.assertFalse(self._refresh())
