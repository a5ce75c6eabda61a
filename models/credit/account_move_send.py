from odoo import models

from ...tools.ubl import with_billing_reference


class AccountMoveSend(models.AbstractModel):
    _inherit = 'account.move.send'

    def _hook_invoice_document_before_pdf_report_render(self, invoice, invoice_data):
        """Override of `account` to name the credited invoice in UBL credit notes.

        Its number and date (BT-25, BT-26), for all formats and countries. Where
        `account_edi_ubl_cii` is not installed there is no such file.
        """
        result = super()._hook_invoice_document_before_pdf_report_render(invoice, invoice_data)
        values = invoice_data.get('ubl_cii_xml_attachment_values')
        credited = invoice.reversed_entry_id
        if values and values.get('raw') and invoice.move_type == 'out_refund' and credited:
            values['raw'] = with_billing_reference(
                values['raw'], credited.name, credited.invoice_date
            )
        return result
