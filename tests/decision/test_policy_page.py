from datetime import timedelta

from lxml import etree

from odoo import fields
from odoo.tests import Form, tagged
from odoo.tools.safe_eval import safe_eval

from ..common_decision import DecisionCommon

# Limits for the first page of a policy, and for the menus, before anything is switched on.
MAX_FIELDS = 12


@tagged('post_install', '-at_install')
class TestPolicyPage(DecisionCommon):
    """A policy is a page of sentences; rules and levels are described as such."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = cls._create_user('page_manager', 'sale_return.group_manager')

    def _get_visible(self, page):
        """Return the fields of a page that a manager sees on a new policy, by their order."""
        policies = self._env_of(self.manager)['sale.return.policy']
        names = [name for name in policies._fields if policies._fields[name].type != 'one2many']
        values = dict.fromkeys(policies._fields, False) | policies.default_get(names)
        arch = etree.fromstring(policies.get_view(view_type='form')['arch'])
        visible = []
        for node in arch.iter('field'):
            above = [node, *node.iterancestors()]
            pages = [one.get('name') for one in above if one.tag == 'page']
            conditions = [one.get('invisible') for one in above if one.get('invisible')]
            inside = any(one.tag == 'field' for one in above[1:])
            hidden = any(safe_eval(condition, dict(values)) for condition in conditions)
            if not inside and not hidden and (not pages or pages == [page]):
                visible.append(node.get('name'))
        return visible

    def test_first_page_asks_for_little(self):
        visible = self._get_visible('terms')
        self.assertLessEqual(len(visible), MAX_FIELDS, visible)
        for name in ('window_days', 'regime', 'approval', 'release_event', 'settlement'):
            self.assertIn(name, visible)

    def test_rest_is_under_more(self):
        self.assertIn('transit_days', self._get_visible('more'))

    def test_what_decides_money_is_explained(self):
        fields = self.policy.fields_get(['regime', 'release_event', 'settlement', 'approval'])
        for name, field in fields.items():
            with self.subTest(field=name):
                self.assertTrue(field.get('help'))

    def test_policy_says_what_it_is_for(self):
        policy = self.policy.with_context(lang='en_US')
        self.assertEqual(
            policy.copy({'company_id': False}).match_note,
            "It applies to every return not covered by an earlier policy.",
        )
        policy.reason_ids = self.reason_defective
        self.assertIn("Reasons: Defective or does not work", policy.match_note)

    def test_rules_are_read_back(self):
        phones = self.env['product.category'].sudo().create({'name': "Phones"})
        category = {'product_categ_ids': phones.ids}
        cases = [
            (
                {'kind': 'window', 'days': 14, **category},
                (
                    "Customers have 14 days after they received the goods. Otherwise a person "
                    "decides. Only for: Phones."
                ),
            ),
            (
                {'kind': 'window', 'day_type': 'working', 'outcome': 'refuse'},
                (
                    "Customers have 30 working days after they received the goods. Otherwise it "
                    "is refused."
                ),
            ),
            (
                {'kind': 'excluded', 'excluded_categ_ids': phones.ids, 'outcome': 'refuse'},
                "Excluded: Phones. They are refused.",
            ),
            (
                {'kind': 'excluded', 'excluded_categ_ids': phones.ids, 'proof_required': True},
                (
                    "Excluded if the buyer agreed to it when buying: Phones. A person "
                    "decides on them."
                ),
            ),
            (
                {'kind': 'quantity', 'quantity': 3, 'outcome': 'refuse_overridable'},
                (
                    "Up to 3 of a product are allowed in one return. Otherwise it is refused, and"
                    " an "
                    "approver may overrule that."
                ),
            ),
            (
                {'kind': 'photo', 'photo_count': 2},
                "Photos needed where the reason requires them: 2. Otherwise a person decides.",
            ),
            (
                {'kind': 'history', 'return_count': 4, 'period_days': 90},
                "Customers may have up to 4 other returns in 90 days. Otherwise a person decides.",
            ),
        ]
        for values, sentence in cases:
            with self.subTest(values=values):
                rule = self._add_rule(**values).with_context(lang='en_US')
                self.assertEqual(rule.sentence, sentence)
        value = self._add_rule('value', amount=500.0).with_context(lang='en_US')
        self.assertRegex(value.sentence, r"Returns worth up to .*500.00.* are allowed. Otherwise")

    def test_each_kind_reads_itself_back(self):
        rules = self.env['sale.return.rule']
        for kind in dict(rules._fields['kind'].selection):
            self.assertTrue(hasattr(rules, f'_describe_{kind}'), kind)

    def test_name_of_a_rule_follows_its_kind_until_it_has_its_own(self):
        with Form(self.policy) as form, form.rule_ids.new() as rule:
            self.assertEqual(rule.name, "Window of time")
            rule.kind = 'photo'
            self.assertEqual(rule.name, "Photos")
            rule.name = "Pictures"
            rule.kind = 'history'
            self.assertEqual(rule.name, "Pictures")

    def test_level_without_end_says_so(self):
        level = self.env['sale.return.approval.level'].create(
            {'policy_id': self.policy.id, 'name': "Boss", 'amount_from': 500.0}
        )
        level = level.with_context(lang='en_US')
        self.assertRegex(
            level.sentence, r"From .*500.00.*, without upper limit. Who decides: An approver."
        )
        level.amount_to = 900.0
        self.assertRegex(
            level.sentence, r"From .*500.00.* to below .*900.00.*Who decides: An approver"
        )
        level.amount_from = level.amount_to = 0
        self.assertEqual(level.sentence, "For any value. Who decides: An approver.")


@tagged('post_install', '-at_install')
class TestRulePast(DecisionCommon):
    """A changed rule shows which returns of the last 90 days it would have affected."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = cls._create_user('past_manager', 'sale_return.group_manager')
        cls.small = cls._create_return(cls.order, 1)
        cls.large = cls._create_return(cls.order, 6)
        cls._create_return(cls.order, 1, submit=False)

    def _get_note(self, rule):
        rule = rule.with_env(self._env_of(self.manager)).with_context(lang='en_US')
        rule.invalidate_recordset(['past_note'])
        return rule.past_note

    def test_rule_counts_whom_it_would_have_met(self):
        rule = self._add_rule('quantity', quantity=3)
        self.assertEqual(
            self._get_note(rule), "In the last 90 days it would have affected 1 of 2 returns."
        )
        action = rule.with_env(self._env_of(self.manager)).action_view_past()
        self.assertEqual(self.env['sale.return'].search(action['domain']), self.large)

    def test_rule_on_the_screen_counts_before_it_is_saved(self):
        policy = self.policy.with_env(self._env_of(self.manager)).with_context(lang='en_US')
        excluded = self.order.order_line.product_id
        with Form(policy) as form, form.rule_ids.new() as rule:
            rule.kind = 'quantity'
            self.assertFalse(rule.past_note)
            rule.quantity = 3
            self.assertIn("1 of 2", rule.past_note)
            rule.quantity = 30
            self.assertIn("0 of 2", rule.past_note)
            rule.kind = 'excluded'
            rule.product_ids.add(excluded)
            self.assertIn("2 of 2", rule.past_note)

    def test_days_count_from_when_it_was_asked_for(self):
        rule = self._add_rule('window', days=14)
        self._backdate(self.large, fields.Datetime.now() - timedelta(days=50))
        self.env.cr.execute(
            "UPDATE sale_return SET create_date = create_date - INTERVAL '50 days' WHERE id = %s",
            [self.large.id],
        )
        self.env.cr.execute(
            "UPDATE stock_move SET date = date - INTERVAL '60 days' WHERE id IN %s",
            [tuple(self.order.order_line.move_ids.ids)],
        )
        self.env.invalidate_all()
        self.assertIn("1 of 2", self._get_note(rule))

    def test_facts_count_as_of_the_request(self):
        """Photos are often added to a draft days after it was made."""
        sale_return = self._create_return(self.order, 1, submit=False)
        self._add_photo(sale_return.line_ids)
        sale_return.action_submit()
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sale_return SET create_date = create_date - INTERVAL '5 days' WHERE id = %s",
            [sale_return.id],
        )
        self.env.invalidate_all()
        rule = self._add_rule('photo', photo_count=1, reason_ids=self.reason_defective.ids)
        self.assertIn("2 of 3", self._get_note(rule))

    def test_older_returns_do_not_count(self):
        rule = self._add_rule('quantity', quantity=3)
        self.env.cr.execute(
            "UPDATE sale_return SET create_date = create_date - INTERVAL '91 days' WHERE id = %s",
            [self.large.id],
        )
        self.env.invalidate_all()
        self.assertIn("0 of 1", self._get_note(rule))

    def test_copies_of_a_changed_policy_count(self):
        rule = self._add_rule('quantity', quantity=3)
        self.policy.window_days = 60
        self.assertNotEqual(self.large.line_ids.policy_id, self.policy)
        self.assertIn("1 of 2", self._get_note(rule))
