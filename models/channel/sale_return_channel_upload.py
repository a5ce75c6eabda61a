import logging
from datetime import timedelta

from psycopg2 import InterfaceError, OperationalError

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.modules.registry import Registry
from odoo.tools import SQL

from ...tools.context import get_own
from ...tools.own_value import OwnValue

_logger = logging.getLogger(__name__)

# Files of more bytes are imported by the scheduled job: a request may take two minutes only.
# Archives and workbooks unpack to many times their size.
LONG = 5 * 2**20
LONG_ARCHIVE = 2**20
ARCHIVE = b'PK\x03\x04'
# How often an import is begun that the server ends in the middle.
ATTEMPTS = 3
KEPT_DAYS = 30  # what has ended


class SaleReturnChannelUpload(models.Model):
    """A long file that the scheduled job imports, and how far it is.

    The import is one transaction, so that nothing is half-imported. How far it is, is written by
    another one.
    """

    _name = 'sale.return.channel.upload'
    _inherit = ['sale.return.own.defaults']
    _description = "Long File of a Sales Channel"
    _order = 'id desc'

    name = fields.Char(required=True, readonly=True)
    channel_id = fields.Many2one(
        'sale.return.channel', required=True, readonly=True, index=True, ondelete='cascade'
    )
    company_id = fields.Many2one(
        related='channel_id.company_id', store=True, index=True, readonly=True
    )
    attachment_id = fields.Many2one('ir.attachment', readonly=True, ondelete='cascade')
    user_id = fields.Many2one(
        'res.users', string="By", required=True, readonly=True, ondelete='cascade'
    )
    state = fields.Selection(
        [
            ('waiting', "Waiting"),
            ('running', "Being imported"),
            ('done', "Imported"),
            ('failed', "Failed"),
        ],
        string="Status",
        default='waiting',
        required=True,
        readonly=True,
    )
    row_count = fields.Integer(
        string="Rows", readonly=True, help="About how many the file has; 0 for archives."
    )
    rows_read = fields.Integer(readonly=True)
    attempts = fields.Integer(readonly=True)
    progress = fields.Float(compute='_compute_progress')
    message = fields.Char(readonly=True)

    @api.depends('row_count', 'rows_read', 'state')
    def _compute_progress(self):
        for upload in self:
            share = upload.rows_read / upload.row_count if upload.row_count else 0.0
            upload.progress = 100.0 if upload.state == 'done' else min(99.0, 100 * share)

    @api.model
    def _is_long(self, attachment):
        """Return whether the import of a file is left to the scheduled job."""
        size = attachment.file_size
        return size > LONG or (size > LONG_ARCHIVE and (attachment.raw or b'').startswith(ARCHIVE))

    @api.model
    def _count_rows(self, content):
        """Return about how many rows a file has, 0 if that is not known before it is unpacked."""
        return 0 if content.startswith(ARCHIVE) else content.count(b'\n')

    @api.model
    def _queue(self, channel, attachments):
        """Leave long files to the scheduled job; callers have checked that the user may.

        :return: the uploads.
        """
        # sudo: uploads are written by this service only.
        uploads = self.sudo().create(
            [
                {
                    'name': attachment.name,
                    'channel_id': channel.id,
                    'user_id': self.env.uid,
                    'row_count': self._count_rows(attachment.raw or b''),
                    # A copy: the user may delete theirs.
                    'attachment_id': attachment.sudo()
                    .copy({'res_model': False, 'res_id': False})
                    .id,
                }
                for attachment in attachments
            ]
        )
        self.env.ref('sale_return.ir_cron_channel_uploads').sudo()._trigger()
        return uploads.sudo(False)

    @api.model
    def _cron_import(self):
        """Import what waits, each file in its own transaction.

        A file whose worker has ended in the middle is started again by the next run: what is being
        imported holds a lock.
        """
        cron = self.env['ir.cron']
        waiting = self.search([('state', 'in', ('waiting', 'running'))], order='id')
        cron._commit_progress(remaining=len(waiting))
        for upload in waiting:  # one transaction each
            if upload._take():
                upload._import()
            if not cron._commit_progress(1):
                break

    def _take(self):
        """Keep other workers from the file; not by its row, which is written meanwhile."""
        self.env.cr.execute(
            SQL('SELECT pg_try_advisory_xact_lock(%s, %s)', 0x5A1E, self.id % 2**31)
        )
        return self.env.cr.fetchone()[0]

    def _import(self):
        self.ensure_one()
        if self.attempts >= ATTEMPTS:
            self._finish(
                'failed',
                self.env._(
                    "The server has ended the import %(count)s times: it takes longer than a "
                    "scheduled job may. Export shorter periods, or allow more time "
                    "(limit_time_real_cron).",
                    count=self.attempts,
                ),
            )
            return
        self._tell(state='running', rows_read=0, attempts=self.attempts + 1)
        # As the user who brought it: who has lost the role or the company imports nothing.
        upload = self.with_user(self.user_id).with_context(channel_upload=OwnValue(self.id))
        try:
            with self.env.cr.savepoint():
                upload.channel_id._check_may_import()
                upload.channel_id.check_access('read')
                # sudo: the bytes are those that the user has brought.
                results = upload.channel_id._import(self.name, self.sudo().attachment_id.raw)
                self.env.flush_all()
        except UserError as error:
            self._finish('failed', str(error))
        except (OperationalError, InterfaceError):
            raise  # the database was busy, or is gone: the next run begins the import again
        except Exception:  # whatever one file does, the others are imported
            _logger.exception("The import of %s (upload %s) failed", self.name, self.id)
            self._finish(
                'failed',
                self.env._(
                    "%(file)s could not be imported: an unexpected error occurred, and nothing of "
                    "it was stored. Ask your administrator for the server log, which has the "
                    "details.",
                    file=self.name,
                ),
            )
        else:
            self._finish('done', "\n".join(result['message'] for result in results))

    def _finish(self, state, message):
        """Note the outcome once the import is stored; the file itself keeps its bytes."""
        self.env['ir.cron']._commit_progress()
        self.env.invalidate_all()
        attachment = self.attachment_id
        self.write({'state': state, 'message': message, 'attachment_id': False})
        attachment.unlink()

    @api.model
    def _tell_rows(self, count):
        """Note how many rows of the upload in the context are read."""
        if upload := get_own(self.env, 'channel_upload'):
            self.browse(upload.value)._tell(rows_read=count)

    def _tell(self, **values):
        """Write in another transaction, which others see at once."""
        with Registry(self.env.cr.dbname).cursor() as cr:
            cr.execute(
                SQL(
                    'UPDATE sale_return_channel_upload SET %s WHERE id = %s',
                    SQL(', ').join(
                        SQL('%s = %s', SQL.identifier(name), value)
                        for name, value in values.items()
                    ),
                    self.id,
                )
            )

    @api.autovacuum
    def _gc_uploads(self):
        """Remove what ended a month ago; the files that were imported stay."""
        limit = fields.Datetime.now() - timedelta(days=KEPT_DAYS)
        self.search(
            [('state', 'in', ('done', 'failed')), ('write_date', '<', limit)], limit=1000
        ).unlink()
