from odoo.tests import tagged

from ..common import SaleReturnCommon

LEAN = "a question at the receipt"


@tagged('post_install', '-at_install')
class TestSerialsDialog(SaleReturnCommon):
    """Serial numbers that nobody scanned are only received after confirmation."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.operator = cls._create_user(
            'serials_operator', 'stock.group_stock_user', 'sale_return.group_inspector'
        )

    def _create_receipt(self):
        product, lots = self._create_tracked_product('serial', 'PH-1', 'PH-2')
        order = self._create_order({'product': product, 'quantity': 2})
        self._deliver(order)
        self._invoice(order)
        sale_return = self._create_return(order)
        self.env.invalidate_all()
        receipt = sale_return.picking_ids.with_env(self._env_of(self.operator))
        # Like the button of the form.
        return receipt.with_context(sale_return_ask_serials=True), lots

    def test_unscanned_serials_ask_before_they_are_received(self):
        receipt, lots = self._create_receipt()
        action = receipt.button_validate()
        self.assertEqual(action['res_model'], 'sale.return.serials')
        self.assertNotEqual(receipt.state, 'done')
        dialog = receipt.env[action['res_model']].with_context(**action['context']).create({})
        for lot in lots:
            self.assertIn(lot.name, dialog.lot_names)
        dialog.action_confirm()
        self.assertEqual(receipt.state, 'done')
        self.assertEqual(receipt.move_line_ids.lot_id, lots.with_env(receipt.env))

    def test_scanned_serials_and_programs_are_not_asked(self):
        receipt, _lots = self._create_receipt()
        receipt.move_line_ids.picked = True
        receipt.button_validate()
        self.assertEqual(receipt.state, 'done')
        receipt, _lots = self._create_receipt()
        receipt.with_context(sale_return_ask_serials=False).button_validate()
        self.assertEqual(receipt.state, 'done')

    def test_delivery_has_one_return_button(self):
        order = self._create_sale()
        clerk = self._create_user('serials_clerk', 'stock.group_stock_user')
        delivery = order.picking_ids
        self.assertFalse(delivery.with_user(clerk).is_sale_return_offered)
        self.assertTrue(delivery.with_user(self.operator).is_sale_return_offered)
