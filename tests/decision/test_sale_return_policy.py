from odoo import Command
from odoo.tests import tagged

from ...tools.regime import REGIMES
from ..common import SaleReturnCommon


@tagged('post_install', '-at_install')
class TestPolicyMatching(SaleReturnCommon):
    """The first policy in sequence whose conditions all hold is the one that applies."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_sale()

    def _get_policy(self, order=None, reason=None):
        return self._create_return(order or self.order, 1, reason, submit=False).line_ids.policy_id

    def _assert_applies_only_to(self, policy, yes, no):
        self.assertEqual(self._get_policy(**yes), policy)
        self.assertEqual(self._get_policy(**no), self.policy)

    def test_policy_for_a_reason(self):
        policy = self._create_policy(reason_ids=[Command.set(self.reason_changed_mind.ids)])
        self._assert_applies_only_to(
            policy, {'reason': self.reason_changed_mind}, {'reason': self.reason_defective}
        )

    def test_policy_for_a_customer_tag(self):
        tag = self.env['res.partner.category'].sudo().create({'name': "Gold"})
        gold = self._create_customer("Gold", category_id=[Command.link(tag.id)])
        policy = self._create_policy(partner_category_ids=[Command.set(tag.ids)])
        self._assert_applies_only_to(
            policy, {'order': self._create_sale(partner_id=gold.id)}, {'order': self.order}
        )

    def test_policy_for_the_country_of_delivery(self):
        belgium = self.env.ref('base.be')
        abroad = self._create_customer("Abroad", country_id=belgium.id)
        policy = self._create_policy(country_ids=[Command.set(belgium.ids)])
        self._assert_applies_only_to(
            policy, {'order': self._create_sale(partner_id=abroad.id)}, {'order': self.order}
        )

    def test_policy_for_a_product_category_and_those_below(self):
        parent = self.env['product.category'].create({'name': "Hygiene"})
        child = self.env['product.category'].create({'name': "Razors", 'parent_id': parent.id})
        razor = self._create_product("Razor", categ_id=child.id)
        policy = self._create_policy(product_categ_ids=[Command.set(parent.ids)])
        self._assert_applies_only_to(
            policy, {'order': self._create_sale({'product': razor})}, {'order': self.order}
        )

    def test_policy_for_a_sales_team(self):
        team = self.env['crm.team'].create({'name': "Shop"})
        policy = self._create_policy(team_ids=[Command.set(team.ids)])
        self._assert_applies_only_to(
            policy, {'order': self._create_sale(team_id=team.id)}, {'order': self.order}
        )

    def test_all_conditions_have_to_hold(self):
        team = self.env['crm.team'].create({'name': "Shop"})
        policy = self._create_policy(
            team_ids=[Command.set(team.ids)],
            reason_ids=[Command.set(self.reason_changed_mind.ids)],
        )
        order = self._create_sale(team_id=team.id)
        self._assert_applies_only_to(
            policy,
            {'order': order, 'reason': self.reason_changed_mind},
            {'order': order, 'reason': self.reason_defective},
        )

    def test_lower_sequence_comes_first(self):
        later = self._create_policy(sequence=-150)
        self.assertEqual(self._get_policy(), later)
        sooner = self._create_policy(sequence=-160)
        self.assertEqual(self._get_policy(), sooner)

    def test_archived_policy_does_not_apply(self):
        self._create_policy(active=False)
        self.assertEqual(self._get_policy(), self.policy)

    def test_policy_of_a_draft_follows_what_is_changed(self):
        policy = self._create_policy(reason_ids=[Command.set(self.reason_changed_mind.ids)])
        line = self._create_return(self.order, 1, submit=False).line_ids
        line.reason_id = self.reason_changed_mind
        self.assertEqual(line.policy_id, policy)

    def test_policy_is_fixed_by_the_submission(self):
        line = self._create_return(self.order, 1).line_ids
        self._create_policy(reason_ids=[Command.set(self.reason_defective.ids)])
        self.reason_defective.sudo().return_expected = False
        line.invalidate_recordset()
        self.assertEqual(line.policy_id, self.policy)
        self.assertTrue(line.return_expected)

    def test_lines_of_one_return_may_have_different_policies(self):
        policy = self._create_policy(
            reason_ids=[Command.set(self.reason_changed_mind.ids)], release_event='approval'
        )
        sale_return = self.env['sale.return'].create(
            {
                'partner_id': self.customer.id,
                'line_ids': self._prepare_return_lines(self.order.order_line, 1)
                + self._prepare_return_lines(self.order.order_line, 1, self.reason_changed_mind),
            }
        )
        self.assertEqual(sale_return.line_ids.policy_id, self.policy + policy)
        sale_return.action_submit()
        self.assertEqual(sale_return.line_ids.mapped('qty_credited'), [0, 1])

    def test_values_out_of_range_are_refused(self):
        for values in (
            {'window_days': -1},
            {'expiry_days': -1},
            {'transit_days': -1},
            {'restocking_fee_percent': 101},
            {'restocking_fee_percent': -1},
            {'restocking_fee_fixed': -1},
        ):
            with self.subTest(values=values), self.assert_refused():
                self._call(self.staff, self.policy, 'write', values)

    def test_laws_that_are_not_complete_cannot_be_chosen(self):
        manager = self._create_user('regime_manager', 'sale_return.group_manager')
        offered = self.policy.with_user(manager).fields_get(['regime'])
        codes = dict(offered['regime']['selection'])
        for code in REGIMES:
            with self.subTest(code=code):
                if code in codes:
                    self._call(manager, self.policy, 'write', {'regime': code})
                    continue
                with self.assert_refused("cannot be chosen"):
                    self._call(manager, self.policy, 'write', {'regime': code})
                vals = {'name': "Law", 'regime': code, 'company_id': self.company.id}
                with self.assert_refused("cannot be chosen"):
                    self._call(manager, self.policy, 'create', [vals])
        self.env.invalidate_all()
        self.assertIn(self.policy.regime, codes)
