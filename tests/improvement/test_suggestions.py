"""Suggestions: each cause is found with its evidence, chance is not, and people decide."""

import doctest
import random
from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import BaseCase, tagged
from odoo.tools import SQL

from ...benchmarks import facts
from ...tools import advice
from ..common_improvement import ImprovementCommon


@tagged('post_install', '-at_install')
class TestAdvice(BaseCase):
    def test_examples(self):
        result = doctest.testmod(advice)
        self.assertGreater(result.attempted, 10)
        self.assertFalse(result.failed)

    def test_shops_without_a_cause_get_no_suggestion(self):
        """Of 400 random shops with five rules and twelve subjects each, at most 5 % get one."""
        chance = random.Random(19)
        alarms = 0
        for _shop in range(400):
            samples = {}
            for rule in range(5):
                rate = chance.uniform(0.01, 0.1)
                sold = [chance.randrange(10, 120) for _member in range(12)]
                own = [(sum(chance.random() < rate for _unit in range(n)), n, n) for n in sold]
                whole = advice.add(own)
                for member, sample in enumerate(own):
                    samples[rule, member] = (sample, advice.subtract(whole, sample))
            alarms += bool(advice.find(samples))
        self.assertLessEqual(alarms / 400, 0.05)

    def test_one_large_order_proves_nothing(self):
        others = (60, 1000, 1000)
        self.assertTrue(advice.find({'a': ((40, 80, 80), others)}))
        self.assertFalse(advice.find({'a': ((40, 80, 40**2 * 2), others)}))


