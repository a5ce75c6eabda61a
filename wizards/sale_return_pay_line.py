from odoo import api, fields, models


class SaleReturnPayLine(models.TransientModel):
    """One payout of the plan, or what cannot be paid back. Only for display."""

    _name = 'sale.return.pay.line'
    _description = "Refund Line"

    wizard_id = fields.Many2one('sale.return.pay', required=True, ondelete='cascade')
    note_name = fields.Char(string="Credit Note", readonly=True)
    way = fields.Selection(
        [
            ('online', "Sent back online"),
            ('payment', "By a payment"),
            ('rest', "Never received: stays as credit"),
        ],
        readonly=True,
    )
    source = fields.Char(
        string="Paid by", readonly=True, help="The payment that goes back, and its journal."
    )
    currency_id = fields.Many2one('res.currency', readonly=True)
    amount = fields.Monetary(readonly=True)
    note_currency_id = fields.Many2one('res.currency', string="Currency of Note", readonly=True)
    written_back = fields.Monetary(
        string="Early Payment Discount",
        currency_field='note_currency_id',
        readonly=True,
        help=(
            "Discount granted because the invoice was paid early, so the money was never received."
        ),
    )

    @api.model
    def _prepare_vals_list(self, note):
        """Prepare the lines of one note of the preview. Override to add values.

        :param dict note: see `sale.return.preview_refund`.
        :rtype: list
        """
        # sudo: the dialog shows names to users who may pay back, see `preview_refund`.
        record = self.env['account.move'].sudo().browse(note['note_id'])
        currency = record.currency_id
        common = {'note_name': record.name, 'note_currency_id': currency.id}
        result = []
        rest = note['open']
        for payout in note['payouts']:
            line = self.env['account.move.line'].sudo().browse(payout['source_line_id'])
            result.append(
                {
                    **common,
                    'way': payout['method'],
                    'source': f"{line.move_id.name} · {line.journal_id.name}",
                    'currency_id': line.currency_id.id,
                    'amount': payout['amount'],
                    'written_back': payout['written_back'],
                }
            )
            rest -= payout['note_amount'] + payout['written_back']
        if currency.compare_amounts(rest, 0.0) > 0:
            result.append(
                {
                    **common,
                    'way': 'rest',
                    'currency_id': currency.id,
                    'amount': currency.round(rest),
                    'source': False,
                }
            )
        return result
