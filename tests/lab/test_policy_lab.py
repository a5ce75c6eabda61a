"""The policy lab: replays ask the same rules about the same facts, and versions are kept."""

import random
from datetime import datetime, timedelta
from unittest.mock import patch

from lxml import etree

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tests.form import Form
from odoo.tools import SQL, mute_logger

from ...models.lab import sale_return_replayer
from ...tools.past import Past
from ..common_decision import DecisionCommon

DAYS = 10
APPROVALS = ('none', 'always', 'levels')


class LabCommon(DecisionCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.switch = cls.env.ref('sale_return.group_lab').sudo()
        cls.env.ref('sale_return.group_user').sudo()._apply_group(cls.switch)
        cls.env.registry.clear_cache('groups')
        cls.manager = cls._create_user('lab_manager', 'sale_return.group_manager')
        cls.approver = cls._create_user('lab_approver', 'sale_return.group_approver')
        cls.minute = 0

    def _draft(self, policy=None, **values):
        """Make a draft as a manager does, and change it."""
        live = (policy or self.policy).with_env(self._env_of(self.manager))
        draft = live.browse(live.action_create_draft()['res_id'])
        if values:
            draft.write(values)
        return draft

    def _replay(self, draft, months=3):
        replay = draft.env['sale.return.replay'].browse(draft.action_replay()['res_id'])
        replay.months = months
        replay.action_start()
        self.env.invalidate_all()
        return replay

    def _submit(self, order, quantity=1, reason=None, photo=False):
        """Submit a return, one minute after the last one."""
        sale_return = self._create_return(order, quantity, reason, submit=False)
        if photo:
            self._add_photo(sale_return.line_ids[:1])
        sale_return.action_submit()
        type(self).minute += 1
        moment = fields.Datetime.now() - timedelta(hours=20 - self.minute / 60)
        self._backdate(sale_return, moment)
        for table, column in (('sale_return', 'create_date'), ('sale_return_file', 'date')):
            key = 'id' if table == 'sale_return' else 'return_id'
            self.env.cr.execute(
                SQL(
                    "UPDATE %s SET %s = %s WHERE %s = %s",
                    SQL.identifier(table),
                    SQL.identifier(column),
                    moment,
                    SQL.identifier(key),
                    sale_return.id,
                )
            )
        self.env.invalidate_all()
        return sale_return

    def _age(self, returns):
        """Have all that happened so far happen some days earlier."""
        self.env.flush_all()
        ago = SQL("INTERVAL '%s days'", DAYS)
        self.env.cr.execute("ALTER TABLE sale_return_event DISABLE TRIGGER USER")
        for table, column, only in (
            ('sale_return', 'create_date', SQL("id IN %s", tuple(returns.ids))),
            ('sale_return_event', 'date', SQL("return_id IN %s", tuple(returns.ids))),
            ('sale_return_approval', 'date', SQL("return_id IN %s", tuple(returns.ids))),
            ('sale_return_file', 'date', SQL("return_id IN %s", tuple(returns.ids))),
            ('stock_move', 'date', SQL("company_id = %s", self.company.id)),
            ('stock_picking', 'date_customer_received', SQL("company_id = %s", self.company.id)),
        ):
            self.env.cr.execute(
                SQL(
                    "UPDATE %s SET %s = %s - %s WHERE %s",
                    SQL.identifier(table),
                    SQL.identifier(column),
                    SQL.identifier(column),
                    ago,
                    only,
                )
            )
        self.env.cr.execute("ALTER TABLE sale_return_event ENABLE TRIGGER USER")
        self.env.invalidate_all()

    def _get_outcomes(self, replay):
        return {
            (line.line_id, line.before, line.after): line.reason_after
            for line in replay.difference_ids
        }


@tagged('post_install', '-at_install')
class TestReplay(LabCommon):
    def _make_policy(self, chance):
        """Change the policy of the company at random."""
        self.policy.rule_ids.unlink()
        self.policy.write(
            {
                'window_days': chance.choice((0, 3, 30)),
                'approval': chance.choice(APPROVALS),
            }
        )
        self.policy.level_ids.unlink()
        self.env['sale.return.approval.level'].create(
            {
                'name': "Much",
                'policy_id': self.policy.id,
                'amount_from': chance.choice((100, 400, 800)),
            }
        )
        outcomes = ('authorize', 'review', 'refuse_overridable', 'refuse')
        kinds = {
            'window': {'days': chance.choice((2, 9, 40))},
            'value': {
                'amount': chance.choice((150, 300, 900)),
                'value_basis': chance.choice(('return', 'line')),
            },
            'quantity': {'quantity': chance.choice((1, 2, 5))},
            'photo': {'photo_count': 1, 'reason_ids': self.reason_defective.ids},
            'excluded': {'product_ids': self.product.ids},
            'history': {'return_count': chance.choice((0, 1, 3)), 'period_days': 60},
        }
        for kind in chance.sample(sorted(kinds), chance.randint(0, 4)):
            outcome = chance.choice(outcomes[:2] if kind == 'history' else outcomes)
            self._add_rule(kind, outcome=outcome, **kinds[kind])

    def test_replay_of_the_policy_says_what_was_said_on_the_day(self):
        """For random policies, however much happened since."""
        for seed in range(3):
            with self.subTest(seed=seed):
                chance = random.Random(seed)
                self._make_policy(chance)
                order = self._create_sale({}, {'product': self.product_on_order})
                self._got_on(order, fields.Datetime.now() - timedelta(days=chance.choice((1, 8))))
                returns = self.env['sale.return']
                for _number in range(3):
                    lines = chance.choice((order, *order.order_line))
                    reason = chance.choice((self.reason_defective, self.reason_changed_mind))
                    quantity = chance.choice((1, 2))
                    returns |= self._submit(lines, quantity, reason, chance.random() < 0.5)
                said = {line: line.verdicts for line in returns.line_ids}
                states = {line.return_id: line.return_id.state for line in returns.line_ids}
                self._age(returns)
                self._go_on(returns, order)
                draft = self._draft()
                replay = self._replay(draft)
                self.assertFalse(replay.difference_ids)
                self.assertEqual(replay.line_count, len(self._find_lines(replay)))
                self._assert_said(returns, said, states)
                draft.write(
                    {'window_days': chance.choice((3, 30)), 'approval': chance.choice(APPROVALS)}
                )
                draft.rule_ids[:1].write({'outcome': 'review'})
                self._assert_shared(returns, draft.sudo())

    def _assert_shared(self, returns, draft):
        """What policy and draft have in common is evaluated once, to the same result."""
        replayer = self.env['sale.return.replayer'].sudo()
        moments = {r.id: self._get_request(r) for r in returns}
        found = []
        for past in (Past, lambda moments, verdicts: Past(moments)):
            with patch.object(sale_return_replayer, 'Past', past):
                found.append(replayer._compare(returns.sudo(), draft, moments))
            self.env.invalidate_all(flush=False)
        self.assertEqual(*found)

    def test_rules_in_common_are_evaluated_once(self):
        self._add_rule('quantity', quantity=2)
        returns = self._submit(self.order, 1)
        self._age(returns)
        draft = self._draft(approval='always')
        rule = self.env.registry['sale.return.rule']
        evaluate = rule._evaluate_quantity
        with patch.object(rule, '_evaluate_quantity', autospec=True, side_effect=evaluate) as asked:
            replay = self._replay(draft)
        self.assertEqual(asked.call_count, 1)
        self.assertEqual(len(replay.difference_ids), 1)

    def _find_lines(self, replay):
        keys = [key for part in replay.sudo().part_ids for key, _moment in part.return_keys]
        return self.env['sale.return'].browse(keys).line_ids

    def _assert_said(self, returns, said, states):
        rows = [[r.id, self._get_request(r)] for r in returns]
        replayer = self.env['sale.return.replayer'].sudo()
        lines = returns.sudo().with_context(sale_return_past=Past(dict(rows))).line_ids
        self.env.flush_all()
        decided = replayer._decide(lines, dict.fromkeys(lines, self.policy.sudo()))
        self.env.invalidate_all(flush=False)
        for line in returns.line_ids:
            told = [(v['code'], v['outcome']) for v in said[line] if v['outcome'] != 'authorize']
            decision, against = decided[line]
            if told:
                self.assertEqual([(v['code'], v['outcome']) for v in against], told)
            expected = {'submitted': 'asked', 'approved': 'approved', 'refused': 'refused'}
            if not any(v['outcome'] == 'refuse' for v in said[line]):
                self.assertEqual(decision, expected[states[line.return_id]])

    def _get_request(self, sale_return):
        events = self.env['sale.return.event'].search([('return_id', '=', sale_return.id)])
        return max(events.filtered(lambda e: e.state_to == 'submitted').mapped('date'))

    def _go_on(self, returns, order):
        """Things go on: decisions, another delivery, more returns, photos, erased ones."""
        waiting = returns.filtered(lambda r: r.state == 'submitted')
        for sale_return in waiting[:1]:
            sale_return.with_env(self._env_of(self.approver)).action_refuse("No.")
        for sale_return in returns.filtered(lambda r: r.state in ('submitted', 'approved'))[:1]:
            sale_return.action_cancel()
        for sale_return in returns.filtered(lambda r: r.state == 'approved'):
            self._receive(sale_return)
        self._create_return(order.order_line[:1], 1)

    def test_draft_differs_with_its_reasons(self):
        small, large = self._submit(self.order, 1), self._submit(self.order, 4)
        self._age(small | large)
        draft = self._draft()
        draft.env['sale.return.rule'].create(
            {'policy_id': draft.id, 'kind': 'quantity', 'quantity': 2, 'outcome': 'refuse'}
        )
        replay = self._replay(draft)
        self.assertEqual(replay.state, 'done')
        found = self._get_outcomes(replay)
        self.assertEqual(set(found), {(large.line_ids, 'approved', 'refused')})
        self.assertIn("4.0 of", next(iter(found.values())))
        self.assertEqual((replay.approved_before, replay.refused_before), (2, 0))
        self.assertEqual((replay.approved_after, replay.refused_after), (1, 1))
        self.assertAlmostEqual(replay.refused_value_after, 484.0)
        self.assertAlmostEqual(replay.difference_ids.amount, 484.0)
        # Nothing of it is stored on the returns.
        self.env.invalidate_all()
        self.assertEqual(large.state, 'approved')
        self.assertEqual(large.line_ids.policy_id, self.policy)
        self.assertEqual(large.line_ids.verdict_outcome, 'authorize')

    def test_conditions_of_the_draft_count(self):
        returns = self._submit(self.order, 1)
        other = self._create_policy(name="Other", sequence=-90, approval='always')
        draft = self._draft(reason_ids=self.reason_changed_mind.ids)
        line = self._replay(draft).difference_ids
        self.assertEqual((line.line_id, line.after), (returns.line_ids, 'asked'))
        self.assertEqual(line.policy_after_id, other)
        self.assertIn("“Other” always requires an approver", line.reason_after)

    def test_hours_and_appeals(self):
        self.policy.approval = 'always'
        returns = self._submit(self.order, 1) | self._submit(self.order, 1)
        self._age(returns)
        mine = returns.with_env(self._env_of(self.approver))
        mine[0].action_refuse("No.")
        mine[1].action_approve()
        mine[0].sudo()._appeal("Why?", self.customer)
        draft = self._draft(approval='none')
        replay = self._replay(draft)
        self.assertGreater(replay.hours_median, 24)
        self.assertAlmostEqual(replay.hours_change, -2 * replay.hours_median)
        self.assertEqual(replay.appeal_rate, 1.0)

    def test_hours_are_unknown_where_nobody_decided(self):
        self._submit(self.order, 1)
        replay = self._replay(self._draft(approval='always'))
        self.assertEqual((replay.asked_after, replay.hours_median), (1, 0.0))
        self.assertIn("Nobody decided on a return in these months", replay.note)
        self.assertEqual(replay.display_name, f"Replay of {replay.policy_id.name}")

    def test_hours_are_those_of_persons(self):
        self.policy.approval = 'always'
        self._add_rule('quantity', quantity=2, outcome='refuse')
        machine = [self._submit(self.order, 3) for _number in range(3)]
        asked = self._submit(self.order, 1)
        self._age(asked.union(*machine))
        self.assertEqual({r.state for r in machine}, {'refused'})
        asked.with_env(self._env_of(self.approver)).action_approve()
        replay = self._replay(self._draft())
        self.assertGreater(replay.hours_median, 24)
        self.assertEqual(replay.appeal_rate, 0.0)

    def test_days_of_the_past_are_those_of_the_company(self):
        self.company.sudo().partner_id.tz = 'Asia/Shanghai'
        pricelist = self._setup_currency('CHF')
        currency = pricelist.currency_id
        order = self._create_sale(pricelist_id=pricelist.id)
        line = self._create_return(order, 1).line_ids
        # In Shanghai it is one o'clock of the next day.
        asked = datetime(2026, 11, 10, 17)
        for day, rate in (('2026-11-10', 4.0), ('2026-11-11', 5.0), ('2026-11-12', 6.0)):
            self._set_rate(currency, day, rate)
        past = Past({line.return_id.id: asked})
        line = line.with_context(sale_return_past=past)
        own, price = self.company.currency_id, order.order_line.price_reduce_taxinc
        self.assertAlmostEqual(line._get_requested_amount(own, 1), price / 5, 2)
        past.amounts[line.return_id.id] = {str(currency.id): 100.0}
        self.assertAlmostEqual(line.return_id._get_amount_of_period(own), 20.0, 2)
        move = order.order_line.move_ids[:1]
        for moment, expected in (
            (asked, True),
            (datetime(2026, 11, 11, 15, 59), True),
            (datetime(2026, 11, 11, 16), False),
        ):
            move.date = moment
            self.assertEqual(line._is_done(move), expected, moment)

    def test_later_deliveries_were_not_under_way(self):
        sale_return = self._submit(self.order, 1)
        asked = self._get_request(sale_return)
        self._got_on(self.order, asked - timedelta(days=2))
        self.order.order_line.move_ids.date = asked - timedelta(days=2)
        self.order.order_line = [Command.create({'product_id': self.product_on_order.id})]
        line, move = sale_return.line_ids, self.order.order_line[-1:].move_ids
        self.assertTrue(move)
        past = line.with_context(sale_return_past=Past({sale_return.id: asked}))
        self.assertEqual((line._is_order_underway(), past._is_order_underway()), (True, False))
        self._create_move_on(move, asked - timedelta(days=1))
        self.assertTrue(past._is_order_underway())

    def _create_move_on(self, move, moment):
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE stock_move SET create_date = %s WHERE id IN %s", [moment, tuple(move.ids)]
        )
        self.env.invalidate_all()

    def test_limits_count_only_for_what_is_credited_in_advance(self):
        company = self.company.sudo()
        company.sale_return_unbacked_customer_limit = 50.0
        self.policy.release_event = 'approval'
        early, bonus = self._submit(self.order, 1), self._submit(self.order, 2)
        self.assertIn('above_budget', self._get_codes(early.line_ids))
        self._age(early | bonus)
        # What came since changes nothing about what was asked.
        manager = early.with_env(self._env_of(self.manager))
        manager.action_approve()
        self._receive(early)
        same = self._replay(self._draft(window_days=31))
        self.assertFalse(same.difference_ids)
        self.assertEqual(same.asked_before, 2)
        replay = self._replay(self._draft(release_event='receipt'))
        self.assertEqual(
            set(self._get_outcomes(replay)),
            {(line, 'asked', 'approved') for line in (early | bonus).line_ids},
        )
        company.sale_return_store_credit_bonus = 10.0
        bonus.line_ids._write_facts({'resolution': 'store_credit'})
        replay = self._replay(self._draft(release_event='receipt'))
        self.assertEqual(set(self._get_outcomes(replay)), {(early.line_ids, 'asked', 'approved')})

    def test_draft_keeps_the_place_of_its_policy(self):
        self._create_policy(name="Other", sequence=self.policy.sequence - 10)
        self._age(self._submit(self.order, 1))
        draft = self._draft(sequence=-999, approval='always')
        self.assertFalse(self._replay(draft).difference_ids)
        place = self.policy.sequence
        draft.action_put_in_force()
        self.assertEqual(self.policy.sequence, place)

    def test_rules_of_a_draft_count_whom_they_would_have_met(self):
        self._submit(self.order, 1)
        self._submit(self.order, 4)
        draft = self._draft()
        rule = draft.env['sale.return.rule'].create(
            {'policy_id': draft.id, 'kind': 'quantity', 'quantity': 3}
        )
        self.assertIn("1 of 2", rule.with_context(lang='en_US').past_note)

    def test_nothing_to_replay_is_said(self):
        company = self.env['res.company'].sudo().create({'name': "Without Trade"})
        manager = self._create_user('lab_new', 'sale_return.group_manager', company=company)
        policy = self.policy.sudo().copy({'name': "New", 'company_id': company.id})
        live = policy.with_env(self._env_of(manager, company))
        draft = live.browse(live.action_create_draft()['res_id'])
        replay = self._replay(draft)
        self.assertEqual(replay.state, 'done')
        self.assertIn("No return was requested in these months", replay.note)

    def test_future_and_unlogged_requests_are_left_out(self):
        future = self._submit(self.order, 1)
        self._backdate(future, fields.Datetime.now() + timedelta(days=400))
        imported = self._create_return(self.order, 1, submit=False)
        self.env.flush_all()
        self.env.cr.execute("UPDATE sale_return SET state = 'closed' WHERE id = %s", [imported.id])
        self.env.invalidate_all()
        replay = self._replay(self._draft())
        self.assertEqual(replay.line_count, 0)
        self.assertIn("dated in the future were left out: 1", replay.note)
        self.assertIn("were left out: 1", replay.note.split("\n")[1])

    def test_cancelled_drafts_are_not_missed(self):
        self._create_return(self.order, 1, submit=False).action_cancel()
        self.assertNotIn("left out", self._replay(self._draft()).note)

    def test_imported_returns_are_part_of_the_history(self):
        imported = self._create_return(self.order, 1, submit=False)
        drafted = self._submit(self.order, 1)
        asked = self._submit(self.order, 1)
        self.env.flush_all()
        self.env.cr.execute("ALTER TABLE sale_return_event DISABLE TRIGGER USER")
        for query in (
            "DELETE FROM sale_return_event WHERE return_id = %s",
            "UPDATE sale_return SET state = 'closed' WHERE id = %s",
            "UPDATE sale_return SET create_date = create_date - INTERVAL '30 days' WHERE id = %s",
        ):
            self.env.cr.execute(query, [imported.id])
        # Made before, but submitted after the one that is asked about.
        self.env.cr.execute(
            "UPDATE sale_return_event SET date = date + INTERVAL '2 hours' WHERE return_id = %s",
            [drafted.id],
        )
        self.env.cr.execute("ALTER TABLE sale_return_event ENABLE TRIGGER USER")
        self.env.invalidate_all()
        past = asked.with_context(sale_return_past=Past({asked.id: self._get_request(asked)}))
        counts = self.env['sale.return.rule']._count_other_returns(past, 60)
        self.assertEqual(counts, {past: 1})

    def test_part_that_fails_does_not_stop_the_others(self):
        self._submit(self.order, 1)
        draft = self._draft(approval='always')
        replayer = type(self.env['sale.return.replayer'])
        with (
            patch.object(replayer, '_compare', side_effect=ValueError("odd data")),
            mute_logger('odoo.addons.sale_return.models.lab.sale_return_replayer'),
        ):
            replay = self._replay(draft)
        self.assertEqual((replay.state, replay.line_count), ('done', 0))
        self.assertIn("could not be replayed were left out: 1", replay.note)
        self.assertIn("odd data", replay.sudo().part_ids.error)
        self.assertEqual(self._replay(draft).difference_count, 1)

    def test_replay_of_other_terms_is_not_put_into_force(self):
        self._add_rule('quantity', quantity=3)
        for number, change in enumerate(
            (
                lambda draft: draft.write({'window_days': 12}),
                lambda draft: self.policy.rule_ids.write({'quantity': 2}),
                lambda draft: draft.rule_ids.unlink(),
            )
        ):
            with self.subTest(number=number):
                draft = self._draft()
                replay = self._replay(draft)
                self.assertNotIn("was changed after", replay.note)
                change(draft)
                replay.invalidate_recordset(['note'])
                self.assertIn("was changed after", replay.note)
                with self.assertRaisesRegex(UserError, "Replay it again"):
                    replay.action_put_in_force()
        self._replay(draft).action_put_in_force()
        self.assertEqual(draft.version_state, 'past')

    def test_many_returns_are_left_to_the_job(self):
        returns = self._submit(self.order, 1) | self._submit(self.order, 2)
        draft = self._draft(approval='always')
        replay = draft.env['sale.return.replay'].browse(draft.action_replay()['res_id'])
        service = replay.sudo()
        service._start()
        rows = service.part_ids.return_keys
        service.part_ids.unlink()
        service.part_ids.create([{'replay_id': replay.id, 'return_keys': [row]} for row in rows])
        self.assertEqual((replay.state, replay.progress), ('running', 0.0))
        self.env['sale.return.replayer'].sudo()._replay_parts(service.part_ids[0])
        self.env.invalidate_all()
        self.assertEqual((replay.state, replay.progress), ('running', 50.0))
        with self.enter_registry_test_mode():
            self.env.ref('sale_return.ir_cron_replay').sudo().method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual((replay.state, replay.difference_count), ('done', 2))
        self.assertEqual(replay.difference_ids.return_id, returns)

    def test_clients_cannot_evaluate_the_past(self):
        """A window that is over stays over, whatever the context says."""
        self.policy.window_days = 14
        self._got_on(self.order, fields.Datetime.now() - timedelta(days=40))
        sale_return = self._create_return(self.order, 1, submit=False)
        self.env.cr.execute(
            "UPDATE sale_return SET create_date = create_date - INTERVAL '35 days' WHERE id = %s",
            [sale_return.id],
        )
        self.env.invalidate_all()
        sale_return.with_context(sale_return_past=True).action_submit()
        self.assertIn('window_over', self._get_codes(sale_return.line_ids))


