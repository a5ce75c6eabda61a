from odoo import Command
from odoo.tests import tagged

from ..common import SaleReturnCommon


@tagged('post_install', '-at_install')
class TestFlowSeams(SaleReturnCommon):
    """Interactions of the money rules: each is right alone, and they are right together."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        service = {'type': 'service', 'is_storable': False, 'invoice_policy': 'order'}
        cls.discount_product = cls._create_product("Discount", **service)
        cls.freight_product = cls._create_product("Freight", **service)
        cls.company.sudo().sale_discount_product_id = cls.discount_product
        cls.worn, cls.as_new = cls.env['sale.return.grade'].create(
            [
                {'name': name, 'code': name, 'credit_ratio': ratio, 'company_id': cls.company.id}
                for name, ratio in (("Worn", 0.5), ("New", 1.0))
            ]
        )

    def _sell(self, *lines, discount=0.0, shipping=None):
        """Confirm an order with an order-level discount and a shipping charge of 50."""
        order = self._create_order(*lines, confirm=False)
        if shipping:
            if 'is_delivery' not in order.order_line._fields:
                self.skipTest("delivery is not installed")
            self.policy.refund_shipping = shipping
            charge = self._prepare_order_line(self.freight_product, 1, 50.0)
            order.order_line = [Command.create({**charge, 'is_delivery': True})]
        if discount:
            self.env['sale.order.discount'].create(
                {
                    'sale_order_id': order.id,
                    'discount_type': 'so_discount',
                    'discount_percentage': discount,
                }
            ).action_apply_discount()
        order.action_confirm()
        return order

    def _sell_and_invoice(self, *lines, **values):
        order = self._sell(*lines, **values)
        self._deliver(order)
        return order, self._invoice(order)

    def _goods(self, order):
        return order.order_line.filtered(lambda line: line.product_id.is_storable)

    def _receive_lines(self, *wanted):
        """Create and receive a return; `wanted` are `(sale line, quantity, reason, values)`."""
        lines = []
        for sale_line, quantity, reason, values in wanted:
            lines += self._prepare_return_lines(sale_line, quantity, reason, **values)
        sale_return = self.env['sale.return'].create(
            {
                'partner_id': self.customer.id,
                'line_ids': [Command.create(vals) for vals in lines],
            }
        )
        sale_return.action_submit()
        self._receive(sale_return)
        return sale_return

    def _receive_goods(self, order, quantity):
        sale_return = self._create_return(self._goods(order), quantity)
        self._receive(sale_return)
        return sale_return

    def _find(self, line, quantity, grade, disposition='restock'):
        """Inspect a quantity of one line."""
        return line.register_inspection(
            [{'quantity': quantity, 'disposition': disposition, 'grade': grade.id}]
        )

    def _reverse_note(self, note, edit=None):
        wizard = (
            self.env['account.move.reversal']
            .with_context(active_model='account.move', active_ids=note.ids)
            .create({'journal_id': note.journal_id.id})
        )
        move = self.env['account.move'].browse(wizard.refund_moves()['res_id'])
        if edit:
            edit(move)
        move.action_post()
        return move

    def _get_untaxed(self, sale_return):
        return sale_return.credit_note_ids.sorted('id').mapped('amount_untaxed')

    # === CONDITION === #

    def test_condition_counts_once_over_two_invoices(self):
        order = self._create_order()
        for _step in range(2):
            self._deliver(order, 5)
            self._invoice(order)
        sale_return = self._receive_goods(order, 10)
        self._inspect(
            sale_return,
            {'quantity': 5, 'disposition': 'restock', 'grade': self.as_new.id},
            {'quantity': 5, 'disposition': 'restock', 'grade': self.worn.id},
        )
        self.assertEqual(self._get_untaxed(sale_return), [500.0, 250.0])

    def test_condition_of_goods_beside_goods_kept(self):
        self._configure(sale_return_auto_credit=False)
        sale_return = self._create_return(self._create_sale(), 10)
        self._receive(sale_return, 5)
        self._find(sale_return.line_ids, 5, self.worn)
        self._find(sale_return.line_ids, 5, self.as_new, 'keep')
        sale_return.action_create_credit_notes()
        self.assertEqual(self._get_untaxed(sale_return), [750.0])

    def test_condition_is_not_kept_back_twice_after_a_reversal(self):
        sale_return = self._receive_goods(self._create_sale(), 10)
        self._find(sale_return.line_ids, 5, self.as_new)
        self._find(sale_return.line_ids, 5, self.worn)
        self._reverse_note(sale_return.credit_note_ids.sorted('id')[0])
        sale_return.action_create_credit_notes()
        self.assertEqual(self._get_untaxed(sale_return), [500.0, 250.0, 500.0])
        self.assertEqual(sale_return.amount_credited, 907.5)

    def test_condition_follows_the_order_of_inspection(self):
        sale_return = self._receive_goods(self._create_sale(), 5)
        for quantity, grade in ((2, self.as_new), (2, self.worn), (1, self.as_new)):
            self._find(sale_return.line_ids, quantity, grade)
        self.assertEqual(self._get_untaxed(sale_return), [200.0, 100.0, 100.0])

    def test_grade_of_credited_goods_is_corrected_after_their_note_only(self):
        sale_return = self._receive_goods(self._create_sale(), 10)
        row = self._find(sale_return.line_ids, 10, self.worn)
        right = [{'quantity': 10, 'disposition': 'restock', 'grade': self.as_new.id}]
        with self.assert_refused("credited at the condition"):
            row.action_correct("Wrong grade", results=right)
        self._reverse_note(sale_return.credit_note_ids)
        row.action_correct("Wrong grade", results=right)
        sale_return.action_create_credit_notes()
        self.assertEqual(sale_return.amount_credited, 1210.0)

    def test_condition_keeps_back_of_the_price_of_its_own_goods(self):
        """500 off the other product: 10 × 100 found worn have 500 deducted with their own tax."""
        discount = {
            'product': self.discount_product,
            'quantity': 1,
            'price': -500.0,
            'taxes': self.tax_5,
        }
        lines = {}, {'product': self.product_on_order, 'taxes': self.tax_5}, discount
        order, _invoice = self._sell_and_invoice(*lines)
        self._configure(sale_return_auto_credit=False)
        sale_return = self._receive_goods(order, 10)
        self._find(sale_return.line_ids[0], 10, self.worn)
        self._find(sale_return.line_ids[1], 10, self.as_new)
        sale_return.action_create_credit_notes()
        note = sale_return.credit_note_ids
        self.assertEqual((note.amount_untaxed, note.amount_tax), (1000.0, 105.0 + 25.0))

    # === FEES === #

    def test_fixed_fee_of_one_policy_beside_a_percentage_of_another(self):
        self.policy.restocking_fee_percent = 10
        category = self.category.copy({'name': "Fragile"})
        self._create_policy(
            restocking_fee_percent=0,
            restocking_fee_fixed=20,
            product_categ_ids=[Command.set(category.ids)],
        )
        fragile = self._create_product("Vase", categ_id=category.id)
        order = self._create_sale({}, {'product': fragile})
        sale_return = self._create_return(order, 5, reason=self.reason_changed_mind)
        self._receive(sale_return)
        for line in sale_return.line_ids:
            self._find(line, 5, self.as_new)
        self.assertEqual(self._get_untaxed(sale_return), [450.0, 480.0])

    def test_fee_has_the_taxes_of_the_goods_it_is_for(self):
        self.policy.restocking_fee_percent = 10
        order = self._create_sale({}, {'product': self.product_on_order, 'taxes': self.tax_5})
        first, second = order.order_line
        sale_return = self._receive_lines(
            (first, 10, self.reason_changed_mind, {}), (second, 10, self.reason_defective, {})
        )
        sale_return.action_inspect_all('restock')
        note = sale_return.credit_note_ids
        self.assertEqual((note.amount_untaxed, note.amount_tax), (1900.0, 189.0 + 50.0))

    def test_fixed_fee_is_taken_off_the_invoice_with_its_goods(self):
        self.policy.restocking_fee_fixed = 20
        order = self._create_order({}, {'product': self.product_on_order})
        self._deliver(order)
        first, second = order.order_line
        invoice = self._invoice(order, post=False)
        invoice.invoice_line_ids.filtered(lambda l: l.sale_line_ids == second).unlink()
        invoice.action_post()
        self._invoice(order)
        sale_return = self._receive_lines(
            (first, 5, self.reason_defective, {}), (second, 5, self.reason_changed_mind, {})
        )
        sale_return.action_inspect_all('restock')
        self.assertEqual(self._get_untaxed(sale_return), [500.0, 480.0])

    def test_fixed_fee_follows_drafts_that_are_cancelled_or_deleted(self):
        self.policy.write({'credit_posting': 'draft', 'restocking_fee_fixed': 20})
        order, _invoice = self._sell_and_invoice(discount=0.1)
        sale_return = self._return_goods(self._goods(order), 4, reason=self.reason_changed_mind)
        cancelled = sale_return.credit_note_ids
        cancelled.button_cancel()
        self.assertEqual(sale_return.amount_to_credit, 411.4)
        sale_return.action_create_credit_notes()
        (sale_return.credit_note_ids - cancelled).unlink()
        for _step in range(2):
            sale_return.action_create_credit_notes()
        note = sale_return.credit_note_ids - cancelled
        self.assertEqual(note.amount_untaxed, 340.0)
        note.action_post()
        self.assertEqual(sale_return.state, 'closed')

    def test_fee_and_price_correction_between_two_returns(self):
        self.policy.restocking_fee_percent = 10
        order = self._create_sale()
        invoice = order.invoice_ids
        self._return_goods(order.order_line, 4, reason=self.reason_changed_mind)
        self._reverse(invoice, quantity=10, price=5)
        self._return_goods(order.order_line, 6, reason=self.reason_changed_mind)
        notes = self._get_notes(invoice).sorted('id')
        self.assertEqual(notes.mapped('amount_untaxed'), [360.0, 50.0, 495.0])

    # === SHIPPING AND DISCOUNTS === #

    def test_shipping_stays_while_goods_not_invoiced_are_with_the_customer(self):
        order = self._sell(shipping='full_return')
        self._deliver(order, 5)
        self._invoice(order)
        sale_return = self._receive_goods(order, 5)
        self._deliver(order)
        sale_return.action_inspect_all('restock')
        self.assertEqual(self._get_untaxed(sale_return), [500.0])

    def test_shipping_comes_back_with_the_last_goods_though_some_were_not_invoiced(self):
        order = self._sell(shipping='full_return')
        self._deliver(order, 5)
        self._invoice(order)
        self._deliver(order)
        sale_return = self._receive_goods(order, 10)
        for quantity in (7, 3):
            self._find(sale_return.line_ids, quantity, self.as_new)
        self.assertEqual(self._get_untaxed(sale_return), [200.0, 350.0])
        self.assert_nothing_to_invoice(order)

    def test_limit_of_shipping_after_a_reversal(self):
        self.policy.write({'shipping_standard_price': 30, 'regime': 'eu_withdrawal'})
        order, _invoice = self._sell_and_invoice(shipping='always')
        sale_return = self._return_goods(self._goods(order), 10)
        self._reverse_note(sale_return.credit_note_ids)
        sale_return.action_create_credit_notes()
        self.assertEqual(self._get_untaxed(sale_return), [1030.0, 1030.0])

    def test_shipping_and_discount_over_two_invoices_add_up(self):
        order = self._sell(discount=0.1, shipping='always')
        invoices = self.env['account.move']
        for _step in range(2):
            self._deliver(order, 5)
            invoices |= self._invoice(order)
        for quantity in (3, 3, 4):
            self._return_goods(self._goods(order), quantity)
        self.assert_fully_credited(invoices)
        self.assert_nothing_to_invoice(order)

    def test_note_with_discount_and_fee_reversed_in_part(self):
        """Half of 400 - 40 - 36 is billed again: half of it is credited, and credited again."""
        self.policy.restocking_fee_percent = 10
        order, _invoice = self._sell_and_invoice(discount=0.1)
        sale_return = self._return_goods(self._goods(order), 4, reason=self.reason_changed_mind)

        def halve(reversal):
            for line in reversal.invoice_line_ids:
                line['quantity' if line.sale_line_ids else 'price_unit'] /= 2

        self._reverse_note(sale_return.credit_note_ids, halve)
        self.assertEqual((sale_return.amount_credited, sale_return.amount_to_credit), (196.02,) * 2)
        sale_return.action_create_credit_notes()
        self.assertEqual(self._get_untaxed(sale_return), [324.0, 162.0])

    def test_replacement_and_refund_of_one_order_line(self):
        order, invoice = self._sell_and_invoice(discount=0.1)
        line = self._goods(order)
        sale_return = self._receive_lines(
            (line, 4, self.reason_defective, {}),
            (line, 3, self.reason_defective, {'resolution': 'replace'}),
        )
        sale_return.action_inspect_all('restock')
        self._deliver(order)
        self.assertEqual(self._get_untaxed(sale_return), [360.0])
        self._return_goods(line, 6)
        self.assert_fully_credited(invoice)
        self.assert_nothing_to_invoice(order)
        self.assert_ledger_balanced()

    def test_cash_rounding_and_discount_add_up(self):
        order = self._sell({'quantity': 3, 'price': 10.01}, discount=0.07)
        self._deliver(order)
        invoice = self._invoice(order, post=False)
        invoice.invoice_cash_rounding_id = self._create_cash_rounding()
        invoice.action_post()
        for _step in range(3):
            self._return_goods(self._goods(order), 1)
        self.assert_fully_credited(invoice)

    def test_down_payment_and_discount_come_back_in_parts(self):
        order = self._sell(discount=0.1)
        self.env['sale.advance.payment.inv'].create(
            {
                'sale_order_ids': order.ids,
                'advance_payment_method': 'percentage',
                'amount': 30,
            }
        ).create_invoices()
        order.invoice_ids.action_post()
        self._deliver(order)
        final = order._create_invoices(final=True)
        final.action_post()
        for quantity in (3, 7):
            self._return_goods(self._goods(order), quantity)
        notes = self._get_notes(final).sorted('id')
        self.assertEqual(notes.mapped('amount_total'), [326.7, 762.3])
        self.assert_nothing_to_invoice(order)

    def test_goodwill_between_two_returns_with_discount(self):
        order, invoice = self._sell_and_invoice(discount=0.1)
        self._return_goods(self._goods(order), 3)
        reason = self.env['sale.return.reason'].search([('return_class', '=', 'goodwill')], limit=1)
        self.env['sale.return.goodwill.credit']._grant(
            invoice, 63.0, reason, tax_included=False, comment="Sorry"
        )
        for quantity in (4, 3):
            self._return_goods(self._goods(order), quantity)
        notes = self._get_notes(invoice).sorted('id')
        self.assertEqual(notes.mapped('amount_untaxed'), [270.0, 63.0, 324.0, 243.0])
        self.assert_nothing_to_invoice(order)

    def test_dozens_tax_included_and_global_rounding_with_discount(self):
        self._configure(tax_calculation_rounding_method='round_globally')
        taxes = self.tax_20_included
        order, invoice = self._sell_and_invoice(
            {'quantity': 2, 'price': 119.99, 'taxes': taxes, 'product_uom_id': self.dozen.id},
            {'quantity': 3, 'price': 3.33, 'taxes': taxes},
            discount=0.13,
        )
        dozens, units = self._goods(order)
        for line, quantity in ((dozens, 0.25), (dozens, 0.75), (units, 1), (dozens, 1), (units, 2)):
            self._return_goods(line, quantity)
        self.assert_fully_credited(invoice)
        self.assert_nothing_to_invoice(order)
        self.assert_ledger_balanced()

    def test_discount_beyond_its_goods_on_the_first_invoice_is_spread(self):
        """Half off both: the first invoice has both discounts in full, but few cheap goods."""
        order = self._sell(
            {'quantity': 10, 'price': 10.0, 'taxes': self.tax_5},
            {'product': self.product_on_order, 'quantity': 2, 'price': 100.0},
            discount=0.5,
        )
        invoices = self.env['account.move']
        for quantity in (2, 8):
            self._deliver(order, quantity)
            invoices |= self._invoice(order)
        cheap, dear = self._goods(order)
        for line, quantity in ((cheap, 1), (dear, 1), (dear, 1), (cheap, 9)):
            self._return_goods(line, quantity)
        self.assert_fully_credited(invoices)

    def test_shared_note_that_is_reversed_leaves_the_costs_of_both_returns_right(self):
        order, _invoice = self._sell_and_invoice()
        self._configure(sale_return_auto_credit=False)
        returns = self._receive_goods(order, 3) | self._receive_goods(order, 7)
        returns.action_inspect_all('restock')
        returns.action_create_credit_notes()
        self._reverse_note(returns.credit_note_ids)
        returns.action_create_credit_notes()
        self.env['sale.return.reconciliation'].action_refresh()
        rows = self.env['sale.return.reconciliation'].search(
            [('company_id', '=', self.company.id), ('state', '=', 'open')]
        )
        self.assertFalse(rows.mapped('kind'))
        self.assert_ledger_balanced()
