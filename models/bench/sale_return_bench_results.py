from odoo import api, models
from odoo.exceptions import UserError

from ...const import LIABILITIES
from .sale_return_bench_state import ITEM_FIELDS

RESULT_KEYS = frozenset({'grade', 'disposition', 'liability', 'note', 'answers', 'quantity'})


class SaleReturnBench(models.AbstractModel):
    """The results of counted goods: grade, disposition, liability, answers."""

    _inherit = 'sale.return.bench'

    @api.model
    def _set_result(self, desk, values, item_ids=None):
        """Set the result of items; the rules propose where the goods go."""
        items = self._get_result_items(desk, item_ids)
        if not items:
            return self._reject('no_item', 'nothing_selected')
        values = dict(values) if isinstance(values, dict) else {'?': values}
        if unknown := values.keys() - RESULT_KEYS:
            return self._reject('bad_value', value=", ".join(map(str, sorted(unknown))))
        if 'quantity' in values:
            quantity = values.pop('quantity')
            number = isinstance(quantity, int | float) and not isinstance(quantity, bool)
            if len(items) > 1 or not number or not 0 < quantity <= items[0]['quantity']:
                return self._reject('bad_value', 'bad_quantity', product=items[0]['name'])
            if quantity < items[0]['quantity']:
                items = [self._split_item(desk, items[0], float(quantity))]
        try:
            # Checks everything before writing, so that nothing is left half done.
            new = [self._prepare_result_vals(desk, item, values) for item in items]
        except UserError as error:
            return self._reject('bad_value', 'not_allowed', reason=str(error.args[0]))
        self._propose(desk, items, new)
        for item, vals in zip(items, new, strict=True):
            self._change_item(desk, item, vals)
        desk.set('current', items[-1]['id'])
        return self._tell_result(desk, items)

    @api.model
    def _get_result_items(self, desk, item_ids):
        """Return the items that a result applies to."""
        if item_ids:
            return [desk.items[item_id] for item_id in item_ids if item_id in desk.items]
        if desk.current in desk.items:
            return [desk.items[desk.current]]
        return [
            item
            for item in desk.items.values()
            if item['kind'] == 'expected' and not item['disposition_id']
        ]

    @api.model
    def _split_item(self, desk, item, quantity):
        """Split a part of an item off, to be given its own result."""
        self._change_item(desk, item, {'quantity': round(item['quantity'] - quantity, 6)})
        line = desk.get_line(item['line_key']) or {}
        copied = {
            name: item[name]
            for name in ITEM_FIELDS
            if name not in ('quantity', 'lot_name', 'kind', 'uom', 'name', 'line_id')
        }
        return self._add_item(
            desk,
            {
                'key': item['line_key'],
                'line_id': item['line_id'],
                'product_id': item['product_id'],
                'product': item['name'],
                'uom': item['uom'],
                'liability': line.get('liability'),
            },
            quantity,
            item['lot_name'],
            item['kind'],
            **{name: value or False for name, value in copied.items()},
        )

    @api.model
    def _prepare_result_vals(self, desk, item, values):
        """Check a client's values for an item and convert them.

        :raise UserError: when a value is not possible.
        """
        company = desk.company
        vals = {}
        for name, model in (
            ('grade', 'sale.return.grade'),
            ('disposition', 'sale.return.disposition'),
        ):
            if name in values:
                vals[f'{name}_id'] = self._find_choice(model, values[name], company).id
        if 'liability' in values:
            if values['liability'] not in dict(LIABILITIES):
                raise UserError(self._say('bad_value', value=values['liability']))
            vals['liability'] = values['liability']
        if 'note' in values:
            vals['note'] = str(values['note'] or '').strip() or False
        if 'answers' in values:
            answers = self._check_answers(desk, item, values['answers'])
            vals['answers'] = {**(item['answers'] or {}), **answers}
            if 'grade' not in values:
                vals['grade_id'] = self._get_grade_of_answers(company, vals['answers'])
                vals = {name: value for name, value in vals.items() if value or name != 'grade_id'}
        return vals

    @api.model
    def _find_choice(self, model, reference, company):
        """Return the grade or disposition a client names, empty for nothing."""
        if reference and (isinstance(reference, bool) or not isinstance(reference, int | str)):
            raise UserError(self._say('bad_value', value=reference))
        disposal = self.env['sale.return.disposal']
        found = disposal._find_configuration(model, reference or None, company)
        if model == 'sale.return.disposition' and found.action == 'keep':
            raise UserError(self._say('bad_value', value=found.name))
        return found

    @api.model
    def _check_answers(self, desk, item, answers):
        """Check answers to the checklist, `{id or code: value}`.

        :return: `{id as a string: value}`
        :rtype: dict
        """
        line = desk.get_line(item['line_key'])
        questions = self._get_questions_of(line) if item['kind'] == 'expected' else []
        by_key = {str(q['id']): q['id'] for q in questions}
        by_key |= {q['code']: q['id'] for q in questions if q['code']}
        if not isinstance(answers, dict):
            raise UserError(self._say('bad_value', value=answers))
        result = {}
        # sudo: checklists are not secret.
        items = self.env['sale.return.checklist.item'].sudo()
        for key, value in answers.items():
            if str(key) not in by_key:
                raise UserError(self._say('bad_value', value=key))
            question = items.browse(by_key[str(key)])
            if question.kind == 'photo':
                raise UserError(self._say('bad_value', value=question.name))
            if value is not None:
                question._check_answer(value)
            result[str(question.id)] = value
        return result

    @api.model
    def _get_grade_of_answers(self, company, answers):
        """Return the id of the grade that follows from answers."""
        # sudo: checklists are not secret.
        items = self.env['sale.return.checklist.item'].sudo()
        given = {
            items.browse(int(key)): value for key, value in answers.items() if value is not None
        }
        return self.env['sale.return.disposal']._get_proposed_grade(company, given).id

    @api.model
    def _propose(self, desk, items, new):
        """Add the disposition by the rules, else the policy, to new values of items."""
        pairs = [
            (item, vals)
            for item, vals in zip(items, new, strict=True)
            if item['kind'] == 'expected'
            and vals.keys() & {'grade_id', 'disposition_id', 'answers'}
        ]
        # sudo: the lines belong to returns on the desk; nothing is written.
        lines = self.env['sale.return.line'].sudo()
        grades = self.env['sale.return.grade'].sudo()
        prefetch = {item['line_id'] for item, _vals in pairs}
        goods = [
            (
                lines.browse(item['line_id']).with_prefetch(prefetch),
                grades.browse(vals.get('grade_id', item['grade_id']) or []),
            )
            for item, vals in pairs
        ]
        rules = self.env['sale.return.disposition.rule']._match(goods)
        for (item, vals), (line, _grade), rule in zip(pairs, goods, rules, strict=True):
            ruled = rule.disposition_id
            chosen = vals.get('disposition_id', item['is_override'] and item['disposition_id'])
            proposed = ruled or line.policy_id.default_disposition_id.filtered('active')
            vals['proposed_disposition_id'] = proposed.id
            vals['disposition_id'] = chosen or proposed.id
            vals['is_override'] = bool(
                ruled
                and rule.note_required
                and chosen
                and chosen != ruled.id
                and line.policy_id.inspection_required
            )

    @api.model
    def _tell_result(self, desk, items):
        """Return the outcome of a result that was set."""
        item = items[-1]
        missing = self._get_missing(desk, item)
        # sudo: grades and dispositions are not secret.
        env = self.sudo().env
        grade = env['sale.return.grade'].browse(item['grade_id'] or [])
        disposition = env['sale.return.disposition'].browse(item['disposition_id'] or [])
        desk.label = f"{item['name']}: {grade.code or disposition.name or '…'}"
        if missing:
            labels = self._get_missing_labels()
            return self._accept(
                'result',
                'result_incomplete',
                product=item['name'],
                missing=", ".join(labels[name] for name in missing),
            )
        if len(items) > 1:
            return self._accept('result', 'results', count=len(items))
        return self._accept(
            'result',
            product=item['name'],
            grade=grade.name or "–",
            disposition=disposition.name or "–",
        )
