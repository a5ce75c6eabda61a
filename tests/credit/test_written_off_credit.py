from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..common_reconciliation import ReconciliationCommon

SALES = 'sales_team.group_sale_salesman_all_leads'


@tagged('post_install', '-at_install')
class TestWrittenOffCredit(ReconciliationCommon):
    """Goods that were credited before they came are written off by an approver."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clerk = cls._create_user('early_clerk', 'sale_return.group_user', SALES)
        cls.inspector = cls._create_user('early_inspector', 'sale_return.group_inspector', SALES)
        cls.approver = cls._create_user('early_approver', 'sale_return.group_approver', SALES)
        cls.policy.release_event = 'approval'

    def _ask(self, user):
        order = self._create_sale()
        values = {
            'partner_id': order.partner_id.id,
            'line_ids': self._prepare_return_lines(order.order_line, 2),
        }
        ids = self._call(user, self.env['sale.return'], 'create', values)
        sale_return = self.env['sale.return'].browse(ids)
        self._call(user, sale_return, 'action_submit')
        self.env.invalidate_all()
        self.assertEqual(sale_return.credit_note_ids.amount_total, 242.0)
        return sale_return

    def test_close(self):
        sale_return = self._ask(self.clerk)
        for user in (self.clerk, self.inspector):
            with self.subTest(user=user.login), self.assert_refused(exception=AccessError):
                self._call(user, sale_return, 'action_close', "Lost.")
        self._call(self.approver, sale_return, 'action_close', "Lost.")
        self.assertEqual(sale_return.state, 'closed')
        self.assert_row(self._refresh(), 'credited_not_received', qty_difference=2)

    def test_approver_does_not_close_what_they_asked_for(self):
        sale_return = self._ask(self.approver)
        with self.assert_refused("somebody else", exception=UserError):
            self._call(self.approver, sale_return, 'action_close', "Lost.")

    def test_discrepancy(self):
        for resolution in ('write_off', 'claim'):
            sale_return = self._ask(self.clerk)
            line = sale_return.line_ids
            self._call(
                self.inspector,
                sale_return,
                'register_discrepancies',
                [{'kind': 'short', 'quantity': 2, 'line_id': line.id}],
            )
            found = sale_return.discrepancy_ids
            arguments = (found, 'action_resolve', resolution, "Empty.", 'carrier')
            with self.subTest(resolution=resolution), self.assert_refused(exception=AccessError):
                self._call(self.inspector, *arguments)
            self.assertEqual(line.qty_written_off, 0)
            self.approver.sudo().group_ids += self.env.ref('sale_return.group_inspector')
            self._call(self.approver, *arguments)
            self.env.invalidate_all()
            self.assertEqual(line.qty_written_off, 2)

    def test_goods_that_came_close_as_ever(self):
        sale_return = self._ask(self.clerk)
        self._receive(sale_return)
        self._inspect(sale_return, (2, 'restock'))
        self.assertEqual(sale_return.state, 'closed')
