"""The trade that errors are planted into: a company with some months of orders and returns."""

from datetime import timedelta

from odoo import Command

# Compared fields of a row of the list of differences.
FIGURES = ('kind', 'state', 'cause', 'qty_difference', 'amount_difference', 'amount_credited')


class Trade:
    """A company with some months of trade and returns, each order with a customer of its own."""

    def __init__(self, env):
        self.admin = env
        self.baseline_false = []
        self._make_company()
        self._make_orders()
        self.env.flush_all()

    # === WORLD === #

    def _make_company(self):
        root = self.admin(su=True)
        company = root['res.company'].create({'name': "Audited"})
        root['account.chart.template'].with_context(allowed_company_ids=company.ids).try_loading(
            'generic_coa', company=company, install_demo=False
        )
        company.write({'anglo_saxon_accounting': True, 'inventory_valuation': 'real_time'})
        user = self.admin.user
        user.write({'company_ids': [Command.link(company.id)], 'company_id': company.id})
        env = self.admin(
            user=user.id,
            su=True,
            context={'allowed_company_ids': company.ids, 'lang': 'en_US', 'tz': 'UTC'},
        )
        self.env, self.company = env, company.with_env(env)
        self.today = env.cr.now().date()
        warehouses = env['stock.warehouse']
        self.warehouse = warehouses.search(
            [('company_id', '=', company.id)], limit=1
        ) or warehouses.create({'name': "Audited", 'code': 'AUD', 'company_id': company.id})
        self._make_goods()
        standard = env.ref('sale_return.policy_standard')
        self.policy = standard.copy(
            {'name': "Audit", 'company_id': company.id, 'sequence': -300, 'settlement': 'refund'}
        )
        self.reason = env.ref('sale_return.reason_defective')
        self.changed_mind = env.ref('sale_return.reason_changed_mind')
        self.euro = self._make_currency()
        self.bank = env['account.journal'].create(
            {'name': "Audit bank", 'type': 'bank', 'code': 'AUB', 'company_id': company.id}
        )
        self.stranger = env['res.partner'].create({'name': "Stranger"})

    def _make_goods(self):
        env, company = self.env, self.company
        category = env['product.category'].create(
            {
                'name': "Audited",
                'property_valuation': 'real_time',
                'property_cost_method': 'standard',
            }
        )
        self.tax, self.other_tax = env['account.tax'].create(
            [
                {
                    'name': f"Audit {rate}%",
                    'amount': rate,
                    'type_tax_use': 'sale',
                    'company_id': company.id,
                }
                for rate in (21.0, 10.0)
            ]
        )
        self.product, self.lamp = env['product.product'].create(
            [
                {
                    'name': name,
                    'type': 'consu',
                    'is_storable': True,
                    'categ_id': category.id,
                    'standard_price': 60.0,
                    'invoice_policy': 'delivery',
                    'taxes_id': [Command.clear()],
                }
                for name in ("Audited table", "Audited lamp")
            ]
        )
        self.discount = env['product.product'].create(
            {'name': "Rebate", 'type': 'service', 'invoice_policy': 'order'}
        )
        for product in (self.product, self.lamp):
            env['stock.quant']._update_available_quantity(
                product, self.warehouse.lot_stock_id, 1000
            )

    def _make_currency(self):
        currency = (
            self.env['res.currency'].with_context(active_test=False).search([('name', '=', 'EUR')])
        )
        currency.active = True
        self.env['res.currency.rate'].create(
            {
                'name': '2020-01-01',
                'rate': 2.0,
                'currency_id': currency.id,
                'company_id': self.company.id,
            }
        )
        self.price_list = self.env['product.pricelist'].create(
            {'name': "Audit EUR", 'currency_id': currency.id, 'company_id': self.company.id}
        )
        return currency

    def account(self, kind, other=None):
        """Return an account of the company of a type, another than the one given."""
        accounts = self.env['account.account'].search(
            [('company_ids', 'in', self.company.ids), ('account_type', '=', kind)]
        )
        return (accounts - other if other else accounts)[:1]

    # === TRADE === #

    def _make_orders(self):
        self.paid = self.make_return('Paid', pay=True, back=4, refund=True)
        self.twice = self.make_return('Twice', back=2)
        self.twice_again = self.make_return(order=self.twice['order'], back=3)
        self.foreign = self.make_return('Foreign', pricelist_id=self.price_list.id)
        self.full = self.make_return('Full', back=10)
        self.taxes = self.make_return('Taxes', second=True)
        self.rebate = self.make_return('Rebate', rebate=100.0)
        self.missing = self.make_missing()
        self.policy.restocking_fee_percent = 10.0
        self.fee = self.make_return('Fee', reason=self.changed_mind)
        self.policy.credit_posting = 'draft'
        self.draft = self.make_return('Draft')
        self.draft_fee = self.make_return('Draft fee', reason=self.changed_mind)
        self.policy.write({'credit_posting': 'post', 'restocking_fee_percent': 0.0})
        self.policy.restocking_fee_percent = 10.0
        self.waiting = self.draft['customer'] | self.draft_fee['customer']
        self.plain = self.make_sale('Plain')
        self.add_harmless()

    def make_sale(self, name, pay=False, second=False, rebate=0.0, **values):
        """Sell, deliver and invoice ten tables at 100.00 plus 21 %."""
        env = self.env
        customer = env['res.partner'].create({'name': f"Audit {name}"})
        lines = [(self.product, 10, 100.0, self.tax)]
        if second:
            lines.append((self.lamp, 10, 33.33, self.other_tax))
        if rebate:
            lines.append((self.discount, 1, -rebate, self.tax))
        order = env['sale.order'].create(
            {
                'partner_id': customer.id,
                'company_id': self.company.id,
                'warehouse_id': self.warehouse.id,
                'order_line': [
                    Command.create(
                        {
                            'product_id': product.id,
                            'product_uom_qty': quantity,
                            'price_unit': price,
                            'tax_ids': [Command.set(tax.ids)],
                        }
                    )
                    for product, quantity, price, tax in lines
                ],
                **values,
            }
        )
        order.action_confirm()
        self.process(order.picking_ids)
        invoice = order._create_invoices()
        invoice.invoice_date = self.today - timedelta(days=3)
        invoice.action_post()
        if pay:
            self.pay(invoice)
        return {'order': order, 'invoice': invoice, 'customer': customer}

    def make_return(self, name=None, order=None, back=4, reason=None, refund=False, **values):
        sale = self.make_sale(name, **values) if name else {'order': order}
        order = sale['order']
        lines = order.order_line.filtered('product_id.is_storable')
        sale_return = self.env['sale.return'].create(
            {
                'partner_id': order.partner_id.id,
                'line_ids': [
                    {
                        'sale_line_id': line.id,
                        'qty_requested': back,
                        'reason_id': (reason or self.reason).id,
                    }
                    for line in lines
                ],
            }
        )
        sale_return.action_submit()
        if sale_return.state == 'submitted':
            sale_return.action_approve()
        self.process(sale_return.picking_ids)
        sale_return.action_inspect_all('restock')
        note = sale_return.credit_note_ids
        result = {
            **sale,
            'customer': order.partner_id,
            'invoice': order.invoice_ids.filtered(lambda m: m.move_type == 'out_invoice')[:1],
            'return': sale_return,
            'note': note,
            'line': note.invoice_line_ids.filtered('sale_line_ids')[:1],
        }
        if refund:
            result['payout'] = sale_return.action_refund()
            result['payout'].payment_id.action_post()
        elif note.state == 'posted' and note.amount_residual and values.get('pay'):
            self.pay(note)
        return result

    def make_missing(self):
        sale = self.make_sale('Missing')
        sale_return = self.env['sale.return'].create(
            {
                'partner_id': sale['customer'].id,
                'line_ids': [
                    {
                        'sale_line_id': sale['order'].order_line.id,
                        'qty_requested': 2,
                        'reason_id': self.env.ref('sale_return.reason_missing').id,
                    }
                ],
            }
        )
        sale_return.action_submit()
        if sale_return.state == 'submitted':
            sale_return.action_approve()
        if not sale_return.credit_note_ids:
            sale_return.action_create_credit_notes()
        return {**sale, 'return': sale_return, 'note': sale_return.credit_note_ids}

    def process(self, pickings):
        pickings = pickings.filtered(lambda picking: picking.state not in ('done', 'cancel'))
        for move in pickings.move_ids:
            move.quantity = move.product_uom_qty
            move.picked = True
        pickings.with_context(skip_backorder=True).button_validate()

    def pay(self, move, **values):
        """Register a payment of an invoice or note."""
        return (
            self.env['account.payment.register']
            .with_context(active_model='account.move', active_ids=move.ids)
            .create({'journal_id': self.bank.id, **values})
            ._create_payments()
        )

    def make_entry(self, debit, credit, amount, partner=None, date=None):
        """Post a miscellaneous entry; the partner stands on both sides."""
        entry = self.env['account.move'].create(
            {
                'move_type': 'entry',
                'date': date or self.today,
                'line_ids': [
                    Command.create(
                        {
                            'account_id': account.id,
                            'partner_id': partner and partner.id,
                            'debit': amount if side else 0.0,
                            'credit': 0.0 if side else amount,
                        }
                    )
                    for side, account in ((True, debit), (False, credit))
                ],
            }
        )
        entry.action_post()
        return entry

    def add_harmless(self):
        """Book what every company books and no return has anything to do with."""
        customer = self.paid['customer']
        receivable = self.receivable(self.paid['invoice']).account_id
        self.make_entry(receivable, self.account('equity'), 75.0, customer)
        self.make_entry(self.account('expense'), receivable, 5.0, customer)
        # A price correction, a note for goods on an order nobody returned, a note that was undone.
        self.reverse(self.plain['invoice'], price=5.0)
        undone = self.make_return('Undone')
        undone['note']._reverse_moves([{}], cancel=True)
        undone['return'].action_create_credit_notes()

    def reverse(self, invoice, quantity=None, price=None, post=True):
        wizard = (
            self.env['account.move.reversal']
            .with_context(active_model='account.move', active_ids=invoice.ids)
            .create({'journal_id': invoice.journal_id.id})
        )
        note = self.env['account.move'].browse(wizard.refund_moves()['res_id'])
        for line in note.invoice_line_ids:
            line.write(
                {
                    **({'quantity': quantity} if quantity is not None else {}),
                    **({'price_unit': price} if price is not None else {}),
                }
            )
        if post:
            note.action_post()
        return note

    def receivable(self, move):
        return move.line_ids.filtered(
            lambda line: line.account_id.account_type == 'asset_receivable'
        )

    # === LOOK === #

    def read_rows(self):
        """Refresh the list of differences and return its open rows by key."""
        model = self.env['sale.return.reconciliation']
        model.action_refresh()
        rows = model.search([('company_id', '=', self.company.id), ('state', '=', 'open')])
        return {
            row.key: (row.partner_id.id, row.note_id.id, *(row[name] for name in FIGURES))
            for row in rows
        }

    def sql(self, query, *args):
        self.env.flush_all()
        self.env.cr.execute(query, args)
        self.env.invalidate_all()
