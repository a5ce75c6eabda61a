from odoo import api, fields, models

from ...tools.regime import REGIMES, get_regime


class SaleReturnPolicy(models.Model):
    """What the law says through the regime of a policy. The table is `tools/regime.py`."""

    _inherit = 'sale.return.policy'

    regime_note = fields.Text(compute='_compute_regime_note')

    @api.depends('regime', 'settlement', 'release_event')
    def _compute_regime_note(self):
        for policy in self:
            policy.regime_note = policy._describe_regime()

    @api.onchange('regime')
    def _onchange_regime(self):
        """Propose the terms that the law asks for."""
        if self._get_regime().withhold_until == 'receipt_or_dispatch_proof':
            self.release_event = 'dispatch_proof'
            self.settlement = 'refund'
        if self._get_regime().outbound_shipping == 'standard':
            self.refund_shipping = 'full_return'

    def _describe_regime(self):
        """Say what the law adds to the terms of the policy."""
        self.ensure_one()
        regime = self._get_regime()
        parts = [
            regime.window_days
            and self.env._("The window is at least %(days)s days.", days=regime.window_days),
            regime.window_basis == 'order'
            and self.env._("It counts from the last delivery of the order."),
            not regime.reason_demanded and self.env._("The customer need not say why."),
            not regime.allows('restocking_fee') and self.env._("No restocking fee is taken."),
            not regime.allows('grade') and self.env._("Nothing is taken off for the condition."),
            not regime.allows('freight') and self.env._("The customer does not pay the way back."),
            regime.refund_days
            and self.env._(
                "The money has to be back within %(days)s days.", days=regime.refund_days
            ),
            regime.outbound_shipping == 'standard'
            and self.env._("The standard shipping is refunded when all of the order comes back."),
            *self._get_regime_warnings(),
        ]
        return " ".join(filter(None, parts)) or self.env._(
            "What the policy says counts, and nothing else."
        )

    def _get_regime_warnings(self):
        """Say which terms of the policy give the customer less than the law.

        :return: sentences.
        :rtype: list
        """
        warnings = []
        if self._get_regime().withhold_until != 'receipt_or_dispatch_proof':
            return warnings
        if self.settlement != 'refund':
            warnings.append(
                self.env._("Attention: the money has to be paid back, not kept on account.")
            )
        if self.release_event == 'inspection':
            warnings.append(
                self.env._(
                    "Attention: the money may be withheld until the goods are back or their "
                    "dispatch is proven, not until their inspection."
                )
            )
        return warnings

    @api.model
    def fields_get(self, allfields=None, attributes=None):
        """Override of `base` to offer only regimes that are complete in the product.

        The others can be set by whoever knows what is still to be done by hand.
        """
        result = super().fields_get(allfields, attributes)
        if 'selection' in result.get('regime', {}):
            result['regime']['selection'] = [
                (code, label)
                for code, label in result['regime']['selection']
                if get_regime(code).complete or code not in REGIMES
            ]
        return result

    def _get_regime(self):
        """Return the rules of law that apply, those of commercial terms without policy.

        :rtype: odoo.addons.sale_return.tools.regime.Regime
        """
        return get_regime(self.regime)

    def _is_deduction_allowed(self, kind):
        """Tell whether the regime lets us keep something back. Override to add some.

        :param str kind: `grade` (condition), `restocking_fee` or `freight`.
        :rtype: bool
        """
        return self._get_regime().allows(kind)

    def _get_refund_shipping(self):
        """Return when the way to the customer is paid back: what the policy says, or the law.

        Directive 2011/83/EU art. 13(1): who withdraws from the whole contract gets it back.

        :return: `never`, `full_return` or `always`.
        """
        if self._get_regime().outbound_shipping == 'standard' and self.refund_shipping == 'never':
            return 'full_return'
        return self.refund_shipping

    def _is_reason_demanded(self):
        """Tell whether the customer may be made to say why he returns something."""
        return self._get_regime().reason_demanded

    def _get_refund_deadline_days(self):
        """Return the days in which the money has to be back and what they count from.

        :return: `(days, basis)`; 0 days when the law leaves it to the agreement.
        :rtype: tuple
        """
        regime = self._get_regime()
        return regime.refund_days, regime.refund_basis
