from odoo import fields, models

CODES = {
    'exchange_lapsed': 'exchange_lapsed',
    'exchange_rejected': 'exchange_rejected',
    'exchange_settled': 'exchange_settled',
}


class SaleReturnEvent(models.Model):
    _inherit = 'sale.return.event'

    kind = fields.Selection(
        selection_add=[
            ('exchange_asked', "Exchange requested"),
            ('exchange_ordered', "Exchange ordered"),
            ('exchange_settled', "Exchange settled"),
            ('exchange_rejected', "Exchange for rejected goods"),
            ('exchange_ended', "Exchange ended"),
            ('exchange_lapsed', "Exchange no longer held"),
            ('exchange_failed', "Exchange failed"),
        ],
        ondelete={
            f'exchange_{name}': 'cascade'
            for name in ('asked', 'ordered', 'settled', 'rejected', 'ended', 'lapsed', 'failed')
        },
    )

    def _get_message_code(self):
        """Extend with the messages about exchanges."""
        return CODES.get(self.kind) or super()._get_message_code()
