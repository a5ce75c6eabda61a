from odoo.tests import tagged

from ..common_stored_value import StoredValueCommon
from .test_credit_properties import DiscountsCommon, discounted_sales, note, st


@tagged('post_install', '-at_install')
class TestStoredValueProperties(StoredValueCommon, DiscountsCommon):
    """With any card payments, money and cards get back exactly their parts."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.gift_program = cls._create_program('gift_card')
        cls.wallet_program = cls._create_program('ewallet')

    def _create_cards(self, order, shares):
        """Create cards that pay these shares of the total of an order."""
        cards = self.env['loyalty.card'].sudo()
        rate = order.currency_id._get_conversion_rate(
            order.currency_id, self.currency, self.company
        )
        for program, share in zip((self.gift_program, self.wallet_program), shares, strict=False):
            points = self.currency.round(order.amount_total * share * rate)
            owner = self.customer if program == self.wallet_program else self.customer.browse()
            cards |= cards.create(
                {'program_id': program.id, 'partner_id': owner.id, 'points': points}
            )
        return cards.filtered('points')

    def _assert_cards_exact(self, example):
        sale, shares = example
        self._configure(tax_calculation_rounding_method=sale['rounding'])
        order = self._create_order(
            *[
                {
                    'quantity': line['quantity'],
                    'price': line['price'],
                    'discount': line['discount'],
                    'taxes': self.tax_choices[line['taxes']],
                }
                for line in sale['lines']
            ],
            confirm=False,
            pricelist_id=self.pricelists[sale['currency']].id,
        )
        cards = self._create_cards(order, shares)
        before = {card: card.points for card in cards}
        if not all(points >= 1 for points in before.values()):
            return
        self._pay_with(order, *cards)
        order.action_confirm()
        self._deliver(order)
        invoice = self._invoice(order)
        note(f"invoice {invoice.amount_total}, cards {before}")
        self._assert_parts_exact(sale, order, invoice)
        self.assertEqual({card: round(card.points, 2) for card in cards}, before)

    def test_money_and_cards_get_their_parts_back(self):
        shares = st.sampled_from([[1.0], [2.0], [0.3], [0.999], [0.3, 0.4], [0.5, 2.0]])
        self._check(6, st.tuples(discounted_sales(), shares), self._assert_cards_exact)
