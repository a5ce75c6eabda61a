import io

from lxml import etree
from pypdf import PdfReader

from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.sale_return.tools.ubl import CAC, CBC

from ..common import SaleReturnCommon


@tagged('post_install', '-at_install')
class TestNotePaper(SaleReturnCommon):
    """The printed credit note, and how the customer gets it."""

    ready_sales = 1

    def _render(self, note):
        # sudo: only the content of the report is tested.
        html = (
            self.env['ir.actions.report']
            .sudo()
            ._render_qweb_html('account.account_invoices', note.ids)[0]
        )
        return " ".join(etree.HTML(html).xpath('string()').split())

    # === PRINT === #

    def test_note_shows_number_and_date_of_the_invoice_and_the_return(self):
        order = self._create_sale()
        invoice = order.invoice_ids
        sale_return = self._return_goods(order)
        text = self._render(sale_return.credit_note_ids)
        self.assertIn(f"Credited Invoice {invoice.name}", text)
        self.assertNotIn(f"Reference {invoice.name}", text)  # once is enough
        day = self.env['ir.qweb.field.date'].value_to_html(invoice.invoice_date, {})
        self.assertIn(day, text)
        self.assertIn(sale_return.name, text)
        self.assertNotIn("Returned Product", text)

    def test_invoice_itself_stays_as_it_was(self):
        order = self._create_sale()
        sale_return = self._return_goods(order)
        text = self._render(sale_return.invoice_ids)
        self.assertNotIn("Credited Invoice", text)
        self.assertNotIn(sale_return.name, text)

    def test_note_shows_the_serials_that_came_back_and_no_others(self):
        product, serials = self._create_tracked_product('serial', 'SN-ONE', 'SN-TWO', 'SN-THREE')
        order = self._create_order({'product': product, 'quantity': 3})
        self._deliver(order, lots=serials)
        self._invoice(order)
        sale_return = self._create_return(order, 2)
        self._receive(sale_return, lots=serials[1:])
        line = sale_return.line_ids
        line.register_inspection([{'quantity': 1, 'disposition': 'restock', 'lot': 'SN-THREE'}])
        line.register_inspection([{'quantity': 1, 'disposition': 'restock', 'lot': 'SN-TWO'}])
        first, second = sale_return.credit_note_ids.sorted('id')
        for note, mine, others in (
            (first, 'SN-THREE', ('SN-ONE', 'SN-TWO')),
            (second, 'SN-TWO', ('SN-ONE', 'SN-THREE')),
        ):
            text = self._render(note)
            self.assertIn(mine, text)
            for other in others:
                self.assertNotIn(other, text)

    def test_note_shows_how_much_of_each_lot_came_back(self):
        product, lots = self._create_tracked_product('lot', 'LOT-A', 'LOT-B', quantity=5)
        order = self._create_order({'product': product, 'quantity': 10})
        self._deliver(order, lots=lots)
        self._invoice(order)
        sale_return = self._create_return(order, 4)
        self._receive(sale_return, lots=lots)
        sale_return.action_inspect_all('restock')
        [reference] = [sale_return.credit_note_ids._get_sale_return_references()]
        self.assertEqual(
            [(row['lot'], row['quantity']) for row in reference['lots']],
            [('LOT-A', 2.0), ('LOT-B', 2.0)],
        )

    def test_pdf_has_the_same_text(self):
        report = self.env['ir.actions.report'].sudo()
        if report.get_wkhtmltopdf_state() not in ('ok', 'upgrade'):
            self.skipTest("wkhtmltopdf is not installed")
        order = self._create_sale()
        sale_return = self._return_goods(order)
        # Debian's wkhtmltopdf says that it leaves the headers out.
        with mute_logger('odoo.addons.base.models.ir_actions_report'):
            content = report.with_context(force_report_rendering=True)._render_qweb_pdf(
                'account.account_invoices', sale_return.credit_note_ids.ids
            )[0]
        text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
        self.assertIn(sale_return.name, text)
        self.assertIn(sale_return.invoice_ids.name, text)

    # === SEND === #

    def test_note_is_left_to_the_job_when_its_invoice_was_sent(self):
        self._configure(sale_return_send_notes=True)
        order = self._create_sale()
        order.invoice_ids.is_move_sent = True
        note = self._return_goods(order).credit_note_ids
        self.assertEqual(note.sending_data['author_user_id'], self.staff.id)
        self.assertTrue(note.is_being_sent)
        self.assertFalse(note.is_move_sent)  # never inside the request

    def test_note_is_not_sent_when_nobody_asked_for_it(self):
        for setting, sent in ((False, True), (True, False)):
            with self.subTest(setting=setting, sent=sent):
                self._configure(sale_return_send_notes=setting)
                order = self._create_sale()
                order.invoice_ids.is_move_sent = sent
                self.assertFalse(self._return_goods(order).credit_note_ids.sending_data)

    def test_job_mails_the_note_the_way_the_invoice_is_sent(self):
        self._configure(sale_return_send_notes=True)
        self.customer.write({'email': 'jane@example.com', 'invoice_sending_method': 'email'})
        order = self._create_sale()
        order.invoice_ids.is_move_sent = True
        note = self._return_goods(order).credit_note_ids
        with self.enter_registry_test_mode():
            self.env.ref('account.ir_cron_account_move_send').sudo().method_direct_trigger()
        self.env.invalidate_all()
        self.assertFalse(note.sending_data)
        self.assertTrue(note.is_move_sent)
        mail = note.message_ids.filtered(lambda message: self.customer in message.partner_ids)
        self.assertIn(note.name, mail.subject)
        self.assertTrue(mail.attachment_ids)

    # === E-INVOICE === #

    def _export(self, note, edi_format):
        data = {'invoice_edi_format': edi_format, 'sending_methods': {}, 'extra_edis': {}}
        self.env['account.move.send'].sudo()._hook_invoice_document_before_pdf_report_render(
            note.sudo(), data
        )
        return data

    def test_ubl_note_names_number_and_date_of_the_invoice(self):
        if 'account.edi.xml.ubl_bis3' not in self.env:
            self.skipTest("account_edi_ubl_cii is not installed")
        country = self.env.ref('base.be')
        self.company.sudo().write(
            {
                'country_id': country.id,
                'vat': 'BE0477472701',
                'street': "Street 1",
                'zip': '1000',
                'city': "Brussels",
            }
        )
        self.customer.write(
            {
                'country_id': country.id,
                'vat': 'BE0202239951',
                'street': "Way 2",
                'zip': '2000',
                'city': "Antwerp",
                'invoice_edi_format': 'ubl_bis3',
            }
        )
        order = self._create_sale()
        note = self._return_goods(order).credit_note_ids
        data = self._export(note, 'ubl_bis3')
        values = data.get('ubl_cii_xml_attachment_values')
        self.assertTrue(values, data)
        root = etree.fromstring(values['raw'])
        path = 'cac:BillingReference/cac:InvoiceDocumentReference/cbc:%s'
        names = {'cac': CAC, 'cbc': CBC}
        invoice = note.reversed_entry_id
        self.assertEqual(root.findtext(path % 'ID', namespaces=names), invoice.name)
        self.assertEqual(
            root.findtext(path % 'IssueDate', namespaces=names), invoice.invoice_date.isoformat()
        )
        # Why it was made, and who or what allowed it, where every reader looks for it.
        text = root.findtext('cbc:Note', namespaces=names)
        receipt = note.sale_return_ids.picking_ids
        for part in (self.reason_defective.name, receipt.name, self.policy.name):
            self.assertIn(part, text)
        self._assert_ubl_order(root)

    def _assert_ubl_order(self, root):
        """Assert that the elements come in the order of UBL 2.1, as Odoo's own template has it."""
        from odoo.addons.account_edi_ubl_cii.tools.ubl_21_credit_note import CreditNote

        order = [name.partition(':')[2] for name in CreditNote if ':' in name]
        found = [order.index(etree.QName(child).localname) for child in root]
        self.assertEqual(found, sorted(found))
