from odoo import api, fields, models
from odoo.exceptions import UserError

from ...tools.html import as_html
from ...tools.reader import reads, record_id, text


class SaleReturnAppeal(models.Model):
    """A customer's appeal against the refusal of their return, and its outcome.

    There is one per return. It is decided by `action_uphold` or `action_overturn`, by somebody who
    did not refuse the return; nobody writes it directly.
    """

    _name = 'sale.return.appeal'
    _inherit = ['sale.return.own.defaults']
    _description = "Return Appeal"
    _order = 'id desc'
    _rec_name = 'return_id'
    _check_company_auto = True

    return_id = fields.Many2one('sale.return', required=True, index=True, ondelete='restrict')
    company_id = fields.Many2one(related='return_id.company_id', store=True, index=True)
    commercial_partner_id = fields.Many2one(
        related='return_id.partner_id.commercial_partner_id', string="Customer", store=True
    )
    partner_id = fields.Many2one(
        'res.partner', string="Appealed by", required=True, readonly=True, ondelete='restrict'
    )
    comment = fields.Text(
        string="Why", required=True, readonly=True, help="In the customer's own words."
    )
    date = fields.Datetime(required=True, readonly=True, default=lambda self: self.env.cr.now())
    refused_by_id = fields.Many2one(
        'res.users',
        string="Refused by",
        readonly=True,
        ondelete='restrict',
        help="Empty where the rules refused the return automatically.",
    )
    refusal_reason = fields.Text(readonly=True)
    user_id = fields.Many2one(
        'res.users',
        string="Assigned to",
        readonly=True,
        index='btree_not_null',
        ondelete='restrict',
        help=(
            "Who is asked to decide. Any other approver may also decide, except the one who "
            "refused it."
        ),
    )
    state = fields.Selection(
        [('open', "To decide"), ('upheld', "Refusal upheld"), ('overturned', "Refusal overturned")],
        string="Outcome",
        required=True,
        readonly=True,
        default='open',
        index=True,
    )
    decided_by_id = fields.Many2one('res.users', readonly=True, ondelete='restrict')
    date_decided = fields.Datetime(string="Decided on", readonly=True)
    decision_reason = fields.Text(readonly=True, help="Text for the customer.")
    rate_overturned = fields.Float(
        string="Overturned",
        compute='_compute_rate_overturned',
        store=True,
        aggregator='avg',
        help=(
            "1 where the refusal was overturned, else 0: its average is the share of appeals that"
            " were right. Exclude appeals that are not decided yet."
        ),
    )
    problem = fields.Char(
        compute='_compute_problem', help="Why nobody can decide, and what to do about it."
    )

    _one_per_return = models.UniqueIndex(
        '(return_id)', "The refusal of this return has already been appealed."
    )

    # === COMPUTE METHODS === #

    @api.depends('state')
    def _compute_rate_overturned(self):
        for appeal in self:
            appeal.rate_overturned = float(appeal.state == 'overturned')

    @api.depends('state', 'user_id')
    def _compute_problem(self):
        for appeal in self:
            nobody = appeal.state == 'open' and not appeal._get_candidates()
            appeal.problem = nobody and self.env._(
                "Everybody who could decide has refused the return or requested it. Give "
                "somebody else the role of approver."
            )

    # === ACTION METHODS === #

    @reads(reason=text)
    def action_uphold(self, reason=None):
        """Decide that the returns stay refused.

        :param str reason: why, in words for the customers; required.
        :return: True
        :raise AccessError: without the role of approver.
        :raise UserError: when the user refused the return themselves, or the appeal is decided.
        """
        self._ensure_decidable(reason)
        self._decide('upheld', reason)
        return True

    @reads(reason=text)
    def action_overturn(self, reason=None):
        """Decide that the refusals were wrong; the returns are treated as if just submitted.

        The decision also approves them, as far as the user may: further levels of the policy decide
        afterwards, and what the rules refuse for good stays refused.

        :param str reason: why, in words for the customers; required.
        :return: True
        :raise AccessError: without the role of approver.
        :raise UserError: when the user refused the return themselves, the appeal is decided, or the
            rules allow nobody to approve the return.
        """
        self._ensure_decidable(reason)
        self._decide('overturned', reason)
        for appeal in self:
            # One by one: each is approved separately, and appeals are few.
            appeal.return_id._overturn_refusal(reason)
        return True

    @reads(user_id=record_id)
    def action_assign(self, user_id):
        """Ask somebody else to decide.

        :param int user_id: id of a user who may decide.
        :return: True
        :raise AccessError: without the role of approver.
        :raise UserError: when they may not decide.
        """
        self.env['sale.return']._ensure_group('group_approver')
        self.check_access('read')
        user = self.env['res.users'].browse(user_id)
        for appeal in self:
            appeal._ensure_open()
            if obstacle := appeal._get_obstacle(user):
                raise UserError(obstacle)
        # sudo: nobody writes appeals; the role was checked above.
        self.sudo().write({'user_id': user.id})
        self._schedule()
        return True

    def action_open_uphold(self):
        """Open the dialog that asks why the refusal is upheld."""
        return self._open_decision('uphold', self.env._("Uphold the Refusal"))

    def action_open_overturn(self):
        """Open the dialog that asks why the refusal is overturned."""
        return self._open_decision('overturn', self.env._("Overturn the Refusal"))

    def _open_decision(self, action, name):
        self.env['sale.return']._ensure_group('group_approver')
        return self.return_id._get_wizard_action('sale.return.explain', name, default_action=action)

    # === WHO === #

    def _get_obstacle(self, user):
        """Return why a user may not decide on this appeal; None if they may.

        :param user: `res.users`
        :rtype: str
        """
        self.ensure_one()
        if not user.has_group('sale_return.group_approver'):
            return self.env._("%(user)s is not an approver.", user=user.name)
        return self.return_id._get_own_request_reason(user)

    def _get_candidates(self):
        """Return who may decide on the appeal. Override to choose among others.

        :rtype: res.users
        """
        self.ensure_one()
        # sudo: users who appeal need not read the groups of our employees.
        approvers = self.env.ref('sale_return.group_approver').sudo().all_user_ids
        company = self.sudo().company_id
        return approvers.filtered(
            lambda user: (
                not user.share
                and company in user.company_ids
                and not self.sudo()._get_obstacle(user)
            )
        )

    def _get_assignee(self):
        """Return who is asked: of those who may, the one with the fewest open appeals."""
        self.ensure_one()
        candidates = self._get_candidates()
        load = dict(
            self.env['sale.return.appeal']
            .sudo()
            ._read_group(
                [('state', '=', 'open'), ('user_id', 'in', candidates.ids)],
                ['user_id'],
                ['__count'],
            )
        )
        return candidates.sorted(lambda user: (load.get(user, 0), user.id))[:1]

    # === DECIDE === #

    def _ensure_open(self):
        for appeal in self:
            if appeal.state != 'open':
                raise UserError(
                    self.env._(
                        "The appeal on return %(return)s is already decided.",
                        **{'return': appeal.return_id.name},
                    )
                )

    def _ensure_decidable(self, reason):
        """Refuse a decision by somebody who may not make it, or without a reason."""
        self.env['sale.return']._ensure_group('group_approver')
        self.check_access('read')
        self.return_id.check_access('write')
        self._ensure_open()
        self.return_id._ensure_explained(
            reason, self.env._("Give a reason for the decision on the appeal.")
        )
        for appeal in self:
            if appeal.return_id.state != 'refused':
                raise UserError(
                    self.env._(
                        "Return %(return)s is not refused any more, so there is nothing to decide.",
                        **{'return': appeal.return_id.name},
                    )
                )
            if not self.env.su and (obstacle := appeal._get_obstacle(self.env.user)):
                raise UserError(obstacle)

    def _decide(self, state, reason):
        """Store the outcome and log it."""
        # sudo: nobody writes appeals; the callers have checked who decides.
        self.sudo().write(
            {
                'state': state,
                'decided_by_id': self.env.uid,
                'date_decided': fields.Datetime.now(),
                'decision_reason': reason,
            }
        )
        labels = dict(self._fields['state']._description_selection(self.env))
        self.env['sale.return.event']._log(
            [
                {
                    'return_id': appeal.return_id.id,
                    'kind': 'appeal_decided',
                    'reason': reason,
                    'details': labels[state],
                }
                for appeal in self
            ]
        )
        self._schedule()

    def _schedule(self):
        """Plan an activity for the user who is to decide, and remove that of the previous one."""
        xmlid = 'sale_return.mail_activity_type_appeal'
        # sudo: customers who appeal may not plan activities, nor may deciders end those of others.
        self.return_id.sudo().activity_unlink([xmlid])
        for appeal in self.sudo().filtered(lambda a: a.state == 'open' and a.user_id):
            # In the language of the reader, not of the customer.
            speaker = self.with_context(lang=appeal.user_id.lang)
            appeal.return_id.with_context(mail_activity_quick_update=True).activity_schedule(
                xmlid,
                date_deadline=appeal.return_id._get_decision_deadline(),
                summary=speaker.env._("Decide on the appeal"),
                # The customer's words as plain text, without active content.
                note=as_html(appeal.comment),
                user_id=appeal.user_id.id,
            )
