from odoo import models
from odoo.tools.misc import formatLang


class SaleReturn(models.Model):
    _inherit = 'sale.return'

    def _describe_expected_money(self):
        """Extend to include what customers get for keeping goods; credited with the approval."""
        result = super()._describe_expected_money()
        if self.state not in ('draft', 'submitted'):
            return result
        offered = self.line_ids.filtered(
            lambda line: line.keep_amount and line.decision != 'refused'
        )
        for currency, lines in offered.grouped('keep_currency_id').items():
            result.append(
                self.env._(
                    "%(customer)s keeps %(products)s and gets %(amount)s for it once the return "
                    "is approved.",
                    customer=self.partner_id.display_name,
                    products=", ".join(lines.product_id.mapped('display_name')),
                    amount=formatLang(
                        self.env, sum(lines.mapped('keep_amount')), currency_obj=currency
                    ),
                )
            )
        return result

    def _describe_settled_money(self):
        """Extend to include what was credited for keeping goods."""
        result = super()._describe_settled_money()
        kept = self.line_ids.filtered(lambda line: line.keep_note_id.state in ('draft', 'posted'))
        for note, lines in kept.grouped('keep_note_id').items():
            result.append(
                self.env._(
                    "%(amount)s was credited with %(note)s for keeping %(products)s.",
                    amount=formatLang(self.env, note.amount_total, currency_obj=note.currency_id),
                    note=note.name,
                    products=", ".join(lines.product_id.mapped('display_name')),
                )
            )
        return result
