from odoo import fields, models


class SaleReturnEvent(models.Model):
    _inherit = 'sale.return.event'

    kind = fields.Selection(
        selection_add=[('figure_restored', "Stored figure put right")],
        ondelete={'figure_restored': 'cascade'},
    )
