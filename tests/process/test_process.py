"""The picture of the process: each return counted once, and behind each number its records."""

import json
import random
from contextlib import suppress
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from ...models.process import sale_return_process
from ..common_decision import DecisionCommon

LEAN = "pure SQL on our own tables"


def switch(env, is_on=True):
    """Switch the policy lab on or off, as the settings do."""
    env['res.config.settings'].sudo().create({'group_sale_return_lab': is_on}).execute()
    env.registry.clear_cache('groups')


def date_events(sale_return, **days):
    """Have kinds of events, or changes of the state, happen some days ago."""
    env = sale_return.env
    env.flush_all()
    env.cr.execute("ALTER TABLE sale_return_event DISABLE TRIGGER USER")
    for name, ago in days.items():
        moment = fields.Datetime.now() - timedelta(days=ago)
        env.cr.execute(
            SQL(
                "UPDATE sale_return_event SET date = %s"
                " WHERE return_id = %s AND %s IN (kind, state_to)",
                moment, sale_return.id, name,
            )
        )  # fmt: skip
        if name in ('approved', 'refused'):
            env.cr.execute(
                SQL(
                    "UPDATE sale_return_approval SET date = %s WHERE return_id = %s",
                    moment, sale_return.id,
                )
            )  # fmt: skip
    env.cr.execute("ALTER TABLE sale_return_event ENABLE TRIGGER USER")
    env.invalidate_all()


