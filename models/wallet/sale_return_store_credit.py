from odoo import fields, models


class SaleReturnStoreCredit(models.Model):
    """What one return has put on the wallet of a customer, or taken off it again.

    Written once by `sale.return.wallet`, with the entry that books it. The history of the card
    refers to the row, so that it shows the number of the return.
    """

    _name = 'sale.return.store.credit'
    _inherit = ['sale.return.evidence']
    _description = "Store Credit"
    _order = 'id desc'
    _rec_name = 'return_id'

    return_id = fields.Many2one('sale.return', required=True, index=True, ondelete='restrict')
    note_id = fields.Many2one(
        'account.move', string="Credit Note", required=True, index=True, ondelete='restrict'
    )
    entry_id = fields.Many2one(
        'account.move',
        string="Journal Entry",
        required=True,
        index=True,
        ondelete='restrict',
        help="Books the receivable of the credit note to the account of the wallets.",
    )
    company_id = fields.Many2one('res.company', required=True, index=True, ondelete='restrict')
    partner_id = fields.Many2one(
        'res.partner', string="Customer", required=True, index=True, ondelete='restrict'
    )
    user_id = fields.Many2one('res.users', string="Made by", required=True, ondelete='restrict')
    date = fields.Date(required=True)
    # A plain number: cards are records of an app that need not be installed.
    card_id = fields.Integer(required=True, string="Card ID")
    card_code = fields.Char(required=True, string="Card")
    currency_id = fields.Many2one('res.currency', required=True, ondelete='restrict')
    amount = fields.Monetary(
        required=True, help="Amount of the credit note, tax included. Below zero: taken off again."
    )
    bonus = fields.Monetary(required=True, help="On top of the amount of the credit note.")
    amount_company = fields.Monetary(
        string="Amount in Company Currency",
        required=True,
        currency_field='company_currency_id',
        help="Amount and bonus, in the currency of the company.",
    )
    company_currency_id = fields.Many2one(
        related='company_id.currency_id', string="Company Currency"
    )
