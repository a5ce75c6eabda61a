"""Run Odoo's own tests in the loaded registry, with and without the add-on, and compare them.

    python dev/odoo_tests.py CONF DATABASE LOGFILE RESULT.json [--browser] SUITE ...
    python dev/odoo_tests.py --open RESULT.json              what did not pass, as suites
    python dev/odoo_tests.py --check RESULT.json             fails if one did not pass
    python dev/odoo_tests.py --compare WITHOUT.json WITH.json [KNOWN.txt]

A suite is a module, a module and a class (sale_stock.TestSaleStock), or one test of it
(sale_stock.TestSaleStock.test_00_sale_stock_invoice). Odoo runs the tests of a module while it is
updated, before modules that depend on it are loaded: so an add-on that depends on it is never under
test.
"""

import json
import logging
import os
import re
import signal
import socket
import sys
import threading
from unittest import SkipTest

from odoo import http
from odoo.modules import module as odoo_module
from odoo.modules.registry import Registry
from odoo.service import server
from odoo.tests import HttpCase
from odoo.tests.case import _SubTest
from odoo.tests.common import BaseCase
from odoo.tests.loader import get_module_test_cases, get_test_modules
from odoo.tests.result import OdooTestResult
from odoo.tests.suite import OdooSuite
from odoo.tests.tag_selector import TagsSelector
from odoo.tools import config

PREFIX = 'odoo.addons.'


class Result(OdooTestResult):
    """Record the result of each test, and the last line of its message."""

    def __init__(self):
        super().__init__()
        self.outcomes = {}

    def _keep(self, test, outcome, sentence=''):
        while isinstance(test, _SubTest):
            test = test.test_case
        name = get_name(test)
        # The first message tells the cause; errors in the teardown only follow.
        if self.outcomes.get(name, ('passed',))[0] == 'passed':
            self.outcomes[name] = (outcome, sentence)

    def startTest(self, test):
        super().startTest(test)
        self.outcomes.setdefault(get_name(test), ('passed', ''))

    def addError(self, test, err):
        super().addError(test, err)
        self._keep(test, 'error', f'{err[0].__name__}: {err[1]}')

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._keep(test, 'failed', str(err[1]))

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._keep(test, 'skipped', reason)


def get_name(test):
    """Name a test as a suite is named on the command line; a class that failed, by its own name."""
    broken = re.match(r'\w+ \((?:odoo\.addons\.)?(.*)\)$', test.id())
    parts = (broken[1] if broken else test.id().removeprefix(PREFIX)).split('.')
    return '.'.join([parts[0], *parts[-1 if broken else -2 :]])


def load_suite(names):
    """Collect the tests for the names, of all phases of Odoo.

    :raise SystemExit: for a name without tests.
    """
    standard = TagsSelector('+standard')
    tests = []
    for name in names:
        addon, *rest = name.split('.')
        found = [
            test
            for test_module in get_test_modules(addon)
            for test in get_module_test_cases(test_module)
            if (not rest and standard.check(test))
            or (rest and rest == get_name(test).split('.')[1 : 1 + len(rest)])
        ]
        if not found:
            sys.exit(f"error: {name} has no tests.")
        tests.extend(found)
    return OdooSuite(sorted(tests, key=lambda test: getattr(test, 'test_sequence', 0)))


def serve():
    """Answer the requests of the tests that ask by HTTP."""
    server.load_server_wide_modules()
    server.server = server.ThreadedServer(http.root)
    server.server.start(stop=False)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def skip_browser(*_args, **_kwargs):
    raise SkipTest("in a browser")


def run(conf, database, logfile, target, *names):
    names = list(names)
    browser = '--browser' in names
    if browser:
        names.remove('--browser')
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    options = ['-c', conf, '-d', database, '--logfile', logfile, '--log-level=warn']
    config.parse_config([*options, f'--http-port={port}'], setup_logging=True)
    logging.getLogger('odoo.tests').setLevel(logging.CRITICAL)
    threading.current_thread().testing = True
    BaseCase._tests_run_count = 1
    if not browser:
        HttpCase.browser_js = skip_browser
    Registry(database)
    serve()
    config['test_enable'] = True
    result = Result()
    odoo_module.current_test = True
    try:
        load_suite(names)(result)
    finally:
        odoo_module.current_test = False
    with open(target, 'w', encoding='utf-8') as file:
        json.dump(result.outcomes, file, indent=1, sort_keys=True)
    # Odoo's threads would keep the process for as long as they wait.
    os._exit(0)


def load(path):
    with open(path, encoding='utf-8') as file:
        return json.load(file)


def get_not_passed(result):
    """Return the names of tests that did not pass, and were not skipped either."""
    return sorted(name for name, (outcome, _) in result.items() if outcome in ('error', 'failed'))


def load_known(path):
    """Return intended differences: `{test: entry of the settings}`."""
    with open(path, encoding='utf-8') as file:
        return dict(line.split() for line in file if line.strip() and not line.startswith('#'))


def compare(without, with_addon, *known):
    """Print the tests with different results with the add-on.

    :param str without: may hold only those that did not pass with it.
    :param str known: the file with intended differences.
    :return: 1 if there are any that are not known, else 0.
    """
    before, after = load(without), load(with_addon)
    on_purpose = load_known(*known) if known else {}
    differences = [
        name
        for name in sorted(after)
        if before.get(name, ['passed'])[0] != after[name][0]
        # Skipped for reasons of its own, and not run without the add-on.
        and (name in before or after[name][0] != 'skipped')
    ]
    for name in differences:
        old, new = before.get(name, ['passed', '']), after[name]
        sentence = ' '.join((new[1] or old[1]).split())
        purpose = f' (on purpose: {on_purpose[name]})' if name in on_purpose else ''
        print(f'{name}: {old[0]} -> {new[0]}{purpose}: {sentence[:300]}')
    alike = set(get_not_passed(after)) - set(differences)
    print(
        f'{len(after)} tests of Odoo with the add-on: {len(differences)} differ, of them',
        f'{len(on_purpose.keys() & set(differences))} on purpose;',
        f'{len(alike)} fail without it, too',
    )
    return 1 if set(differences) - on_purpose.keys() else 0


def check(path):
    """Print the tests that did not pass.

    :return: 1 if there are any, else 0.
    """
    result = load(path)
    broken = get_not_passed(result)
    for name in broken:
        print(f'{name}: {" ".join(" ".join(result[name]).split())[:300]}')
    print(f"{len(result) - len(broken)} of {len(result)} tests of Odoo pass")
    return 1 if broken or not result else 0


def main(command, *arguments):
    if command == '--compare':
        return compare(*arguments)
    if command == '--check':
        return check(*arguments)
    if command == '--open':
        for name in get_not_passed(load(*arguments)):
            print(name)
        return 0
    return run(command, *arguments)


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
