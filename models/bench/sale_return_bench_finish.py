from collections import defaultdict

from odoo import api, models
from odoo.exceptions import UserError

from ..reception.const import FOREIGN_KINDS


class SaleReturnBench(models.AbstractModel):
    """Finishing a parcel: counted goods are received, inspected and credited, all or nothing.

    Everything is done by the same services as elsewhere: `sale.return.bulk` receives,
    `sale.return.disposal` inspects and moves, `register_discrepancies` separates goods that do not
    belong to the returns.
    """

    _inherit = 'sale.return.bench'

    @api.model
    def _finish(self, desk):
        if not desk.items:
            return self._reject('nothing_counted')
        desk.set('question', None)
        for item in desk.items.values():
            if missing := self._get_missing(desk, item):
                desk.set('current', item['id'])
                labels = self._get_missing_labels()
                return self._reject(
                    'incomplete',
                    products=item['name'],
                    missing=", ".join(labels[name] for name in missing),
                )
        try:
            with self.env.cr.savepoint():
                result = self._book(desk)
                self.env.flush_all()
        except UserError as error:
            return self._reject('failed', reason=str(error.args[0]))
        self._wipe(desk)
        return self._tell_finish(result)

    @api.model
    def _tell_finish(self, result):
        """Return the outcome of a parcel that was finished."""
        returns = result['returns']
        values = {
            'returns': ", ".join(entry['name'] for entry in returns),
            'credited': " + ".join(entry['credited'] for entry in returns if entry['credited']),
            'missing': sum(entry['missing'] for entry in returns),
        }
        following = [sentence for entry in returns for sentence in entry['next']]
        if values['credited']:
            key = 'finished'
        elif values['missing']:
            key = 'finished_short'
        elif any(entry['credit_follows'] for entry in returns):
            key = 'finished_later'
        else:
            key = 'finished_next' if following else 'finished_done'
        answer = self._accept('finished', key, result=result, **values)
        # Whole sentences; each names its customer.
        answer['message'] = " ".join([answer['message'], *following])
        return answer

    @api.model
    def _wipe(self, desk):
        """Clear the desk for good: bookings cannot be undone here."""
        # sudo: written by this service only.
        bench = self.sudo()
        items = bench.env['sale.return.bench.item'].search([('session_id', '=', desk.session.id)])
        # Their content was stored with the inspection rows.
        items.file_ids.unlink()
        items.unlink()
        bench.env['sale.return.bench.work'].browse(w['id'] for w in desk.works.values())._remove()
        bench.env['sale.return.bench.step']._forget(desk.session)
        desk.works, desk.items, desk.last_step = {}, {}, None
        for name in ('current', 'parcel', 'parcel_id', 'question'):
            desk.set(name, None)
        desk.journal, desk.label = [], None

    # === BOOK === #

    @api.model
    def _book(self, desk):
        """Receive, record discrepancies, inspect, and credit.

        :return: see `finish` in docs/bench.md.
        :rtype: dict
        :raise UserError: when something is not possible; the caller rolls it back.
        """
        # sudo: inspectors need no rights in Sales, Inventory or Accounting; these returns are on
        # their desk, which requires the right to see them.
        returns = self.env['sale.return'].sudo().browse(desk.works)
        notes_before = returns.credit_note_ids
        counted = [item for item in desk.items.values() if item['kind'] == 'expected']
        received_before = {r: sum(r.line_ids.mapped('qty_received')) for r in returns}
        self._receive(desk, counted)
        discrepancies = self._register_discrepancies(desk, returns)
        rows = self._inspect(returns, counted)
        returns._after_step()
        return {
            'returns': [
                self._prepare_return_result(
                    sale_return, notes_before, received_before[sale_return], discrepancies
                )
                for sale_return in returns
            ],
            'inspection_ids': rows.ids,
            'label_ids': rows._filter_put_away().ids,
        }

    @api.model
    def _receive(self, desk, items):
        """Validate the receipts for counted goods that are not received yet."""
        lines = self.env['sale.return.line'].sudo()
        quarantine = self.env['sale.return.quarantine']
        counted = defaultdict(lambda: defaultdict(float))
        for item in items:
            line = lines.browse(item['line_id'])
            product = line.product_id.browse(item['product_id'])
            lot = self.env['sale.return.disposal']._get_result_lot(
                line, item['lot_name'] or None, product
            )
            counted[line, product][lot.id] += item['quantity']
        all_lines = lines.union(*[line for line, _product in counted])
        buckets = quarantine._get_buckets(all_lines)
        wanted = []
        for (line, product), quantities in counted.items():
            for bucket in buckets[line]:
                if bucket['product'] == product and bucket['lot'].id in quantities:
                    quantities[bucket['lot'].id] -= bucket['quantity']
            coming = {
                lot: qty for lot, qty in quantities.items() if product.uom_id.compare(qty, 0) > 0
            }
            if coming:
                wanted.append((line, product, coming))
        self.env['sale.return.bulk']._receive_quantities(wanted)
        for line, product, rest in wanted:
            # `_receive_quantities` removes what it has received.
            if any(product.uom_id.compare(qty, 0) > 0 for qty in rest.values()):
                self._refuse_not_expected(line, product, sum(rest.values()))

    @api.model
    def _refuse_not_expected(self, line, product, quantity):
        raise UserError(
            self.env._(
                "%(quantity)s %(unit)s of %(product)s are not expected by return %(return)s any "
                "more: somebody has received them, or their receipt was cancelled.",
                quantity=self._format_number(quantity),
                unit=product.uom_id._get_name_after(quantity),
                product=product.display_name,
                **{'return': line.return_id.name},
            )
        )

    @api.model
    def _inspect(self, returns, items):
        """Register the results.

        :return: the new rows.
        :rtype: sale.return.inspection
        """
        waiting = defaultdict(list)
        lines = self.env['sale.return.line'].sudo()
        mine = lines.browse({item['line_id'] for item in items})
        for result in self.env['sale.return.quarantine']._get_open_results(mine):
            waiting[result['line_id']].append(result)
        # Where the policy requires no inspection, the receipt has already done it.
        todo = [item for item in items if waiting.get(item['line_id'])]
        results = [self._prepare_result(lines.browse(item['line_id']), item) for item in todo]
        if not results:
            return self.env['sale.return.inspection']
        service = self.env['sale.return.disposal']
        return service._register_results(
            mine.with_env(self.env).filtered(lambda line: waiting.get(line.id)), results
        )

    @api.model
    def _prepare_result(self, line, item):
        """Prepare the result of an item. Override to add entries.

        :return: see `sale.return.line.register_inspection`.
        :rtype: dict
        """
        is_kit = item['product_id'] != line.product_id.id
        product = line.product_id.browse(item['product_id'])
        quantity = item['quantity']
        if not is_kit:
            quantity = line._get_measure().from_stock(quantity)
        files = self._get_files(item)
        answers = {int(key): value for key, value in (item['answers'] or {}).items()}
        for question in {file['question'] for file in files} - {0}:
            answers[question] = [
                {'name': file['name'], 'raw': file['raw']}
                for file in files
                if file['question'] == question
            ]
        proposed = line.policy_id.default_disposition_id.filtered('active')
        disposition = item['disposition_id'] or proposed.id
        return {
            'line_id': line.id,
            'product': product.id if is_kit else False,
            'lot': item['lot_name'] or False,
            'quantity': quantity,
            'grade': item['grade_id'] or False,
            'disposition': disposition,
            'liability': item['liability'] or None,
            'note': item['note'] or None,
            'answers': answers,
            'files': [
                {'name': file['name'], 'raw': file['raw']} for file in files if not file['question']
            ],
        }

    @api.model
    def _get_files(self, item):
        """Return the photos of an item, `{name, raw, question}`."""
        # sudo: only photos taken at this desk.
        files = self.env['sale.return.file'].sudo().search([('bench_item_id', '=', item['id'])])
        return [
            {'name': file.name, 'raw': file.attachment_id.raw, 'question': file.bench_question}
            for file in files
        ]

    # === DISCREPANCIES === #

    @api.model
    def _register_discrepancies(self, desk, returns):
        """Register discrepancies; goods that do not belong here are separated.

        :return: the new discrepancies.
        :rtype: sale.return.discrepancy
        """
        by_return = defaultdict(list)
        for item in desk.items.values():
            if item['kind'] != 'expected':
                by_return[item['return_id']].append(item)
        records = self.env['sale.return.discrepancy'].sudo()
        for sale_return in returns.filtered(lambda r: r.id in by_return):
            values = [
                self._prepare_discrepancy(sale_return, item) for item in by_return[sale_return.id]
            ]
            # One call per return: one parcel has few returns.
            found = sale_return.with_env(self.env).register_discrepancies(values)
            records |= found.sudo()
        return records

    @api.model
    def _prepare_discrepancy(self, sale_return, item):
        """Prepare an entry for `register_discrepancies`. Override to add values."""
        line = sale_return.line_ids.filtered(lambda l: l.id == item['line_id'])
        kind, quantity = item['kind'], item['quantity']
        product = line.product_id.browse(item['product_id'])
        if kind in FOREIGN_KINDS and (not line or line.product_id != product):
            kind = 'wrong_product'  # also too many of a component of a kit
        if kind != 'wrong_product':
            quantity = line._get_measure().from_stock(quantity)
        return {
            'kind': kind,
            'quantity': quantity,
            'line_id': line.id if kind != 'wrong_product' else None,
            'product_id': product.id if kind == 'wrong_product' else None,
            'lot': item['lot_name'] or None,
            'note': item['note'] or None,
            'files': [{'name': f['name'], 'raw': f['raw']} for f in self._get_files(item)],
        }

    # === RESULT === #

    @api.model
    def _prepare_return_result(self, sale_return, notes_before, received_before, discrepancies):
        """Prepare the data about a return for the client. Override to add entries."""
        notes = (sale_return.credit_note_ids - notes_before).filtered(
            lambda note: note.state != 'cancel'
        )
        posted = notes.filtered(lambda note: note.state == 'posted')
        totals = defaultdict(float)
        for note in posted:
            totals[note.currency_id] += note.amount_total
        lines = sale_return.line_ids
        return {
            'id': sale_return.id,
            'name': sale_return.name,
            'state': sale_return.state,
            'received': sum(lines.mapped('qty_received')) - received_before,
            'missing': sum(line._get_qty_missing() for line in lines),
            'next': sale_return._describe_next(),
            'credit_follows': 'credit' in sale_return._get_open_steps(),
            'credited': " + ".join(currency.format(total) for currency, total in totals.items()),
            'credit_notes': posted.mapped('name'),
            'credit_pending': any(line._has_open_credit() for line in lines),
            'discrepancies': discrepancies.filtered(lambda d: d.return_id == sale_return).mapped(
                'name'
            ),
        }
