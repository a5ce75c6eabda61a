"""Programs, and only they, are notified of what happens; the example client of the docs."""

import importlib.util
import json
import threading
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from unittest.mock import patch

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.sale_return.tools import outbound

from ..common import SaleReturnCommon
from ..common_http import PatientHttpCase

PATH = Path(__file__).parents[2] / 'docs' / 'client.py'
SPEC = importlib.util.spec_from_file_location('sale_return_client', PATH)
client = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(client)


class Receiver(BaseHTTPRequestHandler):
    """A program that is called; it answers what the test wants."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        self.server.calls.append((dict(self.headers), body))
        self.send_response(self.server.status)
        self.send_header('Location', '/elsewhere')
        self.end_headers()

    def log_message(self, *args):
        """Override of `http.server` to be quiet."""


class HookCommon(SaleReturnCommon):
    def setUp(self):
        super().setUp()
        self.server = HTTPServer(('127.0.0.1', 0), Receiver)
        self.server.calls, self.server.status = [], 200
        thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)

    def _make_hook(self, private=True, **values):
        self.env['ir.config_parameter'].sudo().set_param('sale_return.private_hooks', private)
        url = f'http://127.0.0.1:{self.server.server_port}/in?a=1'
        return self.env['sale.return.hook'].create({'name': "Hook", 'url': url, **values})

    @mute_logger('odoo.addons.sale_return.models.outbox.sale_return_hook_delivery')
    def _send(self):
        with self.enter_registry_test_mode():
            self.env.ref('sale_return.ir_cron_call_hooks').sudo().method_direct_trigger()
        self.env.invalidate_all()


@tagged('post_install', '-at_install')
class TestHooks(HookCommon):
    ready_sales = 1

    def test_events_are_told_once_and_signed(self):
        hook = self._make_hook(kinds="state")
        sale_return = self._create_return(self._create_sale(), 1)
        self.assertEqual(set(hook.delivery_ids.mapped('state')), {'waiting'})
        self._send()
        self._send()
        bodies = [json.loads(body) for _headers, body in self.server.calls]
        self.assertEqual(
            [(body['state_from'], body['state_to']) for body in bodies],
            [('draft', 'submitted'), ('submitted', 'approved')],
        )
        self.assertEqual(bodies[0]['return']['name'], sale_return.name)
        self.assertEqual(set(hook.delivery_ids.mapped('state')), {'sent'})
        for headers, body in self.server.calls:
            self.assertTrue(client.is_genuine(hook.secret, headers, body))
            self.assertFalse(client.is_genuine(hook.secret, headers, body + b' '))
            self.assertFalse(client.is_genuine(hook.secret, headers, body, now=1))

    def test_silence_is_waited_for_and_ends_in_the_list(self):
        self.server.status = 500
        hook = self._make_hook(kinds="state")
        self._create_return(self._create_sale(), 1)
        self._send()
        # One that does not answer is called once in a run.
        self.assertEqual(len(self.server.calls), 1)
        first = hook.delivery_ids.sudo().sorted('id')[0]
        self.assertEqual((first.state, first.attempts), ('waiting', 1))
        self.assertGreater(first.date_next, datetime.now())
        for _attempt in range(11):
            first._send()
        self.assertEqual((first.state, hook.dead_count), ('dead', 1))
        self.server.status = 200
        first.sudo(False).action_retry()
        self._send()
        self.assertEqual(first.state, 'sent')
        clerk = self._create_user('hook_clerk', 'sale_return.group_approver')
        with self.assertRaises(AccessError):
            first.sudo(False).with_user(clerk).action_retry()
        with self.assertRaises(AccessError):
            hook.with_user(clerk).read(['secret'])

    def test_gone_and_elsewhere(self):
        hook = self._make_hook(kinds="state")
        self._create_return(self._create_sale(), 1)
        first, second = hook.delivery_ids.sudo().sorted('id')
        self.server.status = 302  # not followed: it could lead anywhere
        self.assertFalse(first._send())
        self.assertEqual((first.state, len(self.server.calls)), ('waiting', 1))
        self.server.status = 410
        second._send()
        self.assertEqual(second.state, 'dead')

    def test_own_network_is_not_called(self):
        hook = self._make_hook(private=False, kinds="state")
        self._create_return(self._create_sale(), 1)
        with patch.object(outbound.socket, 'getaddrinfo') as ask:
            ips = ('127.0.0.1', '169.254.169.254', '10.1.2.3', '::1', '::127.0.0.1', 'fec0::1')
            for number, ip in enumerate(ips):
                ask.return_value = [(0, 0, 0, '', ('8.8.8.8', 80)), (0, 0, 0, '', (ip, 80))]
                delivery = hook.delivery_ids.sudo()[number % 2]
                delivery.state = 'waiting'
                self.assertFalse(delivery._send())
                self.assertIn("own network", delivery.error)
                self.assertEqual(delivery.state, 'dead')
        self.assertFalse(self.server.calls)
        for url in ('ftp://example.com', 'https://me:pw@example.com', 'file:///etc/passwd', 'x'):
            with self.assertRaises(ValidationError):
                hook.url = url
        with self.assertRaisesRegex(ValidationError, 'nonsense'):
            hook.kinds = "state, nonsense"

    def test_strangers_to_hooks_read_no_secret(self):
        hook = self._make_hook()
        boss = self._create_user('hook_boss', 'sale_return.group_manager')
        self.assertTrue(hook.with_user(boss).secret)
        others = [
            self._create_user(f'hook {role}', 'base.group_user', role)
            for role in (
                'sale_return.group_approver',
                'sales_team.group_sale_manager',
                'account.group_account_manager',
            )
        ]
        for user in others:
            with self.subTest(user.login):
                for method, args in (
                    ('read', [['secret']]),
                    ('write', [{'url': 'https://example.com/'}]),
                    ('copy', []),
                ):
                    with self.assertRaises(AccessError):
                        self._call(user, hook, method, *args)
                with self.assertRaises(AccessError):
                    hook.with_user(user).search([('secret', '=like', 'a%')])

    def test_nothing_is_asked_where_nobody_listens(self):
        order = self._create_sale()
        draft = self._create_return(order, 1, submit=False)
        events = self.env['sale.return.event']
        deliveries = self.env['sale.return.hook.delivery']
        deliveries._queue(events._log([{'return_id': draft.id, 'kind': 'reminded'}]))
        event = events._log([{'return_id': draft.id, 'kind': 'reminded'}])
        self.env.flush_all()
        with self.assertQueryCount(0):
            deliveries._queue(event)
        self.assertFalse(deliveries.sudo().search([]))


@tagged('post_install', '-at_install')
class TestClient(SaleReturnCommon, PatientHttpCase):
    without_scripts = True

    def test_example_client_brings_and_follows(self):
        self.product.default_code = 'LAMP'
        channel = self.env['sale.return.channel'].create({'name': "Shop"})
        self._create_sale(client_order_ref='A1')
        clerk = self._create_user('client_clerk', 'sale_return.group_user')
        keys = clerk.with_user(clerk).env['res.users.apikeys']
        key = keys._generate('rpc', 'client', datetime.now() + timedelta(hours=1))
        self.authenticate(None, None)
        mine = client.Client(self.base_url(), key, channel.id, session=self.opener)
        row = {'key': 'R1', 'order': 'A1', 'lines': [{'sku': 'LAMP', 'quantity': 2}]}
        statuses = [each['status'] for each in mine.bring([row] * 2)]
        self.assertEqual(statuses, ['created', 'unchanged'])
        self.assertEqual([each['status'] for each in mine.bring([row])], ['unchanged'])
        ((rows, since),) = mine.follow()
        self.assertEqual([each['key'] for each in rows], ['R1'])
        ((rows, since),) = mine.follow(since)
        self.assertFalse(rows)
        with mute_logger('odoo.http'), self.assertRaisesRegex(RuntimeError, "too many"):
            list(mine.bring([row] * 1001, size=1001))
