from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.exceptions import UserError

from .sale_return_deadline import REMINDERS


class SaleReturnDeadline(models.Model):
    """Reminders before, at and after the due time, and the escalation: each exactly once."""

    _inherit = 'sale.return.deadline'

    @api.model
    def _cron_raise_alarms(self):
        """Scheduled job: remind owners, tell leaders, and find new owners for those who left.

        Each step in a transaction of its own: a mail that left cannot be called back. What was
        sent is stamped in the same transaction, so that nothing is sent twice.
        """
        now = fields.Datetime.now()
        rows = self.sudo()
        ids = rows.search(
            [
                '|',
                ('date_alarm', '<=', now),
                '&',
                ('state', 'in', ('open', 'paused')),
                ('user_id.active', '=', False),
                ('user_id', '!=', False),
            ],
            order='id',
        ).ids
        cron = self.env['ir.cron']
        cron._commit_progress(remaining=len(ids))
        for done, row_id in enumerate(ids, start=1):
            # Somebody may be working on it: the job comes again.
            for row in rows.browse(row_id).try_lock_for_update(allow_referencing=True):
                row._raise_alarm_isolated()
            if not cron._commit_progress(1, remaining=len(ids) - done):
                break

    def _raise_alarm_isolated(self):
        """Raise the alarms of one step; one that cannot be told does not stop the others."""
        self.ensure_one()
        try:
            with self.env.cr.savepoint():
                self._replace_absent_owner()
                self._raise_alarm()
        except OperationalError:
            raise  # nothing is wrong with this step: the whole job starts again
        except UserError as error:
            self.return_id._message_log(
                body=self.env._(
                    "Nobody could be reminded of “%(step)s”: %(error)s",
                    step=self._get_label(),
                    error=str(error),
                )
            )
            self._write_facts({'date_alarm': False})

    def _replace_absent_owner(self):
        """Give a step whose owner has left to somebody else."""
        self.ensure_one()
        if self.user_id and not self.user_id.active and self.state in ('open', 'paused'):
            owners = self.env['sale.return.team']._assign([(self.return_id, self.step)])
            self._hand_over(owners[self.return_id, self.step])

    def _raise_alarm(self):
        """Send the reminders that are due and were not sent.

        Where several are due at once, because the job did not run, the owner gets the last one
        only; all of them count as sent.
        """
        self.ensure_one()
        now = fields.Datetime.now()
        due = [
            name
            for name, stamp in REMINDERS.items()
            if self.state == 'open' and self[name] and self[name] <= now and not self[stamp]
        ]
        if not due:
            return
        stamps = {REMINDERS[name]: now for name in due}
        reminders = [name for name in due if name != 'date_escalate']
        if reminders:
            self._remind(reminders[-1])
        if 'date_escalate' in due:
            leader = self.team_id._get_superior(self.user_id)
            stamps['escalated_to_id'] = leader.id
            stamps |= self._escalate(leader)
        self._write_facts(stamps)
        self._write_facts({'date_alarm': self._get_next_alarm()})

    def _remind(self, moment):
        """Remind the owner of a step; where it has none, the leader of the team.

        :param str moment: `date_before`, `date_limit` or `date_after`.
        """
        self.ensure_one()
        user = self.user_id or self.team_id._get_superior(self.user_id)
        self.env['sale.return.event']._log(
            [
                {
                    'return_id': self.return_id.id,
                    # Not `reminded`: that is the customer, whose page shows it.
                    'kind': 'due_soon' if moment == 'date_before' else 'late',
                    'details': f"{self._get_label()}: {user.name or '–'}",
                }
            ]
        )
        self._notify(user, *self._get_reminder_text(user, moment))

    def _get_reminder_text(self, user, moment):
        """Return subject and body of a reminder, in the language of the user."""
        self.ensure_one()
        row = self.with_context(lang=user.lang)
        facts = {
            'step': row._get_label(),
            'due': row._format_due(user),
            'return': row.return_id.name,
        }
        subject = {
            'date_before': row.env._("%(return)s: “%(step)s” is due soon", **facts),
            'date_limit': row.env._("%(return)s: “%(step)s” is due now", **facts),
            'date_after': row.env._("%(return)s: “%(step)s” is late", **facts),
        }[moment]
        return subject, row.env._(
            "“%(step)s” of return %(return)s is due on %(due)s and is yours.", **facts
        )

    def _escalate(self, leader):
        """Tell the next level that a step is late, and plan an activity for him.

        :param leader: `res.users`, may be empty where nobody is left to tell.
        :return: values to be kept on the step.
        :rtype: dict
        """
        self.ensure_one()
        self.env['sale.return.event']._log(
            [
                {
                    'return_id': self.return_id.id,
                    'kind': 'escalated',
                    'details': f"{self._get_label()}: {self.user_id.name or '–'} → "
                    f"{leader.name or '–'}",
                }
            ]
        )
        if not leader:
            return {}
        row = self.with_context(lang=leader.lang)
        facts = {
            'step': row._get_label(),
            'return': row.return_id.name,
            'owner': row.user_id.name or row.env._("nobody"),
            'due': row._format_due(leader),
        }
        summary = row.env._("Late: %(step)s (%(owner)s)", **facts)
        vals = self._prepare_activity_vals(leader, summary)
        activity = (
            self.env['mail.activity']
            .sudo()
            .with_context(mail_activity_quick_update=True)
            .create({**vals, 'date_deadline': fields.Date.context_today(row)})
        )
        self._notify(
            leader,
            row.env._("%(return)s: “%(step)s” is late and was passed on to you", **facts),
            row.env._(
                "“%(step)s” of return %(return)s was due on %(due)s. Owner: %(owner)s.", **facts
            ),
        )
        return {'escalation_activity_id': activity.id}

    def _notify(self, user, subject, body):
        """Notify a user the way he has chosen, in his inbox or by mail. Override to tell otherwise.

        :param user: `res.users`, may be empty.
        """
        self.ensure_one()
        if user:
            self.return_id.with_context(lang=user.lang).message_notify(
                partner_ids=user.partner_id.ids,
                subject=subject,
                body=body,
                author_id=self.env.ref('base.partner_root').id,
                email_layout_xmlid='mail.mail_notification_light',
            )

    def _format_due(self, user):
        """Return the due time as the user reads it."""
        self.ensure_one()
        zone = user.tz or self.return_id._get_company_timezone()
        row = self.with_context(tz=zone, lang=user.lang)
        local = fields.Datetime.context_timestamp(row, self.date_limit)
        language = row.env['res.lang']._lang_get(user.lang or 'en_US')
        return local.strftime(f"{language.date_format} {language.time_format}")
