"""Cost of pages on a database with a million past return lines.

Each page is read as the web client does: the fields of its view, its filter, its count, under the
rules of a user. Run by `dev/bench --pages` on a database of its own.
"""

import json
import time
from datetime import date
from pathlib import Path
from statistics import median

ROUNDS = 3
LIMIT = 2.0
OPEN = 40
# File with the measured returns, for the next run on the same database.
MEASURED = 'sale_return.bench_pages'
VARIANTS = "Benchmark of variants"


def run(env, lines='1000000', results='', loaded='', only=''):
    """Load, measure, print.

    :param str lines: number of past return lines.
    :param str results: file for all numbers, as JSON.
    :param str loaded: whether the database was loaded and kept by a run before.
    :param str only: read only the pages whose name contains this.
    :return: whether every page took less than two seconds.
    :rtype: bool
    """
    from odoo.addons.sale_return.benchmarks import real_pages

    past, work = find_returns(env) if loaded else load(env, int(lines))
    # sudo off: pages are read under the rules of a user.
    user = env(su=False)
    pages = get_pages(user, past, work) | get_menu_pages(user) | get_tiles(user)
    pages |= {
        f'analysis of all times, {name}': read
        for name, read in real_pages.get_pages(real_pages._Pages(user)).items()
    }
    print(f"\n{'Page':45} {'first ms':>9} {'ms':>7} {'computing':>10} {'queries':>8}")
    measured = {}
    for name, read in pages.items():
        if only not in name:
            continue
        measured[name] = first, seconds, cpu, queries = measure(env, read)
        # Printed at once, so that a page that takes minutes is visible, too.
        slow = "" if seconds < LIMIT else "  SLOW"
        figures = f"{1000 * first:9.0f} {1000 * seconds:7.0f} {1000 * cpu:10.0f} {queries:8}"
        print(f"{name:45} {figures}{slow}", flush=True)
    if results:
        Path(results).write_text(json.dumps({'pages': measured}), encoding='utf-8')
    return all(seconds < LIMIT for _first, seconds, _cpu, _queries in measured.values())


