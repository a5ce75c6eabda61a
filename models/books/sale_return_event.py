from odoo import fields, models


class SaleReturnEvent(models.Model):
    _inherit = 'sale.return.event'

    kind = fields.Selection(
        selection_add=[('figure_recomputed', "Stored figure recomputed")],
        ondelete={'figure_recomputed': 'cascade'},
    )
