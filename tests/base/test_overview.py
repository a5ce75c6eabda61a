from lxml import etree

from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged

from ..common_migration import load_migration
from ..common_team import MONDAY, TeamCommon

BILLING = 'account.group_account_invoice'

# Which cards each role has, in their order.
CARDS = {
    ('sale_return.group_user',): (
        "To Receive|To Credit|To Pay Back|Late|Unexpected Parcels|Wrong or Missing Goods"
        "|Failed Credit Notes"
    ),
    ('sale_return.group_inspector',): (
        "To Receive|To Inspect|To Credit|To Pay Back|Late|Unexpected Parcels"
        "|Wrong or Missing Goods|Failed Credit Notes"
    ),
    ('sale_return.group_approver',): (
        "To Decide|To Receive|To Credit|To Pay Back|Late|Appeals|Unexpected Parcels"
        "|Wrong or Missing Goods|Failed Credit Notes"
    ),
    (BILLING,): "Differences",
    ('sale_return.group_user', BILLING): (
        "To Receive|To Credit|To Pay Back|Late|Unexpected Parcels|Wrong or Missing Goods"
        "|Failed Credit Notes|Differences"
    ),
    ('sale_return.group_manager',): (
        "Set Up Returns|To Decide|To Receive|To Inspect|To Credit|To Pay Back|Late|Appeals"
        "|Unexpected Parcels|Wrong or Missing Goods|Failed Credit Notes|Differences"
        "|Credits without Goods"
    ),
}


