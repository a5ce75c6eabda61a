from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo import Command
from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tests.form import Form

from ...tools.past import Past
from ...tools.regime import REGIMES
from ...tools.verdict import Verdict
from ..common_decision import DecisionCommon

LEAN = {
    "a story of the room": (
        'test_all_rules_are_asked_and_the_strongest_decides',
        'test_rule_only_for_some_reasons_and_categories',
        'test_whole_flow',
    ),
}


@tagged('post_install', '-at_install')
class TestRules(DecisionCommon):
    """All rules are evaluated, and the strictest outcome decides."""

    def test_all_rules_are_asked_and_the_strongest_decides(self):
        self._add_rule('value', amount=100, outcome='review')
        self._add_rule('quantity', quantity=1, outcome='refuse_overridable')
        self._add_rule('window', outcome='refuse')
        line = self._create_return(self.order, 2).line_ids
        self.assertEqual(line.verdict_outcome, 'refuse_overridable')
        self.assertEqual(
            self._get_codes(line), {'value_over', 'quantity_over', 'window_open', 'approval_none'}
        )

    def test_refused_by_the_rules_tells_the_customer_in_their_words(self):
        self.env['res.lang']._activate_lang('fr_FR')
        self.customer.lang = 'fr_FR'
        rule = self._add_rule(
            'quantity', quantity=1, outcome='refuse', customer_text="Only one, please."
        )
        rule.with_context(lang='fr_FR').customer_text = "Un seul."
        sale_return = self._create_return(self.order, 2)
        self.assertEqual(sale_return.state, 'refused')
        self.assertEqual(sale_return.approval_ids.comment, "Un seul.")
        self.assertTrue(sale_return.approval_ids.automatic)
        self.assertEqual(
            sale_return.line_ids._get_customer_verdicts(),
            [{'outcome': 'refuse', 'code': 'quantity_over', 'text': "Un seul."}],
        )
        self.assertEqual(self.order.order_line.qty_returnable, 10)

    def test_line_refused_by_the_rules_leaves_the_others(self):
        order = self._create_sale({}, {'product': self.product_on_order})
        self._add_rule('excluded', product_ids=[Command.set(self.product.ids)], outcome='refuse')
        sale_return = self._create_return(order, 2)
        refused, approved = sale_return.line_ids
        self.assertEqual(sale_return.state, 'approved')
        self.assertEqual((refused.decision, approved.decision), ('refused', 'approved'))
        self.assertEqual((refused.qty_authorized, approved.qty_authorized), (0, 2))
        self.assertEqual(order.order_line.mapped('qty_returnable'), [10, 8])
        self.assertEqual(sale_return.picking_ids.move_ids.product_id, self.product_on_order)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assertEqual((sale_return.state, sale_return.amount_credited), ('closed', 242.0))

    def test_line_refused_for_good_is_not_approved_by_anybody(self):
        order = self._create_sale({}, {'product': self.product_on_order})
        self._add_rule('excluded', product_ids=[Command.set(self.product.ids)], outcome='refuse')
        self._add_rule('quantity', quantity=1, outcome='review')
        sale_return = self._create_return(order, 2)
        refused, waiting = sale_return.line_ids
        self.assertEqual((refused.decision, waiting.decision), ('refused', 'pending'))
        with self.assert_refused("nobody may overrule"):
            self._call(self.staff, refused, 'action_authorize', 1, "All the same.")
        sale_return.action_approve()
        self.assertEqual(sale_return.line_ids.mapped('qty_authorized'), [0, 2])

    def test_kind_of_another_add_on_is_one_method(self):
        rule = self._add_rule('window')
        self.env.cr.execute("UPDATE sale_return_rule SET kind = 'moon' WHERE id = %s", rule.ids)
        rule.invalidate_recordset()

        def evaluate(rule, lines):
            return {line: Verdict('refuse_overridable', 'full_moon', {}) for line in lines}

        with patch.object(type(rule), '_evaluate_moon', evaluate, create=True):
            line = self._create_return(self.order, 1).line_ids
        self.assertEqual(line.verdict_outcome, 'refuse_overridable')
        self.assertIn('full_moon', self._get_codes(line))

    def test_exception_is_named_in_the_language_of_the_reader(self):
        self._add_rule(
            'excluded', product_ids=[Command.set(self.product.ids)], exception_code='perishable'
        )
        line = self._create_return(self.order, 1).line_ids
        self.assertIn("Perishable", line.verdict_text)

    def test_overridable_refusal_takes_a_word_to_be_overruled(self):
        self._add_rule('quantity', quantity=1, outcome='refuse_overridable')
        sale_return = self._create_return(self.order, 2)
        self.assertEqual((sale_return.state, sale_return.needs_overrule), ('submitted', True))
        with self.assert_refused("at most 1"):
            self._call(self.staff, sale_return, 'action_approve')
        wizard = self.env['sale.return.explain'].with_context(
            **sale_return.action_open_overrule()['context']
        )
        wizard.create({'reason': "Good customer."}).action_confirm()
        self.assertEqual(sale_return.state, 'approved')
        event = sale_return.event_ids.filtered(lambda e: e.kind == 'override')
        self.assertEqual(event.reason, "Good customer.")

    def test_goods_that_are_here_are_never_refused_by_a_rule(self):
        self._add_rule('quantity', quantity=1, outcome='refuse')
        picking = self._return_in_inventory(self.order.picking_ids, 2)
        sale_return = picking.sale_return_id
        self.assertEqual((sale_return.state, sale_return.needs_overrule), ('submitted', True))
        self._process(picking)
        sale_return.action_approve(comment="They are here: send them back.")
        sale_return.action_inspect_all('send_back')
        self.assert_quantities(sale_return.line_ids, received=2, rejected=2, credited=0)

    def test_excluded_by_tag_and_by_a_category_above(self):
        tag = self.env['product.tag'].create({'name': "Hygiene"})
        child = self.env['product.category'].create(
            {'name': "Razors", 'parent_id': self.category.id}
        )
        razor = self._create_product("Razor", categ_id=child.id)
        order = self._create_sale({'product': razor})
        rule = self._add_rule('excluded', product_tag_ids=[Command.set(tag.ids)])
        self.assertEqual(self._create_return(order, 1).state, 'approved')
        razor.product_tag_ids = tag
        self.assertEqual(self._create_return(order, 1).state, 'submitted')
        rule.write(
            {
                'product_tag_ids': [Command.clear()],
                'excluded_categ_ids': [Command.set(self.category.ids)],
            }
        )
        self.assertEqual(self._create_return(order, 1).state, 'submitted')

    def test_exclusion_that_needs_the_buyers_word_counts_only_with_it(self):
        self._add_rule(
            'excluded',
            product_ids=[Command.set(self.product.ids)],
            exception_code='near_expiry',
            proof_required=True,
            outcome='refuse_overridable',
        )
        line = self._create_return(self.order, 1).line_ids
        self.assertEqual(line.state, 'approved')
        self.assertIn('excluded_unconfirmed', self._get_codes(line))
        self._confirm_exclusion('near_expiry')
        line = self._create_return(self.order, 1).line_ids
        self.assertEqual(line.state, 'submitted')
        self.assertIn('excluded', self._get_codes(line))

    def test_each_past_return_counts_what_its_buyer_had_confirmed_by_then(self):
        """Two returns of one order line, one from before the confirmation."""
        rule = self._add_rule(
            'excluded',
            product_ids=[Command.set(self.product.ids)],
            exception_code='near_expiry',
            proof_required=True,
        )
        before = self._create_return(self.order, 1).line_ids
        after = self._create_return(self.order, 1).line_ids
        confirmed_on = self._confirm_exclusion('near_expiry').confirmed_on
        moments = {
            before.return_id.id: confirmed_on - timedelta(days=1),
            after.return_id.id: confirmed_on + timedelta(days=1),
        }
        for lines in (before | after, after | before):
            past = lines.with_context(sale_return_past=Past(moments))
            verdicts = rule._evaluate_excluded(past)
            codes = [verdicts[line].code for line in (before, after)]
            self.assertEqual(codes, ['excluded_unconfirmed', 'excluded'])

    def _confirm_exclusion(self, code):
        ids = self._call(
            self.staff,
            self.env['sale.return.confirmation'],
            'create',
            {
                'sale_line_id': self.order.order_line.id,
                'exception_code': code,
                'confirmed_text': "Cannot be returned.",
            },
        )
        return self.env['sale.return.confirmation'].browse(ids)

    def test_confirmation_is_never_changed(self):
        confirmation = self._confirm_exclusion('agreed')
        self.assertEqual(
            (confirmation.partner_id, confirmation.user_id), (self.customer, self.staff)
        )
        with self.assert_refused("evidence"):
            self._call(self.staff, confirmation, 'write', {'exception_code': 'perishable'})
        with self.assert_refused():
            self._call(self.staff, confirmation, 'unlink')

    def test_china_asks_for_the_buyers_word_where_the_law_does(self):
        self._create_policy(window_days=0).sudo().regime = 'cn_seven_days'
        policy = self._create_return(self.order, 1, submit=False).line_ids.policy_id
        rule = self._add_rule(
            'excluded',
            policy=policy,
            product_ids=[Command.set(self.product.ids)],
            exception_code='value_loss',
            outcome='refuse_overridable',
        )
        self.assertEqual(self._create_return(self.order, 1).state, 'approved')
        rule.exception_code = 'perishable'
        self.assertEqual(self._create_return(self.order, 1).state, 'submitted')
        rule.exception_code = 'dated_service'  # no such exception in that law
        self.assertEqual(self._create_return(self.order, 1).state, 'approved')

    def test_value_limit_in_another_currency(self):
        pricelist = self._setup_currency('EUR')
        order = self._create_sale({'taxes': self.tax_21.browse()}, pricelist_id=pricelist.id)
        self._add_rule('value', amount=150)
        # One is 100 EUR, which is 50 in the currency of the company.
        self.assertEqual(self._create_return(order, 3).state, 'approved')
        self.assertEqual(self._create_return(order, 4).state, 'submitted')

    def test_value_of_each_line_or_of_the_return(self):
        order = self._create_sale({}, {'product': self.product_on_order})
        rule = self._add_rule('value', amount=200)
        self.assertEqual(self._create_return(order, 1).state, 'submitted')
        rule.value_basis = 'line'
        self.assertEqual(self._create_return(order, 1).state, 'approved')

    def test_quantity_in_the_unit_of_the_product(self):
        order = self._create_sale({'quantity': 3, 'product_uom_id': self.dozen.id})
        self._add_rule('quantity', quantity=12)
        self.assertEqual(self._create_return(order, 1).state, 'approved')
        self.assertEqual(self._create_return(order, 2).state, 'submitted')

    def test_photo_where_the_reason_asks_for_it(self):
        self.reason_defective.sudo().photo_required = True
        sale_return = self._create_return(self.order, 1, submit=False)
        self._add_photo(sale_return.line_ids)
        sale_return.action_submit()
        self.assertEqual(sale_return.state, 'approved')
        without = self._create_return(self.order, 1)
        self.assertEqual(without.state, 'submitted')
        self.assertIn("1 photos are needed", without.line_ids.verdict_text)
        self.assertEqual(
            self._create_return(self.order, 1, self.reason_changed_mind).state, 'approved'
        )

    def test_document_is_no_photo(self):
        self._add_rule('photo', reason_ids=[Command.set(self.reason_defective.ids)])
        sale_return = self._create_return(self.order, 1, submit=False)
        self.env['sale.return.file']._upload(
            sale_return.line_ids, [{'name': "x.pdf", 'raw': b'%PDF-1.4\n%%EOF'}]
        )
        sale_return.action_submit()
        self.assertEqual(sale_return.state, 'submitted')

    def test_earlier_returns_of_the_customer(self):
        self._add_rule('history', return_count=1, period_days=30)
        first = self._create_return(self.order, 1)
        self.assertEqual(first.state, 'approved')
        self.assertEqual(self._create_return(self.order, 1).state, 'approved')
        third = self._create_return(self.order, 1)
        self.assertEqual(third.state, 'submitted')
        self.assertIn("2 other returns in 30 days", third.line_ids.verdict_text)
        other = self._create_sale(partner_id=self._create_customer("Other").id)
        self.assertEqual(self._create_return(other, 1).state, 'approved')

    def test_nobody_is_refused_by_a_machine_for_their_past(self):
        for outcome in ('refuse', 'refuse_overridable'):
            with self.assert_refused("cannot refuse anything automatically", ValidationError):
                self._add_rule('history', return_count=1, outcome=outcome)

    def test_rule_without_parameters_is_refused_with_a_sentence(self):
        for kind, text in (
            ('value', "the value up to which"),
            ('quantity', "up to which quantity"),
            ('excluded', "which products"),
        ):
            with self.assert_refused(text, ValidationError):
                self._add_rule(kind)

    def test_rule_that_lost_its_parameters_asks_a_person(self):
        rule = self._add_rule('value', amount=1000)
        self.env.cr.execute('UPDATE sale_return_rule SET amount = 0 WHERE id = %s', rule.ids)
        rule.invalidate_recordset()
        line = self._create_return(self.order, 1).line_ids
        self.assertEqual((line.state, line.verdict_outcome), ('submitted', 'review'))
        self.assertIn("not completely set up", line.verdict_text)

    def test_rule_of_a_kind_nobody_knows_asks_a_person(self):
        rule = self._add_rule('window')
        self.env.cr.execute("UPDATE sale_return_rule SET kind = 'moon' WHERE id = %s", rule.ids)
        rule.invalidate_recordset()
        self.assertEqual(self._create_return(self.order, 1).state, 'submitted')

    def test_rule_only_for_some_reasons_and_categories(self):
        self._add_rule(
            'quantity', quantity=1, reason_ids=[Command.set(self.reason_changed_mind.ids)]
        )
        self.assertEqual(self._create_return(self.order, 2).state, 'approved')
        self.assertEqual(
            self._create_return(self.order, 2, self.reason_changed_mind).state, 'submitted'
        )

    def test_archived_rule_says_nothing(self):
        self._add_rule('quantity', quantity=1, active=False)
        self.assertEqual(self._create_return(self.order, 2).state, 'approved')

    def test_verdicts_cannot_be_forged(self):
        sale_return = self._create_return(self.order, 1, submit=False)
        for name, value in (
            ('verdicts', [{'outcome': 'authorize', 'code': 'forged', 'facts': {}}]),
            ('verdict_outcome', 'authorize'),
            ('policy_facts', {'forged': True}),
            ('decision', 'approved'),
            ('decision_reason', "x"),
        ):
            with self.subTest(name=name), self.assert_refused("cannot be set by hand"):
                self._call(self.staff, sale_return.line_ids, 'write', {name: value})

    def test_submission_takes_as_many_queries_for_twenty_returns_as_for_two(self):
        """Only Odoo's part for each receipt grows; deciding does not."""
        self._create_policy(approval='always')
        policy = self._create_return(self.order, 1, submit=False).line_ids.policy_id
        for kind, values in (
            ('window', {}),
            ('value', {'amount': 1}),
            ('quantity', {'quantity': 0.5}),
            ('photo', {'reason_ids': [Command.set(self.reason_defective.ids)]}),
            ('history', {'return_count': 1}),
        ):
            self._add_rule(kind, policy=policy, **values)
        orders = self.env['sale.order'].concat(
            *[self._create_sale({'quantity': 1}) for _number in range(22)]
        )
        returns = self.env['sale.return'].concat(
            *[self._create_return(order, 1, submit=False) for order in orders]
        )
        self.env.flush_all()

        def count(batch):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            batch.action_submit()
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        count(returns[0])  # fills the caches of the registry
        one = count(returns[1])
        twenty = count(returns[2:])
        self.assertEqual(set(returns.mapped('state')), {'submitted'})
        self.assertLessEqual(twenty, one + 4)


