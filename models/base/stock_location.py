from odoo import models


class StockLocation(models.Model):
    _inherit = 'stock.location'

    def _is_at_customer(self):
        """Tell whether goods in the location are out of the company's hands, with customers.

        As `_is_outgoing`, which queries the database for every location that is not a customer
        location; only transit locations can be the one between companies.
        """
        self.ensure_one()
        return self.usage == 'customer' or (self.usage == 'transit' and self._is_outgoing())

    def _get_customer_sides(self, destination):
        """Tell whether goods that go from here to another location come from or to a customer.

        Between a customer and the transit of a company of ours, as when it drop-ships, only the
        customer's location counts.

        :return: `(from_customer, to_customer)`.
        :rtype: tuple
        """
        self.ensure_one()
        if self._is_at_customer() and destination._is_at_customer():
            return (self.usage == 'customer', destination.usage == 'customer')
        return self._is_at_customer(), destination._is_at_customer()
