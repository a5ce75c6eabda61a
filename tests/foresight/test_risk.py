"""The risk of returns: what gives points, what never does, and what people make of it."""

import random
from datetime import timedelta
from itertools import pairwise

from odoo import fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import BaseCase, tagged

from ...benchmarks import foresight
from ...models.foresight.sale_return_risk_scorer import PEERS
from ...tools.risk import MOST, score
from ..common_decision import DecisionCommon

COUNTS = (
    'found', 'serial', 'confirmed', 'photo', 'contacts', 'neighbours', 'linked_found',
    'linked_confirmed',
)  # fmt: skip


class TestRiskPoints(BaseCase):
    def test_what_every_customer_may_do_flags_nobody(self):
        worst = {
            'bought': 500, 'returned': 500, 'bought_value': 1, 'returned_value': 1, 'peers': 0.0,
            'last_day': True, 'bracketing': True, 'neighbours': 50,
        }  # fmt: skip
        self.assertLess(score(worst)[0], 40)

    def test_more_of_anything_found_never_lowers_and_others_returns_never_raise_a_score(self):
        chance = random.Random(5)
        for _case in range(500):
            bought = chance.randrange(60)
            facts = {
                **{name: chance.randrange(5) for name in COUNTS},
                'bought': bought,
                'returned': chance.uniform(0, bought),
                'bought_value': chance.uniform(0, 900),
                'returned_value': chance.uniform(0, 900),
                'last_day': chance.random() < 0.5,
                'bracketing': chance.random() < 0.5,
            }
            scores = [score({**facts, 'peers': peers / 20})[0] for peers in range(20)]
            self.assertTrue(all(before >= after for before, after in pairwise(scores)))
            self.assertEqual(score(facts), score(dict(reversed(facts.items()))))
            for name in COUNTS:
                more = {**facts, name: facts[name] + 1}
                self.assertGreaterEqual(score(more)[0], score(facts)[0], name)
            points, signals = score({**facts, 'peers': 0.1})
            self.assertTrue(0 <= points <= 100)
            self.assertTrue(all(0 < number <= MOST[signal] for signal, number in signals))


