import contextlib
import itertools

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from .test_approvals import ApprovalCommon

ROLES = ('user', 'inspector', 'approver')


@tagged('post_install', '-at_install')
class TestArchivedTerms(ApprovalCommon):
    """What is archived decides nothing, also when a client asks for archived records."""

    ALL = {'active_test': False}

    def _submit_with_archived(self):
        vals = {
            'partner_id': self.customer.id,
            'line_ids': self._prepare_return_lines(self.lamp_line, 1),
        }
        returns = self.env['sale.return']
        sale_return = returns.browse(
            self._call(self.clerk, returns, 'create', vals, context=self.ALL)
        )
        self._call(self.clerk, sale_return, 'action_submit', context=self.ALL)
        return sale_return

    def test_archived_policy(self):
        self.policy.approval = 'always'
        self.policy.copy(
            {'sequence': self.policy.sequence - 1, 'approval': 'none', 'active': False}
        )
        sale_return = self._submit_with_archived()
        self.assertEqual(sale_return.line_ids.policy_id, self.policy)
        self.assertEqual(sale_return.state, 'submitted')

    def test_archived_level(self):
        self._two_levels()
        self._add_level(name="Old", approver_type='group', sequence=0, active=False)
        sale_return = self._submit_with_archived()
        self.assertEqual(sale_return.step_ids.mapped('name'), ["Desk"])

    def test_archived_rule(self):
        self.policy.approval = 'none'
        rule = {'name': "Old", 'policy_id': self.policy.id, 'kind': 'window', 'outcome': 'refuse'}
        old = self.env['sale.return.rule'].create({**rule, 'active': False})
        verdicts = self._submit_with_archived().line_ids.verdicts
        self.assertTrue(verdicts)
        self.assertNotIn(old.id, [verdict['rule_id'] for verdict in verdicts])

    def test_archived_disposition(self):
        self.policy.approval = 'none'
        old = self.env.ref('sale_return.disposition_scrap').copy({'code': 'OLD', 'active': False})
        sale_return = self._submit_with_archived()
        self._receive(sale_return)
        inspector = self._create_user('old_inspector', 'sale_return.group_inspector')
        with self.assertRaisesRegex(UserError, "There is no"):
            self._call(inspector, sale_return, 'action_inspect_all', old.code, context=self.ALL)


