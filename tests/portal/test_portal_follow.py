# pylint: disable=translation-required
import html
import re
from datetime import timedelta

from odoo import fields, http
from odoo.exceptions import UserError
from odoo.tests import tagged

from ..common_http import PatientHttpCase
from ..common_portal import PortalCommon
from ..document.test_evidence import image

SCRIPT = re.compile(r'<script.*?</script>', re.DOTALL)


class FollowCommon(PortalCommon, PatientHttpCase):
    """Customers in front of the pages of their returns, without a browser."""

    without_scripts = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_policy(approval='always')

    def _approved(self, quantity=2, **values):
        sale_return = self._create_return(self.order, quantity, **values)
        sale_return.action_approve()
        return sale_return

    def _login(self, user):
        """Log in, or out with None."""
        login = user and user.login
        if getattr(self, 'logged_in', '') != login:
            self.authenticate(login, login)
            self.logged_in = login

    def _link(self, sale_return):
        """Return what a link to the return ends with."""
        return f'?access_token={sale_return._portal_ensure_token()}'

    @staticmethod
    def _get_text(response):
        text = re.sub(r'<[^>]+>', ' ', SCRIPT.sub('', response.text))
        return " ".join(html.unescape(text).split())

    def _look(self, path, user=None):
        """Return the text of a page, as the user sees it."""
        self._login(user)
        response = self.url_open(path)
        self.assertEqual(response.status_code, 200, path)
        return self._get_text(response)

    def _post(self, path, user=None, csrf=True, **values):
        """Send a form as the page does."""
        self._login(user)
        if csrf:
            values['csrf_token'] = http.Request.csrf_token(self)
        response = self.url_open(path, data=values)
        self.env.invalidate_all()
        return response

    def _act(self, sale_return, name, user=None, query='', **values):
        """Execute an action on the page of a return; return the resulting text."""
        response = self._post(f'/my/returns/{sale_return.id}/{name}{query}', user, **values)
        return self._get_text(response)


