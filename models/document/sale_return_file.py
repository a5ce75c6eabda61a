import base64
import binascii
import hashlib
import io

from PIL import Image

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import clean_context, format_date, human_size
from odoo.tools.image import IMAGE_MAX_RESOLUTION
from odoo.tools.mimetypes import guess_mimetype

from ...const import MAX_FILES, MAX_SIZE, MAX_VIDEO_SIZE
from ...tools import video
from ...tools.photo import count_pixels, strip_metadata
from ...tools.reader import reads, text
from .const import MAX_PIXELS

# Accepted kinds of content, whatever the file is called; the parameter may name others.
TYPES = (
    'image/jpeg,image/png,image/gif,image/webp,application/pdf,video/mp4,video/webm,video/quicktime'
)
TYPES_PARAMETER = 'sale_return.file_types'


class SaleReturnFile(models.Model):
    """A photo or document as evidence. The only place where files of returns are accepted.

    Forms, the bench and the portal call `_upload`, or create records with `datas`. The content is
    kept as it came (no resizing), with its SHA-256, who added it and when. Once the return is
    submitted it stays until it is erased; the hash stays for good.
    """

    _name = 'sale.return.file'
    _inherit = ['sale.return.technical']
    _description = "Return File"
    _order = 'id'
    _check_company_auto = True

    name = fields.Char(required=True)
    return_id = fields.Many2one('sale.return', required=True, index=True, ondelete='cascade')
    line_id = fields.Many2one(
        'sale.return.line',
        string="Product",
        index='btree_not_null',
        ondelete='cascade',
        domain="[('return_id', '=', return_id)]",
    )
    inspection_id = fields.Many2one(
        'sale.return.inspection', index='btree_not_null', ondelete='restrict'
    )
    company_id = fields.Many2one(related='return_id.company_id', store=True, index=True)
    attachment_id = fields.Many2one(
        'ir.attachment', readonly=True, index='btree_not_null', ondelete='restrict'
    )
    datas = fields.Binary(
        string="File", compute='_compute_datas', inverse='_inverse_datas', attachment=False
    )
    mimetype = fields.Char(string="Type", readonly=True)
    size = fields.Integer(string="Size (bytes)", readonly=True)
    sha256 = fields.Char(
        technical=True, string="SHA-256", readonly=True, help="Kept even after the file is erased."
    )
    user_id = fields.Many2one('res.users', string="Uploaded by", readonly=True, ondelete='restrict')
    date = fields.Datetime(string="Uploaded on", readonly=True)
    locked = fields.Boolean(
        readonly=True, help="It was submitted with the return, so it is evidence."
    )
    erased_on = fields.Datetime(readonly=True)
    erased_by_id = fields.Many2one('res.users', readonly=True, ondelete='restrict')
    erasure_reason = fields.Text(readonly=True)

    _to_purge = models.Index('(date) WHERE erased_on IS NULL')

    # === COMPUTE METHODS === #

    @api.depends('attachment_id')
    def _compute_datas(self):
        for file in self:
            # sudo: users who can read the file may read its content.
            file.datas = file.sudo().attachment_id.datas

    def _inverse_datas(self):
        """Content is given when the file is created, and never replaced."""
        raise UserError(self.env._("A file cannot be replaced. Add the right one as a new file."))

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):  # pylint: disable=method-required-super
        """Override of `base`: accept files as sent by a form, with the same checks as others.

        `vals` are `name`, `datas` (base64) and one of `return_id`, `line_id`, `inspection_id`.

        :raise UserError: when a file cannot be accepted.
        """
        self.env['sale.return']._ensure_group('group_user')
        files = self.browse()
        for vals in vals_list:
            # One by one: a form sends one or two, batches go to `_upload`.
            target = self._get_target(vals)
            target.check_access('read')
            content = [{'name': vals.get('name'), 'datas': vals.get('datas')}]
            files += self._upload(target, content)
        return files

    def write(self, vals):  # pylint: disable=method-required-super
        """Override of `base` to protect files."""
        raise UserError(
            self.env._("Files of returns cannot be changed. Add the right one as a new file.")
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_locked(self):
        self._ensure_unlocked()

    def _ensure_unlocked(self):
        if locked := self.filtered('locked'):
            raise UserError(
                self.env._(
                    "%(files)s belongs to a return that was submitted, so it is evidence and "
                    "cannot be deleted. A manager can erase it.",
                    files=", ".join(locked.mapped('name')),
                )
            )

    @api.model
    def _create_facts(self, vals_list):
        """Create files that were checked; `create` checks what a client sends."""
        # Bypasses our own `create` and calls those of the parent classes.
        return super().create(vals_list)  # pylint: disable=super-method-mismatch

    def _write_facts(self, vals):
        """Write derived values; `write` refuses everything."""
        return super().write(vals)  # pylint: disable=super-method-mismatch

    # === UPLOAD === #

    @api.model
    def _upload(self, record, files):
        """Check files and store them on a record. The caller has checked that the user may do this.

        The same content is stored only once on a record.

        :param record: one record of the models in `_get_target_fields`.
        :param list files: dicts `{name, datas}` (base64) or `{name, raw}` (bytes). `strip` True:
            only a photo or video is accepted, and metadata (such as the place where it was taken)
            is removed from photos before they are stored; the hash is that of the stored content.
            Videos are never decoded, and stored as they came.
        :return: the files, in the order given.
        :rtype: sale.return.file
        :raise UserError: naming the file and what is wrong with it; nothing is stored then.
        """
        record.ensure_one()
        # sudo: files are evidence that nobody writes directly; see above for the check of the
        # rights.
        service = self.sudo().with_context(
            clean_context({**self.env.context, 'image_no_postprocess': True})
        )
        service._check_pixels(files)
        target_field = self._get_target_fields()[record._name]
        present = {
            file.sha256: file
            for file in service.search([(target_field, '=', record.id), ('erased_on', '=', False)])
        }
        new = {}
        order = []
        for file in files:
            vals, raw = service._prepare_file_vals(record, file)
            order.append(vals['sha256'])
            if vals['sha256'] not in present:
                new.setdefault(vals['sha256'], (vals, raw))
        if len(present) + len(new) > MAX_FILES:
            raise UserError(
                self.env._(
                    "No more than %(limit)s files can be added to “%(record)s”.",
                    limit=MAX_FILES,
                    record=record.display_name,
                )
            )
        created = service._create_facts([vals for vals, _raw in new.values()])
        attachments = service.env['ir.attachment'].create(
            [
                {
                    'name': file.name,
                    'raw': raw,
                    'mimetype': file.mimetype,
                    'res_model': self._name,
                    'res_id': file.id,
                }
                for file, (_vals, raw) in zip(created, new.values(), strict=True)
            ]
        )
        for file, attachment in zip(created, attachments, strict=True):
            file._write_facts({'attachment_id': attachment.id})
            present[file.sha256] = file
        created._log_uploads()
        return self.browse(present[sha256].id for sha256 in order)

    @api.model
    def _check_pixels(self, files):
        """Refuse pictures that are too large to decode together, judging by their headers.

        :param list files: as for `_upload`.
        :raise UserError: saying how many there are, before any of them is decoded.
        """
        contents = [self._get_content(file) for file in files]
        # Files above the size limit are refused separately, without being opened.
        pixels = sum(
            count_pixels(raw)
            for raw in contents
            if len(raw) <= MAX_SIZE and not video.recognize(raw)
        )
        if pixels > MAX_PIXELS:
            raise UserError(
                self.env._(
                    "The pictures have %(count)s megapixels together; up to %(limit)s can be sent "
                    "at once. Send fewer of them, or make them smaller.",
                    count=round(pixels / 1e6),
                    limit=round(MAX_PIXELS / 1e6),
                )
            )

    @api.model
    def _get_target_fields(self):
        """Return `{model: field of this model that refers to it}`. Override to add models.

        A model that is added needs a field `return_id`.
        """
        return {
            'sale.return': 'return_id',
            'sale.return.line': 'line_id',
            'sale.return.inspection': 'inspection_id',
        }

    @api.model
    def _get_target(self, vals):
        """Return the record that the file of a form belongs to: the most specific one."""
        for model, field in reversed(list(self._get_target_fields().items())):
            if vals.get(field):
                return self.env[model].browse(vals[field]).exists()
        raise UserError(self.env._("Choose what the file belongs to."))

    @api.model
    def _prepare_file_vals(self, record, file):
        """Check one file and prepare its record. Override to add values.

        :return: values, and the content in bytes.
        :rtype: tuple
        """
        name, raw, mimetype = self._check_content(file)
        if file.get('strip') and not video.recognize(raw):
            raw = self._strip_metadata(name, raw)
        sale_return = record if record._name == 'sale.return' else record.return_id
        vals = {
            'name': name,
            'return_id': sale_return.id,
            self._get_target_fields()[record._name]: record.id,
            'mimetype': mimetype,
            'size': len(raw),
            'sha256': hashlib.sha256(raw).hexdigest(),
            'user_id': self.env.uid,
            'date': fields.Datetime.now(),
            'locked': sale_return.state != 'draft',
        }
        if record._name not in ('sale.return', 'sale.return.line') and 'line_id' in record:
            vals['line_id'] = record.line_id.id
        return vals, raw

    @api.model
    def _check_content(self, file):
        """Check one incoming file.

        :param dict file: `{name, datas}` (base64) or `{name, raw}` (bytes).
        :return: `(name, content in bytes, kind of content)`
        :rtype: tuple
        :raise UserError: when it cannot be accepted.
        """
        raw, name = self._get_content(file), self._get_name(file)
        mimetype = video.recognize(raw) or guess_mimetype(raw)
        if raw and file.get('strip') and not mimetype.startswith(('image/', 'video/')):
            # Customers need not know the technical names of what is accepted.
            raise UserError(self._describe_kinds(name))
        self._check_file(name, raw, mimetype)
        return name, raw, mimetype

    @api.model
    def _get_name(self, file):
        # Only the last part of a path, without characters that file systems do not allow.
        name = str(file.get('name') or '').replace('\\', '/').rsplit('/', 1)[-1]
        return ''.join(char for char in name if char.isprintable()).strip()[:200] or "file"

    @api.model
    def _get_content(self, file):
        raw = file.get('raw')
        if raw is None:
            try:
                raw = base64.b64decode(file.get('datas') or b'', validate=True)
            except (binascii.Error, ValueError, TypeError) as error:
                raise UserError(
                    self.env._("%(name)s could not be read.", name=self._get_name(file))
                ) from error
        return raw

    @api.model
    def _check_file(self, name, raw, mimetype):
        """Refuse files that are empty, too large, of an unsupported kind, or not really images.

        :raise UserError: naming the file.
        """
        if not raw:
            raise UserError(self.env._("%(name)s is empty.", name=name))
        limit = MAX_VIDEO_SIZE if video.recognize(raw) else MAX_SIZE
        if len(raw) > limit:
            raise UserError(
                self.env._(
                    "%(name)s is too large (%(size)s). Files may have up to %(limit)s.",
                    name=name,
                    size=human_size(len(raw)),
                    limit=human_size(limit),
                )
            )
        allowed = self._get_allowed_types()
        if mimetype not in allowed:
            raise UserError(
                self.env._(
                    "%(name)s is of a kind that is not accepted (%(type)s). Accepted are: "
                    "%(allowed)s.",
                    name=name,
                    type=mimetype,
                    allowed=", ".join(sorted(allowed)),
                )
            )
        if mimetype.startswith('video/') and not video.recognize(raw):
            # Recognized as a video by its extension or by chance: it would be served as one.
            raise UserError(
                self.env._(
                    "%(name)s is not an MP4, WebM or MOV video that can be stored.", name=name
                )
            )
        if mimetype.startswith('image/'):
            self._check_image(name, raw)

    @api.model
    def _get_allowed_types(self):
        """Return the kinds of content that are accepted."""
        # sudo: users who upload need not read system parameters.
        value = self.env['ir.config_parameter'].sudo().get_param(TYPES_PARAMETER) or TYPES
        return {part.strip() for part in value.split(',') if part.strip()}

    @api.model
    def _check_image(self, name, raw):
        """Refuse content that only begins like an image: it is decoded completely."""
        try:
            # Finds broken chunks, which decoding alone ignores; the image cannot be used
            # afterwards.
            Image.open(io.BytesIO(raw)).verify()
            width, height = (decoded := Image.open(io.BytesIO(raw))).size
            if width * height > IMAGE_MAX_RESOLUTION:
                raise UserError(
                    self.env._(
                        "%(name)s has more than %(limit)s megapixels. Make it smaller.",
                        name=name,
                        limit=round(IMAGE_MAX_RESOLUTION / 1e6),
                    )
                )
            decoded.load()
        except (ValueError, OSError, SyntaxError, Image.DecompressionBombError) as error:
            raise UserError(
                self.env._("%(name)s could not be decoded as an image.", name=name)
            ) from error

    @api.model
    def _strip_metadata(self, name, raw):
        """Return a photo without the position, time and owner recorded by the camera.

        :raise UserError: when we cannot remove the metadata of this kind of photo.
        """
        try:
            return strip_metadata(raw)
        except (ValueError, OSError) as error:
            raise UserError(self._describe_kinds(name)) from error

    @api.model
    def _describe_kinds(self, name):
        return self.env._(
            "%(name)s is not a photo or video. Choose a JPEG, PNG, WebP, MP4, WebM or MOV file.",
            name=name,
        )

    def _log_uploads(self):
        """Log in the chatter who added what to returns that are under way."""
        self.env['sale.return.event']._log(
            [
                {
                    'return_id': file.return_id.id,
                    'line_id': file.line_id.id,
                    'kind': 'file_added',
                    'details': f"{file.name} · SHA-256 {file.sha256}",
                }
                for file in self
                if file.locked
            ]
        )

    @api.model
    def _keep_results(self, rows, results):
        """Store the files that came with inspection results.

        :param rows: the new `sale.return.inspection` rows, in the order of the results.
        :param list results: what `register_inspection` got; `files` is a list as for `_upload`,
            `attachment_ids` a list of ids of attachments that the user may read.
        """
        for row, result in zip(rows, results, strict=True):
            files = list(result.get('files') or [])
            if ids := result.get('attachment_ids'):
                attachments = self.env['ir.attachment'].browse(self._extract_ids(ids))
                attachments.check_access('read')
                files += [{'name': a.name, 'raw': a.raw} for a in attachments]
            if files:
                self._upload(row, files)

    @api.model
    def _extract_ids(self, value):
        """Return the ids in a list of ids or of commands that link them."""
        ids = []
        for item in value:
            if isinstance(item, int):
                ids.append(item)
            elif item[0] == Command.LINK:
                ids.append(item[1])
            elif item[0] == Command.SET:
                ids += item[2]
        return ids

    # === LOCK AND ERASE === #

    def _lock(self):
        """Make files evidence: their return is submitted."""
        # sudo: nobody writes files directly; the caller has submitted their return.
        self.sudo().filtered(lambda file: not file.locked)._write_facts({'locked': True})

    @reads(reason=text)
    def action_erase(self, reason=None):
        """Erase the content of files, e.g. because a person asks for it. The hash stays.

        :param str reason: why, required.
        :return: True
        :raise AccessError: without the role of manager.
        :raise UserError: without a reason.
        """
        returns = self.env['sale.return']
        returns._ensure_group('group_manager')
        self.check_access('read')
        returns._ensure_explained(reason, self.env._("Enter why the files are erased."))
        self._erase(reason)
        return True

    def action_open_erasure(self):
        """Open the dialog that asks why the files are erased."""
        self.env['sale.return']._ensure_group('group_manager')
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Erase"),
            'res_model': 'sale.return.explain',
            'view_mode': 'form',
            'target': 'new',
            'context': {'default_action': 'erase', 'default_file_ids': self.ids},
        }

    def _erase(self, reason):
        """Erase the content, keep the hash, and log it."""
        todo = self.filtered(lambda file: not file.erased_on)
        # sudo: nobody may delete the content directly; the callers have checked the rights.
        attachments = todo.sudo().attachment_id
        todo.sudo()._write_facts(
            {
                'attachment_id': False,
                'erased_on': fields.Datetime.now(),
                'erased_by_id': self.env.uid,
                'erasure_reason': reason,
            }
        )
        attachments.unlink()
        self.env['sale.return.event']._log(
            [
                {
                    'return_id': file.return_id.id,
                    'line_id': file.line_id.id,
                    'kind': 'file_erased',
                    'reason': reason,
                    'details': f"{file.name} · SHA-256 {file.sha256}",
                }
                for file in todo
            ]
        )

    @api.model
    def _cron_purge(self, limit=500):
        """Scheduled job: erase files that are older than the company keeps them.

        Only of finished returns; months are counted from the upload.

        :param int limit: files per transaction.
        """
        cron = self.env['ir.cron']
        # sudo: the job works for all companies.
        companies = self.env['res.company'].sudo().search([('sale_return_file_months', '>', 0)])
        for company in companies:
            before = fields.Datetime.subtract(
                fields.Datetime.now(), months=company.sale_return_file_months
            )
            domain = [
                ('company_id', '=', company.id),
                ('erased_on', '=', False),
                ('date', '<', before),
                ('return_id.state', 'in', ('closed', 'refused', 'cancelled')),
            ]
            reason = self.env._(
                "Kept for %(months)s months, until %(date)s.",
                months=company.sale_return_file_months,
                date=format_date(self.env, fields.Date.today()),
            )
            while files := self.sudo().search(domain, limit=limit, order='id'):
                files._erase(reason)
                if not cron._commit_progress(len(files)):
                    return
