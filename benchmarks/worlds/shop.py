"""The company that a random world trades in: goods of every kind, people with one role each."""

from odoo.fields import Command

PEOPLE = {
    'seller': (
        'sales_team.group_sale_salesman_all_leads',
        'sale_return.group_user',
        'uom.group_uom',
    ),
    'storeman': (
        'stock.group_stock_user',
        'stock.group_production_lot',
        'stock.group_stock_multi_locations',
        'sale_return.group_inspector',
        'uom.group_uom',
    ),
    'approver': ('sale_return.group_approver',),
    'manager': (
        'sale_return.group_manager',
        'sales_team.group_sale_manager',
        # Odoo itself does not let somebody without it cancel an order whose goods are to be bought.
        'stock.group_stock_user',
    ),
    'accountant': ('account.group_account_manager', 'sale_return.group_user'),
}
# Price of one unit of the company's currency in the price list of each currency.
RATES = {'USD': 1.0, 'EUR': 0.8, 'JPY': 150.0, 'KWD': 0.3}
STOCK = 500


class Shop:
    """One company with its goods, made once and traded in by many worlds.

    :param env: of the administrator.
    :param str currency: code of the currency of the company.
    """

    def __init__(self, env, currency='USD'):
        self.root = env(su=True, context={'tracking_disable': True, 'lang': 'en_US', 'tz': 'UTC'})
        self.code = currency
        self.installed = self.root['ir.module.module']._installed()
        self._make_company()
        self._make_people()
        self._make_settings()
        self._make_taxes()
        self._make_goods()
        self._make_cards()
        self.root.flush_all()

    def _make_company(self):
        root = self.root
        self.currencies = {}
        for code in RATES:
            found = root['res.currency'].with_context(active_test=False)
            self.currencies[code] = found.search([('name', '=', code)])
        root['res.currency'].concat(*self.currencies.values()).active = True
        company = root['res.company'].create({'name': f"Worlds in {self.code}"})
        self.root = root = root(context={**root.context, 'allowed_company_ids': company.ids})
        self.company = company = company.with_env(root)
        root['account.chart.template'].try_loading('generic_coa', company, install_demo=False)
        company.write(
            {
                'currency_id': self.currencies[self.code].id,
                'anglo_saxon_accounting': True,
                'inventory_valuation': 'real_time',
            }
        )
        for code, rate in RATES.items():
            if code != self.code:
                root['res.currency.rate'].create(
                    {
                        'name': '2020-01-01',
                        'rate': rate / RATES[self.code],
                        'currency_id': self.currencies[code].id,
                        'company_id': company.id,
                    }
                )
        warehouses = root['stock.warehouse']
        self.warehouse = warehouses.search(
            [('company_id', '=', company.id)], limit=1
        ) or warehouses.create({'name': company.name, 'code': self.code, 'company_id': company.id})
        self.bank, self.till = root['account.journal'].create(
            [
                {'name': name, 'type': kind, 'code': code, 'company_id': company.id}
                for name, kind, code in (("Bank", 'bank', 'WBNK'), ("Till", 'cash', 'WTIL'))
            ]
        )
        self.scrap_account = root['account.account'].search(
            [('company_ids', 'in', company.ids), ('account_type', '=', 'expense')], limit=1
        )
        self.price_lists = {
            code: root['product.pricelist'].create(
                {'name': code, 'currency_id': currency.id, 'company_id': company.id}
            )
            for code, currency in self.currencies.items()
        }

    def _make_people(self):
        self.people = {}
        for name, groups in PEOPLE.items():
            user = self.root['res.users'].create(
                {
                    'name': name,
                    'login': f'{name}_{self.code}',
                    'company_id': self.company.id,
                    'company_ids': [Command.set(self.company.ids)],
                    'group_ids': [
                        Command.set(
                            [self.root.ref(group).id for group in ('base.group_user', *groups)]
                        )
                    ],
                }
            )
            self.people[name] = user

    def _make_settings(self):
        # Budgets and two-person limits are tested elsewhere; here money has to move.
        self.company.write(
            {
                'sale_return_scrap_account_id': self.scrap_account.id,
                'sale_return_unbacked_agent_limit': 0.0,
                'sale_return_unbacked_customer_limit': 0.0,
                'sale_return_unbacked_order_limit': 0.0,
                'sale_return_second_person_above': 0.0,
                'sale_return_goodwill_agent_limit': 1e9,
            }
        )
        self.root['sale.return.team'].search([('company_id', '=', self.company.id)]).unlink()
        self.policy = self.root.ref('sale_return.policy_standard').copy(
            {'name': "Worlds", 'company_id': self.company.id, 'sequence': -500}
        )
        self.reasons = {
            name: self.root.ref(f'sale_return.reason_{name}')
            for name in ('defective', 'changed_mind', 'wrong_item', 'missing')
        }

    def _make_taxes(self):
        def tax(name, amount, included=False, **values):
            return self.root['account.tax'].create(
                {
                    'name': f"Worlds {name}",
                    'amount': amount,
                    'amount_type': 'percent',
                    'type_tax_use': 'sale',
                    'price_include_override': 'tax_included' if included else 'tax_excluded',
                    'company_id': self.company.id,
                    **values,
                }
            )

        parts = tax("21 of group", 21.0) | tax("5 of group", 5.0)
        group = tax("group", 0.0, amount_type='group', children_tax_ids=[Command.set(parts.ids)])
        self.taxes = [
            self.root['account.tax'],
            tax("21", 21.0),
            tax("20 included", 20.0, included=True),
            group,
        ]

    # === GOODS === #

    def _make_goods(self):
        root = self.root
        unit, kg = root.ref('uom.product_uom_unit'), root.ref('uom.product_uom_kgm')
        self.units = {
            'unit': unit,
            'dozen': root.ref('uom.product_uom_dozen'),
            'kg': kg,
            'tonne': root.ref('uom.product_uom_ton'),
            'pack': root['uom.uom'].create(
                {'name': f"Pack of 3 {self.code}", 'relative_factor': 3, 'relative_uom_id': unit.id}
            ),
        }
        self.categories = {
            (method, valuation): root['product.category'].create(
                {
                    'name': f"Worlds {method} {valuation}",
                    'property_valuation': valuation,
                    'property_cost_method': method,
                }
            )
            for method in ('standard', 'average', 'fifo')
            for valuation in ('real_time', 'periodic')
        }
        self.goods = {}
        for method, valuation in self.categories:
            for policy in ('delivery', 'order'):
                name = f'{method} {valuation} {policy}'
                self._make(name, method, valuation, invoice_policy=policy)
        self._make('eggs', 'standard', units=('dozen', 'unit'))
        self._make('steel', 'average', units=('tonne', 'kg'), uom_id=kg.id)
        self._make('socks', 'fifo', units=('pack', 'unit'))
        self._make('paint', 'average', tracking='lot')
        self._make('drill', 'standard', tracking='serial')
        self._make('glue', 'standard', stored=False)
        self._make('assembly', 'standard', stored=False, type='service', invoice_policy='order')
        if 'sale_mrp' in self.installed:
            self._make_kit()
        # Discount of an order, as a separate line.
        self.rebate = root['product.product'].create(
            {'name': "Worlds rebate", 'type': 'service', 'invoice_policy': 'order'}
        )
        for batch in range(2):
            self.restock(10.0 + 5 * batch)

    def _make(self, name, method, valuation='real_time', units=('unit',), stored=True, **values):
        product = self.root['product.product'].create(
            {
                'name': f"Worlds {name}",
                'type': 'consu',
                'is_storable': stored,
                'categ_id': self.categories[method, valuation].id,
                'standard_price': 7.77 if method == 'standard' else 0.0,
                'invoice_policy': 'delivery',
                'taxes_id': [Command.clear()],
                'company_id': self.company.id,
                **values,
            }
        )
        self.goods[name] = (product, [self.units[unit] for unit in units])
        return product

    def _make_kit(self):
        parts = [
            self._make('part a', 'average'),
            self._make('part b', 'standard'),
        ]
        del self.goods['part a'], self.goods['part b']
        self.parts = parts
        kit = self._make('kit', 'standard', stored=False)
        self.root['mrp.bom'].create(
            {
                'product_tmpl_id': kit.product_tmpl_id.id,
                'type': 'phantom',
                'company_id': self.company.id,
                'bom_line_ids': [
                    Command.create({'product_id': part.id, 'product_qty': quantity})
                    for part, quantity in zip(parts, (2, 1), strict=True)
                ],
            }
        )

    def restock(self, cost, products=None, quantity=STOCK):
        """Receive goods from a supplier at a cost per unit, as one transfer."""
        if products is None:
            products = self.root['product.product'].concat(
                *(product for product, _units in self.goods.values() if product.is_storable),
                *getattr(self, 'parts', ()),
            )
        moves = self.root['stock.move'].create(
            [
                {
                    'product_id': product.id,
                    'product_uom_qty': quantity,
                    'location_id': self.root.ref('stock.stock_location_suppliers').id,
                    'location_dest_id': self.warehouse.lot_stock_id.id,
                    'picking_type_id': self.warehouse.in_type_id.id,
                    'company_id': self.company.id,
                    'price_unit': cost,
                    'value_manual': self.company.currency_id.round(cost * quantity),
                }
                for product in products
            ]
        )
        moves._action_confirm()
        for move in moves:
            tracking = move.product_id.tracking
            if tracking == 'none':
                move.quantity = quantity
            else:
                self._fill_lots(move, quantity, each=1 if tracking == 'serial' else quantity / 4)
        moves.picked = True
        moves._action_done()

    def _fill_lots(self, move, quantity, each):
        count = 20 if each == 1 else round(quantity / each)
        move.product_uom_qty = count * each
        lots = self.root['stock.lot'].create(
            [
                {
                    'name': f'{move.product_id.name} {move.id} {number}',
                    'product_id': move.product_id.id,
                    'company_id': self.company.id,
                }
                for number in range(count)
            ]
        )
        move.value_manual = self.company.currency_id.round(move.price_unit * count * each)
        move.move_line_ids.unlink()
        move.move_line_ids = [
            Command.create(
                {
                    'product_id': move.product_id.id,
                    'lot_id': lot.id,
                    'quantity': each,
                    'location_id': move.location_id.id,
                    'location_dest_id': move.location_dest_id.id,
                }
            )
            for lot in lots
        ]

    def _make_cards(self):
        self.programs = {}
        if 'sale_loyalty' not in self.installed:
            return
        programs = self.root['loyalty.program']
        for kind in ('gift_card', 'ewallet'):
            self.programs[kind] = programs.create(
                {
                    'name': f"Worlds {kind}",
                    'program_type': kind,
                    'trigger': 'auto',
                    'applies_on': 'future',
                    'company_id': self.company.id,
                    'currency_id': self.company.currency_id.id,
                    'rule_ids': [Command.clear()],
                    'reward_ids': [
                        Command.clear(),
                        Command.create(
                            {
                                'reward_type': 'discount',
                                'discount_mode': 'per_point',
                                'discount': 1,
                                'discount_applicability': 'order',
                                'required_points': 1,
                            }
                        ),
                    ],
                }
            )
