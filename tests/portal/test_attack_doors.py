"""Every route of the customers' pages × visitors × invalid input: a page, never an error."""

import re

from odoo import http
from odoo.tests import tagged
from odoo.tools import mute_logger

from ...models.portal import sale_return_portal_gate as gate
from ..common_attack import is_chosen
from .test_portal_safe import ROUTES, DoorsCommon

# Log entries of errors answered with a page, refused records, and websites that cannot render their
# own page for invalid paths.
LOGGERS = (
    'odoo.http',
    'odoo.addons.base.models.ir_rule',
    'odoo.addons.http_routing.models.ir_http',
)
ODD_IDS = {
    'zero': '0',
    'negative': '-1',
    'none': '2147483647',
    'beyond integer': '2147483648',
    'beyond long': '9223372036854775808',
    '5,000 digits': '9' * 5000,
    'text': 'abc',
    'encoded NUL': '1%00',
    'other digits': '%D9%A1',
    'traversal': '..%2f..%2fweb',
    'float': '1.5',
    'list': '1,2',
}
ODD_TEXTS = {
    'NUL': 'a\x00b',
    'markup': '"><script>alert(1)</script>',
    'huge number': '1e308',
    'infinity': 'inf',
    'not a number': 'nan',
    '5,000 digits': '9' * 5000,
    'negative': '-1',
    'long text': 'x' * 60_000,
    'other letters': 'é中\u202e',
    'template': '{{ 7*7 }}%(x)s',
    'lines': 'a\r\nSet-Cookie: a=b',
}
# Of forms and addresses, by what the path of the route has in it. `{line}` is a line of the order.
CHOICES = ('q_{line}', 'q_999999999999', 'q_')
FIELDS = {
    '': ('access_token', 'pid', 'hash', 'error'),
    '/return/details': (
        *CHOICES, 'reason_{line}', 'wish_{line}', 'note_{line}', 'photos_{line}', 'form_key',
    ),
    '/my/orders/<row:order_id>/return': CHOICES,
    '/my/orders/<row:order_id>/withdraw': (*CHOICES, 'name', 'email', 'form_key'),
    '/my/returns/page': ('page', 'search', 'search_in', 'sortby', 'filterby'),
    '/my/returns/<row:return_id>': ('report_type', 'download', 'entered', 'pid'),
    '/dispatch': ('tracking_ref', 'carrier_name'),
    '/appeal': ('comment',),
    '/rate': ('rate', 'feedback'),
    '/files/': ('preview',),
    '/returns': ('order_ref', 'email'),
    '/returns/gift': ('code',),
}  # fmt: skip
# Pages that take a form as well.
WITH_FORM = ('/returns', '/returns/gift', '/my/orders/<row:order_id>/withdraw')
VISITORS = ('stranger', 'customer', 'other customer', 'link')
SECRET_HEADERS = {
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'SAMEORIGIN',
}
ALL_ROUTES = {**ROUTES, '/returns': None, '/returns/gift': None}


