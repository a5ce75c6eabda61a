from collections import defaultdict

from odoo import api, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import clean_context

from ...tools.reader import RESULT, code_of

# Lines received and inspected in one attempt. Failures are located by halving it, so a larger limit
# creates fewer transfers but makes a bad line more expensive.
BATCH_LINES = 250


class SaleReturnBulk(models.AbstractModel):
    """Service: receive and inspect many lines at once, and leave out those that fail.

    A job is a line with its results, `{'line', 'results'}`. Jobs that fail together are tried again
    in halves, until the bad ones are isolated.
    """

    _name = 'sale.return.bulk'
    _description = "Return Bulk"

    @api.model
    def _receive_and_inspect(self, returns, results, defaults):
        """Implements `sale.return.action_receive_and_inspect`.

        :param dict defaults: default entries of the results.
        """
        jobs, failed, skipped = self._collect_jobs(returns, results, defaults)
        done = self.env['sale.return.inspection']
        for start in range(0, len(jobs), BATCH_LINES):
            rows, bad = self._run_isolated(jobs[start : start + BATCH_LINES])
            done |= rows
            failed += bad
        self._log_failures(failed)
        return {'done': done.ids, 'failed': failed, 'skipped': skipped}

    # === COLLECT === #

    @api.model
    def _collect_jobs(self, returns, results, defaults):
        """Sort the lines into those to be processed, wrong ones, and those with nothing to do.

        :return: `(jobs, failures, ids of lines with nothing to do)`
        :rtype: tuple
        """
        lines = returns.line_ids.filtered('return_expected')
        by_id = {line.id: line for line in lines}
        waiting = self._get_waiting(lines)
        if results is None:
            given = {line: None for line in lines if line.state in ('approved', 'closed')}
        else:
            given = defaultdict(list)
        failed, skipped = [], []
        for result in results or []:
            if problem := code_of(RESULT, result):
                failed.append(self._describe_unreadable(by_id, result, problem))
                continue
            line = by_id.get(result.get('line_id'))
            if not line:
                failed.append(self._describe_failure(None, self._get_line_advice(result)))
                continue
            given[line].append({**defaults, **result})
        jobs = []
        unreadable = {failure['line_id'] for failure in failed}
        for line, wanted in given.items():
            if line.id in unreadable:
                continue  # a whole line or nothing
            if not waiting.get(line.id) and line._get_measure().is_zero(line._get_qty_missing()):
                skipped.append(line.id)
            else:
                jobs.append({'line': line, 'results': wanted, 'defaults': defaults})
        # Kits are checked when they move: the meaning of their results depends on what came.
        wrong = self._find_wrong(
            [
                job
                for job in jobs
                if job['results'] is not None and not job['line'].sale_line_id._is_return_kit()
            ]
        )
        failed += [self._describe_failure(line, reason) for line, reason in wrong.items()]
        return [job for job in jobs if job['line'] not in wrong], failed, skipped

    @api.model
    def _describe_unreadable(self, by_id, result, problem):
        """Describe a result that cannot be read, with its line if it names one."""
        name = result.get('line_id') if isinstance(result, dict) else None
        reader = self.env['sale.return.reader']
        return self._describe_failure(
            by_id.get(name) if isinstance(name, int) else None,
            reader._describe_argument('action_receive_and_inspect', 'results', problem),
        )

    @api.model
    def _get_line_advice(self, result):
        return self.env._(
            "“%(result)s” does not refer to a line of these returns whose goods come back.",
            result=result.get('line_id') if isinstance(result, dict) else result,
        )

    @api.model
    def _find_wrong(self, jobs):
        """Find results that cannot be right, before any goods move. Other errors appear then.

        :return: `{line: error}`
        :rtype: dict
        """
        if not jobs:
            return {}
        disposal = self.env['sale.return.disposal']
        lines = self.env['sale.return.line'].union(*[job['line'] for job in jobs])
        results = [
            {**result, 'line_id': job['line'].id} for job in jobs for result in job['results']
        ]
        try:
            for result in disposal._complete_results(lines, results):
                disposal._prepare_inspection_vals(lines, result)
            for job in jobs:
                self._ensure_expected(job)
        except UserError as error:
            if len(jobs) == 1:
                return {lines: str(error.args[0])}
            half = len(jobs) // 2
            return self._find_wrong(jobs[:half]) | self._find_wrong(jobs[half:])
        return {}

    @api.model
    def _ensure_expected(self, job):
        """Refuse results for more than has come or is expected."""
        line = job['line']
        there = line._get_qty_missing() + line._get_qty_to_inspect()
        measure = line._get_measure()
        wanted = sum(measure.interpret(result['quantity']) for result in job['results'])
        if measure.compare(wanted, there) > 0:
            raise UserError(
                self.env._(
                    "%(wanted)s %(unit)s of %(product)s cannot be inspected for return "
                    "%(return)s: only %(there)s are expected or waiting for it.",
                    wanted=wanted,
                    unit=line.product_uom_id._get_name_after(wanted),
                    product=line.product_id.display_name,
                    there=there,
                    **{'return': line.return_id.name},
                )
            )

    @api.model
    def _describe_failure(self, line, reason):
        """Describe a line that was left out, as returned to clients."""
        return {
            'line_id': line.id if line else False,
            'return_id': line.return_id.id if line else False,
            'name': f"{line.return_id.name} · {line.product_id.display_name}" if line else "",
            'reason': reason,
        }

    @api.model
    def _log_failures(self, failed):
        """Log on the returns which goods could not be processed, and why."""
        self.env['sale.return.event']._log(
            [
                {
                    'return_id': failure['return_id'],
                    'line_id': failure['line_id'],
                    'kind': 'inspection_failed',
                    'reason': failure['reason'],
                }
                for failure in failed
                if failure['return_id']
            ]
        )

    # === RUN === #

    @api.model
    def _run_isolated(self, jobs):
        """Run jobs together; if that fails, in halves.

        :return: `(inspection rows, failures)`
        :rtype: tuple
        """
        try:
            with self.env.cr.savepoint():
                return self._run(jobs), []
        except (UserError, ValidationError) as error:
            if len(jobs) == 1:
                reason = str(error.args[0])
                return (
                    self.env['sale.return.inspection'],
                    [self._describe_failure(jobs[0]['line'], reason)],
                )
        half = len(jobs) // 2
        first, bad = self._run_isolated(jobs[:half])
        second, worse = self._run_isolated(jobs[half:])
        return first | second, bad + worse

    @api.model
    def _run(self, jobs):
        """Receive and inspect the lines of jobs, all at once."""
        lines = self.env['sale.return.line'].union(*[job['line'] for job in jobs])
        self._receive(jobs)
        waiting = self._get_waiting(lines)
        results = []
        for job in jobs:
            line = job['line']
            if job['results'] is None:
                results += [{**job['defaults'], **result} for result in waiting.get(line.id, [])]
            elif waiting.get(line.id):
                results += [{**result, 'line_id': line.id} for result in job['results']]
        if not results:
            return self.env['sale.return.inspection']
        rows = self.env['sale.return.disposal']._register_results(lines, results)
        rows.line_id.return_id._after_step()
        return rows

    @api.model
    def _get_waiting(self, lines):
        """Return what waits for inspection, `{line id: results without disposition}`."""
        waiting = defaultdict(list)
        for result in self.env['sale.return.quarantine']._get_open_results(lines):
            waiting[result['line_id']].append(result)
        return waiting

    # === RECEIVE === #

    @api.model
    def _receive(self, jobs):
        """Validate the receipts of jobs, as far as goods have come according to their results."""
        self._receive_quantities(
            [
                (job['line'], None, self._get_coming(job))
                for job in jobs
                if not job['line']._get_measure().is_zero(job['line']._get_qty_missing())
            ]
        )

    @api.model
    def _receive_quantities(self, wanted):
        """Validate open receipts as far as goods have come; the rest stays expected.

        :param list wanted: `(line, product, {lot id: quantity})`; without product it applies to all
            moves of the line, without quantities to everything expected. In the unit of the
            product.
        """
        # sudo: the bench needs no rights in Inventory; the caller has checked the group.
        service = self.sudo().with_context(**clean_context(self.env.context), skip_backorder=True)
        todo = service.env['stock.move']
        for line, product, quantities in wanted:
            for move in line.with_env(service.env).move_ids.sorted('id'):
                if product and move.product_id != product:
                    continue
                open_receipt = move.state not in ('done', 'cancel')
                if open_receipt and move._is_sale_return_receipt():
                    if service._fill_receipt(move, quantities):
                        todo |= move
        others = todo.picking_id.move_ids - todo
        others.filtered(lambda move: move.picked).picked = False
        todo.picked = True
        todo.picking_id._action_done()

    @api.model
    def _get_coming(self, job):
        """Return the goods of a line that have come and are not received yet.

        :return: `{lot id: quantity in the unit of the product}`; None for everything expected.
        :rtype: dict
        """
        line, results = job['line'], job['results']
        if results is None or any(result.get('disposition') == 'keep' for result in results):
            return None if results is None else {}
        if line.sale_line_id._is_return_kit():
            raise UserError(
                self.env._(
                    "%(kit)s in return %(return)s comes back as its components. Receive them with "
                    "their transfer first, or all of them at once.",
                    kit=line.product_id.display_name,
                    **{'return': line.return_id.name},
                )
            )
        quarantine = self.env['sale.return.quarantine']
        coming = defaultdict(float)
        for result in results:
            lot = self.env['sale.return.disposal']._get_result_lot(line, result.get('lot'))
            measure = line._get_measure()
            coming[lot.id] += measure.to_stock(measure.interpret(result['quantity']))
        for lot, quantity in quarantine._get_open_quantities(line)[line].items():
            coming[lot.id] -= quarantine._get_stock_quantity(line, quantity)
        return {lot: quantity for lot, quantity in coming.items() if quantity > 0}

    @api.model
    def _fill_receipt(self, move, quantities):
        """Set how much of a receipt move has come, lot by lot.

        :param dict quantities: as returned by `_get_coming`; what the move takes is subtracted.
        :return: True when any goods of the move have come.
        :rtype: bool
        """
        uom = move.product_id.uom_id
        if quantities is None:
            return uom.compare(move.quantity, 0.0) > 0
        left = move.product_qty
        parts = {}
        for lot_id, quantity in quantities.items():
            part = min(quantity, left)
            if uom.compare(part, 0.0) > 0:
                parts[lot_id] = part
                quantities[lot_id] -= part
                left -= part
        if not parts:
            return False
        there = defaultdict(float)
        for move_line in move.move_line_ids:
            there[move_line.lot_id.id] += move_line.quantity_product_uom
        if dict(there) == parts:
            return True
        if move.product_id.tracking == 'none':
            move.quantity = uom._compute_quantity(
                sum(parts.values()), move.product_uom, rounding_method='HALF-UP'
            )
            return True
        move.move_line_ids.unlink()
        self.env['stock.move.line'].create(
            [
                {**move._prepare_move_line_vals(), 'lot_id': lot_id, 'quantity': part}
                for lot_id, part in parts.items()
            ]
        )
        return True
