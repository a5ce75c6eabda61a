import logging
import re
from pathlib import Path

from odoo.tests import tagged

from odoo.addons.web.tests import test_js

from ..common_http import PatientHttpCase

SUITE = '@sale_return'
STATIC = Path(__file__).resolve().parents[2] / 'static'


@tagged('post_install', '-at_install')
class TestScripts(PatientHttpCase):
    """Tests of the scripts of pages, in `static/tests`: Hoot runs them in one page."""

    def test_scripts(self):
        messages = []
        handler = logging.Handler()
        handler.emit = lambda record: messages.append(record.getMessage())
        console = self._logger.getChild('browser')
        console.addHandler(handler)
        self.addCleanup(console.removeHandler, handler)
        suite = test_js.HOOTCommon._generate_hash(self, SUITE)
        self.browser_js(
            f'/web/tests?headless&loglevel=2&preset=desktop&timeout=15000&id={suite}',
            '',
            '',
            login='admin',
            timeout=600,
            success_signal="[HOOT] Test suite succeeded",
            error_checker=test_js.unit_test_error_checker,
        )
        written = {}
        for path in (STATIC / 'tests').rglob('*.test.js'):
            name = path.relative_to(STATIC / 'tests').as_posix().removesuffix('.test.js')
            written[f'{SUITE}/{name}'] = len(
                re.findall(r'^ *test\(', path.read_text(encoding='utf-8'), re.MULTILINE)
            )
        ended = re.findall(r'\[HOOT\] "([^"]+)" ended \(passed: (\d+)', "\n".join(messages))
        passed = {name: int(count) for name, count in ended if name in written}
        self.assertEqual(passed, written, "Tests of these files do not run.")
        self.assertIn((SUITE, str(sum(written.values()))), ended)

    def test_bundle_has_all_scripts(self):
        """A script that no bundle has would be tested by nobody."""
        paths = self.env['ir.asset']._get_asset_paths('web.assets_unit_tests_setup', {})
        bundled = {path.lstrip('/') for path, *_rest in paths}
        for path in (STATIC / 'src').rglob('*.js'):
            with self.subTest(path=path.name):
                self.assertIn(f'sale_return/static/{path.relative_to(STATIC)}', bundled)
