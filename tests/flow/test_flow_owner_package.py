from datetime import timedelta

from odoo import Command, fields
from odoo.tests import tagged

from ..common import SaleReturnCommon
from ..common_reconciliation import ReconciliationCommon


class OptionalModulesMixin:
    def _require_module(self, name):
        if name not in self.env['ir.module.module']._installed():
            self.skipTest(f"{name} is not installed")


@tagged('post_install', '-at_install')
class TestFlowOwnerPackage(OptionalModulesMixin, SaleReturnCommon):
    """Special goods in one parcel: consigned, packed, expiring, partial."""

    # === OWNER === #

    def _sell_consigned(self, owner, quantity=10):
        """Sell from the stock of an owner, which is in the warehouse and not ours."""
        # sudo: an opening stock, as `_put_in_stock`.
        self.env['stock.quant'].sudo()._update_available_quantity(
            self.product, self.stock, quantity, owner_id=owner
        )
        order = self._create_order({'quantity': quantity})
        delivery = order.picking_ids
        delivery.move_ids.quantity = quantity
        delivery.move_line_ids.owner_id = owner
        self._deliver(order)
        self._invoice(order)
        self.assertEqual(self._get_owned(owner, self.stock), 0)
        return order

    def _get_owned(self, owner, location):
        quants = self.env['stock.quant'].sudo()._gather(self.product, location)
        return sum(quants.filtered(lambda quant: quant.owner_id == owner).mapped('quantity'))

    def test_consigned_goods_come_back_to_their_owner_and_the_customer_is_credited(self):
        owner = self._create_customer("Consignor")
        order = self._sell_consigned(owner)
        sale_return = self._create_return(order, 4)
        self._receive(sale_return)
        receipt = sale_return.line_ids.move_ids
        self.assertEqual(receipt.move_line_ids.owner_id, owner)
        self.assertFalse(receipt.is_in)
        self.assertEqual(self._get_owned(owner, self.quarantine), 4)
        sale_return.action_inspect_all('restock')
        self.assertEqual(self._get_owned(owner, self.quarantine), 0)
        self.assertEqual(self._get_owned(owner, self.stock), 4)
        self.assertEqual(sale_return.credit_note_ids.state, 'posted')
        self.assertEqual(sale_return.credit_note_ids.amount_untaxed, 400)
        self.assertEqual(sale_return.state, 'closed')

    def test_rejected_consigned_goods_leave_with_their_owner(self):
        owner = self._create_customer("Consignor")
        sale_return = self._return_goods(self._sell_consigned(owner), 3, disposition='send_back')
        self._process(sale_return.transfer_ids)
        self.assertEqual(self._get_owned(owner, self.quarantine), 0)
        self.assertEqual(self._get_owned(owner, self.customers), 10)

    # === PACKAGE === #

    def test_goods_delivered_in_a_package_come_back(self):
        order = self._create_order()
        package = self.env['stock.package'].create({'name': "PACK-OUT"})
        order.picking_ids.move_line_ids.result_package_id = package
        self._deliver(order)
        self._invoice(order)
        sale_return = self._create_return(order, 4)
        self.assertEqual(sale_return.picking_ids.move_line_ids.package_id, package)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assert_on_hand(self.product, 994)
        self.assert_on_hand(self.product, 0, self.quarantine)
        self.assertEqual(sale_return.state, 'closed')

    def test_goods_stay_in_the_package_they_are_received_in(self):
        sale_return = self._create_return(self._create_sale(), 4)
        package = self.env['stock.package'].create({'name': "PACK-BACK"})
        receipt = sale_return.picking_ids
        receipt.move_line_ids.result_package_id = package
        self._receive(sale_return)
        self.assertEqual(package.location_id, self.quarantine)
        self._inspect(sale_return, (1, 'scrap'), (3, 'restock'))
        self.assert_on_hand(self.product, 0, self.quarantine)
        self.assert_on_hand(self.product, 993)
        self.assertEqual(sale_return.state, 'closed')

    # === PARCELS === #

    def test_return_in_several_parcels_is_credited_as_it_comes(self):
        order = self._create_sale()
        sale_return = self._create_return(order, 9)
        for number, quantity in enumerate((2, 3, 4), start=1):
            self._receive(sale_return, quantity)
            sale_return.action_inspect_all('restock')
            self.assertEqual(len(sale_return.picking_ids), min(number + 1, 3))
            self.assertEqual(len(sale_return.credit_note_ids), number)
            self.assert_nothing_to_invoice(order)
        self.assertEqual(sale_return.picking_ids.mapped('state'), ['done'] * 3)
        self.assertEqual(sum(sale_return.credit_note_ids.mapped('amount_untaxed')), 900)
        self.assertEqual(sale_return.state, 'closed')

    # === BATCHES === #

    def test_receipts_in_one_batch_are_validated_together(self):
        self._require_module('stock_picking_batch')
        returns = self._create_return(self._create_sale(), 2) | self._create_return(
            self._create_sale(), 3
        )
        batch = self.env['stock.picking.batch'].create(
            {'picking_ids': [Command.set(returns.picking_ids.ids)], 'company_id': self.company.id}
        )
        batch.action_confirm()
        batch.move_ids.picked = True
        batch.action_done()
        self.assertEqual(batch.state, 'done')
        self.assertEqual(returns.mapped('line_ids.qty_received'), [2, 3])
        returns.action_inspect_all('restock')
        self.assertEqual(set(returns.mapped('state')), {'closed'})

    def test_returns_of_one_customer_are_batched_by_themselves(self):
        self._require_module('stock_picking_batch')
        self.warehouse.sudo().sale_return_type_id.write(
            {'auto_batch': True, 'batch_group_by_partner': True}
        )
        returns = self._create_return(self._create_sale(), 2) | self._create_return(
            self._create_sale(), 3
        )
        batch = returns.picking_ids.batch_id
        self.assertEqual(len(batch), 1)
        batch.move_ids.picked = True
        batch.action_done()
        self.assertEqual(returns.mapped('line_ids.qty_received'), [2, 3])

    # === EXPIRY === #

    def test_lot_that_expired_with_the_customer_keeps_its_date(self):
        self._require_module('product_expiry')
        product, lots = self._create_tracked_product('lot', 'EXP', quantity=10)
        product.use_expiration_date = True
        soon = fields.Datetime.now() + timedelta(days=30)
        lots.expiration_date = soon
        order = self._create_order({'product': product})
        self._deliver(order)
        self._invoice(order)
        past = fields.Datetime.now() - timedelta(days=1)
        lots.expiration_date = past
        lots.flush_recordset()
        sale_return = self._create_return(order, 4)
        self._process(sale_return.picking_ids.with_context(skip_expired=True))
        sale_return.action_inspect_all('scrap')
        self.assertEqual(lots.expiration_date, past)
        self.assertEqual(sale_return.state, 'closed')
        self.assert_on_hand(product, 0, self.quarantine, lot=lots)


