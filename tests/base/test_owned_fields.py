from datetime import datetime

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..common_http import PatientHttpCase
from ..common_refund import RefundCommon

LEAN = "fields on the models of the required modules alone"

SALES = 'sales_team.group_sale_salesman_all_leads'
ROLES = {
    'salesman': (SALES,),
    'stock user': ('stock.group_stock_user',),
    'stock manager': ('stock.group_stock_manager',),
    'billing': ('account.group_account_invoice',),
    'accountant': ('account.group_account_manager',),
    'returns user': ('sale_return.group_user',),
    'inspector': ('sale_return.group_inspector',),
    'approver': ('sale_return.group_approver',),
    'returns manager': ('sale_return.group_manager',),
    'administrator': ('base.group_erp_manager',),
}
RETURNS = {'returns user', 'inspector', 'approver', 'returns manager'}
MANAGER, STOCK_MANAGER, SETTINGS = {'returns manager'}, {'stock manager'}, {'administrator'}
NOBODY = set()

# Who may set each of our fields on Odoo's models. New fields have to be listed here.
WRITERS = {
    'account.bank.statement.line': {'sale_return_ids': NOBODY},
    'account.move': {
        'sale_return_ids': NOBODY,
        'sale_return_count': NOBODY,
        'sale_return_override_reason': MANAGER,
        'sale_return_override_by_id': NOBODY,
        'sale_return_override_on': NOBODY,
        'sale_return_posted_by_id': NOBODY,
        'sale_return_customer_id': NOBODY,
        'sale_return_trace': NOBODY,
        'sale_return_refund_ids': NOBODY,
        'sale_return_write_back_ids': NOBODY,
        'sale_return_refund_guard': NOBODY,
        'sale_return_proof': NOBODY,
        'sale_return_on_account': NOBODY,
    },
    'account.move.line': {
        'sale_return_line_id': NOBODY,
        'credited_line_id': NOBODY,
        'credited_line_ids': NOBODY,
        'sale_return_kept': NOBODY,
        'sale_return_kind': NOBODY,
        'sale_return_withheld_qty': NOBODY,
        'sale_return_price': NOBODY,
        'sale_return_credit_guard': NOBODY,
        'sale_return_payout_ids': NOBODY,
    },
    'account.payment': {'sale_return_refund_ids': NOBODY},
    'payment.transaction': {'sale_return_refund_ids': NOBODY},
    'res.company': {
        'sale_return_view_location_id': NOBODY,
        'sale_return_refurbish_view_id': NOBODY,
        'sale_return_scrap_location_id': NOBODY,
        'sale_return_reconciled_on': NOBODY,
        'sale_return_adopt_native': SETTINGS,
        'sale_return_auto_credit': SETTINGS,
        'sale_return_mail_approved': SETTINGS,
        'sale_return_file_months': SETTINGS,
        'sale_return_rate': SETTINGS,
        'sale_return_scrap_account_id': SETTINGS,
        'sale_return_fee_account_id': SETTINGS,
        'sale_return_goodwill_agent_limit': SETTINGS,
        'sale_return_goodwill_customer_limit': SETTINGS,
        'sale_return_second_person_above': SETTINGS,
        'sale_return_period_days': SETTINGS,
        'sale_return_unbacked_agent_limit': SETTINGS,
        'sale_return_unbacked_customer_limit': SETTINGS,
        'sale_return_unbacked_order_limit': SETTINGS,
        'sale_return_send_notes': SETTINGS,
        'sale_return_portal': SETTINGS,
        'sale_return_link_days': SETTINGS,
        'sale_return_request_limit': SETTINGS,
        'sale_return_hold_customer_limit': SETTINGS,
        'sale_return_hold_order_limit': SETTINGS,
        'sale_return_gift': SETTINGS,
        'sale_return_store_credit': SETTINGS,
        'sale_return_store_credit_account_id': SETTINGS,
        'sale_return_store_credit_bonus': SETTINGS,
        'sale_return_store_credit_bonus_account_id': SETTINGS,
        'sale_return_store_credit_opening': NOBODY,
        'sale_return_reconciliation_start': SETTINGS,
        'sale_return_reconciliation_user_id': SETTINGS,
    },
    'product.template': {
        'sale_return_rate': NOBODY,
        'sale_return_rate_low': NOBODY,
        'sale_return_rate_high': NOBODY,
        'sale_return_bought': NOBODY,
        'sale_return_kept': NOBODY,
        'sale_return_card_currency_id': NOBODY,
        'sale_return_open_count': NOBODY,
    },
    'res.partner': {
        'sale_return_rate': NOBODY,
        'sale_return_rate_low': NOBODY,
        'sale_return_rate_high': NOBODY,
        'sale_return_bought': NOBODY,
        'sale_return_kept': NOBODY,
        'sale_return_card_currency_id': NOBODY,
        'sale_return_open_count': NOBODY,
        'sale_return_goodwill_guard': NOBODY,
        'sale_return_request_guard': NOBODY,
        'sale_return_hold_guard': NOBODY,
    },
    'res.users': {
        'sale_return_goodwill_limit': MANAGER,
        'sale_return_currency_id': NOBODY,
        'sale_return_goodwill_guard': NOBODY,
    },
    'sale.order': {
        'return_line_ids': NOBODY,
        'return_ids': NOBODY,
        'return_count': NOBODY,
        'return_status': NOBODY,
        'withdrawal_ids': NOBODY,
        'exchange_return_id': NOBODY,
        'exchange_due': NOBODY,
        'sale_return_gift': {'salesman'},
        'has_sale_return_gift': NOBODY,
    },
    'sale.order.line': {
        'return_line_ids': NOBODY,
        'qty_returned': NOBODY,
        'qty_returnable': NOBODY,
        'sale_return_guard': NOBODY,
        'sale_return_kit': NOBODY,
        'exchange_return_line_ids': NOBODY,
    },
    'stock.lot': {'sale_return_ids': NOBODY, 'sale_return_count': NOBODY},
    'stock.move': {
        'sale_return_line_id': NOBODY,
        'sale_return_inspection_id': NOBODY,
        'sale_return_discrepancy_id': NOBODY,
        'sale_return_kit_qty': NOBODY,
        'exchange_line_id': NOBODY,
    },
    'stock.picking': {
        'sale_return_id': NOBODY,
        'sale_return_ids': NOBODY,
        'sale_return_count': NOBODY,
        'sale_return_discrepancy_ids': NOBODY,
        'sale_return_discrepancy_count': NOBODY,
        'is_sale_return_offered': NOBODY,
        'is_sale_return_to_inspect': NOBODY,
        'date_customer_received': RETURNS,
    },
    'stock.picking.type': {'count_sale_return_to_inspect': NOBODY},
    'stock.warehouse': {
        'sale_return_type_id': STOCK_MANAGER,
        'sale_return_quarantine': STOCK_MANAGER,
        'sale_return_restock': STOCK_MANAGER,
        'sale_return_grade_location_ids': STOCK_MANAGER,
        'sale_return_loc_id': NOBODY,
        'sale_return_native_type_id': NOBODY,
        'sale_return_refurbish_loc_id': NOBODY,
    },
    'stock.warehouse.orderpoint': {
        'sale_return_forecast': STOCK_MANAGER,
        'sale_return_expected': NOBODY,
    },
}

