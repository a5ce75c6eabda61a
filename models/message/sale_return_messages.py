from odoo import fields, models

from ...const import CUSTOMER_STEPS

# Which event the mails stand for that older extensions send by `_tell_customer`.
TEMPLATE_CODES = {
    'sale_return.mail_template_approved': 'approved',
    'sale_return.mail_template_reminder': 'reminder',
    'sale_return.mail_template_expired': 'expired',
    'sale_return.mail_template_lapsed': 'lapsed',
}


class SaleReturn(models.Model):
    """Telling customers how far their returns are: what is told, when, and to whom."""

    _inherit = 'sale.return'

    customer_message_ids = fields.One2many(
        'sale.return.message', 'return_id', string="Messages to the Customer", readonly=True
    )
    customer_message_count = fields.Integer(
        compute='_compute_customer_message_count', compute_sudo=True
    )
    customer_message_error = fields.Boolean(
        compute='_compute_customer_message_count',
        compute_sudo=True,
        help="A message could not be sent, or did not reach the customer.",
    )

    def _compute_customer_message_count(self):
        for sale_return in self:
            messages = sale_return.customer_message_ids
            sale_return.customer_message_count = len(messages)
            sale_return.customer_message_error = any(
                m.state in ('failed', 'unreachable') or (m.state == 'waiting' and m.error)
                for m in messages
            )

    def _is_derived(self, name):
        """Override of `sale.return.derived` to protect the queue of messages."""
        return name == 'customer_message_ids' or super()._is_derived(name)

    def action_view_customer_messages(self):
        """Show what the customer was told, or is going to be."""
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id(
            'sale_return.sale_return_message_action'
        )
        return {**action, 'domain': [('return_id', '=', self.id)], 'context': {}}

    # === TELL === #

    def _tell(self, code, key=None):
        """Tell the customers of returns something, once; the scheduled job sends it.

        :param str code: event of a `sale.return.message.kind`, e.g. `delayed`.
        :param str key: what is told: a second time the same key is not. By default the code: once
            per return.
        """
        self.env['sale.return.message']._queue([(r, code, key or code) for r in self])

    def _tell_customer(self, template):
        """Tell the customer of one return something by the event of a mail template.

        Override to tell customers in another way. Mails of extensions are posted at once.

        :param str template: XML id of a `mail.template`.
        """
        self.ensure_one()
        if code := TEMPLATE_CODES.get(template):
            self._tell(code, f"{code}:{self.submission_count}:{self.date_send_until or ''}")
        elif self.partner_id.email:
            self._post_customer_mail(self.env.ref(template))

    def _get_approval_message(self):
        """Return the code of what is told with an approval, None for nothing."""
        self.ensure_one()
        for code in ('approved', 'approved_keep'):
            if self._is_message_due(code):
                return code
        return None  # the goods are here already

    def _is_message_due(self, code):
        """Tell whether what a message says is (still) so. Override to leave customers out.

        Asked when the message is about to be sent.

        :param str code: event of a `sale.return.message.kind`.
        :rtype: bool
        """
        self.ensure_one()
        check = getattr(self, f'_is_{code}_message_due', None)
        return check() if check else self.state not in ('draft', 'cancelled')

    def _is_approved_message_due(self):
        return self._is_slip_mail_due()

    def _is_approved_keep_message_due(self):
        return self.state == 'approved' and not any(self.line_ids.mapped('return_expected'))

    def _is_refused_message_due(self):
        return self.state == 'refused'

    def _is_credited_message_due(self):
        return any(note.state == 'posted' for note in self.credit_note_ids)

    def _is_delayed_message_due(self):
        return self.state in ('submitted', 'approved')

    def _is_reminder_message_due(self):
        return bool(self.filtered_domain(self._get_unsent_domain())) and not self._is_expired()

    def _is_expired_message_due(self):
        return self.state == 'closed'

    def _is_lapsed_message_due(self):
        return self.state == 'cancelled'

    def _is_appeal_decided_message_due(self):
        return bool(self.appeal_ids) and self.appeal_state != 'open'

    def _is_closed_message_due(self):
        # What was not sent was told by another message.
        done = self.inspection_state in ('partial', 'full') or self.credit_state in (
            'partial',
            'full',
        )
        return self.state == 'closed' and done

    def _is_waiting_for_us(self):
        """Tell whether a step of a return under way is ours, so that a delay is ours as well."""
        self.ensure_one()
        return self._is_message_due('delayed') and bool(
            set(self._get_open_steps()) - set(CUSTOMER_STEPS)
        )

    def _is_from_sources(self, source_ids):
        """Tell whether the orders of a return came by one of these channels."""
        self.ensure_one()
        # sudo: who causes the message need not read orders.
        return bool(set(self.sudo().line_ids.order_id.source_id.ids) & set(source_ids))

    # === SEND === #

    def _post_customer_mail(self, template):
        """Post a mail to the customer in his language; it leaves when the transaction is kept.

        :param template: `mail.template`
        :return: the message.
        :rtype: mail.message
        """
        self.ensure_one()
        return self.with_company(self.company_id).message_post_with_source(
            template,
            subtype_xmlid='mail.mt_comment',
            email_layout_xmlid='mail.mail_notification_light',
        )

    def _send_customer_sms(self, kind):
        """Send the text message of a kind, where text messages are installed.

        :param kind: `sale.return.message.kind`
        :return: whether there was one to be sent.
        :rtype: bool
        """
        self.ensure_one()
        partner = self.partner_id
        if 'sms.sms' not in self.env or not partner.phone:
            return False
        local = self.with_context(lang=partner.lang)
        text = kind.with_context(lang=partner.lang).sms_text.format_map(local._get_sms_values())
        # In the queue of text messages: one that left could not be called back.
        self._message_sms(text, partner_ids=partner.ids, put_in_queue=True)
        return True
