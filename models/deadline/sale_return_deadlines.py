from odoo import api, fields, models
from odoo.fields import Domain

from ...const import CUSTOMER_STEPS, OPEN_STATES, STEPS

# Written by the steps only.
PROTECTED_FIELDS = frozenset({'deadline_ids', 'waiting_since', 'waiting_reason'})

# After these nothing follows in the same call that looks at the deadlines anyway.
FINAL_STATES = ('draft', 'refused', 'cancelled', 'closed')


class SaleReturn(models.Model):
    """The deadlines of a return: kept in step with its own states, in one place.

    `_sync_deadlines` compares the steps that are open with the rows that are there. It runs after
    whatever can open or end a step (`_close_or_reopen`, `_update_state`, the decision); running it
    again changes nothing.
    """

    _inherit = 'sale.return'

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
        help="Of the step that is due first.",
    )
    is_late = fields.Boolean(
        string="Late",
        compute='_compute_is_late',
        search='_search_is_late',
        help="One of our deadlines is over, or the last day to send the goods.",
    )
    deadline_color = fields.Integer(compute='_compute_deadline_color')

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
                and sale_return.date_send_until < fields.Date.context_today(sale_return)
            )

    def _search_is_late(self, operator, value):
        if operator != 'in':
            return NotImplemented
        late = Domain('deadline_state', '=', 'late') | (
            Domain('state', '=', 'approved')
            & Domain('reception_state', 'in', ('pending', 'partial'))
            & Domain('date_send_until', '<', fields.Date.context_today(self))
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
        """Override of `base` to let another team go on where a return is given to it."""
        result = super().write(vals)
        if 'team_id' in vals:
            self._change_team()
        return result

    def _is_derived(self, name):
        """Override of `sale.return.derived` to protect the deadlines."""
        return name in PROTECTED_FIELDS or super()._is_derived(name)

    # === IN STEP === #

    def _update_state(self, state, reason=None):
        """Override to end what nobody has to do any more."""
        result = super()._update_state(state, reason=reason)
        if state in FINAL_STATES:
            self._sync_deadlines()
        return result

    def _close_or_reopen(self):
        """Override to call the next desk after everything that was done."""
        result = super()._close_or_reopen()
        self._sync_deadlines()
        return result

    def _ask_follow_up(self):
        """Override to watch that the customer is called."""
        result = super()._ask_follow_up()
        self._sync_deadlines()
        return result

    def action_follow_up(self, result, note=None):
        """Override to end the step with its result."""
        done = super().action_follow_up(result, note)
        self._sync_deadlines()
        return done

    def _sync_deadlines(self):
        """Begin and end the rows of steps as the states of the returns say. Idempotent.

        Returns without a team, and databases without teams, have no rows and cost no query.
        """
        if not self or not self.env['sale.return.team']._is_used():
            return
        # sudo: steps are begun and ended by whoever does the one before.
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
            # The team does not watch the step any more: nobody has done it.
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
        """Give returns under way the team that takes them."""
        new = self.filtered(lambda r: not r.team_id and r.state in OPEN_STATES)
        if new:
            found = self.env['sale.return.team'].sudo()._find_for(new)
            for team, group in new.grouped(lambda r: found[r]).items():
                if team:
                    group._write_facts({'team_id': team.id})

    def _change_team(self):
        """Drop what the former team had to do, and begin it anew with the other one."""
        rows = self.sudo().deadline_ids.filtered(lambda row: row.state in ('open', 'paused'))
        rows.filtered(lambda row: row.team_id != row.return_id.team_id)._end(dropped=True)
        self._sync_deadlines()

    def _get_possible_deciders(self, candidates):
        """Return who of the members of a team may decide on the return.

        Whoever asked for it does not, unless he is alone.

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
            # sudo: the portal asks for its customers, who read no deadlines.
            rows = sale_return.sudo().deadline_ids
            row = rows.filtered(lambda r, code=step['step']: r.step == code)
            if row.state in ('open', 'paused'):
                step.update(owner=row.user_id, due=row.date_limit or step['due'])
            if sale_return.waiting_since and step['actor'] == 'company':
                step.update(actor='customer', due=row.date_legal or False)
            if step['step'] in CUSTOMER_STEPS and row.date_legal:
                step['due'] = row.date_limit
        return result


class SaleReturnDecision(models.AbstractModel):
    """The decision has been made, or somebody has to be asked for it."""

    _inherit = 'sale.return.decision'

    @api.model
    def _decide(self, returns):
        """Override to call whoever decides, once it is known that somebody has to."""
        result = super()._decide(returns)
        returns._sync_deadlines()
        return result
