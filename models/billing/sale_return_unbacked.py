from odoo import fields, models


class SaleReturnUnbacked(models.Model):
    """What an exchange bills below the agreed price is a credit without goods."""

    _inherit = 'sale.return.unbacked'

    kind = fields.Selection(
        selection_add=[('exchange', "Exchange billed below the agreed price")],
        ondelete={'exchange': 'cascade'},
    )
