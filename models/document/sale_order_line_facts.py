from odoo import models


class SaleOrderLine(models.Model):
    """Finds the order lines that changed since the facts of the analysis were stored."""

    _inherit = 'sale.order.line'

    _sale_return_write_date = models.Index('(write_date)')
