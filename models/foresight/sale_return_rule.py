from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...tools.risk import ORDER
from ...tools.verdict import Verdict
from .sale_return_risk import TIERS


class SaleReturnRule(models.Model):
    """Rules may depend on the risk of a return: they ask a person, or for more proof."""

    _inherit = 'sale.return.rule'

    kind = fields.Selection(selection_add=[('risk', "Risk")], ondelete={'risk': 'cascade'})
    risk_tier = fields.Selection(
        TIERS[1:],
        string="Only from Risk",
        help="The rule is only for returns of this risk or a higher one.",
    )

    @api.constrains('kind', 'risk_tier', 'outcome')
    def _check_risk_is_for_people(self):
        for rule in self:
            # GDPR art. 22: nobody is refused automatically because of a profile.
            if (rule.kind == 'risk' or rule.risk_tier) and rule.outcome not in (
                'authorize',
                'review',
            ):
                raise ValidationError(
                    self.env._(
                        "Rule “%(rule)s” looks at the risk of a return, so it can ask a person "
                        "to decide but cannot refuse anything automatically.",
                        rule=rule.name,
                    )
                )

    def _get_missing_parameter(self):
        """Override to ask for the tier of rules about risk."""
        if self.kind == 'risk' and not self.risk_tier:
            return self.env._(
                "Enter the risk from which rule “%(rule)s” of policy “%(policy)s” asks a person.",
                rule=self.name,
                policy=self.policy_id.name,
            )
        return super()._get_missing_parameter()

    @api.model
    def _get_parameters(self):
        """Override to consider the tier, too."""
        return (*super()._get_parameters(), 'risk_tier')

    def _is_for_line(self, line):
        """Override to leave returns of a lower risk to the other rules."""
        return super()._is_for_line(line) and (not self.risk_tier or self._is_risky(line))

    def _is_risky(self, line):
        # sudo: rules apply no matter who submits.
        risk = line.return_id.sudo().risk_id
        return bool(risk.tier) and ORDER.index(risk.tier) >= ORDER.index(self.risk_tier)

    def _evaluate_risk(self, lines):
        """State that somebody has to check the lines: they are in the tier of the rule.

        :return: `{line: Verdict}`
        :rtype: dict
        """
        return dict.fromkeys(lines, Verdict(self.outcome, 'risk_reached'))

    def _describe_risk(self):
        """Describe what is allowed."""
        tiers = dict(self._fields['risk_tier']._description_selection(self.env))
        return self.env._("Allowed below this risk: %(tier)s.", tier=tiers.get(self.risk_tier, "–"))

    @api.model
    def fields_get(self, allfields=None, attributes=None):
        """Override of `base` to offer this kind only where the part is switched on."""
        result = super().fields_get(allfields, attributes)
        options = result.get('kind', {}).get('selection')
        if options and not self.env['sale.return.watch']._is_on():
            result['kind']['selection'] = [row for row in options if row[0] != 'risk']
        return result

    @api.model
    def _get_sentences(self):
        """Override to describe it in words that customers may read, too."""
        return {
            **super()._get_sentences(),
            'risk_reached': lambda f: self.env._("Somebody checks it before it is decided."),
        }
