from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..common import SaleReturnCommon


@tagged('post_install', '-at_install')
class TestBulk(SaleReturnCommon):
    """Many returns are received and inspected with one action, bad ones are left out."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lot_product, cls.lots = cls._create_tracked_product('lot', "L1", "L2", quantity=50)
        cls.order = cls._create_order({}, {'product': cls.lot_product})
        cls._deliver(cls.order, lots=cls.lots)
        cls._invoice(cls.order)
        cls.first = cls._create_return(cls.order, 4)
        cls.second = cls._create_return(cls._create_sale({'price': 50}), 3)
        cls.returns = cls.first + cls.second
        cls.plain, cls.tracked = cls.first.line_ids
        cls.other = cls.second.line_ids

    def _prepare(self, line, quantity, **values):
        return {'line_id': line.id, 'quantity': quantity, 'disposition': 'restock', **values}

    def test_all_that_is_expected_is_received_and_inspected(self):
        result = self.returns.action_receive_and_inspect(disposition='restock', grade='A')
        self.assertFalse(result['failed'])
        self.assertEqual(len(result['done']), 3)  # one per line and proposed lot
        self.assertEqual(self.returns.mapped('state'), ['closed', 'closed'])
        self.assert_on_hand(self.product, 0, self.quarantine)
        self.assert_on_hand(self.lot_product, 0, self.quarantine)

    def test_mixed_results_go_their_ways(self):
        result = self.returns.action_receive_and_inspect(
            [
                self._prepare(self.plain, 1, grade='A'),
                self._prepare(self.plain, 2, disposition='scrap', grade='D'),
                self._prepare(self.tracked, 3, lot="L2"),
                self._prepare(self.tracked, 1, lot="L1", disposition='send_back'),
                self._prepare(self.other, 3, disposition='refurbish'),
            ]
        )
        self.assertEqual((result['failed'], result['skipped']), ([], []))
        self.assert_quantities(self.plain, received=3, inspected=3, accepted=3)
        self.assert_quantities(self.tracked, received=4, accepted=3, rejected=1)
        self.assert_quantities(self.other, received=3, accepted=3)
        expected = self.first.picking_ids.move_ids.filtered(lambda move: move.state != 'done')
        self.assertEqual(sum(expected.mapped('product_uom_qty')), 1)

    def test_bad_ones_are_left_out_and_listed_with_their_reason(self):
        result = self.returns.action_receive_and_inspect(
            [
                self._prepare(self.plain, 4, disposition='burn'),
                self._prepare(self.tracked, 4, lot="L9"),
                self._prepare(self.other, 3),
                {'line_id': -1, 'quantity': 1},
                "nonsense",
            ]
        )
        self.assertEqual(len(result['done']), 1)
        reasons = {failure['line_id']: failure['reason'] for failure in result['failed']}
        self.assertIn("burn", reasons[self.plain.id])
        self.assertIn("L9", reasons[self.tracked.id])
        self.assertEqual(len(result['failed']), 4)
        self.assert_quantities(self.plain, received=0, inspected=0)
        self.assert_quantities(self.other, received=3, inspected=3)
        self.assertIn('inspection_failed', self.first.event_ids.mapped('kind'))

    def test_line_that_fails_when_its_goods_move_is_isolated(self):
        self._configure(sale_return_scrap_account_id=False)
        result = self.returns.action_receive_and_inspect(
            [
                self._prepare(self.plain, 4, disposition='scrap'),
                self._prepare(self.tracked, 4, lot="L1"),
                self._prepare(self.other, 3),
            ]
        )
        self.assertEqual([f['line_id'] for f in result['failed']], [self.plain.id])
        self.assertIn("no account", result['failed'][0]['reason'])
        self.assert_quantities(self.plain, received=0)
        self.assert_quantities(self.tracked, inspected=4)
        self.assert_quantities(self.other, inspected=3)

    def test_more_than_expected_is_left_out(self):
        result = self.returns.action_receive_and_inspect(
            [self._prepare(self.plain, 5), self._prepare(self.other, -1)]
        )
        self.assertEqual(len(result['failed']), 2)
        self.assert_quantities(self.plain, received=0, inspected=0)

    def test_second_run_does_only_what_was_left_out(self):
        results = [
            self._prepare(self.plain, 4, disposition='burn'),
            self._prepare(self.other, 3),
        ]
        self.returns.action_receive_and_inspect(results)
        results[0]['disposition'] = 'restock'
        result = self.returns.action_receive_and_inspect(results)
        self.assertEqual(result['skipped'], self.other.ids)
        self.assertEqual(len(result['done']), 1)
        before = self._count_documents()
        self.returns.action_receive_and_inspect(results)
        self.assertEqual(self._count_documents(), before)

    def test_goods_that_are_here_are_not_received_twice(self):
        self._receive(self.second, 1)
        result = self.returns.action_receive_and_inspect([self._prepare(self.other, 2)])
        self.assertFalse(result['failed'])
        self.assert_quantities(self.other, received=2, inspected=2)

    def test_one_transfer_for_many_returns(self):
        self.returns.action_receive_and_inspect(disposition='restock')
        self.assertEqual(len(self.returns.transfer_ids), 1)

    def test_dialog_shows_progress_in_batches(self):
        action = self.returns.action_open_receive()
        dialog = (
            self.env[action['res_model']]
            .with_context(**action['context'])
            .create({'disposition_id': self.restock.id})
        )
        action = dialog.action_confirm()
        self.assertEqual(action['tag'], 'sale_return.bulk_progress')
        params = action['params']
        result = self._call(self.staff, self.returns, params['method'], **params['kwargs'])
        self.assertEqual(len(result['done']), 3)

    def test_role_is_demanded(self):
        user = self._create_user('returns_desk', 'base.group_user', 'sale_return.group_user')
        with self.assertRaises(AccessError):
            self._call(user, self.returns, 'action_receive_and_inspect')
