import base64
import copy
import json

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from ..common import SaleReturnCommon

CLERK = ('sale_return.group_user', 'sales_team.group_sale_salesman_all_leads')
TEMPLATES = (
    'eu_web_shop',
    'us_web_shop',
    'china_shop',
    'wholesale',
    'electronics',
    'till_shops',
)
STEPS = 6


class FirstSetUpCommon(SaleReturnCommon):
    """A company without policies of its own, and a manager with only that role."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.policy.active = False
        cls.manager = cls._create_user('first_manager', 'sale_return.group_manager')
        cls.manager.sudo().email = 'first@example.com'
        cls.clerk = cls._create_user('first_clerk', *CLERK)
        cls.configurations = cls._env_of(cls.manager)['sale.return.configuration']

    def _start(self, template='us_web_shop', user=None, **answers):
        """Answer the questions like a user: one screen after the other."""
        env = self._env_of(user or self.manager)
        starts = env['sale.return.start'].with_company(self.company)
        form = Form(starts.with_context(lang='en_US'), 'sale_return.sale_return_start_view_form')
        form.template = template
        start = form.save()
        start.write(answers)
        for _step in range(STEPS):
            start.action_next()
        self.assertEqual(start.step, 'review')
        return start

    def _apply(self, *args, **answers):
        action = self._start(*args, **answers).action_apply()
        self.assertEqual(action['res_model'], 'sale.return.configuration')
        return self.configurations.browse(action['res_id'])

    def _get_policies(self):
        return self.env['sale.return.policy'].search([('company_id', '=', self.company.id)])

    def _export(self):
        """Return the configuration as the manager exports it."""
        return self.configurations._export(self.company)

    def _import(self, document, user=None):
        """Choose a file, and see what it changes."""
        text = document if isinstance(document, (str, bytes)) else json.dumps(document)
        text = text.encode() if isinstance(text, str) else text
        starts = self._env_of(user or self.manager)['sale.return.start']
        start = starts.with_context(lang='en_US').create(
            {'file': base64.b64encode(text), 'file_name': "returns.json"}
        )
        start.action_read_file()
        return start


@tagged('post_install', '-at_install')
class TestFirstSetUp(FirstSetUpCommon):
    """A manager with no other role answers five questions; the result can be undone."""

    def test_what_is_shown_is_what_is_written(self):
        start = self._start(window_days=45, settlement='refund')
        self.assertIn("Return Policy “All returns” is new.", start.changes)
        self.assertFalse(self._get_policies())
        shown = start.changes
        configuration = self.configurations.browse(start.action_apply()['res_id'])
        policy = self._get_policies()
        self.assertEqual(policy.mapped('name'), ["All returns"])
        self.assertEqual((policy.window_days, policy.settlement), (45, 'refund'))
        self.assertEqual(configuration.changes, shown)
        self.assertEqual(configuration.state, 'done')

    def test_a_second_time_changes_nothing(self):
        self._apply()
        before = self._export()
        start = self._start()
        self.assertFalse(start.changes)
        start.action_apply()
        self.assertEqual(self._export(), before)

    def test_another_process_takes_the_place_of_the_first(self):
        self._apply('electronics', amount_from=300.0)
        policy = self._get_policies()
        self.assertEqual(policy.level_ids.mapped('amount_from'), [300.0])
        self.assertEqual(len(policy.rule_ids), 2)
        start = self._start('till_shops')
        self.assertIn("Return Rule “Many returns” is archived.", start.changes)
        start.action_apply()
        self.assertEqual(self._get_policies(), policy)
        self.assertFalse(policy.rule_ids)
        self.assertFalse(policy.level_ids)

    def test_undoing_puts_back_what_was_there(self):
        before = self._export()
        configuration = self._apply('wholesale')
        self.assertNotEqual(self._export(), before)
        configuration.action_undo()
        self.assertEqual(self._export(), before)
        self.assertEqual(configuration.state, 'undone')
        self.assertFalse(self._get_policies().with_context(active_test=False).exists())

    def test_undoing_a_change_puts_back_the_values(self):
        self._apply('electronics')
        before = self._export()
        self._apply('wholesale').action_undo()
        self.assertEqual(self._export(), before)

    def test_undoing_keeps_policies_that_returns_go_by(self):
        configuration = self._apply()
        sale_return = self._create_return(self._create_sale(), 1)
        policy = sale_return.line_ids.policy_id
        self.assertEqual(policy, self._get_policies())
        configuration.action_undo()
        self.assertFalse(policy.active)
        self.assertEqual(sale_return.line_ids.policy_id, policy)

    def test_what_was_written_last_is_undone_first(self):
        first = self._apply('electronics')
        second = self._apply('wholesale')
        with self.assertRaisesRegex(UserError, "Undo that one first"):
            first.action_undo()
        second.action_undo()
        first.action_undo()
        self.assertFalse(self._get_policies())

    def test_consumers_of_the_eu_get_the_law(self):
        self._apply('us_web_shop', eu_consumers=True, settlement='on_account')
        european, general = self._get_policies()
        self.assertEqual(european.regime, 'eu_withdrawal')
        self.assertEqual(european.settlement, 'as_paid')
        self.assertIn(self.env.ref('base.de'), european.country_ids)
        self.assertEqual((general.regime, general.settlement), ('commercial', 'on_account'))

    def test_skipped_questions_are_answered_by_the_template(self):
        start = self._start('wholesale', window_days=3)
        start.action_back()
        start.step = 'terms'
        start.action_skip()
        self.assertEqual(start.window_days, 30)
        self.assertEqual(start.step, 'money')

    def test_settings_are_asked_for_in_a_sentence(self):
        self.company.sudo().sale_return_portal = True
        start = self._start('till_shops')
        self.assertEqual(
            start.asked,
            "Ask an administrator to switch off “Requests by Customers” in Settings, Returns.",
        )
        configuration = self.configurations.browse(start.action_apply()['res_id'])
        self.assertTrue(self.company.sudo().sale_return_portal)
        self.assertIn("switch off “Requests by Customers”", configuration.asked)
        self.company.sudo().sale_return_portal = False
        configuration.invalidate_recordset(['asked'])
        self.assertFalse(configuration.asked)

    def test_administrators_set_settings_at_once(self):
        administrator = self._create_user(
            'first_admin', 'sale_return.group_manager', 'base.group_system'
        )
        self.company.sudo().sale_return_portal = True
        start = self._start('till_shops', administrator)
        self.assertFalse(start.asked)
        self.assertIn("The setting “Requests by Customers” is switched off.", start.changes)
        configuration = (
            self._env_of(administrator)['sale.return.configuration']
            .browse(start.action_apply()['res_id'])
        )  # fmt: skip
        self.assertFalse(self.company.sudo().sale_return_portal)
        configuration.action_undo()
        self.assertTrue(self.company.sudo().sale_return_portal)
        self._start('till_shops', administrator).action_apply()
        manager = self.configurations.search([('state', '=', 'done')]).with_context(lang='en_US')
        manager.action_undo()
        self.assertIn("switch on “Requests by Customers”", manager.asked)

    def test_other_companies_keep_what_they_have(self):
        other = self.foreign_companies[:1]
        both = self._create_user('first_both', 'sale_return.group_manager')
        both.sudo().company_ids += other
        before = self.configurations.sudo()._export(other)
        self._apply('electronics', both)
        self.assertEqual(self.configurations.sudo()._export(other), before)

    def test_reasons_that_are_gone_are_left_out(self):
        reasons = self.env['sale.return.reason'].sudo()
        reasons.search([('code', 'in', ('DEF', 'DAMAGED'))]).active = False
        self._apply()
        self.assertEqual(self._get_policies().rule_ids.mapped('kind'), ['history'])

    def test_only_managers_set_up(self):
        with self.assertRaises(AccessError):
            self._start(user=self.clerk)
        with self.assertRaises(AccessError):
            self._env_of(self.clerk)['sale.return.configuration']._note(self.company, "Nothing")

    def test_overview_offers_it_until_it_is_done(self):
        cards = self._env_of(self.manager)['sale.return.worklist'].with_context(lang='en_US')
        start = self.env.ref('sale_return.sale_return_worklist_start').with_env(cards.env)
        self.assertIn(start, cards.search([]))
        self.assertEqual(start.action_open()['res_model'], 'sale.return.start')
        self.assertNotIn(start, self._env_of(self.clerk)['sale.return.worklist'].search([]))
        self._apply()
        self.assertNotIn(start, cards.search([]))

    def test_overview_offers_it_until_it_is_dismissed(self):
        cards = self._env_of(self.manager)['sale.return.worklist']
        start = cards.search([('once', '=', True)])
        start.action_dismiss()
        self.assertFalse(cards.search([('once', '=', True)]))

    def test_set_up_page_offers_it(self):
        pages = self._env_of(self.manager)['sale.return.setup'].with_context(lang='en_US')
        page = pages.browse(pages.action_open()['res_id'])
        self.assertFalse(page.configuration_ids)
        configuration = self._apply()
        page.invalidate_recordset(['configuration_ids'])
        self.assertEqual(page.configuration_ids, configuration)
        self.assertIn('Set Up in Five Questions', pages.get_view(view_type='form')['arch'])

    def test_answers_are_not_negative(self):
        start = self._start()
        with self.assertRaisesRegex(UserError, "cannot be negative"):
            start.window_days = -1

    def test_six_processes_take_a_return_by_form(self):
        order = self._create_sale()
        for template in TEMPLATES:
            with self.subTest(template=template):
                configuration = self._apply(template, amount_from=1000.0)
                env = self._env_of(self.clerk)
                action = order.with_env(env).action_create_return()
                dialogs = env['sale.return.create'].with_context(**action['context'])
                with Form(dialogs) as form:
                    with form.line_ids.edit(0) as line:
                        line.quantity = 1
                    form.reason_id = self.reason_changed_mind.with_env(env)
                form.record.action_create_and_submit()
                sale_return = order.return_ids.sorted('id')[-1:]
                policy = sale_return.line_ids.policy_id
                self.assertEqual(policy.name, "All returns")
                decides = policy.approval == 'always'
                self.assertEqual(sale_return.state, 'submitted' if decides else 'approved')
                configuration.action_undo()


@tagged('post_install', '-at_install')
class TestSample(FirstSetUpCommon):
    """A sample parcel is created, shown to all, and removed, without money or stock."""

    def setUp(self):
        super().setUp()
        self.configuration = self._apply()
        self.moves = self.env['account.move'].sudo().search_count([])
        self.configuration.action_create_sample()
        self.sample = self.configuration.sample_return_id

    def _assert_no_trace(self):
        product = self.sample.line_ids.product_id.sudo()
        self.assertFalse(self.env['stock.quant'].sudo().search([('product_id', '=', product.id)]))
        self.assertEqual(self.env['account.move'].sudo().search_count([]), self.moves)

    def test_sample_waits_for_its_parcel(self):
        self.assertEqual(self.sample.state, 'approved')
        self.assertEqual(self.sample.partner_id.name, "Sample Customer")
        self.assertEqual(self.sample.line_ids.product_id.name, "Sample Product")
        self.configuration.action_create_sample()
        self.assertEqual(self.configuration.sample_return_id, self.sample)
        self._assert_no_trace()

    def test_sample_is_shown_to_all(self):
        self.assertEqual(self.configuration.action_open_sample()['res_id'], self.sample.id)
        self.assertEqual(self.configuration.action_print_sample()['type'], 'ir.actions.report')
        self.assertIn(str(self.sample.id), self.configuration.action_show_sample()['url'])

    def test_sample_is_made_where_a_person_always_decides(self):
        self.configuration.action_remove_sample()
        self._apply('wholesale')
        self.configuration.action_create_sample()
        self.assertEqual(self.configuration.sample_return_id.state, 'approved')

    def test_sample_goes_the_whole_way(self):
        self._receive(self.sample.with_env(self.env))
        self.sample.with_env(self.env).action_inspect_all('restock')
        self.assertEqual(self.sample.state, 'closed')
        self._assert_no_trace()
        self._remove()

    def test_sample_is_removed_before_it_came(self):
        self._remove()
        self.assertEqual(self.sample.state, 'cancelled')

    def test_sample_is_removed_after_it_came(self):
        self._receive(self.sample.with_env(self.env))
        self._remove()
        self.assertEqual(self.sample.state, 'closed')

    def _remove(self):
        product, customer = self.sample.line_ids.product_id, self.sample.partner_id
        order = self.sample.line_ids.order_id.sudo()
        self.configuration.action_remove_sample()
        self.assertFalse(self.configuration.sample_return_id)
        self.assertFalse(product.sudo().active or customer.sudo().active)
        self.assertEqual(order.state, 'cancel')
        self._assert_no_trace()


@tagged('post_install', '-at_install')
class TestConfigurationFiles(FirstSetUpCommon):
    """A configuration is exported as one file; imports are checked, shown, all or nothing."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager.sudo().company_ids += cls.foreign_companies
        cls.policy.active = True
        cls.env['sale.return.rule'].create(
            {'policy_id': cls.policy.id, 'kind': 'value', 'amount': 250.0}
        )

    def test_own_export_changes_nothing(self):
        document = self._export()
        self.assertEqual(
            set(document),
            {'format', 'version', 'reasons', 'policies', 'disposition_rules', 'teams', 'settings'},
        )
        start = self._import(document)
        self.assertFalse(start.changes)
        start.action_apply()
        self.assertEqual(self._export(), document)

    def test_export_is_downloaded_by_its_user(self):
        action = self._env_of(self.manager)['sale.return.start'].action_export()
        self.assertIn('download=true', action['url'])

    def test_file_sets_up_another_company(self):
        document = self._export()
        other = self.env['res.company'].sudo().create({'name': "Import Company"})
        user = self._create_user('import_manager', 'sale_return.group_manager', company=other)
        document['policies'] = [p for p in document['policies'] if not p.get('all_companies')]
        document['reasons'] = []
        start = self._import(document, user)
        start.action_apply()
        policy = self.env['sale.return.policy'].sudo().search([('company_id', '=', other.id)])
        self.assertEqual(policy.name, "Test")
        self.assertEqual(policy.rule_ids.amount, 250.0)
        self.assertFalse(self._import(document, user).changes)

    def test_changed_value_is_shown_and_written(self):
        document = self._export()
        policy = next(p for p in document['policies'] if p['name'] == "Test")
        policy['window_days'] = 21
        policy['rule_ids'][0]['amount'] = 99.0
        start = self._import(document)
        self.assertIn("Return Policy “Test” is changed. Days to Ask: 21 instead of", start.changes)
        self.assertIn("Up to: 99 instead of 250", start.changes)
        start.action_apply()
        self.assertEqual(self.policy.window_days, 21)
        self.assertEqual(self.policy.rule_ids.amount, 99.0)
        written = self.configurations.search([], limit=1)
        written.action_undo()
        self.assertEqual(self.policy.rule_ids.amount, 250.0)

    def _corrupt(self, change):
        document = copy.deepcopy(self.document)
        policy = next(p for p in document['policies'] if p['name'] == "Test")
        change(document, policy)
        return document

    def test_bad_files_are_refused_in_a_sentence(self):
        self.document = self._export()
        long_list = [{'name': f"P{number}"} for number in range(600)]
        cases = {
            'text': ("{", "cannot be read as JSON"),
            'bytes': (b"\xff\xfe\x00", "cannot be read as JSON"),
            'deep': ("[" * 100_000, "cannot be read as JSON"),
            'empty': ("", "Choose a file"),
            'list': ("[]", "not a configuration of Returns"),
            'other': ('{"format": "other"}', "not a configuration of Returns"),
        }
        changes = {
            'version': (lambda d, p: d.update(version=99), "another version of Returns"),
            'section': (lambda d, p: d.update(wizards=[]), "The file: “wizards” is unknown"),
            'key': (lambda d, p: p.update(colour=1), "policies 1: “colour”"),
            'company': (lambda d, p: p.update(company_id=1), "policies 1: “company_id”"),
            'number': (lambda d, p: p.update(window_days="soon"), "zero or a positive number"),
            'truth': (lambda d, p: p.update(window_days=True), "zero or a positive number"),
            'nan': (
                lambda d, p: p.update(return_freight=float('nan')),
                "has to be zero or a positive number",
            ),
            'negative': (lambda d, p: p.update(window_days=-5), "zero or a positive number"),
            'huge': (lambda d, p: p.update(window_days=10**30), "zero or a positive number"),
            'choice': (lambda d, p: p.update(regime='moon'), "has to be one of these"),
            'reason': (lambda d, p: p.update(reason_ids=["NOPE"]), "refers to “NOPE”"),
            'no list': (lambda d, p: p.update(reason_ids=3), "a name, or a list of names"),
            'no name': (lambda d, p: p.update(name=""), "has no name"),
            'text zero': (lambda d, p: p.update(name="a\0b"), "has to be a text"),
            'too many': (lambda d, p: d.update(policies=long_list), "a list of at most"),
            'no object': (lambda d, p: d.update(policies=[1]), "an object with names and values"),
            'switch': (lambda d, p: d['settings'].update(sale_return_portal=1), "true or false"),
            'foreign switch': (
                lambda d, p: d['settings'].update(group_x=True),
                "settings: “group_x”",
            ),
        }
        for name, (change, words) in changes.items():
            cases[name] = (json.dumps(self._corrupt(change)), words)
        for name, (text, words) in cases.items():
            with self.subTest(case=name), self.assertRaisesRegex(UserError, words):
                self._import(text)

    def test_nothing_is_half_made(self):
        self.document = self._export()

        def change(document, policy):
            policy['window_days'] = 77
            policy['rule_ids'].append({'name': "Bad", 'kind': 'value'})

        start = self._import(self._corrupt(change))
        with self.assertRaisesRegex(UserError, "Enter the value up to which rule “Bad”"):
            start.action_apply()
        self.env.invalidate_all()
        self.assertNotEqual(self.policy.window_days, 77)

    def test_records_of_the_file_may_name_each_other(self):
        document = self._export()
        child = {'code': "X2", 'name': "Child", 'parent_id': "X1"}
        parent = {'code': "X1", 'name': "Parent"}
        policy = {'name': "Of the Child", 'reason_ids': ["X2"]}
        document['policies'] = [policy]
        document['reasons'] = [child, parent]
        with self.assertRaisesRegex(UserError, "Move it further up in the file"):
            self._import(document).action_apply()
        document['reasons'] = [parent, child]
        self._import(document).action_apply()
        reason = self.env['sale.return.reason'].search([('code', '=', "X2")])
        self.assertEqual(reason.parent_id.code, "X1")
        self.assertEqual(reason.company_id, self.company)
        self.assertFalse(self._import(document).changes)
        self.assertFalse(self._import(self._export()).changes)

    def test_shared_records_take_all_companies(self):
        document = self._export()
        next(p for p in document['policies'] if p.get('all_companies'))['window_days'] = 5
        self.manager.sudo().company_ids = self.company
        start = self._import(document)
        with self.assertRaisesRegex(AccessError, "applies to all companies"):
            start.action_apply()
