from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .const import BOOK_GROUPS


class SaleReturnChannel(models.Model):
    """Channels whose settlements are posted to a journal."""

    _inherit = 'sale.return.channel'

    journal_id = fields.Many2one(
        'account.journal',
        string="Journal of Settlements",
        check_company=True,
        domain="[('type', 'in', ('bank', 'cash', 'credit'))]",
        groups=BOOK_GROUPS,
        help="Its balance is what the channel owes you. Settlements can be posted to it as bank "
        "statements. Empty: nothing is posted.",
    )
    fee_account_id = fields.Many2one(
        'account.account',
        string="Account of Fees",
        check_company=True,
        groups=BOOK_GROUPS,
        help="Of fees whose words name no other. Empty: they wait on the suspense account.",
    )
    fee_tax_id = fields.Many2one(
        'account.tax',
        string="Tax in Fees",
        check_company=True,
        domain="[('type_tax_use', '=', 'purchase')]",
        groups=BOOK_GROUPS,
        help="Fees of the channel include this tax.",
    )

    @api.constrains('journal_id')
    def _check_journal(self):
        kinds = ('bank', 'cash', 'credit')
        for channel in self.sudo().filtered('journal_id'):  # sudo: users may not read journals
            if channel.journal_id.type not in kinds:
                raise ValidationError(
                    self.env._(
                        "Settlements are bank statements: choose a bank, cash or credit card "
                        "journal for %(channel)s, not %(journal)s.",
                        channel=channel.name,
                        journal=channel.journal_id.display_name,
                    )
                )
