# pylint: disable=translation-required
"""Requests from outside are counted in one place, and too many are refused."""

import io
import json
import struct
import zlib
from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time
from lxml import html
from PIL import Image

from odoo import fields
from odoo.exceptions import UserError
from odoo.http import Request
from odoo.sql_db import Cursor
from odoo.tests import new_test_user, tagged
from odoo.tools import config, mute_logger

from ...models.portal import sale_return_portal_gate as gate
from ..common_portal import PortalHttpCommon, photo

GATE = 'odoo.addons.sale_return.models.portal.sale_return_portal_gate'


class GateCommon(PortalHttpCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Tests must not depend on the end of an hour or a day.
        cls.frozen = freeze_time(fields.Datetime.now().replace(hour=12, minute=5), tick=True)

    def _ask_link(self, email='jane@example.com', address='203.0.113.9', status=200, **headers):
        """Ask for a link as a visitor with an address on the internet; return the page."""
        values = {
            'csrf_token': Request.csrf_token(self),
            'order_ref': self.order.name,
            'email': email,
        }
        with self._come_from(address, **headers):
            response = self.url_open('/returns', data=values, headers=headers)
        return self._read(response, status)

    @contextmanager
    def _come_from(self, address, **headers):
        """Have all requests come from an address, as the server sees it."""
        with patch(f'{GATE}.get_visitor', self._see(address)):
            yield

    def _see(self, address):
        original = gate.get_visitor
        return lambda _remote, **values: original(address, **values)

    def _count_questions(self):
        return self.env['sale.return.portal.link'].sudo().search_count([])

    def _set_ceilings(self, **points):
        changed = {
            scope: ceiling._replace(points=points.get(scope, ceiling.points))
            for scope, ceiling in gate.CEILINGS.items()
        }
        self.patch(gate, 'CEILINGS', changed)


@tagged('post_install', '-at_install')
class TestPortalGate(GateCommon):
    """Visitors, links, orders, and all of them together."""

    def test_door_takes_three_queries(self):
        """For an anonymous visitor with a link of an order: all counters."""
        keys = {'visitor': 'v', 'link': 'l', 'order': 'o', 'proxy': None}
        door = self.env['sale.return.portal.gate']
        executed = []
        execute = Cursor.execute

        def note(cr, query, *args, **kwargs):
            executed.append(query)
            return execute(cr, query, *args, **kwargs)

        for _time in range(2):
            # The first call fills Odoo's caches.
            executed.clear()
            with patch.object(Cursor, 'execute', note):
                self.assertIsNone(door._count(keys, 4, stranger=True))
        asked = [str(query) for query in executed if 'SAVEPOINT' not in str(query)]
        self.assertLessEqual(len(asked), 3, asked)

    def test_visitor_asks_twenty_times_an_hour(self):
        self._log_in(None)
        with self.frozen as clock:
            for number in range(20):
                self._ask_link(f'{number}@example.com')
            before = self._count_questions()
            page = self._ask_link('more@example.com', status=429)
            self.assertIn("Too many requests came", self._error(page))
            self.assertEqual(self._count_questions(), before)
            self._ask_link('more@example.com', address='203.0.113.10')
            clock.tick(timedelta(hours=1))
            self._ask_link('more@example.com')

    def test_ipv6_is_counted_by_network(self):
        self._log_in(None)
        self._set_ceilings(visitor=20)
        with self.frozen:
            self._ask_link('a@example.com', '2001:db8:1:2::1')
            self._ask_link('b@example.com', '2001:db8:1:2::2')
            self._ask_link('c@example.com', '2001:db8:1:2:ffff::3', status=429)
            self._ask_link('c@example.com', '2001:db8:1:3::1')

    def test_visitors_behind_a_proxy_that_is_not_trusted_do_not_shut_each_other_out(self):
        self._log_in(None)
        self._set_ceilings(visitor=20)
        forwarded = {'X-Forwarded-For': '203.0.113.9'}
        with self.frozen, mute_logger(GATE):
            for number in range(4):
                self._ask_link(f'{number}@example.com', '127.0.0.1', **forwarded)
            with patch.dict(config.options, proxy_mode=True):
                for number in range(2):
                    self._ask_link(f'{number}@example.com', '127.0.0.1', **forwarded)
                self._ask_link('more@example.com', '127.0.0.1', status=429, **forwarded)

    def test_proxy_that_is_not_trusted_is_warned_of(self):
        self._log_in(None)
        with self.frozen, self.assertLogs(GATE, 'WARNING') as logs:
            for number in range(3):
                self._ask_link(f'{number}@example.com', '10.0.0.1', **{'X-Forwarded-For': 'x'})
        self.assertEqual(len(logs.output), 1)
        self.assertIn("proxy_mode is off", logs.output[0])

    def test_all_strangers_together_have_a_ceiling_and_raise_one_alarm(self):
        self.env['ir.config_parameter'].sudo().set_param(gate.CEILING_PARAMETER, '50')
        manager = new_test_user(
            self.env(su=True), login='gate_manager', groups='sale_return.group_manager'
        )
        self.patch(type(self.env['sale.return.portal.gate']), '_get_watchers', lambda _s: manager)
        self._log_in(None)
        with self.frozen, mute_logger(GATE):
            for number in range(5):
                self._ask_link(f'{number}@example.com', f'203.0.113.{number}')
            for number in range(5, 8):
                self._ask_link(f'{number}@example.com', f'203.0.113.{number}', status=429)
            activity = self.env['mail.activity'].sudo().search([('user_id', '=', manager.id)])
            self.assertEqual(len(activity), 1)
            self.assertIn("more than 50 points", activity.note)
            # Logged-in users are served.
            self._log_in(self.jane)
            self._ask({self.order.order_line: 1}, photos=[self._photo()])
            self.assertEqual(len(self._returns()), 1)

    def test_what_one_visitor_sends_too_much_does_not_count_for_the_others(self):
        self.env['ir.config_parameter'].sudo().set_param(gate.CEILING_PARAMETER, '60')
        self._set_ceilings(visitor=20)
        self._log_in(None)
        with self.frozen:
            for number in range(2):
                self._ask_link(f'{number}@example.com')
            for number in range(10):
                self._ask_link(f'{number}@example.com', status=429)
            self._ask_link('other@example.com', '198.51.100.1')

    def test_managers_are_watchers(self):
        watchers = self.env['sale.return.portal.gate']._get_watchers()
        self.assertIn(self.env.ref('base.user_admin'), watchers)
        self.assertLessEqual(len(watchers), 3)

    def _photo(self):
        return f'photos_{self.order.order_line.id}', ('damage.jpg', photo())

    def test_video_has_the_price_of_a_video_whatever_it_is_called(self):
        prices = []
        gate_model = type(self.env['sale.return.portal.gate'])
        with patch.object(gate_model, '_pass', lambda _self, acts, **_more: prices.append(acts)):
            for name in ('lamp.mp4', 'lamp.jpg'):
                line = self.order.order_line
                field = f'photos_{line.id}'
                raw = b'\x00\x00\x00\x20ftypisom' + bytes(90) + name.encode()
                self._log_in(self.jane)
                values = self._prepare_details({line: 1})
                self._post(self._url(page='/details'), values, photos=[(field, (name, raw))])
        self.assertEqual(prices, [{'draft': 1, 'picture': 0, 'video': 1}] * 2)
        self.assertGreater(gate.PRICES['video'], gate.PRICES['picture'])

    def test_drafts_and_pictures_have_prices(self):
        token = self.order._get_return_token()
        self._log_in(None)
        self._set_ceilings(link=16)  # two drafts of 4, a picture of 2 with each
        line = self.order.order_line
        with self.frozen:
            for _number in range(2):
                self._ask({line: 1}, token=token, photos=[self._photo()])
            values = self._prepare_details({line: 1}, token=token)
            page = self._post(self._url(page='/details'), values, [self._photo()], status=429)
        self.assertIn("Too many requests", self._error(page))
        self.assertEqual(len(self._returns()), 2)

    def test_refused_requests_count(self):
        token = self.order._get_return_token()
        self._log_in(None)
        self._set_ceilings(link=8)
        values = self._prepare_details({self.order.order_line: 99}, token=token)
        with self.frozen:
            for _number in range(2):
                self.assertIn("Up to", self._error(self._post(self._url(page='/details'), values)))
            self._post(self._url(page='/details'), values, status=429)

    def test_order_is_counted_for_all_who_may_see_it(self):
        self._set_ceilings(order=8)
        line = self.order.order_line
        with self.frozen:
            self._log_in(self.jane)
            self._ask({line: 1})
            self._log_in(self.colleague)
            self._ask({line: 1})
            self._log_in(None)
            token = self.order._get_return_token()
            values = self._prepare_details({line: 1}, token=token)
            self._post(self._url(page='/details'), values, status=429)

    def test_messages_and_acts_on_a_return_have_prices(self):
        sale_return = self._create_return(self.order, 1)
        token = sale_return._portal_ensure_token()
        self._log_in(None)
        self._set_ceilings(link=12)
        path = f'/my/returns/{sale_return.id}'
        with self.frozen:
            for number in range(2):
                self._post_message(sale_return, token, f"Message {number}")
            data = {'csrf_token': Request.csrf_token(self), 'tracking_ref': '?'}
            response = self.url_open(f'{path}/dispatch?access_token={token}', data=data)
            self.assertEqual(response.status_code, 200)
            response = self.url_open(f'{path}/dispatch?access_token={token}', data=data)
            self.assertEqual(response.status_code, 429)
            error = self._post_message(sale_return, token, "One too many").get('error')
            self.assertIn("Too many requests", error['data']['message'])
        bodies = str(sale_return.message_ids.mapped('body'))
        self.assertIn("Message 1", bodies)
        self.assertNotIn("One too many", bodies)

    def _post_message(self, sale_return, token, body):
        params = {
            'thread_model': 'sale.return',
            'thread_id': sale_return.id,
            'post_data': {'body': body},
            'token': token,
        }
        with mute_logger('odoo.http'):
            response = self.url_open(
                '/mail/message/post',
                data=json.dumps({'params': params}),
                headers={'Content-Type': 'application/json'},
            )
        return response.json()

    def test_our_people_and_jobs_are_not_counted(self):
        self.env['sale.return.portal.gate']._pass({'question': 1_000_000})
        self.assertFalse(self.env['sale.return.portal.gate'].sudo().search([]))

    def test_counters_name_nobody_and_go(self):
        self._log_in(None)
        with self.frozen:
            self._ask_link()
        counters = self.env['sale.return.portal.gate'].sudo().search([])
        self.assertGreaterEqual(len(counters), 3)
        for text in ('203.0.113', 'jane', self.order.name):
            self.assertNotIn(text, str(counters.mapped('key')))
        with freeze_time(fields.Datetime.now() + timedelta(days=4)):
            counters._gc_counters()
        self.assertFalse(counters.exists())

    def test_captcha_is_verified_where_there_is_one(self):
        self._log_in(None)
        http = self.env.registry['ir.http']

        def verify(_self, action):
            self.assertEqual(action, 'sale_return_question')
            raise UserError("You seem to be a robot.")

        self.patch(http, '_verify_request_recaptcha_token', verify)
        page = self._ask_link()
        self.assertIn("You seem to be a robot.", self._error(page))
        self.assertFalse(self._count_questions())
        form = self._find(page, 'o_sale_return_form', 'form')[0]
        self.assertEqual(form.get('data-captcha'), 'sale_return_question')

    def test_what_exists_costs_no_more_than_what_does_not(self):
        """The same answer, and the same order of magnitude of work."""
        self._log_in(None)
        counts, answers = {}, {}
        with self.frozen:
            for name, order_id in [('warm', 1), ('real', self.order.id), ('none', 2**31 - 1)]:
                counter = self.env.cr.sql_log_count
                response = self.url_open(f'/my/orders/{order_id}/return?access_token=wrong')
                counts[name] = self.env.cr.sql_log_count - counter
                answers[name] = (response.status_code, self._text(self._read(response, 403)))
        self.assertEqual(answers['real'], answers['none'])
        self.assertLessEqual(abs(counts['real'] - counts['none']), 8)

    def test_what_is_of_others_costs_as_much_as_what_does_not_exist(self):
        """For customers with a login, who could tell by the time which numbers are in use."""
        stranger = self._create_customer("Stranger")
        order = self._create_sale(partner_id=stranger.id)
        sale_return = self._create_return(order, 1)
        self._log_in(self.jane)
        for path, own_id in (
            ('/my/returns/%s', sale_return.id),
            ('/my/orders/%s/return', order.id),
        ):
            counts, answers = {}, {}
            # Now and then a request does more, such as to log the device: the least counts.
            for name, row_id in [('other', own_id), ('none', 2**31 - 1)] * 3:
                counter = self.env.cr.sql_log_count
                response = self.url_open(path % row_id)
                count = self.env.cr.sql_log_count - counter
                counts[name] = min(count, counts.get(name, count))
                answers[name] = (response.status_code, self._text(html.fromstring(response.text)))
            with self.subTest(path):
                self.assertEqual(answers['other'], answers['none'])
                self.assertLessEqual(abs(counts['other'] - counts['none']), 1)


@tagged('post_install', '-at_install')
class TestPortalPictures(GateCommon):
    """Pictures are measured before they are decoded, and drafts do not pile up."""

    def _photos(self, count, size):
        stream = io.BytesIO()
        Image.new('L', size).save(stream, 'PNG')
        field = f'photos_{self.order.order_line.id}'
        return [(field, (f'{number}.png', stream.getvalue())) for number in range(count)]

    def _ask_with(self, photos):
        values = self._prepare_details({self.order.order_line: 1})
        decoded = []
        load = Image.Image.load
        self.patch(Image.Image, 'load', lambda image: decoded.append(image.size) or load(image))
        page = self._post(self._url(page='/details'), values, photos)
        return self._error(page), decoded

    def test_many_large_pictures_are_refused_before_any_is_decoded(self):
        self._log_in(self.jane)
        with patch('odoo.addons.sale_return.models.document.sale_return_file.MAX_PIXELS', 10**6):
            error, decoded = self._ask_with(self._photos(10, (400, 300)))
        self.assertIn("have 1 megapixels together", error)
        self.assertFalse(decoded)
        self.assertFalse(self._returns())

    def test_file_that_claims_a_huge_picture_is_refused(self):
        self._log_in(self.jane)
        (field, (name, raw)) = self._photos(1, (4, 3))[0]
        bomb = bytearray(raw)
        bomb[16:24] = struct.pack('>II', 30_000, 30_000)
        bomb[29:33] = struct.pack('>I', zlib.crc32(bomb[12:29]))
        error, decoded = self._ask_with([(field, (name, bytes(bomb)))])
        self.assertIn("900 megapixels", error)
        self.assertFalse(decoded)

    def test_ten_photos_of_a_telephone_are_taken(self):
        """By what their headers say; decoding them would take a while."""
        twelve = 4000 * 3000
        service = self.env['sale.return.file']
        with patch(
            'odoo.addons.sale_return.models.document.sale_return_file.count_pixels',
            lambda _raw: twelve,
        ):
            service._check_pixels([{'name': 'a.jpg', 'raw': photo()}] * 10)
            with self.assertRaises(UserError):
                service._check_pixels([{'name': 'a.jpg', 'raw': photo()}] * 11)

    def test_of_an_order_some_drafts_are_kept(self):
        self._log_in(self.jane)
        for _number in range(7):
            self._ask({self.order.order_line: 1})
        drafts = self._returns()
        self.assertEqual(len(drafts), 5)
        self.assertEqual(set(drafts.mapped('state')), {'draft'})
