from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

# Written with the refusal only.
PROTECTED_FIELDS = frozenset({'date_appeal_until', 'appeal_ids'})


class SaleReturn(models.Model):
    """The return's side of appeals: until when, by whom, and what follows from the outcome."""

    _inherit = 'sale.return'

    date_appeal_until = fields.Date(
        string="Appeal until",
        readonly=True,
        copy=False,
        help="Last day on which the customer may appeal against the refusal. Empty: he may not.",
    )
    appeal_ids = fields.One2many('sale.return.appeal', 'return_id', string="Appeals", readonly=True)
    appeal_state = fields.Selection(
        related='appeal_ids.state',
        string="Outcome of the Appeal",
        help="What came of the customer's appeal.",
    )
    can_appeal = fields.Boolean(
        compute='_compute_can_appeal',
        compute_sudo=True,
        help="The return is refused and its customer may still appeal.",
    )

    @api.depends('state', 'date_appeal_until', 'appeal_ids')
    def _compute_can_appeal(self):
        for sale_return in self:
            sale_return.can_appeal = not sale_return._get_appeal_obstacle()

    def _is_derived(self, name):
        """Override of `sale.return.derived` to protect appeals."""
        return name in PROTECTED_FIELDS or super()._is_derived(name)

    # === UNTIL WHEN === #

    def _update_state(self, state, reason=None):
        """Extend to fix with the refusal until when the customer may appeal.

        :raise UserError: when a return with an open appeal would be set back to draft.
        """
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
        result = super()._update_state(state, reason=reason)
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

    def _is_appeal_open(self):
        """Tell whether the customer may appeal now."""
        self.ensure_one()
        return not self._get_appeal_obstacle()

    def _get_appeal_obstacle(self):
        """Say why nobody may appeal on this return now; None if the customer may.

        :rtype: str
        """
        self.ensure_one()
        names = {'return': self.name}
        if self.appeal_ids:
            return self.env._(
                "There was an appeal on return %(return)s already; there is one only.", **names
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

    def action_appeal(self, comment=None):
        """Appeal against the refusal of returns for their customers, once each.

        :param str comment: why, in the words of the customer; demanded.
        :return: the new appeals.
        :rtype: sale.return.appeal
        :raise AccessError: without a role in Returns.
        :raise UserError: when a return is not refused, it is too late, or there was an appeal.
        """
        self._ensure_group('group_user')
        self.check_access('write')
        appeals = self.env['sale.return.appeal']
        for sale_return in self:
            # One by one: who is asked depends on what the others have to do.
            appeals += sale_return._appeal(comment, sale_return.partner_id)
        return appeals

    @api.private
    def _appeal(self, comment, partner):
        """Appeal against the refusal of one return. The caller has checked that he may: it is his.

        :param str comment: why, in the words of the customer.
        :param partner: `res.partner` who appeals.
        :return: the new appeal.
        :rtype: sale.return.appeal
        :raise UserError: when there is nothing to say, it is too late, or there was an appeal.
        """
        self.ensure_one()
        self._ensure_explained(comment, self.env._("Say why the refusal is wrong."))
        # sudo: customers and users may not write appeals; the caller has checked who he is.
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

    def _get_own_request_reason(self, user):
        """Extend so that whoever refused a return has no part in what follows from an appeal."""
        if reason := super()._get_own_request_reason(user):
            return reason
        # sudo: who decided is kept for everybody to see.
        if user in self.sudo().appeal_ids.refused_by_id:
            return self.env._(
                "%(user)s refused return %(return)s, so somebody else has to decide now.",
                user=user.name,
                **{'return': self.name},
            )
        return None

    def _overturn_refusal(self, reason):
        """Look at a refused return as if it was just submitted, and approve it where one may.

        :param str reason: why the refusal was wrong.
        :raise UserError: when the rules let nobody approve it, or the goods can no longer be
            returned.
        """
        self.ensure_one()
        lines = self.line_ids
        self._reset_approvals()
        lines._ensure_submittable(self)
        lines._ensure_lots_at_customer()
        lines.sale_line_id._take_return_counter()
        self._update_state('submitted', reason=reason)
        lines.sale_line_id._check_return_quantities()
        self.env['sale.return.decision']._decide(self)
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
