from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..common_http import PatientHttpCase
from ..common_security import SecurityCommon


@tagged('post_install', '-at_install')
class TestRulesOfValues(SecurityCommon, PatientHttpCase):
    """I17: users still have access to what they have written, by record rules and company."""

    without_scripts = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_company = cls._create_trading_company("Other Company")
        cls.boss = cls._create_user('values_boss', 'sale_return.group_manager')
        cls.stranger = cls._create_user(
            'values_stranger', 'sale_return.group_manager', company=cls.other_company
        )

    def test_models_with_rules_ask_them_about_what_is_written(self):
        rules = self.env['ir.rule'].sudo().search([('model_id.model', '=like', 'sale.return%')])
        access = self.env['ir.model.access'].sudo().search([('perm_write', '=', True)])
        found = set((rules.model_id & access.model_id).mapped('model'))
        self.assertIn('sale.return.substitute', found)
        self.assertIn('sale.return', found)
        for name in found:
            model = self.env[name]
            if not model._transient:
                self.assertIsInstance(model, self.env.registry['sale.return.ruled'], name)

    def test_configuration_keeps_its_company(self):
        rules = self.env['ir.rule'].sudo().search([('domain_force', 'like', '+ [False]')])
        found = set(rules.model_id.mapped('model'))
        for name in sorted(name for name in found if name.startswith('sale.return')):
            self.assertIsInstance(self.env[name], self.env.registry['sale.return.shared'], name)

    def test_asking_the_rules_again_takes_one_query_for_all_rows(self):
        policies = self.env['sale.return.policy'].union(
            *[self._create_policy(company_id=self.company.id) for _number in range(3)]
        )
        policies = policies.with_user(self.boss)
        policies.check_access('write')
        policies.invalidate_recordset()
        with self.assertQueryCount(1):
            policies.check_access('write')

    # === PERSONS === #

    def _away(self, user, **values):
        vals = {'user_id': user.id, 'substitute_id': self.approver.id, **values}
        ids = self._call(user, self.env['sale.return.substitute'], 'create', vals)
        return self.env['sale.return.substitute'].browse(ids)

    def test_approver_puts_nobody_else_away(self):
        mine = self._away(self.approver, substitute_id=self.boss.id)
        vals = {'user_id': self.boss.id, 'substitute_id': self.approver.id}
        with self.assert_refused(exception=AccessError):
            self._call(self.approver, mine, 'write', vals)
        self.env.invalidate_all()
        self.assertEqual(mine.user_id, self.approver)
        self._call(self.approver, mine, 'write', {'date_to': '2099-01-01'})

    def test_manager_puts_nobody_of_other_companies_away(self):
        vals = {'user_id': self.boss.id, 'substitute_id': self.approver.id}
        with self.assert_refused(self.boss.name, exception=AccessError):
            self._call(self.stranger, self.env['sale.return.substitute'], 'create', vals)
        absence = self._away(self.approver, substitute_id=self.boss.id)
        for method, args in (
            ('write', [{'substitute_id': self.stranger.id}]),
            ('write', [{'user_id': self.stranger.id}]),
            ('unlink', []),
        ):
            with self.subTest(method=method), self.assert_refused(exception=AccessError):
                self._call(self.stranger, absence, method, *args)
        self.env.invalidate_all()
        self.assertEqual(absence.substitute_id, self.boss)
        self._call(self.boss, absence, 'write', {'date_to': '2099-01-01'})

    def test_client_puts_nobody_else_away(self):
        mine = self._away(self.approver, substitute_id=self.boss.id)
        vals = {'user_id': self.boss.id, 'substitute_id': self.approver.id}
        status, _answer = self.post_json2(
            self.approver, 'sale.return.substitute', 'write', ids=mine.ids, vals=vals
        )
        self.assertEqual(status, 403)
        self.env.invalidate_all()
        self.assertEqual(mine.user_id, self.approver)

    def test_manager_enters_absences_of_others(self):
        mine = self._away(self.approver, substitute_id=self.boss.id)
        self._call(self.boss, mine, 'write', {'user_id': self.user.id})
        self.assertEqual(mine.user_id, self.user)

    # === COMPANIES === #

    def _create_theirs(self, model='sale.return.policy', **values):
        vals = {'name': "Theirs", 'company_id': self.other_company.id, **values}
        record_id = self._call(self.stranger, self.env[model], 'create', vals)
        return self.env[model].sudo().browse(record_id)

    def test_manager_moves_no_policy_into_another_company(self):
        theirs = self._create_theirs(sequence=-999, approval='none')
        for company in (self.company, self.env['res.company']):
            with self.assert_refused():
                self._call(self.stranger, theirs, 'write', {'company_id': company.id})
        self.env.invalidate_all()
        self.assertEqual(theirs.company_id, self.other_company)
        self._call(self.stranger, theirs, 'write', {'sequence': 7, 'name': "Theirs, too"})
        self._call(self.stranger, theirs, 'unlink')

    def test_client_moves_no_policy_into_another_company(self):
        theirs = self._create_theirs(sequence=-999, approval='none')
        status, _answer = self.post_json2(
            self.stranger,
            'sale.return.policy',
            'write',
            ids=theirs.ids,
            vals={'company_id': self.company.id},
        )
        self.assertIn(status, (403, 422))
        self.env.invalidate_all()
        self.assertEqual(theirs.company_id, self.other_company)

    def test_manager_of_both_companies_moves_no_policy(self):
        self.boss.sudo().company_ids += self.other_company
        with self.assert_refused("belongs to its company", UserError):
            self._call(self.boss, self.policy, 'write', {'company_id': self.other_company.id})
        self._call(self.boss, self.policy, 'write', {'company_id': self.company.id})

    def _get_shared(self):
        policy = self.env.ref('sale_return.policy_standard')
        return {
            'sale.return.policy': (policy, {'name': "X"}),
            'sale.return.reason': (self.reason_other, {'name': "X", 'code': "X"}),
            'sale.return.disposition': (
                self.restock,
                {'name': "X", 'code': "X", 'action': 'restock'},
            ),
            'sale.return.grade': (self.env.ref('sale_return.grade_a'), {'name': "X", 'code': "X"}),
        }

    def test_forms_say_who_may_change_what_is_shared(self):
        """Before somebody tries in vain."""
        shared = self.env.registry['sale.return.shared']
        views = self.env['ir.ui.view'].sudo()
        views = views.search([('model', '=like', 'sale.return%'), ('type', '=', 'form')])
        views = views.filtered(
            lambda view: isinstance(self.env[view.model], shared) and '<sheet' in view.arch
        )
        self.assertGreater(len(views), 8)
        for view in views:
            arch = self.env[view.model].sudo().get_view(view.id, 'form')['arch']
            with self.subTest(view=view.xml_id):
                self.assertIn('name="shared_note"', arch)
        reason = self.reason_other.with_env(self._env_of(self.stranger))
        self.assertIn("applies to all companies", reason.shared_note)
        self.assertFalse(reason.sudo().shared_note)

    def test_manager_of_one_company_changes_nothing_shared(self):
        for model, (record, vals) in self._get_shared().items():
            for method, args in (
                ('write', [{'name': "Changed"}]),
                ('write', [{'company_id': self.other_company.id}]),
                ('unlink', []),
                ('action_archive', []),
            ):
                with (
                    self.subTest(model=model, method=method),
                    self.assert_refused("all companies", AccessError),
                ):
                    self._call(self.stranger, record, method, *args)
            with self.subTest(model=model), self.assert_refused("all companies", AccessError):
                values = {**vals, 'company_id': False}
                self._call(self.stranger, self.env[model], 'create', values)

    def test_children_of_what_is_shared_are_shared(self):
        policy = self.env.ref('sale_return.policy_standard')
        vals = {'name': "Level", 'policy_id': policy.id, 'approver_type': 'manager'}
        with self.assert_refused("all companies", AccessError):
            self._call(self.stranger, self.env['sale.return.approval.level'], 'create', vals)

    def test_manager_of_all_companies_changes_what_is_shared(self):
        companies = self.env['res.company'].sudo().search([])
        self.boss.sudo().company_ids = companies
        self._call(self.boss, self.reason_other, 'write', {'name': "Something else"})
        values = {'name': "X", 'code': "X", 'company_id': False}
        self._call(self.boss, self.env['sale.return.reason'], 'create', values)
