"""Changes by the installation that nobody asked for are listed on the settings screen."""

from pathlib import Path

from lxml import etree

from odoo.tests import TransactionCase, tagged

KNOWN = Path(__file__).parents[2] / 'dev' / 'odoo_tests_known.txt'


@tagged('post_install', '-at_install')
class TestWhatChanged(TransactionCase):
    def test_tests_of_odoo_that_end_otherwise_are_explained_on_the_settings_screen(self):
        arch = etree.fromstring(self.env.ref('sale_return.res_config_settings_view_form').arch_db)
        settings = arch.xpath("//block[@name='sale_return_changes']/setting")
        explained = {setting.get('id'): setting.get('help') for setting in settings}
        rows = [line.split() for line in KNOWN.read_text().splitlines() if line[:1] not in '#']
        self.assertLessEqual(len(rows), 12)
        for test, entry in rows:
            self.assertTrue(explained.get(entry), test)
