"""The pages that dev/screenshots photographs. To add one, write its two functions and name it in
`PAGES`.

`prepare(shop, person)` runs in Odoo: it creates what the page shows (`Shop` helps) and returns
plain values, once for each size and language; `person` is a user of its own, in the language.
`visit(page, values)` runs beside the browser (`Page` of dev/_screenshots.py): it goes where the
picture is and takes it with `page.shot(name)`. Values may name another `login` and `password`; an
empty login stays outside.
"""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class ScreenshotPage(NamedTuple):
    prepare: Callable
    visit: Callable


# === BENCH === #


def prepare_bench(shop, person):
    """Sell two lamps, a clock and a coffee machine, announce the lamps and the coffee machine."""
    customer = shop.create_customer("Deco Addict")
    lamp, clock, coffee = shop.get_products('floor_lamp', 'wall_clock', 'espresso')
    order = shop.sell(customer, {lamp: 2, clock: 1, coffee: 1})
    tracking = f'1Z999AA1{order.id:010}'
    shop.announce(order, [lamp, coffee], tracking)
    other = shop.create_customer("Benjamin Flores", phone='+32 9 123 56 78', city="Gent")
    if not other.sale_order_ids:
        shop.sell(other, {clock: 1})
    return {'tracking': tracking, 'lamp': lamp.barcode, 'coffee': coffee.barcode}


def visit_bench(page, values):
    """Go the normal way with one unit too many, and finally look for an owner."""
    settled = ".o_sr_bench[data-sending='0'] "

    def scan(barcode, selector):
        page.type('.o_sr_bench_scan input', barcode)
        page.wait(settled + selector)

    page.open('/odoo/returns-bench', ".o_sr_bench_body[data-screen='start']")
    scan(values['tracking'], '.o_sr_bench_line')
    scan(values['coffee'], '.o_sr_bench_item')
    page.click(".o_sr_bench_grade[data-grade='B']")
    page.wait(settled + ".o_sr_bench_grade[data-grade='B'][aria-pressed='true']")
    scan(values['lamp'], '.o_sr_bench_line:first-child .o_sr_bench_select')
    scan(values['lamp'], '.o_sr_bench_line:first-child .text-bg-success')
    page.click(".o_sr_bench_grade[data-grade='A']")
    page.wait(settled + ".o_sr_bench_grade[data-grade='A'][aria-pressed='true']")
    page.shot('bench')
    scan(values['lamp'], '.o_sr_bench_question')
    page.shot('bench_question')
    page.click(".o_sr_bench_choice[data-choice='ignore']")
    page.click('.o_sr_bench_add_return')
    page.type('.o_sr_bench_find_input', 'Benjamin')
    page.wait('.o_sr_bench_candidate')
    page.shot('bench_unknown')


# === THE CUSTOMER'S PAGES === #


def prepare_portal(shop, person):
    """Sell to a customer with two returns: one to be sent, one finished."""
    lamp, clock = shop.get_products('floor_lamp', 'wall_clock')
    customer = shop.create_portal_customer("Azure Interior", person.lang)
    order = shop.sell(customer.partner_id, {lamp: 4, clock: 2})
    send = shop.announce(order, [lamp])
    done = shop.announce(order, [clock], f'JD01460000{order.id:04}')
    shop.receive_and_inspect(done, ['A', 'C'])
    return {
        'login': customer.login,
        'order': order.id,
        'send': send.access_url,
        'done': done.access_url,
    }


def visit_portal(page, values):
    """View the list, the return to be sent and the result of the other return."""
    page.open('/my/returns', '.o_sale_return_row')
    page.shot('portal_returns')
    page.open(values['send'], '#sale_return_send')
    page.shot('portal_send')
    page.open(values['done'], '#sale_return_money')
    page.shot('portal_done')


def prepare_portal_request(shop, person):
    """Sell to a customer who is already returning one of two products."""
    lamp, clock = shop.get_products('floor_lamp', 'wall_clock')
    customer = shop.create_portal_customer("Azure Interior", person.lang)
    order = shop.sell(customer.partner_id, {lamp: 4, clock: 2})
    shop.announce(order, [clock])
    return {'login': customer.login, 'order': order.id}


