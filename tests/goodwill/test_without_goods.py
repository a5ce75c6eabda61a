from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from ..common_portal import PortalHttpCommon

SALES = 'sales_team.group_sale_salesman_all_leads'


@tagged('post_install', '-at_install')
class TestWithoutGoods(PortalHttpCommon):
    """Credits without goods always need a person, however they were requested."""

    ready_sales = 1

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Not offered to customers by default.
        cls.reason_missing.sudo().portal = True
        cls.clerk = cls._create_user('without_clerk', 'sale_return.group_user', SALES)
        cls.approver = cls._create_user('without_approver', 'sale_return.group_approver', SALES)
        cls.keeper = cls._create_user('without_keeper', 'stock.group_stock_user')

    # === WHAT === #

    def _create_order_with_reason(self):
        return self._create_sale(), self.reason_missing

    def _create_order_of_service(self):
        order = self._create_order({'product': self.service})
        self._invoice(order)
        return order, self.reason_defective

    def _get_kinds(self):
        return {
            'reason': self._create_order_with_reason,
            'service': self._create_order_of_service,
        }

    # === HOW === #

    def _ask_by_dialog(self, order, reason):
        env = self._env_of(self.clerk)
        action = env['sale.order'].browse(order.id).action_create_return()
        with Form(env['sale.return.create'].with_context(**action['context'])) as form:
            self.assertIs(form.approval_note, False)
            with form.line_ids.edit(0) as line:
                line.quantity = 2
            form.reason_id = env['sale.return.reason'].browse(reason.id)
            self.assertIn("needs an approver", form.approval_note)
        form.record.action_create_and_submit()

    def _ask_by_call(self, order, reason):
        values = {
            'partner_id': order.partner_id.id,
            'line_ids': self._prepare_return_lines(order.order_line, 2, reason),
        }
        sale_return = self.env['sale.return'].browse(
            self._call(self.clerk, self.env['sale.return'], 'create', values)
        )
        self._call(self.clerk, sale_return, 'action_submit')

    def _ask_on_the_portal(self, order, reason, token=None):
        line = order.order_line
        summary = self._ask({line: 2}, order, token, **{f'reason_{line.id}': reason.id})
        self.assertFalse(self._find(summary, 'o_sale_return_total'))
        self.assertIn("we will check this and tell you", self._text(summary))
        last = self._send(summary)
        for page in (summary, last):
            self.assertNotIn("$", self._text(page))
        self.assertNotIn("keep the goods", self._text(last))
        self.env.invalidate_all()
        followed = self._text(self._open(order.return_ids.get_portal_url()))
        self.assertIn("we will check this and tell you", followed)
        self.assertNotIn("$", followed)

    def _ask_as_customer(self, order, reason):
        self._log_in(self.jane)
        self._ask_on_the_portal(order, reason)

    def _ask_as_guest(self, order, reason):
        self._log_in(None)
        self._ask_on_the_portal(order, reason, order._get_return_token())

    # === WAITS === #

    def _set_policy(self, approval):
        sequence = {'none': -200, 'levels': -300, 'always': -400}[approval]
        policy = self._create_policy(approval=approval, sequence=sequence)
        if approval == 'levels':
            # A level that these returns do not reach.
            policy.level_ids = [Command.create({'name': "Large", 'amount_from': 1000000.0})]

    def _check_waits(self, ask):
        for approval in ('none', 'levels', 'always'):
            self._set_policy(approval)
            for kind, create_order in self._get_kinds().items():
                with self.subTest(approval=approval, kind=kind):
                    order, reason = create_order()
                    ask(order, reason)
                    self.env.invalidate_all()
                    self._check_waiting(order.return_ids)

    def _check_waiting(self, sale_return):
        self.assertEqual(sale_return.state, 'submitted')
        self.assertFalse(sale_return.credit_note_ids)
        codes = [verdict['code'] for verdict in sale_return.line_ids.verdicts]
        self.assertIn('nothing_comes_back', codes)
        with self.assert_refused(exception=AccessError):
            self._call(self.clerk, sale_return, 'action_approve')
        self.assertFalse(sale_return.credit_note_ids)
        self._call(self.approver, sale_return, 'action_approve')
        self.env.invalidate_all()
        self.assertEqual(sale_return.credit_note_ids.amount_total, 242.0)

    def test_asked_by_the_dialog(self):
        self._check_waits(self._ask_by_dialog)

    def test_asked_by_a_remote_client(self):
        self._check_waits(self._ask_by_call)

    def test_asked_by_a_customer(self):
        self._check_waits(self._ask_as_customer)

    def test_asked_by_a_guest(self):
        self._check_waits(self._ask_as_guest)

    def test_not_asked_in_inventory_where_goods_come(self):
        order = self._create_sale()
        values = {'sale_return_reason_id': self.reason_missing.id}
        with self.assert_refused("do not come back"):
            self._return_in_inventory(order.picking_ids, 2, user=self.keeper, **values)
        self.assertFalse(order.return_ids)

    def test_rules_that_let_everything_pass_do_not_help(self):
        self.env['sale.return.rule'].create(
            {
                'policy_id': self.policy.id,
                'kind': 'value',
                'amount': 1000000.0,
                'outcome': 'authorize',
                'reason_ids': [Command.link(self.reason_missing.id)],
            }
        )
        order = self._create_sale()
        self._ask_by_call(order, self.reason_missing)
        self._check_waiting(order.return_ids)

    def test_goods_that_the_policy_leaves_with_the_customer_wait(self):
        self._create_policy(default_disposition_id=self.keep.id)
        order = self._create_sale()
        self._ask_by_call(order, self.reason_defective)
        sale_return = order.return_ids
        self.assertEqual(sale_return.state, 'submitted')
        self._call(self.approver, sale_return, 'action_approve')
        self.assertEqual(sale_return.state, 'approved')

    def test_one_line_without_goods_makes_the_return_wait(self):
        order = self._create_sale({}, {'product': self.service})
        sale_return = self._create_return(order, 2)
        self.assertEqual(sale_return.state, 'submitted')
        self.assertFalse(sale_return.credit_note_ids)
        summary = self.env['sale.return.portal.request'].sudo()._get_estimates(sale_return.sudo())
        self.assertEqual([row['total'] for row in summary], [242.0], "the goods alone")
        self._call(self.approver, sale_return, 'action_approve')
        self.assertEqual(sale_return.credit_note_ids.amount_total, 242.0, "the service alone")

    def test_goods_of_a_waiting_return_are_received_all_the_same(self):
        self._set_policy('always')
        order = self._create_sale()
        picking = self._return_in_inventory(order.picking_ids, 2, user=self.keeper)
        self._process(picking)
        self.assertEqual(picking.state, 'done')
        sale_return = order.return_ids
        self.assertEqual((sale_return.state, sale_return.line_ids.qty_received), ('submitted', 2))
        self.assertFalse(sale_return.credit_note_ids)

    # === KEEPS === #

    def test_goods_are_left_with_the_customer_by_an_approver_who_did_not_ask(self):
        order = self._create_sale()
        sale_return = self._create_return(order, 3)
        inspector = self._create_user('without_inspector', 'sale_return.group_inspector')
        roles = ('sale_return.group_inspector', 'sale_return.group_approver')
        both = self._create_user('without_both', *roles)
        results = [{'quantity': 2, 'disposition': 'keep'}]
        with self.assert_refused(exception=AccessError):
            self._call(inspector, sale_return.line_ids, 'register_inspection', results)
        with self.assert_refused(exception=AccessError):
            self._call(inspector, sale_return, 'action_open_keep')
        self.assertFalse(sale_return.credit_note_ids)
        own = self.env['sale.return'].browse(
            self._call(
                both,
                sale_return,
                'create',
                {
                    'partner_id': order.partner_id.id,
                    'line_ids': self._prepare_return_lines(order.order_line, 3),
                },
            )
        )
        self._call(both, own, 'action_submit')
        with self.assert_refused("somebody else", exception=UserError):
            self._call(both, own.line_ids, 'register_inspection', results)
        self._call(both, sale_return.line_ids, 'register_inspection', results)
        self.assertEqual(sale_return.credit_note_ids.amount_total, 242.0)

    # === WRITTEN OFF === #

    def test_closing_credits_nothing_of_what_did_not_come(self):
        sale_return = self._create_return(self._create_sale(), 5)
        self._receive(sale_return, 2)
        sale_return.action_inspect_all('restock')
        note = sale_return.credit_note_ids
        self._call(self.clerk, sale_return, 'action_close', "The rest never came.")
        self.assertEqual((sale_return.state, sale_return.credit_note_ids), ('closed', note))
        self.assert_quantities(sale_return.line_ids, received=2, credited=2)
        self.assertEqual(sale_return.line_ids.qty_written_off, 3)
