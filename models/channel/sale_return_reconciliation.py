from odoo import fields, models


class SaleReturnReconciliation(models.Model):
    _inherit = 'sale.return.reconciliation'

    kind = fields.Selection(
        selection_add=[('channel_difference', "Channel differs")],
        ondelete={'channel_difference': 'cascade'},
    )
    channel_id = fields.Many2one(
        'sale.return.channel', readonly=True, index='btree_not_null', ondelete='cascade'
    )
    channel_refund_id = fields.Many2one(
        'sale.return.channel.refund',
        string="Refund by the Channel",
        readonly=True,
        index='btree_not_null',
        ondelete='cascade',
    )
