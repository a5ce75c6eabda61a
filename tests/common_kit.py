from unittest import SkipTest

from odoo import Command

from .common import SaleReturnCommon


class KitCommon(SaleReturnCommon):
    """Kits are sold as one product and come back as their components, whole or in part.

    A kit is 2 A (60.00 each) and 1 B (30.00): A is 0.4 of a kit, B is 0.2. It sells at 300.00.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if 'sale_mrp' not in cls.env['ir.module.module']._installed():
            raise SkipTest("sale_mrp is not installed")
        cls.part_a = cls._create_product("Part A", default_code='PA', standard_price=60)
        cls.part_b = cls._create_product("Part B", standard_price=30)
        cls.kit = cls._create_kit((cls.part_a, 2), (cls.part_b, 1))

    @classmethod
    def _create_kit(cls, *parts, name="Kit", **values):
        kit = cls._create_product(name, is_storable=False, **values)
        cls._create_bom(kit, *parts)
        return kit

    @classmethod
    def _create_bom(cls, kit, *parts):
        return (
            cls.env['mrp.bom']
            .sudo()
            .create(
                {
                    'product_tmpl_id': kit.product_tmpl_id.id,
                    'type': 'phantom',
                    'bom_line_ids': [
                        Command.create(
                            {
                                'product_id': part.id,
                                'product_qty': quantity,
                                **({'product_uom_id': uom[0].id} if uom else {}),
                            }
                        )
                        for part, quantity, *uom in parts
                    ],
                }
            )
        )

    def _sell_kits(self, quantity=3, **values):
        return self._create_sale(
            {
                'product': self.kit,
                'quantity': quantity,
                'price': 300.0,
                'taxes': self.tax_21,
                **values,
            }
        )

    def _receive_parts(self, sale_return, *parts):
        """Receive `(component, quantity)` and nothing else; the rest stays expected."""
        picking = sale_return.picking_ids.filtered(lambda p: p.state not in ('done', 'cancel'))
        for move in picking.move_ids:
            wanted = dict(parts).get(move.product_id, 0.0)
            move.quantity = wanted
            move.picked = bool(wanted)
        result = picking.with_context(skip_backorder=True).button_validate()
        self.assertIs(result, True)

    def _get_expected(self, sale_return):
        moves = sale_return.line_ids.move_ids.filtered(
            lambda m: m.state not in ('done', 'cancel') and m._is_sale_return_receipt()
        )
        return {move.product_id: move.product_uom_qty for move in moves}

    def assert_credited(self, sale_return, untaxed):
        notes = sale_return.credit_note_ids
        self.assertEqual(set(notes.mapped('state')), {'posted'})
        self.assertEqual(sum(notes.mapped('amount_untaxed')), untaxed)
