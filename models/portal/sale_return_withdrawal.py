import hashlib
from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_datetime

from ...tools.html import as_html

# Minutes until a failed mail is retried, and the maximum.
FIRST_PAUSE = 5
LONGEST_PAUSE = 24 * 60
MAIL_FIELDS = {'mail_failures', 'date_mail_next'}


class SaleReturnWithdrawal(models.Model):
    """A consumer's statement that they withdraw from a contract, as it was acknowledged.

    Directive 2011/83/EU art. 11a: what was stated, and the date and time it arrived. Written once.
    """

    _name = 'sale.return.withdrawal'
    _inherit = ['sale.return.evidence']
    _description = "Withdrawal from a Contract"
    _order = 'id desc'
    _rec_name = 'order_id'
    _check_company_auto = True

    order_id = fields.Many2one(
        'sale.order',
        required=True,
        index=True,
        ondelete='restrict',
        check_company=True,
        help="The contract.",
    )
    company_id = fields.Many2one('res.company', required=True, index=True)
    partner_id = fields.Many2one('res.partner', string="Customer", required=True)
    return_id = fields.Many2one(
        'sale.return',
        index='btree_not_null',
        ondelete='restrict',
        help="The return of the goods already delivered.",
    )
    date = fields.Datetime(string="Received on", required=True)
    customer_name = fields.Char(string="Name Given", required=True)
    email = fields.Char(string="E-mail Given", required=True)
    statement = fields.Text(required=True, help="What was stated and acknowledged, word for word.")
    sha256 = fields.Char(
        technical=True, string="SHA-256", required=True, help="Hash of the statement."
    )
    content = fields.Json(help="Order lines and quantities of the statement.")
    key = fields.Char(required=True, help="Key of the form; each form is valid for one statement.")
    user_id = fields.Many2one('res.users', string="Recorded by", required=True)
    mail_state = fields.Selection(
        [
            ('outgoing', "Waiting"),
            ('sent', "Sent"),
            ('exception', "Failed"),
            ('cancel', "Cancelled"),
            ('received', "Received"),
        ],
        string="Acknowledgement",
        compute='_compute_mail_state',
        search='_search_mail_state',
        compute_sudo=True,
    )
    # The status of the mail is not part of the evidence.
    mail_failures = fields.Integer(
        string="Failures",
        readonly=True,
        help="Number of failed attempts to mail the acknowledgement.",
    )
    date_mail_next = fields.Datetime(
        string="Resent on", readonly=True, help="When the acknowledgement is sent again."
    )

    _key_unique = models.UniqueIndex('(key)')

    def _compute_mail_state(self):
        mails = self.env['mail.mail'].search(
            [('model', '=', self._name), ('res_id', 'in', self.ids)], order='id'
        )
        states = {mail.res_id: mail.state for mail in mails}
        for withdrawal in self:
            withdrawal.mail_state = states.get(withdrawal.id)

    @api.model
    def _search_mail_state(self, operator, value):
        if operator != 'in':
            return NotImplemented
        # sudo: as for its computation.
        mails = self.env['mail.mail'].sudo()
        ours = Domain('model', '=', self._name)
        found = mails.search(ours & Domain('state', 'in', [state for state in value if state]))
        # The newest mail of each counts.
        withdrawals = self.sudo().browse(found.mapped('res_id')).exists()
        domain = Domain('id', 'in', withdrawals.filtered(lambda w: w.mail_state in value).ids)
        if False in value:
            domain |= Domain('id', 'not in', mails.search(ours).mapped('res_id'))
        return domain

    # === CRUD METHODS === #

    def write(self, vals):  # pylint: disable=method-required-super
        """Override of `sale.return.evidence`: our job writes the status of the mail."""
        if self.env.su and vals.keys() <= MAIL_FIELDS:
            return models.Model.write(self, vals)
        return super().write(vals)

    @api.model
    def _prepare_hash(self, statement):
        return hashlib.sha256(statement.encode()).hexdigest()

    # === WHAT IS LEFT === #

    @api.model
    def _get_counting(self, sale_line):
        """Return the statements about an order line, the oldest first.

        A statement whose return was cancelled does not count.

        :return: `[(withdrawal, its entry of the line)]`
        :rtype: list
        """
        return [
            (withdrawal, entry)
            for withdrawal in sale_line.order_id.withdrawal_ids.sorted('id')
            if withdrawal.return_id.state != 'cancelled'
            for entry in withdrawal.content or []
            if entry['line_id'] == sale_line.id
        ]

    @api.model
    def _get_qty_left(self, sale_line):
        """Return the quantity of an order line not withdrawn from yet, in its unit.

        That is what was ordered (or delivered, if more) less the earlier statements. If staff
        lowers the order because of a statement, the quantity before that still counts.

        :rtype: float
        """
        earlier = self._get_counting(sale_line)
        again = sale_line._get_qty_back()
        total = max(
            sale_line.product_uom_qty,
            sale_line._get_qty_delivered_counted() + again,
            *(entry.get('ordered', 0.0) for _withdrawal, entry in earlier),
        )
        stated = sum(entry['quantity'] for _withdrawal, entry in earlier)
        return max(sale_line._get_return_measure().round(total - stated), 0.0)

    # === ACKNOWLEDGEMENT === #

    def _acknowledge(self):
        """Mail the customer at once what was stated and when it arrived."""
        template = self.env.ref('sale_return.mail_template_withdrawal').sudo()
        for withdrawal in self:
            # One by one: each goes to the addresses of one statement.
            template.send_mail(
                withdrawal.id,
                email_values={
                    'email_to': ", ".join(withdrawal._get_recipients()),
                    'recipient_ids': [],
                },
            )
        # sudo: customers may not start jobs.
        self.env.ref('mail.ir_cron_mail_scheduler_action').sudo()._trigger()

    # A statement counts when it is sent, but the law wants it acknowledged: mails refused by the
    # mail server are sent again, and a user is notified.

    @api.model
    def _cron_retry(self):
        """Scheduled job: send failed mails again, with doubling delays."""
        # sudo: the job works for all companies.
        failed = self.sudo().search(
            Domain('mail_state', '=', 'exception')
            & (
                Domain('date_mail_next', '=', False)
                | Domain('date_mail_next', '<=', fields.Datetime.now())
            )
        )
        # One by one: each has its own mail, owner and delay.
        self.env['sale.return.job']._work_off(failed, lambda withdrawal: withdrawal._retry())

    def _retry(self):
        """Send one acknowledgement again, to the current addresses."""
        self.ensure_one()
        mail = self._get_mail()
        failures = self.mail_failures + 1
        if failures == 1:
            self._ask_to_acknowledge(mail.failure_reason)
        pause = min(FIRST_PAUSE * 2 ** (failures - 1), LONGEST_PAUSE)
        until = fields.Datetime.now() + timedelta(minutes=pause)
        # sudo: nobody writes the status of a mail by hand.
        self.sudo().write({'mail_failures': failures, 'date_mail_next': until})
        mail.write({'email_to': ", ".join(self._get_recipients()), 'failure_reason': False})
        mail.mark_outgoing()
        self.env.ref('mail.ir_cron_mail_scheduler_action').sudo()._trigger()
        self.env.ref('sale_return.ir_cron_retry_acknowledgements').sudo()._trigger(until)

    def _get_mail(self):
        """Return the newest mail that acknowledges the statement."""
        self.ensure_one()
        # sudo: only administrators may read mails; this is the customer's acknowledgement.
        return (
            self.env['mail.mail']
            .sudo()
            .search(
                [('model', '=', self._name), ('res_id', '=', self.id)], order='id desc', limit=1
            )
        )

    def _ask_to_acknowledge(self, reason):
        """Ask a user to handle an acknowledgement that the mail server refuses."""
        self.ensure_one()
        order = self.order_id
        user = self.env['sale.return.portal.request']._get_owner(order)
        speaker = self.with_context(lang=user.sudo().lang)
        order.activity_schedule(
            'mail.mail_activity_data_todo',
            summary=speaker.env._("Acknowledge the withdrawal: the mail could not be sent"),
            note=as_html(
                speaker.env._(
                    "The customer stated on %(date)s that they withdraw, and the law requires "
                    "an acknowledgement. It is sent again automatically. If it stays in the "
                    "list of withdrawals as failed, send the statement in another way.\n"
                    "%(reason)s",
                    date=format_datetime(speaker.env, self.date),
                    reason=reason or '',
                )
            ),
            user_id=user.id,
        )

    def action_acknowledge_again(self):
        """Retry the acknowledgements that could not be sent.

        :return: True
        :raise AccessError: without a role in Returns.
        """
        self.env['sale.return']._ensure_group('group_user')
        self.check_access('read')
        for withdrawal in self.filtered(lambda w: w.mail_state in ('exception', 'cancel')):
            # One by one, as in the job. sudo: the role was checked above.
            withdrawal.sudo()._retry()
        return True

    def _get_recipients(self):
        """Return the addresses the statement is acknowledged to.

        Anybody with the link of an order can state anything, so the mail goes to the address of the
        order, and to the given one only if it is one of the customer's. If we know none, the
        address given with the first statement is used.

        :return: normalized addresses
        :rtype: list
        """
        self.ensure_one()
        # sudo: the addresses are the customer's, no matter who states it.
        withdrawal = self.sudo()
        customer = withdrawal.partner_id.commercial_partner_id
        contacts = customer.with_context(active_test=False).search(
            [('id', 'child_of', customer.ids), ('email_normalized', '!=', False)]
        )
        known = contacts.mapped('email_normalized')
        own = withdrawal.partner_id.email_normalized or customer.email_normalized
        given = [withdrawal.email] if withdrawal.email in known else []
        if not own and not given:
            first = withdrawal.order_id.withdrawal_ids.sorted('id')[:1]
            given = known[:1] or [first.email]
        return list(dict.fromkeys(filter(None, [own, *given])))
