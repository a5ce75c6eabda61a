import io
from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time
from lxml import html
from PIL import Image

from odoo import Command, fields
from odoo.http import Request
from odoo.tests import tagged
from odoo.tools import mute_logger

from ...const import MAX_SIZE, MAX_VIDEO_SIZE
from ...models.portal.exceptions import RequestRefused
from ..common_portal import PortalHttpCommon, photo

LEAN = {
    "a story of the room": (
        'test_customer_asks_and_policy_approves',
        'test_request_waits_where_the_policy_asks_a_person',
    ),
    "pages without a website": (
        'test_orders_lead_to_the_request',
        'test_first_screen_says_until_when_and_why_not',
        'test_pages_say_nothing_that_is_ours',
        'test_link_opens_the_request_until_it_expires',
        'test_company_that_takes_no_requests_online',
        'test_forms_without_their_token_are_refused',
        'test_stranger_and_guest_are_refused_alike',
    ),
}

# How files of these kinds begin.
MP4 = b'\x00\x00\x00\x20ftypisom'
MOV = b'\x00\x00\x00\x14ftypqt  '
WEBM = b'\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm'


@tagged('post_install', '-at_install')
class TestPortalRequest(PortalHttpCommon):
    """A customer requests a return: what they see and send, and the result."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.line = cls.order.order_line

    def setUp(self):
        super().setUp()
        self._log_in(self.jane)

    # === THE WAY === #

    def test_customer_asks_and_policy_approves(self):
        summary = self._ask({self.line: 2}, **{f'note_{self.line.id}': "Does not shine."})
        self.assertIn('$ 242.00', self._text(summary, 'o_sale_return_total'))
        draft = self._returns()
        self.assertEqual(draft.state, 'draft')
        self.assertEqual(self.line.qty_returnable, 10, "a draft holds nothing")
        last = self._send(summary)
        self.assertIn(draft.name, self._text(last, 'o_sale_return_number'))
        self.assertEqual((draft.state, draft.portal_kind), ('approved', 'request'))
        self.assertEqual(draft.partner_id, self.customer)
        self.assertEqual(draft.requested_by_id, self.jane)
        self.assertEqual(draft.line_ids.customer_note, "Does not shine.")
        self.assertEqual(draft.line_ids.qty_requested, 2)
        self.assertEqual(len(draft.picking_ids), 1)
        self.assertEqual(self.line.qty_returnable, 8)

    def test_salesperson_who_has_left_is_not_responsible(self):
        seller = self._create_user('request_seller', 'sales_team.group_sale_salesman')
        self.order.sudo().user_id = seller
        seller.sudo().active = False
        self._send(self._ask({self.line: 2}))
        self.assertEqual(self._returns().state, 'approved')
        self.assertNotEqual(self._returns().user_id, seller)

    def test_customer_says_which_serial_numbers_come_back(self):
        product, serials = self._create_tracked_product('serial', "S0", "S1", "S2", "S3")
        order = self._create_order({'product': product, 'quantity': 3})
        self._deliver(order, lots=serials[:3])
        self._invoice(order)
        line = order.order_line
        names = [f'lot_{line.id}_{serial.id}' for serial in serials]
        page = self._choose({line: 1}, order)
        self.assertEqual(page.xpath("//input[@type='checkbox']/@name"), names[:3])
        for ticked, sentence in ((names[3:], "does not belong"), (names[:2], "but return 1")):
            refused = self._ask({line: 1}, order, **dict.fromkeys(ticked, 'on'))
            self.assertIn(sentence, self._error(refused))
        summary = self._ask({line: 1}, order, **{names[1]: 'on'})
        self.assertIn("S1", self._product(summary, line))
        self._send(summary)
        sale_return = order.return_ids
        self.assertEqual(sale_return.line_ids.lot_ids, serials[1])
        self.assertEqual(sale_return.picking_ids.move_line_ids.lot_id, serials[1])

    def test_rules_are_asked_once_and_money_only_where_it_is_shown(self):
        service = self.env['sale.return.portal.request'].sudo()
        credit = type(self.env['sale.return.credit'])
        choice = {'reason_id': self.reason_other.id, 'resolution': 'refund'}
        choice |= {'line_id': self.line.id, 'quantity': 2.0}
        for what, times in (('_get_summary', 1), ('_send', 0)):
            draft = service._prepare_draft(self.order.sudo(), [choice], 'counted')
            rules = patch.object(
                type(service),
                '_get_verdicts',
                autospec=True,
                side_effect=type(service)._get_verdicts,
            )
            money = patch.object(credit, '_preview', autospec=True, side_effect=credit._preview)
            with self.subTest(what=what), rules as asked, money as estimated:
                getattr(service, what)(draft)
                self.assertEqual(asked.call_count, 1)
                promised = [
                    c for c in estimated.mock_calls if c.kwargs.get('kinds') == ('promised',)
                ]
                self.assertEqual(len(promised), times)

    def test_pieces_of_a_dozen_are_asked_for(self):
        order = self._create_sale({'product_uom_id': self.dozen.id, 'quantity': 1, 'price': 120.0})
        for typed in ('0.33', '0.333333'):
            with self.subTest(typed=typed):
                summary = self._ask({order.order_line: typed}, order)
                self.assertIn("4 Units", self._text(summary))
                self.assertIn('$ 48.40', self._text(summary, 'o_sale_return_total'))
                self._send(summary)
        self.assertEqual(self._returns().line_ids.mapped('product_qty_requested'), [4.0, 4.0])
        self.assertAlmostEqual(order.order_line.qty_returnable * 12, 4.0)

    def test_request_waits_where_the_policy_asks_a_person(self):
        self._create_policy(approval='always')
        self._send(self._ask({self.line: 1}))
        self.assertEqual(self._returns().state, 'submitted')

    def test_orders_lead_to_the_request(self):
        for url in ('/my/orders', f'/my/orders/{self.order.id}'):
            with self.subTest(url=url):
                page = self._open(url)
                links = page.xpath(f"//a[starts-with(@href, '{self._url()}')]")
                self.assertTrue(links)

    def test_first_screen_leads_to_what_was_asked_for_this_order(self):
        sale_return = self._create_return(self.order, 1)
        self._create_return(self.order, 1, submit=False)
        self._create_return(self._create_sale(), 1)
        links = self._find(self._open(self._url()), 'o_sale_return_asked_already')
        self.assertEqual([link.get('href') for link in links], [sale_return.access_url])
        self._log_in(None)
        page = self._open(self._url(token=self.order._get_return_token()))
        (link,) = self._find(page, 'o_sale_return_asked_already')
        self.assertIn(sale_return.name, self._text(self._open(link.get('href'))))

    def test_orders_without_anything_to_return_have_no_button(self):
        order = self._create_order()
        for url in ('/my/orders', f'/my/orders/{order.id}'):
            self.assertFalse(
                self._open(url).xpath(f"//a[starts-with(@href, '{self._url(order)}')]")
            )

    def test_first_screen_says_until_when_and_why_not(self):
        gift = self._create_product("Gift card")
        order = self._create_order({}, {'product': gift}, {'product': self.consumable})
        pickings = order.picking_ids
        for move in pickings.move_ids.filtered(lambda m: m.product_id != self.consumable):
            move.quantity, move.picked = 10, True
        pickings.with_context(skip_backorder=True).button_validate()
        policy = self._create_policy(window_days=14)
        self.env['sale.return.rule'].create(
            {
                'policy_id': policy.id,
                'kind': 'excluded',
                'outcome': 'refuse',
                'product_ids': [Command.set(gift.ids)],
                'customer_text': "Gift cards are as good as money.",
            }
        )
        page = self._open(self._url(order))
        lamp, card, glue = (self._product(page, line) for line in order.order_line)
        self.assertIn("14 days left", lamp)
        self.assertIn("Gift cards are as good as money.", card)
        self.assertIn("Not delivered yet.", glue)
        self.assertEqual(len(page.xpath("//input[@type='number']")), 1)

    def test_after_the_window_a_person_decides_or_nobody_can(self):
        later = fields.Datetime.now() + timedelta(days=60)
        with freeze_time(later):
            self._log_in(self.jane)
            page = self._open(self._url())
            self.assertIn("a person will decide", self._text(page))
            rule = {'policy_id': self.policy.id, 'kind': 'window', 'outcome': 'refuse'}
            self.env['sale.return.rule'].create(rule)
            page = self._open(self._url())
            self.assertFalse(page.xpath("//input[@type='number']"))
            self.assertIn("it could be returned until", self._text(page))

    def test_reason_with_a_window_of_its_own_keeps_the_product_returnable(self):
        self._create_policy(window_days=730, reason_ids=[Command.set(self.reason_defective.ids)])
        rule = {'policy_id': self.policy.id, 'kind': 'window', 'outcome': 'refuse'}
        self.env['sale.return.rule'].create(rule)
        with freeze_time(fields.Datetime.now() + timedelta(days=60)):
            self._log_in(self.jane)
            page = self._choose({self.line: 1})
            values = page.xpath(f"//select[@id='reason_{self.line.id}']/option/@value")
            self.assertEqual(values, ['', str(self.reason_defective.id)])

    def test_reason_not_demanded_by_law_need_not_be_given(self):
        self._create_policy(regime='eu_withdrawal')
        page = self._choose({self.line: 1})
        action, values = self._form(page)
        self._send(self._post(action, values))
        self.assertEqual(
            self._returns().line_ids.reason_id, self.env.ref('sale_return.reason_not_stated')
        )

    def test_summary_says_only_what_keeps_the_customer_from_it(self):
        rule = {'policy_id': self.policy.id, 'customer_text': "Underwear cannot be returned."}
        excluded = {**rule, 'kind': 'excluded', 'outcome': 'refuse'}
        other = self._create_product("Underwear")
        self.env['sale.return.rule'].create(
            {**excluded, 'product_ids': [Command.set(other.ids)], 'name': "Hygiene"}
        )
        summary = self._ask({self.line: 1})
        self.assertNotIn("Underwear", self._text(summary))

    def test_summary_shows_deductions_of_the_engine(self):
        self._create_policy(restocking_fee_percent=10)
        reason = {f'reason_{self.line.id}': self.reason_changed_mind.id}
        summary = self._ask({self.line: 1}, **reason)
        text = self._text(summary, 'o_sale_return_estimate')
        self.assertIn("Restocking fee", text)
        self.assertIn('$ 108.90', text)

    def test_replacement_is_asked_for_and_costs_nothing(self):
        summary = self._ask({self.line: 1}, **{f'wish_{self.line.id}': 'replace'})
        self.assertIn("Nothing is refunded", self._text(summary))
        self._send(summary)
        self.assertEqual(self._returns().line_ids.resolution, 'replace')

    def test_pages_say_nothing_that_is_ours(self):
        self.order.order_line.product_id.standard_price = 4711.11
        self.order.note = "INTERNAL"
        summary = self._ask({self.line: 1})
        pages = [self._open(self._url()), self._choose({self.line: 1}), summary]
        pages.append(self._send(summary))
        for page in pages:
            text = html.tostring(page, encoding='unicode')
            for secret in ('4711', 'Stranger', 'verdict', self.policy.name + '”'):
                self.assertNotIn(secret, text)

    # === WHO === #

    def test_stranger_and_guest_are_refused_alike(self):
        draft_page = self._ask({self.line: 1})
        draft = self._returns()
        urls = [
            self._url(),
            self._url(page='/details'),
            self._url(page=f'/{draft.id}'),
            self._url(page=f'/{draft.id}/sent'),
            '/my/orders/999999999/return',
        ]
        for user in (self.stranger, None):
            self._log_in(user)
            answers = {self._text(self._open(url, status=403)) for url in urls}
            self.assertEqual(len(answers), 1, "no answer tells what exists")
        action, values = self._form(draft_page)
        self._log_in(self.stranger)
        values['csrf_token'] = Request.csrf_token(self)
        self._post(action, values, status=403)
        self.assertEqual(draft.state, 'draft')

    def test_colleague_of_the_same_company_may_ask(self):
        self._log_in(self.colleague)
        self._send(self._ask({self.line: 1}))
        self.assertEqual(self._returns().partner_id, self.customer)

    def test_employee_without_role_does_not_ask_in_the_customers_name(self):
        salesman = self._create_user('returns_sales', 'sales_team.group_sale_salesman_all_leads')
        salesman.sudo().password = salesman.login
        self._log_in(salesman)
        self._open(self._url(), status=403)

    def test_order_of_somebody_else_is_not_reached_through_the_own_one(self):
        other = self._create_sale(partner_id=self.stranger.partner_id.id)
        answer = self._ask({self.line: 1, other.order_line: 1})
        self.assertIn("does not belong to order", self._error(answer))
        self.assertFalse(self._returns())

    def test_request_of_another_order_is_not_shown(self):
        other = self._create_sale()
        self._ask({other.order_line: 1}, order=other)
        draft = self._returns()
        self._open(self._url(page=f'/{draft.id}'), status=403)
        clerks = self._create_return(self.order, 1, submit=False)
        self._open(self._url(page=f'/{clerks.id}'), status=403)

    def test_link_opens_the_request_until_it_expires(self):
        token = self.order._get_return_token()
        self._log_in(None)
        summary = self._ask({self.line: 1}, token=token)
        self._send(summary)
        self.assertEqual(self._returns().state, 'approved')
        other = self._create_sale()
        self._open(self._url(other, token=token), status=403)
        days = self.company.sale_return_link_days
        with freeze_time(fields.Datetime.now() + timedelta(days=days, minutes=1)):
            self._open(self._url(token=token), status=403)
        for forged in (token[:-1], token[:-4] + 'AAAA', '', 'é', 'AQ', 'x' * 5000):
            self._open(self._url(token=forged), status=403)

    def test_link_of_the_order_asks_for_a_while(self):
        token = self.order._portal_ensure_token()
        self._log_in(None)
        self._open(self._url(token=token))
        days = self.company.sale_return_link_days
        with freeze_time(fields.Datetime.now() + timedelta(days=days, minutes=1)):
            self._open(self._url(token=token), status=403)

    def test_company_that_takes_no_requests_online(self):
        token = self.order._get_return_token()
        self._configure(sale_return_portal=False)
        self._open(self._url(), status=403)
        self._log_in(None)
        self._open(self._url(token=token), status=403)

    # === BAD INPUT === #

    def test_quantity_edited_in_the_page_source(self):
        for quantity, sentence in {
            '11': "Up to 10 Units of",
            '-1': "Enter how many",
            'nan': "Enter how many",
            'inf': "Enter how many",
            'many': "Enter how many",
            '0': "Enter how many",
            '1e300': "Up to 10",
            '0.001': "Enter how many",
        }.items():
            with self.subTest(quantity=quantity):
                page = self._ask({self.line: 1}, **{f'q_{self.line.id}': quantity})
                self.assertIn(sentence, self._error(page))
        self.assertFalse(self._returns())

    def test_values_that_no_form_of_ours_has(self):
        fraud = self.env['sale.return.reason'].create(
            {'name': "Fraud", 'code': 'FRAUD', 'root_cause': 'fraud'}
        )
        for name, value, sentence in (
            (f'reason_{self.line.id}', fraud.id, "cannot be returned for this reason"),
            (f'reason_{self.line.id}', 999999999, "cannot be returned for this reason"),
            (f'reason_{self.line.id}', '1 OR 1=1', "give a reason"),
            (f'wish_{self.line.id}', 'none', "Choose what you want"),
            ('form_key', 'x', "open for too long"),
            ('form_key', self.order._get_return_token(), "open for too long"),
        ):
            with self.subTest(name=name, value=value):
                page = self._ask({self.line: 1}, **{name: value})
                self.assertIn(sentence, self._error(page))
        self.assertFalse(self._returns())

    def test_nothing_chosen(self):
        page = self._choose({self.line: 0})
        self.assertIn("Enter how many", self._error(page))

    def test_returned_meanwhile(self):
        summary = self._ask({self.line: 6})
        self._create_return(self.order, 5)
        answer = self._send(summary)
        self.assertIn("Up to 5 Units of", self._error(answer))
        self.assertEqual(self._returns().filtered('portal_kind').state, 'draft')

    def test_window_is_looked_at_again_when_it_is_sent(self):
        rule = {'policy_id': self.policy.id, 'kind': 'window', 'outcome': 'refuse'}
        self.env['sale.return.rule'].create(rule)
        summary = self._ask({self.line: 1})
        with freeze_time(fields.Datetime.now() + timedelta(days=31)):
            self._log_in(self.jane)
            action, values = self._form(summary)
            values['csrf_token'] = Request.csrf_token(self)
            answer = self._post(action, values)
            self.assertIn("cannot be returned any more", self._error(answer))
        self.assertEqual(self._returns().state, 'draft')

    def test_rule_about_the_quantity_refuses_at_the_summary(self):
        self.env['sale.return.rule'].create(
            {'policy_id': self.policy.id, 'kind': 'quantity', 'outcome': 'refuse', 'quantity': 3}
        )
        summary = self._ask({self.line: 4})
        self.assertIn("at most 3", self._text(summary))
        self.assertFalse(summary.xpath("//button[contains(., 'Send request')]"))
        answer = self._send(summary)
        self.assertIn("Please change your request", self._error(answer))
        self.assertEqual(self._returns().state, 'draft')

    def test_double_click_and_back_make_one_return(self):
        key = self.order._get_return_form_key()
        self._ask({self.line: 2}, key=key)
        summary = self._ask({self.line: 3}, key=key)
        self.assertEqual(self._returns().line_ids.qty_requested, 3)
        self._send(summary)
        last = self._send(summary)
        self.assertIn("Your request has been sent", self._text(last))
        again = self._ask({self.line: 2}, key=key)
        self.assertIn("Your request has been sent", self._text(again))
        self.assertEqual(self._returns().line_ids.qty_requested, 3)
        self.assertEqual(len(self._returns()), 1)
        back = self._open(self._url(page=f'/{self._returns().id}'))
        self.assertIn("Your request has been sent", self._text(back))

    def test_forms_without_their_token_are_refused(self):
        values = self._prepare_details({self.line: 2})
        values.pop('csrf_token')
        with mute_logger('odoo.http'):
            self._post(self._url(page='/details'), values, status=400)
        self.assertFalse(self._returns())

    def test_customer_with_many_open_requests_waits(self):
        self._configure(sale_return_request_limit=2)
        self._create_return(self.order, 1)  # of a clerk: does not count
        for _request in range(2):
            self._send(self._ask({self.line: 1}))
        answer = self._send(self._ask({self.line: 1}))
        self.assertIn("You have 2 returns under way", self._error(answer))
        self._returns().filtered(lambda r: r.portal_kind and r.state == 'approved')[
            :1
        ].action_cancel()
        self._send(answer)
        self.assertNotIn('draft', self._returns().mapped('state'))

    def test_requests_begun_and_never_sent_are_deleted(self):
        self._ask({self.line: 1}, photos=[(f'photos_{self.line.id}', ('a.jpg', photo()))])
        draft = self._returns()
        clerks = self._create_return(self.order, 1, submit=False)
        self.env['sale.return'].sudo()._gc_portal_drafts()
        self.assertTrue(draft.exists())
        self.env.cr.execute("UPDATE sale_return SET write_date = now() - interval '3 days'")
        self.env.invalidate_all()
        self.env['sale.return'].sudo()._gc_portal_drafts()
        self.assertEqual((draft | clerks).exists(), clerks)

    # === PHOTOS === #

    def _add_photos(self, *photos):
        field = f'photos_{self.line.id}'
        return self._ask({self.line: 1}, photos=[(field, one) for one in photos])

    def test_photo_is_kept_on_the_line_without_its_place(self):
        raw = photo()
        self.assertIn(b'taken at home', raw)
        self._send(self._add_photos(('C:\\me\\lamp.jpg', raw)))
        file = self._returns().line_ids.file_ids
        self.assertEqual((file.name, file.locked, file.user_id), ('lamp.jpg', True, self.jane))
        kept = file.sudo().attachment_id
        self.assertEqual((kept.res_model, kept.res_id), ('sale.return.file', file.id))
        self.assertNotIn(b'taken at home', kept.raw)
        self.assertFalse(Image.open(io.BytesIO(kept.raw)).getexif())

    def test_photo_is_demanded_where_the_reason_needs_it(self):
        self.reason_defective.photo_required = True
        page = self._choose({self.line: 1})
        self.assertIn("needed for: " + self.reason_defective.display_name, self._text(page))
        self.assertIn("please add 1 photo", self._error(self._ask({self.line: 1})))
        self.assertFalse(self._returns())
        self._send(self._add_photos(('lamp.jpg', photo())))
        self.assertEqual(self._returns().state, 'approved')

    def test_files_that_are_no_photos(self):
        for name, raw, sentence in (
            ('empty.jpg', b'', "empty.jpg is empty"),
            ('virus.jpg', b'MZ\x90\x00\x03' + bytes(200), "is not a photo or video"),
            ('page.jpg', b'<html><script>alert(1)</script></html>', "is not a photo or video"),
            ('torn.jpg', photo()[:300], "could not be decoded"),
            ('paper.pdf', b'%PDF-1.4\n%%EOF', "is not a photo"),
            ('large.jpg', photo() + bytes(MAX_SIZE), "larger than 10 MB"),
        ):
            with self.subTest(name=name):
                self.assertIn(sentence, self._error(self._add_photos((name, raw))))
        self.assertFalse(self._returns())

    # === VIDEOS === #

    def _get_kept(self):
        return self._returns().line_ids.file_ids.sudo()

    def test_videos_are_kept_as_they_came_and_never_decoded(self):
        videos = {
            'a.mp4': (MP4 + bytes(3000), 'video/mp4'),
            'b.webm': (WEBM + bytes(3000), 'video/webm'),
        }
        with patch.object(Image, 'open', side_effect=AssertionError("decoded")):
            self._send(self._add_photos(*[(name, raw) for name, (raw, _kind) in videos.items()]))
        for file in self._get_kept():
            raw, kind = videos[file.name]
            attachment = file.attachment_id
            self.assertEqual((attachment.raw, attachment.mimetype), (raw, kind))
            self.assertEqual((file.mimetype, file.locked), (kind, True))
            self.assertFalse(attachment.public)
            answer = self.url_open(f'/my/returns/{file.return_id.id}/files/{file.id}')
            self.assertEqual(answer.content, raw)
            self.assertEqual(answer.headers['Content-Type'], kind)
            self.assertTrue(answer.headers['Content-Disposition'].startswith('attachment'))
            self.assertEqual(answer.headers['X-Content-Type-Options'], 'nosniff')
            self.assertIn("default-src 'none'", answer.headers['Content-Security-Policy'])

    def test_video_of_a_telephone_is_larger_than_a_photo_may_be(self):
        raw = MOV + bytes(MAX_SIZE)
        self._send(self._add_photos(('IMG_1.MOV', raw)))
        self.assertEqual(self._get_kept().size, len(raw))
        self.assertEqual(self._get_kept().mimetype, 'video/quicktime')

    def test_files_that_are_no_videos(self):
        for name, raw, sentence in (
            ('page.mp4', b'<html><script>alert(1)</script></html>', "is not a photo or video"),
            ('song.m4a', b'\x00\x00\x00\x20ftypM4A ' + bytes(200), "song.m4a is"),
            ('film.mkv', WEBM.replace(b'\x84webm', b'\x88matroska') + bytes(200), "film.mkv is"),
            ('large.mp4', MP4 + bytes(MAX_VIDEO_SIZE), "larger than 50 MB"),
        ):
            with self.subTest(name=name):
                self.assertIn(sentence, self._error(self._add_photos((name, raw))))
        self.assertFalse(self._returns())

    def test_third_video_is_refused_before_any_is_read(self):
        videos = [(f'{number}.mp4', MP4 + bytes([number])) for number in range(3)]
        service = type(self.env['sale.return.portal.request'])
        with patch.object(service, '_prepare_draft', side_effect=AssertionError("read")):
            self.assertIn("You chose 3 videos", self._error(self._add_photos(*videos)))
        order = self.order.with_user(self.jane).sudo()
        choice = {
            'line_id': self.line.id,
            'quantity': 1,
            'reason_id': self.reason_defective.id,
            'resolution': 'refund',
            'photos': [{'name': name, 'raw': raw} for name, raw in videos],
        }
        with self.assertRaisesRegex(RequestRefused, "You chose 3 videos"):
            self.env['sale.return.portal.request'].sudo()._prepare_draft(order, [choice], 'k')

    def test_eleven_photos(self):
        photos = [(f'{number}.jpg', photo()) for number in range(11)]
        self.assertIn("You chose 11 photos", self._error(self._add_photos(*photos)))
        self.assertFalse(self._returns())

    # === COST === #

    def test_offer_asks_once_for_reasons_that_make_no_difference(self):
        offer = self.env['sale.return.portal.offer'].sudo()
        order = self.order.sudo()
        with patch.object(
            type(offer), '_evaluate', autospec=True, side_effect=type(offer)._evaluate
        ) as evaluate:
            offer._get_offer(order)
        self.assertEqual(evaluate.call_count, 1)
        self._create_policy(reason_ids=[Command.set(self.reason_defective.ids)])
        with patch.object(
            type(offer), '_evaluate', autospec=True, side_effect=type(offer)._evaluate
        ) as evaluate:
            offer._get_offer(order)
        self.assertEqual(evaluate.call_count, 2)
