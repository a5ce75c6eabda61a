from odoo.tests import tagged

from odoo.addons.web.tests import test_js

from ..common_http import PatientHttpCase

SUITE = '@sale_return'


@tagged('post_install', '-at_install')
class TestScripts(PatientHttpCase):
    """Tests of the scripts of pages, in `static/tests`: Hoot runs them in one page."""

    def test_scripts(self):
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
