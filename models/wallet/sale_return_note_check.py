from odoo import api, models


class SaleReturnNoteCheck(models.AbstractModel):
    _inherit = 'sale.return.note.check'

    @api.model
    def _get_taken_back(self, company):
        """Extend to let entries of store credit settle the notes they were made for."""
        found = super()._get_taken_back(company)
        notes = self.env['account.move'].browse(found)
        entries = self.env['sale.return.wallet']._get_rows(notes).entry_id
        for partial in notes.line_ids.matched_debit_ids:
            if partial.debit_move_id.move_id in entries:
                found[partial.credit_move_id.move_id.id] -= partial.credit_amount_currency
        return {
            note.id: found[note.id]
            for note in notes
            if not note.currency_id.is_zero(found[note.id])
        }
