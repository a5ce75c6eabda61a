import json
from collections import defaultdict

from psycopg2 import DataError, IntegrityError

from odoo import api, models
from odoo.exceptions import LockError, UserError
from odoo.fields import Command

from ...const import OPEN_STATES
from ...tools.reader import UNPRINTABLE, take_text


class ProblemError(Exception):
    """Why a request cannot become a return (yet): state, code and sentence."""

    def __init__(self, state, code, message):
        super().__init__(message)
        self.values = {'state': state, 'code': code, 'message': message}


class SaleReturnChannelIntake(models.AbstractModel):
    """Service: create returns from what channels report about goods that come back.

    The report is kept as `sale.return.channel.request` first, one for each number of the
    channel. Sending it again changes nothing. Returns are submitted, and our own rules decide.
    """

    _name = 'sale.return.channel.intake'
    _description = "Intake of Returns by Channels"

    # Number of requests processed together; if one fails, they are processed one by one.
    _chunk = 50

    @api.model
    def _import_rows(self, channel, rows):
        """Create returns from the rows of a program; see `import_returns` of the channel."""
        channel._take_turn()
        results, good = [None] * len(rows), {}
        for place, row in enumerate(rows):
            try:
                key, order, content = self._read_row(row)
                if good.get(key, (order, content)) != (order, content):
                    raise self._get_doubled(key)
                good[key] = (order, content)
                results[place] = key
            except ProblemError as problem:
                key = row.get('key') if isinstance(row, dict) else None
                key = key if isinstance(key, str | int) else None
                results[place] = self._get_result(key, 'error', problem.values)
        known, due = self._store(channel, [(key, *told) for key, told in good.items()])
        outcome = self._process(channel, due)
        return [
            self._get_request_result(known[each], outcome) if isinstance(each, str) else each
            for each in results
        ]

    @api.model
    def _get_request_result(self, request, outcome):
        # A row that is given twice counts once.
        status = outcome.pop(request, None) or self._get_status(request)
        vals = {'code': request.code, 'message': request.message, 'id': request.return_id.id}
        return self._get_result(request.key, status, vals)

    @api.model
    def _get_result(self, key, status, vals):
        return {
            'key': key,
            'status': status,
            'id': vals.get('id') or None,
            'code': vals['code'] or None,
            'message': vals['message'] or "",
        }

    @api.model
    def _get_doubled(self, key):
        return ProblemError(
            'error',
            'doubled',
            self.env._("Another row of this call has the number %(key)s as well.", key=key),
        )

    # === WHAT IS TOLD === #

    @api.model
    def _read_row(self, row):
        """Return a row of a program as `(key, order, content)`.

        :raise ProblemError: naming what is wrong with it.
        """
        if not isinstance(row, dict):
            raise self._get_invalid("row")
        key, order = self._read_text(row, 'key', 200), self._read_text(row, 'order', 100)
        if not key or not order:
            raise self._get_invalid('order' if key else 'key')
        lines = row.get('lines')
        if not isinstance(lines, list) or not lines or len(lines) > 500:
            raise self._get_invalid('lines')
        content = {
            'date': self._read_text(row, 'date', 40),
            'tracking': self._read_text(row, 'tracking', 100),
            'note': self._read_text(row, 'note', 2000),
            'lines': [self._read_line(line) for line in lines],
        }
        return key, order, content

    @api.model
    def _read_line(self, line):
        if not isinstance(line, dict):
            raise self._get_invalid('lines')
        quantity = line.get('quantity', 1)
        number = isinstance(quantity, int | float) and not isinstance(quantity, bool)
        if not number or not 0 < quantity < 1e6:
            raise self._get_invalid('quantity')
        return {
            'quantity': f'{quantity:g}',
            'comment': '',
            'status': '',
            **{
                name: self._read_text(line, name, 200)
                for name in ('item', 'sku', 'reason', 'condition', 'serial')
            },
        }

    @api.model
    def _read_text(self, row, name, limit):
        value = row.get(name)
        if value is None or value is False:
            return ''
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or len(value) > limit or UNPRINTABLE.search(value):
            raise self._get_invalid(name)
        return value.strip()

    @api.model
    def _get_invalid(self, name):
        return ProblemError(
            'error',
            'invalid',
            self.env._(
                "“%(field)s” is missing or cannot be read. A row has key, order and lines; a line "
                "has a quantity above zero, and sku or item.",
                field=name,
            ),
        )

    @api.model
    def _get_rows(self, units):
        """Return the rows composed of the units of a file, like those of `_read_row`."""
        rows = []
        for units_of_one in units.values():
            first = units_of_one[0]
            content = {
                'date': first.at.isoformat() if first.at else '',
                'tracking': take_text(first.tracking, 100),
                'note': '',
                'lines': [
                    {
                        'quantity': f'{unit.quantity:f}',
                        'item': take_text(unit.item, 200),
                        'sku': take_text(unit.sku, 200),
                        'reason': take_text(unit.reason, 200),
                        'condition': take_text(unit.condition, 200),
                        'status': take_text(unit.status, 200),
                        'comment': take_text(unit.comment, 1000),
                        'serial': '',
                    }
                    for unit in units_of_one
                ],
            }
            key = take_text(first.document or first.key, 200)
            rows.append((key, take_text(first.order, 100), content))
        return rows

    @api.model
    def _store(self, channel, rows, file=None):
        """Store what a channel reports.

        A file states a past situation: of two, the later one counts, in
        whatever order they arrive. A program states the present one.

        :param rows: `(key, order, content)`, each key once.
        :return: `{key: request}`, and the requests that have to be processed.
        :rtype: tuple
        """
        # sudo: requests are written by this service only; callers have checked.
        requests = self.env['sale.return.channel.request'].sudo()
        known = {
            request.key: request
            for request in requests.search(
                [('channel_id', '=', channel.id), ('key', 'in', [row[0] for row in rows])]
            )
        }
        new, due = [], requests.browse()
        for key, order, content in rows:
            request = known.get(key)
            vals = {
                'order_ref': order,
                'date': self._get_date(channel, content),
                'content': content,
                'state': 'waiting',
            }
            if not request:
                links = [Command.set(file.ids)] if file else []
                new.append({'channel_id': channel.id, 'key': key, 'file_ids': links, **vals})
                continue
            if file and file not in request.file_ids:
                request.file_ids = [Command.link(file.id)]
            same = request.content == content and request.order_ref == order
            if not same and (not file or self._is_later(content, request.content)):
                request.write(vals)
            if request.state not in ('done', 'left_out') and not (file and same):
                due += request
        created = requests.create(new)
        known.update((request.key, request) for request in created)
        return known, due + created

    @api.model
    def _is_later(self, content, known):
        """Tell whether a file is later than what is known."""
        rank = [
            (each.get('date') or '', json.dumps(each, sort_keys=True)) for each in (content, known)
        ]
        return rank[0] > rank[1]

    @api.model
    def _get_date(self, channel, content):
        return self.env['sale.return.channel.importer']._to_utc_text(channel, content['date'])

    # === RETURNS === #

    @api.model
    def _find_due(self, channel):
        """Return the waiting requests, and the parked ones whose order exists by now."""
        requests = self.env['sale.return.channel.request']
        waiting = requests.search([('channel_id', '=', channel.id), ('state', '=', 'waiting')])
        parked = requests.search([('channel_id', '=', channel.id), ('state', '=', 'parked')])
        orders = channel._find_orders(parked.mapped('order_ref'))
        return waiting + parked.filtered(lambda request: request.order_ref in orders)

    @api.model
    def _process(self, channel, requests):
        """Create returns from requests, or update the existing ones.

        :param requests: of one channel; callers have checked that the user may.
        :return: `{request: 'created', 'updated', 'unchanged', 'parked' or 'error'}`
        :rtype: dict
        """
        # sudo: users who may report returns need not read orders; `env.user` stays who did it.
        channel, requests = channel.sudo().with_company(channel.company_id), requests.sudo()
        channel._take_turn()
        outcome = {}
        for start in range(0, len(requests), self._chunk):
            chunk = requests[start : start + self._chunk]
            outcome.update(self._process_chunk(channel, chunk))
        return outcome

    @api.model
    def _process_chunk(self, channel, requests):
        chunk, outcome, plans = self._prepare_chunk(channel, requests), {}, []
        for request in requests:
            try:
                if request.return_id:
                    outcome[request] = self._update(chunk, request)
                elif plan := self._plan(chunk, request):
                    plans.append((request, plan))
                else:
                    outcome[request] = 'updated'
            except ProblemError as problem:
                request.write(problem.values)
                outcome[request] = self._get_status(request)
        if plans:
            self._make(plans)
        for request, _plan in plans:
            outcome[request] = 'created' if request.return_id else self._get_status(request)
        return outcome

    @api.model
    def _prepare_chunk(self, channel, requests):
        """Return the data known about requests, by a few queries for all of them."""
        chunk = _Chunk(channel)
        for ref, order in channel._find_orders(requests.mapped('order_ref')).items():
            chunk.orders[ref] = order.with_company(channel.company_id)
        orders = self.env['sale.order'].union(*chunk.orders.values())
        if orders:
            # Those that somebody has opened here, and that no channel has reported.
            opened = (
                self.env['sale.return']
                .sudo()
                .search(
                    [
                        ('line_ids.order_id', 'in', orders.ids),
                        ('state', 'in', [*OPEN_STATES, 'closed']),
                        ('channel_id', '=', False),
                    ],
                    order='id',
                )
            )
            for sale_return in opened:
                for order in sale_return.line_ids.order_id:
                    chunk.opened[order.id].append(sale_return)
        return chunk

    @api.model
    def _get_status(self, request):
        return 'unchanged' if request.state in ('done', 'left_out') else request.state

    @api.model
    def _make(self, plans):
        """Create and submit returns, all together; one by one only if that fails."""
        try:
            with self.env.cr.savepoint():
                vals_list = [plan['vals'] for _request, plan in plans]
                returns = self.env['sale.return'].sudo().create(vals_list)
                for sale_return, (request, plan) in zip(returns, plans, strict=True):
                    self._write_found(sale_return, plan['found'])
                    request.write({**self._get_done(sale_return), 'return_id': sale_return.id})
                returns.action_submit()
                self.env.flush_all()
        except (UserError, IntegrityError, DataError) as error:
            if len(plans) > 1:
                for plan in plans:
                    self._make([plan])
                return
            request = plans[0][0]
            if isinstance(error, LockError):
                message = self.env._("Somebody is working on the order. It will be retried.")
                request.write({'state': 'parked', 'code': 'busy', 'message': message})
            elif isinstance(error, UserError):
                request.write({'state': 'error', 'code': 'refused', 'message': str(error)})
            else:
                message = self.env._("The database refuses the values of the row. Check them.")
                request.write({'state': 'error', 'code': 'invalid', 'message': message})

    @api.model
    def _get_done(self, sale_return):
        return {
            'state': 'done',
            'code': False,
            'message': self.env._("Return %(return)s.", **{'return': sale_return.name}),
        }

    @api.model
    def _write_found(self, sale_return, found):
        """Store on return lines what the channel has found: `{order line: values}`."""
        for line in sale_return.line_ids:
            # One row for each line; they are flushed together.
            if vals := found.get(line.sale_line_id):
                line._write_facts(vals)

    @api.model
    def _update(self, chunk, request):
        """Update a return with the present report of the channel.

        :raise ProblemError: if it names other goods than were submitted.
        """
        sale_return, order = request.return_id, chunk.orders.get(request.order_ref)
        wanted, found = defaultdict(float), {}
        for line in self._get_lines(chunk, request):
            matched = self._match_line(chunk.channel, order, line) if order else []
            for sale_line in matched:
                found.setdefault(sale_line, line['found'])
            if matched:
                wanted[matched[0].product_id] += line['quantity']
        known = defaultdict(float)
        for line in sale_return.line_ids:
            known[line.product_id] += line.qty_requested
        if {key: round(value, 6) for key, value in wanted.items()} != {
            key: round(value, 6) for key, value in known.items()
        }:
            raise ProblemError(
                'error',
                'differs',
                self.env._(
                    "The channel now names other goods than return %(return)s, which was "
                    "submitted with %(goods)s. Create another return for what is missing, or "
                    "ignore it.",
                    goods=", ".join(
                        f"{quantity:g} × {product.display_name}"
                        for product, quantity in known.items()
                    ),
                    **{'return': sale_return.name},
                ),
            )
        tracking = request.content['tracking']
        if tracking and sale_return.tracking_ref != tracking:
            sale_return.tracking_ref = tracking
        self._write_found(sale_return, found)
        request.write(self._get_done(sale_return))
        return 'updated'

    @api.model
    def _plan(self, chunk, request):
        """Return how a request becomes a return: its values, and what the channel has found.

        :return: nothing if the return is already here.
        :raise ProblemError: if it cannot become one (yet).
        """
        order, taken = chunk.orders.get(request.order_ref), chunk.taken
        if not order:
            raise ProblemError(
                'parked',
                'unknown_order',
                self.env._(
                    "Order %(order)s does not exist here, or is not confirmed. It is retried "
                    "every hour.",
                    order=request.order_ref,
                ),
            )
        wanted, found, short = {}, {}, None
        for line in self._get_lines(chunk, request):
            matched = self._match_line(chunk.channel, order, line)
            left = line['quantity']
            for sale_line in matched:
                used = taken[sale_line] + sum(
                    vals['qty_requested'] for key, vals in wanted.items() if key[0] == sale_line
                )
                part = min(left, max(sale_line.qty_returnable - used, 0.0))
                if part > 0:
                    vals = self._prepare_line_vals(chunk, request, sale_line, line)
                    key = (sale_line, vals['reason_id'], vals.get('resolution'))
                    same = wanted.setdefault(key, {**vals, 'qty_requested': 0.0, 'lot_ids': []})
                    same['qty_requested'] += part
                    same['lot_ids'] += vals.get('lot_ids', [])
                    found.setdefault(sale_line, line['found'])
                    left -= part
            if left > 1e-6:
                short = short or (matched, line)
        sale_return = self._find_opened(chunk, request, order, short)
        if sale_return:
            chunk.opened[order.id].remove(sale_return)
            self._adopt(chunk.channel, request, sale_return, found)
            return None
        if short:
            raise self._get_shortage(order, *short)
        for (sale_line, _reason, _resolution), vals in wanted.items():
            taken[sale_line] += vals['qty_requested']
        return {'vals': self._prepare_vals(chunk.channel, request, order, wanted), 'found': found}

    @api.model
    def _prepare_vals(self, channel, request, order, wanted):
        """Prepare a return. Override to add values."""
        return {
            'partner_id': order.partner_id.id,
            'company_id': channel.company_id.id,
            'channel_id': channel.id,
            'external_ref': request.key,
            'tracking_ref': request.content['tracking'] or False,
            **({'warehouse_id': channel.warehouse_id.id} if channel.warehouse_id else {}),
            'line_ids': [Command.create(vals) for vals in wanted.values()],
        }

    @api.model
    def _prepare_line_vals(self, chunk, request, sale_line, line):
        """Prepare a return line without its quantity. Override to add values."""
        note = " ".join(filter(None, (line['reason'], line['comment'], request.content['note'])))
        vals = {
            'sale_line_id': sale_line.id,
            'reason_id': self._get_reason(chunk, line['reason']).id,
            'customer_note': note or False,
        }
        if line['is_exchange']:
            vals['resolution'] = 'replace'
        if line['serial']:
            lot = (
                self.env['stock.lot']
                .sudo()
                .search(
                    [('name', '=', line['serial']), ('product_id', '=', sale_line.product_id.id)],
                    limit=1,
                )
            )  # one serial number for each unit of a row
            if not lot:
                raise ProblemError(
                    'error',
                    'unknown_serial',
                    self.env._(
                        "%(product)s has no lot or serial number %(serial)s.",
                        product=sale_line.product_id.display_name,
                        serial=line['serial'],
                    ),
                )
            vals['lot_ids'] = [Command.link(lot.id)]
        return vals

    # === WHAT WORDS MEAN === #

    @api.model
    def _get_lines(self, chunk, request):
        """Return the lines of a request of which goods come back, with what their words mean.

        :raise ProblemError: if nothing comes back.
        """
        words, channel, lines = self.env['sale.return.channel.word'], chunk.channel, []
        for line in request.content['lines']:
            quantity = float(line['quantity'])
            if quantity <= 0 or words._find(channel, 'status', line['status']).is_left_out:
                continue
            condition = words._find(channel, 'condition', line['condition'])
            grade = condition.grade_id or self._find_by_code(
                'sale.return.grade', chunk, line['condition']
            )
            lines.append(
                {
                    **line,
                    'quantity': quantity,
                    'is_exchange': condition.is_exchange,
                    'found': {
                        'channel_item': line['item'] or line['sku'],
                        'channel_grade_id': grade.id,
                        'channel_liability': condition.liability,
                    },
                }
            )
        if not lines:
            raise ProblemError(
                'left_out', 'nothing_comes', self.env._("The channel says that nothing comes back.")
            )
        return lines

    @api.model
    def _get_reason(self, chunk, text):
        """Return the reason that a word of a channel, or a code of ours, means."""
        words = self.env['sale.return.channel.word']
        reason = words._find(chunk.channel, 'reason', text).reason_id
        reason = reason or self._find_by_code('sale.return.reason', chunk, text)
        name = 'reason_other' if text else 'reason_not_stated'
        return reason or self.env.ref(f'sale_return.{name}')

    @api.model
    def _find_by_code(self, model, chunk, code):
        if not code:
            return self.env[model].sudo()
        if (model, code) not in chunk.codes:
            companies = (False, chunk.channel.company_id.id)
            chunk.codes[model, code] = (
                self.env[model]
                .sudo()
                .search([('code', '=', code), ('company_id', 'in', companies)], limit=1)
            )  # once for each code of a chunk
        return chunk.codes[model, code]

    @api.model
    def _match_line(self, channel, order, line):
        """Return the order lines that a line of a request may be about.

        :raise ProblemError: if there are none.
        """
        sold = order.order_line.filtered(lambda each: each.product_id and not each.display_type)
        name = channel.line_field_name
        matched = sold.browse()
        if name in sold._fields and line['item']:
            matched = sold.filtered(lambda each: str(each[name] or '') == line['item'])
        for code in filter(None, (line['sku'], line['item'])):
            matched = matched or sold.filtered(
                lambda each, code=code: (
                    code in (each.product_id.default_code, each.product_id.barcode)
                )
            )
        goods = sold.filtered(lambda each: each.product_id.type == 'consu')
        if not matched and not line['sku'] and len(goods) == 1:
            matched = goods
        if not matched:
            raise ProblemError(
                'error',
                'unknown_item',
                self.env._(
                    "Order %(order)s has no article %(article)s. Give the product this internal "
                    "reference or barcode, then try again.",
                    order=order.name,
                    article=line['sku'] or line['item'] or "?",
                ),
            )
        return matched

    # === RETURNS THAT ARE HERE === #

    @api.model
    def _find_opened(self, chunk, request, order, short):
        """Return the return that somebody has opened for the same goods, or None.

        That is one with the same parcel; or, where no more can be returned, one with these goods.
        """
        tracking = request.content['tracking']
        for sale_return in chunk.opened[order.id]:
            if tracking and sale_return.tracking_ref == tracking:
                return sale_return
        sale_lines, line = short or (order.order_line.browse(), {})
        for sale_return in chunk.opened[order.id] if short else ():
            parts = sale_return.line_ids.filtered_domain([('sale_line_id', 'in', sale_lines.ids)])
            if sum(parts.mapped('qty_requested')) == line['quantity']:
                return sale_return
        return None

    @api.model
    def _adopt(self, channel, request, sale_return, found):
        """Match a return that was opened here with the one that the channel reports."""
        # Bypasses `write`, which protects submitted content: the origin is not part of it.
        sale_return._write_facts({'channel_id': channel.id})
        tracking = request.content['tracking']
        if tracking and not sale_return.tracking_ref:
            sale_return.tracking_ref = tracking
        self._write_found(sale_return, found)
        request.write({**self._get_done(sale_return), 'return_id': sale_return.id})

    @api.model
    def _get_shortage(self, order, sale_lines, line):
        values = {
            'order': order.name,
            'product': sale_lines[:1].product_id.display_name,
            'quantity': f"{line['quantity']:g}",
        }
        if any(each.product_uom_qty > each.qty_delivered for each in sale_lines):
            return ProblemError(
                'parked',
                'not_delivered',
                self.env._(
                    "%(quantity)s × %(product)s of order %(order)s are not delivered yet. It is"
                    " retried every hour.",
                    **values,
                ),
            )
        return ProblemError(
            'error',
            'too_many',
            self.env._(
                "%(quantity)s × %(product)s of order %(order)s can no longer be returned: they "
                "came back, or are in another return.",
                **values,
            ),
        )


class _Chunk:
    """Data about the requests that are processed together."""

    def __init__(self, channel):
        self.channel = channel
        self.orders = {}
        # Returns that were opened here, by order; quantities that requests take, by order line;
        # what codes mean.
        self.opened = defaultdict(list)
        self.taken = defaultdict(float)
        self.codes = {}
