from datetime import timedelta

from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.exceptions import UserError

# Written by the scheduled job only.
PROTECTED_FIELDS = frozenset({'reminded_for', 'expiry_error'})


class SaleReturn(models.Model):
    """What happens to returns nobody sends, and to requests nobody decides on."""

    _inherit = 'sale.return'

    reminded_for = fields.Date(
        readonly=True,
        copy=False,
        help="The last day to send of which the customer was reminded. Nobody is reminded twice of "
        "the same day.",
    )
    expiry_error = fields.Text(
        string="Not closed", readonly=True, copy=False, help="Why it could not be closed by itself."
    )

    def _is_derived(self, name):
        """Override of `sale.return.derived` to protect what the job keeps."""
        return name in PROTECTED_FIELDS or super()._is_derived(name)

    # === WHICH === #

    @api.model
    def _get_unsent_domain(self):
        """Return the domain of approved returns of which nothing was sent or came."""
        return [
            ('state', '=', 'approved'),
            ('date_dispatched', '=', False),
            ('reception_state', '=', 'pending'),
            ('date_send_until', '!=', False),
        ]

    def _get_today(self):
        """Return the day it is where the company is."""
        self.ensure_one()
        local = self.with_context(tz=self._get_company_timezone())
        return fields.Date.context_today(local)

    def _is_reminder_due(self):
        """Tell whether the customer is to be reminded today of the last day to send."""
        self.ensure_one()
        days = max(self.line_ids.policy_id.mapped('reminder_days'), default=0)
        today = self._get_today()
        return (
            bool(days)
            and self.reminded_for != self.date_send_until
            and today <= self.date_send_until
            and today >= self.date_send_until - timedelta(days=days)
        )

    def _is_expired(self):
        """Tell whether the last day to send is over. Override to give more time."""
        self.ensure_one()
        return self._get_today() > self.date_send_until

    def _is_lapsed(self):
        """Tell whether nobody decided on a customer's request within the days of its policy."""
        self.ensure_one()
        days = min((d for d in self.line_ids.policy_id.mapped('decision_days') if d), default=0)
        submitted = self.event_ids.filtered(lambda e: e.state_to == 'submitted')[:1].date
        if not days or not submitted or self._has_receipt():
            return False
        local = self.with_context(tz=self._get_company_timezone())
        day = fields.Datetime.context_timestamp(local, submitted).date()
        return self._get_today() > day + timedelta(days=days)

    # === WHAT === #

    def _remind(self):
        """Remind the customer of the last day to send, and plan an activity for us."""
        self.ensure_one()
        self._write_facts({'reminded_for': self.date_send_until})
        self.env['sale.return.event']._log(
            [
                {
                    'return_id': self.id,
                    'kind': 'reminded',
                    'details': fields.Date.to_string(self.date_send_until),
                }
            ]
        )
        if self.user_id.active and not self.user_id.share:
            # The job has no language.
            speaker = self.with_context(lang=self.user_id.lang)
            self.activity_schedule(
                'mail.mail_activity_data_todo',
                date_deadline=self.date_send_until,
                summary=speaker.env._("Ask where the goods are"),
                user_id=self.user_id.id,
            )
        self._tell_customer('sale_return.mail_template_reminder')

    def _expire(self):
        """Close a return that was not sent: its quantities are free again.

        What was credited already is for a person: closing would leave the customer both.
        """
        self.ensure_one()
        if any(line.qty_credited for line in self.line_ids.filtered('return_expected')):
            raise UserError(
                self.env._(
                    "Return %(return)s was credited but not sent. Ask the customer for the goods "
                    "or close the return by hand.",
                    **{'return': self.name},
                )
            )
        self.line_ids._ensure_closable()
        self.env['sale.return.reception']._cancel_open_receipts(self)
        self.line_ids._write_off_missing()
        self._update_state('closed', reason=self.env._("Not sent."))
        self._write_facts({'expiry_error': False})
        self._tell_customer('sale_return.mail_template_expired')

    def _lapse(self):
        """Cancel a request that nobody decided on: its quantities are free again."""
        self.ensure_one()
        self._update_state('cancelled', reason=self.env._("Nobody decided in time."))
        self._end_steps()
        self._tell_customer('sale_return.mail_template_lapsed')

    # === SCHEDULED JOB === #

    @api.model
    def _cron_follow_up(self):
        """Scheduled job: remind, close what was not sent, cancel what nobody decided on.

        Each return in a transaction of its own: a mail that left cannot be called back, and one
        return that cannot be closed does not stop the others.
        """
        # Somewhere it is tomorrow already.
        horizon = fields.Date.today() + timedelta(days=1)
        # sudo: the job works for all companies.
        longest = max(
            self.env['sale.return.policy']
            .sudo()
            .with_context(active_test=False)
            .search([])
            .mapped('reminder_days'),
            default=0,
        )
        unsent = self._get_unsent_domain()
        returns = self.sudo()
        tasks = [
            *(
                (r.id, '_expire', '_is_expired')
                for r in returns.search([*unsent, ('date_send_until', '<', horizon)], order='id')
            ),
            *(
                (r.id, '_remind', '_is_reminder_due')
                for r in returns.search(
                    [*unsent, ('date_send_until', '<=', horizon + timedelta(days=longest))],
                    order='id',
                )
            ),
            *(
                (r.id, '_lapse', '_is_lapsed')
                for r in returns.search(
                    [('state', '=', 'submitted'), ('requested_by_id.share', '=', True)], order='id'
                )
            ),
        ]
        cron = self.env['ir.cron']
        cron._commit_progress(remaining=len(tasks))
        for done, (return_id, step, is_due) in enumerate(tasks, start=1):
            # Somebody may be working on it: the job comes again tomorrow.
            for sale_return in returns.browse(return_id).try_lock_for_update(
                allow_referencing=True
            ):
                sale_return._follow_up_isolated(step, is_due)
            if not cron._commit_progress(1, remaining=len(tasks) - done):
                break

    def _follow_up_isolated(self, step, is_due):
        """Take one step of the job on one return, if it is (still) due.

        :param str step: name of the method that does it.
        :param str is_due: name of the method that says whether it is due.
        """
        self.ensure_one()
        allowed = {'_expire': 'approved', '_remind': 'approved', '_lapse': 'submitted'}
        if self.state != allowed[step] or not getattr(self, is_due)():
            return
        try:
            with self.env.cr.savepoint():
                getattr(self, step)()
        except OperationalError:
            raise  # nothing is wrong with this return: the whole job starts again
        except UserError as error:
            self._keep_expiry_error(str(error))

    def _keep_expiry_error(self, text):
        """Keep why a return could not be closed, and ask a person once."""
        self.ensure_one()
        if text == self.expiry_error:
            return
        self._write_facts({'expiry_error': text})
        if self.user_id.active and not self.user_id.share:
            self.activity_schedule(
                'mail.mail_activity_data_todo', summary=text, user_id=self.user_id.id
            )
