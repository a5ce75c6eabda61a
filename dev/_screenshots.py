"""Photograph pages of a running Odoo with headless Chromium.

    python dev/_screenshots.py URL VALUES.json FOLDER

`VALUES.json` is what `run` of dev/screenshot_pages.py wrote: which pages, and what they need.
"""

import base64
import io
import itertools
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import screenshot_pages
import websocket
from PIL import Image

PATIENCE = 120  # seconds; a slow machine must not change the picture
SIZES = {'desktop': (1280, 800), 'phone': (390, 844)}
LARGEST = 200_000  # bytes of an image
BROWSERS = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable')


def main(url, values, folder):
    """Make every picture; a page that does not finish stops everything, with its name."""
    wait_until(lambda: answers(url), f"Odoo at {url}")
    for shot in json.loads(Path(values).read_text(encoding='utf-8')):
        suffix = '' if shot['lang'] == 'en_US' else f"-{shot['lang']}"
        with Browser(SIZES[shot['size']]) as browser:
            browser.speak(shot['lang'])
            page = Page(browser, url, Path(folder), f"-{shot['size']}{suffix}")
            page.log_in(shot['values'].get('login', 'admin'), shot['values'].get('password'))
            screenshot_pages.PAGES[shot['page']].visit(page, shot['values'])


def answers(url):
    try:
        return urllib.request.urlopen(f'{url}/web/health', timeout=5).status == 200
    except OSError:
        return False


def wait_until(check, what):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if result := check():
            return result
        time.sleep(0.2)
    raise TimeoutError(f"waited {PATIENCE} s for {what}")


class Browser:
    """A headless Chromium, driven through the DevTools protocol."""

    def __init__(self, size):
        self.size = size

    def __enter__(self):
        self.folder = tempfile.mkdtemp(suffix='_chromium')
        executable = next(filter(None, map(shutil.which, BROWSERS)))
        self.process = subprocess.Popen(
            [
                executable,
                '--headless',
                '--no-sandbox',
                '--disable-gpu',
                '--disable-dev-shm-usage',
                '--hide-scrollbars',
                '--mute-audio',
                '--no-first-run',
                '--remote-debugging-port=0',
                f'--user-data-dir={self.folder}',
                'about:blank',
            ],
            stderr=subprocess.DEVNULL,
        )
        file = Path(self.folder, 'DevToolsActivePort')
        wait_until(lambda: file.is_file() and '\n' in file.read_text(), "Chromium")
        port = file.read_text().split('\n', maxsplit=1)[0]
        self.socket = websocket.create_connection(
            wait_until(lambda: self._find_page(port), "a page of Chromium"),
            suppress_origin=True,
            timeout=PATIENCE,
        )
        self.numbers = itertools.count(1)
        width, height = self.size
        self.call(
            'Emulation.setDeviceMetricsOverride',
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        self.call('Emulation.setFocusEmulationEnabled', enabled=True)
        self.call(
            'Emulation.setEmulatedMedia',
            features=[{'name': 'prefers-reduced-motion', 'value': 'reduce'}],
        )
        self.call('Page.enable')
        return self

    def speak(self, lang):
        """Ask for pages in a language, like the browser of a person who speaks it."""
        self.call('Network.enable')
        self.call(
            'Network.setExtraHTTPHeaders', headers={'Accept-Language': lang.replace('_', '-')}
        )

    def _find_page(self, port):
        pages = json.load(urllib.request.urlopen(f'http://127.0.0.1:{port}/json', timeout=5))
        return next((p['webSocketDebuggerUrl'] for p in pages if p['type'] == 'page'), None)

    def __exit__(self, *_error):
        self.socket.close()
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, method, **params):
        number = next(self.numbers)
        self.socket.send(json.dumps({'id': number, 'method': method, 'params': params}))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get('id') == number:
                if 'error' in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer['result']


class Page:
    """Actions of a page of dev/screenshot_pages.py in the browser."""

    def __init__(self, browser, url, folder, suffix):
        self.browser, self.url, self.folder, self.suffix = browser, url, folder, suffix

    def log_in(self, login, password=None):
        """Log in; a page without login passes an empty one."""
        if not login:
            return
        self.open('/web/login', 'input[name=login]')
        self.run(
            f"document.querySelector('input[name=login]').value = {json.dumps(login)};"
            f"document.querySelector('input[name=password]').value ="
            f" {json.dumps(password or login)};"
            "document.querySelector('form.oe_login_form').submit()"
        )
        self.wait('body.o_web_client, .o_portal')

    def open(self, path, selector):
        """Go to a path and wait for something on it."""
        self.browser.call('Page.navigate', url=self.url + path)
        self.wait(selector)

    def run(self, code):
        """Run JavaScript and return its result (plain data)."""
        answer = self.browser.call(
            'Runtime.evaluate', expression=code, awaitPromise=True, returnByValue=True
        )
        return answer['result'].get('value')

    def wait(self, selector):
        """Wait until a visible element matches the selector."""
        code = (
            f"[...document.querySelectorAll({json.dumps(selector)})]"
            ".some((element) => element.checkVisibility())"
        )
        wait_until(lambda: self.run(code), f"{selector} on {self.run('location.href')}")

    def click(self, selector):
        self.wait(selector)
        self.run(f"document.querySelector({json.dumps(selector)}).click()")

    def type(self, selector, text):
        """Write into a field and press Enter."""
        self.wait(selector)
        self.run(f"document.querySelector({json.dumps(selector)}).focus()")
        self.browser.call('Input.insertText', text=text)
        for kind in ('keyDown', 'keyUp'):
            self.browser.call(
                'Input.dispatchKeyEvent', type=kind, key='Enter', code='Enter',
                windowsVirtualKeyCode=13, text='\r' if kind == 'keyDown' else '',
            )  # fmt: skip

    def choose_file(self, selector, path):
        """Choose a file in a file field, which may be hidden."""
        root = self.browser.call('DOM.getDocument', depth=0)['root']['nodeId']
        node = self.browser.call('DOM.querySelector', nodeId=root, selector=selector)['nodeId']
        self.browser.call('DOM.setFileInputFiles', files=[str(path)], nodeId=node)

    def shot(self, name):
        """Save what the screen shows as FOLDER/NAME-SIZE[-LANGUAGE].webp."""
        # Odoo indicates when it is still loading.
        loads = "!!document.querySelector('.o_loading_indicator')"
        wait_until(lambda: not self.run(loads), f"the end of loading for {name}")
        self.run("document.fonts.ready.then(() => true)")
        self.run(
            "Promise.all([...document.images].map((image) =>"
            " image.complete || new Promise((done) => { image.onload = image.onerror = done; })))"
            ".then(() => new Promise((done) =>"
            " requestAnimationFrame(() => requestAnimationFrame(() => done(true)))))"
        )
        data = base64.b64decode(self.browser.call('Page.captureScreenshot')['data'])
        image = Image.open(io.BytesIO(data)).convert('RGB')
        path = self.folder / f'{name}{self.suffix}.webp'
        for quality in (90, 75, 60, 45):
            image.save(path, quality=quality, method=6)
            if path.stat().st_size < LARGEST:
                break
        print(f"{path.name}  {path.stat().st_size // 1000} kB")


if __name__ == '__main__':
    main(*sys.argv[1:])
