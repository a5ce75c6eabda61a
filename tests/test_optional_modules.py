from odoo import Command
from odoo.tests import tagged

from .common import SaleReturnCommon


@tagged('post_install', '-at_install')
class TestOptionalModules(SaleReturnCommon):
    """How returns get on with modules that may be there or not."""

    def _require(self, model, module):
        if model not in self.env:
            self.skipTest(f"{module} is not installed")

    def _create_kit(self):
        self._require('mrp.bom', 'sale_mrp')
        kit = self._create_product("Kit", is_storable=False)
        self.env['mrp.bom'].sudo().create(
            {
                'product_tmpl_id': kit.product_tmpl_id.id,
                'type': 'phantom',
                'bom_line_ids': [Command.create({'product_id': self.product.id, 'product_qty': 2})],
            }
        )
        return kit

    def test_kit_is_refused_with_a_sentence(self):
        kit = self._create_kit()
        order = self._create_sale({'product': kit, 'quantity': 3})
        sale_return = self._create_return(order, 1, submit=False)
        with self.assert_refused("is a kit"):
            sale_return.action_submit()

    def test_component_of_a_kit_that_comes_back_is_left_to_odoo(self):
        kit = self._create_kit()
        order = self._create_sale({'product': kit, 'quantity': 3})
        delivery = order.picking_ids
        wizard = (
            self.env['stock.return.picking']
            .with_context(active_model='stock.picking', active_id=delivery.id)
            .create({})
        )
        wizard.product_return_moves.quantity = 2
        receipt = self.env['stock.picking'].browse(wizard.action_create_returns()['res_id'])
        receipt.move_ids.picked = True
        receipt.button_validate()
        self.assertEqual(receipt.state, 'done')
        self.assertFalse(order.return_ids)
        self.assertEqual(order.order_line.qty_delivered, 2)
