"""Alerts: what is found, once, told to whom it concerns, and settled by people."""

import random
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged

from ...benchmarks import facts, foresight
from ..common import SaleReturnCommon

AGE = 30


class ForesightCase(SaleReturnCommon):
    """Trade described by facts, not by documents."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = cls._create_user('foresight_manager', 'sale_return.group_manager')
        cls.clerk = cls._create_user('foresight_clerk', 'sale_return.group_user')
        cls.products = [cls._create_product(f"Watched {number}") for number in range(6)]
        cls.now = fields.Datetime.now()

    def setUp(self):
        super().setUp()
        self.enterContext(facts.given(self.env))
        self.line = 0

    def _add(self, *rows):
        facts.add(self.env, [{'company_id': self.company.id, **row} for row in rows])

    def _sell(self, product, days_ago, lines=1, returned=0, quantity=1, **values):
        """Sell order lines some days ago; of the first ones all came back after ten days."""
        rows = []
        for number in range(lines):
            self.line += 1
            row = {
                'sale_line_id': self.line,
                'product_id': product.id,
                'date_sale': self.now - timedelta(days=days_ago),
                **values,
            }
            rows.append({**row, 'kind': 'shipped', 'qty_shipped': quantity})
            if number < returned:
                back = self.now - timedelta(days=days_ago - 10)
                rows.append(
                    {**row, 'kind': 'returned', 'qty_returned': quantity, 'date_return': back}
                )
        self._add(*rows)

    def _sell_weekly(self, product, weeks, lines=20, rate=0.05, until=0, seed=1, **values):
        """Sell a number of lines in each week; the same share of each comes back, by chance."""
        chance = random.Random(f'{product.name} {seed}')
        for week in range(until, until + weeks):
            back = sum(chance.random() < rate for _line in range(lines))
            self._sell(product, AGE + 3 + 7 * week, lines, back, **values)

    def _make_rule(self, **values):
        env = self._env_of(self.manager)
        return env['sale.return.alert.rule'].create({'name': "Watch", **values})

    def _check(self, rule):
        rule.with_user(self.manager).action_check()
        return self._get_alerts(rule)

    def _get_alerts(self, rule, user=None):
        self.env.invalidate_all()
        env = self._env_of(user or self.clerk)
        return env['sale.return.alert'].search([('rule_id', '=', rule.id)])


@tagged('post_install', '-at_install')
class TestAlerts(ForesightCase):
    def test_a_product_that_comes_back_more_than_before_is_found_and_no_other(self):
        for product in self.products[1:]:
            self._sell_weekly(product, 60)
        self._sell_weekly(self.products[0], 52, until=8)
        self._sell_weekly(self.products[0], 8, rate=0.25)
        rule = self._make_rule()
        alert = self._check(rule)
        self.assertEqual(alert.product_id, self.products[0])
        self.assertEqual((alert.state, alert.basis), ('open', 'change'))
        self.assertGreater(alert.value, 2 * alert.usual)
        self.assertIn("came back", alert.name)
        self.assertIn(self.products[0].display_name, alert.name)
        points = alert.point_ids
        self.assertEqual(len(points), 26)
        self.assertTrue(any(point.value > point.high for point in points[-8:]))
        self.assertLess(sum(point.value > point.high for point in points[:18]), 3)
        goods = alert.action_open_records()['domain']
        self.assertIn(('product_id', '=', self.products[0].id), goods)
        self.assertEqual(alert.action_open_points()['domain'], [('alert_id', '=', alert.id)])

    def test_first_rules_are_named_in_each_language(self):
        self.env['res.lang']._activate_lang('zh_CN')
        company = self.env['res.company'].sudo().create({'name': "Foresight Ltd"})
        rules = self.env['sale.return.alert.rule'].sudo()
        rules._create_defaults()
        names = rules.search([('company_id', '=', company.id)], limit=1).with_context
        self.assertEqual(names(lang='en_US').name, "A product comes back more than before")
        self.assertEqual(names(lang='zh_CN').name, "某产品的退货高于以往")

    def test_one_signal_is_one_alert_told_once_until_it_is_over(self):
        self._sell_weekly(self.products[0], 52, until=8)
        self._sell_weekly(self.products[0], 8, rate=0.4)
        rule = self._make_rule(user_ids=[(6, 0, self.clerk.ids)])
        first = self._check(rule)
        self.assertEqual(first.activity_ids.user_id, self.clerk)
        self.assertEqual(self._check(rule), first)
        self.assertEqual(len(first.activity_ids), 1)
        self.assertEqual(len(first.point_ids), 26)
        facts.empty(self.env)
        self.assertEqual(self._check(rule), first)
        self.assertEqual((first.state, first.is_on), ('over', False))
        self.assertFalse(first.activity_ids)

    def test_alerts_are_settled_with_a_reason(self):
        self._sell_weekly(self.products[0], 52, until=8)
        self._sell_weekly(self.products[0], 8, rate=0.4)
        rule = self._make_rule(user_ids=[(6, 0, self.clerk.ids)], notify='message')
        alert = self._check(rule)
        messages = (
            self.env['mail.message']
            .sudo()
            .search([('model', '=', alert._name), ('res_id', '=', alert.id)])
        )
        self.assertIn(self.clerk.partner_id, messages.partner_ids)
        today = fields.Date.today()
        with self.assert_refused("Enter a short reason"):
            alert.action_snooze(today, " ")
        with self.assert_refused("a day within the next year"):
            alert.action_snooze(today - timedelta(days=3), "later")
        dialog = self.env['sale.return.alert.settle'].with_user(self.clerk)
        dialog = dialog.with_context(active_model='sale.return.alert', active_ids=alert.ids)
        dialog = dialog.create({'reason': "New size chart"})
        dialog.action_snooze()
        self.assertEqual((alert.state, alert.reason), ('snoozed', "New size chart"))
        self._check(rule)
        self.assertEqual(alert.state, 'snoozed')
        alert.sudo().snooze_until = today - timedelta(days=1)
        self._check(rule)
        self.assertEqual(alert.state, 'open', "the signal lasted longer than it was snoozed")
        alert.action_close("Taken from the shop")
        self.assertEqual(self._check(rule), alert)
        self.assertEqual(alert.state, 'done', "dealt with while it lasts")
        with self.assert_refused("it is over"):
            alert.action_close("Again")

    def test_a_product_without_history_is_compared_with_its_category(self):
        for product in self.products[1:]:
            self._sell_weekly(product, 60)
        self._sell(self.products[0], AGE + 5, 30, 15)
        alert = self._check(self._make_rule())
        self.assertEqual((alert.product_id, alert.basis), (self.products[0], 'group'))
        self.assertIn("no history of its own", alert.name)

    def test_one_giant_order_is_one_line(self):
        self._sell_weekly(self.products[0], 60)
        self._sell(self.products[0], AGE + 3, 1, 1, quantity=80995)
        self.assertFalse(self._check(self._make_rule()))

    def test_gaps_and_dates_in_the_future_do_no_harm(self):
        self._sell_weekly(self.products[0], 20, until=30)
        self._sell(self.products[0], -400, 50, 50)
        self._sell(self.products[1], 0, 50, 50)
        self._add({'kind': 'shipped', 'sale_line_id': 9**9, 'qty_shipped': 1})
        for method in ('change', 'others'):
            self.assertFalse(self._check(self._make_rule(method=method)))

    def test_a_lot_that_is_worse_than_the_others_is_proposed_to_be_taken_off_sale(self):
        self.products[0].tracking = 'lot'
        lots = self.env['stock.lot'].create(
            [{'name': f"L{number}", 'product_id': self.products[0].id} for number in range(5)]
        )
        for number, lot in enumerate(lots):
            rate = 0.4 if number == 2 else 0.05
            self._sell_weekly(self.products[0], 10, rate=rate, seed=number, lot_id=lot.id)
        rule = self._make_rule(dimension='lot', method='others')
        alert = self._check(rule)
        self.assertEqual((alert.lot_id, alert.proposal), (lots[2], 'stop_selling'))

    def test_categories_suppliers_and_warehouses_are_watched_too(self):
        values = {'supplier_id': self.customer.id, 'warehouse_id': self.env['stock.warehouse']
                  .search([('company_id', '=', self.company.id)], limit=1).id}  # fmt: skip
        self._sell_weekly(self.products[0], 52, until=8, **values)
        self._sell_weekly(self.products[0], 8, rate=0.4, **values)
        for dimension, name in (
            ('company', 'company_id'), ('category', 'categ_id'), ('supplier', 'supplier_id'),
            ('warehouse', 'warehouse_id'),
        ):  # fmt: skip
            with self.subTest(dimension=dimension):
                alert = self._check(self._make_rule(dimension=dimension))
                self.assertTrue(alert[name])
                self.assertTrue(alert.action_open_records()['domain'])

    def test_a_limit_is_exceeded_by_more_than_chance(self):
        self._sell_weekly(self.products[0], 12, rate=0.3)
        self._sell(self.products[1], AGE + 5, 20, 4)
        rule = self._make_rule(method='threshold', limit=15)
        self.assertEqual(self._check(rule).product_id, self.products[0])

    def test_what_waits_too_long_and_too_much_of_it(self):
        day = self.now - timedelta(days=20)
        row = {'kind': 'returned', 'stage': 'quarantine', 'date_return': day, 'qty_returned': 2}
        self._add({**row, 'return_id': 1}, {**row, 'return_id': 2})
        self._add({**row, 'return_id': 3, 'date_return': self.now})
        waiting = self._make_rule(
            metric='waiting', dimension='company', method='threshold', limit=1
        )
        alert = self._check(waiting)
        self.assertEqual((alert.value, alert.member_name), (4, self.company.name))
        self.assertIn("4 units have waited", alert.name)
        backlog = self._make_rule(
            metric='backlog', dimension='company', method='threshold', limit=2
        )
        self.assertIn("3 returns wait", self._check(backlog).name)

    def test_more_money_than_in_a_usual_week(self):
        for week in range(1, 14):
            amount = 300 if week == 1 else 90000 if week == 6 else 100
            monday = fields.Date.start_of(fields.Date.context_today(self.env.user), 'week')
            day = fields.Datetime.to_datetime(monday - timedelta(weeks=week)) + timedelta(days=2)
            self._add({'kind': 'returned', 'date_credit': day, 'amount_credited': amount})
        rule = self._make_rule(metric='amount', dimension='company', limit=100)
        alert = self._check(rule)
        self.assertEqual((alert.value, alert.usual), (300, 100))
        rule.limit = 250
        self._check(rule)
        self.assertEqual(alert.state, 'over')

    def test_rules_that_say_nothing_are_refused(self):
        for values, sentence in (
            ({'metric': 'waiting', 'dimension': 'product'}, "by “Product”"),
            ({'metric': 'backlog', 'dimension': 'company', 'limit': 1}, "with the method"),
            ({'dimension': 'company', 'method': 'others'}, "cannot watch"),
            ({'method': 'threshold'}, "the limit above which"),
        ):
            with self.subTest(values=values), self.assert_refused(sentence, ValidationError):
                self._make_rule(**values)

    def test_people_read_alerts_and_managers_make_rules(self):
        self._sell_weekly(self.products[0], 52, until=8)
        self._sell_weekly(self.products[0], 8, rate=0.4)
        rule = self._make_rule()
        alert = self._check(rule)
        with self.assertRaises(AccessError):
            rule.with_user(self.clerk).action_check()
        with self.assertRaises(AccessError):
            rule.with_user(self.clerk).limit = 1
        for user in (self.clerk, self.manager):
            with self.assertRaises(AccessError):
                alert.with_user(user).state = 'over'
        other = self._create_user(
            'foresight_foreign', 'sale_return.group_manager', company=self.foreign_companies[:1]
        )
        self.assertFalse(self._get_alerts(rule, other))


@tagged('post_install', '-at_install')
class TestPlantedRises(SaleReturnCommon):
    """A small sample of what dev/foresight measures on real trade."""

    def test_rises_of_two_sigma_are_found_and_chance_is_not(self):
        chance = random.Random(19)
        end = foresight.get_end()
        sales = []
        for product in range(1, 21):
            for week in range(60):
                for _line in range(24):
                    day = end - timedelta(days=7 * week + 3)
                    back = {day + timedelta(days=9): 1} if chance.random() < 0.05 else {}
                    sales.append([product, day, 1, back, ''])
        with patch.object(self.registry['sale.return.watch'], '_add_points'):
            calm, sums = foresight.find(self.env, sales)
            changed, planted = foresight.plant(sales, sums, 2, 5)
            found, _sums = foresight.find(self.env, changed)
        self.assertFalse(calm)
        self.assertEqual(len(planted), 5)
        self.assertEqual(found, planted)
        plain, tested = foresight.chart(sales)
        self.assertEqual(tested, 20)
        self.assertTrue(plain, "a plain chart of twelve weeks alarms of chance")


@tagged('post_install', '-at_install')
class TestForesightSwitch(ForesightCase):
    def test_settings_switch_the_part_on_with_three_rules_and_off_again(self):
        settings = self.env['res.config.settings'].sudo()
        cron = self.env.ref('sale_return.ir_cron_watch').sudo()
        menu = self.env.ref('sale_return.sale_return_menu_foresight')
        health = self.env['sale.return.health'].sudo()
        rules = self.env['sale.return.alert.rule'].sudo()
        rules.search([]).unlink()

        def get_menus():
            return self.env['ir.ui.menu'].with_user(self.manager)._visible_menu_ids()

        self.assertFalse(cron.active)
        self.assertNotIn(menu.id, get_menus())
        self.assertNotIn(cron, health._get_jobs())
        settings.create({'group_sale_return_foresight': True}).execute()
        self.assertTrue(cron.active)
        self.assertIn(menu.id, get_menus())
        self.assertIn(cron, health._get_jobs())
        mine = rules.search([('company_id', '=', self.company.id)])
        self.assertEqual(mine.mapped('metric'), ['rate', 'waiting', 'amount'])
        with patch.object(type(self.env['ir.cron']), '_commit_progress', return_value=1.0):
            self.env['sale.return.watch'].sudo()._cron_watch()
        self.assertTrue(all(mine.mapped('date_checked')))
        settings.create({'group_sale_return_foresight': False}).execute()
        self.assertFalse(cron.active)
        self.assertNotIn(menu.id, get_menus())
        settings.create({'group_sale_return_foresight': True}).execute()
        self.assertEqual(rules.search([('company_id', '=', self.company.id)]), mine)

    def test_nothing_is_looked_for_while_it_is_off(self):
        rule = self._make_rule()
        self.env['sale.return.watch'].sudo()._cron_watch()
        self.assertFalse(rule.date_checked)
