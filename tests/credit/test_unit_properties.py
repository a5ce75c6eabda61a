import itertools

from odoo.tests import tagged

from .test_credit_properties import PropertiesCommon, st


def parts_of_units():
    """An order line in one unit, and how much of it comes back in steps of the other."""
    return st.fixed_dictionaries(
        {
            'unit': st.integers(0, 4),
            'stock_unit': st.integers(0, 4),
            'decimals': st.sampled_from([2, 2, 2, 3, 6]),
            'quantity': st.integers(1, 40),
            'price': st.integers(1, 99999).map(lambda cents: cents / 100),
            'discount': st.sampled_from([0, 0, 12.5]),
            'taxes': st.integers(0, 7),
            'currency': st.integers(0, 3),
            'rounding': st.sampled_from(['round_per_line', 'round_globally']),
            'cuts': st.lists(st.floats(0.0, 1.0), min_size=1, max_size=3),
        }
    )


@tagged('post_install', '-at_install')
class TestUnitProperties(PropertiesCommon):
    """With any units and decimals, the parts of the whole credit exactly the invoice."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # sudo: units need an administrator.
        units = cls.env['uom.uom'].sudo()
        cls.units = [
            cls.unit,
            cls.dozen,
            units.create(
                {'name': "Pack of 3", 'relative_factor': 3, 'relative_uom_id': cls.unit.id}
            ),
            units.create(
                {'name': "Pallet", 'relative_factor': 1000, 'relative_uom_id': cls.unit.id}
            ),
            units.create(
                {'name': "Long Hundred", 'relative_factor': 120, 'relative_uom_id': cls.unit.id}
            ),
        ]

    def _assert_parts_make_the_whole(self, example):
        precision = self.env['decimal.precision'].sudo().search([('name', '=', 'Product Unit')])
        precision.digits = example['decimals']
        self._configure(tax_calculation_rounding_method=example['rounding'])
        unit, stock_unit = (self.units[example[key]] for key in ('unit', 'stock_unit'))
        product = self._create_product("Thing", uom_id=stock_unit.id)
        self._put_in_stock(product, 10**6)
        order = self._create_sale(
            {
                'product': product,
                'quantity': example['quantity'],
                'product_uom_id': unit.id,
                'price': example['price'],
                'discount': example['discount'],
                'taxes': self.tax_choices[example['taxes']],
            },
            pricelist_id=self.pricelists[example['currency']].id,
        )
        line = order.order_line
        moved = sum(line.move_ids.mapped('product_qty'))
        steps = round(moved * 10 ** example['decimals'])
        cuts = sorted({0, steps, *(round(cut * steps) for cut in example['cuts'])})
        for start, end in itertools.pairwise(cuts):
            part = (end - start) / 10 ** example['decimals']
            asked = part * stock_unit.factor / unit.factor
            sale_return = self._create_return(order, asked)
            self.assertAlmostEqual(sale_return.line_ids.product_qty_requested, part, 6)
            self._receive(sale_return)
            sale_return.action_inspect_all('restock')
            self.assertEqual(sale_return.state, 'closed')
            self.assertFalse(sale_return.discrepancy_ids)
        self.assertEqual(line.qty_returnable, 0.0)
        self.assert_sold(line, delivered=0.0, invoiced=0.0)
        self.assert_fully_credited(
            order.invoice_ids.filtered(lambda move: move.move_type == 'out_invoice')
        )
        self.assert_nothing_to_invoice(order)

    def test_parts_of_any_unit(self):
        self._check(12, parts_of_units(), self._assert_parts_make_the_whole)
