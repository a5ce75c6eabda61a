from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from odoo.addons.sale_return.models.portal.exceptions import RequestRefused

from ..common_exchange import ExchangeCommon

DOORS = ('dialog', 'rpc', 'page')


@tagged('post_install', '-at_install')
class TestExchangeDoors(ExchangeCommon):
    """What cannot be exchanged is refused in the dialog, by RPC and on the customer's page.

    Each with a sentence, as users with only their role, and nothing is left behind. Prices and
    quantities that only programs and the form can enter: see `test_exchange_hold`.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_paid_sale({'product': cls.medium, 'quantity': 2})
        cls.line = cls.order.order_line
        cls.salesman = cls._create_user(
            'doors_salesman', 'sales_team.group_sale_salesman_all_leads', 'sale_return.group_user'
        )

    # === DOORS === #

    def _enter_by_dialog(self, product, quantity, resolution):
        env = self._env_of(self.salesman)
        orders = env['sale.order'].browse(self.line.order_id.ids)
        action = orders.action_create_return()
        form = Form(env[action['res_model']].with_context(**action['context']))
        form.reason_id = self.reason_changed_mind.with_env(env)
        for index in range(len(self.line)):
            with form.line_ids.edit(index) as row:
                row.quantity = quantity
                row.resolution = resolution
                if product:
                    row.exchange_product_id = product.with_env(env)
        form.save().action_create_and_submit()

    def _enter_by_rpc(self, product, quantity, resolution):
        returns = self._env_of(self.clerk)['sale.return']
        values = {
            'qty_requested': quantity,
            'reason_id': self.reason_changed_mind.id,
            'resolution': resolution,
            'exchange_product_id': product.id,
        }
        returns = returns.create(
            {'line_ids': [Command.create({'sale_line_id': l.id, **values}) for l in self.line]}
        )
        returns.action_submit()

    def _enter_by_page(self, product, quantity, resolution):
        order = self.line.order_id.sudo()
        choice = {
            'line_id': self.line.id,
            'quantity': quantity,
            'reason_id': self.reason_changed_mind.id,
            'resolution': resolution,
            'variant_id': product.id,
            'note': '',
        }
        service = self.env['sale.return.portal.request']
        service._send(service._prepare_draft(order, [choice], 'doors'))

    def _assert_refused(self, texts, product=None, quantity=1.0, resolution='exchange'):
        """Try all doors; `texts` are parts of the sentences, one for all or one for each."""
        texts = [texts] * len(DOORS) if isinstance(texts, str) else texts
        product = self.large if product is None else product
        documents = self._count_documents()
        for door, text in zip(DOORS, texts, strict=True):
            if not text:
                continue  # it cannot be entered there
            error = RequestRefused if door == 'page' else UserError
            with self.subTest(door=door, text=text):
                with self.assertRaises(error) as caught:
                    getattr(self, f'_enter_by_{door}')(product, quantity, resolution)
                self.assertIn(text, str(caught.exception))
                self.assertRegex(str(caught.exception), r'^[A-Z0-9\[].*[.?]$')
                self.env.invalidate_all()
                self.assertEqual(self._count_documents(), documents)
                held = self.env['stock.move'].sudo().search([('exchange_line_id', '!=', False)])
                self.assertFalse(held)

    def _empty(self, product):
        quants = self.env['stock.quant'].sudo()
        free = quants._get_available_quantity(product, self.stock)
        quants._update_available_quantity(product, self.stock, -free)
        return product

    # === TABLE === #

    def test_products(self):
        choose = "Choose which variant"
        none = self.env['product.product']
        for text, product in (
            ("is archived", self._create_product("Gone", active=False)),
            ("is not for sale", self._create_product("Unsold", sale_ok=False)),
            ("0 are available, and no more", self._empty(self._create_product("Empty"))),
            ("is a service or a kit", self.service),
        ):
            self._assert_refused((text, text, choose), product)
        # The dialog requires a product.
        self._assert_refused((None, "Choose what the customer gets", choose), none)

    def test_product_of_another_company(self):
        company = self.env['res.company'].sudo().create({'name': "Elsewhere"})
        values = {'name': "Foreign", 'type': 'consu', 'company_id': company.id}
        foreign = self.env['product.product'].sudo().create(values).sudo(False)
        # The dialog shows the products of the user's companies only.
        self._assert_refused((None, "another company", "Choose which variant"), foreign)

    def test_more_than_is_in_stock_or_was_delivered(self):
        quants = self.env['stock.quant'].sudo()
        quants._update_available_quantity(self._empty(self.large), self.stock, 1.0)
        self._assert_refused("2 Units of Shirt (L) are requested, 1 are available", quantity=2.0)
        self._assert_refused(
            ("Maximum: ", "delivered", "Up to 2 Units of Shirt (M) can be returned"),
            self.small,
            quantity=3.0,
        )

    def test_stock_that_is_expected_is_named_with_its_day(self):
        coat = self._empty(self._create_product("Coat"))
        move = self.env['stock.move'].create(
            {
                'product_id': coat.id,
                'product_uom_qty': 5,
                'location_id': self.env.ref('stock.stock_location_suppliers').id,
                'location_dest_id': self.stock.id,
                'date': '2099-03-04',
            }
        )
        move._action_confirm()
        self._assert_refused(("expected on 03/04/2099", "expected on 03/04/2099", None), coat)

    def test_customers_who_are_archived(self):
        self.customer.active = False
        self._assert_refused("is archived, so no new order")

    def test_goods_that_were_exchanged_before(self):
        other = self._create_paid_sale({'product': self.medium, 'quantity': 1}).order_line
        sale_return = self._exchange_goods(other, self.large)
        self._deliver(sale_return.exchange_order_ids)
        self.line = sale_return.exchange_order_ids.order_line
        self._assert_refused(("was itself given", "was itself given", "Choose"), self.small)

    def test_orders_in_two_currencies(self):
        currencies = self.env['res.currency'].sudo().with_context(active_test=False)
        foreign = currencies.search([('id', '!=', self.company.currency_id.id)], limit=1)
        foreign.active = True
        pricelist = self.env['product.pricelist'].create(
            {'name': "Foreign", 'currency_id': foreign.id}
        )
        self.line |= self._create_sale(
            {'product': self.medium, 'quantity': 1}, pricelist_id=pricelist.id
        ).order_line
        self._assert_refused(("differ in their currency", "differ in their currency", None))

    def test_wish_is_not_changed_after_dispatch(self):
        self.policy.approval = 'always'
        sale_return = self._create_exchange(self.line, self.large).with_user(self.clerk)
        sale_return.action_register_dispatch("X1")
        sale_return.action_draft()
        documents = self._count_documents()
        for values in (
            {'exchange_product_id': self.small.id},
            {'exchange_quantity': 0.5},
            {'exchange_price': 1.0},
            {'resolution': 'refund'},
        ):
            with self.subTest(values), self.assertRaisesRegex(UserError, "are under way"):
                sale_return.line_ids.write(values)
        form = Form(sale_return)
        with form.line_ids.edit(0) as row:
            row.exchange_product_id = self.small
        with self.assertRaisesRegex(UserError, "are under way"):
            form.save()
        self.assertEqual(sale_return.line_ids.exchange_product_id, self.large)
        self.assertEqual(self._count_documents(), documents)