@tagged('post_install', '-at_install')
class TestOverview(TeamCommon):
    """The app opens on cards with open work, as visible to each role."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.ref('sale_return.group_user').sudo()._apply_group(
            cls.env.ref('sale_return.group_bench').sudo()
        )

    def _get_cards(self, user):
        """Return `{name: card}` as read by the client."""
        self.env.flush_all()
        self.env.invalidate_all()
        fields = {name: {} for name in ('name', 'count', 'count_mine', 'count_late')}
        cards = self._env_of(user)['sale.return.worklist'].with_context(lang='en_US')
        return {card['name']: card for card in cards.web_search_read([], fields)['records']}

    def _get_numbers(self, user, name):
        card = self._get_cards(user)[name]
        return card['count'], card['count_mine'], card['count_late']

    def _open(self, user, name, method):
        """Return the content of the list behind a card, with its default filters."""
        env = self._env_of(user)
        card = env['sale.return.worklist'].with_context(lang='en_US').search([('name', '=', name)])
        action = getattr(card, method)()
        return env[action['res_model']].search(card._get_domain(action))

    def test_each_role_sees_the_cards_it_can_use(self):
        for number, (groups, names) in enumerate(CARDS.items()):
            user = self._create_user(f'overview_{number}', *groups)
            with self.subTest(groups=groups):
                self.assertEqual('|'.join(self._get_cards(user)), names)

    def test_whoever_has_no_role_sees_no_overview(self):
        user = self._create_user('overview_nobody', 'sales_team.group_sale_salesman')
        self.assertFalse(self._env_of(user)['sale.return.worklist'].has_access('read'))

    def test_parcels_are_hidden_without_the_bench(self):
        self.env.ref('sale_return.group_user').sudo()._remove_group(
            self.env.ref('sale_return.group_bench').sudo()
        )
        self.assertNotIn("Unexpected Parcels", self._get_cards(self.clerk))

    def test_a_return_goes_from_card_to_card(self):
        before = {name: card['count'] for name, card in self._get_cards(self.leader).items()}

        def get_changes():
            cards = self._get_cards(self.leader)
            return {
                name: card['count'] - before[name]
                for name, card in cards.items()
                if card['count'] != before[name] and name != "Late"
            }

        sale_return = self._create_return(self.order, 2)
        self.assertEqual(get_changes(), {"To Decide": 1})
        self._approve(sale_return)
        self.assertEqual(get_changes(), {"To Receive": 1})
        self._receive(sale_return)
        self.assertEqual(get_changes(), {"To Inspect": 1})

    def test_numbers_are_those_of_the_lists_they_open(self):
        self._submit(moment=MONDAY)
        self.policy.approval = 'none'
        self._return_goods(self._create_sale(), 2)
        for user in (self.leader, self.decider, self.inspector, self.clerk):
            for name, card in self._get_cards(user).items():
                with self.subTest(user=user.login, card=name):
                    self.assertEqual(len(self._open(user, name, 'action_open')), card['count'])
                    for number in ('mine', 'late'):
                        records = self._open(user, name, f'action_open_{number}')
                        expected = card[f'count_{number}']
                        # A card without such a number has no button for it.
                        if expected:
                            self.assertEqual(len(records), expected)

    def test_what_is_mine_is_my_step_or_my_return(self):
        sale_return = self._submit(moment=MONDAY)
        self.assertEqual(self._get_row(sale_return, 'decide').user_id, self.decider)
        self.assertEqual(self._get_numbers(self.decider, "To Decide"), (1, 1, 1))
        self.assertEqual(self._get_numbers(self.leader, "To Decide"), (1, 0, 1))
        sale_return.user_id = self.leader
        self.assertEqual(self._get_numbers(self.leader, "To Decide"), (1, 1, 1))

    def test_other_companies_are_not_counted(self):
        self._submit(moment=MONDAY)
        other = self._create_trading_company("Other Overview Company")
        stranger = self._create_user('overview_other', 'sale_return.group_manager', company=other)
        self.assertEqual({card['count'] for card in self._get_cards(stranger).values()}, {0})

    def test_all_cards_are_counted_in_one_statement(self):
        cards = self._env_of(self.leader)['sale.return.worklist'].search([])
        cards._get_counts()
        self.env.flush_all()
        with self.assertQueryCount(1):
            cards._get_counts()

    def test_app_opens_on_the_overview(self):
        for groups in (('sale_return.group_user',), (BILLING,), ('sale_return.group_manager',)):
            user = self._create_user(f'overview_home_{len(groups[0])}', *groups)
            menus = self._env_of(user)['ir.ui.menu'].load_menus(False)
            root = menus[self.env.ref('sale_return.sale_return_menu_root').id]
            self.assertEqual(
                menus[root['children'][0]]['xmlid'], 'sale_return.sale_return_worklist_menu'
            )


@tagged('post_install', '-at_install')
class TestDefaultTeam(TeamCommon):
    """One team takes all returns from the first day on, and notifies nobody."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.team.active = False
        cls.everybody = cls.env['sale.return.team']._create_default(cls.company)

    def test_new_companies_have_it(self):
        company = self.env['res.company'].sudo().create({'name': "New Company"})
        team = self.env['sale.return.team'].sudo().search([('company_id', '=', company.id)])
        self.assertTrue(team.everybody)
        self.assertFalse(team.health)
        self.assertEqual(len(team.step_ids), 7)

    def test_a_step_that_is_due_is_late_from_the_first_return_on(self):
        sale_return = self._submit(moment=MONDAY)
        row = self._get_row(sale_return, 'decide')
        self.assertEqual((row.team_id, row.user_id.ids, row.late), (self.everybody, [], True))

    def test_nobody_is_called_or_reminded(self):
        sale_return = self._submit(moment=MONDAY)
        self._run_alarms('2026-03-20 12:00:00')
        self.assertFalse(self._get_activities(sale_return))
        for user in (self.leader, self.decider, self.staff):
            self.assertFalse(self._get_told(sale_return, user))
        self.assertFalse(sale_return.event_ids.filtered(lambda event: event.kind == 'assigned'))

    def test_own_teams_come_first(self):
        self.team.active = True
        self.assertEqual(self._submit().team_id, self.team)

    def test_an_owner_of_a_step_still_takes_it(self):
        self._set_step('decide', team=self.everybody, user_id=self.decider.id)
        row = self._get_row(self._submit(), 'decide')
        self.assertEqual(row.user_id, self.decider)

    def test_a_batch_costs_little_more_per_return(self):
        def count(returns):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            returns.action_submit()
            self.env.flush_all()
            return self.cr.sql_log_count - before

        def create():
            orders = [self._create_sale() for _i in range(10)]
            return self.env['sale.return'].union(
                *(self._create_return(order, 1, submit=False) for order in orders)
            )

        with_team = count(create())
        self.everybody.active = False
        self.assertLessEqual(with_team - count(create()), 20)


