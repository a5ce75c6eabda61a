from odoo import fields, models
from odoo.exceptions import UserError


class SaleReturnChannelImport(models.TransientModel):
    """Dialog: choose files of a channel. Room: channel."""

    _name = 'sale.return.channel.import'
    _description = "Import Channel Files"

    channel_id = fields.Many2one('sale.return.channel', required=True)
    attachment_ids = fields.Many2many('ir.attachment', string="Files")

    def action_import(self):
        """Import the chosen files, all or none, and show them.

        Long ones are left to the scheduled job.

        :return: the action that shows the files, or how far those are that take long.
        :rtype: dict
        :raise UserError: if no file was chosen, or one cannot be read.
        """
        self.ensure_one()
        channel = self.channel_id
        channel._check_may_import()
        channel.check_access('read')
        if not self.attachment_ids:
            raise UserError(self.env._("Choose the files that the channel has exported."))
        uploads = self.env['sale.return.channel.upload']
        long = self.attachment_ids.filtered(uploads._is_long)
        queued = uploads._queue(channel, long)
        ids = []
        for attachment in self.attachment_ids - long:
            ids += [result['id'] for result in channel._import(attachment.name, attachment.raw)]
        # Chosen for this only: what is imported is kept with its file.
        self.attachment_ids.filtered(
            lambda attachment: (
                attachment.res_model in (False, self._name)
                and attachment.create_uid == self.env.user
            )
        ).unlink()
        if queued:
            return {
                'type': 'ir.actions.client',
                'name': self.env._("Long Files"),
                'tag': 'sale_return.channel_progress',
                'target': 'new',
                'params': {'ids': queued.ids},
            }
        action = self.env['ir.actions.actions']._for_xml_id(
            'sale_return.sale_return_channel_file_action'
        )
        if len(ids) == 1:
            return {**action, 'res_id': ids[0], 'views': [(False, 'form')], 'view_mode': 'form'}
        return {**action, 'domain': [('id', 'in', ids)]}
