"""Days begin and end in the time zone of the company, for all users and for jobs."""

import ast
from datetime import date
from pathlib import Path

from freezegun import freeze_time

from odoo.tests import tagged

from ..common import SaleReturnCommon

ROOT = Path(__file__).parents[2]
# Code that uses the day of the user, or of no company.
OWN_DAYS = {
    'models/analysis/sale_return_metric.py': "a period that somebody chooses",
    'models/decision/sale_return_policy.py': "the name of a kept copy, which no company may own",
    'models/decision/sale_return_substitute.py': "the default of a date that somebody enters",
    'models/base/sale_return_worklist.py': "what filters of the client call today",
    'models/portal/sale_return_portal_gate.py': "the due day of the one who is called",
    'models/base/res_company.py': "the default of a date that an administrator sees",
    'wizards/sale_return_cutoff.py': "the default of a date for several companies",
}
# Half past seven on the second of March in Shanghai.
LATE_EVENING = '2026-03-01 23:30:00'


@tagged('post_install', '-at_install')
class TestCompanyDays(SaleReturnCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.sudo().partner_id.tz = 'Asia/Shanghai'
        cls.staff.sudo().tz = 'America/New_York'
        cls.env = cls._env_of(cls.staff)
        cls.company = cls.env.company

    def test_day_of_a_moment(self):
        with freeze_time(LATE_EVENING):
            self.assertEqual(self.company._get_sale_return_day(), date(2026, 3, 2))

    def test_address_comes_before_working_hours(self):
        company = self.company.sudo()
        company.resource_calendar_id.tz = 'Europe/Brussels'
        self.assertEqual(company._get_sale_return_timezone(), 'Asia/Shanghai')
        company.partner_id.tz = False
        self.assertEqual(company._get_sale_return_timezone(), 'Europe/Brussels')
        company.resource_calendar_id = False
        self.assertEqual(company._get_sale_return_timezone(), 'UTC')

    def test_late_is_the_same_shown_and_searched(self):
        returns = self._create_return(self._create_sale())
        day = returns.date_send_until
        self.assertTrue(day)
        for moment, late in ((f'{day} 15:30:00', False), (f'{day} 16:30:00', True)):
            with freeze_time(moment):
                returns.invalidate_recordset(['is_late'])
                self.assertEqual(returns.is_late, late, moment)
                found = returns.search([('id', '=', returns.id), ('is_late', '=', True)])
                self.assertEqual(bool(found), late, moment)

    def test_goodwill_carries_the_day_of_the_company(self):
        invoice = self._create_sale().invoice_ids
        reason = self.env['sale.return.reason'].create(
            {
                'name': "Scratch",
                'code': 'SCRATCH',
                'return_class': 'goodwill',
                'return_expected': False,
            }
        )
        with freeze_time(LATE_EVENING):
            invoice.grant_goodwill(12.1, reason.id, "Scratched on arrival")
        goodwill = self.env['sale.return.goodwill'].search([('invoice_id', '=', invoice.id)])
        self.assertEqual(goodwill.date, date(2026, 3, 2))

    def test_no_second_way_to_a_day(self):
        """Take the day from the company, not from the user."""
        found = set()
        for path in sorted(ROOT.rglob('*.py')):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith(('models/', 'wizards/', 'controllers/', 'report/')):
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Attribute) and ast.unparse(node).endswith(
                    ('.context_today', 'company_id.partner_id.tz', 'company.partner_id.tz')
                ):
                    found.add(name)
        self.assertEqual(found, set(OWN_DAYS))
