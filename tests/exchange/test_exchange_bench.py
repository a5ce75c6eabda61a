from odoo.tests import tagged

from ..common_bench import BenchCommon, finish_parcel
from ..common_exchange import ExchangeCommon


@tagged('post_install', '-at_install')
class TestExchangeBench(BenchCommon, ExchangeCommon):
    """What an operator reads after a parcel whose customer gets something else than money."""

    def _finish_parcel(self, sale_return, *codes):
        self._scan(sale_return.name, *codes)
        answer = self._scan('SRB-FINISH')
        self.assert_answer(answer, 'accept', 'finished', sale_return.name)
        return answer, answer['result']['returns'][0]

    def test_delivery_of_the_exchange_is_named(self):
        order = self._create_paid_sale({'product': self.medium, 'quantity': 2})
        self.medium.barcode = 'MEDIUM'
        sale_return = self._create_exchange(order.order_line, self.large, 2)
        answer, result = self._finish_parcel(sale_return, 'MEDIUM', 'MEDIUM', 'SRB-GRADE-A')
        delivery = sale_return.exchange_order_ids.picking_ids
        self.assertEqual(
            result['next'], [f"Next: send the exchange to {self.customer.name} ({delivery.name})."]
        )
        self.assertIn("Credited", answer['message'])
        self.assertIn(delivery.name, answer['message'])

    def test_customer_who_pays_first_is_named(self):
        self.policy.exchange_payment = 'first'
        order = self._create_paid_sale({'product': self.medium, 'quantity': 1})
        self.medium.barcode = 'MEDIUM'
        sale_return = self._create_exchange(order.order_line, self.large, exchange_price=150.0)
        _answer, result = self._finish_parcel(sale_return, 'MEDIUM', 'SRB-GRADE-A')
        delivery = sale_return.exchange_order_ids.picking_ids
        self.assertEqual(
            result['next'],
            [f"{self.customer.name} pays for the exchange first. Then send it ({delivery.name})."],
        )

    def test_rejected_goods_go_back_and_the_exchange_is_asked_about(self):
        order = self._create_paid_sale({'product': self.medium, 'quantity': 1})
        sale_return = self._create_exchange(order.order_line, self.large)
        answer = finish_parcel(
            self._env_of(self.inspector),
            sale_return,
            {'grade': 'D', 'disposition': 'send_back', 'note': "Worn"},
        )
        name = self.customer.name
        self.assertEqual(
            answer['result']['returns'][0]['next'],
            [
                f"Next: send the goods back to {name} ({sale_return.transfer_ids.name}).",
                (
                    f"Goods were rejected: customer service asks {name} whether they still want "
                    "the exchange."
                ),
            ],
        )

    def test_repair_is_named(self):
        if 'repair.order' not in self.env:
            self.skipTest("Repairs are not installed")
        settings = self.env['res.config.settings'].sudo()
        settings.create({'group_sale_return_repair': True}).execute()
        self.medium.barcode = 'MEDIUM'
        reason = self.reason_defective.copy(
            {'name': "Guarantee", 'code': "GUAR", 'return_class': 'warranty'}
        )
        order = self._create_paid_sale({'product': self.medium, 'quantity': 1})
        sale_return = self._create_return(order, 1, submit=False)
        sale_return.line_ids.write({'reason_id': reason.id, 'resolution': 'repair'})
        sale_return.action_submit()
        answer, result = self._finish_parcel(sale_return, 'MEDIUM')
        self.assertTrue(sale_return.open_repair_names)
        self.assertEqual(
            result['next'],
            [f"Next: repair the goods of {self.customer.name} ({sale_return.open_repair_names})."],
        )
        self.assertIn(sale_return.open_repair_names, answer['message'])
        self.assertFalse(result['credited'])

    def test_refund_leaves_nothing_but_the_credit(self):
        sale_return = self.lamps
        _answer, result = self._finish_parcel(sale_return, *['5901234123457'] * 3, 'SRB-GRADE-A')
        self.assertEqual(result['next'], [])
        self.assertFalse(result['credit_follows'])
