from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from ..common_reconciliation import ReconciliationCommon
from ..common_refund import RefundCommon


@tagged('post_install', '-at_install')
class TestKeep(RefundCommon, ReconciliationCommon):
    """Goods that are not worth their way back stay with the customer and are credited."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        part = cls.env.ref('sale_return.group_keep').sudo()
        cls.env.ref('sale_return.group_user').sudo()._apply_group(part)
        cls.rules = cls.env['sale.return.keep.rule'].sudo().with_company(cls.company)
        cls.approver = cls._create_user(
            'keep_approver', 'base.group_user', 'sale_return.group_approver'
        )

    def _create_rule(self, **values):
        return self.rules.create({'name': "Small things", 'value_max': 50.0, **values})

    def _sell_one(self, price=20.0):
        return self._create_paid_sale({'quantity': 1, 'price': price}).order_line

    def test_small_things_stay_and_are_credited_once_a_person_approves(self):
        rule = self._create_rule()
        sale_return = self._create_return(self._sell_one())
        line = sale_return.line_ids
        self.assertEqual((line.keep_rule_id, line.return_expected), (rule, False))
        self.assertEqual(sale_return.state, 'submitted')
        sale_return.with_user(self.approver).action_approve()
        self.assertFalse(sale_return.picking_ids)
        self.assertEqual(sale_return.credit_note_ids.amount_total, 24.2)
        row = self.env['sale.return.unbacked'].search([('return_id', '=', sale_return.id)])
        self.assertEqual((row.kind, row.amount), ('keep', 24.2))
        # What was submitted stays as it is, whatever becomes of the rule.
        rule.value_max = 1.0
        self.assertEqual((line.keep_rule_id, line.return_expected), (rule, False))
        self.assertFalse(
            self._refresh().filtered(lambda found: found.kind != 'credited_not_refunded')
        )

    def test_conditions(self):
        belgium, france = self.env.ref('base.be'), self.env.ref('base.fr')
        self.customer.country_id = belgium
        cases = [
            ({}, 20.0, True),
            ({}, 50.0, False),  # 60.50 with tax
            ({'value_max': 0.0, 'way_back_cost': 15.0, 'recovery': 50.0}, 20.0, True),  # 12.10
            ({'value_max': 0.0, 'way_back_cost': 15.0, 'recovery': 70.0}, 20.0, False),  # 16.94
            ({'reason_ids': [Command.set(self.reason_defective.ids)]}, 20.0, True),
            ({'reason_ids': [Command.set(self.reason_changed_mind.ids)]}, 20.0, False),
            ({'country_ids': [Command.set(belgium.ids)]}, 20.0, True),
            ({'country_ids': [Command.set(france.ids)]}, 20.0, False),
            ({'category_ids': [Command.set(self.product.categ_id.ids)]}, 20.0, True),
        ]
        sold = {price: self._sell_one(price) for price in (20.0, 50.0)}
        for values, price, applies in cases:
            with self.subTest(values=values, price=price):
                rule = self._create_rule(**values)
                sale_return = self._create_return(sold[price], submit=False)
                self.assertEqual(bool(sale_return.line_ids.keep_rule_id), applies)
                sale_return.unlink()
                rule.unlink()

    def test_replacements_come_back(self):
        self._create_rule()
        sale_return = self._create_return(self._sell_one(), submit=False)
        sale_return.line_ids.resolution = 'replace'
        self.assertFalse(sale_return.line_ids.keep_rule_id)
        self.assertTrue(sale_return.line_ids.return_expected)

    def test_rule_without_limit_is_refused(self):
        with self.assertRaisesRegex(ValidationError, "keep everything"):
            self._create_rule(value_max=0.0)

    def test_only_managers_change_rules(self):
        rule = self._create_rule()
        with self.assertRaises(AccessError):
            rule.with_user(self.approver).value_max = 1000.0
        rule.with_user(self.manager).value_max = 60.0

    # === OFFERS === #

    def _create_offer(self, **values):
        goodwill = self.env['sale.return.reason'].create(
            {'name': "Keeps it", 'code': 'keeps_it', 'return_class': 'goodwill'}
        )
        return self._create_rule(
            name="A fifth",
            kind='percent',
            percent=20.0,
            value_max=0.0,
            goodwill_reason_id=goodwill.id,
            **values,
        )

    def _keep(self, line, **values):
        vals = self._prepare_return_lines(line, resolution='keep', **values)
        sale_return = self.env['sale.return'].create(
            {'partner_id': self.customer.id, 'line_ids': [Command.create(v) for v in vals]}
        )
        sale_return.action_submit()
        return sale_return

    def test_offer_is_granted_once_a_person_approves(self):
        self._create_offer()
        line = self._sell_one(100.0)
        sale_return = self._keep(line)
        self.assertEqual((sale_return.state, sale_return.line_ids.keep_amount), ('submitted', 24.2))
        self.assertIn("24.20 for it, tax included, once", sale_return.money_note)
        sale_return.with_user(self.manager).action_approve()
        self.assertEqual(sale_return.state, 'closed')
        self.assertFalse(sale_return.picking_ids)
        note = sale_return.line_ids.keep_note_id
        self.env.invalidate_all()
        self.assertIn(f"24.20 was credited with {note.name} for", sale_return.money_note)
        self.assertEqual(note.amount_total, 24.2)
        goodwill = self.env['sale.return.goodwill'].search([('note_id', '=', note.id)])
        self.assertEqual((goodwill.return_id, goodwill.amount), (sale_return, 24.2))
        # A second run grants nothing more.
        sale_return._after_step()
        self.assertEqual(self.env['sale.return.goodwill'].search_count([]), 1)
        self.assertFalse(self._refresh().mapped('explanation'))
        # The goods are still theirs to send back, for what is left.
        self.assertEqual(line.qty_returnable, 1.0)

    def test_offer_accepted_twice(self):
        self._create_offer()
        line = self._sell_one(100.0)
        first = self._keep(line)
        first.with_user(self.manager).action_approve()
        with self.assertRaisesRegex(UserError, f"already accepted with return {first.name}"):
            self._keep(line)

    def test_one_customer_gets_so_much_a_year(self):
        self._create_offer(customer_limit=30.0)
        self._keep(self._sell_one(100.0)).with_user(self.manager).action_approve()
        with self.assertRaisesRegex(UserError, r"5\.80 is left"):
            self._keep(self._sell_one(100.0))
        # Two lines of one return count together.
        couple = self._create_paid_sale(
            {'quantity': 1, 'price': 15.0},
            {'product': self._create_product("Shade"), 'quantity': 1, 'price': 15.0},
        )
        with self.assertRaisesRegex(UserError, r"5\.80 is left"):
            self._keep(couple.order_line)

    def test_goodwill_limits_hold(self):
        self._create_offer()
        sale_return = self._keep(self._sell_one(100.0))
        with self.assertRaisesRegex(UserError, "what you may grant"), self.env.cr.savepoint():
            sale_return.with_user(self.approver).action_approve()
        self.assertEqual(sale_return.state, 'submitted')

    def test_without_an_offer_there_is_none(self):
        selection = self.env['sale.return.line'].fields_get(['resolution'])['resolution']
        self.assertNotIn('keep', dict(selection['selection']))
        with self.assertRaisesRegex(UserError, "Nothing is offered"):
            self._keep(self._sell_one())

    def test_customers_see_the_offer(self):
        self._create_offer()
        order = self._sell_one(100.0).order_id
        (row,) = self.env['sale.return.portal.offer'].sudo()._get_offer(order.sudo())
        self.assertIn(('keep', "I keep it and get 20 % of its price back"), row['resolutions'])
        sale_return = self._keep(order.order_line)
        currency = order.currency_id
        summary = self.env['sale.return.portal.request'].sudo()._get_summary(sale_return)
        self.assertEqual(
            summary['estimates'],
            [{'currency': currency, 'rows': [("For keeping it", 24.2)], 'total': 24.2}],
        )
        money = self.env['sale.return.portal.page'].sudo()._get_money(sale_return)
        self.assertEqual(money['expected'], [(currency, 24.2)])
        sale_return.with_user(self.manager).action_approve()
        money = self.env['sale.return.portal.page'].sudo()._get_money(sale_return)
        self.assertFalse(money['expected'])

    def test_every_wish_is_said_in_words_for_the_customer(self):
        self._create_offer()
        line = self._keep(self._sell_one(100.0).order_id.order_line).line_ids.sudo()
        words = {
            'refund': "Refund",
            'replace': "Replacement",
            'none': "Nothing",
            'exchange': "Another size or variant",
            'repair': "Repair",
            'store_credit': "Store credit instead of money",
            'keep': f"Keep it and get {line.sale_line_id.currency_id.format(24.2)} back",
        }
        self.assertEqual(line._get_customer_wish(), words.pop('keep'))
        wishes = set(line._fields['resolution'].get_values(self.env)) - {'keep'}
        self.assertEqual(
            {wish: line.new({'resolution': wish})._get_customer_wish() for wish in wishes}, words
        )

    def test_dialog_has_chips_for_one_product(self):
        order = self._create_paid_sale(
            {'quantity': 1, 'price': 100.0},
            {'product': self._create_product("Shade"), 'quantity': 1, 'price': 50.0},
        )
        shade = order.order_line[1].product_id
        wizard = self.env['sale.return.goodwill.grant'].create(
            {
                'res_model': 'sale.order',
                'res_id': order.id,
                'invoice_id': order.invoice_ids.id,
                'reason_id': self._create_offer().goodwill_reason_id.id,
                'product_id': shade.id,
                'amount': 1.0,
                'comment': "Scratched",
            }
        )
        left = wizard.amount_left
        wizard.chip = '25'
        wizard._onchange_chip()
        self.assertEqual(wizard.amount, wizard.currency_id.round(left / 4))
        wizard.action_confirm()
        note = self.env['sale.return.goodwill'].search([]).note_id
        self.assertEqual(note.invoice_line_ids.credited_line_id.product_id, shade)
        self.assertEqual(note.amount_total, wizard.amount)

    def test_dialog_says_what_stays_before_the_click(self):
        order = self._create_paid_sale({'quantity': 2, 'price': 100.0})
        clerk = self._create_user(
            'keep_clerk',
            'base.group_user',
            'sales_team.group_sale_salesman_all_leads',
            'sale_return.group_user',
        )
        wizard = (
            self.env['sale.return.create']
            .with_user(clerk)
            .create({'sale_line_ids': order.order_line.ids, 'reason_id': self.reason_defective.id})
        )
        row = wizard.line_ids
        offer = self._create_offer(customer_limit=40.0)
        self.assertFalse(wizard.keep_note)
        row.write({'quantity': 1, 'resolution': 'keep'})
        self.assertRegex(
            wizard.keep_note,
            f"^{self.customer.name} keeps {self.product.name} and gets ..24.20 for it, "
            "tax included, once the return is approved. It goes back the way it was paid: "
            "Bank One.$",
        )
        row.quantity = 2
        self.assertRegex(wizard.keep_note, "at most ..40.00 .* and ..40.00 is left")
        offer.unlink()
        row.quantity = 1
        self.assertRegex(wizard.keep_note, "^Nothing is offered for keeping")
        rule = self._create_rule(value_max=500.0)
        row.resolution = 'refund'
        self.assertIn(f"stays with {self.customer.name} by rule “{rule.name}”", wizard.keep_note)
