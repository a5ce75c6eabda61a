from odoo import Command
from odoo.tests import tagged

from ..common import SaleReturnCommon

LEAN = "no loyalty programs"


@tagged('post_install', '-at_install')
class TestLoyalty(SaleReturnCommon):
    """Points given for goods that come back are taken back, and never silently below zero."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.card = False
        if 'loyalty.program' not in cls.env:
            return
        # sudo: programs are set up by sales managers of the whole database.
        programs = cls.env['loyalty.program'].sudo()
        programs.search([]).active = False
        cls.program = programs.create(
            {
                'name': "One point per unit of money",
                'program_type': 'loyalty',
                'trigger': 'auto',
                'applies_on': 'both',
                'company_id': cls.company.id,
                'rule_ids': [
                    Command.create({'reward_point_mode': 'money', 'reward_point_amount': 1})
                ],
                'reward_ids': [
                    Command.create(
                        {'reward_type': 'discount', 'discount': 1, 'required_points': 99999}
                    )
                ],
            }
        )
        cls.card = (
            cls.env['loyalty.card']
            .sudo()
            .create({'program_id': cls.program.id, 'partner_id': cls.customer.id, 'points': 0})
        )

    def setUp(self):
        super().setUp()
        if not self.card:
            self.skipTest("sale_loyalty is not installed")

    def _create_loyal_sale(self):
        """Sell 10 lamps of 100.00 and 5 of 40.00, 1452.00 with tax; return order and points."""
        order = self._create_order({}, {'quantity': 5, 'price': 40.0}, confirm=False)
        order._update_programs_and_rewards()
        order.action_confirm()
        self._deliver(order)
        self._invoice(order)
        self.assertGreater(self.card.points, 0)
        return order, self.card.points

    def _get_events(self, sale_return):
        return sale_return.event_ids.filtered(lambda event: event.kind == 'loyalty')

    def test_points_go_back_in_proportion_to_what_is_credited(self):
        order, given = self._create_loyal_sale()
        first = self._return_goods(order.order_line[0], 3)  # 300 of 1200
        self.assertAlmostEqual(self.card.points, given * 0.75, 2)
        row = self.card.history_ids[:1]
        self.assertEqual((row.order_model, row.order_id), ('sale.return', first.id))
        self.assertAlmostEqual(row.used, given * 0.25, 2)
        self.assertIn("taken back", self._get_events(first).details)
        self._return_goods(order.order_line[0], 7)
        self._return_goods(order.order_line[1])
        self.assertAlmostEqual(self.card.points, 0.0, 2)

    def test_what_is_only_requested_takes_no_points(self):
        order, given = self._create_loyal_sale()
        sale_return = self._create_return(order)
        self._receive(sale_return)
        self.assertEqual(self.card.points, given)

    def test_draft_note_takes_no_points_until_it_is_posted(self):
        self.policy.credit_posting = 'draft'
        order, given = self._create_loyal_sale()
        sale_return = self._return_goods(order)
        self.assertEqual(self.card.points, given)
        sale_return.credit_note_ids.action_post()
        self.assertAlmostEqual(self.card.points, 0.0, 2)

    def test_points_are_given_again_when_the_note_is_cancelled(self):
        order, given = self._create_loyal_sale()
        note = self._return_goods(order).credit_note_ids
        self.assertAlmostEqual(self.card.points, 0.0, 2)
        note.button_draft()
        note.button_cancel()
        self.assertAlmostEqual(self.card.points, given, 2)

    def test_points_are_given_again_when_the_note_is_reversed(self):
        order, given = self._create_loyal_sale()
        note = self._return_goods(order).credit_note_ids
        self._reverse(note)
        self.assertAlmostEqual(self.card.points, given, 2)

    def test_running_it_again_takes_nothing_more(self):
        order, given = self._create_loyal_sale()
        sale_return = self._return_goods(order.order_line[0], 3)
        rows = self.card.history_ids
        self.env['sale.return.loyalty']._sync(sale_return)
        self.assertEqual(self.card.history_ids, rows)
        self.assertAlmostEqual(self.card.points, given * 0.75, 2)

    def test_parts_of_points_add_up_to_what_was_given(self):
        order = self._create_order({'quantity': 3, 'price': 3.334, 'taxes': self.tax_5[:0]})
        self.assertEqual(order.amount_total, 10.0)
        self.assertEqual(self.card.points, 10.0)
        self._deliver(order)
        self._invoice(order)
        points = []
        for _step in range(3):
            self._return_goods(order.order_line, 1)
            points.append(round(self.card.points, 2))
        self.assertEqual(points, [6.67, 3.33, 0.0])

    def test_points_that_were_spent_are_named_and_the_card_stays_at_zero(self):
        order, _given = self._create_loyal_sale()
        self.card.points = 10.0
        sale_return = self._return_goods(order)
        self.assertEqual(self.card.points, 0.0)
        self.assertIn("already spent", self._get_events(sale_return).details)
        # Points that were not taken are not restored.
        sale_return.credit_note_ids.button_draft()
        self.assertAlmostEqual(self.card.points, 10.0, 2)
