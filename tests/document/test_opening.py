from lxml import etree

from odoo.exceptions import AccessError
from odoo.tests import Form, tagged

from ..common_refund import RefundCommon

ALL = 'sales_team.group_sale_salesman_all_leads'


@tagged('post_install', '-at_install')
class TestOpening(RefundCommon):
    """Users without rights in Accounting or Inventory are told what was done."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = cls.env['res.users'].union(
            cls._create_user('opening_user', 'sale_return.group_user'),
            cls._create_user('opening_sales', 'sale_return.group_user', ALL),
            cls._create_user('opening_inspector', 'sale_return.group_inspector'),
            cls._create_user('opening_manager', 'sale_return.group_manager', ALL),
            cls._create_user('opening_alone', 'sale_return.group_manager'),
            cls._create_user(
                'opening_accountant', 'sale_return.group_user', 'account.group_account_invoice'
            ),
            cls._create_user(
                'opening_stock', 'sale_return.group_inspector', 'stock.group_stock_user'
            ),
        )
        if 'delivery.carrier' in cls.env:
            # Odoo's own form of transfers asks for the prefixes of carriers.
            cls.users[-1].sudo().group_ids += cls.env.ref('base.group_partner_manager')

    def _open(self, user, action):
        """Execute an action like the web client; return whether a document was opened."""
        self.assertIn(action['type'], ('ir.actions.act_window', 'ir.actions.client'))
        if action['type'] == 'ir.actions.client':
            self.assertEqual(action['tag'], 'display_notification')
            self.assertTrue(action['params']['message'])
            return False
        self.env.invalidate_all()
        model = self._env_of(user)[action['res_model']]
        records = model.browse(action.get('res_id', ())) or model.search(action.get('domain', []))
        arch = etree.fromstring(model.get_view(view_type='form')['arch'])
        names = [
            node.get('name')
            for node in arch.iter('field')
            if not any(parent.tag == 'field' for parent in node.iterancestors())
        ]
        records.web_read({name: {} for name in names})
        return True

    def _check(self, user, records, method, *args):
        action = self._call(user, records, method, *args)
        return self._open(user, action)

    def test_documents_of_a_return_are_opened_by_who_may_and_named_to_the_others(self):
        order = self._create_sale()
        sale_return = self._return_goods(order, 2)
        opened = {}
        for user in self.users:
            for kind in ('sale_orders', 'receipts', 'transfers', 'deliveries', 'invoices'):
                with self.subTest(user=user.login, kind=kind):
                    self.env.invalidate_all()
                    opened[user.login, kind] = self._check(user, sale_return, f'action_view_{kind}')
            with self.subTest(user=user.login, kind='notes'):
                self.env.invalidate_all()
                opened[user.login, 'notes'] = self._check(
                    user, sale_return, 'action_view_credit_notes'
                )
            with self.subTest(user=user.login, kind='inspection'):
                self.env.invalidate_all()
                self._check(user, sale_return.inspection_ids, 'action_view_transfers')
        self.assertFalse(opened['opening_manager', 'notes'])
        self.assertFalse(opened['opening_manager', 'invoices'])
        self.assertTrue(opened['opening_accountant', 'notes'])
        self.assertTrue(opened['opening_sales', 'sale_orders'])
        self.assertFalse(opened['opening_alone', 'sale_orders'])
        self.assertTrue(opened['opening_stock', 'receipts'])

    def test_goodwill_is_told_whoever_grants_it(self):
        reason = self.env['sale.return.reason'].create(
            {
                'name': "Scratch",
                'code': 'SCRATCH',
                'return_class': 'goodwill',
                'return_expected': False,
            }
        )
        self._configure(
            sale_return_goodwill_agent_limit=500.0, sale_return_goodwill_customer_limit=0.0
        )
        for user in self.users:
            order = self._create_sale()
            env = self._env_of(user)
            self.env.invalidate_all()
            try:
                env['sale.order'].browse(order.id).check_access('read')
            except AccessError:
                continue
            action = env['sale.order'].browse(order.id).action_open_goodwill()
            dialogs = env[action['res_model']].with_context(**action['context'])
            with Form(dialogs) as form:
                form.reason_id = env['sale.return.reason'].browse(reason.id)
                form.amount = 25.0
                form.comment = "Scratched"
            dialog = form.record
            with self.subTest(user=user.login):
                told = dialog.action_confirm()
                note = order.invoice_ids.reversal_move_ids
                self.assertEqual(len(note), 1)
                self.assertFalse(self._open(user, told))
                message = told['params']['message']
                self.assertIn(note.name, message)
                self.assertIn("25.00", message)
                self.assertEqual(told['params']['next']['type'], 'ir.actions.act_window_close')

    def test_credit_notes_and_payouts_are_made_without_rights_in_accounting(self):
        manager = self.users.filtered(lambda user: user.login == 'opening_manager')
        self._create_policy(credit_posting='draft', settlement='refund')
        order = self._create_sale()
        self._pay(order.invoice_ids)
        sale_return = self._return_goods(order, 2)
        sale_return.credit_note_ids.action_post()
        self.env.invalidate_all()
        env = self._env_of(manager)
        mine = sale_return.with_env(env)
        mine.action_create_credit_notes()
        action = mine.action_open_refund()
        dialog = env[action['res_model']].with_context(**action['context']).create({})
        self._open(manager, dialog.action_confirm())
        refunds = mine.refund_ids
        self.assertTrue(refunds)
        for refund in refunds:
            self.env.invalidate_all()
            self.assertFalse(self._check(manager, refund, 'action_open_document'))
