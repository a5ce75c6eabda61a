from odoo import fields, models


class SaleReturnDisposition(models.Model):
    _inherit = 'sale.return.disposition'

    action = fields.Selection(
        selection_add=[('give_back', "Give back repaired")],
        ondelete={'give_back': 'cascade'},
    )
