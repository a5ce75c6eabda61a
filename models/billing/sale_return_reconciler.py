from odoo import api, models


class SaleReturnReconciler(models.AbstractModel):
    _inherit = 'sale.return.reconciler'

    @api.model
    def _get_finders(self):
        """Extend to compare what exchanges bill with what was agreed."""
        return [
            *super()._get_finders(),
            (['exchange_difference'], self._find_exchange_differences),
        ]

    @api.model
    def _find_exchange_differences(self, company):
        """Find exchanges that are billed for less than was agreed; see `_get_finders`."""
        billing = self.env['sale.return.billing']
        found = {}
        for sale_return in billing._find_returns(company):
            # One by one: few are left by the query.
            lines = sale_return.line_ids.filtered('exchange_sale_line_id')
            agreed, billed = billing._compare(
                sale_return, {line: billing._get_qty_due(line) for line in lines}
            )
            if billed >= agreed:
                continue
            currency = lines.exchange_order_id.currency_id
            notes = lines.credit_line_ids.filtered(lambda item: item.parent_state == 'posted')
            found[f'exchange_difference:{sale_return.id}'] = {
                **self._prepare_return_vals(sale_return),
                'kind': 'exchange_difference',
                'note_id': notes.move_id.sorted('id')[-1:].id,
                'currency_id': currency.id,
                'amount_accepted': agreed,
                'amount_credited': billed,
                'amount_difference': agreed - billed,
                'amount_company': self._to_company(currency, agreed - billed, company),
            }
        return found

    @api.model
    def _find_missing_refunds(self, company):
        """Extend not to demand refunds of credits that have to settle an exchange."""
        found = super()._find_missing_refunds(company)
        notes = self.env['account.move'].browse(vals['note_id'] for vals in found.values())
        for note in notes.filtered(lambda note: note._is_exchange_pending()):
            del found[f'credited_not_refunded:{note.id}']
        return found