@tagged('post_install', '-at_install')
class TestFollow(FollowCommon):
    """What customers see and do on the pages of their returns."""

    def test_list_is_searched_filtered_and_counted(self):
        sent = self._approved(1)
        asked = self._create_return(self.order, 2)
        text = self._look('/my/returns', self.jane)
        self.assertIn(sent.name, text)
        self.assertIn(asked.name, text)
        self.assertIn("Waiting for our decision", text)
        for query, shown in {
            'filterby=send': sent,
            'filterby=nonsense&sortby=nonsense&search_in=nonsense': sent | asked,
            'filterby=cancelled': sent.browse(),
            f'search_in=name&search={asked.name}': asked,
            f'search_in=order&search={self.order.name}': sent | asked,
            'search_in=product&search=lamp': sent | asked,
            'search_in=tracking&search=1Z': sent.browse(),
        }.items():
            with self.subTest(query=query):
                text = self._look(f'/my/returns?{query}', self.jane)
                found = (sent | asked).filtered(lambda r, text=text: r.name in text)
                self.assertEqual(found, shown)
        self._login(self.jane)
        counters = self.make_jsonrpc_request('/my/counters', {'counters': ['sale_return_count']})
        self.assertTrue(counters['sale_return_count'])
        self.assertIn("/my/returns", self.url_open('/my').text)

    def test_pages_of_the_list(self):
        self.patch(type(self.env['sale.return']), '_order', 'id')
        for _number in range(3):
            self._create_return(self.order, 1, reason=self.reason_other, submit=True)
        from odoo.addons.sale_return.controllers.follow import SaleReturnFollow

        self.patch(SaleReturnFollow, '_items_per_page', 2)
        first = self._look('/my/returns', self.jane)
        second = self._look('/my/returns/page/2', self.jane)
        names = self.order.return_ids.mapped('name')
        self.assertEqual(sorted(n for n in names if n in first or n in second), sorted(names))
        self.assertEqual(sum(n in first for n in names), 2)

    def test_customer_is_told_where_to_send_and_until_when(self):
        sale_return = self._approved()
        text = self._look(sale_return.access_url, self.jane)
        for part in (
            "Next: you",
            "Return address",
            self.company.name,
            "We pay for sending the goods.",
            "Last day to send",
            "Estimated credit",
            "242.00",
        ):
            self.assertIn(part, text)
        slip = self.url_open(f'{sale_return.access_url}?report_type=html')
        self.assertIn(sale_return.name, slip.text)

    def test_who_pays_the_way_back(self):
        mine = self._approved(1, reason=self.reason_changed_mind)
        self.assertEqual(mine._get_freight_payer(), 'customer')
        self.assertIn("You pay for sending", self._look(mine.access_url, self.jane))
        self._create_policy(return_freight=7.5, sequence=-300, approval='always')
        kept = self._approved(1, reason=self.reason_changed_mind)
        text = self._look(kept.access_url, self.jane)
        self.assertIn("We pay the carrier. $ 7.50", text.replace('\xa0', ' '))

    def test_tracking_number_is_noted_and_can_be_corrected(self):
        self._create_policy(approval='always', release_event='dispatch_proof', sequence=-300)
        sale_return = self._approved()
        text = self._act(
            sale_return, 'dispatch', self.jane, tracking_ref=" 1Z 999 ", carrier_name="UPS"
        )
        self.assertIn("We have saved your tracking number", text)
        self.assertIn("You sent the goods UPS 1Z 999", text)
        self.assertEqual((sale_return.tracking_ref, sale_return.carrier_name), ('1Z 999', 'UPS'))
        self.assertTrue(sale_return.date_dispatched)
        self.assertFalse(sale_return.credit_note_ids)
        event = sale_return.event_ids.filtered(lambda e: e.kind == 'dispatched')
        self.assertEqual(event.user_id, self.jane)
        # The same again (a double click) changes nothing, another number corrects it.
        sent = sale_return.date_dispatched
        self._act(sale_return, 'dispatch', self.jane, tracking_ref="1Z 999", carrier_name="UPS")
        self.assertEqual(len(sale_return.event_ids.filtered(lambda e: e.kind == 'dispatched')), 1)
        self._act(sale_return, 'dispatch', self.colleague, tracking_ref="1Z 998")
        self.assertEqual((sale_return.tracking_ref, sale_return.date_dispatched), ('1Z 998', sent))
        self._receive(sale_return)
        text = self._act(sale_return, 'dispatch', self.jane, tracking_ref="1Z 997")
        self.assertIn("Nothing has to be sent", text)
        self.assertEqual(sale_return.tracking_ref, '1Z 998')

    def test_bad_tracking_numbers_are_refused_with_a_sentence(self):
        sale_return = self._approved()
        for bad in ("", "  ", "1", "x" * 65, "<script>", "1Z\x00999", "单号", "1Z;DROP", "-1-"):
            with self.subTest(tracking_ref=bad):
                with self.assert_refused("tracking number"):
                    sale_return.sudo()._portal_dispatch(bad, "UPS")
        with self.assert_refused("carrier"):
            sale_return.sudo()._portal_dispatch("1Z999", "x" * 65)
        text = self._act(sale_return, 'dispatch', self.jane, tracking_ref="?", carrier_name="UPS")
        self.assertIn("Please enter the tracking number", text)
        self.assertFalse(sale_return.tracking_ref or sale_return.carrier_name)
        for good in ("1Z 999/AA1-0123", "JD014600004711", "RR 123 456 785 CN"):
            self.assertEqual(sale_return._check_tracking_ref(good), good)

    def test_customer_cancels_while_nothing_was_sent(self):
        sale_return = self._approved()
        self.assertIn("Cancel the return", self._look(sale_return.access_url, self.jane))
        self.assertIn("The return is cancelled", self._act(sale_return, 'cancel', self.jane))
        self.assertEqual(sale_return.state, 'cancelled')
        self.assertEqual(sale_return.picking_ids.state, 'cancel')
        # A double click, or going back and sending it again.
        self._act(sale_return, 'cancel', self.jane)
        self.assertEqual(sale_return.state, 'cancelled')

    def test_sent_or_received_returns_are_not_cancelled(self):
        sent = self._approved(1)
        sent.action_register_dispatch(tracking_ref="1Z999")
        received = self._approved(1)
        self._receive(received)
        for sale_return in sent | received:
            self.assertNotIn("Cancel the return", self._look(sale_return.access_url, self.jane))
            text = self._act(sale_return, 'cancel', self.jane)
            self.assertIn("cannot be cancelled any more", text)
            self.assertEqual(sale_return.state, 'approved')

    def test_customer_appeals_once_against_a_refusal(self):
        self._create_policy(approval='always', appeal_days=10, sequence=-300)
        sale_return = self._create_return(self.order, 2)
        text = self._act(sale_return, 'appeal', self.jane, comment="But!")
        self.assertIn("nothing to appeal against", text)
        sale_return.action_refuse("The seal was broken.")
        self.assertIn("I do not agree", self._look(sale_return.access_url, self.jane))
        self.assertIn("do not agree.", self._act(sale_return, 'appeal', self.jane, comment=" "))
        text = self._act(sale_return, 'appeal', self.jane, comment="It came like that.")
        self.assertIn("You appealed against the refusal It came like that.", text)
        self.assertIn("We are reviewing your appeal", text)
        text = self._act(sale_return, 'appeal', self.jane, comment="Again!")
        self.assertIn("only one appeal is possible", text)
        self.assertEqual(sale_return.appeal_ids.partner_id, self.customer)
        self.assertEqual(sale_return.appeal_ids.comment, "It came like that.")

    def test_finished_return_is_rated_once(self):
        sale_return = self._approved()
        text = self._act(sale_return, 'rate', self.jane, rate='5')
        self.assertIn("cannot be rated", text)
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        self.assertEqual(sale_return.state, 'closed')
        self.assertIn("How did we do?", self._look(sale_return.access_url, self.jane))
        self.assertIn("one of the three", self._act(sale_return, 'rate', self.jane, rate='9'))
        text = self._act(sale_return, 'rate', self.jane, rate='5', feedback="Fast & kind.")
        self.assertIn("Thank you for your feedback", text)
        text = self._act(sale_return, 'rate', self.colleague, rate='1')
        self.assertIn("was already rated", text)
        rating = self.env['rating.rating'].sudo().search([('res_model', '=', 'sale.return')])
        rating = rating.filtered(lambda r: r.res_id == sale_return.id)
        self.assertEqual((rating.rating, rating.feedback), (5, "Fast & kind."))
        self.assertEqual(rating.partner_id, self.customer)

    def test_money_documents_and_day_of_the_refund(self):
        sale_return = self._approved()
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        note = sale_return.credit_note_ids
        # Already paid: the credit is paid out.
        text = self._look(sale_return.access_url, self.jane)
        self.assertIn(f"Credit note {note.name}", text)
        self.assertIn("242.00", text)
        self.assertIn("Set off against", text)
        page = self.url_open(sale_return.access_url).text
        self.assertIn(f'/my/invoices/{note.id}?report_type=pdf', page)
        # The link to a return opens the return only.
        page = self._open_by_link(sale_return)
        self.assertNotIn('/my/invoices', page)
        self.assertIn(note.name, page)

    def _open_by_link(self, sale_return):
        self._login(None)
        response = self.url_open(sale_return.access_url + self._link(sale_return))
        self.assertEqual(response.status_code, 200)
        return response.text

    def test_paid_back_is_told_with_its_day(self):
        order = self._create_order()
        self._deliver(order)
        invoice = self._invoice(order)
        self._pay_back(invoice)
        sale_return = self._create_return(order, 1)
        sale_return.action_approve()
        self._receive(sale_return)
        sale_return.action_inspect_all('restock')
        note = sale_return.credit_note_ids
        self._pay_back(note)
        page = self.env['sale.return.portal.page'].sudo()
        told = page._get_notes(sale_return.sudo())[0]['settled']
        self.assertEqual(
            [(row['text'], row['date'], row['amount']) for row in told],
            [("Paid back", self._today(), 121.0)],
        )
        titles = [entry['title'] for entry in page._get_timeline(sale_return.sudo())]
        self.assertEqual(titles[0], "The return is finished")
        self.assertTrue(titles[1].startswith("Paid back"), titles)

    def test_arrival_is_told_in_the_language_of_the_customer(self):
        self.env['res.lang'].sudo()._activate_lang('zh_CN')
        self.product.sudo().with_context(lang='zh_CN').name = "灯"
        sale_return = self._approved()
        self._receive(sale_return)
        page = self.env['sale.return.portal.page'].sudo().with_context(lang='zh_CN')
        (told,) = (
            entry
            for entry in page._get_timeline(sale_return.sudo().with_context(lang='zh_CN'))
            if entry['icon'] == 'fa-archive'
        )
        unit = self.product.uom_id.with_context(lang='zh_CN').name
        self.assertEqual(told['text'], f"2 {unit} · 灯")

    def test_refusal_is_told_with_its_reason(self):
        sale_return = self._create_return(self.order, 2)
        sale_return.action_refuse("The seal was broken.")
        text = self._look(sale_return.access_url, self.jane)
        self.assertIn("We refused the return The seal was broken.", text)
        self.assertIn("Refused", text)

    def test_timeline_keeps_what_is_ours(self):
        sale_return = self._approved()
        self.env['sale.return.event']._log(
            [
                {'return_id': sale_return.id, 'kind': kind, 'reason': "OURS", 'details': "OURS"}
                for kind, _label in self.env['sale.return.event']._fields['kind'].selection
                if kind not in {'appealed', 'appeal_decided', 'dispatched', 'received', 'state'}
            ]
        )
        told = self.env['sale.return.portal.page'].sudo()._get_timeline(sale_return.sudo())
        self.assertNotIn("OURS", str(told))
        self.assertEqual(
            [entry['title'] for entry in told][-2:],
            ["We approved the return", "We registered the return for you"],
        )

    def test_files_of_customers_and_of_deductions_are_shown(self):
        sale_return = self._approved()
        files = self.env['sale.return.file']
        mine = (
            files.with_user(self.jane)
            .sudo()
            ._upload(sale_return.line_ids, [{'name': "mine.png", 'raw': image('red')}])
        )
        ours = files._upload(sale_return, [{'name': "ours.png", 'raw': image('blue')}])
        self._receive(sale_return)
        grade = self.env.ref('sale_return.grade_c')
        grade.credit_ratio = 0.5
        rows = self._inspect(
            sale_return,
            {'quantity': 1, 'disposition': 'restock', 'grade': 'A', 'note': "OUR NOTE"},
            {'quantity': 1, 'disposition': 'restock', 'grade': 'C', 'note': "OUR NOTE"},
        )
        as_new, worn = rows
        ours += files._upload(as_new, [{'name': "asnew.png", 'raw': image('green')}])
        shown = files._upload(worn, [{'name': "worn.png", 'raw': image('white')}])
        self._login(self.jane)
        for file, status in [(mine, 200), (shown, 200), (ours[0], 404), (ours[1], 404)]:
            with self.subTest(file=file.name):
                path = f'{sale_return.access_url}/files/{file.id}'
                self.assertEqual(self.url_open(path).status_code, status)
                self.assertEqual(self.url_open(f'{path}?preview=1').status_code, status)
        text = self._look(sale_return.access_url, self.jane)
        self.assertNotIn("OUR NOTE", text)
        self.assertIn("reduced for its condition", text)

    def test_messages_by_the_link_and_of_the_customer(self):
        sale_return = self._approved()
        sale_return.message_post(body="OUR NOTE")
        sale_return.message_post(
            body="Hello!", subtype_xmlid='mail.mt_comment', message_type='comment'
        )
        token = sale_return._portal_ensure_token()
        thread = {'thread_model': 'sale.return', 'thread_id': sale_return.id, 'token': token}
        for user in (self.jane, None):
            self._login(user)
            answer = self.make_jsonrpc_request('/mail/chatter_fetch', thread)
            self.assertIn("Hello!", str(answer))
            self.assertNotIn("OUR NOTE", str(answer))
            self.make_jsonrpc_request(
                '/mail/message/post',
                {**thread, 'post_data': {'body': "When?", 'rating_value': '1'}},
            )
            posted = sale_return.message_ids[:1]
            self.assertIn("When?", posted.body)
            self.assertEqual(posted.author_id, self.customer)
        # Opening a link does not rate.
        self.assertFalse(sale_return.sudo().rating_ids)

    def test_follow_link_expires_for_every_door(self):
        sale_return = self._approved()
        token = sale_return._portal_ensure_token()
        pid = self.customer.id
        signed = sale_return.sudo()._sign_token(pid)
        expiry = sale_return.sudo().access_token_expiry
        self._login(None)
        mail_view = f'/mail/view?model=sale.return&res_id={sale_return.id}&access_token={token}'
        self.assertIn(token, self.url_open(mail_view).url)
        # Following the link has not made it live longer.
        self.env.invalidate_all()
        soon = fields.Datetime.now() + timedelta(days=3)
        sale_return.sudo().access_token_expiry = soon
        self.assertLess(soon, expiry)
        self.assertIn(token, self.url_open(mail_view).url)
        self.env.invalidate_all()
        self.assertEqual(sale_return.sudo().access_token_expiry, soon)
        sale_return.sudo().access_token_expiry = fields.Datetime.now() - timedelta(minutes=1)
        self.assertFalse(sale_return.sudo().access_token)
        page = self.url_open(f'{sale_return.access_url}?access_token={token}')
        self.assertEqual(page.status_code, 403)
        self.assertIn("does not work", page.text)
        self.assertNotIn('access_token=', self.url_open(mail_view).url)
        self.env.invalidate_all()
        self.assertNotEqual(sale_return.sudo().access_token, token)
        for door in ({'token': token}, {'hash': signed, 'pid': pid}, {'hash': '', 'pid': pid}):
            thread = {'thread_model': 'sale.return', 'thread_id': sale_return.id, **door}
            store = self.make_jsonrpc_request('/portal/chatter_init', thread)
            self.assertNotIn("hasReadAccess", str(store))

    def test_employee_looks_and_does_not_act(self):
        sale_return = self._approved()
        # A website works in its own company for those who belong to it, too.
        self.staff.sudo().write({'password': self.staff.login, 'company_ids': self.company.ids})
        self.assertIn("Return address", self._look(sale_return.access_url, self.staff))
        for name, values in {
            'dispatch': {'tracking_ref': "1Z999"},
            'cancel': {},
            'rate': {'rate': '5'},
        }.items():
            text = self._act(sale_return, name, self.staff, **values)
            self.assertIn("This page is the customer's", text)
        self.assertEqual((sale_return.state, sale_return.tracking_ref), ('approved', False))

    def test_refusal_leaves_nothing_behind(self):
        sale_return = self._approved()
        original = type(sale_return)._register_dispatch
        no = "No."  # by an extension, after the writing

        def fail(records, *args, **values):
            original(records, *args, **values)
            raise UserError(no)

        self.patch(type(sale_return), '_register_dispatch', fail)
        self.assertIn("No.", self._act(sale_return, 'dispatch', self.jane, tracking_ref="1Z999"))
        self.assertFalse(sale_return.tracking_ref)

    def test_page_in_chinese(self):
        self.env['res.lang'].sudo()._activate_lang('zh_CN')
        self.jane.sudo().lang = 'zh_CN'
        sale_return = self._approved()
        self.assertIn(sale_return.name, self._look(sale_return.access_url, self.jane))
