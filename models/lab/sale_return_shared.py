from odoo import models
from odoo.exceptions import AccessError, UserError

from .const import VERSION_FIELDS


class SaleReturnShared(models.AbstractModel):
    _inherit = 'sale.return.shared'

    def write(self, vals):
        """Override of `base` to add nothing to earlier versions."""
        result = super().write(vals)
        if 'policy_id' in vals:
            self._ensure_changeable()  # by the policy to which they belong now
        return result

    def _ensure_changeable(self, *vals_list):
        """Override to keep earlier versions of policies, with their rules and levels, as they were.

        :raise AccessError: when somebody says what is a version.
        :raise UserError: naming the version.
        """
        super()._ensure_changeable(*vals_list)
        if self.env.su:
            return
        if self._name == 'sale.return.policy':
            self._ensure_not_forged(vals_list)
        policies = self if self._name == 'sale.return.policy' else self.env['sale.return.policy']
        if 'policy_id' in self._fields:
            policies = self.policy_id
        for policy in policies.filtered(lambda p: p.version_state == 'past'):
            raise UserError(
                self.env._(
                    "“%(policy)s” was in force earlier and is kept as it was. Change a draft of "
                    "“%(live)s” instead.",
                    policy=policy.name,
                    live=policy.draft_of_id.name,
                )
            )

    def _ensure_not_forged(self, vals_list):
        """Refuse values that only the steps of the lab write, as superuser."""
        forged = {
            name
            for vals in vals_list
            for name in VERSION_FIELDS
            if name in vals and (vals[name] or any(self.mapped(name)))
        }
        if forged:
            raise AccessError(
                self.env._(
                    "Versions of a policy cannot be set by hand. Use the buttons of the policy."
                )
            )
