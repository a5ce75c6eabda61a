from lxml import etree

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from ..common import SaleReturnCommon

LEAN = "forms without what optional modules add to them"

ALL_ROLES = (
    'base.group_user',
    'base.group_multi_company',
    'base.group_no_one',
    'stock.group_stock_multi_warehouses',
    'stock.group_production_lot',
    'uom.group_uom',
    'account.group_account_manager',
    'stock.group_stock_manager',
    'sales_team.group_sale_manager',
    'sale_return.group_manager',
)
# A value of each type that differs from all values in the test.
SAMPLES = {
    **dict.fromkeys(('char', 'text', 'html', 'reference'), "x"),
    'binary': 'eA==',
    'selection': None,
    **dict.fromkeys(('integer', 'float', 'monetary', 'many2one', 'many2one_reference'), 99),
    'one2many': [[5]],
    'many2many': [[5]],
    'json': {'x': 1},
    'date': '2001-02-03',
    'datetime': '2001-02-03 04:05:06',
}
CLERK = ('sale_return.group_user', 'sales_team.group_sale_salesman')


@tagged('post_install', '-at_install')
class TestDerivedViews(SaleReturnCommon):
    """Derived fields are read-only on every screen, and never cause errors."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clerk = cls._create_user('derived_clerk', *CLERK)
        cls.order = cls._create_sale(user_id=cls.clerk.id)

    # === ARCHS === #

    def _get_derived_models(self):
        mixin = self.env.registry['sale.return.derived']
        return [
            name
            for name, model in self.env.registry.items()
            if issubclass(model, mixin) and not model._abstract
        ]

    def _find_editable(self, node, model):
        """Return the protected fields that can be edited in an arch, those of its rows included."""
        found = []
        for child in node:
            if child.tag != 'field':
                found += self._find_editable(child, model)
                continue
            name = child.get('name')
            field = model._fields[name]
            readonly = child.get('readonly')
            fixed = field.readonly if readonly is None else readonly in ('1', 'True', 'true')
            if hasattr(model, '_is_derived') and model._is_derived(name) and not fixed:
                found.append((model._name, name))
            if field.relational:
                found += self._find_editable(child, self.env[field.comodel_name])
        return found

    def test_no_protected_field_can_be_edited_on_any_screen(self):
        models = self._get_derived_models()
        self.assertIn('sale.return', models)
        for user in (self._create_user('derived_all', *ALL_ROLES), self.clerk):
            env = self._env_of(user)
            views = self.env['ir.ui.view'].sudo().search([('type', 'in', ('form', 'list'))])
            checked = 0
            for view in views.filtered(lambda v: v.model and 'sale_return' in (v.xml_id or '')):
                model = env[view.model]
                if not model.has_access('read') or view.mode != 'primary':
                    continue
                arch = etree.fromstring(model.get_view(view.id, view.type)['arch'])
                with self.subTest(view=view.xml_id, user=user.login):
                    self.assertFalse(self._find_editable(arch, model))
                    checked += view.model in models
            self.assertGreater(checked, 2)

    def test_read_only_fields_cannot_be_written_by_rpc(self):
        """Not even by managers, whichever room has declared them."""
        manager = self._create_user('derived_manager', *ALL_ROLES)
        sale_return = self._create_return(self.order, 2)
        for record, count in ((sale_return, 50), (sale_return.line_ids, 30)):
            mine = record.with_env(self._env_of(manager))
            names = [name for name in record._fields if record._is_derived(name)]
            names = [
                name for name in names if mine._has_field_access(record._fields[name], 'write')
            ]
            self.assertGreater(len(names), count)
            for name in names:
                kind = record._fields[name].type
                value = not record[name] if kind == 'boolean' else SAMPLES[kind]
                if kind == 'selection':
                    # Another valid choice: invalid ones are refused before.
                    choices = record._fields[name].get_values(record.env)
                    value = next(choice for choice in choices if choice != record[name])
                with self.subTest(field=name), self.assert_refused("by hand"):
                    self._call(manager, record, 'write', {name: value})

    # === THE WEB CLIENT === #

    def _get_form(self, env, values=None):
        """Return the data of the empty form in a web client: the fields, and their values."""
        model = env['sale.return']
        arch = etree.fromstring(model.get_view(view_type='form')['arch'])
        names = [
            node.get('name')
            for node in arch.iter('field')
            if not any(parent.tag == 'field' for parent in node.iterancestors())
        ]
        return names, model.onchange(values or {}, [], {name: {} for name in names})['value']

    def _prepare_form_vals(self, env):
        """Return what `web_save` gets in the worst case: each field of the form."""
        names, proposed = self._get_form(env)
        vals = {}
        for name in names:
            field = env['sale.return']._fields[name]
            value = proposed.get(name, False)
            if field.relational or (field.readonly and value):
                value = False
            vals[name] = [] if field.type in ('one2many', 'many2many') else value
        vals.update(
            {
                'partner_id': self.order.partner_id.id,
                'company_id': self.company.id,
                'line_ids': [
                    [
                        0,
                        'virtual_1',
                        {
                            'sale_line_id': self.order.order_line.id,
                            'reason_id': self.reason_defective.id,
                            'qty_requested': 2.0,
                            'qty_authorized': 0.0,
                            'qty_written_off': 0.0,
                            'verdicts': False,
                            'decision': 'pending',
                        },
                    ]
                ],
            }
        )
        vals.pop('warehouse_id', None)
        return vals

    def _web_save(self, record, vals):
        self.env.invalidate_all()
        (values,) = record.web_save(vals, {'name': {}, 'state': {}})
        record.env.flush_all()
        return values

    def test_new_is_saved_and_submitted_as_the_web_client_does(self):
        env = self._env_of(self.clerk)
        vals = self._prepare_form_vals(env)
        self.assertIn('date_dispatched', vals)
        saved = self._web_save(env['sale.return'], vals)
        sale_return = env['sale.return'].browse(saved['id'])
        sale_return.action_submit()
        self.assertEqual(sale_return.state, 'approved')

    def test_approved_return_is_saved_as_the_web_client_does(self):
        sale_return = self._create_return(self.order, 2)
        mine = sale_return.with_env(self._env_of(self.clerk))
        self._web_save(
            mine,
            {
                'carrier_name': "DHL",
                'date_dispatched': False,
                'state': 'approved',
                'name': sale_return.name,
                'event_ids': [],
                'credit_error': False,
            },
        )
        self.assertEqual((sale_return.carrier_name, sale_return.state), ("DHL", 'approved'))

    def test_real_changes_of_protected_fields_are_refused(self):
        env = self._env_of(self.clerk)
        sale_return = self._create_return(self.order, 2)
        mine = sale_return.with_env(env)
        for model, values in (
            (
                mine,
                {
                    'date_dispatched': '2026-01-01 10:00:00',
                    'state': 'closed',
                    'name': "RMA/1",
                    'credit_error': "x",
                    'event_ids': [[0, 0, {}]],
                    'requested_by_id': False,
                    'submission_count': 7,
                    'fingerprint': object,
                    'portal_kind': 'withdrawal',
                },
            ),
            (
                mine.line_ids,
                {'qty_authorized': 1.0, 'decision': 'refused', 'verdicts': [], 'move_ids': [[5]]},
            ),
        ):
            for name, value in values.items():
                with self.subTest(field=name), self.assert_refused("by hand", exception=UserError):
                    model.write({name: value})
        for name, value in (
            ('date_dispatched', '2026-01-01'),
            ('event_ids', [[4, 1]]),
            ('event_ids', [7]),
            ('name', "RMA/1"),
        ):
            with self.subTest(field=name), self.assert_refused("by hand", exception=UserError):
                env['sale.return'].create({'partner_id': self.customer.id, name: value})
        mine = env['sale.return'].with_context(
            default_state='approved', default_date_dispatched='2026-01-01'
        )
        created = mine.create({'partner_id': self.customer.id})
        self.assertEqual((created.state, created.date_dispatched), ('draft', False))
        with self.assert_refused("draft", exception=UserError):
            env['sale.return'].create({'partner_id': self.customer.id, 'state': 'approved'})

    def test_own_defaults_set_nothing(self):
        env = self._env_of(self.clerk)
        for name, field_name, value in (
            ('sale.return', 'state', 'approved'),
            ('sale.return', 'date_dispatch_proved', '2026-01-01 00:00:00'),
            ('sale.return.line', 'qty_received', 2.0),
            ('sale.return.approval.step', 'state', 'approved'),
        ):
            env['ir.default'].set(name, field_name, value, True)
        policy = self._create_policy(approval='levels', sequence=-500)
        policy.level_ids = [Command.create({'name': "All"})]
        own = env['sale.return'].create(
            {
                'partner_id': self.order.partner_id.id,
                'line_ids': self._prepare_return_lines(self.order.order_line, 2),
            }
        )
        self.assertEqual((own.state, own.date_dispatch_proved), ('draft', False))
        self._call(self.clerk, own, 'action_submit')
        self.assertEqual(own.state, 'submitted')
        self.assertEqual(own.sudo().step_ids.state, 'pending')
        self.assertEqual(own.line_ids.qty_received, 0)
