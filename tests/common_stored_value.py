from unittest import SkipTest

from odoo import Command

from .common import SaleReturnCommon


class StoredValueCommon(SaleReturnCommon):
    """Orders paid by gift cards, wallets and points, or loading them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if 'loyalty.program' not in cls.env:
            raise SkipTest("sale_loyalty is not installed")
        # sudo: programs are set up by sales managers of the whole database.
        cls.programs = cls.env['loyalty.program'].sudo()
        cls.programs.search([]).active = False

    @classmethod
    def _create_program(cls, program_type, rules=(), **reward):
        nominative = program_type in ('loyalty', 'ewallet')
        return cls.programs.create(
            {
                'name': program_type,
                'program_type': program_type,
                'trigger': 'auto',
                'applies_on': 'both' if program_type == 'loyalty' else 'future',
                'company_id': cls.company.id,
                'portal_visible': nominative,
                'rule_ids': [Command.clear(), *(Command.create(rule) for rule in rules)],
                'reward_ids': [
                    Command.clear(),
                    Command.create(
                        {
                            'reward_type': 'discount',
                            'discount_mode': 'per_point',
                            'discount': 1,
                            'discount_applicability': 'order',
                            'required_points': 1,
                            **reward,
                        }
                    ),
                ],
            }
        )

    @classmethod
    def _create_card(cls, program_type, points, **reward):
        program = cls._create_program(program_type, **reward)
        owner = cls.customer if program_type in ('loyalty', 'ewallet') else cls.customer.browse()
        return (
            cls.env['loyalty.card']
            .sudo()
            .create({'program_id': program.id, 'partner_id': owner.id, 'points': points})
        )

    @classmethod
    def _pay_with(cls, order, *cards):
        """Use cards on a quotation, as the dialog of rewards does."""
        for card in cards:
            order.applied_coupon_ids += card
            error = order._apply_program_reward(card.program_id.reward_ids[:1], card)
            if error:
                raise AssertionError(error)

    @classmethod
    def _order_with(cls, cards, *lines, **values):
        order = cls._create_order(*lines, confirm=False, **values)
        cls._pay_with(order, *cards)
        order.action_confirm()
        return order

    @classmethod
    def _sell_with(cls, cards, *lines, **values):
        """Sell goods paid by cards, deliver and invoice them."""
        order = cls._order_with(cards, *lines, **values)
        cls._deliver(order)
        return order, cls._invoice(order)

    def _goods(self, order):
        return order.order_line.filtered(lambda line: line.product_id.is_storable)

    def _get_totals(self, invoice):
        return self._get_notes(invoice).sorted('id').mapped('amount_total')
