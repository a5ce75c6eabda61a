from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..common import SaleReturnCommon


@tagged('post_install', '-at_install')
class TestSetupPage(SaleReturnCommon):
    """The page lists what is misconfigured, each with a button, for managers of Returns."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = cls._create_user('setup_manager', 'sale_return.group_manager')
        cls.clerk = cls._create_user('setup_clerk', 'sale_return.group_user')

    def _open(self, user=None):
        env = self._env_of(user or self.manager)
        env['sale.return.setup'].invalidate_model()
        action = env['sale.return.setup'].with_context(lang='en_US').action_open()
        return env['sale.return.setup'].browse(action['res_id'])

    def _find(self, words):
        findings = self._open().finding_ids
        return findings.filtered(lambda finding: words in finding.sentence)

    def _assert_mended(self, words):
        """Assert that a problem is found, and that its button fixes it."""
        finding = self._find(words)[:1]
        self.assertTrue(finding, words)
        action = finding.action_fix()
        self.assertEqual(action['res_model'], 'sale.return.setup')
        self.assertFalse(self._find(words))

    def _assert_opened(self, words):
        """Assert that a problem is found, and that its button opens a list."""
        finding = self._find(words)[:1]
        self.assertTrue(finding, words)
        self.assertTrue(finding.button)
        return finding

    def test_jobs_that_are_off_are_switched_on(self):
        self.env.ref('sale_return.ir_cron_reconcile').sudo().active = False
        self._assert_mended("“Returns: find differences” is switched off")

    def test_jobs_that_fail_are_named(self):
        self.env.ref('sale_return.ir_cron_reconcile').sudo().failure_count = 3
        finding = self._assert_opened("fails (3 in a row)")
        # Scheduled jobs are for administrators.
        self.assertFalse(finding.is_open)
        with self.assertRaisesRegex(UserError, "Ask an administrator"):
            finding.action_fix()

    def test_jobs_that_nobody_runs_are_named(self):
        jobs = self.env['sale.return.health']._get_jobs()
        jobs.nextcall = fields.Datetime.now() - timedelta(days=3)
        self._assert_opened("has run for more than a day")
        jobs[:1].nextcall = fields.Datetime.now() + timedelta(hours=1)
        self.assertFalse(self._find("has run for more than a day"))

    def test_mail_servers_are_missed(self):
        servers = self.env['ir.mail_server'].sudo()
        servers.search([]).active = False
        self._assert_opened("No outgoing mail server")
        servers.create({'name': "Server", 'smtp_host': 'localhost'})
        self.assertFalse(self._find("No outgoing mail server"))

    def test_quarantines_are_created(self):
        self.quarantine.sudo().active = False
        self._assert_mended("has no quarantine")
        self.assertTrue(self.quarantine.active)

    def test_goods_that_wait_too_long_are_counted(self):
        sale_return = self._create_return(self._create_sale(), 1)
        self._receive(sale_return)
        self.assertFalse(self._find("is filling up"))
        moves = sale_return.line_ids.move_ids.sudo()
        old = fields.Datetime.now() - timedelta(days=40)
        moves.date = old
        self.env.cr.execute(
            "UPDATE stock_quant SET in_date = %s WHERE location_id = %s",
            [old, self.quarantine.id],
        )
        self.env.invalidate_all()
        finding = self._assert_opened("is filling up")
        self.assertEqual(finding.action_fix()['res_model'], 'sale.return.quarantine.report')

    def test_somebody_must_be_able_to_approve(self):
        company = self._create_trading_company("Nobody Approves")
        approvers = self.env.ref('sale_return.group_approver').sudo().all_user_ids
        for user in approvers.filtered(lambda user: company in user.company_ids):
            user.company_ids -= company
        findings = self.env['sale.return.health']._get_findings(company)
        self.assertIn(
            "Nobody in Nobody Approves may approve returns: give somebody the role.",
            [finding['sentence'] for finding in findings],
        )
        self.assertFalse(self._find("may approve returns"))

    def test_journals_and_accounts_are_missed(self):
        journals = self.env['account.journal'].sudo()
        journals.search(
            [('company_id', '=', self.company.id), ('type', '=', 'sale')]
        ).active = False
        self.company.sudo().sale_return_scrap_account_id = False
        self._assert_opened("has no sales journal")
        self._assert_opened("has no account for scrapped returns")

    def test_comparison_runs_at_the_press_of_its_button(self):
        self._assert_mended("were never compared")
        self.company.sudo().sale_return_reconciled_on = fields.Datetime.now() - timedelta(days=5)
        self._assert_mended("were last compared on")

    def test_team_of_everybody_watches_returns_that_are_open(self):
        sale_return = self._create_return(self._create_sale(), 1)
        self.assertFalse(sale_return.deadline_ids)
        self._assert_mended("has no team")
        self.assertTrue(sale_return.deadline_ids)
        self.assertTrue(sale_return.team_id.everybody)

    def test_incomplete_teams_are_named(self):
        self.env['sale.return.team'].create({'name': "Empty", 'company_id': self.company.id})
        finding = self._assert_opened("Team Empty has neither members nor a leader")
        self.assertEqual(finding.action_fix()['res_model'], 'sale.return.team')

    def test_only_managers_open_the_page(self):
        with self.assertRaises(AccessError):
            self._open(self.clerk)

    def test_only_what_has_a_name_is_mended(self):
        finding = self._find("were never compared")
        with self.assertRaises(AccessError):
            finding.code = 'jobs'
        finding.sudo().code = 'findings'
        with self.assertRaises(UserError):
            finding.action_fix()

    def test_links_of_the_page_open_for_managers(self):
        arch = self._env_of(self.manager)['sale.return.setup'].get_view(view_type='form')['arch']
        self.assertIn('name="lists"', arch)
        self.assertGreaterEqual(arch.count('type="action"'), 8)

    def test_inspectors_who_may_not_open_transfers_are_named(self):
        if 'delivery.zip.prefix' not in self.env:
            return
        operator = self._create_user(
            'setup_operator', 'stock.group_stock_user', 'sale_return.group_inspector'
        )
        self.assertTrue(self._find(operator.name))
        operator.sudo().group_ids += self.env.ref('base.group_partner_manager')
        self.assertFalse(self._find(operator.name))
