import json
from collections import defaultdict

from odoo import api, models

from ...tools.money import QUANTITY_EPSILON


class SaleReturnNoteCheck(models.AbstractModel):
    """Adds the comparison with what a return told Odoo to book."""

    _inherit = 'sale.return.note.check'

    @api.model
    def _check_given(self, note):
        """Return codes of items that are not, to the cent, what the return told Odoo to book.

        The rest of the check allows a cent, as drafts share the cents of an invoice among them.
        Lines without what was given, added or repriced by people, are compared by the rest alone.
        """
        lines = note.invoice_line_ids.filtered(
            lambda line: line.display_type == 'product' and line.tax_ids
        )
        # Odoo computes drafts anew; the rate of another day has given other amounts, and a discount
        # for early payment that always lowers the tax is taken off by lines of its own.
        lowered = note.line_ids.filtered(lambda item: item.display_type == 'epd' and item.tax_ids)
        if (
            note.state != 'posted'
            or lowered
            or not all(self._is_rate_as_given(line) for line in lines)
        ):
            return []
        company_currency = note.company_currency_id
        sums, codes = defaultdict(float), []
        for line in lines:
            data = self._get_given(line)
            given = data.get('manual_total_excluded', line.balance)
            if company_currency.compare_amounts(given, line.balance):
                codes.append('unbalanced')
            for tax_id, amounts in data['manual_tax_amounts'].items():
                sums[int(tax_id), company_currency] += amounts.get('tax_amount', 0.0)
                sums[int(tax_id), None] += amounts.get('tax_amount_currency', 0.0)
        for item in note.line_ids.filtered(lambda item: item.display_type == 'tax'):
            sums[item.tax_line_id.id, company_currency] -= item.balance
            sums[item.tax_line_id.id, None] -= item.amount_currency
        for (tax_id, currency), rest in sums.items():
            parts = self.env['account.tax'].browse(tax_id).refund_repartition_line_ids
            shares = parts.filtered(lambda part: part.repartition_type == 'tax')
            # Reverse charge is booked on two sides.
            whole = abs(sum(shares.mapped('factor_percent')) - 100.0) < QUANTITY_EPSILON
            if whole and not (currency or note.currency_id).is_zero(rest):
                codes.append('taxes')
        return codes

    @api.model
    def _is_rate_as_given(self, line):
        """Tell whether a line of a note has the amounts, and the rate, that it was created with."""
        data, rate = self._get_given(line), line.move_id.invoice_currency_rate
        return (
            'manual_tax_amounts' in data
            and abs(data.get('rate', 0.0) - rate) < QUANTITY_EPSILON
            and self._is_line_as_given(line)
        )

    @api.model
    def _is_line_as_given(self, line):
        """Tell whether a line of a note has the amounts that it was created with."""
        data = self._get_given(line)
        given = data.get('manual_total_excluded_currency', line.price_subtotal)
        return (
            not line.currency_id.compare_amounts(given, line.price_subtotal)
            and abs(data.get('quantity', line.quantity) - line.quantity) < QUANTITY_EPSILON
            and self._is_price_as_given(line)
        )

    @api.model
    def _is_price_as_given(self, line):
        """Tell whether a line of a note has the price and the discount that it was created with."""
        data = self._get_given(line)
        price = data.get('price_unit', line.sale_return_price or line.price_unit)
        return (
            abs(price - line.price_unit) < QUANTITY_EPSILON
            and data.get('discount', line.discount) == line.discount
        )

    @api.model
    def _get_given(self, line):
        """Return the data that the return gave to Odoo's tax computation for a note line."""
        data = line.extra_tax_data or {}
        return json.loads(data) if isinstance(data, str) else data
