"""The world of the tests: a company of its own with stock, prices, taxes, currencies and people.

Factories (`_create_order`, `_deliver`, `_invoice`, `_create_return`, `_receive`, ...) work like a
user, with real transfers and invoices. Assertions are about the business.
"""

from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo import SUPERUSER_ID, Command, fields, models
from odoo.exceptions import ValidationError
from odoo.service.model import call_kw
from odoo.tests import new_test_user
from odoo.tools import SQL, mute_logger

from odoo.addons.base.models import res_users
from odoo.addons.base.tests.common import DISABLED_MAIL_CONTEXT, BaseCommon

from .common_assertions import SaleReturnAssertions

STAFF_GROUPS = (
    'base.group_user',
    'sales_team.group_sale_manager',
    'stock.group_stock_manager',
    'account.group_account_manager',
    'account.group_account_user',
    'product.group_product_manager',
    'uom.group_uom',
    'stock.group_production_lot',
    'stock.group_stock_multi_locations',
    'sale_return.group_manager',
)
# The module under which a database names the records of a world that was built into it.
KEPT_WORLD = '__sale_return_world__'


class SaleReturnCommon(SaleReturnAssertions, BaseCommon):
    """A trading company without any trade yet."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Half a second per user, meant to slow down those who guess passwords.
        cls.startClassPatcher(patch.object(res_users, 'MIN_ROUNDS', 1))
        cls._setup_world()

    # How many of the sales that `_create_sale()` returns are made once for all tests of a class:
    # worth it where many tests begin with one. A test that first changes what a sale depends on
    # asks for one of its own by `_create_sale({})`.
    ready_sales = 0
    _sales = ()

    def setUp(self):
        cls = type(self)
        if self.ready_sales and '_kept_sales' not in vars(cls):
            # Before the savepoint of the test, which is undone after it.
            cls._kept_sales = [cls._create_sale() for _number in range(cls.ready_sales)]
        super().setUp()
        if self.ready_sales:
            cls._sales = list(cls._kept_sales)
            self.addCleanup(setattr, cls, '_sales', ())

    @classmethod
    def keep_world(cls, env):
        """Build the company into the database of `env`, for all classes of tests.

        Building it takes five seconds, and most classes can share it.
        """
        cls.env = env(user=SUPERUSER_ID, context={**env.context, **DISABLED_MAIL_CONTEXT})
        cls._build_world()
        env['ir.model.data'].sudo().create(
            [
                {'module': KEPT_WORLD, 'name': name, 'model': value._name, 'res_id': value.id}
                for name, value in vars(cls).items()
                if isinstance(value, models.BaseModel) and len(value) == 1
            ]
        )

    @classmethod
    def _setup_world(cls):
        """Use the company stored in the database, or build it.

        Needs `cls.env` only: dev/money builds it outside of tests.
        """
        kept = {
            data.name: cls.env[data.model].browse(data.res_id)
            for data in cls.env['ir.model.data'].sudo().search([('module', '=', KEPT_WORLD)])
        }
        if not kept:
            cls._build_world()
            return
        cls.company = kept['company']
        cls.foreign_companies = cls.env['res.company'].sudo().search([]) - cls.company
        cls.env = cls._env_of(kept['staff'])
        for name, record in kept.items():
            # Built as the superuser, before the staff existed.
            setattr(cls, name, record if name == 'staff' else record.with_env(cls.env))

    @classmethod
    def _build_world(cls):
        # The staff may set up shared records, and work in their own company.
        cls.foreign_companies = cls.env['res.company'].sudo().search([])
        cls.company = cls._create_trading_company("Returns Test Company")
        cls.staff = cls._create_user('returns_staff', *STAFF_GROUPS)
        cls.staff.sudo().company_ids += cls.foreign_companies
        cls.env = cls._env_of(cls.staff)
        cls.company = cls.env.company
        cls.currency = cls.company.currency_id
        cls._setup_warehouse()
        cls._setup_configuration()
        cls._setup_taxes()
        cls._setup_products()
        cls.customer = cls._create_customer("Jane Customer")

    # === SET UP === #

    # The chart of accounts of the company.
    chart = 'generic_coa'

    @classmethod
    def _create_trading_company(cls, name, **values):
        company = cls.env['res.company'].sudo().create({'name': name, **values})
        warehouses = cls.env['stock.warehouse'].sudo()
        # Odoo only gives new companies one in tests.
        if not warehouses.search_count([('company_id', '=', company.id)], limit=1):
            warehouses.create({'company_id': company.id})
        cls.env['account.chart.template'].sudo().with_context(
            allowed_company_ids=company.ids
        ).try_loading(cls.chart, company=company, install_demo=False)
        company.write(
            {
                'anglo_saxon_accounting': True,
                'inventory_valuation': 'real_time',
                'tax_calculation_rounding_method': 'round_per_line',
            }
        )
        scrap_account = (
            cls.env['account.account']
            .sudo()
            .with_company(company)
            .search([('company_ids', 'in', company.ids), ('account_type', '=', 'expense')], limit=1)
        )
        company.sale_return_scrap_account_id = scrap_account
        # Tests of deadlines create their own teams; others need none.
        teams = cls.env['sale.return.team'].sudo()
        teams.search([('company_id', '=', company.id)]).unlink()
        return company

    @classmethod
    def _create_user(cls, login, *groups, company=None):
        company = company or cls.company
        return new_test_user(
            cls.env(su=True),
            login=login,
            groups=','.join(groups),
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )

    @classmethod
    def _env_of(cls, user, companies=None):
        """Return an environment in which `user` acts, without superuser rights."""
        companies = companies or user.sudo().company_ids - cls.foreign_companies
        return cls.env(
            user=user.id,
            su=False,
            context={**cls.env.context, 'allowed_company_ids': companies.ids},
        )

    @classmethod
    def _setup_warehouse(cls):
        cls.warehouse = cls.env['stock.warehouse'].search(
            [('company_id', '=', cls.company.id)], limit=1
        )
        cls.stock = cls.warehouse.lot_stock_id
        cls.quarantine = cls.warehouse.sale_return_loc_id
        cls.customers = cls.env.ref('stock.stock_location_customers')
        cls.unit = cls.env.ref('uom.product_uom_unit')
        cls.dozen = cls.env.ref('uom.product_uom_dozen')

    @classmethod
    def _create_warehouse(cls, name="North", code='NORTH', **values):
        # sudo: a second warehouse switches settings on, which needs an administrator.
        warehouse = (
            cls.env['stock.warehouse']
            .sudo()
            .create({'name': name, 'code': code, 'company_id': cls.company.id, **values})
        )
        return warehouse.sudo(False)

    @classmethod
    def _setup_configuration(cls):
        for name in ('defective', 'changed_mind', 'missing', 'other', 'wrong_item'):
            setattr(cls, f'reason_{name}', cls.env.ref(f'sale_return.reason_{name}'))
        for action in ('restock', 'refurbish', 'scrap', 'vendor', 'send_back', 'keep'):
            setattr(cls, action, cls.env.ref(f'sale_return.disposition_{action}'))
        # Limits have separate tests.
        cls.company.sudo().write(
            {
                'sale_return_unbacked_agent_limit': 0.0,
                'sale_return_unbacked_customer_limit': 0.0,
                'sale_return_unbacked_order_limit': 0.0,
                'sale_return_second_person_above': 0.0,
            }
        )
        # Proposals of the add-on and of demo data: they have separate tests.
        cls.env['sale.return.disposition.rule'].search([]).active = False
        # The standard policy again, first in line: other policies of the database do not matter.
        cls.policy = cls.env.ref('sale_return.policy_standard').copy(
            {'name': "Test", 'company_id': cls.company.id, 'sequence': -100}
        )

    @classmethod
    def _create_policy(cls, **values):
        """Create a policy that comes before the one of the company."""
        return cls.policy.copy({'sequence': -200, **values})

    @classmethod
    def _setup_taxes(cls):
        cls.tax_21 = cls._create_tax("21% excluded", 21.0)
        cls.tax_20_included = cls._create_tax("20% included", 20.0, included=True)
        cls.tax_5 = cls._create_tax("5% excluded", 5.0)
        cls.tax_group = cls._create_tax(
            "21% + 5%",
            0.0,
            amount_type='group',
            children_tax_ids=[
                Command.link(cls._create_tax("21% of group", 21.0).id),
                Command.link(cls._create_tax("5% of group", 5.0).id),
            ],
        )

    @classmethod
    def _create_tax(cls, name, amount, included=False, **values):
        return cls.env['account.tax'].create(
            {
                'name': name,
                'amount': amount,
                'amount_type': 'percent',
                'type_tax_use': 'sale',
                'price_include_override': 'tax_included' if included else 'tax_excluded',
                'company_id': cls.company.id,
                **values,
            }
        )

    @classmethod
    def _setup_products(cls):
        cls.category = cls.env['product.category'].create(
            {
                'name': "Returns Test",
                'property_valuation': 'real_time',
                'property_cost_method': 'standard',
            }
        )
        cls.product = cls._create_product("Lamp")
        cls.product_on_order = cls._create_product("Lamp on order", invoice_policy='order')
        cls.service = cls._create_product(
            "Assembly", type='service', invoice_policy='order', is_storable=False
        )
        cls.consumable = cls._create_product("Glue", is_storable=False)

    @classmethod
    def _create_product(cls, name, **values):
        product = cls.env['product.product'].create(
            {
                'name': name,
                'type': 'consu',
                'is_storable': True,
                'categ_id': cls.category.id,
                'list_price': 100.0,
                'standard_price': 60.0,
                'invoice_policy': 'delivery',
                'taxes_id': [Command.clear()],
                'supplier_taxes_id': [Command.clear()],
                'company_id': False,
                **values,
            }
        )
        if product.is_storable and product.tracking == 'none':
            cls._put_in_stock(product, 1000)
        return product

    @classmethod
    def _create_tracked_product(cls, tracking, *names, quantity=1.0):
        """Create a product with lots or serials in stock; return both."""
        product = cls._create_product(f"Tracked by {tracking}", tracking=tracking)
        lots = cls.env['stock.lot'].create(
            [{'name': name, 'product_id': product.id} for name in names]
        )
        for lot in lots:
            cls._put_in_stock(product, quantity, lot=lot)
        return product, lots

    @classmethod
    def _put_in_stock(cls, product, quantity, lot=None, location=None):
        # sudo: an opening stock, not a movement that anybody made.
        cls.env['stock.quant'].sudo()._update_available_quantity(
            product, location or cls.stock, quantity, lot_id=lot
        )

    @classmethod
    def _buy(cls, product, quantity, cost):
        """Receive goods from a supplier at a cost per unit."""
        move = cls.env['stock.move'].create(
            {
                'product_id': product.id,
                'product_uom_qty': quantity,
                'location_id': cls.env.ref('stock.stock_location_suppliers').id,
                'location_dest_id': cls.stock.id,
                'picking_type_id': cls.warehouse.in_type_id.id,
                'price_unit': cost,
                'value_manual': cost * quantity,
            }
        )
        move._action_confirm()
        move.quantity = quantity
        move.picked = True
        move._action_done()
        return move

    @classmethod
    def _create_cash_rounding(cls, strategy='add_invoice_line'):
        """Create a rounding to 5 cents, by a line or by the biggest tax."""
        accounts = cls.env['account.account']
        return cls.env['account.cash.rounding'].create(
            {
                'name': "5 cents",
                'rounding': 0.05,
                'strategy': strategy,
                'rounding_method': 'HALF-UP',
                'profit_account_id': accounts.search(
                    [('account_type', '=', 'income_other')], limit=1
                ).id,
                'loss_account_id': accounts.search([('account_type', '=', 'expense')], limit=1).id,
            }
        )

    @classmethod
    def _create_customer(cls, name, **values):
        return cls.env['res.partner'].create({'name': name, **values})

    @classmethod
    def _setup_currency(cls, code, **values):
        """Activate a currency, two units per company currency unit; return its pricelist."""
        currency = (
            cls.env['res.currency']
            .sudo()
            .with_context(active_test=False)
            .search([('name', '=', code)])
        )
        currency.write({'active': True, **values})
        cls._set_rate(currency, '2020-01-01', 2.0)
        return cls.env['product.pricelist'].create(
            {'name': code, 'currency_id': currency.id, 'company_id': cls.company.id}
        )

    @classmethod
    def _set_rate(cls, currency, date, rate):
        cls.env['res.currency.rate'].sudo().create(
            {
                'name': date,
                'rate': rate,
                'currency_id': currency.id,
                'company_id': cls.company.id,
            }
        )

    @classmethod
    def _configure(cls, **values):
        """Change settings of the company."""
        cls.company.sudo().write(values)

    # === THE WAY OF THE GOODS AND OF THE MONEY === #

    @classmethod
    def _create_order(cls, *lines, confirm=True, **values):
        """Create an order; without lines it is for 10 lamps at 100.00 plus 21 %."""
        order = cls.env['sale.order'].create(
            {
                'partner_id': cls.customer.id,
                'company_id': cls.company.id,
                'warehouse_id': cls.warehouse.id,
                'order_line': [
                    Command.create(cls._prepare_order_line(**line)) for line in lines or [{}]
                ],
                **values,
            }
        )
        if confirm:
            order.action_confirm()
        return order

    @classmethod
    def _prepare_order_line(cls, product=None, quantity=10, price=100.0, taxes=None, **values):
        taxes = cls.tax_21 if taxes is None else taxes
        return {
            'product_id': (product or cls.product).id,
            'product_uom_qty': quantity,
            'price_unit': price,
            'tax_ids': [Command.set(taxes.ids)],
            **values,
        }

    @classmethod
    def _deliver(cls, order, quantity=None, lots=None):
        """Deliver what is open of an order: all of it, or `quantity` of each line."""
        pickings = order.picking_ids.filtered(
            lambda p: p.state not in ('done', 'cancel') and p.picking_type_code == 'outgoing'
        )
        return cls._process(pickings, quantity, lots)

    @classmethod
    def _process(cls, pickings, quantity=None, lots=None):
        """Validate transfers as a user does, backorders included."""
        for move in pickings.move_ids.filtered(lambda m: m.state not in ('done', 'cancel')):
            cls._fill(move, quantity, lots)
        done = pickings.with_context(skip_backorder=True).button_validate()
        if done is not True:
            raise AssertionError(f"The transfer asks for something: {done}")
        return pickings

    @classmethod
    def _fill(cls, move, quantity=None, lots=None):
        """Set how much of a move is done, by lot or serial number where it is tracked."""
        if lots and move.product_id.tracking != 'none':
            mine = lots.filtered(lambda lot: lot.product_id == move.product_id)
            each = (quantity or move.product_uom_qty) / len(mine)
            move.move_line_ids.unlink()
            move.move_line_ids = [
                Command.create(
                    {
                        'product_id': move.product_id.id,
                        'product_uom_id': move.product_uom.id,
                        'picking_id': move.picking_id.id,
                        'location_id': move.location_id.id,
                        'location_dest_id': move.location_dest_id.id,
                        'lot_id': lot.id,
                        'quantity': each,
                    }
                )
                for lot in mine
            ]
        else:
            move.quantity = move.product_uom_qty if quantity is None else quantity
        move.picked = True

    @classmethod
    def _invoice(cls, orders, post=True):
        invoices = orders._create_invoices()
        if post:
            invoices.action_post()
        return invoices

    @classmethod
    def _create_sale(cls, *lines, **values):
        """Create an order that is delivered and invoiced, or take one of those that are ready."""
        if cls._sales and not lines and not values:
            return cls._sales.pop(0)
        order = cls._create_order(*lines, **values)
        cls._deliver(order)
        cls._invoice(order)
        return order

    @classmethod
    def _prepare_return_lines(cls, sale_lines, quantity=None, reason=None, **values):
        return [
            {
                'sale_line_id': line.id,
                'qty_requested': line.qty_delivered if quantity is None else quantity,
                'reason_id': (reason or cls.reason_defective).id,
                **values,
            }
            for line in sale_lines
        ]

    @classmethod
    def _create_return(cls, order, quantity=None, reason=None, submit=True, **values):
        """Return all lines of an order (or these order lines): all of them, or `quantity` each."""
        sale_lines = order.order_line if order._name == 'sale.order' else order
        sale_return = cls.env['sale.return'].create(
            {
                'partner_id': sale_lines[:1].order_id.partner_id.id,
                'line_ids': cls._prepare_return_lines(sale_lines, quantity, reason),
                **values,
            }
        )
        if submit:
            sale_return.action_submit()
        return sale_return

    @classmethod
    def _create_approved_return(cls, order, *args, **values):
        """Return order lines without goods, so that a person has to approve it."""
        sale_return = cls._create_return(order, *args, **values)
        if sale_return.state != 'submitted':
            raise AssertionError(f"Return {sale_return.name} did not wait for anybody.")
        sale_return.action_approve()
        return sale_return

    @classmethod
    def _receive(cls, sale_return, quantity=None, lots=None):
        """Receive what is expected: all of it, or `quantity` of each line."""
        pickings = sale_return.picking_ids.filtered(lambda p: p.state not in ('done', 'cancel'))
        return cls._process(pickings, quantity, lots)

    @classmethod
    def _return_in_inventory(
        cls, picking, quantity, method='action_create_returns', user=None, **values
    ):
        """Take goods of a transfer back by Odoo's own dialog; return the transfer it makes.

        :param quantity: of each product, or `{product: quantity}`.
        """
        wizard = (
            cls.env['stock.return.picking']
            .with_user(user or cls.env.user)
            .with_context(
                active_model='stock.picking', active_id=picking.id, active_ids=picking.ids
            )
            .create(values)
        )
        for line in wizard.product_return_moves:
            line.quantity = (
                quantity.get(line.product_id, 0.0) if isinstance(quantity, dict) else quantity
            )
        return cls.env['stock.picking'].browse(getattr(wizard, method)()['res_id'])

    @classmethod
    def _inspect(cls, sale_return, *results):
        """Register results given as `(quantity, disposition code)` or as dicts."""
        return sale_return.line_ids.register_inspection(
            [
                result
                if isinstance(result, dict)
                else {'quantity': result[0], 'disposition': result[1]}
                for result in results
            ]
        )

    @classmethod
    def _return_goods(cls, order, quantity=None, disposition='restock', **values):
        """Go through all steps: request, receipt, inspection, and (policy) credit note."""
        sale_return = cls._create_return(order, quantity, **values)
        cls._receive(sale_return)
        sale_return.action_inspect_all(disposition)
        return sale_return

    @classmethod
    def _backdate(cls, sale_return, moment):
        """Date everything that happened to a return so far.

        Evidence has the time of the transaction; only a test can write it.
        """
        cls.env.flush_all()
        cls.env.cr.execute("ALTER TABLE sale_return_event DISABLE TRIGGER USER")
        for table in ('sale_return_approval', 'sale_return_event'):
            cls.env.cr.execute(
                SQL(
                    "UPDATE %s SET date = %s WHERE return_id = %s",
                    SQL.identifier(table),
                    moment,
                    sale_return.id,
                )
            )
        cls.env.cr.execute("ALTER TABLE sale_return_event ENABLE TRIGGER USER")
        cls.env.invalidate_all()
        sale_return.approval_ids.modified(['date'])
        cls.env.flush_all()

    @classmethod
    def _reverse(cls, invoice, post=True, quantity=None, price=None):
        """Make a credit note by hand, the way an accountant does in Odoo."""
        wizard = (
            cls.env['account.move.reversal']
            .with_context(active_model='account.move', active_ids=invoice.ids)
            .create({'journal_id': invoice.journal_id.id})
        )
        note = cls.env['account.move'].browse(wizard.refund_moves()['res_id'])
        for line in note.invoice_line_ids:
            if quantity is not None:
                line.quantity = quantity
            if price is not None:
                line.price_unit = price
        if post:
            note.action_post()
        return note

    @classmethod
    def _pay_back(cls, note):
        return (
            cls.env['account.payment.register']
            .with_context(active_model='account.move', active_ids=note.ids)
            .create({})
            ._create_payments()
        )

    def _call(self, user, records, method, *args, **kwargs):
        """Call a method the way a remote client of `user` does; answers and errors are theirs."""
        env = self._env_of(user)
        ids = [] if method == 'create' else [records.ids]
        try:
            with mute_logger('odoo.sql_db'), env.cr.savepoint():
                result = call_kw(env[records._name], method, [*ids, *args], kwargs)
                env.flush_all()
        except IntegrityError as error:
            # Like Odoo around each call.
            table = error.diag.table_name
            model = next(m for m in env.registry.values() if m._table == table)
            message = env[model._name]._sql_error_to_message(error)
            raise ValidationError(message) from error
        return result

    def _run_message_job(self):
        # Messages wait some minutes for other events: skip that time.
        messages = self.env['sale.return.message'].sudo()
        messages.search(
            [('state', '=', 'waiting'), ('attempts', '=', 0)]
        ).date_next = fields.Datetime.now()
        with self.enter_registry_test_mode():
            self.env.ref('sale_return.ir_cron_send_messages').sudo().method_direct_trigger()
        self.env.invalidate_all()

    def _run_credit_job(self):
        # Failures are retried after a while: skip that time.
        self.env['sale.return'].search([('credit_retry_at', '!=', False)])._write_facts(
            {'credit_retry_at': '2000-01-01'}
        )
        with self.enter_registry_test_mode():
            self.env.ref('sale_return.ir_cron_create_credit_notes').sudo().method_direct_trigger()
