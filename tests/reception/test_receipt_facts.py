from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..common_refund import RefundCommon

SALES = 'sales_team.group_sale_salesman_all_leads'


@tagged('post_install', '-at_install')
class TestUndoneReceipts(RefundCommon):
    """Goods that left again have left: nobody can change the move."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.salesman = cls._create_user('undone_salesman', SALES)
        cls.inspector = cls._create_user('undone_inspector', 'sale_return.group_inspector')
        cls.sale_return = cls._create_return(cls._create_sale(), 2)
        cls.receipt = cls._receive(cls.sale_return)

    def test_goods_that_left_again_are_not_credited(self):
        back = self._return_in_inventory(self.receipt, 2)
        self._process(back)
        other = self._create_sale().picking_ids.move_ids
        self.assertEqual(self.sale_return.line_ids.qty_received, 0)
        for vals in (
            {'origin_returned_move_id': False},
            {'origin_returned_move_id': other.id},
            {'state': 'cancel'},
            {'sale_line_id': False},
            {'location_dest_id': self.stock.id},
        ):
            with self.subTest(vals=vals), self.assert_refused("belongs to a return"):
                self._call(self.salesman, back.move_ids, 'write', vals)
        with self.assert_refused("belongs to a return"):
            values = {'returned_move_ids': [Command.clear()]}
            self._call(self.salesman, self.receipt.move_ids, 'write', values)
        self._call(self.inspector, self.sale_return, 'action_inspect_all', 'restock')
        self.env.invalidate_all()
        self.assertEqual(self.sale_return.line_ids.qty_received, 0)
        self.assertFalse(self.sale_return.credit_note_ids)

    def test_move_of_others_takes_nothing_back(self):
        other = self._create_sale().picking_ids.move_ids
        with self.assert_refused("belongs to a return"):
            vals = {'origin_returned_move_id': self.receipt.move_ids.id}
            self._call(self.salesman, other, 'write', vals)
        with self.assert_refused("belongs to a return"):
            vals = {'returned_move_ids': [Command.link(other.id)]}
            self._call(self.salesman, self.receipt.move_ids, 'write', vals)
        values = {
            'product_id': self.product.id,
            'product_uom_qty': 2,
            'quantity': 2,
            'location_id': self.quarantine.id,
            'location_dest_id': self.customers.id,
            'origin_returned_move_id': self.receipt.move_ids.id,
            'state': 'done',
        }
        with self.assert_refused("belongs to a return"):
            self._call(self.salesman, self.env['stock.move'], 'create', values)
        self.env.invalidate_all()
        self.assertEqual(self.sale_return.line_ids.qty_received, 2)


@tagged('post_install', '-at_install')
class TestWhoReceives(RefundCommon):
    """Returned goods come from the customer, and only the warehouse records it."""

    def test_salesman_receives_nothing(self):
        salesman = self._create_user('receiving_salesman', SALES)
        sale_return = self._create_return(self._create_sale(), 3)
        receipt = sale_return.picking_ids
        with self.assert_refused("Inventory", exception=AccessError):
            self._call(salesman, receipt, 'button_validate')
        self._receive(sale_return, 2)
        with self.assert_refused("Inventory", exception=AccessError):
            self._call(salesman, receipt.move_ids[:1], 'write', {'quantity': 3})
        by_hand = receipt.copy()
        by_hand.move_ids.sale_line_id = sale_return.line_ids.sale_line_id
        by_hand.action_confirm()
        with self.assert_refused("Inventory", exception=AccessError):
            self._call(salesman, by_hand, 'button_validate')
        self.env.invalidate_all()
        self.assertEqual(sale_return.line_ids.qty_received, 2)
        for group in ('stock.group_stock_user', 'sale_return.group_inspector'):
            user = self._create_user(group.replace('.', '_'), SALES, group)
            other = self._create_return(self._create_sale(), 3)
            with self.subTest(group=group):
                self._call(user, other.picking_ids, 'button_validate')
                self.env.invalidate_all()
                self.assertEqual(other.line_ids.qty_received, 3)

    def test_receipt_takes_nothing_out_of_our_stock(self):
        keeper = self._create_user('source_keeper', 'stock.group_stock_user')
        sale_return = self._create_return(self._create_sale(), 3)
        receipt = sale_return.picking_ids
        self._fill(receipt.move_ids)
        with self.assert_refused("comes from the customer"):
            self._call(keeper, receipt.move_line_ids, 'write', {'location_id': self.stock.id})
            self._call(keeper, receipt, 'button_validate')
        self._call(keeper, receipt, 'button_validate')
        self.assertEqual(sale_return.line_ids.qty_received, 3)
        with self.assert_refused("comes from the customer"):
            self._call(keeper, receipt.move_line_ids, 'write', {'location_id': self.stock.id})
