import base64

from odoo import Command
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, tagged

from ..common import SaleReturnCommon

PIXEL = (
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk'
    '+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
)


@tagged('post_install', '-at_install')
class TestInspectionSheet(SaleReturnCommon):
    """Lamps are asked whether they light up and how long the cable is, and are photographed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.grades = {
            code: cls.env.ref(f'sale_return.grade_{code.lower()}') for code in ('A', 'B', 'C', 'D')
        }
        cls.parent = cls.env['product.category'].create({'name': "Electric"})
        cls.category.parent_id = cls.parent
        cls.checklist = cls._create_checklist(
            "Electric",
            cls.parent,
            {'name': "Does it light up?", 'code': 'light', 'fail': 'D', 'required': True},
            {'name': "Is it scratched?", 'code': 'scratch', 'good_answer': 'no', 'fail': 'B'},
        )
        cls.own = cls._create_checklist(
            "Lamps",
            cls.category,
            {
                'name': "Length of the cable",
                'code': 'cable',
                'kind': 'number',
                'unit': "cm",
                'min_value': 150,
                'max_value': 200,
                'fail': 'C',
            },
            {'name': "Type plate", 'code': 'plate', 'kind': 'photo'},
        )
        cls.sale_return = cls._create_return(cls._create_sale(), 6)
        cls._receive(cls.sale_return)
        cls.line = cls.sale_return.line_ids

    @classmethod
    def _create_checklist(cls, name, category, *items):
        """Create a checklist; items may be left out unless required, and fail with a grade."""
        return cls.env['sale.return.checklist'].create(
            {
                'name': name,
                'product_categ_id': category.id,
                'item_ids': [
                    Command.create(
                        {
                            'required': False,
                            'fail_grade_id': cls.grades[item['fail']].id
                            if 'fail' in item
                            else None,
                            **{key: value for key, value in item.items() if key != 'fail'},
                        }
                    )
                    for item in items
                ],
            }
        )

    def _answer(self, quantity=1, **answers):
        return self._inspect(
            self.sale_return,
            {'quantity': quantity, 'disposition': 'restock', 'answers': answers},
        )

    def test_worst_answer_proposes_the_grade(self):
        for answers, code in (
            ({'light': True}, 'A'),
            ({'light': True, 'scratch': False, 'cable': 180}, 'A'),
            ({'light': True, 'scratch': True}, 'B'),
            ({'light': True, 'scratch': True, 'cable': 149.9}, 'C'),
            ({'light': False, 'scratch': True, 'cable': 201}, 'D'),
        ):
            with self.subTest(answers=answers):
                self.assertEqual(self._answer(**answers).grade_id, self.grades[code])

    def test_grade_that_is_given_stays(self):
        row = self._inspect(
            self.sale_return,
            {'quantity': 1, 'disposition': 'restock', 'grade': 'B', 'answers': {'light': True}},
        )
        self.assertEqual(row.grade_id, self.grades['B'])

    def test_answers_are_kept_as_they_were_asked(self):
        row = self._answer(light=False, cable=180)
        self.checklist.item_ids[0].name = "Does it shine?"
        self.assertEqual(
            [(answer.name, answer.value, answer.is_well) for answer in row.answer_ids],
            [("Does it light up?", "No", False), ("Length of the cable", "180 cm", True)],
        )
        with self.assert_refused("cannot be changed"):
            row.answer_ids[0].sudo().answer = True
        with self.assert_refused("cannot be deleted"):
            row.answer_ids[0].sudo().unlink()

    def test_required_item_is_demanded(self):
        for answers in ({}, {'scratch': True}, {'light': None}):
            with self.subTest(answers=answers), self.assert_refused("Does it light up?"):
                self._answer(**answers)
        with self.assert_refused("Does it light up?"):
            self.sale_return.action_inspect_all('restock')
        self.assert_quantities(self.line, inspected=0)

    def test_items_are_named_by_code_or_id(self):
        item = self.checklist.item_ids[0]
        for key in ('light', item.id, str(item.id)):
            row = self._inspect(
                self.sale_return,
                {'quantity': 1, 'disposition': 'restock', 'answers': {key: True}},
            )
            self.assertEqual(row.answer_ids.item_id, item)

    def test_wrong_answers_are_refused(self):
        for answers, text in (
            ({'light': "yes"}, "answered with yes or no"),
            ({'light': 1}, "answered with yes or no"),
            ({'light': True, 'cable': "long"}, "answered with a number"),
            ({'light': True, 'cable': True}, "answered with a number"),
            ({'light': True, 'cable': float('nan')}, "can be stored"),
            ({'light': True, 'plate': "photo.png"}, "answered with a file"),
            ({'light': True, 'colour': "red"}, "is not an item"),
        ):
            with self.subTest(answers=answers), self.assert_refused(text):
                self._answer(**answers)
        with self.assert_refused("pairs of item and answer"):
            self._inspect(
                self.sale_return, {'quantity': 1, 'disposition': 'restock', 'answers': ["light"]}
            )

    def test_items_of_another_category_are_refused(self):
        other = self.env['sale.return.checklist'].create(
            {
                'name': "Furniture",
                'product_categ_id': self.env['product.category'].create({'name': "F"}).id,
                'item_ids': [Command.create({'name': "Does it wobble?", 'code': 'wobble'})],
            }
        )
        for key in ('wobble', other.item_ids.id):
            with self.assert_refused("is not an item"):
                self._inspect(
                    self.sale_return,
                    {
                        'quantity': 1,
                        'disposition': 'restock',
                        'answers': {'light': True, key: True},
                    },
                )

    def test_photo_is_kept_with_the_row(self):
        row = self._answer(light=True, plate={'name': "plate.png", 'datas': PIXEL})
        self.assertEqual(row.attachment_ids.name, "plate.png")
        self.assertEqual(row.attachment_ids.raw, base64.b64decode(PIXEL))
        self.assertIn('photo', row.answer_ids.mapped('kind'))

    def test_required_photo_is_demanded(self):
        self.own.item_ids[1].required = True
        with self.assert_refused("Type plate"):
            self._answer(light=True)
        self._answer(light=True, plate=[{'name': "plate.png", 'datas': PIXEL}])

    def test_nobody_asks_where_nobody_looks(self):
        self.policy.inspection_required = False
        sale_return = self._create_return(self._create_sale(), 2)
        self._receive(sale_return)
        self.assertEqual(sale_return.state, 'closed')

    def test_checklist_of_another_company_is_not_asked(self):
        other = self.env['res.company'].sudo().create({'name': "Other"})
        self.checklist.sudo().company_id = other
        self.assertFalse(self._answer().answer_ids)

    def test_answers_propose_grade_and_grade_the_disposition(self):
        self.env['sale.return.disposition.rule'].create(
            {
                'product_categ_ids': [Command.set(self.category.ids)],
                'grade_ids': [Command.set(self.grades['D'].ids)],
                'disposition_id': self.scrap.id,
            }
        )
        row = self._inspect(self.sale_return, {'quantity': 1, 'answers': {'light': False}})
        self.assertEqual((row.grade_id, row.disposition_id), (self.grades['D'], self.scrap))

    def test_minimum_is_not_above_maximum(self):
        with self.assert_refused("above its maximum", ValidationError):
            self.own.item_ids[0].min_value = 500

    def test_dialog_asks_and_proposes(self):
        action = self.sale_return.action_open_inspection()
        dialog = Form(self.env[action['res_model']].with_context(**action['context']))
        self.assertEqual(len(dialog.answer_ids), 4)
        with dialog.answer_ids.edit(0) as answer:
            answer.answer = 'yes'
        with dialog.answer_ids.edit(2) as answer:
            answer.number = 120
        with dialog.line_ids.edit(0) as row:
            self.assertEqual(row.grade_id, self.grades['C'])
            row.quantity = 2
        dialog.save().action_confirm()
        row = self.sale_return.inspection_ids
        self.assertEqual((row.quantity, row.grade_id), (2, self.grades['C']))
        self.assertEqual(row.answer_ids.mapped('value'), ["Yes", "120 cm"])

    def test_only_managers_make_checklists(self):
        inspector = self._create_user(
            'returns_inspector', 'base.group_user', 'sale_return.group_inspector'
        )
        self.assertTrue(self._call(inspector, self.checklist.item_ids, 'read', ['name']))
        with self.assertRaises(AccessError):
            self._call(inspector, self.checklist.item_ids, 'write', {'required': False})
        self._call(
            inspector,
            self.line,
            'register_inspection',
            [{'quantity': 1, 'disposition': 'restock', 'answers': {'light': True}}],
        )
