from odoo.tests import Form, tagged
from odoo.tools import convert_file

from ..common import SaleReturnCommon

LEAN = "the rules that come with the add-on, and a dialog"


@tagged('post_install', '-at_install')
class TestDefaultRules(SaleReturnCommon):
    """The default rules are safe: nothing broken or used is offered for sale again."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env['sale.return.disposition.rule'].search([]).active = False
        # As on a new database; on others the rules are left out on purpose.
        convert_file(
            cls.env(su=True),
            'sale_return',
            'data/inspection/sale_return_disposition_rule_data.xml',
            {},
            mode='init',
            noupdate=True,
        )
        for name in ('worthless', 'used', 'defective', 'as_new'):
            cls.env.ref(f'sale_return.disposition_rule_{name}').active = True
        cls.inspector = cls._create_user('default_inspector', 'sale_return.group_inspector')

    def _open_inspection(self, reason):
        sale_return = self._create_return(self._create_sale(), 2, reason=reason)
        self._receive(sale_return)
        self.env.invalidate_all()
        mine = sale_return.with_env(self._env_of(self.inspector))
        action = mine.action_open_inspection()
        return Form(mine.env[action['res_model']].with_context(**action['context']))

    def test_each_condition_and_reason_has_a_way_that_does_no_harm(self):
        damaged = self.env.ref('sale_return.reason_damaged_in_transit')
        expected = {
            (self.reason_changed_mind, ''): 'restock',
            (self.reason_changed_mind, 'A'): 'restock',
            (self.reason_changed_mind, 'B'): 'refurbish',
            (self.reason_changed_mind, 'C'): 'refurbish',
            (self.reason_changed_mind, 'D'): 'scrap',
            (self.reason_defective, ''): 'refurbish',
            (self.reason_defective, 'A'): 'refurbish',
            (self.reason_defective, 'D'): 'scrap',
            (damaged, ''): 'refurbish',
        }
        dialogs = {reason: self._open_inspection(reason) for reason, _grade in expected}
        for (reason, code), way in expected.items():
            with self.subTest(reason=reason.name, condition=code):
                grade = self.env['sale.return.grade']
                grade = self.env.ref(f'sale_return.grade_{code.lower()}') if code else grade
                with dialogs[reason].line_ids.edit(0) as row:
                    row.grade_id = grade
                    self.assertEqual(row.disposition_id.action, way)

    def test_another_way_needs_no_note(self):
        dialog = self._open_inspection(self.reason_defective)
        with dialog.line_ids.edit(0) as row:
            row.grade_id = self.env.ref('sale_return.grade_c')
            row.disposition_id = self.scrap
            self.assertFalse(row.is_override)
        dialog.save().action_confirm()
        rows = self.env['sale.return.inspection'].search([], order='id desc', limit=1)
        self.assertEqual((rows.disposition_id, rows.quantity), (self.scrap, 2))

    def test_photo_of_the_dialog_is_kept_with_the_result(self):
        dialog = self._open_inspection(self.reason_changed_mind)
        with dialog.line_ids.edit(0) as row:
            row.photo_name = 'scratch.png'
            row.photo = (
                b'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJ'
                b'RU5ErkJggg=='
            )
        dialog.save().action_confirm()
        row = self.env['sale.return.inspection'].search([], order='id desc', limit=1)
        self.assertEqual(row.file_ids.name, 'scratch.png')

    def test_only_lot_that_waits_need_not_be_named(self):
        product, lots = self._create_tracked_product('serial', 'ONLY-1')
        order = self._create_order({'product': product, 'quantity': 1})
        self._deliver(order)
        sale_return = self._create_return(order, 1)
        self._receive(sale_return)
        row = sale_return.line_ids.register_inspection([{'quantity': 1, 'disposition': 'restock'}])
        self.assertEqual(row.lot_id, lots)