def visit_portal_request(page, values):
    """Ask for a return: what can be returned, why, and what the customer would get."""
    page.open(f'/my/orders/{values["order"]}/return', '#wrap form')
    page.shot('portal_request')
    page.run("document.querySelector('.o_sale_return_product input').value = 2")
    page.click('.o_sale_return_form [type=submit]')
    page.wait('select[name^=reason_]')
    page.run("document.querySelector('select[name^=reason_]').selectedIndex = 1")
    page.shot('portal_request_details')
    page.click('.o_sale_return_form [type=submit]')
    page.wait('.o_sale_return_estimate')
    page.shot('portal_request_summary')


# === IN THE APP === #


def prepare_help(shop, person):
    """Make returns in all states for somebody who has all roles."""
    roles = (
        'sale_return.group_manager',
        'stock.group_stock_user',
        'account.group_account_manager',
        'sales_team.group_sale_manager',
    )
    login = shop.create_person(person.lang, groups=roles).login
    lamp, clock = shop.get_products('floor_lamp', 'wall_clock')
    # Messages are in the language of the customer.
    name = {'zh_CN': "双子家具"}.get(person.lang, "Gemini Furniture")
    customer = shop.create_customer(name, email='gemini@example.com', lang=person.lang)
    order = shop.sell(customer, {lamp: 4, clock: 2})
    shop.announce(shop.sell(customer, {clock: 2}), [clock], 'JD014600003')
    paid = shop.sell(customer, {lamp: 2})
    shop.pay(paid)
    back = shop.announce(paid, [lamp])
    shop.receive_and_inspect(back, ['A', 'B'])
    env = shop.env
    return {
        'login': login,
        'order': order.id,
        'return': back.id,
        'message': back.customer_message_ids[:1].id,
        'policy': env.ref('sale_return.policy_standard').id,
        'dashboard': env.ref('sale_return.spreadsheet_dashboard_overview').id,
    }


def visit_help(page, values):
    """Go through what the help pages explain."""
    page.open('/odoo/returns-overview', '.o_kanban_record')
    page.shot('help_overview')
    page.open(f"/odoo/sales/{values['order']}", 'button[name=action_create_return]')
    page.click('button[name=action_create_return]')
    page.wait('.modal .o_list_view, .modal .o_field_one2many')
    page.shot('help_create')
    page.open(f"/odoo/returns/{values['return']}", '.o_form_view .o_field_one2many')
    page.shot('help_return')
    page.open(f"/odoo/return-messages/{values['message']}", '.o_form_view iframe')
    page.shot('help_message')
    page.open('/odoo/returns-to-pay-back', '.o_data_row')
    page.shot('help_to_pay_back')
    page.open('/odoo/return-reconciliation', '.o_view_controller')
    page.shot('help_differences')
    page.open('/odoo/returns-set-up', '.o_view_controller, .o_form_view')
    page.shot('help_setup')
    page.open(f"/odoo/return-policies/{values['policy']}", '.o_form_view')
    page.shot('help_policy')
    page.open(f"/odoo/dashboards?dashboard_id={values['dashboard']}", '.o-scorecard')
    page.shot('help_dashboard')


PAGES = {
    'help': ScreenshotPage(prepare_help, visit_help),
    'bench': ScreenshotPage(prepare_bench, visit_bench),
    'portal': ScreenshotPage(prepare_portal, visit_portal),
    'portal_request': ScreenshotPage(prepare_portal_request, visit_portal_request),
}


# === IN ODOO === #


