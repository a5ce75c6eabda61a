from odoo import api, fields, models


class SaleReturnPolicy(models.Model):
    _inherit = 'sale.return.policy'

    settlement = fields.Selection(
        selection_add=[('store_credit', "As store credit")],
        ondelete={'store_credit': lambda policies: policies.write({'settlement': 'as_paid'})},
    )

    @api.model
    def fields_get(self, allfields=None, attributes=None):
        """Override of `base` to offer no store credit where it is switched off."""
        result = super().fields_get(allfields, attributes)
        options = result.get('settlement', {}).get('selection')
        if options and not self.env['sale.return.wallet']._is_on():
            result['settlement']['selection'] = [o for o in options if o[0] != 'store_credit']
        return result

    def _get_regime_warnings(self):
        """Extend to state that store credit needs the consent of the customer."""
        warnings = super()._get_regime_warnings()
        if self.settlement == 'store_credit' and self._get_regime().original_means:
            warnings.append(
                self.env._(
                    "The money goes back the way it was paid, unless the customer has expressly "
                    "agreed to store credit."
                )
            )
        return warnings
