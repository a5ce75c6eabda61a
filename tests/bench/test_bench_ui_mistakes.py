from odoo.tests import tagged

from .test_bench_ui import TRACKING, BenchUiCommon


@tagged('post_install', '-at_install')
class TestBenchUiMistakes(BenchUiCommon):
    """Errors at the bench: nothing is lost, nothing is counted twice."""

    def test_wrong_scans_undo_and_lost_network_count_nothing_twice(self):
        product, lots = self._create_tracked_product('serial', 'BENCHSN1', 'BENCHSN9')
        sold, other = lots
        order = self._create_order({'quantity': 2}, {'product': product, 'quantity': 1})
        self._deliver(order, lots=sold)
        elsewhere = self._create_order({'product': product, 'quantity': 1})
        self._deliver(elsewhere, lots=other)
        sale_return = self._create_return(order)
        sale_return.action_register_dispatch(tracking_ref=TRACKING)
        self._start_bench('sale_return_bench_mistakes')
        # As seen by the user who comes back.
        state = self.env['sale.return.bench'].open_session()['data']
        self.assertEqual([item['quantity'] for item in state['items']], [1, 1])
        self.assertEqual(sale_return.reception_state, 'pending')

    def test_unknown_parcel_is_parked_and_a_name_finds_the_order_of_another(self):
        customer = self._create_customer("Benjamin Benchley")
        order = self._create_sale({'quantity': 1}, partner_id=customer.id)
        self._start_bench('sale_return_bench_unknown')
        parcel = self.env['sale.return.parcel'].search([], order='id desc', limit=1)
        self.assertRecordValues(parcel, [{'note': "Torn label", 'photo_count': 1}])
        self.assertEqual(order.return_ids.state, 'approved')
