from odoo import Command
from odoo.tests import tagged

from ..common_exchange import ExchangeCommon


@tagged('post_install', '-at_install')
class TestExchangeTerms(ExchangeCommon):
    """What managers change of an exchange after it was agreed, and what it gives away."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_paid_sale({'product': cls.medium, 'quantity': 4})
        roles = ('sale_return.group_manager', 'sales_team.group_sale_manager')
        cls.boss = cls._create_user('terms_boss', *roles)
        cls.second_boss = cls._create_user('terms_second_boss', *roles)
        cls.biller = cls._create_user(
            'terms_biller', 'base.group_user', 'account.group_account_invoice'
        )

    def _ask(self, quantity=1.0):
        """Return a requested exchange and its quotation."""
        sale_return = self._create_exchange(self.order.order_line, self.large, quantity)
        return sale_return, sale_return.exchange_order_ids

    def _get_given_away(self, sale_return):
        rows = self.env['sale.return.unbacked'].search([('return_id', '=', sale_return.id)])
        return round(sum(rows.mapped('amount')), 2)

    def _bill(self, invoice, price):
        """Reset the invoice of an exchange, and change its price."""
        self._call(self.biller, invoice, 'button_draft')
        line = [Command.update(invoice.invoice_line_ids.id, {'price_unit': price})]
        self._call(self.biller, invoice, 'write', {'invoice_line_ids': line})

    def _discount(self, percent):
        """Create a pricelist that shows a discount on the shirt."""
        self.env.ref('base.group_user').sudo()._apply_group(
            self.env.ref('sale.group_discount_per_so_line').sudo()
        )
        return self.env['product.pricelist'].create(
            {
                'name': f"{percent} %",
                'company_id': self.company.id,
                'item_ids': [
                    Command.create(
                        {
                            'compute_price': 'percentage',
                            'percent_price': percent,
                            'applied_on': '3_global',
                        }
                    )
                ],
            }
        )

    def test_update_prices_counts_what_it_gives_away_once(self):
        sale_return, quotation = self._ask()
        self._call(self.boss, quotation, 'write', {'pricelist_id': self._discount(20.0).id})
        self.assertEqual(self._get_given_away(sale_return), 0.0)
        for _time in range(2):
            self._call(self.boss, quotation, 'action_update_prices')
            line = quotation.order_line
            self.assertEqual((line.price_unit, line.discount, line.price_total), (100, 20, 96.8))
            self.assertEqual(self._get_given_away(sale_return), 24.2)

    def test_price_that_is_raised_again_gives_nothing_away(self):
        sale_return, quotation = self._ask()
        for price, given_away in ((60.0, 48.4), (80.0, 24.2), (100.0, 0.0), (50.0, 60.5)):
            self._call(self.boss, quotation.order_line, 'write', {'price_unit': price})
            with self.subTest(price):
                self.assertEqual(self._get_given_away(sale_return), given_away)
        # Above what was asked for, nothing is given away either.
        for price in (150.0, 100.0):
            self._call(self.boss, quotation.order_line, 'write', {'price_unit': price})
            self.assertEqual(self._get_given_away(sale_return), 0.0)

    def test_who_lowered_a_price_last_gets_their_budget_back_first(self):
        sale_return, quotation = self._ask()
        steps = (
            (self.boss, 90.0, (12.1, 0.0)),
            (self.second_boss, 70.0, (12.1, 24.2)),
            (self.boss, 60.0, (24.2, 24.2)),
            (self.boss, 80.0, (12.1, 12.1)),
            (self.second_boss, 75.0, (12.1, 18.15)),
            (self.boss, 90.0, (12.1, 0.0)),
            (self.boss, 120.0, (0.0, 0.0)),
        )
        for user, price, expected in steps:
            self._call(user, quotation.order_line, 'write', {'price_unit': price})
            rows = self.env['sale.return.unbacked'].sudo()
            rows = rows.search([('return_id', '=', sale_return.id)])
            with self.subTest(price=price):
                for person, amount in zip((self.boss, self.second_boss), expected, strict=True):
                    given = sum(rows.filtered(lambda r, u=person: r.user_id == u).mapped('amount'))
                    self.assertEqual(round(given, 2), amount, person.login)

    def test_other_currency_gives_away_what_it_is_worth_less(self):
        sale_return, quotation = self._ask()
        self._call(self.boss, quotation, 'write', {'pricelist_id': self._setup_currency('CHF').id})
        self.assertEqual(quotation.currency_id.name, 'CHF')
        self.assertEqual(self._get_given_away(sale_return), 60.5)

    def test_quantity_that_is_raised_again_is_billed_and_shipped_once(self):
        sale_return, quotation = self._ask(2.0)
        for quantity in (1.0, 2.0):
            self._call(self.boss, quotation.order_line, 'write', {'product_uom_qty': quantity})
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        for quantity in (1.0, 2.0):
            self._call(self.boss, quotation.order_line, 'write', {'product_uom_qty': quantity})
        self.assertEqual(self._get_money(sale_return), (242.0, 242.0, 0.0, 0.0))
        self.assertEqual(self._get_given_away(sale_return), 0.0)
        self.assertEqual(quotation.picking_ids.move_ids.mapped('product_uom_qty'), [2.0])
        self.assertFalse(self._refresh())

    def test_price_that_is_lowered_after_billing_counts_once(self):
        """First in the order, then in its invoice."""
        sale_return = self._exchange_goods(self.order.order_line, self.large, 2)
        order = sale_return.exchange_order_ids
        self._call(self.boss, order.order_line, 'write', {'price_unit': 1.0})
        self._bill(order.invoice_ids, 1.0)
        self._call(self.biller, order.invoice_ids, 'action_post')
        self.assertEqual(self._get_given_away(sale_return), 239.58)
        self.assertEqual(self._get_money(sale_return), (242.0, 2.42, 239.58, 0.0))

    def test_refund_that_names_the_exchange_by_its_lines_is_a_row(self):
        sale_return = self._exchange_goods(self.order.order_line, self.large, 2)
        exchange = sale_return.exchange_order_ids
        refund = {
            'name': "Something",
            'price_unit': 50.0,
            'tax_ids': [Command.clear()],
            'sale_line_ids': [Command.set(exchange.order_line.ids)],
        }
        vals = {'move_type': 'out_refund', 'partner_id': self.customer.id}
        vals['invoice_line_ids'] = [Command.create(refund)]
        # Past every check, as by a job.
        self.env['account.move'].sudo().create(vals).action_post()
        self.assertTrue(sale_return.credit_note_ids[0]._is_exchange_pending())
        self.assert_row(self._refresh(), 'exchange_difference', amount_difference=50.0)

    def test_biller_pays_back_what_an_approver_has_granted(self):
        sale_return = self._exchange_goods(self.order.order_line, self.large, 2)
        granter = self._create_user(
            'terms_granter', 'account.group_account_invoice', 'sale_return.group_approver'
        )
        invoice, note = sale_return.exchange_order_ids.invoice_ids, sale_return.credit_note_ids
        self._bill(invoice, 1.0)
        self._call(granter, invoice, 'action_post')
        self.assertEqual(self._get_given_away(sale_return), 239.58)
        # Who pays need not see the list of what was granted.
        self.assertFalse(note.with_user(self.clerk)._is_exchange_pending())
        wizard = (
            self.env['account.payment.register']
            .with_user(self.biller)
            .with_context(active_model='account.move', active_ids=note.ids)
            .create({'journal_id': self.bank.id})
        )
        self._call(self.biller, wizard, 'action_create_payments')
        self.assertEqual(note.amount_residual, 0.0)

    def test_credit_that_is_matched_elsewhere_names_who_did_it_and_the_way_out(self):
        sale_return = self._exchange_goods(self.order.order_line, self.large)
        note, invoice = sale_return.credit_note_ids, sale_return.exchange_order_ids.invoice_ids
        self._bill(invoice, 1.0)
        other = self._create_sale({'product': self.medium, 'quantity': 1}).invoice_ids
        terms = (note | other).line_ids.filtered(lambda line: line.display_type == 'payment_term')
        self._call(self.biller, terms, 'reconcile')
        row = self.assert_row(self._refresh(), 'exchange_difference', amount_difference=121.0)
        self.assertIn(f"{self.biller.name} matched credit note {note.name} with", row.explanation)
        # As the sentence says.
        self._call(self.biller, terms, 'remove_move_reconcile')
        self._call(self.biller, invoice, 'button_cancel')
        again = sale_return.exchange_order_ids.invoice_ids - invoice
        self.assertEqual((again.amount_total, again.amount_residual), (121.0, 0.0))
        self.assertEqual((note.amount_residual, other.amount_residual), (0.0, 121.0))
        self.assertFalse(self._refresh())
