from odoo import api, models


class SaleReturnExplainer(models.AbstractModel):
    _inherit = 'sale.return.explainer'

    @api.model
    def _explain_exchange_difference(self, row):
        values = self._get_values(row)
        if matches := self._get_other_matches(row):
            return self.env._(
                "%(accepted)s were agreed for the exchange of return %(return)s, but %(credited)s "
                "are billed, and %(persons)s matched credit note %(note)s with %(documents)s. "
                "Undo that match on the credit note. Then post the invoice of the exchange as "
                "agreed, or cancel it: a new one is created. If the match is to stay, the customer "
                "has to pay for the exchange.",
                persons=", ".join(matches.create_uid.mapped('name')),
                documents=", ".join(matches.debit_move_id.move_id.mapped('display_name')),
                **values,
            )
        return self.env._(
            "%(accepted)s were agreed for the exchange of return %(return)s, but %(credited)s are "
            "billed. Post the invoice of the exchange as agreed, or cancel it: a new one is "
            "created. Nothing of credit note %(note)s is paid back before that. If the customer "
            "need not pay %(difference)s, grant it as goodwill afterwards.",
            **values,
        )

    @api.model
    def _get_other_matches(self, row):
        """Return what used the credit of an exchange for other invoices, as matched items."""
        # sudo: users who read the list need not read all entries.
        note = row.sudo().note_id
        own = row.sudo().return_id.exchange_order_ids.invoice_ids | note.reversed_entry_id
        return note.line_ids.matched_debit_ids.filtered(
            lambda match: (
                match.debit_move_id.move_id.move_type == 'out_invoice'
                and match.debit_move_id.move_id not in own
            )
        )