@tagged('post_install', '-at_install')
class TestSuggestions(ImprovementCommon):
    def test_a_wrong_size_chart(self):
        self._sell_others()
        self._sell(self.products[0], 60, 40, 18, amount_credited=50)
        suggestion = self._advise()
        self.assertEqual(
            suggestion.name,
            f"{self.products[0].display_name}: 18 of 40 sold came back as too small; other "
            "products: 6.0 %. Check the size chart.",
        )
        self.assertEqual(suggestion.rule, 'size')
        self.assertEqual(suggestion.product_template_id, self.products[0].product_tmpl_id)
        self.assertLess(suggestion.p_value, 1e-6)
        # 18 × 50 = 900 were credited, 2.4 of 18 would have come anyway.
        self.assertAlmostEqual(suggestion.saving, 1564.29, 2)
        returns = suggestion.action_open_cases()
        self.assertEqual(len(returns['domain'][0][2]), 18)
        self.assertIn(
            ('product_tmpl_id', '=', self.products[0].product_tmpl_id.id),
            [tuple(leaf) for leaf in suggestion.action_open_all()['domain'] if len(leaf) == 3],
        )
        self.assertTrue(suggestion.action_open_others()['domain'])

    def test_each_cause_of_goods(self):
        vendors = [self._create_customer(f"Vendor {number}") for number in range(2)]
        policies = self.env['sale.return.policy'].search([], limit=1)
        policies.window_days = 30
        described = self.env.ref('sale_return.reason_not_as_described')
        carrier = (SQL("'Carrier ' || fact.warehouse_id"), SQL(""))
        cases = {
            'description': (described, [{}, {}], "as described"),
            'packing': (self.damaged, [{}, {}], "how it is packed"),
            'carrier': (
                self.damaged, [{'warehouse_id': 1}, {'warehouse_id': 2}], "Talk to the carrier",
            ),
            'supplier': (
                self.reason_defective, [{'supplier_id': v.id} for v in vendors], "the supplier",
            ),
        }  # fmt: skip
        for rule, (reason, (own, others), words) in cases.items():
            with (
                self.subTest(rule=rule),
                patch.object(
                    self.registry['sale.return.adviser'], '_get_carrier', lambda self: carrier
                ),
            ):
                facts.empty(self.env)
                self._sell_others(0.02, reason, **others)
                # The cause is not the product, for those of a carrier or supplier.
                if own:
                    self._sell(self.products[0], 60, 200, 4, reason, **others)
                for product in self.products if own else self.products[:1]:
                    self._sell(product, 60, 40, 14, reason, **own)
                found = self._advise()
                self.assertEqual(found.mapped('rule'), [rule])
                self.assertIn(words, found.name)
                self.assertFalse(found.action_open_others()['context'])
        self.assertEqual(found.supplier_id, vendors[0])

    def test_many_requests_on_the_last_days(self):
        policy = self.env['sale.return.policy'].search([], limit=1)
        policy.write({'window_days': 30, 'transit_days': 0})
        mind = self.reason_changed_mind
        for back in (*range(4, 32), *[33] * 20):
            self._sell(self.products[0], 70, 1, 1, mind, back=back, policy_id=policy.id)
        suggestion = self._advise()
        self.assertEqual((suggestion.rule, suggestion.policy_id), ('window', policy))
        self.assertIn("on the last two days of the return window", suggestion.name)
        self.assertEqual(suggestion.saving, 0)
        self.assertEqual(len(suggestion.action_open_cases()['domain'][0][2]), suggestion.count)

    def test_refusals_that_are_overturned(self):
        policies = self.env['sale.return.policy'].create(
            [{'name': f"Policy {number}", 'company_id': self.company.id} for number in range(2)]
        )
        ids = self._copy_returns(80)
        day = self.now - timedelta(days=58)
        for number, return_id in enumerate(ids):
            self._sell(
                self.products[0], 60, 1, 1, self.reason_changed_mind, stage='refused',
                policy_id=policies[number % 2].id, return_id=return_id, qty_returned=0,
            )  # fmt: skip
        self._insert_appeals([*ids[0:40:2], ids[1]], day)
        suggestion = self._advise()
        self.assertEqual((suggestion.rule, suggestion.policy_id), ('appeal', policies[0]))
        self.assertEqual((suggestion.count, suggestion.total), (20, 40))
        returns = suggestion.action_open_cases()
        self.assertEqual(self.env['sale.return'].search_count(returns['domain']), 20)

    def _insert_appeals(self, ids, day):
        self.env.cr.execute(
            """
            INSERT INTO sale_return_appeal
                   (return_id, company_id, partner_id, comment, date, date_decided, state)
            SELECT id, company_id, partner_id, 'No', %(day)s, %(day)s, 'overturned'
              FROM sale_return WHERE id IN %(ids)s
            """,
            {'ids': tuple(ids), 'day': day + timedelta(days=2)},
        )

    def test_contested_claims_without_a_photo(self):
        ids = self._copy_returns(80)
        for number, return_id in enumerate(ids):
            # Of those without a photo half are contested, of the others one in twenty.
            contested = number % 2 == 0 if number < 40 else number % 20 == 0
            self._sell(
                self.products[0], 60, 1, 1, self.damaged, return_id=return_id,
                qty_rejected=1 if contested else 0, date_inspection=self.now - timedelta(days=50),
            )  # fmt: skip
        self.env.cr.execute(
            """
            INSERT INTO sale_return_file (name, return_id, mimetype)
            SELECT 'photo.jpg', id, 'image/jpeg' FROM sale_return WHERE id IN %s
            """,
            (tuple(ids[40:]),),
        )
        suggestion = self._advise()
        self.assertEqual((suggestion.rule, suggestion.reason_id), ('photo', self.damaged))
        self.assertEqual((suggestion.count, suggestion.total), (20, 40))
        self.assertEqual(len(suggestion.action_open_cases()['domain'][0][2]), 20)
        self.assertEqual(len(suggestion.action_open_all()['domain'][0][2]), 40)
        self.damaged.photo_required = True
        self.assertFalse(self._advise(), "a photo is asked for already")

    def test_a_shop_without_a_cause_gets_none(self):
        chance = random.Random(3)
        for product in self.products:
            for reason in (self.small, self.damaged):
                back = sum(chance.random() < 0.05 for _unit in range(80))
                self._sell(product, 60, 80, back, reason)
        self._sell(self.products[0], 10, 90, 90)
        self.assertFalse(self._advise(), "what was shipped lately is not counted")

    def test_one_is_open_renewed_and_ends_by_itself(self):
        self._sell_others()
        self._sell(self.products[0], 60, 40, 18)
        suggestion = self._advise()
        self._sell(self.products[0], 61, 10, 6)
        self.assertEqual(self._advise(), suggestion)
        self.assertEqual((suggestion.count, suggestion.total), (24, 50))
        self._sell(self.products[0], 61, 900)
        self.assertFalse(self._advise())
        self.assertEqual(suggestion.state, 'over')

    def test_a_dismissed_one_is_not_made_again_unless_it_gets_worse(self):
        self._sell_others()
        self._sell(self.products[0], 60, 40, 18)
        suggestion = self._advise().with_user(self.approver)
        with self.assert_refused("Enter a short reason"):
            suggestion.action_dismiss(" ")
        dialog = self.env['sale.return.suggestion.decide'].with_user(self.approver)
        dialog = dialog.with_context(
            active_model='sale.return.suggestion', active_ids=suggestion.ids
        )
        dialog.create({'reason': "No longer sold"}).action_dismiss()
        self.assertEqual((suggestion.state, suggestion.user_id), ('dismissed', self.approver))
        with self.assert_refused("it is not open"):
            suggestion.action_accept("Chart", self.now.date())
        self.assertFalse(self._advise())
        self._sell(self.products[0], 60, 60, 55)
        again = self._advise()
        self.assertEqual((again.count, again.total), (73, 100))
        again.with_user(self.approver).action_dismiss("Still not")
        self.assertFalse(self._advise())
        again.sudo().quiet_until = suggestion.sudo().quiet_until = self.now.date()
        self.assertTrue(self._advise(), "the time is over")

    def test_approvers_decide_and_clerks_read(self):
        self._sell_others()
        self._sell(self.products[0], 60, 40, 18)
        suggestion = self._advise()
        today = self.company._get_sale_return_day()
        with self.assertRaises(AccessError):
            suggestion.action_dismiss("No")
        with self.assertRaises(AccessError):
            suggestion.action_accept("Chart", today)
        for user in (self.clerk, self.approver):
            with self.assertRaises(AccessError):
                suggestion.with_user(user).state = 'over'
        decided = suggestion.with_user(self.approver)
        with self.assert_refused("Enter what is changed"):
            decided.action_accept("", today)
        with self.assert_refused("Choose another day"):
            decided.action_accept("Chart", today + timedelta(days=400))
        decided.action_accept("New size chart", today)
        self.assertEqual(suggestion.state, 'accepted')
        improvement = suggestion.improvement_ids
        self.assertEqual(improvement.user_id, self.approver)
        self.assertEqual(suggestion.action_open_improvements()['res_id'], improvement.id)
        with self.assertRaises(AccessError):
            improvement.with_user(self.approver).date_from = today
        self.assertFalse(self._advise(), "goods of before the change say nothing new")
        other = self._create_user(
            'improve_foreign', 'sale_return.group_approver', company=self.foreign_companies[:1]
        )
        self.assertFalse(self._search([('id', '=', suggestion.id)], other))
        self.assertFalse(self._env_of(other)['sale.return.improvement'].search([]))

    def test_settings_switch_the_part_on_and_off(self):
        settings = self.env['res.config.settings'].sudo()
        job = self.env.ref('sale_return.ir_cron_advise').sudo()
        menu = self.env.ref('sale_return.sale_return_menu_improvement')
        health = self.env['sale.return.health'].sudo()
        self._sell_others()
        self._sell(self.products[0], 60, 40, 18)
        for is_on in (False, True, False):
            settings.create({'group_sale_return_improvement': is_on}).execute()
            self.assertEqual(job.active, is_on)
            self.assertEqual(job in health._get_jobs(), is_on)
            menus = self.env['ir.ui.menu'].with_user(self.clerk)._visible_menu_ids()
            self.assertEqual(menu.id in menus, is_on)
            with patch.object(type(self.env['ir.cron']), '_commit_progress', return_value=1.0):
                self.adviser._cron_advise()
            found = self._search([('company_id', '=', self.company.id)])
            self.assertEqual(bool(found), is_on)
            found.sudo().unlink()
