from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command


class SaleReturnPayback(models.AbstractModel):
    """Service, continued: give back what was granted when an invoice was paid, e.g. early."""

    _inherit = 'sale.return.payback'

    @api.model
    def _prepare_write_back_vals(self, refund):
        """Prepare the entry that gives back what a receipt was granted, for one payout.

        The mirror of the receipt's own lines (discount account, its taxes and their tags), in
        proportion to what is written back, the last payout taking the rest.

        :param refund: one `sale.return.refund` that was paid.
        :return: values for `account.move.create`.
        :rtype: dict
        :raise UserError: when the company has no journal for it.
        """
        note = refund.note_id
        label = self.env._("Discount written back: %(note)s", note=note.name)
        lines = [
            {**vals, 'partner_id': refund.partner_id.id, 'name': label}
            for vals in self._prepare_write_back_lines(refund)
        ]
        return {
            'move_type': 'entry',
            'company_id': note.company_id.id,
            'journal_id': self._get_write_back_journal(note).id,
            'date': fields.Date.context_today(self),
            'ref': label,
            'line_ids': [Command.create(vals) for vals in lines],
        }

    @api.model
    def _get_write_back_journal(self, note):
        journal = self.env['account.journal'].search(
            [('type', '=', 'general'), ('company_id', 'parent_of', note.company_id.id)], limit=1
        )
        if not journal:
            raise UserError(
                self.env._(
                    "Company %(company)s has no journal for miscellaneous entries, which the "
                    "discount on %(note)s has to be written back in.",
                    company=note.company_id.name,
                    note=note.name,
                )
            )
        return journal

    @api.model
    def _prepare_write_back_lines(self, refund):
        """Prepare the lines of the entry: what was granted, against what the customer is owed."""
        note = refund.note_id
        parts = self._get_write_back_parts(refund)
        receivable = note.line_ids.filtered(
            lambda line: line.account_id.account_type == 'asset_receivable'
        )
        return [
            {
                'account_id': line.account_id.id,
                'currency_id': note.currency_id.id,
                'amount_currency': -amount,
                'balance': -balance,
                'tax_ids': [Command.set(line.tax_ids.ids)],
                'tax_tag_ids': [Command.set(line.tax_tag_ids.ids)],
                'tax_repartition_line_id': line.tax_repartition_line_id.id,
                'group_tax_id': line.group_tax_id.id,
                'analytic_distribution': line.analytic_distribution,
            }
            for line, amount, balance in parts
        ] + [
            {
                'account_id': receivable[:1].account_id.id,
                'currency_id': note.currency_id.id,
                'amount_currency': sum(amount for _line, amount, _balance in parts),
                'balance': sum(balance for _line, _amount, balance in parts),
            }
        ]

    @api.model
    def _get_write_back_parts(self, refund):
        """Split what a payout writes back over the granted lines of its receipt.

        Lines take `round(L · c / G)` of all that was written back so far, less what they had; the
        biggest one takes what rounding leaves, so that the sum is what is written back.

        :return: list of `(line, amount in the note's currency, balance)`.
        :rtype: list
        """
        lines = self._get_granted_lines(refund.source_line_id)
        total = sum(lines.mapped('amount_currency'))
        currency = refund.note_currency_id
        company_currency = refund.company_id.currency_id
        earlier = self.env['sale.return.refund'].search(
            [
                ('source_line_id', '=', refund.source_line_id.id),
                ('write_back_move_id', '!=', False),
                ('id', '!=', refund.id),
            ]
        )
        before = sum(earlier.mapped('amount_written_back'))
        after = before + refund.amount_written_back
        # Units of the receipt's currency for one of the note's.
        rate = refund.amount / refund.note_amount if refund.note_amount else 1.0
        biggest = max(lines, key=lambda line: abs(line.amount_currency))
        amounts = {}
        for line in lines - biggest:
            share = line.amount_currency / total
            amounts[line] = currency.round(share * after) - currency.round(share * before)
        amounts[biggest] = currency.round(refund.amount_written_back - sum(amounts.values()))
        return [
            (
                line,
                amount,
                company_currency.round(amount * rate * line.balance / line.amount_currency),
            )
            for line, amount in amounts.items()
        ]