@tagged('post_install', '-at_install')
class TestRisk(DecisionCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        switch = cls.env.ref('sale_return.group_foresight')
        cls.env.ref('sale_return.group_user').sudo()._apply_group(switch)
        cls.env.registry.clear_cache('groups')
        cls.clerk = cls._create_user('risk_clerk', 'sale_return.group_user')
        cls.approver = cls._create_user('risk_approver', 'sale_return.group_approver')
        cls.scorer = cls.env['sale.return.risk.scorer'].sudo()

    def _return_of(self, partner, quantity=1, finding=None, **values):
        order = self._create_order(partner_id=partner.id)
        self._deliver(order)
        sale_return = self._create_return(order, quantity, **values)
        if finding:
            if sale_return.state == 'submitted':
                sale_return.with_user(self.approver).action_approve()
            sale_return.register_discrepancies(
                [{'kind': finding, 'quantity': 1, 'line_id': sale_return.line_ids.id}]
            ).sudo().liability = 'customer'
        return sale_return

    def _get_risk(self, sale_return):
        return (
            self.env['sale.return.risk']
            .with_user(self.approver)
            .search([('return_id', '=', sale_return.id)])
        )

    def _ring(self, number=5):
        ring = [
            self._create_customer(f"Ring {n}", phone=f"+49 (0)170 55{n % 1}5 55-12")
            for n in range(number)
        ]
        for partner in ring:
            self._deliver(self._create_order(partner_id=partner.id))
        self.scorer._cron_refresh()
        return ring

    def test_customers_and_products_show_their_card_to_approvers(self):
        customer = self._create_customer("Card")
        self._return_goods(self._create_sale(partner_id=customer.id), 5)
        self._create_sale(partner_id=customer.id)
        pending = self._return_of(customer)
        contact = self._create_customer("Contact of the card", parent_id=customer.id)
        card = customer.with_user(self.approver)
        # Three order lines of ten: of one of them half came back.
        self.assertEqual(card.sale_return_bought, 3)
        self.assertAlmostEqual(card.sale_return_rate, 100 * 0.5 / 3)
        self.assertLess(card.sale_return_rate_low, card.sale_return_rate)
        self.assertGreater(card.sale_return_rate_high, 50)
        self.assertEqual(card.sale_return_open_count, 1)
        self.assertEqual(card.sale_return_card_currency_id, self.company.currency_id)
        self.assertEqual(card.action_open_sale_returns()['res_id'], pending.id)
        self.assertEqual(contact.with_user(self.approver).sale_return_bought, 0)
        template = self.product.product_tmpl_id.with_user(self.approver)
        self.assertGreaterEqual(template.sale_return_bought, 3)
        self.assertIn(pending.id, template._get_sale_return_open()[template.id])
        self.assertTrue(self.product.with_user(self.approver).action_open_sale_returns())
        for form, name in (
            (self.env['res.partner'], 'base.view_partner_form'),
            (self.env['product.template'], 'product.product_template_form_view'),
            (self.env['product.product'], 'product.product_normal_form_view'),
        ):
            view = self.env.ref(name).id
            for user, is_shown in ((self.approver, True), (self.clerk, False)):
                arch = form.with_user(user).get_view(view)['arch']
                self.assertEqual('sale_return_rate' in arch, is_shown, (name, user.login))
        with self.assertRaises(AccessError):
            self.env['res.partner'].with_user(self.clerk).browse(customer.id).read(
                ['sale_return_rate']
            )
        with self.assertRaises(AccessError):
            customer.with_user(self.clerk).action_open_sale_returns()

    def test_generated_rings_are_found_and_good_customers_are_left_alone(self):
        flagged, _scored = foresight.flag(self.env(su=True), good=300, rings=4)
        self.assertLessEqual(flagged.count(0) / 300, 0.02)
        self.assertEqual(set(flagged) - {0}, {1, 2, 3, 4})

    def test_a_new_customer_is_neutral(self):
        risk = self._get_risk(self._return_of(self._create_customer("New")))
        self.assertEqual((risk.score, risk.tier, risk.explanation), (0, 'low', ""))
        self.assertEqual(risk.outcome, 'open')

    def test_a_ring_is_found_by_what_its_parcels_held(self):
        ring = self._ring()
        for partner in ring[:2]:
            self._return_of(partner, finding='empty')
        risk = self._get_risk(self._return_of(ring[2]))
        self.assertEqual(risk.tier, 'medium')
        self.assertIn("share the telephone number", risk.explanation)
        self.assertIn("Parcels of customers", risk.explanation)
        stranger = self._get_risk(self._return_of(self._create_customer("Stranger")))
        self.assertEqual(stranger.score, 0)

    def test_honest_returns_of_others_raise_no_score(self):
        ring = self._ring(3)
        before = self._get_risk(self._return_of(ring[0])).score
        for partner in ring[1:]:
            self._return_of(partner, 4)
        self.scorer._cron_refresh()
        self.assertLessEqual(self._get_risk(self._return_of(ring[0])).score, before)

    def test_what_was_our_fault_or_the_carriers_is_no_finding(self):
        customer = self._create_customer("Patient")
        first = self._return_of(customer, finding='empty')
        first.discrepancy_ids.sudo().liability = 'carrier'
        self.assertEqual(self._get_risk(self._return_of(customer)).score, 0)
        first.discrepancy_ids.sudo().liability = 'customer'
        risk = self._get_risk(self._return_of(customer))
        self.assertEqual(risk.score, 25)
        self.assertIn("contained other goods, or none (1)", risk.explanation)

    def test_a_return_on_the_last_day_and_all_but_one_variant(self):
        # Without the context of the creation, which makes no variants.
        template = self.env['product.template'].browse(
            self._create_product("Sizes").product_tmpl_id.id
        )
        attribute = self.env['product.attribute'].create(
            {'name': "Size", 'value_ids': [(0, 0, {'name': name}) for name in "SML"]}
        )
        template.attribute_line_ids = [
            (0, 0, {'attribute_id': attribute.id, 'value_ids': [(6, 0, attribute.value_ids.ids)]})
        ]
        variants = template.product_variant_ids
        order = self._create_order(*({'product': variant, 'quantity': 1} for variant in variants))
        self._deliver(order)
        self._got_on(order, fields.Datetime.now() - timedelta(days=self.policy.window_days - 1))
        self.assertEqual(len(variants), 3)
        risk = self._get_risk(self._create_return(order.order_line[:2])).sudo()
        self.assertEqual(dict(risk.signals or ()), {'bracketing': 5, 'last_day': 5}, risk.facts)

    def test_the_same_photo_of_another_customer(self):
        first = self._return_of(self._create_customer("First"), submit=False)
        self._add_photo(first.line_ids)
        first.action_submit()
        second = self._return_of(self._create_customer("Second"), submit=False)
        self._add_photo(second.line_ids)
        second.action_submit()
        self.assertEqual(self._get_risk(first).score, 0)
        self.assertEqual(self._get_risk(second).score, 40)
        self.assertIn("same photo", self._get_risk(second).explanation)

    def test_a_rule_asks_a_person_and_can_never_refuse(self):
        rule = self._add_rule('risk', risk_tier='medium', outcome='review')
        self.assertIn("Medium", rule.sentence)
        for kind, outcome in (('risk', 'refuse'), ('risk', 'refuse_overridable')):
            with self.assert_refused("cannot refuse anything automatically", ValidationError):
                self._add_rule(kind, risk_tier='medium', outcome=outcome)
        with self.assert_refused("cannot refuse anything automatically", ValidationError):
            self._add_rule('photo', risk_tier='high', outcome='refuse')
        calm = self._return_of(self._create_customer("Calm"))
        self.assertEqual(calm.state, 'approved')
        ring = self._ring()
        for partner in ring[:2]:
            self._return_of(partner, finding='empty')
        risky = self._return_of(ring[2])
        self.assertEqual(risky.state, 'submitted')
        self.assertIn("Somebody checks it", risky.line_ids.verdict_text)
        self.assertNotIn("risk", risky.line_ids._get_customer_reason() or "")

    def test_people_say_what_it_was_and_the_quality_is_shown(self):
        ring = self._ring()
        for partner in ring[:2]:
            self._return_of(partner, finding='empty')
        flagged = self._get_risk(self._return_of(ring[2]))
        self._return_of(self._create_customer("Good"))
        flagged.action_confirm("The serial number was forged.")
        self.assertEqual((flagged.outcome, flagged.decided_by_id), ('confirmed', self.approver))
        rows = self.env['sale.return.risk.report'].search(
            [('company_id', '=', self.company.id), ('tier', '=', 'medium')]
        )
        self.assertEqual((rows.confirmed, rows.precision), (1, 1.0))
        # Of the first two of the ring, whom nobody has confirmed, and the good one.
        self.assertAlmostEqual(rows.good_share, 1 / 3)
        again = self._get_risk(self._return_of(ring[2]))
        self.assertIn("Abuse was confirmed for an earlier return", again.explanation)
        flagged.action_clear()
        self.env.invalidate_all()
        self.assertEqual((rows.confirmed, rows.precision), (0, 0.0))

    def test_only_approvers_see_it_and_nobody_writes_it(self):
        sale_return = self._return_of(self._create_customer("Seen"))
        risk = self._get_risk(sale_return)
        with self.assertRaises(AccessError):
            risk.with_user(self.clerk).read(['score'])
        with self.assertRaises(AccessError):
            sale_return.with_user(self.clerk).read(['risk_score'])
        self.assertNotIn('risk_score', sale_return.with_user(self.clerk).fields_get())
        with self.assertRaises(AccessError):
            risk.write({'score': 100})
        own = risk.with_user(self.staff)
        with self.assert_refused("Ask a colleague"):
            own.action_clear()
        opened = sale_return.with_user(self.approver).action_open_risk()
        self.assertEqual(opened['res_id'], risk.id)

    def test_scores_are_erased_when_they_are_old(self):
        risk = self._get_risk(self._return_of(self._create_customer("Old"))).sudo()
        self.env.cr.execute(
            "UPDATE sale_return_risk SET create_date = %s WHERE id = %s",
            [fields.Datetime.now() - timedelta(days=800), risk.id],
        )
        self.env.invalidate_all()
        self.scorer._cron_refresh()
        self.assertFalse(risk.exists())

    def test_many_are_scored_by_three_queries(self):
        returns = self.env['sale.return'].union(
            *(self._return_of(self._create_customer(f"Many {n}")) for n in range(4))
        )
        self.env.flush_all()
        self.scorer._get_peers(self.company.id)
        before = self.env.cr.sql_log_count
        facts = self.scorer._get_facts(returns)
        self.assertLessEqual(self.env.cr.sql_log_count - before, 3)
        self.assertEqual(len(facts), 4)

    def test_the_rate_is_compared_with_that_of_all_customers(self):
        customer = self._create_customer("Often")
        for _time in range(6):
            self._return_goods(self._create_sale(partner_id=customer.id))
        parameter = PEERS % self.company.id
        self.env['ir.config_parameter'].sudo().set_param(parameter, 0.05)
        risk = self._get_risk(self._return_of(customer))
        self.assertEqual(risk.sudo().signals[0][0], 'rate')
        self.assertIn("came back, compared with 5 % of all customers", risk.explanation)
        self.assertGreater(risk.rate, risk.rate_low)
        self.assertEqual(risk.open_count, 1)

    def test_nothing_is_scored_while_the_part_is_off(self):
        switch = self.env.ref('sale_return.group_foresight')
        self.env.ref('sale_return.group_user').sudo()._remove_group(switch)
        sale_return = self._return_of(self._create_customer("Off"))
        self.assertFalse(self._get_risk(sale_return))
        kinds = self.env['sale.return.rule'].fields_get(['kind'])['kind']['selection']
        self.assertNotIn('risk', dict(kinds))
