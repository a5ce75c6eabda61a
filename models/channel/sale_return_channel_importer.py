import hashlib
import json
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ...tools.channels import Broken, FormatError, Refund, ReturnUnit, collect, read, unpack
from ...tools.reader import take_text

# Number of refunds written in one batch, and of broken rows of a file stored individually.
CHUNK = 2000
# Number of returns of a file that are created while the user waits.
MADE_AT_ONCE = 200
KEPT = 1000


class SaleReturnChannelImporter(models.AbstractModel):
    """Service: import files of channels into `sale.return.channel.refund`.

    A refund is one record even if several files contain it; importing the same rows again changes
    nothing. Files are read in one pass, so that their size does not matter.
    """

    _name = 'sale.return.channel.importer'
    _description = "Importer of Channel Files"

    @api.model
    def _import(self, channel, name, content):
        """Import a file, or the files of an archive.

        :param channel: one `sale.return.channel`; callers have checked that the user may.
        :return: see `import_file` of the channel.
        :rtype: list[dict]
        :raise FormatError: if no file can be read.
        :raise UserError: if a file is of another channel.
        """
        files = unpack(content, name)
        results, refused = [], None
        for member, data in files:
            try:
                with self.env.cr.savepoint():
                    results.append(self._import_one(channel, member, data))
            except FormatError as error:
                refused = refused or error
                if len(files) == 1 or error.code != 'unknown':
                    raise
        if not results:
            raise refused or FormatError("The archive is empty.", 'empty')
        return results

    @api.model
    def _guess_channel(self, attachments):
        """Return the only channel that exports files of this format, or none."""
        formats = set()
        for attachment in attachments:
            try:
                for name, data in unpack(attachment.raw or b'', attachment.name):
                    reading = read(data, name)
                    next(iter(reading), None)
                    formats.add(reading.format)
            except FormatError:
                continue  # told when it is imported
        channels = self.env['sale.return.channel'].search([])
        found = channels.filtered(lambda channel: formats <= channel._get_sources().keys())
        return found if formats and len(found) == 1 else found.browse()

    @api.model
    def _import_one(self, channel, name, data):
        # sudo: files and refunds are written by this service only; callers have checked.
        channel = channel.sudo()
        channel._take_turn()
        checksum = hashlib.sha256(data).hexdigest()
        files = self.env['sale.return.channel.file'].sudo()
        known = files.search([('channel_id', '=', channel.id), ('checksum', '=', checksum)])
        if known:
            return files._get_result(known, known=True)
        file = files.create(
            {
                'name': take_text(name, 200) or self.env._("File"),
                'channel_id': channel.id,
                'checksum': checksum,
            }
        )
        reading = read(data, name, channel._get_profiles())
        work = _Work(channel, file, reading)
        uploads = self.env['sale.return.channel.upload']
        for number, item in enumerate(reading):
            if number % CHUNK == 0:
                uploads._tell_rows(reading.rows)
            self._ensure_of_channel(channel, reading)
            self._take(work, item)
        self._ensure_of_channel(channel, reading)
        self._write_chunk(work)
        self._store_goods(work)
        self._finish(work, data)
        self.env['sale.return.channel.matcher']._match_file(channel, file)
        self._make_returns(work)
        return files._get_result(file, new=work.new, changed=work.changed)

    @api.model
    def _ensure_of_channel(self, channel, reading):
        """Refuse a file that another kind of channel exports."""
        if reading.format not in channel._get_sources():
            raise UserError(
                self.env._(
                    "This file has another format (%(format)s), which %(channel)s does not "
                    "export. Choose the channel that it comes from.",
                    format=reading.format,
                    channel=channel.name,
                )
            )

    @api.model
    def _take(self, work, item):
        """Process one record of a file."""
        if isinstance(item, Broken):
            work.broken += 1
            if len(work.broken_rows) < KEPT:
                work.broken_rows.append(item)
        elif isinstance(item, ReturnUnit):
            work.units += 1
            key = item.document or item.key
            if len(work.goods) >= CHUNK and key not in work.goods:
                self._store_goods(work)
            work.goods.setdefault(key, []).append(item)
        elif isinstance(item, Refund):
            code = item.currency or work.reading.currency or work.channel.currency_id.name
            if self._get_currency(work, code):
                work.rows.setdefault(item.key, []).append(item)
            else:
                self._take(work, Broken(item.line, f'currency "{code}"', 'missing'))
            if len(work.rows) >= CHUNK:
                self._write_chunk(work)

    @api.model
    def _store_goods(self, work):
        """Store what the file states about goods that come back."""
        intake = self.env['sale.return.channel.intake']
        rows = intake._get_rows(work.goods)
        work.goods = {}
        if rows:
            _known, due = intake._store(work.channel, rows, work.file)
            work.requests += due.ids

    @api.model
    def _make_returns(self, work):
        """Create the returns of a small file now; a large one is left to the scheduled job."""
        requests = self.env['sale.return.channel.request'].sudo().browse(work.requests)
        if len(requests) <= MADE_AT_ONCE:
            self.env['sale.return.channel.intake']._process(work.channel, requests)
        else:
            self.env.ref('sale_return.ir_cron_channel_requests').sudo()._trigger()

    @api.model
    def _get_currency(self, work, code):
        if code not in work.currencies:
            currency = self.env['res.currency'].with_context(active_test=False)
            work.currencies[code] = currency.search([('name', '=', code)], limit=1)
        return work.currencies[code]

    @api.model
    def _write_chunk(self, work):
        """Create and update the refunds of the rows read so far."""
        refunds = self.env['sale.return.channel.refund'].sudo()
        source = work.channel._get_sources()[work.reading.format]
        keys = {take_text(key, 200): rows for key, rows in work.rows.items()}
        work.rows = {}
        present = {
            refund.key: refund
            for refund in refunds.search(
                [
                    ('channel_id', '=', work.channel.id),
                    ('source', '=', source),
                    ('key', 'in', list(keys)),
                ]
            )
        }
        new, ids = [], []
        for key, rows in keys.items():
            refund = present.get(key)
            before = refund.parts or {} if refund else {}
            parts = {**before, **self._get_parts(rows)}
            if refund:
                ids.append(refund.id)
            if refund and parts == before:
                continue
            vals = {**self._prepare_amounts(work, parts), 'parts': parts}
            if refund:
                self._change(work, refund, before, vals)
            else:
                vals |= self._prepare(work, source, key, rows)
                currency = self.env['res.currency'].browse(vals['currency_id'])
                vals['amount'] = currency.round(vals['amount'])
                new.append({**vals, 'amount_difference': vals['amount']})
        created = self._insert(work, new)
        work.new += len(created)
        work.first_new = work.first_new or min(created, default=0)
        self._link(work, ids + created)

    @api.model
    def _insert(self, work, vals_list):
        """Create refunds in one query: the ORM would take most of the time of a large file.

        :return: their ids.
        :rtype: list
        """
        if not vals_list:
            return []
        refunds = self.env['sale.return.channel.refund'].sudo()
        common = {
            'company_id': work.channel.company_id.id,
            'state': 'unknown_order',
            'is_changed': False,
            'create_uid': self.env.uid,
            'create_date': self.env.cr.now(),
            'write_uid': self.env.uid,
            'write_date': self.env.cr.now(),
        }
        names = dict.fromkeys(name for vals in vals_list for name in (*vals, *common))
        columns, arrays = [], []
        for name in names:
            values = [vals.get(name, common.get(name)) for vals in vals_list]
            kind = refunds._fields[name].column_type[1]
            if kind == 'jsonb':
                values = [json.dumps(value) for value in values]
            elif kind != 'bool':
                values = [None if value is False else value for value in values]
            columns.append(SQL.identifier(name))
            arrays.append(SQL('%s::%s[]', values, SQL(kind)))
        self.env.cr.execute(
            SQL(
                'INSERT INTO sale_return_channel_refund (%s) SELECT * FROM UNNEST(%s) RETURNING id',
                SQL(', ').join(columns),
                SQL(', ').join(arrays),
            )
        )
        return [row[0] for row in self.env.cr.fetchall()]

    @api.model
    def _link(self, work, ids):
        """Record which refunds a file contains, and free their memory."""
        relation = self.env['sale.return.channel.refund']._fields['file_ids']
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                'INSERT INTO %s (%s, %s) SELECT refund_id, %s FROM UNNEST(%s::int[]) AS'
                ' each(refund_id) ON CONFLICT DO NOTHING',
                SQL.identifier(relation.relation),
                SQL.identifier(relation.column1),
                SQL.identifier(relation.column2),
                work.file.id,
                ids,
            )
        )
        self.env.invalidate_all(flush=False)

    @api.model
    def _get_parts(self, rows):
        """Return the rows of a refund as they are stored: `{part: [amount, state]}`.

        A failed part stays failed, regardless of the order of the rows.
        """
        parts = {}
        for row in rows:
            part = take_text(row.part, 200)
            if parts.get(part, ('', ''))[1] != 'failed':
                parts[part] = [str(row.amount), row.state]
        return parts

    @api.model
    def _prepare_amounts(self, work, parts):
        """Return what the rows of a refund add up to."""
        event = collect(
            Refund('', '', Decimal(amount), part=part, state=state)
            for part, (amount, state) in parts.items()
        )['']
        return {'amount': float(event.amount), 'channel_state': event.state}

    @api.model
    def _prepare(self, work, source, key, rows):
        """Prepare a refund. Override to add values."""
        first = rows[0]
        code = first.currency or work.reading.currency or work.channel.currency_id.name
        order = next((row.order for row in rows if row.order), '')
        return {
            'channel_id': work.channel.id,
            'source': source,
            'key': key,
            'kind': first.kind,
            'order_ref': take_text(order, 100),
            'date': self._to_utc(first.at, work.zone),
            'currency_id': self._get_currency(work, code).id,
            'reference': take_text(first.reference, 100),
            'reason': take_text(first.reason, 200),
            'sku': take_text(', '.join(dict.fromkeys(row.sku for row in rows if row.sku)), 100),
        }

    @api.model
    def _change(self, work, refund, before, vals):
        """Update a refund from a file, and mark it if the amount differs."""
        was_other = any(vals['parts'][part] != row for part, row in before.items())
        # A file may change what it has created: parts of a refund need not be in adjacent rows.
        is_old = not work.first_new or refund.id < work.first_new
        if was_other and is_old and refund.amount != vals['amount']:
            vals.update(is_changed=True, amount_before=refund.amount)
        refund.write(vals)
        work.changed += 1

    @api.model
    def _to_utc(self, moment, zone):
        if moment is None:
            return False
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        return moment.astimezone(UTC).replace(tzinfo=None)

    @api.model
    def _to_utc_text(self, channel, text):
        """Return the moment that a text of a channel states, False where it is not one."""
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return False
        return self._to_utc(moment, ZoneInfo(channel._get_timezone()))

    @api.model
    def _finish(self, work, data):
        """Store the file itself, its stated totals, and its broken rows."""
        reading, file = work.reading, work.file
        control = next((each for each in reading.controls if each.currency), None)
        paid = (
            self.env['sale.return.channel.refund']
            .sudo()
            ._read_group(
                [('file_ids', '=', file.id), ('kind', '=', 'refund')],
                ['currency_id', 'channel_state'],
                ['__count', 'amount:sum'],
            )
        )
        currencies = list(dict.fromkeys(currency for currency, *_rest in paid))
        attachment = self.env['ir.attachment'].sudo()
        file.write(
            {
                'format': reading.format,
                'source': work.channel._get_sources()[reading.format],
                'number': take_text(reading.number, 100),
                'date_start': self._to_utc(reading.start, work.zone),
                'date_end': self._to_utc(reading.end, work.zone),
                'currency_id': (currencies[:1] or [work.channel.currency_id])[0].id,
                'row_count': reading.rows,
                'refund_count': sum(
                    number for _currency, state, number, _sum in paid if state != 'failed'
                ),
                'unit_count': work.units,
                'amount_refunded': sum(row[3] for row in paid) if len(currencies) < 2 else 0.0,
                'is_stated': bool(control),
                'amount_stated': float(control.stated) if control else 0.0,
                'amount_unexplained': float(control.residual) if control else 0.0,
                'broken_count': work.broken,
                'attachment_id': attachment.create(
                    {
                        'name': file.name,
                        'raw': data,
                        'res_model': file._name,
                        'res_id': file.id,
                        # Served as text, never as content a browser would execute.
                        'mimetype': 'application/octet-stream',
                    }
                ).id,
            }
        )
        self.env['sale.return.channel.broken'].sudo().create(
            [
                {
                    'file_id': file.id,
                    'line': each.line,
                    'code': each.code,
                    'reason': take_text(each.reason, 200),
                    'content': take_text(each.text, 500),
                }
                for each in work.broken_rows
            ]
        )

    @api.model
    def _get_sentence(self, name, error):
        """Return why a file cannot be read, in the user's language."""
        values = {'name': name, **error.values}
        sentences = {
            'unknown': self.env._(
                "%(name)s has an unknown format. Choose the file as exported by the channel.",
                **values,
            ),
            'encoding': self.env._("%(name)s is not text in a known encoding.", **values),
            'damaged': self.env._("%(name)s is truncated or damaged. Download it again.", **values),
            'locked': self.env._("%(name)s is protected by a password. Unpack it first.", **values),
            'bomb': self.env._("%(name)s is far too large when unpacked.", **values),
            'size': self.env._(
                "%(name)s is too large. Export a shorter period: files can have up to 200 MB.",
                **values,
            ),
            'entities': self.env._(
                "%(name)s defines XML entities, which files of channels never contain.", **values
            ),
            'empty': self.env._("%(name)s is empty.", **values),
        }
        if error.code == 'missing' and 'column' in values:
            return self.env._(
                "%(name)s looks like %(format)s, but the column “%(column)s” is missing. Export "
                "it with all columns.",
                **values,
            )
        if error.code == 'doubled':
            return self.env._(
                "%(name)s has the column “%(column)s” twice. Export it again.", **values
            )
        return sentences.get(error.code) or self.env._("%(name)s cannot be read.", **values)


class _Work:
    """A file during its import."""

    def __init__(self, channel, file, reading):
        self.channel = channel
        self.file = file
        self.reading = reading
        self.zone = ZoneInfo(channel._get_timezone())
        self.rows = {}
        self.new = 0
        self.first_new = 0
        self.changed = 0
        self.units = 0
        self.goods = {}
        self.requests = []
        self.broken = 0
        self.broken_rows = []
        self.currencies = {}
