from odoo import models
from odoo.tools import format_date, format_datetime
from odoo.tools.misc import formatLang

from ...const import WITHHELD_KINDS

# A mail has to stay small enough for every mail server.
MAX_PHOTOS = 5
MAX_PHOTO_SIZE = 8 * 1024 * 1024


class SaleReturn(models.Model):
    """What the mails to customers say of a return: nothing that is only ours.

    Called by mail templates, in the language of the customer. No cost, no internal note and nobody
    else's name is in what they return.
    """

    _inherit = 'sale.return'

    def _get_customer_url(self):
        """Return the address of the page on which the customer follows the return."""
        self.ensure_one()
        return self.get_base_url() + self.get_portal_url()

    def _get_sms_values(self):
        """Return what stands for the words in braces of text messages.

        :rtype: dict
        """
        self.ensure_one()
        return {
            'number': self.name,
            'customer': self.partner_id.name or '',
            # sudo: the name of the company is on every mail.
            'company': self.company_id.sudo().name,
            'send_until': format_date(self.env, self.date_send_until),
            'amount': formatLang(self.env, self.amount_credited, currency_obj=self.currency_id),
            'link': self._get_customer_url(),
        }

    # === APPROVED === #

    def _get_freight_payer(self):
        """Say who pays the way back: what the law says, else whoever caused the return.

        :return: `customer` or `company`.
        :rtype: str
        """
        self.ensure_one()
        payers = set()
        for line in self.line_ids.filtered('return_expected'):
            says = line.policy_id._get_regime().return_shipping if line.policy_id else 'policy'
            if says == 'policy':
                says = line.reason_id.default_liability
            payers.add('customer' if says == 'customer' else 'company')
        # One parcel: where a part of it is our fault we pay for it.
        return 'customer' if payers == {'customer'} or self.freight_charge else 'company'

    def _get_slip_address_text(self):
        """Return the address to send to, one line each.

        :rtype: list
        """
        self.ensure_one()
        # sudo: whoever sends the mail need not see warehouses.
        partner = self._get_slip_address().sudo()
        address = partner._display_address(without_company=True)
        lines = [partner.commercial_company_name or partner.name, *address.split("\n")]
        return [line.strip() for line in lines if line and line.strip()]

    # === REFUSED === #

    def _get_refused_lines(self):
        """Return what is not approved, or not all of it.

        :return: list of dicts: `product`, `reason` (in words for the customer).
        :rtype: list
        """
        self.ensure_one()
        return [
            {'product': line.product_id.display_name, 'reason': line.decision_reason or ''}
            for line in self.line_ids
            if line.decision in ('refused', 'reduced')
        ]

    def _get_refusal_text(self):
        """Return in words for the customer why the return is refused."""
        self.ensure_one()
        # sudo: the reason of a refusal is written for the customer.
        return self.sudo()._get_refusal().comment or ''

    # === INSPECTED === #

    def _get_inspection_results(self):
        """Return what was found, summed up by product and result.

        :return: list of dicts: `product`, `quantity` (text with unit), `accepted` (bool), `grade`
            (name or ''), `percent` (of the price that is kept back for the condition, 0–100).
        :rtype: list
        """
        self.ensure_one()
        sums = {}
        # sudo: the mail says no more than the customer may know.
        for row in self.sudo().inspection_ids.sorted('id'):
            quantity = row.qty_valid
            if row.product_uom_id.is_zero(quantity):
                continue
            if row.component_id:
                quantity *= row.component_qty / row.quantity  # of a kit: in its own unit
            key = row.line_id, row.product_id, row.grade_id, row.disposition_id.accepts
            sums[key] = sums.get(key, 0.0) + quantity
        return [
            {
                'product': product.with_context(lang=self.env.lang).display_name,
                'quantity': f"{quantity:g} "
                + (line.product_uom_id if product == line.product_id else product.uom_id).name,
                'accepted': accepts,
                'grade': grade.name or '',
                'percent': round(100 * self._get_condition_share(line, grade)) if accepts else 0,
            }
            for (line, product, grade, accepts), quantity in sums.items()
        ]

    def _get_condition_share(self, line, grade):
        """Return the share of the price that is kept back for the condition found, 0–1."""
        if not grade or not line.policy_id._is_deduction_allowed('grade'):
            return 0.0
        return 1 - grade.credit_ratio

    def _get_inspection_photos(self):
        """Return the photos that show why something is kept back or refused.

        :rtype: ir.attachment
        """
        self.ensure_one()
        # sudo: they are photos of the customer's goods.
        rows = self.sudo().inspection_ids.filtered(
            lambda row: (
                row.qty_valid > 0
                and (
                    not row.disposition_id.accepts
                    or self._get_condition_share(row.line_id, row.grade_id)
                )
            )
        )
        photos, size = self.env['ir.attachment'].sudo(), 0
        for attachment in rows.attachment_ids.filtered(
            lambda a: (a.mimetype or '').startswith('image/')
        ):
            size += attachment.file_size
            if len(photos) < MAX_PHOTOS and size <= MAX_PHOTO_SIZE:
                photos += attachment
        return photos

    def _process_attachments_for_template_post(self, mail_template):
        """Override of `mail` to attach the photos to the mail about the inspection."""
        result = super()._process_attachments_for_template_post(mail_template) or {}
        # sudo: which mail is about the inspection is nobody's secret.
        kinds = self.env['sale.return.message.kind'].sudo().with_context(active_test=False)
        if kinds.search_count(
            [('template_id', '=', mail_template.id), ('code', '=', 'inspected')], limit=1
        ):
            for sale_return in self:
                mine = result.setdefault(sale_return.id, {})
                mine.setdefault('attachment_ids', []).extend(
                    sale_return._get_inspection_photos().ids
                )
        return result

    # === MONEY === #

    def _get_credits(self):
        """Return what was credited, by note.

        :return: list of dicts: `number`, `date` (text), `amount` (text, tax included), and
            `deductions`, dicts of `name` and `amount` (text, tax included, negative).
        :rtype: list
        """
        self.ensure_one()
        # sudo: whoever sends the mail need not read credit notes.
        lines = self.sudo().line_ids.credit_line_ids.filtered(
            lambda line: line.parent_state == 'posted'
        )
        result = []
        for note, mine in lines.grouped('move_id').items():
            if note._is_reversed_credit():
                continue
            kept = mine.filtered(lambda line: line.sale_return_kind in WITHHELD_KINDS)
            result.append(
                {
                    'number': note.name,
                    'date': format_date(self.env, note.invoice_date or note.date),
                    'amount': self._format_money(sum(mine.mapped('price_total')), note),
                    'deductions': [
                        {'name': line.name, 'amount': self._format_money(line.price_total, note)}
                        for line in kept
                    ],
                }
            )
        return result

    def _format_money(self, amount, note):
        return formatLang(self.env, amount, currency_obj=note.currency_id)

    def _get_refund_text(self):
        """Return what was paid back in all, tax included."""
        self.ensure_one()
        # sudo: whoever sends the mail need not read payments.
        return formatLang(self.env, self.sudo().amount_refunded, currency_obj=self.currency_id)

    # === TIME === #

    def _get_legal_text(self):
        """Return until when the customer can expect the next step at the latest, '' if unknown."""
        self.ensure_one()
        # sudo: the clocks of the law do not depend on who asks.
        due = self.sudo()._get_next_step()[self]['due']
        local = self.with_context(tz=self._get_company_timezone())
        return format_datetime(local.env, due, dt_format=False) if due else ''
