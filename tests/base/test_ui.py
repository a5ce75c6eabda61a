from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import SaleReturnCommon
from ..common_http import PatientHttpCase

LEAN = {
    "the web client without the bundles of optional modules": (
        'test_order_to_credit_note_in_chinese',
        'test_many_are_submitted_with_progress_and_bad_ones_listed',
        'test_inspection_fits_a_telephone',
    ),
}


class UiCommon(SaleReturnCommon, PatientHttpCase):
    """A user of Returns in front of a browser."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.staff.sudo().password = 'returns_staff'

    def _start(self, path, tour):
        self.start_tour(path, tour, login=self.staff.login)


@tagged('post_install', '-at_install')
class TestUi(UiCommon):
    """The screens of a desk."""

    def _go_the_whole_way(self):
        """Go from an order to the posted credit note by clicks alone."""
        order = self._create_order()
        self._deliver(order)
        invoice = self._invoice(order)
        self._start(f'/odoo/orders/{order.id}', 'sale_return_whole_way')
        self.assertEqual(order.return_ids.state, 'closed')
        self.assert_quantities(order.return_ids.line_ids, received=10, accepted=10, credited=10)
        self.assert_fully_credited(invoice)

    def test_order_to_credit_note_in_the_browser(self):
        self._go_the_whole_way()

    def test_order_to_credit_note_in_chinese(self):
        self.env['res.lang'].sudo()._activate_lang('zh_CN')
        self.staff.sudo().lang = 'zh_CN'
        self._go_the_whole_way()

    def test_onboarding_tour_submits_a_return(self):
        order = self._create_sale()
        self._start('/odoo/orders', 'sale_return_tour')
        self.assertEqual(order.return_ids.state, 'approved')
        self.assertEqual(order.return_ids.line_ids.qty_requested, 1)

    def test_many_are_submitted_with_progress_and_bad_ones_listed(self):
        order = self._create_sale()
        # The list shows the newest first: the rest of the order is too little for this one.
        bad = self._create_return(order, 9, submit=False)
        returns = self._create_return(order, 2, submit=False) | self._create_return(
            self._create_sale(), 2, submit=False
        )
        with mute_logger('odoo.http'):  # the refusal is what is tested
            self._start('/odoo/returns?view_type=list', 'sale_return_bulk')
        self.assertEqual(set(returns.mapped('state')), {'approved'})
        self.assertEqual(bad.state, 'draft')

    def test_overview_counts_what_waits_for_inspection(self):
        returns_type = self.warehouse.sale_return_type_id
        received = self._create_return(self._create_sale())
        self._create_return(self._create_sale())
        self.assertEqual(returns_type.count_sale_return_to_inspect, 0)
        self._receive(received)
        types = returns_type | self.warehouse.in_type_id
        types.invalidate_recordset()
        self.assertEqual(types.mapped('count_sale_return_to_inspect'), [1, 0])
        domain = returns_type.action_view_sale_returns_to_inspect()['domain']
        self.assertEqual(self.env['sale.return'].search(domain), received)


@tagged('post_install', '-at_install')
class TestUiPhone(UiCommon):
    """The screens of a telephone."""

    browser_size = '390x844'
    touch_enabled = True

    def test_inspection_fits_a_telephone(self):
        sale_return = self._create_return(self._create_sale())
        self._receive(sale_return)
        self._start(f'/odoo/returns/{sale_return.id}', 'sale_return_phone')
        self.assertEqual(sale_return.state, 'closed')
