from odoo import fields, models


class SaleReturnReconciliation(models.Model):
    _inherit = 'sale.return.reconciliation'

    kind = fields.Selection(
        selection_add=[('exchange_difference', "Exchange not billed as agreed")],
        ondelete={'exchange_difference': 'cascade'},
    )
