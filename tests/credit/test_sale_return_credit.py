import random

from freezegun import freeze_time

from odoo import Command
from odoo.tests import tagged

from ..common_credit import CreditCommon


@tagged('post_install', '-at_install')
class TestCreditExactness(CreditCommon):
    """I3: crediting everything in any number of steps gives back exactly the invoice."""

    def test_three_thirds_with_tax_excluded(self):
        self._assert_exact([1, 1, 1], {'price': 10.01})

    def test_three_thirds_with_tax_included(self):
        self._assert_exact([1, 1, 1], {'price': 9.99, 'taxes': self.tax_20_included})

    def test_two_taxes_on_a_line(self):
        self._assert_exact([2, 5], {'price': 3.33, 'taxes': self.tax_21 + self.tax_5})

    def test_a_group_of_taxes(self):
        self._assert_exact([1, 3, 3], {'price': 3.33, 'taxes': self.tax_group})

    def test_tax_on_two_accounts(self):
        accounts = self.env['account.account'].create(
            [
                {'name': f"Tax {code}", 'code': code, 'account_type': 'liability_current'}
                for code in ('TAXA', 'TAXB')
            ]
        )
        parts = [Command.clear(), Command.create({'repartition_type': 'base'})] + [
            Command.create(
                {'repartition_type': 'tax', 'factor_percent': 50, 'account_id': account.id}
            )
            for account in accounts
        ]
        tax = self._create_tax(
            "21% on two accounts",
            21.0,
            invoice_repartition_line_ids=parts,
            refund_repartition_line_ids=parts,
        )
        self._assert_exact([1, 1, 1], {'price': 33.37, 'taxes': tax})
        self._assert_exact([2, 5], {'price': 3.33, 'taxes': tax}, {'price': 0.07, 'taxes': tax})

    def test_untaxed_line_whose_price_does_not_divide(self):
        self._assert_exact([1, 2, 4], {'price': 10 / 7, 'taxes': self.env['account.tax']})

    def test_price_with_more_decimals_than_the_currency(self):
        self._assert_exact([1, 2, 4], {'price': 10 / 7})

    def test_any_order_of_the_parts(self):
        for quantities in ([5, 1, 1], [1, 5, 1], [1, 1, 5]):
            self._assert_exact(quantities, {'price': 14.29, 'discount': 7.5})

    def test_discount_that_does_not_divide(self):
        self._assert_exact([1, 1, 1], {'price': 19.99, 'discount': 33.33})

    def test_full_discount_gives_nothing(self):
        self._assert_exact([1, 2], {'price': 19.99, 'discount': 100})

    def test_several_lines_with_the_same_tax(self):
        self._assert_exact([2, 1], {'price': 0.03}, {'price': 10.01}, {'price': 33.33})

    def test_global_rounding(self):
        self._configure(tax_calculation_rounding_method='round_globally')
        self._assert_exact([1, 1, 1], {'price': 10.01}, {'price': 0.07}, {'price': 33.33})

    def test_global_rounding_with_tax_included_and_discount(self):
        self._configure(tax_calculation_rounding_method='round_globally')
        self._assert_exact(
            [1, 1, 1],
            {'price': 9.99, 'taxes': self.tax_20_included, 'discount': 12.5},
            {'price': 0.49, 'taxes': self.tax_20_included},
        )

    def test_currency_without_decimals(self):
        yen = self._setup_currency('JPY')
        self._assert_exact([1, 1, 5], {'price': 333, 'discount': 10}, pricelist_id=yen.id)

    def test_currency_with_three_decimals(self):
        dinar = self._setup_currency('KWD')
        self._assert_exact([1, 1, 5], {'price': 1.111}, pricelist_id=dinar.id)

    def test_fractions_of_a_unit(self):
        kilogram = self.env.ref('uom.product_uom_kgm')
        cheese = self._create_product("Cheese", uom_id=kilogram.id)
        self._assert_exact([0.35, 0.4, 0.5], {'product': cheese, 'price': 13.37})

    def test_random_trade(self):
        """Random prices, taxes, discounts, currencies, rounding and parts; the same every time."""
        rng = random.Random(19)
        taxes = (
            self.env['account.tax'],
            self.tax_21,
            self.tax_20_included,
            self.tax_21 + self.tax_5,
            self.tax_group,
        )
        pricelists = [self._setup_currency(code) for code in ('EUR', 'JPY', 'KWD')]
        for case in range(5):
            with self.subTest(case=case):
                self._configure(
                    tax_calculation_rounding_method=rng.choice(('round_per_line', 'round_globally'))
                )
                parts = [rng.randint(1, 6) for _part in range(rng.randint(2, 3))]
                lines = [
                    {
                        'price': round(rng.uniform(0.01, 99.99), rng.choice((0, 2, 5))) or 1.0,
                        'taxes': rng.choice(taxes),
                        'discount': rng.choice((0, 0, 5, 12.5, 33.33)),
                    }
                    for _line in range(rng.randint(1, 2))
                ]
                values = rng.choice([{}, {'pricelist_id': rng.choice(pricelists).id}])
                self._assert_exact(parts, *lines, **values)


