"""A plugin of pytest: how the tests are shared by two workers, and what saves them time."""

import gc
import re
from functools import cache

from xdist.scheduler import LoadScopeScheduling

# What starts a browser: Odoo's two methods, and our classes around them.
BROWSER = re.compile(r'\.(browser_js|start_tour)\(|UiCommon|WalkCommon')

# Python looks less often for garbage, which takes 7 % off the tests.
gc.set_threshold(100_000, 20, 50)


@cache
def needs_browser(path):
    """Tell whether tests of a file open a browser."""
    return bool(BROWSER.search(path.read_text(encoding='utf-8')))


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
