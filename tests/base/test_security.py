import contextlib
import json
from datetime import datetime, timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common_http import PatientHttpCase
from ..common_security import SecurityCommon

LEAN = "roles that optional modules do not extend"

SERVICES = (
    'sale.return.credit',
    'sale.return.decision',
    'sale.return.disposal',
    'sale.return.ledger',
    'sale.return.reception',
)


@tagged('post_install', '-at_install')
class TestActionRights(SecurityCommon):
    """Who may do what: allowed and blocked calls of a remote client."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_policy(approval='always')

    def _create_vals(self):
        return {
            'partner_id': self.customer.id,
            'line_ids': self._prepare_return_lines(self.order.order_line, 2),
        }

    def _received(self):
        sale_return = self._create_return(self.order, 2)
        self._call(self.approver, sale_return, 'action_approve')
        self._receive(sale_return)
        return sale_return

    def test_user_opens_and_submits(self):
        return_id = self._call(self.user, self.env['sale.return'], 'create', self._create_vals())
        sale_return = self.env['sale.return'].browse(return_id)
        self.assertTrue(self._call(self.user, sale_return, 'action_submit'))
        self.assertEqual((sale_return.state, sale_return.user_id), ('submitted', self.user))

    def test_salesman_without_role_opens_nothing(self):
        with self.assert_refused(exception=AccessError):
            self._call(self.salesman, self.env['sale.return'], 'create', self._create_vals())
        with self.assert_refused(exception=AccessError):
            self._call(self.salesman, self.order, 'action_create_return')

    def test_salesman_without_role_does_not_act(self):
        sale_return = self._create_return(self.order, 2)
        calls = {
            'action_submit': [],
            'action_approve': [],
            'action_refuse': ["No."],
            'action_cancel': [],
            'action_draft': [],
            'action_close': ["No."],
            'action_register_dispatch': ["1Z"],
            'action_inspect_all': ['restock'],
            'action_create_credit_notes': [],
            'preview_credit': [],
        }
        for method, args in calls.items():
            with self.subTest(method=method), self.assert_refused(exception=AccessError):
                self._call(self.salesman, sale_return, method, *args)
        self.assertEqual(sale_return.state, 'submitted')

    def test_approver_approves(self):
        sale_return = self._create_return(self.order, 2)
        self._call(self.approver, sale_return, 'action_approve')
        self.assertEqual(sale_return.state, 'approved')
        self.assertEqual(sale_return.approval_ids.user_id, self.approver)

    def test_user_and_inspector_do_not_approve(self):
        sale_return = self._create_return(self.order, 2)
        for user in (self.user, self.inspector):
            with self.assert_refused("Approver", AccessError):
                self._call(user, sale_return, 'action_approve')
        self.assertEqual(sale_return.state, 'submitted')

    def test_approver_refuses(self):
        sale_return = self._create_return(self.order, 2)
        self._call(self.approver, sale_return, 'action_refuse', reason="Too late.")
        self.assertEqual(sale_return.state, 'refused')

    def test_user_does_not_refuse(self):
        sale_return = self._create_return(self.order, 2)
        with self.assert_refused("Approver", AccessError):
            self._call(self.user, sale_return, 'action_refuse', reason="Too late.")

    def test_inspector_inspects(self):
        sale_return = self._received()
        row_ids = self._call(self.inspector, sale_return, 'action_inspect_all', 'restock')
        rows = self.env['sale.return.inspection'].browse(row_ids)
        self.assertEqual((rows.quantity, rows.inspector_id), (2, self.inspector))

    def test_user_and_approver_do_not_inspect(self):
        sale_return = self._received()
        result = [{'quantity': 1, 'disposition': 'restock'}]
        for user in (self.user, self.approver):
            with self.assert_refused("Inspector", AccessError):
                self._call(user, sale_return, 'action_inspect_all', 'restock')
            with self.assert_refused("Inspector", AccessError):
                self._call(user, sale_return.line_ids, 'register_inspection', result)

    def test_user_closes_and_cancels(self):
        sale_return = self._create_return(self.order, 2)
        self._call(self.approver, sale_return, 'action_approve')
        self._call(self.user, sale_return, 'action_close', reason="Never sent.")
        self.assertEqual(sale_return.state, 'closed')
        second = self._create_return(self.order, 2)
        self._call(self.user, second, 'action_cancel')
        self.assertEqual(second.state, 'cancelled')

    def test_user_has_due_notes_created(self):
        self._configure(sale_return_auto_credit=False)
        sale_return = self._received()
        sale_return.action_inspect_all('restock')
        note_ids = self._call(self.user, sale_return, 'action_create_credit_notes')
        self.assertEqual(self.env['account.move'].browse(note_ids).state, 'posted')

    def test_manager_configures(self):
        for model in ('reason', 'policy', 'grade', 'disposition'):
            record = self.env[f'sale.return.{model}'].search([], limit=1)
            self.assertTrue(self._call(self.staff, record, 'write', {'name': "Other name"}))

    def test_others_read_the_configuration_only(self):
        for model in ('reason', 'policy', 'grade', 'disposition'):
            record = self.env[f'sale.return.{model}'].search([], limit=1)
            for user in (self.user, self.inspector, self.approver):
                self.assertTrue(self._call(user, record, 'read', ['name']))
                with self.assert_refused(exception=AccessError):
                    self._call(user, record, 'write', {'name': "Other name"})

    def test_roles_imply_each_other_as_promised(self):
        groups = {
            name: self.env.ref(f'sale_return.group_{name}')
            for name in ('user', 'inspector', 'approver', 'manager')
        }
        self.assertIn(groups['user'], groups['inspector'].all_implied_ids)
        self.assertIn(groups['user'], groups['approver'].all_implied_ids)
        self.assertNotIn(groups['inspector'], groups['approver'].all_implied_ids)
        for name in ('user', 'inspector', 'approver'):
            self.assertIn(groups[name], groups['manager'].all_implied_ids)
        self.assertIn(self.env.ref('base.user_admin'), groups['manager'].sudo().user_ids)

    def test_roles_grant_nothing_of_accounting_or_inventory(self):
        clerk = self._create_user('returns_bare_manager', 'sale_return.group_manager')
        for model in ('account.move', 'stock.picking', 'stock.move', 'stock.quant'):
            self.assertFalse(self.env[model].with_user(clerk).has_access('write'), model)


@tagged('post_install', '-at_install')
class TestNothingAroundTheActions(SecurityCommon):
    """Derived fields cannot be written, and private methods cannot be called."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sale_return = cls._return_goods(cls.order, 2)

    def test_nobody_changes_the_log(self):
        for action, args in (('write', [{'reason': "Forged"}]), ('unlink', [])):
            with self.assert_refused():
                self._call(self.staff, self.sale_return.event_ids, action, *args)

    def test_nobody_adds_to_the_log(self):
        with self.assert_refused():
            self._call(
                self.staff,
                self.env['sale.return.event'],
                'create',
                {'return_id': self.sale_return.id, 'kind': 'override'},
            )

    def test_not_even_the_superuser_changes_the_log(self):
        with self.assert_refused():
            self.sale_return.event_ids.sudo().reason = "Forged"
        with self.assert_refused():
            self.sale_return.event_ids.sudo().unlink()

    def test_nobody_changes_inspection_rows(self):
        rows = self.sale_return.inspection_ids
        for action, args in (('write', [{'quantity': 1}]), ('unlink', [])):
            with self.assert_refused():
                self._call(self.staff, rows, action, *args)
            with self.assert_refused():
                getattr(rows.sudo(), action)(*args)

    def test_nobody_adds_inspection_rows(self):
        with self.assert_refused():
            self._call(
                self.staff,
                self.env['sale.return.inspection'],
                'create',
                {
                    'line_id': self.sale_return.line_ids.id,
                    'quantity': 1,
                    'disposition_id': self.restock.id,
                    'liability': 'company',
                },
            )

    def test_nobody_forges_an_approval(self):
        values = {'return_id': self.sale_return.id, 'decision': 'approved'}
        with self.assert_refused():
            self._call(self.staff, self.env['sale.return.approval'], 'create', values)
        with self.assert_refused():
            self._call(self.staff, self.sale_return.approval_ids, 'write', {'comment': "Forged"})
        with self.assert_refused():
            self._call(self.staff, self.sale_return.approval_ids, 'unlink')

    def test_state_is_not_written(self):
        sale_return = self._create_return(self.order, 2, submit=False)
        for user in (self.user, self.staff):
            with self.assert_refused():
                self._call(user, sale_return, 'write', {'state': 'approved'})
        self.assertEqual(sale_return.state, 'draft')

    def test_ledger_of_quantities_is_not_written(self):
        line = self._create_return(self.order, 2, submit=False).line_ids
        for name in ('qty_authorized', 'qty_written_off', 'policy_id'):
            with self.subTest(field=name), self.assert_refused():
                self._call(self.staff, line, 'write', {name: 1})
        self.assertEqual(line.policy_id, self.policy)
        self.assert_quantities(line, authorized=0, written_off=0)

    def _try_to_write(self, record, name, value):
        """Write a field as a client; whether it is refused or ignored does not matter."""
        before = record[name]
        with contextlib.suppress(UserError):
            self._call(self.user, record, 'write', {name: value})
        record.invalidate_recordset([name])
        self.assertEqual(record[name], before)

    def test_computed_quantities_are_not_written(self):
        line = self._create_return(self.order, 2, submit=False).line_ids
        for name in ('received', 'inspected', 'accepted', 'rejected', 'credited', 'to_credit'):
            with self.subTest(field=name):
                self._try_to_write(line, f'qty_{name}', 2)

    def test_computed_quantities_are_not_created(self):
        vals = self._prepare_return_lines(self.order.order_line, 2, qty_credited=2)
        with contextlib.suppress(UserError):
            return_id = self._call(
                self.user,
                self.env['sale.return'],
                'create',
                {'partner_id': self.customer.id, 'line_ids': vals},
            )
            line = self.env['sale.return'].browse(return_id).line_ids
            self.assert_quantities(line, credited=0)

    def test_computed_progress_is_not_written(self):
        sale_return = self._create_return(self.order, 2, submit=False)
        for name, value in (
            ('reception_state', 'full'),
            ('inspection_state', 'full'),
            ('credit_state', 'full'),
            ('refund_state', 'full'),
            ('amount_credited', 100.0),
            ('amount_refunded', 100.0),
        ):
            with self.subTest(field=name):
                self._try_to_write(sale_return, name, value)

    def test_private_methods_cannot_be_called(self):
        calls = {
            'sale.return': (
                '_update_state',
                '_write_facts',
                '_approve',
                '_after_step',
                '_close_or_reopen',
                '_queue_credit',
                '_cron_create_credit_notes',
            ),
            'sale.return.line': ('_authorize', '_write_off_missing', '_write_facts'),
            'sale.return.event': ('_log',),
        }
        for model, methods in calls.items():
            for method in methods:
                with self.subTest(method=method), self.assert_refused("Private", AccessError):
                    self._call(self.staff, self.env[model], method)

    def test_services_have_no_method_to_be_called(self):
        base = set(dir(type(self.env['base'])))
        for service in SERVICES:
            public = {
                name
                for name in set(dir(type(self.env[service]))) - base
                if not name.startswith('_') and callable(getattr(self.env[service], name))
            }
            self.assertFalse(public, service)

    def test_hidden_credit_fields_are_not_copied(self):
        line = self.sale_return.credit_note_ids.invoice_line_ids
        copy = self.sale_return.credit_note_ids.copy()
        self.assertTrue(line.sale_return_line_id)
        self.assertFalse(copy.invoice_line_ids.sale_return_line_id)
        self.assertFalse(copy.invoice_line_ids.credited_line_id)


