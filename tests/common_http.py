import json
from contextlib import contextmanager
from datetime import datetime, timedelta

from odoo import tests
from odoo.tests.common import ChromeBrowser
from odoo.tools import mute_logger


class PatientHttpCase(tests.HttpCase):
    """Requests to a real server that wait as long as a slow machine needs.

    Odoo gives a page 12 seconds, and a request 20 seconds until the one before it in the same test
    is done: enough on an idle machine, too little on one that runs other tests beside it.
    """

    patience = test_cursor_lock_timeout = 180

    # For tests without a browser: nobody runs the scripts, so tests need not find the files of each
    # bundle again.
    without_scripts = False

    def setUp(self):
        """Override of `odoo`."""
        super().setUp()
        ask = ChromeBrowser._websocket_request

        def ask_patiently(browser, method, *, params=None, timeout=10.0):
            return ask(browser, method, params=params, timeout=max(timeout, self.patience))

        self.patch(ChromeBrowser, '_websocket_request', ask_patiently)
        if self.without_scripts:
            self.patch(self.env.registry['ir.qweb'], '_get_asset_nodes', lambda *args, **kwargs: [])

    @contextmanager
    def enter_registry_test_mode(self):
        """Override of `odoo`: already entered. Helpers that run jobs need not know."""
        yield

    def url_open(self, url, *args, timeout=patience, **kwargs):
        """Override of `odoo`."""
        return super().url_open(url, *args, timeout=timeout, **kwargs)

    def post_json2(self, user, model, method, **arguments):
        """Call a method over HTTP with an API key of `user`; return status and answer."""
        key = (
            user.with_user(user)
            .env['res.users.apikeys']
            ._generate('rpc', 'test', datetime.now() + timedelta(hours=1))
        )
        # What is refused on purpose is logged as a warning; the tests look at the answer.
        with mute_logger('odoo.http', 'odoo.sql_db'):
            response = self.url_open(
                f'/json/2/{model}/{method}',
                data=json.dumps(arguments),
                headers={'Content-Type': 'application/json', 'Authorization': f'Bearer {key}'},
            )
        return response.status_code, response.json()

    def start_tour(self, url_path, tour_name, timeout=600, **kwargs):
        """Override of `odoo`."""
        return super().start_tour(url_path, tour_name, timeout=timeout, **kwargs)

    def _take_telephone(self):
        self.browser_size, self.touch_enabled = '390x844', True

    def _take_desk(self):
        self.browser_size, self.touch_enabled = '1280x800', False
