from odoo import fields, models


class SaleReturnEvent(models.Model):
    _inherit = 'sale.return.event'

    kind = fields.Selection(
        selection_add=[
            ('repair_planned', "Repair planned"),
            ('repair_impossible', "Not repaired"),
        ],
        ondelete={'repair_planned': 'cascade', 'repair_impossible': 'cascade'},
    )
