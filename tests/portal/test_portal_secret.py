from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..common import SaleReturnCommon

SALES = 'sales_team.group_sale_salesman_all_leads'
SECRETS = ('access_token', 'access_token_value')


@tagged('post_install', '-at_install')
class TestPortalSecret(SaleReturnCommon):
    """Nobody can read, choose or extend the key to a customer's page; copying it is logged."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clerk = cls._create_user('secret_clerk', 'sale_return.group_user', SALES)
        cls.approver = cls._create_user('secret_approver', 'sale_return.group_approver', SALES)
        cls.stranger = cls.env.ref('base.public_user').sudo()
        cls.sale_return = cls._create_return(cls._create_sale(), 2)
        cls.token = cls.sale_return._portal_ensure_token()

    def _get_copied(self):
        return self.sale_return.event_ids.filtered(lambda event: event.kind == 'link_copied')

    def test_nobody_reads_it(self):
        for user in (self.clerk, self.staff):
            for name in SECRETS:
                with self.subTest(user=user.login, name=name):
                    with self.assert_refused(exception=AccessError):
                        self._call(user, self.sale_return, 'read', [name])
                    with self.assert_refused(exception=AccessError):
                        self.sale_return.with_user(user).search([(name, '!=', False)])

    def test_nobody_writes_or_prolongs_it(self):
        expiry = self.sale_return.sudo().access_token_expiry
        for user in (self.clerk, self.staff):
            for vals in (
                {'access_token': "mine"},
                {'access_token_value': "mine"},
                {'access_token_expiry': '2099-01-01 00:00:00'},
            ):
                with self.subTest(user=user.login, vals=vals):
                    with self.assert_refused(exception=AccessError):
                        self._call(user, self.sale_return, 'write', vals)
        self.env.invalidate_all()
        sale_return = self.sale_return.sudo()
        self.assertEqual(
            (sale_return.access_token, sale_return.access_token_expiry), (self.token, expiry)
        )

    def test_nobody_chooses_it(self):
        order = self._create_sale()
        values = {
            'partner_id': order.partner_id.id,
            'line_ids': self._prepare_return_lines(order.order_line, 2),
            'access_token': "mine",
        }
        with self.assert_refused(exception=AccessError):
            self._call(self.clerk, self.env['sale.return'], 'create', values)

    def test_copying_the_link_is_logged(self):
        url = self._call(self.clerk, self.sale_return, 'get_portal_url')
        self.assertIn(self.token, url)
        self.env.invalidate_all()
        self.assertEqual(self._get_copied().user_id, self.clerk)

    def test_sharing_the_link_is_logged(self):
        env = self._env_of(self.clerk)
        context = {'active_model': 'sale.return', 'active_id': self.sale_return.id}
        env['portal.share'].with_context(**context).default_get(['share_link'])
        self.assertEqual(self._get_copied().user_id, self.clerk)

    def test_messages_to_the_customer_are_no_copies(self):
        self.assertIn(self.token, self.sale_return.with_user(self.clerk)._get_customer_url())
        self.assertFalse(self._get_copied())

    def test_request_by_link_is_shown_as_such(self):
        order = self._create_sale()
        values = {
            'partner_id': order.partner_id.id,
            'line_ids': self._prepare_return_lines(order.order_line, 2, self.reason_missing),
        }
        sale_return = self.env['sale.return'].with_user(self.stranger).sudo().create(values)
        sale_return.action_submit()
        self._call(self.approver, sale_return.sudo(False), 'action_approve')
        self.env.invalidate_all()
        self.assertEqual(sale_return.door, 'link')
        row = self.env['sale.return.unbacked'].search([('return_id', '=', sale_return.id)])
        self.assertEqual((row.door, row.user_id), ('link', self.approver))
        self.assertEqual(row.date, self.company._get_sale_return_day())
