import hashlib
import json
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ...tools.context import get_own, in_force
from ...tools.past import Past
from ...tools.reader import reads, text

# Written by the steps of the approval only.
OVERRIDABLE = ('refuse_overridable', 'refuse')

# Maximum number of activities per level: a reminder for everybody is a reminder for nobody.
MAX_ACTIVITIES = 5


class SaleReturn(models.Model):
    """What the decision adds to a return: approvals and appeals."""

    _inherit = 'sale.return'

    # Who has to decide on a return, who has decided, and on what exactly.
    file_ids = fields.One2many('sale.return.file', 'return_id', string="Photos and Files")
    requested_by_id = fields.Many2one(
        'res.users',
        string="Requested by",
        readonly=True,
        copy=False,
        index='btree_not_null',
        help="Who submitted the return. They cannot approve it.",
    )
    submission_count = fields.Integer(technical=True, readonly=True, copy=False)
    fingerprint = fields.Char(
        technical=True,
        readonly=True,
        copy=False,
        help="Fingerprint of the submitted data; a change makes approvals void.",
    )
    step_ids = fields.One2many(
        'sale.return.approval.step', 'return_id', string="Levels", readonly=True
    )
    waiting_for = fields.Char(
        compute='_compute_waiting_for', compute_sudo=True, help="Whose decision is awaited."
    )
    waiting_for_me = fields.Boolean(
        compute='_compute_waiting_for_me', search='_search_waiting_for_me'
    )
    approval_obstacle = fields.Char(
        compute='_compute_waiting_for_me', help="Why the user may not decide on it now."
    )
    needs_overrule = fields.Boolean(
        compute='_compute_needs_overrule',
        help="The rules would refuse it; approving it requires a reason.",
    )

    refusal_note = fields.Text(
        string="Why It Is Refused",
        compute='_compute_refusal_note',
        compute_sudo=True,
        help="What was refused or reduced, and the text for the customer.",
    )

    # What is requested, as shown in lists and at the top of the form.
    product_names = fields.Char(
        string="Products", compute='_compute_product_names', compute_sudo=True
    )
    amount_requested = fields.Monetary(
        string="Amount",
        compute='_compute_amount_requested',
        compute_sudo=True,
        help=(
            "Value of what is requested, or was granted, at the prices of the order, tax included."
        ),
    )
    period_amounts = fields.Json(
        compute='_compute_period_amounts',
        compute_sudo=True,
        help=(
            "Value of the other returns of the customer, or of the orders, in the period in which"
            " returns count together, by currency id."
        ),
    )

    # The return's side of appeals: until when, by whom, and what follows from the outcome.
    date_appeal_until = fields.Date(
        string="Appeal until",
        readonly=True,
        copy=False,
        help=(
            "Last day on which the customer may appeal against the refusal. Empty: no appeal is "
            "possible."
        ),
    )
    appeal_ids = fields.One2many('sale.return.appeal', 'return_id', string="Appeals", readonly=True)
    appeal_state = fields.Selection(
        related='appeal_ids.state',
        string="Outcome of the Appeal",
        help="Outcome of the customer's appeal.",
    )
    can_appeal = fields.Boolean(
        compute='_compute_can_appeal',
        compute_sudo=True,
        help="The return is refused and its customer may still appeal.",
    )

    # === COMPUTE METHODS === #

    @api.depends('state', 'step_ids.state')
    def _compute_waiting_for(self):
        for sale_return in self:
            step = sale_return._get_current_step()
            sale_return.waiting_for = step.name if sale_return.state == 'submitted' else False

    @api.depends('state', 'step_ids.state')
    @api.depends_context('uid')
    def _compute_waiting_for_me(self):
        waiting = self.filtered(lambda r: r.state == 'submitted')
        obstacles = waiting._get_obstacles(self.env.user)
        for sale_return in self:
            sale_return.approval_obstacle = obstacles.get(sale_return)
            sale_return.waiting_for_me = sale_return in waiting and not obstacles[sale_return]

    def _search_waiting_for_me(self, operator, value):
        if operator != 'in':
            return NotImplemented
        # Few returns wait for a decision at any time, however many exist.
        waiting = self.search([('state', '=', 'submitted')])
        obstacles = waiting._get_obstacles(self.env.user)
        mine = waiting.filtered(lambda r: not obstacles[r])
        return Domain('id', 'in' if True in value else 'not in', mine.ids)

    @api.depends('state', 'line_ids.verdict_outcome', 'line_ids.decision')
    def _compute_needs_overrule(self):
        for sale_return in self:
            sale_return.needs_overrule = sale_return.state == 'submitted' and any(
                line.verdict_outcome in OVERRIDABLE and line.decision != 'refused'
                for line in sale_return.line_ids
            )

    @api.depends('state', 'line_ids.decision', 'line_ids.decision_reason', 'approval_ids')
    @api.depends_context('lang')
    def _compute_refusal_note(self):
        for sale_return in self:
            decided = sale_return.line_ids.filtered(lambda l: l.decision in ('refused', 'reduced'))
            if sale_return.state == 'refused':
                words = [sale_return._get_refusal().comment, *decided.mapped('verdict_text')]
                sale_return.refusal_note = next(filter(None, words), False)
                continue
            sale_return.refusal_note = (
                "\n".join(
                    f"{line.product_id.display_name}: {line.decision_reason}"
                    for line in decided
                    if line.decision_reason
                )
                or False
            )

    @api.depends('line_ids.product_id')
    @api.depends_context('lang')
    def _compute_product_names(self):
        for sale_return in self:
            names = sale_return.line_ids.product_id.mapped('display_name')
            # One name and the number of others, so that a column shows both.
            sale_return.product_names = ", ".join(names[:1]) + (
                f" + {len(names) - 1}" if names[1:] else ""
            )

    @api.depends('line_ids.amount_requested')
    def _compute_amount_requested(self):
        for sale_return in self:
            sale_return.amount_requested = sum(sale_return.line_ids.mapped('amount_requested'))

    @api.depends('state', 'partner_id', 'company_id.sale_return_period_days')
    def _compute_period_amounts(self):
        amounts = self.env['sale.return.approval.level']._find_period_amounts(self)
        for sale_return in self:
            sale_return.period_amounts = amounts.get(sale_return._origin.id, {})

    @api.depends('state', 'date_appeal_until', 'appeal_ids')
    def _compute_can_appeal(self):
        for sale_return in self:
            sale_return.can_appeal = not sale_return._get_appeal_obstacle()

    # === CRUD METHODS === #

    def unlink(self):
        """Override of `base` to delete the files of drafts with them."""
        self.check_access('unlink')
        self._unlink_except_started()
        self.file_ids.unlink()
        return super().unlink()

    # === WHO === #

    def _get_current_step(self):
        """Return the level that decides next, empty where no level is left (or none is needed)."""
        self.ensure_one()
        pending = self.step_ids.filtered(lambda step: step.state == 'pending')
        return pending.sorted(lambda step: (step.sequence, step.id))[:1]

    def _get_own_part_reason(self, user):
        """Return why a user must not decide on this return, whatever their role; None if they may.

        :param user: `res.users`
        :rtype: str
        """
        self.ensure_one()
        if user in self.requested_by_id | self.create_uid:
            return self.env._(
                "%(user)s asked for return %(return)s, so somebody else has to approve it.",
                user=user.name,
                **{'return': self.name},
            )
        # sudo: everybody may see who decided.
        decided = self.sudo().step_ids.filtered(lambda step: step.state == 'approved')
        if user in decided.approval_id.user_id:
            return self.env._(
                "%(user)s already decided on a level of return %(return)s, so somebody else has"
                " to decide on the next one.",
                user=user.name,
                **{'return': self.name},
            )
        return None

    def _get_own_request_reason(self, user):
        """Return why a user must not decide on this return, nor on what follows from an appeal."""
        if reason := self._get_own_part_reason(user):
            return reason
        # sudo: everybody may see who decided.
        if user in self.sudo().appeal_ids.refused_by_id:
            return self.env._(
                "%(user)s refused return %(return)s, so somebody else has to decide now.",
                user=user.name,
                **{'return': self.name},
            )
        return None

    def _get_obstacles(self, user):
        """Return why a user may not decide on each return now; None where they may.

        :param user: `res.users`
        :return: `{return: sentence or None}`
        :rtype: dict
        """
        left_to_them = self._get_left_to(user)
        return {r: None if r in left_to_them else r._get_obstacle(user) for r in self}

    def _get_obstacle(self, user):
        self.ensure_one()
        if not user.has_group('sale_return.group_approver'):
            return self.env._("%(user)s is not an approver.", user=user.name)
        if own := self._get_own_request_reason(user):
            return own
        step = self._get_current_step()
        if step and not step._is_approver(user):
            names = {'return': self.name, 'level': step.name}
            if approvers := step._get_approvers():
                return self.env._(
                    "Return %(return)s waits for “%(level)s”: %(approvers)s.",
                    approvers=", ".join(approvers.mapped('name')),
                    **names,
                )
            return self.env._(
                "Return %(return)s waits for “%(level)s”: a manager of Returns has to decide.",
                **names,
            )
        return None

    def _get_left_to(self, user):
        """Return own requests of a manager that nobody else in the company could approve.

        In a company with only one approver they would wait for ever; the approval is marked as
        their own request. Where levels decide, the company wants more than one person involved, so
        there is no exception.

        :param user: `res.users`
        """
        own = self.filtered(
            lambda r: (
                user in r.requested_by_id | r.create_uid
                and not r.step_ids.filtered(lambda step: step.state != 'void')
            )
        )
        if not own or not user.has_group('sale_return.group_manager'):
            return self.browse()
        # sudo: approvers need not read the groups of their colleagues.
        approvers = (
            self.env['res.users']
            .sudo()
            .search(
                [
                    ('all_group_ids', 'in', self.env.ref('sale_return.group_approver').id),
                    ('company_ids', 'in', own.company_id.ids),
                    ('active', '=', True),
                    ('share', '=', False),
                ]
            )
        )
        return own.filtered(
            lambda r: (
                not any(
                    r.company_id in other.company_ids
                    for other in approvers - r.requested_by_id - r.create_uid
                )
            )
        )

    def _ensure_may_decide(self):
        """Refuse a decision by somebody who may not decide now.

        :raise UserError: naming the return and who has to decide.
        """
        if self.env.su:
            return
        for obstacle in filter(None, self._get_obstacles(self.env.user).values()):
            raise UserError(obstacle)

    def _get_requester_manager(self):
        """Return the manager of the user who requested the return; empty where they have none.

        From their employee record where there is one, else the leader of the order's team.
        """
        self.ensure_one()
        # sudo: approvers need not read employees.
        requester = self.sudo().requested_by_id
        manager = self.env['res.users']
        if 'employee_id' in requester._fields:
            company_user = requester.with_company(self.company_id)
            manager = company_user.employee_id.parent_id.user_id
        manager = manager or self.sudo().line_ids.order_id.team_id.user_id[:1]
        return manager - requester

    # === WHEN === #

    def _get_moment(self):
        """Return as of when facts count: None for now; for past returns, when they were requested.

        :rtype: datetime.datetime | None
        """
        past = get_own(self.env, 'sale_return_past', Past)
        return past and (past.moments.get(self.id) or self.create_date)

    def _get_day(self):
        """Return the day, in the time zone of the company, as of which facts count.

        :rtype: datetime.date
        """
        return self.company_id._get_sale_return_day(self._get_moment())

    # === HOW MUCH === #

    def _get_amount_of_period(self, currency):
        """Return the value of other returns of the customer, or of the orders, in the period.

        :param currency: `res.currency` of the answer, converted at the rate of the day.
        :return: tax included, an estimate at the prices of the orders.
        :rtype: float
        """
        self.ensure_one()
        day, currencies = self._get_day(), self.env['res.currency']
        levels = self.env['sale.return.approval.level']
        return sum(
            currencies.browse(int(key))._convert(amount, currency, self.company_id, day)
            for key, amount in levels._get_period_amounts(self).items()
        )

    # === WHAT === #

    def _get_fingerprint(self):
        """Return a hash of what is approved: products, quantities, prices, reasons.

        :rtype: str
        """
        self.ensure_one()
        # sudo: the prices of the order count, no matter who decides.
        content = [
            self.submission_count,
            self.partner_id.id,
            self.company_id.id,
            [
                [
                    line.id,
                    line.sale_line_id.id,
                    line.product_id.id,
                    line.qty_requested,
                    line.reason_id.id,
                    line.resolution,
                    line.decision,
                    line.qty_authorized if line.decision != 'pending' else None,
                    round(line._get_requested_amount(line.sale_line_id.sudo().currency_id), 6)
                    if line.sale_line_id
                    else None,
                ]
                for line in self.line_ids.sorted('id')
            ],
        ]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    def _void_changed_approvals(self):
        """Void approvals of returns that changed since, and ask the levels they need now."""
        for sale_return in self.filtered('fingerprint'):
            fingerprint = sale_return._get_fingerprint()
            if fingerprint == sale_return.fingerprint:
                continue
            sale_return._write_facts({'fingerprint': fingerprint})
            given = sale_return.step_ids.filtered(lambda step: step.state == 'approved')
            if given:
                given._write_facts({'state': 'pending', 'approval_id': False})
                self.env['sale.return.event']._log(
                    [
                        {
                            'return_id': sale_return.id,
                            'kind': 'approval_void',
                            'details': ", ".join(given.mapped('name')),
                            'reason': self.env._("The approved content has changed."),
                        }
                    ]
                )
            sale_return._create_steps()

    # === STEPS === #

    def _note_submission(self):
        """Store who requests the returns, before anything is decided."""
        for count, group in self.grouped('submission_count').items():
            group._write_facts({'requested_by_id': self.env.uid, 'submission_count': count + 1})

    def _request_approval(self):
        """Ask the levels of the policies to decide; without levels any approver may."""
        for sale_return in self:
            sale_return._write_facts({'fingerprint': sale_return._get_fingerprint()})
        self._create_steps()

    def _create_steps(self):
        """Create the approval steps that the returns need and do not have yet, in one call."""
        vals_list = []
        for sale_return in self:
            # sudo: users who submit a return need not read who decides on it.
            levels = (
                in_force(sale_return.sudo())
                .line_ids.policy_id.filtered(lambda policy: policy.approval == 'levels')
                .level_ids
            )
            present = sale_return.step_ids.filtered(lambda step: step.state != 'void').level_id
            needed = levels._get_applicable(sale_return.sudo()) - present
            vals_list += [level._prepare_step_vals(sale_return) for level in needed.sorted()]
        if vals_list:
            self.env['sale.return.approval.step'].sudo().create(vals_list)
            self.invalidate_recordset(['step_ids'])
        self._schedule_approvals()

    def _log_decision(self, decision, **values):
        """Store who decided what on the returns, at which level, and why."""
        # sudo: nobody writes decisions directly; the callers have checked the group.
        return (
            self.env['sale.return.approval']
            .sudo()
            .create(
                [
                    {
                        'return_id': sale_return.id,
                        'decision': decision,
                        'user_id': self.env.uid,
                        'step_id': sale_return._get_current_step().id,
                        'fingerprint': sale_return._get_fingerprint(),
                        'own_request': not values.get('automatic')
                        and decision == 'approved'
                        and self.env.user in sale_return.requested_by_id | sale_return.create_uid,
                        **values,
                    }
                    for sale_return in self
                ]
            )
        )

    def _approve_current_step(self, comment=None):
        """Store the approval of the level that decides next."""
        approvals = self._log_decision('approved', comment=comment)
        for approval in approvals.filtered('step_id'):
            # One write per return: each has its own approval.
            approval.step_id._write_facts({'state': 'approved', 'approval_id': approval.id})
        overruled = self.filtered('needs_overrule')
        self.env['sale.return.event']._log(
            [
                {'return_id': sale_return.id, 'kind': 'override', 'reason': comment}
                for sale_return in overruled
            ]
        )
        self._schedule_approvals()

    def _ensure_overruled(self, comment):
        """Refuse to approve, without a reason, what the rules would refuse.

        :raise UserError: naming the return and what the rules say.
        """
        for sale_return in self:
            lines = sale_return.line_ids
            if lines and all(line.decision == 'refused' for line in lines):
                raise UserError(
                    self.env._(
                        "All products of return %(return)s are refused. Refuse the return.",
                        **{'return': sale_return.name},
                    )
                )
            if sale_return.needs_overrule and not (comment and comment.strip()):
                against = lines.filtered(lambda line: line.verdict_outcome in OVERRIDABLE)
                raise UserError(
                    self.env._(
                        "The rules would refuse return %(return)s. Enter why it is approved "
                        "anyway.\n%(verdicts)s",
                        verdicts="\n".join(filter(None, against.mapped('verdict_text'))),
                        **{'return': sale_return.name},
                    )
                )

    @api.private
    def _refuse(self, reason, automatic=False, template=None):
        """Refuse submitted returns; their quantities are free again.

        :param str reason: why, in words for the customer.
        :param bool automatic: True when the rules decided without a person.
        :param template: `sale.return.refusal.template` that the text comes from.
        """
        self.env['sale.return.reception']._cancel_open_receipts(self)
        open_lines = self.line_ids.filtered(lambda line: line.decision != 'refused')
        open_lines._write_facts(
            {'decision': 'refused', 'decision_reason': reason, 'qty_authorized': 0.0}
        )
        self._update_state('refused', reason=reason)
        self._log_decision(
            'refused', comment=reason, automatic=automatic, template_id=template and template.id
        )
        self._end_steps()

    def _after_line_decisions(self, reason=None):
        """Follow up on decisions on lines: refuse a return if all its lines are refused."""
        refused = self.filtered(lambda r: all(line.decision == 'refused' for line in r.line_ids))
        for sale_return in refused:
            words = filter(None, sale_return.line_ids.mapped('decision_reason'))
            sale_return._refuse(reason or "\n".join(dict.fromkeys(words)))
        (self - refused)._void_changed_approvals()

    def _end_steps(self):
        """Cancel the approval steps that are not decided yet."""
        steps = self.step_ids.filtered(lambda step: step.state == 'pending')
        if steps:
            steps._write_facts({'state': 'void'})
        self._schedule_approvals()

    def _reset_approvals(self):
        """Clear levels and decisions on lines: the returns are drafts again."""
        steps = self.step_ids.filtered(lambda step: step.state != 'void')
        if steps:
            steps._write_facts({'state': 'void'})
        self.line_ids._reset_decision()
        self._schedule_approvals()

    # === TELL === #

    def _schedule_approvals(self):
        """Plan an activity for those who decide next, and remove those of earlier ones."""
        with_steps = self.filtered('step_ids')
        if not with_steps:
            return
        xmlid = 'sale_return.mail_activity_type_approval'
        with_steps.sudo().activity_unlink([xmlid])
        activity_type = self.env.ref(xmlid)
        model_id = self.env['ir.model']._get_id(self._name)
        vals_list = []
        for sale_return in with_steps.filtered(lambda r: r.state == 'submitted'):
            if not (step := sale_return._get_current_step()):
                continue
            approvers = step._get_approvers() or sale_return._get_managers()
            vals_list += [
                {
                    'res_model_id': model_id,
                    'res_id': sale_return.id,
                    'activity_type_id': activity_type.id,
                    'summary': step.name,
                    'automated': True,
                    'user_id': user.id,
                    'date_deadline': sale_return._get_decision_deadline(),
                }
                for user in approvers[:MAX_ACTIVITIES]
            ]
        # sudo: users who submit a return may not plan activities for everybody. No mail is sent:
        # the activity is the notice.
        self.env['mail.activity'].sudo().with_context(mail_activity_quick_update=True).create(
            vals_list
        )

    def _get_managers(self):
        """Return the managers of Returns of the company."""
        # sudo: it is no secret here who has which role.
        group = self.env.ref('sale_return.group_manager').sudo()
        return group.all_user_ids.filtered(
            lambda user: not user.share and self.company_id in user.company_ids
        )

    def _get_decision_deadline(self):
        """Return the day by which a decision is due."""
        # sudo: users who submit a return need not read policies.
        days = [d for d in self.sudo().line_ids.policy_id.mapped('decision_days') if d]
        return fields.Date.add(self._get_today(), days=min(days, default=2))

    def _has_receipt(self):
        """Tell whether goods of the return are here, or a transfer for them exists."""
        self.ensure_one()
        # sudo: users who submit a return need not read transfers.
        sale_return, moment = self.sudo(), self._get_moment()
        return any(
            move.state != 'cancel'
            and move._is_sale_return_receipt()
            and (moment is None or move.create_date < moment)
            for move in sale_return.line_ids.move_ids
        ) or any(
            record.state == 'open'
            and record._is_foreign()
            and (moment is None or record.create_date < moment)
            for record in sale_return.discrepancy_ids
        )

    # === UNTIL WHEN === #

    def _ensure_may_become(self, state):
        """Hook of `_before_state`: an open appeal is decided on.

        :raise UserError: when a return with an open appeal would be set back to draft.
        """
        result = super()._ensure_may_become(state)
        if state == 'draft' and (
            open_appeals := self.appeal_ids.filtered(lambda a: a.state == 'open')
        ):
            raise UserError(
                self.env._(
                    "The customer appealed against the refusal of return %(returns)s. Decide on "
                    "the appeal instead.",
                    returns=", ".join(open_appeals.return_id.mapped('name')),
                )
            )
        return result

    def _fix_appeal_limit(self, state):
        """Hook of `_after_state`."""
        result = super()._fix_appeal_limit(state)
        if state == 'refused':
            for until, group in self.grouped(lambda r: r._get_date_appeal_until()).items():
                group._write_facts({'date_appeal_until': until})
        return result

    def _get_date_appeal_until(self):
        """Return the last day of an appeal against a refusal made now, in the company's time zone.

        :return: the last day, inclusive; False where the policy gives no days.
        :rtype: datetime.date | bool
        """
        self.ensure_one()
        days = max(self.line_ids.policy_id.mapped('appeal_days'), default=0)
        return self._get_today() + timedelta(days=days) if days else False

    def _get_appeal_obstacle(self):
        """Return why nobody may appeal on this return now; None if the customer may.

        :rtype: str
        """
        self.ensure_one()
        names = {'return': self.name}
        if self.appeal_ids:
            return self.env._(
                "Return %(return)s has already been appealed; only one appeal is possible.", **names
            )
        if self.state != 'refused':
            return self.env._(
                "Return %(return)s is not refused, so there is nothing to appeal against.", **names
            )
        if not self.date_appeal_until:
            return self.env._("The refusal of return %(return)s is final.", **names)
        if self._get_today() > self.date_appeal_until:
            return self.env._(
                "An appeal on return %(return)s was possible until %(date)s.",
                date=fields.Date.to_string(self.date_appeal_until),
                **names,
            )
        return None

    # === APPEAL === #

    @reads(comment=text)
    def action_appeal(self, comment=None):
        """Appeal against the refusal of returns for their customers, once each.

        :param str comment: why, in the words of the customer; required.
        :return: the new appeals.
        :rtype: sale.return.appeal
        :raise AccessError: without a role in Returns.
        :raise UserError: when a return is not refused, it is too late, or an appeal was already
            made.
        """
        self._ensure_group('group_user')
        self.check_access('write')
        appeals = self.env['sale.return.appeal']
        for sale_return in self:
            # One by one: who is asked depends on the open appeals of each.
            appeals += sale_return._appeal(comment, sale_return.partner_id)
        return appeals

    @api.private
    def _appeal(self, comment, partner):
        """Appeal against the refusal of one return. The caller has checked the right to do so.

        :param str comment: why, in the words of the customer.
        :param partner: `res.partner` who appeals.
        :return: the new appeal.
        :rtype: sale.return.appeal
        :raise UserError: without a comment, when it is too late, or when an appeal was already
            made.
        """
        self.ensure_one()
        self._ensure_explained(comment, self.env._("Enter why the refusal is wrong."))
        # sudo: customers and users may not write appeals; the caller has checked who they are.
        sale_return = self.sudo()
        if obstacle := sale_return._get_appeal_obstacle():
            raise UserError(obstacle)
        refusal = sale_return._get_refusal()
        appeal = sale_return.env['sale.return.appeal'].create(
            {
                'return_id': self.id,
                'partner_id': partner.id,
                'comment': comment.strip(),
                'refused_by_id': False if refusal.automatic else refusal.user_id.id,
                'refusal_reason': refusal.comment,
            }
        )
        appeal.user_id = appeal._get_assignee()
        self.env['sale.return.event']._log(
            [{'return_id': self.id, 'kind': 'appealed', 'reason': appeal.comment}]
        )
        appeal._schedule()
        return appeal.sudo(self.env.su)

    def action_open_appeal(self):
        """Open the dialog that asks why the customer appeals."""
        return self._get_wizard_action(
            'sale.return.explain', self.env._("Appeal"), default_action='appeal'
        )

    def action_view_appeal(self):
        """Show the appeal of the return."""
        self.ensure_one()
        return self.appeal_ids._get_records_action(name=self.env._("Appeal"))

    def _get_refusal(self):
        """Return the decision that refused the return, empty where there is none."""
        self.ensure_one()
        return self.approval_ids.filtered(lambda a: a.decision == 'refused')[:1]

    def _overturn_refusal(self, reason):
        """Treat a refused return as just submitted, and approve it where that is allowed.

        :param str reason: why the refusal was wrong.
        :raise UserError: when the rules allow nobody to approve it, or the goods can no longer be
            returned.
        """
        self.ensure_one()
        # sudo: users who decide on an appeal need not read orders; their role was checked.
        service = self.sudo()
        lines = service.line_ids
        service._reset_approvals()
        lines._ensure_submittable(service)
        lines._ensure_lots_at_customer()
        lines.sale_line_id._take_return_counter()
        service._update_state('submitted', reason=reason)
        lines.sale_line_id._check_return_quantities()
        self.env['sale.return.decision'].sudo()._decide(service)
        if self.state == 'refused':
            raise UserError(
                self.env._(
                    "Return %(return)s is refused by the rules, which nobody may overrule: "
                    "%(verdicts)s",
                    verdicts="\n".join(filter(None, lines.mapped('verdict_text'))),
                    **{'return': self.name},
                )
            )
        if self.state == 'submitted' and not self._get_obstacle(self.env.user):
            self.action_approve(comment=reason)
