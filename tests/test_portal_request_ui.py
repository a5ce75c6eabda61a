from odoo.tests import tagged

from .common_portal import PortalHttpCommon


@tagged('post_install', '-at_install')
class TestPortalRequestUi(PortalHttpCommon):
    """A customer asks for a return in a browser, on a telephone."""

    browser_size = '390x844'
    touch_enabled = True
    # Requests wait for each other in a test. On a slow machine they wait longer than Odoo's 20 s.
    test_cursor_lock_timeout = 180

    def test_part_of_an_order_is_asked_back_on_a_telephone(self):
        self.start_tour(
            self._url(), 'sale_return_portal_request', login=self.jane.login, timeout=600
        )
        sale_return = self._returns()
        self.assertEqual(sale_return.state, 'approved')
        self.assertEqual(sale_return.line_ids.qty_requested, 2)
        self.assertEqual(sale_return.line_ids.customer_note, "It does not shine.")
