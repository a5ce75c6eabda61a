"""People in front of a browser: each with only the groups of their role, using the login form.

Python controls them through the DevTools protocol: clicks on visible elements, real keys. All
actions go through the screen; the requirements for every page are in `Walker.look`.

With `SR_WALK_IMAGES=folder` each checked page is saved as a picture.
"""

import base64
import json
import os
import pathlib
import re
import time
from contextlib import contextmanager
from functools import cache
from importlib import resources
from typing import NamedTuple
from unittest.mock import patch

from odoo import Command
from odoo.tests import new_test_user
from odoo.tests.common import ChromeBrowser
from odoo.tools import file_open
from odoo.tools.translate import PoFileReader

from .common_http import PatientHttpCase
from .common_refund import RefundCommon

# Time in seconds that a slow machine with parallel tests needs.
PATIENCE = 90
# Time in seconds after which an error of a page stays: pages are drawn in steps.
REST = 5
DESK, TELEPHONE = (1280, 800), (390, 844)
KEYS = {'Enter': (13, '\r'), 'Escape': (27, ''), 'Tab': (9, ''), 'ArrowDown': (40, '')}

# Marks the visible text in our part of a page.
SCRIPT = """
window.walk ||= {
    visible(element) {
        return element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
    },
    find(selector, text) {
        return [...document.querySelectorAll(selector)].filter(
            (element) => walk.visible(element)
                && (!text || (element.innerText ?? element.value ?? "").includes(text))
        );
    },
    name(element) {
        const parts = [];
        for (let e = element; e && parts.length < 4; e = e.parentElement) {
            const name = e.getAttribute("name");
            parts.unshift(e.tagName.toLowerCase() + (e.className && e.className.split
                ? "." + e.className.trim().split(/\\s+/).slice(0, 2).join(".") : "")
                + (name ? `[${name}]` : ""));
        }
        return parts.join(" > ");
    },
    roots() {
        return [...document.querySelectorAll(
            ".modal:not(.o_inactive_modal), .o_action_manager, main, .o_notification"
        )].filter((root) => walk.visible(root));
    },
    texts() {
        const result = [];
        for (const root of walk.roots()) {
            const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
            while (walker.nextNode()) {
                const node = walker.currentNode, parent = node.parentElement;
                // Chatter is Odoo's, and rows of an empty list only show what it may look like.
                const left = ".o-mail-Chatter, .o_view_sample_data tbody, svg, script, style";
                if (node.data.trim() && !parent.closest(left) && walk.visible(parent)) {
                    result.push(node);
                }
            }
        }
        return result;
    },
    // Whether the web client waits for the server; a page without one never does.
    busy() {
        const module = window.odoo?.loader?.modules.get("@web/core/network/rpc");
        if (module && !walk.pending) {
            walk.pending = new Set();
            const { rpcBus } = module;
            rpcBus.addEventListener("RPC:REQUEST", ({ detail }) =>
                walk.pending.add(detail.data.id)
            );
            rpcBus.addEventListener("RPC:RESPONSE", ({ detail }) =>
                walk.pending.delete(detail.data.id)
            );
        }
        return Boolean(walk.pending?.size) || document.readyState !== "complete"
            || document.fonts.status !== "loaded" || Boolean(walk.find(".o_blockUI").length);
    },
    // What hides a part of its text; not what scrolls on purpose.
    cut() {
        const found = new Set();
        for (const node of walk.texts()) {
            const range = document.createRange();
            range.selectNodeContents(node);
            const text = range.getBoundingClientRect();
            // On a telephone a list scrolls to the side, with columns as narrow as Odoo wants.
            if (!text.width || (innerWidth < 576 && node.parentElement.closest(".o_list_table"))) {
                continue;
            }
            for (let e = node.parentElement; e && e !== document.body; e = e.parentElement) {
                const style = getComputedStyle(e);
                if (["auto", "scroll"].includes(style.overflowX)) {
                    break;
                }
                if (["hidden", "clip"].includes(style.overflowX) && e.clientWidth) {
                    const box = e.getBoundingClientRect();
                    if (e.clientWidth > 1 && e.scrollWidth > e.clientWidth + 1
                        && (text.right > box.right + 1 || text.left < box.left - 1)) {
                        found.add(`${node.data.trim()} (${walk.name(e)})`);
                    }
                    break;
                }
            }
        }
        for (const root of walk.roots()) {
            for (const e of root.querySelectorAll("input[type=text], input:not([type]), select")) {
                if (walk.visible(e) && e.value && e.scrollWidth > e.clientWidth + 1) {
                    found.add(`${e.value} (${walk.name(e)})`);
                }
            }
        }
        const { scrollWidth, clientWidth } = document.documentElement;
        if (scrollWidth > clientWidth) {
            found.add(`the page is ${scrollWidth} px wide, the screen ${clientWidth} px`);
        }
        return [...found];
    },
    words() {
        const found = walk.texts().map((node) => node.data.replace(/\\s+/g, " ").trim());
        for (const root of walk.roots()) {
            for (const e of root.querySelectorAll("[placeholder], [title], [aria-label]")) {
                if (walk.visible(e)) {
                    found.push(e.placeholder, e.title, e.getAttribute("aria-label"));
                }
            }
        }
        return [...new Set(found.filter(Boolean))];
    },
    // The main buttons of a form, if there are several.
    surplus() {
        const found = walk.find(".o_form_statusbar .btn-primary").map((e) => e.innerText);
        return found.length > 1 ? found : [];
    },
};
"""


