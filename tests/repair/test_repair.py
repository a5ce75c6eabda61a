from unittest import SkipTest

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..common_exchange import ExchangeCommon


@tagged('post_install', '-at_install')
class TestRepair(ExchangeCommon):
    """Goods stay the customer's, are repaired and given back; nothing is credited."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if 'repair.order' not in cls.env:
            raise SkipTest("Repairs are not installed")
        cls._switch_repairs()
        cls.order = cls._create_paid_sale({'product': cls.medium, 'quantity': 3})
        cls.line = cls.order.order_line
        cls.warranty = cls.reason_defective.copy(
            {'name': "Guarantee", 'code': "GUAR", 'return_class': 'warranty'}
        )

    @classmethod
    def _switch_repairs(cls, on=True):
        settings = cls.env['res.config.settings'].sudo().create({'group_sale_return_repair': on})
        settings.execute()

    def _create_repair(self, quantity=1.0, reason=None, line=None):
        line = line or self.line
        sale_return = self.env['sale.return'].create(
            {
                'partner_id': line.order_id.partner_id.id,
                'line_ids': [
                    Command.create(
                        {
                            'sale_line_id': line.id,
                            'qty_requested': quantity,
                            'reason_id': (reason or self.warranty).id,
                            'resolution': 'repair',
                        }
                    )
                ],
            }
        )
        sale_return.with_user(self.clerk).action_submit()
        return sale_return

    def _get_repairs(self, sale_return):
        return self.env['sale.return.repair'].sudo()._get_repairs(sale_return.sudo().line_ids)

    def _repair(self, repair):
        repair.action_validate()
        repair.action_repair_start()
        repair.action_repair_end()

    def _get_value(self, product=None):
        self.env.invalidate_all()
        return (product or self.medium).sudo().with_company(self.company).total_value

    def assert_books_untouched(self, value):
        self.assertEqual(self._get_value(), value)
        self.assert_ledger_balanced()
        self.assertEqual(self._refresh().mapped('kind'), [])

    def test_repaired_goods_go_back_and_books_stay_as_they_are(self):
        """3 sold, 1 comes to be repaired: 2 delivered while it is here, 3 when it is back."""
        value, got_on = self._get_value(), self.line.move_ids.date
        sale_return = self._create_repair()
        self._receive(sale_return)
        quarantine = [('location_id', '=', self.warehouse.sale_return_loc_id.id)]
        quants = self.env['stock.quant'].sudo().search(quarantine)
        quants = quants.filtered(lambda quant: quant.product_id == self.medium and quant.quantity)
        self.assertEqual((quants.owner_id, quants.quantity), (self.customer, 1.0))
        self.assert_books_untouched(value)
        self.assert_sold(self.line, 2, 3)
        repair = self._get_repairs(sale_return)
        self.assertEqual((repair.state, repair.under_warranty), ('draft', True))
        self.assertFalse(repair.sale_order_id)
        self.assertEqual(sale_return.with_user(self.clerk).open_repair_names, repair.name)
        self.assertEqual(sale_return.action_view_repairs()['res_id'], repair.id)
        with self.assert_refused("is not done"):
            sale_return.action_inspect_all('give_back')
        with self.assert_refused("belongs to the customer"):
            sale_return.action_inspect_all('restock')
        self._repair(repair)
        self.assertEqual(repair.state, 'done')
        self.env.invalidate_all()
        self.assertFalse(sale_return.open_repair_names)
        line = sale_return.line_ids
        self.assertEqual((line.qty_accepted, line.qty_rejected, line.qty_credited), (1.0, 0.0, 0.0))
        self.assertEqual(sale_return.state, 'approved')
        delivery = line.move_ids.filtered(lambda move: move.state == 'assigned').picking_id
        self.assertEqual(delivery.move_line_ids.owner_id, self.customer)
        delivery.move_ids.picked = True
        delivery.button_validate()
        self.assertEqual(sale_return.state, 'closed')
        self.assert_sold(self.line, 3, 3)
        self.assert_nothing_to_invoice(self.order)
        self.assertFalse(sale_return.credit_note_ids)
        self.assert_books_untouched(value)
        # The guarantee runs on from the first delivery.
        again = self._create_repair()
        self.assertEqual(again.line_ids.delivered_on, got_on)
        # Repeating the steps adds nothing.
        documents = self._count_documents()
        sale_return._after_step()
        self.assertEqual(self._count_documents(), documents)

    def test_checklist_does_not_keep_repaired_goods(self):
        question = {'name': "Clean?", 'code': 'clean'}
        self.env['sale.return.checklist'].sudo().create(
            {
                'name': "Shirts",
                'company_id': self.company.id,
                'product_categ_id': self.medium.categ_id.id,
                'item_ids': [Command.create(question)],
            }
        )
        sale_return = self._create_repair()
        self._receive(sale_return)
        self._repair(self._get_repairs(sale_return))
        self.assertEqual(sale_return.line_ids.qty_inspected, 1.0)
        self.assertTrue(sale_return.transfer_ids)

    def test_what_no_guarantee_covers_gets_a_quotation(self):
        sale_return = self._create_repair(reason=self.reason_changed_mind)
        self._receive(sale_return)
        repair = self._get_repairs(sale_return)
        self.assertFalse(repair.under_warranty)
        self.assertEqual(repair.sale_order_id.state, 'draft')
        self.assertEqual(repair.sale_order_id.partner_id, self.customer)

    def test_beyond_repair_is_refunded_at_the_value_of_returned_goods(self):
        value = self._get_value()
        sale_return = self._create_repair()
        self._receive(sale_return)
        repair = self._get_repairs(sale_return)
        line = sale_return.line_ids
        with self.assertRaises(AccessError):
            self._call(self.clerk, line, 'action_cannot_repair')
        self._call(self.inspector, line, 'action_cannot_repair')
        self.assertEqual((line.resolution, repair.state), ('refund', 'cancel'))
        self.assertEqual(self._get_value(), value + 60.0)
        self._call(self.inspector, sale_return, 'action_inspect_all', 'restock')
        self.assertEqual(sale_return.credit_note_ids.amount_total, 121.0)
        self.assertEqual(sale_return.credit_note_ids.state, 'posted')
        self.assert_on_hand(self.medium, 998.0, self.stock)
        self.assertEqual(self._get_value(), value + 60.0)
        self.assert_ledger_balanced()
        # All that is left is to pay it.
        self.assertEqual(self._refresh().mapped('kind'), ['credited_not_refunded'])
        with self.assert_refused("is not waiting for a repair"):
            line.action_cannot_repair()

    def test_beyond_repair_at_other_costs(self):
        """10 bought at 10, 1 sold: it comes back as ours with the 10 that it left with."""
        for method in ('average', 'fifo'):
            with self.subTest(method):
                product = self._create_product("Radio", is_storable=False)
                category = self.category.copy({'property_cost_method': method})
                product.write({'is_storable': True, 'categ_id': category.id})
                self._buy(product, 10, 10.0)
                order = self._create_paid_sale({'product': product, 'quantity': 1})
                sale_return = self._create_repair(line=order.order_line)
                self._receive(sale_return)
                self.assertEqual(self._get_value(product), 90.0)
                sale_return.line_ids.action_cannot_repair()
                self.assertEqual(self._get_value(product), 100.0)

    def test_beyond_repair_is_exchanged(self):
        sale_return = self._create_repair()
        self._receive(sale_return)
        line = sale_return.line_ids
        with self.assert_refused("Choose what the customer gets"):
            line.action_cannot_repair('exchange')
        with self.assert_refused("is refunded, replaced or exchanged"):
            line.action_cannot_repair('none')
        self.assertEqual(line.resolution, 'repair')
        line.action_cannot_repair('exchange', self.large.id)
        self.assertEqual(self._get_held(sale_return), {self.large: 1.0})
        sale_return.action_inspect_all('restock')
        self.assertEqual(self._get_money(sale_return), (121.0, 121.0, 0.0, 0.0))
        self._deliver(sale_return.exchange_order_ids)
        self.assert_ledger_balanced()

    def test_beyond_repair_is_replaced(self):
        sale_return = self._create_repair()
        self._receive(sale_return)
        line = sale_return.line_ids
        line.action_cannot_repair('replace')
        sale_return.action_inspect_all('restock')
        deliveries = self.order.picking_ids.filtered(lambda p: p.state not in ('done', 'cancel'))
        self.assertEqual(deliveries.move_ids.product_uom_qty, 1.0)
        self._process(deliveries)
        self.assertEqual((line.qty_replaced, sale_return.state), (1.0, 'closed'))
        self.assertFalse(sale_return.credit_note_ids)
        self.assert_sold(self.line, 3, 3)
        self.assert_nothing_to_invoice(self.order)
        self.assert_books_untouched(self._get_value())

    def test_unrepaired_goods_go_back_when_the_customer_declines(self):
        value = self._get_value()
        sale_return = self._create_repair(reason=self.reason_changed_mind)
        self._receive(sale_return)
        self._get_repairs(sale_return).action_repair_cancel()
        sale_return.action_inspect_all('send_back')
        self.assertEqual(sale_return.line_ids.qty_rejected, 1.0)
        self.assert_books_untouched(value)

    def test_what_cannot_be_repaired_is_refused_with_a_sentence(self):
        order = self._create_sale({'product': self.service, 'quantity': 1})
        with self.assert_refused("cannot be repaired"):
            self._create_repair(line=order.order_line)
        refund = self._create_return(self.line, 1.0)
        self._receive(refund)
        way = self.env.ref('sale_return.disposition_give_back')
        with self.assert_refused("was not to be repaired"):
            refund.line_ids.register_inspection([{'quantity': 1, 'disposition': way.id}])

    def test_switch(self):
        sale_return = self._create_repair()
        with self.assertRaises(UserError):
            self._switch_repairs(False)
        sale_return.action_cancel()
        self._switch_repairs(False)
        self.assertFalse(self.env.ref('sale_return.disposition_give_back').active)
        with self.assert_refused("Repairs are switched off"):
            self._create_repair()
        wishes = self.env['sale.return.line'].fields_get(['resolution'])['resolution']['selection']
        self.assertNotIn('repair', dict(wishes))
        offer = self.env['sale.return.portal.offer'].sudo()
        self.assertNotIn('repair', dict(offer._get_resolutions(self.line.sudo())))
        self._switch_repairs()
        self.assertIn('repair', dict(offer._get_resolutions(self.line.sudo())))

    def test_desk_receives_and_asks_for_no_result(self):
        sale_return = self._create_repair()
        facts = self.env['sale.return.bench.facts'].sudo()._read(sale_return.sudo())
        self.assertIn("To be repaired", facts[sale_return.id]['remark'])
        self.assertFalse(facts[sale_return.id]['lines'][0]['needs_inspection'])
