# pylint: disable=translation-required
from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.http import Request
from odoo.tests import tagged

from ..common_portal import PortalHttpCommon


@tagged('post_install', '-at_install')
class TestPortalGuest(PortalHttpCommon):
    """Customers without login: links in mails, and a link by order number and address."""

    def _ask_link(self, order_ref=None, email='jane@example.com'):
        values = {
            'csrf_token': Request.csrf_token(self),
            'order_ref': order_ref or self.order.name,
            'email': email,
        }
        page = self._post('/returns', values)
        return self._text(page)

    def test_link_goes_to_the_address_of_the_order_and_opens_its_return(self):
        self._log_in(None)
        self._ask_link(f' {self.order.name.lower()} ', ' Jane@Example.com')
        (mail,) = self._send_asked_links()
        self.assertEqual(mail.email_to, 'jane@example.com')
        path = self._read_link(mail)
        page = self._open(path)
        self.assertIn("What do you want to return?", self._text(page))
        self.assertIn(self.product.display_name, self._text(page))
        self.assertFalse(self._send_asked_links(), "once is enough")

    def test_answer_does_not_tell_what_exists(self):
        self._log_in(None)
        links = self.env['sale.return.portal.link'].sudo()
        answers, kept = set(), []
        for order_ref, email in (
            (self.order.name, 'jane@example.com'),
            (self.order.name, 'mallory@example.com'),
            ('S99999999', 'jane@example.com'),
            ('%', '%'),
            ('x' * 5000, 'y' * 5000),
            (' ', 'no address'),
        ):
            before = links.search_count([])
            answers.add(self._ask_link(order_ref, email))
            kept.append(links.search_count([]) - before)
        self.assertEqual(len(answers), 1)
        self.assertEqual(set(kept), {1}, "what it costs is the same, too")
        mails = self._send_asked_links()
        self.assertEqual(mails.mapped('email_to'), ['jane@example.com'])
        self.assertFalse(links.search([('state', '=', 'pending')]))

    def test_who_asks_too_often_gets_no_more_mails(self):
        links = self.env['sale.return.portal.link']
        for _question in range(5):
            links._ask(self.order.name, 'jane@example.com')
        self.assertEqual(len(self._send_asked_links()), 3)
        with freeze_time(fields.Datetime.now() + timedelta(days=1, minutes=1)):
            links._ask(self.order.name, 'jane@example.com')
            self.assertEqual(len(self._send_asked_links()), 1)

    def test_questions_are_forgotten(self):
        links = self.env['sale.return.portal.link'].sudo()
        links._ask(self.order.name, 'jane@example.com')
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sale_return_portal_link SET create_date = now() - interval '3 days'"
        )
        links._gc_links()
        self.assertFalse(links.search([]))

    def test_orders_that_are_no_orders_yet_get_no_link(self):
        quotation = self._create_order(confirm=False)
        self.env['sale.return.portal.link']._ask(quotation.name, 'jane@example.com')
        self.assertFalse(self._send_asked_links())

    def test_mails_of_orders_and_invoices_have_the_link_for_the_customer_only(self):
        salesman = self.staff.partner_id
        for record in (self.order, self.order.invoice_ids):
            with self.subTest(model=record._name):
                mails = self.env['mail.mail'].sudo().search([])
                record.with_context(mail_notify_force_send=False).message_post(
                    body="Here it is.",
                    message_type='comment',
                    subtype_xmlid='mail.mt_comment',
                    partner_ids=(self.customer | salesman).ids,
                    email_layout_xmlid='mail.mail_notification_layout_with_responsible_signature',
                )
                new = self.env['mail.mail'].sudo().search([]) - mails
                by_partner = {mail.recipient_ids: mail.body_html for mail in new}
                mine = next(html for who, html in by_partner.items() if self.customer in who)
                self.assertIn(f'/my/orders/{self.order.id}/return?access_token=', mine)
                for who, html in by_partner.items():
                    if self.customer not in who:
                        self.assertNotIn('/return?access_token=', html)
