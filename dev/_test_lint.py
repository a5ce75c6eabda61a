"""Run Odoo's own lint tests (its module test_lint) on this add-on.

They are written for all of Odoo at once: what they find elsewhere is left out here.
"""

import importlib
import unittest

from odoo.modules import Manifest, module

NAMES = (
    'test_docstring',
    'test_dunderinit',
    'test_index',
    'test_jstranslate',
    'test_manifests',
    'test_naming',
    'test_onchange_domains',
    'test_orm_import',
    'test_override_signatures',
    'test_pofile',
    'test_routes',
    'test_test_holes',
)


class Result(unittest.TestResult):
    """Collect failures, of subtests as well."""

    def startTest(self, test):
        super().startTest(test)
        module.current_test = test

    def stopTest(self, test):
        module.current_test = None
        super().stopTest(test)


def is_ours(text):
    return 'sale_return' in text or 'sale.return' in text


def run(env):
    if not Manifest.for_addon('test_lint'):
        print("this Odoo comes without test_lint")
        return True
    ours = [Manifest.for_addon('sale_return')]
    Manifest.all_addon_manifests = staticmethod(lambda: ours)
    suite = unittest.TestSuite()
    for name in NAMES:
        tests = importlib.import_module(f'odoo.addons.test_lint.tests.{name}')
        suite.addTests(unittest.defaultTestLoader.loadTestsFromModule(tests))
    result = Result()
    suite.run(result)
    found = 0
    for test, traceback in result.failures + result.errors:
        # An index or a manifest is one line of a long message, a method is a test of its own.
        lines = traceback.splitlines()
        message = [
            line for line in lines[1:] if is_ours(line) and not line.lstrip().startswith('File ')
        ]
        if is_ours(str(test)) and not message:
            message = [line for line in lines if line][-3:]
        if message:
            found += 1
            print(test, *message, sep='\n  ')
    print(f"{result.testsRun} of Odoo's lint tests, {found} problems")
    return bool(result.testsRun) and not found
