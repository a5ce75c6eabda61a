from odoo import api, fields, models
from odoo.exceptions import UserError


class SaleReturnLine(models.Model):
    """Store credit instead of money: the line is credited, and the note goes to the wallet."""

    _inherit = 'sale.return.line'

    resolution = fields.Selection(
        selection_add=[('store_credit', "Store credit")],
        ondelete={'store_credit': lambda lines: lines._write_facts({'resolution': 'refund'})},
    )
    store_credit_consent = fields.Text(
        string="Agreed to Store Credit",
        copy=False,
        help=(
            "How and when the customer has expressly agreed to store credit instead of their "
            "money. Required where by law the money goes back the way it was paid."
        ),
    )

    @api.model
    def _get_hidden_resolutions(self):
        """Extend to hide it where it is switched off."""
        hidden = super()._get_hidden_resolutions()
        return hidden if self.env['sale.return.wallet']._is_on() else hidden | {'store_credit'}

    def _get_customer_wish(self):
        """Extend to name store credit as the customer chose it."""
        if self.resolution == 'store_credit':
            return self.env._("Store credit instead of money")
        return super()._get_customer_wish()

    def _is_credited(self):
        """Extend to credit what goes to the wallet."""
        return self.resolution == 'store_credit' or super()._is_credited()

    def _is_for_wallet(self):
        """Tell whether the customer gets store credit: they chose it, or the policy gives it.

        Where by law the money goes back the way it was paid, only if they have agreed.
        """
        self.ensure_one()
        # Others than the buyer have paid nothing that could go back to them.
        if self.resolution == 'store_credit' or not self.return_id._is_of_buyer():
            return True
        return (
            self.policy_id.settlement == 'store_credit'
            and self.resolution in ('refund', 'exchange')
            and not self._lacks_store_credit_consent()
            and self.env['sale.return.wallet']._is_on(self.company_id)
        )

    def _lacks_store_credit_consent(self):
        """Tell whether by law the customer has to agree first, and has not."""
        self.ensure_one()
        consent = (self.store_credit_consent or "").strip()
        return self.policy_id._get_regime().original_means and not consent

    def _ensure_submittable(self, returns):
        """Extend to refuse store credit that cannot be given, or that nobody has agreed to.

        :raise UserError: saying what is missing.
        """
        result = super()._ensure_submittable(returns)
        for line in self.filtered(lambda line: line.resolution == 'store_credit'):
            # sudo: whether it can be given does not depend on what the clerk may read.
            line = line.sudo()
            currency = line.sale_line_id.currency_id or line.company_id.currency_id
            self.env['sale.return.wallet']._ensure_possible(line.company_id, currency)
            if line._lacks_store_credit_consent():
                raise UserError(
                    self.env._(
                        "By law the money for %(product)s goes back the way it was paid, unless "
                        "the customer has expressly agreed to store credit. Write down how and "
                        "when they have agreed, or choose a refund.",
                        product=line.product_id.display_name,
                    )
                )
        return result

    @api.model
    def _resolve_store_credit(self, lines):
        """Credit what is due; the note goes to the wallet when it is posted.

        :param lines: `sale.return.line` records with this resolution.
        """
        self.env['sale.return.credit']._credit_after_step(lines.return_id)