@tagged('post_install', '-at_install')
class TestWarehouseUser(SecurityCommon):
    """Inventory and inspector rights are sufficient from the parcel to the credit note."""

    def test_warehouse_user_receives_and_inspects_and_the_note_names_them(self):
        sale_return = self._create_return(self.order, 2)
        picking = sale_return.picking_ids.with_user(self.inspector)
        picking.move_ids.quantity = 2
        picking.move_ids.picked = True
        picking.button_validate()
        self._call(
            self.inspector,
            sale_return.line_ids,
            'register_inspection',
            [{'quantity': 2, 'disposition': 'restock', 'grade': 'A'}],
        )
        note = sale_return.credit_note_ids
        self.assertEqual((note.state, note.create_uid), ('posted', self.inspector))
        self.assertEqual(
            sale_return.event_ids.filtered(lambda e: e.kind == 'credited').user_id, self.inspector
        )

    def test_warehouse_user_has_no_accounting_rights(self):
        sale_return = self._return_goods(self.order, 2)
        note = sale_return.credit_note_ids
        for method, args in (('read', [['name']]), ('write', [{'ref': "x"}]), ('button_draft', [])):
            with self.subTest(method=method), self.assert_refused(exception=AccessError):
                self._call(self.inspector, note, method, *args)

    def test_warehouse_user_without_role_receives_but_does_not_inspect(self):
        packer = self._create_user('returns_packer', 'stock.group_stock_user')
        sale_return = self._create_return(self.order, 2)
        picking = sale_return.picking_ids.with_user(packer)
        picking.move_ids.quantity = 2
        picking.move_ids.picked = True
        picking.button_validate()
        self.assert_quantities(sale_return.line_ids, received=2)
        with self.assert_refused(exception=AccessError):
            self._call(packer, sale_return, 'action_inspect_all', 'restock')

    def test_approver_needs_no_rights_in_inventory(self):
        self._create_policy(approval='always')
        sale_return = self._create_return(self.order, 2)
        self._call(self.approver, sale_return, 'action_approve')
        self.assertEqual(sale_return.picking_ids.state, 'assigned')

    def test_accountant_without_role_posts_the_draft_of_the_service(self):
        self.policy.credit_posting = 'draft'
        accountant = self._create_user('returns_accountant', 'account.group_account_invoice')
        sale_return = self._return_goods(self.order, 2)
        sale_return.credit_note_ids.with_user(accountant).action_post()
        self.assertEqual(sale_return.state, 'closed')

    def test_sales_without_role_still_sells(self):
        """Orders, deliveries and invoices with returns stay usable for people without a role."""
        self._return_goods(self.order, 2)
        order = self.order.with_user(self.salesman)
        # The cache is empty, as for a remote client.
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertTrue(order.read())
        order.order_line.product_uom_qty = 11
        self.assertEqual(self.order.order_line.product_uom_qty, 11)


