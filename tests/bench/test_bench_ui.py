from odoo.tests import tagged

from ..base.test_ui import UiCommon

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

    def _start_bench(self, tour, user=None):
        login = (user or self.staff).login
        self.start_tour('/odoo/returns-bench', tour, login=login, timeout=600)

    def _go_the_normal_way(self):
        """Scan, count, grade, photograph and finish; finally the server has everything."""
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

    def test_closed_browser_goes_on_and_somebody_else_takes_over(self):
        sale_return = self._create_parcel()
        self._start_bench('sale_return_bench_before')
        self._start_bench('sale_return_bench_after')
        self.assertFalse(sale_return.line_ids.inspection_ids)
        colleague = self._create_user('bench_colleague', 'sale_return.group_inspector')
        colleague.sudo().password = colleague.login
        self._start_bench('sale_return_bench_take_over', colleague)
        self.assert_quantities(sale_return.line_ids, received=1, accepted=1)
        result = sale_return.line_ids.inspection_ids
        self.assertEqual(result.grade_id.code, 'B')
        self.assertEqual(result.inspector_id, colleague)


@tagged('post_install', '-at_install')
class TestBenchUiPhone(BenchUiCommon):
    """The bench on a telephone."""

    browser_size = '390x844'
    touch_enabled = True

    def test_parcel_is_counted_graded_and_finished_on_a_telephone(self):
        self._go_the_normal_way()