@tagged('post_install', '-at_install')
class TestFlowDropship(OptionalModulesMixin, ReconciliationCommon):
    """Goods that came straight from the vendor and come back to our stock."""

    def test_dropshipped_goods_are_received_credited_and_named_by_the_tie_out(self):
        self._require_module('stock_dropshipping')
        vendor = self._create_customer("Vendor")
        product = self._create_product("Dropped", standard_price=50)
        product.sudo().write(
            {
                'seller_ids': [Command.create({'partner_id': vendor.id, 'price': 50.0})],
                'route_ids': [
                    Command.link(self.env.ref('stock_dropshipping.route_drop_shipping').id)
                ],
            }
        )
        order = self._create_order({'product': product, 'quantity': 5})
        # sudo: staff of the tests buys nothing.
        order.order_line.sudo().purchase_line_ids.order_id.button_confirm()
        delivery = order.picking_ids
        self.assertTrue(delivery.move_ids._is_dropshipped())
        self._process(delivery)
        self._invoice(order)
        sale_return = self._create_return(order, 2)
        self._receive(sale_return)
        receipt = sale_return.line_ids.move_ids
        self.assertEqual(receipt.origin_returned_move_id, delivery.move_ids)
        self.assertEqual(receipt.value, 100)
        sale_return.action_inspect_all('restock')
        self.assertEqual(sale_return.credit_note_ids.amount_untaxed, 200)
        self.assertEqual(sale_return.state, 'closed')
        self.assert_on_hand(product, 1002)
        self.assert_sold(order.order_line, delivered=3, invoiced=3)
        row = self._refresh().filtered(lambda row: row.return_id == sale_return)
        self.assert_row(
            row,
            'cost_difference',
            cause='dropship',
            product_id=product,
            cost_moved=100,
            cost_reversed=0,
            amount_difference=-100,
        )
        self.assertIn("drop", row.explanation.lower())
