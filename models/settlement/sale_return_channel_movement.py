from odoo import fields, models


class SaleReturnChannelMovement(models.Model):
    """Money that a row of a file brings the account with a channel, or takes from it.

    Read from the file when its settlement is drafted; written by `sale.return.channel.settler`. A
    row that two files show is one movement, of the file that was drafted first.
    """

    _name = 'sale.return.channel.movement'
    _inherit = ['sale.return.own.defaults']
    _description = "Movement on the Account with a Channel"
    _order = 'file_id, kind, label, date, id'
    _rec_name = 'key'

    file_id = fields.Many2one(
        'sale.return.channel.file', required=True, readonly=True, index=True, ondelete='cascade'
    )
    channel_id = fields.Many2one(
        'sale.return.channel', required=True, readonly=True, ondelete='restrict'
    )
    company_id = fields.Many2one(
        related='file_id.company_id', store=True, index=True, readonly=True
    )
    source = fields.Char(required=True, readonly=True)
    key = fields.Char(required=True, readonly=True)
    kind = fields.Selection(
        [
            ('sale', "Paid by buyers"),
            ('refund', "Refund"),
            ('fee', "Fee"),
            ('payout', "Payout"),
            ('other', "Other"),
        ],
        required=True,
        readonly=True,
    )
    label = fields.Char(string="Name at the Channel", readonly=True)
    date = fields.Date(readonly=True)
    currency_id = fields.Many2one('res.currency', required=True, readonly=True)
    amount = fields.Monetary(
        readonly=True, help="Negative: the channel owes you less by it, as after a payout."
    )
    refund_id = fields.Many2one(
        'sale.return.channel.refund', readonly=True, index='btree_not_null', ondelete='cascade'
    )

    _key_unique = models.UniqueIndex('(channel_id, source, key)')
