from odoo import models
from odoo.tools.misc import formatLang


class SaleReturn(models.Model):
    _inherit = 'sale.return'

    def _describe_expected_money(self):
        """Extend to include what customers get for keeping goods; credited with the approval."""
        result = super()._describe_expected_money()
        if self.state in ('draft', 'submitted'):
            result += [sentence for sentence in self._describe_offers() if sentence not in result]
        return result

    def _describe_offers(self):
        """Describe what customers get for keeping goods, and how. Of a draft in memory, too.

        To be called in superuser mode.

        :return: sentences, none without offers.
        :rtype: list
        """
        self.ensure_one()
        offered = self.line_ids.filtered(
            lambda line: line.keep_amount and line.decision != 'refused'
        )
        paid = offered and not any(self._get_sold_invoices().mapped('amount_residual'))
        result = []
        for (currency, is_store_credit), lines in offered.grouped(
            lambda line: (line.keep_currency_id, line.keep_rule_id.as_store_credit)
        ).items():
            result.append(
                self.env._(
                    "%(customer)s keeps %(products)s and gets %(amount)s for it, tax included, "
                    "once the return is approved.",
                    customer=self.partner_id.display_name,
                    products=", ".join(lines.product_id.mapped('display_name')),
                    amount=formatLang(
                        self.env, sum(lines.mapped('keep_amount')), currency_obj=currency
                    ),
                )
            )
            way = self._describe_wallet() if is_store_credit and paid else self._describe_way()
            result += [sentence for sentence in way if sentence not in result]
        return result

    def _describe_keeping(self):
        """Describe what a draft in memory leaves with the customer, and why it cannot.

        To be called in superuser mode.

        :return: sentences, none where all comes back.
        :rtype: list
        """
        self.ensure_one()
        chosen = self.line_ids.filtered(lambda line: line.resolution == 'keep')
        problems = [problem for line in chosen if (problem := line._find_keep_problem())]
        if problems:
            return problems
        result = self._describe_offers()
        if left := (self.line_ids - chosen).filtered('keep_rule_id'):
            result.append(
                self.env._(
                    "%(products)s stays with %(customer)s by rule “%(rules)s”, and is credited "
                    "once the return is approved.",
                    products=", ".join(left.product_id.mapped('display_name')),
                    customer=self.partner_id.display_name,
                    rules=", ".join(left.keep_rule_id.mapped('name')),
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
