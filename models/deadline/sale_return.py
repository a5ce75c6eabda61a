from datetime import timedelta

from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ...const import CUSTOMER_STEPS, OPEN_STATES
from ...tools.reader import reads, text
from ..document.const import STEPS

# Written by the steps only. After these, nothing in the same call updates the deadlines anyway.
FINAL_STATES = ('draft', 'refused', 'cancelled', 'closed')


class SaleReturn(models.Model):
    """The clocks of a return: deadlines, waiting, and expiry.

    `_sync_deadlines` compares the open steps with the existing rows. It runs after everything that
    can open or end a step (`_close_or_reopen`, `_after_state`, the decision); running it again
    changes nothing.
    """

    _inherit = 'sale.return'

    # The deadlines of a return, kept in sync with its states in one place.
    team_id = fields.Many2one(
        'sale.return.team',
        string="Returns Team",
        check_company=True,
        copy=False,
        index='btree_not_null',
        ondelete='restrict',
        groups='base.group_user',
        help="Who works on it. By default the team of its warehouse and sales team.",
    )
    deadline_ids = fields.One2many(
        'sale.return.deadline',
        'return_id',
        string="Deadlines",
        readonly=True,
        groups='base.group_user',
    )
    next_step = fields.Selection(STEPS, compute='_compute_next_step')
    next_actor = fields.Selection(
        [('customer', "Customer"), ('company', "Us")], compute='_compute_next_step'
    )
    next_owner_id = fields.Many2one(
        'res.users', compute='_compute_next_step', groups='base.group_user'
    )
    next_due = fields.Datetime(compute='_compute_next_step')
    deadline_state = fields.Selection(
        [('late', "Late"), ('soon', "Due soon"), ('planned', "In time"), ('paused', "Waiting")],
        string="Deadline",
        compute='_compute_deadline_state',
        search='_search_deadline_state',
        help="The owner of the step that is due first.",
    )
    is_late = fields.Boolean(
        string="Late",
        compute='_compute_is_late',
        search='_search_is_late',
        help="One of our deadlines, or the last day to send the goods, has passed.",
    )
    deadline_color = fields.Integer(compute='_compute_deadline_color')

    # Waiting for the customer: our clocks stand still until they answer or send the goods.
    waiting_since = fields.Datetime(
        string="Waiting for the Customer",
        readonly=True,
        copy=False,
        help="Since when we have been waiting for the answer. Our deadlines are paused.",
    )
    waiting_reason = fields.Text(
        string="Waiting for", readonly=True, copy=False, help="What the customer was asked."
    )

    # Expiry of returns that nobody sends, and of requests that nobody decides.
    reminded_for = fields.Date(
        technical=True,
        readonly=True,
        copy=False,
        help=(
            "The last day to send of which the customer was reminded. Customers are reminded only"
            " once of the same day."
        ),
    )
    expiry_error = fields.Text(
        string="Not closed",
        readonly=True,
        copy=False,
        help="Why it could not be closed automatically.",
    )

    # === COMPUTE METHODS === #

    @api.depends(
        'state', 'reception_state', 'has_to_inspect', 'credit_state', 'refund_state',
        'date_dispatched', 'date_dispatch_proved', 'waiting_since', 'deadline_ids.date_limit',
        'deadline_ids.user_id', 'deadline_ids.state',
    )  # fmt: skip
    def _compute_next_step(self):
        steps = self._get_next_step()
        for sale_return in self:
            step = steps[sale_return]
            sale_return.next_step = step['step']
            sale_return.next_actor = step['actor']
            sale_return.next_owner_id = step['owner']
            sale_return.next_due = step['due']

    @api.depends('deadline_ids.date_limit', 'deadline_ids.date_before', 'deadline_ids.state')
    def _compute_deadline_state(self):
        now = fields.Datetime.now()
        for sale_return in self:
            rows = sale_return.deadline_ids.filtered(lambda row: row.state == 'open')
            if any(row.late for row in rows):
                state = 'late'
            elif any(row.date_before and row.date_before <= now for row in rows):
                state = 'soon'
            elif rows:
                state = 'planned'
            else:
                paused = any(row.state == 'paused' for row in sale_return.deadline_ids)
                state = 'paused' if paused else False
            sale_return.deadline_state = state

    def _search_deadline_state(self, operator, value):
        if operator != 'in':
            return NotImplemented
        now = fields.Datetime.now()
        opened = Domain('state', '=', 'open')
        late = Domain('deadline_ids', 'any', opened & Domain('date_limit', '<', now))
        soon = Domain('deadline_ids', 'any', opened & Domain('date_before', '<=', now)) & ~late
        some = Domain('deadline_ids', 'any', opened)
        paused = Domain('deadline_ids', 'any', [('state', '=', 'paused')]) & ~some
        domains = {
            'late': late,
            'soon': soon,
            'planned': some & ~late & ~soon,
            'paused': paused,
            False: ~some & ~paused,
        }
        return Domain.OR(domains[state] for state in value if state in domains)

    @api.depends('deadline_state', 'state', 'reception_state', 'date_send_until')
    def _compute_is_late(self):
        for sale_return in self:
            sale_return.is_late = sale_return.deadline_state == 'late' or bool(
                sale_return.state == 'approved'
                and sale_return.reception_state in ('pending', 'partial')
                and sale_return.date_send_until
                and sale_return.date_send_until < sale_return._get_today()
            )

    def _search_is_late(self, operator, value):
        if operator != 'in':
            return NotImplemented
        # sudo: users who search late returns need not read all companies; the record rules of the
        # user still apply to the returns.
        companies = self.env['res.company'].sudo().search([])
        over = Domain.OR(
            Domain('company_id', 'in', group.ids) & Domain('date_send_until', '<', day)
            for day, group in companies.grouped(lambda c: c._get_sale_return_day()).items()
        )
        late = Domain('deadline_state', '=', 'late') | (
            Domain('state', '=', 'approved')
            & Domain('reception_state', 'in', ('pending', 'partial'))
            & over
        )
        return late if True in value else ~late

    @api.depends('deadline_state', 'color')
    def _compute_deadline_color(self):
        # Colours of Odoo's kanban: red, orange; otherwise the one somebody has chosen.
        colors = {'late': 1, 'soon': 2}
        for sale_return in self:
            sale_return.deadline_color = colors.get(sale_return.deadline_state, sale_return.color)

    # === CRUD METHODS === #

    def write(self, vals):
        """Override of `base` to let the new team continue when the team of a return changes."""
        result = super().write(vals)
        if 'team_id' in vals:
            self._change_team()
        return result

    # === ACTION METHODS === #

    @reads(reason=text)
    def action_wait_for_customer(self, reason=None):
        """Stop the deadlines of returns: it is the customer's turn.

        They resume automatically when the customer writes or registers the dispatch, or when the
        goods arrive. Returns already waiting stay as they are.

        :param str reason: what they were asked, required.
        :return: True
        :raise UserError: without a reason, or when a return is not under way.
        """
        self._ensure_group('group_user')
        self.check_access('write')
        self._ensure_explained(reason, self.env._("Enter what the customer was asked."))
        todo = self.filtered(lambda r: not r.waiting_since)
        todo._ensure_state(
            OPEN_STATES, self.env._("Return %(returns)s cannot wait for the customer.")
        )
        if todo:
            todo._write_facts(
                {'waiting_since': fields.Datetime.now(), 'waiting_reason': reason.strip()}
            )
            todo.sudo().deadline_ids._pause()  # sudo: the right on the return was checked
            todo._log_waiting('waiting', reason.strip())
        return True

    def action_resume(self):
        """Resume returns that wait for the customer: their deadlines run again.

        :return: True
        """
        self._ensure_group('group_user')
        self.check_access('write')
        self._resume(self.env._("Resumed by hand."))
        return True

    def action_open_wait(self):
        """Open the dialog that asks what the customer was asked."""
        self._ensure_group('group_user')
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Ask the Customer"),
            'res_model': 'sale.return.wait',
            'view_mode': 'form',
            'target': 'new',
            'context': {'default_return_ids': self.ids},
        }

    # === IN STEP === #

    def _sync_deadlines_of_state(self, state):
        """Hook of `_after_state`."""
        result = super()._sync_deadlines_of_state(state)
        if state in FINAL_STATES:
            self._sync_deadlines()
        return result

    def _close_or_reopen(self):
        """Override to update deadlines after every step."""
        result = super()._close_or_reopen()
        self._sync_deadlines()
        return result

    def _ask_follow_up(self):
        """Override to monitor the follow-up with the customer."""
        result = super()._ask_follow_up()
        self._sync_deadlines()
        return result

    @reads(result=text, note=text)
    def action_follow_up(self, result, note=None):
        """Override to end the step of the follow-up with its result."""
        done = super().action_follow_up(result, note)
        self._sync_deadlines()
        return done

    def _sync_deadlines(self):
        """Begin and end the rows of steps according to the states of the returns. Idempotent.

        Returns without a team, and databases without teams, have no rows and cost no query.
        """
        if not self or not self.env['sale.return.team']._is_used():
            return
        # sudo: steps are begun and ended by the user who does the previous one.
        returns = self.sudo()
        returns._set_team()
        returns = returns.filtered('team_id')
        if not returns:
            return
        returns._resume_if_answered()
        todo, over, dropped = [], self.env['sale.return.deadline'].sudo(), []
        for sale_return in returns:
            steps = sale_return.team_id.step_ids.mapped('step')
            possible = sale_return._get_open_steps()
            opened = [step for step in possible if step in steps]
            running = sale_return.deadline_ids.filtered(lambda r: r.state in ('open', 'paused'))
            ended = running.filtered(lambda row, opened=opened: row.step not in opened)
            if sale_return.state in ('draft', 'cancelled'):
                dropped += ended.ids
            # The team does not track the step any more: nobody has done it.
            dropped += ended.filtered(lambda row, possible=possible: row.step in possible).ids
            over |= ended
            begun = set(running.mapped('step'))
            todo += [(sale_return, step) for step in opened if step not in begun]
        dropped = over.browse(dropped)
        dropped._end(dropped=True)
        (over - dropped)._end()
        changed = returns.filtered(
            lambda r: any(row.state == 'open' for row in r.deadline_ids)
        ) | returns.browse([sale_return.id for sale_return, _step in todo])
        clocks = changed._get_legal_clocks()
        changed.deadline_ids._update_legal(clocks)
        returns.deadline_ids._begin(todo, clocks)

    def _set_team(self):
        """Assign returns under way to the matching team."""
        new = self.filtered(lambda r: not r.team_id and r.state in OPEN_STATES)
        if new:
            found = self.env['sale.return.team'].sudo()._find_for(new)
            for team, group in new.grouped(lambda r: found[r]).items():
                if team:
                    group._write_facts({'team_id': team.id})

    def _change_team(self):
        """End the steps of the former team, and begin them again with the new one."""
        rows = self.sudo().deadline_ids.filtered(lambda row: row.state in ('open', 'paused'))
        rows.filtered(lambda row: row.team_id != row.return_id.team_id)._end(dropped=True)
        self._sync_deadlines()

    def _get_possible_deciders(self, candidates):
        """Return who of the members of a team may decide on the return.

        Not the user who requested it, unless there is nobody else.

        :param candidates: `res.users`
        :rtype: res.users
        """
        self.ensure_one()
        if level := self._get_current_step():
            approvers = level._get_approvers()
            return (approvers & candidates or approvers).sorted('id')
        return (candidates - self.requested_by_id - self.create_uid) or candidates

    # === WHO IS NEXT === #

    def _get_next_step(self):
        """Override to name the owner and the due time of teams, and the customer when it waits."""
        result = super()._get_next_step()
        for sale_return, step in result.items():
            # sudo: the portal asks for its customers, who may not read deadlines.
            rows = sale_return.sudo().deadline_ids
            row = rows.filtered(lambda r, code=step['step']: r.step == code)
            if row.state in ('open', 'paused'):
                step.update(owner=row.user_id, due=row.date_limit or step['due'])
            if sale_return.waiting_since and step['actor'] == 'company':
                step.update(actor='customer', due=row.date_legal or False)
            if step['step'] in CUSTOMER_STEPS and row.date_legal:
                step['due'] = row.date_limit
        return result

    # === WAITING === #

    def _resume(self, reason):
        """Resume the deadlines of waiting returns.

        :param str reason: why, for the event log.
        """
        waiting = self.filtered('waiting_since')
        if not waiting:
            return
        rows = waiting.sudo().deadline_ids  # sudo: customers resume by answering
        waiting._write_facts({'waiting_since': False, 'waiting_reason': False})
        waiting._log_waiting('resumed', reason)
        rows._resume(waiting.sudo()._get_legal_clocks())

    def _resume_if_answered(self):
        """Resume returns whose goods the customer has sent since, or that are finished."""
        waiting = self.filtered('waiting_since')
        sent = waiting.filtered(
            lambda r: r.date_dispatched and r.date_dispatched >= r.waiting_since
        )
        sent._resume(self.env._("The customer has sent the goods."))
        over = (waiting - sent).filtered(lambda r: r.state not in OPEN_STATES)
        over._resume(self.env._("There is nothing left to wait for."))
        arrived = (waiting - sent - over).filtered(
            lambda r: (
                any(
                    row.state == 'open' and row.step in ('dispatch', 'receive')
                    for row in r.deadline_ids
                )
                and not {'dispatch', 'receive'} & set(r._get_open_steps())
            )
        )
        arrived._resume(self.env._("The goods have arrived."))

    def _message_post_after_hook(self, message, msg_values):
        """Override of `mail` to resume when the customer answers."""
        result = super()._message_post_after_hook(message, msg_values)
        if len(self) == 1 and self.sudo().waiting_since and self._is_answer(message):
            # sudo: the customer may write, not change the return.
            self.sudo()._resume(self.env._("The customer has answered."))
        return result

    def _is_answer(self, message):
        """Tell whether a message comes from outside. Override to accept others as answers."""
        self.ensure_one()
        author = message.sudo().author_id
        inside = author.user_ids.filtered(lambda user: not user.share)
        return message.message_type in ('comment', 'email') and not inside

    def _log_waiting(self, kind, reason):
        self.env['sale.return.event']._log(
            [{'return_id': sale_return.id, 'kind': kind, 'reason': reason} for sale_return in self]
        )

    # === WHICH === #

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

    def _is_lapsed(self):
        """Tell whether nobody decided on a customer's request within the days of its policy."""
        self.ensure_one()
        days = min((d for d in self.line_ids.policy_id.mapped('decision_days') if d), default=0)
        submitted = self.event_ids.filtered(lambda e: e.state_to == 'submitted')[:1].date
        if not days or not submitted or self._has_receipt():
            return False
        day = self.company_id._get_sale_return_day(submitted)
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
            # The job runs without a language.
            speaker = self.with_context(lang=self.user_id.lang)
            self.activity_schedule(
                'mail.mail_activity_data_todo',
                date_deadline=self.date_send_until,
                summary=speaker.env._("Ask where the goods are"),
                user_id=self.user_id.id,
            )
        self._tell_of_term('reminder')

    def _expire(self):
        """Close a return that was not sent: its quantities are free again.

        Returns already credited are left to a person: closing would leave the customer both goods
        and money.
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
        self._tell_of_term('expired')

    def _lapse(self):
        """Cancel a request that nobody decided on: its quantities are free again."""
        self.ensure_one()
        self._update_state('cancelled', reason=self.env._("Nobody decided in time."))
        self._end_steps()
        self._tell_of_term('lapsed')

    def _tell_of_term(self, code):
        """Tell the customer about a term of a return, once for each date of it.

        Override to inform customers differently.

        :param str code: `reminder`, `expired` or `lapsed`.
        """
        self.ensure_one()
        self._tell(code, f"{code}:{self.submission_count}:{self.date_send_until or ''}")

    # === SCHEDULED JOB === #

    @api.model
    def _cron_follow_up(self):
        """Scheduled job: remind, close what was not sent, cancel what nobody decided on.

        Each return in its own transaction: a sent mail cannot be taken back, and one return that
        cannot be closed does not stop the others.
        """
        # In some time zones it is already tomorrow.
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
        soon = horizon + timedelta(days=longest)
        for domain, step, is_due in (
            ([*unsent, ('date_send_until', '<', horizon)], '_expire', '_is_expired'),
            ([*unsent, ('date_send_until', '<=', soon)], '_remind', '_is_reminder_due'),
            (
                [('state', '=', 'submitted'), ('requested_by_id.share', '=', True)],
                '_lapse',
                '_is_lapsed',
            ),
        ):
            self.env['sale.return.job']._work_off(
                returns.search(domain, order='id'),
                lambda r, step=step, is_due=is_due: r._follow_up_isolated(step, is_due),
            )

    def _follow_up_isolated(self, step, is_due):
        """Take one step of the job on one return, if it is (still) due.

        :param str step: name of the method that does it.
        :param str is_due: name of the method that tells whether it is due.
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
        """Store why a return could not be closed, and ask a person once."""
        self.ensure_one()
        if text == self.expiry_error:
            return
        self._write_facts({'expiry_error': text})
        if self.user_id.active and not self.user_id.share:
            self.activity_schedule(
                'mail.mail_activity_data_todo', summary=text, user_id=self.user_id.id
            )
