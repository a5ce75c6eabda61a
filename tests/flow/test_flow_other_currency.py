from odoo.tests import tagged

from ..common import SaleReturnCommon


@tagged('post_install', '-at_install')
class TestFlowOtherCurrency(SaleReturnCommon):
    """Invoices in another currency that are credited in parts, while rates change."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_policy(release_event='approval')
        cls.discount_product = cls._create_product(
            "Discount", type='service', is_storable=False, invoice_policy='order'
        )

    def _sell(self, code='EUR', rounding=0.01, *lines):
        """Sell at 2.0 per unit of the company's currency; the rate is 4.0 afterwards."""
        pricelist = self._setup_currency(code, rounding=rounding)
        order = self._create_sale(*(lines or [{}]), pricelist_id=pricelist.id)
        self._set_rate(pricelist.currency_id, self._today(), 4.0)
        return order

    def _credit(self, order, *quantities):
        """Return a part of the goods of an order several times; return the notes."""
        goods = order.order_line[0]
        returns = [self._create_return(goods, quantity) for quantity in quantities]
        return [sale_return.credit_note_ids for sale_return in returns]

    def _get_booked(self, notes):
        """Return what notes book in the currency of the company: untaxed, and each tax."""
        return [
            (
                self.currency.round(-note.amount_untaxed_signed),
                self.currency.round(note.amount_untaxed_signed - note.amount_total_signed),
            )
            for note in notes
        ]

    def test_each_part_is_booked_at_the_rate_of_its_day(self):
        """1000 + 210 EUR at 2.0; 500, 200 and 300 of them come back at 4.0."""
        self._configure(sale_return_rate='day')
        order = self._sell()
        notes = self._credit(order, 5, 2, 3)
        self.assertEqual(self._get_booked(notes), [(125.0, 26.25), (50.0, 10.5), (75.0, 15.75)])
        self.assertEqual(order.invoice_ids.mapped('amount_residual'), [0.0] * 4)

    def test_fees_and_discounts_are_booked_at_the_rate_of_the_day_too(self):
        """Half of 1000 - 100 EUR less 10 %: 500 - 50 - 45 EUR at 4.0, twice."""
        self._configure(sale_return_rate='day')
        self.env['sale.return.policy'].search([('company_id', '=', self.company.id)]).write(
            {'restocking_fee_percent': 10}
        )
        discount = {'product': self.discount_product, 'quantity': 1, 'price': -100.0}
        order = self._sell('EUR', 0.01, {}, discount)
        returns = [
            self._create_return(order.order_line[0], 5, reason=self.reason_changed_mind)
            for _half in range(2)
        ]
        notes = [sale_return.credit_note_ids for sale_return in returns]
        self.assertEqual(self._get_booked(notes), [(101.25, 21.26)] * 2)

    def test_note_by_hand_at_another_rate_does_not_change_that_of_the_next_ones(self):
        """100 of 1000 EUR are corrected by hand at 4.0; the other 900 are credited at 2.0."""
        order = self._sell()
        self._reverse(order.invoice_ids, quantity=10, price=10)
        notes = self._credit(order, 4, 6)
        self.assertEqual(self._get_booked(notes), [(180.0, 37.8), (270.0, 56.7)])

    def test_yen_that_are_rounded_leave_no_exchange_but_a_cent_per_line(self):
        """A yen is worth half of a unit of the company's currency."""
        taxes = self.tax_20_included
        order = self._sell(
            'JPY',
            1.0,
            {
                'quantity': 2,
                'price': 777.777,
                'taxes': taxes,
                'product_uom_id': self.dozen.id,
            },
            {'product': self.discount_product, 'quantity': 1, 'price': -99.999, 'taxes': taxes},
        )
        invoice = order.invoice_ids
        notes = self._credit(order, 0.08, 0.42, 0.25, 0.75, 0.5)
        self.assertEqual(len(notes), 5)
        self.assert_fully_credited(invoice)
        exchange = self.env['account.move'].search(
            [('journal_id', '=', self.company.currency_exchange_journal_id.id)]
        )
        for move in exchange:
            # Goods, discount and the tax of each.
            self.assertLessEqual(sum(abs(line.balance) for line in move.line_ids) / 2, 0.04)
