from odoo import models


class AccountMove(models.Model):
    """Loyalty points follow the credit notes of returns."""

    _inherit = 'account.move'

    def _post(self, soft=True):
        """Override of `account` to take back the points of goods that are credited."""
        posted = super()._post(soft=soft)
        # A note that is reversed gives the points again.
        notes = posted | posted.reversed_entry_id
        # sudo: accountants need not be users of Returns for points to follow notes.
        self.env['sale.return.loyalty']._sync(
            notes.filtered(lambda move: move.move_type == 'out_refund').sudo().sale_return_ids
        )
        return posted

    def _refresh_sale_returns(self):
        """Override to give points again when a note is reset or cancelled."""
        result = super()._refresh_sale_returns()
        # sudo: accountants need not be users of Returns for points to follow notes.
        self.env['sale.return.loyalty']._sync(
            self.filtered(lambda move: move.move_type == 'out_refund').sudo().sale_return_ids
        )
        return result
