from odoo.tests import Form, tagged

from ..common_migration import load_migration
from ..common_reconciliation import ReconciliationCommon


@tagged('post_install', '-at_install')
class TestPartsOfUnits(ReconciliationCommon):
    """Goods sold in one unit and counted in another are returned in parts.

    The parts cannot be expressed with two decimals of the order's unit: four pieces of a dozen,
    four kilograms of a tonne, one of a pack of three.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kilogram = cls.env.ref('uom.product_uom_kgm')
        cls.tonne = cls.env.ref('uom.product_uom_ton')
        cls.hour = cls.env.ref('uom.product_uom_hour')
        cls.day = cls.env.ref('uom.product_uom_day')
        # sudo: units need an administrator.
        cls.pack = (
            cls.env['uom.uom']
            .sudo()
            .create({'name': "Pack of 3", 'relative_factor': 3, 'relative_uom_id': cls.unit.id})
        )
        cls.grain = cls._create_product("Grain", uom_id=cls.kilogram.id, standard_price=0.37)
        cls.eggs = cls._create_product("Eggs", uom_id=cls.dozen.id, standard_price=7.0)

    def _get_worlds(self):
        """Yield `(order line, parts in the unit of the product)`; the parts make the whole."""
        yield {'quantity': 1, 'product_uom_id': self.dozen.id, 'price': 120.0}, (4, 4, 4)
        yield {'quantity': 2, 'product_uom_id': self.dozen.id, 'price': 10.01}, (7, 1, 16)
        yield {'quantity': 1, 'product_uom_id': self.pack.id, 'price': 10.0}, (1, 1, 1)
        yield (
            {'product': self.grain, 'quantity': 1, 'product_uom_id': self.tonne.id, 'price': 999.9},
            (4, 0.25, 995.75),
        )
        yield (
            {'product': self.eggs, 'quantity': 12, 'product_uom_id': self.unit.id, 'price': 1.11},
            (0.33, 0.33, 0.34),
        )

    def _sell(self, values):
        order = self._create_sale(values)
        line = order.order_line
        return order, line, line.product_uom_id.factor / line.product_id.uom_id.factor

    def _assert_part(self, sale_return, part, ratio):
        """Assert that a part went through all steps, and nothing is left anywhere."""
        line = sale_return.line_ids
        self.assertEqual(sale_return.state, 'closed')
        self.assertFalse(sale_return.discrepancy_ids)
        for name in ('requested', 'authorized', 'received', 'inspected', 'accepted', 'credited'):
            self.assertAlmostEqual(line[f'qty_{name}'] * ratio, part, 9, name)
            self.assertEqual(line[f'product_qty_{name}'], part, name)
        self.assertEqual((line.qty_held, line.qty_to_credit, line.qty_to_inspect), (0, 0, 0))

    def _assert_whole(self, order):
        """Assert that all parts together are the order and its invoice, to the last cent."""
        line = order.order_line
        self.assertEqual(line.qty_returnable, 0.0)
        self.assertAlmostEqual(line.qty_returned, line.product_uom_qty)
        self.assert_sold(line, delivered=0.0, invoiced=0.0)
        self.assert_nothing_to_deliver(order)
        invoices = order.invoice_ids.filtered(lambda move: move.move_type == 'out_invoice')
        self.assert_fully_credited(invoices)

    def _each(self, go):
        """Return all parts of each world in one way, `go(order, part, number in the unit)`."""
        for values, parts in self._get_worlds():
            with self.subTest(unit=values['product_uom_id'], parts=parts):
                order, line, ratio = self._sell(values)
                returnable = sum(parts)
                for part in parts:
                    self._assert_part(go(order, part, part / ratio), part, ratio)
                    returnable -= part
                    self.assertAlmostEqual(line.qty_returnable * ratio, returnable, 9)
                self._assert_whole(order)

    def _finish(self, sale_return):
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        return sale_return

    def test_parts_asked_for_by_a_program(self):
        self._each(lambda order, _part, quantity: self._return_goods(order, quantity))
        self.assertFalse(self._refresh().mapped('explanation'))

    def test_parts_asked_for_in_the_dialog(self):
        def go(order, _part, quantity):
            action = order.action_create_return()
            dialog = Form(self.env[action['res_model']].with_context(**action['context']))
            dialog.reason_id = self.reason_defective
            with dialog.line_ids.edit(0) as row:
                row.quantity = quantity
            action = dialog.save().action_create_and_submit()
            return self._finish(self.env['sale.return'].browse(action['res_id']))

        self._each(go)

    def test_parts_taken_back_by_odoos_own_dialog(self):
        def go(order, part, _quantity):
            known = order.return_ids
            delivery = order.picking_ids.filtered(lambda p: p.picking_type_code == 'outgoing')
            self._process(self._return_in_inventory(delivery, part))
            sale_return = order.return_ids - known
            sale_return.action_inspect_all('restock')
            return sale_return

        self._each(go)
        self.assertFalse(self._refresh().mapped('explanation'))
        self.assert_ledger_balanced()

    def test_decimals_stand_for_whole_pieces(self):
        for typed, pieces in ((0.33, 4), (0.67, 8), (0.08, 1), (0.5, 6)):
            with self.subTest(typed=typed):
                order, _line, ratio = self._sell({'quantity': 1, 'product_uom_id': self.dozen.id})
                sale_return = self._return_goods(order, typed)
                self._assert_part(sale_return, pieces, ratio)

    def test_piece_by_piece_inspected(self):
        order, _line, _ratio = self._sell({'quantity': 1, 'product_uom_id': self.dozen.id})
        sale_return = self._create_return(order)
        self._receive(sale_return, 8)
        self._inspect(sale_return, (0.33, 'restock'), (1 / 12, 'scrap'), (0.25, 'send_back'))
        self.assert_on_hand(self.product, 8 - 4 - 1 - 3 + 3, self.quarantine)
        line = sale_return.line_ids
        self.assertEqual((line.product_qty_accepted, line.product_qty_rejected), (5, 3))
        # 100.00 × 5 / 12 = 41.67, and 8.75 of tax
        self.assertEqual(sale_return.amount_credited, 50.42)

    def test_cost_of_parts_is_that_of_the_whole(self):
        order, _line, _ratio = self._sell(
            {'quantity': 1, 'product_uom_id': self.dozen.id, 'price': 120.0}
        )
        gap = self._get_value_not_in_ledger()
        for _part in range(3):
            note = self._return_goods(order, 1 / 3).credit_note_ids
            line = note.invoice_line_ids
            self.assertEqual(
                (line.quantity, line.product_uom_id, line.price_unit), (4.0, self.unit, 10.0)
            )
            cost = note.line_ids.filtered(lambda l: l.display_type == 'cogs' and l.balance > 0)
            self.assertEqual(cost.balance, 4 * 60.0)
            self.assertAlmostEqual(self._get_value_not_in_ledger(), gap)

    def test_hours_of_a_day(self):
        service = self._create_product(
            "Help", type='service', invoice_policy='order', is_storable=False, uom_id=self.hour.id
        )
        for unit, total, part in ((self.day, 1, 1 / 8), (self.hour, 8, 1)):
            with self.subTest(unit=unit.name):
                sold = {'product': service, 'quantity': total, 'product_uom_id': unit.id}
                order = self._create_order({**sold, 'price': 99.99})
                self._invoice(order)
                for quantity in (part, part * 2, total - part * 3):
                    sale_return = self._create_approved_return(order, quantity)
                    self.assertEqual(sale_return.state, 'closed')
                self.assertEqual(order.order_line.qty_returnable, 0.0)
                self.assert_fully_credited(
                    order.invoice_ids.filtered(lambda move: move.move_type == 'out_invoice')
                )

    def test_too_little_to_be_counted_is_refused(self):
        order = self._create_sale(
            {'product': self.eggs, 'quantity': 12, 'product_uom_id': self.unit.id}
        )
        with self.assert_refused("not a whole quantity of Dozen"):
            self._create_return(order, 0.01)

    def test_not_invoiced_part_is_simply_not_billed(self):
        order = self._create_order({'quantity': 1, 'product_uom_id': self.dozen.id})
        self._deliver(order)
        sale_return = self._return_goods(order, 1 / 3)
        self.assertEqual(sale_return.state, 'closed')
        self.assertFalse(sale_return.credit_note_ids)
        invoice = self._invoice(order)
        self._return_goods(order, 2 / 3)
        self.assert_fully_credited(invoice)
        self.assertEqual(order.order_line.qty_returnable, 0.0)

    def test_decimals_of_older_versions_are_read_when_updating(self):
        order, line, ratio = self._sell({'quantity': 1, 'product_uom_id': self.dozen.id})
        sale_return = self._create_return(order, 1 / 3)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sale_return_line SET qty_requested = 0.33, qty_authorized = 0.33,"
            " qty_held = 0.33 WHERE id = %s",
            [sale_return.line_ids.id],
        )
        self.env.invalidate_all()
        for _run in range(2):
            load_migration('post-units').migrate(self.env.cr, '19.0.1.1.0')
            self.env.invalidate_all()
            self.assertAlmostEqual(line.qty_returnable * ratio, 8.0)
        self._assert_part(self._finish(sale_return), 4.0, ratio)
