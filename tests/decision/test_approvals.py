from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged
from odoo.tests.form import Form

from ..common import SaleReturnCommon


class ApprovalCommon(SaleReturnCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_sale({}, {'product': cls.product_on_order})
        cls.lamp_line, cls.other_line = cls.order.order_line
        sales = 'sales_team.group_sale_salesman_all_leads'
        cls.clerk = cls._create_user('returns_clerk', 'sale_return.group_user', sales)
        cls.ann, cls.bob, cls.cleo = (
            cls._create_user(f'returns_{name}', 'sale_return.group_approver', sales)
            for name in ('ann', 'bob', 'cleo')
        )
        cls.approvers = cls.env.ref('sale_return.group_approver').sudo()
        cls.managers = cls.env.ref('sale_return.group_manager').sudo()

    def _add_level(self, policy=None, **values):
        return self.env['sale.return.approval.level'].create(
            {'name': "Level", 'policy_id': (policy or self.policy).id, **values}
        )

    def _two_levels(self):
        """First Ann, then every approver from 300.00 on."""
        self.policy.approval = 'levels'
        return self._add_level(
            name="Desk", approver_type='user', user_id=self.ann.id, sequence=1
        ) + self._add_level(name="Board", sequence=2, amount_from=300, approver_type='group')

    def _request(self, quantity=1, reason=None, lines=None, user=None):
        """Have the clerk request a return of lamps (121.00 each)."""
        vals = {
            'partner_id': self.customer.id,
            'line_ids': self._prepare_return_lines(lines or self.lamp_line, quantity, reason),
        }
        return_id = self._call(user or self.clerk, self.env['sale.return'], 'create', vals)
        sale_return = self.env['sale.return'].browse(return_id)
        self._call(user or self.clerk, sale_return, 'action_submit')
        return sale_return

    def _approve(self, user, sale_return, **kwargs):
        self._call(user, sale_return, 'action_approve', **kwargs)
        sale_return.invalidate_recordset()
        return sale_return.state

    def _blocked(self, user, sale_return, text):
        with self.assert_refused(text):
            self._call(user, sale_return, 'action_approve')
        self.assertEqual(sale_return.state, 'submitted')


@tagged('post_install', '-at_install')
class TestLevels(ApprovalCommon):
    """Ranges of amounts, reasons and categories determine which levels decide, in turn."""

    def test_levels_decide_in_turn(self):
        self._two_levels()
        sale_return = self._request(3)
        self.assertEqual(sale_return.step_ids.mapped('name'), ["Desk", "Board"])
        self._blocked(self.bob, sale_return, "Desk")
        self.assertEqual(self._approve(self.ann, sale_return), 'submitted')
        self.assertEqual(sale_return.waiting_for, "Board")
        self.assertFalse(sale_return.picking_ids)
        self.assertEqual(self._approve(self.bob, sale_return), 'approved')
        self.assertEqual(sale_return.step_ids.decided_by_id, self.ann + self.bob)
        self.assertEqual(len(sale_return.picking_ids), 1)
        self.assertEqual(
            sale_return.approval_ids.sorted('id').step_id.mapped('name'), ["Desk", "Board"]
        )

    def test_nobody_decides_on_two_levels_of_one_return(self):
        self._two_levels()
        sale_return = self._request(3)
        self._approve(self.ann, sale_return)
        self._blocked(self.ann, sale_return, "decided on a level")

    def test_below_all_bands_nobody_is_asked(self):
        self.policy.approval = 'levels'
        self._add_level(amount_from=300)
        self.assertEqual(self._request(2).state, 'approved')  # 242.00
        self.assertEqual(self._request(3).state, 'submitted')  # 363.00

    def test_band_has_an_upper_end(self):
        self.policy.approval = 'levels'
        self._add_level(name="Small", amount_to=300)
        self._add_level(name="Large", amount_from=300)
        self.assertEqual(self._request(2).step_ids.name, "Small")
        self.assertEqual(self._request(3).step_ids.name, "Large")

    def test_band_in_another_currency(self):
        pricelist = self._setup_currency('EUR')
        order = self._create_sale(pricelist_id=pricelist.id)
        self.policy.approval = 'levels'
        self._add_level(amount_from=300)
        # 121 EUR are 60.50 in the currency of the level.
        self.assertEqual(self._request(4, lines=order.order_line).state, 'approved')
        self.assertEqual(self._request(5, lines=order.order_line).state, 'submitted')

    def test_levels_by_reason_and_category(self):
        self.policy.approval = 'levels'
        gift = self.env['product.category'].create({'name': "Gifts"})
        self.product_on_order.categ_id = gift
        self._add_level(name="Quality", reason_ids=[Command.set(self.reason_defective.ids)])
        self._add_level(name="Gifts", product_categ_ids=[Command.set(gift.ids)])
        self.assertEqual(self._request(1).step_ids.name, "Quality")
        self.assertEqual(self._request(1, self.reason_changed_mind).state, 'approved')
        both = self._request(1, lines=self.lamp_line + self.other_line)
        self.assertEqual(both.step_ids.mapped('name'), ["Quality", "Gifts"])
        other = self._request(1, self.reason_changed_mind, lines=self.other_line)
        self.assertEqual(other.step_ids.name, "Gifts")

    def test_requesters_manager_is_the_leader_of_the_team(self):
        self.policy.approval = 'levels'
        self._add_level(approver_type='manager')
        team = self.env['crm.team'].create({'name': "Shop", 'user_id': self.cleo.id})
        order = self._create_sale(team_id=team.id)
        sale_return = self._request(1, lines=order.order_line)
        self._blocked(self.bob, sale_return, "waits for")
        self.assertEqual(self._approve(self.cleo, sale_return), 'approved')

    def test_leaders_own_request_is_decided_on_by_a_manager(self):
        self.policy.approval = 'levels'
        self._add_level(approver_type='manager')
        team = self.env['crm.team'].create({'name': "Shop", 'user_id': self.cleo.id})
        order = self._create_sale(team_id=team.id)
        sale_return = self._request(1, lines=order.order_line, user=self.cleo)
        self._blocked(self.bob, sale_return, "a manager of Returns")
        self.assertEqual(self._approve(self.staff, sale_return), 'approved')

    def test_group_decides_only_with_the_role(self):
        group = self.env['res.groups'].sudo().create({'name': "Quality"})
        (self.ann + self.clerk).sudo().group_ids = [Command.link(group.id)]
        self.policy.approval = 'levels'
        self._add_level(approver_type='group', group_id=group.id)
        sale_return = self._request(1, user=self.bob)
        with self.assert_refused("Approver", AccessError):
            self._call(self.clerk, sale_return, 'action_approve')
        self._blocked(self.cleo, sale_return, "waits for")
        self.assertEqual(self._approve(self.ann, sale_return), 'approved')

    def test_approver_who_left_is_replaced_by_the_managers(self):
        self._two_levels()
        sale_return = self._request(1)
        self.ann.sudo().active = False
        self._blocked(self.bob, sale_return, "a manager of Returns")
        self.assertEqual(self._approve(self.staff, sale_return), 'approved')

    def test_manager_does_not_decide_for_somebody_who_is_there(self):
        self._two_levels()
        self._blocked(self.staff, self._request(1), "waits for")

    def test_level_that_is_changed_is_changed_for_new_returns(self):
        level = self._two_levels()[0]
        sale_return = self._request(1)
        level.user_id = self.bob
        self.policy.approval = 'none'
        self._blocked(self.bob, sale_return, "waits for")
        self.assertEqual(self._approve(self.ann, sale_return), 'approved')
        self.assertEqual(self._request(1).state, 'approved')

    def test_level_is_set_up_with_a_sentence_for_what_is_missing(self):
        for values, text in (
            ({'approver_type': 'user'}, "Choose who decides"),
            ({'approver_type': 'user', 'user_id': self.clerk.id}, "does not have the role"),
            ({'amount_from': 100, 'amount_to': 50}, "does not apply to any amount"),
        ):
            with self.assert_refused(text, ValidationError):
                self._add_level(**values)

    def test_waiting_for_me(self):
        self._two_levels()
        small, large = self._request(1), self._request(3)
        self._approve(self.ann, large)
        mine = {
            user: self.env['sale.return'].with_user(user).search([('waiting_for_me', '=', True)])
            & (small + large)
            for user in (self.ann, self.bob, self.clerk, self.staff)
        }
        self.assertEqual(mine[self.ann], small)
        self.assertEqual(mine[self.bob], large)
        self.assertFalse(mine[self.clerk])
        self.assertEqual(mine[self.staff], large)
        self.assertFalse(large.with_user(self.ann).waiting_for_me)
        self.assertIn(
            large,
            self.env['sale.return'].with_user(self.ann).search([('waiting_for_me', '=', False)]),
        )

    def test_approver_has_an_activity_until_they_decided(self):
        self._two_levels()
        sale_return = self._request(3)
        self.assertEqual(sale_return.activity_ids.user_id, self.ann)
        self._approve(self.ann, sale_return)
        self.assertIn(self.bob, sale_return.activity_ids.user_id)
        self.assertNotIn(self.ann, sale_return.activity_ids.user_id)
        self._approve(self.bob, sale_return)
        self.assertFalse(sale_return.activity_ids)

    def test_two_returns_at_once(self):
        self._two_levels()
        returns = self._request(1) + self._request(3)
        self._call(self.ann, returns, 'action_approve')
        self.assertEqual(returns.mapped('state'), ['approved', 'submitted'])

    def test_set_back_to_draft_begins_anew(self):
        self._two_levels()
        sale_return = self._request(3)
        self._approve(self.ann, sale_return)
        self._call(self.clerk, sale_return, 'action_draft')
        self._call(self.clerk, sale_return, 'action_submit')
        self.assertEqual(sale_return.waiting_for, "Desk")
        self.assertEqual(
            sale_return.step_ids.sorted('id').mapped('state'),
            ['void', 'void', 'pending', 'pending'],
        )


@tagged('post_install', '-at_install')
class TestSubstitutes(ApprovalCommon):
    """While somebody is away their substitute decides."""

    def _away(self, user, substitute, begin=0, end=0, caller=None):
        today = fields.Date.context_today(self.env.user)
        return self._call(
            caller or user,
            self.env['sale.return.substitute'],
            'create',
            {
                'user_id': user.id,
                'substitute_id': substitute.id,
                'date_from': today + timedelta(days=begin),
                'date_to': today + timedelta(days=end),
            },
        )

    def test_substitute_decides_during_the_absence(self):
        self._two_levels()
        self._away(self.ann, self.bob)
        sale_return = self._request(1)
        self.assertIn(self.bob, sale_return.activity_ids.user_id)
        self.assertEqual(self._approve(self.bob, sale_return), 'approved')

    def test_absence_that_is_over_or_to_come_does_not_count(self):
        self._two_levels()
        self._away(self.ann, self.bob, -5, -1)
        self._away(self.ann, self.bob, 1, 5)
        self._blocked(self.bob, self._request(1), "waits for")

    def test_substitute_does_not_choose_the_day(self):
        """A client sends any time zone: it is another day there for some hours."""
        self._two_levels()
        self._away(self.ann, self.bob, -1, -1)
        self._away(self.ann, self.bob, 1, 1)
        sale_return = self._request(1)
        for zone in ('Etc/GMT+12', 'Pacific/Kiritimati'):
            with self.subTest(zone), self.assert_refused("waits for"):
                self._call(self.bob, sale_return, 'action_approve', context={'tz': zone})

    def test_substitute_of_the_substitute(self):
        self._two_levels()
        self._away(self.ann, self.bob)
        self._away(self.bob, self.cleo)
        self.assertEqual(self._approve(self.cleo, self._request(1)), 'approved')

    def test_substitute_of_an_approver_who_left(self):
        self._two_levels()
        self._away(self.ann, self.bob)
        self.ann.sudo().active = False
        self.assertEqual(self._approve(self.bob, self._request(1)), 'approved')

    def test_substitute_neither_decides_on_their_own_request_nor_on_two_levels(self):
        self._two_levels()
        self._away(self.ann, self.bob)
        self._blocked(self.bob, self._request(1, user=self.bob), "asked for return")
        sale_return = self._request(3)
        self._approve(self.bob, sale_return)
        self._blocked(self.bob, sale_return, "decided on a level")

    def test_substitute_needs_the_role(self):
        self._two_levels()
        self._away(self.ann, self.clerk)
        sale_return = self._request(1, user=self.bob)
        with self.assert_refused("Approver", AccessError):
            self._call(self.clerk, sale_return, 'action_approve')

    def test_circle_is_refused_with_a_sentence(self):
        self._away(self.ann, self.bob)
        self._away(self.bob, self.cleo)
        with self.assert_refused("their own substitute", ValidationError):
            self._away(self.cleo, self.ann)
        with self.assert_refused("their own substitute", ValidationError):
            self._away(self.cleo, self.cleo)
        self._away(self.cleo, self.ann, 1, 2)  # on another day there is no cycle

    def test_circle_that_came_about_all_the_same_ends(self):
        self._two_levels()
        self._away(self.ann, self.bob)
        second = self._away(self.bob, self.cleo)
        self.env.cr.execute(
            'UPDATE sale_return_substitute SET substitute_id = %s WHERE id = %s',
            (self.ann.id, second),
        )
        self.env.invalidate_all()
        self.assertEqual(self._approve(self.bob, self._request(1)), 'approved')

    def test_nobody_names_themselves_for_somebody_else(self):
        with self.assert_refused(exception=AccessError):
            self._away(self.ann, self.bob, caller=self.bob)
        with self.assert_refused(exception=AccessError):
            self._away(self.ann, self.clerk, caller=self.clerk)
        self._away(self.ann, self.bob, caller=self.staff)


@tagged('post_install', '-at_install')
class TestLineDecisions(ApprovalCommon):
    """Each line is approved, reduced or refused, with a reason; the return follows."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.policy.approval = 'always'

    def setUp(self):
        super().setUp()
        self.sale_return = self._request(4, lines=self.lamp_line + self.other_line)
        self.lamp, self.other = self.sale_return.line_ids

    def test_reduced_and_refused_lines(self):
        self._call(self.ann, self.lamp, 'action_authorize', 3, "One was used.")
        self._call(self.ann, self.other, 'action_refuse', "All were used.")
        self.assertEqual((self.lamp.decision, self.other.decision), ('reduced', 'refused'))
        self.assertEqual((self.lamp_line.qty_returnable, self.other_line.qty_returnable), (7, 10))
        self.assertEqual(self._approve(self.ann, self.sale_return), 'approved')
        self.assert_quantities(self.lamp, authorized=3)
        self.assert_quantities(self.other, authorized=0, to_credit=0)
        self.assertEqual(self.sale_return.picking_ids.move_ids.mapped('product_uom_qty'), [3])
        self._receive(self.sale_return)
        self.sale_return.action_inspect_all('restock')
        self.assertEqual(
            (self.sale_return.state, self.sale_return.amount_credited), ('closed', 363.0)
        )
        self.assert_progress(self.sale_return, 'full', 'full', 'full')

    def test_all_lines_refused_is_a_refused_return(self):
        self._call(self.ann, self.lamp, 'action_refuse', "Used.")
        self.assertEqual(self.sale_return.state, 'submitted')
        self._call(self.ann, self.other, 'action_refuse', "Used, too.")
        self.assertEqual(self.sale_return.state, 'refused')
        self.assertEqual(self.order.order_line.mapped('qty_returnable'), [10, 10])

    def test_reason_is_demanded(self):
        for method, args in (('action_refuse', []), ('action_authorize', [3])):
            with self.assert_refused("Enter why"):
                self._call(self.ann, self.lamp, method, *args)
        self._call(self.ann, self.lamp, 'action_authorize')
        self.assertEqual(self.lamp.decision, 'approved')

    def test_quantity_out_of_range(self):
        for quantity, sentence in (
            (0, "can be approved"),
            (-1, "can be approved"),
            (5, "can be approved"),
            (float('nan'), "has to be a number"),
            ("2", "has to be a number"),
            (True, "has to be a number"),
        ):
            with self.subTest(quantity=quantity), self.assert_refused(sentence):
                self._call(self.ann, self.lamp, 'action_authorize', quantity, "x")

    def test_only_approvers_and_not_the_one_who_asked(self):
        with self.assert_refused("Approver", AccessError):
            self._call(self.clerk, self.lamp, 'action_refuse', "x")
        mine = self._request(1, user=self.ann)
        with self.assert_refused("asked for return"):
            self._call(self.ann, mine.line_ids, 'action_authorize')

    def test_decided_by_the_dialog(self):
        self.env['sale.return.refusal.template'].create({'name': "Used", 'text': "It was used."})
        template = self.env['sale.return.refusal.template'].search([('name', '=', "Used")])
        action = self.lamp.action_open_decision()
        with Form(
            self.env['sale.return.decide'].with_user(self.ann).with_context(**action['context'])
        ) as form:
            form.quantity = 1
            form.template_id = template
            self.assertEqual(form.reason, "It was used.")
        form.record.action_confirm()
        self.assertEqual((self.lamp.decision, self.lamp.qty_authorized), ('reduced', 1))

    def test_template_is_counted_when_a_return_is_refused_with_it(self):
        template = self.env['sale.return.refusal.template'].create(
            {'name': "Used", 'text': "It was used."}
        )
        action = self.sale_return.action_open_refusal()
        form = Form(self.env['sale.return.explain'].with_context(**action['context']))
        form.template_id = template
        form.save().action_confirm()
        self.assertEqual(self.sale_return.state, 'refused')
        self.assertEqual(self.sale_return.approval_ids.comment, "It was used.")
        self.assertEqual(template.use_count, 1)

    def test_goods_that_are_under_way_are_decided_on_by_their_inspection(self):
        self._create_policy(approval='always')
        picking = self._return_in_inventory(self.order.picking_ids, {self.product: 2})
        line = picking.sale_return_id.line_ids
        with self.assert_refused("with the inspection"):
            self._call(self.ann, line, 'action_refuse', "x")

    def test_who_decides_sees_how_the_like_was_decided(self):
        """Same reason, goods of the same category, decided: nothing else."""
        refused, other_reason, open_one, mine = (
            self._request(reason=reason) for reason in (None, self.reason_other, None, None)
        )
        self._call(self.ann, refused, 'action_refuse', "It was used.")
        self._approve(self.ann, other_reason)
        action = self._call(self.ann, mine.line_ids, 'action_view_similar')
        similar = self.env['sale.return.line'].with_user(self.ann).search(action['domain'])
        self.assertIn(refused.line_ids, similar)
        self.assertFalse(similar & (other_reason | open_one | mine).line_ids)
        self.assertEqual(similar[:1].decision_reason, "It was used.")
        with self.assertRaises(AccessError):
            self._call(self.clerk, mine.line_ids, 'action_view_similar')

    def test_set_back_to_draft_forgets_the_decisions(self):
        self._call(self.ann, self.lamp, 'action_authorize', 3, "One was used.")
        self._call(self.clerk, self.sale_return, 'action_draft')
        self.assertEqual((self.lamp.decision, self.lamp.qty_authorized), ('pending', 0))
        self._call(self.clerk, self.sale_return, 'action_submit')
        self.assertEqual(self.lamp_line.qty_returnable, 6)

    def test_events_say_who_decided_what(self):
        self._call(self.ann, self.lamp, 'action_authorize', 3, "One was used.")
        event = self.sale_return.event_ids.filtered(lambda e: e.kind == 'line_decided')
        self.assertEqual((event.user_id, event.reason), (self.ann, "One was used."))
