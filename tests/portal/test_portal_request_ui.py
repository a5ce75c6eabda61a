from odoo import Command
from odoo.tests import tagged

from ..common_portal import PortalHttpCommon

LEAN = {
    "pages without a website": (
        'test_part_is_asked_back_with_a_photo_on_a_telephone',
        'test_guest_asks_by_a_link_at_a_desk',
        'test_contract_is_withdrawn_from_on_a_telephone',
    ),
}


@tagged('post_install', '-at_install')
class TestPortalRequestUi(PortalHttpCommon):
    """A customer requests a return in a browser; the keyboard is enough.

    Every screen fits, is large enough for a finger, and all controls have a name.
    """

    without_scripts = False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        gift = cls._create_product("Gift card")
        cls.order = cls._create_sale({}, {'product': gift})
        cls.env['sale.return.rule'].create(
            {
                'policy_id': cls.policy.id,
                'kind': 'excluded',
                'outcome': 'refuse',
                'product_ids': [Command.set(gift.ids)],
                'customer_text': "Gift cards are as good as money.",
            }
        )

    def _start(self, url, tour, login=None):
        self.start_tour(url, f'sale_return_portal_{tour}', login=login)
        self.env.invalidate_all()

    # === REQUEST === #

    def _ask_for_a_part_with_a_photo(self):
        self._start(f'/my/orders/{self.order.id}', 'request', self.jane.login)
        self._check_request()

    def _check_request(self):
        sale_return = self._returns()
        self.assertEqual(sale_return.state, 'approved')
        line = sale_return.line_ids
        self.assertEqual((line.product_id, line.qty_requested), (self.product, 2))
        self.assertEqual(line.customer_note, "It does not shine.")
        self.assertEqual(line.file_ids.mapped('name'), ['lamp.jpg'])

    def test_part_is_asked_back_with_a_photo_on_a_telephone(self):
        self._take_telephone()
        self._ask_for_a_part_with_a_photo()

    def test_part_is_asked_back_with_a_photo_at_a_desk(self):
        self._take_desk()
        self._ask_for_a_part_with_a_photo()

    # === WITHOUT LOGIN === #

    def _ask_as_guest(self):
        self._start(f'/returns?order={self.order.name}', 'guest')
        (mail,) = self._send_asked_links()
        self._start(self._read_link(mail), 'link')
        self._check_request()

    def test_guest_asks_by_a_link_on_a_telephone(self):
        self._take_telephone()
        self._ask_as_guest()

    def test_guest_asks_by_a_link_at_a_desk(self):
        self._take_desk()
        self._ask_as_guest()

    # === WITHDRAWAL === #

    def _withdraw(self):
        self._create_policy(regime='eu_withdrawal', window_days=14, settlement='refund')
        self._start(f'/my/orders/{self.order.id}', 'withdrawal', self.jane.login)
        sale_return = self._returns()
        self.assertEqual((sale_return.state, sale_return.portal_kind), ('approved', 'withdrawal'))
        withdrawal = self.env['sale.return.withdrawal'].search([('return_id', '=', sale_return.id)])
        self.assertEqual(withdrawal.email, 'jane@example.com')

    def test_contract_is_withdrawn_from_on_a_telephone(self):
        self._take_telephone()
        self._withdraw()

    def test_contract_is_withdrawn_from_at_a_desk(self):
        self._take_desk()
        self._withdraw()
