from odoo import api, fields, models
from odoo.exceptions import UserError

from .const import REFUND_READERS
from .sale_return_refund import OPEN_STATES


class AccountMoveLine(models.Model):
    """Receipts whose money goes back to the customer."""

    _inherit = 'account.move.line'

    sale_return_payout_ids = fields.One2many(
        'sale.return.refund',
        'source_line_id',
        string="Paid Back by",
        readonly=True,
        groups=REFUND_READERS,
    )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_paying_back(self):
        # sudo: an accountant need not be a user of Returns.
        payouts = self.sudo().sale_return_payout_ids
        if open_ones := payouts.filtered(lambda refund: refund.state in OPEN_STATES):
            raise UserError(
                self.env._(
                    "The money of %(receipts)s is about to be paid back: %(refunds)s. Cancel these "
                    "refunds in Returns first, then cancel or delete the receipt.",
                    receipts=", ".join(open_ones.source_line_id.move_id.mapped('display_name')),
                    refunds=", ".join(open_ones.mapped('display_name')),
                )
            )
        # The payout stays on its return, and records that the receipt is gone.
        payouts.filtered(lambda refund: refund.state == 'done')._log(
            'refund_failed', reason=self.env._("The receipt of the money has been cancelled since.")
        )
