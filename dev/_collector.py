"""A plugin of pytest: how the tests are shared by two workers, and what saves them time."""

import gc
import re
from functools import cache

from xdist.scheduler import LoadScopeScheduling

# What starts a browser: Odoo's two methods, and our classes around them.
BROWSER = re.compile(r'\.(browser_js|start_tour)\(|UiCommon|WalkCommon')

# Caches of the registry that follow from views, groups and routes alone.
PAGES = ('templates', 'routing')
# Stands in a cache as long as nothing clears it.
UNTOUCHED = ('nothing has cleared this cache',)

# Python looks less often for garbage, which takes 7 % off the tests.
gc.set_threshold(100_000, 20, 50)


@cache
def needs_browser(path):
    """Tell whether tests of a file open a browser."""
    return bool(BROWSER.search(path.read_text(encoding='utf-8')))


def pytest_sessionstart():
    """Leave in the caches of Odoo's registry what is right when the next test of a class begins.

    Odoo empties them after each test, and reads access rights and compiles pages again for the
    next. But a test is undone as a whole: after it, what was cached before it is right again, and
    so are the pages it has rendered, unless it has changed what they follow from.
    """
    from odoo.tests.common import TransactionCase

    odoo_set_up = TransactionCase.setUp

    def set_up(self):
        caches = self.registry._Registry__caches
        right = {}
        # Cleanups run in reverse: this one after Odoo's, which undo the test and empty the caches.
        self.addCleanup(fill, caches, right)
        odoo_set_up(self)
        right.update({name: cache.snapshot for name, cache in caches.items()})
        for name in PAGES:
            caches[name][UNTOUCHED] = True
        self.addCleanup(add_pages, caches, right)

    def add_pages(caches, right):
        for name in PAGES:
            if UNTOUCHED in caches[name]:
                right[name] = caches[name].snapshot

    def fill(caches, right):
        for name, values in right.items():
            for key, value in values.items():
                caches[name][key] = value

    TransactionCase.setUp = set_up


def pytest_collection_modifyitems(items):
    """Begin with tests in a browser: they take long, and would leave a core idle at the end."""
    items.sort(key=lambda item: not needs_browser(item.path))


class Scheduling(LoadScopeScheduling):
    """A class stays with one worker, because its setUpClass is the expensive part.

    So do all tests in a browser, which takes more than one core by itself: there is never a second
    one beside it.
    """

    def _split_scope(self, nodeid):
        """Override of `xdist`."""
        if needs_browser(self.config.rootpath / nodeid.split('::')[0]):
            return 'browser'
        return super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config, log):
    """Implement the hook of `xdist`."""
    return Scheduling(config, log)
