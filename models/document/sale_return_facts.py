from odoo import models


class SaleReturn(models.Model):
    """Finds the returns that changed since the facts of the analysis were stored."""

    _inherit = 'sale.return'

    _facts_write_date = models.Index('(write_date)')
