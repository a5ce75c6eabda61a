from odoo.tests import tagged

from ..common import SaleReturnCommon
from ..common_http import PatientHttpCase


@tagged('post_install', '-at_install')
class TestUiFirstSetUp(SaleReturnCommon, PatientHttpCase):
    """A manager with only that role goes from the overview to a sample parcel."""

    browser_size = '1280x800'

    def _walk(self, lang):
        manager = self._create_user(f'walk_{lang}', 'sale_return.group_manager').sudo()
        manager.write({'password': manager.login, 'lang': lang, 'email': 'walk@example.com'})
        self.start_tour('/odoo/returns-overview', 'sale_return_first_hour', login=manager.login)
        written = self.env['sale.return.configuration'].sudo().search([], limit=1)
        self.assertEqual(written.company_id, self.company)
        self.assertEqual(written.sample_return_id.state, 'approved')
        policy = self.env['sale.return.policy'].search(
            [('company_id', '=', self.company.id)], order='id DESC', limit=1
        )
        self.assertEqual(policy.window_days, 21)

    def test_set_up_in_english(self):
        self._walk('en_US')

    def test_set_up_in_chinese(self):
        self.env['res.lang'].sudo()._activate_lang('zh_CN')
        self._walk('zh_CN')
