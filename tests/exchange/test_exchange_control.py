from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..common_exchange import ExchangeCommon


@tagged('post_install', '-at_install')
class TestExchangeControl(ExchangeCommon):
    """Nobody gets more out of an exchange than they returned, by whatever right of Odoo."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.line = cls._create_paid_sale({'product': cls.medium, 'quantity': 3}).order_line
        cls.coat = cls._create_product("Coat", list_price=150.0, taxes_id=[(6, 0, cls.tax_21.ids)])
        cls.seller = cls._create_user(
            'exchange_seller', 'base.group_user', 'sales_team.group_sale_salesman_all_leads'
        )

    def test_salesperson_leaves_the_exchange_as_it_was_agreed_on(self):
        order = self._create_exchange(self.line, self.large).exchange_order_ids
        before = order.order_line.read(['product_id', 'product_uom_qty', 'price_unit', 'discount'])
        stranger = self._create_customer("Stranger")
        for values in (
            {'price_unit': 0.0},
            {'discount': 100.0},
            {'product_uom_qty': 5.0},
            {'product_id': self.coat.id},
            {'product_uom_id': self.env.ref('uom.product_uom_dozen').id},
            {'tax_ids': [(5,)]},
            {'order_id': self.line.order_id.id},
            # Figures that Odoo computes: what is billed decides what is paid back.
            {'qty_invoiced': 1.0},
            {'qty_delivered': 1.0},
            {'price_total': 0.0},
            {'is_downpayment': True},
            {'state': 'sale'},
        ):
            with self.subTest(values), self.assertRaisesRegex(AccessError, "Ask a manager"):
                self._call(self.seller, order.order_line, 'write', values)
            if 'order_id' not in values:
                with self.subTest(values), self.assertRaises(AccessError):
                    nested = {'order_line': [(1, order.order_line.id, values)]}
                    self._call(self.seller, order, 'write', nested)
        for values in (
            {'partner_id': stranger.id},
            {'partner_invoice_id': stranger.id},
            {'pricelist_id': False},
            {'amount_total': 0.0},
            {'state': 'sale'},
        ):
            with self.subTest(values), self.assertRaises(AccessError):
                self._call(self.seller, order, 'write', values)
        with self.assertRaisesRegex(UserError, "cannot be deleted"):
            self._call(self.seller, order.order_line, 'unlink')
        with self.assertRaisesRegex(AccessError, "once the goods are accepted"):
            self._call(self.seller, order, 'action_confirm')
        after = order.order_line.read(['product_id', 'product_uom_qty', 'price_unit', 'discount'])
        self.assertEqual((after, order.state, order.partner_id), (before, 'draft', self.customer))

    def test_nobody_pretends_that_an_exchange_is_billed(self):
        """Billed by hand, the credit would be paid back beside the goods."""
        for role in ('sales_team.group_sale_salesman_all_leads', 'stock.group_stock_user'):
            with self.subTest(role):
                user = self._create_user(f'bills {role}', 'base.group_user', role)
                sale_return = self._create_exchange(self.line, self.large)
                order = sale_return.exchange_order_ids
                with self.assertRaises(AccessError):
                    self._call(user, order.order_line, 'write', {'qty_invoiced': 1.0})
                self._receive(sale_return)
                sale_return.action_inspect_all('restock')
                self.assertEqual(self._get_money(sale_return), (121.0, 121.0, 0.0, 0.0))
                # Confirmed, it is not made a quotation again that is ordered twice.
                with self.assertRaises(AccessError):
                    self._call(user, order, 'write', {'state': 'draft'})

    def test_what_is_held_is_changed_by_its_return_alone(self):
        sale_return = self._create_exchange(self.line, self.large)
        hold = sale_return.line_ids.exchange_hold_ids
        other = self._create_sale().picking_ids[:1]
        for role in ('sales_team.group_sale_salesman_all_leads', 'stock.group_stock_manager'):
            user = self._create_user(f'holds {role}', 'base.group_user', role)
            for values in (
                {'product_id': self.coat.id},
                {'product_uom_qty': 100.0},
                {'location_dest_id': self.quarantine.id},
                {'picking_id': other.id},
                {'state': 'done'},
            ):
                with self.subTest(role, values=values), self.assertRaisesRegex(UserError, "held"):
                    self._call(user, hold, 'write', values)
        self.assertEqual((hold.product_id, hold.quantity, hold.state), (self.large, 1, 'assigned'))

    def test_salesperson_changes_what_is_no_agreement(self):
        order = self._create_exchange(self.line, self.large).exchange_order_ids
        self._call(self.seller, order, 'write', {'client_order_ref': "X", 'note': "Soon"})
        self._call(self.seller, order.order_line, 'write', {'name': "Shirt, large"})
        plain = self._create_order({'product': self.large, 'quantity': 1}, confirm=False)
        self._call(self.seller, plain.order_line, 'write', {'price_unit': 1.0})
        self._call(self.seller, plain, 'action_confirm')
        self.assertEqual(plain.state, 'sale')

    def test_what_costs_more_waits_for_the_credit_and_its_payment(self):
        self.policy.write({'exchange_payment': 'first', 'credit_posting': 'draft'})
        sale_return = self._exchange_goods(self.line, self.coat)
        order = sale_return.exchange_order_ids
        self.assertEqual(order.exchange_due, 60.5)
        with self.assert_refused("Post the credit note"):
            self._deliver(order)
        sale_return.credit_note_ids.action_post()
        with self.assert_refused("payment link"):
            self._deliver(order)
        self._pay(order.invoice_ids.filtered(lambda move: move.amount_residual))
        self._deliver(order)
        self.assertEqual(order.order_line.qty_delivered, 1.0)

    def test_what_costs_the_same_ships_before_the_note_is_posted(self):
        self.policy.write({'exchange_payment': 'first', 'credit_posting': 'draft'})
        order = self._exchange_goods(self.line, self.large).exchange_order_ids
        self._deliver(order)
        self.assertEqual(order.order_line.qty_delivered, 1.0)

    def test_lower_price_is_within_the_budget_without_goods(self):
        self.policy.approval = 'always'
        self._configure(sale_return_unbacked_agent_limit=100.0)
        approver = self._create_user('exchange_approver', 'sale_return.group_approver')
        sale_return = self._create_exchange(self.line, self.coat, submit=False, exchange_price=1.0)
        with self.assert_refused("without goods is above"):
            self._call(approver, sale_return, 'action_submit')
        self.assertEqual(sale_return.state, 'draft')
        manager = self._create_user('exchange_manager', 'sale_return.group_manager')
        for _time in range(2):
            self._call(manager, sale_return, 'action_submit')
            self._call(manager, sale_return, 'action_draft')
        rows = self.env['sale.return.unbacked'].search([('return_id', '=', sale_return.id)])
        # 149.00 and 21 % of it, once.
        self.assertEqual((rows.kind, rows.amount, rows.user_id), ('goodwill', 180.29, manager))
        self.assertTrue(rows.is_override)

    def test_holds_are_limited_in_pieces(self):
        dozen = self.env.ref('uom.product_uom_dozen')
        line = self._create_paid_sale(
            {'product': self.medium, 'quantity': 2, 'product_uom_id': dozen.id}
        ).order_line
        self._configure(sale_return_hold_order_limit=12)
        with self.assert_refused("24 more are requested"):
            self._create_exchange(line, self.large, 2)
        self._create_exchange(line, self.large, 1)

    def test_exchange_is_not_ordered_before_anything_was_rejected(self):
        sale_return = self._create_exchange(self.line, self.large, 2)
        with self.assertRaisesRegex(UserError, "Inspect the goods first"):
            self._call(self.clerk, sale_return, 'action_keep_exchange')
        self.assertEqual(self._get_money(sale_return), (0, 0, 0, 0))

    def test_what_is_accepted_after_all_pays_for_what_was_kept(self):
        sale_return = self._create_exchange(self.line, self.large, 2)
        self._receive(sale_return)
        line = sale_return.line_ids
        line.register_inspection([{'quantity': 1.0, 'disposition': 'send_back'}])
        self._call(self.clerk, sale_return, 'action_keep_exchange')
        self.assertEqual(self._get_money(sale_return), (0.0, 242.0, 0.0, 242.0))
        line.register_inspection([{'quantity': 1.0, 'disposition': 'restock'}])
        # 121.00 are credited and settled with what is owed; nothing is left to pay back.
        self.assertEqual(self._get_money(sale_return), (121.0, 242.0, 0.0, 121.0))
