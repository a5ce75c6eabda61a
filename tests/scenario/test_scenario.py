"""What if: without a change it is the history to the cent, with one it is what the change says."""

import doctest
import random
from collections import defaultdict
from datetime import date, timedelta
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import SQL, mute_logger

from ...tools import scenario as tool
from ..common import SaleReturnCommon
from ..common_kit import KitCommon

DAYS = 7 * 12


def switch(env, is_on=True):
    """Switch the part on or off, as the settings do."""
    settings = env['res.config.settings'].sudo()
    settings.create({'group_sale_return_scenario': is_on}).execute()
    env.registry.clear_cache('groups')


@tagged('post_install', '-at_install')
class TestScenario(SaleReturnCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        switch(cls.env)
        cls.manager = cls._create_user('scenario_manager', 'sale_return.group_manager')
        cls.clerk = cls._create_user('scenario_clerk', 'sale_return.group_user')
        cls.today = cls.company._get_sale_return_day()
        cls.start = tool.monday(cls.today) - timedelta(days=DAYS)
        cls.grades = {
            code: cls.env['sale.return.grade'].search([('code', '=', code)], limit=1)
            for code in 'ABCD'
        }

    # === TRADE === #

    def _date(self, sale_return, day, lags=(0, 2, 3, 3)):
        """Have a return be requested on a day, received, inspected and credited days later."""
        self.env.flush_all()
        asked, came, seen, paid = (day + timedelta(days=lag) for lag in lags)
        self._backdate(sale_return, f'{asked} 12:00:00')
        moves = self.env['stock.move'].search(
            [('sale_return_line_id', 'in', sale_return.line_ids.ids)]
        )
        results = moves.sale_return_inspection_id
        for records, values in (
            (sale_return, {'create_date': f'{asked} 12:00:00'}),
            (sale_return.line_ids, {'delivered_on': f'{asked - timedelta(days=5)} 12:00:00'}),
            (moves.filtered(lambda m: not m.sale_return_inspection_id), {'date': came}),
            (moves.filtered('sale_return_inspection_id'), {'date': seen}),
            (results, {'date': seen}),
            (sale_return.credit_note_ids, {'date': paid}),
            (sale_return.credit_note_ids.line_ids, {'date': paid}),
        ):
            if records:
                sets = SQL(", ").join(
                    SQL("%s = %s", SQL.identifier(name), str(value))
                    for name, value in values.items()
                )
                self.env.cr.execute(
                    SQL(
                        "UPDATE %s SET %s WHERE id = ANY(%s)",
                        SQL.identifier(records._table), sets, records.ids,
                    )
                )  # fmt: skip
        self.env.invalidate_all()
        return sale_return

    def _back(self, quantity, day, *results, order=None, lags=(0, 2, 3, 3)):
        """Have some of ten lamps (at 100.00 plus 21 %) come back, and be found as given."""
        sale_return = self._create_return(order or self._create_sale(), quantity)
        self._receive(sale_return)
        self._inspect(
            sale_return,
            *(
                {'quantity': units, 'disposition': way, 'grade': grade}
                for units, way, grade in results or ((quantity, 'restock', 'A'),)
            ),
        )
        return self._date(sale_return, day, lags)

    def _play(self, user=None, **values):
        env = self._env_of(user or self.manager)
        return env['sale.return.scenario'].create(
            {
                'name': "Trial",
                'date_from': self.start,
                'date_to': self.start + timedelta(days=DAYS - 1),
                **values,
            }
        )

    def _get_weeks(self, scenario, version, *names):
        return {
            row.date: tuple(row[name] for name in names)
            for row in scenario.week_ids
            if row.version == version and any(row[name] for name in names)
        }

    def _get_total(self, scenario, version='scenario'):
        return scenario.total_ids.filtered(lambda row: row.version == version)

    # === HISTORY === #

    def test_examples_hold(self):
        result = doctest.testmod(tool)
        self.assertGreater(result.attempted, 0)
        self.assertEqual(result.failed, 0)

    def test_without_a_change_it_is_the_history_of_any_trade(self):
        chance = random.Random(26)
        for _number in range(5):
            quantity = chance.randint(2, 10)
            found = chance.randint(1, quantity - 1)
            lags = sorted(chance.randint(0, 20) for _step in range(4))
            self._back(
                quantity,
                self.start + timedelta(days=chance.randint(-10, DAYS)),
                (found, 'restock', 'A'),
                (quantity - found, chance.choice(('scrap', 'send_back', 'refurbish')), 'C'),
                order=self._create_sale({'price_unit': chance.choice((0.33, 17.77, 99.99))}),
                lags=lags,
            )
        scenario = self._play(handling_cost=1.5)
        self.assertIn("Nothing is changed", scenario.summary)
        for row in scenario.row_ids.filtered(lambda row: row.version == 'difference'):
            self.assertFalse(any(row[name] for name in tool.MEASURES), row.date)
        # By week, from the documents.
        expected = defaultdict(lambda: defaultdict(float))
        end = min(scenario.date_to, self.today)
        notes = self.env['account.move'].search(
            [
                ('sale_return_ids', '!=', False), ('move_type', '=', 'out_refund'),
                ('state', '=', 'posted'), ('date', '>=', self.start), ('date', '<=', end),
            ]
        )  # fmt: skip
        self.assertTrue(notes)
        for note in notes:
            expected[tool.monday(note.date)]['credited'] -= note.amount_total_signed
        waiting = self._add_moves(expected, end)
        for row in scenario.week_ids.filtered(lambda row: row.version == 'base'):
            week = expected[row.date]
            waiting += week['moved']
            with self.subTest(week=row.date):
                for name in ('returned', 'restocked'):
                    self.assertAlmostEqual(row[name], week[name], 6)
                for name in ('credited', 'restocked_value', 'scrapped'):
                    self.assertEqual(row[name], round(week[name], 2), name)
                self.assertAlmostEqual(row.waiting, waiting, 6)
                self.assertEqual(row.handling, round(1.5 * week['returned'], 2))
        total = self._get_total(scenario, 'base')
        self.assertEqual(total.credited, round(-sum(notes.mapped('amount_total_signed')), 2))

    def _add_moves(self, expected, end):
        """Add moved goods to the weeks of `expected`; return what waited when these begin."""
        waiting = 0.0
        moves = self.env['stock.move'].search(
            [('sale_return_line_id', '!=', False), ('state', '=', 'done')]
        )
        for move in moves:
            day = move.date.date()
            into, out = (place == self.quarantine for place in
                         (move.location_dest_id, move.location_id))  # fmt: skip
            if day > end or into == out:
                continue
            if day < self.start:
                waiting += move.quantity if into else -move.quantity
                continue
            week = expected[tool.monday(day)]
            week['moved'] += move.quantity if into else -move.quantity
            if into:
                week['returned'] += move.quantity
            elif move.location_dest_id == self.stock:
                week['restocked'] += move.quantity
                week['restocked_value'] += 60 * move.quantity
            elif move.location_dest_id.usage == 'inventory':
                week['scrapped'] += 60 * move.quantity
        return waiting

    def test_taxes_of_a_note_are_split_without_a_rest(self):
        order = self._create_sale(
            {'price_unit': 0.33}, {'price_unit': 0.99, 'product_id': self._create_product("B").id}
        )
        sale_return = self._date(self._return_goods(order, 1), self.start)
        credited = -sum(sale_return.credit_note_ids.mapped('amount_total_signed'))
        parts = [
            self._get_total(self._play(product_id=product.id), 'base').credited
            for product in order.order_line.product_id
        ]
        self.assertEqual(round(sum(parts), 2), round(credited, 2))
        self.assertTrue(all(parts))

    def test_lines_added_to_a_note_are_counted(self):
        sale_return = self._create_return(self._create_sale(), 1)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        note = sale_return.credit_note_ids
        if note.state == 'posted':
            note.button_draft()
        note.write(
            {
                'invoice_line_ids': [
                    Command.create(
                        {'name': "Stamps", 'price_unit': 10, 'tax_ids': [Command.set([])]}
                    )
                ]
            }
        )
        note.action_post()
        self._date(sale_return, self.start)
        total = self._get_total(self._play(), 'base')
        self.assertEqual(total.credited, 131)
        total = self._get_total(self._play(rate_times=0.5, change_fee=True, fee=10))
        self.assertEqual((total.credited, total.fees), (59.45, 6.05))

    # === CHANGES === #

    def test_rate_scales_goods_and_money(self):
        self._back(4, self.start, (3, 'restock', 'A'), (1, 'scrap', 'C'))
        total = self._get_total(self._play(rate_times=0.5))
        self.assertEqual(
            (total.returned, total.restocked, total.credited, total.scrapped), (2, 1.5, 242, 30)
        )
        # What came in before the period is not changed, and leaves as it did.
        self._back(2, self.start - timedelta(days=1), lags=(0, 0, 3, 3))
        scenario = self._play(rate_times=0)
        self.assertEqual(self._get_total(scenario).restocked, 2)
        self.assertEqual(scenario.week_ids.sorted('date')[-1].waiting, 0)

    def test_points_are_added_to_the_rate(self):
        order = self._create_sale()
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE stock_move SET date = %s WHERE id = ANY(%s)",
            (self.start, order.picking_ids.move_ids.ids),
        )
        self._back(2, self.start + timedelta(days=6), order=order)
        scenario = self._play(rate_points=10)
        # Two of ten were returned: with ten points more three are.
        self.assertEqual(scenario.shipped, 10)
        self.assertAlmostEqual(self._get_total(scenario).returned, 3)
        self.assertIn("multiplied by 1.5", scenario.assumptions)

    def test_requests_are_earlier_where_the_delivery_day_is_unknown(self):
        sale_return = self._back(1, self.start + timedelta(days=14))
        self.env.cr.execute(
            "UPDATE sale_return_line SET delivered_on = NULL WHERE id = ANY(%s)",
            (sale_return.line_ids.ids,),
        )
        scenario = self._play(days_request=-7)
        week = self.start + timedelta(days=7)
        for name, value in (('returned', 1), ('credited', 121)):
            self.assertEqual(self._get_weeks(scenario, 'scenario', name), {week: (value,)})

    def test_times_move_what_follows(self):
        self._back(1, self.start + timedelta(days=7), lags=(0, 2, 3, 3))
        weeks = [self.start + timedelta(weeks=number) for number in range(4)]
        for values, received, credited in (
            ({}, 1, 1),
            ({'days_request': 7}, 2, 2),
            ({'days_receipt': 14}, 3, 3),
            ({'days_credit': 7}, 1, 2),
            # No earlier than the delivery, the request, and what the note waited for.
            ({'days_request': -90}, 0, 0),
            ({'days_receipt': -90}, 1, 1),
            ({'days_credit': -90}, 1, 1),
        ):
            with self.subTest(**values):
                scenario = self._play(**values)
                self.assertEqual(
                    self._get_weeks(scenario, 'scenario', 'returned'), {weeks[received]: (1.0,)}
                )
                self.assertEqual(
                    self._get_weeks(scenario, 'scenario', 'credited'), {weeks[credited]: (121.0,)}
                )
                self.assertFalse(self._get_total(scenario, 'difference').credited)
        late = self._play(days_credit=90)
        self.assertEqual(
            self._get_weeks(late, 'scenario', 'credited'),
            {tool.monday(self.start + timedelta(days=100)): (121.0,)},
        )

    def test_refunds_follow_another_event(self):
        sale_return = self._back(1, self.start, lags=(0, 14, 21, 28))
        weeks = [self.start + timedelta(weeks=number) for number in range(5)]
        for event, week in (('request', 1), ('receipt', 3), ('inspection', 4), ('dispatch', 4)):
            scenario = self._play(refund_event=event)
            found = self._get_weeks(scenario, 'scenario', 'credited')
            self.assertEqual(found, {weeks[week]: (121.0,)}, event)
        self.env.cr.execute(
            "UPDATE sale_return SET date_dispatched = %s WHERE id = %s",
            (self.start + timedelta(days=1), sale_return.id),
        )
        scenario = self._play(refund_event='dispatch', days_receipt=7)
        # The receipt is later, the refund no longer waits for it.
        self.assertEqual(self._get_weeks(scenario, 'scenario', 'credited'), {weeks[1]: (121.0,)})
        self.assertEqual(self._get_weeks(scenario, 'scenario', 'returned'), {weeks[3]: (1.0,)})

    def test_refunds_before_the_period_is_over_wait_for_later_receipts(self):
        last = self.start + timedelta(days=6)
        self._back(1, self.start, lags=(0, 21, 28, 1))
        scenario = self._play(date_to=last)
        self.assertFalse(self._get_total(scenario, 'base').returned)
        self.assertEqual(self._get_total(scenario, 'base').credited, 121)
        scenario.refund_event = 'receipt'
        found = self._get_weeks(scenario, 'scenario', 'credited')
        self.assertEqual(found, {self.start + timedelta(weeks=3): (121.0,)})

    def test_fee_is_kept_of_what_is_credited(self):
        self._back(2, self.start)
        total = self._get_total(self._play(change_fee=True, fee=10))
        self.assertEqual((total.credited, total.fees, total.cost), (217.8, 24.2, -24.2))
        total = self._get_total(self._play(change_fee=True, fee=0), 'difference')
        self.assertFalse(total.credited or total.fees)

    def test_conditions_decide_the_ways_and_what_is_withheld(self):
        self.grades['C'].sudo().credit_ratio = 0.5
        self._back(4, self.start, (3, 'restock', 'A'), (1, 'scrap', 'C'))
        base = self._get_total(self._play(), 'base')
        self.assertEqual(base.fees, 60.5)
        same = self._play(change_mix=True, mix_a=75, mix_c=25)
        self.assertFalse(self._get_total(same, 'difference').cost)
        worse = self._get_total(self._play(change_mix=True, mix_a=25, mix_c=75))
        self.assertEqual(
            (worse.returned, worse.restocked, worse.scrapped, worse.fees), (4, 1, 180, 181.5)
        )
        never = self._play(change_mix=True, mix_a=50, mix_d=50)
        self.assertIn("D were not found", never.assumptions)

    def test_worse_conditions_withhold_where_nothing_was_withheld(self):
        self.grades['C'].sudo().credit_ratio = 0.5
        self._back(4, self.start)
        worse = self._get_total(self._play(change_mix=True, mix_a=50, mix_c=50))
        self.assertEqual((worse.credited, worse.fees), (363, 121))
        # Without a condition that is among those to change, there is nothing to withhold for.
        self._back(4, self.start, (4, 'restock', None))
        worse = self._get_total(self._play(change_mix=True, mix_a=50, mix_c=50))
        self.assertEqual((worse.credited, worse.fees), (847, 121))
        same = self._get_total(self._play(change_mix=True, mix_a=100), 'difference')
        self.assertFalse(same.credited or same.fees or same.cost)

    def test_sentences_wait_for_what_is_computed(self):
        self._back(2, self.start)
        scenario = self._play(rate_times=0.5)
        summary, assumptions = scenario.summary, scenario.assumptions
        self.assertIn("Units Returned: 1 instead of 2", summary)
        with Form(scenario) as form:
            form.rate_times = 1
            form.days_request = 7
            self.assertEqual((form.summary, form.assumptions), (summary, assumptions))
        self.assertNotIn("Units Returned", scenario.summary)

    # === BAD INPUT === #

    def test_nothing_to_change_is_said(self):
        product = self._create_product("Never sold")
        scenario = self._play(product_id=product.id, rate_points=5)
        self.assertIn("no history", scenario.summary)
        self.assertIn("no return rate", scenario.assumptions)
        self.assertEqual(len(scenario.week_ids), 3 * 12)

    def test_giant_order_is_named_and_left_out(self):
        self._back(1, self.start, order=self._create_sale({'product_uom_qty': 1}))
        order = self._create_sale({'product_uom_qty': 400})
        self._back(400, self.start, order=order)
        scenario = self._play()
        self.assertIn(order.name, scenario.assumptions)
        self.assertEqual(self._get_total(scenario).returned, 401)
        scenario.leave_out_giants = True
        self.assertEqual(self._get_total(scenario).returned, 1)
        self.assertEqual(self._get_total(scenario).credited, 121)
        self.assertIn("Giant orders are left out", scenario.assumptions)
        self.assertIn("Only", scenario.assumptions)

    def test_impossible_values_are_refused(self):
        for values in (
            {'date_from': self.today, 'date_to': self.start},
            {'date_from': self.start - timedelta(weeks=300)},
            {'date_from': self.today + timedelta(days=1), 'date_to': self.today + timedelta(7)},
            {'change_mix': True, 'mix_a': 90},
            {'change_mix': True, 'mix_a': 110, 'mix_b': -10},
        ):
            with self.subTest(**values), self.assertRaises(ValidationError):
                self._play(**values)
        with mute_logger('odoo.sql_db'):
            for values in (
                {'rate_times': -1},
                {'rate_points': 101},
                {'days_credit': 91},
                {'fee': float('nan')},
                {'change_mix': True, 'mix_a': float('inf')},
                {'handling_cost': -1},
            ):
                records = self.env['sale.return.scenario']
                vals = {'name': "Bad", **values}
                with self.subTest(**values), self.assertRaises(UserError):
                    self._call(self.manager, records, 'create', vals)
        early = self._play(date_to=self.today + timedelta(days=30))
        self.assertIn("The period is not over", early.assumptions)

    # === RIGHTS === #

    def test_only_managers_of_the_company_see_scenarios(self):
        self._back(1, self.start)
        scenario = self._play()
        other = self._create_trading_company("Scenario Company")
        stranger = self._create_user('scenario_else', 'sale_return.group_manager', company=other)
        for user in (self.clerk, stranger):
            for method in ('read', 'action_play', 'action_open_chart', 'action_open_weeks'):
                with self.subTest(user=user.login, method=method), self.assertRaises(AccessError):
                    self._call(user, scenario, method)
        with self.assertRaises(AccessError):
            self._play(user=self.clerk)
        theirs = self._play(user=stranger)
        self.assertFalse(self._get_total(theirs, 'base').returned)
        # What was computed is not set by hand.
        for vals in ({'factor': 3.0}, {'week_ids': [[5]]}):
            with self.assertRaises(UserError):
                self._call(self.manager, scenario, 'write', vals)
        with self.assertRaises(AccessError):
            self._call(self.manager, scenario.row_ids[:1], 'write', {'credited': 1.0})

    def test_part_is_off_until_the_settings_switch_it_on(self):
        menu = self.env.ref('sale_return.sale_return_scenario_menu').id
        self.assertIn(menu, self._env_of(self.manager)['ir.ui.menu']._visible_menu_ids())
        self.assertNotIn(menu, self._env_of(self.clerk)['ir.ui.menu']._visible_menu_ids())
        scenario = self._play()
        switch(self.env, is_on=False)
        self.assertNotIn(menu, self._env_of(self.manager)['ir.ui.menu']._visible_menu_ids())
        for method, *args in (
            ('create', {'name': "Off"}),
            ('copy',),
            ('write', {'rate_times': 2}),
            ('action_play',),
        ):
            with self.subTest(method), self.assertRaisesRegex(UserError, "is switched off"):
                self._call(self.manager, scenario, method, *args)

    def test_computing_again_counts_what_has_happened_since(self):
        self._back(1, self.start)
        scenario = self._play()
        self._back(2, self.start)
        scenario.action_play()
        self.assertEqual(self._get_total(scenario).returned, 3)
        chart = scenario.action_open_chart()
        self.assertEqual(len(self.env['sale.return.scenario.week'].search(chart['domain'])), 2 * 12)
        self.assertEqual(scenario.action_open_weeks()['views'][0], (False, 'list'))

    def test_changes_are_computed_without_reading_what_happened_again(self):
        self._back(2, self.start, (1, 'restock', 'A'), (1, 'scrap', 'D'))
        self._back(1, self.start + timedelta(days=9))
        scenario = self._play(change_mix=True, mix_a=50, mix_d=50)
        simulator = type(self.env['sale.return.simulator'])
        read = simulator._read

        def show():
            return [scenario.row_ids.read([*tool.MEASURES, 'date']), scenario.factor]

        for values, is_read in (
            ({'rate_times': 0.5, 'rate_points': 1.0}, False),
            ({'change_fee': True, 'fee': 12, 'handling_cost': 3}, False),
            ({'days_request': 4, 'days_credit': 30, 'mix_a': 60, 'mix_d': 40}, False),
            ({'days_receipt': -2}, True),
            ({'refund_event': 'request'}, True),
            ({'date_to': self.start + timedelta(days=6)}, True),
            ({'product_id': self.product.id}, True),
        ):
            with patch.object(simulator, '_read', autospec=True, side_effect=read) as asked:
                scenario.write(values)
            self.assertEqual(bool(asked.call_count), is_read, values)
            found = show()
            scenario.action_play()
            again = show()
            for rows, _factor in (found, again):
                for row in rows:
                    del row['id']
            self.assertEqual(found, again, values)


