from odoo import Command
from odoo.tests import tagged

from ..common_disposition import DispositionCommon

LEAN = "no purchases"


@tagged('post_install', '-at_install')
class TestVendor(DispositionCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.vendor_partner = cls.env['res.partner'].create({'name': "Vendor"})

    def _buy(self, product, quantity, lots=None, vendor=None):
        # sudo: bought by a different user than the one who returns.
        order = (
            self.env['purchase.order']
            .sudo()
            .create(
                {
                    'partner_id': (vendor or self.vendor_partner).id,
                    'company_id': self.company.id,
                    'picking_type_id': self.warehouse.in_type_id.id,
                    'order_line': [
                        Command.create(
                            {
                                'product_id': product.id,
                                'product_qty': quantity,
                                'price_unit': 60,
                                'tax_ids': [Command.clear()],
                            }
                        )
                    ],
                }
            )
        )
        order.button_confirm()
        self._process(order.picking_ids, lots=lots)
        return order

    def test_without_purchase_there_is_a_sentence(self):
        if 'purchase.order' in self.env:
            self.skipTest("Purchase is installed")
        with self.assert_refused("needs the Purchase app"):
            self._inspect(self.sale_return, (1, 'vendor'))

    def test_without_vendor_there_is_a_sentence(self):
        self._require('purchase.order', "Purchase")
        with self.assert_refused("has no vendor"):
            self._inspect(self.sale_return, (1, 'vendor'))
        self.assert_quantities(self.line, inspected=0)

    def test_goods_go_from_quarantine_and_off_the_purchase(self):
        """Odoo lowers the received quantity of the purchase by the return to the vendor."""
        self._require('purchase.order', "Purchase")
        first, second = self._buy(self.product, 2), self._buy(self.product, 10)
        row = self._inspect(self.sale_return, (5, 'vendor'))
        transfer = row.move_ids.picking_id
        self.assertEqual((transfer.state, transfer.partner_id), ('assigned', self.vendor_partner))
        self.assertFalse(transfer.move_ids.move_orig_ids)
        self.assertEqual(
            [(m.purchase_line_id.order_id, m.product_uom_qty) for m in row.move_ids.sorted('id')],
            [(first, 2), (second, 3)],
        )
        self.assert_on_hand(self.product, 6, self.quarantine)
        self._validate(transfer)
        self.assert_on_hand(self.product, 1, self.quarantine)
        self.assert_on_hand(self.product, 1002)
        self.assertEqual((first + second).order_line.mapped('qty_received'), [0, 7])
        self.assert_quantities(self.line, accepted=5, credited=5)

    def test_ledger_is_even_when_the_vendor_has_refunded(self):
        self._require('purchase.order', "Purchase")
        purchase = self._buy(self.product, 10)
        purchase.action_create_invoice()
        purchase.invoice_ids.invoice_date = self._today()
        purchase.invoice_ids.action_post()
        self.sale_return.action_inspect_all('vendor')
        self._validate(self.sale_return.transfer_ids)
        purchase.action_create_invoice()
        refund = purchase.invoice_ids.filtered(lambda m: m.move_type == 'in_refund')
        refund.invoice_date = self._today()
        refund.action_post()
        self.assertEqual(refund.amount_untaxed, 360)
        self.assert_on_hand(self.product, 0, self.quarantine)
        self.assert_ledger_balanced()

    def test_one_transfer_per_vendor_collects_many_returns(self):
        self._require('purchase.order', "Purchase")
        self._buy(self.product, 10)
        other = self._create_return(self._create_sale(), 2)
        self._receive(other)
        (self.sale_return + other).action_inspect_all('vendor')
        self.assertEqual(self.sale_return.transfer_ids, other.transfer_ids)
        self.assertEqual(len(self.sale_return.transfer_ids), 1)

    def test_lot_finds_its_purchase(self):
        self._require('purchase.order', "Purchase")
        product = self._create_product("Tracked", tracking='serial')
        serials = self.env['stock.lot'].create(
            [{'name': name, 'product_id': product.id} for name in ("V1", "V2")]
        )
        orders = [self._buy(product, 1, lots=serial) for serial in serials]
        order = self._create_order({'product': product, 'quantity': 2})
        self._deliver(order, lots=serials)
        self._invoice(order)
        sale_return = self._create_return(order, 2)
        self._receive(sale_return, lots=serials)
        row = self._inspect(sale_return, {'quantity': 1, 'disposition': 'vendor', 'lot': "V2"})
        self.assertEqual(row.move_ids.purchase_line_id.order_id, orders[1])
        self.assertEqual(row.move_ids.move_line_ids.lot_id, serials[1])

    def test_vendor_of_the_product_is_taken_without_purchase(self):
        self._require('purchase.order', "Purchase")
        self.product.seller_ids = [Command.create({'partner_id': self.vendor_partner.id})]
        row = self._inspect(self.sale_return, (1, 'vendor'))
        self.assertEqual(row.move_ids.picking_id.partner_id, self.vendor_partner)
        self.assertFalse(row.move_ids.purchase_line_id)

    def test_correction_before_the_parcel_leaves_cancels_it(self):
        self._require('purchase.order', "Purchase")
        self._buy(self.product, 10)
        row = self._inspect(self.sale_return, (4, 'vendor'))
        transfer = row.move_ids.picking_id
        row.action_correct(
            "Not their fault.", quantity=1, results=[{'quantity': 1, 'disposition': 'restock'}]
        )
        self.assertEqual(row.move_ids.product_uom_qty, 3)
        self.assertEqual(row.move_ids.quantity, 3)
        self._validate(transfer)
        with self.assert_refused("has left"):
            row.action_correct(
                "Not their fault.", results=[{'quantity': 3, 'disposition': 'restock'}]
            )
