import math

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import clean_context

from ...const import LIABILITIES, SUPPORTED_ACTIONS

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

    Each inspection row has moves of its own, which is why nothing is moved twice.
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
        # sudo: rows are evidence, nobody writes them by himself; the callers have checked the
        # group. Moving the goods is part of inspecting them and asks for no rights in Inventory.
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
        rows = service.env['sale.return.inspection'].create(vals_list)
        service._move_goods(rows, buckets)
        service._log_inspections(rows)
        rows = rows.with_env(self.env)
        self.env['sale.return.file']._keep_results(rows, results)
        return rows

    @api.model
    def _prepare_inspection_vals(self, lines, result):
        """Check one result and turn it into values of a row. Override to add values.

        :raise UserError: naming what is wrong with it.
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
        uom = component.uom_id or line.product_uom_id
        number = isinstance(quantity, int | float) and not isinstance(quantity, bool)
        if not number or not math.isfinite(quantity) or uom.compare(quantity, 0.0) <= 0:
            raise UserError(
                self.env._(
                    "The inspected quantity of %(product)s must be more than zero.",
                    product=product.display_name,
                )
            )
        if not component:
            self._ensure_whole_quantity(line, quantity)
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
    def _ensure_result(self, result):
        """Refuse what is no result, or has entries nobody knows."""
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
            raise UserError(
                self.env._(
                    "Say for each inspection result to which of the return lines it belongs."
                )
            )
        if line.return_id.state != 'approved':
            raise UserError(
                self.env._(
                    "Return %(return)s is not approved (or closed), so nothing of it can be "
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
                    "%(line)s in return %(return)s is no kit: its result cannot be about another "
                    "product.",
                    line=line.product_id.display_name,
                    **{'return': line.return_id.name},
                )
            )
        return line.product_id.browse()

    @api.model
    def _ensure_disposition(self, line, disposition):
        """Refuse a result without disposition, or with one this version cannot carry out."""
        if not disposition:
            raise UserError(
                self.env._(
                    "Say what happens to %(product)s: the inspection result has no disposition.",
                    product=line.product_id.display_name,
                )
            )
        if disposition.action not in SUPPORTED_ACTIONS:
            raise UserError(
                self.env._(
                    "“%(disposition)s” cannot be carried out in this version. Choose another "
                    "disposition for %(product)s.",
                    disposition=disposition.name,
                    product=line.product_id.display_name,
                )
            )
        if disposition.action == 'scrap':
            self._ensure_scrap_account(line)

    @api.model
    def _ensure_whole_quantity(self, line, quantity):
        """Refuse a quantity that the unit in which the goods move cannot express."""
        stock_uom = line.product_id.uom_id
        in_stock = self.env['sale.return.quarantine']._get_stock_quantity(line, quantity)
        back = stock_uom._compute_quantity(in_stock, line.product_uom_id, round=False)
        if stock_uom.is_zero(in_stock) or line.product_uom_id.compare(back, quantity):
            raise UserError(
                self.env._(
                    "%(quantity)s %(unit)s of %(product)s is no whole quantity of "
                    "%(stock_unit)s. Inspect %(proposal)s instead.",
                    quantity=quantity,
                    unit=line.product_uom_id.name,
                    product=line.product_id.display_name,
                    stock_unit=stock_uom.name,
                    proposal=line.product_uom_id.round(back) or stock_uom.rounding,
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
            raise UserError(
                self.env._(
                    "%(product)s is tracked: say which lot or serial number was inspected.",
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
                    "%(lot)s is no lot or serial number of %(product)s.",
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
        # sudo: grades and dispositions are no secret, and operators may have no role in Returns.
        records = self.env[model].sudo()
        if not reference:
            return records
        if isinstance(reference, models.BaseModel):
            # Callers that inspect a batch have looked it up once; clients cannot pass records.
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
