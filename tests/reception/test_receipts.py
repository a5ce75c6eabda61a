from odoo import Command
from odoo.tests import tagged

from ..common_discrepancy import DiscrepancyCommon

LEAN = {
    "a story of the room": (
        'test_cancelled_receipt_is_expected_again',
        'test_native_return_counts_for_the_open_return_first',
        'test_validating_twice_receives_once',
    ),
}


@tagged('post_install', '-at_install')
class TestReceipts(DiscrepancyCommon):
    """What people do with receipts of returns in Inventory."""

    def _return_natively(self, quantity, order=None):
        delivery = (order or self.order).picking_ids.filtered(
            lambda p: p.picking_type_code == 'outgoing' and p.state == 'done'
        )
        return self._return_in_inventory(delivery, quantity)

    # === CANCELLED === #

    def test_cancelled_receipt_is_expected_again(self):
        self.assertFalse(self.sale_return.is_receipt_missing)
        self.receipt.action_cancel()
        self.assertTrue(self.sale_return.is_receipt_missing)
        self._call(self.staff, self.sale_return, 'action_expect_again')
        self.assertFalse(self.sale_return.is_receipt_missing)
        again = self.sale_return.picking_ids - self.receipt
        self.assertEqual(again.move_ids.product_uom_qty, 3)
        self._call(self.staff, self.sale_return, 'action_expect_again')
        self.assertEqual(self.sale_return.picking_ids, self.receipt | again)
        self._receive(self.sale_return)
        self.sale_return.action_inspect_all('restock')
        self.assertEqual(self.sale_return.state, 'closed')

    def test_goods_of_a_cancelled_receipt_come_by_a_native_return(self):
        self._create_return(self.order, 7)
        self.receipt.action_cancel()
        receipt = self._return_natively(3)
        self.assertEqual(receipt.sale_return_id, self.sale_return)
        receipt.move_ids.picked = True
        self._validate(receipt)
        self.assert_quantities(self.line, received=3)

    def test_rest_of_a_receipt_cancelled_is_expected_again_or_written_off(self):
        self._count(self.receipt, 1)
        self._validate(self.receipt)
        self.receipt.backorder_ids.action_cancel()
        self.assertTrue(self.sale_return.is_receipt_missing)
        self.assert_quantities(self.line, received=1, held=2)
        self.sale_return.action_expect_again()
        self._receive(self.sale_return)
        self.assert_quantities(self.line, received=3)

    def test_expecting_again_takes_an_approved_return(self):
        draft = self._create_return(self.order, 1, submit=False)
        with self.assert_refused("cannot be expected again"):
            draft.action_expect_again()

    # === NATIVE RETURNS === #

    def test_native_return_counts_for_the_open_return_first(self):
        receipt = self._return_natively(5)
        self.assertEqual(self.receipt.state, 'cancel')
        own = self.order.return_ids - self.sale_return
        self.assert_quantities(own.line_ids, authorized=2)
        self.assertEqual(sorted(receipt.move_ids.mapped('product_uom_qty')), [2, 3])
        receipt.move_ids.picked = True
        self._validate(receipt)
        self.assert_quantities(self.line, received=3)
        self.assert_quantities(own.line_ids, received=2)
        self.assertEqual(self.sale_line.qty_delivered, 5)

    def test_native_return_of_a_part_leaves_the_rest_expected(self):
        receipt = self._return_natively(1)
        self.assertEqual(receipt.sale_return_id, self.sale_return)
        self.assertEqual(self.receipt.move_ids.product_uom_qty, 2)
        receipt.move_ids.picked = True
        self._validate(receipt)
        self._receive(self.sale_return)
        self.assert_quantities(self.line, received=3)
        self.assertFalse(self.sale_return.discrepancy_ids)

    def test_native_return_cancelled_again_leaves_goods_to_be_expected(self):
        self._return_natively(3).action_cancel()
        self.assertTrue(self.sale_return.is_receipt_missing)

    # === EDITED === #

    def test_receipt_edited_up_needs_no_backorder_any_more(self):
        self._count(self.receipt, 1)
        self._validate(self.receipt)
        backorder = self.receipt.backorder_ids
        self.receipt.move_line_ids.quantity = 2
        self.assertEqual(backorder.move_ids.product_uom_qty, 1)
        self.receipt.move_line_ids.quantity = 3
        self.assertEqual(backorder.state, 'cancel')
        self.sale_return.action_inspect_all('restock')
        self.assertEqual(self.sale_return.state, 'closed')

    def test_validating_twice_receives_once(self):
        self._count(self.receipt, 3)
        self._validate(self.receipt)
        self._validate(self.receipt)
        self.assert_quantities(self.line, received=3)
        self.assert_on_hand(self.product, 3, self.quarantine)

    # === BAD INPUT === #

    def test_bad_counts_are_refused_and_lose_nothing(self):
        for quantity in (0, -1):
            with self.subTest(quantity=quantity):
                with self.assert_refused(), self.env.cr.savepoint():
                    self._count(self.receipt, quantity)
                    self.env.flush_all()
                    self._validate(self.receipt)
                self.env.invalidate_all()
                self.assert_quantities(self.line, received=0)
                self.assertFalse(self.sale_return.discrepancy_ids)
        self._count(self.receipt, 3)
        self._validate(self.receipt)
        self.assert_quantities(self.line, received=3)

    def test_count_finer_than_the_unit_is_rounded(self):
        self._count(self.receipt, 3.004)
        self._validate(self.receipt)
        self.assert_quantities(self.line, received=3)
        self.assertFalse(self.sale_return.discrepancy_ids)

    def test_surplus_by_hand_without_any_return_left_is_kept(self):
        """A receipt made by hand with the order line whose goods are all held or already back."""
        self._create_return(self.order, 7)
        receipt = self.env['stock.picking'].create(
            {
                'picking_type_id': self.warehouse.sale_return_type_id.id,
                'location_id': self.customers.id,
                'location_dest_id': self.quarantine.id,
                'move_ids': [
                    Command.create(
                        {
                            'product_id': self.product.id,
                            'product_uom_qty': 11,
                            'location_id': self.customers.id,
                            'location_dest_id': self.quarantine.id,
                            'sale_line_id': self.sale_line.id,
                        }
                    )
                ],
            }
        )
        receipt.action_confirm()
        self._count(receipt, 11)
        self._validate(receipt)
        self.assertEqual(self.sale_line.qty_returned, 10)
        self.assertEqual(self.sale_line.qty_delivered, 0)
        self.assertEqual(self.order.return_ids.discrepancy_ids.quantity, 1)
        self.assertEqual(self._get_owned(self.product), 1)

    # === COMPANIES === #

    def test_discrepancy_belongs_to_the_company_of_its_return(self):
        discrepancy = self._receive_too_much()
        self.assertEqual(discrepancy.company_id, self.company)
        other = self._create_trading_company("Other Company")
        stranger = self._create_user(
            'stranger', 'sale_return.group_manager', 'stock.group_stock_manager', company=other
        )
        with self.assert_refused(exception=Exception):
            self._call(stranger, discrepancy, 'action_resolve', 'send_back')
        self.assertEqual(discrepancy.state, 'open')
