import json

from odoo import models

from ...tools.context import get_own
from ...tools.past import Past
from ..decision.const import CONDITIONS
from .sale_return_policy import KEPT, read_terms

# What a policy says about other things than its rules: whom it applies to, and who approves.
APART = (*KEPT, *CONDITIONS, 'approval')


class SaleReturnRule(models.Model):
    _inherit = 'sale.return.rule'

    def _get_past_policies(self):
        """Override to check rules of a draft on returns of the policy in force."""
        policies = super()._get_past_policies()
        return policies | policies.draft_of_id

    def _get_verdicts(self, lines):
        """Override: a replay evaluates a rule once that policy and draft have in common."""
        past = get_own(lines.env, 'sale_return_past', Past)
        known = past.verdicts if past else None
        if known is None:
            return super()._get_verdicts(lines)
        found = known.setdefault(self._get_terms(), {})
        if new := lines.filtered(lambda line: line not in found):
            verdicts = super()._get_verdicts(new)
            found.update((line, verdicts.get(line)) for line in new)
        rule = self._origin.id or False
        return {line: {**found[line], 'rule_id': rule} for line in lines if found[line]}

    def _get_terms(self):
        """Return what the rule says, with what its policy says to it, as a text."""
        self.ensure_one()
        rule = read_terms(self, (*models.MAGIC_COLUMNS, 'policy_id'))
        return json.dumps([self.name, rule, read_terms(self.policy_id, APART)], default=str)
