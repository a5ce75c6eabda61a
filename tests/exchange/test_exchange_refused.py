# pylint: disable=translation-required
from odoo import Command
from odoo.tests import tagged

from ..common_exchange import ExchangeCommon


@tagged('post_install', '-at_install')
class TestExchangeRefused(ExchangeCommon):
    """Exchanges that are not possible are refused with an error message, and change nothing.

    Archived, unsold, services, none, too many, below zero, in exchange before, and after dispatch:
    see `test_exchange_hold`.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_paid_sale({'product': cls.medium, 'quantity': 3})
        cls.line = cls.order.order_line

    def _assert_refused(self, text, product, line=None, **values):
        draft = self._create_exchange(line or self.line, product, submit=False, **values)
        documents = self._count_documents()
        with self.assert_refused(text):
            draft.with_user(self.clerk).action_submit()
        self.assertEqual(draft.state, 'draft')
        self.assertEqual(self._count_documents(), documents)
        self.assertFalse(draft.line_ids.exchange_hold_ids)

    def test_product_of_another_company(self):
        other = self.env['res.company'].sudo().create({'name': "Elsewhere"})
        product = (
            self.env['product.product']
            .sudo()
            .create({'name': "Foreign coat", 'type': 'consu', 'company_id': other.id})
        )
        self._assert_refused("belongs to another company", product)

    def test_kit(self):
        if 'mrp.bom' not in self.env:
            self.skipTest("Kits need mrp")
        kit = self._create_product("Kit")
        self.env['mrp.bom'].sudo().create(
            {
                'product_tmpl_id': kit.product_tmpl_id.id,
                'type': 'phantom',
                'bom_line_ids': [Command.create({'product_id': self.small.id, 'product_qty': 1})],
            }
        )
        kit.invalidate_recordset(['is_kits'])
        self._assert_refused("service or a kit", kit)

    def test_unpublished_where_the_customer_asks(self):
        if 'is_published' not in self.large._fields:
            self.skipTest("Products are published with website_sale")
        draft = self._create_exchange(self.line, self.large, submit=False)
        draft._write_facts({'portal_kind': 'request'})
        self.large.product_tmpl_id.is_published = False
        with self.assert_refused("is not for sale"):
            draft.action_submit()

    def test_more_than_were_sold(self):
        draft = self._create_exchange(self.line, self.large, 3, submit=False)
        with self.assert_refused("were delivered"), self.env.cr.savepoint():
            draft.line_ids.qty_requested = 4
            draft.action_submit()

    def test_orders_in_different_currencies(self):
        """One exchange cannot have two currencies; one order goes in its own."""
        currencies = self.env['res.currency'].sudo().with_context(active_test=False)
        foreign = currencies.search([('id', '!=', self.company.currency_id.id)], limit=1)
        foreign.active = True
        pricelist = self.env['product.pricelist'].create(
            {'name': "Foreign", 'currency_id': foreign.id}
        )
        order = self._create_order({'product': self.medium, 'quantity': 1}, confirm=False)
        order.pricelist_id = pricelist
        order.action_confirm()
        self._deliver(order)
        draft = self._create_exchange(self.line, self.large, submit=False)
        draft.line_ids = [
            Command.create(
                {
                    'sale_line_id': order.order_line.id,
                    'qty_requested': 1.0,
                    'reason_id': self.reason_changed_mind.id,
                    'resolution': 'exchange',
                    'exchange_product_id': self.large.id,
                }
            )
        ]
        with self.assert_refused("differ in their currency"):
            draft.action_submit()

    def test_what_odoo_warns_of_is_said_before_the_click(self):
        """Odoo does not block customers, but warns the salesperson. So do exchanges."""
        self.env.ref('base.group_user').sudo()._apply_group(
            self.env.ref('sale.group_warning_sale').sudo()
        )
        self.customer.sale_warn_msg = "Pays late."
        self.company.sudo().account_use_credit_limit = True
        customer = self.customer.commercial_partner_id.sudo().with_company(self.company)
        customer.credit_limit = 1.0
        coat = self._create_product("Coat", list_price=150.0, taxes_id=[Command.clear()])
        dear = self._create_exchange(self.line, coat, submit=False)
        note = dear.with_user(self.clerk).exchange_note
        self.assertIn("Pays late.", note)
        self.assertIn("has reached its credit limit", note)
        even = self._create_exchange(self.line, self.large, submit=False)
        self.assertNotIn("credit limit", even.exchange_note)
        # It warns, and does no more.
        even.with_user(self.clerk).action_submit()
        self.assertEqual(even.state, 'approved')