VALUES = {
    'boolean': True,
    'char': "X",
    'date': '2026-01-01',
    'datetime': '2026-01-01 00:00:00',
    'float': 7.0,
    'integer': 7,
    'json': {'1': [1, 1]},
    'many2one': 1,
    'monetary': 7.0,
    'one2many': [Command.link(1)],
    'many2many': [Command.link(1)],
    'text': "X",
}


class OwnedCommon(RefundCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_paid_sale()
        cls.salesman = cls._create_user('owned_salesman', SALES)
        cls.storekeeper = cls._create_user('owned_storekeeper', 'stock.group_stock_manager')
        cls.biller = cls._create_user('owned_biller', 'account.group_account_invoice')
        # All roles of Odoo, and none of Returns.
        cls.outsider = cls._create_user(
            'owned_outsider',
            'sales_team.group_sale_manager',
            'stock.group_stock_manager',
            'account.group_account_manager',
            'base.group_partner_manager',
        )
        cls.sale_return = cls._create_return(cls.order, 2)
        if cls.sale_return.state == 'submitted':
            cls.sale_return.action_approve()
        cls.line = cls.sale_return.line_ids

    def _assert_nothing_more(self, received=2):
        self.env.invalidate_all()
        self.assertEqual(self.line.qty_received, received)
        self.assertLessEqual(self.line.qty_credited, received)


@tagged('post_install', '-at_install')
class TestOwnedTable(OwnedCommon):
    """I17: only our services or listed roles write our fields on Odoo's models."""

    def _get_fields(self):
        """Return the fields of ours on stored models of others."""
        return {
            model._name: {
                name
                for name, field in model._fields.items()
                if field._modules[:1] == ('sale_return',) and not field.inherited
            }
            for model in self.env.registry.values()
            if not model._abstract
            and not model._transient
            and model._original_module != 'sale_return'
        }

    def test_every_field_is_listed(self):
        found = {name: fields for name, fields in self._get_fields().items() if fields}
        self.assertEqual(found, {name: set(fields) for name, fields in WRITERS.items()})
        for name, fields in found.items():
            self.assertEqual(self.env[name]._get_sale_return_owned(), fields, name)

    def test_roles_set_what_is_listed_and_nothing_else(self):
        users = {
            role: self._create_user(f'owned_role_{number}', *groups)
            for number, (role, groups) in enumerate(ROLES.items())
        }
        for model, fields in WRITERS.items():
            for name, writers in fields.items():
                allowed = {
                    role
                    for role, user in users.items()
                    if self._env_of(user)[model]._may_set_sale_return(name)
                }
                self.assertEqual(allowed, writers, f"{model}.{name}")

    def _get_records(self):
        order, invoice = self.order, self.order.invoice_ids
        payment = self.env['account.payment'].search([('partner_id', '=', self.customer.id)])[:1]
        _product, lot = self._create_tracked_product('lot', "LOT-OWNED")
        bank_line = self.env['account.bank.statement.line'].create(
            {'journal_id': self.bank.id, 'payment_ref': "Interest", 'amount': 3.0}
        )
        return {
            'account.bank.statement.line': bank_line,
            'account.move': invoice,
            'account.move.line': invoice.invoice_line_ids,
            'account.payment': payment,
            'payment.transaction': self.env['payment.transaction'],
            'res.company': self.company,
            'product.template': self.product.product_tmpl_id,
            'res.partner': self.customer,
            'res.users': self.salesman,
            'sale.order': order,
            'sale.order.line': order.order_line,
            'stock.lot': lot,
            'stock.move': order.picking_ids.move_ids[:1],
            'stock.picking': order.picking_ids[:1],
            'stock.picking.type': self.warehouse.sale_return_type_id,
            'stock.warehouse': self.warehouse,
            'stock.warehouse.orderpoint': self.env['stock.warehouse.orderpoint'].create(
                {'product_id': self.product.id}
            ),
        }

    def _get_value(self, record, name):
        field = record._fields[name]
        if field.type == 'selection':
            values = [key for key, _label in field._description_selection(self.env)]
            return next(key for key in values if key != record.sudo()[name])
        if field.type == 'boolean':
            return not record.sudo()[name]
        return VALUES[field.type]

    def test_strong_user_without_role_changes_no_field(self):
        records = self._get_records()
        for model, fields in WRITERS.items():
            record = records[model][:1]
            for name, writers in fields.items():
                # Who manages sales and stock is one of these two.
                if {'stock manager', 'salesman'} & set(writers) or not record:
                    continue
                with (
                    self.subTest(model=model, field=name),
                    self.assert_refused(exception=AccessError),
                ):
                    # The value for the user: some fields depend on the reader.
                    value = self._get_value(record.with_user(self.outsider), name)
                    self._call(self.outsider, record, 'write', {name: value})

    def test_settings_are_saved(self):
        administrator = self._create_user('owned_admin', 'base.group_system')
        settings = self._env_of(administrator)['res.config.settings'].create(
            {'sale_return_auto_credit': False, 'sale_return_file_months': 7}
        )
        settings.execute()
        self.assertEqual(self.company.sale_return_file_months, 7)
        self.assertFalse(self.company.sale_return_auto_credit)

    def test_warehouse_is_set_up_by_stock_manager(self):
        self._create_warehouse()  # the second one needs an administrator
        # Routes of Odoo lead to warehouses of all companies.
        self.storekeeper.sudo().company_ids += self.foreign_companies
        env = self._env_of(self.storekeeper, companies=self.storekeeper.company_ids)
        warehouse = env['stock.warehouse'].create(
            {'name': "West", 'code': "WST", 'company_id': self.company.id}
        )
        self.assertTrue(warehouse.sale_return_type_id)
        self.assertTrue(warehouse.sale_return_loc_id)
        self.assertTrue(warehouse.sale_return_refurbish_loc_id)
        warehouse.sale_return_restock = 'putaway'
        warehouse.sale_return_quarantine = False


@tagged('post_install', '-at_install')
class TestOwnedLinks(OwnedCommon):
    """Nobody can make goods come back by writing a field."""

    def _make_done_move(self):
        """Another delivery of the same goods is taken back Odoo's way, beside the return."""
        delivery = self.order.picking_ids.filtered(lambda p: p.picking_type_code == 'outgoing')
        picking = self._return_in_inventory(delivery, {self.product: 1})
        return self._process(picking).move_ids

    def test_salesman_links_no_done_move(self):
        self._receive(self.sale_return)
        done = self.order.picking_ids.filtered(lambda p: p.picking_type_code == 'outgoing').move_ids
        for user in (self.salesman, self.storekeeper):
            with self.assert_refused(exception=AccessError):
                self._call(user, done, 'write', {'sale_return_line_id': self.line.id})
        self._assert_nothing_more()

    def _get_move_vals(self, **values):
        return {
            'product_id': self.product.id,
            'product_uom_qty': 1,
            'product_uom': self.unit.id,
            'quantity': 1,
            'location_id': self.customers.id,
            'location_dest_id': self.quarantine.id,
            'company_id': self.company.id,
            'sale_line_id': self.order.order_line.id,
            **values,
        }

    def test_nobody_creates_a_move_of_a_return(self):
        vals = self._get_move_vals(sale_return_line_id=self.line.id, state='done')
        for user in (self.salesman, self.storekeeper, self.outsider):
            with self.assert_refused(exception=AccessError):
                self._call(user, self.env['stock.move'], 'create', vals)
            with self.assert_refused("by hand", AccessError):
                self._call(
                    self.outsider,
                    self.env['stock.picking'],
                    'create',
                    {
                        'picking_type_id': self.warehouse.sale_return_type_id.id,
                        'move_ids': [Command.create(vals)],
                    },
                )
        self._assert_nothing_more(received=0)

    def test_defaults_set_no_link(self):
        vals = self._get_move_vals(state='done')
        for user in (self.salesman, self.storekeeper):
            env = self._env_of(user)
            env['ir.default'].sudo().set(
                'stock.move', 'sale_return_line_id', self.line.id, user_id=user.id
            )
            model = env['stock.move'].with_context(default_sale_return_line_id=self.line.id)
            self.assertNotIn('sale_return_line_id', model.default_get(['sale_return_line_id']))
            if model.has_access('create'):
                self.assertFalse(model.create(vals).sale_return_line_id)
        self._assert_nothing_more(received=0)

    def test_defaults_set_no_link_where_odoo_acts_as_superuser(self):
        """A confirmed order creates its moves in superuser mode, in the user's request."""
        field_name = 'sale_return_line_id'
        env = self._env_of(self.salesman)
        env['ir.default'].set('stock.move', field_name, self.line.id, True)
        for context in ({}, {'default_sale_return_line_id': self.line.id}):
            order = self._create_order(confirm=False)
            order.with_env(env).with_context(**context).action_confirm()
            self.assertTrue(order.picking_ids.move_ids)
            self.assertFalse(order.picking_ids.move_ids.sale_return_line_id)

    def test_receipt_is_done_by_its_validation_only(self):
        receipt = self.sale_return.picking_ids.move_ids
        for user in (self.storekeeper, self.staff):
            with self.assert_refused("validation"):
                self._call(user, receipt, 'write', {'state': 'done', 'quantity': 2})
        self._assert_nothing_more(received=0)
        self._receive(self.sale_return)
        self._assert_nothing_more(received=2)
        for values in ({'state': 'assigned'}, {'location_dest_id': self.customers.id}):
            with self.assert_refused("validation"):
                self._call(self.storekeeper, receipt, 'write', values)
        self._assert_nothing_more(received=2)

    def test_superuser_code_makes_no_done_move(self):
        vals = self._get_move_vals(sale_return_line_id=self.line.id, state='done')
        with self.assert_refused("validation"):
            self.env['stock.move'].sudo().create(vals)

    def test_stock_user_splits_and_receives(self):
        keeper = self._create_user('owned_keeper', 'stock.group_stock_user')
        picking = self.sale_return.picking_ids.with_user(keeper)
        picking.move_ids.quantity = 1
        picking.move_ids.picked = True
        action = picking.button_validate()
        wizard = self._env_of(keeper)[action['res_model']].with_context(**action['context'])
        wizard.create({}).process()
        self.env.invalidate_all()
        self.assertEqual(self.line.qty_received, 1)
        rest = self.sale_return.picking_ids.filtered(lambda p: p.state != 'done').move_ids
        self.assertEqual(rest.sale_return_line_id, self.line)
        self.assertEqual(rest.product_uom_qty, 1)

    def test_window_is_opened_by_returns_only(self):
        delivery = self.order.picking_ids.filtered(lambda p: p.picking_type_code == 'outgoing')
        vals = {'date_customer_received': '2026-06-01 00:00:00'}
        for user in (self.salesman, self.storekeeper, self.outsider):
            with self.assert_refused(exception=AccessError):
                self._call(user, delivery, 'write', vals)
        clerk = self._create_user('owned_clerk', 'sale_return.group_user', 'stock.group_stock_user')
        self._call(clerk, delivery, 'write', vals)
        self.assertEqual(delivery.date_customer_received, datetime(2026, 6, 1))

    def test_what_changes_nothing_passes(self):
        receipt = self.sale_return.picking_ids.move_ids
        vals = {'sale_return_line_id': self.line.id, 'sale_return_inspection_id': False}
        self._call(self.storekeeper, receipt, 'write', vals)
        with self.assert_refused("by hand", AccessError):
            self._call(self.storekeeper, receipt, 'write', {'sale_return_line_id': False})

    def test_figures_of_orders_are_not_written(self):
        for user in (self.salesman, self.outsider):
            with self.assert_refused("by hand", AccessError):
                self._call(user, self.order, 'write', {'return_status': 'no'})
            with self.assert_refused("by hand", AccessError):
                self._call(user, self.order.order_line, 'write', {'qty_returned': 1})

    def test_biller_links_no_note(self):
        line = self.order.invoice_ids._reverse_moves().invoice_line_ids[:1]
        for vals in (
            {'sale_return_line_id': self.line.id},
            {'credited_line_id': self.order.invoice_ids.invoice_line_ids[:1].id},
            {'sale_return_kept': True},
        ):
            with self.assert_refused("by hand", AccessError):
                self._call(self.biller, line, 'write', vals)
            with self.assert_refused("by hand", AccessError):
                values = {'invoice_line_ids': [Command.update(line.id, vals)]}
                self._call(self.biller, line.move_id, 'write', values)

    def test_biller_bills_kept_goods_again(self):
        """A copy of a note line keeps its kind, no matter who reverses it."""
        invoice = self._create_sale().invoice_ids
        line = invoice._reverse_moves().invoice_line_ids[:1]
        line.sudo().sale_return_kept = True
        line.move_id.action_post()
        note = line.move_id.with_env(self._env_of(self.biller))
        copies = note._reverse_moves().invoice_line_ids
        self.assertTrue(copies.filtered('sale_return_kept'))

    def test_move_lines_do_not_wander_to_a_receipt(self):
        self._receive(self.sale_return)
        receipt = self.sale_return.picking_ids.move_ids
        other = self._make_done_move()
        with self.assert_refused(exception=UserError):
            self._call(self.storekeeper, other.move_line_ids, 'write', {'move_id': receipt.id})
        self._assert_nothing_more()


@tagged('post_install', '-at_install')
class TestOwnedHttp(OwnedCommon, PatientHttpCase):
    """The same over HTTP, with an API key."""

    without_scripts = True

    def test_client_links_no_move(self):
        self._receive(self.sale_return)
        done = self.order.picking_ids.filtered(lambda p: p.picking_type_code == 'outgoing').move_ids
        status, answer = self.post_json2(
            self.storekeeper,
            'stock.move',
            'write',
            ids=done.ids,
            vals={'sale_return_line_id': self.line.id},
            context={'sale_return_validating': 1, 'su': True},
        )
        self.assertEqual(status, 403)
        self.assertIn("by hand", answer['message'])
        self._assert_nothing_more()
