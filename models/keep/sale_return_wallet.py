from odoo import api, models


class SaleReturnWallet(models.AbstractModel):
    _inherit = 'sale.return.wallet'

    @api.model
    def _get_wanted(self, note):
        """Extend to put on the wallet what an offer gives as store credit."""
        wanted = super()._get_wanted(note)
        lines = self.env['sale.return.line'].search(
            [('keep_note_id', '=', note.id), ('keep_rule_id.as_store_credit', '=', True)]
        )
        for line in lines:
            wanted[line.return_id] = 1.0
        return wanted
