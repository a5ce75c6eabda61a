"""Statistics of real trade: load it by SQL, print its return rates, time the pages that show them.

One order goes Odoo's own way and comes back by the add-on's; SQL then copies its rows for each line
of the data. No invoices are built: a line has the value of its order. Run by `dev/bench --real` on
a database of its own, as a superuser of PostgreSQL.
"""

import csv
import io

from odoo.tools import SQL

COUNTRIES = {
    'EIRE': "Ireland",
    'USA': "United States",
    'RSA': "South Africa",
    'Channel Islands': "Jersey",
}

# Date columns of a copy, set to the dates of the data.
DATED = {'create_date': 's.date', 'write_date': 's.date'}


def run(env, path='', times='1'):
    """Load, print, measure.

    :param str path: CSV file of the data, also compressed.
    :param str times: how often each line is loaded, to simulate a bigger shop.
    :return: whether every page was measured.
    :rtype: bool
    """
    from odoo.addons.sale_return.benchmarks import real_pages, real_trade, report, trade

    phases = report.Phases()
    with phases('read and match'):
        found = real_trade.match(trade.read_rows(path))
    load = Load(env, found, int(times), phases, report.Progress)
    load.run()
    real_pages.print_matched(report, found)
    real_pages.print_rates(report, env)
    real_pages.print_ranking(report, env)
    pages = real_pages.print_pages(report, env)
    rows = [[phase, f"{seconds:.1f}"] for phase, seconds in phases.seconds.items()]
    print("\n" + report.format_table(["Phase", "Seconds"], rows, right={1}))
    return bool(pages)


# --- one return, the add-on's way ----------------------------------------------------------------


def trade_once(env):
    """Sell, deliver, take back and restock; return `{table: record}` of the results."""
    from odoo.addons.sale_return.benchmarks import shop

    product = shop.create_products(env, ["Real trade"], taxes_id=[(5,)])
    partner = env['res.partner'].create({'name': "Real trade"})
    order = env['sale.order'].create(
        {
            'partner_id': partner.id,
            'order_line': [
                (0, 0, {'product_id': product.id, 'price_unit': 1.0, 'tax_ids': [(5,)]})
            ],
        }
    )
    order.action_confirm()
    shop.put_in_stock(order.warehouse_id.lot_stock_id, {product: 1})
    delivery = shop.deliver(order)
    sale_return = env['sale.return'].create(
        {
            'partner_id': partner.id,
            'line_ids': [
                (
                    0,
                    0,
                    {
                        'sale_line_id': order.order_line.id,
                        'qty_requested': 1,
                        'reason_id': env.ref('sale_return.reason_not_stated').id,
                    },
                )
            ],
        }
    )
    sale_return.action_submit()
    if sale_return.state == 'submitted':
        sale_return.action_approve()
    shop.validate(sale_return.picking_ids)
    sale_return.action_inspect_all('restock')
    env.flush_all()
    return {
        'res_partner': partner,
        'product_template': product.product_tmpl_id,
        'product_product': product,
        'sale_order': order,
        'sale_order_line': order.order_line,
        'stock_picking': delivery,
        'stock_move': delivery.move_ids,
        'stock_move_line': delivery.move_line_ids,
        'sale_return': sale_return,
        'sale_return_line': sale_return.line_ids,
        'receipt': sale_return.picking_ids.move_ids,
        'sale_return_inspection': sale_return.inspection_ids,
        'sale_return_approval': sale_return.approval_ids[:1],
        'sale_return_event': sale_return.event_ids.filtered(
            lambda event: event.state_to == 'submitted'
        )[:1],
    }


# --- and many more -------------------------------------------------------------------------------


