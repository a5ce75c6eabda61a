from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import html2plaintext

# What who wrote a comment may still change of it; where it is, of whom and when stay.
EDITABLE = frozenset({'attachment_ids', 'body', 'partner_ids', 'subject'})

# What Odoo notes on a mail that an administrator sends by *Send Now*.
SENT = frozenset({'message_id'})


class MailMessage(models.Model):
    _inherit = 'mail.message'

    def write(self, vals):
        """Override of `mail` to protect messages about returns."""
        told = not self.env.su or 'body' in vals
        sent = SENT.issuperset(vals) and self.env.user._is_system()
        if vals and told and not sent and self.env.uid != SUPERUSER_ID:
            self._protect_sale_return_messages('message_changed', vals)
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_sale_return_messages(self):
        # In superuser mode messages go with their document.
        if not self.env.su:
            self._protect_sale_return_messages('message_deleted', {})

    def _protect_sale_return_messages(self, kind, vals):
        """Refuse to change messages about our documents, or log who did.

        Everybody may edit their own comments, as in Odoo. Messages of others, and what was logged,
        are changed by managers of Returns alone: Odoo lets everybody do so who was notified.

        :param str kind: of the event.
        :param dict vals: what is written.
        :raise UserError: naming what to do.
        """
        # sudo: reads of which document and of whom they are, whatever the user may see of them.
        messages = self.sudo().filtered(lambda message: self._is_of_returns(message.model))
        own = messages.filtered(
            lambda message: (
                kind == 'message_changed'
                and message.message_type == 'comment'
                and message.author_id == self.env.user.partner_id
            )
        )
        others = messages - own
        if not self.env.su:
            if messages and not EDITABLE.issuperset(vals):
                raise UserError(
                    self.env._(
                        "Of a message about a return only the text, its files and its recipients "
                        "can be changed. Write another message."
                    )
                )
            if others and not self.env.user.has_group('sale_return.group_manager'):
                raise UserError(
                    self.env._(
                        "Messages of others about a return, and what was logged, are evidence and "
                        "cannot be changed or deleted. Write another message, or ask a manager of "
                        "Returns."
                    )
                )
        for message in others:
            # One by one: a manager seldom corrects more than one.
            author = message.author_id.display_name or message.email_from or ''
            day = fields.Datetime.to_string(message.date)
            details = f"{author} · {day}: {html2plaintext(message.body or '')}"
            self.env['sale.return.event']._log_on(message.model, message.res_id, kind, details)

    @api.model
    def _is_of_returns(self, model):
        """Tell whether a model is one of ours, whose messages and files are evidence.

        :param str model: name of a model, or False.
        """
        return bool(model) and model.startswith('sale.return')
