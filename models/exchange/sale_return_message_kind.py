from odoo import fields, models


class SaleReturnMessageKind(models.Model):
    _inherit = 'sale.return.message.kind'

    code = fields.Selection(
        selection_add=[
            ('exchange_settled', "Exchange settled"),
            ('exchange_rejected', "Exchange for rejected goods"),
            ('exchange_lapsed', "Exchange no longer held"),
        ],
        ondelete={
            'exchange_settled': 'cascade',
            'exchange_rejected': 'cascade',
            'exchange_lapsed': 'cascade',
        },
    )
