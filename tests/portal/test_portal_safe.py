# pylint: disable=translation-required
"""Nobody reaches data of others: every route of the module, and of Odoo.

A new route fails `test_every_route_is_walked` until it is in `ROUTES`.
"""

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from odoo import fields, http
from odoo.tests import tagged
from odoo.tools import mute_logger
from odoo.tools.misc import hash_sign

from odoo.addons.sale_return.models.portal.sale_order import LINK_SCOPE

from ..document.test_evidence import image
from .test_portal_follow import FollowCommon


@dataclass(frozen=True)
class Route:
    """How the owner calls a route.

    `ids` names the record for each part of the path, see
    `_create_records`; so do the names in braces in `data`, the fields of a form. `token` is the
    record whose link opens it, None where there is no link. `state` is what is done before, see
    `_prepare`.
    """

    method: str = 'GET'
    ids: dict = field(default_factory=dict)
    data: dict = field(default_factory=dict)
    token: str | None = 'sale_return'
    state: str = 'approved'
    # For all logged-in users: their own list.
    is_list: bool = False

    def get_keys(self):
        """Return the names of all records it takes."""
        inputs = re.findall(r'{(\w+)}', str(self.data))
        return {*self.ids.values(), *inputs} - {'one'}


RETURN = {'return_id': 'sale_return'}
ORDER = {'order_id': 'order'}
DRAFT = {'order_id': 'order', 'return_id': 'draft'}
ROUTES = {
    '/my/returns': Route(is_list=True, token=None),
    '/my/returns/page/<row:page>': Route(is_list=True, token=None, ids={'page': 'one'}),
    '/my/returns/<row:return_id>': Route(ids=RETURN),
    '/my/returns/<row:return_id>/dispatch': Route(
        'POST', ids=RETURN, data={'tracking_ref': "1Z999", 'carrier_name': "UPS"}
    ),
    '/my/returns/<row:return_id>/cancel': Route('POST', ids=RETURN),
    '/my/returns/<row:return_id>/appeal': Route(
        'POST', ids=RETURN, data={'comment': "It came like that."}, state='refused'
    ),
    '/my/returns/<row:return_id>/rate': Route(
        'POST', ids=RETURN, data={'rate': '5', 'feedback': "Fine."}, state='refused'
    ),
    '/my/returns/<row:return_id>/files/<row:file_id>': Route(ids={**RETURN, 'file_id': 'file'}),
    '/my/orders/<row:order_id>/return': Route(ids=ORDER, token='order'),
    '/my/orders/<row:order_id>/return/details': Route(
        'POST',
        ids=ORDER,
        data={'q_{line}': '1', 'reason_{line}': '{reason}', 'form_key': '{form_key}'},
        token='order',
    ),
    '/my/orders/<row:order_id>/return/<row:return_id>': Route(ids=DRAFT, token='order'),
    '/my/orders/<row:order_id>/return/<row:return_id>/send': Route(
        'POST', ids=DRAFT, token='order'
    ),
    '/my/orders/<row:order_id>/return/<row:return_id>/sent': Route(
        ids=DRAFT, token='order', state='sent'
    ),
    '/my/orders/<row:order_id>/withdraw': Route(ids=ORDER, token='order'),
    '/my/orders/<row:order_id>/withdraw/<row:withdrawal_id>': Route(
        ids={**ORDER, 'withdrawal_id': 'withdrawal'}, token='order'
    ),
}
# For everybody: it takes no ids and reveals nothing, see test_portal_guest.py.
PUBLIC = {'/returns', '/returns/policy'}
# Opened by the code on a delivery slip, or the link in a mail, see test_gift.py.
GIFTS = {
    '/returns/gift',
    '/returns/gift/ask',
    '/returns/gift/<row:return_id>',
    '/returns/gift/<row:return_id>/send',
}

# Visitors, and whether they may enter. `link` is a valid link, `expired` an expired one.
ALLOWED = ('customer', 'colleague', 'link')
DENIED = ('stranger', 'other customer', 'expired', 'wrong link', 'employee without role')
BY_LINK = ('link', 'expired', 'wrong link')