class Load:
    """Copies the rows of one return for each line of the data."""

    def __init__(self, env, found, times, phases, progress):
        self.env = env
        self.cr = env.cr
        self.found = found
        self.times = times
        self.phases = phases
        self.progress = progress
        self.offsets = {}

    def run(self):
        with self.phases('one return, Odoo\'s way'):
            self.records = trade_once(self.env)
        with self.phases('stage'):
            self.stage()
        # Foreign keys are not checked: they are correct by construction, and a million checks are
        # slow.
        self.cr.execute("SET session_replication_role = replica")
        for step in self.progress("Tables loaded", self.get_steps()):
            with self.phases(f'load {step[0]}'):
                self.copy(*step)
        self.cr.execute("SET session_replication_role = DEFAULT")
        self.env.cr.commit()
        self.env.invalidate_all()
        with self.phases('analyze'):
            for table in self.records:
                if table != 'receipt':
                    self.cr.execute(SQL("ANALYZE %s", SQL.identifier(table)))
        with self.phases('store facts'):
            self.env['sale.return.fact']._refresh(everything=True)
            self.cr.execute("ANALYZE sale_return_fact")
        # Commit what the refresh measured last, so that later readings see all of it stored.
        self.env.cr.commit()

    # === STAGING === #

    def stage(self):
        """Bring the data into temporary tables, numbered from 1, each line `times` times."""
        sales = self.found.sales
        codes = {code: n for n, code in enumerate(self.found.descriptions, 1)}
        customers, orders, lines = {}, {}, []
        for n, sale in enumerate(sales, 1):
            customer = customers.setdefault(sale.customer, (len(customers) + 1, sale.country))[0]
            order = orders.setdefault(sale.number, (len(orders) + 1, customer, sale.date))[0]
            lines.append(
                (n, order, codes[sale.code], customer, sale.quantity, sale.price, sale.date)
            )
        returns, return_lines = {}, []
        for (number, index), (units, day) in self.found.returned.items():
            document = returns.setdefault(number, (len(returns) + 1, lines[index][3], day))[0]
            return_lines.append((len(return_lines) + 1, document, index + 1, units, day))
        self.fill('real_product', "n int, code text, name text", [
            (n, code, self.found.descriptions[code]) for code, n in codes.items()
        ], once=True)  # fmt: skip
        self.fill('real_customer', "n int, name text, country text", [
            (n, name, COUNTRIES.get(country, country)) for name, (n, country) in customers.items()
        ], once=True)  # fmt: skip
        self.fill('real_order', "n int, number text, customer int, date timestamp", [
            (n, number, customer, day) for number, (n, customer, day) in orders.items()
        ])  # fmt: skip
        self.fill(
            'real_sale',
            "n int, doc int, product int, customer int, quantity float8, price float8,"
            " date timestamp",
            lines,
            shift={'doc': len(orders)},
        )
        self.fill('real_return', "n int, number text, customer int, date timestamp", [
            (n, number, customer, day) for number, (n, customer, day) in returns.items()
        ])  # fmt: skip
        self.fill(
            'real_return_line',
            "n int, doc int, sale int, quantity float8, date timestamp",
            return_lines,
            shift={'doc': len(returns), 'sale': len(lines)},
        )
        self.cr.execute("CREATE INDEX ON real_sale (n); CREATE INDEX ON real_return (n)")
        self.cr.execute("ANALYZE real_sale; ANALYZE real_return; ANALYZE real_return_line")

    def fill(self, table, columns, rows, once=False, shift=None):
        self.cr.execute(f"CREATE TEMP TABLE {table} ({columns})")
        buffer = io.StringIO()
        csv.writer(buffer).writerows(rows)
        buffer.seek(0)
        self.cr.copy_expert(f"COPY {table} FROM STDIN WITH (FORMAT csv)", buffer)
        if once or self.times == 1:
            return
        shift = {'n': len(rows), **(shift or {})}
        names = [column.split()[0] for column in columns.split(', ')]
        values = ", ".join(f"{n} + k * {shift[n]}" if n in shift else n for n in names)
        self.cr.execute(
            f"INSERT INTO {table} SELECT {values}"
            f" FROM {table}, generate_series(1, {self.times - 1}) AS k"
        )

    # === COPYING === #

    def at(self, table, column='s.n'):
        """Return the id of the copy with this number."""
        if table not in self.offsets:
            self.cr.execute(SQL("SELECT MAX(id) FROM %s", SQL.identifier(table)))
            self.offsets[table] = self.cr.fetchone()[0]
        return f"{self.offsets[table]} + {column}"

    def get_steps(self):
        """Return `(record, staged rows, values by column)` of all tables, in their order."""
        return [
            *self.get_catalog_steps(),
            *self.get_order_steps(),
            *self.get_delivery_steps(),
            *self.get_return_steps(),
            *self.get_decision_steps(),
        ]

    def get_catalog_steps(self):
        """Return the steps about buyers and sold goods."""
        return [
            ('res_partner', 'real_customer', {
                'id': self.at('res_partner'),
                'name': "'Customer ' || s.name",
                'complete_name': "'Customer ' || s.name",
                'commercial_partner_id': self.at('res_partner'),
                'country_id': "(SELECT id FROM res_country WHERE name->>'en_US' = s.country)",
            }),
            ('product_template', 'real_product', {
                'id': self.at('product_template'),
                'name': "jsonb_build_object('en_US', s.name)",
                'default_code': 's.code',
            }),
            ('product_product', 'real_product', {
                'id': self.at('product_product'),
                'product_tmpl_id': self.at('product_template'),
                'default_code': 's.code',
            }),
        ]  # fmt: skip

    def get_order_steps(self):
        """Return the steps of what was ordered."""
        partner = self.at('res_partner', 's.customer')
        amount = "ROUND((s.quantity * s.price)::numeric, 2)"
        return [
            ('sale_order', 'real_order', {
                'id': self.at('sale_order'),
                'name': "s.number || '/' || s.n",
                'partner_id': partner,
                'partner_invoice_id': partner,
                'partner_shipping_id': partner,
                'date_order': 's.date',
                'access_token': 'NULL',
                **DATED,
            }),
            ('sale_order_line', 'real_sale', {
                'id': self.at('sale_order_line'),
                'order_id': self.at('sale_order', 's.doc'),
                'order_partner_id': partner,
                'product_id': self.at('product_product', 's.product'),
                'product_uom_qty': 's.quantity',
                'qty_delivered': 's.quantity',
                'qty_returned': '0',
                'price_unit': 's.price',
                'price_subtotal': amount,
                'price_total': amount,
                **DATED,
            }),
        ]  # fmt: skip

    def get_delivery_steps(self):
        """Return the steps of what was delivered."""
        partner = self.at('res_partner', 's.customer')
        return [
            ('stock_picking', 'real_order', {
                'id': self.at('stock_picking'),
                'name': "'REAL/' || s.n",
                'sale_id': self.at('sale_order'),
                'partner_id': partner,
                'date_done': 's.date',
                **DATED,
            }),
            ('stock_move', 'real_sale', {
                'id': self.at('stock_move'),
                'picking_id': self.at('stock_picking', 's.doc'),
                'sale_line_id': self.at('sale_order_line'),
                'product_id': self.at('product_product', 's.product'),
                'product_uom_qty': 's.quantity',
                'product_qty': 's.quantity',
                'quantity': 's.quantity',
                'value': '0',
                'date': 's.date',
                **DATED,
            }),
            ('stock_move_line', 'real_sale', {
                'id': self.at('stock_move_line'),
                'move_id': self.at('stock_move'),
                'picking_id': self.at('stock_picking', 's.doc'),
                'product_id': self.at('product_product', 's.product'),
                'quantity': 's.quantity',
                'quantity_product_uom': 's.quantity',
                'date': 's.date',
                **DATED,
            }),
        ]  # fmt: skip

    def get_return_steps(self):
        """Return the steps of what came back, and its inspection."""
        partner = self.at('res_partner', 's.customer')
        back = (
            "(SELECT r.*, s.product, s.price, s.customer, s.doc AS sold, s.date AS sold_on,"
            " d.number FROM real_return_line r JOIN real_sale s ON s.n = r.sale"
            " JOIN real_return d ON d.n = r.doc)"
        )
        return [
            ('sale_return', 'real_return', {
                'id': self.at('sale_return'),
                'name': "s.number || '/' || s.n",
                'partner_id': partner,
                'access_token': 'NULL',
                'external_ref': 'NULL',
                **DATED,
            }),
            ('sale_return_line', back, {
                'id': self.at('sale_return_line'),
                'return_id': self.at('sale_return', 's.doc'),
                'sale_line_id': self.at('sale_order_line', 's.sale'),
                'order_id': self.at('sale_order', 's.sold'),
                'partner_id': partner,
                'product_id': self.at('product_product', 's.product'),
                'delivered_on': 's.sold_on',
                **{
                    f'qty_{name}': 's.quantity'
                    for name in ('requested', 'authorized', 'received', 'inspected', 'accepted')
                },
                **DATED,
            }),
            ('receipt', back, {
                'id': self.at('stock_move', f"{len(self.found.sales) * self.times} + s.n"),
                'sale_return_line_id': self.at('sale_return_line'),
                'sale_line_id': self.at('sale_order_line', 's.sale'),
                'origin_returned_move_id': self.at('stock_move', 's.sale'),
                'product_uom_qty': 's.quantity',
                'product_qty': 's.quantity',
                'value': '0',
                'date': 's.date',
                'product_id': self.at('product_product', 's.product'),
                'quantity': 's.quantity',
                **DATED,
            }),
            ('sale_return_inspection', back, {
                'id': self.at('sale_return_inspection'),
                'line_id': self.at('sale_return_line'),
                'return_id': self.at('sale_return', 's.doc'),
                'date': 's.date',
                'product_id': self.at('product_product', 's.product'),
                'quantity': 's.quantity',
                **DATED,
            }),
        ]  # fmt: skip

    def get_decision_steps(self):
        """Return the steps about deciders and events."""
        return [
            ('sale_return_approval', 'real_return', {
                'id': self.at('sale_return_approval'),
                'return_id': self.at('sale_return'),
                'date': 's.date',
                **DATED,
            }),
            ('sale_return_event', 'real_return', {
                'id': self.at('sale_return_event'),
                'return_id': self.at('sale_return'),
                'date': 's.date',
                **DATED,
            }),
        ]  # fmt: skip

    def copy(self, name, staged, values):
        """Insert a copy of a record for each staged row, with other values in some columns."""
        record = self.records[name]
        self.cr.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s",
            [record._table],
        )
        columns = [column for (column,) in self.cr.fetchall()]
        self.cr.execute(
            SQL(
                "INSERT INTO %s (%s) SELECT %s FROM %s AS t, %s AS s WHERE t.id = %s",
                SQL.identifier(record._table),
                SQL(", ").join(map(SQL.identifier, columns)),
                SQL(", ").join(
                    SQL(values[column].replace('%', '%%'))
                    if column in values
                    else SQL.identifier('t', column)
                    for column in columns
                ),
                SQL.identifier(record._table),
                SQL(staged),
                record.id,
            )
        )