@tagged('post_install', '-at_install')
class TestSetUpByHand(DecisionCommon):
    """30 days, 14 for electronics, photos for defects, above 500 ask a manager: by forms alone."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.electronics = cls.env['product.category'].create({'name': "Electronics"})
        cls.phone = cls._create_product("Phone", categ_id=cls.electronics.id)
        cls.approver = cls._create_user(
            'returns_approver',
            'sale_return.group_approver',
            'sales_team.group_sale_salesman_all_leads',
        )
        settings = cls.env['res.config.settings'].sudo()
        settings.create({'group_sale_return_levels': True}).execute()

    def _set_up(self):
        form = Form(self.env['sale.return.policy'])
        form.name = "House rules"
        form.sequence = -500
        form.window_days = 30
        form.approval = 'levels'
        with form.rule_ids.new() as rule:
            rule.kind = 'window'
            rule.name = "30 days"
        with form.rule_ids.new() as rule:
            rule.kind = 'window'
            rule.name = "14 days for electronics"
            rule.days = 14
            rule.product_categ_ids.add(self.electronics)
            rule.customer_text = "Electronics come back within 14 days."
        with form.rule_ids.new() as rule:
            rule.kind = 'photo'
            rule.name = "Photos of defects"
            rule.reason_ids.add(self.reason_defective)
        with form.level_ids.new() as level:
            level.name = "Manager"
            level.amount_from = 500
            level.approver_type = 'group'
            level.group_id = self.env.ref('sale_return.group_manager').sudo()
        return form.save()

    def _request(self, order, quantity, reason, photo=False):
        sale_return = self._create_return(order, quantity, reason, submit=False)
        if photo:
            self._add_photo(sale_return.line_ids)
        sale_return.with_user(self.approver).action_submit()
        return sale_return

    def test_whole_flow(self):
        policy = self._set_up()
        lamps = self._create_sale()
        phones = self._create_sale({'product': self.phone})
        self._got_on(lamps + phones, '2026-03-01 12:00:00')
        with freeze_time('2026-03-20 12:00:00'):
            lamp = self._request(lamps, 1, self.reason_changed_mind)
            phone = self._request(phones, 1, self.reason_changed_mind)
            broken = self._request(lamps, 1, self.reason_defective)
            proven = self._request(lamps, 1, self.reason_defective, photo=True)
            dear = self._request(lamps, 5, self.reason_changed_mind)
        self.assertEqual(lamp.line_ids.policy_id, policy)
        self.assertEqual(
            (lamp + phone + broken + proven + dear).mapped('state'),
            ['approved', 'submitted', 'submitted', 'approved', 'submitted'],
        )
        self.assertIn("14 days for electronics", str(phone.line_ids.verdicts))
        self.assertEqual(
            phone.line_ids._get_customer_verdicts()[0]['text'],
            "Electronics come back within 14 days.",
        )
        self.assertEqual(dear.step_ids.mapped('name'), ["Manager"])
        with self.assert_refused("asked for return"):
            self._call(self.approver, dear, 'action_approve')
        boss = self._create_user('returns_boss', 'sale_return.group_manager')
        self._call(boss, dear, 'action_approve')
        self._receive(dear)
        dear.action_inspect_all('restock')
        self.assertEqual((dear.state, dear.amount_credited), ('closed', 605.0))

    def test_policy_that_never_comes_first_is_told_on_its_form(self):
        self._set_up()
        form = Form(self.policy)
        self.assertIn("House rules", form.overlap_note)

    def test_return_form_shows_policy_and_verdicts(self):
        self._set_up()
        sale_return = self._create_return(self.order, 5)
        clerk = self._create_user('rules_clerk', 'base.group_user', 'sale_return.group_user')
        form = Form(sale_return.with_user(clerk))
        self.assertEqual(form.waiting_for, "Manager")
        self.assertIn("House rules", form.record.line_ids.policy_explanation)

    def test_return_form_says_to_approvers_why_they_may_not_decide(self):
        self._set_up()
        sale_return = self._create_return(self.order, 5)
        form = Form(sale_return)
        self.assertTrue(form.approval_obstacle)


@tagged('post_install', '-at_install')
class TestRegimes(DecisionCommon):
    """The law, in one table; incomplete regimes are not offered."""

    def test_only_complete_regimes_are_offered(self):
        offered = dict(self.env['sale.return.policy'].fields_get(['regime'])['regime']['selection'])
        self.assertEqual(set(offered), {code for code, r in REGIMES.items() if r.complete})

    def test_every_regime_of_the_contract_is_in_the_table(self):
        codes = set(self.env['sale.return.policy']._fields['regime'].get_values(self.env))
        self.assertEqual(codes, set(REGIMES))

    def test_window_is_never_shorter_than_the_law(self):
        self._create_policy(regime='eu_withdrawal', window_days=7)
        self._got_on(self.order, '2026-03-01 12:00:00')
        with freeze_time('2026-03-15 12:00:00'):
            self.assertEqual(self._create_return(self.order, 1).state, 'approved')
        with freeze_time('2026-03-16 12:00:00'):
            self.assertEqual(self._create_return(self.order, 1).state, 'submitted')

    def test_what_may_be_kept_back(self):
        kinds = ('grade', 'restocking_fee', 'freight')
        allowed = {}
        for code in REGIMES:
            self.policy.sudo().regime = code
            allowed[code] = [k for k in kinds if self.policy._is_deduction_allowed(k)]
        self.assertEqual(
            allowed,
            {
                'commercial': ['grade', 'restocking_fee', 'freight'],
                'eu_withdrawal': ['grade', 'freight'],
                'cn_seven_days': ['freight'],
                'conformity': [],
            },
        )

    def test_where_nobody_may_ask_the_reason_is_not_stated(self):
        self._create_policy(regime='eu_withdrawal')
        vals = self._prepare_return_lines(self.order.order_line, 1)[0]
        vals.pop('reason_id')
        return_id = self._call(
            self.staff,
            self.env['sale.return'],
            'create',
            {'partner_id': self.customer.id, 'line_ids': [vals]},
        )
        line = self.env['sale.return'].browse(return_id).line_ids
        self.assertEqual(line.reason_id, self.env.ref('sale_return.reason_not_stated'))

    def test_note_alone_is_no_reason(self):
        vals = self._prepare_return_lines(self.order.order_line, 1, customer_note="Broken")[0]
        vals.pop('reason_id')
        with self.assert_refused("A note is not enough"):
            self._call(
                self.staff,
                self.env['sale.return'],
                'create',
                {'partner_id': self.customer.id, 'line_ids': [vals]},
            )