@tagged('post_install', '-at_install')
class TestAttackDoors(DoorsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.values = {key: str(getattr(value, 'id', value)) for key, value in cls.own.items()}

    def setUp(self):
        super().setUp()
        # The attacker counts as a visitor, too; the counting is tested elsewhere.
        most = {s: c._replace(points=10**9) for s, c in gate.CEILINGS.items()}
        self.patch(gate, 'CEILINGS', most)

    def _get_path(self, rule, odd=None):
        """Return the path of a route, with an invalid id in each position, or with valid ones."""
        route = ALL_ROUTES[rule]
        ids = route.ids if route else {}
        return re.sub(r'<[^>]*:(\w+)>', lambda m: odd or self.values[ids[m[1]]], rule)

    def _come_to(self, visitor, rule):
        route = ALL_ROUTES[rule]
        if not route or (visitor == 'link' and not route.token):
            self._login(None)
            return None
        return self._come(visitor, route, self.own)

    def _call_door(self, path, data=None, token=None, files=None):
        """Call a route; return the answer. Changes are rolled back."""
        query = f'?access_token={token}' if token else ''
        with self._undone(), mute_logger(*LOGGERS):
            return self.url_open(path + query, data=data, files=files, allow_redirects=False)

    def _get_cases(self):
        for rule in ALL_ROUTES:
            for visitor in VISITORS:
                for odd, value in ODD_IDS.items():
                    if '<' in rule:
                        yield rule, visitor, 'path', odd, value
                names = {n for part, names in FIELDS.items() if part in rule for n in names}
                for name in sorted(names):
                    for odd, value in ODD_TEXTS.items():
                        yield rule, visitor, name, odd, value

    def test_odd_ids_and_forms_get_a_page(self):
        """Nobody sees a server error, nor data of others."""
        cases = [case for case in self._get_cases() if is_chosen('door', *case[:4])]
        wrong = []
        for visitor in VISITORS:
            for rule in ALL_ROUTES:
                todo = [case for case in cases if case[:2] == (rule, visitor)]
                if not todo:
                    continue
                token = self._come_to(visitor, rule)
                for _rule, _visitor, name, odd, value in todo:
                    self._try_case(rule, visitor, token, name, odd, value, wrong)
        self.assertFalse(wrong, '\n'.join(wrong))
        self.assertGreater(len(cases), 100)

    def _try_case(self, rule, visitor, token, name, odd, value, wrong):
        route = ALL_ROUTES[rule]
        if name == 'path':
            path, data = self._get_path(rule, value), None
            response = self._call_door(path, token=token)
        else:
            path = self._get_path(rule)
            data = {'csrf_token': http.Request.csrf_token(self)}
            for key, plain in (route.data if route else {}).items():
                data[key.format(**self.values)] = plain.format(**self.values)
            data[name.format(**self.values)] = value
            if route and route.method == 'GET' and rule not in WITH_FORM:
                response = self._call_get(path, {'access_token': token, **data})
            else:
                response = self._call_door(path, data, token)
        case = f'{rule} {visitor} {name}={odd}'
        # A website cannot render its “not found” page for some paths of any module.
        if response.status_code >= 500 and not (
            name == 'path' and self._call_door(f'/nobody/{value}').status_code >= 500
        ):
            wrong.append(f'{case}: {response.status_code}')
        if '<script>alert(1)' in response.text or response.headers.get('Set-Cookie') == 'a=b':
            wrong.append(f'{case}: it works in the page')
        others = visitor in ('stranger', 'other customer')
        if others and self.own['sale_return'].name in response.text:
            wrong.append(f'{case}: somebody sees a return that is not theirs')

    def _call_get(self, path, values):
        del values['csrf_token']
        with self._undone(), mute_logger(*LOGGERS):
            return self.opener.get(
                self.base_url() + path, params=values, timeout=180, allow_redirects=False
            )

    def test_files_where_texts_are_expected(self):
        self._login(self.jane)
        for rule, route in ROUTES.items():
            if route.method != 'POST':
                continue
            path = self._get_path(rule)
            names = [name.format(**self.values) for name in route.data]
            data = {'csrf_token': http.Request.csrf_token(self)}
            files = [(name, ('a.txt', b'a', 'text/plain')) for name in names or ['x']]
            with self.subTest(rule=rule):
                self.assertLess(self._call_door(path, data, files=files).status_code, 500)

    def test_token_with_line_breaks_is_none(self):
        """Actions lead to an address, which must not contain line breaks."""
        wrong = []
        for rule, route in ROUTES.items():
            if route.method == 'POST':
                token = self._come_to('customer', rule)
                case = (rule, 'customer', token, 'access_token', 'lines', ODD_TEXTS['lines'])
                self._try_case(*case, wrong)
        self.assertFalse(wrong)

    def test_secret_pages_are_kept_nowhere_and_shown_in_no_frame(self):
        """All our routes, for all visitors."""
        for visitor in VISITORS:
            for rule, route in ALL_ROUTES.items():
                token = self._come_to(visitor, rule)
                for odd in (None, '2147483647'):
                    path = self._get_path(rule, odd)
                    with self.subTest(rule=rule, visitor=visitor, odd=odd):
                        data = {'none': '1'} if route and route.method == 'POST' else None
                        response = self._call_door(path, data, token)
                        found = {name: response.headers.get(name) for name in SECRET_HEADERS}
                        self.assertEqual(found, SECRET_HEADERS, response.status_code)
                        policy = response.headers.get('Content-Security-Policy', '')
                        self.assertIn("frame-ancestors 'self'", policy)
                        if response.headers.get('Content-Type', '').startswith('text/html'):
                            self.assertIn("object-src 'none'; base-uri 'none'", policy)

    def test_page_lives_without_the_library_for_barcodes(self):
        self._login(self.jane)
        self._prepare('approved')
        reports = self.env.registry['ir.actions.report']

        def fail(*_args, **_kwargs):
            raise ImportError("cannot import desired renderPM backend")

        self.patch(reports, 'barcode', fail)
        with mute_logger('odoo.addons.sale_return.models.document.ir_qweb_field_barcode'):
            response = self.url_open(self.own['sale_return'].access_url)
        self.assertEqual(response.status_code, 200)
        self.assertIn(self.own['sale_return'].name, response.text)