# Data that must never be revealed, on any page, in any file, in any answer.
COST = "61.37"
NOTE = "OUR-INTERNAL-NOTE"
EMPLOYEE = "Ophelia Employee"
OTHER = "Wanda Otherwise"
SECRETS = (COST, NOTE, EMPLOYEE)


class DoorsCommon(FollowCommon):
    """Returns of two customers, with secret data everywhere."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_policy(approval='always', appeal_days=10, sequence=-400, name=NOTE)
        cls.staff.sudo().partner_id.name = EMPLOYEE
        cls.stranger.sudo().partner_id.name = OTHER
        cls.product.standard_price = float(COST)
        cls.salesman = cls._create_user('returns_no_role', 'sales_team.group_sale_manager')
        for user in (cls.staff, cls.salesman):
            user.sudo().password = user.login
        foreign_order = cls._create_order(partner_id=cls.stranger.partner_id.id)
        cls._deliver(foreign_order)
        cls._invoice(foreign_order)
        cls.own = cls._create_records(cls.order, cls.jane)
        cls.foreign = cls._create_records(foreign_order, cls.stranger)
        cls.used = cls._create_used_return(cls.order)

    @classmethod
    def _create_records(cls, order, user):
        sale_return = cls._create_return(order, 1)
        file = (
            cls.env['sale.return.file']
            .with_user(user)
            .sudo()
            ._upload(sale_return, [{'name': f"{user.login}.png", 'raw': image()}])
        )
        sale_return.message_post(body=NOTE)
        sale_return.message_post(
            body=f"Public to {user.login}",
            message_type='comment',
            subtype_xmlid='mail.mt_comment',
        )
        return {
            'sale_return': sale_return,
            'order': order,
            'line': order.order_line,
            'reason': cls.reason_other,
            'form_key': order.sudo()._get_return_form_key(),
            'draft': cls._create_draft(order),
            'withdrawal': cls._create_withdrawal(order),
            'file': file,
            'one': 1,
        }

    @classmethod
    def _create_draft(cls, order):
        """Create an unsent request of a customer."""
        choice = {
            'line_id': order.order_line.id,
            'quantity': 1.0,
            'reason_id': cls.reason_other.id,
            'resolution': 'refund',
        }
        service = cls.env['sale.return.portal.request'].sudo()
        return service._prepare_draft(order.sudo(), [choice], f'walk-{order.id}')

    @classmethod
    def _create_withdrawal(cls, order):
        """Create a customer's statement about their order."""
        withdrawals = cls.env['sale.return.withdrawal'].sudo()
        statement = f"I withdraw from {order.name}."
        return withdrawals.create(
            {
                'order_id': order.id,
                'company_id': order.company_id.id,
                'partner_id': order.partner_id.id,
                'date': fields.Datetime.now(),
                'customer_name': order.partner_id.name,
                'email': 'somebody@example.com',
                'statement': statement,
                'sha256': withdrawals._prepare_hash(statement),
                'key': f'walk-{order.id}',
                'user_id': cls.env.uid,
            }
        )

    @classmethod
    def _create_used_return(cls, order):
        """Create a finished return, with an internal note everywhere."""
        sale_return = cls._create_return(order, 2)
        sale_return.action_approve(comment=NOTE)
        cls._receive(sale_return)
        result = {'disposition': 'restock', 'note': NOTE}
        cls._inspect(
            sale_return,
            {'quantity': 1, 'grade': 'A', **result},
            {'quantity': 1, 'grade': 'C', **result},
        )
        cls.env['sale.return.event']._log(
            [
                {'return_id': sale_return.id, 'kind': kind, 'reason': NOTE}
                for kind in ('override', 'credit_failed', 'not_charged', 'decision')
            ]
        )
        return sale_return

    def _prepare(self, state):
        sale_return = self.own['sale_return']
        if state == 'approved':
            sale_return.action_approve()
        elif state == 'refused':
            sale_return.action_refuse("Text for the customer.")
        elif state == 'sent':
            self.env['sale.return.portal.request'].sudo()._send(self.own['draft'])

    @contextmanager
    def _undone(self):
        """Roll back changes made inside, so that everybody finds the same."""
        self.env.flush_all()
        savepoint = self.env.cr.savepoint()
        try:
            yield
        finally:
            savepoint.rollback()
            self.env.invalidate_all()

    def _snapshot(self):
        """Return data of the returns that a visit could have changed."""
        self.env.invalidate_all()
        returns = (self.own['sale_return'] | self.foreign['sale_return'] | self.used).sudo()
        return (
            self._count_documents(),
            [
                (r.state, r.tracking_ref, r.carrier_name, len(r.rating_ids), len(r.appeal_ids))
                for r in returns
            ],
            self.env['mail.message'].sudo().search_count([('model', '=', 'sale.return')]),
            self.env['sale.return.file'].sudo().search_count([]),
        )

    def _token_of(self, record):
        if record._name == 'sale.order':
            return record.sudo()._get_return_token()
        return record.sudo()._portal_ensure_token()

    def _get_expired_token(self, record):
        if record._name == 'sale.order':
            partner = record.partner_id.commercial_partner_id
            over = timedelta(minutes=-1)
            return hash_sign(
                record.sudo().env, LINK_SCOPE, [record.id, partner.id], expiration=over
            )
        token = self._token_of(record)
        record.sudo().access_token_expiry = fields.Datetime.now() - timedelta(minutes=1)
        return token

    def _come(self, actor, route, records):
        """Log an actor in; return their token, if any."""
        users = {
            'customer': self.jane,
            'colleague': self.colleague,
            'other customer': self.stranger,
            'employee': self.staff,
            'employee without role': self.salesman,
        }
        self._login(users.get(actor))
        if not route.token or actor not in BY_LINK:
            return None
        if actor == 'expired':
            return self._get_expired_token(records[route.token])
        return self._token_of((self.foreign if actor == 'wrong link' else records)[route.token])

    def _visit(self, rule, route, records, token=None, csrf=True):
        """Call a route with the ids of the records; return the answer, redirects not followed."""

        values = {key: str(getattr(value, 'id', value)) for key, value in records.items()}
        path = re.sub(r'<[^>]*:(\w+)>', lambda match: values[route.ids[match[1]]], rule)
        query = f'?access_token={token}' if token else ''
        data = None
        if route.method == 'POST':
            data = {'nothing': '1'}  # `url_open` would get, not post, without any
            for name, value in route.data.items():
                data[name.format(**values)] = value.format(**values)
            if csrf:
                data['csrf_token'] = http.Request.csrf_token(self)
        self.env.flush_all()
        return self.url_open(path + query, data=data, allow_redirects=False)

    def _is_denied(self, response):
        if response.status_code in (400, 403, 404, 405):
            return True
        target = response.headers.get('Location', '')
        return response.status_code in (302, 303) and (
            '/web/login' in target or target.rstrip('/').endswith('/my')
        )

    def assert_keeps(self, response, *secrets):
        for secret in (*SECRETS, *secrets):
            self.assertNotIn(secret, response.text)


