from odoo import models


class AccountMove(models.Model):
    """Telling customers what was credited on their returns."""

    _inherit = 'account.move'

    def _post(self, soft=True):
        """Override of `account` to tell customers of credit notes once they are posted."""
        posted = super()._post(soft=soft)
        # sudo: an accountant need not be a user of Returns.
        notes = posted.sudo().filtered(lambda move: move.move_type == 'out_refund')
        self.env['sale.return.message']._queue(
            [
                (sale_return, 'credited', f"credited:{note.id}")
                for note in notes
                for sale_return in note.invoice_line_ids.sale_return_line_id.return_id
            ]
        )
        return posted
