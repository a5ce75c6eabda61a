from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..common_portal import PortalCommon


@tagged('post_install', '-at_install')
class TestPortalAccess(PortalCommon):
    """Access of customers to returns, by RPC and by links."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_policy(approval='always')
        cls.sale_return = cls._create_return(cls.order, 2)

    def _read(self, user, records, *names):
        return self._call(user, records, 'read', list(names))

    def test_customer_and_colleague_read_their_return(self):
        for user in (self.jane, self.colleague):
            with self.subTest(user=user.login):
                values = self._read(user, self.sale_return, 'name', 'state', 'line_ids')
                self.assertEqual(values[0]['state'], 'submitted')
                lines = self._read(user, self.sale_return.line_ids, 'product_id', 'qty_requested')
                self.assertEqual(lines[0]['qty_requested'], 2)

    def test_stranger_reads_nothing(self):
        for records in (self.sale_return, self.sale_return.line_ids):
            with self.assert_refused(exception=AccessError):
                self._read(self.stranger, records, 'display_name')
            self.assertFalse(self._env_of(self.stranger)[records._name].search([]))

    def test_customer_changes_nothing(self):
        for method, args in {
            'write': [{'carrier_name': "Me"}],
            'unlink': [],
            'action_submit': [],
            'action_approve': [],
            'action_cancel': [],
            'message_post': [],
        }.items():
            with self.subTest(method=method), self.assert_refused(exception=AccessError):
                self._call(self.jane, self.sale_return, method, *args)

    def test_customer_reads_nothing_that_is_ours(self):
        hidden = {
            'sale.return': ('user_id', 'fingerprint', 'waiting_for', 'access_token', 'event_ids'),
            'sale.return.line': ('verdicts', 'verdict_text', 'policy_id', 'policy_facts'),
        }
        for record in (self.sale_return, self.sale_return.line_ids):
            for name in hidden[record._name]:
                with self.subTest(field=name), self.assert_refused(exception=AccessError):
                    self._read(self.jane, record, name)
            # Nor by guessing with searches.
            with self.assert_refused(exception=AccessError):
                domain = [(hidden[record._name][0], '!=', False)]
                self._env_of(self.jane)[record._name].search(domain)

    def test_drafts_are_not_shown(self):
        draft = self._create_return(self.order, 1, submit=False)
        with self.assert_refused(exception=AccessError):
            self._read(self.jane, draft, 'name')
        self.sale_return.action_draft()
        self.assertTrue(self._read(self.jane, self.sale_return, 'name'))

    def test_link_expires_and_the_next_one_is_another(self):
        token = self.sale_return._portal_ensure_token()
        self.assertEqual(self.sale_return._portal_ensure_token(), token)
        self.assertTrue(self.sale_return._is_portal_link_alive())
        self.sale_return.sudo().access_token_expiry = fields.Datetime.now() - timedelta(minutes=1)
        self.assertFalse(self.sale_return._is_portal_link_alive())
        self.assertNotEqual(self.sale_return._portal_ensure_token(), token)
        self.assertTrue(self.sale_return._is_portal_link_alive())

    def test_link_that_is_used_again_works_longer(self):
        self.sale_return._portal_ensure_token()
        soon = fields.Datetime.now() + timedelta(days=3)
        self.sale_return.sudo().access_token_expiry = soon
        self.sale_return._portal_ensure_token()
        self.assertGreater(self.sale_return.sudo().access_token_expiry, soon)
