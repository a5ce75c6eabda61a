from odoo import fields, models


class SaleReturnReconciliation(models.Model):
    _inherit = 'sale.return.reconciliation'

    kind = fields.Selection(
        selection_add=[('wallet_difference', "Store credit differs")],
        ondelete={'wallet_difference': 'cascade'},
    )
