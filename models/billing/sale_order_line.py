from odoo import models

# What the price of an exchange depends on; others than managers cannot change it at all.
PRICED = frozenset({'discount', 'price_unit', 'tax_ids'})


class SaleOrderLine(models.Model):
    """Prices of exchanges that a manager of Returns lowers."""

    _inherit = 'sale.order.line'

    def write(self, vals):
        """Extend to count lower prices of exchanges in the budget of credits without goods.

        :raise UserError: see `sale.return.unbacked`.
        """
        if self.env.su or PRICED.isdisjoint(vals):
            return super().write(vals)
        billing = self.env['sale.return.billing']
        # sudo: users who change an order need not be users of Returns.
        lines = self.sudo().filtered('order_id.exchange_return_id').exchange_return_line_ids
        agreed = {line: billing._get_agreed(line, line.exchange_quantity) for line in lines}
        result = super().write(vals)
        for line, amount in agreed.items():
            less = amount - billing._get_agreed(line, line.exchange_quantity)
            # One by one: a manager seldom changes the price of more than one.
            billing._grant(line, less, 'goodwill')
        return result
