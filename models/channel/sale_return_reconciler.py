from odoo import api, models


class SaleReturnReconciler(models.AbstractModel):
    _inherit = 'sale.return.reconciler'

    @api.model
    def _get_finders(self):
        """Override to compare refunds of channels, if there are any."""
        finders = super()._get_finders()
        # Without channels even their table is only queried once.
        if self.env['sale.return.channel'].sudo().search_count([], limit=1):
            finders.append((['channel_difference'], self._find_channel_differences))
        return finders

    @api.model
    def _find_channel_differences(self, company):
        """Find refunds by channels without a credit note, and vice versa.

        See `_get_finders`.
        """
        found = {}
        refunds = self.env['sale.return.channel.refund']
        matcher = self.env['sale.return.channel.matcher']
        channels = self.env['sale.return.channel'].with_context(active_test=False)
        for channel in channels.search([('company_id', '=', company.id)]):
            lone = matcher._match_channel(channel)
            for refund in refunds.search(
                [
                    ('channel_id', '=', channel.id),
                    ('state', 'not in', refunds._settled_states),
                ]
            ):
                found[f'channel_difference:{refund.id}'] = self._prepare_channel_row(refund)
            for (source, _order_id), note_ids in lone.items():
                for note in self.env['account.move'].browse(note_ids):
                    key = f'channel_difference:{channel.id}:{source}:{note.id}'
                    found[key] = {
                        **self._prepare_note_vals(note, note.amount_total),
                        'kind': 'channel_difference',
                        'channel_id': channel.id,
                    }
        return found

    @api.model
    def _prepare_channel_row(self, refund):
        """Prepare the row of a refund by a channel. Override to add values."""
        company = refund.company_id
        return {
            'kind': 'channel_difference',
            'channel_id': refund.channel_id.id,
            'channel_refund_id': refund.id,
            'partner_id': refund.order_id.partner_id.id,
            'currency_id': refund.currency_id.id,
            'amount_credited': refund.amount_credited,
            'amount_refunded': refund.amount,
            'amount_difference': refund.amount_difference,
            'amount_company': self._to_company(
                refund.currency_id, refund.amount_difference, company
            ),
        }