class Shop:
    """Makes what the pages show, on Odoo's and our demo data."""

    BARCODES = {
        'floor_lamp': '5901234123457',
        'wall_clock': '5901234123464',
        'espresso': '5901234123471',
        'backpack': '5901234123488',
    }

    def __init__(self, env):
        # Importable once the registry is loaded, wherever the checkout lies.
        from odoo.addons.sale_return.benchmarks import shop

        self.env = env
        self.shop = shop

    def create_person(self, lang, name="Marc Demo", groups=('sale_return.group_inspector',)):
        """Create a user whose password is their login."""
        count = self.env['res.users'].search_count([])
        login = f'person_{count}'
        users = self.env['res.users']
        # Its welcome would cover the page at the first login.
        no_bot = {'odoobot_state': 'disabled'} if 'odoobot_state' in users else {}
        return users.create(
            {
                **no_bot,
                'name': name,
                'login': login,
                'password': login,
                'lang': lang,
                'group_ids': [(4, self.env.ref(group).id) for group in groups],
            }
        )

    def get_approver(self):
        """Return a user who decides on requests of others."""
        found = self.env['res.users'].search([('name', '=', "Abigail Approver")], limit=1)
        groups = ('sale_return.group_approver',)
        return found or self.create_person('en_US', "Abigail Approver", groups)

    def create_customer(self, name, **values):
        """Create a customer, unless there is one of that name."""
        partners = self.env['res.partner']
        return partners.search([('name', '=', name)], limit=1) or partners.create(
            {'name': name, 'is_company': True, **values}
        )

    def create_portal_customer(self, name, lang):
        """Create a customer with a login of their own."""
        login = f'customer_{self.env["res.users"].search_count([])}'
        partner = self.create_customer(
            name, lang=lang, email=f'{login}@example.com', street="4557 De Silva St", city="Fremont"
        )
        return (
            self.env['res.users']
            .with_context(no_reset_password=True)
            .create(
                {
                    'name': name,
                    'partner_id': partner.id,
                    'login': login,
                    'password': login,
                    'lang': lang,
                    'group_ids': [(6, 0, self.env.ref('base.group_portal').ids)],
                }
            )
        )

    def receive_and_inspect(self, sale_return, grades):
        """Receive all of a return with one line, and grade one unit after the other."""
        pickings = sale_return.picking_ids
        for move in pickings.move_ids:
            move.quantity = move.product_uom_qty
            move.picked = True
        pickings.with_context(skip_backorder=True).button_validate()
        sale_return.line_ids.register_inspection(
            [{'quantity': 1, 'disposition': 'restock', 'grade': grade} for grade in grades]
        )

    def get_products(self, *names):
        """Return demo products, each with a barcode."""
        products = [self.env.ref(f'sale_return.product_{name}_demo') for name in names]
        for name, product in zip(names, products, strict=True):
            product.barcode = self.BARCODES[name]
        return products

    def sell(self, customer, quantities):
        """Sell, deliver and invoice products: `{product: quantity}`."""
        order = self.env['sale.order'].create(
            {
                'partner_id': customer.id,
                'order_line': [
                    (0, 0, {'product_id': product.id, 'product_uom_qty': quantity})
                    for product, quantity in quantities.items()
                ],
            }
        )
        order.action_confirm()
        self.shop.put_in_stock(order.warehouse_id.lot_stock_id, quantities)
        self.shop.deliver(order)
        self.shop.invoice(order)
        return order

    def pay(self, order):
        """Have the customer pay the invoices of an order."""
        self.env['account.payment.register'].with_context(
            active_model='account.move', active_ids=order.invoice_ids.ids
        ).create({})._create_payments()

    def refresh(self):
        """Do what the scheduled jobs do for dashboards and the list of differences."""
        self.env['sale.return.fact']._cron_refresh()
        self.env['sale.return.reconciliation']._cron_reconcile()

    def announce(self, order, products, tracking=None):
        """Create an approved return of all bought units of some products."""
        reason = self.env.ref('sale_return.reason_not_as_described')
        lines = order.order_line.filtered(lambda line: line.product_id in products)
        sale_return = self.env['sale.return'].create(
            {
                'partner_id': order.partner_id.id,
                'line_ids': [
                    (
                        0,
                        0,
                        {
                            'sale_line_id': line.id,
                            'qty_requested': line.product_uom_qty,
                            'reason_id': reason.id,
                        },
                    )
                    for line in lines
                ],
            }
        )
        sale_return.action_submit()
        if sale_return.state == 'submitted':
            # Nobody approves their own request.
            sale_return.with_user(self.get_approver()).action_approve()
        if tracking:
            sale_return.action_register_dispatch(tracking_ref=tracking)
        return sale_return


def run(env, values, pages, langs, sizes):
    """Prepare the pages (all, or those named) and write the data for the browser.

    :rtype: bool
    """
    names = pages.split() or list(PAGES)
    if unknown := set(names) - set(PAGES):
        raise SystemExit(f"no such page: {', '.join(unknown)} (there are: {', '.join(PAGES)})")
    if 'help' in names:
        # Dashboards compare with the year before.
        import _history

        _history.run(env)
    shop = Shop(env)
    shots = []
    for name, lang, size in itertools.product(names, langs.split(), sizes.split()):
        person = shop.create_person(lang)
        shots.append(
            {
                'page': name,
                'lang': lang,
                'size': size,
                'values': {'login': person.login, **PAGES[name].prepare(shop, person)},
            }
        )
    shop.refresh()
    Path(values).write_text(json.dumps(shots), encoding='utf-8')
    return True
