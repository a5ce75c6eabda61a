from odoo import models


class StockLocation(models.Model):
    _inherit = 'stock.location'

    def _is_at_customer(self):
        """Tell whether goods in the location are out of the company's hands, with customers.

        As `_is_outgoing`, which asks the database for every location that is none of customers;
        only transit locations can be the one between companies.
        """
        self.ensure_one()
        return self.usage == 'customer' or (self.usage == 'transit' and self._is_outgoing())
