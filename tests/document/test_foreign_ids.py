from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..common import SaleReturnCommon

DOCUMENTS = ('sale_order_ids', 'sale_order_names', 'delivery_ids', 'invoice_ids', 'invoice_count')


@tagged('post_install', '-at_install')
class TestForeignIds(SaleReturnCommon):
    """An unsaved return reveals nothing about orders that the user may not read."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.salesman = cls._create_user(
            'foreign_salesman', 'sale_return.group_user', 'sales_team.group_sale_salesman'
        )
        cls.order = cls._create_sale()
        cls.order.user_id = cls.staff

    def _ask(self, name):
        """Read one field of a new return with an order line, like a remote client."""
        model = self._env_of(self.salesman)['sale.return']
        values = {
            'partner_id': self.order.partner_id.id,
            'line_ids': [(0, 'virtual_1', {'sale_line_id': self.order.order_line.id})],
        }
        spec = {'line_ids': {'fields': {'sale_line_id': {}}}, name: {}}
        try:
            return model.onchange(values, ['line_ids'], spec)['value'].get(name)
        except AccessError:
            return None

    def test_foreign_order_shows_nothing(self):
        for name in DOCUMENTS:
            with self.subTest(name=name):
                self.assertFalse(self._ask(name))

    def test_own_order_shows_its_documents(self):
        self.order.user_id = self.salesman
        for name in DOCUMENTS:
            with self.subTest(name=name):
                self.assertTrue(self._ask(name))
