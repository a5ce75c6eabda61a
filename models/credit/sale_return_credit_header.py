from odoo import api, fields, models
from odoo.fields import Command

# What Odoo's reversal says about dates, terms and numbers; a note of a return says it itself.
OWN_HEADER = frozenset(
    {
        'ref',
        'date',
        'invoice_date',
        'invoice_date_due',
        'invoice_payment_term_id',
        'journal_id',
        'auto_post',
    }
)


class SaleReturnCredit(models.AbstractModel):
    """The header of credit notes, with what the country of the company wants in it."""

    _inherit = 'sale.return.credit'

    @api.model
    def _prepare_note_header_vals(self, invoice, reason=None):
        """Prepare what every note of an invoice has, goodwill included. Override to add values.

        Modules of countries add theirs to Odoo's reversal, which is asked for them.

        :param invoice: the posted `account.move` to credit.
        :param reason: `sale.return.reason` of what is credited, if any.
        :return: values for `account.move.create`.
        :rtype: dict
        """
        vals = self._prepare_reversal_vals(invoice, reason) | {
            'move_type': 'out_refund',
            'reversed_entry_id': invoice.id,
            'company_id': invoice.company_id.id,
            'journal_id': invoice.journal_id.id,
            'currency_id': invoice.currency_id.id,
            'partner_id': invoice.partner_id.id,
            'partner_shipping_id': invoice.partner_shipping_id.id,
            'fiscal_position_id': invoice.fiscal_position_id.id,
            'invoice_origin': invoice.invoice_origin,
            'ref': self._get_note_reference(invoice, reason),
            'invoice_user_id': invoice.invoice_user_id.id,
            'team_id': invoice.team_id.id,
            'campaign_id': invoice.campaign_id.id,
            'medium_id': invoice.medium_id.id,
            'source_id': invoice.source_id.id,
        }
        if invoice.delivery_date:
            # When what is credited was supplied: e-invoices of several countries have to say it.
            vals['delivery_date'] = invoice.delivery_date
        if invoice.company_id.sale_return_rate == 'original':
            vals['invoice_currency_rate'] = invoice.invoice_currency_rate
        return vals

    @api.model
    def _get_note_reference(self, invoice, reason=None):
        """Return the reference of a note: the number of the invoice and nothing else.

        E-invoice formats read it. That of Poland reads the reason of the correction there.
        """
        if reason and invoice.company_id.account_fiscal_country_id.code == 'PL':
            return reason.with_context(lang=invoice.partner_id.lang).name
        return invoice.name

    @api.model
    def _prepare_reversal_vals(self, invoice, reason=None):
        """Return what Odoo's dialog that reverses an invoice would add to the note.

        The dialog is never saved, nor is the invoice reversed by it.

        :return: values for `account.move.create`, without those that every note says itself.
        :rtype: dict
        """
        words = reason and reason.with_context(lang=invoice.partner_id.lang).name
        dialogs = self.env['account.move.reversal'].with_context(
            active_model='account.move', active_ids=invoice.ids
        )
        dialog = dialogs.new(
            {
                **dialogs.default_get(list(dialogs._fields)),
                'move_ids': [Command.set(invoice.ids)],
                'company_id': invoice.company_id.id,
                'journal_id': invoice.journal_id.id,
                'date': fields.Date.context_today(self),
                'reason': words or False,
            }
        )
        codes = self._get_country_codes(invoice)
        for name, code in codes.items():
            if name in dialog._fields:
                known = dict(dialog._fields[name]._description_selection(self.env))
                chosen = reason and reason.note_code
                dialog[name] = chosen if chosen in known else code
        vals = dialog._prepare_default_reversal(invoice)
        return {name: value for name, value in vals.items() if name not in OWN_HEADER}

    @api.model
    def _get_country_codes(self, invoice):
        """Return the coded reasons that countries want, as for returned goods. Override for others.

        :return: `{field of Odoo's reversal dialog: code}`; a return reason may name another code.
        :rtype: dict
        """
        simplified = 'l10n_es_is_simplified' in invoice._fields and invoice.l10n_es_is_simplified
        spain = 'R5' if simplified else 'R1'
        codes = {'l10n_sa_reason': 'BR-KSA-17-reason-4', 'l10n_es_tbai_refund_reason': spain}
        if (
            'l10n_es_edi_verifactu_required' in invoice._fields
            and invoice.l10n_es_edi_verifactu_required
        ):
            codes['l10n_es_edi_verifactu_refund_reason'] = spain
        return codes