@cache
def get_chinese_terms():
    """Return our terms with a different text in Chinese, `{English: Chinese}`."""
    with file_open('sale_return/i18n/zh_CN.po', 'rb') as file:
        return {
            ' '.join(row['src'].split()): row['value']
            for row in PoFileReader(file)
            if row['value'] and row['value'] != row['src'] and re.search('[a-z]', row['src'])
        }


class Person(NamedTuple):
    """Who logs in. Plain values: the server may be using the transaction."""

    login: str
    lang: str
    user_id: int


class Walker:
    """Somebody at a browser, who counts their clicks and looks at every page."""

    def __init__(self, test, browser, base_url, size):
        self.test, self.browser, self.base_url = test, browser, base_url
        self.size, self.clicks = size, 0
        self.chinese = False

    # === THE BROWSER === #

    def call(self, method, **params):
        result = self.browser._websocket_request(method, params=params, timeout=PATIENCE)
        self._check_console()
        return result

    def run(self, code):
        """Run JavaScript on the page and return its result (plain data)."""
        answer = self.call(
            'Runtime.evaluate',
            expression=f'{SCRIPT};{code}',
            awaitPromise=True,
            returnByValue=True,
        )
        if 'exceptionDetails' in answer:
            self.fail(str(answer['exceptionDetails']))
        return answer['result'].get('value')

    def _check_console(self):
        if self.browser._result.done() and self.browser._result.exception():
            self.fail(f"The console says: {self.browser._result.exception()}")

    def fail(self, reason):
        """Fail with a screenshot, which the browser saves as Odoo's tours do."""
        self.browser.take_screenshot().result(timeout=PATIENCE)
        where = self.browser._websocket_request(
            'Runtime.evaluate', params={'expression': 'location.href'}
        )['result'].get('value')
        raise AssertionError(f"{reason}\n(on {where}, {self.size[0]} px wide)")

    def resize(self, size):
        self.size = size
        self.call(
            'Emulation.setDeviceMetricsOverride',
            width=size[0],
            height=size[1],
            deviceScaleFactor=1,
            mobile=False,
        )

    def wait_until(self, code, what):
        """Wait until JavaScript returns a true value, and return it."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if result := self.run(code):
                return result
            if error := self.run(
                "walk.find('.o_error_dialog, .o_notification_bar.bg-danger')"
                ".map((element) => element.closest('.o_notification, .modal')?.innerText)[0]"
            ):
                self.fail(f"Waiting for {what}, the screen says: {error}")
            time.sleep(0.03)
        return self.fail(f"There is no {what}.")

    def find_errors(self, code):
        """Return the errors that JavaScript still finds on a page when it is at rest."""
        end = time.monotonic() + REST
        while (errors := self.run(code)) and time.monotonic() < end:
            time.sleep(0.1)
        return errors

    # === ACTS === #

    def open(self, path, *selectors):
        """Type an address, as from a bookmark."""
        self.call('Page.navigate', url=self.base_url + path)
        self.see(*selectors or ['main'])

    def go(self, path, *selectors):
        """Follow a link to a page of the web client, as from a message; the client stays."""
        self.run(
            "{ walk.shown = false; odoo.__WOWL_DEBUG__.root.env.bus.addEventListener("
            "'ACTION_MANAGER:UI-UPDATED', () => { walk.shown = true; }, { once: true });"
            f"const link = document.createElement('a'); link.href = {json.dumps(path)};"
            "document.body.append(link); link.click(); link.remove(); }"
        )
        self.wait_until("walk.shown", f"page {path}")
        self.see(*selectors)

    def see(self, *selectors):
        """Wait until all of these are visible; `"selector|text"` also requires a text in it."""
        for selector in selectors:
            selector, _separator, text = selector.partition('|')
            self.wait_until(
                f"walk.find({json.dumps(selector)}, {json.dumps(text)}).length",
                f"{selector} {text}".strip(),
            )

    def gone(self, selector):
        self.wait_until(f"!walk.find({json.dumps(selector)}).length", f"end of {selector}")

    def _point_at(self, selector):
        """Return the position of an element, once it is still and not covered."""
        selector, _separator, text = selector.partition('|')
        return self.wait_until(
            f"""(() => {{
                const element = walk.find({json.dumps(selector)}, {json.dumps(text)})[0];
                if (walk.busy() || !element || element.disabled) {{ return null; }}
                element.scrollIntoView({{ block: "nearest", inline: "nearest" }});
                let {{ x, y, width, height }} = element.getBoundingClientRect();
                if (y < 100 || y + height > innerHeight - 60) {{
                    element.scrollIntoView({{ block: "center" }});
                    ({{ x, y, width, height }} = element.getBoundingClientRect());
                }}
                const key = [x, y, width, height].join();
                const still = walk.last === key;
                walk.last = key;
                const point = [x + width / 2, y + height / 2];
                const top = document.elementFromPoint(...point);
                const hit = top && (element.contains(top) || top.contains(element)
                    || top.closest("label")?.control === element);
                return still && hit && width && point;
            }})()""",
            f"{selector} {text} that can be clicked",
        )

    def click(self, *selectors):
        """Click one after the other."""
        for selector in selectors:
            x, y = self._point_at(selector)
            for kind in ('mouseMoved', 'mousePressed', 'mouseReleased'):
                self.call(
                    'Input.dispatchMouseEvent', type=kind, x=x, y=y, button='left', clickCount=1
                )
            self.clicks += 1

    def type(self, selector, text):
        """Replace the text of a field."""
        clicks = self.clicks
        self.click(selector)
        self.clicks = clicks
        self.run("document.activeElement.select?.()")
        self.call('Input.insertText', text=text)

    def choose(self, field, text):
        """Type into a field that searches, and choose the first match."""
        self.type(f"{field} input", text)
        self.click(f".o-autocomplete--dropdown-item|{text}")

    def pick(self, selector, index):
        """Choose an option of a list that the browser draws."""
        self.see(selector)
        self.run(
            f"{{ const list = walk.find({json.dumps(selector)})[0]; list.selectedIndex = {index};"
            "list.dispatchEvent(new Event('change', { bubbles: true })); }"
        )

    def press(self, key):
        code, text = KEYS.get(key, (ord(key.upper()[0]), key))
        for kind in ('keyDown', 'keyUp'):
            self.call(
                'Input.dispatchKeyEvent',
                type=kind,
                key=key,
                code=key if key in KEYS else '',
                windowsVirtualKeyCode=code,
                text=text if kind == 'keyDown' else '',
            )

    def scan(self, barcode):
        """Scan as a keyboard-wedge scanner does: all keys at once, then Enter."""
        self.run(
            f"for (const key of [...{json.dumps(barcode)}, 'Enter']) document.body.dispatchEvent("
            "new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }))"
        )

    def log_in(self, person):
        """Log in by the form, after the previous user of the browser."""
        self.chinese = person.lang == 'zh_CN'
        self.open('/web/session/logout?redirect=/web/login', 'input[name=login]')
        self.type('input[name=login]', person.login)
        self.type('input[name=password]', person.login)
        self.press('Enter')
        self.see('body.o_web_client .o_action_manager > *, .o_portal_my_home, .o_portal')

    def choose_language(self, code):
        """Choose the language of a customer's pages, as by the link at their foot."""
        self.open(f'/{code}/my', 'main')

    @contextmanager
    def task(self, name, at_most):
        """Count the clicks of a task."""
        before = self.clicks
        yield
        done = self.clicks - before
        self.test.clicks[name] = done
        if done > at_most:
            self.fail(f"“{name}” took {done} clicks, more than {at_most}.")

    # === WHAT EVERY PAGE MUST BE === #

    def look(self, name, *selectors, ours=True):
        """Wait for the elements of a page, then check the requirements of every page.

        :param bool ours: whether the form is ours; Odoo's have several primary buttons.
        """
        self.see(*selectors)
        self.wait_until(
            "!walk.busy()",
            "end of loading",
        )
        self.test.look(self, name)
        if error := self.run("walk.find('.o_error_dialog')[0]?.innerText"):
            self.fail(f"{name}: {error}")
        if cut := self.find_errors("walk.cut()"):
            self.test.blame(self, f"{name}: cut are\n" + "\n".join(cut))
        if ours and (primary := self.find_errors("walk.surplus()")):
            self.test.blame(self, f"{name}: more than one main button: {primary}")
        if self.chinese:
            terms = json.dumps([*get_chinese_terms()])
            self.run(f"walk.english = new Set({terms})")
            if english := self.find_errors("walk.words().filter((word) => walk.english.has(word))"):
                self.test.blame(self, f"{name}: not in Chinese are {english}")

    def check_fold(self, selector):
        """Check that something can be seen without scrolling."""
        self.see(selector)
        bottom = f"walk.find({json.dumps(selector)})[0].getBoundingClientRect().bottom"
        if self.find_errors(f"{bottom} > {self.size[1]}"):
            self.test.blame(self, f"{selector} is below the fold")

    def check_access(self):
        """Run the rules of axe; nothing serious or critical may be left."""
        try:
            axe = resources.files('axe_core_python')
        except ModuleNotFoundError:
            self.test._logger.info("axe-core-python is not installed: see dev/requirements.txt")
            return
        self.run(axe.joinpath('axe.min.js').read_text('utf-8'))
        found = self.find_errors(
            """axe.run(document.querySelector("main, .o_action_manager"))
            .then(({ violations }) => violations
                .filter(({ impact }) => ["serious", "critical"].includes(impact))
                .map(({ id, nodes }) =>
                    `${id}: ${nodes.map((node) => node.html.slice(0, 200)).join(" | ")}`))"""
        )
        if found:
            self.test.blame(self, "axe finds\n" + "\n".join(found))


