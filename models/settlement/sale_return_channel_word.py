from odoo import fields, models

from .const import BOOK_GROUPS


class SaleReturnChannelWord(models.Model):
    """Words for fees: where settlements post them."""

    _inherit = 'sale.return.channel.word'

    kind = fields.Selection(selection_add=[('fee', "Fee")], ondelete={'fee': 'cascade'})
    fee_account_id = fields.Many2one(
        'account.account',
        string="Account",
        check_company=True,
        groups=BOOK_GROUPS,
        help="Where settlements post fees of this name. Empty: the account of the channel.",
    )
    fee_tax_id = fields.Many2one(
        'account.tax',
        string="Tax",
        check_company=True,
        domain="[('type_tax_use', '=', 'purchase')]",
        groups=BOOK_GROUPS,
        help="The tax that fees of this name include, with an account of their own.",
    )
