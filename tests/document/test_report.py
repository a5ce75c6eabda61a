import base64
from io import BytesIO
from unittest.mock import patch

from pypdf import PdfReader

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import SaleReturnCommon
from ..common_http import PatientHttpCase

REPORT = 'sale_return.sale_return_slip_action'


class SlipCommon(SaleReturnCommon):
    """Customers with an address, a warehouse with one of its own, and slips of their returns."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer.write({'email': 'jane@customer.example', 'lang': 'en_US'})
        cls.warehouse.partner_id = cls._create_customer(
            "Returns Desk", street="Dock Road 7", city="Harbourtown"
        )

    def _render(self, sale_return):
        """Return the slip as HTML."""
        return self.env['ir.actions.report']._render_qweb_html(REPORT, sale_return.ids)[0].decode()

    def _run_mail_job(self):
        self._run_message_job()

    def _get_mails(self, sale_return):
        """Return the mails to the customer about a return."""
        return (
            self.env['mail.message']
            .sudo()
            .search(
                [
                    ('model', '=', 'sale.return'),
                    ('res_id', '=', sale_return.id),
                    ('partner_ids', 'in', sale_return.partner_id.ids),
                ]
            )
        )


@tagged('post_install', '-at_install')
class TestReport(SlipCommon):
    """What is on the slip, and until when the goods may be sent."""

    ready_sales = 1

    # === SLIP === #

    def test_slip_says_what_to_send_and_where(self):
        order = self._create_sale()
        sale_return = self._create_return(order, 3)
        slip = self._render(sale_return)
        for text in (
            sale_return.name,
            "Jane Customer",
            "Returns Desk",
            "Dock Road 7",
            "Lamp",
            "3 Units",
            self.reason_defective.name,
            order.name,
            "by the last day to send at the latest",
        ):
            self.assertIn(text, slip)

    def test_codes_are_drawn_into_the_slip(self):
        sale_return = self._create_return(self._create_sale(), 1)
        slip = self._render(sale_return)
        self.assertEqual(slip.count(f'alt="Barcode {sale_return.name}"'), 2)
        self.assertNotIn('/report/barcode', slip)

    def test_slip_names_the_company_when_the_warehouse_has_no_address(self):
        self.warehouse.partner_id = False
        sale_return = self._create_return(self._create_sale(), 1)
        self.assertEqual(sale_return._get_slip_address(), self.company.sudo().partner_id)

    def test_slip_is_printed_by_users_of_returns_alone(self):
        sale_return = self._create_return(self._create_sale(), 3)
        user = self._create_user('slip_user', 'sale_return.group_user')
        slip = self._render(sale_return.with_env(self._env_of(user)))
        self.assertIn("Dock Road 7", slip)

    def test_slip_has_only_the_lines_that_come_back(self):
        order = self._create_sale({}, {'product': self.service, 'price': 50})
        slip = self._render(self._create_approved_return(order, 2))
        self.assertIn("Lamp", slip)
        self.assertNotIn("Assembly", slip)

    def test_slip_of_a_return_without_goods_has_no_lines(self):
        sale_return = self._create_approved_return(self._create_sale(), 2, self.reason_missing)
        slip = self._render(sale_return)
        self.assertIn("Nothing has to be sent back", slip)
        self.assertNotIn("Lamp", slip)
        self.assertNotIn("Dock Road 7", slip)

    def test_slip_of_a_cancelled_return_has_no_lines(self):
        sale_return = self._create_return(self._create_sale(), 2)
        sale_return.action_cancel()
        self.assertIn("Nothing has to be sent back", self._render(sale_return))

    def test_slip_before_the_approval_asks_to_wait(self):
        self._create_policy(approval='always')
        sale_return = self._create_return(self._create_sale(), 2)
        self.assertIn("not approved yet", self._render(sale_return))
        sale_return.action_approve()
        self.assertNotIn("not approved yet", self._render(sale_return))

    def test_slip_is_in_the_language_of_the_customer(self):
        self.env['res.lang'].sudo()._activate_lang('zh_CN')
        self.env['ir.module.module'].sudo().search(
            [('name', '=', 'sale_return')]
        )._update_translations(filter_lang='zh_CN')
        self.customer.lang = 'zh_CN'
        slip = self._render(self._create_return(self._create_sale(), 2))
        self.assertIn("退货随箱单", slip)
        self.assertIn("最晚寄出日期", slip)
        self.assertNotIn("Return slip", slip)

    def test_slips_of_two_customers_are_each_in_their_language(self):
        self.env['res.lang'].sudo()._activate_lang('fr_FR')
        sale_returns = self._create_return(self._create_sale(), 2)
        other = self._create_customer("Jean Client", lang='fr_FR')
        sale_returns |= self._create_return(self._create_sale(partner_id=other.id), 2)
        sale_returns._write_facts({'date_send_until': '2026-03-31'})
        slip = self._render(sale_returns)
        self.assertIn("03/31/2026", slip)
        self.assertIn("31/03/2026", slip)

    # === LAST DAY === #

    def _approve_at(self, moment, **policy):
        self._create_policy(approval='always', **policy)
        sale_return = self._create_return(self._create_sale(), 1)
        # The clock of the transaction, which no freezing of Python's clock stops.
        with patch.object(self.env.cr, '_now', fields.Datetime.to_datetime(moment)):
            sale_return.action_approve()
        return sale_return

    def test_last_day_is_the_day_of_the_approval_and_the_days_of_the_policy(self):
        sale_return = self._approve_at('2026-03-01 12:00:00', expiry_days=14)
        self.assertEqual(str(sale_return.date_send_until), '2026-03-15')

    def test_last_day_is_counted_in_the_time_zone_of_the_company(self):
        self.company.sudo().partner_id.tz = 'Asia/Shanghai'
        # Already 2 March in Shanghai.
        sale_return = self._approve_at('2026-03-01 23:30:00', expiry_days=30)
        self.assertEqual(str(sale_return.date_send_until), '2026-04-01')

    def test_line_with_the_fewest_days_sets_the_last_day(self):
        self._create_policy(expiry_days=7, reason_ids=self.reason_changed_mind.ids)
        order = self._create_sale({}, {'product': self.product_on_order})
        sale_return = self._create_return(order, 1, submit=False)
        sale_return.line_ids[0].reason_id = self.reason_changed_mind
        with patch.object(self.env.cr, '_now', fields.Datetime.to_datetime('2026-03-01 12:00:00')):
            sale_return.action_submit()
        self.assertEqual(sorted(sale_return.line_ids.policy_id.mapped('expiry_days')), [7, 30])
        self.assertEqual(str(sale_return.date_send_until), '2026-03-08')

    def test_last_day_stays_when_the_policy_changes(self):
        sale_return = self._create_return(self._create_sale(), 1)
        before = sale_return.date_send_until
        self.assertTrue(before)
        sale_return.line_ids.policy_id.expiry_days = 1
        self.assertEqual(sale_return.date_send_until, before)

    def test_no_last_day_before_the_approval(self):
        self._create_policy(approval='always')
        sale_return = self._create_return(self._create_sale(), 1)
        self.assertFalse(sale_return.date_send_until)
        sale_return.action_approve()
        self.assertTrue(sale_return.date_send_until)
        sale_return.action_cancel()
        self.assertFalse(sale_return.date_send_until)

    def test_no_last_day_where_nothing_comes_back(self):
        sale_return = self._create_approved_return(self._create_sale(), 2, self.reason_missing)
        self.assertFalse(sale_return.date_send_until)

    def test_last_day_cannot_be_written(self):
        sale_return = self._create_return(self._create_sale(), 2)
        for name, value in (
            ('date_send_until', '2030-01-01'),
            ('slip_mail_queued', not sale_return.slip_mail_queued),
            ('slip_mail_error', "x"),
        ):
            with self.assert_refused("cannot be set by hand"):
                self._call(self.staff, sale_return, 'write', {name: value})


@tagged('post_install', '-at_install')
class TestReportMail(SlipCommon):
    """The mail at the approval: queued by the step, sent once by the scheduled job."""

    ready_sales = 1

    def test_approval_queues_the_mail_and_the_job_sends_it_once(self):
        sale_return = self._create_return(self._create_sale(), 2)
        self.assertTrue(sale_return.slip_mail_queued)
        self.assertFalse(self._get_mails(sale_return))
        self._run_mail_job()
        self._run_mail_job()
        mail = self._get_mails(sale_return)
        self.assertEqual(len(mail), 1)
        self.assertFalse(sale_return.slip_mail_queued)
        self.assertIn(sale_return.name, mail.subject)
        # The number is spelled in one way, which no file can have in its name.
        # Under test PDFs are HTML; `TestReportPdf` makes a real one.
        self.assertEqual(mail.attachment_ids.mapped('name'), ["Return slip.html"])
        self.assertIn(b"Dock Road 7", base64.b64decode(mail.attachment_ids.datas))

    def test_mail_is_in_the_language_of_the_customer(self):
        self.env['res.lang'].sudo()._activate_lang('zh_CN')
        self.env['ir.module.module'].sudo().search(
            [('name', '=', 'sale_return')]
        )._update_translations(filter_lang='zh_CN', overwrite=True)
        self.customer.lang = 'zh_CN'
        sale_return = self._create_return(self._create_sale(), 2)
        self._run_mail_job()
        mail = self._get_mails(sale_return)
        self.assertIn("已获批准", mail.subject)
        self.assertIn("退货随箱单", mail.attachment_ids.name)

    def test_customer_without_mail_address_is_left_out_and_we_are_told(self):
        self.customer.email = False
        sale_return = self._create_return(self._create_sale(), 2)
        self.assertEqual(sale_return.state, 'approved')
        self._run_mail_job()
        self.assertFalse(sale_return.slip_mail_queued)
        self.assertFalse(self._get_mails(sale_return))

    def test_no_mail_where_nothing_comes_back(self):
        self._configure(sale_return_auto_credit=False)  # else it is closed at once
        sale_return = self._create_approved_return(self._create_sale(), 2, self.reason_missing)
        self.assertEqual(sale_return.state, 'approved')
        self.assertFalse(sale_return.slip_mail_queued)

    def test_no_mail_when_the_goods_are_here_already(self):
        self._create_policy(approval='always')
        delivery = self._create_sale().picking_ids
        receipt = self._return_in_inventory(delivery, 2)
        self._process(receipt)
        sale_return = receipt.sale_return_id
        self.assertEqual(sale_return.state, 'submitted')
        sale_return.action_approve()
        self.assertFalse(sale_return.slip_mail_queued)

    def test_company_can_switch_the_mail_off(self):
        self.env['res.config.settings'].sudo().create(
            {'sale_return_mail_approved': False}
        ).execute()
        self.assertFalse(self.company.sale_return_mail_approved)
        sale_return = self._create_return(self._create_sale(), 2)
        self.assertFalse(sale_return.slip_mail_queued)

    def test_mail_of_a_return_cancelled_meanwhile_is_dropped(self):
        sale_return = self._create_return(self._create_sale(), 2)
        sale_return.action_cancel()
        self._run_mail_job()
        self.assertFalse(sale_return.slip_mail_queued)
        self.assertFalse(self._get_mails(sale_return))

    def test_failure_stops_no_other_mail_and_is_told_once(self):
        bad = self._create_return(self._create_sale(), 2)
        good = self._create_return(self._create_sale(), 2)
        template = self.env.ref('sale_return.mail_template_approved').sudo()
        template.partner_to = "{{ 1 / (object.id - %d) and object.partner_id.id }}" % bad.id
        logger = 'odoo.addons.sale_return.models.message.sale_return_message'
        with mute_logger('odoo.addons.mail.models.mail_render_mixin'), self.assertLogs(logger):
            self._run_mail_job()
            bad.customer_message_ids.action_retry()
            self._run_mail_job()
        self.assertTrue(self._get_mails(good))
        self.assertFalse(self._get_mails(bad))
        self.assertTrue(bad.slip_mail_queued)
        self.assertTrue(bad.slip_mail_error)
        told = bad.message_ids.filtered(lambda m: "could not be sent" in (m.body or ''))
        self.assertEqual(len(told), 1)
        template.partner_to = "{{ object.partner_id.id }}"
        bad.customer_message_ids.action_retry()
        self._run_mail_job()
        self.assertTrue(self._get_mails(bad))
        self.assertFalse(bad.slip_mail_queued or bad.slip_mail_error)


@tagged('post_install', '-at_install')
class TestReportPdf(SlipCommon, PatientHttpCase):
    """A real PDF, made by wkhtmltopdf."""

    def _use_system_font(self):
        # The font of Odoo's layout is embedded without the names of its characters, so the text
        # of the PDF could be seen, but not read back.
        self.env['ir.ui.view'].sudo().create(
            {
                'name': "slip in a font that can be read back",
                'type': 'qweb',
                'inherit_id': self.env.ref('sale_return.sale_return_slip_document').id,
                'arch': '''
                    <xpath expr="//div[hasclass('page')]" position="inside">
                        <style>* { font-family: "DejaVu Sans" !important; }</style>
                    </xpath>
                ''',
            }
        )

    def test_pdf_has_number_address_last_day_and_quantities(self):
        self._use_system_font()
        sale_return = self._create_return(self._create_sale(), 3)
        # wkhtmltopdf asks this server for the style sheets.
        self.env['ir.config_parameter'].sudo().set_param('report.url', self.base_url())
        reports = self.env['ir.actions.report'].with_context(force_report_rendering=True)
        content, kind = reports._render_qweb_pdf(REPORT, sale_return.ids)
        self.assertEqual(kind, 'pdf')
        pages = PdfReader(BytesIO(content)).pages
        self.assertEqual(len(pages), 1)
        text = " ".join(pages[0].extract_text().split())
        last_day = sale_return.date_send_until.strftime('%m/%d/%Y')
        for expected in (sale_return.name, "Dock Road 7", last_day, "3 Units", "Lamp"):
            self.assertIn(expected, text)
        self.assertGreaterEqual(len(pages[0].images), 2)  # and the logo, where headers are printed
