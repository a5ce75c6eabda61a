from odoo import Command
from odoo.tests import tagged

from ..common import SaleReturnCommon


@tagged('post_install', '-at_install')
class TestCombos(SaleReturnCommon):
    """A combo is a heading with items; each item has its own price and its own return."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        parts = cls.product | cls.product_on_order
        combos = cls.env['product.combo'].create(
            [
                {
                    'name': part.name,
                    'combo_item_ids': [Command.create({'product_id': part.id})],
                }
                for part in parts
            ]
        )
        cls.combo = cls.env['product.product'].create(
            {
                'name': "Lamp combo",
                'type': 'combo',
                'combo_ids': [Command.set(combos.ids)],
                'list_price': 90.0,
                'taxes_id': [Command.clear()],
            }
        )
        cls.order = cls._create_order(
            {'product': cls.combo, 'quantity': 2, 'price': 0.0}, confirm=False
        )
        cls.header = cls.order.order_line
        for combo in combos:
            cls.order.order_line = [
                Command.create(
                    {
                        'product_id': combo.combo_item_ids.product_id.id,
                        'product_uom_qty': 2,
                        'combo_item_id': combo.combo_item_ids.id,
                        'linked_line_id': cls.header.id,
                        'tax_ids': [Command.set(cls.tax_21.ids)],
                    }
                )
            ]
        cls.order.action_confirm()
        cls._deliver(cls.order)
        cls._invoice(cls.order)
        cls.items = cls.order.order_line - cls.header

    def test_item_credits_its_own_price_and_no_heading(self):
        self.assertEqual(self.items.mapped('price_unit'), [45, 45])
        sale_return = self._return_goods(self.items[0], 1)
        note = sale_return.credit_note_ids
        self.assertEqual(note.amount_untaxed, 45)
        self.assertEqual(note.invoice_line_ids.product_id, self.product)
        self.assertEqual(note.invoice_line_ids.mapped('display_type'), ['product'])
        self.assertEqual(self.items.mapped('qty_returnable'), [1, 2])
        self.assert_nothing_to_invoice(self.order)

    def test_all_items_credit_the_whole_invoice(self):
        self._return_goods(self.items)
        self.assert_fully_credited(
            self.order.invoice_ids.filtered(lambda move: move.move_type == 'out_invoice')
        )
        self.assertEqual(self.order.return_status, 'full')

    def test_heading_is_not_offered_and_refused_with_a_sentence(self):
        self.assertEqual(self.header.qty_returnable, 0)
        action = self.order.action_create_return()
        self.assertEqual(action['context']['default_sale_line_ids'], self.items.ids)
        with self.assert_refused("heading of a combo"):
            self._create_return(self.header, 1, submit=False)
