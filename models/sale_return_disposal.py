import math
from collections import defaultdict

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import clean_context

from ..const import LIABILITIES, SUPPORTED_ACTIONS

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
    }
)


class SaleReturnDisposal(models.AbstractModel):
    """Service: record what the inspection found, and move the goods out of quarantine.

        restock     Quarantine ──► WH/Stock           done
        scrap       Quarantine ──► Scrapped returns   done
        send_back   Quarantine ──► Customers          ready, done when the parcel leaves

    Each inspection row has a move of its own, which is why nothing is moved twice.
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
        vals_list = [self._prepare_inspection_vals(lines, result) for result in results]
        if not vals_list:
            raise UserError(self.env._("There is nothing to inspect."))
        # sudo: rows are evidence, nobody writes them by himself; the callers have checked the
        # group. Moving the goods is part of inspecting them and asks for no rights in Inventory.
        service = self.sudo().with_context(clean_context(self.env.context))
        lines = lines.with_env(service.env)
        buckets = service.env['sale.return.quarantine']._get_buckets(lines)
        service.env['sale.return.quarantine']._ensure_in_quarantine(lines, vals_list, buckets)
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
        if not isinstance(result, dict) or (unknown := set(result) - RESULT_KEYS):
            raise UserError(
                self.env._(
                    "An inspection result has the entries %(keys)s, not %(unknown)s.",
                    keys=", ".join(sorted(RESULT_KEYS)),
                    unknown=", ".join(sorted(unknown)) if isinstance(result, dict) else result,
                )
            )
        line = self._get_result_line(lines, result)
        company = line.company_id
        disposition = self._find_configuration(
            'sale.return.disposition', result.get('disposition'), company
        )
        grade = self._find_configuration('sale.return.grade', result.get('grade'), company)
        self._ensure_disposition(line, disposition)
        quantity = result.get('quantity')
        number = isinstance(quantity, int | float) and not isinstance(quantity, bool)
        if (
            not number
            or not math.isfinite(quantity)
            or line.product_uom_id.compare(quantity, 0.0) <= 0
        ):
            raise UserError(
                self.env._(
                    "The inspected quantity of %(product)s must be more than zero.",
                    product=line.product_id.display_name,
                )
            )
        liability = result.get('liability') or line.reason_id.default_liability
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
            'lot_id': self._get_result_lot(line, result.get('lot')).id,
            'grade_id': grade.id,
            'disposition_id': disposition.id,
            'liability': liability,
            'note': result.get('note'),
            'inspector_id': self.env.uid,
        }

    @api.model
    def _get_result_line(self, lines, result):
        """Return the line a result is about."""
        line = lines
        if result.get('line_id'):
            line = lines.filtered(lambda line: line.id == result['line_id'])
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

    @api.model
    def _get_result_lot(self, line, reference):
        """Return the lot that a result names by name or id; empty for untracked products."""
        lots = self.env['stock.lot'].sudo()  # inspectors see the lots of the goods before them
        if line.product_id.tracking == 'none':
            return lots
        if not reference:
            raise UserError(
                self.env._(
                    "%(product)s is tracked: say which lot or serial number was inspected.",
                    product=line.product_id.display_name,
                )
            )
        field = 'name' if isinstance(reference, str) else 'id'
        lot = lots.search(
            [
                (field, '=', reference),
                ('product_id', '=', line.product_id.id),
                ('company_id', 'in', [line.company_id.id, False]),
            ],
            limit=1,
        )
        if not lot:
            raise UserError(
                self.env._(
                    "%(lot)s is no lot or serial number of %(product)s.",
                    lot=reference,
                    product=line.product_id.display_name,
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

    # === MOVE THE GOODS === #

    @api.model
    def _move_goods(self, rows, buckets):
        """Move the goods of rows the way of their dispositions, one transfer per way.

        :param rows: new `sale.return.inspection` records.
        :param dict buckets: what `_get_buckets` gave before the rows were created.
        """
        for action, group in rows.grouped(lambda row: row.disposition_id.action).items():
            getattr(self, f'_dispose_{action}')(group, buckets)

    @api.model
    def _dispose_restock(self, rows, buckets):
        """Put goods back to stock."""
        for warehouse, group in rows.grouped(lambda row: row.return_id.warehouse_id).items():
            vals = self._prepare_transfer_vals(
                group, warehouse.int_type_id, warehouse.lot_stock_id, buckets
            )
            transfer = self._create_transfer(vals)
            transfer.move_line_ids._apply_putaway_strategy()
            self._finish_transfer(transfer)

    @api.model
    def _dispose_scrap(self, rows, buckets):
        """Scrap goods."""
        for row in rows:
            self._ensure_scrap_account(row)
        for warehouse, group in rows.grouped(lambda row: row.return_id.warehouse_id).items():
            location = warehouse.company_id._get_sale_return_scrap_location()
            vals = self._prepare_transfer_vals(group, warehouse.int_type_id, location, buckets)
            self._finish_transfer(self._create_transfer(vals))

    @api.model
    def _ensure_scrap_account(self, row):
        """Refuse to scrap what the ledger values in real time without an account to book it on."""
        company = row.company_id
        product = row.product_id.with_company(company)
        if product.valuation == 'real_time' and not company.sale_return_scrap_account_id:
            raise UserError(
                self.env._(
                    "%(product)s cannot be scrapped: company %(company)s has no account for "
                    "scrapped returns. Set it in the settings of Returns, or the ledger would "
                    "keep the value of goods that are gone.",
                    product=product.display_name,
                    company=company.name,
                )
            )

    @api.model
    def _dispose_send_back(self, rows, buckets):
        """Prepare deliveries that take rejected goods back to their customers."""
        for sale_return, group in rows.grouped('return_id').items():
            warehouse = sale_return.warehouse_id
            location = (
                group.line_id.sale_line_id.order_id[:1]
                .partner_shipping_id.with_company(sale_return.company_id)
                .property_stock_customer
            )
            vals = self._prepare_transfer_vals(
                group, warehouse.out_type_id, location, buckets, origin=True
            )
            vals['partner_id'] = (
                sale_return.sale_order_ids[:1].partner_shipping_id or sale_return.partner_id
            ).id
            # One delivery per return: each goes to its own customer.
            self._create_transfer(vals)

    @api.model
    def _prepare_transfer_vals(self, rows, picking_type, location_dest, buckets, origin=False):
        """Prepare the transfer that takes the goods of rows out of quarantine.

        :param rows: `sale.return.inspection` records of one warehouse.
        :param picking_type: `stock.picking.type` of the transfer.
        :param location_dest: `stock.location` where the goods go.
        :param dict buckets: what lies in quarantine; what the rows take is taken out of it.
        :param bool origin: True to link the moves to the order line and to the receipts they
            undo: the goods are at the customer's again.
        :return: values for `stock.picking.create`.
        :rtype: dict
        """
        moves = []
        for row in rows:
            line = row.line_id
            parts = self.env['sale.return.quarantine']._take(
                buckets[line],
                row.lot_id,
                self.env['sale.return.quarantine']._get_stock_quantity(line, row.quantity),
            )
            by_receipt = defaultdict(list)
            for bucket, quantity in parts:
                by_receipt[bucket['move']].append((bucket, quantity))
            moves += [
                self._prepare_move_vals(row, receipt, group, picking_type, location_dest, origin)
                for receipt, group in by_receipt.items()
            ]
        quarantine = rows.return_id.warehouse_id.sale_return_loc_id
        return {
            'picking_type_id': picking_type.id,
            'company_id': rows.company_id.id,
            'location_id': quarantine.id,
            'location_dest_id': location_dest.id,
            'origin': ", ".join(rows.return_id.mapped('name')),
            'move_ids': [Command.create(vals) for vals in moves],
        }

    @api.model
    def _prepare_move_vals(self, row, receipt, parts, picking_type, location_dest, origin):
        """Prepare the move of one row. Override to add values.

        It has no link to other moves (chain-free), or it would reserve from where the origin
        came instead of from quarantine.
        """
        product = row.product_id
        vals = {
            'product_id': product.id,
            'product_uom': product.uom_id.id,
            'product_uom_qty': sum(quantity for _bucket, quantity in parts),
            'picking_type_id': picking_type.id,
            'company_id': row.company_id.id,
            'location_id': parts[0][0]['location'].id,
            'location_dest_id': location_dest.id,
            'procure_method': 'make_to_stock',
            'origin': row.return_id.name,
            'sale_return_line_id': row.line_id.id,
            'sale_return_inspection_id': row.id,
            'move_line_ids': [
                Command.create(
                    {
                        'product_id': product.id,
                        'product_uom_id': product.uom_id.id,
                        'quantity': quantity,
                        'lot_id': bucket['lot'].id,
                        'owner_id': bucket['owner'].id,
                        'package_id': bucket['package'].id,
                        'location_id': bucket['location'].id,
                        'location_dest_id': location_dest.id,
                        'company_id': row.company_id.id,
                    }
                )
                for bucket, quantity in parts
            ],
        }
        if origin:
            vals.update(
                sale_line_id=row.line_id.sale_line_id.id,
                origin_returned_move_id=receipt.id,
                to_refund=True,
            )
        return vals

    @api.model
    def _create_transfer(self, vals):
        """Create and confirm a transfer whose goods are reserved by its move lines.

        The lines come with their moves: they reserve all that is moved, so that the confirmation
        (of types that reserve by themselves) finds nothing left to reserve.
        """
        transfer = self.env['stock.picking'].sudo().create(vals)
        moves = transfer.move_ids
        moves.move_line_ids.picking_id = transfer
        moves._action_confirm(merge=False)
        moves.filtered(lambda move: move.state != 'assigned')._action_assign()
        return transfer

    @api.model
    def _finish_transfer(self, transfer):
        """Do a transfer whose goods are reserved completely."""
        transfer.move_ids.picked = True
        transfer._action_done()

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
                                f"{row.quantity:g} {row.product_uom_id.name}",
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
