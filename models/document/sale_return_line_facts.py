from odoo import models


class SaleReturnLine(models.Model):
    """Finds the return lines that changed since the facts of the analysis were stored."""

    _inherit = 'sale.return.line'

    _facts_write_date = models.Index('(write_date)')
