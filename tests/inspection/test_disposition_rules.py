from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged

from ..common import SaleReturnCommon


@tagged('post_install', '-at_install')
class TestDispositionRules(SaleReturnCommon):
    """Grade C lamps are refurbished, broken ones scrapped, clocks sent back."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The default ones would decide cases that the test's rules leave open.
        cls.env['sale.return.disposition.rule'].search([]).active = False
        cls.grades = {
            code: cls.env.ref(f'sale_return.grade_{code.lower()}') for code in ('A', 'B', 'C', 'D')
        }
        cls.rules = cls.env['sale.return.disposition.rule'].create(
            [
                cls._prepare_rule(cls.scrap, 'D', sequence=-30),
                cls._prepare_rule(cls.refurbish, 'C', 'D', sequence=-20),
                cls._prepare_rule(
                    cls.send_back, sequence=-10, reason_ids=cls.reason_changed_mind.ids
                ),
            ]
        )
        cls.sale_return = cls._create_return(cls._create_sale(), 6)
        cls._receive(cls.sale_return)
        cls.line = cls.sale_return.line_ids

    @classmethod
    def _prepare_rule(cls, disposition, *codes, **values):
        return {
            'product_categ_ids': [Command.set(cls.category.ids)],
            'grade_ids': [Command.set([cls.grades[code].id for code in codes])],
            'disposition_id': disposition.id,
            **values,
        }

    def test_grade_sends_goods_their_way(self):
        rows = self._inspect(
            self.sale_return, {'quantity': 2, 'grade': 'D'}, {'quantity': 1, 'grade': 'C'}
        )
        self.assertEqual(rows.disposition_id, self.scrap + self.refurbish)
        self.assertEqual(rows.proposed_disposition_id, rows.disposition_id)
        self.assertNotIn('override', self.sale_return.event_ids.mapped('kind'))

    def test_inspect_all_needs_only_the_grade(self):
        rows = self.sale_return.action_inspect_all(grade='C')
        self.assertEqual(rows.disposition_id, self.refurbish)

    def test_where_no_rule_matches_the_disposition_is_demanded(self):
        with self.assert_refused("no disposition"):
            self._inspect(self.sale_return, {'quantity': 1, 'grade': 'A'})
        self._inspect(self.sale_return, {'quantity': 1, 'grade': 'A', 'disposition': 'restock'})

    def test_other_way_takes_a_note_and_is_logged(self):
        result = {'quantity': 1, 'grade': 'D', 'disposition': 'restock'}
        for note in (None, "  "):
            with self.assert_refused("Enter in the note"):
                self._inspect(self.sale_return, {**result, 'note': note})
        row = self._inspect(self.sale_return, {**result, 'note': "Only the box is broken."})
        self.assertEqual(row.proposed_disposition_id, self.scrap)
        event = self.sale_return.event_ids.filtered(lambda e: e.kind == 'override')
        self.assertEqual(event.reason, "Only the box is broken.")
        self.assertIn("Scrap → Restock", event.details)

    def test_reason_decides_where_the_grade_does_not(self):
        sale_return = self._create_return(self._create_sale(), 2, reason=self.reason_changed_mind)
        self._receive(sale_return)
        rows = self._inspect(sale_return, {'quantity': 1}, {'quantity': 1, 'grade': 'D'})
        self.assertEqual(rows.disposition_id, self.send_back + self.scrap)

    def test_rule_holds_for_categories_below(self):
        below = self.category.create({'name': "Below", 'parent_id': self.category.id})
        self.product.categ_id = below
        self.assertEqual(
            self._inspect(self.sale_return, {'quantity': 1, 'grade': 'C'}).disposition_id,
            self.refurbish,
        )
        self.product.categ_id = self.env['product.category'].create({'name': "Elsewhere"})
        with self.assert_refused("no disposition"):
            self._inspect(self.sale_return, {'quantity': 1, 'grade': 'C'})

    def test_rules_of_another_company_do_not_count(self):
        other = self.env['res.company'].sudo().create({'name': "Other"})
        self.rules.sudo().company_id = other
        with self.assert_refused("no disposition"):
            self._inspect(self.sale_return, {'quantity': 1, 'grade': 'C'})

    def test_archived_rule_does_not_count(self):
        self.rules[0].active = False
        row = self._inspect(self.sale_return, {'quantity': 1, 'grade': 'D'})
        self.assertEqual(row.disposition_id, self.refurbish)

    def test_policy_without_inspection_needs_no_note(self):
        self.env['sale.return.disposition.rule'].create(self._prepare_rule(self.scrap))
        self.policy.inspection_required = False
        sale_return = self._create_return(self._create_sale(), 2)
        self._receive(sale_return)
        self.assertEqual(sale_return.inspection_ids.disposition_id, self.restock)

    def test_rule_cannot_leave_goods_with_the_customer(self):
        with self.assert_refused("are never inspected", ValidationError):
            self.rules[0].disposition_id = self.keep

    def test_rule_and_disposition_are_of_one_company(self):
        other = self.env['res.company'].sudo().create({'name': "Other"})
        theirs = (
            self.env['sale.return.disposition']
            .sudo()
            .create({'code': 'theirs', 'name': "Theirs", 'action': 'scrap', 'company_id': other.id})
        )
        with self.assertRaises(UserError):
            self.rules[0].write({'company_id': self.company.id, 'disposition_id': theirs.id})

    def test_dialog_fills_the_disposition_from_the_grade(self):
        action = self.sale_return.action_open_inspection()
        dialog = Form(self.env[action['res_model']].with_context(**action['context']))
        with dialog.line_ids.edit(0) as row:
            self.assertEqual(row.disposition_id, self.restock)
            row.grade_id = self.grades['D']
            self.assertEqual(row.disposition_id, self.scrap)
            self.assertFalse(row.is_override)
            row.disposition_id = self.restock
            self.assertTrue(row.is_override)
            row.note = "Only the box is broken."
        dialog.save().action_confirm()
        self.assertEqual(self.sale_return.inspection_ids.proposed_disposition_id, self.scrap)

    def test_only_managers_make_rules(self):
        inspector = self._create_user(
            'returns_inspector', 'base.group_user', 'sale_return.group_inspector'
        )
        self.assertTrue(self._call(inspector, self.rules, 'read', ['disposition_id']))
        with self.assertRaises(AccessError):
            self._call(inspector, self.rules, 'write', {'sequence': 1})
