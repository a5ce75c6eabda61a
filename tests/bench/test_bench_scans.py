import unittest

from odoo.tests import tagged

from ..common_bench import BenchCommon

LEAN = {
    "parcels without a carrier's tracking numbers": (
        'test_a_return_is_found_by_all_that_is_written_on_a_parcel',
        'test_no_scan_takes_more_than_ten_queries',
    ),
}


@tagged('post_install', '-at_install')
class TestBenchScans(BenchCommon):
    """What scans recognise, and how many queries they need."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls.lamps.sale_order_ids
        cls.order.client_order_ref = 'PO-4711'
        cls.lamps.action_register_dispatch('TRACK-9')
        cls.serial_product, cls.serials = cls._create_tracked_product('serial', 'SN-A', 'SN-B')
        cls.serial_order = cls._create_order({'product': cls.serial_product, 'quantity': 1})
        cls._deliver(cls.serial_order, lots=cls.serials[0])
        cls._invoice(cls.serial_order)
        cls.serial_return = cls._create_return(cls.serial_order)
        cls.env['product.uom'].create(
            {
                'product_id': cls.product.id,
                'uom_id': cls.env.ref('uom.product_uom_dozen').id,
                'barcode': 'BOX-OF-12',
            }
        )

    def test_a_return_is_found_by_all_that_is_written_on_a_parcel(self):
        delivery = self.order.picking_ids.filtered(lambda p: p.picking_type_code == 'outgoing')
        receipt = self.lamps.picking_ids
        codes = (
            self.lamps.name,
            self.lamps.name.lower(),
            self.lamps.name.replace('/', '-'),
            'TRACK-9',
            self.order.name,
            'PO-4711',
            delivery.name,
            receipt.name,
        )
        for code in codes:
            with self.subTest(code=code):
                self.assert_answer(self._scan(code), 'accept', 'attached')
                self._do('discard')

    def test_a_product_alone_asks_whose_it_is(self):
        answer = self._scan('5901234123457')
        self.assert_answer(answer, 'ask', 'which_return', self.lamps.name)
        candidate = answer['data']['question']['candidates'][0]
        answer = self._do('answer', 'attach', record_id=candidate['id'])
        self.assert_answer(answer, 'accept', 'attached')

    def test_a_serial_alone_puts_its_return_on_the_desk_and_counts(self):
        answer = self._scan('SN-A')
        self.assert_answer(answer, 'accept', 'counted')
        self.assertEqual(answer['data']['returns'][0]['id'], self.serial_return.id)

    def test_a_serial_that_nobody_has_announced_offers_its_order(self):
        self.serial_return.action_cancel()
        answer = self._scan('SN-A')
        self.assert_answer(answer, 'ask', 'make_return', self.serial_order.name)

    def test_a_packaging_counts_what_is_in_it(self):
        order = self._create_sale({'quantity': 30})
        sale_return = self._create_return(order)
        answer = self._scan(sale_return.name, 'BOX-OF-12')
        self.assertEqual(answer['data']['session']['counted'], 12.0)
        answer = self._scan('BOX-OF-12', '5901234123457', 'BOX-OF-12')
        self.assert_answer(answer, 'ask', 'over')
        answer = self._do('answer', 'surplus')
        self.assertEqual([i['quantity'] for i in answer['data']['items']], [30.0, 7.0])

    def test_lines_in_dozens_are_counted_in_units(self):
        order = self._create_sale({'quantity': 1, 'product_uom_id': self.dozen.id})
        sale_return = self._create_return(order)
        answer = self._scan(sale_return.name)
        self.assertEqual(answer['data']['session']['expected'], 12.0)
        self._scan('BOX-OF-12', 'SRB-GRADE-A', 'SRB-FINISH')
        self.assertEqual(sale_return.line_ids.qty_accepted, 1.0)

    def test_pieces_of_a_dozen_are_received_and_inspected(self):
        order = self._create_sale({'quantity': 1, 'product_uom_id': self.dozen.id})
        sale_return = self._create_return(order, 1 / 3)
        answer = self._scan(sale_return.name)
        self.assertEqual(answer['data']['session']['expected'], 4.0)
        self._scan(*['5901234123457'] * 4, 'SRB-GRADE-A', 'SRB-FINISH')
        line = sale_return.line_ids
        self.assertEqual((sale_return.state, line.product_qty_credited), ('closed', 4.0))
        self.assertFalse(sale_return.discrepancy_ids)

    def test_gs1_codes_are_read_where_the_nomenclature_is_gs1(self):
        self._configure(
            nomenclature_id=self.env.ref('barcodes_gs1_nomenclature.default_gs1_nomenclature').id
        )
        self.serial_product.barcode = '4006381333931'
        self._scan(self.lamps.name)
        answer = self._scan('01059012341234573002')
        self.assert_answer(answer, 'accept', 'counted', "2 of 3")
        answer = self._scan('010590123412345721XYZ')
        self.assert_answer(answer, 'accept', 'counted', "3 of 3")
        self._do('discard')
        answer = self._scan(self.serial_return.name, '010400638133393121SN-A')
        self.assert_answer(answer, 'accept', 'counted', "SN-A")
        self._scan('SRB-UNDO')
        answer = self._scan('010400638133393121SN-B')
        self.assert_answer(answer, 'ask', 'wrong_serial', "SN-B")

    def test_without_gs1_such_a_code_is_unknown(self):
        self._scan(self.lamps.name)
        self.assert_answer(self._scan('01059012341234573002'), 'reject', 'unknown')

    def test_lots_are_counted_by_lot(self):
        product, lots = self._create_tracked_product('lot', 'LOT-A', 'LOT-B', quantity=5)
        product.barcode = '4006381333948'
        order = self._create_order({'product': product, 'quantity': 4})
        self._deliver(order, lots=lots)
        sale_return = self._create_return(order)
        self._scan(sale_return.name)
        self.assert_answer(self._scan('4006381333948'), 'reject', 'lot_needed')
        answer = self._scan('LOT-A', 'LOT-A', 'LOT-B')
        self.assertEqual(
            self._counted(answer),
            [('expected', product.id, 'LOT-A', 2.0), ('expected', product.id, 'LOT-B', 1.0)],
        )
        ids = [item['id'] for item in answer['data']['items']]
        self._do('set_result', {'grade': 'A'}, item_ids=ids)
        self.assert_answer(self._do('finish'), 'accept', 'finished')
        self.assertEqual(
            {row.lot_id: row.quantity for row in sale_return.inspection_ids},
            {lots[0]: 2.0, lots[1]: 1.0},
        )

    def test_kits_are_counted_by_their_components(self):
        if 'mrp.bom' not in self.env:
            raise unittest.SkipTest("Manufacturing is not installed.")
        parts = [self._create_product(f"Part {n}", barcode=f'PART-{n}') for n in (1, 2)]
        kit = self._create_product("Kit", is_storable=False)
        self.env['mrp.bom'].sudo().create(
            {
                'product_tmpl_id': kit.product_tmpl_id.id,
                'type': 'phantom',
                'bom_line_ids': [
                    (0, 0, {'product_id': part.id, 'product_qty': n})
                    for n, part in enumerate(parts, start=1)
                ],
            }
        )
        sale_return = self._create_return(self._create_sale({'product': kit, 'quantity': 1}))
        answer = self._scan(sale_return.name)
        lines = answer['data']['returns'][0]['lines']
        self.assertEqual([line['expected'] for line in lines], [1.0, 2.0])
        self.assertEqual(lines[0]['kit'], "Kit")
        answer = self._scan('PART-1', 'PART-2', 'PART-2')
        ids = [item['id'] for item in answer['data']['items']]
        self._do('set_result', {'grade': 'A'}, item_ids=ids)
        self.assert_answer(self._do('finish'), 'accept', 'finished')
        self.assertEqual(sale_return.line_ids.qty_accepted, 1.0)

    def test_where_no_inspection_is_asked_counting_is_enough(self):
        self._create_policy(inspection_required=False)
        sale_return = self._create_return(self._create_sale({'quantity': 2}))
        answer = self._scan(sale_return.name, '5901234123457', '5901234123457')
        self.assertEqual(answer['data']['session']['phase'], 'ready')
        self.assert_answer(self._scan('SRB-FINISH'), 'accept', 'finished')
        self.assert_progress(sale_return, 'full', 'full', 'full')

    # === QUERIES === #

    def _count_scan(self, code, limit):
        """Scan like a new request, with an empty cache; at most `limit` queries."""
        self.env.flush_all()
        self.env.invalidate_all()
        with self.assertQueryCount(limit):
            answer = self._scan(code)
            self.env.flush_all()
        return answer

    def test_no_scan_takes_more_than_ten_queries(self):
        # Values that workers cache between requests: defaults, checklists.
        self._scan('WARM-UP', 'SN-A', 'SRB-DISCARD', self.lamps.name, 'SRB-DISCARD')
        # desk 1, code 1, facts 1, put on desk 1, step 1, session 1
        self.assert_answer(self._count_scan(self.lamps.name, 10), 'accept', 'attached')
        for code in ('5901234123457', '5901234123457'):
            self.assert_answer(self._count_scan(code, 10), 'accept', 'counted')
        self.assert_answer(self._count_scan('BOX-OF-12', 10), 'ask', 'over')
        self.assert_answer(self._count_scan('SN-B', 10), 'ask', 'foreign_product')
        self.assert_answer(self._count_scan('SRB-NO', 10), 'accept', 'ignored')
        self.assert_answer(self._count_scan('NOBODY-KNOWS-IT', 10), 'reject', 'unknown')
        self.assert_answer(self._count_scan('59012341234575901234123457', 10), 'ask', 'over')
        self.assert_answer(self._count_scan('SRB-UNDO', 10), 'accept', 'undone')
        self.assert_answer(self._count_scan('SRB-DISCARD', 10), 'accept', 'discarded')
        self.assert_answer(self._count_scan('SN-A', 10), 'accept', 'counted')
        self.assert_answer(self._count_scan('SN-B', 10), 'ask', 'wrong_serial')
        self._do('discard')
        for code in ('TRACK-9', self.order.name, 'PO-4711'):
            self.assert_answer(self._count_scan(code, 10), 'accept', 'attached')
            self._do('discard')
        self.assert_answer(self._count_scan('5901234123457', 10), 'ask', 'which_return')

    def test_a_gs1_scan_takes_no_more_than_ten_queries_either(self):
        self._configure(
            nomenclature_id=self.env.ref('barcodes_gs1_nomenclature.default_gs1_nomenclature').id
        )
        self._scan(self.lamps.name)
        self._count_scan('01059012341234573001', 10)
