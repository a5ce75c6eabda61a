# pylint: disable=translation-required
from lxml import etree

from odoo import fields
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import Form, tagged

from ..common_ordinary import OrdinaryCommon

LEAN = "people whose groups optional modules do not extend"

# Our overrides that are never run by users without a role, and why.
NEVER_WALKED = {
    ('models.reception.stock_lot', '_compute_sale_return_ids'): "fields for users of Returns",
    ('models.document.ir_qweb_field_barcode', 'value_to_html'): "draws, and reads no record",
    ('models.base.sale_return_technical', '_valid_field_parameter'): "asked by the registry",
    ('models.exchange.stock_move', '_get_source_document'): "names what is held in forecasts",
    ('models.foresight.sale_return_card', '_compute_sale_return_card'): "fields for approvers",
    ('models.goodwill.res_users', '_compute_sale_return_currency_id'): "a field for managers",
}


@tagged('post_install', '-at_install')
class TestOrdinaryUsers(OrdinaryCommon):
    """Users without a role in Returns can trade as before, regardless of returns."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.provider = cls._create_provider()

    def setUp(self):
        super().setUp()
        self.enterContext(self._strict())

    def _read_ours(self, user, records):
        """Read all fields that we have added, as far as the user may read them."""
        records = self._as(user, records)
        names = [
            name
            for name, field in records._fields.items()
            if field._module == 'sale_return' and records._has_field_access(field, 'read')
        ]
        self.assertEqual(len(records.read(names)), len(records))

    # === STEPS, each a request of its own === #

    def _sell(self, team):
        lines = [
            self._prepare_order_line(),
            self._prepare_order_line(product=self.product_on_order),
            self._prepare_order_line(product=self.service, quantity=2, price=50.0),
        ]
        if self.kit:
            lines.append(self._prepare_order_line(product=self.kit, quantity=4))
        products = self._as(team['seller'], self.env['product.product'])
        self.assertTrue(products.name_search(self.product.name))
        order = self._as(team['seller'], self.env['sale.order']).create(
            {
                'partner_id': self.customer.id,
                'order_line': [Command.create(line) for line in lines],
            }
        )
        self._as(team['seller'], order).copy().action_update_prices()
        self._as(team['seller'], order).action_confirm()
        return order

    def _ship(self, team, order, part=None):
        """Deliver what is open, or a part of it with a backorder, by the buttons."""
        pickings = order.sudo().picking_ids.filtered(
            lambda p: p.state not in ('done', 'cancel') and p.picking_type_code == 'outgoing'
        )
        for picking in pickings:
            self._validate(team, picking, part)

    def _validate(self, team, picking, part=None):
        picking = self._as(team['packer'], picking)
        for move in picking.move_ids.filtered(lambda m: m.state not in ('done', 'cancel')):
            move.quantity = move.product_uom_qty if part is None else part
            move.picked = True
        action = self._as(team['packer'], picking).button_validate()
        if action is not True:
            self.assertEqual(action['res_model'], 'stock.backorder.confirmation')
            wizard = self._as(team['packer'], self.env[action['res_model']])
            wizard.with_context(**action['context']).create({}).process()
        self.assertEqual(picking.state, 'done')
        self._read_ours(team['packer'], picking)
        self._read_ours(team['packer'], picking.move_ids)
        self._read_ours(team['packer'], picking.picking_type_id)

    def _bill(self, team, order, **values):
        wizard = (
            self._as(team['seller'], self.env['sale.advance.payment.inv'])
            .with_context(active_model='sale.order', active_ids=order.ids)
            .create({'advance_payment_method': 'delivered', **values})
        )
        invoice = wizard._create_invoices(wizard.sale_order_ids)
        self._as(team['biller'], invoice).action_post()
        return invoice.with_env(self.env)

    def _look(self, team, invoice):
        """Print a document, send it, and see it in the portal."""
        report = self._as(team['biller'], self.env['ir.actions.report'])
        report._render_qweb_html('account.account_invoices', invoice.ids)
        self._as(team['biller'], invoice).preview_invoice()
        self._read_ours(team['biller'], invoice)
        self._read_ours(team['biller'], invoice.invoice_line_ids)
        self._as(team['biller'], invoice)._get_invoiced_lot_values()

    def _pay_up(self, team, invoice):
        wizard = self._as(team['biller'], self.env['account.payment.register']).with_context(
            active_model='account.move', active_ids=invoice.ids
        )
        payments = wizard.create({'journal_id': self.bank.id})._create_payments()
        self._as(team['biller'], payments).action_draft()
        self._as(team['biller'], payments).action_post()
        return payments

    def _change(self, team, order):
        """Raise the order, then lower it."""
        for quantity in (12, 11):
            line = self._as(team['seller'], order).order_line[0]
            line.product_uom_qty = quantity
            self._read_ours(team['seller'], order)
            self._read_ours(team['seller'], line)
            self._as(team['seller'], line).read(['amount_to_invoice', 'untaxed_amount_to_invoice'])
        if self.kit:
            kits = order.order_line.filtered(lambda line: line.product_id == self.kit)
            self._as(team['seller'], kits).product_uom_qty += 1

    def _credit(self, team, invoice):
        """Correct a price, undo it, and credit everything without a return."""
        env = self._as(team['biller'], self.env['account.move.reversal'])
        wizard = env.with_context(active_model='account.move', active_ids=invoice.ids)
        note = invoice.browse(
            wizard.create({'journal_id': invoice.journal_id.id}).refund_moves()['res_id']
        )
        for line in self._as(team['biller'], note).invoice_line_ids:
            line.price_unit = 1.0
        self._as(team['biller'], note).action_post()
        self._as(team['biller'], note).button_draft()
        self._as(team['biller'], note).button_cancel()
        self._as(team['biller'], note).button_draft()
        self._as(team['biller'], note).unlink()

    def _return(self, team, order, stage):
        """Create a return of goods and let a manager of Returns bring it to a stage."""
        if stage == 'none':
            return
        lines = order.with_env(self.env).order_line
        if stage == 'open' and self.kit:
            self._create_return(lines[-1], 1)
        sale_return = self._create_return(lines[0], 2)
        if stage == 'open':
            return
        self._validate(team, sale_return.picking_ids)
        if stage == 'received':
            return
        sale_return.action_inspect_all('restock')
        self.assertEqual(sale_return.credit_state, 'full')
        note = sale_return.credit_note_ids
        self._look(team, note)
        self._as(team['biller'], note).button_draft()
        self._as(team['biller'], note).action_post()

    def _pay_online(self):
        """Pay a quotation on the portal: the provider's answer confirms it, without a user."""
        public = self.env.ref('base.public_user')
        self.ordinary_ids.add(public.id)
        order = self._create_order(confirm=False, require_payment=True)
        transaction = self.env['payment.transaction'].sudo()
        transaction = transaction.create(
            {
                'provider_id': self.provider.id,
                'payment_method_id': self.provider.payment_method_ids[:1].id,
                'reference': order.name,
                'amount': order.amount_total,
                'currency_id': order.currency_id.id,
                'partner_id': order.partner_id.id,
                'operation': 'online_direct',
                'sale_order_ids': [Command.set(order.ids)],
            }
        )
        # sudo: as the controller does it for the customer.
        self._as(public, transaction).sudo()._set_done()
        self._as(public, transaction).sudo()._post_process()
        self.assertEqual(order.state, 'sale')

    def _take_back(self, team):
        """Take goods back by the dialog of Odoo, and exchange them, in two steps."""
        order = self._sell(team)
        self._ship(team, order)
        delivery = order.sudo().picking_ids
        self.warehouse.sudo().delivery_steps = 'pick_ship'
        for method, adopted in (
            ('action_create_exchanges', False),
            ('action_create_returns', True),
            ('action_create_exchanges', True),
        ):
            self._configure(sale_return_adopt_native=adopted)
            wizard = (
                self._as(team['packer'], self.env['stock.return.picking'])
                .with_context(active_model='stock.picking', active_id=delivery.id)
                .create({'sale_return_reason_id': self.reason_defective.id})
            )
            self.assertEqual(wizard.has_sale_return, adopted)
            wizard.product_return_moves[0].quantity = 1
            receipt = delivery.browse(getattr(wizard, method)()['res_id'])
            if adopted:  # else the guard asks for a return when the goods come
                self._validate(team, receipt)
                receipt.with_env(self.env).sale_return_id.action_inspect_all('restock')
        lines = receipt.with_env(self.env).sale_return_id.line_ids
        for _step in ('pick', 'ship'):
            replacement = self.env['stock.move'].search(
                [
                    ('sale_return_line_id', 'in', lines.ids),
                    ('sale_return_inspection_id', '=', False),
                    ('state', 'not in', ('done', 'cancel')),
                ],
                limit=1,
            )
            self._validate(team, replacement.picking_id)
        self.warehouse.sudo().delivery_steps = 'ship_only'

    def _refund(self, team):
        """Post a payout of a return, undo it, and delete it."""
        order = self._create_paid_sale()
        sale_return = self._return_goods(order, 2)
        sale_return.action_refund()
        payment = sale_return.refund_ids.payment_id
        self._read_ours(team['biller'], payment)
        self._as(team['biller'], payment).action_post()
        self._as(team['biller'], payment).action_draft()
        self._as(team['biller'], payment).action_cancel()
        self._as(team['biller'], payment).action_draft()
        self._as(team['biller'], payment).unlink()

    def _send(self, team):
        """Send an invoice with its attachments."""
        order = self._create_sale()
        self._create_return(order, 2)
        wizard = self._as(team['biller'], self.env['account.move.send.wizard'])
        wizard = wizard.create({'move_id': order.invoice_ids.id})
        wizard.sending_methods = ['email']
        wizard.action_send_and_print()
        attachment = self._as(self.sales_manager, self.env['ir.attachment']).create(
            {'name': "Note", 'raw': b"x", 'res_model': 'sale.order', 'res_id': order.id}
        )
        self._as(self.sales_manager, attachment).write({'name': "Notes"})
        self._as(self.sales_manager, attachment).unlink()

    def _keep_stock(self, team):
        """View stock and lots, and manage warehouses."""
        product, lots = self._create_tracked_product('serial', 'SN-A', 'SN-B')
        order = self._create_order({'product': product, 'quantity': 2})
        self._deliver(order, lots=lots)
        sale_return = self._create_return(order, 1, reason=self.reason_changed_mind)
        for user in (self.packer, self.stock_manager):
            self._read_ours(user, lots)
        with self.assertRaisesRegex(UserError, "no such lot or serial number"):
            self._as(self.packer, self.env['stock.lot']).with_context(
                active_picking_id=sale_return.picking_ids.id
            ).create({'name': 'SN-C', 'product_id': product.id})
        self._as(self.stock_manager, self.product.stock_quant_ids).mapped('value')
        self._as(self.stock_manager, self.product).read(['total_value', 'avg_cost'])
        rule = self._as(self.stock_manager, self.env['stock.warehouse.orderpoint']).create(
            {
                'product_id': self.product.id,
                'product_min_qty': 5,
                'product_max_qty': 5,
                'sale_return_forecast': True,
            }
        )
        self._as(self.stock_manager, rule).mapped('qty_to_order')
        for user in (self.packer, self.stock_manager):
            self._read_ours(user, rule)
        # A second warehouse switches settings on, which needs an administrator.
        warehouse = self._as(self.admin, self.env['stock.warehouse'])
        warehouse = warehouse.create({'name': "West", 'code': 'WEST'})
        for vals in (
            {'name': "Far West", 'code': 'FWEST'},
            {'sale_return_quarantine': False},
        ):
            self._as(self.stock_manager, warehouse).write(vals)
        for active in (False, True):
            self._as(self.admin, warehouse).active = active
        for user in self.everybody:
            if warehouse.with_user(user).has_access('read'):
                self._read_ours(user, warehouse)
        product = self._create_product("Counted otherwise")
        # sudo: Odoo reads orders, purchases and bills of materials of the product.
        self._as(self.stock_manager, product).sudo().uom_id = self.dozen

    def _buy_from_vendor(self, team):
        if not self.buyer:
            return
        order = self._as(self.buyer, self.env['purchase.order']).create(
            {
                'partner_id': self.env['res.partner'].create({'name': "Vendor"}).id,
                'order_line': [
                    Command.create({'product_id': self.product.id, 'product_qty': 5}),
                ],
            }
        )
        self._as(self.buyer, order).button_confirm()
        self._validate(team, order.sudo().picking_ids)
        self._as(self.buyer, order).action_create_invoice()
        bill = order.sudo().invoice_ids
        bill.invoice_date = fields.Date.today()
        self._as(team['biller'], bill).action_post()

    def _keep_bank(self, _team):
        """Enter a line of the bank, and put it on a statement."""
        line = self._as(self.accountant, self.env['account.bank.statement.line']).create(
            {'journal_id': self.bank.id, 'payment_ref': "Interest", 'amount': 3.0}
        )
        statement = self._as(self.accountant, self.env['account.bank.statement'])
        line.statement_id = statement.create({'name': "November"})
        self._read_ours(self.accountant, line)

    def _administer(self, _team):
        """Open and save the settings, create a company, merge customers."""
        settings = self._as(self.admin, self.env['res.config.settings']).create({})
        self._read_ours(self.admin, settings)
        self._as(self.admin, self.company).write({'name': "Returns Test Company, Inc."})
        self._read_ours(self.admin, self.company)
        self._as(self.admin, self.env['res.company']).create({'name': "Another Company"})
        double = self._create_customer("Jane Double")
        wizard = self._as(self.admin, self.env['base.partner.merge.automatic.wizard'])
        # sudo: Odoo reads the visitors of the website.
        wizard.sudo()._merge((self.customer | double).ids, self.customer.sudo())

    def _trade(self, team, stage):
        order = self._sell(team)
        if stage in ('none', 'credited'):
            self._bill(team, order, advance_payment_method='percentage', amount=10)
        self._ship(team, order, part=3)
        self._bill(team, order)
        self._return(team, order, stage)
        self._change(team, order)
        self._ship(team, order)
        # A wrong count is corrected afterwards.
        done = order.sudo().picking_ids.move_line_ids.filtered(
            lambda line: line.state == 'done' and line.location_dest_id == self.customers
        )
        self._as(team['packer'], done[-1]).quantity += 1
        last = self._bill(team, order)
        self._look(team, last)
        self._pay_up(team, last)
        self._credit(team, last)
        message = self._as(team['seller'], order).message_post(
            body="Thank you",
            partner_ids=order.partner_id.ids,
            message_type='comment',
            subtype_xmlid='mail.mt_comment',
        )
        message.body = "Thank you very much"
        message.unlink()
        if stage in ('open', 'received'):
            with self.assertRaisesRegex(UserError, "Close or cancel the return first"):
                self._as(team['seller'], order)._action_cancel()
        else:
            if self.buyer:
                # Odoo looks for purchases of the order as the user who cancels it.
                team['seller'].sudo().group_ids += self.env.ref('purchase.group_purchase_user')
            self._as(team['seller'], order)._action_cancel()
        return order

    # === TESTS === #

    def test_every_way(self):
        teams = {
            'none': (self.seller_own, self.packer, self.biller),
            'open': (self.seller_biller, self.stock_manager, self.seller_biller),
            'received': (self.sales_manager, self.packer, self.accountant),
            'credited': (self.seller, self.stock_manager, self.account_manager),
        }
        others = [
            self._take_back,
            self._refund,
            self._send,
            self._keep_stock,
            self._buy_from_vendor,
            self._keep_bank,
            self._administer,
        ]
        roles = ('seller', 'packer', 'biller')
        with self._recorded() as walked:
            for stage, users in teams.items():
                with self.subTest(stage=stage):
                    self._trade(dict(zip(roles, users, strict=True)), stage)
            for way in others:
                with self.subTest(way=way.__name__):
                    way(dict(zip(roles, teams['none'], strict=True)))
            self._pay_online()
        never = self._get_overrides().keys() - walked
        self.assertEqual(never, set(NEVER_WALKED), never)

    def test_views(self):
        """Forms and lists work as before, with returns in all documents."""
        order = self._create_sale({}, {'product': self.service, 'quantity': 2})
        order.order_line[0].order_id.user_id = self.seller_own
        self._return_goods(order.order_line[0], 2)
        open_return = self._create_return(order.order_line[0], 1)
        sellers = (self.seller_own, self.seller, self.sales_manager)
        packers = (self.packer, self.stock_manager)
        billers = (self.biller, self.accountant, self.account_manager)
        documents = [
            (order, sellers),
            (order.picking_ids | open_return.picking_ids, packers),
            (order.picking_ids.picking_type_id, packers),
            (self.product.stock_quant_ids, (self.stock_manager,)),
            (order.invoice_ids, billers),
            (self.product, sellers + packers + billers),
            (self.product.product_tmpl_id, sellers + packers + billers),
            (self.customer, sellers + packers + billers),
            (self.warehouse, (self.stock_manager,)),
            (self.packer, (self.admin,)),
        ]
        for records, users in documents:
            for user in users:
                with self.subTest(model=records._name, user=user.login):
                    self._check_views(user, records)

    def _check_views(self, user, records):
        env = self._as(user, records).env
        found = env[records._name].get_views([(False, 'form'), (False, 'list')])
        for kind, view in found['views'].items():
            spec = self._get_specification(view['arch'], found['models'], records._name)
            mine = self._as(user, records)
            if kind == 'form':
                for record in mine:
                    self.assertEqual(len(record.web_read(spec)), 1)
            else:
                mine.web_search_read([('id', 'in', mine.ids)], spec)

    def _get_specification(self, arch, models, model):
        """Return the fields that a web client requests for a view."""
        root = etree.fromstring(arch) if isinstance(arch, str) else arch
        spec = {}
        for node in root.xpath('.//field[not(ancestor::field)]'):
            name = node.get('name')
            field = models[model]['fields'][name]
            if field['type'] == 'many2one':
                spec[name] = {'fields': {'display_name': {}}}
            elif field['type'] in ('one2many', 'many2many'):
                sub = next(iter(node.xpath('./list | ./kanban | ./form')), None)
                fields_of = (
                    {'display_name': {}}
                    if sub is None and 'tags' in (node.get('widget') or '')
                    else {}
                )
                if sub is not None:
                    fields_of = self._get_specification(sub, models, field['relation'])
                spec[name] = {'fields': fields_of}
            else:
                spec[name] = {}
        return spec

    def test_return_dialog(self):
        """The dialog of Odoo offers reasons to everybody who may use it."""
        order = self._create_sale()
        wizard = Form(
            self._as(self.packer, self.env['stock.return.picking']).with_context(
                active_model='stock.picking', active_id=order.picking_ids.id
            )
        )
        wizard.sale_return_reason_id = self.reason_defective
        reasons = self._as(self.packer, self.env['sale.return.reason'])
        self.assertTrue(reasons.name_search("Defective"))