@tagged('post_install', '-at_install')
class TestCreditNote(CreditCommon):
    """What a note looks like, and how many there are."""

    ready_sales = 1

    def test_note_repeats_the_invoice_line(self):
        analytic = self._create_analytic_account()
        order = self._create_sale(
            {'price': 50, 'discount': 10, 'analytic_distribution': {str(analytic.id): 100}}
        )
        line = order.invoice_ids.invoice_line_ids
        note_line = self._create_return(order, 4).credit_note_ids.invoice_line_ids
        for name in (
            'product_id',
            'product_uom_id',
            'price_unit',
            'discount',
            'tax_ids',
            'account_id',
            'analytic_distribution',
            'sale_line_ids',
            'name',
        ):
            self.assertEqual(note_line[name], line[name], name)
        self.assertEqual(note_line.quantity, 4)
        self.assertEqual(note_line.credited_line_id, line)

    def _create_analytic_account(self):
        plan = self.env['account.analytic.plan'].sudo().create({'name': "Projects"})
        return (
            self.env['account.analytic.account']
            .sudo()
            .create({'name': "Fair", 'plan_id': plan.id, 'company_id': self.company.id})
        )

    def test_note_names_its_invoice_and_nothing_else(self):
        order = self._create_sale()
        invoice = order.invoice_ids
        note = self._create_return(order, 4).credit_note_ids
        self.assertEqual(note.ref, invoice.name)
        self.assertEqual(note.reversed_entry_id, invoice)
        self.assertEqual(note.journal_id, invoice.journal_id)
        self.assertEqual(note.move_type, 'out_refund')
        self.assertEqual(note.state, 'posted')
        self.assertEqual(note.invoice_line_ids.sale_return_line_id.order_id, order)

    def test_note_goes_to_the_customer_of_the_invoice(self):
        head_office = self._create_customer("Head Office")
        branch = self._create_customer("Branch", parent_id=head_office.id)
        order = self._create_sale(partner_id=branch.id, partner_invoice_id=head_office.id)
        note = self._create_return(order, 4).credit_note_ids
        self.assertEqual(note.partner_id, head_office)
        self.assertEqual(note.partner_shipping_id, order.invoice_ids[:1].partner_shipping_id)

    def test_note_lowers_what_the_customer_owes(self):
        order = self._create_sale()
        invoice = order.invoice_ids
        note = self._create_return(order, 4).credit_note_ids
        self.assertEqual(invoice.amount_residual, 726.0)
        self.assertEqual(invoice.payment_state, 'partial')
        self.assertEqual(note.payment_state, 'paid')

    def test_note_of_a_paid_invoice_stays_open_for_the_customer(self):
        order = self._create_sale()
        self._pay_back(order.invoice_ids)
        sale_return = self._create_return(order, 4)
        note = sale_return.credit_note_ids
        self.assertEqual(note.amount_residual, 484.0)
        self.assertEqual(sale_return.amount_credited, 484.0)
        self.assertEqual(sale_return.amount_refunded, 0.0)

    def test_money_paid_back_is_counted(self):
        order = self._create_sale()
        self._pay_back(order.invoice_ids)
        sale_return = self._create_return(order, 4)
        self._pay_back(sale_return.credit_note_ids)
        self.assertEqual(sale_return.amount_refunded, 484.0)

    def test_one_note_for_all_lines_of_an_invoice(self):
        order = self._create_sale({}, {'product': self.product_on_order, 'price': 7})
        note = self._create_return(order, 2).credit_note_ids
        self.assertEqual(len(note), 1)
        self.assertEqual(note.amount_untaxed, 214.0)

    def test_only_the_returned_order_of_a_joint_invoice_is_credited(self):
        orders = self._create_order() + self._create_order({'price': 55})
        for order in orders:
            self._deliver(order)
        invoice = self._invoice(orders)
        self.assertEqual(len(invoice), 1)
        note = self._create_return(orders[1], 2).credit_note_ids
        self.assertEqual(note.reversed_entry_id, invoice)
        self.assertEqual(note.amount_untaxed, 110.0)
        self.assertEqual(note.invoice_line_ids.sale_line_ids, orders[1].order_line)

    def test_one_note_for_two_orders_on_a_joint_invoice(self):
        orders = self._create_order() + self._create_order({'price': 55})
        for order in orders:
            self._deliver(order)
        self._invoice(orders)
        sale_return = self._create_return(orders.order_line, 2)
        self.assertEqual(len(sale_return.credit_note_ids), 1)
        self.assertEqual(sale_return.credit_note_ids.amount_untaxed, 310.0)

    def test_two_returns_of_one_invoice_get_a_note_each(self):
        order = self._create_sale()
        returns = self._create_return(order, 2) + self._create_return(order, 3)
        self.assertEqual(len(returns.credit_note_ids), 2)
        self.assertEqual(order.invoice_ids.filtered('amount_residual').amount_residual, 605.0)

    def test_oldest_invoice_is_credited_first(self):
        order = self._create_order()
        self._deliver(order, 4)
        first = self._invoice(order)
        self._deliver(order)
        second = self._invoice(order)
        notes = self._create_return(order, 7).credit_note_ids
        quantities = {note.reversed_entry_id: note.invoice_line_ids.quantity for note in notes}
        self.assertEqual(quantities, {first: 4, second: 3})
        self._create_return(order, 3)
        self.assert_fully_credited(first + second)

    def test_batch_of_returns_credits_each_from_its_own_invoice(self):
        self._configure(sale_return_auto_credit=False)
        orders = self._create_sale() + self._create_sale({'price': 55})
        returns = self._create_return(orders[0], 2) + self._create_return(orders[1], 3)
        notes = returns.action_create_credit_notes()
        self.assertEqual(sorted(notes.mapped('amount_untaxed')), [165.0, 200.0])
        for sale_return, order in zip(returns, orders, strict=True):
            self.assertEqual(
                sale_return.credit_note_ids.reversed_entry_id.invoice_line_ids.sale_line_ids,
                order.order_line,
            )

    def test_residuals_are_right_when_two_returns_of_one_invoice_are_credited_together(self):
        """Odoo itself mixes up the invoices of notes that are posted together."""
        self._configure(sale_return_auto_credit=False)
        orders = self._create_sale() + self._create_sale()
        returns = self._create_return(orders[0], 2) + self._create_return(orders[0], 3)
        returns += self._create_return(orders[1], 4)
        invoices = orders.invoice_ids
        returns.action_create_credit_notes()
        first, second = (
            invoices.filtered(lambda m, o=order: o.order_line in m.line_ids.sale_line_ids)
            for order in orders
        )
        self.assertEqual((first.amount_residual, second.amount_residual), (605.0, 726.0))

    def test_note_in_dozens(self):
        self._assert_exact([0.5, 1.5], {'product_uom_id': self.dozen.id, 'price': 10.01})

    def test_half_a_dozen_is_credited_as_half_a_dozen(self):
        order = self._create_sale({'quantity': 2, 'product_uom_id': self.dozen.id, 'price': 120})
        sale_return = self._create_return(order, 0.5)
        note_line = sale_return.credit_note_ids.invoice_line_ids
        self.assertEqual((note_line.quantity, note_line.product_uom_id), (0.5, self.dozen))
        self.assertEqual(note_line.price_subtotal, 60.0)
        self.assertEqual(sum(sale_return.picking_ids.move_ids.mapped('product_qty')), 6)

    def test_rate_of_the_invoice_is_used_without_exchange_difference(self):
        euro = self._setup_currency('EUR')
        order = self._create_sale(pricelist_id=euro.id)
        invoice = order.invoice_ids
        self._set_rate(euro.currency_id, self._today(), 4.0)
        note = self._create_return(order, 10).credit_note_ids
        self.assertEqual(note.currency_id, euro.currency_id)
        self.assertEqual(note.invoice_currency_rate, 2.0)
        self.assert_fully_credited(invoice)
        differences = self.env['account.move'].search(
            [('journal_id', '=', self.company.currency_exchange_journal_id.id)]
        )
        self.assertFalse(differences)

    @freeze_time('2026-03-05 10:00:00')
    def test_note_is_of_today_at_the_rate_of_the_invoice(self):
        euro = self._setup_currency('EUR')
        with freeze_time('2026-01-10 10:00:00'):
            order = self._create_sale(pricelist_id=euro.id)
        self._set_rate(euro.currency_id, '2026-03-01', 4.0)
        invoice = order.invoice_ids
        self.policy.window_days = 0
        sale_return = self._create_return(order, 10)
        note = sale_return.credit_note_ids
        self.assertEqual(str(note.invoice_date), '2026-03-05')
        self.assertEqual(str(sale_return.line_ids.delivered_on), '2026-01-10 10:00:00')
        self.assertEqual(note.invoice_currency_rate, 2.0)
        self.assert_fully_credited(invoice)

    @freeze_time('2026-03-05 10:00:00')
    def test_closed_period_of_the_invoice_does_not_matter(self):
        with freeze_time('2026-01-10 10:00:00'):
            order = self._create_sale({})
        self._configure(sale_lock_date='2026-01-31')
        self.policy.window_days = 0
        note = self._create_return(order, 10).credit_note_ids
        self.assertEqual((note.state, str(note.date)), ('posted', '2026-03-05'))

    def test_tax_that_is_included_in_the_price_since_changes_no_credit(self):
        """400 + 84 were booked, whatever the tax says today: 121 a piece, all bases included."""
        order = self._create_sale({'quantity': 4})
        invoice = order.invoice_ids
        self.tax_21.price_include_override = 'tax_included'
        for quantity, total in ((1, 121), (3, 363)):
            note = self._return_goods(order, quantity).credit_note_ids
            self.assertEqual(note.amount_total, total)
            tax = note.line_ids.filtered('tax_line_id')
            self.assertEqual(tax.tax_base_amount, 100 * quantity)
        self.assert_fully_credited(invoice)

    def test_note_that_completes_an_invoice_takes_its_cash_rounding(self):
        order = self._create_order({'quantity': 3, 'price': 10.01})
        self._deliver(order)
        invoice = self._invoice(order, post=False)
        invoice.invoice_cash_rounding_id = self._create_cash_rounding()
        invoice.action_post()
        self.assertEqual(invoice.amount_total, 36.35)
        self._credit(order, 1, 2)
        self.assertAlmostEqual(sum(self._get_notes(invoice).mapped('amount_total')), 36.35)
        self.assertEqual(invoice.amount_residual, 0.0)

    def test_changed_price_on_the_order_does_not_change_the_credit(self):
        order = self._create_sale()
        order.order_line.price_unit = 120
        note = self._create_return(order, 2).credit_note_ids
        self.assertEqual(note.amount_untaxed, 200.0)

    def test_amounts_of_returns_in_two_currencies_are_in_that_of_the_company(self):
        euro = self._setup_currency('EUR')
        orders = self._create_sale() + self._create_sale(pricelist_id=euro.id)
        sale_return = self._create_return(orders.order_line, 1)
        self.assertEqual(sale_return.currency_id, self.currency)
        self.assertEqual(sale_return.amount_credited, 121.0 + 60.5)
