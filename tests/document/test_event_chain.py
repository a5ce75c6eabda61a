import os
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import tagged

from ...models.document.sale_return_event import KEY_VARIABLE
from ..common import SaleReturnCommon


@tagged('post_install', '-at_install')
class TestEventChain(SaleReturnCommon):
    """Changes of the log that bypass the guard of the database are detected."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        order = cls._create_sale()
        cls.returns = cls._return_goods(order, 1) + cls._create_return(order, 2)
        cls.returns[1].action_cancel()

    def _audit(self):
        return [
            (problem['return_id'], problem['event_id'])
            for problem in self.env['sale.return.event']._audit(self.returns)
        ]

    def _tamper(self, query, *params):
        self.env.flush_all()
        self.env.cr.execute("ALTER TABLE sale_return_event DISABLE TRIGGER USER")
        self.env.cr.execute(query, params)
        self.env.cr.execute("ALTER TABLE sale_return_event ENABLE TRIGGER USER")
        self.env.invalidate_all()

    def _get_events(self, sale_return):
        return sale_return.event_ids.sorted('id')

    def test_each_event_is_chained_to_the_one_before(self):
        self.assertFalse(self._audit())
        for sale_return in self.returns:
            hashes = self._get_events(sale_return).mapped('hash')
            self.assertEqual(len(set(hashes)), len(hashes))
            self.assertTrue(all(hashes))
            self.assertEqual(sale_return.log_hash, hashes[-1])

    def test_batch_of_events_keeps_a_chain_for_each_return(self):
        self.env['sale.return.event']._log(
            [
                {'return_id': sale_return.id, 'kind': 'override', 'reason': f"{number} é 中"}
                for number in range(3)
                for sale_return in self.returns
            ]
        )
        self.assertFalse(self._audit())

    def test_changed_event_is_found(self):
        for column, value in (('reason', "Other."), ('user_id', 1), ('details', None)):
            with self.subTest(column=column), self.env.cr.savepoint() as savepoint:
                event = self._get_events(self.returns[0]).filtered('details')[:1]
                self._tamper(
                    f"UPDATE sale_return_event SET {column} = %s WHERE id = %s", value, event.id
                )
                self.assertEqual(self._audit(), [(self.returns[0].id, event.id)])
                savepoint.rollback()
                self.env.invalidate_all()

    def test_removed_and_cut_off_events_are_found(self):
        events = self._get_events(self.returns[0])
        for victim, found in ((events[1], events[2].id), (events[-1], None)):
            with self.subTest(found=found), self.env.cr.savepoint() as savepoint:
                self._tamper("DELETE FROM sale_return_event WHERE id = %s", victim.id)
                self.assertEqual(self._audit(), [(self.returns[0].id, found)])
                savepoint.rollback()
                self.env.invalidate_all()

    def test_event_that_was_slipped_in_is_found(self):
        self._tamper(
            "INSERT INTO sale_return_event (return_id, company_id, kind, user_id, date) "
            "SELECT return_id, company_id, 'override', user_id, date FROM sale_return_event "
            "WHERE id = %s",
            self._get_events(self.returns[0])[:1].id,
        )
        self.assertEqual([number for number, _event in self._audit()], [self.returns[0].id])

    def test_events_from_before_there_were_chains_are_left_out(self):
        self._tamper(
            "UPDATE sale_return_event SET hash = NULL WHERE return_id = %s", self.returns[0].id
        )
        self.env.cr.execute(
            "UPDATE sale_return SET log_hash = NULL WHERE id = %s", self.returns[0].ids
        )
        self.env.invalidate_all()
        self.assertFalse(self._audit())
        self.env['sale.return.event']._log([{'return_id': self.returns[0].id, 'kind': 'override'}])
        self.assertFalse(self._audit())

    def test_nobody_writes_the_chain(self):
        with self.assert_refused("cannot be set by hand"):
            self._call(self.staff, self.returns[0], 'write', {'log_hash': "x"})
        vals = {'return_id': self.returns[0].id, 'kind': 'override'}
        with self.assert_refused(exception=AccessError):
            self._call(self.staff, self.env['sale.return.event'], 'create', vals)

    def test_chain_with_a_key_cannot_be_written_anew_without_it(self):
        sale_return = self.returns[1]
        events = self.env['sale.return.event']
        with patch.dict(os.environ, {KEY_VARIABLE: 'elsewhere'}):
            events._log([{'return_id': sale_return.id, 'kind': 'override', 'reason': "One"}])
            events._log([{'return_id': sale_return.id, 'kind': 'override', 'reason': "Two"}])
            self.assertFalse(self._audit(), "older events had no key")
        last = self._get_events(sale_return)[-1]
        self.assertTrue(last.hash.startswith('hmac:'))
        self.assertEqual(len(self._audit()), 2, "without the key nothing is verified")
        self._rewrite(sale_return, last)
        with patch.dict(os.environ, {KEY_VARIABLE: 'elsewhere'}):
            self.assertEqual(self._audit(), [(sale_return.id, last.id)])

    def _rewrite(self, sale_return, event):
        """Change an event and hash it again, like somebody who has the code but not the key."""
        before = self._get_events(sale_return)[-2].hash
        row = event.sudo().read(load='')[0]
        new = self.env['sale.return.event']._get_hash(before, {**row, 'reason': "No"}, keyed=False)
        self._tamper(
            "UPDATE sale_return_event SET reason = 'No', hash = %s WHERE id = %s", new, event.id
        )
        self.env.cr.execute(
            "UPDATE sale_return SET log_hash = %s WHERE id = %s", (new, sale_return.id)
        )
        self.env.invalidate_all()

    def test_chain_that_was_written_anew_is_not_the_one_that_was_exported(self):
        events = self.env['sale.return.event']
        heads = events._export_heads()
        events._log([{'return_id': self.returns[1].id, 'kind': 'override', 'reason': "Later"}])
        self.assertFalse(events._audit_heads(heads))
        heads = events._export_heads()
        last = self._get_events(self.returns[1])[-1]
        self._rewrite(self.returns[1], last)
        self.assertFalse(self._audit(), "the chain itself is right")
        (problem,) = events._audit_heads(heads)
        self.assertEqual((problem['return_id'], problem['event_id']), (self.returns[1].id, last.id))
