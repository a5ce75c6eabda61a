from odoo import Command
from odoo.tests import tagged
from odoo.tests.form import Form

from .test_approvals import ApprovalCommon


@tagged('post_install', '-at_install')
class TestOwnRequests(ApprovalCommon):
    """Nobody approves their own request, unless nobody else in their company could."""

    def test_nobody_approves_their_own_request_whatever_their_role(self):
        self._two_levels()
        # The first one of the customer needs one level only; later ones are counted with it.
        self.assertEqual(self._approve(self.staff, self._request(1, user=self.ann)), 'approved')
        for user in (self.ann, self.staff):
            sale_return = self._request(1, user=user)
            self._blocked(user, sale_return, "asked for return")

    def test_nobody_approves_their_own_request_where_one_approver_is_enough(self):
        self.policy.approval = 'always'
        sale_return = self._request(1, user=self.ann)
        self._blocked(self.ann, sale_return, "asked for return")
        self.assertEqual(self._approve(self.bob, sale_return), 'approved')

    def test_who_created_it_does_not_approve_it_although_another_one_submitted_it(self):
        self.policy.approval = 'always'
        vals = {
            'partner_id': self.customer.id,
            'line_ids': self._prepare_return_lines(self.lamp_line, 1),
        }
        return_id = self._call(self.ann, self.env['sale.return'], 'create', vals)
        sale_return = self.env['sale.return'].browse(return_id)
        self._call(self.clerk, sale_return, 'action_submit')
        self._blocked(self.ann, sale_return, "asked for return")

    def test_manager_does_not_approve_their_own_request_where_others_could(self):
        self.policy.approval = 'always'
        sale_return = self._request(1, user=self.staff)
        self.assertFalse(sale_return.waiting_for_me)
        self.assertIn("somebody else has to approve it", sale_return.approval_obstacle)
        self._blocked(self.staff, sale_return, "asked for return")
        with self.assert_refused("asked for return"):
            self._call(self.staff, sale_return.line_ids, 'action_authorize')
        self.assertEqual(self._approve(self.ann, sale_return), 'approved')
        self.assertFalse(sale_return.approval_ids.own_request)

    def test_manager_does_not_approve_their_own_request_by_the_dialog(self):
        self.policy.write(
            {
                'approval': 'always',
                'rule_ids': [
                    Command.create({'kind': 'value', 'amount': 50, 'outcome': 'refuse_overridable'})
                ],
            }
        )
        states = []
        for user in (self.staff, self.ann):
            sale_return = self._request(1, user=user)
            action = sale_return.action_open_overrule()
            form = Form(self.env['sale.return.explain'].with_context(**action['context']))
            form.reason = "For once."
            if user == self.staff:
                with self.assert_refused("asked for return"), self.env.cr.savepoint():
                    form.save().action_confirm()
            else:
                form.save().action_confirm()
            states.append(sale_return.state)
        self.assertEqual(states, ['submitted', 'approved'])

    def test_own_request_among_others_is_refused_with_all_of_them(self):
        self.policy.approval = 'always'
        returns = self._request(1) + self._request(1, user=self.staff)
        with self.assert_refused(returns[1].name):
            self._call(self.staff, returns, 'action_approve')
        self.assertEqual(returns.mapped('state'), ['submitted', 'submitted'])
        self.assertFalse(returns.approval_ids)
        self._call(self.bob, returns, 'action_approve')
        self.assertEqual(returns.mapped('state'), ['approved', 'approved'])

    def _leave_manager_alone(self):
        """All other approvers left, lost the role or works for another company."""
        other = self._create_trading_company("Another Company")
        self.ann.sudo().active = False
        self.bob.sudo().group_ids = [Command.set(self.clerk.sudo().group_ids.ids)]
        self.cleo.sudo().write({'company_ids': [Command.set(other.ids)], 'company_id': other.id})

    def test_manager_alone_in_their_company_is_named_as_the_one_who_asked(self):
        self.policy.approval = 'always'
        self._leave_manager_alone()
        sale_return = self._create_return(self.lamp_line, 1)
        self.assertTrue(sale_return.waiting_for_me)
        sale_return.action_approve()
        self.assertEqual(sale_return.state, 'approved')
        self.assertTrue(sale_return.approval_ids.own_request)

    def test_manager_alone_does_not_bypass_levels(self):
        self.policy.approval = 'levels'
        self._add_level(approver_type='group')
        self._leave_manager_alone()
        self._blocked(self.staff, self._request(1, user=self.staff), "asked for return")

    def test_approver_alone_who_is_no_manager_does_not_approve_their_own_request(self):
        self.policy.approval = 'always'
        self._leave_manager_alone()
        self.bob.sudo().group_ids = [Command.link(self.approvers.id)]
        self.staff.sudo().active = False
        self._blocked(self.bob, self._request(1, user=self.bob), "asked for return")

    def test_who_else_could_approve_is_looked_up_once_for_all_returns(self):
        self.policy.approval = 'always'
        returns = self.env['sale.return'].union(
            *(self._request(1, user=self.staff) for _index in range(4))
        )
        counts = []
        for batch in (returns[:1], returns):
            self.env.flush_all()
            self.env.invalidate_all()
            batch.fetch(['state', 'requested_by_id', 'create_uid', 'step_ids', 'company_id'])
            before = self.env.cr.sql_log_count
            self.assertFalse(any(batch.mapped('waiting_for_me')))
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0])