@tagged('post_install', '-at_install')
class TestJson2(SecurityCommon, PatientHttpCase):
    """The public contract over HTTP, with an API key."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.keys = {
            user: user.with_user(user)
            .env['res.users.apikeys']
            ._generate(
                scope='rpc', name='test', expiration_date=datetime.now() + timedelta(hours=1)
            )
            for user in (cls.staff, cls.user)
        }

    def _post(self, user, model, method, **arguments):
        # What is refused on purpose is logged as a warning; the tests look at the answer.
        with mute_logger('odoo.http', 'odoo.sql_db'):
            response = self.url_open(
                f'/json/2/{model}/{method}',
                data=json.dumps(arguments),
                headers={
                    'Content-Type': 'application/json',
                    'Authorization': f'Bearer {self.keys[user]}',
                },
            )
        return response.status_code, response.json()

    def _create_vals(self, quantity=2, **values):
        return {
            'partner_id': self.customer.id,
            'line_ids': self._prepare_return_lines(self.order.order_line, quantity),
            **values,
        }

    def test_client_goes_all_the_way(self):
        status, ids = self._post(
            self.staff, 'sale.return', 'create', vals_list=[self._create_vals(external_ref="S1")]
        )
        self.assertEqual(status, 200)
        self.assertEqual(self._post(self.staff, 'sale.return', 'action_submit', ids=ids)[0], 200)
        sale_return = self.env['sale.return'].browse(ids)
        self._receive(sale_return)
        status, rows = self._post(
            self.staff, 'sale.return', 'action_inspect_all', ids=ids, disposition='restock'
        )
        self.assertEqual((status, rows), (200, sale_return.inspection_ids.ids))
        status, preview = self._post(self.staff, 'sale.return', 'preview_credit', ids=ids)
        self.assertEqual(
            (status, preview[str(ids[0])]),
            (200, {'due': [], 'estimate': [], 'exchange': [], 'difference': 0.0}),
        )
        status, notes = self._post(self.staff, 'sale.return', 'action_create_credit_notes', ids=ids)
        self.assertEqual((status, notes), (200, []))

    def test_repeating_a_create_gives_the_first_return(self):
        vals = self._create_vals(external_ref="S1")
        first = self._post(self.user, 'sale.return', 'create', vals_list=[vals])
        self.assertEqual(self._post(self.user, 'sale.return', 'create', vals_list=[vals]), first)

    def test_refusal_is_a_sentence(self):
        for quantity in (0, -1):
            vals = self._create_vals(quantity)
            status, error = self._post(self.user, 'sale.return', 'create', vals_list=[vals])
            self.assertEqual(status, 422)
            self.assertIn("must be more than zero", error['message'])

    def test_private_methods_are_not_there(self):
        sale_return = self._create_return(self.order, 2)
        for method in ('_update_state', '_approve', '_write_facts'):
            status, _error = self._post(self.staff, 'sale.return', method, ids=sale_return.ids)
            self.assertEqual(status, 403)

    def test_roles_hold(self):
        self._create_policy(approval='always')
        sale_return = self._create_return(self.order, 2)
        status, error = self._post(self.user, 'sale.return', 'action_approve', ids=sale_return.ids)
        self.assertEqual(status, 403)
        self.assertIn("Approver", error['message'])
