import hashlib
from datetime import UTC
from decimal import Decimal
from zoneinfo import ZoneInfo

from odoo import api, models
from odoo.exceptions import UserError

from ...tools.channels import Broken, FormatError, Refund, ReturnUnit, collect, read, unpack
from ...tools.reader import take_text

# Refunds that are written in one go, and broken rows of a file that are kept one by one.
CHUNK = 2000
KEPT = 1000


class SaleReturnChannelImporter(models.AbstractModel):
    """Service: take what files of channels say into `sale.return.channel.refund`.

    A refund is one record whatever files show it; the same rows again change nothing. Files are
    gone through once, so that their size does not matter.
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
    def _import_one(self, channel, name, data):
        # sudo: files and refunds are written by this service only; callers have checked.
        channel = channel.sudo()
        channel.lock_for_update(allow_referencing=True)
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
        for item in reading:
            self._ensure_of_channel(channel, reading)
            self._take(work, item)
        self._ensure_of_channel(channel, reading)
        self._write_chunk(work)
        self._finish(work, data)
        refunds = self.env['sale.return.channel.refund'].sudo().browse(work.ids)
        self.env['sale.return.channel.matcher']._match(channel, refunds)
        return files._get_result(file, new=len(work.new), changed=work.changed)

    @api.model
    def _ensure_of_channel(self, channel, reading):
        """Refuse a file that another kind of channel exports."""
        if reading.format not in channel._get_sources():
            raise UserError(
                self.env._(
                    "This is a file of another kind (%(format)s), which %(channel)s does not "
                    "export. Choose the channel that it comes from.",
                    format=reading.format,
                    channel=channel.name,
                )
            )

    @api.model
    def _take(self, work, item):
        """Take one record of a file."""
        if isinstance(item, Broken):
            work.broken += 1
            if len(work.broken_rows) < KEPT:
                work.broken_rows.append(item)
        elif isinstance(item, ReturnUnit):
            work.units += 1
        elif isinstance(item, Refund):
            code = item.currency or work.reading.currency or work.channel.currency_id.name
            if self._get_currency(work, code):
                work.rows.setdefault(item.key, []).append(item)
            else:
                self._take(work, Broken(item.line, f'currency "{code}"', 'missing'))
            if len(work.rows) >= CHUNK:
                self._write_chunk(work)

    @api.model
    def _get_currency(self, work, code):
        if code not in work.currencies:
            currency = self.env['res.currency'].with_context(active_test=False)
            work.currencies[code] = currency.search([('name', '=', code)], limit=1)
        return work.currencies[code]

    @api.model
    def _write_chunk(self, work):
        """Create and change the refunds that the rows read so far are parts of."""
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
        new = []
        for key, rows in keys.items():
            refund = present.get(key)
            before = refund.parts or {} if refund else {}
            parts = {**before, **self._get_parts(rows)}
            if refund and parts == before:
                work.ids.append(refund.id)
                continue
            vals = {**self._prepare_amounts(work, parts), 'parts': parts}
            if refund:
                self._change(work, refund, before, vals)
            else:
                new.append({**self._prepare(work, source, key, rows), **vals})
        created = refunds.create(new)
        work.ids += created.ids
        work.new.update(created.ids)

    @api.model
    def _get_parts(self, rows):
        """Return the rows of a refund as they are stored: `{part: [amount, state]}`.

        A part that fails stays failed, whatever the order of the rows.
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
        """Give a refund what a file says of it now, and mark it if that is another amount."""
        was_other = any(vals['parts'][part] != row for part, row in before.items())
        if was_other and refund.id not in work.new and refund.amount != vals['amount']:
            vals.update(is_changed=True, amount_before=refund.amount)
        refund.write(vals)
        work.changed += 1
        work.ids.append(refund.id)

    @api.model
    def _to_utc(self, moment, zone):
        if moment is None:
            return False
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        return moment.astimezone(UTC).replace(tzinfo=None)

    @api.model
    def _finish(self, work, data):
        """Store the file itself, what it states, and what is broken in it."""
        reading, file = work.reading, work.file
        control = next((each for each in reading.controls if each.currency), None)
        ids = list(dict.fromkeys(work.ids))
        refunds = self.env['sale.return.channel.refund'].sudo().browse(ids)
        paid = refunds.filtered(lambda refund: refund.kind == 'refund')
        attachment = self.env['ir.attachment'].sudo()
        file.write(
            {
                'format': reading.format,
                'source': work.channel._get_sources()[reading.format],
                'number': take_text(reading.number, 100),
                'date_start': self._to_utc(reading.start, work.zone),
                'date_end': self._to_utc(reading.end, work.zone),
                'currency_id': (paid.currency_id[:1] or work.channel.currency_id).id,
                'row_count': reading.rows,
                'refund_count': len(paid.filtered(lambda refund: refund.channel_state != 'failed')),
                'unit_count': work.units,
                'amount_refunded': sum(paid.mapped('amount')) if len(paid.currency_id) < 2 else 0.0,
                'is_stated': bool(control),
                'amount_stated': float(control.stated) if control else 0.0,
                'amount_unexplained': float(control.residual) if control else 0.0,
                'broken_count': work.broken,
                'refund_ids': [(6, 0, ids)],
                'attachment_id': attachment.create(
                    {
                        'name': file.name,
                        'raw': data,
                        'res_model': file._name,
                        'res_id': file.id,
                        # Shown as text, never as what a browser would run.
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
                "%(name)s has no format that is known. Choose it as the channel exports it.",
                **values,
            ),
            'encoding': self.env._("%(name)s is no text in a known encoding.", **values),
            'damaged': self.env._("%(name)s is cut off or damaged. Fetch it again.", **values),
            'locked': self.env._("%(name)s is locked by a password. Unpack it first.", **values),
            'bomb': self.env._(
                "%(name)s unpacks to far more than a file of a channel has.", **values
            ),
            'size': self.env._(
                "%(name)s is too large. Export a shorter period: files of up to 200 MB are read.",
                **values,
            ),
            'entities': self.env._(
                "%(name)s defines XML entities, which no channel does.", **values
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
    """A file while it is imported."""

    def __init__(self, channel, file, reading):
        self.channel = channel
        self.file = file
        self.reading = reading
        self.zone = ZoneInfo(channel._get_timezone())
        self.rows = {}
        self.ids = []
        self.new = set()
        self.changed = 0
        self.units = 0
        self.broken = 0
        self.broken_rows = []
        self.currencies = {}
