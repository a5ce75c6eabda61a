from odoo import Command
from odoo.tests import tagged

from ..common import SaleReturnCommon


@tagged('post_install', '-at_install')
class TestPolicyReasons(SaleReturnCommon):
    """The line stores which policy applied and why, even if the policy changes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_sale()

    def _get_line(self, order=None, reason=None, submit=True):
        return self._create_return(order or self.order, 1, reason, submit=submit).line_ids

    def test_policy_for_a_product(self):
        policy = self._create_policy(product_ids=[Command.set(self.product_on_order.ids)])
        other = self._create_sale({'product': self.product_on_order})
        self.assertEqual(self._get_line(other).policy_id, policy)
        self.assertEqual(self._get_line().policy_id, self.policy)

    def test_policy_for_a_channel(self):
        source = self.env['utm.source'].sudo().create({'name': "Web shop"})
        policy = self._create_policy(source_ids=[Command.set(source.ids)])
        self.assertEqual(self._get_line(self._create_sale(source_id=source.id)).policy_id, policy)
        self.assertEqual(self._get_line().policy_id, self.policy)

    def test_policy_for_a_reason_is_for_those_below_it(self):
        child = self.env['sale.return.reason'].create(
            {'name': "Does not switch on", 'code': 'DEF-ON', 'parent_id': self.reason_defective.id}
        )
        policy = self._create_policy(reason_ids=[Command.set(self.reason_defective.ids)])
        self.assertEqual(self._get_line(reason=child).policy_id, policy)
        self.assertEqual(self._get_line(reason=self.reason_other).policy_id, self.policy)

    def test_reason_is_not_part_of_itself(self):
        child = self.env['sale.return.reason'].create(
            {'name': "Child", 'code': 'CHILD', 'parent_id': self.reason_other.id}
        )
        with self.assert_refused("Recursion"):
            self._call(self.staff, self.reason_other, 'write', {'parent_id': child.id})

    def test_reason_proposes_its_resolution_and_no_more(self):
        self.reason_changed_mind.sudo().default_resolution = 'replace'
        self.assertEqual(self._get_line(reason=self.reason_changed_mind).resolution, 'replace')
        line = self._create_return(self.order, 1, submit=False).line_ids
        self.assertEqual(line.resolution, 'refund')
        vals = self._prepare_return_lines(
            self.order.order_line, 1, self.reason_changed_mind, resolution='refund'
        )
        chosen = self.env['sale.return'].create({'partner_id': self.customer.id, 'line_ids': vals})
        self.assertEqual(chosen.line_ids.resolution, 'refund')

    def test_line_says_why_the_policy_applies(self):
        self._create_policy(name="Defects", reason_ids=[Command.set(self.reason_defective.ids)])
        line = self._get_line()
        self.assertIn("Defects", line.policy_explanation)
        self.assertIn(self.reason_defective.name, line.policy_explanation)
        self.assertEqual(line.policy_facts['policy'], "Defects")
        self.assertEqual(
            line.policy_facts['conditions'],
            {
                'company_id': self.company.name,
                'reason_ids': self.reason_defective.display_name,
            },
        )

    def test_draft_says_which_policy_would_apply(self):
        line = self._get_line(submit=False)
        self.assertIn("Test", line.policy_explanation)
        self._create_policy(name="Later", reason_ids=[Command.set(self.reason_changed_mind.ids)])
        line.reason_id = self.reason_changed_mind
        self.assertIn("Later", line.policy_explanation)

    def test_submission_asks_once_more_which_policy_applies(self):
        line = self._get_line(submit=False)
        policy = self._create_policy()
        line.return_id.action_submit()
        self.assertEqual(line.policy_id, policy)

    def test_policy_that_is_renamed_or_archived_stays_what_it_was_on_the_line(self):
        line = self._get_line()
        self.policy.write({'name': "Renamed", 'active': False})
        line.invalidate_recordset()
        self.assertEqual(line.policy_facts['policy'], "Test")

    def test_overlapping_policies_are_told_on_the_form(self):
        first = self._create_policy(
            name="First", reason_ids=[Command.set(self.reason_defective.ids)]
        )
        second = self._create_policy(
            name="Second",
            sequence=-150,
            product_categ_ids=[Command.set(self.category.ids)],
        )
        third = self._create_policy(
            name="Third", sequence=-140, reason_ids=[Command.set(self.reason_other.ids)]
        )
        self.assertFalse(first.overlap_note)
        self.assertIn("First", second.overlap_note)
        self.assertNotIn("First", third.overlap_note)
        self.assertIn("Second", third.overlap_note)

    def test_same_sequence_is_decided_by_age(self):
        older = self._create_policy()
        self._create_policy()
        self.assertEqual(self._get_line().policy_id, older)

    def test_no_policy_at_all_asks_a_person(self):
        self.env['sale.return.policy'].sudo().search([]).active = False
        line = self._get_line()
        self.assertFalse(line.policy_id)
        self.assertEqual((line.state, line.policy_facts['policy']), ('submitted', False))
        self.assertIn("No policy applies", line.policy_explanation)


@tagged('post_install', '-at_install')
class TestPolicyFrozen(SaleReturnCommon):
    """Changing a policy affects new returns only; those under way keep their terms."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_sale()

    def test_release_of_credits_under_way_does_not_change(self):
        sale_return = self._create_return(self.order, 2)
        self.policy.release_event = 'approval'
        self.policy.credit_posting = 'draft'
        self.assert_quantities(sale_return.line_ids, to_credit=0)
        self._receive(sale_return)
        self.assert_quantities(sale_return.line_ids, to_credit=0)
        sale_return.action_inspect_all('restock')
        self.assertEqual(sale_return.credit_note_ids.state, 'posted')
        self.assertEqual(sale_return.line_ids.policy_id.release_event, 'inspection')
        self.assertFalse(sale_return.line_ids.policy_id.active)

    def test_new_returns_follow_the_new_terms(self):
        self._create_return(self.order, 2)
        self.policy.release_event = 'approval'
        sale_return = self._create_return(self.order, 2)
        self.assertEqual(sale_return.line_ids.policy_id, self.policy)
        self.assert_quantities(sale_return.line_ids, credited=2)

    def test_day_until_which_to_send_does_not_change(self):
        sale_return = self._create_return(self.order, 2)
        until = sale_return.date_send_until
        self.policy.expiry_days = 1
        sale_return.line_ids.invalidate_recordset()
        sale_return.modified(['state'])
        self.assertEqual(sale_return.date_send_until, until)

    def test_policy_that_nobody_uses_is_not_copied(self):
        count = self.env['sale.return.policy'].with_context(active_test=False).search_count([])
        self.policy.release_event = 'approval'
        self._create_return(self.order, 2)
        self.policy.write({'release_event': 'approval', 'sequence': -90, 'name': "Renamed"})
        self.assertEqual(
            self.env['sale.return.policy'].with_context(active_test=False).search_count([]), count
        )

    def test_copy_never_applies_to_new_returns_nor_changes_what_closed_ones_had(self):
        finished = self._return_goods(self.order, 1)
        self._create_return(self.order, 1)
        self.policy.window_days = 5
        self.assertEqual(finished.line_ids.policy_id, self.policy)
        self.assertEqual(self._create_return(self.order, 1).line_ids.policy_id, self.policy)
