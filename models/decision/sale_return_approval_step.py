from odoo import api, fields, models
from odoo.exceptions import UserError

from .const import APPROVER_TYPES


class SaleReturnApprovalStep(models.Model):
    """A level that has to decide on one return, with those who may decide, as of the submission."""

    _name = 'sale.return.approval.step'
    _inherit = ['sale.return.own.defaults']
    _description = "Return Approval Step"
    _order = 'sequence, id'

    name = fields.Char(required=True)
    return_id = fields.Many2one('sale.return', required=True, index=True, ondelete='cascade')
    company_id = fields.Many2one(related='return_id.company_id', store=True, index=True)
    level_id = fields.Many2one('sale.return.approval.level', ondelete='set null')
    sequence = fields.Integer()
    approver_type = fields.Selection(APPROVER_TYPES, required=True)
    user_id = fields.Many2one('res.users', string="Approver", ondelete='restrict')
    group_id = fields.Many2one('res.groups', ondelete='restrict')
    state = fields.Selection(
        [('pending', "Waiting"), ('approved', "Approved"), ('void', "Void")],
        string="Status",
        required=True,
        default='pending',
    )
    approval_id = fields.Many2one('sale.return.approval', string="Decision", ondelete='restrict')
    decided_by_id = fields.Many2one(related='approval_id.user_id', string="Decided by")
    decided_on = fields.Datetime(related='approval_id.date')

    _waiting = models.Index("(return_id) WHERE state = 'pending'")

    def write(self, vals):  # pylint: disable=method-required-super
        """Override of `base`: steps are derived from decisions, nobody writes them."""
        raise UserError(self.env._("Approvals are given on the return, not here."))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("Approvals of a return cannot be deleted."))

    def _write_facts(self, vals):
        """Write the effects of a decision; `write` refuses everything."""
        # sudo: nobody writes steps directly; the callers have checked who decides. Bypasses our own
        # `write` and calls those of the parent classes.
        steps = super(SaleReturnApprovalStep, self.sudo())
        return steps.write(vals)

    # === WHO === #

    def _is_approver(self, user):
        """Tell whether a user may decide on the step, or for somebody who is absent.

        Where nobody else can (they left, lost the role, or requested the return) the managers of
        Returns may, so that no return waits for ever. They also may where the budget of credits
        without goods can require a manager.

        :param user: `res.users`
        :rtype: bool
        """
        self.ensure_one()
        if self._names(user):
            return True
        return user.has_group('sale_return.group_manager') and (
            self._is_without_goods() or not self._get_approvers()
        )

    def _is_without_goods(self):
        """Tell whether the approval credits something without goods."""
        # sudo: the rules of all policies count, no matter who looks at the step.
        lines = self.return_id.sudo().line_ids
        return any(map(self.env['sale.return.unbacked']._get_kind, lines))

    def _names(self, user):
        """Tell whether the step is for a user or for somebody they substitute."""
        if not user.active or not user.has_group('sale_return.group_approver'):
            return False
        # sudo: substitutes and members of groups are no secret here.
        substitutes = self.env['sale.return.substitute'].sudo()
        identities = substitutes._get_identities(user, self.return_id._get_day())
        if self.approver_type == 'group':
            return any(
                (self.group_id or self._get_approver_group()).id in person._get_group_ids()
                for person in identities
            )
        return self.user_id.sudo() in identities

    def _get_approver_group(self):
        return self.env.ref('sale_return.group_approver')

    def _get_approvers(self):
        """Return everybody who may decide on the step, without the managers as a fallback.

        :rtype: res.users
        """
        self.ensure_one()
        # sudo: approvers need not read the groups of their colleagues.
        role = self._get_approver_group().sudo().all_user_ids
        company = self.return_id.company_id
        step = self.sudo()
        return role.filtered(
            lambda user: (
                not user.share
                and company in user.company_ids
                and step._names(user)
                and not step.return_id._get_own_request_reason(user)
            )
        )