class WalkCommon(RefundCommon, PatientHttpCase):
    """The world of the tests with people of one role each, who work in a browser."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        chinese = cls.env['res.lang'].sudo()._activate_lang('zh_CN')
        if 'website' in cls.env:
            cls.env['website'].sudo().search([]).language_ids += chinese

    @classmethod
    def _create_person(cls, name, *groups):
        """Create somebody with exactly these groups, once in English and once in Chinese."""
        people = []
        for lang in ('en_US', 'zh_CN'):
            login = f"{name.lower().replace(' ', '_')}_{lang[:2]}"
            user = cls._create_user(login, 'base.group_user', *groups)
            values = {'name': name, 'password': login, 'lang': lang, 'tz': 'UTC'}
            if 'odoobot_state' in user:
                values['odoobot_state'] = 'disabled'
            user.sudo().write(values)
            people.append(Person(login, lang, user.id))
        return people

    def _create_customers(self):
        """Create a customer with a login, and somebody Chinese of the same household."""
        household = self._create_customer("Household Ltd", is_company=True)
        self.customer.parent_id = household
        chinese = self._create_customer("Li Hua", parent_id=household.id, lang='zh_CN')
        people = []
        for partner in (self.customer, chinese):
            login = partner.name.lower().replace(' ', '_')
            user = new_test_user(
                self.env(su=True),
                login=login,
                password=login,
                groups='base.group_portal',
                partner_id=partner.id,
                company_id=self.company.id,
                company_ids=[Command.set(self.company.ids)],
            )
            people.append(Person(login, partner.lang, user.id))
        # Odoo's helper gives them others.
        self.customer.write({'name': "Jane Customer", 'email': 'jane@example.com'})
        chinese.write({'name': "Li Hua", 'email': 'li@example.com'})
        return people

    def setUp(self):
        """Override of `odoo`."""
        super().setUp()
        self.blames = []
        self.clicks = {}

    def tearDown(self):
        """Override of `odoo`: fails the test with all errors of the pages."""
        super().tearDown()
        self.assertFalse(self.blames, "\n\n".join(self.blames))

    @contextmanager
    def _walk(self, person, size=DESK):
        """Give a browser to somebody, who logs in by the form.

        Code inside must not read or write records, as the server uses the same transaction.
        """
        users = self.env.registry['res.users']
        browser = ChromeBrowser(self)
        try:
            self.env.flush_all()
            self.cr.clear()
            with (
                patch.object(users, '_compute_tour_enabled', lambda records: None),
                self.allow_requests(browser=browser),
            ):
                walker = Walker(self, browser, self.base_url(), size)
                walker.resize(size)
                # Wait for colour transitions before checking them.
                walker.call(
                    'Emulation.setEmulatedMedia',
                    features=[{'name': 'prefers-reduced-motion', 'value': 'reduce'}],
                )
                walker.log_in(person)
                yield walker
                self._logger.info("clicks: %s", self.clicks)
                walker.call('Page.navigate', url='about:blank')
                self._wait_remaining_requests()
        finally:
            browser.stop()
            self.env.invalidate_all()

    def look(self, walker, name):
        """Save a picture of a page, if requested."""
        if folder := os.environ.get('SR_WALK_IMAGES'):
            lang = 'zh' if walker.chinese else 'en'
            data = walker.call('Page.captureScreenshot')['data']
            file = f'{self._testMethodName[5:]}-{name}-{lang}-{walker.size[0]}.png'
            pathlib.Path(folder, file).write_bytes(base64.b64decode(data))

    def blame(self, walker, reason):
        """Record errors of a page: the test fails with all of them at the end."""
        where = f"{'Chinese' if walker.chinese else 'English'}, {walker.size[0]} px"
        self.blames.append(f"{reason}\n({where})")