@tagged('post_install', '-at_install')
class TestScenarioKits(KitCommon):
    def test_points_are_added_to_the_rate_of_kits(self):
        switch(self.env)
        manager = self._create_user('scenario_kits', 'sale_return.group_manager')
        sale_return = self._create_return(self._sell_kits(10), 1)
        self._receive(sale_return)
        today = self.company._get_sale_return_day()
        values = {'name': "Kits", 'date_from': today, 'date_to': today, 'rate_points': 10}
        scenario = self._env_of(manager)['sale.return.scenario'].create(values)
        self.assertEqual(scenario.shipped, 10)
        self.assertAlmostEqual(scenario.factor, 2)
        rows = {row.version: row.returned for row in scenario.total_ids}
        self.assertEqual((rows['base'], rows['scenario']), (3, 6))


@tagged('post_install', '-at_install')
class TestScenarioProperties(SaleReturnCommon):
    """Of any flows: no change changes nothing, and moving loses nothing."""

    def test_properties(self):
        chance = random.Random(7)
        start = date(2026, 1, 5)
        span = (start, start + timedelta(days=99))
        for case in range(60):
            moves, credits_ = [], []
            for _number in range(chance.randint(0, 20)):
                day = start + timedelta(days=chance.randint(0, 99))
                room = {'request_room': chance.randint(0, 9), 'receipt_room': chance.randint(0, 9)}
                units, grade = chance.randint(1, 9), chance.choice('ABCD')
                moves.append(tool.Move(day, 'in', units, 6 * units, grade=grade, **room))
                moves.append(
                    tool.Move(
                        day, chance.choice(('restock', 'scrap')), units, 6 * units, grade=grade,
                        **room,
                    )
                )  # fmt: skip
                amount = chance.randint(1, 99999) / 100
                credits_.append(tool.Credit(day, 'goods', amount, credit_room=3, **room))
            same = tool.compare(moves, credits_, tool.Change(), span)
            self.assertEqual(same['base'], same['scenario'], case)
            moved = tool.Change(*(1.0, *(chance.randint(-20, 20) for _step in range(3))))
            found = tool.compare(moves, credits_, moved, span)
            base, after = found['base'][1], found['scenario'][1]
            for name in tool.FLOWS:
                self.assertAlmostEqual(base[name], after[name], 2, (case, name))
            last = list(found['scenario'][0].values())[-1]
            self.assertAlmostEqual(last['waiting'], 0, 6)
            twice = tool.compare(moves, credits_, tool.Change(factor=2.0), span)
            for name in tool.FLOWS:
                self.assertAlmostEqual(2 * base[name], twice['scenario'][1][name], 2)
