import logging
from datetime import timedelta

from psycopg2 import OperationalError

from odoo import api, fields, models

_logger = logging.getLogger(__name__)

# Written by the steps and the scheduled job only.
PROTECTED_FIELDS = frozenset({'slip_mail_queued', 'slip_mail_error'})


class SaleReturn(models.Model):
    """The return slip: what the customer puts into the parcel, and the mail that brings it."""

    _inherit = 'sale.return'

    date_send_until = fields.Date(
        string="Last Day to Send",
        compute='_compute_date_send_until',
        store=True,
        help="Day of the approval plus the days that the policy gives, the last one included. The "
        "line with the fewest days counts. Empty when no goods are expected.",
    )
    slip_mail_queued = fields.Boolean(
        readonly=True, copy=False, help="Waits for the scheduled job that mails return slips."
    )
    slip_mail_error = fields.Text(
        readonly=True, copy=False, help="Why the return slip could not be mailed."
    )

    _slip_mail_queued_index = models.Index('(id) WHERE slip_mail_queued')

    # === COMPUTE METHODS === #

    # Not on the days of the policy: what the customer was told stays when the policy changes.
    @api.depends(
        'state',
        'approval_ids.decision',
        'approval_ids.date',
        'line_ids.return_expected',
        'line_ids.policy_id',
    )
    def _compute_date_send_until(self):
        for sale_return in self:
            sale_return.date_send_until = sale_return._get_date_send_until()

    def _get_date_send_until(self):
        """Return the last day on which the goods may be sent, in the company's time zone.

        E.g., approved at 2026-03-01 23:30 UTC by a company in Shanghai (already 2 March there),
        30 days: 2026-04-01.

        :return: the last day, inclusive; False when nothing is expected or nothing is approved.
        :rtype: datetime.date | bool
        """
        self.ensure_one()
        approvals = self.approval_ids.filtered(lambda a: a.decision == 'approved')
        # Lines that a person approved without a policy set no limit.
        policies = self.line_ids.filtered('return_expected').policy_id
        if self.state not in ('approved', 'closed') or not approvals or not policies:
            return False
        local = self.with_context(tz=self._get_company_timezone())
        approved_on = fields.Datetime.context_timestamp(local, max(approvals.mapped('date')))
        return approved_on.date() + timedelta(days=min(policies.mapped('expiry_days')))

    def _get_company_timezone(self):
        """Return the name of the time zone in which the days of the company begin and end."""
        self.ensure_one()
        company = self.company_id.sudo()  # whoever approves need not see the calendar
        return company.partner_id.tz or company.resource_calendar_id.tz or 'UTC'

    # === CRUD METHODS === #

    def _is_derived(self, name):
        """Override of `sale.return.derived` to protect the queue of slips."""
        return name in PROTECTED_FIELDS or super()._is_derived(name)

    # === SLIP === #

    def _get_slip_lines(self):
        """Return the lines whose goods the customer sends. Override to leave out more."""
        self.ensure_one()
        if self.state in ('refused', 'cancelled'):
            return self.line_ids.browse()
        return self.line_ids.filtered(
            lambda line: (
                line.return_expected
                and line.product_uom_id.compare(line._get_qty_expected(), 0.0) > 0
            )
        )

    def _get_slip_address(self):
        """Return the partner at whose address the goods are received."""
        self.ensure_one()
        # sudo: whoever prints the slip of a return need not see warehouses.
        return self.sudo().warehouse_id.partner_id or self.sudo().company_id.partner_id

    # === MAIL === #

    def _send_approval_mail(self):
        """Leave the mails that bring the slips to the scheduled job.

        Making a PDF takes seconds, which approving hundreds of returns must not wait for.
        """
        due = self.filtered(lambda r: r._is_slip_mail_due())
        if due:
            due._write_facts({'slip_mail_queued': True, 'slip_mail_error': False})
            # sudo: whoever approves may not start jobs by himself.
            self.env.ref('sale_return.ir_cron_send_approval_mails').sudo()._trigger()

    def _is_slip_mail_due(self):
        """Tell whether the customer of a return is to be told what to send, and can be.

        Override to leave out returns whose customers are told in another way.
        """
        self.ensure_one()
        return bool(
            self.state == 'approved'
            and self.company_id.sale_return_mail_approved
            and self.partner_id.email
            and any(line._get_qty_missing() for line in self.line_ids)
        )

    def _mail_slip(self):
        """Post the mail that brings the slip, in the customer's language, unless it is late."""
        self.ensure_one()
        self._write_facts({'slip_mail_queued': False, 'slip_mail_error': False})
        if not self._is_slip_mail_due():
            return  # cancelled, or here already
        self.with_company(self.company_id).message_post_with_source(
            self.env.ref('sale_return.mail_template_approved'),
            subtype_xmlid='mail.mt_comment',
            email_layout_xmlid='mail.mail_notification_light',
        )

    def _mail_slip_isolated(self):
        """Mail the slip of one return so that its failure does not stop the others.

        The reason is kept on the return and noted in its messages once; it stays queued.
        """
        self.ensure_one()
        try:
            with self.env.cr.savepoint():
                self._mail_slip()
        except OperationalError:
            raise  # nothing is wrong with this return: the whole job starts again
        except Exception as error:
            # Templates and reports are the users' to change and may fail in any way.
            _logger.exception("The slip of return %s could not be mailed.", self.name)
            text = str(error)
            if text != self.slip_mail_error:
                self._write_facts({'slip_mail_error': text})
                self._message_log(
                    body=self.env._("The return slip could not be mailed: %(error)s", error=text)
                )

    @api.model
    def _cron_send_approval_mails(self):
        """Scheduled job: mail the slips of approved returns, each in its own transaction."""
        domain = [('slip_mail_queued', '=', True)]
        # sudo: the job works for all companies.
        ids = self.sudo().search(domain, order='id').ids
        cron = self.env['ir.cron']
        cron._commit_progress(remaining=len(ids))
        for done, return_id in enumerate(ids, start=1):
            # Somebody may be working on it, or another job may have been faster.
            locked = self.sudo().browse(return_id).try_lock_for_update()
            for sale_return in locked.filtered_domain(domain):
                sale_return._mail_slip_isolated()
            # Committed one by one: a mail that left cannot be called back.
            if not cron._commit_progress(1, remaining=len(ids) - done):
                break
