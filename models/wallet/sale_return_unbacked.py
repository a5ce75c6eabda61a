from odoo import api, fields, models


class SaleReturnUnbacked(models.Model):
    """The bonus on store credit is a credit without goods."""

    _inherit = 'sale.return.unbacked'

    kind = fields.Selection(
        selection_add=[('bonus', "Bonus on store credit")], ondelete={'bonus': 'cascade'}
    )

    @api.model
    def _note_approved(self, returns, automatic=False):
        """Extend to include the bonus on store credit."""
        result = super()._note_approved(returns, automatic)
        # sudo: for the same reason as in the method that this extends.
        self._spend(self._get_bonus_vals(returns.sudo().line_ids), automatic)
        return result

    @api.model
    def _get_bonus_vals(self, lines):
        """Return the values of the rows of bonuses; of an exchange only its rest would earn one."""
        vals_list = []
        for line in lines:
            company = line.company_id
            bonus = company.sale_return_store_credit_bonus
            if bonus and line.decision != 'refused' and line.resolution != 'exchange':
                if line._is_credited() and line._is_for_wallet():
                    vals = self._prepare_line_vals(line, 'bonus', line._get_qty_wanted())
                    vals['amount'] = company.currency_id.round(vals['amount'] * bonus / 100.0)
                    vals_list.append(vals)
        return vals_list

    @api.model
    def _find_above_budget(self, lines):
        """Extend to include lines whose bonus exceeds the limits."""
        found = super()._find_above_budget(lines)
        # sudo: for the same reason as in the method that this extends.
        for partner, group in (
            lines.sudo()
            .grouped(lambda line: line.return_id.partner_id.commercial_partner_id)
            .items()
        ):
            vals_list = self._get_bonus_vals(group)
            if partner and vals_list and self._get_messages(vals_list, automatic=True):
                found |= lines.browse(vals['line_id'] for vals in vals_list)
        return found

    @api.model
    def _find_limited(self, lines):
        """Extend to include lines that earn a bonus."""
        found = super()._find_limited(lines)
        # sudo: for the same reason as in the method that this extends.
        vals_list = self._get_bonus_vals(lines.sudo())
        return found | lines.browse(vals['line_id'] for vals in vals_list)
