from pathlib import Path

from lxml import html

from odoo.tests import tagged

from ..common import SaleReturnCommon

LEAN = "a story of the room"
STATIC = Path(__file__).resolve().parents[2] / 'static'
ROLES = ('clerk', 'operator', 'accountant', 'manager', 'portal')


@tagged('post_install', '-at_install')
class TestHelp(SaleReturnCommon):
    """Each role has a page of help in its language, and nothing is missing on it."""

    def _open_help(self, *groups, lang='en_US'):
        login = f'help_{len(groups)}_{groups[0].split("_")[-1]}_{lang}'
        user = self._create_user(login, *groups)
        overview = self._env_of(user)['sale.return.worklist'].with_context(lang=lang)
        return overview.action_help()['url'].removeprefix('/sale_return/static/help/')

    def test_each_role_opens_its_own_page_in_its_language(self):
        billing = 'account.group_account_invoice'
        for groups, page in (
            (('sale_return.group_user',), 'clerk'),
            (('sale_return.group_inspector',), 'operator'),
            (('sale_return.group_manager',), 'manager'),
            (('sale_return.group_user', billing), 'accountant'),
            ((billing,), 'accountant'),
        ):
            self.assertEqual(self._open_help(*groups), f'{page}.html')
            self.assertEqual(self._open_help(*groups, lang='zh_CN'), f'{page}.zh_CN.html')

    def test_overview_leads_to_it_and_no_menu_does(self):
        view = self.env['sale.return.worklist'].get_view(view_type='kanban')
        self.assertIn('action_help', view['arch'])

    def test_pages_lead_to_each_other_and_all_they_show_is_there(self):
        for ending in ('', '.zh_CN'):
            pages = [f'{role}{ending}.html' for role in ROLES]
            for name in pages:
                page = html.fromstring((STATIC / 'help' / name).read_text(encoding='utf-8'))
                self.assertEqual(page.xpath('//nav/a/@href'), pages, name)
                self.assertEqual(len(page.xpath('//h1')), 1)
                self.assertFalse(page.xpath('//script'))
                for image in page.xpath('//img'):
                    self.assertTrue((STATIC / 'help' / image.get('src')).is_file(), image.attrib)
                    self.assertTrue(image.get('alt'))

    def test_page_of_the_app_shows_pictures_that_are_there(self):
        folder = STATIC / 'description'
        page = html.fromstring((folder / 'index.html').read_text(encoding='utf-8'))
        images = page.xpath('//img/@src')
        self.assertGreaterEqual(len(images), 3)
        for image in images:
            self.assertTrue((folder / image).is_file(), image)