def load(env, lines):
    """Create this many past return lines and some open returns.

    :return: `(a closed return, open returns)`.
    :rtype: tuple
    """
    from odoo.addons.sale_return.benchmarks import history, report, ways

    begin = time.monotonic()
    shop = ways.Shop(env, 4)
    orders = shop.sell(1)
    pay(orders.invoice_ids)
    past = ways.Ours(env, orders, report.Phases(env.cr))
    past.run()
    pay(past.returns.credit_note_ids)
    rows = history.load(env, past.returns, lines // 4)
    work = open_returns(ways.Ours, shop, report.Phases(env.cr))
    sell_variant(shop)
    print(f"Loaded in {time.monotonic() - begin:.0f} s", flush=True)
    begin = time.monotonic()
    env['sale.return.fact']._refresh(everything=True)
    env.cr.execute("ANALYZE")
    env.cr.commit()
    print(f"Facts stored in {time.monotonic() - begin:.0f} s", flush=True)
    print(report.format_table(["Table", "Rows"], [[t, f"{n:,}"] for t, n in rows.items()], {1}))
    ids = [*past.returns.ids, *work.ids]
    env['ir.config_parameter'].set_param(MEASURED, ','.join(map(str, ids)))
    env.cr.commit()
    return past.returns, work


def pay(moves):
    """Pay invoices or credit notes as their button does."""
    context = {'active_model': 'account.move', 'active_ids': moves.ids}
    wizard = moves.env['account.payment.register'].with_context(**context).create({})
    wizard.action_create_payments()


def find_returns(env):
    """Return what `load` returned, in a database that it loaded before."""
    ids = env['ir.config_parameter'].get_param(MEASURED).split(',')
    returns = env['sale.return'].browse(map(int, ids))
    return returns[0], returns[1:]


def open_returns(way, shop, phases):
    """Return some returns of today: submitted, approved, received, each a third."""
    work = way(shop.env, shop.sell(3 * OPEN), phases)
    work.request()
    work.returns[OPEN:].action_approve()
    received = work.returns[2 * OPEN :]
    from odoo.addons.sale_return.benchmarks.shop import validate

    validate(received.picking_ids)
    shop.env.cr.commit()
    return work.returns


def sell_variant(shop):
    """Sell one of many variants, all of them in stock."""
    env = shop.env
    attribute = env['product.attribute'].create({'name': VARIANTS})
    values = env['product.attribute.value'].create(
        [{'name': str(number), 'attribute_id': attribute.id} for number in range(40)]
    )
    line = {'attribute_id': attribute.id, 'value_ids': values.ids}
    template = env['product.template'].create(
        {
            'name': VARIANTS,
            'is_storable': True,
            'invoice_policy': 'delivery',
            'attribute_line_ids': [(0, 0, line)],
        }
    )
    others, shop.products = shop.products, template.product_variant_ids
    shop.lines, lines = len(shop.products), shop.lines
    shop.sell(1)
    shop.products, shop.lines = others, lines


def get_variant_page(env):
    """Return what reads the variants that a customer's page offers for each of 40 lines."""
    order = env['sale.order'].search([('order_line.name', 'ilike', VARIANTS)], limit=1)
    # sudo: like the page, which has checked the link.
    return lambda: env['sale.return.portal.offer'].sudo()._get_offer(order.sudo())


def measure(env, read):
    """Read a page several times, each time with empty caches.

    :return: `(seconds until the first answer, median of these, median seconds of computing, median
        number of queries)`.
    :rtype: tuple
    """
    from odoo.addons.sale_return.benchmarks.report import Phases

    runs = []
    for _round in range(ROUNDS):
        env.cr.commit()
        env.invalidate_all()
        phases = Phases(env.cr)
        with phases('page'):
            read()
        runs.append((phases.seconds['page'], phases.cpu['page'], phases.queries['page']))
        if runs[-1][0] > 10 * LIMIT:
            break  # once is enough
    return runs[0][0], *(median(values) for values in zip(*runs, strict=True))


# === PAGES === #


def get_pages(env, past, work):
    """Return `{page: function that reads it}`.

    :param past: a closed return.
    :param work: open returns.
    """
    Return, filters = env['sale.return'], get_filters(env)
    pages = {'list of returns': get_list(env, 'sale.return', [])}
    pages |= {
        f'list of returns, {name}': get_list(env, 'sale.return', domain)
        for name, domain in filters.items()
    }
    pages['list of returns, page 1000'] = get_list(env, 'sale.return', [], offset=80_000)
    for name, text in (
        ('a number', past.name),
        ('a customer', past.partner_id.name),
        ('a parcel', "1Z999"),
    ):
        domain = [('display_name', 'ilike', text)] if name != 'a parcel' else []
        domain = domain or [('tracking_ref', 'ilike', text)]
        pages[f'search for {name}'] = get_list(env, 'sale.return', domain)
    for field in ('state', 'partner_id', 'create_date:month'):
        pages[f'list of returns by {field}'] = lambda field=field: Return.web_read_group(
            [], [field], ['__count'], limit=80
        )
    pages['kanban of returns'] = get_list(env, 'sale.return', [], 'kanban')
    pages['kanban of returns by state'] = lambda: Return.web_read_group(
        [],
        ['state'],
        ['__count'],
        auto_unfold=True,
        unfold_read_specification=get_specification(env, 'sale.return', 'kanban'),
        unfold_read_default_limit=40,
    )
    for name, record in (('past', past), ('submitted', work[0]), ('received', work[-1])):
        pages[f'form of a return, {name}'] = lambda record=record: Return.browse(
            record.id
        ).web_read(get_specification(env, 'sale.return', 'form'))
    pages['form of its order'] = lambda: (
        env['sale.order']
        .browse(past.sale_order_ids.ids)
        .web_read(get_specification(env, 'sale.order', 'form'))
    )
    pages["customer's page, 40 lines with 40 variants"] = get_variant_page(env)
    for model in ('sale.return.line', 'sale.return.inspection', 'sale.return.event'):
        pages[f'list of {model}'] = get_list(env, model, [])
    for model in ('sale.return.quarantine.report', 'sale.return.reconciliation'):
        if model in env:
            pages[f'list of {model}'] = get_list(env, model, [])
    return pages


def get_menu_pages(env):
    """Return `{page: function that reads it}` of lists, pivots and graphs as menus open them."""
    from odoo.tools.safe_eval import safe_eval

    actions = env['ir.ui.menu'].search([]).filtered('action').mapped('action')
    actions = [
        action
        for action in actions
        if action.type == 'ir.actions.act_window' and action.res_model.startswith('sale.return')
    ]
    readers = {'list': get_list, 'pivot': get_pivot, 'graph': get_graph}
    pages = {}
    for action in actions:
        names = {'uid': env.uid, 'allowed_company_ids': env.companies.ids}
        context = safe_eval(action.context or '{}', dict(names))
        domain = safe_eval(action.domain or '[]', dict(names)) + get_defaults(env, action, context)
        model = env[action.res_model].with_context(**context)
        for view_id, kind in action.views:
            if kind in readers:
                name = f'{kind}: {action.name}'
                # Reasons are both an analysis and a configuration.
                name += f' ({model._name})' if name in pages else ''
                pages[name] = readers[kind](model.env, model._name, domain, view_id=view_id)
    return pages


def get_tiles(env):
    """Return `{tile of a dashboard: function that reads it}` with the period it opens with."""
    group = env.ref('sale_return.spreadsheet_dashboard_group_returns')
    tiles = {}
    for dashboard in group.dashboard_ids:
        # sudo: only the definition of a dashboard; its tiles are read under the rules of the user.
        data = json.loads(dashboard.sudo().spreadsheet_data)
        charts = [figure['data'] for sheet in data['sheets'] for figure in sheet['figures']]
        charts = [chart for chart in charts if chart['type'].startswith('odoo_')]
        for number, tile in enumerate([*data['pivots'].values(), *charts], 1):
            read = get_tile(env, data, tile)
            tiles[f'dashboard: {dashboard.name}, {number}'] = read
    return tiles


def get_tile(env, data, tile):
    """Return a function that reads a pivot or a chart of a dashboard."""
    meta = tile.get('metaData')
    domain = list(tile['searchParams']['domain'] if meta else tile['domain'])
    begin = f'{date.today():%Y}-01-01'
    for found in data['globalFilters']:
        if found.get('defaultValue') == 'year_to_date' and found['id'] in tile['fieldMatching']:
            domain.append((tile['fieldMatching'][found['id']]['chain'], '>=', begin))
    if meta:
        field = env[meta['resModel']]._fields[meta['measure']]
        measures = [f'{field.name}:{field.aggregator or "count_distinct"}']
        return lambda: env[meta['resModel']].formatted_read_group(domain, meta['groupBy'], measures)
    rows = [row['fieldName'] for row in tile['rows']]
    sets = [rows[:number] for number in range(len(rows) + 1)]
    measures = [f'{one["fieldName"]}:{one["aggregator"]}' for one in tile['measures']]
    model = env[tile['model']].with_context(**tile['context'])
    return lambda: model.formatted_read_grouping_sets(domain, sets, measures)


def get_defaults(env, action, context):
    """Return the domain of the filters that are set when an action opens."""
    from lxml import etree

    from odoo.tools.safe_eval import safe_eval

    view = (action.search_view_id.id, 'search')
    arch = etree.fromstring(env[action.res_model].get_views([view])['views']['search']['arch'])
    domain = []
    for key, value in context.items():
        if not value or not key.startswith('search_default_'):
            continue
        name = key.removeprefix('search_default_')
        if isinstance(value, str) and value.startswith('custom_'):
            name = value.removeprefix('custom_')  # one of the choices of a filter of dates
        for node in arch.iterfind(f".//filter[@name='{name}'][@domain]"):
            domain += safe_eval(node.get('domain'), {'uid': env.uid})
    return domain


def get_filters(env):
    """Return `{filter: domain}` of the filters of returns that need no other context."""
    from lxml import etree

    from odoo.tools.safe_eval import safe_eval

    arch = env['sale.return'].get_views([(False, 'search')])['views']['search']['arch']
    filters = {}
    for node in etree.fromstring(arch).iter('filter'):
        domain = node.get('domain') or '[]'
        if node.get('name') and domain != '[]' and 'context_today' not in domain:
            filters[node.get('string') or node.get('name')] = safe_eval(domain, {'uid': env.uid})
    return filters


def get_list(env, model, domain, kind='list', offset=0, view_id=False):
    """Return a function that reads a list or kanban as the web client does."""
    arch = get_arch(env, model, kind, view_id)
    specification = _read_node(env, model, arch)

    def read():
        env[model].web_search_read(
            domain,
            specification,
            offset=offset,
            limit=80,
            order=arch.get('default_order'),
            count_limit=10_001,
        )

    return read


def get_pivot(env, model, domain, view_id=False):
    """Return a function that reads a pivot as the web client does: its groups and all totals."""
    rows, columns, measures = [], [], ['__count']
    for node in get_arch(env, model, 'pivot', view_id).iter('field'):
        field = env[model]._fields[node.get('name')]
        if node.get('type') == 'measure':
            measures.append(f'{field.name}:{field.aggregator}')
        elif node.get('type'):
            groups = columns if node.get('type') == 'col' else rows
            groups.append(_get_group(field, node))
    # The action takes precedence over the view.
    rows = env.context.get('pivot_row_groupby', rows)
    if names := env.context.get('pivot_measures'):
        fields = [env[model]._fields[name] for name in names]
        measures = ['__count', *(f'{field.name}:{field.aggregator}' for field in fields)]
    sets = [
        rows[:number] + columns[:other]
        for number in range(len(rows) + 1)
        for other in range(len(columns) + 1)
    ]
    return lambda: env[model].formatted_read_grouping_sets(domain, sets, measures)


def get_graph(env, model, domain, view_id=False):
    """Return a function that reads a graph as the web client does."""
    groups, measures = [], ['__count']
    for node in get_arch(env, model, 'graph', view_id).iter('field'):
        field = env[model]._fields[node.get('name')]
        if node.get('type') == 'measure':
            measures.append(f'{field.name}:{field.aggregator}')
        else:
            groups.append(_get_group(field, node))
    return lambda: env[model].formatted_read_group(domain, groups, measures)


def _get_group(field, node):
    is_date = field.type in ('date', 'datetime')
    return f'{field.name}:{node.get("interval", "month")}' if is_date else field.name


def get_specification(env, model, kind):
    """Return which fields the default view of a model reads."""
    return _read_node(env, model, get_arch(env, model, kind))


def get_arch(env, model, kind, view_id=False):
    """Return a view of a model as a node, the default one unless another is named."""
    from lxml import etree

    views = env[model].get_views([(view_id, kind)])['views']
    return etree.fromstring(views[kind]['arch'])


def _read_node(env, model, node):
    specification = {}
    for child in node:
        if child.tag == 'field' and child.get('name') in env[model]._fields:
            field = env[model]._fields[child.get('name')]
            specification[field.name] = {}
            if field.type in ('many2one', 'many2many', 'one2many'):
                specification[field.name] = {'fields': {'display_name': {}}, 'limit': 40}
            sub = next((view for view in child if view.tag in ('list', 'kanban')), None)
            if sub is not None and field.type != 'many2one':
                specification[field.name]['fields'] = _read_node(env, field.comodel_name, sub)
            if field.type == 'many2one':
                specification[field.name].pop('limit')
        elif not isinstance(child.tag, str):
            continue
        else:
            specification |= _read_node(env, model, child)
    return specification