class ProcessCommon(DecisionCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        switch(cls.env)
        cls.manager = cls._create_user('process_manager', 'sale_return.group_manager')
        cls.bosses = [
            cls._create_user(f'process_boss_{number}', 'sale_return.group_approver')
            for number in range(2)
        ]
        cls.process = cls.env['sale.return.process'].with_env(cls._env_of(cls.manager))

    def _draw(self, policy=None):
        self.env.flush_all()
        return self.process.get_picture(policy and policy.id)

    def _find(self, picture, flow, node, target=None):
        """Return the returns in the list behind a part of the picture."""
        action = self.process.get_returns_action(
            picture['policy'] and picture['policy']['id'], picture['since'], flow, node, target
        )
        return self.process.env['sale.return'].search(action['domain'])

    def _get_nodes(self, picture):
        return {
            (flow['key'], node['key']): node
            for flow in picture['flows']
            for column in flow['columns']
            for node in column['nodes']
        }

    def _get_ways(self, picture):
        """Return `{(flow, node, next node): count}` of all ways that returns took."""
        return {
            (flow, key, edge['target']): edge['count']
            for (flow, key), node in self._get_nodes(picture).items()
            for edge in node['edges']
            if edge['count']
        }


@tagged('post_install', '-at_install')
class TestProcess(ProcessCommon):
    # === EACH RETURN ONCE === #

    def _go_some_way(self, chance):
        """Request a return and take it some random way."""
        reason = chance.choice((self.reason_defective, self.reason_missing))
        order = self._create_sale({'quantity': chance.randint(1, 9)})
        sale_return = self._create_return(order, None, reason, submit=chance.random() > 0.1)
        end = chance.random()
        if sale_return.state == 'submitted':
            if end < 0.2:
                return sale_return.action_refuse("Not ours.")
            if end < 0.3:
                return sale_return.action_cancel()
            # The second changes nothing, or decides on the next level.
            for boss in self.bosses[: 0 if end > 0.9 else 1 if end > 0.7 else 2]:
                self._call(boss, sale_return, 'action_approve', "All right.")
        if sale_return.state != 'approved':
            return None
        if end < 0.1:
            return sale_return.action_cancel() if not sale_return.credit_note_ids else None
        if chance.random() < 0.5:
            sale_return.action_register_dispatch(tracking_ref='1Z77', carrier_name="UPS")
        if sale_return.reception_state == 'pending' and chance.random() < 0.8:
            self._receive(sale_return)
            if chance.random() < 0.7:
                sale_return.action_inspect_all(chance.choice(('restock', 'send_back')))
            notes = sale_return.credit_note_ids
            if chance.random() < 0.5 and any(note.amount_residual for note in notes):
                self._pay_back(notes)
        elif sale_return.reception_state == 'pending' and chance.random() < 0.5:
            sale_return.action_close("It never came.")
        return None

    def test_what_enters_a_step_left_it_or_is_there(self):
        """For random returns: sums agree, and each number equals the list behind it."""
        chance = random.Random(24)
        self._add_rule('quantity', quantity=5, outcome='review')
        self._add_rule('excluded', product_ids=self.product.ids, outcome='authorize')
        refusing = self._create_policy(reason_ids=self.reason_missing.ids, approval='levels')
        self._add_rule('quantity', refusing, quantity=3, outcome='refuse')
        for name, low in (("Much", 0), ("Very much", 500)):
            self.env['sale.return.approval.level'].create(
                {'name': name, 'policy_id': refusing.id, 'amount_from': low}
            )
        for _number in range(13):
            self._go_some_way(chance)
        asked = self.env['sale.return'].search([('state', '!=', 'draft')])
        counts = []
        for policy in (None, self.policy, refusing):
            picture = self._draw(policy)
            counts.append(picture['count'])
            self._check_sums(picture)
        self.assertEqual(counts[0], len(asked))
        self.assertEqual(counts[0], sum(counts[1:]))
        self.assertGreater(min(counts), 2)

    def _check_sums(self, picture):
        ways, nodes = self._get_ways(picture), self._get_nodes(picture)
        arrived = dict.fromkeys(nodes, 0)
        for (flow, _key, target), count in ways.items():
            arrived[flow, target] += count
        starts = {'goods': 'approved', 'money': 'approved'}
        for (flow, key), node in nodes.items():
            left = sum(edge['count'] for edge in node['edges'])
            self.assertEqual(node['count'], left + node['here'], (flow, key))
            if not key.startswith('door:') and starts.get(flow) != key:
                self.assertEqual(node['count'], arrived[flow, key], (flow, key))
            if node['count']:
                listed = self._find(picture, flow, key)
                self.assertEqual(len(listed), node['count'], (flow, key))
                there = self._find(picture, flow, key, 'here')
                self.assertEqual(len(there), node['here'], (flow, key))
                gone = [self._find(picture, flow, key, edge['target']) for edge in node['edges']]
                self.assertEqual(
                    [len(returns) for returns in gone], [edge['count'] for edge in node['edges']]
                )
                self.assertEqual(sum(map(len, gone)) + len(there), len(listed))
        self.assertEqual(nodes['goods', 'approved']['count'], nodes['request', 'approved']['count'])
        self.assertEqual(nodes['money', 'approved']['count'], nodes['request', 'approved']['count'])

    # === ONE RETURN === #

    def test_one_way_with_its_times(self):
        rule = self._add_rule('quantity', quantity=1, outcome='review')
        sale_return = self._create_return(self._create_sale({'quantity': 2}))
        self._call(self.bosses[0], sale_return, 'action_approve')
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        date_events(sale_return, submitted=12, approved=10, received=5, inspected=4.5, credited=4.5)
        picture = self._draw(self.policy)
        nodes = self._get_nodes(picture)
        self.assertEqual(
            [(key, target) for flow, key, target in self._get_ways(picture) if flow == 'request'],
            [
                ('door:employee', f'policy:{self.policy.id}'),
                (f'policy:{self.policy.id}', f'rule:{rule.id}'),
                (f'rule:{rule.id}', 'ask'),
                ('ask', 'person'),
                ('person', 'approved'),
            ],
        )
        times = {
            (key, edge['target']): edge['time']
            for node in nodes
            for key in [node[1]]
            for edge in nodes[node]['edges']
            if edge['count'] and edge['time']
        }
        self.assertEqual(
            times,
            {
                ('person', 'approved'): "2.0 days",
                ('approved', 'received'): "5.0 days",
                ('received', 'inspected'): "12.0 hours",
                ('approved', 'release:inspection'): "5.5 days",
                **{
                    key: time for key, time in times.items()
                    if key[0] in ('credited', 'way:account', 'way:paid')
                },
            },
        )  # fmt: skip
        node = nodes['request', f'rule:{rule.id}']
        self.assertEqual(node['sentence'], rule.sentence)
        self.assertEqual(node['edit'], ['sale.return.rule', rule.id, []])

    def test_rules_that_nothing_met_are_drawn(self):
        rule = self._add_rule('value', amount=100000, outcome='refuse')
        self._create_return(self.order, 1)
        picture = self._draw(self.policy)
        node = self._get_nodes(picture)['request', f'rule:{rule.id}']
        self.assertEqual((node['count'], node['here']), (0, 0))
        self.assertEqual([(e['target'], e['count']) for e in node['edges']], [('auto_refused', 0)])

    def test_a_rule_that_was_deleted_is_of_an_earlier_version(self):
        rule = self._add_rule('quantity', quantity=1, outcome='review')
        self._create_return(self.order, 2)
        rule.unlink()
        ways = self._get_ways(self._draw(self.policy))
        self.assertEqual(ways['request', 'rule:earlier', 'ask'], 1)

    def test_refused_line_does_not_tell_why_the_rest_was_approved(self):
        """As with the decision: lines refused for good do not keep the others from passing."""
        self._add_rule('excluded', product_ids=self.service.ids, outcome='refuse')
        order = self._create_sale({'quantity': 2}, {'product': self.service, 'quantity': 1})
        self._create_return(order.order_line[0] | order.order_line[1], 1)
        ways = self._get_ways(self._draw(self.policy))
        self.assertEqual(ways['request', 'rule:pass', 'auto'], 1)

    def test_levels_refusal_and_appeal(self):
        policy = self._create_policy(approval='levels', appeal_days=14)
        first, second = (
            self.env['sale.return.approval.level'].create(
                {'name': name, 'policy_id': policy.id, 'sequence': index}
            )
            for index, name in enumerate(("First", "Second"))
        )
        returns = [self._create_return(self._create_sale(), 1) for _number in range(3)]
        boss, other = self.bosses
        for sale_return in returns:
            self._call(other, sale_return, 'action_approve')
        self._call(boss, returns[1], 'action_approve')
        self._call(boss, returns[2], 'action_refuse', "It was used.")
        self._call(self.staff, returns[2], 'action_appeal', "It was never used.")
        picture = self._draw(policy)
        ways, nodes = self._get_ways(picture), self._get_nodes(picture)
        self.assertEqual(ways['request', f'level:{first.id}', f'level:{second.id}'], 3)
        self.assertEqual(nodes['request', f'level:{second.id}']['here'], 1)
        self.assertEqual(ways['request', f'level:{second.id}', 'approved'], 1)
        self.assertEqual(ways['request', f'level:{second.id}', 'appeal'], 1)
        self.assertEqual(nodes['request', 'appeal']['here'], 1)
        self.assertEqual(self._find(picture, 'request', 'appeal', 'here'), returns[2])
        self._check_sums(picture)

    def test_doors(self):
        self._create_return(self._create_sale(), 1)
        order = self._create_sale()
        back = self._return_in_inventory(order.picking_ids[:1], 1)
        self._process(back)
        stranger = self._create_return(self._create_sale(), 1)
        self.env.flush_all()
        self.env.cr.execute(SQL("UPDATE sale_return SET door = 'link' WHERE id = %s", stranger.id))
        self.env.invalidate_all()
        nodes = self._get_nodes(self._draw())
        doors = {key: node['count'] for (_f, key), node in nodes.items() if 'door:' in key}
        self.assertEqual(
            doors, {'door:employee': 1, 'door:account': 0, 'door:link': 1, 'door:goods': 1}
        )

    def test_a_request_of_long_ago_is_not_counted(self):
        self._create_return(self._create_sale(), 1)
        date_events(self._create_return(self._create_sale(), 1), submitted=100)
        self.assertEqual(self._draw()['count'], 1)

    def test_many_returns_are_those_of_fewer_days(self):
        for ago in (0, 20, 40):
            sale_return = self._create_return(self._create_sale(), 1)
            date_events(sale_return, submitted=ago)
            self.env.cr.execute(
                SQL(
                    "UPDATE sale_return SET create_date = %s WHERE id = %s",
                    fields.Datetime.now() - timedelta(days=ago),
                    sale_return.id,
                )
            )
        self.env.invalidate_all()
        pictures = []
        for most in (3, 2, 0):
            with patch.object(sale_return_process, 'MOST_RETURNS', most):
                pictures.append(self._draw())
        self.assertEqual([picture['days'] for picture in pictures], [90, 40, 1])
        self.assertEqual([picture['count'] for picture in pictures], [3, 2, 1])
        self._check_sums(pictures[1])

    def test_no_returns(self):
        picture = self._draw()
        self.assertEqual(picture['count'], 0)
        self.assertFalse(self._get_ways(picture))
        self.assertEqual(json.loads(json.dumps(picture)), picture)

    # === WHO === #

    def test_only_managers_see_it(self):
        sale_return = self._create_return(self.order, 1)
        part = f"request|0|{self._draw()['since']}|ask|"
        for role in ('group_user', 'group_inspector', 'group_approver'):
            user = self._create_user(f'process_{role}', f'sale_return.{role}')
            service = self.process.with_user(user)
            with self.subTest(role=role):
                with self.assertRaises(AccessError):
                    service.get_picture()
                with self.assertRaises(AccessError):
                    service.get_returns_action(False, '2026-01-01', 'request', 'ask')
                with self.assertRaises(AccessError):
                    sale_return.with_user(user).search([('process_step', '=', part)])
                with self.assertRaises(AccessError):
                    self.policy.with_user(user).action_view_process()
                if service.env['sale.return.policy'].has_access('read'):
                    arch = service.env['sale.return.policy'].get_view(view_type='list')['arch']
                    self.assertNotIn('action_view_process', arch)
        policies = self.policy.with_env(self.process.env)
        self.assertIn('action_view_process', policies.get_view(view_type='list')['arch'])

    def test_other_companies_see_their_own(self):
        self._create_return(self.order, 1)
        self.assertEqual(self._draw()['count'], 1)
        other = self.env['res.company'].sudo().create({'name': "Elsewhere"})
        self.policy.sudo().company_id = self.company
        elsewhere = self._create_user(
            'process_elsewhere', 'sale_return.group_manager', company=other
        )
        self.process = self.process.with_env(self._env_of(elsewhere))
        picture = self._draw()
        self.assertEqual(picture['count'], 0)
        self.assertNotIn(self.policy.id, [policy['id'] for policy in picture['policies']])
        with self.assertRaises(AccessError):
            self._draw(self.policy)

    def test_it_is_off_until_the_policy_lab_is_on(self):
        switch(self.env, is_on=False)
        with self.assertRaisesRegex(UserError, "switched off"):
            self.process.get_picture()
        with self.assertRaisesRegex(UserError, "switched off"):
            self.policy.with_env(self.process.env).action_view_process()
        views = self.policy.with_env(self.process.env).get_views([(False, 'list'), (False, 'form')])
        for view in views['views'].values():
            self.assertNotIn('action_view_process', view['arch'])

    @mute_logger('odoo.http')
    def test_arguments_of_any_kind(self):
        """What clients send is refused in words."""
        odd = ('x', -1, 2**40, [], {}, 'request|0|2026-01-01|ask|', None, 10**9, '\x00', 1.5, "'")
        since, returns = self._draw()['since'], self.process.env['sale.return']
        for value in odd:
            for arguments in (
                (value, since, 'request', 'ask'),
                (False, value, 'request', 'ask'),
                (False, since, value, 'ask'),
                (False, since, 'request', value),
                (False, since, 'request', 'ask', value),
            ):
                with self.subTest(arguments=arguments):
                    self._try(self.process.get_returns_action, *arguments)
            with self.subTest(value=value):
                self._try(self.process.get_picture, value)
                # Odoo itself refuses lists and dicts in domains.
                if isinstance(value, (str, int, float)):
                    self._try(returns.search, [('process_step', '=', value)])
                    self._try(returns.search, [('process_step', 'ilike', value)])

    def _try(self, method, *arguments):
        with suppress(UserError, AccessError), self.env.cr.savepoint():
            result = method(*arguments)
            if isinstance(result, dict) and 'domain' in result:
                self.process.env['sale.return'].search(result['domain'])

    # === BOUNDS === #

    def test_queries_do_not_grow(self):
        """Neither with returns nor with policies and rules."""
        self._add_rule('quantity', quantity=5)
        self._create_return(self.order, 1)
        self._draw(self.policy)

        def count(policy):
            # What Odoo keeps of its own configuration may have been dropped in the meantime.
            self._draw(policy)
            self.process.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.process.get_picture(policy and policy.id)
            return self.env.cr.sql_log_count - before

        def trade(number):
            self._create_return(self._create_sale(), 1)
            self._create_policy(reason_ids=self.reason_missing.ids)
            self._add_rule('value', amount=900 + number)

        trade(0)
        before = [count(None), count(self.policy)]
        for number in range(1, 4):
            trade(number)
        self.assertLessEqual(max(before), 45)
        for policy, then in zip((None, self.policy), before, strict=True):
            # One or two for what Odoo had to read again of its configuration.
            self.assertLessEqual(count(policy), then + 2)

    def test_action_opens_the_picture_of_the_policy(self):
        policy = self.policy.with_env(self.process.env)
        self.assertEqual(policy.action_view_process()['params'], {'policy_id': policy.id})
        draft = policy.browse(policy.action_create_draft()['res_id'])
        self.assertEqual(draft.action_view_process()['params'], {'policy_id': policy.id})
        self.assertEqual(policy.browse().action_view_process()['params'], {'policy_id': False})

    def test_times_in_words(self):
        words = self.process._describe_time
        self.assertEqual(
            [words(seconds) for seconds in (None, 90, 7200, 172799, 172800, 276480)],
            ["", "2 min", "2.0 hours", "48.0 hours", "2.0 days", "3.2 days"],
        )