@tagged('post_install', '-at_install')
class TestMenus(TeamCommon):
    """Nine entries on a fresh database for all roles together, and each part behind its switch."""

    SWITCHES = ('bench', 'levels', 'teams', 'checklists', 'statistics', 'records')

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._switch(bench=True, levels=False, teams=False, checklists=False)
        cls._switch(statistics=False, records=False)
        cls.everything = new_test_user(
            cls.env(su=True),
            login='menus_everything',
            groups='sale_return.group_manager,account.group_account_manager,base.group_system',
        )

    @classmethod
    def _switch(cls, **switches):
        """Switch parts as the settings do, ignoring records of other tests."""
        settings = cls.env['res.config.settings'].sudo()
        fields = settings._fields
        if 'bench' in switches:
            switches['desk'] = switches['bench']
        for name, value in switches.items():
            field = fields[f'group_sale_return_{name}']
            implied = settings.env.ref(field.implied_group)
            for group in field.group.split(','):
                if value:
                    settings.env.ref(group)._apply_group(implied)
                else:
                    settings.env.ref(group)._remove_group(implied)
        cls.env.registry.clear_cache()
        cls.env.registry.clear_cache('groups')

    def _get_leaves(self, user):
        """Return the names of the menu entries of the app with an action."""
        menus = self.env['ir.ui.menu'].with_user(user).with_context(lang='en_US').load_menus(False)
        leaves, todo = [], menus[self.env.ref('sale_return.sale_return_menu_root').id]['children']
        while todo:
            menu, todo = menus[todo[0]], todo[1:]
            todo += menu['children']
            leaves += [menu['name']] if menu['action_id'] and not menu['children'] else []
        return leaves

    def test_a_fresh_database_has_nine_entries(self):
        self.assertCountEqual(
            self._get_leaves(self.everything),
            [
                "Overview", "Returns", "Bench", "Refunds", "Differences", "Analysis", "Settings",
                "Set-Up", "Policies",
            ],
        )  # fmt: skip

    def test_each_role_sees_its_own(self):
        expected = {
            ('sale_return.group_user',): ["Overview", "Returns", "Refunds", "Analysis"],
            ('sale_return.group_inspector',): [
                "Overview", "Returns", "Bench", "Refunds", "Analysis",
            ],
            (BILLING,): ["Overview", "Refunds", "Differences"],
        }  # fmt: skip
        for number, (groups, names) in enumerate(expected.items()):
            user = self._create_user(f'menus_{number}', *groups)
            with self.subTest(groups=groups):
                self.assertCountEqual(self._get_leaves(user), names)

    def test_each_switch_shows_more(self):
        base = set(self._get_leaves(self.everything))
        for name in ('levels', 'teams', 'checklists', 'statistics', 'records'):
            with self.subTest(switch=name):
                self._switch(**{name: True})
                self.assertGreater(set(self._get_leaves(self.everything)), base)
                self._switch(**{name: False})
                self.assertEqual(set(self._get_leaves(self.everything)), base)

    def test_without_the_bench_it_has_no_entry(self):
        self._switch(bench=False)
        self.assertNotIn("Bench", self._get_leaves(self.everything))

    def test_settings_switch_parts_for_their_roles(self):
        settings = self.env['res.config.settings'].sudo()
        settings.create({'group_sale_return_levels': True}).execute()
        self.assertTrue(self.decider.has_group('sale_return.group_levels'))
        self.assertFalse(self.clerk.has_group('sale_return.group_levels'))
        settings.create({'group_sale_return_bench': False}).execute()
        self.assertFalse(self.inspector.has_group('sale_return.group_desk'))
        self.assertFalse(self.clerk.has_group('sale_return.group_bench'))
        settings.create({'group_sale_return_bench': True}).execute()
        self.assertTrue(self.inspector.has_group('sale_return.group_desk'))

    def test_databases_that_are_upgraded_keep_all_parts(self):
        migrate = load_migration('post-switches').migrate
        for _time in range(2):
            migrate(self.env.cr, '19.0.1.1.0')
            self.env.registry.clear_cache()
            self.env.registry.clear_cache('groups')
        self.assertGreater(len(self._get_leaves(self.everything)), 30)
        self.assertTrue(self.inspector.has_group('sale_return.group_desk'))

    def test_upgrades_leave_new_parts_off(self):
        migration = load_migration('post-switches')
        new = {
            name.removeprefix('group_sale_return_'): False
            for name in self.env['res.config.settings']._fields
            if name.startswith('group_sale_return_')
        }
        for part in migration.PARTS:
            del new[part]
        self.assertIn('scenario', new)
        self._switch(**new)
        migration.migrate(self.env.cr, '19.0.1.1.0')
        self.env.registry.clear_cache('groups')
        for part in new:
            with self.subTest(part=part):
                self.assertFalse(self.everything.has_group(f'sale_return.group_{part}'))

    def test_upgrades_forget_who_saw_a_menu(self):
        menu = self.env.ref('sale_return.sale_return_bench_menu').sudo()
        foreign = self.env.ref('base.menu_administration').sudo()
        groups = foreign.group_ids
        menu.group_ids += self.env.ref('sale_return.group_inspector')
        self.env.flush_all()
        load_migration('pre-menus').migrate(self.env.cr, '19.0.1.1.0')
        self.env.invalidate_all()
        self.assertFalse(menu.group_ids)
        self.assertEqual(foreign.group_ids, groups)

    def test_a_part_in_use_is_not_hidden(self):
        self._switch(teams=True)
        settings = self.env['res.config.settings'].sudo()
        message = "“Own Teams” cannot be switched off"
        with self.assertRaisesRegex(UserError, message):
            settings.create({'group_sale_return_teams': False}).execute()
        self.env['sale.return.team'].sudo().search([('everybody', '=', False)]).active = False
        settings.create({'group_sale_return_teams': False}).execute()
        self.assertFalse(self.clerk.has_group('sale_return.group_teams'))

    def test_hidden_parts_leave_no_columns_behind(self):
        env = self._env_of(self.leader)
        for switch, model, kind, path in (
            ('teams', 'sale.return', 'form', "//field[@name='team_id']"),
            ('teams', 'sale.return', 'list', "//field[@name='team_id']"),
            ('teams', 'sale.return.deadline', 'search', "//*[@name='group_by_team']"),
            ('levels', 'sale.return.policy', 'form', "//field[@name='level_ids']"),
            ('checklists', 'sale.return.inspection', 'form', "//page[@name='answers']"),
        ):
            with self.subTest(switch=switch, model=model, kind=kind):
                for value in (False, True):
                    self._switch(**{switch: value})
                    arch = etree.fromstring(env[model].get_view(view_type=kind)['arch'])
                    self.assertEqual(bool(arch.xpath(path)), value)

    def test_three_dashboards_are_there_by_default(self):
        group = self.env.ref('sale_return.spreadsheet_dashboard_group_returns')
        for value, count in ((False, 3), (True, 8)):
            self._switch(statistics=value)
            dashboards = self._env_of(self.leader)['spreadsheet.dashboard']
            found = dashboards.search([('dashboard_group_id', '=', group.id)])
            self.assertEqual(len(found), count)
