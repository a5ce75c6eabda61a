from odoo.tests import tagged

from .test_ui import UiCommon

TRACKING = '1ZBENCH0001'


class BenchUiCommon(UiCommon):
    """A parcel for the bench: two lamps, and (for mistakes) one thing with a serial number."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product.barcode = 'BENCHLAMP'

    def _create_parcel(self, *lines):
        order = self._create_sale({'quantity': 2}, *lines)
        sale_return = self._create_return(order)
        sale_return.action_register_dispatch(tracking_ref=TRACKING)
        return sale_return

    def _start_bench(self, tour):
        self._start('/odoo/returns-bench', tour)

    def _get_counted(self):
        """Return how much of each item lies on the bench of the user, as he sees it."""
        state = self.env['sale.return.bench'].open_session()['data']
        return sorted(item['quantity'] for item in state['items'])

    def _go_the_normal_way(self):
        """Scan, count, grade, photograph and finish; the server has it all in the end."""
        sale_return = self._create_parcel()
        self._start_bench('sale_return_bench_way')
        self.assertEqual(sale_return.state, 'closed')
        self.assert_quantities(sale_return.line_ids, received=2, accepted=2, credited=2)
        result = sale_return.line_ids.inspection_ids
        self.assertRecordValues(result, [{'quantity': 2, 'liability': 'carrier'}])
        self.assertEqual(result.grade_id.code, 'A')
        self.assertEqual(len(result.file_ids), 1)


@tagged('post_install', '-at_install')
class TestBenchUi(BenchUiCommon):
    """The bench on a large screen."""

    def test_parcel_is_counted_graded_and_finished(self):
        self._go_the_normal_way()

    def test_wrong_serial_over_count_and_undo_count_nothing(self):
        product, lots = self._create_tracked_product('serial', 'BENCHSN1', 'BENCHSN9')
        sold, other = lots
        order = self._create_order({'quantity': 2}, {'product': product, 'quantity': 1})
        self._deliver(order, lots=sold)
        self._invoice(order)
        elsewhere = self._create_order({'product': product, 'quantity': 1})
        self._deliver(elsewhere, lots=other)
        sale_return = self._create_return(order)
        sale_return.action_register_dispatch(tracking_ref=TRACKING)
        self._start_bench('sale_return_bench_mistakes')
        self.assertEqual(self._get_counted(), [2])
        self.assert_quantities(sale_return.line_ids[:1], received=0, accepted=0)

    def test_lost_network_loses_and_doubles_nothing(self):
        product, lots = self._create_tracked_product('serial', 'BENCHSN1')
        order = self._create_order({'quantity': 2}, {'product': product, 'quantity': 1})
        self._deliver(order, lots=lots)
        self._create_return(order).action_register_dispatch(tracking_ref=TRACKING)
        self._start_bench('sale_return_bench_network')
        self.assertEqual(self._get_counted(), [1, 2])

    def test_closed_browser_goes_on_where_it_was(self):
        sale_return = self._create_parcel()
        self._start_bench('sale_return_bench_before')
        self.assertFalse(sale_return.line_ids.inspection_ids)
        self._start_bench('sale_return_bench_after')
        self.assert_quantities(sale_return.line_ids, received=1, accepted=1)
        self.assertEqual(sale_return.line_ids.inspection_ids.grade_id.code, 'B')

    def test_name_on_the_label_finds_the_order_of_a_parcel(self):
        customer = self._create_customer("Benjamin Benchley")
        order = self._create_sale({'quantity': 1}, partner_id=customer.id)
        self._start_bench('sale_return_bench_owner')
        self.assertEqual(order.return_ids.state, 'approved')

    def test_unknown_parcel_is_parked_with_a_photo(self):
        self._start_bench('sale_return_bench_unknown')
        parcel = self.env['sale.return.parcel'].search([], order='id desc', limit=1)
        self.assertRecordValues(parcel, [{'note': "Torn label", 'state': 'parked'}])
        self.assertEqual(parcel.photo_count, 1)


@tagged('post_install', '-at_install')
class TestBenchUiPhone(BenchUiCommon):
    """The bench on a telephone."""

    browser_size = '390x844'
    touch_enabled = True

    def test_parcel_is_counted_graded_and_finished_on_a_telephone(self):
        self._go_the_normal_way()
