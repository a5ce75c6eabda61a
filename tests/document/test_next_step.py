from odoo import Command
from odoo.tests import tagged

from ..common import SaleReturnCommon


@tagged('post_install', '-at_install')
class TestNextStep(SaleReturnCommon):
    """Who has to act next, derived from the states of the return; teams are not needed for it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.sudo().partner_id.tz = 'UTC'
        cls.order = cls._create_sale()

    def _get(self, sale_return):
        step = sale_return._get_next_step()[sale_return]
        return step['step'], step['actor']

    def test_each_step_follows_the_one_before(self):
        self.policy.write({'approval': 'always', 'settlement': 'refund'})
        self._configure(sale_return_auto_credit=False)
        self._pay_back(self.order.invoice_ids)  # the customer has paid: there is money to pay back
        sale_return = self._create_return(self.order, 2, submit=False)
        self.assertEqual(self._get(sale_return), (False, False))
        sale_return.action_submit()
        self.assertEqual(self._get(sale_return), ('decide', 'company'))
        sale_return.action_approve()
        self.assertEqual(self._get(sale_return), ('dispatch', 'customer'))
        sale_return.action_register_dispatch('1Z')
        self.assertEqual(self._get(sale_return), ('receive', 'company'))
        self._receive(sale_return)
        self.assertEqual(self._get(sale_return), ('inspect', 'company'))
        sale_return.action_inspect_all('restock')
        self.assertEqual(self._get(sale_return), ('credit', 'company'))
        note = sale_return.action_create_credit_notes()
        self.assertEqual(self._get(sale_return)[0], 'refund')
        self._pay_back(note)
        self.assertEqual(self._get(sale_return), (False, False))

    def test_what_is_here_comes_before_what_is_still_to_come(self):
        sale_return = self._create_return(self.order, 4)
        self._receive(sale_return, 1)
        self.assertEqual(sale_return._get_open_steps(), ['inspect', 'dispatch'])

    def test_the_customer_sees_their_last_day(self):
        self.policy.expiry_days = 14
        self.company.sudo().partner_id.tz = 'Asia/Shanghai'
        sale_return = self._create_return(self.order, 2)
        due = sale_return._get_next_step()[sale_return]['due']
        last_day = sale_return.date_send_until
        self.assertEqual(str(due), f"{last_day} 15:59:59")

    def test_answers_for_a_batch_of_returns(self):
        returns = self._create_return(self.order, 1) | self._create_return(
            self.order, 1, submit=False
        )
        steps = returns._get_next_step()
        self.assertEqual(
            [steps[sale_return]['step'] for sale_return in returns], ['dispatch', False]
        )

    def _create_withdrawal(self):
        self.policy.write({'regime': 'eu_withdrawal', 'expiry_days': 30})
        sale_return = self._create_return(self.order, 2)
        self._backdate(sale_return, '2026-03-01 12:00:00')
        return sale_return

    def _get_clock(self, sale_return):
        return {
            name: str(value) for name, value in sale_return._get_legal_clocks()[sale_return].items()
        }

    def test_withdrawal_has_fourteen_days_for_goods_and_for_money(self):
        sale_return = self._create_withdrawal()
        self.assertEqual(
            self._get_clock(sale_return),
            {
                'dispatch': '2026-03-15 23:59:59',
                'refund': '2026-03-15 23:59:59',
                'withheld': 'True',
            },
        )

    def test_proof_of_dispatch_ends_the_right_to_keep_the_money(self):
        sale_return = self._create_withdrawal()
        sale_return.action_register_dispatch('1Z')
        sale_return._write_facts({'date_dispatched': '2026-03-20 10:00:00'})
        clock = self._get_clock(sale_return)
        self.assertEqual((clock['refund'], clock['withheld']), ('2026-03-20 23:59:59', 'False'))
        due = sale_return._get_next_step()[sale_return]['due']
        self.assertEqual(str(due), '2026-03-20 23:59:59')

    def test_the_chinese_clock_starts_with_the_receipt(self):
        self.policy.sudo().regime = 'cn_seven_days'
        self.company.sudo().partner_id.tz = 'Asia/Shanghai'
        sale_return = self._create_return(self.order, 2)
        self.assertEqual(self._get_clock(sale_return), {})
        self._receive(sale_return)
        self._backdate(sale_return, '2026-03-01 20:00:00')
        # Already 2 March in China.
        self.assertEqual(
            self._get_clock(sale_return), {'refund': '2026-03-09 15:59:59', 'withheld': 'False'}
        )

    def test_the_earliest_of_two_laws_counts(self):
        order = self._create_sale({}, {})
        self._create_policy(
            regime='eu_withdrawal', reason_ids=[Command.set(self.reason_changed_mind.ids)]
        )
        sale_return = self._create_return(order, 1, submit=False)
        sale_return.line_ids[1].reason_id = self.reason_changed_mind
        sale_return.action_submit()
        self.assertEqual(
            set(sale_return.line_ids.policy_id.mapped('regime')), {'commercial', 'eu_withdrawal'}
        )
        self.assertIn('refund', sale_return._get_legal_clocks()[sale_return])

    def test_commercial_terms_cost_no_query(self):
        sale_return = self._create_return(self.order, 2)
        sale_return._get_legal_clocks()
        with self.assertQueryCount(0):
            sale_return._get_legal_clocks()