@tagged('post_install', '-at_install')
class TestVersions(LabCommon):
    def test_draft_goes_into_force_and_back(self):
        self._add_rule('quantity', quantity=3)
        old_rule = self.policy.rule_ids
        under_way = self._create_return(self.order, 5)
        self.assertEqual(under_way.state, 'submitted')
        draft = self._draft(window_days=77, reason_ids=self.reason_defective.ids)
        draft.rule_ids.quantity = 9
        new_rule = draft.rule_ids
        draft.action_put_in_force()
        self.env.invalidate_all()
        self.assertEqual(self.policy.window_days, 77)
        self.assertEqual(self.policy.reason_ids, self.reason_defective)
        self.assertEqual(self.policy.rule_ids, new_rule.with_env(self.env))
        self.assertEqual((draft.version_state, draft.window_days), ('past', 30))
        self.assertEqual(draft.rule_ids.ids, old_rule.ids)
        self.assertEqual(draft.version_until, self.company._get_sale_return_day())
        self.assertEqual(draft.forced_by_id, self.manager)
        self.assertIn("put “Test (draft)” into force", self.policy.version_log)
        # Lines under way keep the old terms, new ones follow the new ones.
        self.assertEqual(under_way.line_ids.policy_id, draft.with_env(self.env))
        self.assertEqual(self._create_return(self.order, 5).state, 'approved')
        draft.action_undo_force()
        self.env.invalidate_all()
        self.assertEqual(self.policy.window_days, 30)
        self.assertEqual(self.policy.rule_ids, old_rule)
        self.assertEqual((draft.version_state, draft.window_days), ('draft', 77))
        self.assertEqual(under_way.line_ids.policy_id, self.policy)
        self.assertIn("put the earlier version back", self.policy.version_log)

    def test_only_the_last_version_is_put_back(self):
        first, second = self._draft(window_days=11), self._draft(window_days=22)
        first.action_put_in_force()
        first.sudo().forced_on -= timedelta(days=1)
        second.action_put_in_force()
        with self.assertRaisesRegex(UserError, "replaced last"):
            first.action_undo_force()
        second.action_undo_force()
        first.action_undo_force()
        self.assertEqual(self.policy.window_days, 30)

    def test_earlier_versions_are_kept(self):
        self._add_rule('quantity', quantity=3)
        draft = self._draft(window_days=11)
        draft.action_put_in_force()
        for change in (
            lambda: draft.write({'window_days': 5}),
            lambda: draft.rule_ids.write({'quantity': 5}),
            draft.rule_ids.unlink,
            lambda: draft.env['sale.return.rule'].create({'policy_id': draft.id}),
            lambda: self.policy.rule_ids.with_env(draft.env).write({'policy_id': draft.id}),
            draft.unlink,
        ):
            with self.assertRaisesRegex(UserError, "is kept as it was"), self.env.cr.savepoint():
                change()

    def test_policies_with_earlier_versions_are_kept(self):
        policy = self._create_policy(name="New")
        draft = self._draft(policy, window_days=11)
        live = policy.with_env(draft.env)
        draft.action_put_in_force()
        with self.assertRaisesRegex(UserError, "Archive it instead"), self.env.cr.savepoint():
            live.unlink()
        with self.assertRaisesRegex(UserError, "Archive it instead"), self.env.cr.savepoint():
            live.sudo().unlink()
        draft.action_undo_force()
        live.unlink()
        self.assertFalse((policy | draft).exists())

    def test_versions_are_named_in_all_languages(self):
        self.env['res.lang'].sudo()._activate_lang('fr_FR')
        self.policy.with_context(lang='fr_FR').name = "Essai"
        draft = self._draft(window_days=11)
        draft.with_context(lang='fr_FR').action_put_in_force()
        for lang, name in (('en_US', "Test"), ('fr_FR', "Essai")):
            self.assertEqual(self.policy.with_context(lang=lang).name, name)
            said = draft.with_context(lang=lang).name
            self.assertIn(name, said)
            self.assertIn(fields.Date.to_string(draft.version_until), said)

    def test_drafts_do_not_apply(self):
        draft = self._draft(approval='always', sequence=-999)
        with (
            self.assertRaisesRegex(ValidationError, "Put it into force"),
            self.env.cr.savepoint(),
        ):
            draft.active = True
        self.env.invalidate_all()
        self.assertEqual(self._create_return(self.order, 1).line_ids.policy_id, self.policy)
        configuration = self.env['sale.return.configuration']
        self.assertNotIn("(draft)", str(configuration._export(self.company)))
        names = configuration._get_field_names('sale.return.policy')
        self.assertNotIn('version_state', names)

    def test_only_managers_use_the_lab(self):
        draft = self._draft()
        replay = draft.env['sale.return.replay'].create({'policy_id': draft.id})
        for record, method in (
            (self.policy, 'action_create_draft'),
            (draft, 'action_replay'),
            (draft, 'action_put_in_force'),
            (draft, 'action_undo_force'),
            (replay, 'action_start'),
            (replay, 'action_put_in_force'),
        ):
            with self.subTest(method=method), self.assertRaises(AccessError):
                self._call(self.approver, record, method)

    def test_versions_and_findings_cannot_be_forged(self):
        draft = self._draft()
        replay = draft.env['sale.return.replay'].create({'policy_id': draft.id})
        for record, vals in (
            (draft, {'version_state': 'past'}),
            (draft, {'draft_of_id': False}),
            (self.policy, {'version_log': "Nothing"}),
            (replay, {'hours_median': 5}),
        ):
            with self.subTest(vals=vals), self.assertRaises(AccessError):
                self._call(self.manager, record, 'write', vals)
        with self.assertRaisesRegex(UserError, "is no draft"):
            draft.env['sale.return.replay'].create({'policy_id': self.policy.id})

    def test_defaults_forge_no_versions(self):
        """A manager of one company does not write a policy of all companies through a draft."""
        shared = self.policy.sudo().copy({'name': "Shared", 'company_id': False})
        forged = {'version_state': 'draft', 'draft_of_id': shared.id, 'version_log': "Nothing"}
        policies = self.env['sale.return.policy']
        vals = {'name': "Forged", 'active': False, 'company_id': self.company.id}
        context = {f'default_{name}': value for name, value in forged.items()}
        keys = self._call(self.manager, policies, 'create', [vals], context=context)
        for name, value in forged.items():
            self._env_of(self.manager)['ir.default'].set(policies._name, name, value, user_id=True)
        keys += self._call(self.manager, policies, 'create', [vals])
        keys += self._call(self.manager, self.policy, 'copy', {'active': False}, context=context)
        for policy in policies.browse(keys):
            self.assertEqual([policy[name] for name in forged], [False, policies, False])
            with self.assertRaisesRegex(UserError, "is no draft"):
                self._call(self.manager, policy, 'action_put_in_force')
        with self.assertRaisesRegex(ValidationError, "same company"), self.env.cr.savepoint():
            policy.sudo().draft_of_id = shared
        # Even if there were one, its policy is asked about as well.
        self.env.cr.execute(
            "UPDATE sale_return_policy SET draft_of_id = %s, version_state = 'draft' WHERE id = %s",
            [shared.id, policy.id],
        )
        self.env.invalidate_all()
        for method in ('action_replay', 'action_put_in_force'):
            with self.assertRaisesRegex(AccessError, "applies to all companies"):
                self._call(self.manager, policy, method)

    def test_other_companies_are_out_of_reach(self):
        company = self.env['res.company'].sudo().create({'name': "Other"})
        stranger = self._create_user('lab_far', 'sale_return.group_manager', company=company)
        draft = self._draft()
        with self.assertRaises(AccessError):
            self._call(stranger, draft, 'action_put_in_force')
        shared = self.policy.sudo().copy({'name': "Shared", 'company_id': False})
        with self.assertRaisesRegex(AccessError, "applies to all companies"):
            self._call(stranger, shared, 'action_create_draft')

    def test_form_says_who_may_change_what_applies_to_all_companies(self):
        company = self.env['res.company'].sudo().create({'name': "Other"})
        stranger = self._create_user('lab_note', 'sale_return.group_manager', company=company)
        own = self.policy.sudo().copy({'name': "Own", 'company_id': company.id})
        shared = self.policy.sudo().copy({'name': "Shared", 'company_id': False})
        policies = self._env_of(stranger)['sale.return.policy'].browse((shared | own).ids)
        shared_note, own_note = policies.mapped('shared_note')
        self.assertIn("Only somebody with access to all of them", shared_note)
        self.assertFalse(own_note)
        # sudo: as somebody with all companies
        self.assertFalse(shared.shared_note)
        form = etree.fromstring(policies.get_view(view_type='form')['arch'])
        buttons = form.findall('.//header/button')
        lab = [b for b in buttons if b.get('name') != 'action_view_process']
        self.assertEqual(len(lab), 4)
        for button in lab:
            self.assertIn('or shared_note', button.get('invisible'), button.get('name'))

    def test_drafts_of_archived_policies_wait(self):
        draft = self._draft()
        self.policy.active = False
        with self.assertRaisesRegex(UserError, "is archived"):
            draft.action_put_in_force()

    def test_draft_is_edited_on_the_ordinary_form(self):
        draft = self._draft()
        with Form(draft.with_context(lang='en_US')) as form:
            form.window_days = 12
            with form.rule_ids.new() as rule:
                rule.kind = 'quantity'
                rule.quantity = 3
        self.assertEqual((draft.window_days, self.policy.window_days), (12, 30))
        replay = draft.env['sale.return.replay'].create({'policy_id': draft.id})
        replay.action_start()
        self.assertNotIn("was changed after", replay.note)

    def test_lab_is_off_by_default(self):
        self.env.ref('sale_return.group_user').sudo()._remove_group(self.switch)
        self.env.registry.clear_cache('groups')
        with self.assertRaisesRegex(UserError, "switched off"):
            self._draft()