@tagged('post_install', '-at_install')
class TestApprovalBypass(ApprovalCommon):
    """No mix of our roles gets money or goods out of an unapproved return."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.policy.write({'approval': 'levels', 'release_event': 'receipt'})
        cls.env['sale.return.approval.level'].create(
            {
                'name': "Ann",
                'policy_id': cls.policy.id,
                'approver_type': 'user',
                'user_id': cls.ann.id,
            }
        )
        cls.attackers = {
            roles: cls._create_user(
                'attacker_' + '_'.join(roles),
                *(f'sale_return.group_{role}' for role in roles),
                'sales_team.group_sale_salesman_all_leads',
                'stock.group_stock_user',
            )
            for size in (1, 2, 3)
            for roles in itertools.combinations(ROLES, size)
        }
        cls.attackers['manager'] = cls._create_user(
            'attacker_manager',
            'sale_return.group_manager',
            'sales_team.group_sale_salesman_all_leads',
            'stock.group_stock_user',
        )

    def _received_return(self, user):
        """Return two lamps Odoo's way: they are in quarantine, nobody has approved them."""
        picking = self._return_in_inventory(self.order.picking_ids, {self.product: 2}, user=user)
        picking.move_ids.filtered(lambda m: not m.quantity).quantity = 2
        self._process(picking.with_user(user))
        return picking.sale_return_id

    def _assert_untouched(self, sale_return):
        self.env.invalidate_all()
        self.assertEqual(sale_return.state, 'submitted')
        self.assertFalse(sale_return.credit_note_ids)
        self.assertFalse(sale_return.inspection_ids)
        self.assert_on_hand(self.product, 2, self.quarantine)
        self.assertEqual(sale_return.step_ids.state, 'pending')

    def _get_attempts(self, sale_return):
        line = sale_return.line_ids
        step = sale_return.step_ids
        approval = {
            'return_id': sale_return.id,
            'decision': 'approved',
            'step_id': step.id,
            'user_id': self.ann.id,
        }
        result = [{'quantity': 2, 'disposition': 'restock', 'line_id': line.id}]
        return [
            (sale_return, 'write', {'state': 'approved'}),
            (sale_return, 'write', {'state': 'closed'}),
            (sale_return, 'write', {'line_ids': [Command.update(line.id, {'qty_authorized': 2})]}),
            (
                sale_return,
                'write',
                {'line_ids': [Command.update(line.id, {'decision': 'approved'})]},
            ),
            (
                sale_return,
                'write',
                {'line_ids': [Command.update(line.id, {'reason_id': self.reason_other.id})]},
            ),
            (sale_return, 'write', {'line_ids': [Command.clear()]}),
            (sale_return, 'write', {'approval_ids': [Command.create(approval)]}),
            (sale_return, 'write', {'step_ids': [Command.clear()]}),
            (sale_return, 'write', {'step_ids': [Command.update(step.id, {'state': 'approved'})]}),
            (sale_return, 'write', {'requested_by_id': self.cleo.id}),
            (sale_return, 'write', {'fingerprint': 'x'}),
            (line, 'write', {'qty_authorized': 2}),
            (line, 'write', {'qty_requested': 1}),
            (line, 'write', {'state': 'approved'}),
            (line, 'write', {'decision': 'approved'}),
            (line, 'write', {'verdict_outcome': 'authorize'}),
            (line, 'write', {'policy_id': self.policy.copy({'approval': 'none'}).id}),
            (line, 'unlink'),
            (line, 'copy', {'return_id': sale_return.id}),
            (line, 'register_inspection', result),
            (line, 'action_split', 1),
            (line, 'action_authorize', 2),
            (step, 'write', {'state': 'approved'}),
            (step, 'write', {'state': 'void'}),
            (step, 'unlink'),
            (step, 'create', {'return_id': sale_return.id, 'name': "x", 'approver_type': 'group'}),
            (self.env['sale.return.approval'], 'create', approval),
            (sale_return, 'copy'),
            (sale_return, 'unlink'),
            (sale_return, 'action_approve'),
            (sale_return, 'action_create_credit_notes'),
            (sale_return, 'action_inspect_all', 'restock'),
            (sale_return, 'action_close', "x"),
        ]

    def test_no_role_and_no_mix_of_roles_gets_past_the_approval(self):
        context = {
            'approval_skip': True,
            'sale_return_approved': True,
            'default_state': 'approved',
            'default_decision': 'approved',
            'default_qty_authorized': 2,
            'tracking_disable': True,
            'install_mode': True,
        }
        sale_return = self._received_return(self.staff)
        for roles, user in self.attackers.items():
            for records, method, *args in self._get_attempts(sale_return):
                for flags in ({}, context):
                    with self.subTest(roles=roles, method=method, args=args):
                        with contextlib.suppress(UserError):
                            self._call(user, records, method, *args, context=flags)
                        if sale_return.exists().state != 'submitted':
                            self.fail(f"{roles}: {method} {args}")
        self._assert_untouched(sale_return)

    def test_no_return_is_created_approved(self):
        vals = {
            'partner_id': self.customer.id,
            'line_ids': self._prepare_return_lines(self.lamp_line, 1),
        }
        forged = [
            {'state': 'approved'},
            {'state': 'closed'},
            {'approval_ids': [Command.create({'decision': 'approved'})]},
            {'step_ids': [Command.create({'name': "x", 'approver_type': 'group'})]},
            {'requested_by_id': self.cleo.id},
            {'submission_count': 5},
        ]
        for user in self.attackers.values():
            for more in forged:
                with self.subTest(user=user.login, more=more), self.assert_refused():
                    self._call(user, self.env['sale.return'], 'create', {**vals, **more})
        for name, value in (
            ('qty_authorized', 1),
            ('decision', 'approved'),
            ('policy_id', self.policy.id),
            ('verdict_outcome', 'authorize'),
        ):
            line = {**vals['line_ids'][0], name: value}
            with self.subTest(name=name), self.assert_refused():
                self._call(
                    self.staff, self.env['sale.return'], 'create', {**vals, 'line_ids': [line]}
                )

    def test_context_creates_nothing_approved(self):
        vals = {
            'partner_id': self.customer.id,
            'line_ids': self._prepare_return_lines(self.lamp_line, 1),
        }
        flags = {'default_state': 'approved', 'default_qty_authorized': 1}
        with contextlib.suppress(UserError):
            return_id = self._call(
                self.staff, self.env['sale.return'], 'create', vals, context=flags
            )
            sale_return = self.env['sale.return'].browse(return_id)
            self.assertEqual(sale_return.state, 'draft')
            self.assertEqual(sale_return.line_ids.qty_authorized, 0)

    def test_quarantine_is_not_emptied_by_hand_before_the_approval(self):
        sale_return = self._received_return(self.staff)
        for user in (self.attackers['user', 'inspector', 'approver'], self.attackers['manager']):
            with contextlib.suppress(UserError), self.env.cr.savepoint():
                move = (
                    self.env['stock.move']
                    .with_user(user)
                    .create(
                        {
                            'product_id': self.product.id,
                            'product_uom_qty': 2,
                            'location_id': self.quarantine.id,
                            'location_dest_id': self.stock.id,
                        }
                    )
                )
                move._action_confirm()
                move.quantity = 2
                move.picked = True
                move._action_done()
        self._assert_untouched(sale_return)

    def test_lines_cannot_be_edited_after_the_approval(self):
        sale_return = self._request(1)
        self._approve(self.ann, sale_return)
        line = sale_return.line_ids
        for user in (*self.attackers.values(), self.staff):
            for vals in (
                {'qty_requested': 5},
                {'qty_authorized': 5},
                {'sale_line_id': self.other_line.id},
                {'reason_id': self.reason_other.id},
                {'resolution': 'none'},
                {'return_id': self._create_return(self.lamp_line, 1, submit=False).id},
            ):
                with self.subTest(user=user.login, vals=vals), self.assert_refused():
                    self._call(user, line, 'write', vals)
            with self.assert_refused():
                self._call(
                    user,
                    self.env['sale.return.line'],
                    'create',
                    {
                        **self._prepare_return_lines(self.other_line, 5)[0],
                        'return_id': sale_return.id,
                    },
                )

    def test_draft_lines_are_not_moved_into_an_approved_return(self):
        approved = self._request(1)
        self._approve(self.ann, approved)
        draft = self._create_return(self.other_line, 5, submit=False)
        with self.assert_refused("fixed since it was submitted"):
            self._call(self.staff, draft.line_ids, 'write', {'return_id': approved.id})

    def test_history_is_append_only(self):
        sale_return = self._request(1)
        self._approve(self.ann, sale_return)
        for user in (self.ann, self.staff):
            for record in (sale_return.approval_ids, sale_return.step_ids, sale_return.event_ids):
                for method, args in (('unlink', []), ('write', [{'return_id': False}])):
                    with self.assert_refused():
                        self._call(user, record, method, *args)

    def test_dearer_order_makes_the_approval_void_and_asks_the_levels_it_needs_now(self):
        self._add_level(name="Board", sequence=20, amount_from=300)
        self._add_level(name="Second", sequence=15)
        sale_return = self._request(2)  # 242.00
        self._approve(self.ann, sale_return)
        self.assertEqual(sale_return.waiting_for, "Second")
        self.lamp_line.sudo().price_unit = 1000
        self._blocked(self.bob, sale_return, "waits for “Ann”")

    def test_void_approval_is_told_and_given_again(self):
        self._add_level(name="Second", sequence=15)
        sale_return = self._request(2)
        self._approve(self.ann, sale_return)
        self._call(self.bob, sale_return.line_ids, 'action_authorize', 1, "One was used.")
        self.assertEqual(sale_return.waiting_for, "Ann")
        event = sale_return.event_ids.filtered(lambda e: e.kind == 'approval_void')
        self.assertEqual(event.details, "Ann")
        self._approve(self.ann, sale_return)
        self.assertEqual(self._approve(self.bob, sale_return), 'approved')
        self.assert_quantities(sale_return.line_ids, authorized=1)

    def test_changed_draft_is_approved_again_from_the_beginning(self):
        self._add_level(name="Second", sequence=15)
        sale_return = self._request(2)
        self._approve(self.ann, sale_return)
        self._call(self.clerk, sale_return, 'action_draft')
        self._call(self.clerk, sale_return.line_ids, 'write', {'qty_requested': 9})
        self._call(self.clerk, sale_return, 'action_submit')
        self._blocked(self.bob, sale_return, "waits for “Ann”")
