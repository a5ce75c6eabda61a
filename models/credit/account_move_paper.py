from odoo import models


class AccountMove(models.Model):
    """The paper of credit notes: what is printed on them, and how they reach the customer."""

    _inherit = 'account.move'

    # === PRINT === #

    def _get_sale_return_references(self):
        """Return what a credit note prints about its invoice and returns. Override to add more.

        :return: `{'invoice': account.move, 'returns': names, 'lots': list}`; a lot is
            `{'product', 'lot', 'quantity', 'uom'}`.
        :rtype: dict
        """
        self.ensure_one()
        # sudo: whoever may print the note, portal users included; only names are shown.
        note = self.sudo()
        if note.move_type != 'out_refund':
            return {'invoice': note.browse(), 'returns': "", 'lots': []}
        return {
            'invoice': note.reversed_entry_id,
            'returns': ", ".join(note.sale_return_ids.mapped('name')),
            'lots': [
                lot
                for line in note.invoice_line_ids
                if line.sale_return_line_id and line.sale_line_ids
                for lot in line._get_sale_return_lots()
            ],
        }

    def _get_invoiced_lot_values(self):
        """Override of `stock_account`: notes of returns print the lots that came back themselves.

        Odoo takes them from the deliveries of the order, which need not be the ones returned.
        """
        # sudo: whoever prints a note need not be a user of Returns.
        if self.move_type == 'out_refund' and self.sudo().sale_return_ids:
            return []
        return super()._get_invoiced_lot_values()

    # === SEND === #

    def _post(self, soft=True):
        """Override of `account` to leave the sending of notes of returns to Odoo's own job."""
        posted = super()._post(soft=soft)
        posted.filtered(lambda move: move._is_sale_return_sent())._queue_sale_return_sending()
        return posted

    def _is_sale_return_sent(self):
        """Tell whether a note is sent by itself: the company wants it and its invoice was sent.

        Override to decide otherwise.
        """
        self.ensure_one()
        # sudo: whoever posts a note need not be allowed to read its invoice and lines.
        note = self.sudo()
        return (
            note.move_type == 'out_refund'
            and note.company_id.sale_return_send_notes
            and note.reversed_entry_id.is_move_sent
            and not note.is_move_sent
            and any(line.credited_line_id for line in note.invoice_line_ids)
        )

    def _queue_sale_return_sending(self):
        """Have Odoo's job render and send notes the way their invoices are sent.

        Rendering a PDF takes seconds and a mail server may be down: nothing for a request. The
        way (mail, e-invoice network, manual) is the one Odoo keeps on the customer.
        """
        if not self:
            return
        # sudo: inspectors cause notes without rights in Accounting.
        self.sudo().sending_data = {
            'author_user_id': self.env.uid,
            'author_partner_id': self.env.user.partner_id.id,
        }
        self.env.ref('account.ir_cron_account_move_send').sudo()._trigger()
