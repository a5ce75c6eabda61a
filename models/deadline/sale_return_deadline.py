from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ...const import CUSTOMER_STEPS
from ...tools.deadline import advance, worked
from ..document.const import STEPS

DEADLINE_STATES = [
    ('open', "Open"),
    ('paused', "Waiting for the customer"),
    ('done', "Done"),
    ('void', "Dropped"),
]

# The reminders in the order in which they come, with the field that stores when each was sent.
REMINDERS = {
    'date_before': 'reminded_before',
    'date_limit': 'reminded_due',
    'date_after': 'reminded_after',
    'date_escalate': 'escalated_on',
}

ACTIVITY_TYPE = 'sale_return.mail_activity_type_step'


class SaleReturnDeadline(models.Model):
    """One step of one return: who takes it, by when, and when it was done.

    Written by `sale.return._sync_deadlines`, which derives it from the states of the return, and by
    the job for reminders. People can only pass a step on to somebody else.
    """

    _name = 'sale.return.deadline'

    _inherit = ['sale.return.own.defaults', 'sale.return.ruled']

    _description = "Return Deadline"
    _order = 'date_limit, id'
    _rec_name = 'step'

    return_id = fields.Many2one('sale.return', required=True, index=True, ondelete='cascade')
    company_id = fields.Many2one(
        related='return_id.company_id', store=True, index=True, precompute=True
    )
    partner_id = fields.Many2one(related='return_id.partner_id', string="Customer")
    step = fields.Selection(STEPS, required=True)
    team_id = fields.Many2one('sale.return.team', required=True, index=True, ondelete='restrict')
    user_id = fields.Many2one(
        'res.users',
        string="Owner",
        domain="[('share', '=', False)]",
        index='btree_not_null',
        ondelete='restrict',
    )
    state = fields.Selection(DEADLINE_STATES, required=True, default='open')

    # When
    date_start = fields.Datetime(string="Began on", required=True)
    date_due = fields.Datetime(
        string="Planned for", help="Deadline of the team, by its working times."
    )
    date_legal = fields.Datetime(
        string="Legal Limit", help="Legal deadline; empty if the law sets none."
    )
    date_limit = fields.Datetime(string="Due", help="The earlier of the two.")
    date_done = fields.Datetime(string="Done on")
    done_by_id = fields.Many2one('res.users', string="Done by", ondelete='restrict')
    was_late = fields.Boolean(help="It was done after it was due.")
    rounds = fields.Integer(
        default=1, help="How often the step began, e.g. because goods came in two parcels."
    )
    hours_taken = fields.Float(
        aggregator='avg',
        help=(
            "From the beginning to the end of the step, without the time spent waiting for the "
            "customer."
        ),
    )
    paused_since = fields.Datetime()
    hours_paused = fields.Float(help="Time spent waiting for the customer.", aggregator='avg')

    # Reminders: when they are due, when they were sent
    date_before = fields.Datetime()
    date_after = fields.Datetime()
    date_escalate = fields.Datetime()
    reminded_before = fields.Datetime()
    reminded_due = fields.Datetime()
    reminded_after = fields.Datetime()
    escalated_on = fields.Datetime()
    escalated_to_id = fields.Many2one('res.users', string="Escalated to", ondelete='restrict')
    date_alarm = fields.Datetime(help="When the job checks the step next.")
    activity_id = fields.Many2one('mail.activity', ondelete='set null', index='btree_not_null')
    escalation_activity_id = fields.Many2one(
        'mail.activity', ondelete='set null', index='btree_not_null'
    )
    late = fields.Boolean(compute='_compute_late', search='_search_late')

    _step_unique = models.UniqueIndex('(return_id, step)', "A return can have each step only once.")
    _alarm_index = models.Index('(date_alarm) WHERE date_alarm IS NOT NULL')
    _open_index = models.Index("(user_id) WHERE state = 'open'")
    _late_index = models.Index("(date_limit) WHERE state = 'open'")
    _turn_index = models.Index('(team_id, step, id)')

    # === COMPUTE METHODS === #

    @api.depends('state', 'date_limit')
    def _compute_late(self):
        now = fields.Datetime.now()
        for row in self:
            row.late = bool(row.state == 'open' and row.date_limit and row.date_limit < now)

    def _search_late(self, operator, value):
        if operator != 'in':
            return NotImplemented
        late = Domain('state', '=', 'open') & Domain('date_limit', '<', fields.Datetime.now())
        return late if True in value else ~late

    @api.depends('return_id.name', 'step')
    def _compute_display_name(self):
        labels = dict(self._fields['step']._description_selection(self.env))
        for row in self:
            row.display_name = f"{row.return_id.name} · {labels.get(row.step)}"

    # === CRUD METHODS === #

    # Only the owner can be written; a change also moves the activity and is logged.
    def write(self, vals):  # pylint: disable=method-required-super
        """Override of `base`: users can pass steps on, the rest is derived.

        :raise UserError: when something else is set, or the new owner cannot take the step.
        """
        if set(vals) != {'user_id'}:
            raise UserError(
                self.env._("Deadlines follow from what is done. Only the owner can be changed.")
            )
        self.check_access('write')
        self._ensure_open_and_able(vals)
        # sudo: the right on the rows was checked; activities of others and the log come with it.
        self.sudo()._hand_over(self.env['res.users'].sudo().browse(vals.get('user_id') or []))
        return True

    def _ensure_open_and_able(self, vals):
        """Refuse owners who cannot take a step, and changes of finished steps."""
        user = self.env['res.users'].sudo().browse(vals.get('user_id') or [])
        for row in self.sudo():
            if row.state not in ('open', 'paused'):
                raise UserError(self.env._("“%(step)s” is already done.", step=row.display_name))
            if user and not row.team_id._is_able(user, row.step):
                raise UserError(
                    self.env._(
                        "%(user)s cannot take “%(step)s”: this needs an active user of the "
                        "company with the right role.",
                        user=user.name,
                        step=row.display_name,
                    )
                )

    def _write_facts(self, vals):
        """Write derived values; `write` refuses them to everybody."""
        # sudo: nobody writes deadlines directly. Bypasses our own `write` and calls those of the
        # parent classes.
        rows = super(SaleReturnDeadline, self.sudo())
        return rows.write(vals)  # pylint: disable=super-method-mismatch

    # === BEGIN AND END === #

    @api.model
    def _begin(self, todo, clocks):
        """Begin steps, each with a due time, an owner and an activity.

        :param list todo: `(return, code of a step)`; the returns have teams with these steps.
        :param dict clocks: see `sale.return._get_legal_clocks`.
        :return: the rows, new ones and those of steps that begin again.
        :rtype: sale.return.deadline
        """
        if not todo:
            return self
        owners = self.env['sale.return.team']._assign(todo)
        present = {(row.return_id, row.step): row for row in self}
        now, intervals = fields.Datetime.now(), {}
        begun, vals_list = self.browse(), []
        for sale_return, step in todo:
            team = sale_return.team_id
            if team not in intervals:
                intervals[team] = team._get_intervals(now)
            vals = {
                **self._prepare_vals(sale_return, step, now, intervals[team], clocks[sale_return]),
                'user_id': owners[sale_return, step].id,
            }
            if row := present.get((sale_return, step)):
                row._write_facts({**vals, 'rounds': row.rounds + 1})
                begun |= row
            else:
                vals_list.append({'return_id': sale_return.id, 'step': step, **vals})
        # Two transactions may begin the same step. The return is written by both (its log is a
        # chain), so that the second one fails here and is retried by Odoo.
        self.env['sale.return'].browse(r.id for r, _step in todo).flush_recordset()
        begun |= self.sudo().create(vals_list)
        begun._log_owners()
        begun._call_owners()
        return begun

    @api.model
    def _prepare_vals(self, sale_return, step, start, intervals, legal):
        """Prepare a step that begins. Override to add values.

        :param sale_return: `sale.return` with a team.
        :param str step: a code of `const.STEPS`.
        :param datetime start: naive, in UTC.
        :param list intervals: the team's working times, see `sale.return.team._get_intervals`.
        :param dict legal: the return's clock, see `sale.return._get_legal_clocks`.
        :return: values for `create`, without the owner.
        :rtype: dict
        """
        team = sale_return.team_id
        waiting = sale_return.waiting_since and step not in CUSTOMER_STEPS
        due = step == 'dispatch' and sale_return._get_outer_due(step, {})
        due = due or team._plan_due(team._get_step(step), start, intervals)
        return {
            'team_id': team.id,
            'date_start': start,
            'date_done': False,
            'done_by_id': False,
            'was_late': False,
            'hours_paused': 0.0,
            'escalated_to_id': False,
            **dict.fromkeys(REMINDERS.values(), False),
            'state': 'paused' if waiting else 'open',
            'paused_since': waiting and start,
            **self._prepare_moments(sale_return, step, due, intervals, legal, paused=waiting),
        }

    @api.model
    def _prepare_moments(self, sale_return, step, due, intervals, legal, paused=False):
        """Prepare when a step is due and when somebody is reminded of it."""
        team = sale_return.team_id
        law = self._get_legal_limit(step, legal)
        limit = min(filter(None, [due, law]))
        reminders = team._plan_reminders(team._get_step(step), limit, intervals)
        moments = {'date_limit': limit, **reminders}
        return {
            'date_due': due,
            'date_legal': law,
            **moments,
            'date_alarm': not paused and min(filter(None, moments.values())),
        }

    @api.model
    def _get_legal_limit(self, step, legal):
        """Return the legal deadline of a step, False where it sets no limit.

        All steps before the payment have to be done by the time the money has to be paid back.
        """
        if step == 'dispatch':
            return legal.get('dispatch', False)
        if step == 'follow_up' or legal.get('withheld'):
            return False
        return legal.get('refund', False)

    def _end(self, dropped=False):
        """End steps: store when and by whom, and close the activities of their owners.

        :param bool dropped: True where nobody did it, e.g. because the return was cancelled.
        """
        if not self:
            return
        self._close_activities(dropped)
        now = fields.Datetime.now()
        for row in self:
            taken = (now - row.date_start).total_seconds() / 3600
            if row.paused_since:
                pause = (now - row.paused_since).total_seconds() / 3600
            else:
                pause = 0.0
            # One write per row, one UPDATE for all: each has its own duration.
            row._write_facts(
                {
                    'state': 'void' if dropped else 'done',
                    'date_done': now,
                    'done_by_id': self.env.uid,
                    'was_late': bool(row.date_limit and now > row.date_limit),
                    'hours_paused': row.hours_paused + pause,
                    'hours_taken': row.hours_taken + max(taken - row.hours_paused - pause, 0.0),
                    'paused_since': False,
                    'date_alarm': False,
                }
            )

    # === WAITING FOR THE CUSTOMER === #

    def _pause(self):
        """Stop the clocks of our own steps while we wait for the customer."""
        rows = self.filtered(lambda row: row.state == 'open' and row.step not in CUSTOMER_STEPS)
        rows._write_facts(
            {'state': 'paused', 'paused_since': fields.Datetime.now(), 'date_alarm': False}
        )

    def _resume(self, clocks):
        """Resume the clocks: due times move by the working hours spent waiting.

        Steps that were late before stay late.

        :param dict clocks: see `sale.return._get_legal_clocks`.
        """
        now, intervals = fields.Datetime.now(), {}
        for row in self.filtered(lambda row: row.state == 'paused'):
            team = row.team_id
            if (team, row.date_start) not in intervals:
                intervals[team, row.date_start] = team._get_intervals(now)
            times = intervals[team, row.date_start]
            due = row._get_due_after_pause(now, times)
            moments = self._prepare_moments(
                row.return_id, row.step, due, times, clocks[row.return_id]
            )
            hours = (now - row.paused_since).total_seconds() / 3600
            row._write_facts(
                {
                    **moments,
                    'state': 'open',
                    'paused_since': False,
                    'hours_paused': row.hours_paused + hours,
                    'date_alarm': row._get_next_alarm(moments),
                }
            )

    def _get_due_after_pause(self, now, intervals):
        """Return when a paused step is due if it resumes now."""
        self.ensure_one()
        if self.date_due <= self.paused_since:
            return self.date_due
        left = worked(intervals, self.paused_since, self.date_due)
        return advance(intervals, now, left) or self.date_due + (now - self.paused_since)

    def _get_next_alarm(self, moments=None):
        """Return when the job has to look at the step next; False: never again."""
        self.ensure_one()
        moments = moments or {name: self[name] for name in REMINDERS}
        return min(
            (
                moments[name]
                for name, stamp in REMINDERS.items()
                if moments[name] and not self[stamp]
            ),
            default=False,
        )

    def _update_legal(self, clocks):
        """Follow the legal clocks, which start with separate events."""
        for row in self.filtered(lambda row: row.state == 'open'):
            legal = clocks[row.return_id]
            if self._get_legal_limit(row.step, legal) == row.date_legal:
                continue
            times = row.team_id._get_intervals(fields.Datetime.now())
            vals = self._prepare_moments(row.return_id, row.step, row.date_due, times, legal)
            row._write_facts({**vals, 'date_alarm': row._get_next_alarm(vals)})

    # === ALARM === #

    # Reminders before, at and after the due time, and the escalation: each exactly once.

    @api.model
    def _cron_raise_alarms(self):
        """Scheduled job: remind owners, tell leaders, and replace owners who left.

        Each step in its own transaction: a sent mail cannot be taken back. Sending is recorded in
        the same transaction, so that nothing is sent twice.
        """
        now = fields.Datetime.now()
        rows = self.sudo()
        todo = rows.search(
            [
                '|',
                ('date_alarm', '<=', now),
                '&',
                ('state', 'in', ('open', 'paused')),
                ('user_id.active', '=', False),
                ('user_id', '!=', False),
            ],
            order='id',
        )
        self.env['sale.return.job']._work_off(todo, lambda row: row._raise_alarm_isolated())

    def _raise_alarm_isolated(self):
        """Send the alarms of one step; one that fails does not stop the others."""
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
        """Reassign a step whose owner has left."""
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
        """Remind the owner of a step, or the leader without one, unless it is open to everybody.

        :param str moment: `date_before`, `date_limit` or `date_after`.
        """
        self.ensure_one()
        user = self.user_id
        if not user and not self.team_id.everybody:
            user = self.team_id._get_superior(user)
        self.env['sale.return.event']._log(
            [
                {
                    'return_id': self.return_id.id,
                    # Not `reminded`: that event is for customers and shown on their page.
                    'kind': 'due_soon' if moment == 'date_before' else 'late',
                    'details': f"{self._get_label()}: {user.name or '–'}",
                }
            ]
        )
        # Steps open to everybody are on the overview.
        if user:
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
            "“%(step)s” of return %(return)s is due on %(due)s and is assigned to you.", **facts
        )

    def _escalate(self, leader):
        """Notify the next level that a step is late, and plan an activity for them.

        :param leader: `res.users`, may be empty where nobody is left to notify.
        :return: values to be stored on the step.
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
            'owner': row.user_id.name or "–",
            'due': row._format_due(leader),
        }
        summary = row.env._("Late: %(step)s (%(owner)s)", **facts)
        vals = self._prepare_activity_vals(leader, summary)
        activity = (
            self.env['mail.activity']
            .sudo()
            .with_context(mail_activity_quick_update=True)
            .create({**vals, 'date_deadline': row.return_id._get_today()})
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
        """Notify a user in the inbox or by mail, as they chose. Override to notify differently.

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
        """Return the due time in the user's language and time zone."""
        self.ensure_one()
        zone = user.tz or self.return_id.company_id._get_sale_return_timezone()
        row = self.with_context(tz=zone, lang=user.lang)
        local = fields.Datetime.context_timestamp(row, self.date_limit)
        language = row.env['res.lang']._lang_get(user.lang or 'en_US')
        return local.strftime(f"{language.date_format} {language.time_format}")

    # === OWNER === #

    # The owner of a step, as logged and notified by an activity.

    def _get_label(self):
        """Return the step in the language of the user."""
        self.ensure_one()
        return dict(self._fields['step']._description_selection(self.env))[self.step]

    def _log_owners(self):
        """Log who got which step."""
        self.env['sale.return.event']._log(
            [
                {
                    'return_id': row.return_id.id,
                    'kind': 'assigned',
                    'details': f"{row._get_label()}: {row.user_id.name}",
                }
                for row in self
                if row.user_id and row.step not in CUSTOMER_STEPS
            ]
        )

    # === ACTIVITIES === #

    def _is_owner_called(self):
        """Tell whether the owner gets an activity. Override where something else notifies them.

        Not for steps of the customer, steps that a job does within minutes, and steps with another
        activity: decisions of approval levels, and the follow-up.
        """
        self.ensure_one()
        sale_return = self.return_id
        if not self.user_id or self.step in (*CUSTOMER_STEPS, 'follow_up'):
            return False
        if self.step == 'decide':
            return not sale_return._get_current_step()
        if self.step == 'credit':
            return not sale_return.credit_queued or bool(sale_return.credit_error)
        return True

    def _call_owners(self):
        """Plan an activity for the owner of each step, in one call."""
        rows = self.filtered(lambda row: row._is_owner_called())
        vals_list = [row._prepare_activity_vals(row.user_id) for row in rows]
        activities = row_activities = self.env['mail.activity'].sudo()
        if vals_list:
            # sudo: users who do a step may not plan activities for everybody. No mail is sent: the
            # activity is the notice.
            row_activities = activities.with_context(mail_activity_quick_update=True).create(
                vals_list
            )
        for row, activity in zip(rows, row_activities, strict=True):
            row._write_facts({'activity_id': activity.id})

    def _prepare_activity_vals(self, user, summary=None):
        """Prepare the activity that asks somebody to take a step. Override to add values.

        :param user: `res.users`, who is asked.
        :param str summary: what they have to do; by default the step.
        :return: values for `create`.
        :rtype: dict
        """
        self.ensure_one()
        sale_return = self.return_id
        due = self.date_limit or fields.Datetime.now()
        return {
            'res_model_id': self.env['ir.model']._get_id('sale.return'),
            'res_id': sale_return.id,
            'activity_type_id': self.env['ir.model.data']._xmlid_to_res_id(ACTIVITY_TYPE),
            'summary': summary or self.with_context(lang=user.lang)._get_label(),
            'automated': True,
            'user_id': user.id,
            'date_deadline': sale_return.company_id._get_sale_return_day(due),
        }

    def _close_activities(self, dropped=False):
        """Close the activities of steps that are over: done, or removed where nobody did the step.

        Not by `action_feedback`: a note per step would repeat the log.

        :param bool dropped: True where nobody did it.
        """
        activities = (self.activity_id | self.escalation_activity_id).filtered('active').sudo()
        if dropped:
            activities.unlink()
        elif activities:
            activities.write({'active': False})

    # === HAND OVER === #

    def _hand_over(self, user):
        """Pass steps on to somebody else, with their activities.

        :param user: `res.users`; empty: to nobody.
        """
        rows = self.filtered(lambda row: row.user_id != user)
        if not rows:
            return
        rows.activity_id.filtered('active').sudo().unlink()
        rows._write_facts({'user_id': user.id})
        rows._log_owners()
        rows._call_owners()
