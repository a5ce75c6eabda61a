from collections import defaultdict
from datetime import timedelta

from markupsafe import Markup

from odoo import api, models
from odoo.fields import Command

from ...tools.html import as_html

# What Odoo's reversal says about dates, terms and numbers; a note of a return sets these itself.
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
    """The header of credit notes, with what the country of the company requires."""

    _inherit = 'sale.return.credit'

    @api.model
    def _prepare_note_header_vals(self, invoice, reason=None):
        """Prepare values common to all notes, goodwill included. Override to add values.

        Country modules add theirs to Odoo's reversal, so they are taken from it.

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
            # Delivery date of the credited goods, required in e-invoices of several countries.
            vals['delivery_date'] = invoice.delivery_date
        if invoice.company_id.sale_return_rate == 'original':
            vals['invoice_currency_rate'] = invoice.invoice_currency_rate
        return vals

    @api.model
    def _prepare_recipient_vals(self, sale_return):
        """Prepare who gets the note, if somebody else than the buyer, who does not see it then.

        It lowers revenue and tax of the invoice all the same; what the buyer owes stays as it is.

        :rtype: dict
        """
        partner = sale_return._get_note_partner()
        return {'partner_id': partner.id, 'partner_shipping_id': partner.id} if partner else {}

    @api.model
    def _get_note_reference(self, invoice, reason=None):
        """Return the reference of a note: the number of the invoice and nothing else.

        E-invoice formats read it. The Polish format reads the reason for the correction there.
        """
        if reason and invoice.company_id.account_fiscal_country_id.code == 'PL':
            return reason.with_context(lang=invoice.partner_id.lang).name
        return invoice.name

    @api.model
    def _prepare_reversal_vals(self, invoice, reason=None):
        """Return what Odoo's reversal dialog would add to the note.

        The dialog is never saved and reverses nothing.

        :return: values for `account.move.create`, without those that every note sets itself.
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
                'date': invoice.company_id._get_sale_return_day(),
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
        """Return the reason codes countries require for returned goods. Override for others.

        :return: `{field of Odoo's reversal dialog: code}`; a return reason may name another code.
        :rtype: dict
        """
        country = invoice.company_id.account_fiscal_country_id.code
        codes = {}
        if country == 'SA':
            codes['l10n_sa_reason'] = 'BR-KSA-17-reason-4'
        elif country == 'ES':
            simplified = 'l10n_es_is_simplified' in invoice._fields
            spain = 'R5' if simplified and invoice.l10n_es_is_simplified else 'R1'
            codes['l10n_es_tbai_refund_reason'] = spain
            if (
                'l10n_es_edi_verifactu_required' in invoice._fields
                and invoice.l10n_es_edi_verifactu_required
            ):
                codes['l10n_es_edi_verifactu_refund_reason'] = spain
        return codes

    # === POSTED OR NOT === #

    @api.model
    def _get_notes_to_post(self, notes):
        """Return the notes that the service may post under their policies; others stay drafts."""
        posted = notes.filtered(self._is_posted_by_policy)
        limited = posted.filtered(self._get_draft_limit)
        self.env['sale.return.guard']._take_customers(limited.commercial_partner_id)
        totals = self._get_totals_of_period(limited)
        for note in limited.sorted('id'):
            # Amounts of one customer are added up, so splitting does not avoid the limit.
            customer = note.commercial_partner_id
            total = totals[customer] + abs(note.amount_total_signed)
            limit = self._get_draft_limit(note)
            if note.company_currency_id.compare_amounts(total, limit) > 0:
                posted -= note
            else:
                totals[customer] = total
        return posted

    @api.model
    def _is_posted_by_policy(self, note):
        """Tell whether the policies of all lines let the service post a note of any amount."""
        policies = note.invoice_line_ids.sale_return_line_id.policy_id
        return 'draft' not in policies.mapped('credit_posting')

    @api.model
    def _get_draft_limit(self, note):
        """Return the total above which a note stays draft, in company currency; 0: no limit."""
        policies = note.invoice_line_ids.sale_return_line_id.policy_id
        return min(filter(None, policies.mapped('credit_draft_above')), default=0.0)

    @api.model
    def _get_totals_of_period(self, notes):
        """Return what the customers of notes were credited by returns in the period.

        :param notes: `account.move` records of one company.
        :return: `{commercial partner: total}`, tax included, in company currency.
        :rtype: dict
        """
        totals = defaultdict(float)
        days = notes.company_id.sale_return_period_days
        if not days:
            return totals
        today = notes.company_id._get_sale_return_day()
        for customer, total in self.env['account.move']._read_group(
            [
                ('company_id', '=', notes.company_id.id),
                ('commercial_partner_id', 'in', notes.commercial_partner_id.ids),
                ('move_type', '=', 'out_refund'),
                ('state', '=', 'posted'),
                ('invoice_date', '>', today - timedelta(days=days)),
                ('invoice_line_ids.sale_return_line_id', '!=', False),
                ('payment_state', '!=', 'reversed'),
            ],
            ['commercial_partner_id'],
            ['amount_total_signed:sum'],
        ):
            totals[customer] = abs(total)
        return totals

    @api.model
    def _describe_notes(self, notes):
        """Write the reason on notes of returns: it is printed, and part of the XML.

        To be called in superuser mode, for drafts.
        """
        for note in notes:
            # One by one: each in the language of its customer. They are flushed together.
            returns = note.sale_return_ids.with_context(lang=note.partner_id.lang)
            paragraphs = [
                Markup("<p>%s</p>") % as_html("\n".join(sale_return._get_paper_trace()))
                for sale_return in returns
            ]
            if paragraphs:
                note.narration = Markup('').join(filter(None, [note.narration, *paragraphs]))
