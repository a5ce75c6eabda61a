from odoo import models


class AccountMove(models.Model):
    """Telling customers what was credited on their returns."""

    _inherit = 'account.move'

    def _tell_of_sale_return_notes(self):
        """Hook of `_after_sale_return_posting`."""
        result = super()._tell_of_sale_return_notes()
        # sudo: an accountant need not be a user of Returns.
        notes = self.sudo().filtered(lambda move: move.move_type == 'out_refund')
        self.env['sale.return.message']._queue(
            [
                (sale_return, 'credited', f"credited:{note.id}")
                for note in notes
                for sale_return in note.invoice_line_ids.sale_return_line_id.return_id
            ]
        )
        return result
