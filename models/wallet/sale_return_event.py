from odoo import fields, models

KINDS = [
    ('store_credit_agreed', "Store credit agreed"),
    ('store_credit', "Store credit"),
    ('store_credit_undone', "Store credit taken back"),
    ('store_credit_waits', "Store credit waits"),
    ('store_credit_failed', "Store credit failed"),
]


class SaleReturnEvent(models.Model):
    _inherit = 'sale.return.event'

    kind = fields.Selection(
        selection_add=KINDS, ondelete={kind: 'cascade' for kind, _label in KINDS}
    )
