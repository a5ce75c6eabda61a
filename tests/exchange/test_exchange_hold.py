from datetime import timedelta
from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..common_exchange import ExchangeCommon


@tagged('post_install', '-at_install')
class TestExchangeHold(ExchangeCommon):
    """Chosen products are held until the customer's goods are here, and no longer."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.few = cls._create_sizes("Jacket", 1, taxes_id=[Command.set(cls.tax_21.ids)])
        cls.orders = cls.env['sale.order'].union(
            *[cls._create_paid_sale({'product': cls.medium, 'quantity': 3}) for _n in range(2)]
        )
        cls.line, cls.other = cls.orders.order_line
        cls.last = cls.few[2]

    def _hold(self, line=None, quantity=1.0, **values):
        return self._create_exchange(line or self.line, self.last, quantity, **values)

    def _run_hold_job(self):
        with self.enter_registry_test_mode():
            self.env.ref('sale_return.ir_cron_end_holds').sudo().method_direct_trigger()
        self.env.invalidate_all()

    def _let_time_pass(self, sale_return):
        sale_return._write_facts(
            {'exchange_hold_until': fields.Datetime.now() - timedelta(minutes=1)}
        )

    def test_last_unit_is_held_once(self):
        first = self._hold()
        self.assertEqual(self._get_held(first), {self.last: 1.0})
        self.assertEqual(self.last.free_qty, 0.0)
        with self.assert_refused("0 are available"):
            self._hold(self.other)

    def test_no_other_order_takes_what_is_held(self):
        self._hold()
        order = self._create_order({'product': self.last, 'quantity': 1})
        self.assertEqual(order.picking_ids.move_ids.state, 'confirmed')

    def test_held_goods_do_not_leave_by_hand(self):
        move = self._hold().line_ids.exchange_hold_ids
        move.picked = True
        with self.assert_refused("are held for the exchange"):
            move._action_done()

    def test_shortage_says_how_many_and_when(self):
        move = self.env['stock.move'].create(
            {
                'product_id': self.last.id,
                'product_uom_qty': 5,
                'location_id': self.env.ref('stock.stock_location_suppliers').id,
                'location_dest_id': self.stock.id,
                'picking_type_id': self.warehouse.in_type_id.id,
                'date': '2037-05-04 10:00:00',
            }
        )
        move._action_confirm()
        documents = self._count_documents()
        draft = self._create_exchange(self.line, self.last, 2, submit=False)
        with self.assert_refused("2 Units of Jacket (L) are requested, 1 are available; more"):
            draft.action_submit()
        with self.assert_refused("2037"):
            draft.action_submit()
        draft.unlink()
        self.assertEqual(self._count_documents(), documents)

    def test_hold_ends_and_the_return_goes_on_as_a_refund(self):
        sale_return = self._hold()
        sale_return.user_id = self.clerk
        self._run_hold_job()
        self.assertEqual(self._get_held(sale_return), {self.last: 1.0})
        self._let_time_pass(sale_return)
        self._run_hold_job()
        self.assertEqual(self._get_held(sale_return), {})
        self.assertEqual(self.last.free_qty, 1.0)
        self.assertEqual(sale_return.line_ids.resolution, 'refund')
        self.assertEqual(sale_return.exchange_order_ids.state, 'cancel')
        self.assertIn('exchange_lapsed', sale_return.event_ids.mapped('kind'))
        self.assertIn("Exchange no longer held", sale_return.activity_ids.mapped('summary'))
        self.assertIn('exchange_lapsed', sale_return.customer_message_ids.kind_id.mapped('code'))
        self.assertEqual(sale_return.state, 'approved')
        events = len(sale_return.event_ids)
        self._run_hold_job()
        self.assertEqual(len(sale_return.event_ids), events)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assertEqual(self._get_money(sale_return), (121.0, 0.0, 121.0, 0.0))

    def test_goods_that_are_here_keep_the_hold(self):
        sale_return = self._hold()
        self._receive(sale_return)
        self._let_time_pass(sale_return)
        self._run_hold_job()
        self.assertEqual(self._get_held(sale_return), {self.last: 1.0})
        sale_return.action_inspect_all('restock')
        self.assertEqual(sale_return.exchange_order_ids.state, 'sale')

    def test_hold_beside_a_refund_of_the_same_line(self):
        """The return already has a refund line for the same reason: only the exchange ends."""
        sale_return = self._create_exchange(self.line, self.last, submit=False)
        sale_return.line_ids = [
            (0, 0, values)
            for values in self._prepare_return_lines(self.line, 1.0, self.reason_changed_mind)
        ]
        sale_return.action_submit()
        self._let_time_pass(sale_return)
        self._run_hold_job()
        self.assertEqual(self._get_held(sale_return), {})
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assertEqual(self._get_money(sale_return), (242.0, 0.0, 242.0, 0.0))

    def test_refused_cancelled_and_redrafted_returns_hold_nothing(self):
        self.policy.approval = 'always'
        for step in ('refuse', 'cancel', 'draft'):
            with self.subTest(step):
                sale_return = self._hold()
                self.assertEqual(sale_return.state, 'submitted')
                self.assertEqual(self.last.free_qty, 0.0)
                if step == 'refuse':
                    sale_return.action_refuse("No.")
                else:
                    getattr(sale_return, f'action_{step}')()
                self.assertEqual(self.last.free_qty, 1.0)
                if step == 'draft':
                    sale_return.action_submit()
                    self.assertEqual(self.last.free_qty, 0.0)
                    states = sale_return.exchange_order_ids.mapped('state')
                    self.assertEqual(sorted(states), ['cancel', 'draft'])

    def test_quotation_cancelled_by_a_salesperson_sets_free(self):
        sale_return = self._hold()
        sale_return.exchange_order_ids.action_cancel()
        self.assertEqual(self.last.free_qty, 1.0)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assertEqual(sale_return.state, 'approved')
        self.assertEqual(self._get_money(sale_return), (121.0, 0.0, 121.0, 0.0))

    def test_quotation_is_not_deleted(self):
        order = self._hold().exchange_order_ids
        with self.assert_refused("belongs to an exchange"):
            order.unlink()

    def test_quotation_confirmed_by_hand_takes_over_the_hold(self):
        sale_return = self._hold()
        order = sale_return.exchange_order_ids
        order.action_confirm()
        self.assertEqual(self._get_held(sale_return), {})
        self.assertEqual(order.picking_ids.move_ids.state, 'assigned')
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assertEqual(self._get_money(sale_return), (121.0, 121.0, 0.0, 0.0))

    def test_limit_per_order_and_customer(self):
        self._configure(sale_return_hold_order_limit=1)
        self._create_exchange(self.line, self.large)
        with self.assert_refused("the limit is 1"):
            self._create_exchange(self.line, self.small)
        self._configure(sale_return_hold_order_limit=0, sale_return_hold_customer_limit=1)
        with self.assert_refused(self.customer.name):
            self._create_exchange(self.other, self.large)
        self._configure(sale_return_hold_customer_limit=0)
        self._create_exchange(self.other, self.large)

    def test_no_days_hold_nothing(self):
        self.policy.hold_days = 0
        sale_return = self._hold()
        self.assertEqual(self._get_held(sale_return), {})
        self.assertFalse(sale_return.exchange_hold_until)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assertEqual(self._get_money(sale_return), (121.0, 121.0, 0.0, 0.0))

    def test_difference_is_paid_before_it_ships(self):
        self.policy.exchange_payment = 'first'
        coat = self._create_product("Coat", list_price=150.0, taxes_id=[(6, 0, self.tax_21.ids)])
        sale_return = self._exchange_goods(self.line, coat)
        order = sale_return.exchange_order_ids
        self.assertEqual(order.exchange_due, 60.5)
        with self.assert_refused("the customer has to pay"):
            self._deliver(order)
        self._pay(order.invoice_ids)
        self.assertEqual(order.exchange_due, 0.0)
        self._deliver(order)
        self.assertEqual(order.order_line.qty_delivered, 1.0)

    def test_each_event_releases(self):
        for event in ('approval', 'dispatch_proof', 'receipt'):
            with self.subTest(event):
                self.policy.release_event = event
                sale_return = self._create_exchange(self.line, self.large)
                if event == 'dispatch_proof':
                    sale_return.action_register_dispatch("X1")
                if event == 'receipt':
                    self.assertEqual(sale_return.exchange_order_ids.state, 'draft')
                    self._receive(sale_return)
                self.assertEqual(sale_return.exchange_order_ids.state, 'sale')
                self.assertEqual(self._get_money(sale_return), (121.0, 121.0, 0.0, 0.0))
                if event == 'approval':
                    self._receive(sale_return)
                    sale_return.action_inspect_all('restock')

    def test_clerk_and_inspector_do_it_with_their_roles_alone(self):
        lines = [
            {
                'sale_line_id': self.line.id,
                'qty_requested': 1.0,
                'reason_id': self.reason_changed_mind.id,
                'resolution': 'exchange',
                'exchange_product_id': self.last.id,
            }
        ]
        returns = self.env['sale.return']
        values = {'partner_id': self.customer.id, 'line_ids': lines}
        sale_return = returns.browse(self._call(self.clerk, returns, 'create', [values]))
        sale_return = sale_return if len(sale_return) == 1 else returns.search([], limit=1)
        self._call(self.clerk, sale_return, 'action_submit')
        preview = self._call(self.clerk, sale_return, 'preview_credit')
        self.assertEqual(next(iter(preview.values()))['difference'], 0.0)
        self._receive(sale_return)
        self._call(self.inspector, sale_return, 'action_inspect_all', 'restock')
        self.assertEqual(self._get_money(sale_return), (121.0, 121.0, 0.0, 0.0))

    def test_lower_price_takes_an_approver(self):
        sale_return = self._create_exchange(self.line, self.large, submit=False, exchange_price=1.0)
        with self.assert_refused("Only an approver", exception=AccessError):
            sale_return.with_user(self.clerk).action_submit()
        sale_return.action_submit()
        self.assertEqual(sale_return.exchange_order_ids.amount_untaxed, 1.0)

    def test_strangers_end_and_keep_nothing(self):
        sale_return = self._hold()
        stranger = self._create_user('exchange_stranger', 'base.group_user')
        for method in ('action_keep_exchange', 'action_end_exchange', 'preview_credit'):
            with self.assertRaises(AccessError):
                self._call(stranger, sale_return, method)

    def test_bad_wishes_are_refused_with_a_sentence_and_leave_nothing(self):
        archived = self._create_product("Gone", active=False)
        unsold = self._create_product("Not sold", sale_ok=False)
        combo_like = self.service
        exchanged = self._exchange_goods(self.other, self.large).exchange_order_ids
        self._deliver(exchanged)
        cases = [
            ("is archived", archived, {}),
            ("is not for sale", unsold, {}),
            ("service or a kit", combo_like, {}),
            ("more than the returned quantity", self.large, {'exchange_quantity': 2.0}),
            ("Enter how many", self.large, {'exchange_quantity': 0.0}),
        ]
        documents = self._count_documents()
        for text, product, values in cases:
            with self.subTest(text):
                draft = self._create_exchange(self.line, product, submit=False, **values)
                with self.assert_refused(text):
                    draft.action_submit()
                self.assertEqual(draft.state, 'draft')
                draft.unlink()
        with self.assert_refused("was itself given in exchange"):
            self._create_exchange(exchanged.order_line, self.small)
        with self.assert_refused("Choose what the customer gets"):
            self._create_exchange(self.line, self.env['product.product'])
        for price, text in ((-1.0, "cannot be below zero"), (float('nan'), "has to be a number")):
            with self.assert_refused(text), self.env.cr.savepoint():
                self._create_exchange(self.line, self.large, exchange_price=price)
        self.env['sale.return'].search([('state', '=', 'draft')]).filtered(
            lambda r: not r.event_ids
        ).unlink()
        self.assertEqual(self._count_documents(), documents)

    def test_wish_is_fixed_once_the_goods_are_under_way(self):
        self.policy.approval = 'always'
        sale_return = self._hold()
        sale_return.action_register_dispatch("X1")
        sale_return.action_draft()
        with self.assert_refused("are under way"):
            sale_return.line_ids.resolution = 'refund'
        with self.assert_refused("are under way"):
            sale_return.line_ids.exchange_product_id = self.small

    def test_switched_off(self):
        self._switch_exchanges(False)
        with self.assert_refused("switched off"):
            self._hold()
        line = self.env['sale.return.line']
        wishes = dict(line.fields_get(['resolution'])['resolution']['selection'])
        self.assertNotIn('exchange', wishes)
        self._switch_exchanges()
        wishes = dict(line.fields_get(['resolution'])['resolution']['selection'])
        self.assertIn('exchange', wishes)

    def test_failure_to_order_stops_no_receipt_and_is_kept_once(self):
        def refuse(_self):
            raise UserError("No.")  # pylint: disable=translation-required

        sale_return = self._create_exchange(self.line, self.large)
        self._receive(sale_return)
        with patch.object(type(self.env['sale.order']), 'action_confirm', refuse):
            sale_return.action_inspect_all('restock')
            sale_return._after_step()
        failures = sale_return.event_ids.filtered(lambda event: event.kind == 'exchange_failed')
        self.assertEqual(failures.mapped('reason'), ["No."])
        self.assertEqual(sale_return.line_ids.qty_credited, 1.0)
        sale_return._after_step()
        self.assertEqual(self._get_money(sale_return), (121.0, 121.0, 0.0, 0.0))