@tagged('post_install', '-at_install')
class TestRoutesAreSafe(DoorsCommon):
    """Every route of the module × everybody."""

    def _get_own_rules(self):
        """Return the routes of this module: `{rule: endpoint}`."""
        modules = sorted(self.env.registry._init_modules)
        return {
            rule: endpoint
            for rule, endpoint in self.env['ir.http']._generate_routing_rules(modules, {})
            if '.sale_return.' in (endpoint.original_endpoint.__module__ or '')
        }

    def test_every_route_is_walked(self):
        self.assertEqual(
            sorted(self._get_own_rules().keys() - PUBLIC - GIFTS),
            sorted(ROUTES),
            "Add the new route to ROUTES above, or take out the one that is gone.",
        )

    def test_forms_ask_for_the_csrf_token(self):
        for rule, endpoint in self._get_own_rules().items():
            routing = endpoint.routing
            self.assertTrue(routing.get('csrf', True), rule)
            self.assertNotIn('cors', routing, rule)
        self._login(self.jane)
        before = self._snapshot()
        for rule, route in ROUTES.items():
            if route.method == 'POST':
                with self.subTest(rule=rule), mute_logger('odoo.http'):
                    response = self._visit(rule, route, self.own, csrf=False)
                    self.assertEqual(response.status_code, 400)
        self.assertEqual(self._snapshot(), before)

    def _walk(self, actors, check):
        """Let each actor visit each route of one document, and call `check` with the result.

        Everybody finds the same: changes inside are rolled back. Preparations are done once for all
        actors.
        """
        for state in sorted({route.state for route in ROUTES.values()}):
            with self._undone():
                self._prepare(state)
                for actor in actors:
                    for rule, route in ROUTES.items():
                        if route.state != state or (actor in BY_LINK and not route.token):
                            continue
                        with self.subTest(rule=rule, actor=actor), self._undone():
                            check(rule, route, self._come(actor, route, self.own))

    def test_customer_colleague_and_link_get_in(self):
        def check(rule, route, token):
            response = self._visit(rule, route, self.own, token)
            self.assertFalse(self._is_denied(response), response.status_code)
            self.assertLess(response.status_code, 400)
            self.assert_keeps(response, OTHER)

        self._walk(ALLOWED, check)

    def test_everybody_else_stays_out(self):
        def check(rule, route, token):
            if route.is_list:
                return  # see the next test
            before = self._snapshot()
            response = self._visit(rule, route, self.own, token)
            self.assertTrue(self._is_denied(response), response.status_code)
            self.assert_keeps(
                response, self.own['sale_return'].name, self.order.name, "Lamp", "Jane"
            )
            self.assertEqual(self._snapshot(), before)

        self._walk(DENIED, check)

    def test_lists_show_everybody_their_own(self):
        names = {
            actor: records['sale_return'].name
            for actor, records in {'customer': self.own, 'other customer': self.foreign}.items()
        }
        for rule, route in ROUTES.items():
            if not route.is_list:
                continue
            for actor in (*ALLOWED[:2], *DENIED[:2], 'employee', 'employee without role'):
                with self.subTest(rule=rule, actor=actor):
                    self._come(actor, route, self.own)
                    response = self._visit(rule, route, self.own)
                    if actor == 'stranger':
                        self.assertTrue(self._is_denied(response))
                        continue
                    shown = {'colleague': 'customer'}.get(actor, actor)
                    for owner, name in names.items():
                        check = self.assertIn if owner == shown else self.assertNotIn
                        check(name, response.text)

    def test_what_does_not_exist_is_answered_as_what_is_foreign(self):
        missing = dict.fromkeys(self.own, 2**31 - 1)
        for actor in ('stranger', 'other customer'):
            for rule, route in ROUTES.items():
                if route.is_list:
                    continue
                with self.subTest(rule=rule, actor=actor):
                    self._come(actor, route, self.own)
                    answers = [self._visit(rule, route, r) for r in (self.own, missing)]
                    self.assertEqual(*(answer.status_code for answer in answers))

    def test_every_id_is_checked_by_itself(self):
        """One foreign id among own ones, in the path and in every field of a form."""

        def check(rule, route, _token):
            if route.is_list:
                return
            for key in route.get_keys() - {'reason'}:
                mixed = {**self.own, key: self.foreign[key]}
                with self.subTest(rule=rule, foreign=key), self._undone():
                    before = self._snapshot()
                    response = self._visit(rule, route, mixed)
                    # Refused, or shown again with an error message.
                    self.assertIn(response.status_code, (200, 403, 404))
                    self.assert_keeps(response, OTHER, self.foreign['sale_return'].name)
                    self.assertEqual(self._snapshot(), before)

        self._walk(['customer'], check)

    def test_link_opens_one_document(self):
        def check(rule, route, token):
            before = self._snapshot()
            response = self._visit(rule, route, self.foreign, token)
            self.assertTrue(self._is_denied(response))
            self.assertEqual(self._snapshot(), before)

        self._walk(['link'], check)

    def test_pages_of_a_whole_return_keep_what_is_ours(self):
        records = {**self.own, 'sale_return': self.used}
        route = ROUTES['/my/returns/<row:return_id>']
        for actor in (*ALLOWED, 'employee'):
            with self.subTest(actor=actor):
                token = self._come(actor, route, records)
                for suffix in ('', '?report_type=html', '?report_type=pdf'):
                    link = f'access_token={token}' if token else ''
                    path = f'{self.used.access_url}{suffix}'
                    path += f'{"&" if suffix else "?"}{link}' if link else ''
                    response = self.url_open(path)
                    self.assertIn(response.status_code, (200, 404))
                    if actor != 'employee':
                        self.assert_keeps(response, OTHER)
