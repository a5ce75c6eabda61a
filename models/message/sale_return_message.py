import logging
from datetime import timedelta

from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ...tools.html import as_html, drop_links
from ...tools.own_value import OwnValue

_logger = logging.getLogger(__name__)

# Attempts for one message; after that somebody has to check.
MAX_ATTEMPTS = 8
# Minutes after which an answer is no longer waited for.
LONGEST_PAUSE = 24 * 60
FIRST_PAUSE = 5
# How long bounces of a sent mail are checked.
DELIVERY_DAYS = 7

# Events that make an earlier unsent message superfluous.
SUPERSEDED_BY = {
    'received': ('approved', 'approved_keep', 'refused'),
    'arrived': ('inspected',),
    'reminder': ('expired',),
}


class SaleReturnMessage(models.Model):
    """A message to a customer about one event of their return, pending or with its result.

    The row is written with the event, in the same transaction; the scheduled job sends it. Several
    events of one kind before the job runs are reported once, and all messages with the same mail
    template that are pending when the first one is due become one mail.
    """

    _name = 'sale.return.message'
    _inherit = ['sale.return.own.defaults']
    _description = "Message to Customer"
    _order = 'id desc'
    _rec_name = 'kind_id'

    return_id = fields.Many2one(
        'sale.return', required=True, readonly=True, index=True, ondelete='cascade'
    )
    company_id = fields.Many2one(
        'res.company', required=True, readonly=True, index=True, ondelete='cascade'
    )
    kind_id = fields.Many2one(
        'sale.return.message.kind',
        string="Message",
        required=True,
        readonly=True,
        ondelete='restrict',
    )
    event_key = fields.Char(
        required=True,
        readonly=True,
        help="Identifies the message; the same message is not sent twice.",
    )
    partner_id = fields.Many2one(related='return_id.partner_id', string="Customer")
    state = fields.Selection(
        [
            ('waiting', "To send"),
            ('sent', "Sent"),
            ('failed', "Failed"),
            ('unreachable', "Not reached"),
            ('skipped', "Not needed"),
        ],
        string="Status",
        required=True,
        readonly=True,
        default='waiting',
        help=(
            "Failed: it can be tried again. Not reached: the customer has no address, or mails "
            "bounce. Not needed: it was superseded by events."
        ),
    )
    attempts = fields.Integer(technical=True, readonly=True)
    date_next = fields.Datetime(string="Send after", readonly=True)
    date_sent = fields.Datetime(string="Sent on", readonly=True)
    sms_sent = fields.Boolean(string="Text Message", readonly=True)
    error = fields.Text(string="Reason", readonly=True, help="Why it was not sent.")
    mail_message_id = fields.Many2one(
        'mail.message', string="Mail", readonly=True, ondelete='set null', index='btree_not_null'
    )
    subject = fields.Char(compute='_compute_preview')
    preview = fields.Html(
        string="Mail Text",
        compute='_compute_preview',
        sanitize=False,  # rendered by our own code, and shown in a sandbox
        help=(
            "The message as sent, or as it would be sent now. Links do not work here: they are "
            "for the customer only."
        ),
    )
    text_message = fields.Text(string="Text of the Message", compute='_compute_preview')

    _once = models.UniqueIndex('(return_id, event_key)', "This message was already sent.")
    # Also used by PostgreSQL when the same kind of event happens again before the job.
    _one_waiting = models.UniqueIndex(
        "(return_id, kind_id) WHERE state = 'waiting'", "This message is already queued."
    )
    _due = models.Index("(date_next, id) WHERE state = 'waiting'")
    _recent = models.Index("(date_sent) WHERE state = 'sent'")
    _kind_index = models.Index('(kind_id)')

    # === COMPUTE METHODS === #

    @api.depends('state', 'mail_message_id', 'kind_id.template_id', 'kind_id.sms_text')
    def _compute_preview(self):
        """Show what was sent, or what would be sent now; writes nothing."""
        for message in self:
            # sudo: users who read the message may read its text without access to templates.
            subject, body, text = message.sudo()._render_preview()
            message.update({'subject': subject, 'preview': body, 'text_message': text})

    def _render_preview(self):
        """Return subject, text (HTML) and text message of a message, without the customer's links.

        :rtype: tuple
        """
        self.ensure_one()
        if self.mail_message_id:
            return self.mail_message_id.subject, drop_links(self.mail_message_id.body), False
        kind = self.kind_id.with_context(lang=self.partner_id.lang)
        told = self
        if self.state == 'waiting':
            told |= self._take_along().filtered(lambda message: not message._get_obstacle())
        template = kind.template_id.with_context(
            sale_return_preview=True, sale_return_told=OwnValue(told.kind_id.mapped('code'))
        )
        subject = body = text = False
        try:
            if template.active and template.model == 'sale.return':
                subject, body = (
                    template._render_field(name, self.return_id.ids, compute_lang=True)[
                        self.return_id.id
                    ]
                    for name in ('subject', 'body_html')
                )
            if kind.sms_text:
                local = self.return_id.with_context(
                    lang=self.partner_id.lang, sale_return_preview=True
                )
                text = kind.sms_text.format_map(local._get_sms_values())
        except UserError as error:
            body = as_html(str(error))  # a template that somebody has changed
        return subject, drop_links(body or ''), text

    # === QUEUE === #

    @api.model
    def _queue(self, tasks):
        """Queue messages for the scheduled job, all in one statement.

        :param list tasks: `(return, code of the event, key)`; keys already used on a return are
            skipped.
        """
        # The times are those of the transaction, as in the ORM.
        groups, now, uid = {}, self.env.cr.now(), self.env.uid
        for sale_return, code, key in tasks:
            groups.setdefault(code, {})[sale_return.id] = (sale_return, key)
        rows = []
        kinds = self.env['sale.return.message.kind']
        for code, found in groups.items():
            # sudo: users who cause an event need not read everything that decides who is notified.
            returns = self.env['sale.return'].sudo().browse(found)
            for kind_id, group in kinds._get_audience(returns, code).items():
                for r in group:
                    wait = kinds._get_table(r.company_id.id)[code][-1]
                    due = now + timedelta(minutes=wait)
                    rows.append((r.id, r.company_id.id, kind_id, found[r.id][1], due))
        if not rows:
            return
        # Not by the ORM: if two users cause the same event at once, there is one message and
        # neither user gets an error.
        self.env.cr.execute(
            SQL(
                "INSERT INTO sale_return_message (return_id, company_id, kind_id, event_key,"
                " date_next, state, attempts, create_uid, create_date, write_uid, write_date)"
                " VALUES %s ON CONFLICT DO NOTHING",
                SQL(", ").join(SQL("%s", (*row, 'waiting', 0, uid, now, uid, now)) for row in rows),
            )
        )
        self.env['sale.return'].invalidate_model(['customer_message_ids'], flush=False)

    # === ACTION METHODS === #

    def action_retry(self):
        """Retry unsent messages now.

        :return: True
        :raise AccessError: without a role in Returns.
        """
        self.env['sale.return']._ensure_group('group_user')
        self.check_access('read')
        # sudo: nobody writes messages; the role was checked above.
        again = self.sudo().filtered(lambda m: m.state != 'sent')
        waiting = self.sudo().search(
            [('return_id', 'in', again.return_id.ids), ('state', '=', 'waiting')]
        )
        taken = {(m.return_id, m.kind_id) for m in waiting - again}
        for message in again.sorted('id'):
            # Only one message of each kind is pending at a time; others would be identical.
            if (message.return_id, message.kind_id) not in taken:
                taken.add((message.return_id, message.kind_id))
                message.write(
                    {'state': 'waiting', 'attempts': 0, 'date_next': fields.Datetime.now()}
                )
        # sudo: users may not start jobs themselves.
        self.env.ref('sale_return.ir_cron_send_messages').sudo()._trigger()
        return True

    # === SEND === #

    def _take_along(self):
        """Return the messages told together with a message: all pending with the same template.

        :rtype: sale.return.message
        """
        self.ensure_one()
        waiting = self.search(
            [('return_id', '=', self.return_id.id), ('state', '=', 'waiting')], order='id'
        )
        template = self.kind_id.template_id
        return self | waiting.filtered(lambda m: template and m.kind_id.template_id == template)

    def _send(self):
        """Send messages of one return by one mail, or record for each why it is not sent."""
        needed = self.browse()
        for message in self:
            if reason := message._get_obstacle():
                message._finish('skipped', reason)
            else:
                needed += message
        if not needed:
            return
        sale_return = needed.return_id.with_company(needed.company_id)
        told = OwnValue(needed.kind_id.mapped('code'))
        sale_return = sale_return.with_context(sale_return_told=told)
        kinds = needed.kind_id.sorted(lambda kind: (kind.sequence, kind.id), reverse=True)
        template = kinds[:1].template_id
        template = template if template.active else template.browse()
        # Likewise one text message: that of the last state that has one.
        last = kinds.filtered('sms_text')[:1]
        texted = bool(last) and sale_return._send_customer_sms(last)
        if not template:
            for message in needed:
                problem = not texted and message.kind_id._get_problem()
                message._finish('sent' if texted else 'skipped', problem, sms_sent=texted)
        elif sale_return.partner_id.email_normalized:
            mail = sale_return._post_customer_mail(template)
            needed._finish('sent', mail_message_id=mail[:1].id, sms_sent=texted)
        else:
            reason = self.env._("The customer has no valid e-mail address.")
            needed._finish('sent' if texted else 'unreachable', reason, sms_sent=texted)
            needed[0]._note_unreachable(reason)

    @api.model
    def _skip_waiting(self):
        """Cancel pending messages, e.g. after an import of old returns."""
        # sudo: users who import need not be managers; nothing is sent.
        for message in self.sudo().search([('state', '=', 'waiting')]):
            message._finish(
                'skipped', self.env._("Happened before messages to customers were enabled.")
            )

    def _get_obstacle(self):
        """Return why the message is not needed, or None when it is."""
        self.ensure_one()
        code = self.kind_id.code
        if not self.env['sale.return.message.kind']._get_audience(self.return_id, code):
            return self.env._("Switched off.")
        later = self.return_id.customer_message_ids.filtered(
            lambda m: m.id > self.id and m.state in ('waiting', 'sent')
        )
        if set(later.kind_id.mapped('code')) & set(SUPERSEDED_BY.get(code, ())):
            return self.env._("A later message replaces it.")
        if not self.return_id._is_message_due(code):
            return self.env._("It no longer applies.")
        return None

    def _finish(self, state, error=False, **values):
        """Store the result of a message."""
        self.write(
            {
                'state': state,
                'error': error,
                'date_sent': fields.Datetime.now() if state == 'sent' else False,
                **values,
            }
        )

    def _note_unreachable(self, reason):
        """Notify our users once per return that its customer cannot be reached."""
        self.ensure_one()
        others = self.return_id.customer_message_ids - self
        if not any(m.error == reason for m in others):
            self.return_id._message_log(
                body=self.env._("The customer could not be notified: %(reason)s", reason=reason)
            )

    def _send_isolated(self):
        """Send a message and those told with it, so that a failure does not stop the others.

        It is tried again after a pause that doubles each time.
        """
        self.ensure_one()
        # Messages taken by another worker are sent there.
        others = (self._take_along() - self).try_lock_for_update(allow_referencing=True)
        together = self | others
        try:
            with self.env.cr.savepoint():
                together._send()
        except OperationalError:
            raise  # nothing is wrong with this message: the whole job starts again
        except Exception as error:
            # Users can change templates and reports, which may then fail in any way.
            _logger.exception("Message %s of return %s failed.", self.id, self.return_id.name)
            together._fail(str(error))

    def _fail(self, text):
        """Store why messages of one return could not be sent, and when they are retried."""
        if any(message.error != text for message in self):
            self.return_id._message_log(
                body=self.env._(
                    "The message “%(message)s” could not be sent: %(error)s",
                    message=", ".join(self.kind_id.mapped('name')),
                    error=text,
                )
            )
        attempts = max(self.mapped('attempts')) + 1
        pause = min(FIRST_PAUSE * 2 ** (attempts - 1), LONGEST_PAUSE)
        self.write(
            {
                'state': 'failed' if attempts >= MAX_ATTEMPTS else 'waiting',
                'attempts': attempts,
                'error': text,
                'date_next': fields.Datetime.now() + timedelta(minutes=pause),
            }
        )

    # === DELIVERY === #

    @api.model
    def _check_delivery(self):
        """Reset “sent” for mails that bounced or that the mail server refused."""
        since = fields.Datetime.now() - timedelta(days=DELIVERY_DAYS)
        statuses = ('bounce', 'exception')
        messages = self.search(
            [
                ('state', '=', 'sent'),
                ('date_sent', '>=', since),
                ('mail_message_id.notification_ids.notification_status', 'in', statuses),
            ]
        )
        for message in messages:
            # One by one: each has its own reason, and they are few.
            failed = message.mail_message_id.notification_ids.filtered(
                # Not those of colleagues who follow the return.
                lambda n, m=message: (
                    n.notification_status in statuses and n.res_partner_id == m.partner_id
                )
            )[:1]
            if not failed:
                continue
            bounced = failed.notification_status == 'bounce'
            reason = (bounced and failed.failure_reason) or failed.format_failure_reason()
            message._finish('unreachable' if bounced else 'failed', reason)
            message._note_unreachable(reason)

    # === SCHEDULED JOB === #

    @api.model
    def _cron_send(self):
        """Scheduled job: send pending messages, each in its own transaction."""
        # sudo: the job works for all companies.
        messages = self.sudo()
        messages._check_delivery()
        domain = [('state', '=', 'waiting'), ('date_next', '<=', fields.Datetime.now())]
        # Events of one transaction are reported in the order of the steps.
        todo = messages.search(domain, order='create_date, kind_id, id')
        # Messages sent (or failed) together with an earlier one are not due any more.
        self.env['sale.return.job']._work_off(
            todo, lambda message: message.filtered_domain(domain) and message._send_isolated()
        )
