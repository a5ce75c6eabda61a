from odoo import Command
from odoo.tests import tagged

from ..common_refund import RefundCommon

SALES = 'sales_team.group_sale_salesman_all_leads'


@tagged('post_install', '-at_install')
class TestDefaultsOfUsers(RefundCommon):
    """Services ignore the user's own defaults."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.salesman = cls._create_user('defaults_salesman', SALES)
        cls.clerk = cls._create_user('defaults_clerk', 'sale_return.group_user', SALES)
        cls.approver = cls._create_user('defaults_approver', 'sale_return.group_approver')

    def _set_default(self, user, model, name, value):
        self._env_of(user)['ir.default'].set(model, name, value, user_id=True)

    def test_moves_and_invoices_of_an_order(self):
        sale_return = self._create_return(self._create_sale(), 2)
        line = sale_return.line_ids
        self._set_default(self.salesman, 'stock.move', 'sale_return_line_id', line.id)
        self._set_default(self.salesman, 'account.move.line', 'sale_return_line_id', line.id)
        self._set_default(self.salesman, 'account.move.line', 'sale_return_kept', True)
        order = self._create_order({'quantity': 1}, {'quantity': -2}, confirm=False)
        self._call(self.salesman, order, 'action_confirm')
        self.assertFalse(order.picking_ids.move_ids.sale_return_line_id)
        self._process(order.picking_ids)
        env = self._env_of(self.salesman)
        invoice = self.env['account.move'].browse(
            env['sale.order'].browse(order.id)._create_invoices(final=True).ids
        )
        self.assertFalse(invoice.invoice_line_ids.sale_return_line_id)
        self.assertNotIn(True, invoice.invoice_line_ids.mapped('sale_return_kept'))
        self.env.invalidate_all()
        self.assertEqual(line.qty_received, 0)

    def test_decisions(self):
        policy = self._create_policy(approval='levels')
        policy.level_ids = [
            Command.create(
                {
                    'name': "Manager",
                    'approver_type': 'user',
                    'user_id': self.manager.id,
                }
            )
        ]
        past = '2020-01-01 00:00:00'
        for model, name, value in (
            ('sale.return', 'requested_by_id', self.manager.id),
            ('sale.return', 'date_dispatch_proved', past),
            ('sale.return.line', 'qty_authorized', 2),
            ('sale.return.line', 'decision', 'approved'),
            ('sale.return.approval.step', 'state', 'approved'),
            ('sale.return.approval', 'automatic', True),
            ('sale.return.approval', 'date', past),
            ('sale.return.event', 'date', past),
            ('sale.return.discrepancy', 'state', 'resolved'),
        ):
            for user in (self.clerk, self.approver, self.manager):
                self._set_default(user, model, name, value)
        order = self._create_sale()
        values = {
            'partner_id': order.partner_id.id,
            'line_ids': self._prepare_return_lines(order.order_line, 2),
        }
        ids = self._call(self.clerk, self.env['sale.return'], 'create', values)
        sale_return = self.env['sale.return'].browse(ids)
        line = sale_return.line_ids
        self.assertFalse(sale_return.requested_by_id or sale_return.date_dispatch_proved)
        self.assertEqual((line.decision, line.qty_authorized), ('pending', 0))
        self._call(self.clerk, sale_return, 'action_submit')
        self.assertEqual(sale_return.step_ids.state, 'pending')
        with self.assert_refused("Manager"):
            self._call(self.approver, sale_return, 'action_approve')
        self._call(self.manager, sale_return, 'action_approve')
        self.env.invalidate_all()
        approval = sale_return.approval_ids
        self.assertEqual((sale_return.state, approval.automatic), ('approved', False))
        for moment in [*approval.mapped('date'), *sale_return.event_ids.mapped('date')]:
            self.assertGreater(moment.year, 2020)
