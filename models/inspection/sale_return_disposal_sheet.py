from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command


class SaleReturnDisposal(models.AbstractModel):
    """The inspection sheet: answers propose the grade, the grade proposes the disposition."""

    _inherit = 'sale.return.disposal'

    @api.model
    def _complete_results(self, lines, results):
        """Complete results by what follows from their answers and the rules, all at once.

        :param lines: `sale.return.line` records that the results may name.
        :param list results: see `sale.return.line.register_inspection`.
        :return: copies of the results in which codes are records.
        :rtype: list
        :raise UserError: when an answer is wrong or missing, or another disposition than the
            proposed one is given without a note.
        """
        found, complete = {}, []
        items = self.env['sale.return.checklist']._get_items(lines)

        def find(model, reference, company):
            key = (model, reference, company)
            if not isinstance(reference, str | int):
                return self._find_configuration(model, reference, company)
            if key not in found:
                found[key] = self._find_configuration(model, reference, company)
            return found[key]

        for result in results:
            self._ensure_result(result)
            line = self._get_result_line(lines, result)
            result = {**result, 'line_id': line.id}
            for model, key in (
                ('sale.return.disposition', 'disposition'),
                ('sale.return.grade', 'grade'),
            ):
                result[key] = find(model, result.get(key), line.company_id)
            self._apply_answers(line, items[line], result)
            complete.append(result)
        self._apply_rules(lines, complete)
        return complete

    # === ANSWERS === #

    @api.model
    def _apply_answers(self, line, items, result):
        """Check the answers of a result, and propose the grade where none is given.

        :param items: the `sale.return.checklist.item` records of the goods.
        :param dict result: gets `answer_vals`, `files` and maybe `grade`.
        """
        answers = self._find_answers(line, items, result.get('answers') or {})
        if not self._is_sheet_free(line, result):
            missing = items.filtered(lambda item: item.required and item not in answers)
            if missing:
                raise UserError(
                    self.env._(
                        "%(product)s in return %(return)s cannot be inspected without an answer "
                        "to: %(items)s.",
                        product=line.product_id.display_name,
                        items=", ".join(f"“{item.name}”" for item in missing),
                        **{'return': line.return_id.name},
                    )
                )
        photos = list(result.get('files') or [])
        for item, value in answers.items():
            if item.kind == 'photo':
                photos += value if isinstance(value, list) else [value]
        if photos:
            result['files'] = photos
        result['answer_vals'] = [
            self._prepare_answer_vals(item, value) for item, value in answers.items()
        ]
        result['grade'] = result['grade'] or self._get_proposed_grade(line.company_id, answers)

    @api.model
    def _find_answers(self, line, items, answers):
        """Find the items that answers are about, and check the answers.

        :param answers: `{code or id of the item: answer}`
        :return: `{item: answer}`, without items that are not answered.
        :rtype: dict
        """
        if not isinstance(answers, dict):
            raise UserError(
                self.env._("Give the answers of a checklist as pairs of item and answer.")
            )
        by_key = {}
        for item in items:
            by_key[item.id] = by_key[str(item.id)] = item
            if item.code:
                by_key[item.code] = item
        result = {}
        for key, value in answers.items():
            item = by_key.get(key)
            if not item:
                raise UserError(
                    self.env._(
                        "“%(item)s” is no item of the checklist of %(product)s.",
                        item=key,
                        product=line.product_id.display_name,
                    )
                )
            if value is not None:
                item._check_answer(value)
                result[item] = value
        return result

    @api.model
    def _is_sheet_free(self, line, result):
        """Tell whether nobody looks at the goods: by policy, or because they never come."""
        return not line.policy_id.inspection_required or (
            result['disposition'] and result['disposition'].action == 'keep'
        )

    @api.model
    def _prepare_answer_vals(self, item, value):
        """Prepare the answer to one item. Override to add values."""
        return {
            'item_id': item.id,
            'name': item.name,
            'kind': item.kind,
            'answer': value if item.kind == 'yes_no' else False,
            'number': value if item.kind == 'number' else 0.0,
            'is_well': item._is_well(value),
        }

    @api.model
    def _get_proposed_grade(self, company, answers):
        """Return the grade that answers stand for: the worst of what is not well.

        :param dict answers: `{item: answer}`
        :return: the best grade when all is well, an empty one without answers.
        :rtype: sale.return.grade
        """
        # sudo: grades are no secret.
        grades = self.env['sale.return.grade'].sudo()
        if not answers:
            return grades
        grades = grades.search([('company_id', 'in', [company.id, False])])
        worst = grades.browse().union(
            *[item.fail_grade_id for item, value in answers.items() if not item._is_well(value)]
        )
        return worst.sorted('sequence')[-1:] or grades[:1]

    # === RULES === #

    @api.model
    def _apply_rules(self, lines, results):
        """Let the goods of results go the way of the rules, unless a note says why not.

        :param list results: completed results; they get `disposition` and `proposed`.
        """
        by_id = {line.id: line for line in lines}
        pairs = [(by_id[result['line_id']], result['grade']) for result in results]
        rules = self.env['sale.return.disposition.rule']._match(pairs)
        for (line, _grade), rule, result in zip(pairs, rules, results, strict=True):
            given, proposed = result['disposition'], rule.disposition_id
            if not proposed or (given and self._is_sheet_free(line, result)):
                continue
            result['proposed'] = proposed
            if not given:
                result['disposition'] = proposed
            elif given != proposed and not (result.get('note') or '').strip():
                raise UserError(
                    self.env._(
                        "The rules send %(product)s of grade %(grade)s the way “%(proposed)s”. "
                        "Say in the note why it goes the way “%(given)s”.",
                        product=line.product_id.display_name,
                        grade=result['grade'].code or self.env._("unknown"),
                        proposed=proposed.name,
                        given=given.name,
                    )
                )

    @api.model
    def _prepare_inspection_vals(self, lines, result):
        """Extend to keep the answers and what the rules proposed."""
        return super()._prepare_inspection_vals(lines, result) | {
            'answer_ids': [Command.create(vals) for vals in result.get('answer_vals', [])],
            'proposed_disposition_id': result['proposed'].id if 'proposed' in result else False,
        }

    @api.model
    def _log_inspections(self, rows):
        """Extend to log who has overridden the rules, and why."""
        result = super()._log_inspections(rows)
        self.env['sale.return.event']._log(
            [
                {
                    'return_id': row.return_id.id,
                    'line_id': row.line_id.id,
                    'kind': 'override',
                    'reason': row.note,
                    'details': f"{row.product_id.display_name} · "
                    f"{row.proposed_disposition_id.name} → {row.disposition_id.name}",
                }
                for row in rows
                if row.proposed_disposition_id and row.proposed_disposition_id != row.disposition_id
            ]
        )
        return result
