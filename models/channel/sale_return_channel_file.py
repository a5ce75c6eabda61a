from odoo import api, fields, models
from odoo.fields import Command

from ...tools.context import get_ids
from ...tools.reader import list_of, needed, reads, record_id


class SaleReturnChannelFile(models.Model):
    """A file that was imported, with the data it states about itself. Written by the importer."""

    _name = 'sale.return.channel.file'
    _inherit = ['sale.return.own.defaults', 'sale.return.technical']
    _description = "File of a Sales Channel"
    _order = 'id desc'

    name = fields.Char(required=True, readonly=True)
    channel_id = fields.Many2one(
        'sale.return.channel', required=True, readonly=True, index=True, ondelete='restrict'
    )
    company_id = fields.Many2one(
        related='channel_id.company_id', store=True, index=True, readonly=True
    )
    checksum = fields.Char(
        required=True, readonly=True, technical=True, help="Identifies the content of the file."
    )
    attachment_id = fields.Many2one('ir.attachment', string="File", readonly=True)
    format = fields.Char(readonly=True, help="Recognised by the columns of the file.")
    source = fields.Char(readonly=True, help="The list that its refunds belong to.")
    number = fields.Char(string="Settlement", readonly=True, help="The name stated in the file.")
    date_start = fields.Datetime(string="From", readonly=True)
    date_end = fields.Datetime(string="To", readonly=True)
    currency_id = fields.Many2one('res.currency', readonly=True)
    row_count = fields.Integer(string="Rows", readonly=True)
    refund_count = fields.Integer(string="Refunds", readonly=True)
    unit_count = fields.Integer(
        string="Goods", readonly=True, help="Rows about goods that come or came back."
    )
    amount_refunded = fields.Monetary(
        string="Refunded", readonly=True, help="Paid back to buyers, tax included, fees left out."
    )
    amount_stated = fields.Monetary(
        string="Stated Total", readonly=True, help="The total that the file states."
    )
    amount_unexplained = fields.Monetary(
        string="Unexplained",
        readonly=True,
        help="The stated total less the sum of the rows read. 0.00 if complete.",
    )
    is_stated = fields.Boolean(readonly=True)
    broken_ids = fields.One2many('sale.return.channel.broken', 'file_id', readonly=True)
    broken_count = fields.Integer(string="Broken Rows", readonly=True)
    refund_ids = fields.Many2many(
        'sale.return.channel.refund', string="Refunds of the File", readonly=True
    )

    _bytes_unique = models.UniqueIndex(
        '(channel_id, checksum)', "This file has already been imported."
    )

    @reads(attachment_ids=needed(list_of(record_id)))
    def create_document_from_attachment(self, attachment_ids):
        """Import files that were dropped on the list; the name is what Odoo's drop zone calls.

        The channel is that of the list (`default_channel_id` of the context), or the only one that
        exports such files.

        :param list attachment_ids: ids of attachments of the user.
        :return: the action that shows the files, or asks for the channel.
        :rtype: dict
        :raise AccessError: if the user may not import.
        :raise UserError: if a file cannot be read; then none is imported.
        """
        channels = self.env['sale.return.channel']
        channels._check_may_import()
        attachments = self.env['ir.attachment'].browse(attachment_ids)
        attachments.check_access('read')
        channel = channels.browse(get_ids(self.env, 'default_channel_id')[:1]).exists()
        channel = channel or self.env['sale.return.channel.importer']._guess_channel(attachments)
        if not channel:
            action = channels.action_import()
            context = {'default_attachment_ids': [Command.set(attachments.ids)]}
            return {**action, 'context': {**action['context'], **context}}
        dialog = self.env['sale.return.channel.import'].create(
            {'channel_id': channel.id, 'attachment_ids': [Command.set(attachments.ids)]}
        )
        return dialog.action_import()

    def action_view_refunds(self):
        """Show the refunds of the files by their status."""
        action = self.env['ir.actions.actions']._for_xml_id(
            'sale_return.sale_return_channel_refund_action'
        )
        return {
            **action,
            'domain': [('file_ids', 'in', self.ids)],
            'context': {'search_default_group_state': 1},
        }

    @api.model
    def _get_result(self, file, new=0, changed=0, known=False):
        """Return the importer's answer about a file, see `import_file` of the channel."""
        message = (
            self.env._(
                "%(file)s was imported before, on %(date)s. Nothing has changed.",
                file=file.name,
                date=fields.Date.to_string(file.create_date),
            )
            if known
            else self.env._(
                "%(file)s: %(rows)s rows, %(refunds)s refunds, %(broken)s broken rows.",
                file=file.name,
                rows=file.row_count,
                refunds=file.refund_count,
                broken=file.broken_count,
            )
        )
        return {
            'id': file.id,
            'name': file.name,
            'format': file.format,
            'rows': file.row_count,
            'broken': file.broken_count,
            'refunds': file.refund_count,
            'new': new,
            'changed': changed,
            'known': known,
            'message': message,
        }
