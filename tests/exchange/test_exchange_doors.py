from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from odoo.addons.sale_return.models.portal.exceptions import RequestRefused

from ..common_exchange import ExchangeCommon


@tagged('post_install', '-at_install')
class TestExchangeDoors(ExchangeCommon):
    """What cannot be exchanged is refused by the dialog, by RPC and on the customer's page.

    Each with a sentence, and nothing is left behind.
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

    def _enter_by_dialog(self, product, quantity):
        env = self._env_of(self.salesman)
        action = env['sale.order'].browse(self.order.id).action_create_return()
        form = Form(env[action['res_model']].with_context(**action['context']))
        form.reason_id = self.reason_changed_mind
        with form.line_ids.edit(0) as row:
            row.quantity = quantity
            row.resolution = 'exchange'
            row.exchange_product_id = product
        form.save().action_create_and_submit()

    def _enter_by_rpc(self, product, quantity):
        values = {
            'sale_line_id': self.line.id,
            'qty_requested': quantity,
            'reason_id': self.reason_changed_mind.id,
            'resolution': 'exchange',
            'exchange_product_id': product.id,
        }
        returns = self.env['sale.return'].with_user(self.clerk)
        returns.create({'line_ids': [Command.create(values)]}).action_submit()

    def _enter_by_page(self, product, quantity):
        choice = {
            'line_id': self.line.id,
            'quantity': quantity,
            'reason_id': self.reason_changed_mind.id,
            'resolution': 'exchange',
            'variant_id': product.id,
            'note': '',
        }
        service = self.env['sale.return.portal.request']
        service._send(service._prepare_draft(self.order.sudo(), [choice], 'doors'))

    def _get_error(self, door):
        return RequestRefused if door == 'page' else UserError

    def _assert_refused_everywhere(self, sentence, on_page, product, quantity=1.0):
        documents = self._count_documents()
        for door, expected in (('dialog', sentence), ('rpc', sentence), ('page', on_page)):
            with self.subTest(door=door, sentence=sentence):
                with self.assertRaises(self._get_error(door)) as caught:
                    getattr(self, f'_enter_by_{door}')(product, quantity)
                self.assertIn(expected, str(caught.exception))
                self.env.invalidate_all()
                self.assertEqual(self._count_documents(), documents)
                held = self.env['stock.move'].sudo().search([('exchange_line_id', '!=', False)])
                self.assertFalse(held)

    # === TABLE === #

    def test_products(self):
        choose = "Choose which variant"
        gone = self._create_product("Gone", active=False)
        unsold = self._create_product("Unsold", sale_ok=False)
        empty = self._create_product("Empty")
        none = self.env['product.product']
        other = self.env['res.company'].sudo().create({'name': "Elsewhere"})
        foreign = self.env['product.product'].sudo()
        foreign = foreign.create({'name': "Foreign", 'type': 'consu', 'company_id': other.id})
        for sentence, product in (
            ("is archived", gone),
            ("is not for sale", unsold),
            ("are requested", empty),
            ("service or a kit", self.service),
            ("belongs to another company", foreign.sudo(False)),
            ("Choose what the customer gets in exchange", none),
        ):
            self._assert_refused_everywhere(sentence, choose, product)

    def test_more_than_is_in_stock_or_was_delivered(self):
        stock = self.env['stock.quant'].sudo()
        stock._update_available_quantity(self.large, self.stock, -999)
        self._assert_refused_everywhere("1 are free", "1 are free", self.large, 2.0)
        self._assert_refused_everywhere("delivered", "up to 2", self.small, 3.0)

    def test_customers_who_are_archived(self):
        self.customer.active = False
        self._assert_refused_everywhere("is archived, so no new order", "could not be sent", self.large)

    def test_goods_that_were_exchanged_before(self):
        self._deliver(self._exchange_goods(self.line, self.large, 2).exchange_order_ids)
        self.order = self.order.return_ids.exchange_order_ids
        self.line = self.order.order_line
        documents = self._count_documents()
        for door in ('dialog', 'rpc', 'page'):
            with self.subTest(door=door), self.assertRaises(self._get_error(door)):
                getattr(self, f'_enter_by_{door}')(self.small, 1.0)
            self.env.invalidate_all()
            self.assertEqual(self._count_documents(), documents)
