import math
from collections import defaultdict

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import clean_context

from ...const import LIABILITIES
from ...tools.context import in_force

RESULT_KEYS = frozenset(
    {
        'quantity',
        'disposition',
        'grade',
        'lot',
        'liability',
        'note',
        'line_id',
        'attachment_ids',
        'files',
        'answers',
        'product',
    }
)


class SaleReturnDisposal(models.AbstractModel):
    """Service: record what the inspection found, and move the goods out of quarantine.

        restock     Quarantine ──► WH/Stock           done, or ready to be put away
        refurbish   Quarantine ──► Refurbishing       done
        scrap       Quarantine ──► Scrapped returns   done
        vendor      Quarantine ──► Vendors            ready, one transfer per vendor
        send_back   Quarantine ──► Customers          ready, done when the parcel leaves
        keep        nothing moves: the goods have not come and are not expected any more

    Each inspection row has its own moves, so nothing is moved twice.

    Its other parts: `sale_return_disposal_correction.py`, `sale_return_disposal_transfers.py`.
    """

    _name = 'sale.return.disposal'

    _description = "Return Disposal"

    # === REGISTER === #

    @api.model
    def _register_results(self, lines, results):
        """Create the inspection rows of results and move their goods.

        :param lines: `sale.return.line` records that the results may name.
        :param list results: see `sale.return.line.register_inspection`.
        :return: the new rows, in the order of the results.
        :rtype: sale.return.inspection
        :raise UserError: when a result is wrong; nothing is recorded then.
        """
        if not results:
            raise UserError(self.env._("There is nothing to inspect."))
        kits = self.env['sale.return.kit']
        results = self._complete_results(lines, kits._expand_results(lines, results))
        vals_list = [self._prepare_inspection_vals(lines, result) for result in results]
        # sudo: rows are evidence, nobody writes them directly; the callers have checked the group.
        # Moving the goods is part of inspecting them and needs no rights in Inventory.
        service = self.sudo().with_context(clean_context(self.env.context))
        lines = lines.with_env(service.env)
        buckets = service.env['sale.return.quarantine']._get_buckets(lines)
        keep = service.env['sale.return.disposition'].search([('action', '=', 'keep')]).ids
        kept = [vals for vals in vals_list if vals['disposition_id'] in keep]
        coming = [vals for vals in vals_list if vals['disposition_id'] not in keep]
        service.env['sale.return.quarantine']._ensure_in_quarantine(lines, coming, buckets)
        kits._set_kit_quantities(lines, coming, buckets)
        kits._set_kept_quantities(lines, kept)
        self._ensure_may_leave(lines.browse({vals['line_id'] for vals in kept}))
        service._ensure_keepable(lines, kept)
        kept_quantities = defaultdict(float)
        for vals in kept:
            kept_quantities[lines.browse(vals['line_id'])] += vals['quantity']
        self.env['sale.return.unbacked']._note_kept(kept_quantities)
        rows = service.env['sale.return.inspection'].create(vals_list)
        service._move_goods(rows, buckets)
        service._log_inspections(rows)
        rows = rows.with_env(self.env)
        self.env['sale.return.file']._keep_results(rows, results)
        return rows

    @api.model
    def _prepare_found_vals(self, lines, result):
        """Check one result and turn it into values of a row.

        :raise UserError: naming the problem.
        """
        line = self._get_result_line(lines, result)
        company = line.company_id
        disposition = self._find_configuration(
            'sale.return.disposition', result.get('disposition'), company
        )
        grade = self._find_configuration('sale.return.grade', result.get('grade'), company)
        self._ensure_disposition(line, disposition)
        component = self._get_result_component(line, result, disposition)
        product = component or line.product_id
        quantity = result.get('quantity')
        number = isinstance(quantity, int | float) and not isinstance(quantity, bool)
        is_zero = component.uom_id.is_zero if component else line._get_measure().is_zero
        if not number or not math.isfinite(quantity) or quantity < 0 or is_zero(quantity):
            raise UserError(
                self.env._(
                    "The inspected quantity of %(product)s must be more than zero.",
                    product=product.display_name,
                )
            )
        if not component:
            quantity = self._get_whole_quantity(line, quantity)
        liability = result.get('liability') or line._get_default_liability()
        if liability not in dict(LIABILITIES):
            raise UserError(
                self.env._(
                    "“%(liability)s” cannot be liable. Choose one of %(choices)s.",
                    liability=liability,
                    choices=", ".join(dict(LIABILITIES)),
                )
            )
        return {
            'line_id': line.id,
            'quantity': quantity,
            'component_id': component.id,
            'component_qty': quantity if component else 0.0,
            'lot_id': self._get_result_lot(line, result.get('lot'), product).id,
            'grade_id': grade.id,
            'disposition_id': disposition.id,
            'liability': liability,
            'note': result.get('note'),
            'inspector_id': self.env.uid,
        }

    @api.model
    def _prepare_inspection_vals(self, lines, result):
        """Prepare the values of one row. Override to add values."""
        return self._prepare_found_vals(lines, result) | {
            'answer_ids': [Command.create(vals) for vals in result.get('answer_vals', [])],
            'proposed_disposition_id': result['proposed'].id if 'proposed' in result else False,
        }

    @api.model
    def _ensure_result(self, result):
        """Refuse values that are not a result, or have unknown entries."""
        if not isinstance(result, dict) or (unknown := set(result) - RESULT_KEYS):
            raise UserError(
                self.env._(
                    "An inspection result has the entries %(keys)s, not %(unknown)s.",
                    keys=", ".join(sorted(RESULT_KEYS)),
                    unknown=", ".join(sorted(unknown)) if isinstance(result, dict) else result,
                )
            )

    @api.model
    def _get_result_line(self, lines, result):
        """Return the line a result is about."""
        line = lines
        if result.get('line_id'):
            known = isinstance(result['line_id'], int) and result['line_id'] in lines._ids
            line = lines.browse(result['line_id'] if known else []).with_prefetch(lines.ids)
        if len(line) != 1:
            raise UserError(self.env._("Enter the return line of each inspection result."))
        if line.return_id.state != 'approved':
            raise UserError(
                self.env._(
                    "Return %(return)s is not approved (or closed), so its goods cannot be "
                    "inspected.",
                    **{'return': line.return_id.name},
                )
            )
        return line

    @api.model
    def _get_result_component(self, line, result, disposition):
        """Return the component of a kit that a result is about, empty for other lines.

        :raise UserError: when the result names another product than that of its line.
        """
        product = result.get('product')
        kits = self.env['sale.return.kit']
        if line.sale_line_id._is_return_kit():
            if disposition.action == 'keep' and not product:
                return line.product_id.browse()  # whole kits that have not come
            return kits._find_component(line, product)
        if product and not kits._is_named(line.product_id, product):
            raise UserError(
                self.env._(
                    "%(line)s in return %(return)s is not a kit: its result cannot be about "
                    "another product.",
                    line=line.product_id.display_name,
                    **{'return': line.return_id.name},
                )
            )
        return line.product_id.browse()

    @api.model
    def _ensure_disposition(self, line, disposition):
        """Refuse a result without disposition, or with one that cannot be carried out.

        An add-on that adds an action adds `_dispose_<action>`, too; an uninstalled one leaves its
        dispositions behind.
        """
        if not disposition:
            raise UserError(
                self.env._(
                    "Enter what happens to %(product)s: the inspection result has no disposition.",
                    product=line.product_id.display_name,
                )
            )
        if not hasattr(self, f'_dispose_{disposition.action}'):
            raise UserError(
                self.env._(
                    "“%(disposition)s” cannot be carried out: the add-on for it is not "
                    "installed. Choose another disposition for %(product)s.",
                    disposition=disposition.name,
                    product=line.product_id.display_name,
                )
            )
        if disposition.action == 'scrap':
            self._ensure_scrap_account(line)

    @api.model
    def _get_whole_quantity(self, line, quantity):
        """Return the quantity that can be counted in stock and is displayed the same.

        :raise UserError: when the unit in which the goods move cannot express it.
        """
        measure = line._get_measure()
        # sudo: users who inspect need not read the moves of a kit.
        known = line.sudo()
        whole = known._get_qty_to_inspect() or known._get_qty_missing()
        counted = measure.interpret(quantity, whole=whole)
        if not line.product_uom_id.compare(counted, quantity) or (
            measure.compare(counted, whole) == 0 and not measure.is_zero(whole)
        ):
            return counted
        raise UserError(
            self.env._(
                "%(quantity)s %(unit)s of %(product)s is not a whole quantity of "
                "%(stock_unit)s. Inspect %(proposal)s instead.",
                quantity=quantity,
                unit=line.product_uom_id._get_name_after(quantity),
                product=line.product_id.display_name,
                stock_unit=line.product_id.uom_id.name,
                proposal=counted or measure.rounding,
            )
        )

    @api.model
    def _get_result_lot(self, line, reference, product=None):
        """Return the lot that a result names by name or id; empty for untracked products.

        :param product: the component of a kit, by default the product of the line.
        """
        product = product or line.product_id
        lots = self.env['stock.lot'].sudo()  # inspectors see the lots of the goods before them
        if product.tracking == 'none':
            return lots
        if not reference:
            waiting = self.env['sale.return.quarantine']._get_open_quantities(line).get(line, {})
            mine = [lot for lot in waiting if lot.product_id == product]
            if len(mine) == 1:
                return mine[0].with_env(lots.env)
            raise UserError(
                self.env._(
                    "%(product)s is tracked: enter the lot or serial number that was inspected.",
                    product=product.display_name,
                )
            )
        field = 'name' if isinstance(reference, str) else 'id'
        lot = lots.search(
            [
                (field, '=', reference),
                ('product_id', '=', product.id),
                ('company_id', 'in', [line.company_id.id, False]),
            ],
            limit=1,
        )
        if not lot:
            raise UserError(
                self.env._(
                    "%(lot)s is not a lot or serial number of %(product)s.",
                    lot=reference,
                    product=product.display_name,
                )
            )
        return lot

    @api.model
    def _find_configuration(self, model, reference, company):
        """Return the grade or disposition that a client names by code or id.

        :param str model: `sale.return.grade` or `sale.return.disposition`.
        :param reference: code (str), id (int), record, or nothing.
        :param record company: `res.company`; its own codes win over shared ones.
        :return: one record, or an empty one for an empty reference.
        :raise UserError: when there is no such record for the company.
        """
        # sudo: grades and dispositions are not secret, and operators may have no role in Returns.
        records = in_force(self.env[model].sudo())
        if not reference:
            return records
        if isinstance(reference, models.BaseModel):
            # Callers with a batch have already looked it up; clients cannot pass records.
            return reference
        field = 'code' if isinstance(reference, str) else 'id'
        found = records.search(
            [(field, '=', reference), ('company_id', 'in', [company.id, False])],
            order='company_id, sequence, id',
            limit=1,
        )
        if not found:
            raise UserError(
                self.env._(
                    "There is no %(model)s “%(reference)s” for company %(company)s.",
                    model=records._description,
                    reference=reference,
                    company=company.name,
                )
            )
        return found

    # === LOG === #

    @api.model
    def _log_inspections(self, rows):
        """Write the event of each row."""
        self.env['sale.return.event']._log(
            [
                {
                    'return_id': row.return_id.id,
                    'line_id': row.line_id.id,
                    'kind': 'inspected',
                    'reason': row.note,
                    'details': " · ".join(
                        filter(
                            None,
                            [
                                row._get_quantity_text(),
                                row.product_id.display_name,
                                row.lot_id.name,
                                row.grade_id.code,
                                row.disposition_id.name,
                            ],
                        )
                    ),
                }
                for row in rows
            ]
        )
        # Log who has overridden the rules, and why.
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

    # === SHEET === #

    # The inspection sheet: answers propose the grade, the grade proposes the disposition.

    @api.model
    def _complete_results(self, lines, results):
        """Complete results with what follows from their answers and the rules, all at once.

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
                self.env._("Enter the answers of a checklist as pairs of item and answer.")
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
                        "“%(item)s” is not an item of the checklist of %(product)s.",
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
        """Tell whether nobody inspects the goods: by policy, or because they never come."""
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
        """Return the grade that follows from answers: the worst of the unsatisfactory ones.

        :param dict answers: `{item: answer}`
        :return: the best grade when all are satisfactory, an empty one without answers.
        :rtype: sale.return.grade
        """
        # sudo: grades are not secret.
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
        """Apply the disposition of the rules to results, unless a note gives the reason not to.

        :param list results: completed results; they get `disposition` and `proposed`.
        """
        by_id = {line.id: line for line in lines}
        pairs = [(by_id[result['line_id']], result['grade']) for result in results]
        rules = self.env['sale.return.disposition.rule']._match(pairs)
        for (line, _grade), rule, result in zip(pairs, rules, results, strict=True):
            given, proposed = result['disposition'], rule.disposition_id
            if not proposed or (given and self._is_sheet_free(line, result)):
                continue
            if given and not rule.note_required:
                continue  # it only proposes
            result['proposed'] = proposed
            if not given:
                result['disposition'] = proposed
            elif given != proposed and not (result.get('note') or '').strip():
                raise UserError(
                    self.env._(
                        "The rules propose “%(proposed)s” for %(product)s in condition "
                        "%(grade)s. Enter in the note why “%(given)s” is chosen.",
                        product=line.product_id.display_name,
                        grade=result['grade'].code or "–",
                        proposed=proposed.name,
                        given=given.name,
                    )
                )
