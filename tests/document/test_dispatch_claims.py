from odoo import fields
from odoo.tests import tagged

from ..common_migration import load_migration
from ..common_portal import PortalCommon
from ..portal.test_portal_follow import FollowCommon


@tagged('post_install', '-at_install')
class TestDispatchClaimsOnPages(FollowCommon):
    """Dispatches reported by customers on the real pages."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_policy(approval='always', release_event='dispatch_proof', sequence=-300)

    def assert_claimed(self, sale_return, user):
        self.assertEqual(sale_return.tracking_ref, 'abc')
        self.assertTrue(sale_return.date_dispatched)
        self.assertFalse(sale_return.date_dispatch_proved)
        self.assertFalse(sale_return.credit_note_ids)
        self.assertEqual(sale_return.line_ids.qty_to_credit, 0)
        event = sale_return.event_ids.filtered(lambda e: e.kind == 'dispatched')
        self.assertEqual(event.user_id, user)
        self.assertIn("does not release a credit", event.reason)

    def test_word_of_the_customer_releases_nothing(self):
        sale_return = self._approved()
        text = self._act(sale_return, 'dispatch', self.jane, tracking_ref="abc")
        self.assertIn("We have saved your tracking number", text)
        self.assertNotIn("Credit note", text)
        self.assert_claimed(sale_return, self.jane)

    def test_word_of_a_guest_releases_nothing(self):
        sale_return = self._approved()
        text = self._act(sale_return, 'dispatch', None, self._link(sale_return), tracking_ref="abc")
        self.assertIn("We have saved your tracking number", text)
        self.assert_claimed(sale_return, self.env.ref('base.public_user'))

    def test_employee_on_the_page_of_their_own_return_only_claims(self):
        sale_return = self._approved()
        self.staff.sudo().partner_id.parent_id = self.household
        # A website works in its own company for those who belong to it, too.
        self.staff.sudo().company_ids = self.company
        self._act(sale_return, 'dispatch', self.staff, tracking_ref="abc")
        self.assert_claimed(sale_return, self.staff)
        # Nor do they prove it in the application.
        self._call(self.staff, sale_return, 'action_register_dispatch', 'abc')
        self.assertFalse(sale_return.date_dispatch_proved)
        self.assertFalse(sale_return.credit_note_ids)

    def test_staff_confirms_and_that_releases(self):
        sale_return = self._approved()
        sale_return.user_id = self.staff
        self._act(sale_return, 'dispatch', self.jane, tracking_ref="abc")
        (question,) = sale_return.activity_ids.filtered('automated')
        self.assertIn("confirm the dispatch", question.summary)
        claimed_on = sale_return.date_dispatched
        clerk = self._create_user('clerk', 'base.group_user', 'sale_return.group_user')
        self._call(clerk, sale_return, 'action_register_dispatch')
        self.assertEqual(sale_return.date_dispatched, claimed_on)
        self.assertTrue(sale_return.date_dispatch_proved)
        self.assertEqual(sale_return.credit_state, 'full')
        self.assertFalse(question.exists())
        events = sale_return.event_ids.filtered(lambda e: e.kind == 'dispatch_confirmed')
        self.assertEqual(events.user_id, clerk)
        # Repeating it, also by the customer, changes nothing.
        self._call(clerk, sale_return, 'action_register_dispatch')
        self.assertEqual(len(sale_return.credit_note_ids), 1)
        page = self._look(sale_return.access_url, self.jane)
        self.assertNotIn("You can correct it", page)
        text = self._act(sale_return, 'dispatch', self.jane, tracking_ref="other")
        self.assertIn("is already confirmed", text)
        self.assertEqual(sale_return.tracking_ref, 'abc')

    def test_guest_asks_once(self):
        sale_return = self._approved()
        sale_return.user_id = self.staff
        for number in ("abc", "abd", "abe"):
            self._act(sale_return, 'dispatch', None, self._link(sale_return), tracking_ref=number)
        self.assertEqual(len(sale_return.activity_ids.filtered('automated')), 1)
        self.assertFalse(sale_return.credit_note_ids)


@tagged('post_install', '-at_install')
class TestDispatchClaims(PortalCommon):
    """A report works like a proof for everything except money."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_policy(release_event='dispatch_proof', sequence=-300, expiry_days=5)

    def _claim(self, number='abc', **values):
        sale_return = self._create_return(self.order, 2, **values)
        sale_return.with_user(self.jane).sudo()._portal_dispatch(number, "")
        return sale_return

    def test_superuser_mode_of_a_customer_proves_nothing(self):
        sale_return = self._create_return(self.order, 2)
        sale_return.with_user(self.jane).sudo().action_register_dispatch('abc')
        self.assertTrue(sale_return.date_dispatched)
        self.assertFalse(sale_return.credit_note_ids)

    def test_proof_cannot_be_written(self):
        sale_return = self._claim()
        for user in (self.staff, self.jane):
            with self.assert_refused(exception=Exception):
                self._call(
                    user, sale_return, 'write', {'date_dispatch_proved': fields.Datetime.now()}
                )
        self.assertFalse(sale_return.date_dispatch_proved)

    def test_claim_keeps_the_return_from_expiring_and_from_being_cancelled(self):
        sale_return = self._claim()
        unsent = self.env['sale.return']._get_unsent_domain()
        self.assertNotIn(sale_return, self.env['sale.return'].search(unsent))
        self.assertFalse(sale_return._is_cancellation_open())
        self.assertEqual(sale_return._get_open_steps(), ['receive'])
        self.assertEqual(sale_return._get_portal_status()[0], "On its way to us")

    def test_claim_ends_no_right_to_keep_the_money(self):
        sale_return = self._claim()
        self.assertIsNone(
            sale_return.env['sale.return.clock']._get_moments(sale_return)[sale_return]['dispatch']
        )
        sale_return.action_register_dispatch()
        self.assertEqual(
            sale_return.env['sale.return.clock']._get_moments(sale_return)[sale_return]['dispatch'],
            sale_return.date_dispatched,
        )

    def test_word_of_the_customer_replaces_nothing(self):
        sale_return = self._create_return(self.order, 2, submit=False)
        sale_return.line_ids.resolution = 'replace'
        sale_return.action_submit()
        sale_return.with_user(self.jane).sudo()._portal_dispatch('abc', "")
        self.assertFalse(sale_return.line_ids._get_qty_released_by_event(sale_return.line_ids))

    def test_upgrade_tells_claims_from_proofs(self):
        ours = self._create_return(self.order, 1)
        ours.action_register_dispatch('T1')
        claimed = self._claim()
        credited = self._claim()
        credited._write_facts({'date_dispatch_proved': fields.Datetime.now()})
        credited.action_create_credit_notes()
        self.assertTrue(credited.credit_note_ids)
        everything = ours | claimed | credited
        # As in an older version: nothing proved, everything to be credited.
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sale_return SET date_dispatch_proved = NULL WHERE id = ANY(%s)",
            [everything.ids],
        )
        self.env.cr.execute(
            "UPDATE sale_return_line SET qty_to_credit = 2 WHERE return_id = %s", [claimed.id]
        )
        self.env.invalidate_all()
        load_migration('post-dispatch-proof').migrate(self.env.cr, '19.0.1.0.0')
        self.env.invalidate_all()
        self.assertEqual(ours.date_dispatch_proved, ours.date_dispatched)
        self.assertEqual(credited.date_dispatch_proved, credited.date_dispatched)
        self.assertFalse(claimed.date_dispatch_proved)
        self.assertEqual(claimed.line_ids.qty_to_credit, 0)
        claimed.action_create_credit_notes()
        self.assertFalse(claimed.credit_note_ids)
